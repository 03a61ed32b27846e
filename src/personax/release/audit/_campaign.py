"""Campaigns: an attacker is what they hold; what they can do with it is tried in every composition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from personax.release.audit._attack import Attack

__all__ = ["CAMPAIGNS", "Campaign"]

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
"""Campaign -> what its attacker holds beside the release and the code, which everybody has."""


@dataclass(frozen=True)
class Campaign:
    """What an attacker with one kind of knowledge has reached.

    Parameters
    ----------
    name
        One of `CAMPAIGNS`.
    attacks
        Every composition of steps that was tried, with its score.
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
