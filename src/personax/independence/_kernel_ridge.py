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
from personax.independence._kernels import Factor, line_of, marginal_factor, marginal_width, standardise
from personax.independence._line_kernels import MOST_POLYNOMIALS

__all__ = ["LINEAR", "Regression", "Residual", "Spectrum", "inflation"]

LINEAR, KERNEL = "linear", "kernel ridge"


class Spectrum(NamedTuple):
    """A regression: what takes features of the distinct z to their principal axes, the squares of these, its name.

    The axes are ``features[:, :p] @ turns``, less their means; features, shape (a, at least p), may be those of several
    regressions, turns have shape (p, r).
    """

    features: NDArray[np.float64]
    turns: NDArray[np.float64]
    squares: NDArray[np.float64]
    name: str


PENALTIES = np.logspace(-10, 2, 25)
"""Penalties that are tried, as multiples of the number of rows."""

RANK, RANK_A_ROOT, LEAST_RANK = 300, 4, 100
"""Features of several columns of z at most: 4 sqrt(n), within bounds. A regression on about sqrt(n) landmarks errs no
more than one on all rows would (Rudi, Camoriano, Rosasco 2015, arXiv:1507.04717)."""

TOLERANCE = 1e-9
"""Mean diagonal that the kernels of z leave out."""

WIDTHS = (1.0, 0.5, 2.0)
"""Multiples of the kernel's width that are tried."""

NARROW = (0.25, 0.125)
"""More of them for a z of one column, which may wave; several columns are too far apart for narrow kernels."""

ROUGH, RANK_OF_FUNCTIONS = 1e-6, 60
"""Mean diagonal that the kernel of functions of z leaves out, and its features at most: on what is nearly the mean of a
variable only gentle bends are left."""

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
    used
        Degrees of freedom that the regression of each column took: the trace of its hat matrix.
    """

    rows: NDArray[np.float64]
    of: Counted
    fitted: NDArray[np.float64]
    chosen: str = ""
    gain: float = 0.0
    used: NDArray[np.float64] | None = None


def inflation(n: int, used_x: NDArray[np.float64], used_y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the square of a sum of products of residuals is larger than the sum of their squares.

    Residuals ``(I - H) e`` and ``(I - G) f`` of independent errors of variance 1 have a sum of products of variance
    ``tr (I - H)(I - G)``, which of projections on nested spaces is n less the larger trace; the sum of the squared
    products is about ``(n - tr H)(n - tr G) / n``. The ratio is n over n less the smaller trace.

    Parameters
    ----------
    n
        Rows.
    used_x, used_y
        Degrees of freedom of the two regressions, for each of their columns: shapes (a,) and (b,).

    Returns
    -------
    numpy.ndarray
        Of each pair of columns, shape (a, b).

    Examples
    --------
    >>> inflation(200, np.array([21.0]), np.array([2.0, 101.0])).round(3).tolist()
    [[1.01, 1.117]]
    """
    return np.asarray(n / (n - np.minimum.outer(used_x, used_y)))


