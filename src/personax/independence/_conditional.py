"""KCI given z: what is left of both kernels after ridge regression on z.

With Kz = Pz Pz' the residual maker R = eps (Kz + eps I)^-1 is I - Pz (Pz'Pz + eps I)^-1 Pz', so that R acts on thin
factors and no n x n matrix is inverted. The residual features of a row depend on its (x, z) only: they too are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from personax.errors import UntestableError
from personax.independence._counts import Counted, join, join_given
from personax.independence._effects import KERNEL_CORRELATION, effect_factor, kernel_correlation
from personax.independence._kernel_products import Products
from personax.independence._kernel_ridge import Regression, inflation
from personax.independence._kernels import (
    Bandwidth,
    Factor,
    Kernel,
    centred,
    conditional_width,
    cross,
    delta,
    gaussian,
    kernel_of,
    product,
    standardise,
)
from personax.independence._null import Null, exact, gamma
from personax.independence._regression_checks import checked
from personax.independence._residual_kernels import Location, located, products, residual_kernel
from personax.independence._result import TestResult
from personax.progress import now_at, step_begins

__all__ = ["Choice", "Left", "conditional_effect", "conditional_kci", "conditional_left"]

TOLERANCE = 1e-9
"""Largest mean diagonal of what the kernels of x and y leave out; that of z, which the ridge divides, is smaller."""

Choice = Literal["cv", "ridge"]
"""Regression on z: penalty and width by cross-validation, or `RIDGE` and the width of the test."""

Left = Callable[[Factor, Counted, str], Factor]
"""(kernel, variable, its name) -> what z leaves of the kernel."""

RIDGE = 1e-3
"""The fixed penalty."""

SHARE_OF_Z = 0.5
"""x is tested together with z at half its scale, and y by itself, as Zhang et al. do: the test is not symmetric."""

NEGLIGIBLE = 1e-7
"""Share of the trace that the variance leaves out."""


def conditional_kci(
    x: Counted,
    y: Counted,
    z: Counted,
    bandwidth: Bandwidth = "auto",
    null: Null = "gamma",
    regression: Choice = "cv",
    *,
    validated: Regression | None = None,
    effect: float | None = None,
) -> TestResult:
    """Test x against y given z; see `personax.independence._kci.kci`."""
    step_begins()
    if z.values is None and z.size == len(z.codes):
        raise UntestableError("every row is a category of z by itself; nothing varies within one")
    if bandwidth == "auto":
        bandwidth = "empirical" if regression == "ridge" else "distance"
    if regression == "ridge":
        left = _ridge(z, bandwidth)
        tested = _by_ridge(x, y, z, left, bandwidth, null)
    else:
        validated = validated or Regression(z)
        left = conditional_left(validated)
        tested = _by_residuals(x, y, validated, bandwidth, null)
    effect = _effect(x, y, left) if effect is None else effect
    details = {"effect_name": KERNEL_CORRELATION, "rank_x": tested.x.rank, "rank_y": tested.y.rank}
    details |= {"regression": regression, **tested.why}
    return TestResult(tested.statistic, tested.p_value, effect, x.n, null, details)


class _Tested(NamedTuple):
    """What is left of both kernels, the statistic of these, its p-value, and how it was come by."""

    x: Factor
    y: Factor
    statistic: float
    p_value: float
    why: dict[str, str] = {}


def _by_residuals(x: Counted, y: Counted, regression: Regression, bandwidth: Bandwidth, null: Null) -> _Tested:
    """Run the symmetric test, and where it is in doubt again with regressions that may jump."""

    def run(locations: Sequence[Location]) -> _Tested:
        return _symmetric(x, y, regression, locations, bandwidth, null)

    locations = [located(v, regression, name) for v, name in ((x, "x"), (y, "y"))]
    return checked(run(locations), run, x, y, regression, locations)


def _symmetric(
    x: Counted, y: Counted, regression: Regression, locations: Sequence[Location], bandwidth: Bandwidth, null: Null
) -> _Tested:
    """Test what the regressions leave of x and of y."""
    (rx, used_x), (ry, used_y) = (
        residual_kernel(v, regression, name, bandwidth, location)
        for v, name, location in zip((x, y), "xy", locations, strict=True)
    )
    now_at("the variance of the statistic")
    tested = products(rx, ry, regression)
    statistic, mean, variance = tested.moments()
    less = statistic / float(inflation(x.n, np.array([used_x]), np.array([used_y]))[0, 0])
    p_value = exact(less, *tested.spectrum()) if null == "spectral" else gamma(less, mean, variance)
    taken = {f"regression_{name}": one.residual.chosen for name, one in zip("xy", locations, strict=True)}
    return _Tested(rx, ry, statistic, p_value, taken)


def _by_ridge(x: Counted, y: Counted, z: Counted, left: Left, bandwidth: Bandwidth, null: Null) -> _Tested:
    """Run the test of Zhang et al."""
    kx = _kernel_with_z(x, z, bandwidth)
    ky = centred(_kernel(y, z, bandwidth), y, TOLERANCE)
    rx, ry = left(kx, x, "x"), left(ky, y, "y")
    statistic = cross(rx, ry)
    spectral = null == "spectral"
    p_value = exact(statistic, *_products(rx, ry).spectrum()) if spectral else gamma(statistic, *_moments(rx, ry))
    return _Tested(rx, ry, statistic, p_value)


def conditional_effect(x: Counted, y: Counted, z: Counted) -> float:
    """Return the kernel correlation of what regression on z leaves of x and y."""
    return _effect(x, y, conditional_left(Regression(z)))


def _effect(x: Counted, y: Counted, left: Left) -> float:
    return kernel_correlation(left(effect_factor(x), x, "x"), left(effect_factor(y), y, "y"))


def _ridge(z: Counted, bandwidth: Bandwidth) -> Left:
    return _Ridge(z, centred(_kernel(z, z, bandwidth), z)).residual


def conditional_left(validated: Regression) -> Left:
    """Return the function that leaves of a kernel what cross-validated regression on z does not explain."""

    def residual(kernel: Factor, variable: Counted, name: str) -> Factor:
        # the kernel of x may be one of (x, z) together, on values of its own
        left = validated.residual(kernel.rows, kernel.of, name, together=True)
        return Factor(left.rows, left.of)

    return residual


class _Ridge:
    """Ridge regression on z with a fixed penalty, factored once for all that is regressed."""

    def __init__(self, z: Counted, kernel: Factor) -> None:
        self.z, self.kernel = z, kernel
        self._whole = 3 * kernel.rank > z.size  # then the kernel itself is the cheaper matrix
        self._root = np.sqrt(z.counts)[:, None]
        weighted = self._root * kernel.rows
        gram = weighted @ weighted.T if self._whole else weighted.T @ weighted
        gram[np.diag_indices_from(gram)] += RIDGE
        self._factored = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)

    def residual(self, kernel: Factor, variable: Counted, name: str) -> Factor:
        """Return what is left of a kernel, on the distinct values of (variable, z)."""
        z = self.z
        both, first = join_given(variable, z, name)
        features = kernel.rows[kernel.of.codes[first]]
        in_z = z.codes[first]
        sums = sparse.csr_array((both.counts.astype(float), (in_z, np.arange(both.size))), (z.size, both.size))
        return Factor(features - self._fitted(sums @ features)[in_z], both)

    def _fitted(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fitted values of each distinct z from the sums of the features there."""
        if not self._whole:
            rows = self.kernel.rows
            return rows @ cho_solve(self._factored, rows.T @ sums, check_finite=False)
        scaled = sums / self._root
        return (scaled - RIDGE * cho_solve(self._factored, scaled, check_finite=False)) / self._root


