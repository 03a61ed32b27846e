"""First pairs for self-training: who may be whom, of which a few in a hundred must be right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from personax.release.audit._attack import Vectors
from personax.release.audit._gromov_wasserstein import gromov_wasserstein
from personax.release.audit._nearest_neighbours import distance_profiles, distances, nearest
from personax.release.audit._self_training import MatchedPairs, mutual_nearest

__all__ = ["Profiles", "Seed", "begin", "by_gromov_wasserstein", "by_profiles"]

SUBSET: Final = 600
"""Gromov-Wasserstein costs the cube of the people: beyond so many it sees those who lie farthest out on both sides."""

Profiles = tuple[Vectors, Vectors]

Seed = Callable[[Vectors, Vectors], MatchedPairs]
"""Originals and released rows -> pairs to begin with."""


def by_profiles(
    u: Vectors, v: Vectors, known: MatchedPairs | None = None, *, profiles: Profiles | None = None
) -> MatchedPairs:
    """Pair those whose distances to all others are most alike, and to the known people where there are any.

    Distance profiles of both sides that are there already are not worked out again.
    """
    return _mutual(*_descriptors(u, v, known, profiles))


def by_gromov_wasserstein(
    u: Vectors, v: Vectors, known: MatchedPairs | None = None, *, profiles: Profiles | None = None
) -> MatchedPairs:
    """Pair by Gromov-Wasserstein on how near people are to one another, from a start by profiles.

    References
    ----------
    Peyre, Cuturi, Solomon 2016, proceedings.mlr.press/v48/peyre16.
    """
    rows, columns = _outliers(u), _outliers(v)
    same = min(len(rows), len(columns))
    rows, columns = rows[:same], columns[:same]
    a, b = _descriptors(u, v, known, profiles)
    plan = gromov_wasserstein(
        _similarities(u[rows]), _similarities(v[columns]), cdist(a[rows], b[columns], "sqeuclidean")
    )
    found = mutual_nearest(plan.argmax(axis=1), plan.argmax(axis=0))
    return MatchedPairs(rows[found.original], columns[found.released])


def begin(seed: Seed, u: Vectors, v: Vectors, profiles: Callable[[], Profiles]) -> MatchedPairs:
    """Return the pairs of a seed; ours take the distance profiles of both sides that are kept."""
    if seed is by_profiles or seed is by_gromov_wasserstein:
        return seed(u, v, profiles=profiles())
    return seed(u, v)


def _mutual(a: Vectors, b: Vectors) -> MatchedPairs:
    return mutual_nearest(nearest(a, b), nearest(b, a))


def _descriptors(
    u: Vectors, v: Vectors, known: MatchedPairs | None, profiles: Profiles | None
) -> tuple[Vectors, Vectors]:
    """Return what describes a person on both sides whatever the axes."""
    size = min(len(u), len(v))
    sides = [distance_profiles(z, size=size) for z in (u, v)] if profiles is None else profiles
    if known is None or not len(known.original):
        return sides[0], sides[1]
    logs = [_standardised(_log_distances(z, rows)) for z, rows in zip((u, v), known, strict=True)]
    weight = np.float32(np.sqrt(sides[0].shape[1] / np.sqrt(len(known.original))))
    a, b = (np.hstack([side, weight * log]) for side, log in zip(sides, logs, strict=True))
    return a, b


def _log_distances(z: Vectors, known: NDArray[np.intp]) -> Vectors:
    found = np.vstack([block for _, block in distances(z, z[known])])
    return np.asarray(np.log(found + 1e-3 * np.median(found) + 1e-30), dtype=np.float32)


def _standardised(x: Vectors) -> Vectors:
    return np.asarray((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6), dtype=np.float32)


def _outliers(z: Vectors) -> NDArray[np.intp]:
    """Return all rows, or the 600 farthest from the middle: on both sides mostly the same people."""
    if len(z) <= SUBSET:
        return np.arange(len(z))
    sizes = np.square(z - z.mean(axis=0)).sum(axis=1)
    return np.sort(np.argsort(-sizes)[:SUBSET])


def _similarities(z: Vectors) -> NDArray[np.float64]:
    """Return exp(-2 d^2 / median^2): a bend of the space moves far people more than near ones."""
    far = cdist(z.astype(np.float64), z.astype(np.float64))
    nearness: NDArray[np.float64] = np.exp(-2 * np.square(far / (np.median(far) + 1e-30)))
    return nearness
