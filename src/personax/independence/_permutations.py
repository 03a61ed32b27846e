"""The statistic of two kernels after permutations of the rows, and p-values from as few of them as are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personax.independence._kernels import Factor
from personax.independence._margins import random_tables

__all__ = ["TIE", "permuted_statistics", "sequential_p_value"]

SMALL_TABLE = 10_000
"""Cells up to which whole contingency tables are drawn; above, rows are shuffled."""

TIE = 1e-10
"""A permuted statistic within this share of the observed one counts as equal."""

ENOUGH = 20
"""Permuted statistics at least as large as the observed one after which no more are drawn."""

MOST = 9_999
"""Permutations after which none is drawn in any case."""

FIRST_BATCH = 100
"""Permutations of the first batch; each one after it is twice as large."""

TAIL = 250
"""The largest permuted statistics, from which a tail is continued where none reaches the observed one."""


@dataclass(frozen=True, slots=True)
class _Margin:
    """What a permutation knows of a kernel: features of the distinct values, shape (a, r), and their counts."""

    rows: NDArray[np.float64]
    counts: NDArray[np.intp]

    @property
    def others(self) -> int:
        """Number of rows that do not have the commonest value."""
        return int(self.counts.sum() - self.counts.max())


def permuted_statistics(x: Factor, y: Factor, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the statistic after each of several permutations of the rows.

    To permute rows is to draw a contingency table with the same margins; where the table is small it is drawn as such.
    The draws depend on the margins alone: neither the order of rows, nor a turned scale, nor which variable is x
    changes them.
    """
    first, second = (_margin(factor) for factor in sorted((x, y), key=_order))
    small = len(first.counts) * len(second.counts) <= SMALL_TABLE
    return _tables(first, second, times, rng) if small else _shuffles(first, second, times, rng)


def _order(factor: Factor) -> tuple[object, ...]:
    return factor.of.size, *(f"{number:.9e}" for number in (factor.trace, factor.square, factor.quartic))


def _margin(factor: Factor) -> _Margin:
    order = np.lexsort((factor.diagonal().round(9), factor.counts))
    return _Margin(factor.rows[order], factor.counts[order])


def _tables(x: _Margin, y: _Margin, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    batches = random_tables(x.counts, y.counts, times, rng)
    return np.concatenate([np.square(x.rows.T @ tables @ y.rows).sum(axis=(1, 2)) for tables in batches])


def _shuffles(x: _Margin, y: _Margin, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    # The features of x sum to 0 over the rows: taking those of the commonest value of y off all of y changes nothing,
    # and only rows that have another value are left to be placed.
    if x.others < y.others:
        x, y = y, x
    common = int(y.counts.argmax())
    placed = np.repeat(np.arange(len(y.counts)), np.where(np.arange(len(y.counts)) == common, 0, y.counts))
    people, features = np.repeat(np.arange(len(x.counts)), x.counts), (y.rows - y.rows[common])[placed]
    drawn = (people[rng.choice(len(people), len(placed), replace=False)] for _ in range(times))
    return np.array([np.square(x.rows[codes].T @ features).sum() for codes in drawn])


def sequential_p_value(x: Factor, y: Factor, statistic: float, rng: np.random.Generator) -> float:
    """Return a permutation p-value that stops drawing at the twentieth statistic as large as the observed one.

    It is ``20 / draws`` where that happens, else ``(1 + as large) / (1 + draws)``: exact in either case (Besag,
    Clifford). Where none of 9,999 reaches the observed one, the square roots of the largest are continued by an
    exponential tail no lighter than they are. The root of the statistic has a tail that falls at least as fast (it is
    the size of a vector of sums over people), so that p-values below 1 / 10,000 are rather too large than too small.

    References
    ----------
    Besag, Clifford 1991, doi:10.1093/biomet/78.2.301.
    """
    drawn, reached = np.empty(0), 0
    for batch in _batches():
        new = permuted_statistics(x, y, batch, rng)
        hits = np.flatnonzero(new >= statistic * (1 - TIE))
        if reached + len(hits) >= ENOUGH:
            return float(ENOUGH / (len(drawn) + hits[ENOUGH - reached - 1] + 1))
        drawn, reached = np.concatenate([drawn, new]), reached + len(hits)
    p_value = (1 + reached) / (1 + MOST)
    return p_value if reached else min(p_value, _continued(drawn, statistic))


def _batches() -> Iterator[int]:
    size, done = FIRST_BATCH, 0
    while done < MOST:
        yield min(size, MOST - done)
        done, size = done + size, 2 * size


def _continued(drawn: NDArray[np.float64], statistic: float) -> float:
    """Return the tail beyond all draws."""
    roots = np.sqrt(np.sort(drawn)[-TAIL - 1 :].clip(0))
    start, largest = roots[0], roots[-1]
    if not largest > start:
        return 1.0
    # two standard errors above the mean excess, and through the largest draw where that lies further out
    scale = max((roots[1:] - start).mean() * (1 + 2 / np.sqrt(TAIL)), (largest - start) / np.log(TAIL))
    return float(TAIL / len(drawn) * np.exp(-(np.sqrt(statistic) - start) / scale))
