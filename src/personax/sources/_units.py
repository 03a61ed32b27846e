"""Heights and weights in the units people write them in, as centimetres and kilograms."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["FACTORS", "MEASURE_LIMITS", "UNITS", "parse_quantity", "plausible_limits"]

FACTORS: Mapping[str, tuple[str, float]] = {
    "cm": ("cm", 1.0),
    "m": ("cm", 100.0),
    "mm": ("cm", 0.1),
    "in": ("cm", 2.54),
    "ft": ("cm", 30.48),
    "kg": ("kg", 1.0),
    "g": ("kg", 0.001),
    "lb": ("kg", 0.45359237),
    "st": ("kg", 6.35029318),
}
"""Unit -> (unit it becomes, factor); exact by the international yard and pound agreement of 1959."""

UNITS = (*FACTORS, "ft-in")

MEASURE_LIMITS: Mapping[str, tuple[str, float, float]] = {"height": ("cm", 40.0, 280.0), "weight": ("kg", 1.0, 700.0)}
"""No person's height or weight lies outside; a number that does was written in another unit."""

_FEET = re.compile(
    r"""^(\d{1,2})\s*(?:[-–]\s*(?=\d)|(?:'|′|’|ft\.?|feet)\s*)(?:(\d{1,2}(?:[.,]\d+)?)\s*(?:"|″|”|''|in\.?|inches)?)?$"""
)
_NUMBER = re.compile(r"^([+-]?\d+(?:[.,]\d+)?)\s*([a-z\"'″′]*)\.?$")
_WORDS = {"cm", "m", "mm", "in", "ft", "kg", "g", "lb", "lbs", "st", '"', "'", ""}


def plausible_limits(column: str, unit: str) -> tuple[float, float] | None:
    """Return what a column called height or weight may hold, in cm or kg; None for other columns.

    Examples
    --------
    >>> plausible_limits("height_cm", "ft-in")
    (40.0, 280.0)
    >>> plausible_limits("reach_cm", "in") is None
    True
    """
    becomes = "cm" if unit == "ft-in" else FACTORS[unit][0]
    for word, (measured, low, high) in MEASURE_LIMITS.items():
        if word in column.lower() and measured == becomes:
            return low, high
    return None


def parse_quantity(text: str, unit: str, *, bounds: tuple[float, float] | None = None) -> float:
    """Read a length or a mass and return centimetres or kilograms.

    Parameters
    ----------
    text
        As it was written: ``185``, ``1,85``, ``1.85 m``, ``6-5``, ``6'5"``.
    unit
        One of `UNITS`; what a bare number is in.
    bounds
        Lowest and highest value that can be, in cm or kg.

    Raises
    ------
    ValueError
        With the reason, for what cannot be read, is not positive or not within the limits, or has 12 inches or more.

    Examples
    --------
    >>> parse_quantity("6-5", "ft-in")
    195.58
    >>> parse_quantity("1,85", "m")
    185.0
    """
    cleaned = text.strip().lower()
    value = _feet_and_inches(cleaned) if unit == "ft-in" else _plain(cleaned, unit)
    if value <= 0:
        raise ValueError("not positive")
    if bounds is not None and not bounds[0] <= value <= bounds[1]:
        raise ValueError(f"not between {bounds[0]:g} and {bounds[1]:g}; is the unit {unit}?")
    return round(value, 6)


def _feet_and_inches(text: str) -> float:
    match = _FEET.match(text)
    if match is None:
        raise ValueError("not feet and inches such as 6-5")
    feet, inches = float(match[1]), float((match[2] or "0").replace(",", "."))
    if inches >= 12:
        raise ValueError("12 inches or more beside feet")
    return feet * 30.48 + inches * 2.54


def _plain(text: str, unit: str) -> float:
    match = _NUMBER.match(text)
    if match is None or match[2] not in _WORDS:
        raise ValueError(f"not a number of {unit}")
    written = {"lbs": "lb", '"': "in", "'": "ft", "": unit}.get(match[2], match[2])
    if FACTORS[written][0] != FACTORS[unit][0]:
        raise ValueError(f"in {written}, expected {unit}")
    return float(match[1].replace(",", ".")) * FACTORS[written][1]
