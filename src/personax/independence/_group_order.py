"""Which groups differ most, and in which cells of a table there are more people than chance puts there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, ndtri, stdtr

from personax.independence._trend import LEVEL, Trend, cautious, middle_ranks, permutation_p, with_interval

__all__ = ["Contrast", "Excess", "excess", "most_different"]

FEW_PEOPLE = 10
"""Smaller groups are not compared: their means say little of others, and much of each of them."""

MAX_CELLS = 20_000_000
"""Of the table of groups x values that is held at one time."""


class Contrast(NamedTuple):
    """Two groups: how often a member of the higher one exceeds a member of the lower one, less the reverse."""

    high: int
    low: int
    trend: Trend
    p_value: float


def most_different(table: NDArray[np.float64], values: NDArray[np.float64]) -> Contrast | None:
    """Return the two groups that are most surely different, or None where none can be compared.

    Every two groups of ten people or more are compared by Brunner and Munzel's test, which asks of ranks alone, so that
    neither outliers nor unequal spread disturb it; p-values are multiplied by the number of pairs. Pairs whose means
    stand in the other order than their ranks are not named: a sentence with means would contradict itself.

    Parameters
    ----------
    table
        Counts of groups x ordered values, shape (k, b).
    values
        The values, shape (b,).

    References
    ----------
    Brunner, Munzel 2000, doi:10.1002/(SICI)1521-4036(200001)42:1<17::AID-BIMJ17>3.0.CO;2-U.

    Examples
    --------
    >>> found = most_different(np.array([[20.0, 5, 5], [5, 5, 20]]), np.array([1.0, 2, 3]))
    >>> found.high, found.low, round(found.trend.estimate, 2), found.p_value < 0.001
    (1, 0, 0.58, True)
    """
    kept = np.flatnonzero(table.sum(axis=1) >= FEW_PEOPLE)
    if len(kept) < 2 or len(kept) * table.shape[1] > MAX_CELLS:
        return None
    counts = table[kept]
    people = counts.sum(axis=1)
    shares = counts / people[:, None]
    below = np.cumsum(shares, axis=1) - shares / 2  # of group b, at each value
    theta = shares @ below.T  # theta[a, b]: share of pairs in which a exceeds b, ties half
    placement = (shares @ np.square(below).T - np.square(theta)).clip(0) * (people / (people - 1))[:, None]
    own = placement / people[:, None]
    variance = own + own.T
    smallest = 1 / (4 * np.outer(people, people))  # two groups without overlap are known so well, and no better
    dof = np.square(variance) / (np.square(own) / (people - 1)[:, None] + np.square(own.T) / (people - 1)).clip(1e-300)
    # Satterthwaite's lie between that of the smaller group and that of both; without any overlap there is no spread
    dof = np.maximum(dof, np.minimum.outer(people, people) - 1)
    error = np.sqrt(np.maximum(variance, smallest))
    means = shares @ values
    agrees = (theta > 0.5) & (means[:, None] > means)
    p = np.where(agrees, np.maximum(2 * stdtr(dof.clip(1), -(theta - 0.5) / error), _least_p(people)), np.inf)
    if not agrees.any():
        return None
    a, b, least = _smallest(p, counts)
    pairs = len(kept) * (len(kept) - 1) // 2
    delta, alpha = 2 * float(theta[a, b]) - 1, (1 - LEVEL) / pairs
    inner = min(delta, 1 - 1 / float(min(people[a], people[b])))  # Fisher's scale ends at 1
    wide = max(2 * float(error[a, b]) / (1 - inner**2), 0.5 / np.sqrt(people[a] + people[b]))
    trend = cautious(with_interval(float(np.arctanh(inner)), wide, float(dof[a, b]), share=1 - alpha), least, alpha)
    trend = trend._replace(estimate=delta, high=max(delta, trend.high))
    return Contrast(int(kept[a]), int(kept[b]), trend, float(min(1.0, pairs * least)))


def _smallest(p: NDArray[np.float64], counts: NDArray[np.float64]) -> tuple[int, int, float]:
    """Return the pair whose larger p-value, of Brunner and Munzel's and that over all orders of people, is smallest."""
    best = (0, 1, np.inf)
    for place in np.argsort(p, axis=None):
        a, b = (int(k) for k in np.unravel_index(place, p.shape))
        if p[a, b] >= best[2]:
            break
        least = max(float(p[a, b]), _permuted(counts[[a, b]]))
        best = (a, b, least) if least < best[2] else best
    return best


