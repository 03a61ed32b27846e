"""A table of p-values as rows, groups of columns and cells, and where its parts are on the page."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from personax.data.labels import shorten, split_trait
from personax.data.pvalues import everybody, typed_pvalues
from personax.errors import InputError
from personax.figures._canvas import MARGIN, TEXT_SIZE, text_width

__all__ = [
    "HEADER_LINE",
    "ROW_HEIGHT",
    "HeatmapCell",
    "HeatmapData",
    "HeatmapLayout",
    "borders",
    "heatmap_layout",
    "read_pvalues",
]


MAX_FEATURES = 60
"""More rows are not readable on a page."""

LEVELS = (0.05, 0.01, 0.1, 0.001, 0.005)
"""Levels that people test at, the usual one first."""


@dataclass(frozen=True, slots=True)
class HeatmapCell:
    """The numbers of a pair that was tested; an effect may be missing all the same."""

    n: int
    corrected: float
    effect: float | None
    rejected: bool


@dataclass(frozen=True)
class HeatmapData:
    """What a heatmap shows.

    Parameters
    ----------
    test, effect_name
        As the table names them.
    features
        Names of the rows.
    groups
        Group -> names of its columns, the group ``final`` first.
    cells
        (group, target, feature) -> numbers; a pair without a p-value has no cell.
    bounds
        The level of the test is above the first and at most the second; 0 and infinity where no pair says it.
    left_out
        Number of features that are not shown.
    alpha
        The level of the test, where it is known.
    """

    test: str
    effect_name: str
    features: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    cells: Mapping[tuple[str, str, str], HeatmapCell]
    bounds: tuple[float, float]
    left_out: int
    alpha: float | None = None

    @cached_property
    def columns(self) -> Sequence[tuple[str, str]]:
        """(group, target) from left to right."""
        return [(group, target) for group, targets in self.groups.items() for target in targets]

    @property
    def pairs(self) -> int:
        """Number of shown pairs."""
        return len(self.features) * len(self.columns)

    @property
    def untested(self) -> int:
        """Number of shown pairs without a p-value."""
        return self.pairs - len(self.cells)

    @property
    def levels(self) -> Sequence[float]:
        """The usual levels that fit what was rejected and what was kept, the most usual first."""
        low, high = self.bounds
        return [level for level in LEVELS if low < level <= high]

    @property
    def border(self) -> float:
        """A level between what was rejected and what was kept."""
        low, high = self.bounds
        if self.alpha is not None:
            return self.alpha
        return self.levels[0] if self.levels else (high if math.isfinite(high) else math.nextafter(low, 1.0))


def read_pvalues(pvalues: pl.DataFrame, test: str, alpha: float | None = None) -> HeatmapData:
    """Return one test of a tidy table of p-values.

    Parameters
    ----------
    pvalues
        From `personax.independence.screen`, with or without a leading column ``group``. Without one, columns such as
        ``final_o`` are grouped by what stands before the letter. Of a table that was split by a column, the rows of all
        people are read.
    test
        A test of the table. Where it ran on more than 60 features, those of the smallest p-values are kept.
    alpha
        The level that ``rejected`` was decided at.

    Raises
    ------
    InputError
        When a column is absent, the table holds no row of the test, or ``alpha`` cannot have decided ``rejected``.
    """
    pvalues = typed_pvalues(everybody(pvalues))
    tested = pvalues.filter(pl.col("test") == test)
    if tested.is_empty():
        known = ", ".join(map(str, pvalues["test"].unique(maintain_order=True))) or "none"
        raise InputError(f"the table of p-values has no test {test}; it has: {known}")
    low, high = bounds = _bounds(pvalues)
    if alpha is not None and not low < alpha <= high:
        raise InputError(
            f"alpha {alpha:g} did not decide this table: it rejects up to {low:.2g} and keeps from {high:.2g}"
        )
    features = _strongest(tested)
    shown = tested.filter(pl.col("feature").is_in(features))
    groups: dict[str, list[str]] = {"final": []}
    cells: dict[tuple[str, str, str], HeatmapCell] = {}
    for row in shown.iter_rows(named=True):
        group, target = _group(row), row["target"]
        if target not in groups.setdefault(group, []):
            groups[group].append(target)
        if (cell := _cell(row)) is not None:
            cells[group, target, row["feature"]] = cell
    names = shown["effect_name"].drop_nulls().unique(maintain_order=True)
    kept = {group: targets for group, targets in groups.items() if targets}
    left_out = tested["feature"].n_unique() - len(features)
    return HeatmapData(test, " or ".join(names), features, kept, cells, bounds, left_out, alpha)


def _bounds(pvalues: pl.DataFrame) -> tuple[float, float]:
    """Return the largest p-value that was rejected and the smallest that was kept; all tests share one level."""
    known = pvalues.filter(pl.col("p_corrected").is_not_nan())
    low = known.filter(pl.col("rejected"))["p_corrected"].max()
    high = known.filter(~pl.col("rejected"))["p_corrected"].min()
    return 0.0 if low is None else float(low), math.inf if high is None else float(high)  # type: ignore[arg-type]


def _strongest(tested: pl.DataFrame) -> list[str]:
    """Return the features to show, in the order of the table."""
    smallest = tested.group_by("feature", maintain_order=True).agg(pl.col("p_value").fill_nan(None).min())
    # The sort is stable: of equal p-values the earlier feature is kept, on every machine.
    best = smallest.with_row_index("place").sort("p_value", "place", nulls_last=True).head(MAX_FEATURES)
    return best.sort("place")["feature"].to_list()


def _group(row: Mapping[str, Any]) -> str:
    if "group" in row:
        return str(row["group"] or "")
    trait = split_trait(row["target"])
    return trait[0] if trait else ""


def _cell(row: Mapping[str, Any]) -> HeatmapCell | None:
    p, corrected, effect = (_known(row[name]) for name in ("p_value", "p_corrected", "effect_size"))
    if p is None or corrected is None:
        return None
    return HeatmapCell(row["n"], corrected, effect, bool(row["rejected"]))


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def borders(table: HeatmapData) -> Iterator[tuple[int, int, str]]:
    """Yield (row, column, side) of every side where a rejected cell meets one that is not, or the rim of its group."""
    columns = table.columns
    found = {
        (i, j)
        for i, feature in enumerate(table.features)
        for j, (group, target) in enumerate(columns)
        if (cell := table.cells.get((group, target, feature))) and cell.rejected
    }
    for i, j in sorted(found):
        for side, (k, m) in {"top": (i - 1, j), "bottom": (i + 1, j), "left": (i, j - 1), "right": (i, j + 1)}.items():
            if (k, m) not in found or columns[m][0] != columns[j][0]:
                yield i, j, side


ROW_HEIGHT, GAP, BETWEEN = 0.215, 0.1, 0.38
"""Height of a row, gap between groups, gap between panels."""

WIDE_COLUMN, NARROW_COLUMN, NARROW_FROM = 0.36, 0.285, 12
"""Width of a column, and the number of columns from which it is the narrow one."""

FEATURE_LETTERS, TARGET_LETTERS = 28, 24
"""Letters of a feature and of a column that are shown."""

MIN_PANEL = 2.2
"""Width of a panel of few columns: the title and the colour bar need it."""

MAX_GROUP_NAME = 0.95
"""A group of few columns takes so many inches where its name needs them."""

HEADER_LINE = 0.135
"""Height of a line of a group's name."""


