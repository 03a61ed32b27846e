"""How strong a dependence is, on a scale that a reader knows: 0 to 1, like the size of a correlation."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from personax.independence.counts import Counted
from personax.independence.kernels import Factor

__all__ = ["WIDE", "cross_square", "kernel_correlation"]

WIDE = 2.0
"""Width, in standard deviations, of the kernels of the effect size."""


def cross_square(kx: Factor, ky: Factor, x: Counted, y: Counted) -> float:
    """Return sum_ij Kx_ij Ky_ij over all rows, from the factors and the contingency table."""
    joint = sparse.coo_array((np.ones(x.n), (x.codes, y.codes)), shape=(x.size, y.size)).tocsr()
    together = np.asarray(joint @ ky.rows)
    return float(np.square(kx.rows.T @ together).sum())


def kernel_correlation(kx: Factor, ky: Factor, x: Counted, y: Counted) -> float:
    """Return the square root of the normalised HSIC of wide kernels, less what independence alone would give.

    With kernels of two standard deviations this is close to |r| for a linear relation of two numbers, to the
    correlation ratio of a group and a number, and still sees bent relations, whose r may be 0. The mean under
    independence, ``tr(Kx) tr(Ky) / n``, is taken off (from the norms too), so that many categories do not look like
    an effect.

    Parameters
    ----------
    kx, ky
        Factors of width `WIDE` (or equality kernels).
    x, y
        The variables they belong to.

    Returns
    -------
    float
        0 to 1.

    References
    ----------
    Gretton et al. 2005, doi:10.1007/11564089_7; Cortes, Mohri, Rostamizadeh 2012, arXiv:1203.0550.

    Examples
    --------
    >>> from personax.independence.counts import count
    >>> from personax.independence.kernels import factor
    >>> x = count(list(range(50)) * 2)
    >>> k = factor(x, bandwidth=WIDE)
    >>> round(kernel_correlation(k, k, x, x), 2)
    1.0
    """
    excess = cross_square(kx, ky, x, y) - kx.trace * ky.trace / x.n
    most = (kx.square - kx.trace**2 / x.n) * (ky.square - ky.trace**2 / x.n)
    return float(min(1.0, np.sqrt(max(0.0, excess) / np.sqrt(most)))) if most > 0 else 0.0
