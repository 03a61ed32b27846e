"""Confidence intervals of effect sizes, in closed form: no resampling, no random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chndtr, ndtri, stdtrit

from personax.independence._counts import join
from personax.independence._effects import most_cross
from personax.independence._kernels import Factor, cross, joint_counts, standardise
from personax.independence._null import pearson3
from personax.independence._permutation_moments import permutation_skewness, permutation_variance

__all__ = ["STRETCH", "Interval", "correlation_interval", "cramers_v_interval", "kernel_interval"]

Interval = tuple[float, float]

LEVEL = 0.95


def cramers_v_interval(statistic: float, dof: int, n: int, levels: int, effect: float) -> Interval:
    """Return the interval of Cramér's V: all V for which the chi-square statistic is no surprise.

    Under dependence the statistic is close to a noncentral chi-square variable, whose noncentrality is
    ``n V^2 (levels - 1)`` with the smaller number of levels. The point estimate is always inside.

    References
    ----------
    Smithson 2003, Confidence Intervals, doi:10.4135/9781412983761.

    Examples
    --------
    >>> low, high = cramers_v_interval(40.0, 1, 200, 2, 0.44)
    >>> round(low, 2), round(high, 2)
    (0.31, 0.59)
    """
    tails = [_noncentrality(statistic, dof, share) for share in ((1 + LEVEL) / 2, (1 - LEVEL) / 2)]
    low, high = (float(np.sqrt(min(1.0, tail / (n * max(levels - 1, 1))))) for tail in tails)
    return min(low, effect), max(high, effect)


def _noncentrality(statistic: float, dof: int, share: float) -> float:
    """Return the noncentrality at which the statistic is this quantile; 0 where even that is too much."""

    def excess(noncentrality: float) -> float:
        return float(chndtr(statistic, dof, noncentrality)) - share

    if excess(0.0) <= 0:
        return 0.0
    top = statistic + dof + 10.0
    while excess(top) > 0:
        top *= 2
    return float(brentq(excess, 0.0, top))


def correlation_interval(effect: float, n: int) -> Interval:
    """Return the interval of the absolute value of a correlation (Fisher 1921)."""
    middle, reach = np.arctanh(min(effect, 1 - 1e-12)), _quantile() / np.sqrt(max(n - 3, 1))
    return float(np.tanh(max(0.0, middle - reach))), float(np.tanh(middle + reach))


def kernel_interval(x: Factor, y: Factor, *, adjusted: bool, wider: tuple[Factor | None, ...] = ()) -> Interval:
    """Return the interval of a kernel correlation (``adjusted``) or of a normalised HSIC.

    All values are in it under which the ratio of S = sum Kx Ky to the most that it can be is no surprise. The ratio is
    a smooth function of averages over people, so that its variance is that of the people's influences on it; near
    independence these vanish, and mean, variance and skewness over all permutations take over.

    Parameters
    ----------
    x, y
        The kernels of the effect size, over the same rows.
    adjusted
        Take off the mean under independence and the square root, as the kernel correlation does.
    wider
        The same two kernels with widths larger by the share `STRETCH`, None for one whose width is no estimate. Widths
        are in standard deviations of the data, and through these every row has an influence more.

    References
    ----------
    Hampel 1974, doi:10.1080/01621459.1974.10482962 (influence); Gretton et al. 2005, doi:10.1007/11564089_7 (HSIC).
    """
    stretched = [_stretched(x, y, wide, side) for side, wide in enumerate(wider) if wide is not None]
    if y.groups and not x.groups:
        x, y = y, x
    both, first = join(x.of, y.of)
    fx, fy = x.rows[x.of.codes[first]], y.rows[y.of.codes[first]]
    parts = _grouped(x, y, x.of.codes[first], fy) if x.groups else _numeric(x, y, fx, fy)
    n = both.n
    value, most, of_value, of_most = parts
    influence = (of_value - value / most * of_most) / most + sum((one[first] for one in stretched), np.zeros(both.size))
    expected, scale = x.trace * y.trace / n / (n * most), n * most
    room = max(1 - expected, 1e-12)
    low, high = _accepted(
        _Surprise(
            estimate=(value / most - expected) / room,
            variance=_widened(influence, both.counts) / (n * max(n - 3, 1) * room**2),
            null_variance=max(0.0, permutation_variance(x, y)) / (scale * room) ** 2,
            null_skewness=permutation_skewness(x, y),
            slope=4 * float(x.eigenvalues[0] * y.eigenvalues[0]) / n / (scale * room),
        )
    )
    if adjusted:
        return float(np.sqrt(low)), float(np.sqrt(high))
    return low, max(high, min(1.0, value / most))


def _widened(influence: NDArray[np.float64], counts: NDArray[np.intp]) -> float:
    """Return the sum of squares of influences, larger by what a few that carry it leave uncertain of it.

    It has the degrees of freedom of the chi-square variable of the same mean and variance, and Student's quantile
    stands in place of the normal one (Satterthwaite 1946, doi:10.2307/3002019).
    """
    squares = np.square(influence)
    total, n = float(counts @ squares), int(counts.sum())
    spread = float(counts @ np.square(squares - total / n))
    freedom = max(2 * total**2 / spread, LEAST_FREEDOM) if spread > 0 else np.inf
    return total * float(stdtrit(freedom, (1 + LEVEL) / 2) / _quantile()) ** 2 if np.isfinite(freedom) else total


LEAST_FREEDOM = 3.0
"""Degrees of freedom of a variance at the least."""

STRETCH = 1e-3
"""Share by which widths are larger where their influence is taken by a difference."""


def _stretched(x: Factor, y: Factor, wider: Factor, side: int) -> NDArray[np.float64]:
    """Return each row's influence on the ratio through the standard deviation of one of the two columns."""
    both = (wider, y) if side == 0 else (x, wider)
    of = (x, y)[side].of
    slope = (_ratio(*both) - _ratio(x, y)) / STRETCH
    # the width of a column of standard deviation s is a multiple of s, and the influence on log s is (z^2 - 1) / 2
    return np.asarray(slope * (np.square(standardise(of)[of.codes, 0]) - 1) / 2)


