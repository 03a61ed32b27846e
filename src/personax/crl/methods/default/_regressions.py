"""How well some latents tell another: its log density on people who were not learned from, for any set of parents.

A latent, after a rising map g of its own, is a sum of smooth curves of its parents and of low products of any two of
them, and noise of any density, which parents may stretch: g(y) = m(x) + exp(h(x) / 2) e. Curves are cubic splines with
a penalty on their bends; the penalty is chosen on people left out. Given the penalty, residuals are linear in the
coefficients of g, so what the coefficients are found by, ``mean log g'(y) - log deviation of the residuals``, needs the
residuals' products alone. What residuals tell beyond a normal density (negentropy) is added. All of it comes from
products of columns, counted once for each fifth of the people: another set of parents is another choice of rows and
columns, and people who are drawn anew are other weights. So a graph can be sought anew for many draws of the people,
everything learned again in each.

References: additive noise (Hoyer et al. 2008), after a rising map (Zhang, Hyvarinen 2009, arXiv:1205.2599), as a graph
of additive regressions (Buhlmann, Peters, Ernest 2014, arXiv:1310.1533), stretched (Immer et al. 2023,
arXiv:2210.09054).
"""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.optimize import minimize

__all__ = ["Columns", "Graph", "Parents", "Regressions"]

Array = NDArray[np.float64]
Parents = tuple[int, ...]
Graph = list[Parents]

PIECES: Final = 6
"""Of every spline, between quantiles."""

BENDS: Final = 6
"""Steps of each latent's own rising map."""

WIDTH: Final = 0.6
"""Of a step, in deviations of the latent."""

FOLDS: Final = 5
PENALTIES: Final = [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0]
PRODUCT: Final = 3.0
"""What a product costs beside the bends of curves."""

STEEPEST: Final = 3.0
SMALL: Final = -3.0
"""Logarithm of a step's height that costs nothing: a map is nearly straight unless people say otherwise."""

ROUNDS: Final = 4
"""Of Fisher's scoring, which for the logarithm of a variance has the same products in every round."""

EVEN: Final = 1e-6
"""Least ridge, in people."""


@final
class Columns:
    """Splines, products and rising steps of every latent, for any weights of the people.

    Parameters
    ----------
    latents
        Shape (n, d), of mean 0 and variance 1.
    rng
        Deals people into fifths.
    """

    def __init__(self, latents: Array, *, rng: np.random.Generator) -> None:
        self.n, self.d = latents.shape
        self.fold = rng.permutation(self.n) % FOLDS
        made = [_splines(latents[:, j]) for j in range(self.d)]
        self.penalties = [penalty for _, penalty in made]
        blocks = [np.ones((self.n, 1)), *(spline for spline, _ in made)]
        self.pairs = list(combinations(range(self.d), 2))
        blocks += [_products(latents[:, i], latents[:, j]) for i, j in self.pairs]
        self.maps = [_steps(latents[:, j]) for j in range(self.d)]
        blocks += [np.column_stack([latents[:, j], height]) for j, (height, _) in enumerate(self.maps)]
        ends = np.cumsum([block.shape[1] for block in blocks])
        self.places = [np.arange(end - block.shape[1], end) for block, end in zip(blocks, ends, strict=True)]
        self.every: Array = np.hstack(blocks)

    def of(self, parents: Parents, *, products: bool = True) -> tuple[NDArray[np.intp], Array]:
        """Return which columns belong to parents, the constant first, and the penalty on their coefficients."""
        pairs = [self.pairs.index(pair) for pair in combinations(parents, 2)] if products else []
        places = [self.places[0], *(self.places[1 + j] for j in parents)]
        places += [self.places[1 + self.d + at] for at in pairs]
        penalty = np.zeros((sum(map(len, places)),) * 2)
        at = 1
        for j in parents:
            size = len(self.penalties[j])
            penalty[at : at + size, at : at + size] = self.penalties[j]
            at += size
        rest = range(at, len(penalty))
        penalty[rest, rest] = PRODUCT
        return np.concatenate(places), penalty

    def answers(self, child: int) -> NDArray[np.intp]:
        """Return the columns of a latent itself and of its rising steps."""
        found: NDArray[np.intp] = self.places[1 + self.d + len(self.pairs) + child]
        return found


