"""The ledger of a study: what all its releases have spent of one privacy budget, and which releases there were.

It lies beside the key and never leaves. What is spent is written down, on the disk, before noise is drawn: a process
that is killed has spent without giving, never given without spending.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from personax.errors import InputError, StudyError
from personax.release.answering.populations import Populations, hashes, population
from personax.release.journal import Journal
from personax.release.statistics.zcdp import epsilon_of

__all__ = ["Budget", "Ledger", "PastRelease", "Spent"]

SLACK = 1e-9
"""Rounding of an epsilon, as a share of it."""


@dataclass(frozen=True)
class Budget:
    """All that the releases of a study may spend together."""

    epsilon: float
    delta: float


@dataclass(frozen=True)
class Spent:
    """One spending: Gaussian noise in ``rho``; other mechanisms in ``epsilon`` and ``delta``.

    Parameters
    ----------
    time, what
        When (UTC), and on what, in words.
    drawn
        A hash of the data and of what was asked: what was drawn for them is kept, and never drawn twice.
    unit
        What is protected: whether somebody is in the data at all, or a person's values, whoever is in it.
    """

    time: str
    what: str
    drawn: str
    rho: float = 0.0
    epsilon: float = 0.0
    delta: float = 0.0
    unit: Literal["presence", "values"] = "presence"


@dataclass(frozen=True)
class PastRelease:
    """One release that was built.

    Parameters
    ----------
    time, version
        When, and as what.
    sums
        SHA-256 of its SHA256SUMS.
    key
        Fingerprint of the key of its pseudonyms.
    people
        How many, and the name of the population in the folder ``populations`` beside the ledger.
    """

    time: str
    version: str
    sums: str
    key: str
    people: int
    population: str


class Ledger:
    """The ledger in a folder of keys.

    Parameters
    ----------
    keys
        The folder; whoever writes holds the study's lock.
    """

    def __init__(self, keys: Path) -> None:
        self._journal = Journal(keys / "ledger.jsonl")
        self._populations = Populations(keys / "populations")

    @property
    def path(self) -> Path:
        """The file."""
        return self._journal.path

    def spendings(self) -> list[Spent]:
        """Return what was spent, the oldest first."""
        return [self._made(Spent, event) for event in self._journal.events() if event.get("kind") == "spent"]

    def releases(self) -> list[PastRelease]:
        """Return the releases, the oldest first."""
        return [self._made(PastRelease, event) for event in self._journal.events() if event.get("kind") == "release"]

    def _made(self, kind: Any, event: dict[str, Any]) -> Any:  # noqa: ANN401 - one of two classes
        try:
            return kind(**{name: value for name, value in event.items() if name != "kind"})
        except TypeError:
            raise StudyError(f"{self.path} has a line that is no entry; put the ledger back from a copy") from None

    def total(self, delta: float, more: Sequence[Spent] = ()) -> float:
        """Return the epsilon of all that was spent, and of ``more``, together at a delta; infinite where it has none.

        Notes
        -----
        The rho add up and become one epsilon at what is left of delta; other epsilons and deltas are added to it.
        Where both units stand in the ledger the total is of a person's values: to replace a person moves one cell of
        each table down and another up, sqrt(2) times as far as to take one out, which doubles the rho of tables.
        """
        every = [*self.spendings(), *more]
        twice = 2 if any(one.unit == "values" for one in every) else 1
        rho = sum(one.rho * (twice if one.unit == "presence" else 1) for one in every)
        left = delta - sum(one.delta for one in every)
        plain = sum(one.epsilon for one in every)
        if rho == 0:
            return plain if left >= 0 else math.inf
        return plain + epsilon_of(rho, left) if left > 0 else math.inf

    def spend(self, spent: Spent, budget: Budget) -> None:
        """Write down what is about to be drawn, or refuse it.

        Raises
        ------
        InputError
            Together with what was spent before, it is more than the budget.
        """
        total = self.total(budget.delta, [spent])
        if not total <= budget.epsilon * (1 + SLACK):
            before = self.total(budget.delta)
            raise InputError(
                f"the privacy budget of the study is epsilon = {budget.epsilon:g} at delta = {budget.delta:g}; "
                f"{before:.3g} is spent and {spent.what} would make it {total:.3g}; state a larger release.budget, "
                "knowing that every release of the same people counts, or keep what was released"
            )
        self._journal.add({"kind": "spent"} | asdict(spent))

    def record(self, release: PastRelease, ids: pl.Series) -> None:
        """Write down a release that was built; one that is there already is not written again."""
        name = self._populations.keep(population(hashes(ids)))
        made = {"kind": "release"} | asdict(release) | {"people": len(ids), "population": name}
        if not any(one.sums == release.sums for one in self.releases()):
            self._journal.add(made)

    def gone_since(self, release: PastRelease, ids: pl.Series) -> int:
        """Return how many people of an earlier release are not among these."""
        old = self._populations.get(release.population)
        return len(np.setdiff1d(old, population(hashes(ids)), assume_unique=True))


def now() -> str:
    """Return the time of an entry."""
    return datetime.now(UTC).isoformat(timespec="seconds")
