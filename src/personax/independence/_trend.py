"""Whether one ordered variable rises or falls with another, or turns: rank statistics with intervals, by counting."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, gammainc, gammaincc, ndtr, ndtri, stdtr, stdtrit

__all__ = [
    "LEVEL",
    "Cells",
    "Trend",
    "cautious",
    "cells",
    "cycle",
    "middle_ranks",
    "permutation_p",
    "rank_trend",
    "signed_trend",
    "thirds",
    "turn",
    "with_interval",
]

LEVEL = 0.95

BREAKS = (1 / 3, 1 / 2, 2 / 3)
"""Shares of the people at which a curve may turn."""

ROUNDING = 1e-9
"""A curve that moves less than this, in shares of the people, is flat."""

FEW_PEOPLE = 8
"""Fewer people on one side of a turn say nothing of its slope."""

LEAST_ERROR = 0.5
"""Standard error of Fisher's transform at the least, as a share of 1 / sqrt(n): an order without exception is known so
well, and no better."""


class Cells(NamedTuple):
    """Two variables as codes of ordered values, shape (m,) each, and how many people have both."""

    x: NDArray[np.intp]
    y: NDArray[np.intp]
    people: NDArray[np.float64]


class Trend(NamedTuple):
    """A signed effect, -1 to 1, its interval, and the p-value of "it is 0"."""

    estimate: float
    low: float
    high: float
    p_value: float


def cells(x: NDArray[np.intp], y: NDArray[np.intp], weights: NDArray[np.intp] | None, sizes: tuple[int, int]) -> Cells:
    """Return what occurs together: cells of the table where it is smaller than the rows, else the rows."""
    if sizes[0] * sizes[1] > len(x):
        return Cells(x, y, np.ones(len(x)) if weights is None else weights.astype(float))
    counts = np.bincount(x * sizes[1] + y, weights, minlength=sizes[0] * sizes[1])
    used = np.flatnonzero(counts)
    return Cells(used // sizes[1], used % sizes[1], counts[used].astype(float))


def middle_ranks(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of people below each value and half of those at it, less 1/2; their mean is 0."""
    return np.asarray(np.cumsum(shares) - shares / 2 - 0.5)


def rank_trend(both: Cells, clusters: NDArray[np.intp] | None = None) -> Trend:
    """Return Spearman's rank correlation with an interval that holds under dependence and with ties.

    With middle ranks f and g, whose mean is 0, it is ``E f g / sqrt(E f^2 E g^2)``, and ``E f^2 = (1 - sum p^3) / 12``
    for shares p of the values. The variance is that of the people's influences on it (the ranks of the others, which a
    person shifts, included), on Fisher's scale.

    Parameters
    ----------
    both
        Rows, where there are clusters.
    clusters
        Cluster of each row: influences are summed within before they are squared.

    References
    ----------
    Borkowf 2002, doi:10.1016/S0167-9473(01)00081-0 (variance of Spearman's rho under dependence).

    Examples
    --------
    >>> rise = cells(np.arange(40), np.arange(40) // 2, None, (40, 20))
    >>> rank_trend(rise).low > 0.9
    True
    """
    x, y, people = both
    n = float(people.sum())
    p, q = np.bincount(x, people) / n, np.bincount(y, people) / n
    f, g = middle_ranks(p), middle_ranks(q)
    fx, gy = f[x], g[y]
    covariance = float(people @ (fx * gy)) / n
    spread = np.array([(1 - (p**3).sum()) / 12, (1 - (q**3).sum()) / 12])
    scale = float(np.sqrt(spread.prod()))
    if not scale > 0:
        return Trend(0.0, -1.0, 1.0, 1.0)
    rho = covariance / scale
    above = _above(x, people * gy / n)[x] + _above(y, people * fx / n)[y]
    own = (np.square(p)[x] - (p**3).sum()) / spread[0] + (np.square(q)[y] - (q**3).sum()) / spread[1]
    influence = (fx * gy + above - 3 * covariance) / scale + rho / 8 * own
    found = _on_fishers_scale(rho, influence, people, clusters)
    return found if clusters is not None else cautious(found, permutation_p(n * covariance, (f, n * p), (g, n * q)))