@dataclass(frozen=True)
class Regression:
    """Regression on z, ready for any number of variables.

    Parameters
    ----------
    z
        What is regressed on. The width of its kernel is sqrt(2) times the median distance; half and double of it are
        tried too, and less for a single column.

    References
    ----------
    Golub, Heath, Wahba 1979, doi:10.1080/00401706.1979.10489751 (generalised cross-validation).
    """

    z: Counted

    @cached_property
    def distance(self) -> float:
        """The median distance of two rows in z, in standard deviations."""
        return marginal_width(standardise(self.z), self.z.counts, "distance")

    @property
    def _width(self) -> float:
        return float(np.sqrt(2)) * self.distance

    @cached_property
    def spectra(self) -> list[Spectrum]:
        """The regressions among which each variable takes the best: their features of z on principal axes."""
        if self.z.values is None:
            return [_spectrum(marginal_factor(self.z), "means of groups")]
        widths = [scale * self._width for scale in (WIDTHS + NARROW if self.z.columns == 1 else WIDTHS)]
        rank = RANK if self.z.columns == 1 else int(np.clip(RANK_A_ROOT * np.sqrt(self.z.n), LEAST_RANK, RANK))
        kernels = self._on_a_line(widths) or [
            _spectrum(marginal_factor(self.z, one, tolerance=TOLERANCE, most=rank), KERNEL) for one in widths
        ]
        return [*kernels, *(_spectrum(factor, name) for name, factor in self._factors_of_columns())]

    def _on_a_line(self, widths: Sequence[float]) -> list[Spectrum]:
        """Return the kernel regressions on one column by one table of polynomials; none where that does not pay."""
        line = line_of(self.z)
        if line is None or max(line.needed(width, TOLERANCE) for width in widths) > MOST_POLYNOMIALS:
            return []
        made = [line.coefficients(width, TOLERANCE) for width in widths]
        table = line.table(max(map(len, made))).T
        return [_turned(table, one, one.T @ line.gram(len(one)) @ one, KERNEL) for one in made]

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
        of = Regression(replace(self.z, values=values, labels=None))
        kernel = marginal_factor(of.z, of._width, tolerance=ROUGH, most=RANK_OF_FUNCTIONS)
        return [_spectrum(factor, name) for factor in (kernel, *(one for _, one in of._factors_of_columns()))]

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
        sums = _sums(both.counts[:, None] * target, in_z, self.z.size)
        total = np.asarray(both.counts @ np.square(target), dtype=float)
        spectra = [*self.spectra, *more]
        # regressions of several widths have their features in common
        bases = {id(one.features): one.features for one in spectra}
        along_features = {key: features.T @ sums for key, features in bases.items()}
        alongs = [one.turns.T @ along_features[id(one.features)][: len(one.turns)] for one in spectra]
        pairs = zip(alongs, spectra, strict=True)
        scores = np.array([_scores(along, total, both.n, one.squares) for along, one in pairs])
        if self.z.values is None:
            scores[:, 1:] = np.inf  # means that are drawn together leave of both variables what differs between groups
        if together:
            scores = np.broadcast_to(scores.sum(axis=2, keepdims=True), scores.shape)
        width, penalty = np.unravel_index(scores.reshape(-1, scores.shape[2]).argmin(axis=0), scores.shape[:2])
        coefficients = {key: np.zeros((features.shape[1], sums.shape[1])) for key, features in bases.items()}
        used = np.ones(len(width))
        for i in np.unique(width):
            one, these = spectra[i], width == i
            shrinkage = _shrinkage(both.n, one.squares)[penalty[these]]
            used[these] += shrinkage @ one.squares
            along = alongs[i][:, these] * shrinkage.T
            coefficients[id(one.features)][: len(one.turns), these] = one.turns @ along
        fitted = sum(bases[key] @ these for key, these in coefficients.items() if these.any()) + np.zeros_like(sums)
        fitted -= self.z.counts @ fitted / both.n
        chosen = Counter(spectra[i].name for i in width).most_common(1)[0][0]
        gain = _gain(scores, [one.name for one in spectra])
        return Residual(target - fitted[in_z], both, fitted, chosen, gain, used)


def _gain(scores: NDArray[np.float64], names: Sequence[str]) -> float:
    """Return what the best regression saves of the linear one's score; scores: shape (regressions, penalties, m)."""
    if LINEAR not in names:
        return 0.0
    best, linear = scores.min(axis=(0, 1)), scores[names.index(LINEAR)].min(axis=0)
    return float(np.mean(1 - best / np.where(linear > 0, linear, np.inf)))


def _sums(rows: NDArray[np.float64], places: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    """Return the sums of the rows that have the same place."""
    if len(rows) == size:  # each has a place of its own
        sums = np.empty_like(rows)
        sums[places] = rows
        return sums
    gather = sparse.csr_array((np.ones(len(rows)), (places, np.arange(len(rows)))), (size, len(rows)))
    return np.asarray(gather @ rows)


def _spectrum(factor: Factor, name: str) -> Spectrum:
    return _turned(factor.rows, np.eye(factor.rank), factor.gram, name)


def _turned(features: NDArray[np.float64], made: NDArray[np.float64], gram: NDArray[np.float64], name: str) -> Spectrum:
    """Return the regression on ``features[:, :p] @ made``, whose sums of products over all rows are ``gram``."""
    squares, basis = np.linalg.eigh(gram)
    kept = squares > ROUNDING * squares.max()
    return Spectrum(features, made @ basis[:, kept], squares[kept], name)


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
