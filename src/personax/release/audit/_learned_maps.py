"""Maps learnt from pairs, that predict each person without their own pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Vectors
from personax.release.audit._nearest_neighbours import squared_distances

__all__ = ["Predicted", "orthogonal", "predict"]

PENALTIES: Final = np.geomspace(1e-5, 30, 14)
"""In units of the mean eigenvalue."""
PENALTY_PAIRS: Final = 1000
"""Of more pairs, which are in random order, the first so many choose the penalty: their mean error is that of all."""
KERNEL_PAIRS: Final = 1000
"""Pairs that a map with a kernel is learnt from."""
GAUSSIAN_WEIGHT: Final = 0.3
"""Weight of the Gaussian beside the linear kernel."""

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """Where all rows of one side lie on the other; those that were learnt from, as if they had not been."""

    all: Vectors

    def rows(self, rows: Indices) -> Vectors:
        """Return some rows."""
        return self.all[rows]


@dataclass(frozen=True)
class _Fit:
    error: float
    predicted: Floats


def orthogonal(x: Vectors, y: Vectors, a: Indices, b: Indices) -> Predicted:
    """Return the orthogonal map with its scale that sends rows `a` of `x` to rows `b` of `y` best."""
    at, to = x[a].mean(axis=0), y[b].mean(axis=0)
    left, sizes, right = np.linalg.svd((x[a] - at).T @ (y[b] - to), full_matrices=False)
    scale = sizes.sum() / (np.square(x[a] - at).sum() + 1e-30)
    return Predicted(np.asarray(scale * ((x - at) @ left @ right) + to, dtype=np.float32))


def predict(x: Vectors, y: Vectors, a: Indices, b: Indices, kernels: Sequence[str]) -> Predicted:
    """Predict rows of `y` from all rows of `x` by ridge regression on the pairs (a, b).

    The kernel, ``linear`` or ``gaussian`` (linear and Gaussian of median width), and the penalty are those that predict
    left out pairs best; what is left out is known in closed form.

    Notes
    -----
    With the smoother H of the training rows, the residual without pair i is (y_i - (H y)_i) / (1 - H_ii).

    References
    ----------
    Allen 1974, doi:10.1080/00401706.1974.10489157 (PRESS).
    """
    at, to = x[a].mean(axis=0), y[b].mean(axis=0)
    z = (x - at).astype(np.float32)
    fits = []
    if "linear" in kernels:
        fits.append(_ridge(z, a, (y[b] - to).astype(np.float64)))
    if "gaussian" in kernels:
        few = slice(0, KERNEL_PAIRS)
        fits.append(_gaussian(z, a[few], (y[b][few] - to).astype(np.float64)))
    best = min(fits, key=lambda fit: fit.error)
    return Predicted(np.asarray(best.predicted + to, dtype=np.float32))


def _ridge(z: Vectors, a: Indices, target: Floats) -> _Fit:
    """Fit in the space of the axes, d x d, which is the smaller one once pairs are many, or in that of the pairs."""
    own = z[a].astype(np.float64)
    if len(own) <= own.shape[1]:
        return _kernel_ridge(own @ own.T, z.astype(np.float64) @ own.T, a, target)
    values, axes = np.linalg.eigh(own.T @ own)
    values = np.maximum(values, 0)
    turned = own @ axes
    wanted = turned.T @ target

    def left_out(shrink: Floats, turned: NDArray[Any], target: NDArray[Any]) -> NDArray[Any]:
        inside = np.square(turned) @ shrink.astype(turned.dtype)
        predicted = turned @ (shrink[:, None] * wanted).astype(turned.dtype)
        return np.asarray((target - predicted) / np.maximum(1 - inside, 1e-6)[:, None])

    tried = [1 / (values + penalty) for penalty in PENALTIES * values.mean()]
    some, its = (z[:PENALTY_PAIRS].astype(np.float32) for z in (turned, target))
    errors = [float(np.square(left_out(shrink, some, its)).mean()) for shrink in tried]
    best = int(np.argmin(errors))
    predicted = z @ (axes @ (tried[best][:, None] * wanted)).astype(np.float32)
    own = target - left_out(tried[best], turned, target)
    return _Fit(errors[best], _replaced(np.asarray(predicted, dtype=np.float64), a, own))


def _gaussian(z: Vectors, a: Indices, target: Floats) -> _Fit:
    own = z[a]
    width = float(np.median(np.vstack([block for _, block in squared_distances(own, own)]))) + 1e-30
    size = float(np.square(own).sum(axis=1).mean()) + 1e-30
    kernel = np.vstack([GAUSSIAN_WEIGHT * np.exp(-block / width) for _, block in squared_distances(z, own)])
    kernel += z @ (own.T / size)
    return _kernel_ridge(kernel[a].astype(np.float64), kernel.astype(np.float64), a, target)


def _kernel_ridge(among: Floats, across: Floats, a: Indices, target: Floats) -> _Fit:
    """Fit by the kernel among the pairs; predict by the kernel from all rows to them."""
    values, vectors = np.linalg.eigh((among + among.T) / 2)
    values = np.maximum(values, 0)
    wanted, squared = vectors.T @ target, np.square(vectors)
    best: tuple[float, Floats, Floats] | None = None
    for penalty in PENALTIES * values.mean():
        shrink = 1 / (values + penalty)
        weights = vectors @ (shrink[:, None] * wanted)
        left_out = weights / (squared @ shrink)[:, None]
        error = float(np.square(left_out).mean())
        if best is None or error < best[0]:
            best = error, weights, left_out
    assert best is not None
    error, weights, left_out = best
    return _Fit(error, _replaced(across @ weights, a, target - left_out))


def _replaced(predicted: Floats, a: Indices, values: Floats) -> Floats:
    predicted[a] = values
    return predicted
