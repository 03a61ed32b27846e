"""Axes that data have of their own, principal or independent, and matching those of two data sets by their shapes.

Decompositions take most of an audit of long vectors, so each is computed once for an array and kept as long as the
array is (`once`); of fewer rows than numbers it is that of the n x n products, and of more than 1,024 numbers only the
first 1,024 axes are looked for, in float32.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, eigh, solve_triangular
from scipy.optimize import linear_sum_assignment

from personax.release.audit._attack import Vectors
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms._whitening import EIGENVALUE_FLOOR, Whitening

__all__ = ["LONG", "independent", "leading", "matched", "principal", "whitened", "whitened_leading"]

QUANTILES = np.linspace(0.005, 0.995, 61)
STEPS = 100

LONG: Final = 1024
"""Numbers beyond which vectors are seen on so many principal axes where an attack needs axes."""

ROWS: Final = 2048
"""Rows of long vectors that are whitened together."""

MadeOnce = Callable[[Vectors], Vectors]

_made: dict[tuple[int, str], tuple[weakref.ref[Vectors], Vectors]] = {}
"""Array and function -> what the function made of it; an entry leaves with its array."""


def once(function: MadeOnce) -> MadeOnce:
    """Remember what a function makes of an array, while the array is there; arrays must not be changed in place."""

    @wraps(function)
    def remembered(x: Vectors) -> Vectors:
        place = (id(x), function.__name__)
        held = _made.get(place)
        if held is not None and held[0]() is x:
            return held[1]
        result = function(x)
        if x.shape[1] > LONG:
            _made[place] = (weakref.ref(x, lambda _: _made.pop(place, None)), result)
        return result

    return remembered


@once
def leading(x: Vectors) -> Vectors:
    """Return centred rows on their first principal axes, at most 1,024, those of most variance first."""
    centred = np.asarray(x - x.mean(axis=0, dtype=np.float64).astype(np.float32), dtype=np.float32)
    if len(x) < x.shape[1]:
        wide = centred.astype(np.float64)
        values, left = np.linalg.eigh(wide @ wide.T)
        kept = min(LONG, int((values > 1e-9 * values[-1]).sum()))
        return np.asarray(left[:, ::-1][:, :kept] * np.sqrt(values[::-1][:kept]), dtype=np.float32)
    first = max(0, x.shape[1] - LONG)
    values, axes = eigh(centred.T @ centred, driver="evr", subset_by_index=[first, x.shape[1] - 1])
    kept = max(1, int((values > 1e-6 * values[-1]).sum()))
    return _decorrelated(np.asarray(centred @ axes[:, ::-1][:, :kept], dtype=np.float32))


def _decorrelated(scores: Vectors) -> Vectors:
    """Turn scores on axes that were found in float32 to the principal axes of what they span (Rayleigh-Ritz).

    Eigenvalues in float32 are wrong by some 1e-6 of the largest, which is much of a small one that is divided by later;
    the span hardly is, and within it the products in float64 are few.
    """
    wide = scores.astype(np.float64)
    _, turn = np.linalg.eigh(wide.T @ wide)
    return np.asarray(wide @ turn[:, ::-1], dtype=np.float32)


def principal(x: Vectors, most: int) -> Vectors:
    """Return scores on the first principal axes, each of variance one; of long vectors 1,024 axes at most."""
    if x.shape[1] > LONG:
        scores = leading(x)[:, :most]
        return np.asarray(scores / np.sqrt(np.square(scores).mean(axis=0)), dtype=np.float32)
    centred = (x - x.mean(axis=0)).astype(np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    kept = min(most, int((values > 1e-9 * values[-1]).sum()))
    scores = centred @ vectors[:, ::-1][:, :kept]
    return np.asarray(scores / np.sqrt(values[::-1][:kept]), dtype=np.float32)


@once
def whitened(x: Vectors) -> Vectors:
    """Return rows whose distances are those of rows whitened exactly as the transform of that name does.

    Notes
    -----
    Distances of whitened rows are those of Mahalanobis: with covariance L L' the rows L^-1 (x - mean) have them, too,
    and take no eigenvectors. The transform stretches no direction of a variance below its floor; where there is one, so
    that L L' less the floor is not positive definite, its own rows are returned. Long rows that are fewer than their
    numbers lie in fewer dimensions, and only these are returned: on the others every row is zero.
    """
    if len(x) < x.shape[1] and x.shape[1] > LONG and (x != x[:1]).any():
        centred = (x - x.mean(axis=0, dtype=np.float64)).astype(np.float64)
        values, left = np.linalg.eigh(centred @ centred.T)
        sizes = np.sqrt(np.maximum(values, 0) / np.maximum(values, EIGENVALUE_FLOOR * values[-1]))
        # the scores are left * sqrt(values); they are divided by the deviation, sqrt(values / n), or by its floor
        return np.asarray((left * sizes * np.sqrt(len(x)))[:, values > 1e-12 * values[-1]], dtype=np.float32)
    made = _mahalanobis(x) if x.shape[1] > LONG else None
    return _whitened_rows(x) if made is None else made


def whitened_leading(x: Vectors, most: int) -> Vectors:
    """Return whitened rows on the axes of most variance: their scores there, each of variance one."""
    if x.shape[1] > LONG and len(x) >= x.shape[1]:
        return principal(x, most) if leading(x).shape[1] >= most else _whitened_rows(x)[:, -most:]
    return whitened(x)[:, -most:]


def _mahalanobis(x: Vectors) -> Vectors | None:
    """Return rows with the distances of Mahalanobis; None where the whitening has its floor under some direction."""
    mean, count = x.mean(axis=0, dtype=np.float64), len(x)
    covariance = np.zeros((x.shape[1], x.shape[1]))
    for start in range(0, count, ROWS):
        centred = x[start : start + ROWS] - mean
        covariance += centred.T @ centred
    covariance /= count
    # the trace is an upper bound of the largest eigenvalue
    lifted = covariance - EIGENVALUE_FLOOR * float(np.trace(covariance)) * np.eye(len(covariance))
    try:
        cholesky(lifted, lower=True, overwrite_a=True, check_finite=False)
        lower = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        return None
    made = np.empty(x.shape, dtype=np.float32)
    for start in range(0, count, ROWS):
        rows = (x[start : start + ROWS] - mean).T
        made[start : start + ROWS] = solve_triangular(lower, rows, lower=True, overwrite_b=True, check_finite=False).T
    return made


def _whitened_rows(x: Vectors) -> Vectors:
    """Return rows whitened by the transform itself, on axes of growing variance."""
    step = Whitening(x.shape[1], RandomStream(b""))
    if x.shape[1] <= LONG:
        return np.asarray(step.fit_transform(x), dtype=np.float32)
    step.fit(x)
    made = np.empty(x.shape, dtype=np.float32)
    for start in range(0, len(x), ROWS):
        made[start : start + ROWS] = step.transform(x[start : start + ROWS])
    return made


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
