"""How much of the geometry of embeddings a transform keeps: two numbers between 0 and 1."""

from __future__ import annotations

import numpy as np

from personax.release.audit.attack import Vectors
from personax.release.audit.nearest import distances

__all__ = ["cka", "neighbours_kept"]


def cka(x: Vectors, y: Vectors) -> float:
    """Return the linear centred kernel alignment of two embeddings of the same people; 1 for a rotation.

    References
    ----------
    Kornblith, Norouzi, Lee, Hinton 2019, arXiv:1905.00414.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    >>> round(cka(x, 2 * x[:, ::-1]), 4)
    1.0
    """
    a, b = (z.astype(np.float64) - z.mean(axis=0) for z in (x, y))
    return float(np.square(a.T @ b).sum() / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)))


def neighbours_kept(x: Vectors, y: Vectors, k: int = 10) -> float:
    """Return the share of each person's k nearest that are the same before and after, on average.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    >>> neighbours_kept(x, -x)
    1.0
    """
    near = []
    for z in (x, y):
        found = np.vstack([rows for _, rows in distances(z, z)])
        np.fill_diagonal(found, np.inf)
        near.append(np.argpartition(found, k, axis=1)[:, :k])
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*near, strict=True)]))
