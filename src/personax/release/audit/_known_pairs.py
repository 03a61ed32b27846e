"""Known-pairs attacks: how many others are found from m people whose original and released vectors are both known.

The attacker holds all originals beside the pairs, and so can extend the pairs by self-training.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.errors import MissingExtraError
from personax.progress import Progress, Silent
from personax.registry import register
from personax.release.audit._attack import Attack, Vectors, rate, wilson
from personax.release.audit._axes import LONG, leading, whitened
from personax.release.audit._cached_views import CachedViews, EqualRows, View, equal_rows
from personax.release.audit._campaign import OURS, RegisteredAttack, registered_attacks
from personax.release.audit._linkage import Solved
from personax.release.audit._nearest_neighbours import above_rounding, distances, ranks
from personax.release.audit._seed_pairs import by_profiles
from personax.release.audit._self_training import (
    NO_PAIRS,
    MatchedPairs,
    SelfTrained,
    reduced,
    reduced_white,
    self_train,
)

__all__ = ["KnownPairs", "KnownPairsAttack", "KnownPairsCurve", "KnownPairsPoint", "broken_at", "known_pairs"]

PROBES = 1000
MIN_KNOWN = 256
"""Known pairs are tried up to the dimension, and up to so many where it is smaller."""
RIDGES = (1e-8, 1e-4, 1e-2, 1e-1, 1.0)
"""Penalties that held-out pairs choose among, in units of the mean squared singular value."""

GIVEN_BACK = "not tried: a map without a network gives every vector back"
RECOVERED = 0.999
"""Mean cosine of recovered vectors from which more pairs are not tried, nor a network."""
STOP_AT = 0.95
"""Share found from which more pairs are not tried."""
PROFILE_PAIRS = 16
"""Up to so many pairs, profiles help to begin."""
CONTROL = 400
"""People of the control of self-training."""

Inverse = Callable[[Vectors], Vectors]
Indices = NDArray[np.intp]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class KnownPairsPoint:
    """One attack with m pairs: rank-1 and rank-10 identification rate, and the mean cosine of recovered vectors.

    ``cosine`` is of vectors centred by the mean of the known; None for an attack that recovers no vectors.
    """

    attack: str
    pairs: int
    rank_1: float
    low: float
    high: float
    rank_10: float
    cosine: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds."""
        return asdict(self)


@dataclass(frozen=True)
class KnownPairs:
    """What the attacker holds, and whom they look for.

    Parameters
    ----------
    x, y
        Original and released vectors of the known people, row i of both the same person.
    gallery
        Original vectors of all others, among whom the attacker chooses.
    probes
        Released vectors to be identified: those of the first people of the gallery.
    truth
        Which rows of the gallery are equal and so count as one person.
    everybody
        Originals and released vectors of all, and the order in which the known come first, then the gallery.
    partners
        The rows of the released vectors that are `y`; the known people's own by default.
    sides
        Views of everybody that are kept; made by default.
    solved
        What self-training without any pair has ended with, where it has worked: who holds pairs can do that, too.
    """

    x: Vectors
    y: Vectors
    gallery: Vectors
    probes: Vectors
    truth: EqualRows
    everybody: tuple[Vectors, Vectors, Indices]
    partners: Indices | None = None
    sides: tuple[CachedViews, CachedViews] | None = None
    solved: Solved | None = None

    @cached_property
    def white(self) -> KnownPairs:
        """The same with originals whitened as a transform does: the attacker has all originals, and so can."""
        originals, _, order = self.everybody
        white, known = whitened(originals), len(self.x)
        return replace(self, x=white[order[:known]], gallery=white[order[known:]])

    @cached_property
    def short(self) -> KnownPairs:
        """The same with vectors of more than 1,024 numbers on so many principal axes of each side."""
        originals, released, order = self.everybody
        if originals.shape[1] <= LONG:
            return self
        known, probes = len(self.x), len(self.probes)
        x, y = leading(originals), leading(released)
        some = order[known : known + probes]
        return replace(
            self,
            x=x[order[:known]],
            y=y[order[:known] if self.partners is None else self.partners],
            gallery=x[order[known:]],
            probes=y[some],
        )

    @cached_property
    def _distances(self) -> list[tuple[Vectors, Vectors]]:
        return []

    def distances(self, m: int) -> tuple[Vectors, Vectors]:
        """Return distances of the probes and of the gallery to the first m known people; each is worked out once."""
        kept = self._distances
        done = sum(part.shape[1] for part, _ in kept)
        if done < m:
            new = slice(done, m)
            kept.append((_distances_to(self.probes, self.y[new]), _distances_to(self.gallery, self.x[new])))
        of_probes, of_gallery = (np.hstack(side)[:, :m] for side in zip(*kept, strict=True))
        return of_probes, of_gallery

    @property
    def design(self) -> float:
        """The design effect of the probes."""
        return self.truth.design_effect(np.arange(len(self.probes)))


