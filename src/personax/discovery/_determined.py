"""Columns that determine one another: what a search can tell of them is rounding, so they are named."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["determined_columns"]

RELATIVE = 1e-10
"""Singular value of standardised columns, relative to the greatest, below which they are linearly dependent."""


PEOPLE = "\0people"
"""Name of the column of counts, which no table has."""


def determined_columns(frame: pl.DataFrame, *, linear: bool) -> list[list[str]]:
    """Return the groups of columns that determine one another.

    Parameters
    ----------
    frame
        The table that is searched; a pair is judged by the rows that have both.
    linear
        Whether sums of several columns are looked for too: the frame is complete and of numbers.

    Returns
    -------
    list
        Each with the names of two columns whose values correspond one to one (where values repeat, or as ranks), or of
        more columns of which each is a weighted sum of the others.

    Examples
    --------
    >>> determined_columns(pl.DataFrame({"cm": [170, 180, 190], "m": [1.7, 1.8, 1.9]}), linear=True)
    [['cm', 'm']]
    """
    plain = [series.name for series in frame if not (series.dtype.is_nested() or series.dtype == pl.Object)]
    rows, people = _distinct(frame.select(plain))
    codes = [_Codes.of(series, people) for series in rows]
    pairs = [[x.name, y.name] for x, y in combinations(codes, 2) if x.corresponds_to(y)]
    if not linear:
        return pairs
    second = {pair[1] for pair in pairs}
    rest = frame.select([name for name in frame.columns if name not in second])
    return pairs + _sums(rest)


def _distinct(frame: pl.DataFrame) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """Return the distinct rows and how many have each value, where all columns repeat; else all rows."""
    if all(2 * series.n_unique() <= frame.height for series in frame):
        counted = frame.group_by(pl.all()).len(PEOPLE)
        return counted.drop(PEOPLE), counted[PEOPLE].cast(pl.Int64).to_numpy()
    return frame, np.ones(frame.height, dtype=np.int64)


@dataclass(frozen=True)
class _Codes:
    """A column as the ranks of its different values; -1 where it is missing; and how many people each row is."""

    name: str
    people: NDArray[np.int64]
    ranks: NDArray[np.int64]
    levels: int
    number: bool
    missing: bool

    @classmethod
    def of(cls, series: pl.Series, people: NDArray[np.int64]) -> _Codes:
        values = series.fill_nan(None) if series.dtype.is_float() else series
        number = series.dtype.is_numeric()
        ordered = values if number or series.dtype == pl.Boolean else values.cast(pl.String)
        ranks = ordered.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
        return cls(series.name, people, ranks, int(ranks.max()) + 1, number, bool((ranks < 0).any()))

    def corresponds_to(self, other: _Codes) -> bool:
        x, y, people = self.ranks, other.ranks, int(self.people.sum())
        if self.missing or other.missing:
            both = (x >= 0) & (y >= 0)
            people = int(self.people[both].sum())
            x, y = (np.unique(one[both], return_inverse=True)[1] for one in (x, y))
            levels, other_levels = (int(one.max(initial=-1)) + 1 for one in (x, y))
        else:
            levels, other_levels = self.levels, other.levels
        if levels < 2 or levels != other_levels:
            return False
        if 2 * levels <= people:  # values repeat: one value of x goes with one value of y, again and again
            return len(np.unique(x * levels + y)) == levels
        numbers = self.number and other.number
        return numbers and bool(np.array_equal(x, y) or np.array_equal(x, levels - 1 - y))


def _sums(frame: pl.DataFrame) -> list[list[str]]:
    """Return the columns of each linear relation, by the null space of the standardised columns."""
    values = frame.to_numpy()
    if frame.width < 3 or frame.height <= frame.width:
        return []
    scaled = (values - values.mean(0)) / values.std(0)
    _, sizes, axes = np.linalg.svd(scaled, full_matrices=False)
    relations = axes[sizes < RELATIVE * sizes[0] * np.sqrt(frame.height)]
    names = np.array(frame.columns)
    return [names[np.abs(relation) > 1e-6 * np.abs(relation).max()].tolist() for relation in relations]