def _kernel(variable: Counted, z: Counted, bandwidth: Bandwidth) -> Kernel:
    """Return the kernel of y or z by itself."""
    return kernel_of(variable, lambda values: conditional_width(values, variable.counts, bandwidth, z.columns))


def _kernel_with_z(x: Counted, z: Counted, bandwidth: Bandwidth) -> Factor:
    """Return the kernel of (x, z / 2): Gaussian in the numbers, equality in the categories."""
    both, first = join(x, z)
    parts = ((x, x.codes[first], 1.0), (z, z.codes[first], SHARE_OF_Z))
    numbers = [scale * standardise(v)[rows] for v, rows, scale in parts if v.values is not None]
    kernels = [delta(rows) for v, rows, _ in parts if v.values is None]
    kernels += [delta(v.labels[rows]) for v, rows, _ in parts if v.labels is not None]
    if numbers:
        values = np.hstack(numbers)
        kernels.append(gaussian(values, conditional_width(values, both.counts, bandwidth, z.columns)))
    return centred(product(kernels), both, TOLERANCE)


def _products(x: Factor, y: Factor) -> Products:
    """Return S = Kx * Ky, element by element, whose eigenvalues are the weights of the null distribution."""
    both, first = join(x.of, y.of)
    rows = x.rows[x.of.codes[first]], y.rows[y.of.codes[first]]
    return Products(*rows, None, None, both.counts.astype(float))


def _moments(x: Factor, y: Factor) -> tuple[float, float]:
    """Return mean and variance of the statistic under the null: tr S and 2 sum_ij S_ij^2."""
    mean = _products(x, y).trace
    return mean, _products(_leading(x), _leading(y)).moments()[2]


def _leading(factor: Factor) -> Factor:
    """Return the features without the last ones that hold next to nothing of the trace.

    The variance sets the width of the null distribution: seven digits of it are enough, so single precision is.
    """
    held = np.cumsum((factor.counts @ np.square(factor.rows))[::-1])[::-1]
    return replace(factor, rows=factor.rows[:, held > NEGLIGIBLE * held[0]].astype(np.float32))