@final
class Regressions:
    """Mean log density of a latent given others, on people left out; computed once for each set.

    Parameters
    ----------
    columns
        Of all people.
    weights
        How often each person counts, shape (n,).
    stretches
        Whether parents may stretch the noise of a latent, or move it alone.
    """

    def __init__(self, columns: Columns, weights: Array, *, stretches: bool) -> None:
        there = weights > 0
        self.columns, self.stretches = columns, stretches
        self.every, self.fold = columns.every[there], columns.fold[there]
        self.weights = weights[there]
        self.people = float(self.weights.sum())
        self.slopes = [slope[there] for _, slope in columns.maps]
        self.products = np.stack([self._products(self.every, f) for f in range(FOLDS)])
        self.known: dict[tuple[int, Parents], float] = {}

    def __call__(self, child: int, parents: Parents) -> float:
        """Return nats a person."""
        key = (child, parents)
        if key not in self.known:
            self.known[key] = self._density(child, parents)
        return self.known[key]

    def _products(self, block: Array, f: int, weights: Array | None = None) -> Array:
        rows = self.fold == f
        w = self.weights if weights is None else weights
        found: Array = (block[rows] * w[rows, None]).T @ block[rows]
        return found

    def _density(self, child: int, parents: Parents) -> float:
        own = self.columns.answers(child)
        given, penalty = self.columns.of(parents)
        grid = np.ix_(given, given), np.ix_(given, own), np.ix_(own, own)
        inner, cross, outer = (np.stack([p[at] for p in self.products]) for at in grid)
        fits = [_left_out(inner, cross, outer, factor * penalty, self.people) for factor in _factors(parents)]
        heights = np.zeros(BENDS)
        chosen = -1
        for _ in range(2):
            g = _map(heights)
            best = min(range(len(fits)), key=lambda k: float(g @ fits[k][1] @ g))
            if best == chosen:
                break
            chosen = best
            heights = self._rise(child, fits[chosen][1] / self.people, heights)
        residuals = self._residuals(given, own, fits[chosen][0])
        if not (self.stretches and parents):
            return self._likelihood(child, residuals @ _map(heights), heights)
        return self._stretched(child, parents, residuals, heights, _factors(parents)[chosen] * penalty)

    def _stretched(self, child: int, parents: Parents, residuals: Array, heights: Array, penalty: Array) -> float:
        """Fit the noise's scale to residuals, then curves and map with people weighted by it, then the scale again."""
        own, (given, _) = self.columns.answers(child), self.columns.of(parents)
        log_variance = self._log_variance(parents, residuals @ _map(heights))
        weights = self.weights * np.exp(-log_variance)
        block = np.hstack([self.every[:, given], self.every[:, own]])
        both = np.stack([self._products(block, f, weights) for f in range(FOLDS)])
        m = len(given)
        coefficients, _ = _left_out(both[:, :m, :m], both[:, :m, m:], both[:, m:, m:], penalty, self.people)
        residuals = self._residuals(given, own, coefficients)
        spread = (residuals * weights[:, None]).T @ residuals / self.people
        heights = self._rise(child, spread, heights)
        residual = residuals @ _map(heights)
        log_variance = self._log_variance(parents, residual)
        lost = 0.5 * float(self.weights @ log_variance) / self.people
        return self._likelihood(child, residual * np.exp(-0.5 * log_variance), heights) - lost

    def _residuals(self, given: NDArray[np.intp], own: NDArray[np.intp], coefficients: Array) -> Array:
        found = self.every[:, own].copy()
        for f in range(FOLDS):
            rows = np.flatnonzero(self.fold == f)
            found[rows] -= self.every[np.ix_(rows, given)] @ coefficients[f]
        return found

    def _log_variance(self, parents: Parents, residual: Array) -> Array:
        """Return the logarithm of the noise's variance, of each person learned from the other folds."""
        given, penalty = self.columns.of(parents, products=False)
        inner = np.stack([p[np.ix_(given, given)] for p in self.products])
        x = self.every[:, given]
        squared = residual**2
        found = np.full(len(x), math.log(float(self.weights @ squared) / self.people))
        chosen: float | None = None
        for _ in range(ROUNDS):
            work = found + squared * np.exp(-found) - 1
            work = np.minimum(work, found + 8)  # one person far out does not decide where others' noise is wide
            cross = np.stack([(x[rows] * self.weights[rows, None]).T @ work[rows, None] for rows in self._rows()])
            if chosen is None:
                outer = np.stack([(self.weights[rows] @ work[rows] ** 2).reshape(1, 1) for rows in self._rows()])
                chosen = min(
                    PENALTIES, key=lambda f: float(_left_out(inner, cross, outer, f * penalty, self.people)[1][0, 0])
                )
            solved = _solved(inner, cross, chosen * penalty, self.people)
            found = np.empty(len(x))
            for rows, beta in zip(self._rows(), solved, strict=True):
                found[rows] = x[rows] @ beta[:, 0]
            found = np.clip(found, -10, 10)
        return found

    def _rows(self) -> list[NDArray[np.intp]]:
        return [np.flatnonzero(self.fold == f) for f in range(FOLDS)]

    def _rise(self, child: int, spread: Array, start: Array) -> Array:
        """Return the heights of the map's steps: mean log slope less the residuals' log deviation is largest."""
        slopes = self.slopes[child]

        def worse(heights: Array) -> tuple[float, Array]:
            g = _map(heights)
            pulled = spread @ g
            square, slope = float(g @ pulled), 1 + slopes @ g[1:]
            value = float(self.weights @ np.log(slope)) / self.people - 0.5 * math.log(square)
            change = (self.weights / slope) @ slopes / self.people - pulled[1:] / square
            return 1e-3 * float(np.square(heights).sum()) - value, 2e-3 * heights - change * g[1:]

        bounds = [(2 * SMALL, STEEPEST - SMALL)] * BENDS
        found: Array = minimize(worse, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40}).x
        return found

    def _likelihood(self, child: int, residual: Array, heights: Array) -> float:
        slope = 1 + self.slopes[child] @ _map(heights)[1:]
        mean = float(self.weights @ residual) / self.people
        variance = float(self.weights @ (residual - mean) ** 2) / self.people
        standard = (residual - mean) / math.sqrt(variance)
        normal = -0.5 * math.log(2 * math.pi * math.e * variance)
        return normal + float(self.weights @ np.log(slope)) / self.people + _negentropy(standard, self.weights)


