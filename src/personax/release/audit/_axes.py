"""Axes that data have of their own, principal or independent, and matching those of two data sets by their shapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from personax.release.audit._attack import Vectors
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms._whitening import Whitening

__all__ = ["independent", "matched", "principal", "whitened"]

QUANTILES = np.linspace(0.005, 0.995, 61)
STEPS = 100


def principal(x: Vectors, most: int) -> Vectors:
    """Return scores on the first principal axes, each of variance one."""
    centred = (x - x.mean(axis=0)).astype(np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    kept = min(most, int((values > 1e-9 * values[-1]).sum()))
    scores = centred @ vectors[:, ::-1][:, :kept]
    return np.asarray(scores / np.sqrt(values[::-1][:kept]), dtype=np.float32)


def whitened(x: Vectors) -> Vectors:
    """Return rows whitened exactly as the transform of that name does before it rotates."""
    step = Whitening(x.shape[1], RandomStream(b""))
    return np.asarray(step.fit_transform(x), dtype=np.float32)


def independent(white: Vectors, *, rng: np.random.Generator) -> Vectors:
    """Turn whitened scores so that they are as independent as can be, by FastICA with all components at once.

    References
    ----------
    Hyvarinen 1999, doi:10.1109/72.761722.
    """
    x = white.astype(np.float64)
    turn, _ = np.linalg.qr(rng.normal(size=(x.shape[1], x.shape[1])))
    for _ in range(STEPS):
        bent = np.tanh(x @ turn)
        left, _, right = np.linalg.svd(x.T @ bent / len(x) - turn * (1 - np.square(bent)).mean(axis=0))
        after = left @ right
        done = np.abs(np.abs((after * turn).sum(axis=0)) - 1).max() < 1e-5
        turn = after
        if done:
            break
    return np.asarray(x @ turn, dtype=np.float32)


def matched(a: Vectors, b: Vectors) -> tuple[Vectors, Vectors]:
    """Pair the columns of `a` and `b`, and their signs, so that their distributions are most alike."""
    of_a, of_b = (np.quantile(z, QUANTILES, axis=0).T for z in (a, b))
    costs = np.stack([np.square(of_a[:, None] - sign).mean(axis=2) for sign in (of_b, -of_b[:, ::-1])])
    rows, columns = linear_sum_assignment(costs.min(axis=0))
    signs: NDArray[np.float32] = np.where(costs[0] <= costs[1], 1, -1)[rows, columns].astype(np.float32)
    return a[:, rows], b[:, columns] * signs
