"""What kernel ridge regression on z leaves of a variable, width and penalty chosen by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personax.errors import UntestableError
from personax.independence._counts import Counted, join_given
from personax.independence._kernels import Bandwidth, Factor, marginal_factor, marginal_width, standardise

__all__ = ["Regression", "Residual"]

PENALTIES = np.logspace(-10, 2, 49)
"""Penalties that are tried, as multiples of the number of rows."""

RANK = 300
"""Features of z at most. A regression on so many landmarks errs no more than one on all rows would (Rudi, Camoriano,
Rosasco 2015, arXiv:1507.04717, who need about sqrt(n)), and a z of many columns would have as many as rows."""

WIDTHS = (1.0, 0.5, 2.0)
"""Multiples of the kernel's width that are tried."""

NARROW = (0.25, 0.125)
"""More of them for a z of one column, which may wave; several columns are too far apart for narrow kernels."""


ROUNDING = 1e-12
"""Axes whose squares are below this share of the largest hold rounding only."""

LEAST_FREEDOM = 0.1
"""Share of the rows that a regression leaves free at the least; with fewer, residuals are those of interpolation."""


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
        Width of its kernel; half and double of it are tried too, and less for a single column.

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
        scales = WIDTHS + NARROW if self.z.columns == 1 else WIDTHS
        return [marginal_factor(self.z, scale * width, most=RANK) for scale in scales]

    def residual(
        self, features: NDArray[np.float64], variable: Counted, name: str = "a variable", *, together: bool = False
    ) -> Residual:
        """Return what z leaves of features of the distinct values of a variable, shape (a, m).

        Each column takes the width and the penalty with the smallest score; ``together`` all columns take those with
        the smallest sum of scores, which does not depend on the basis in which the features are written.

        Raises
        ------
        UntestableError
            When the variable, called ``name``, does not vary given z, or each row has a category of z for itself.
        """
        if self.z.values is None and self.z.size == len(self.z.codes):
            raise UntestableError("every row is a category of z by itself; nothing varies within one")
        both, first = join_given(variable, self.z, name)
        in_z = self.z.codes[first]
        target = features[variable.codes[first]]
        target = target - both.counts @ target / both.n
        gather = sparse.csr_array((both.counts.astype(float), (in_z, np.arange(both.size))), (self.z.size, both.size))
        sums = np.asarray(gather @ target)
        total = np.asarray(both.counts @ np.square(target), dtype=float)
        alongs = [axes.T @ sums for axes, _ in self.spectra]
        scores = np.array(
            [_scores(along, total, both.n, s) for along, (_, s) in zip(alongs, self.spectra, strict=True)]
        )
        if together:
            scores = np.broadcast_to(scores.sum(axis=2, keepdims=True), scores.shape)
        width, penalty = np.unravel_index(scores.reshape(-1, scores.shape[2]).argmin(axis=0), scores.shape[:2])
        fitted = np.zeros_like(sums)
        for i in np.unique(width):
            axes, squares = self.spectra[i]
            chosen = width == i
            fitted[:, chosen] = axes @ (alongs[i][:, chosen] * _shrinkage(both.n, squares)[penalty[chosen]].T)
        return Residual(target - fitted[in_z], both)


def _spectrum(factor: Factor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    squares, basis = np.linalg.eigh(factor.rows.T @ (factor.counts[:, None] * factor.rows))
    kept = squares > ROUNDING * squares.max()
    return factor.rows @ basis[:, kept], squares[kept]


def _shrinkage(n: int, squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (square + penalty), shape (penalties, r)."""
    return np.asarray(1 / (squares + (n * PENALTIES)[:, None]))


def _scores(
    along: NDArray[np.float64], total: NDArray[np.float64], n: int, squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the generalised cross-validation score of each penalty and column."""
    # Ridge regression on features A with A'A = diag(s) fits the share s_j / (s_j + n p) of what lies along axis j,
    # (a_j'y)^2 / s_j = `energy`, and leaves n p / (s_j + n p) of it (`left_over`). With what no axis reaches, the
    # residual sum of squares is total - sum energy + sum left_over^2 energy. The trace of the hat matrix is
    # 1 + sum s_j / (s_j + n p), the mean counted, so n - trace = n - 1 - r + sum left_over. The score is n RSS over the
    # square of that (Golub, Heath, Wahba 1979), n being the same for all.
    left_over = (n * PENALTIES)[:, None] * _shrinkage(n, squares)
    # both as sums of what is left, so that nothing cancels where next to nothing is
    energy = np.square(along) / squares[:, None]
    left = (total - energy.sum(axis=0)).clip(0) + np.square(left_over) @ energy
    freedom = n - 1 - len(squares) + left_over.sum(axis=1, keepdims=True)
    return np.where(freedom > LEAST_FREEDOM * n, left / np.square(freedom), np.inf)
