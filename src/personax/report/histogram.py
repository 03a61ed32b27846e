"""Bars: a small histogram for numbers, named bars for categories."""

from __future__ import annotations

from markupsafe import Markup

from personax.report.data import Distribution
from personax.report.svg import element, figure
from personax.report.words import count, percent

__all__ = ["bars", "histogram"]

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
