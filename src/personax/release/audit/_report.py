"""All campaigns against one measurement, and what they say in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError
from personax.progress import Progress, Silent
from personax.release.audit._attack import Attack, Vectors, rate
from personax.release.audit._attribute_inference import attribute_inference
from personax.release.audit._cached_views import CachedViews, equal_rows
from personax.release.audit._campaign import CAMPAIGNS, Campaign
from personax.release.audit._distribution_alignment import strangers
from personax.release.audit._known_pairs import KnownPairsPoint, broken_at, known_pairs
from personax.release.audit._linkage import Solved, from_facts, linkage, one_original, self_training_titles
from personax.release.audit._nearest_neighbours import ranks
from personax.release.audit._self_training import MatchedPairs
from personax.release.audit._unlinkability import unlinkability
from personax.results import DrawableResult

__all__ = ["AuditReport", "audit_vectors", "inversion_with_key"]

MAX_PROBES = 10_000
"""At most so many people are scored, chosen at random; the attacker holds all. More only sharpen the intervals."""
MIN_PEOPLE = 20
NOISE = 0.25
"""Size of what another picture or text of the same person changes, in standard deviations of a coordinate."""
MIN_RATE = 0.05
"""Share that self-training must find with the same embeddings to be tried with those of other pictures."""

WITHOUT_PAIRS = ("originals", "other_recordings", "one_original", "strangers", "public_facts")


@dataclass(frozen=True)
class AuditReport(DrawableResult):
    """What attacks on one measurement have found.

    Parameters
    ----------
    people, dim
        How many the release holds, and the length of their vectors.
    scored
        How many of them were looked for; the attacker holds all.
    campaigns
        What each attacker has reached; stolen keys are apart.
    curves
        Known pairs against what is recovered.
    stolen
        The attack with the key, or None.
    """

    plot_kind: ClassVar[str] = "audit"

    people: int
    dim: int
    scored: int
    campaigns: Sequence[Campaign]
    curves: Sequence[KnownPairsPoint]
    stolen: Attack | None

    @property
    def attacks(self) -> list[Attack]:
        """All attacks of all campaigns."""
        return [attack for campaign in self.campaigns for attack in campaign.attacks]

    @property
    def worst(self) -> Attack:
        """The attack without key and leaked pairs that finds most people."""
        found = [c.worst for c in self.campaigns if c.name in WITHOUT_PAIRS]
        return max((a for a in found if a is not None), key=lambda attack: attack.value or 0.0)

    @property
    def beaten(self) -> list[Attack]:
        """The attacks that do better than guessing and than their control."""
        return [attack for attack in self.attacks if attack.beats]

    @property
    def broken_at(self) -> int | None:
        """The least number of known pairs with which half of all others are found."""
        return broken_at(list(self.curves))

    def iso_24745(self) -> dict[str, str]:
        """Return what was measured of the three properties that ISO/IEC 24745 asks of templates; no verdict of them.

        The standard's properties presuppose that nobody can match a template with its person. Where an attack does, a
        new key renews nothing: what is matched stays matched.
        """
        pairs, worst = self.broken_at, self.worst
        matched = f"{worst.value:.0%} of people are matched without the key by {worst.name}"
        up_to = f"{_pairs(pairs)} half of the others" if pairs else "no number of known pairs tried finds half"
        told = {"irreversibility": f"the key inverts every vector; without it {up_to}"}
        scores = [a for a in self.attacks if a.measure == "D_sys" and a.value is not None]
        if not scores:
            return {**told, "unlinkability": "not measured", "renewability": "not measured"}
        most = max(scores, key=lambda attack: attack.value or 0.0)
        return {
            **told,
            "unlinkability": f"D_sys {most.value:.2f} by {most.name} (0: two releases tell nothing of each other); "
            f"{matched}",
            "renewability": f"a new key does not undo a match; {matched}" if worst.beats else
            f"two keys give vectors that compare at D_sys {scores[0].value:.2f}",
        }  # fmt: skip

    def sentence(self, name: str) -> str:
        """Say in one sentence what the worst attack does; a dataset card quotes it."""
        worst, pairs = self.worst, self.broken_at
        if not self.beaten:
            return (
                f"No attack that was tried on {name} beats guessing; that proves nothing about others, so the release "
                f"is pseudonymised, not anonymous."
            )
        learnt = f"; {_pairs(pairs)} half of all others" if pairs else ""
        return (
            f"The release is pseudonymised, not anonymous: who holds {worst.knows} of {name} matches "
            f"{worst.value:.0%} of people without the key (95 % interval {worst.low:.0%} to {worst.high:.0%}, guessing "
            f"{worst.baseline:.1%}, by {worst.name}){learnt}."
        )

    def to_frame(self) -> pl.DataFrame:
        """Return one row an attack: what it knows, how far it came, what guessing reaches, why it could not run."""
        numbers = ("value", "low", "high", "baseline", "control")
        types = {"attack": pl.String, "knows": pl.String, "measure": pl.String, **dict.fromkeys(numbers, pl.Float64)}
        rows = [
            {"attack": a.name, "knows": a.knows, "measure": a.measure, **{name: getattr(a, name) for name in numbers},
             "beats": a.beats, "reason": a.reason}
            for a in self.attacks
        ]  # fmt: skip
        return pl.DataFrame(rows, schema={**types, "beats": pl.Boolean, "reason": pl.String})

    def best_by_pairs(self) -> list[tuple[int, float, float, float]]:
        """Return (known pairs, share of people found first, ends of its interval) of the best attack for each count."""
        best: dict[int, KnownPairsPoint] = {}
        for point in self.curves:
            if point.pairs not in best or point.rank_1 > best[point.pairs].rank_1:
                best[point.pairs] = point
        return [(pairs, best[pairs].rank_1, best[pairs].low, best[pairs].high) for pairs in sorted(best)]

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds."""
        return {
            "people": self.people,
            "dim": self.dim,
            "scored": self.scored,
            "campaigns": [campaign.to_dict() for campaign in self.campaigns],
            "known_pairs": [point.to_dict() for point in self.curves],
            "broken_at": self.broken_at,
            "stolen_key": self.stolen.to_dict() if self.stolen else None,
            "iso_24745": self.iso_24745(),
        }


