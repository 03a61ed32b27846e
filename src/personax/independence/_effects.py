"""How strong a dependence is, on a scale that a reader knows: 0 to 1, like the size of a correlation.

At a few thousand people nearly every dependence is significant, and hardly any is strong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from personax.independence._counts import Counted
from personax.independence._kernels import Factor, cross, marginal_factor

__all__ = ["CRAMERS_V", "KERNEL_CORRELATION", "cramers_v", "effect_factor", "kernel_correlation"]

CRAMERS_V = "Cramér's V"
KERNEL_CORRELATION = "kernel correlation"

WIDTH = 2.0
"""Width, in standard deviations, of the kernels of the effect size: wide, so that it speaks of the coarse relation."""


ENOUGH = 1e-9
"""Mean diagonal that the kernel of an effect size may leave out: effect sizes are read to two digits."""


def effect_factor(variable: Counted) -> Factor:
    """Return the kernel by which a variable enters its effect size.

    Numbers have a Gaussian kernel of width `WIDTH`; categories the projection on their groups, ``1 / count`` for two
    rows of one group, so that no category weighs more than another.
    """
    if variable.values is not None:
        return marginal_factor(variable, WIDTH, tolerance=ENOUGH)
    rows = np.diag(1 / np.sqrt(variable.counts))
    return Factor(rows - (variable.counts / variable.n) @ rows, variable, groups=variable.size)


def kernel_correlation(x: Factor, y: Factor) -> float:
    """Return how much of the possible dependence there is, as a correlation.

    The square root of ``(S - E) / (M - E)``, where ``S = sum Kx Ky``, ``E = tr(Kx) tr(Ky) / n`` is its mean under
    independence (so that many categories alone are no effect), and M is the most that S can be: ``|Kx| |Ky|`` for two
    numbers, and for a groups the sum of the a - 1 largest eigenvalues of the other kernel. It is the
    bias-adjusted Cramér's V of two categories, close to the correlation ratio of groups and numbers, and close to |r|
    for a linear relation of two numbers; it still sees bent relations, whose r may be 0. Of what regression on z leaves
    of the kernels of two numbers it is close to the partial correlation.

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
    expected = x.trace * y.trace / x.of.n
    room = _most(x, y) - expected
    return float(np.sqrt(np.clip((cross(x, y) - expected) / room, 0, 1))) if room > 0 else 0.0


def _most(x: Factor, y: Factor) -> float:
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
    most = min(a - 1 - (a - 1) ** 2 / (n - 1), b - 1 - (b - 1) ** 2 / (n - 1))
    return min(1.0, float(np.sqrt(phi2 / most))) if most > 0 else 0.0
