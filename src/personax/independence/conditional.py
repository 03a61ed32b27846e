"""KCI given z: what is left of both kernels after ridge regression on z.

With Kz = Pz Pz' the residual maker R = eps (Kz + eps I)^-1 is I - Pz (Pz'Pz + eps I)^-1 Pz', so that R acts on thin
factors and no n x n matrix is inverted. The residual features of a row depend on its (x, z) only: they too are counted.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve

from personax.errors import UntestableError
from personax.independence.counts import Counted, join
from personax.independence.effects import KERNEL_CORRELATION, effect_factor, kernel_correlation
from personax.independence.factor import Factor, centred, cross
from personax.independence.kernels import Bandwidth, Kernel, conditional_width, delta, gaussian, product, standardise
from personax.independence.null import gamma
from personax.independence.result import TestResult

__all__ = ["conditional_kci"]

RIDGE = 1e-3
"""eps of the regression on z."""

SHARE_OF_Z = 0.5
"""x is tested together with z at half its scale, and y by itself, as Zhang et al. do: the test is not symmetric."""

BLOCK = 1024
"""Rows of the n x n product that exist at one time."""


def conditional_kci(x: Counted, y: Counted, z: Counted, bandwidth: Bandwidth) -> TestResult:
    """Test x against y given z by the gamma null; see `personax.independence.kci.kci`."""
    if z.values is None and z.size == z.n:
        raise UntestableError("every row is a category of z by itself; nothing varies within one")
    kz = centred(_kernel(z, z, bandwidth), z.codes, z.counts)
    kx = _kernel_with_z(x, z, bandwidth)
    ky = centred(_kernel(y, z, bandwidth), y.codes, y.counts)
    rx, ry = _residual(kx, x, z, kz, "x"), _residual(ky, y, z, kz, "y")
    statistic = cross(rx, ry)
    mean, variance = _moments(rx, ry)
    wide_x = _residual(effect_factor(x), x, z, kz, "x")
    wide_y = _residual(effect_factor(y), y, z, kz, "y")
    effect = kernel_correlation(wide_x, wide_y)
    details = {"effect_name": KERNEL_CORRELATION, "rank_x": rx.rank, "rank_y": ry.rank, "rank_z": kz.rank}
    return TestResult(statistic, gamma(statistic, mean, variance), effect, x.n, "gamma", details)


def _kernel(variable: Counted, z: Counted, bandwidth: Bandwidth) -> Kernel:
    """Return the kernel of y or z by itself."""
    if variable.values is None:
        return delta(np.arange(variable.size))
    values = standardise(variable)
    return gaussian(values, conditional_width(values, variable.counts, bandwidth, z.columns))


def _kernel_with_z(x: Counted, z: Counted, bandwidth: Bandwidth) -> Factor:
    """Return the kernel of (x, z / 2): Gaussian in the numbers, equality in the categories."""
    codes, counts, first = join(x.codes, z.codes)
    parts = ((x, x.codes[first], 1.0), (z, z.codes[first], SHARE_OF_Z))
    numbers = [scale * standardise(v)[rows] for v, rows, scale in parts if v.values is not None]
    kernels = [delta(rows) for v, rows, _ in parts if v.values is None]
    if numbers:
        values = np.hstack(numbers)
        kernels.append(gaussian(values, conditional_width(values, counts, bandwidth, z.columns)))
    return centred(kernels[0] if len(kernels) == 1 else product(*kernels), codes, counts)


def _residual(kernel: Factor, variable: Counted, z: Counted, kz: Factor, name: str) -> Factor:
    """Return what ridge regression on z leaves of a kernel, on the distinct values of (variable, z)."""
    codes, counts, first = join(variable.codes, z.codes)
    if len(counts) == z.size and 2 * z.size < z.n:  # not where each row has its own z, or a table is doubled
        raise UntestableError(f"every value of z has one value of {name}; nothing varies within one")
    features, given = kernel.rows[kernel.codes[first]], kz.rows[kz.codes[first]]
    weighted = (counts[:, None] * given).T
    coefficients = solve(weighted @ given + RIDGE * np.eye(kz.rank), weighted @ features, assume_a="pos")
    return Factor(features - given @ coefficients, codes, counts)


def _moments(x: Factor, y: Factor) -> tuple[float, float]:
    """Return mean and variance of the statistic under the null.

    With S_ij = Kx_ij Ky_ij they are tr S and 2 sum_ij S_ij^2. S exists block by block, on distinct values of (x, y, z).
    """
    _, weights, first = join(x.codes, y.codes)
    in_x, in_y = x.codes[first], y.codes[first]
    mean = float(weights @ (x.diagonal()[in_x] * y.diagonal()[in_y]))
    fx, fy = x.rows[in_x], y.rows[in_y]
    total = 0.0
    for start in range(0, len(weights), BLOCK):
        here, later = slice(start, start + BLOCK), slice(start, None)
        squares = np.square((fx[here] @ fx[later].T) * (fy[here] @ fy[later].T))
        sums = weights[here] @ squares
        own = len(weights[here])
        total += float(2 * sums @ weights[later] - sums[:own] @ weights[here])  # S is symmetric
    return mean, 2 * total
