"""Kernel ridge regression whose width and ridge the fitted people choose by leaving one out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

from personax.crl._split import Array

__all__ = ["KernelRidge", "fit_ridge"]

WIDTHS = (0.35, 0.7, 1.4, 2.8)
"""Of the Gaussian kernel, in median distances."""

RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1e6)
"""Noise over signal in variance, so it need not change with the number of people; the last predicts the mean."""

CHOOSERS = 600
"""People that choose width and ridge; an eigendecomposition of more costs seconds and changes little."""


@dataclass(frozen=True, slots=True)
class KernelRidge:
    """A fitted regression of several targets.

    Parameters
    ----------
    x
        Shape (m, d), what was fitted on, scaled by ``centre`` and ``scale``.
    weights
        Width -> (targets, their weights, shape (m, targets)).
    mean
        Of the targets, shape (k,).
    """

    x: Array
    centre: Array
    scale: Array
    weights: dict[float, tuple[list[int], Array]]
    mean: Array

    def predict(self, x: Array) -> Array:
        """Return the predictions for other people, shape (n, k)."""
        squared = _squared((x - self.centre) / self.scale, self.x)
        found = np.tile(self.mean, (len(x), 1))
        for width, (targets, weights) in self.weights.items():
            found[:, targets] += np.exp(-squared / (2 * width**2)) @ weights
        return found


def fit_ridge(x: Array, y: Array) -> KernelRidge:
    """Fit y, shape (m, k), on x, shape (m, d), by kernel ridge; memory and time grow as m squared and cubed.

    Width (of four, around the median distance) and ridge (of seven) are chosen for each target by the leave-one-out
    error of at most 600 of the people, the first ones: their order must say nothing.

    References
    ----------
    Rasmussen, Williams 2006, Gaussian Processes for Machine Learning, chapter 5 (leaving one out in closed form).

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(300, 1))
    >>> model = fit_ridge(x[:200], np.sin(x[:200]))
    >>> float(np.median(np.abs(model.predict(x[200:]) - np.sin(x[200:])))) < 0.01
    True
    """
    centre, spread = x.mean(axis=0), x.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    scaled = (x - centre) / scale
    mean = y.mean(axis=0)
    squared = _squared(scaled, scaled)
    some = min(len(x), CHOOSERS)
    widths = _widths(squared[:some, :some])
    chosen = _choose(squared[:some, :some], y[:some] - y[:some].mean(axis=0), widths)
    weights = {}
    for width in sorted({width for width, _ in chosen}):
        targets = [j for j, (own, _) in enumerate(chosen) if own == width]
        kernel = np.exp(-squared / (2 * width**2))
        solved = np.empty((len(x), len(targets)))
        for ridge in {chosen[j][1] for j in targets}:
            alike = [place for place, j in enumerate(targets) if chosen[j][1] == ridge]
            factor = cho_factor(kernel + ridge * np.eye(len(kernel)), lower=True, overwrite_a=True)
            solved[:, alike] = cho_solve(factor, (y - mean)[:, [targets[place] for place in alike]])
        weights[width] = (targets, solved)
    return KernelRidge(scaled, centre, scale, weights, mean)


def _squared(a: Array, b: Array) -> Array:
    products = a @ b.T
    found: Array = np.maximum(np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * products, 0)
    return found


def _widths(squared: Array) -> list[float]:
    apart = squared[np.triu_indices(len(squared), 1)]
    # all learned latents constant: any width will do, the ridge that predicts the mean wins
    median = float(np.sqrt(np.median(apart[apart > 1e-12]))) if (apart > 1e-12).any() else 1.0
    return [factor * median for factor in WIDTHS]


def _choose(squared: Array, y: Array, widths: list[float]) -> list[tuple[float, float]]:
    """Return (width, ridge) for each target by its leave-one-out error."""
    best = np.full(y.shape[1], np.inf)
    chosen = [(widths[0], RIDGES[-1])] * y.shape[1]
    for width in widths:
        # Leaving person i out, in closed form: residuals of the fit are (I - K (K + r I)^-1) y = r (K + r I)^-1 y, and
        # without i that of i is divided by the i-th diagonal entry of r (K + r I)^-1 (Allen's PRESS). With K = V L V'
        # both are sums over axes: r (K + r I)^-1 = V diag(r / (L + r)) V'.
        values, vectors = eigh(np.exp(-squared / (2 * width**2)), driver="evd")
        values = np.maximum(values, 0)
        rotated = vectors.T @ y
        for ridge in RIDGES:
            shrunk = ridge / (values + ridge)  # y minus its fit, in the kernel's own axes
            left_out = (vectors @ (shrunk[:, None] * rotated)) / (np.square(vectors) @ shrunk)[:, None]
            error = np.square(left_out).mean(axis=0)
            for j in np.flatnonzero(error < best):
                best[j], chosen[j] = error[j], (width, ridge)
    return chosen