def _ratio(x: Factor, y: Factor) -> float:
    """Return S as a share of the most that it can be."""
    return cross(x, y) / most_cross(x, y)


@dataclass(frozen=True, slots=True)
class _Surprise:
    """What is known of the distribution of a squared effect at every true value of it.

    At a true share t the estimate has the variance ``v (1 - t)^2 + c t (1 - t)^2``: v under independence, and a slope c
    such that it is the variance from influences at the estimate. Its third cumulant is that of the square of a normal
    variable (Fisher's z is nearly one) beside that under independence.

    Parameters
    ----------
    estimate
        The squared effect, less its mean under independence; may be negative.
    variance
        From influences, over n - 3 as that of Fisher's z.
    null_variance, null_skewness
        Over all permutations.
    slope
        What c can be at most near independence: four times the largest weight of the statistic. It is taken, by
        degrees, where the estimate is within its noise.
    """

    estimate: float
    variance: float
    null_variance: float
    null_skewness: float
    slope: float

    def upper_tail(self, true: NDArray[np.float64], estimate: float) -> NDArray[np.float64]:
        """Return P(an estimate is at least this large) at true shares, by the Pearson type III distribution."""
        slope, left = self._slope(), 1 - true
        variance = (self.null_variance + slope * true) * left**2
        third = self.null_skewness * self.null_variance**1.5 * left**3
        third = third + 1.5 * slope**2 * true * left**3 * (1 - 3 * true)
        spread = np.sqrt(np.maximum(variance, 1e-300))
        return pearson3(estimate, true, np.square(spread), third / spread**3)

    def _slope(self) -> float:
        at = float(np.clip(self.estimate, 0, 1 - 1e-9))
        if not at > 0:
            return self.slope
        clear = max(0.0, 1 - 4 * self.null_variance / at**2)
        known = max(0.0, self.variance / (1 - at) ** 2 - self.null_variance) / at
        return clear * known + (1 - clear) * self.slope


REACH = 12.0
"""Standard deviations from the estimate within which true shares are looked for."""


def _accepted(of: _Surprise) -> Interval:
    """Return the smallest and largest true share at which the estimate is no surprise; the estimate is inside.

    Of shares so small that estimates of 0 are usual, surprises are large estimates only, at `LEVEL`; of others they are
    on both sides. So every share is held by its intervals at `LEVEL`, and 0 too (Feldman, Cousins 1998,
    doi:10.1103/PhysRevD.57.3873).
    """
    middle = float(np.clip(of.estimate, 0, 1))
    left = 1 - middle
    reach = REACH * np.sqrt(max(of.variance, of.null_variance * left**2, (of.slope * left) ** 2))
    true = np.concatenate([[0.0], np.geomspace(1e-7, 1, 100)[:-1], np.linspace(middle - reach, middle + reach, 401)])
    true = np.unique(np.clip(true, max(0.0, middle - reach), min(middle + reach, 1 - 1e-9)))
    tail, side = of.upper_tail(true, of.estimate), (1 - LEVEL) / 2
    near = 1 - of.upper_tail(true, 0.0) > side
    held = true[np.where(near, tail > 2 * side, (tail > side) & (tail < 1 - side))]
    low, high = (float(held.min()), float(held.max())) if len(held) else (middle, middle)
    return min(low, middle), max(high, middle)


_Parts = tuple[float, float, NDArray[np.float64], NDArray[np.float64]]
"""S / n, the most that it can be, and each row's influence on the two."""


def _numeric(x: Factor, y: Factor, fx: NDArray[np.float64], fy: NDArray[np.float64]) -> _Parts:
    """Return the parts of two numbers: n |Cxy|^2 and n |Cxx| |Cyy|, with covariances C of the features."""
    n = x.of.n
    across = x.rows.T @ (joint_counts(x.of, y.of) @ y.rows) / n
    value, scale = float(np.square(across).sum()), np.sqrt(x.square * y.square) / n**2
    influence = 2 * (((fx @ across) * fy).sum(axis=1) - value)
    own = [_own(x, fx), _own(y, fy)]
    most = scale * (own[0] + own[1])
    return value * n, scale * n, influence * n, most * n


def _own(x: Factor, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row's relative influence on |Cxx|."""
    covariance = x.rows.T @ (x.counts[:, None] * x.rows) / x.of.n
    return np.asarray(((rows @ covariance) * rows).sum(axis=1) / np.square(covariance).sum() - 1)


def _grouped(x: Factor, y: Factor, group: NDArray[np.intp], fy: NDArray[np.float64]) -> _Parts:
    """Return the parts where x are groups: the variance between their means, and the most that it can be."""
    n = x.of.n
    shares = x.counts / n
    means = np.asarray(joint_counts(x.of, y.of) @ y.rows) / x.counts[:, None]
    between = float(shares @ np.square(means).sum(axis=1))
    own = means[group]
    influence = 2 * (own * fy).sum(axis=1) - np.square(own).sum(axis=1) - between
    values, axes = np.linalg.eigh(y.rows.T @ (y.counts[:, None] * y.rows) / n)
    keep = slice(max(0, len(values) - x.groups + 1), None)
    most = float(values[keep].sum())
    room = np.square(fy @ axes[:, keep]).sum(axis=1) - most
    return between, most, influence, room


def _quantile() -> float:
    return float(ndtri((1 + LEVEL) / 2))