class KnownPairsCurve(ABC):
    """What the campaign ``pairs`` asks of an attack: how many are found from more and more known pairs.

    Register a subclass; one that finds people by features of its own derives from `KnownPairsAttack`.
    """

    title: str = ""
    """Set from the registration."""
    trains_network: bool = False
    """Whether it is left out where networks are not wanted."""

    @abstractmethod
    def curve(self, pairs: KnownPairs, grid: Sequence[int], rng: np.random.Generator) -> Iterator[KnownPairsPoint]:
        """Yield what the numbers of pairs in a grid reach."""

    @abstractmethod
    def control(self, wrong: KnownPairs, m: int, rng: np.random.Generator) -> float | None:
        """Return the rank-1 rate where known people have the released vectors of others; None where not measured."""


class KnownPairsAttack(KnownPairsCurve):
    """An attack that learns features from m known pairs, by which the probes are looked up.

    `match` is all that most need. Ties count against the attacker, and the control repeats the attack with the known
    people's released vectors in a wrong order.
    """

    recovers: bool = False
    """Whether `match` returns estimates of the probes' original vectors, beside the gallery itself.

    Vectors of more than 1,024 numbers are then given on so many principal axes of each side.
    """

    @abstractmethod
    def match(self, pairs: KnownPairs, m: int, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
        """Return features of the probes and of the gallery; a probe is taken for its nearest of the gallery.

        Parameters
        ----------
        pairs
            Only the first m of the known may be used.
        """

    def point(self, pairs: KnownPairs, m: int, rng: np.random.Generator) -> KnownPairsPoint:
        """Return what m pairs reach."""
        pairs = pairs.short if self.recovers else pairs
        a, b = self.match(pairs, m, rng)
        found = ranks(a, b, np.arange(len(a)), pairs.truth.label)
        return _point(self.title, m, found, _cosine(pairs, m, a) if self.recovers else None, pairs.design)

    def curve(self, pairs: KnownPairs, grid: Sequence[int], rng: np.random.Generator) -> Iterator[KnownPairsPoint]:
        """Yield what more and more pairs reach; until all are found, and recovered where that is tried.

        The best point is the first that finds most, and so stays the same.
        """
        for m in grid:
            point = self.point(pairs, m, rng)
            yield point
            if point.rank_1 == 1 and (point.cosine is None or point.cosine >= RECOVERED):
                break

    def control(self, wrong: KnownPairs, m: int, rng: np.random.Generator) -> float | None:
        """Return the rank-1 rate where known people have the released vectors of others; None where not measured."""
        return self.point(wrong, m, rng).rank_1


def known_pairs(
    x: Vectors,
    y: Vectors,
    *,
    network: bool,
    sides: tuple[CachedViews, CachedViews] | None = None,
    solved: Solved | None = None,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> tuple[list[KnownPairsPoint], list[Attack]]:
    """Return the curves over m known pairs, and of each registered attack its best point with a control.

    m is 1, 2, 4 ... d; at least 256 and at most half of the people. A network is trained where nothing else gives the
    vectors back. `sides` are views of `x` and `y` that are kept, `solved` what self-training without pairs has found.

    People who are known, at most half, are not among those to be found; the others are the same for every m.
    """
    order = rng.permutation(len(x))
    most = max(1, min(max(x.shape[1], MIN_KNOWN), len(x) // 2))
    known, rest = order[:most], order[most:]
    probes = np.arange(min(PROBES, len(rest)))
    grid = sorted({most} | {2**k for k in range(most.bit_length()) if 2**k <= most})
    sides = (CachedViews(x), CachedViews(y)) if sides is None else sides
    pairs = KnownPairs(
        x[known],
        y[known],
        x[rest],
        y[rest[probes]],
        sides[0].equal.take(rest),
        (x, y, order),
        sides=sides,
        solved=solved,
    )
    tried = [(one, _attack(one)) for one in registered_attacks("pairs")]
    curves: list[tuple[RegisteredAttack, KnownPairsCurve, list[KnownPairsPoint]]] = []
    failed: list[Attack] = []
    for one, attack in tried:
        if attack.trains_network and not network:
            continue
        if attack.trains_network and any(_gives_back(points) for _, _, points in curves):
            failed.append(Attack(one.title, "known pairs", "rank-1", None, reason=GIVEN_BACK))
            continue
        try:
            curves.append((one, attack, list(attack.curve(pairs, grid, _stream(one, rng)))))
        except Exception as error:
            if one.package == OURS and not isinstance(error, MissingExtraError):
                raise
            failed.append(Attack(one.title, "known pairs", "rank-1", None, reason=str(error)))
        (progress or Silent()).step(0, 0, f"{one.title}, known pairs")
    # with the wrong people behind the known pairs nothing can be learnt
    others = rng.permutation(most)
    wrong = replace(pairs, y=pairs.y[others], partners=known[others])
    attacks = [_best_point(one, attack, points, pairs, wrong, rng) for one, attack, points in curves if points]
    (progress or Silent()).step(0, 0, "controls, known pairs")
    return [point for _, _, points in curves for point in points], [*failed, *attacks]


def _gives_back(points: Sequence[KnownPairsPoint]) -> bool:
    """Say whether a curve ends with everybody found and recovered."""
    return any(point.rank_1 == 1 and (point.cosine or 0.0) >= RECOVERED for point in points)


def _attack(one: RegisteredAttack) -> KnownPairsCurve:
    attack: KnownPairsCurve = one.attack()
    attack.title = one.title
    return attack


def _stream(one: RegisteredAttack, rng: np.random.Generator) -> np.random.Generator:
    """Return the random stream of an attack; those of other packages have their own and change no number of ours."""
    return rng if one.package == OURS else rng.spawn(1)[0]


def _best_point(
    one: RegisteredAttack,
    attack: KnownPairsCurve,
    points: list[KnownPairsPoint],
    pairs: KnownPairs,
    wrong: KnownPairs,
    rng: np.random.Generator,
) -> Attack:
    best = max(points, key=lambda point: point.rank_1)
    probes = np.arange(len(pairs.probes))
    return rate(
        one.title, f"{best.pairs} known pairs", round(best.rank_1 * len(probes)), len(probes),
        baseline=pairs.truth.chance(probes), control=attack.control(wrong, best.pairs, _stream(one, rng)),
        design=pairs.design, broken_at=broken_at(points),
    )  # fmt: skip


@register(
    "attacks", "linear-map", title="linear map", help="orthogonal or ridge regression from known pairs", order=110,
    campaign="pairs",
)  # fmt: skip
class LinearMap(KnownPairsAttack):
    """An orthogonal map or a ridge regression from released to original vectors, chosen on held-out pairs."""

    recovers = True

    def match(self, pairs: KnownPairs, m: int, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
        """Recover the probes."""
        return _linear(pairs.x[:m], pairs.y[:m])(pairs.probes), pairs.gallery


@register(
    "attacks", "known-distances", title="distances to the known",
    help="distances to the known people, on both sides", order=120, campaign="pairs",
)  # fmt: skip
class KnownDistances(KnownPairsAttack):
    """Distances to the known people: where a transform keeps distances, one known person tells the others apart."""

    def match(self, pairs: KnownPairs, m: int, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
        """Return log distances; those to all known people are worked out once."""
        of_probes, of_gallery = pairs.distances(m)
        return _logs(of_probes), _logs(of_gallery)


@register(
    "attacks", "whitened-known-distances", title="whitened distances to the known",
    help="the same after whitening the originals", order=130, campaign="pairs",
)  # fmt: skip
class WhitenedDistances(KnownDistances):
    """Distances to the known people after whitening the originals as the transform does."""

    def match(self, pairs: KnownPairs, m: int, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
        """Return log distances."""
        return super().match(pairs.white, m, rng)

    def control(self, wrong: KnownPairs, m: int, rng: np.random.Generator) -> None:
        """Measure none: it is that of `KnownDistances`."""


@register(
    "attacks", "known-pairs-self-training", title="self-training",
    help="self-training on all vectors, from known pairs", order=140, campaign="pairs",
)  # fmt: skip
class PairsSelfTraining(KnownPairsCurve):
    """Self-training on all vectors, from known pairs that stay certain; the whole curve shares one order of rows."""

    def curve(self, pairs: KnownPairs, grid: Sequence[int], rng: np.random.Generator) -> Iterator[KnownPairsPoint]:
        """Yield what more and more pairs reach, until they reach nearly everybody."""
        x, y, people = pairs.everybody
        known, probes = people[: len(pairs.x)], people[len(pairs.x) :][: len(pairs.probes)]
        order = rng.permutation(len(y))
        place = np.argsort(order)
        originals, released = pairs.sides or (CachedViews(x), CachedViews(y))
        dealt, truth = released.permuted(order), originals.equal
        design, start = truth.design_effect(probes), None
        if pairs.solved is not None:
            found = MatchedPairs(pairs.solved.pairs.original, place[pairs.solved.pairs.released])
            start = Solved(pairs.solved.view, found)
        for m in grid:
            guess = _best_self_training(originals, dealt, MatchedPairs(known[:m], place[known[:m]]), probes, rng, start)
            hits = truth.same(order[guess], probes)
            yield _point(self.title, m, np.where(hits, 1, len(y)), None, design)
            if hits.mean() >= STOP_AT:
                break

    def control(self, wrong: KnownPairs, m: int, rng: np.random.Generator) -> float:
        """Return what it finds where the released people are others, and so are those of the pairs."""
        x, y, order = wrong.everybody
        half = min(len(x) // 2, CONTROL)
        a, b = x[order[:half]], y[order[-half:]]
        some = np.arange(min(m, half // 2))
        probes = np.arange(len(some), half)
        guess = _best_self_training(CachedViews(a), CachedViews(b), MatchedPairs(some, some), probes, rng)
        return float(equal_rows(a).same(guess, probes).mean())


def _best_self_training(
    x: CachedViews,
    y: CachedViews,
    known: MatchedPairs,
    probes: Indices,
    rng: np.random.Generator,
    solved: Solved | None = None,
) -> Indices:
    """Return whom self-training finds, in the composition with most mutual nearest neighbours.

    Vectors are plain or whitened, and the start is what was found without pairs, none, or profiles; equal rows count
    once.
    """
    firm = MatchedPairs(x.equal.label[known.original], y.equal.label[known.released])
    v, people = y.distinct(reduced), x.equal.label[probes]
    best = SelfTrained(np.zeros(len(probes), np.intp), -1.0)
    for view, start in _starts(x, y, firm, solved):
        found = self_train(x.distinct(view), v, start, known=firm, probes=people, rng=rng)
        best = max(best, found, key=lambda each: each.agreed)
        if best.agreed >= STOP_AT:
            break
    return y.equal.first[best.guess]


def _starts(
    x: CachedViews, y: CachedViews, firm: MatchedPairs, solved: Solved | None
) -> Iterator[tuple[View, MatchedPairs]]:
    """Yield views of the originals, and the pairs that self-training begins with."""
    if solved is not None:
        yield solved.view, MatchedPairs(x.equal.label[solved.pairs.original], y.equal.label[solved.pairs.released])
    for view in (reduced, reduced_white):
        yield view, NO_PAIRS
        if len(firm.original) <= PROFILE_PAIRS:
            u, v = x.distinct(view), y.distinct(reduced)
            size = min(len(u), len(v))
            profiles = x.distinct_profiles(view, size), y.distinct_profiles(reduced, size)
            yield view, by_profiles(u, v, firm, profiles=profiles)


def broken_at(points: Sequence[KnownPairsPoint], attack: str | None = None) -> int | None:
    """Return the least number of known pairs with which an attack, or any, finds half of all others at rank 1."""
    return min((p.pairs for p in points if attack in (None, p.attack) and p.rank_1 >= 0.5), default=None)


def _cosine(pairs: KnownPairs, m: int, guess: Vectors) -> float:
    mean = pairs.x[:m].mean(axis=0) if m > 1 else np.zeros(pairs.x.shape[1], np.float32)
    a, b = guess - mean, pairs.gallery[: len(guess)] - mean
    cosine = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-30)
    return float(cosine.mean())


def _distances_to(rows: Vectors, known: Vectors) -> Vectors:
    """Return distances of rows to the known people, none of them less than rounding."""
    return above_rounding(np.vstack([block for _, block in distances(rows, known)]), rows, known)


def _logs(found: Vectors) -> Vectors:
    return np.asarray(np.log(found / found.mean() + 1e-6), dtype=np.float32)


def _point(name: str, m: int, found: Indices, cosine: float | None, design: float) -> KnownPairsPoint:
    hits = int((found == 1).sum())
    low, high = wilson(hits / design, len(found) / design)
    rank_10 = round(float((found <= 10).mean()), 6)
    rank_1, low, high = (round(end, 6) for end in (hits / len(found), low, high))
    return KnownPairsPoint(name, m, rank_1, low, high, rank_10, None if cosine is None else round(cosine, 6))


def _linear(x: Vectors, y: Vectors) -> Inverse:
    """Fit an orthogonal map and ridge regressions, and keep the one that recovers held-out pairs best."""
    m = len(x)
    held = max(1, m // 5)
    if m < 3:
        return _orthogonal(x, y)
    tried = [_orthogonal(x[held:], y[held:]), *_ridges(x[held:], y[held:], RIDGES)]
    errors = [float(np.square(inverse(y[:held]) - x[:held]).mean()) for inverse in tried]
    best = int(np.argmin(errors))
    return _orthogonal(x, y) if best == 0 else next(_ridges(x, y, RIDGES[best - 1 : best]))


def _centred(x: Vectors, y: Vectors) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the centres of released and original vectors, and both without them."""
    from_, to = (z.mean(axis=0) if len(x) > 1 else np.zeros(z.shape[1]) for z in (y, x))
    return from_, to, (y - from_).astype(np.float64), (x - to).astype(np.float64)


def _orthogonal(x: Vectors, y: Vectors) -> Inverse:
    """Return the orthogonal map with its scale, in the space that the pairs span."""
    from_, to, a, b = _centred(x, y)
    if len(a) >= a.shape[1]:
        left, sizes, right = np.linalg.svd(a.T @ b)
        return _affine(from_, left, sizes.sum() / (np.square(a).sum() + 1e-30) * right, to)
    q, r = np.linalg.qr(a.T)
    p, s = np.linalg.qr(b.T)
    left, sizes, right = np.linalg.svd(r @ s.T)
    scale = sizes.sum() / (np.square(a).sum() + 1e-30)
    return _affine(from_, q @ left, scale * (right @ p.T), to)


def _ridges(x: Vectors, y: Vectors, penalties: Sequence[float]) -> Iterator[Inverse]:
    """Yield ridge regressions: all by one decomposition of the products of the pairs, m x m."""
    from_, to, a, b = _centred(x, y)
    if len(a) > LONG:  # long vectors are on fewer axes than there are pairs
        squares, axes = np.linalg.eigh(a.T @ a)
        squares, target = np.maximum(squares, 0), axes.T @ (a.T @ b)
        for ridge in penalties:
            yield _affine(from_, axes, target / (squares + ridge * squares.mean() + 1e-30)[:, None], to)
        return
    squares, u = np.linalg.eigh(a @ a.T)
    squares = np.maximum(squares, 0)
    first, target = a.T @ u, u.T @ b
    # as many as a singular value decomposition would give
    mean = squares.sum() / min(a.shape)
    for ridge in penalties:
        yield _affine(from_, first, target / (squares + ridge * mean + 1e-30)[:, None], to)


def _affine(origin: NDArray[Any], first: NDArray[Any], second: NDArray[Any], to: NDArray[Any]) -> Inverse:
    return lambda rows: np.asarray(((rows - origin) @ first) @ second + to, dtype=np.float32)
