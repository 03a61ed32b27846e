"""Kernel ridge regression on z, width and penalty chosen by generalised cross-validation: what z leaves of a variable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personax.independence.counts import Counted, join
from personax.independence.factor import Factor, marginal_factor
from personax.independence.kernels import Bandwidth, standardise, marginal_width

__all__ = ["Regression", "Residual"]

PENALTIES = np.logspace(-10, 2, 49)
"""Penalties that are tried, as multiples of the number of rows."""

WIDTHS = (1.0, 0.5, 2.0)
"""Multiples of the kernel's width that are tried."""


@dataclass(frozen=True, slots=True)
class Residual:
    """Residuals on the distinct values of (variable, z).

    Parameters
    ----------
    rows
        Shape (distinct combinations, columns).
    of
        The combinations.
    """

    rows: NDArray[np.float64]
    of: Counted


@dataclass(frozen=True)
class Regression:
    """Regression on z, ready for any number of variables.

    Parameters
    ----------
    z
        What is regressed on.
    bandwidth
        Width of its kernel; half and double of it are tried too.

    References
    ----------
    Golub, Heath, Wahba 1979, doi:10.1080/00401706.1979.10489751 (generalised cross-validation).
    """

    z: Counted
    bandwidth: Bandwidth = "median"

    @cached_property
    def spectra(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """For each width the kernel's features on their principal axes, shape (a, r), and the squares of the axes."""
        return [_spectrum(factor) for factor in self._factors()]

    def _factors(self) -> list[Factor]:
        if self.z.values is None:
            return [marginal_factor(self.z)]
        width = marginal_width(standardise(self.z), self.z.counts, self.bandwidth)
        return [marginal_factor(self.z, scale * width) for scale in WIDTHS]

    def residual(self, features: NDArray[np.float64], variable: Counted) -> Residual:
        """Return what z leaves of features of the distinct values of a variable, shape (a, m).

        Each column takes the width and the penalty with the smallest score.
        """
        both, first = join(variable, self.z)
        in_z = self.z.codes[first]
        target = features[variable.codes[first]]
        target = target - both.counts @ target / both.n
        sums = np.zeros((self.z.size, target.shape[1]))
        np.add.at(sums, in_z, both.counts[:, None] * target)
        total = both.counts @ np.square(target)
        fits = [_fit(sums, total, both.n, *spectrum) for spectrum in self.spectra]
        best = np.argmin([score for _, score in fits], axis=0)
        fitted = np.choose(best, [values for values, _ in fits])
        return Residual(target - fitted[in_z], both)


def _spectrum(factor: Factor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    squares, basis = np.linalg.eigh(factor.rows.T @ (factor.counts[:, None] * factor.rows))
    return factor.rows @ basis, squares.clip(0)


def _fit(
    sums: NDArray[np.float64], total: NDArray[np.float64], n: int, axes: NDArray[np.float64], squares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return fitted values of the distinct z and the score of each column, each column at its own best penalty."""
    along = axes.T @ sums
    penalties = (n * PENALTIES)[:, None]
    shrunk = 1 / (squares + penalties)
    left = total - ((squares + 2 * penalties) * np.square(shrunk)) @ np.square(along)
    freedom = 1 + (squares * shrunk).sum(axis=1, keepdims=True)
    scores = np.where(freedom < n, left.clip(0) / np.square(1 - np.minimum(freedom, n - 0.5) / n), np.inf)
    choice = scores.argmin(axis=0)
    return axes @ (along * shrunk[choice].T), scores[choice, np.arange(len(choice))]
