"""The contingency tables of all strata at once: counted by one bincount, computed with by one pass over a tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personax.independence._counts import Counted, tally
from personax.independence._margins import random_tables, williams

__all__ = ["Divergence", "Strata", "count_strata", "without_empty"]

Divergence = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""(observed (..., a, b), expected, broadcast to it) -> statistic of every table, shape (...)."""

CELLS = 4_000_000
"""Cells counted at a time; more strata than that holds are taken in blocks, on the values that occur there."""


def count_strata(x: Counted, y: Counted, z: Counted) -> Iterator[NDArray[np.intp]]:
    """Yield the tables of all strata of z, shape (strata, a, b), in blocks of `CELLS` cells where they are many."""
    if x.size * y.size * z.size <= CELLS:
        yield _tensor(x.codes, y.codes, z.codes, (z.size, x.size, y.size), x.weights)
        return
    order = np.argsort(z.codes, kind="stable")
    ends = np.cumsum(np.bincount(z.codes, minlength=z.size))
    step = max(1, CELLS // (x.size * y.size))
    for first in range(0, z.size, step):
        last = min(first + step, z.size)
        rows = order[ends[first - 1] if first else 0 : ends[last - 1]]
        (a, in_x), (b, in_y) = (_relabelled(variable.codes[rows]) for variable in (x, y))
        weights = None if x.weights is None else x.weights[rows]
        yield _tensor(in_x, in_y, z.codes[rows] - first, (last - first, a, b), weights)


def _relabelled(codes: NDArray[np.intp]) -> tuple[int, NDArray[np.intp]]:
    distinct, codes = np.unique(codes, return_inverse=True)
    return len(distinct), codes


def _tensor(
    x: NDArray[np.intp],
    y: NDArray[np.intp],
    z: NDArray[np.intp],
    shape: tuple[int, int, int],
    weights: NDArray[np.intp] | None,
) -> NDArray[np.intp]:
    return tally((z * shape[1] + x) * shape[2] + y, weights, int(np.prod(shape))).reshape(shape)


def without_empty(counts: NDArray[np.intp] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a table without its empty rows and columns."""
    return counts[counts.any(axis=1)][:, counts.any(axis=0)].astype(float)


@dataclass(frozen=True)
class Strata:
    """Contingency tables of several strata, each of which has at least two values of both variables.

    Parameters
    ----------
    counts
        Shape (strata, a, b). A value that does not occur in a stratum is an empty row or column of it.
    divergence
        What measures how far the counts are from the expected ones.
    correction
        ``"yates"``, ``"williams"`` or None; see `personax.independence._contingency.of_tables`.
    """

    counts: NDArray[np.float64]
    divergence: Divergence
    correction: str | None

    @cached_property
    def rows(self) -> NDArray[np.float64]:
        """Totals of the rows, shape (strata, a)."""
        return np.asarray(self.counts.sum(axis=2))

    @cached_property
    def columns(self) -> NDArray[np.float64]:
        """Totals of the columns, shape (strata, b)."""
        return np.asarray(self.counts.sum(axis=1))

    @cached_property
    def n(self) -> NDArray[np.float64]:
        """People of each stratum."""
        return np.asarray(self.rows.sum(axis=1))

    @cached_property
    def shapes(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """How many values of x and of y occur in each stratum."""
        return (self.rows > 0).sum(axis=1), (self.columns > 0).sum(axis=1)

    @property
    def dof(self) -> NDArray[np.intp]:
        """Degrees of freedom of each stratum."""
        a, b = self.shapes
        return (a - 1) * (b - 1)

    @cached_property
    def occurs(self) -> NDArray[np.bool_]:
        """The cells whose values of x and y occur in their stratum."""
        return np.asarray((self.rows > 0)[:, :, None] & (self.columns > 0)[:, None, :])

    @cached_property
    def expected(self) -> NDArray[np.float64]:
        """Expected counts under independence; 1 in cells that do not occur, where `_filled` has 1 too."""
        product = self.rows[:, :, None] * self.columns[:, None, :] / self.n[:, None, None]
        return np.where(self.occurs, product, 1.0)

    @cached_property
    def statistics(self) -> NDArray[np.float64]:
        """The corrected statistic of each stratum."""
        # a cell that is 1 and expected to be 1 adds nothing to any divergence
        return self._corrected(np.where(self.occurs, self.counts, 1.0), self.expected, slice(None))

    def _corrected(
        self, counts: NDArray[np.float64], expected: NDArray[np.float64], stratum: int | slice
    ) -> NDArray[np.float64]:
        """Return the statistics of tables that have the margins of a stratum, or of one table a stratum."""
        if self.correction == "yates":
            single = np.asarray(self.dof[stratum] == 1)[..., None, None]
            counts = np.where(single, counts + np.clip(expected - counts, -0.5, 0.5), counts)
        statistics = np.maximum(self.divergence(counts, expected), 0)
        return statistics / self._williams[stratum] if self.correction == "williams" else statistics

    @cached_property
    def _williams(self) -> NDArray[np.float64]:
        return williams(self.counts)

    def drawn(self, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the sums over strata of the statistics of random tables with their margins, shape (times,)."""
        total = np.zeros(times)
        for stratum, counts in enumerate(self.counts):
            occurs = np.ix_(self.rows[stratum] > 0, self.columns[stratum] > 0)
            rows, columns = (counts[occurs].sum(axis=axis).astype(np.intp) for axis in (1, 0))
            expected, start = self.expected[stratum][occurs], 0
            for batch in random_tables(rows, columns, times, rng):
                end = start + len(batch)
                total[start:end] += self._corrected(batch.astype(float), expected, stratum)
                start = end
        return total

    @property
    def small(self) -> int:
        """How many expected counts are below 5."""
        return int((self.occurs & (self.expected < 5)).sum())
