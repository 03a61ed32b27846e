"""How strong a dependence is, on a scale that a reader knows: 0 to 1, like the size of a correlation.

At a few thousand people nearly every dependence is significant, and hardly any is strong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from personax.independence._counts import Counted
from personax.independence._kernels import Factor, cross, marginal_factor
from personax.independence._margins import pearson_moments
from personax.independence._normal_scores import scored
from personax.independence._permutation_moments import permutation_variance

__all__ = [
    "CRAMERS_V",
    "ENOUGH",
    "KERNEL_CORRELATION",
    "SINGLES",
    "WIDTH",
    "clear_kernel_correlation",
    "cramers_v",
    "cramers_v_each",
    "effect_factor",
    "kernel_correlation",
    "most_cross",
    "pooled_cramers_v",
    "too_single",
]

CRAMERS_V = "Cramér's V"
KERNEL_CORRELATION = "kernel correlation"

WIDTH = 2.0
"""Width, in standard deviations, of the kernels of the effect size: wide, so that it speaks of the coarse relation."""


SMALL_GROUPS = 5.0
"""People a group on average, below which an effect size is mostly noise and is shrunk."""

SINGLES = 2.0
"""People a group on average, below which it is refused: most groups are one person, and explain her."""

CERTAIN = 2.0
"""A shrunk effect is 0 within so many standard deviations of independence."""

ENOUGH = 1e-9
"""Mean diagonal that the kernel of an effect size may leave out: effect sizes are read to two digits."""


def effect_factor(variable: Counted) -> Factor:
    """Return the kernel by which a variable enters its effect size.

    Numbers have a Gaussian kernel of width `WIDTH`, of their normal scores where tails are heavy; categories the
    projection on their groups, ``1 / count`` for two rows of one group, so that no category weighs more than another.
    """
    if variable.values is not None:
        return marginal_factor(scored(variable), WIDTH, tolerance=ENOUGH)
    rows = np.diag(1 / np.sqrt(variable.counts))
    return Factor(rows - (variable.counts / variable.n) @ rows, variable, groups=variable.size)


def kernel_correlation(x: Factor, y: Factor) -> float:
    """Return how much of the possible dependence there is, as a correlation.

    The square root of ``(S - E) / (M - E)``, where ``S = sum Kx Ky``, ``E = tr(Kx) tr(Ky) / (n - 1)`` is its mean over
    all orders of the rows (so that many categories alone are no effect), and M is the most that S can be: ``|Kx| |Ky|``
    for two numbers, and for a groups the sum of the a - 1 largest eigenvalues of the other kernel. It is the
    bias-adjusted Cramér's V of two categories, close to the correlation ratio of groups and numbers, and close to |r|
    for a linear relation of two numbers; it still sees bent relations, whose r may be 0. Of what regression on z leaves
    of the kernels of two numbers it is close to the partial correlation. With fewer than five people a group it is
    shrunk by what chance makes of nothing; with fewer than two it is no number (NaN).

    Parameters
    ----------
    x, y
        From `effect_factor`.

    Returns
    -------
    float
        0 to 1.

    References
    ----------
    Gretton et al. 2005, doi:10.1007/11564089_7; Fan 1949, doi:10.1073/pnas.35.11.652 (the sum of eigenvalues).

    Examples
    --------
    >>> from personax.independence._counts import count
    >>> k = effect_factor(count(["a", "b", "c", "d"] * 25))
    >>> round(kernel_correlation(k, k), 6)
    1.0
    """
    groups = max(x.groups, y.groups)
    if too_single(groups, x.of.n):
        return float("nan")
    expected = x.trace * y.trace / (x.of.n - 1)
    room = most_cross(x, y) - expected
    if not room > 0:
        return 0.0
    share = (cross(x, y) - expected) / room
    if groups * SMALL_GROUPS > x.of.n:
        share = shrunk(share, float(np.sqrt(max(0.0, permutation_variance(x, y)))) / room)
    return float(np.sqrt(np.clip(share, 0, 1)))


def clear_kernel_correlation(x: Factor, y: Factor) -> float:
    """Return the kernel correlation of two kernels of numbers, 0 within four standard deviations of chance."""
    room = most_cross(x, y) - (expected := x.trace * y.trace / (x.of.n - 1))
    if not room > 0:
        return 0.0
    noise = float(np.sqrt(max(0.0, permutation_variance(x, y)))) / room
    return float(np.sqrt(np.clip(shrunk((cross(x, y) - expected) / room, 2 * noise), 0, 1)))


def too_single(groups: int, n: int) -> bool:
    """Say whether so many groups are hardly more than one person each.

    Examples
    --------
    >>> too_single(150, 200), too_single(50, 200), too_single(2, 3)
    (True, False, True)
    """
    return groups * SINGLES > n


def shrunk(share: float, noise: float) -> float:
    """Return a squared effect less what chance makes of nothing: 0 within two standard deviations, all of it far away.

    The factor ``1 - (2 noise / share)^2`` is that of James and Stein's positive part, with twice the noise.

    References
    ----------
    Efron, Morris 1973, doi:10.1080/01621459.1973.10481350.

    Examples
    --------
    >>> shrunk(0.02, 0.01), round(shrunk(0.2, 0.01), 3)
    (0.0, 0.198)
    """
    return share * max(0.0, 1 - (CERTAIN * noise / share) ** 2) if share > 0 else 0.0


def most_cross(x: Factor, y: Factor) -> float:
    """Return the largest value that sum Kx Ky can have for these kernels."""
    if x.groups == y.groups == 0:
        return float(np.sqrt(x.square * y.square))
    groups = min(factor.groups for factor in (x, y) if factor.groups)
    other = y if x.groups else x
    return float(other.eigenvalues[: groups - 1].sum())


def cramers_v(observed: NDArray[np.intp] | NDArray[np.float64]) -> float:
    """Return the bias-corrected Cramér's V of a contingency table without empty rows or columns.

    The expected phi^2 of independent variables is taken off, and the levels are shrunk to match, so that independent
    variables have a V near 0 however many levels they have.

    References
    ----------
    Bergsma 2013, doi:10.1016/j.jkss.2012.10.002.

    Examples
    --------
    >>> cramers_v(np.array([[50, 0], [0, 50]]))
    1.0
    >>> cramers_v(np.array([[25, 25], [25, 25]]))
    0.0
    """
    n = int(observed.sum())
    a, b = observed.shape
    shares = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / n**2
    phi2 = max(0.0, float((np.square(observed / n - shares) / shares).sum()) - (a - 1) * (b - 1) / (n - 1))
    most = float(_most_phi2(observed.astype(float)))
    return min(1.0, float(np.sqrt(phi2 / most))) if most > 0 else 0.0


def pooled_cramers_v(tables: Sequence[NDArray[np.float64]]) -> float:
    """Return the bias-corrected Cramér's V over several tables together, near 0 under independence however many.

    Tables have shape (a, b), or (strata, a, b); a value that does not occur in one is an empty row or column of it.

    The mean of X^2 given the margins is taken off its sum, not off each table: a positive part of each would add their
    noise up. ``V^2 = sum (X^2 - E X^2) / sum n m`` with m, for each table, the most that its phi^2 can be, less the
    bias. Of one table with five people a level it is `cramers_v`. Else it is shrunk by the noise of the sum, which is
    known given the margins; of one table with fewer than two people a level it is no number (NaN).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tables = [rng.multinomial(20, np.full(4, 0.25)).reshape(2, 2).astype(float) + 1 for _ in range(200)]
    >>> pooled_cramers_v(tables) < 0.05, round(pooled_cramers_v([np.array([[50.0, 0], [0, 50]])] * 3), 3)
    (True, 1.0)
    """
    stacks = [np.asarray(table, float) if np.ndim(table) == 3 else np.asarray(table, float)[None] for table in tables]
    if len(tables) == 1 and len(stacks[0]) == 1:
        only = stacks[0][0]
        only = only[only.any(axis=1)][:, only.any(axis=0)]
        n, size = float(only.sum()), max(only.shape)
        if too_single(size, int(n)):
            return float("nan")
        if size * SMALL_GROUPS <= n:
            return cramers_v(only)
    excess = room = variance = 0.0
    for counts in stacks:
        totals = counts.sum(axis=(1, 2))
        product = counts.sum(axis=2)[:, :, None] * counts.sum(axis=1)[:, None, :] / totals[:, None, None]
        occurs = product > 0
        distance = np.where(occurs, np.square(counts - product) / np.where(occurs, product, 1), 0).sum(axis=(1, 2))
        mean, spread = pearson_moments(counts)
        excess += float((distance - mean).sum())
        variance += float(np.sum(spread))
        room += float((totals * _most_phi2(counts)).sum())
    if not room > 0:
        return 0.0
    return float(np.sqrt(np.clip(shrunk(excess / room, float(np.sqrt(variance)) / room), 0, 1)))


def cramers_v_each(
    tables: NDArray[np.float64],
    statistics: NDArray[np.float64],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what `pooled_cramers_v` says of each of many tables by itself, shape (tables,).

    Parameters
    ----------
    tables
        Shape (tables, a, b), each with people in two rows and two columns at least.
    statistics, means, variances
        Pearson's X^2 of each, and its moments given the margins (`pearson_moments`).

    Examples
    --------
    >>> each = np.array([[[50.0, 0], [0, 50]], [[25, 25], [25, 25]]])
    >>> cramers_v_each(each, np.array([100.0, 0]), *pearson_moments(each)).round(6).tolist()
    [1.0, 0.0]
    """
    n, most = tables.sum(axis=(1, 2)), _most_phi2(tables)
    a, b = (tables.any(axis=axis).sum(axis=1) for axis in (2, 1))
    size = np.maximum(a, b)
    room = np.where(most > 0, most, np.inf)
    plain = (statistics / n - (a - 1) * (b - 1) / (n - 1)) / room
    share, noise = (statistics - means) / n / room, np.sqrt(variances) / n / room
    safe = np.where(share > 0, share, np.inf)
    small = np.where(share > 0, share * np.maximum(0.0, 1 - np.square(CERTAIN * noise / safe)), 0.0)
    effect = np.sqrt(np.clip(np.where(size * SMALL_GROUPS <= n, plain, small), 0, 1))
    return np.where(size * SINGLES > n, np.nan, effect)


def _most_phi2(observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the most that phi^2 of tables, shape (..., a, b), can be, less its bias; 0 where that is nothing."""
    n = observed.sum(axis=(-2, -1))
    less = np.maximum(n - 1, 1)
    a, b = (observed.any(axis=axis).sum(axis=-1) for axis in (-1, -2))
    return np.asarray(np.maximum(0.0, np.minimum(a - 1 - (a - 1) ** 2 / less, b - 1 - (b - 1) ** 2 / less)))
