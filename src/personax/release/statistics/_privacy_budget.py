"""The privacy budget of a study: zero-concentrated differential privacy, and the ledger of all releases.

Noise of standard deviation s on something that one person moves by at most D (Euclidean) spends rho = D^2 / (2 s^2),
and the rho of several releases add up (Bun, Steinke 2016).

The ledger is kept in the keystore and never leaves. A spending is recorded on disk before noise is drawn: a killed
process has spent without releasing, never released without spending.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import polars as pl

from personax.errors import InputError, StudyError
from personax.release._event_log import EventLog
from personax.release.answering._request_log import Populations, hashes, population
from personax.strict import Alpha, Positive, Strict

__all__ = ["Ledger", "PastRelease", "PrivacyBudget", "PrivacySpending", "epsilon_of", "rho_of"]


def epsilon_of(rho: float, delta: float) -> float:
    """Return the epsilon of rho-zCDP at a delta.

    The least over orders a > 1 of ``a rho + log(1 / (a delta)) / (a - 1) + log(1 - 1 / a)``.

    Raises
    ------
    InputError
        A rho below 0, or a delta outside (0, 1).

    References
    ----------
    Canonne, Kamath, Steinke 2020, arXiv:2004.00010, proposition 12.

    Examples
    --------
    >>> round(epsilon_of(0.0178, 1e-6), 3), epsilon_of(0.0, 1e-6)
    (0.846, 0.0)
    """
    if rho < 0 or not 0 < delta < 1:
        raise InputError(f"rho = {rho:g} and delta = {delta:g}: rho is at least 0 and delta between 0 and 1")
    if rho == 0:
        return 0.0
    middle = math.sqrt(math.log(1 / delta) / rho)  # the order of the simple bound
    orders = 1 + middle * np.exp(np.linspace(-4, 4, 8001))
    found = orders * rho + np.log(1 / (orders * delta)) / (orders - 1) + np.log1p(-1 / orders)
    return max(0.0, float(found.min()))


def rho_of(epsilon: float, delta: float) -> float:
    """Return the largest rho whose epsilon at this delta is no larger.

    Examples
    --------
    >>> round(epsilon_of(rho_of(3.0, 1e-6), 1e-6), 6)
    3.0
    """
    if not 0 < epsilon < math.inf:
        raise InputError(f"epsilon = {epsilon:g} is invalid; give a number above 0")
    low, high = 0.0, epsilon  # epsilon_of(epsilon) > epsilon at every delta that is used
    while epsilon_of(high, delta) < epsilon:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if epsilon_of(middle, delta) <= epsilon else (low, middle)
    return low


SLACK = 1e-9
"""Rounding of an epsilon, as a share of it."""


class PrivacyBudget(Strict):
    """The total budget of all releases of a study."""

    epsilon: Positive
    delta: Alpha = 1e-6


Spent = TypeVar("Spent")


@dataclass(frozen=True)
class PrivacySpending:
    """One spending: Gaussian noise by its ``rho``, other mechanisms by ``epsilon`` and ``delta``.

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
        self._journal = EventLog(keys / "ledger.jsonl")
        self._populations = Populations(keys / "populations")

    @property
    def path(self) -> Path:
        """The file."""
        return self._journal.path

    def spendings(self) -> list[PrivacySpending]:
        """Return what was spent, the oldest first."""
        return [self._made(PrivacySpending, event) for event in self._journal.events() if event.get("kind") == "spent"]

    def releases(self) -> list[PastRelease]:
        """Return the releases, the oldest first."""
        return [self._made(PastRelease, event) for event in self._journal.events() if event.get("kind") == "release"]

    def _made(self, kind: Callable[..., Spent], event: dict[str, Any]) -> Spent:
        try:
            return kind(**{name: value for name, value in event.items() if name != "kind"})
        except TypeError:
            raise StudyError(f"{self.path} has an invalid line; restore the ledger from a backup") from None

    def total(self, delta: float, more: Sequence[PrivacySpending] = ()) -> float:
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

    def spend(self, spent: PrivacySpending, budget: PrivacyBudget | None) -> None:
        """Record a spending before noise is drawn, or refuse it; without a budget nothing is refused.

        Raises
        ------
        InputError
            Together with earlier spendings it exceeds the budget.
        """
        total = self.total(budget.delta, [spent]) if budget else 0.0
        if budget and not total <= budget.epsilon * (1 + SLACK):
            before = self.total(budget.delta)
            raise InputError(
                f"the privacy budget of the study is epsilon = {budget.epsilon:g} at delta = {budget.delta:g}; "
                f"{before:.3g} is spent and {spent.what} would make it {total:.3g}; state a larger release.budget, "
                "knowing that every release of the same people counts, or keep what was released"
            )
        self._journal.add({"kind": "spent"} | asdict(spent))

    def record(self, release: PastRelease, ids: pl.Series) -> None:
        """Record a release; one that is recorded already is not added again."""
        name = self._populations.keep(population(hashes(ids)))
        made = {"kind": "release"} | asdict(release) | {"people": len(ids), "population": name}
        if not any(one.sums == release.sums for one in self.releases()):
            self._journal.add(made)

    def count_removed(self, release: PastRelease, ids: pl.Series) -> int:
        """Return the number of people of an earlier release who are missing now."""
        old = self._populations.get(release.population)
        return len(np.setdiff1d(old, population(hashes(ids)), assume_unique=True))


def now() -> str:
    """Return the time of an entry."""
    return datetime.now(UTC).isoformat(timespec="seconds")
