"""All attacks on one measurement, and what they say in plain words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from personax.errors import InputError
from personax.progress import Progress, Silent
from personax.release.audit.attack import Attack, Vectors, rate
from personax.release.audit.attributes import attribute_inference
from personax.release.audit.linkage import linkage
from personax.release.audit.nearest import ranks
from personax.release.audit.pairs import Point, broken_at, known_pairs
from personax.release.audit.rows import Rows
from personax.release.audit.unlinkability import unlinkability

__all__ = ["AuditReport", "audit"]

PEOPLE = 10_000
"""At most so many people are attacked, chosen at random; more only sharpen the intervals."""
LEAST = 20
NOISE = 0.25
"""Size of what another picture or text of the same person changes, in standard deviations of a coordinate."""
LINKED = 0.1
"""D_sys up to which two releases count as unlinkable."""

SAME = "the same embeddings"
NOISY = "embeddings of other pictures or texts"


@dataclass(frozen=True)
class AuditReport:
    """What attacks on one measurement have found.

    Parameters
    ----------
    people, dim
        How many were attacked, and the length of their vectors.
    attacks
        Every attack; stolen keys are apart.
    curves
        Known pairs against what is recovered.
    stolen
        The attack with the key, or None.
    """

    people: int
    dim: int
    attacks: Sequence[Attack]
    curves: Sequence[Point]
    stolen: Attack | None

    @property
    def worst(self) -> Attack:
        """The attack without key and pairs that finds most people."""
        found = [a for a in self.attacks if a.knows in (SAME, NOISY) and a.value is not None]
        return max(found, key=lambda attack: attack.value or 0.0)

    @property
    def beaten(self) -> list[Attack]:
        """The attacks that do better than guessing and than their control."""
        return [attack for attack in self.attacks if attack.beats]

    @property
    def broken_at(self) -> int | None:
        """The least number of known pairs with which half of all others are found."""
        return broken_at(list(self.curves))

    def iso_24745(self) -> dict[str, str]:
        """Return the three demands of ISO/IEC 24745 on protected templates, each with a verdict and its number."""
        pairs = self.broken_at
        up_to = (
            f"half of the others are found with {pairs} known pairs"
            if pairs
            else "no number of known pairs that was tried finds half"
        )
        found = {"irreversibility": f"not met: the key inverts every vector; without it {up_to}"}
        scores = {a.name: a for a in self.attacks if a.measure == "D_sys" and a.value is not None}
        if not scores:
            return {**found, "unlinkability": "not tested", "renewability": "not tested"}
        most = max(scores.values(), key=lambda attack: attack.value or 0.0)
        plain = scores["vectors of two keys"]
        return {
            **found,
            "unlinkability": f"{_met(most)}: D_sys {most.value:.2f} by {most.name}",
            "renewability": f"{_met(plain)}: vectors under a new key compare with the old at D_sys {plain.value:.2f}"
            + ("" if _met(most) == "met" else ", but what is joined by other means stays joined"),
        }

    def sentence(self, name: str) -> str:
        """Say in one sentence what the worst attack does; a dataset card quotes it."""
        worst, pairs = self.worst, self.broken_at
        if not self.beaten:
            return (
                f"No attack that was tried on {name} beats guessing; that proves nothing about others, so the release "
                f"is pseudonymised, not anonymous."
            )
        learnt = f"; {pairs} known pairs find half of all others" if pairs else ""
        return (
            f"The release is pseudonymised, not anonymous: who holds {worst.knows} of {name} matches "
            f"{worst.value:.0%} of people without the key (95 % interval {worst.low:.0%} to {worst.high:.0%}, guessing "
            f"{worst.baseline:.1%}, by {worst.name}){learnt}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds."""
        return {
            "people": self.people,
            "dim": self.dim,
            "attacks": [attack.to_dict() for attack in self.attacks],
            "known_pairs": [point.to_dict() for point in self.curves],
            "broken_at": self.broken_at,
            "stolen_key": self.stolen.to_dict() if self.stolen else None,
            "iso_24745": self.iso_24745(),
        }


def audit(
    original: Vectors,
    released: Vectors,
    *,
    renewed: Vectors | None = None,
    inverted: Vectors | None = None,
    attributes: Mapping[str, Sequence[str | None]] | None = None,
    noise: float = NOISE,
    network: bool = True,
    people: int = PEOPLE,
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
    people
        At most so many are attacked.
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
    if len(shapes) != 1 or original.ndim != 2 or len(original) < LEAST:
        raise InputError(f"an audit needs the same {LEAST} or more people in all vectors, not shapes {sorted(shapes)}")
    chosen = np.sort(rng.permutation(len(original))[:people])
    x, y = (np.asarray(z[chosen], dtype=np.float32) for z in (original, released))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("the vectors to audit hold missing or infinite numbers; leave those people out")
    other = x + np.float32(noise) * x.std(axis=0) * rng.standard_normal(x.shape, dtype=np.float32)
    progress = progress or Silent()
    points, learnt = known_pairs(x, y, network=network, rng=rng, progress=progress)
    shown = {name: [values[place] for place in chosen] for name, values in (attributes or {}).items()}
    sides = Rows(x), Rows(y)
    attacks = []
    for attack in itertools.chain(
        linkage(*sides, SAME, rng=rng),
        linkage(Rows(other), sides[1], NOISY, rng=rng),
        learnt,
        attribute_inference(x, y, shown, rng=rng),
        () if renewed is None else unlinkability(sides[1], Rows(renewed[chosen].astype(np.float32)), rng=rng),
    ):
        attacks.append(attack)
        progress.step(len(attacks), 0, f"{attack.name}, {attack.knows}")
    stolen = _stolen(x, np.asarray(inverted[chosen], dtype=np.float32)) if inverted is not None else None
    return AuditReport(len(x), x.shape[1], attacks, points, stolen)


def _stolen(x: Vectors, back: Vectors) -> Attack:
    hits = int((ranks(back, x, np.arange(len(x))) == 1).sum())
    error = float(np.abs(back - x).max() / (np.abs(x).max() + 1e-30))
    return rate("inversion", "the stolen key", hits, len(x), baseline=1 / len(x), largest_error=error)


def _met(attack: Attack) -> str:
    return "met" if (attack.value or 0.0) <= max(LINKED, attack.control or 0.0) else "not met"