def _factors(parents: Parents) -> list[float]:
    return PENALTIES if parents else PENALTIES[:1]


def _map(heights: Array) -> Array:
    """Return the map's coefficients: of the latent itself, and of each step."""
    return np.concatenate([[1.0], np.exp(heights + SMALL)])


def _solved(inner: Array, cross: Array, penalty: Array, people: float) -> Array:
    """Return coefficients for each fold, learned from the others; shape (folds, columns, answers)."""
    ridge = EVEN * people * np.eye(len(penalty))
    ridge[0, 0] = 0.0
    found: Array = np.linalg.solve(inner.sum(0) - inner + penalty + ridge, cross.sum(0) - cross)
    return found


def _left_out(inner: Array, cross: Array, outer: Array, penalty: Array, people: float) -> tuple[Array, Array]:
    """Return coefficients, and products of the residuals on the people each fold leaves out."""
    b = _solved(inner, cross, penalty, people)
    told = b.mT @ cross
    return b, np.asarray((outer - told - told.mT + b.mT @ inner @ b).sum(0))


def _splines(x: Array) -> tuple[Array, Array]:
    """Return cubic splines of a latent, centred, and the penalty on their bends, zero for straight lines."""
    ends = np.quantile(x, np.linspace(0, 1, PIECES + 1))
    ends = ends + 1e-6 * np.arange(-PIECES, PIECES + 1, 2)  # values that many share leave no piece empty
    knots = np.concatenate([[ends[0]] * 3, ends, [ends[-1]] * 3])
    spline = BSpline.design_matrix(np.clip(x, ends[0], ends[-1]), knots, 3).toarray()
    places = np.array([knots[i + 1 : i + 4].mean() for i in range(spline.shape[1])])
    gaps = np.diff(places)
    bends = np.zeros((len(places) - 2, len(places)))
    for i, (left, right) in enumerate(pairwise(gaps)):
        bends[i, i : i + 3] = np.array([1 / left, -1 / left - 1 / right, 1 / right]) / math.sqrt((left + right) / 2)
    return spline - spline.mean(0), bends.T @ bends


def _products(x: Array, y: Array) -> Array:
    """Return the four products of two latents and their squares, standardised."""
    each = np.stack([a * b for a in (x, x**2 - 1) for b in (y, y**2 - 1)], axis=1)
    spread = each.std(0)
    found: Array = (each - each.mean(0)) / np.where(spread > 0, spread, 1.0)
    return found


def _steps(x: Array) -> tuple[Array, Array]:
    """Return rising steps at quantiles, and their slopes."""
    bent = np.tanh((x[:, None] - np.quantile(x, (np.arange(BENDS) + 0.5) / BENDS)) / WIDTH)
    return bent, (1 - bent**2) / WIDTH


GRID: Final = np.linspace(-6, 6, 241)


def _negentropy(x: Array, weights: Array) -> float:
    """Return how far a standardised density is from the normal, in nats: both smoothed by the same kernel."""
    people = float(weights.sum())
    step = GRID[1] - GRID[0]
    edges = np.append(GRID - step / 2, GRID[-1] + step / 2)
    share = np.histogram(np.clip(x, GRID[0], GRID[-1]), bins=edges, weights=weights)[0] / people
    width = people**-0.2
    kernel = np.exp(-0.5 * (GRID / width) ** 2)
    found = np.convolve(share, kernel / kernel.sum(), "same") / step
    normal = np.exp(-0.5 * GRID**2 / (1 + width**2)) / math.sqrt(2 * math.pi * (1 + width**2))
    there = share > 0
    return max(0.0, float(share[there] @ np.log(found[there] / normal[there])))
