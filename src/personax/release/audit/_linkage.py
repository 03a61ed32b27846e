"""Record linkage without key and pairs: the attacker computes the embeddings of the same people, and looks for them.

Because pictures or texts are public and the encoder is too, this is the attacker that a release of public people has.
They hold all originals, and know the steps of the transform: only whom to score is ever sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Attack, Vectors
from personax.release.audit._axes import independent, matched, principal, whitened
from personax.release.audit._cached_views import EqualRows, Rows, View, equal_rows
from personax.release.audit._campaign import CAMPAIGNS
from personax.release.audit._nearest_neighbours import distance_profiles, nearest, standardised
from personax.release.audit._seed_pairs import Seed, by_gromov_wasserstein, by_profiles
from personax.release.audit._self_training import Pairs, reduced, reduced_white, self_train

__all__ = ["LINKERS", "TRAINED", "from_facts", "linkage", "one_original"]

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
    return distance_profiles(_axes(x))


def _profiles_of_whitened(x: Vectors) -> Vectors:
    return distance_profiles(whitened(x))


def _as_they_are(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    return nearest(x.of(standardised), y.of(standardised))


def _profiles(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    return nearest(x.of(distance_profiles), y.of(distance_profiles))


def _whitened(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    """Compare profiles of whitened vectors: they stay where a transform is any linear map, whatever its key."""
    return nearest(x.of(_profiles_of_axes), y.of(_profiles_of_axes))


def _same_whitening(x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    """Whiten the originals as the transform does, which needs no key, and compare profiles with the release's."""
    return nearest(x.of(_profiles_of_whitened), y.of(distance_profiles))


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
    "Gromov-Wasserstein, self-training": (reduced, by_gromov_wasserstein),
    "whitened profiles, self-training": (reduced_white, by_profiles),
    "whitened Gromov-Wasserstein, self-training": (reduced_white, by_gromov_wasserstein),
}
"""Attack -> what it makes of the originals, and what it starts from."""


def linkage(
    x: Rows,
    y: Rows,
    knows: str,
    *,
    asked: Guess | None = None,
    trained: Collection[str] = tuple(TRAINED),
    truth: EqualRows | None = None,
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
    truth
        Whose originals are equal and so count as one person; those of `x` by default.
    """
    order = rng.permutation(len(x))
    half = min(len(x) // 2, 1000)
    alone, others = Rows(x.vectors[order[:half]]), Rows(y.vectors[order[-half:]])
    asked = np.arange(len(x)) if asked is None else asked
    truth = x.equal if truth is None else truth
    # in the control, a released row is taken for that of the person in its place
    paired, everybody = truth.take(order[:half]), np.arange(half)
    for name, linker in LINKERS.items():
        none = paired.same(_linked(linker, alone, others, rng), everybody)
        guess = _linked(linker, x, y, rng)
        yield truth.rank_1(name, knows, guess[asked], asked, control=float(none.mean()))
    few = min(half, CONTROL)
    for name in trained:
        view, seed = TRAINED[name]
        guess, agreed = _trained(view, seed, x, y, asked, rng)
        wrong, _ = _trained(view, seed, Rows(alone.vectors[:few]), Rows(others.vectors[:few]), np.arange(few), rng)
        control = float(paired.same(wrong, everybody[:few]).mean())
        yield truth.rank_1(name, knows, guess, asked, control=control, agreed=round(agreed, 4))
        if agreed >= DONE:
            return


def from_facts(x: Vectors, y: Vectors, facts: Pairs, *, asked: Guess, rng: np.random.Generator) -> Iterator[Attack]:
    """Yield what the pairs that a table gives find of the others, extended by self-training on the vectors."""
    order = rng.permutation(len(y))
    place = np.argsort(order)
    originals, dealt = Rows(x), Rows(y[order])
    mine, released = originals.equal, dealt.equal
    start = Pairs(mine.label[facts.original], released.label[place[facts.released]])
    wrong = Pairs(start.original, released.label[rng.permutation(place[facts.released])])
    rows = order[released.first]
    for name, view in (("table join, self-training", reduced), ("whitened table join, self-training", reduced_white)):
        u, v = originals.distinct(view), dealt.distinct(reduced)
        found = self_train(u, v, start, asked=mine.label[asked], one_to_one=True, rng=rng)
        none = self_train(u, v, wrong, asked=mine.label[asked], rng=rng) if len(wrong.original) else found
        yield mine.rank_1(name, CAMPAIGNS["public_facts"], rows[found.guess], asked,
                          control=float(mine.same(rows[none.guess], asked).mean()), joined=len(start.original),
                          agreed=round(found.agreed, 4))  # fmt: skip
        if found.agreed >= DONE:
            return


def _linked(linker: Linker, x: Rows, y: Rows, rng: np.random.Generator) -> Guess:
    """Return the released row that each original is linked with, from released rows in an order of their own."""
    order = rng.permutation(len(y))
    return np.asarray(order[linker(x, y.permuted(order), rng)], dtype=np.intp)


def _trained(view: View, seed: Seed, x: Rows, y: Rows, asked: Guess, rng: np.random.Generator) -> tuple[Guess, float]:
    """Return the released row that self-training finds for each person asked about, and who chose each other."""
    order = rng.permutation(len(y))
    dealt = y.permuted(order)
    u, v = x.distinct(view), dealt.distinct(reduced)
    found = self_train(u, v, seed(u, v), asked=x.equal.label[asked], one_to_one=True, rng=rng)
    return order[dealt.equal.first[found.guess]], found.agreed


def _itself(x: Vectors) -> Vectors:
    return x


def _length(x: Vectors) -> Vectors:
    """Return the length: a rotation about zero keeps it."""
    return np.asarray(np.sqrt(np.square(x.astype(np.float64)).sum(axis=1))[:, None], dtype=np.float64)


def _sizes(x: Vectors) -> Vectors:
    """Return sizes of the coordinates in order: they stay where coordinates only change place and sign."""
    return np.sort(np.abs(x), axis=1)


def one_original(x: Vectors, y: Vectors, *, asked: NDArray[np.intp], rng: np.random.Generator) -> Iterator[Attack]:
    """Yield how often a person is found by what some transforms leave of a single vector.

    The control looks for people who are not in the release: the others' rows are all that is left of it.
    """
    truth = equal_rows(x)
    for name, look in (("the vector as it is", _itself), ("its length", _length), ("its sorted sizes", _sizes)):
        a, b = look(x[asked]), look(y)
        found = _closest(a, b) if name == "its length" else nearest(a, b)
        wrong = rng.permutation(asked)
        yield truth.rank_1(
            name, CAMPAIGNS["one_original"], found, asked, control=float(truth.same(found, wrong).mean())
        )


def _closest(a: Vectors, b: Vectors) -> NDArray[np.intp]:
    order = np.argsort(b[:, 0])
    values = b[order, 0]
    place = np.clip(np.searchsorted(values, a[:, 0]), 1, len(values) - 1)
    left = np.abs(a[:, 0] - values[place - 1]) <= np.abs(a[:, 0] - values[place])
    return np.asarray(order[place - left], dtype=np.intp)
