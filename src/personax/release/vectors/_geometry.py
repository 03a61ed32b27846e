"""How much of the geometry of embeddings a transform keeps: two numbers between 0 and 1."""

from __future__ import annotations

import numpy as np

from personax.errors import InputError
from personax.release.audit._attack import Vectors
from personax.release.audit._nearest_neighbours import squared_distances

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

    Raises
    ------
    InputError
        Fewer than two people.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    >>> neighbours_kept(x, -x)
    1.0
    """
    k = min(k, len(x) - 1)
    if k < 1:
        raise InputError(f"{len(x)} people have no neighbours; two are needed")
    kept = 0
    for (rows, a), (_, b) in zip(squared_distances(x, x), squared_distances(y, y), strict=True):
        for found in (a, b):
            found[np.arange(len(found)), np.arange(rows.start, rows.stop)] = np.inf
        before, after = (np.argpartition(found, k - 1, axis=1)[:, :k] for found in (a, b))
        kept += int((before[:, :, None] == after[:, None, :]).sum())
    return kept / (k * len(x))
