"""Heights and weights in the units people write them in, as centimetres and kilograms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from personax.data.naming import snake

__all__ = [
    "FACTORS",
    "MEASURE_LIMITS",
    "UNITS",
    "named_size",
    "parse_quantity",
    "plausible_limits",
    "said_unit",
    "written_unit",
]

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

_SIZE_WORDS: Mapping[str, str] = {
    "cm": "height ht hgt stature groesse grosse größe hoehe taille altura estatura altezza lengte wzrost рост зріст "
    "身高 身長 키 boy boyu výška visina magasság pituus înălțime længde højde høyde längd",
    "kg": "weight wt wgt gewicht poids peso waga вес вага 体重 體重 몸무게 mass masse kilo kilosu hmotnost váha súly "
    "paino vægt vekt",
}
"""Unit of a size -> words of names of columns that hold such sizes."""

_TYPOGRAPHY = str.maketrans({
    **dict.fromkeys("’‘′ʹʼ`´", "'"), **dict.fromkeys("″”“„ʺ", '"'), **dict.fromkeys("–—−‐‑", "-"), 
    "\u00a0": " ", "\u202f": " ",
    "½": " 1/2", "¼": " 1/4", "¾": " 3/4",
})  # fmt: skip
_AMOUNT = r"(\d+(?:[.,]\d+)?|\d+\s+\d/\d)"
_FEET = re.compile(
    rf"(\d{{1,2}})\s*(?:'|ft|feet|foot)\.?\s*(?:(?:and|,|-)?\s*{_AMOUNT}\s*(?:\"|''|in(?:ch(?:es)?)?)?\.?)?"
)
_DASHED = re.compile(r"(\d{1,2})\s*-\s*(\d{1,2}(?:[.,]\d+|\s+\d/\d)?)\s*(?:\"|'')?")
_STONES = re.compile(rf"(\d{{1,2}})\s*(?:st|stones?)\.?\s*(?:(?:and|,|-)?\s*{_AMOUNT}\s*(?:lbs?|pounds?)?\.?)?")
_METRES = re.compile(r"([12])\s*m\s*(\d{2})(?:\s*cm)?")
_SPACED = re.compile(r"([3-8])\s+(\d{1,2})")
_MANGLED = re.compile(r"\d{1,2}-[a-z]{3}(?:-\d{2,4})?|[a-z]{3}-\d{1,2}|\d{4}-\d{2}-\d{2}(?:[ t].*)?")
_POINT = str.maketrans({".": "'", ",": "'"})
_NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)?|\d+\s+\d/\d)\s*([^\W\d]*|\"|''|'|#)\.?")
_TWO = re.compile(r"(.+?)\s*(?:[(\[/;=]|\bor\b)\s*(.+?)\s*[)\]]?")
_WRITTEN: Mapping[str, str] = {
    **dict.fromkeys(("cm", "cms", "centimeter", "centimeters", "centimetre", "centimetres", "zentimeter", "см"), "cm"),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres", "м"), "m"),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetres"), "mm"),
    **dict.fromkeys(("in", "inch", "inches", '"', "''", "zoll"), "in"),
    **dict.fromkeys(("ft", "feet", "foot", "'"), "ft"),
    **dict.fromkeys(("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramm", "кг"), "kg"),
    **dict.fromkeys(("g", "gram", "grams", "gramm"), "g"),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds", "#"), "lb"),
    **dict.fromkeys(("st", "stone", "stones"), "st"),
}
_BARE_INCHES = (36.0, 100.0)
"""A number alone beside feet and inches is inches where it can be a person's height in them."""
_AGREE: Mapping[str, float] = {"cm": 1.3, "kg": 0.6}
"""Two sizes of one cell may differ by their rounding: half an inch, a pound and a bit."""


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


def named_size(column: str) -> str | None:
    """Return cm or kg where the name of a column says height or weight, in one of many languages.

    Examples
    --------
    >>> named_size("Größe (m)"), named_size("Body-weight"), named_size("weightlifting")
    ('cm', 'kg', None)
    """
    words = {*snake(column).split("_"), snake(column).replace("_", "")}
    return next((unit for unit, names in _size_words().items() if words & names), None)


@cache
def _size_words() -> Mapping[str, frozenset[str]]:
    return {unit: frozenset(snake(word) for word in words.split()) for unit, words in _SIZE_WORDS.items()}


def parse_quantity(text: str, unit: str, *, bounds: tuple[float, float] | None = None) -> float:
    """Read a length or a mass and return centimetres or kilograms.

    Parameters
    ----------
    text
        As it was written: ``185``, ``1,85``, ``1.85 m``, ``6-5``, ``6'5"``, ``12 st 3 lb``, ``6'2" (1.88 m)``. What the
        cell says of its unit wins over ``unit``; two sizes in one cell must agree.
    unit
        One of `UNITS`; what a bare number is in.
    bounds
        Lowest and highest value that can be, in cm or kg.

    Raises
    ------
    ValueError
        With the reason, for what cannot be read, is not positive or not within the limits, has 12 inches or more beside
        feet or 14 pounds or more beside stones, or says two sizes that differ.

    Examples
    --------
    >>> parse_quantity("6-5", "ft-in"), parse_quantity("6′5″", "cm"), parse_quantity("1m85", "cm")
    (195.58, 195.58, 185.0)
    >>> parse_quantity("1,85", "m")
    185.0
    >>> round(parse_quantity("12 st 3 lb", "kg"), 2), parse_quantity("6'2 (1.88 m)", "cm")
    (77.56, 187.96)
    """
    value = _size(text, unit)
    if value <= 0:
        raise ValueError("not positive")
    if bounds is not None and not bounds[0] <= value <= bounds[1]:
        raise ValueError(f"not between {bounds[0]:g} and {bounds[1]:g}; is the unit {unit}?")
    return round(value, 6)


