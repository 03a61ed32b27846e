"""Linkage without key and without pairs: the attacker can make the embeddings of the same people, and looks for them.

Because pictures or texts are public and the encoder is too, this is the attacker that a release of public people has.
They hold all originals, and know the steps of the transform: only whom to score is ever sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Attack, Vectors, rate
from personax.release.audit._axes import independent, matched, principal, whitened
from personax.release.audit._cached_views import Rows, View
from personax.release.audit._campaign import CAMPAIGNS
from personax.release.audit._nearest_neighbours import nearest, profiles, standardised
from personax.release.audit._seed_pairs import Seed, by_profiles, by_transport
from personax.release.audit._self_training import Pairs, extend, reduced, reduced_white

__all__ = ["LINKERS", "TRAINED", "from_facts", "linkage"]

Guess = NDArray[np.intp]
Linker = Callable[[Rows, Rows, np.random.Generator], Guess]
"""Original rows and released rows -> for each original the released row that is taken for the same person."""

AXES = 64
DONE = 0.98
"""Share of people who choose each other from which no other start is tried."""
CONTROL = 400
"""People of the control of self-training."""


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


LINKERS: Mapping[str, Linker] = {
    "vectors as they are": _as_they_are,
    "distance profiles": _profiles,
    "whitened profiles": _whitened,
    "profiles after the same whitening": _same_whitening,
    "principal axes": _principal,
    "independent axes": _independent,
}
"""Attack -> how it guesses at once."""

TRAINED: Mapping[str, tuple[View, Seed]] = {
    "profiles, self-training": (reduced, by_profiles),
    "Gromov-Wasserstein, self-training": (reduced, by_transport),
    "whitened profiles, self-training": (reduced_white, by_profiles),
    "whitened Gromov-Wasserstein, self-training": (reduced_white, by_transport),
}
"""Attack -> what it makes of the originals, and what it starts from."""


def linkage(
    x: Rows,
    y: Rows,
    knows: str,
    *,
    asked: Guess | None = None,
    trained: Collection[str] = tuple(TRAINED),
    rng: np.random.Generator,
) -> Iterator[Attack]:
    """Yield what each attack finds; the released rows are shuffled before it sees them.

    The control is the same attack with a release of other people.

    Parameters
    ----------
    x, y
        All originals and all released rows.
    asked
        The people who are scored; all by default.
    trained
        Self-training that is tried, from the first until one of them makes nearly everybody choose each other.
    """
    order = rng.permutation(len(x))
    half = min(len(x) // 2, 1000)
    alone, others = Rows(x.vectors[order[:half]]), Rows(y.vectors[order[-half:]])
    asked = np.arange(len(x)) if asked is None else asked
    for name, linker in LINKERS.items():
        none = _hits(linker, alone, others, np.arange(half), rng)
        yield rate(name, knows, _hits(linker, x, y, asked, rng), len(asked), baseline=1 / len(x), control=none / half)
    few = min(half, CONTROL)
    for name in trained:
        view, seed = TRAINED[name]
        hits, agreed = _trained(view, seed, x, y, asked, rng)
        none, _ = _trained(view, seed, Rows(alone.vectors[:few]), Rows(others.vectors[:few]), np.arange(few), rng)
        yield rate(name, knows, hits, len(asked), baseline=1 / len(x), control=none / few, agreed=round(agreed, 4))
        if agreed >= DONE:
            return


def from_facts(x: Vectors, y: Vectors, facts: Pairs, *, asked: Guess, rng: np.random.Generator) -> Iterator[Attack]:
    """Yield what the pairs that a table gives find of the others, extended by self-training on the vectors."""
    order = rng.permutation(len(y))
    place = np.argsort(order)
    start = Pairs(facts.original, place[facts.released])
    wrong = Pairs(facts.original, rng.permutation(place[facts.released]))
    for name, view in (("table join, self-training", reduced), ("whitened table join, self-training", reduced_white)):
        u, v = view(x), reduced(y[order])
        found = extend(u, v, start, asked=asked, one_to_one=True, rng=rng)
        none = extend(u, v, wrong, asked=asked, rng=rng) if len(wrong.original) else found
        yield rate(name, CAMPAIGNS["public_facts"], int((found.guess == place[asked]).sum()), len(asked),
                   baseline=1 / len(y), control=float((none.guess == place[asked]).mean()), joined=len(start.original),
                   agreed=round(found.agreed, 4))  # fmt: skip
        if found.agreed >= DONE:
            return


def _hits(linker: Linker, x: Rows, y: Rows, asked: Guess, rng: np.random.Generator) -> int:
    order = rng.permutation(len(y))
    return int((order[linker(x, y.dealt(order), rng)] == np.arange(len(x)))[asked].sum())


def _trained(view: View, seed: Seed, x: Rows, y: Rows, asked: Guess, rng: np.random.Generator) -> tuple[int, float]:
    order = rng.permutation(len(y))
    u, v = x.of(view), y.dealt(order).of(reduced)
    found = extend(u, v, seed(u, v), asked=asked, one_to_one=True, rng=rng)
    return int((order[found.guess] == asked).sum()), found.agreed