def audit_vectors(
    original: Vectors,
    released: Vectors,
    *,
    renewed: Vectors | None = None,
    inverted: Vectors | None = None,
    attributes: Mapping[str, Sequence[str | None]] | None = None,
    noise: float = NOISE,
    network: bool = True,
    facts: MatchedPairs | None = None,
    people: int = MAX_PROBES,
    progress: Progress | None = None,
    rng: np.random.Generator,
) -> AuditReport:
    """Attack one measurement of a release.

    Parameters
    ----------
    original, released
        Shape (n, d), the same people in the same order; attacks see released rows shuffled.
    renewed
        The same people under another key, for unlinkability.
    inverted
        What the key gives back, for the stolen key.
    attributes
        Column -> one value a person, for attribute inference.
    noise
        The second attacker's embeddings are of other pictures or texts: normal noise of this size is added, in standard
        deviations of each coordinate.
    network
        Also learn the inverse by a network; needs torch, and is missing with a reason without it.
    facts
        Rows that a table of public facts pairs with released rows; most may be wrong.
    people
        At most so many are scored; the attacker holds, and chooses among, all.
    progress
        Is told of each attack that has ended.
    rng
        Draws people, noise, shuffles.

    Raises
    ------
    InputError
        Fewer than 20 people, unequal shapes, missing or infinite numbers.
    """
    shapes = {z.shape for z in (original, released, renewed, inverted) if z is not None}
    if len(shapes) != 1 or original.ndim != 2 or len(original) < MIN_PEOPLE:
        raise InputError(
            f"an audit needs the same {MIN_PEOPLE} or more people in all vectors, not shapes {sorted(shapes)}"
        )
    x, y = (np.asarray(z, dtype=np.float32) for z in (original, released))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("the vectors to audit hold missing or infinite numbers; leave those people out")
    probes = np.sort(rng.permutation(len(x))[:people])
    points, made = _campaigns(x, y, renewed, attributes or {}, facts, noise, network, probes, rng, progress or Silent())
    stolen = None
    if inverted is not None:
        stolen = inversion_with_key(x[probes], np.asarray(inverted[probes], dtype=np.float32))
    return AuditReport(len(x), x.shape[1], len(probes), made, points, stolen)