def _permuted(two: NDArray[np.float64]) -> float:
    people, values = two.sum(axis=1), two.sum(axis=0)
    ranks = middle_ranks(values / values.sum())
    groups = np.array([people[1], -people[0]]) / people.sum()
    return permutation_p(float(groups @ two @ ranks), (groups, people), (ranks, values))


def _least_p(people: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest two-sided p-value of an exact test of each two groups: two over the number of splits."""
    a, b = people[:, None], people[None, :]
    return np.asarray(2 * np.exp(gammaln(a + 1) + gammaln(b + 1) - gammaln(a + b + 1)))


class Excess(NamedTuple):
    """A cell of a table: the share of its column among its row and among all other rows."""

    row: int
    column: int
    share: float
    share_of_others: float
    trend: Trend
    p_value: float


def excess(table: NDArray[np.float64]) -> Excess | None:
    """Return the cell that stands out most from what the margins make one expect, or None.

    Chosen by its adjusted residual; the p-value is that of the hypergeometric distribution, which is exact, times the
    number of cells. Of a table of two by two, whose cells say the same, the second column of the second row is
    told. The trend is the difference of the two shares, its interval that of Agresti and Caffo.

    References
    ----------
    Haberman 1973, doi:10.2307/2529686 (adjusted residuals); Agresti, Caffo 2000, doi:10.1080/00031305.2000.10474560.

    Examples
    --------
    >>> found = excess(np.array([[30.0, 10], [10, 30]]))
    >>> found.row, found.column, found.share, found.share_of_others, found.p_value < 0.001
    (1, 1, 0.75, 0.25, True)
    """
    n = table.sum()
    rows, columns = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    expected = rows * columns / n
    room = expected * (1 - rows / n) * (1 - columns / n)
    residual = np.where((room > 0) & (rows >= FEW_PEOPLE), (table - expected) / np.sqrt(np.where(room > 0, room, 1)), 0)
    i, j = (int(k) for k in np.unravel_index(np.abs(residual).argmax(), table.shape))
    if table.shape == (2, 2):
        i, j = (1, 1) if rows[1, 0] >= FEW_PEOPLE else (0, 1)
    elif residual[i, j] < 0 and residual.max() > 0.5 * -residual[i, j]:
        i, j = (
            int(k) for k in np.unravel_index(residual.argmax(), table.shape)
        )  # what is more frequent is easier said
    row, others = float(rows[i, 0]), float(n - rows[i, 0])
    if residual[i, j] == 0 or min(row, others) < 1:
        return None
    inside, outside = float(table[i, j]), float(columns[0, j] - table[i, j])
    number = np.prod([size if size > 2 else 1 for size in table.shape])
    p = min(1.0, float(number) * _hypergeometric(inside, row, float(columns[0, j]), float(n)))
    trend = _difference((inside, row), (outside, others), 1 - (1 - LEVEL) / float(number), p)
    return Excess(i, j, inside / row, outside / others, trend, p)


def _hypergeometric(inside: float, row: float, column: float, n: float) -> float:
    """Return twice the smaller tail."""
    low, high = max(0.0, row + column - n), min(row, column)
    if high - low > 100_000:
        room = row * column / n * (1 - row / n) * (1 - column / n)
        return float(min(1.0, 2 * ndtr(-(abs(inside - row * column / n) - 0.5) / np.sqrt(room * n / (n - 1)))))
    k = np.arange(low, high + 1)
    logs = _log_choose(column, k) + _log_choose(n - column, row - k) - _log_choose(n, row)
    shares = np.exp(logs)
    return float(min(1.0, 2 * min(shares[k <= inside].sum(), shares[k >= inside].sum())))


def _log_choose(n: NDArray[np.float64] | float, k: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(gammaln(np.add(n, 1)) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n, k) + 1))


def _difference(one: tuple[float, float], other: tuple[float, float], share: float, p_value: float) -> Trend:
    """Return the difference of two shares and its interval, two people added to each side of both."""
    estimate = one[0] / one[1] - other[0] / other[1]
    (p, m), (q, k) = (((inside + 1) / (people + 2), people + 2) for inside, people in (one, other))
    reach = float(ndtri((1 + share) / 2)) * np.sqrt(p * (1 - p) / m + q * (1 - q) / k)
    low, high = (float(np.clip(p - q + side * reach, -1, 1)) for side in (-1, 1))
    return Trend(estimate, min(low, estimate), max(high, estimate), p_value)