Scores = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Scores of mean 0, and how many people have each."""


def permutation_p(statistic: float, x: Scores, y: Scores) -> float:
    """Return twice the tail of ``sum_i f_i g_i`` over all orders of the people, by its first three moments.

    With scores of mean 0 the variance is ``sum f^2 sum g^2 / (n - 1)`` and the third moment
    ``n sum f^3 sum g^3 / ((n - 1) (n - 2))``; between them lies Pearson's type III distribution.
    """
    n = float(x[1].sum())
    squares, cubes = (np.prod([people @ score**power for score, people in (x, y)]) for power in (2, 3))
    variance = float(squares) / (n - 1)
    skewness = n * float(cubes) / ((n - 1) * (n - 2)) / variance**1.5
    side = 1.0 if statistic > 0 else -1.0
    return float(min(1.0, 2 * _upper_tail(side * statistic / np.sqrt(variance), side * skewness)))


def _upper_tail(z: float, skewness: float) -> float:
    """Return the upper tail of the Pearson type III distribution of mean 0 and variance 1."""
    if abs(skewness) < 1e-4:
        return float(ndtr(-z))
    shape, place = 4 / skewness**2, 4 / skewness**2 + 2 * z / skewness
    if place <= 0:
        return 1.0 if skewness > 0 else 0.0
    return float(gammaincc(shape, place) if skewness > 0 else gammainc(shape, place))


def cautious(found: Trend, p_value: float, alpha: float = 1 - LEVEL) -> Trend:
    """Return a trend with the larger of two p-values; where that is above alpha the interval is widened to hold 0.

    Standard errors estimated from few people who carry all the spread (one in a hundred is not zero) are too small;
    the distribution over all orders of the people knows nothing of a spread that changes. Both have to be held against.
    """
    if p_value <= found.p_value:
        return found
    if p_value <= alpha:
        return found._replace(p_value=p_value)
    middle, low, high = np.arctanh(np.clip(found[:3], -1 + 1e-15, 1 - 1e-15))
    before, after = (abs(float(ndtri(max(p, 1e-300) / 2))) for p in (found.p_value, p_value))
    wider = before / max(after, 1e-3)
    ends = np.tanh([middle - wider * (middle - low), middle + wider * (high - middle)])
    return Trend(found.estimate, float(ends[0]), float(ends[1]), p_value)


def _above(codes: NDArray[np.intp], mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mass above each value and half of that at it."""
    at = np.bincount(codes, mass)
    return np.asarray(at[::-1].cumsum()[::-1] - at / 2)


def signed_trend(
    r: NDArray[np.float64],
    s: NDArray[np.float64],
    people: NDArray[np.float64],
    clusters: NDArray[np.intp] | None = None,
    *,
    share: float = LEVEL,
) -> Trend:
    """Return the correlation of residuals of mean 0, with the interval (of a ``share``) of its influences."""
    n = float(people.sum())
    spread = np.array([people @ np.square(r), people @ np.square(s)]) / n
    scale = float(np.sqrt(spread.prod()))
    if not scale > 0:
        return Trend(0.0, -1.0, 1.0, 1.0)
    rho = float(people @ (r * s)) / n / scale
    influence = r * s / scale - rho / 2 * (np.square(r) / spread[0] + np.square(s) / spread[1])
    return _on_fishers_scale(rho, influence, people, clusters, share)


def _on_fishers_scale(
    rho: float,
    influence: NDArray[np.float64],
    people: NDArray[np.float64],
    clusters: NDArray[np.intp] | None,
    share: float = LEVEL,
) -> Trend:
    n = float(people.sum())
    if clusters is None:
        squares, units = float(people @ np.square(influence)), n
    else:
        sums = np.bincount(clusters, people * influence)
        squares, units = float(np.square(sums).sum()), float(len(np.unique(clusters)))
    rho = float(np.clip(rho, -1 + 1e-9, 1 - 1e-9))
    error = np.sqrt(squares * units / max(units - 1, 1)) / n / (1 - rho**2)
    return with_interval(
        float(np.arctanh(rho)), max(float(error), LEAST_ERROR / np.sqrt(units)), units - 2, share=share
    )


def with_interval(transformed: float, error: float, dof: float, *, share: float = LEVEL) -> Trend:
    """Return a trend from its Fisher transform, the standard error of that and degrees of freedom."""
    dof = max(dof, 1.0)
    reach = float(stdtrit(dof, (1 + share) / 2)) * error
    ends = np.tanh([transformed, transformed - reach, transformed + reach])
    p_value = min(1.0, 2 * float(stdtr(dof, -abs(transformed) / error)))
    return Trend(float(ends[0]), float(ends[1]), float(ends[2]), p_value)


