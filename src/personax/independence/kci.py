"""KCI: the kernel test of independence, by counting."""

from __future__ import annotations

from numpy.typing import ArrayLike
from scipy.special import gammaincc

from personax.errors import UntestableError
from personax.independence.counts import Counted, count
from personax.independence.effects import cross_square, effect_factor, kernel_correlation
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
        The effect size is the kernel correlation; see `personax.independence.effects.kernel_correlation`.

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
    effect = kernel_correlation(effect_factor(cx), effect_factor(cy), cx, cy)
    return kci_of(factor(cx, bandwidth=bandwidth), factor(cy, bandwidth=bandwidth), cx, cy, effect)


def kci_of(kx: Factor, ky: Factor, x: Counted, y: Counted, effect: float) -> TestResult:
    """Test two variables whose distinct values, kernels and effect size are known."""
    n = x.n
    statistic = cross_square(kx, ky, x, y)
    mean = kx.trace * ky.trace / n
    variance = 2 * kx.square * ky.square / n**2
    p_value = float(gammaincc(mean**2 / variance, statistic * mean / variance))
    ranks = {"rank_x": kx.rows.shape[1], "rank_y": ky.rows.shape[1]}
    return TestResult(statistic, p_value, effect, n, "gamma", {"effect_name": "kernel correlation", **ranks})
