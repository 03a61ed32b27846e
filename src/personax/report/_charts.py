"""Small charts as inline SVG: bars, lines, intervals, colour scales; all text escaped.

The colours themselves are in style.css (``--s0`` ... ``--s6``): one scale of rising darkness, readable without colour
vision and in print, and its mirror for dark screens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from markupsafe import Markup, escape

from personax.data.labels import count, number, percent
from personax.report._data import Distribution
from personax.schema import Column

__all__ = [
    "CORRECTED",
    "EFFECT",
    "MIN_CELL",
    "ColourScale",
    "IntervalRow",
    "Value",
    "bars",
    "distribution_of",
    "element",
    "figure",
    "histogram",
    "interval_row",
    "intervals",
    "loss_curves",
]


Value = str | int | float | bool | None
"""What an attribute may be."""


def element(name: str, *children: str | Markup, **attributes: Value) -> Markup:
    """Return one element; every child that is not `Markup` and every attribute is escaped.

    Parameters
    ----------
    name
        Tag name; never taken from data.
    children
        Text, or elements made by this function.
    attributes
        ``class_`` stands for ``class`` and underscores for hyphens; None leaves an attribute out. A float under
        ``data_...`` is written exactly, any other float is geometry and is written to a hundredth of a pixel.

    Examples
    --------
    >>> element("text", "a < b", x=1.0, class_="label")
    Markup('<text x="1" class="label">a &lt; b</text>')
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(key, value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")


def figure(*children: Markup, height: float, label: str, width: str = "100%", **attributes: Value) -> Markup:
    """Return an ``<svg>`` that fills its box; positions across may be percentages, so letters never shrink."""
    return element("svg", *children, width=width, height=height, role="img", aria_label=label, **attributes)


def _text(key: str, value: Value) -> str:
    if isinstance(value, float) and not key.startswith("data_"):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


@dataclass(frozen=True, slots=True)
class ColourScale:
    """Steps of a quantity.

    Parameters
    ----------
    limits
        Ascending; a value at or above the k-th limit is in step k + 1.
    labels
        What the legend writes under each step.
    falling
        True when a small value is the strong one (p-values): the last step is then the smallest values.

    Examples
    --------
    >>> EFFECT.step(0.25), CORRECTED.step(0.2), CORRECTED.step(0.0)
    (4, 0, 6)
    """

    limits: Sequence[float]
    labels: Sequence[str]
    falling: bool = False

    def step(self, value: float) -> int:
        """Return the step of a value, 0 the weakest."""
        passed = sum(value >= limit for limit in self.limits)
        return len(self.limits) - passed if self.falling else passed

    def legend(self, letter: str) -> Markup:
        """Return the legend as a strip of steps with their labels."""
        return Markup("").join(
            element("span", element("i", class_=f"key {letter}{step}"), label, class_="step")
            for step, label in enumerate(self.labels)
        )


EFFECT = ColourScale((0.02, 0.05, 0.1, 0.2, 0.3, 0.5), ("under .02", ".02", ".05", ".1", ".2", ".3", ".5 and over"))
CORRECTED = ColourScale(
    (1e-30, 1e-12, 1e-6, 1e-3, 0.01, 0.05),
    (".05 and over", "under .05", ".01", ".001", "1e-6", "1e-12", "1e-30"),
    falling=True,
)


MIN_CELL = 5
"""A category of fewer people is not named on the page: a rare value can identify a person."""

MAX_BARS = 24
MAX_CATEGORIES = 7


def distribution_of(values: pl.Series, column: Column) -> Distribution:
    """Count a column's values; numbers of many values into equal ranges.

    Examples
    --------
    >>> from personax.schema import Column
    >>> found = distribution_of(pl.Series(["a"] * 6 + ["b"]), Column("x", "feature", "nominal"))
    >>> found.labels, found.counts, found.rest
    (('a',), (6,), 1)
    """
    if values.dtype.is_temporal():
        values = values.dt.year()
    if values.dtype.is_float():
        values = values.fill_nan(None)
    present = values.drop_nulls()
    missing = len(values) - len(present)
    if column.kind == "nominal" or not present.dtype.is_numeric():
        return _categories(present.cast(pl.String), column, missing)
    return _numbers(present.to_numpy().astype(float), column, missing)


def _categories(present: pl.Series, column: Column, missing: int) -> Distribution:
    table = present.alias("value").value_counts(name="count")
    ranked = table.sort(["count", "value"], descending=[True, False])
    named = ranked.filter(pl.col("count") >= MIN_CELL).head(MAX_CATEGORIES)
    counts = tuple(named["count"].to_list())
    return Distribution(
        column=column,
        present=len(present),
        missing=missing,
        labels=tuple(named["value"].to_list()),
        counts=counts,
        rest=len(present) - sum(counts),
        rest_values=len(ranked) - len(named),
    )


def _numbers(present: np.ndarray, column: Column, missing: int) -> Distribution:
    present = present[np.isfinite(present)]
    if not len(present):
        return Distribution(column, 0, missing, (), ())
    values, counts = np.unique(present, return_counts=True)
    labels = [number(value, 6) for value in values]
    if len(values) > MAX_BARS:
        counts, edges = np.histogram(present, bins=MAX_BARS)
        labels = [f"{number(low, 4)} to {number(high, 4)}" for low, high in pairwise(edges)]
    summary = f"{number(values[0], 4)} to {number(values[-1], 4)}, median {number(float(np.median(present)), 4)}"
    return Distribution(column, len(present), missing, tuple(labels), tuple(counts.tolist()), summary=summary)


HEIGHT = 64.0
ROW = 20.0


def histogram(found: Distribution, name: str) -> Markup:
    """Draw how a column of numbers is distributed: one upright bar a value or range."""
    if not found.counts:
        return Markup("")
    top, wide = max(found.counts), 100 / len(found.counts)
    drawn = []
    for place, (label, size) in enumerate(zip(found.labels, found.counts, strict=True)):
        tall = max(HEIGHT * size / top, 1.5 if size else 0)
        tip = f"{label}\n{count(size)} people, {percent(size, found.present)}"
        column = {"x": f"{place * wide:.2f}%", "width": f"{wide:.2f}%"}
        drawn.append(
            element(
                "g",
                element("rect", y=0, height=HEIGHT, class_="hit", **column),
                element(
                    "rect",
                    x=f"{(place + 0.07) * wide:.2f}%",
                    width=f"{0.86 * wide:.2f}%",
                    y=HEIGHT - tall,
                    height=tall,
                    class_="bar",
                ),
                data_tip=tip,
            )
        )
    return figure(*drawn, height=HEIGHT, label=f"Histogram of {name}: {found.summary}", class_="histogram")


def bars(found: Distribution, name: str) -> Markup:
    """Draw the most frequent categories as bars with their names, the rest as one grey bar."""
    rows = list(zip(found.labels, found.counts, strict=True))
    top = max([size for _, size in rows] + [found.rest], default=0)
    if top == 0:
        return Markup("")
    drawn = [_row(place, label, size, top, found.present, "bar") for place, (label, size) in enumerate(rows)]
    if found.rest:
        label = f"{count(found.rest_values)} others" if rows else f"{count(found.rest_values)} rare values"
        drawn.append(_row(len(rows), label, found.rest, top, found.present, "bar rest"))
    return figure(*drawn, height=ROW * len(drawn), label=f"Frequencies of {name}", class_="bars")


def _row(place: int, label: str, size: int, top: int, present: int, style: str) -> Markup:
    y = place * ROW
    name = element("svg", element("text", label, x=0, y=y + 14), width="38%", height=y + ROW, class_="clip")
    wide = 42 * size / top
    return element(
        "g",
        element("rect", x=0, y=y, width="100%", height=ROW, class_="hit"),
        name,
        element("rect", x="40%", y=y + 4, width=f"{wide:.2f}%", height=ROW - 8, class_=style),
        element("text", percent(size, present), x="100%", y=y + 14, class_="value"),
        data_tip=f"{label}\n{count(size)} people, {percent(size, present)}",
    )


CURVE_WIDTH, CURVE_HEIGHT = 240.0, 72.0
MAX_POINTS = 200
"""Points of a curve that are drawn."""


def loss_curves(history: pl.DataFrame) -> list[tuple[str, str, Markup]]:
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
    return [
        found for term in terms if (found := _loss_curve(term, history[term].cast(pl.Float64).to_list())) is not None
    ]


def _loss_curve(term: str, values: list[float | None]) -> tuple[str, str, Markup] | None:
    finite = [(place, value) for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    if len(finite) < 2:
        return None
    thinned = finite[:: max(1, len(finite) // MAX_POINTS)]
    if thinned[-1] != finite[-1]:
        thinned.append(finite[-1])
    low, high = min(value for _, value in finite), max(value for _, value in finite)
    spread, last = (high - low) or 1.0, finite[-1][0]
    points = " ".join(
        f"{CURVE_WIDTH * place / last:.1f},{4 + (CURVE_HEIGHT - 8) * (high - value) / spread:.1f}"
        for place, value in thinned
    )
    line = element("polyline", points=points, class_="course", vector_effect="non-scaling-stroke")
    svg = element(
        "svg",
        line,
        viewBox=f"0 0 {CURVE_WIDTH:.0f} {CURVE_HEIGHT:.0f}",
        preserveAspectRatio="none",
        width="100%",
        height=CURVE_HEIGHT,
        role="img",
        aria_label=f"{term} over the epochs, from {number(finite[0][1])} to {number(finite[-1][1])}",
    )
    return term, f"{number(finite[0][1])} → {number(finite[-1][1])}", svg


ROW_HEIGHT = 30.0


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One number.

    Parameters
    ----------
    label
        Its name, at the left.
    value, low, high
        None where there is none.
    note
        What the tip says below the number: of how many people it is, or why there is none.
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    note: str


def interval_row(label: str, found: Mapping[str, Any]) -> IntervalRow:
    """Return the row of a number as stages write it: value, low, high, n, reason."""
    note = found.get("reason") or f"{count(found.get('n', 0))} people"
    return IntervalRow(label, found.get("value"), found.get("low"), found.get("high"), str(note))


def intervals(
    rows: Sequence[IntervalRow], span: tuple[float, float], guides: Sequence[float], label: str, *, meaning: str
) -> Markup:
    """Draw rows one below the other.

    Parameters
    ----------
    span
        Ends of the scale; what lies outside stands at the end.
    guides
        Values with a line and a number below it.
    label, meaning
        What the figure shows; what the numbers are, for the tips.
    """
    bottom = ROW_HEIGHT * len(rows)
    lines = [
        part
        for value in guides
        for part in (
            element("line", x1=_across(value, span), x2=_across(value, span), y1=0, y2=bottom, class_="guide"),
            element("text", number(value), x=_across(value, span), y=bottom + 16, class_=_tick(value, guides, span)),
        )
    ]
    drawn = [_interval_row(row, ROW_HEIGHT * (place + 0.5), span, meaning) for place, row in enumerate(rows)]
    return figure(*lines, *drawn, height=bottom + 24, label=label, class_="intervals")


def _tick(value: float, guides: Sequence[float], span: tuple[float, float]) -> str:
    """Return the class of a guide's number: one that the next would touch ends at its line."""
    close = any(0 < other - value < 0.15 * (span[1] - span[0]) for other in guides)
    return "tick end" if close else "tick"


def _across(value: float, span: tuple[float, float]) -> str:
    # a third for the names, the rest for the scale
    low, high = span
    return f"{33 + 64 * (min(max(value, low), high) - low) / (high - low):.2f}%"


def _interval_row(row: IntervalRow, y: float, span: tuple[float, float], meaning: str) -> Markup:
    text = element("text", row.label, x=0, y=y + 4)
    name = element("svg", text, width="31%", height=y + ROW_HEIGHT, class_="clip")
    if row.value is None:
        none = element("text", "none", x="33%", y=y + 4, class_="muted")
        return element("g", name, none, data_tip=f"{row.label}\n{row.note}")
    parts = [element("rect", x=0, y=y - ROW_HEIGHT / 2, width="100%", height=ROW_HEIGHT, class_="hit"), name]
    tip = f"{row.label}\n{meaning} {number(row.value)}"
    if row.low is not None and row.high is not None:
        ends = {"x1": _across(row.low, span), "x2": _across(row.high, span)}
        parts.append(element("line", y1=y, y2=y, class_="whisker", **ends))
        tip += f", 95% interval {number(row.low)} to {number(row.high)}"
    parts.append(element("circle", cx=_across(row.value, span), cy=y, r=5.5, class_="dot"))
    return element("g", *parts, data_tip=f"{tip}\n{row.note}")
