"""What regression on z leaves of a variable: linear, a curve a column or kernel ridge, chosen by cross-validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personax.errors import UntestableError
from personax.independence._counts import Counted, join_given
from personax.independence._kernels import Bandwidth, Factor, marginal_factor, marginal_width, standardise

__all__ = ["LINEAR", "Regression", "Residual", "Spectrum"]

LINEAR = "linear"


class Spectrum(NamedTuple):
    """Features of the distinct z on their principal axes, shape (a, r), the squares of the axes, and what they are."""

    axes: NDArray[np.float64]
    squares: NDArray[np.float64]
    name: str


PENALTIES = np.logspace(-10, 2, 49)
"""Penalties that are tried, as multiples of the number of rows."""

RANK = 300
"""Features of z at most. A regression on so many landmarks errs no more than one on all rows would (Rudi, Camoriano,
Rosasco 2015, arXiv:1507.04717, who need about sqrt(n)), and a z of many columns would have as many as rows."""

TOLERANCE = 1e-9
"""Mean diagonal that the kernels of z leave out."""

WIDTHS = (1.0, 0.5, 2.0)
"""Multiples of the kernel's width that are tried."""

NARROW = (0.25, 0.125)
"""More of them for a z of one column, which may wave; several columns are too far apart for narrow kernels."""


CURVE_WIDTH = 1.0
CURVE_FEATURES = 12
CURVE_TOLERANCE = 1e-4
"""Kernel of the curves of an additive regression: width in standard deviations, most features, what they leave out."""

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
    fitted
        What the regression expects, less the mean, on the distinct values of z, shape (distinct z, columns).
    chosen
        The regression that most of the columns took.
    gain
        Share of the cross-validation score of a linear regression that the chosen ones save, mean over the columns.
    """

    rows: NDArray[np.float64]
    of: Counted
    fitted: NDArray[np.float64]
    chosen: str = ""
    gain: float = 0.0


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
    def spectra(self) -> list[Spectrum]:
        """The regressions among which each variable takes the best: their features of z on principal axes."""
        return [_spectrum(factor, name) for name, factor in self._factors()]

    def _factors(self) -> list[tuple[str, Factor]]:
        if self.z.values is None:
            return [("means of groups", marginal_factor(self.z))]
        width = marginal_width(standardise(self.z), self.z.counts, self.bandwidth)
        scales = WIDTHS + NARROW if self.z.columns == 1 else WIDTHS
        factors = [marginal_factor(self.z, scale * width, tolerance=TOLERANCE, most=RANK) for scale in scales]
        kernels = [("kernel ridge", factor) for factor in factors]
        return [*kernels, *self._factors_of_columns()]

    def _factors_of_columns(self) -> list[tuple[str, Factor]]:
        assert self.z.values is not None
        curves = [("curves", self._additive())] if self.z.values.shape[1] > 1 else []
        return [(LINEAR, self._linear()), *curves]

    def _linear(self) -> Factor:
        return Factor(np.hstack([standardise(self.z), *self._indicators()]), self.z)

    def _additive(self) -> Factor:
        """Return a curve for each column: kernels on one line at a time, added."""
        values = standardise(self.z)
        curves = [
            marginal_factor(
                replace(self.z, values=values[:, [k]], labels=None),
                CURVE_WIDTH,
                tolerance=CURVE_TOLERANCE,
                most=CURVE_FEATURES,
            ).rows
            for k in np.flatnonzero(np.ptp(values, axis=0) > 0)
        ]
        return Factor(np.hstack([*curves, *self._indicators()]), self.z)

    def _indicators(self) -> list[NDArray[np.float64]]:
        """Return the categories that stand beside the numbers of z, as columns of mean 0."""
        if self.z.labels is None:
            return []
        columns = np.eye(int(self.z.labels.max()) + 1)[self.z.labels]
        return [columns - self.z.counts @ columns / self.z.n]

    def on(self, values: NDArray[np.float64], name: str) -> list[Spectrum]:
        """Return the regressions on functions of z, called ``name``, given on its distinct values, shape (a, k)."""
        found = Regression(replace(self.z, values=values, labels=None), self.bandwidth).spectra
        return [spectrum._replace(name=name) for spectrum in found]

    def beside(self, values: NDArray[np.float64], name: str) -> list[Spectrum]:
        """Return the regressions on functions of z alone, and on them beside lines and beside curves."""
        share = self.z.counts / self.z.n
        values = values - share @ values
        spread = np.sqrt(share @ np.square(values))
        values = values[:, spread > 0] / spread[spread > 0]
        if not values.shape[1]:
            return []
        sums = [factor for _, factor in self._factors_of_columns()]
        wide = [_spectrum(Factor(np.hstack([factor.rows, values]), self.z), name) for factor in sums]
        return [*self.on(values, name), *wide]

    def residual(
        self,
        features: NDArray[np.float64],
        variable: Counted,
        name: str = "a variable",
        *,
        together: bool = False,
        more: Sequence[Spectrum] = (),
    ) -> Residual:
        """Return what z leaves of features of the distinct values of a variable, shape (a, m).

        Each column takes the width and the penalty with the smallest score; ``together`` all columns take those with
        the smallest sum of scores, which does not depend on the basis in which the features are written. ``more``
        regressions, from `on`, are tried too.

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
        spectra = [*self.spectra, *more]
        alongs = [one.axes.T @ sums for one in spectra]
        pairs = zip(alongs, spectra, strict=True)
        scores = np.array([_scores(along, total, both.n, one.squares) for along, one in pairs])
        if together:
            scores = np.broadcast_to(scores.sum(axis=2, keepdims=True), scores.shape)
        width, penalty = np.unravel_index(scores.reshape(-1, scores.shape[2]).argmin(axis=0), scores.shape[:2])
        fitted = np.zeros_like(sums)
        for i in np.unique(width):
            axes, squares, _ = spectra[i]
            these = width == i
            fitted[:, these] = axes @ (alongs[i][:, these] * _shrinkage(both.n, squares)[penalty[these]].T)
        chosen = Counter(spectra[i].name for i in width).most_common(1)[0][0]
        return Residual(target - fitted[in_z], both, fitted, chosen, _gain(scores, [one.name for one in spectra]))


def _gain(scores: NDArray[np.float64], names: Sequence[str]) -> float:
    """Return what the best regression saves of the linear one's score; scores: shape (regressions, penalties, m)."""
    if LINEAR not in names:
        return 0.0
    best, linear = scores.min(axis=(0, 1)), scores[names.index(LINEAR)].min(axis=0)
    return float(np.mean(1 - best / np.where(linear > 0, linear, np.inf)))


def _spectrum(factor: Factor, name: str) -> Spectrum:
    squares, basis = np.linalg.eigh(factor.rows.T @ (factor.counts[:, None] * factor.rows))
    kept = squares > ROUNDING * squares.max()
    return Spectrum(factor.rows @ basis[:, kept], squares[kept], name)


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
