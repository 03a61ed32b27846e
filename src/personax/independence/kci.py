"""KCI: the kernel test of independence, by counting."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse, stats

from personax.errors import UntestableError
from personax.independence.counts import Counted, count
from personax.independence.kernels import Factor, factor
from personax.independence.result import TestResult

__all__ = ["kci", "kci_of"]


def kci(x: ArrayLike, y: ArrayLike, *, bandwidth: str | float = "empirical") -> TestResult:
    r"""Test whether x and y are independent, whatever the form of the dependence.

    With centred kernels on the n rows, the statistic is ``sum_ij Kx_ij Ky_ij``. Under independence it is close to a
    gamma variable of mean ``tr(Kx) tr(Ky) / n`` and variance ``2 |Kx|^2 |Ky|^2 / n^2``. Rows that repeat share one
    kernel row, so distinct values and their contingency table give the same numbers as the n x n matrices.

    Parameters
    ----------
    x, y
        Shape (n,) or (n, d); numbers (standardised here) or text (kernel: equal or not).
    bandwidth
        See `personax.independence.kernels.bandwidth_of`.

    Returns
    -------
    TestResult
        The effect size is the normalised HSIC, ``sum Kx Ky / (|Kx| |Ky|)``, between 0 and 1.

    Raises
    ------
    UntestableError
        A constant, missing or infinite value, different lengths, fewer than five rows.

    Notes
    -----
    Null hypothesis: x and y are independent. Rows are assumed independent of one another. The gamma null is rough below
    about 50 rows and for a value that nearly everybody shares.

    References
    ----------
    Zhang, Peters, Janzing, Schölkopf 2011, arXiv:1202.3775.

    Examples
    --------
    >>> x = [0, 1, 2, 3, 4] * 20
    >>> round(kci(x, [(value - 2) ** 2 for value in x]).p_value, 6)
    0.0
    """
    cx, cy = count(x, name="x"), count(y, name="y")
    if cx.n != cy.n:
        raise UntestableError(f"x has {cx.n} rows and y has {cy.n}")
    return kci_of(factor(cx, bandwidth=bandwidth), factor(cy, bandwidth=bandwidth), cx, cy)


def kci_of(kx: Factor, ky: Factor, x: Counted, y: Counted) -> TestResult:
    """Test two variables whose distinct values and kernels are known."""
    n = x.n
    ones = np.ones(n)
    joint = sparse.coo_array((ones, (x.codes, y.codes)), shape=(x.size, y.size)).tocsr()
    together = np.asarray(joint @ ky.rows)
    statistic = float(np.square(kx.rows.T @ together).sum())
    mean = kx.trace * ky.trace / n
    variance = 2 * kx.square * ky.square / n**2
    p_value = float(stats.gamma.sf(statistic, mean**2 / variance, scale=variance / mean))
    effect = statistic / float(np.sqrt(kx.square * ky.square))
    ranks = {"rank_x": kx.rows.shape[1], "rank_y": ky.rows.shape[1]}
    return TestResult(statistic, p_value, effect, n, "gamma", {"effect_name": "nHSIC", **ranks})
