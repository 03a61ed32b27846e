"""Numbers with their intervals, a dot and a whisker a row, on one scale: agreement, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from personax.report.svg import element, figure
from personax.report.words import count, number

__all__ = ["Row", "intervals", "row_of"]

HEIGHT = 30.0


@dataclass(frozen=True, slots=True)
class Row:
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


def row_of(label: str, found: Mapping[str, Any]) -> Row:
    """Return the row of a number as stages write it: value, low, high, n, reason."""
    note = found.get("reason") or f"{count(found.get('n', 0))} people"
    return Row(label, found.get("value"), found.get("low"), found.get("high"), str(note))


def intervals(
    rows: Sequence[Row], span: tuple[float, float], guides: Sequence[float], label: str, *, meaning: str
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
    bottom = HEIGHT * len(rows)
    lines = [
        part
        for value in guides
        for part in (
            element("line", x1=_across(value, span), x2=_across(value, span), y1=0, y2=bottom, class_="guide"),
            element("text", number(value), x=_across(value, span), y=bottom + 16, class_=_tick(value, guides, span)),
        )
    ]
    drawn = [_row(row, HEIGHT * (place + 0.5), span, meaning) for place, row in enumerate(rows)]
    return figure(*lines, *drawn, height=bottom + 24, label=label, class_="intervals")


def _tick(value: float, guides: Sequence[float], span: tuple[float, float]) -> str:
    """Return the class of a guide's number: one that the next would touch ends at its line."""
    close = any(0 < other - value < 0.15 * (span[1] - span[0]) for other in guides)
    return "tick end" if close else "tick"


def _across(value: float, span: tuple[float, float]) -> str:
    # a third for the names, the rest for the scale
    low, high = span
    return f"{33 + 64 * (min(max(value, low), high) - low) / (high - low):.2f}%"


def _row(row: Row, y: float, span: tuple[float, float], meaning: str) -> Markup:
    name = element("text", row.label, x=0, y=y + 4)
    if row.value is None:
        none = element("text", "none", x="33%", y=y + 4, class_="muted")
        return element("g", name, none, data_tip=f"{row.label}\n{row.note}")
    parts = [element("rect", x=0, y=y - HEIGHT / 2, width="100%", height=HEIGHT, class_="hit"), name]
    tip = f"{row.label}\n{meaning} {number(row.value)}"
    if row.low is not None and row.high is not None:
        ends = {"x1": _across(row.low, span), "x2": _across(row.high, span)}
        parts.append(element("line", y1=y, y2=y, class_="whisker", **ends))
        tip += f", 95% interval {number(row.low)} to {number(row.high)}"
    parts.append(element("circle", cx=_across(row.value, span), cy=y, r=5.5, class_="dot"))
    return element("g", *parts, data_tip=f"{tip}\n{row.note}")
