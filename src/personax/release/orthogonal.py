"""A keyed random rotation of embeddings: distances and angles stay, coordinates mean nothing without the key.

It keeps every distance exactly. That is its use (kernels, neighbours and linear models give the same results) and its
weakness (see `personax.release.audit`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from personax.errors import InputError
from personax.release.key import Key

__all__ = ["invert", "transform"]

Vectors = NDArray[np.float32]


def transform(vectors: Vectors, key: Key, context: str) -> Vectors:
    """Rotate vectors by an orthogonal matrix that the key draws, uniformly over all of them.

    Parameters
    ----------
    vectors
        Shape (n, d), finite.
    key, context
        The same key and context (for example ``text/gpt``) give the same rotation.

    Returns
    -------
    numpy.ndarray
        Shape (n, d).

    Raises
    ------
    InputError
        When a value is missing or infinite.

    References
    ----------
    Mezzadri 2007, arXiv:math-ph/0609050.

    Examples
    --------
    >>> x = np.eye(3, dtype=np.float32)
    >>> key = Key(bytes(32))
    >>> bool(np.allclose(invert(transform(x, key, "a"), key, "a"), x, atol=1e-5))
    True
    """
    return _times(vectors, _matrix(vectors.shape[1], key, context))


def invert(vectors: Vectors, key: Key, context: str) -> Vectors:
    """Undo `transform`, to about 1e-6 of the size of the vectors."""
    return _times(vectors, _matrix(vectors.shape[1], key, context).T)


def _times(vectors: Vectors, matrix: NDArray[np.float64]) -> Vectors:
    if not np.isfinite(vectors).all():
        raise InputError("the embeddings hold missing or infinite numbers; a release needs all of them")
    return np.asarray(vectors.astype(np.float64) @ matrix, dtype=np.float32)


def _matrix(dim: int, key: Key, context: str) -> NDArray[np.float64]:
    """Return the orthogonal factor of a Gaussian matrix, its signs fixed so that no direction is preferred."""
    q, r = np.linalg.qr(key.rng(f"orthogonal {dim} {context}").standard_normal((dim, dim)))
    rotation: NDArray[np.float64] = q * np.sign(np.diag(r))
    return rotation
