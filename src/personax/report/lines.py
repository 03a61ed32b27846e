"""Small line charts: the course of a fit over its epochs."""

from __future__ import annotations

import math

import polars as pl
from markupsafe import Markup

from personax.report.svg import element
from personax.report.words import number

__all__ = ["courses"]

WIDE, HIGH = 240.0, 72.0
POINTS = 200


def courses(history: pl.DataFrame) -> list[tuple[str, str, Markup]]:
    """Draw each term of a history over its epochs.

    Parameters
    ----------
    history
        A column ``epoch`` and one column of numbers a term.

    Returns
    -------
    list of (term, ``"first to last value"``, figure)
    """
    terms = [name for name, dtype in history.schema.items() if name != "epoch" and dtype.is_numeric()]
    return [found for term in terms if (found := _course(term, history[term].cast(pl.Float64).to_list())) is not None]


def _course(term: str, values: list[float | None]) -> tuple[str, str, Markup] | None:
    finite = [(place, value) for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    if len(finite) < 2:
        return None
    thinned = finite[:: max(1, len(finite) // POINTS)]
    if thinned[-1] != finite[-1]:
        thinned.append(finite[-1])
    low, high = min(value for _, value in finite), max(value for _, value in finite)
    spread, last = (high - low) or 1.0, finite[-1][0]
    points = " ".join(
        f"{WIDE * place / last:.1f},{4 + (HIGH - 8) * (high - value) / spread:.1f}" for place, value in thinned
    )
    line = element("polyline", points=points, class_="course", vector_effect="non-scaling-stroke")
    svg = element(
        "svg",
        line,
        viewBox=f"0 0 {WIDE:.0f} {HIGH:.0f}",
        preserveAspectRatio="none",
        width="100%",
        height=HIGH,
        role="img",
        aria_label=f"{term} over the epochs, from {number(finite[0][1])} to {number(finite[-1][1])}",
    )
    return term, f"{number(finite[0][1])} → {number(finite[-1][1])}", svg