@dataclass(frozen=True, slots=True)
class HeatmapLayout:
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


def heatmap_layout(table: HeatmapData) -> HeatmapLayout:
    """Return the places of everything that a table needs."""
    names = [shorten(name, FEATURE_LETTERS) for name in table.features]
    labels = [_label(group, target) for group, target in table.columns]
    many = len(labels) > NARROW_FROM
    step = NARROW_COLUMN if many else WIDE_COLUMN
    lefts = list(_lefts(table, step))
    slot = max(lefts[-1] + step, MIN_PANEL)
    beside = max(text_width(name, TEXT_SIZE) for name in names) + 0.1
    panels = (MARGIN + beside, MARGIN + beside + slot + BETWEEN)

    headers = _headers(table, step)
    lines = max((len(lines) for lines in headers.values()), default=0)
    bracket = MARGIN + 0.32 + HEADER_LINE * lines
    upright = max(map(len, labels)) > 2
    tall = max(text_width(label, TEXT_SIZE) for label in labels) if upright else 0.13
    top = bracket + (0.1 if lines else 0.0) + tall + 0.07
    bottom = top + ROW_HEIGHT * len(names)
    width = panels[1] + slot + (beside if many else 0.1) + MARGIN
    return HeatmapLayout(names, labels, headers, lefts, panels, step, bracket, top, bottom, width, upright, many)


def _label(group: str, target: str) -> str:
    trait = split_trait(target)
    return trait[1][0].upper() if trait and trait[0] == group else shorten(target, TARGET_LETTERS)


def _lefts(table: HeatmapData, step: float) -> Iterator[float]:
    place = 0.0
    for group, targets in table.groups.items():
        span = _span(group, targets, step)
        first = place + (span - step * len(targets)) / 2
        yield from (first + step * i for i in range(len(targets)))
        place += span + GAP


def _span(group: str, targets: Sequence[str], step: float) -> float:
    """Return the width of a group: its columns, or its name where that is wider and yet not too wide."""
    return max(step * len(targets), min(text_width(group, TEXT_SIZE), MAX_GROUP_NAME))


def _headers(table: HeatmapData, step: float) -> dict[str, list[str]]:
    """Return the name of every group in lines that fit over its columns; one nameless group needs none."""
    if list(table.groups) == [""]:
        return {}
    headers = {}
    for group, targets in table.groups.items():
        room = int((_span(group, targets, step) + GAP / 2) / text_width("n", TEXT_SIZE))
        # Model names break at their joints: textwrap knows the hyphen, not the underscore and the slash.
        joints = shorten(group, 200).replace("_", "_ ").replace("/", "/ ")
        lines = [line.replace("_ ", "_").replace("/ ", "/") for line in textwrap.wrap(joints, room)]
        headers[group] = lines if len(lines) <= 3 else [*lines[:2], shorten("".join(lines[2:]), room)]
    return headers
