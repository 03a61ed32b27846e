"""Confidence intervals of effect sizes, in closed form: no resampling, no random numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chndtr, ndtri

from personax.independence._counts import join
from personax.independence._kernels import Factor, joint_counts
from personax.independence._permutation_moments import permutation_variance

__all__ = ["Interval", "correlation_interval", "cramers_v_interval", "kernel_interval"]

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


def kernel_interval(x: Factor, y: Factor, *, adjusted: bool) -> Interval:
    """Return the interval of a kernel correlation (``adjusted``) or of a normalised HSIC.

    The ratio of S = sum Kx Ky to the most that it can be is a smooth function of averages over people: its variance is
    that of the people's influences on it. Near independence these influences vanish and the variance of S over all
    permutations takes over; the two are added.

    Parameters
    ----------
    x, y
        The kernels of the effect size, over the same rows.
    adjusted
        Take off the mean under independence and the square root, as the kernel correlation does.

    References
    ----------
    Hampel 1974, doi:10.1080/01621459.1974.10482962 (influence); Gretton et al. 2005, doi:10.1007/11564089_7 (HSIC).
    """
    if y.groups and not x.groups:
        x, y = y, x
    both, first = join(x.of, y.of)
    fx, fy = x.rows[x.of.codes[first]], y.rows[y.of.codes[first]]
    parts = _grouped(x, y, x.of.codes[first], fy) if x.groups else _numeric(x, y, fx, fy)
    n = both.n
    value, most, of_value, of_most = parts
    ratio = value / most
    relative = of_value / value - of_most / most if value > 0 else np.zeros(both.size)
    variance = ratio**2 * float(both.counts @ np.square(relative)) / n**2
    variance += max(0.0, permutation_variance(x, y)) / (n * most) ** 2
    expected = x.trace * y.trace / n / (n * most) if adjusted else 0.0
    ends = ratio + np.array([-1, 1]) * _quantile() * np.sqrt(variance)
    scaled = np.clip((ends - expected) / max(1 - expected, 1e-12), 0, 1)
    low, high = np.sqrt(scaled) if adjusted else scaled
    return float(low), float(high)


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
