"""Nonlinear random mixings: latents -> the vectors that an encoder would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mixing", "mix"]

SLOPE = 0.3
"""Of the leaky ReLU below zero; not zero, so that nothing is lost."""

HARD_SLOPE = 0.2
GAIN = float(np.sqrt(2 / (1 + HARD_SLOPE**2)))
"""Undoes what the leaky ReLU takes from the variance."""


def mix(latents: NDArray[np.float64], dim: int, *, rng: np.random.Generator, eta: int = 1) -> NDArray[np.float32]:
    """Mix latents and fresh measurement noise through three random layers of leaky ReLUs.

    Parameters
    ----------
    latents
        Shape (n, d).
    dim
        Length of the vectors, at least d + eta for the mixing to be injective.
    eta
        Number of noise variables that only this measurement sees.

    Returns
    -------
    numpy.ndarray
        Shape (n, dim). Weights have orthonormal columns, so that each layer, and so the mixing, is injective.

    Raises
    ------
    ValueError
        When dim is smaller than d + eta.

    Examples
    --------
    >>> mix(np.zeros((4, 2)), 8, rng=np.random.default_rng(0)).shape
    (4, 8)
    """
    noise = 0.5 * rng.standard_normal((len(latents), eta))
    hidden = np.column_stack([latents, noise])
    if dim < hidden.shape[1]:
        raise ValueError(f"{hidden.shape[1]} latents and noises do not fit into {dim} dimensions")
    width = min(dim, max(32, 2 * hidden.shape[1]))
    for _ in range(2):
        hidden = _layer(hidden, width, rng)
        hidden = np.where(hidden > 0, hidden, SLOPE * hidden)
    return _layer(hidden, dim, rng).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Mixing:
    """A fixed mixing that bends space where the people are, so that no linear readout undoes it.

    Every layer but the last keeps the number of variables, so that there are no spare directions from which a linear
    readout could build what it needs, and ends in a leaky ReLU whose kinks lie within one deviation of the middle.

    Parameters
    ----------
    weights
        Layer by layer, shape (inputs, outputs), of full row rank: with a leaky ReLU, each layer is injective.
    biases
        Layer by layer, shape (outputs,).

    Examples
    --------
    >>> Mixing.draw(3, 15, rng=np.random.default_rng(0))(np.zeros((4, 3))).shape
    (4, 15)
    """

    weights: Sequence[NDArray[np.float64]]
    biases: Sequence[NDArray[np.float64]]

    @classmethod
    def draw(cls, inputs: int, dim: int, *, layers: int = 3, rng: np.random.Generator) -> Mixing:
        """Draw a mixing of ``inputs`` variables into ``dim`` numbers; dim must not be smaller."""
        if not 1 <= inputs <= dim or layers < 1:
            raise ValueError(f"{inputs} latents and noises do not fit into {dim} dimensions by {layers} layers")
        sizes = [inputs] * layers + [dim]
        weights = [_orthonormal(sizes[i], sizes[i + 1], rng) for i in range(layers)]
        return cls(weights, [rng.uniform(-1, 1, size) for size in sizes[1:]])

    def __call__(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mixtures, shape (n, dim)."""
        hidden = inputs
        for layer, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            hidden = hidden @ weights + bias
            if layer < len(self.weights):
                hidden = GAIN * np.where(hidden > 0, hidden, HARD_SLOPE * hidden)
        return hidden


def _layer(hidden: NDArray[np.float64], size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    weights = _orthonormal(hidden.shape[1], size, rng)
    return hidden @ weights + 0.3 * rng.standard_normal(size)


def _orthonormal(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return orthonormal rows, shape (rows, columns), scaled so that entries keep their size."""
    q, _ = np.linalg.qr(rng.standard_normal((columns, rows)))
    weights: NDArray[np.float64] = q.T * np.sqrt(columns / rows)
    return weights