def turn(both: Cells) -> tuple[float, float]:
    """Return the p-value of "y does not turn as x grows", and the sign of its slope on the left of the turn.

    The middle ranks of y are regressed on those of x left and right of a third, the half and two thirds of the people.
    A turn is two slopes of opposite signs that both are not 0: the larger of their two p-values, and three times that
    for the three places (Bonferroni). Standard errors allow for spread that changes with x (MacKinnon, White 1985).
    And of the thirds of the people by x the middle one must be the lowest (or highest): stairs with sloping steps rise.

    References
    ----------
    Simonsohn 2018, Two lines, doi:10.1177/2515245918805755.

    Examples
    --------
    >>> x = np.arange(60)
    >>> p, left = turn(cells(x, np.abs(x - 30), None, (60, 31)))
    >>> p < 1e-6, left
    (True, -1.0)
    """
    x, y, people = both
    counts = np.bincount(x, people).astype(float)
    if len(counts) < 4:
        return 1.0, 0.0
    n = counts.sum()
    q = np.bincount(y, people) / n
    g = middle_ranks(q)[y]
    f = middle_ranks(counts / n)
    sums, squares = (np.bincount(x, people * g**power).astype(float) for power in (1, 2))
    best, sign, middle = 1.0, 0.0, _middle_third(counts, sums)
    for share in BREAKS:
        at = int(np.searchsorted(np.cumsum(counts) / n, share))
        parts = (slice(0, at + 1), slice(at, None))
        (left, p_left), (right, p_right) = (_slope(f[k], counts[k], sums[k], squares[k]) for k in parts)
        p = len(BREAKS) * max(p_left, p_right)
        if left * right < 0 and p < best and np.sign(left) == middle:
            best, sign = p, float(np.sign(left))
    return best, sign


def thirds(counts: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return for each ordered value the third of the people, 0 to 2, in which its middle person is."""
    return np.asarray(np.minimum(2, (3 * (np.cumsum(counts) - counts / 2) / counts.sum()).astype(np.intp)))


def _middle_third(counts: NDArray[np.float64], sums: NDArray[np.float64]) -> float:
    """Return 1 where the mean of y is highest in the middle third of the people, -1 where it is lowest, else 0."""
    third = thirds(counts)
    people = np.bincount(third, counts, minlength=3)
    if not people.all():
        return 0.0
    first, middle, last = np.bincount(third, sums, minlength=3) / people
    return float((middle > max(first, last)) - float(middle < min(first, last)))


def _slope(
    f: NDArray[np.float64], counts: NDArray[np.float64], sums: NDArray[np.float64], squares: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the slope of y on f from the counts, sums and sums of squares of y at each f, and its p-value."""
    n = float(counts.sum())
    if len(f) < 2 or n < FEW_PEOPLE:
        return 0.0, 1.0
    distance = f - counts @ f / n
    spread = float(counts @ distance**2)
    if not spread > 0:
        return 0.0, 1.0
    slope = float(distance @ sums) / spread
    fitted = sums.sum() / n + slope * distance
    left = (squares - 2 * fitted * sums + counts * fitted**2).clip(0)
    if abs(slope) * np.sqrt(spread) < ROUNDING * np.sqrt(n):  # ranks are of the order of 1
        return 0.0, 1.0
    leverage = (1 / n + distance**2 / spread).clip(max=0.99)
    variance = float((distance**2 * left / (1 - leverage) ** 2).sum()) / spread**2
    if not variance > 0:
        return slope, 0.0 if slope else 1.0
    return slope, 2 * float(stdtr(n - 2, -abs(slope) / np.sqrt(variance)))


def cycle(points: NDArray[np.float64], both: Cells) -> tuple[float, float, float]:
    """Return the p-value of "y has no wave", where in a turn it is highest (0 to 1), and its size.

    Parameters
    ----------
    points
        The values of x on the circle, shape (a, 2).
    both
        x are the points, y ordered values.

    References
    ----------
    Cornelissen 2014, Cosinor-based rhythmometry, doi:10.1186/1742-4682-11-16.
    """
    x, y, people = both
    n = float(people.sum())
    g = middle_ranks(np.bincount(y, people) / n)[y]
    wave = points[x] - people @ points[x] / n
    gram = (people[:, None] * wave).T @ wave
    if n < 2 * FEW_PEOPLE or np.linalg.cond(gram) > 1e10:
        return 1.0, 0.0, 0.0
    slopes = np.linalg.solve(gram, wave.T @ (people * g))
    left = g - wave @ slopes
    leverage = (1 / n + ((wave @ np.linalg.inv(gram)) * wave).sum(axis=1)).clip(max=0.99)
    meat = (wave * (people * np.square(left / (1 - leverage)))[:, None]).T @ wave
    wald = float(slopes @ gram @ np.linalg.solve(meat, gram @ slopes))
    size = float(np.sqrt(np.clip(1 - (people @ left**2) / (people @ g**2), 0, 1)))
    return float(fdtrc(2, n - 3, wald / 2)), float(np.arctan2(slopes[1], slopes[0]) / (2 * np.pi) % 1), size
