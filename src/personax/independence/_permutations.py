"""The statistic of two kernels after permutations of the rows, and p-values from as few of them as are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.independence._kernels import Factor
from personax.independence._margins import random_tables

__all__ = [
    "TIE",
    "check_number",
    "permutation_p_value",
    "permuted_crosses",
    "permuted_statistics",
    "sequential_p_value",
]

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
"""The largest permuted statistics, from which a tail is continued where none reaches the observed one; a
quarter of them where they are few, and none where that is fewer than `FEWEST`."""

FEWEST = 20


@dataclass(frozen=True, slots=True)
class _Margin:
    """What a permutation knows of the kernels of a variable.

    Parameters
    ----------
    rows
        Their features of the distinct values, side by side, shape (a, r).
    starts
        Where the features of each kernel begin.
    counts
        How often each distinct value occurs, shape (a,).
    """

    rows: NDArray[np.float64]
    starts: NDArray[np.intp]
    counts: NDArray[np.intp]

    @property
    def others(self) -> int:
        """Number of rows that do not have the commonest value."""
        return int(self.counts.sum() - self.counts.max())


def check_number(permutations: object) -> None:
    """Refuse a number of permutations that is none."""
    if not isinstance(permutations, (int, np.integer)) or isinstance(permutations, bool) or permutations < 1:
        raise UntestableError(f"permutations must be a whole number of 1 or more, not {permutations!r}")


def permuted_statistics(x: Factor, y: Factor, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the statistic after each of several permutations of the rows."""
    return permuted_crosses([x], [y], times, rng)[:, 0, 0]


def permuted_crosses(
    x: Sequence[Factor], y: Sequence[Factor], times: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the statistic of each kernel of x and each of y after permutations, shape (times, len(x), len(y)).

    To permute rows is to draw a contingency table with the same margins; where the table is small it is drawn as such.
    The draws depend on the margins alone: neither the order of rows, nor a turned scale, nor which variable is x
    changes them.
    """
    turned = _order(y) < _order(x)
    first, second = (_margin(factors) for factors in ((y, x) if turned else (x, y)))
    small = len(first.counts) * len(second.counts) <= SMALL_TABLE
    drawn = (_tables if small else _shuffles)(first, second, times, rng)
    return drawn.transpose(0, 2, 1) if turned else drawn


def _order(factors: Sequence[Factor]) -> tuple[Any, ...]:
    sums = [(factor.trace, factor.square, factor.quartic) for factor in factors]
    return factors[0].of.size, *(f"{number:.9e}" for numbers in sums for number in numbers)


def _margin(factors: Sequence[Factor]) -> _Margin:
    first = factors[0]
    order = np.lexsort((first.diagonal().round(9), first.counts))
    starts = np.cumsum([0, *(factor.rank for factor in factors[:-1])])
    return _Margin(np.hstack([factor.rows for factor in factors])[order], starts, first.counts[order])


def _tables(x: _Margin, y: _Margin, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    batches = random_tables(x.counts, y.counts, times, rng)
    return np.concatenate([_statistics(x.rows.T @ tables @ y.rows, x, y) for tables in batches])


def _shuffles(x: _Margin, y: _Margin, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    # The features of x sum to 0 over the rows: taking those of the commonest value of y off all of y changes nothing,
    # and only rows that have another value are left to be placed.
    if x.others < y.others:
        return _shuffles(y, x, times, rng).transpose(0, 2, 1)
    common = int(y.counts.argmax())
    placed = np.repeat(np.arange(len(y.counts)), np.where(np.arange(len(y.counts)) == common, 0, y.counts))
    people, features = np.repeat(np.arange(len(x.counts)), x.counts), (y.rows - y.rows[common])[placed]
    drawn = (people[rng.choice(len(people), len(placed), replace=False)] for _ in range(times))
    return np.array([_statistics(x.rows[codes].T @ features, x, y) for codes in drawn])


def _statistics(products: NDArray[np.float64], x: _Margin, y: _Margin) -> NDArray[np.float64]:
    """Return the sums of the squared products of features, kernel by kernel, shape (..., kernels, kernels)."""
    squares = np.square(products)
    return np.asarray(np.add.reduceat(np.add.reduceat(squares, x.starts, axis=-2), y.starts, axis=-1))


def permutation_p_value(drawn: NDArray[np.float64], observed: float) -> float:
    """Return (1 + as large) / (1 + draws)."""
    return float((1 + _reaches(drawn, observed).sum()) / (1 + len(drawn)))


def _reaches(drawn: NDArray[np.float64], observed: float) -> NDArray[np.bool_]:
    return np.asarray(drawn >= observed - TIE * abs(observed))


def sequential_p_value(draw: Callable[[int], NDArray[np.float64]], observed: float, most: int = MOST) -> float:
    """Return a permutation p-value that stops drawing at the twentieth value as large as the observed one.

    It is ``20 / draws`` where that happens, else ``(1 + as large) / (1 + draws)``: exact in either case (Besag,
    Clifford). Where none of ``most`` reaches the observed one, the largest are continued by an exponential tail no
    lighter than theirs.

    Parameters
    ----------
    draw
        Number -> so many values of permuted rows, on a scale on which their tail falls at least exponentially: the
        square root of a kernel statistic (the size of a vector of sums over people), minus the logarithm of a p-value.
    observed
        The value of the rows as they are.

    References
    ----------
    Besag, Clifford 1991, doi:10.1093/biomet/78.2.301.
    """
    drawn, reached = np.empty(0), 0
    for batch in _batches(most):
        new = draw(batch)
        hits = np.flatnonzero(_reaches(new, observed))
        if reached + len(hits) >= ENOUGH:
            return float(ENOUGH / (len(drawn) + hits[ENOUGH - reached - 1] + 1))
        drawn, reached = np.concatenate([drawn, new]), reached + len(hits)
    p_value = (1 + reached) / (1 + most)
    return p_value if reached else min(p_value, _continued(drawn, observed))


def _batches(most: int) -> Iterator[int]:
    size, done = FIRST_BATCH, 0
    while done < most:
        yield min(size, most - done)
        done, size = done + size, 2 * size


def _continued(drawn: NDArray[np.float64], observed: float) -> float:
    """Return the tail beyond all draws."""
    tail = min(TAIL, len(drawn) // 4)
    if tail < FEWEST:
        return 1.0
    largest = np.sort(drawn)[-tail - 1 :]
    start, end = largest[0], largest[-1]
    if not end > start:
        return 1.0
    # two standard errors above the mean excess, and through the largest draw where that lies further out
    scale = max((largest[1:] - start).mean() * (1 + 2 / np.sqrt(tail)), (end - start) / np.log(tail))
    return float(tail / len(drawn) * np.exp(-(observed - start) / scale))
