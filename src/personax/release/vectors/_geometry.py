"""How much of the geometry of embeddings a transform keeps: two numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from personax.errors import InputError
from personax.release.audit._attack import Vectors

__all__ = ["cka", "neighbours_kept"]

BLOCK_ROWS: Final = 512


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

    Others who are equally far share the places that are left, so that equal vectors count as what they are: 1 where the
    distances stay, and ``k / (n - 1)``, what chance gives, where one side tells nobody apart.

    Raises
    ------
    InputError
        Fewer than two people.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    >>> neighbours_kept(x, -x)
    1.0
    >>> round(neighbours_kept(x, np.ones_like(x)) - 10 / 29, 12)
    0.0
    """
    k = min(k, len(x) - 1)
    if k < 1:
        raise InputError(f"{len(x)} people have no neighbours; two are needed")
    # The k nearest are a set only where the k-th distance r is nobody else's. Let a people be nearer than r and t at r:
    # any k - a of the t complete the set, and drawn at random each of them belongs to it with probability (k - a) / t.
    # With such memberships u and v before and after, two draws can share a person with probability min(u, v) at most
    # (the maximal coupling of two events), and the sum of min(u, v) is the overlap of fuzzy sets: it is k where u = v,
    # the size of the intersection where nothing ties, and k * k / (n - 1) where u is k / (n - 1) for all.
    # Lindvall 1992, Lectures on the coupling method, I.5; Zadeh 1965, doi:10.1016/S0019-9958(65)90241-X.
    before, after = _memberships(x, k), _memberships(y, k)
    return float(sum(np.minimum(u, v).sum() for u, v in zip(before, after, strict=True)) / (k * len(x)))


def _memberships(x: Vectors, k: int) -> Iterator[NDArray[np.float64]]:
    """Yield for some rows at a time how far every row belongs to their k nearest; each row of it sums to k."""
    x64 = x.astype(np.float64)
    # Numbers of 32 bits are wrong by eps / 2 of their size, so a vector of length s by at most eps * s / 2, and a
    # distance between two of them by eps * s: what is closer to r than twice this is a tie.
    tie = 2 * float(np.finfo(np.float32).eps) * float(np.linalg.norm(x64, axis=1).max(initial=0.0))
    for start in range(0, len(x64), BLOCK_ROWS):
        rows = x64[start : start + BLOCK_ROWS]
        far = cdist(rows, x64)  # by differences, so that equal rows are at 0
        far[np.arange(len(rows)), np.arange(start, start + len(rows))] = np.inf
        beyond = far - np.partition(far, k - 1, axis=1)[:, k - 1 : k]
        nearer, tied = beyond < -tie, np.abs(beyond) <= tie
        yield nearer + tied * ((k - nearer.sum(axis=1)) / tied.sum(axis=1))[:, None]
