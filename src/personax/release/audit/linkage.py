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
from personax.release.audit.rows import Rows

__all__ = ["LINKERS", "linkage"]

Guess = NDArray[np.intp]
Linker = Callable[[Rows, Rows, np.random.Generator], Guess]
"""Original rows and released rows -> for each original the released row that is taken for the same person."""

AXES = 64
SUBSET = 250
ROUNDS = 8


def _axes(x: Vectors) -> Vectors:
    """Return scores on all principal axes that so many people show; those of most variance first."""
    return principal(x, max(2, len(x) // 4))


def _profiles_of_axes(x: Vectors) -> Vectors:
    return profiles(_axes(x))


def _profiles_of_whitened(x: Vectors) -> Vectors:
    return profiles(whitened(x))


def _as_they_are(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    return nearest(x.of(standardised), y.of(standardised))


def _profiles(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    return nearest(x.of(profiles), y.of(profiles))


def _whitened(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    """Compare profiles of whitened vectors: they stay where a transform is any linear map, whatever its key."""
    return nearest(x.of(_profiles_of_axes), y.of(_profiles_of_axes))


def _same_whitening(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    """Whiten the originals as the transform does, which needs no key, and compare profiles with the release's."""
    return nearest(x.of(_profiles_of_whitened), y.of(profiles))


def _first(x: Rows, most: int) -> Vectors:
    """Return scores on the first principal axes; most can be seen of few people only so far as they are many."""
    return x.of(_axes)[:, :most]


def _most(x: Rows) -> int:
    return max(1, min(AXES, len(x) // 10))


def _principal(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    a, b = (_first(z, _most(x)) for z in (x, y))
    kept = min(a.shape[1], b.shape[1])
    # the order of principal axes is known where distances stay; only signs are to be found
    flip = np.sign((a[:, :kept] ** 3).mean(axis=0)) * np.sign((b[:, :kept] ** 3).mean(axis=0))
    return nearest(a[:, :kept], b[:, :kept] * np.where(flip == 0, 1, flip))


def _independent(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    a, b = (independent(_first(z, _most(x)), rng=rng) for z in (x, y))
    return nearest(*matched(a, b))


def _refined(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    """Trust the pairs whose profiles chose each other, fit a linear map on them, match again, and so on."""
    u, v = (_first(z, max(2, min(128, len(x) // 4))) for z in (x, y))
    starts = [(nearest(a, b), nearest(b, a)) for a, b in ((x.of(profiles), y.of(profiles)), (profiles(u), profiles(v)))]
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


def _gromov(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    return _matched_by_distance(x.vectors, y.vectors)


def _gromov_whitened(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    return _matched_by_distance(whitened(x.vectors), y.vectors)


def _matched_by_distance(x: Vectors, y: Vectors) -> Guess:
    a, b = (cdist(z, z) for z in (x.astype(float), y.astype(float)))
    start = cdist(profiles(x), profiles(y), "sqeuclidean")
    return gromov(a / a.mean(), b / b.mean(), start)


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


def linkage(x: Rows, y: Rows, knows: str, *, rng: np.random.Generator) -> Iterator[Attack]:
    """Yield what each linker finds; the released rows are shuffled before it sees them.

    The control is the same attack with a release of other people.
    """
    half = min(len(x) // 2, 1000)
    strangers = rng.permutation(len(x))
    alone, others = Rows(x.vectors[strangers[:half]]), Rows(y.vectors[strangers[-half:]])
    for name, linker in LINKERS.items():
        few = SUBSET if linker in (_gromov, _gromov_whitened) else len(x)
        size, control = min(len(x), few), min(half, few)
        none = _hits(linker, _some(alone, control), _some(others, control), rng)
        chosen = np.sort(rng.permutation(len(x))[:size])
        hits = _hits(linker, _some(x, size, chosen), _some(y, size, chosen), rng)
        yield rate(name, knows, hits, size, baseline=1 / size, control=none / control)


def _some(rows: Rows, size: int, chosen: Guess | None = None) -> Rows:
    """Return so many of the rows, and all as they are, with what was worked out of them."""
    if size == len(rows):
        return rows
    return Rows(rows.vectors[:size] if chosen is None else rows.vectors[chosen])


def _hits(linker: Linker, x: Rows, y: Rows, rng: np.random.Generator) -> int:
    order = rng.permutation(len(y))
    return int((order[linker(x, y.dealt(order), rng)] == np.arange(len(x))).sum())
