"""Linkage without key and without pairs: the attacker can make the embeddings of the same people, and looks for them.

Because pictures or texts are public and the encoder is too, this is the attacker that a release of public people has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from personax.release.audit.attack import Attack, Vectors, rate
from personax.release.audit.axes import independent, matched, principal, whitened
from personax.release.audit.gromov import gromov
from personax.release.audit.nearest import nearest, profiles, standardised

__all__ = ["LINKERS", "linkage"]

Guess = NDArray[np.intp]
Linker = Callable[[Vectors, Vectors, np.random.Generator], Guess]
"""Original rows and released rows -> for each original the released row that is taken for the same person."""

AXES = 64
SUBSET = 250
ROUNDS = 8


def _as_they_are(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    return nearest(standardised(x), standardised(y))


def _profiles(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    return nearest(profiles(x), profiles(y))


def _whitened(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    """Compare profiles of whitened vectors: they stay where a transform is any linear map, whatever its key."""
    return nearest(profiles(principal(x, len(x) // 4)), profiles(principal(y, len(y) // 4)))


def _same_whitening(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    """Whiten the originals as the transform does, which needs no key, and compare profiles with the release's."""
    return nearest(profiles(whitened(x)), profiles(y))


def _axes(x: Vectors) -> int:
    return max(1, min(AXES, len(x) // 10))


def _principal(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    a, b = (principal(z, _axes(x)) for z in (x, y))
    kept = min(a.shape[1], b.shape[1])
    # the order of principal axes is known where distances stay; only signs are to be found
    flip = np.sign((a[:, :kept] ** 3).mean(axis=0)) * np.sign((b[:, :kept] ** 3).mean(axis=0))
    return nearest(a[:, :kept], b[:, :kept] * np.where(flip == 0, 1, flip))


def _independent(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    a, b = (independent(principal(z, _axes(x)), rng=rng) for z in (x, y))
    return nearest(*matched(a, b))


def _refined(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    """Trust the pairs whose profiles chose each other, fit a linear map on them, match again, and so on."""
    u, v = (principal(z, max(2, min(128, len(x) // 4))) for z in (x, y))
    starts = [(nearest(a, b), nearest(b, a)) for a, b in ((profiles(x), profiles(y)), (profiles(u), profiles(v)))]
    forth, back = max(starts, key=lambda start: int((start[1][start[0]] == np.arange(len(x))).sum()))
    for _ in range(ROUNDS):
        trusted = np.flatnonzero(back[forth] == np.arange(len(x)))
        if len(trusted) < 3:
            break
        known, met = u[trusted].astype(np.float64), v[forth[trusted]].astype(np.float64)
        ridge = known.T @ known + 0.1 * len(trusted) * np.eye(u.shape[1])
        moved = np.asarray(u @ np.linalg.solve(ridge, known.T @ met), dtype=np.float32)
        forth, back = nearest(moved, v), nearest(v, moved)
    return forth


def _gromov(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    a, b = (cdist(z, z) for z in (x.astype(float), y.astype(float)))
    start = cdist(profiles(x), profiles(y), "sqeuclidean")
    return gromov(a / a.mean(), b / b.mean(), start)


def _gromov_whitened(x: Vectors, y: Vectors, rng: np.random.Generator) -> Guess:
    return _gromov(whitened(x), y, rng)


LINKERS: Mapping[str, Linker] = {
    "vectors as they are": _as_they_are,
    "distance profiles": _profiles,
    "whitened profiles": _whitened,
    "profiles after the same whitening": _same_whitening,
    "principal axes": _principal,
    "independent axes": _independent,
    "profiles, then refined": _refined,
    "Gromov-Wasserstein": _gromov,
    "whitened Gromov-Wasserstein": _gromov_whitened,
}
"""Attack -> how it guesses. Gromov-Wasserstein costs the cube of the people and sees a subset."""


def linkage(x: Vectors, y: Vectors, knows: str, *, rng: np.random.Generator) -> Iterator[Attack]:
    """Yield what each linker finds; the released rows are shuffled before it sees them.

    The control is the same attack with a release of other people.
    """
    for name, linker in LINKERS.items():
        size = min(len(x), SUBSET) if linker in (_gromov, _gromov_whitened) else len(x)
        chosen = rng.permutation(len(x))[:size]
        half = min(len(x) // 2, 1000, size)
        strangers = rng.permutation(len(x))
        none = _hits(linker, x[strangers[:half]], y[strangers[-half:]], rng)
        hits = _hits(linker, x[chosen], y[chosen], rng)
        yield rate(name, knows, hits, size, baseline=1 / size, control=none / half)


def _hits(linker: Linker, x: Vectors, y: Vectors, rng: np.random.Generator) -> int:
    order = rng.permutation(len(y))
    return int((order[linker(x, y[order], rng)] == np.arange(len(x))).sum())
