"""What closed forms have in common: latents that are weighted sums of standardised dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personax.crl.method import Arrays
from personax.crl.standard import Standardiser

__all__ = ["Linear", "principal", "signed"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """A fitted closed form.

    Parameters
    ----------
    names
        Of the latents.
    objective
        Smaller is better; closed forms have no seed and so no validation people.
    scale
        Of the measurements.
    weights
        Modality -> shape (dimensions of all its measurements, d).
    spread
        Of the weighted sums over the people fitted on, shape (d,).
    """

    names: list[str]
    objective: float
    scale: Standardiser
    weights: Mapping[str, Array]
    spread: Array
    adjacency: None = None

    @classmethod
    def fit(
        cls, names: list[str], objective: float, scale: Standardiser, weights: Mapping[str, Array], x: Arrays
    ) -> Linear:
        """Finish from the weights and the standardised measurements of the people fitted on."""
        spread = _sums(x, weights).std(axis=0)
        return cls(names, objective, scale, weights, np.where(spread > 0, spread, 1.0))

    def encode(self, views: Arrays) -> Array:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on."""
        encoded: Array = _sums(self.scale.apply(views), self.weights) / self.spread
        return encoded


def _sums(x: Arrays, weights: Mapping[str, Array]) -> Array:
    parts = [np.column_stack(list(x[modality].values())) @ w for modality, w in weights.items()]
    total: Array = np.sum(parts, axis=0)
    return total


def principal(x: Array, count: int) -> tuple[Array, Array]:
    """Return the directions of largest variance of centred x, shape (dim, count), and their variances.

    Signs are such that the largest entry of a direction is positive. The smaller of the two Gram matrices is
    decomposed.

    References
    ----------
    Hotelling 1933, doi:10.1037/h0071325.
    """
    n, dim = x.shape
    if dim <= n:
        values, vectors = np.linalg.eigh(x.T @ x / n)
        order = np.argsort(values)[::-1][:count]
        return signed(vectors[:, order]), values[order]
    _, singular, rows = np.linalg.svd(x, full_matrices=False)
    return signed(rows[:count].T), np.square(singular[:count]) / n


def signed(vectors: Array) -> Array:
    """Return columns, each turned so that its entry of largest size is positive."""
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    turned: Array = vectors * np.where(largest < 0, -1.0, 1.0)
    return turned
