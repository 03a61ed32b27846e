"""How strong a dependence is, on a scale that a reader knows: 0 to 1, like the size of a correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personax.independence.counts import Counted
from personax.independence.kernels import Factor, factor

__all__ = ["cross_square", "effect_factor", "kernel_correlation"]

WIDTH = 2.0
"""Width, in standard deviations, of the kernels of the effect size: wide, so that it speaks of the coarse relation."""


def cross_square(kx: Factor, ky: Factor, x: Counted, y: Counted) -> float:
    """Return sum_ij Kx_ij Ky_ij over all rows, from the factors and the contingency table."""
    joint = sparse.coo_array((np.ones(x.n), (x.codes, y.codes)), shape=(x.size, y.size)).tocsr()
    together = np.asarray(joint @ ky.rows)
    return float(np.square(kx.rows.T @ together).sum())


def effect_factor(variable: Counted) -> Factor:
    """Return the kernel by which a variable enters its effect size.

    Numbers have a Gaussian kernel of width `WIDTH`; categories the projection on their groups, ``1 / count`` for two
    rows of one group, so that no category weighs more than another.
    """
    if variable.values is not None:
        return factor(variable, bandwidth=WIDTH)
    rows = np.diag(1 / np.sqrt(variable.counts))
    return Factor(rows - (variable.counts / variable.n) @ rows, variable.counts)


def kernel_correlation(kx: Factor, ky: Factor, x: Counted, y: Counted) -> float:
    """Return how much of the possible dependence there is, as a correlation.

    The square root of ``(S - E) / (M - E)``, where ``S = sum Kx Ky``, ``E = tr(Kx) tr(Ky) / n`` is its mean under
    independence (so that many categories alone are no effect), and M is the most that S can be: ``|Kx| |Ky|`` for two
    numbers, and for a groups the sum of the a - 1 largest eigenvalues of the other kernel. It is the
    bias-adjusted Cramér's V of two categories, close to the correlation ratio of groups and numbers, and close to |r|
    for a linear relation of two numbers; it still sees bent relations, whose r may be 0.

    Parameters
    ----------
    kx, ky
        From `effect_factor`.
    x, y
        The variables they belong to.

    Returns
    -------
    float
        0 to 1.

    References
    ----------
    Gretton et al. 2005, doi:10.1007/11564089_7; Fan 1949, doi:10.1073/pnas.35.11.652 (the sum of eigenvalues).

    Examples
    --------
    >>> from personax.independence.counts import count
    >>> x = count(["a", "b", "c", "d"] * 25)
    >>> k = effect_factor(x)
    >>> round(kernel_correlation(k, k, x, x), 6)
    1.0
    """
    expected = kx.trace * ky.trace / x.n
    excess = cross_square(kx, ky, x, y) - expected
    room = _most(kx, ky, x, y) - expected
    return float(np.sqrt(np.clip(excess / room, 0, 1))) if room > 0 else 0.0


def _most(kx: Factor, ky: Factor, x: Counted, y: Counted) -> float:
    """Return the largest value that sum Kx Ky can have for these kernels."""
    if x.values is not None and y.values is not None:
        return float(np.sqrt(kx.square * ky.square))
    groups = min(variable.size for variable in (x, y) if variable.values is None)
    other = ky if x.values is None else kx
    return float(np.sort(_eigenvalues(other))[::-1][: groups - 1].sum())


def _eigenvalues(kernel: Factor) -> NDArray[np.float64]:
    """Return the nonzero eigenvalues of the n x n kernel."""
    return np.asarray(np.linalg.eigvalsh(kernel.rows.T @ (kernel.counts[:, None] * kernel.rows)))
