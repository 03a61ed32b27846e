"""Mean, variance and skewness that the statistic of two kernels has over all permutations of the rows, in closed form.

The statistic is ``sum_ij Kx_ij Ky_ij``, both kernels centred.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from personax.independence._kernels import Factor

__all__ = ["permutation_mean", "permutation_skewness", "permutation_variance", "share"]

FEWEST = 6
"""Rows from which the third moment over permutations is defined by its formula."""


def permutation_mean(x: Factor, y: Factor) -> float:
    """Return the mean of the statistic over all permutations of the rows of y."""
    # Rows of a centred kernel sum to 0. So a permuted Ky has tr / n expected on the diagonal and -tr / (n (n - 1)) off
    # it, and E sum_ij Kx_ij Ky_pi(i)pi(j) = trx try / n + (-trx) (-try) / (n (n - 1)) = trx try / (n - 1).
    return x.trace * y.trace / (x.of.n - 1)


def permutation_variance(x: Factor, y: Factor) -> float:
    """Return the variance of the statistic over all permutations of the rows of y."""
    # Kazi-Aoual et al. 1995 give the variance of RV = tr(Kx Ky) / sqrt(tr(Kx^2) tr(Ky^2)); the statistic is its
    # numerator. tau is what sum_i K_ii^2 (`quartic`) has beyond what the share alone implies.
    n = x.of.n
    first, second = share(x), share(y)
    tau = [
        (n - 1) / ((n - 3) * (n - 1 - own)) * (n * (n + 1) * factor.quartic / factor.square - (n - 1) * (own + 2))
        for factor, own in ((x, first), (y, second))
    ]
    common = 2 * (n - 1 - first) * (n - 1 - second) / ((n + 1) * (n - 1) ** 2 * (n - 2))
    return float(x.square * y.square * common * (1 + (n - 3) / (2 * n * (n - 1)) * tau[0] * tau[1]))


def share(x: Factor) -> float:
    """Return tr(K)^2 / tr(K^2), the number of directions that the kernel has in effect."""
    return x.trace**2 / x.square


def permutation_skewness(x: Factor, y: Factor) -> float:
    """Return the skewness of the statistic over all permutations of the rows of y.

    What a kernel has in common in all directions adds a constant to the statistic, so that the third central moment is
    the third moment of kernels of trace 0: the formula of Kazi-Aoual et al. without the terms of traces. Of fewer than
    six rows, and where sums over all pairs are too much work, it is the skewness of the limiting distribution.

    References
    ----------
    Kazi-Aoual, Hitier, Sabatier, Lebreton 1995, Computational Statistics & Data Analysis 20:643.
    """
    n = float(x.of.n)
    first, second = x.third_order, y.third_order
    # the limit sum_ij (lambda_i mu_j / n) chi2_1 has the third cumulant 8 sum_ij (lambda_i mu_j / n)^3
    third = 8 * first.triangles * second.triangles / n**3
    if n >= FEWEST and np.isfinite(first.pairs) and np.isfinite(second.pairs):
        third = float(first.vector() @ _weights(n) @ second.vector())
    return float(third / permutation_variance(x, y) ** 1.5)


@lru_cache(maxsize=64)
def _weights(n: float) -> NDArray[np.float64]:
    """Return what each product of two sums of third order counts."""
    upper = np.zeros((5, 5))  # cubes, pairs, across, along, triangles
    upper[0] = (
        n**2 * (n + 1) * (n**2 + 15 * n - 4), -4 * n * (n - 1) * (n**2 - n + 4), -6 * n * (n - 1) * (n**2 - n + 4),
        -12 * n * (n - 1) ** 2 * (n + 4), 16 * n * (n - 1) * (n - 2),
    )  # fmt: skip
    upper[1, 1:] = (
        4 * (n**4 - 8 * n**3 + 19 * n**2 - 4 * n - 16), 24 * (n**2 - n - 4), 24 * (n**3 - 3 * n**2 - 2 * n + 8),
        -8 * (3 * n**2 - 15 * n + 16),
    )  # fmt: skip
    upper[2, 2:] = (
        6 * (n**4 - 8 * n**3 + 21 * n**2 - 6 * n - 24), 24 * (n**3 - 2 * n**2 - 3 * n + 12),
        -8 * (3 * n**2 - 15 * n + 24),
    )  # fmt: skip
    upper[3, 3:] = 12 * (n**4 - n**3 - 8 * n**2 + 36 * n - 48), -8 * (n - 2) * (3 * n**2 - 15 * n + 24)
    upper[4, 4] = 8 * (n**3 - 9 * n**2 + 26 * n - 22)
    orders = np.prod([1 - k / n for k in range(1, 6)]) * n**6  # n (n - 1) ... (n - 5)
    return np.asarray((upper + np.triu(upper, 1).T) / orders)
