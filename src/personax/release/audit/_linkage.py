"""Record linkage without key and pairs: the attacker computes the embeddings of the same people, and looks for them.

Because pictures or texts are public and the encoder is too, this is the attacker that a release of public people has.
They hold all originals, and know the steps of the transform: only whom to score is ever sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personax.registry import register
from personax.release.audit._attack import Attack, Vectors
from personax.release.audit._axes import independent, matched, principal, whitened
from personax.release.audit._cached_views import CachedViews, EqualRows, View, as_they_are, equal_rows
from personax.release.audit._campaign import CAMPAIGNS, registered_attacks
from personax.release.audit._nearest_neighbours import nearest, standardised
from personax.release.audit._seed_pairs import Seed, begin, by_gromov_wasserstein, by_profiles
from personax.release.audit._self_training import MatchedPairs, reduced, reduced_white, self_train

__all__ = [
    "LinkageAttack",
    "NearestFeatures",
    "NearestProfiles",
    "SelfTraining",
    "Solved",
    "from_facts",
    "linkage",
    "one_original",
    "self_training_titles",
]

Guess = NDArray[np.intp]
LinkageAttack = Callable[[CachedViews, CachedViews, np.random.Generator], Guess]
"""Originals and released rows -> for each original the released row that is taken for the same person."""

Features = Callable[[CachedViews, CachedViews, np.random.Generator], tuple[Vectors, Vectors]]
"""Originals and released rows -> features of each, by which the nearest released row is looked up."""

AXES = 64
HOPELESS: Final = "not tried: with the same embeddings it finds nobody beyond chance"
DONE = 0.98
"""Share of mutual nearest neighbours from which no other initialisation is tried."""
CONTROL = 400
"""People of the control of self-training."""


@dataclass(frozen=True)
class NearestFeatures:
    """A linkage attack that takes for each original the released row whose features are nearest.

    Features are of everybody; only who is scored is compared with all released rows.

    Parameters
    ----------
    features
        Makes the features of both sides.
    """

    features: Features

    def __call__(
        self, x: CachedViews, y: CachedViews, rng: np.random.Generator, *, probes: Guess | None = None
    ) -> Guess:
        """Return the released row of each probe; of each original by default."""
        a, b = self.features(x, y, rng)
        return nearest(a if probes is None else a[probes], b)


def _axes(x: Vectors) -> Vectors:
    """Return scores on all principal axes that so many people show; those of most variance first."""
    return principal(x, max(2, len(x) // 4))


@dataclass(frozen=True)
class NearestProfiles:
    """A linkage attack that takes for each original the released row whose distance profile is nearest.

    Profiles are of everybody in the release, and of those originals who are scored.

    Parameters
    ----------
    original, released
        What distances are of, on either side.
    """

    original: View
    released: View

    def __call__(
        self, x: CachedViews, y: CachedViews, rng: np.random.Generator, *, probes: Guess | None = None
    ) -> Guess:
        """Return the released row of each probe; of each original by default."""
        return nearest(x.profiles(self.original, probes), y.profiles(self.released))


@register(
    "attacks",
    "vectors-as-they-are",
    title="vectors as they are",
    help="nearest neighbours of the vectors themselves",
    order=10,
    campaign="originals",
)
@NearestFeatures
def _themselves(x: CachedViews, y: CachedViews, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
    return x.view(standardised), y.view(standardised)


_profiles = register(
    "attacks",
    "distance-profiles",
    title="distance profiles",
    help="nearest neighbours of sorted distances to all others",
    order=20,
    campaign="originals",
)(NearestProfiles(as_they_are, as_they_are))
# profiles of whitened vectors stay where a transform is any linear map, whatever its key
register(
    "attacks",
    "whitened-profiles",
    title="whitened profiles",
    help="distance profiles after whitening both sides",
    order=30,
    campaign="originals",
)(NearestProfiles(_axes, _axes))
# to whiten the originals as the transform does needs no key
register(
    "attacks",
    "same-whitening",
    title="profiles after the same whitening",
    help="distance profiles after whitening the originals as the transform does",
    order=40,
    campaign="originals",
)(NearestProfiles(whitened, as_they_are))


def _first(x: CachedViews, most: int) -> Vectors:
    """Return scores on the first principal axes; most can be seen of few people only so far as they are many."""
    return x.view(_axes)[:, :most]


def _most(x: CachedViews) -> int:
    return max(1, min(AXES, len(x) // 10))


@register(
    "attacks",
    "principal-axes",
    title="principal axes",
    help="nearest neighbours on principal axes, signs by skewness",
    order=50,
    campaign="originals",
)
@NearestFeatures
def _principal(x: CachedViews, y: CachedViews, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
    a, b = (_first(z, _most(x)) for z in (x, y))
    kept = min(a.shape[1], b.shape[1])
    # the order of principal axes is known where distances stay; only signs are to be found
    flip = np.sign((a[:, :kept] ** 3).mean(axis=0)) * np.sign((b[:, :kept] ** 3).mean(axis=0))
    return a[:, :kept], b[:, :kept] * np.where(flip == 0, 1, flip)


@register(
    "attacks",
    "independent-axes",
    title="independent axes",
    help="nearest neighbours on independent components, matched by their distributions",
    order=60,
    campaign="originals",
)
@NearestFeatures
def _independent(x: CachedViews, y: CachedViews, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
    a, b = (independent(_first(z, _most(x)), rng=rng) for z in (x, y))
    return matched(a, b)


class Solved(NamedTuple):
    """What self-training has ended with: the view of the originals, and rows of them with the released row of each."""

    view: View
    pairs: MatchedPairs


@dataclass(frozen=True)
class SelfTraining:
    """A linkage attack by self-training, from initial pairs of which few need be right.

    Parameters
    ----------
    view
        What the originals are reduced to: `reduced`, or `reduced_white`, which whitens them as the transform does.
    seed
        Makes the initial pairs.
    """

    view: View
    seed: Seed


register(
    "attacks",
    "profiles-self-training",
    title="profiles, self-training",
    help="self-training from the most similar distance profiles",
    order=70,
    campaign="originals",
)(SelfTraining(reduced, by_profiles))
register(
    "attacks",
    "gromov-wasserstein-self-training",
    title="Gromov-Wasserstein, self-training",
    help="self-training from a Gromov-Wasserstein matching",
    order=80,
    campaign="originals",
)(SelfTraining(reduced, by_gromov_wasserstein))
register(
    "attacks",
    "whitened-profiles-self-training",
    title="whitened profiles, self-training",
    help="self-training of whitened vectors from the most similar distance profiles",
    order=90,
    campaign="originals",
)(SelfTraining(reduced_white, by_profiles))
register(
    "attacks",
    "whitened-gromov-wasserstein-self-training",
    title="whitened Gromov-Wasserstein, self-training",
    help="self-training of whitened vectors from a Gromov-Wasserstein matching",
    order=100,
    campaign="originals",
)(SelfTraining(reduced_white, by_gromov_wasserstein))


def self_training_titles() -> list[str]:
    """Return the titles of the registered attacks by self-training, in the order in which they are tried."""
    return [one.title for one in registered_attacks("originals") if isinstance(one.attack, SelfTraining)]


def linkage(
    x: CachedViews,
    y: CachedViews,
    knows: str,
    *,
    probes: Guess | None = None,
    trained: Collection[str] | None = None,
    hopeless: Collection[str] = (),
    truth: EqualRows | None = None,
    solved: list[Solved] | None = None,
    rng: np.random.Generator,
) -> Iterator[Attack]:
    """Run every attack that is registered for the campaign ``originals``; released rows are shuffled before.

    The control is the same attack with a release of other people.

    Parameters
    ----------
    x, y
        All originals and all released rows.
    probes
        The people who are scored; all by default.
    trained
        Titles of self-training to try, until nearly all people are mutual nearest neighbours; all by default.
    hopeless
        Titles of attacks that have found nobody beyond chance with more knowledge; they are told, and not run.
    truth
        Whose originals are equal and so count as one person; those of `x` by default.
    solved
        Is given the pairs of a self-training in which nearly all people are mutual nearest neighbours.
    """
    order = rng.permutation(len(x))
    half = min(len(x) // 2, 1000)
    alone, others = CachedViews(x.vectors[order[:half]]), CachedViews(y.vectors[order[-half:]])
    probes = np.arange(len(x)) if probes is None else probes
    truth = x.equal if truth is None else truth
    # in the control, a released row is taken for that of the person in its place
    paired, everybody = truth.take(order[:half]), np.arange(half)
    attacks = registered_attacks("originals")
    for one in attacks:
        if one.title in hopeless:
            yield Attack(one.title, knows, "rank-1", None, reason=HOPELESS)
        elif not isinstance(one.attack, SelfTraining):

            def attempt(rng: np.random.Generator, title: str = one.title, link: LinkageAttack = one.attack) -> Attack:
                none = paired.same(_linked(link, alone, others, rng, everybody), everybody)
                guess = _linked(link, x, y, rng, probes)
                return truth.rank_1(title, knows, guess, probes, control=float(none.mean()))

            yield one.run(attempt, knows, rng)
    few = min(half, CONTROL)
    some, strangers = CachedViews(alone.vectors[:few]), CachedViews(others.vectors[:few])
    for one in attacks:
        if isinstance(one.attack, SelfTraining) and (trained is None or one.title in trained):
            guess, agreed, pairs = _trained(one.attack, x, y, probes, rng)
            wrong, _, _ = _trained(one.attack, some, strangers, np.arange(few), rng)
            control = float(paired.same(wrong, everybody[:few]).mean())
            yield truth.rank_1(one.title, knows, guess, probes, control=control, agreed=round(agreed, 4))
            if agreed >= DONE:
                if solved is not None:
                    solved.append(Solved(one.attack.view, pairs))
                return


def from_facts(
    originals: CachedViews, y: CachedViews, facts: MatchedPairs, *, probes: Guess, rng: np.random.Generator
) -> Iterator[Attack]:
    """Yield what the pairs that a table gives find of the others, extended by self-training on the vectors."""
    order = rng.permutation(len(y))
    place = np.argsort(order)
    dealt = y.permuted(order)
    mine, released = originals.equal, dealt.equal
    start = MatchedPairs(mine.label[facts.original], released.label[place[facts.released]])
    wrong = MatchedPairs(start.original, released.label[rng.permutation(place[facts.released])])
    rows = order[released.first]
    for name, view in (("table join, self-training", reduced), ("whitened table join, self-training", reduced_white)):
        u, v = originals.distinct(view), dealt.distinct(reduced)
        found = self_train(u, v, start, probes=mine.label[probes], one_to_one=True, rng=rng)
        none = self_train(u, v, wrong, probes=mine.label[probes], rng=rng) if len(wrong.original) else found
        yield mine.rank_1(name, CAMPAIGNS["public_facts"], rows[found.guess], probes,
                          control=float(mine.same(rows[none.guess], probes).mean()), joined=len(start.original),
                          agreed=round(found.agreed, 4))  # fmt: skip
        if found.agreed >= DONE:
            return


def _linked(attack: LinkageAttack, x: CachedViews, y: CachedViews, rng: np.random.Generator, probes: Guess) -> Guess:
    """Return the released row that each probe is linked with, from released rows in an order of their own."""
    order = rng.permutation(len(y))
    dealt = y.permuted(order)
    if isinstance(attack, NearestFeatures | NearestProfiles):
        return np.asarray(order[attack(x, dealt, rng, probes=probes)], dtype=np.intp)
    return np.asarray(order[attack(x, dealt, rng)][probes], dtype=np.intp)


def _trained(
    attack: SelfTraining, x: CachedViews, y: CachedViews, probes: Guess, rng: np.random.Generator
) -> tuple[Guess, float, MatchedPairs]:
    """Return the released row of each probe, the share of mutual nearest neighbours, and all pairs, as rows."""
    order = rng.permutation(len(y))
    dealt = y.permuted(order)
    u, v = x.distinct(attack.view), dealt.distinct(reduced)
    size = min(len(u), len(v))
    start = begin(
        attack.seed, u, v, lambda: (x.distinct_profiles(attack.view, size), dealt.distinct_profiles(reduced, size))
    )
    found = self_train(u, v, start, probes=x.equal.label[probes], one_to_one=True, rng=rng)
    rows = order[dealt.equal.first]
    pairs = MatchedPairs(x.equal.first[found.trusted.original], rows[found.trusted.released])
    return rows[found.guess], found.agreed, pairs


def _length(x: Vectors) -> Vectors:
    """Return the length: a rotation about zero keeps it."""
    return np.asarray(np.sqrt(np.square(x.astype(np.float64)).sum(axis=1))[:, None], dtype=np.float64)


def _sizes(x: Vectors) -> Vectors:
    """Return sizes of the coordinates in order: they stay where coordinates only change place and sign."""
    return np.sort(np.abs(x), axis=1)


def one_original(
    x: Vectors, y: Vectors, *, probes: NDArray[np.intp], truth: EqualRows | None = None, rng: np.random.Generator
) -> Iterator[Attack]:
    """Yield how often a person is found by what some transforms leave of a single vector.

    The control looks for people who are not in the release: the others' rows are all that is left of it.
    """
    truth = equal_rows(x) if truth is None else truth
    for name, look in (("the vector as it is", as_they_are), ("its length", _length), ("its sorted sizes", _sizes)):
        a, b = look(x[probes]), look(y)
        found = _closest(a, b) if name == "its length" else nearest(a, b)
        wrong = rng.permutation(probes)
        yield truth.rank_1(
            name, CAMPAIGNS["one_original"], found, probes, control=float(truth.same(found, wrong).mean())
        )


def _closest(a: Vectors, b: Vectors) -> NDArray[np.intp]:
    order = np.argsort(b[:, 0])
    values = b[order, 0]
    place = np.clip(np.searchsorted(values, a[:, 0]), 1, len(values) - 1)
    left = np.abs(a[:, 0] - values[place - 1]) <= np.abs(a[:, 0] - values[place])
    return np.asarray(order[place - left], dtype=np.intp)
