"""Kernels of what z leaves of a variable, for a conditional test that is the same from both sides.

A number is first replaced by what regression on z leaves of it, so that a strong z no longer moves its kernel; then
each principal axis of the kernel of that residual loses what z explains of it, by a regression of its own. An axis on
which z works in another way than on the rest would otherwise share their penalty.

Under independence given z the features r of x and s of y that are left have E r(x) s(y) = 0 given z, and so has their
product with any function of z. With a wide kernel Kz of z the statistic ``sum_ij Kx_ij Ky_ij Kz_ij`` sums the squared
means of these products; it sees a dependence that turns its sign with z, which the products alone would not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personax.errors import DeterminedError
from personax.independence._counts import Counted, join
from personax.independence._kernel_products import Products
from personax.independence._kernel_ridge import Regression, Residual, Spectrum
from personax.independence._kernels import Bandwidth, Factor, marginal_factor, standardise
from personax.independence._trees import jumping
from personax.progress import now_at

__all__ = ["Location", "located", "products", "residual_kernel", "stays"]

EXPLAINED = 1e-6
"""A variable of which z leaves a smaller share of the variance is a function of z, but for rounding."""

NEGLIGIBLE = 1e-5
"""Principal axes that hold a smaller share of the largest are left out."""

TOLERANCE = 1e-9
"""Mean diagonal that the kernels leave out."""

CONSTANT = 1e-3
"""Spread, in standard deviations of the variable, below which a function of z is taken as constant."""

WIDTH_OF_Z = 2.0
"""Multiple of the median distance: a kernel of z that is wide, as z enters at half its scale in Zhang et al."""

TREES, SEGMENTS, MEAN = "boosted trees", "lines in segments", "its mean"


@dataclass(frozen=True)
class Location:
    """What z leaves of the values of a variable, and the functions of z that were fitted on the way.

    Parameters
    ----------
    residual
        Of the standardised numbers, or of one column a category but the last.
    columns
        These columns on the distinct values of the variable.
    regression
        The regression on z.
    """

    residual: Residual
    columns: NDArray[np.float64]
    regression: Regression

    @cached_property
    def functions(self) -> NDArray[np.float64]:
        """Fitted values and, where z has several columns, their spread, on the distinct z; of one column if it jumps.

        Given many columns the distribution often depends on z through its mean and spread alone.
        """
        fitted = self.residual.fitted
        if self.regression.z.columns == 1:
            return fitted[:, : self.residual.chosen == SEGMENTS]
        return np.hstack([fitted, self.spread])

    @cached_property
    def spectra(self) -> list[Spectrum]:
        """The regressions on these functions."""
        return _on(self.regression, self.functions, MEAN)

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        """What z explains of the size of the residuals, less its mean, on the distinct z."""
        left, more = self.residual, _on(self.regression, self.residual.fitted, MEAN)
        return self.regression.residual(np.abs(left.rows), left.of, more=more).fitted


def located(variable: Counted, regression: Regression, name: str, *, jumps: bool = False) -> Location:
    """Regress the values of a variable on z, and by what ``jumps``: lines in segments of one column, trees of several.

    Raises
    ------
    DeterminedError
        When z explains the variable but for rounding.
    """
    now_at(f"regression of {name} on z{' that may jump' if jumps else ''}")
    columns = np.eye(variable.size)[:, :-1] if variable.values is None else standardise(variable)
    more: list[Spectrum] = []
    if jumps:
        predicted, taken = jumping(_means(columns, variable, regression.z), regression.z)
        more = regression.beside(predicted, SEGMENTS if regression.z.columns == 1 else TREES)
    residual = regression.residual(columns, variable, name, more=more)
    if residual.chosen == SEGMENTS and residual.used is not None:
        residual = replace(residual, used=residual.used + taken.max())
    _check_left(columns, variable, residual.rows, residual.of, name)
    return Location(residual, columns, regression)


def residual_kernel(
    variable: Counted, regression: Regression, name: str, bandwidth: Bandwidth, location: Location
) -> tuple[Factor, float]:
    """Return the features of a variable that z does not explain, on the distinct (variable, z), and what that used.

    The latter are degrees of freedom: those of the regression of numbers, or of that of the axes, where it is more.
    """
    now_at(f"the kernel of what z leaves of {name}")
    left = variable
    if not stays(variable):
        left = replace(location.residual.of, values=location.residual.rows, labels=None)
    features = _principal(marginal_factor(left, bandwidth, tolerance=TOLERANCE))
    residual = regression.residual(features, left, name, more=location.spectra)
    assert residual.used is not None
    assert location.residual.used is not None
    used = float(np.average(residual.used, weights=residual.of.counts @ np.square(residual.rows)))
    if left is not variable:
        used = max(used, float(location.residual.used.mean()))
    return Factor(residual.rows, residual.of), used


def stays(variable: Counted) -> bool:
    """Say whether a variable keeps its own kernel: categories, and two values, of which residuals hide that."""
    return variable.values is None or variable.labels is not None or variable.size == 2


def _means(columns: NDArray[np.float64], variable: Counted, z: Counted) -> NDArray[np.float64]:
    """Return the means of columns of a variable on the distinct values of z."""
    both, first = join(variable, z)
    sums = np.zeros((z.size, columns.shape[1]))
    np.add.at(sums, z.codes[first], both.counts[:, None] * columns[variable.codes[first]])
    return sums / z.counts[:, None]


def _check_left(
    columns: NDArray[np.float64], variable: Counted, rows: NDArray[np.float64], of: Counted, name: str
) -> None:
    """Say that z determines a variable of which it leaves rounding only."""
    total = variable.counts @ np.square(columns - variable.counts @ columns / variable.n)
    share = of.counts @ np.square(rows) / np.where(total > 0, total, np.inf)
    if share.max() < EXPLAINED:
        text = f"z determines {name}: all but {share.max():.0e} of its variance; nothing is left to test"
        raise DeterminedError(text, name)


def _on(regression: Regression, values: NDArray[np.float64], name: str) -> list[Spectrum]:
    """Return the regressions on functions of z that vary."""
    share = regression.z.counts / regression.z.n
    values = values - share @ values
    values = values[:, np.sqrt(share @ np.square(values)) > CONSTANT]
    return regression.on(values, name) if values.shape[1] else []


def _principal(kernel: Factor) -> NDArray[np.float64]:
    """Return the features on their principal axes."""
    squares, basis = np.linalg.eigh(kernel.gram)
    return np.asarray(kernel.rows @ basis[:, squares > NEGLIGIBLE * squares[-1]])


def products(x: Factor, y: Factor, regression: Regression) -> Products:
    """Return S of what z leaves of x and of y."""
    z = regression.z
    both, first = join(x.of, y.of)
    in_z, numbers = z.codes[first], None
    if z.values is not None:
        numbers = (standardise(z) / (np.sqrt(2) * WIDTH_OF_Z * regression.distance))[in_z]
    labels = in_z if z.values is None else None if z.labels is None else z.labels[in_z]
    rows_x, rows_y = (factor.rows[factor.of.codes[first]] for factor in (x, y))
    return Products(rows_x, rows_y, numbers, labels, both.counts.astype(float))