def _campaigns(
    x: Vectors,
    y: Vectors,
    renewed: Vectors | None,
    attributes: Mapping[str, Sequence[str | None]],
    facts: MatchedPairs | None,
    noise: float,
    network: bool,
    probes: NDArray[np.intp],
    rng: np.random.Generator,
    watch: Progress,
) -> tuple[list[KnownPairsPoint], tuple[Campaign, ...]]:
    """Run every campaign; what an exact attack cannot reach is not tried with less."""
    seen: list[Attack] = []

    def run(name: str, attacks: Iterable[Attack]) -> Campaign:
        own = []
        for attack in attacks:
            own.append(attack)
            seen.append(attack)
            watch.step(len(seen), 0, f"{attack.name}, {attack.knows}")
        return Campaign(name, tuple(own))

    sides, solved = (CachedViews(x), CachedViews(y)), list[Solved]()
    exact = run("originals", linkage(*sides, CAMPAIGNS["originals"], probes=probes, solved=solved, rng=rng))
    points, learnt = known_pairs(
        x, y, network=network, sides=sides, solved=next(iter(solved), None), rng=rng, progress=watch
    )
    trained = self_training_titles()
    able = [a.name for a in exact.attacks if a.name in trained and (a.value or 0.0) > max(MIN_RATE, a.control or 0.0)]
    hopeless = [a.name for a in exact.attacks if a.name not in trained and not a.beats]
    truth = sides[0].equal
    other = x + np.float32(noise) * x.std(axis=0) * rng.standard_normal(x.shape, dtype=np.float32)
    made = [
        exact,
        run("other_recordings", linkage(CachedViews(other), sides[1], CAMPAIGNS["other_recordings"], probes=probes,
                                        trained=able, hopeless=hopeless, truth=truth, rng=rng)),
        run("one_original", one_original(x, y, probes=probes, truth=truth, rng=rng)),
        run("strangers", strangers(x, y, equal=truth, rng=rng)),
        run("public_facts", () if facts is None else from_facts(*sides, facts, probes=probes, rng=rng)),
        run("pairs", learnt),
        run("attributes", attribute_inference(x, y, attributes, rng=rng)),
        run("two_keys", () if renewed is None else
            unlinkability(sides[1], CachedViews(renewed.astype(np.float32)), truth=truth, rng=rng)),
    ]  # fmt: skip
    return points, tuple(campaign for campaign in made if campaign.attacks)


def inversion_with_key(x: Vectors, back: Vectors) -> Attack:
    """Return how many of some people are recognised in what the key gives back, and its largest error.

    The error is in units of the largest number.
    """
    everybody, truth = np.arange(len(x)), equal_rows(x)
    hits = int((ranks(back, x, everybody, truth.label) == 1).sum())
    error = float(np.abs(back - x).max() / (np.abs(x).max() + 1e-30))
    return rate("inversion", "the stolen key", hits, len(x), baseline=truth.chance(everybody),
                design=truth.design_effect(everybody), largest_error=error)  # fmt: skip


def _pairs(count: int) -> str:
    return "1 known pair finds" if count == 1 else f"{count} known pairs find"
