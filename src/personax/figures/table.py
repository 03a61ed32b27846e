"""One test of a table of p-values, laid out as rows, groups of columns and cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from personax.errors import InputError
from personax.figures.words import split_trait

__all__ = ["FEATURES", "Cell", "Table", "borders", "read"]

FEATURES = 60
"""More rows are not readable on a page."""

NEEDED = {
    "feature": pl.String,
    "target": pl.String,
    "test": pl.String,
    "n": pl.Int64,
    "p_value": pl.Float64,
    "p_corrected": pl.Float64,
    "effect_size": pl.Float64,
    "effect_name": pl.String,
    "rejected": pl.Boolean,
}

LEVELS = (0.05, 0.01, 0.1, 0.001, 0.005)
"""Levels that people test at, the usual one first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The numbers of a pair that was tested; an effect may be missing all the same."""

    n: int
    corrected: float
    effect: float | None
    rejected: bool


@dataclass(frozen=True)
class Table:
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
    cells: Mapping[tuple[str, str, str], Cell]
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


def read(pvalues: pl.DataFrame, test: str, alpha: float | None = None) -> Table:
    """Return one test of a tidy table of p-values.

    Parameters
    ----------
    pvalues
        From `personax.independence.screen`, with or without a leading column ``group``. Without one, columns such as
        ``final_o`` are grouped by what stands before the letter.
    test
        A test of the table. Where it ran on more than 60 features, those of the smallest p-values are kept.
    alpha
        The level that ``rejected`` was decided at.

    Raises
    ------
    InputError
        When a column is absent, the table holds no row of the test, or ``alpha`` cannot have decided ``rejected``.
    """
    if absent := [name for name in NEEDED if name not in pvalues.columns]:
        raise InputError(f"the table of p-values has no column {absent[0]}; it is not one that screen returns")
    # A column of nulls only, as a table that was built by hand may hold, has no type of its own.
    pvalues = pvalues.cast(NEEDED)  # type: ignore[arg-type]
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
    cells: dict[tuple[str, str, str], Cell] = {}
    for row in shown.iter_rows(named=True):
        group, target = _group(row), row["target"]
        if target not in groups.setdefault(group, []):
            groups[group].append(target)
        if (cell := _cell(row)) is not None:
            cells[group, target, row["feature"]] = cell
    names = shown["effect_name"].drop_nulls().unique(maintain_order=True)
    kept = {group: targets for group, targets in groups.items() if targets}
    left_out = tested["feature"].n_unique() - len(features)
    return Table(test, " or ".join(names), features, kept, cells, bounds, left_out, alpha)


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
    best = smallest.with_row_index("place").sort("p_value", "place", nulls_last=True).head(FEATURES)
    return best.sort("place")["feature"].to_list()


def _group(row: Mapping[str, Any]) -> str:
    if "group" in row:
        return str(row["group"] or "")
    trait = split_trait(row["target"])
    return trait[0] if trait else ""


def _cell(row: Mapping[str, Any]) -> Cell | None:
    p, corrected, effect = (_known(row[name]) for name in ("p_value", "p_corrected", "effect_size"))
    if p is None or corrected is None:
        return None
    return Cell(row["n"], corrected, effect, bool(row["rejected"]))


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def borders(table: Table) -> Iterator[tuple[int, int, str]]:
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
