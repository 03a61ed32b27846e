"""Where the parts of a heatmap are on its page, in inches; everything grows with the table."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from personax.figures.canvas import text_width
from personax.figures.table import Table
from personax.figures.words import cut, split_trait

__all__ = ["HEADER", "PAD", "PLAIN", "ROW", "Sheet", "lay_out"]

PAD, ROW, GAP, BETWEEN = 0.14, 0.215, 0.1, 0.38
"""Rim of the page, height of a row, gap between groups, gap between panels."""

ROOMY, NARROW, MANY = 0.36, 0.285, 12
"""Width of a column, and the number of columns from which it is the narrow one."""

NAME, HEADING = 28, 24
"""Letters of a feature and of a column that are shown."""

LEAST = 2.2
"""Width of a panel of few columns: the title and the colour bar need it."""

SPAN = 0.95
"""A group of few columns takes so many inches where its name needs them."""

PLAIN = 8.0
"""Size of names and captions in points."""

HEADER = 0.135
"""Height of a line of a group's name."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Places on the page.

    Parameters
    ----------
    names, labels, headers
        What is written beside the rows, over the columns and over the groups.
    lefts
        Left border of each column, from the left border of its panel.
    panels
        Left borders of the two panels.
    step
        Width of a column.
    bracket, top, bottom
        Heights of the brackets under the groups' names, of the first row and of the end of the last one.
    width
        Of the page.
    upright
        True when the labels of the columns are turned, because one is too long to lie.
    repeated
        True when the names stand on the right as well: far from them a reader loses the row.
    """

    names: Sequence[str]
    labels: Sequence[str]
    headers: Mapping[str, Sequence[str]]
    lefts: Sequence[float]
    panels: tuple[float, float]
    step: float
    bracket: float
    top: float
    bottom: float
    width: float
    upright: bool
    repeated: bool

    @property
    def inner(self) -> float:
        """Width of the cells of a panel."""
        return self.lefts[-1] + self.step


def lay_out(table: Table) -> Sheet:
    """Return the places of everything that a table needs."""
    names = [cut(name, NAME) for name in table.features]
    labels = [_label(group, target) for group, target in table.columns]
    many = len(labels) > MANY
    step = NARROW if many else ROOMY
    lefts = list(_lefts(table, step))
    slot = max(lefts[-1] + step, LEAST)
    beside = max(text_width(name, PLAIN) for name in names) + 0.1
    panels = (PAD + beside, PAD + beside + slot + BETWEEN)

    headers = _headers(table, step)
    lines = max((len(lines) for lines in headers.values()), default=0)
    bracket = PAD + 0.32 + HEADER * lines
    upright = max(map(len, labels)) > 2
    tall = max(text_width(label, PLAIN) for label in labels) if upright else 0.13
    top = bracket + (0.1 if lines else 0.0) + tall + 0.07
    bottom = top + ROW * len(names)
    width = panels[1] + slot + (beside if many else 0.1) + PAD
    return Sheet(names, labels, headers, lefts, panels, step, bracket, top, bottom, width, upright, many)


def _label(group: str, target: str) -> str:
    trait = split_trait(target)
    return trait[1] if trait and trait[0] == group else cut(target, HEADING)


def _lefts(table: Table, step: float) -> Iterator[float]:
    place = 0.0
    for group, targets in table.groups.items():
        span = _span(group, targets, step)
        first = place + (span - step * len(targets)) / 2
        yield from (first + step * i for i in range(len(targets)))
        place += span + GAP


def _span(group: str, targets: Sequence[str], step: float) -> float:
    """Return the width of a group: its columns, or its name where that is wider and yet not too wide."""
    return max(step * len(targets), min(text_width(group, PLAIN), SPAN))


def _headers(table: Table, step: float) -> dict[str, list[str]]:
    """Return the name of every group in lines that fit over its columns; one nameless group needs none."""
    if list(table.groups) == [""]:
        return {}
    headers = {}
    for group, targets in table.groups.items():
        room = int((_span(group, targets, step) + GAP / 2) / text_width("n", PLAIN))
        # Model names break at their joints: textwrap knows the hyphen, not the underscore and the slash.
        joints = cut(group, 200).replace("_", "_ ").replace("/", "/ ")
        lines = [line.replace("_ ", "_").replace("/ ", "/") for line in textwrap.wrap(joints, room)]
        headers[group] = lines if len(lines) <= 3 else [*lines[:2], cut("".join(lines[2:]), room)]
    return headers
