"""`check_attack`: whether a registered attack keeps the contract of its campaign, on invented people."""

from __future__ import annotations

from typing import Any

import numpy as np

from personax.conformance import Demand, described, kit, registered
from personax.release.audit._attack import Attack, Vectors
from personax.release.audit._cached_views import CachedViews, equal_rows
from personax.release.audit._known_pairs import KnownPairs, KnownPairsCurve, KnownPairsPoint
from personax.release.audit._linkage import SelfTraining
from personax.release.audit._table_attacks import CodedTable, TableSplit

__all__ = ["check_attack"]

PEOPLE, DIM, KNOWN = 120, 8, 40


@kit
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
    demand, part, attack = registered("attacks", name)
    campaign = str(part.facts.get("campaign"))
    text = f"campaign={part.facts.get('campaign')!r}; attacks are registered for {', '.join(_CHECKS)}"
    demand(campaign in _CHECKS, text)
    with demand.rule(f"an attack of the campaign {campaign} runs on invented people"):
        _CHECKS[campaign](attack, demand)


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
    text = "register a function (originals, released, rng)"
    demand(callable(attack) and not isinstance(attack, type), f"{described(attack)} cannot be called; {text}")
    before = x.copy(), y.copy()
    first = attack(CachedViews(x), CachedViews(y), np.random.default_rng(1))
    demand(isinstance(first, np.ndarray) and first.shape == (len(x),) and first.dtype.kind == "i",
           f"it returns no array of {len(x)} row numbers; return the released row of each original")  # fmt: skip
    demand(((first >= 0) & (first < len(y))).all(), "it returns rows that the release has not; count from 0")
    demand(np.array_equal(x, before[0]) and np.array_equal(y, before[1]), "it changes its input; work on a copy")
    again = attack(CachedViews(x), CachedViews(y), np.random.default_rng(1))
    demand(np.array_equal(first, again), "the same random numbers give another result; draw from rng only")


def _check_pairs(attack: Any, demand: Demand) -> None:  # noqa: ANN401 - what was registered
    demand(
        isinstance(attack, type) and issubclass(attack, KnownPairsCurve),
        f"it is {described(attack)}; derive a class from KnownPairsAttack",
    )
    x, y = _people(np.random.default_rng(0))
    order = np.arange(PEOPLE)
    truth = equal_rows(x).take(order[KNOWN:])
    pairs = KnownPairs(x[:KNOWN], y[:KNOWN], x[KNOWN:], y[KNOWN:], truth, (x, y, order))

    def curve() -> list[Any]:
        return list(_made(attack).curve(pairs, (2, KNOWN), np.random.default_rng(1)))

    first = curve()
    points = first and all(isinstance(point, KnownPairsPoint) for point in first)
    demand(points, "its curve has no points; yield a KnownPairsPoint for each m")
    demand(all(0 <= point.rank_1 <= 1 for point in first), "rank_1 is no share; return a rate from 0 to 1")
    control = _made(attack).control(pairs, KNOWN, np.random.default_rng(1))
    demand(control is None or 0 <= control <= 1, f"its control is {control!r}; return a rate from 0 to 1, or None")
    again = _made(attack).control(pairs, KNOWN, np.random.default_rng(1))
    demand(control == again, "the same random numbers give another control; draw from rng only")
    demand(first == curve(), "the same random numbers give another result; draw from rng only")


def _made(attack: type[KnownPairsCurve]) -> KnownPairsCurve:
    made = attack()
    made.title = "checked"
    return made


def _check_table(attack: Any, demand: Demand) -> None:  # noqa: ANN401 - what was registered
    values = np.random.default_rng(0).integers(0, 6, size=(PEOPLE, 3)).astype(np.float64)
    table = CodedTable(values, np.array([False, False, True]), np.array([5.0, 5.0, 1.0]))
    half = np.arange(PEOPLE // 2)
    split = TableSplit(table.rows(half), table.rows(half + PEOPLE // 2), table.rows(half))
    text = "register a function (split, rng)"
    demand(callable(attack) and not isinstance(attack, type), f"{described(attack)} cannot be called; {text}")
    first, again = (attack(split, np.random.default_rng(1)) for _ in range(2))
    demand(isinstance(first, Attack), f"it returns {type(first).__name__}; return an Attack")
    demand(first.value is None or 0 <= first.value <= 1, f"its value is {first.value}; return a rate from 0 to 1")
    demand(first == again, "the same random numbers give another result; draw from rng only")


_CHECKS = {"originals": _check_linkage, "pairs": _check_pairs, "table": _check_table}
