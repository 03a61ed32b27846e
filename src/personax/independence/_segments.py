"""Regression on one column by lines in segments, for what jumps as often as it likes: steps, age limits, seasons."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["segmented"]

Array = NDArray[np.float64]

MOST_BINS = 250
"""Bins of equal numbers of rows at whose ends a segment may begin; where it does is then found to the row."""

LEAST = 3
"""Rows of a segment at the least: more than the two numbers of its line."""

NUMBERS = 2.0
"""Of a segment: each costs log n variances of the noise (Schwarz 1978). Where it begins costs nothing: a segment too
many leaves less of a variable, one too few leaves what looks alike in both."""

MOST_JUMPS, NORMAL_SQUARE = 0.1, 0.623
"""Share of the neighbours, those that differ most, that may have a jump between them; and the mean of the other squares
of normal values of variance 1."""

FEW_TIES = 0.2
"""Share of equal neighbours above which a target has levels: all of its differences are noise then."""


def segmented(z: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    """Return what lines in the best segments say at every z, shape (a, k), and how many segments there are, shape (k,).

    The segments minimise the sum of squares and a price for each of them, by dynamic programming over all of them.

    Parameters
    ----------
    z
        Distinct numbers, shape (a,).
    target, weights
        For each of k regressions what is regressed and how much each number counts, 0 for those that are only
        predicted, shape (a, k).

    References
    ----------
    Jackson et al. 2005, doi:10.1109/LSP.2001.838216 (optimal partitioning).

    Examples
    --------
    >>> z = np.arange(60.0)
    >>> saw = (z % 20)[:, None]
    >>> fitted, segments = segmented(z, saw, np.ones((60, 1)))
    >>> bool(np.allclose(fitted, saw)), segments.tolist()
    (True, [3.0])
    """
    order = np.argsort(z)
    at, y, w = z[order] - z.mean(), target[order], weights[order]
    starts = np.unique(np.linspace(0, len(z), min(MOST_BINS, len(z)) + 1).astype(int)[:-1])
    line = at[:, None]
    parts = np.stack([w, w * line, w * line**2, w * y, w * y * line, w * y**2])
    sums = np.zeros((6, len(starts) + 1, y.shape[1]))
    np.cumsum(np.add.reduceat(parts, starts, axis=1), axis=1, out=sums[:, 1:])
    price = NUMBERS * np.log(np.maximum((w > 0).sum(axis=0), 2)) * _noise(y, w)
    before = _best_segments(sums, price)
    fitted, segments = np.empty_like(y), np.empty(y.shape[1])
    ends = np.append(starts, len(z))
    for k in range(y.shape[1]):
        found = ends[_boundaries(before[:, k])]
        fitted[order, k] = _lines(at, y[:, k], w[:, k], found)
        segments[k] = len(found) - 1
    return fitted, segments


def _noise(y: Array, weights: Array) -> Array:
    """Return the variance of the noise, from neighbours."""
    found = np.empty(y.shape[1])
    for k in range(y.shape[1]):
        squares = np.sort(np.square(np.diff(y[weights[:, k] > 0, k])))
        least = squares[: int(np.ceil((1 - MOST_JUMPS) * len(squares)))].mean() / NORMAL_SQUARE
        found[k] = (squares.mean() if np.mean(squares == 0) > FEW_TIES else min(least, squares.mean())) / 2
    noise: Array = found + 1e-9 * y.var(axis=0)
    return noise


def _best_segments(sums: Array, price: Array) -> NDArray[np.intp]:
    """Return where the last segment begins of the best ones up to each bin, shape (bins + 1, k)."""
    bins, tasks = sums.shape[1] - 1, sums.shape[2]
    cost = np.full((bins + 1, tasks), np.inf)
    cost[0] = -price
    before = np.zeros((bins + 1, tasks), dtype=np.intp)
    every = np.arange(tasks)
    for end in range(1, bins + 1):
        left = _left_over(sums[:, end, None] - sums[:, :end])
        total = cost[:end] + left + price
        if not np.isfinite(total).any(axis=0).all():
            total[0] = np.where(np.isfinite(total).any(axis=0), total[0], 0.0)  # too few rows so far: one segment
        before[end] = total.argmin(axis=0)
        cost[end] = total[before[end], every]
    return before


def _left_over(sums: Array) -> Array:
    """Return the sum of squares that a line leaves of segments; infinite of too few rows. Shape (segments, k)."""
    w, wz, wzz, wy, wyz, wyy = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = wzz - wz**2 / w
        left = wyy - wy**2 / w - np.where(spread > 0, (wyz - wz * wy / w) ** 2 / spread, 0)
    return np.where(w >= LEAST, left.clip(0), np.inf)


def _boundaries(before: NDArray[np.intp]) -> NDArray[np.intp]:
    """Follow the segments from the last one back."""
    found = [len(before) - 1]
    while found[-1] > 0:
        found.append(int(before[found[-1]]))
    return np.array(found[::-1])


def _lines(z: Array, y: Array, w: Array, ends: NDArray[np.intp]) -> Array:
    """Return the lines in segments, whose ends are moved to the row that fits best."""
    for _ in range(2):
        slopes, heights = np.array([_line(z[a:b], y[a:b], w[a:b]) for a, b in pairwise(ends)]).T
        moved = ends.copy()
        for i in range(1, len(ends) - 1):
            low, high = (moved[i - 1] + ends[i]) // 2, (ends[i] + ends[i + 1]) // 2
            rows = slice(low, high)
            apart = [w[rows] * np.square(y[rows] - heights[j] - slopes[j] * z[rows]) for j in (i - 1, i)]
            moved[i] = low + int(np.argmin(np.append(0.0, np.cumsum(apart[0] - apart[1]))))
        ends = moved
    place = np.clip(np.searchsorted(ends, np.arange(len(z)), side="right") - 1, 0, len(slopes) - 1)
    return np.asarray(heights[place] + slopes[place] * z)


def _line(z: Array, y: Array, w: Array) -> tuple[float, float]:
    """Return slope and height."""
    total = w.sum()
    if not total > 0:
        return 0.0, 0.0
    middle, mean = w @ z / total, w @ y / total
    spread = w @ np.square(z - middle)
    slope = float(w @ ((z - middle) * (y - mean)) / spread) if spread > 0 else 0.0
    return slope, float(mean - slope * middle)
