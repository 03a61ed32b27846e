"""`check_attack`: whether a registered attack keeps the contract of its campaign, on invented people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from personax import registry
from personax.release.audit._attack import Attack, Vectors
from personax.release.audit._cached_views import CachedViews, equal_rows
from personax.release.audit._known_pairs import KnownPairs, KnownPairsAttack
from personax.release.audit._linkage import SelfTraining
from personax.release.audit._table_attacks import CodedTable, TableSplit

__all__ = ["check_attack"]

PEOPLE, DIM, KNOWN = 120, 8, 40

Demand = Callable[[object, str], None]


def check_attack(name: str) -> None:
    """Check that an attack does what the audit relies on.

    Checked are: the campaign; shape, type and range of what it returns; that its input stays as it is; and that the
    same random numbers give the same result.

    Parameters
    ----------
    name
        As registered.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.

    Examples
    --------
    >>> check_attack("distance-profiles")
    """

    def demand(holds: object, text: str) -> None:
        if not holds:
            raise AssertionError(f"{name}: {text}")

    campaign = registry.describe("attacks", name).facts.get("campaign")
    demand(campaign in _CHECKS, f"campaign={campaign!r}; attacks are registered for {', '.join(_CHECKS)}")
    _CHECKS[str(campaign)](registry.get("attacks", name), demand)


def _people(rng: np.random.Generator) -> tuple[Vectors, Vectors]:
    """Return originals, and the same rotated."""
    x = rng.gamma(2.0, size=(PEOPLE, DIM)).astype(np.float32)
    turn, _ = np.linalg.qr(rng.normal(size=(DIM, DIM)))
    return x, (x @ turn).astype(np.float32)


def _check_linkage(attack: Any, demand: Demand) -> None:  # noqa: ANN401 - what was registered
    x, y = _people(np.random.default_rng(0))
    if isinstance(attack, SelfTraining):
        pairs = attack.seed(attack.view(x), attack.view(y))
        demand(
            len(pairs.original) == len(pairs.released), "its pairs differ in number; return one released row for each"
        )
        return
    demand(callable(attack), "it cannot be called; register a function (originals, released, rng)")
    before = x.copy(), y.copy()
    first = attack(CachedViews(x), CachedViews(y), np.random.default_rng(1))
    demand(isinstance(first, np.ndarray) and first.shape == (len(x),) and first.dtype.kind == "i",
           f"it returns no array of {len(x)} row numbers; return the released row of each original")  # fmt: skip
    demand(((first >= 0) & (first < len(y))).all(), "it returns rows that the release has not; count from 0")
    demand(np.array_equal(x, before[0]) and np.array_equal(y, before[1]), "it changes its input; work on a copy")
    again = attack(CachedViews(x), CachedViews(y), np.random.default_rng(1))
    demand(np.array_equal(first, again), "the same random numbers give another result; draw from rng only")


def _check_pairs(attack: Any, demand: Demand) -> None:  # noqa: ANN401
    demand(isinstance(attack, type) and issubclass(attack, KnownPairsAttack), "derive it from KnownPairsAttack")
    x, y = _people(np.random.default_rng(0))
    order = np.arange(PEOPLE)
    truth = equal_rows(x).take(order[KNOWN:])
    pairs = KnownPairs(x[:KNOWN], y[:KNOWN], x[KNOWN:], y[KNOWN:], truth, (x, y, order))

    def curve() -> list[Any]:
        made = attack()
        made.title = "checked"
        return list(made.curve(pairs, (2, KNOWN), np.random.default_rng(1)))

    first = curve()
    demand(first and all(0 <= point.rank_1 <= 1 for point in first), "its curve has no points; yield one for each m")
    demand(first == curve(), "the same random numbers give another result; draw from rng only")


def _check_table(attack: Any, demand: Demand) -> None:  # noqa: ANN401
    values = np.random.default_rng(0).integers(0, 6, size=(PEOPLE, 3)).astype(np.float64)
    table = CodedTable(values, np.array([False, False, True]), np.array([5.0, 5.0, 1.0]))
    half = np.arange(PEOPLE // 2)
    split = TableSplit(table.rows(half), table.rows(half + PEOPLE // 2), table.rows(half))
    demand(callable(attack), "it cannot be called; register a function (split, rng)")
    first, again = (attack(split, np.random.default_rng(1)) for _ in range(2))
    demand(isinstance(first, Attack), f"it returns {type(first).__name__}; return an Attack")
    demand(first.value is None or 0 <= first.value <= 1, f"its value is {first.value}; return a rate from 0 to 1")
    demand(first == again, "the same random numbers give another result; draw from rng only")


_CHECKS = {"originals": _check_linkage, "pairs": _check_pairs, "table": _check_table}