def written_unit(text: str) -> str | None:
    """Return the unit, cm or kg, of what a cell itself says of its unit; None where it says nothing or is no size.

    Examples
    --------
    >>> written_unit("5'11"), written_unit("12 st 3"), written_unit("74"), written_unit("tall")
    ('cm', 'kg', None, None)
    """
    cleaned = _cleaned(text)
    for unit in ("cm", "kg"):
        try:
            _size(cleaned, unit)
        except ValueError:
            continue
        return None if re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?", cleaned) else unit
    return None


def said_unit(text: str) -> str | None:
    """Return the unit that a cell says, one of `UNITS`; None where it says none.

    Examples
    --------
    >>> [said_unit(cell) for cell in ("5'11", "80 kilos", "1m85", "12 st 3", "74")]
    ['ft-in', 'kg', 'm', 'st', None]
    """
    cleaned = _cleaned(text)
    if _FEET.fullmatch(cleaned) or _DASHED.fullmatch(cleaned):
        return "ft-in"
    if _METRES.fullmatch(cleaned):
        return "m"
    if _STONES.fullmatch(cleaned):
        return "st"
    match = _NUMBER.fullmatch(cleaned)
    return _WRITTEN.get(match[2]) if match else None


def _cleaned(text: str) -> str:
    return text.strip().lower().translate(_TYPOGRAPHY).strip()


def _size(text: str, unit: str) -> float:
    cleaned, becomes = _cleaned(text), _canonical(unit)
    two = _TWO.fullmatch(cleaned)
    if two is None or re.fullmatch(r"[^(\[;=]*\d/\d[^(\[;=]*", cleaned):
        return _one(cleaned, unit)
    first, second = _one(two[1], unit), _one(two[2], unit)
    if abs(first - second) > _AGREE[becomes]:
        raise ValueError(f"its two sizes differ: {first:g} and {second:g} {becomes}")
    return first


def _canonical(unit: str) -> str:
    return "cm" if unit == "ft-in" else FACTORS[unit][0]


def _one(text: str, unit: str) -> float:
    """Read one size."""
    becomes = _canonical(unit)
    if becomes == "cm" and (match := _FEET.fullmatch(text) or _DASHED.fullmatch(text)):
        return _compound(match, 30.48, 2.54, 12, "inches beside feet")
    if becomes == "cm" and (match := _METRES.fullmatch(text)):
        return float(match[1]) * 100 + float(match[2])
    if becomes == "kg" and (match := _STONES.fullmatch(text) or (unit == "st" and _DASHED.fullmatch(text)) or None):
        return _compound(match, FACTORS["st"][1], FACTORS["lb"][1], 14, "pounds beside stones")
    if unit == "ft-in" and (match := _SPACED.fullmatch(text)):
        return _compound(match, 30.48, 2.54, 12, "inches beside feet")
    if becomes == "cm" and _MANGLED.fullmatch(text):
        raise ValueError("a date, which a spreadsheet makes of feet and inches such as 5-11")
    match = _NUMBER.fullmatch(text)
    if match is None or (match[2] and match[2] not in _WRITTEN):
        raise ValueError("not feet and inches such as 6-5" if unit == "ft-in" else f"not a number of {unit}")
    amount = _amount(match[1])
    if not match[2] and unit == "ft-in":
        if 4 <= amount < 8 and amount % 1:
            raise ValueError(f"{match[1]} feet, or {match[1].translate(_POINT)}")
        if not _BARE_INCHES[0] <= amount <= _BARE_INCHES[1]:
            raise ValueError("not feet and inches such as 6-5")
        return amount * 2.54
    written = _WRITTEN[match[2]] if match[2] else unit
    if FACTORS[written][0] != becomes:
        raise ValueError(f"in {written}, expected {unit}")
    return amount * FACTORS[written][1]


def _compound(match: re.Match[str], large: float, small: float, most: int, what: str) -> float:
    rest = _amount(match[2]) if match[2] else 0.0
    if rest >= most:
        raise ValueError(f"{most} {what.partition(' ')[0]} or more beside {what.rpartition(' ')[2]}")
    return float(match[1]) * large + rest * small


def _amount(text: str) -> float:
    """Return a number with a decimal mark, or with a fraction behind it."""
    whole, _, part = text.replace(",", ".").partition(" ")
    if not part.strip():
        return float(whole)
    above, _, below = part.strip().partition("/")
    return float(whole) + float(above) / max(float(below), 1.0)
