"""Nonlinear random mixings: latents -> the vectors that an encoder would give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["mix"]

SLOPE = 0.3
"""Of the leaky ReLU below zero; not zero, so that nothing is lost."""


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


def _layer(hidden: NDArray[np.float64], size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    weights = _orthonormal(hidden.shape[1], size, rng)
    return hidden @ weights + 0.3 * rng.standard_normal(size)


def _orthonormal(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return orthonormal rows, shape (rows, columns), scaled so that entries keep their size."""
    q, _ = np.linalg.qr(rng.standard_normal((columns, rows)))
    weights: NDArray[np.float64] = q.T * np.sqrt(columns / rows)
    return weights
