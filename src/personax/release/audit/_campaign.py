"""Campaigns: one for each kind of knowledge that an attacker may hold, with the attacks that are registered for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from personax import registry
from personax.release.audit._attack import Attack

__all__ = ["CAMPAIGNS", "Campaign", "RegisteredAttack", "registered_attacks"]

CAMPAIGNS: Final[Mapping[str, str]] = {
    "originals": "the same embeddings",
    "other_recordings": "embeddings of other pictures or texts",
    "one_original": "one person's embedding",
    "strangers": "strangers' embeddings of the same encoder",
    "public_facts": "public facts of everybody, and the same embeddings",
    "pairs": "known pairs",
    "attributes": "half of the values of a column",
    "two_keys": "two releases under different keys",
    "table": "the released table, and people to look for in it",
    "older_release": "an older version of the release",
}
"""Campaign -> what its attacker holds beside the release and the code, which are public."""

OURS: Final = "personax"


@dataclass(frozen=True)
class Campaign:
    """The results of all attacks with one kind of knowledge.

    Parameters
    ----------
    name
        One of `CAMPAIGNS`.
    attacks
        Every attack that was run, with its score.
    """

    name: str
    attacks: tuple[Attack, ...]

    @property
    def holds(self) -> str:
        """What the attacker holds."""
        return CAMPAIGNS[self.name]

    @property
    def worst(self) -> Attack | None:
        """The attack that finds most people; None where none looks for people or could run."""
        found = [attack for attack in self.attacks if attack.measure == "rank-1" and attack.value is not None]
        return max(found, key=lambda attack: attack.value or 0.0, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds."""
        return {"name": self.name, "holds": self.holds, "attacks": [attack.to_dict() for attack in self.attacks]}


@dataclass(frozen=True)
class RegisteredAttack:
    """An attack as it was registered: the title that audit.json and the card show, the object, and its package."""

    title: str
    attack: Any
    package: str

    def run(self, attempt: Callable[[np.random.Generator], Attack], knows: str, rng: np.random.Generator) -> Attack:
        """Return the result of an attempt, under this attack's title.

        An attack of another package has a random stream of its own, so that it changes no number of ours, and one that
        raises is reported with the reason.
        """
        if self.package == OURS:
            return attempt(rng)
        try:
            return replace(attempt(rng.spawn(1)[0]), name=self.title)
        except Exception as error:  # noqa: BLE001 - code of others may raise anything
            reason = f"the attack of the package {self.package} raised {type(error).__name__}: {error}"
            return Attack(self.title, knows, "rank-1", None, reason=reason)


def registered_attacks(campaign: str) -> list[RegisteredAttack]:
    """Return the attacks of a campaign: ours in their order, then those of other installed packages.

    ``personax parts`` names the packages whose attacks cannot be imported.

    Examples
    --------
    >>> [one.title for one in registered_attacks("table")]
    ['singling out by one column', 'singling out by several columns', 'linkability']
    """
    own = [part for part in registry.parts("attacks") if not part.fault and part.facts.get("campaign") == campaign]
    return [RegisteredAttack(part.title, registry.get("attacks", part.name), part.package) for part in own]
