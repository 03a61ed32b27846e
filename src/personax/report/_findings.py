"""What was found, in sentences: the strongest dependences that survive the correction, or what could have been found.

A finding has a direction, its numbers and an interval, and says how many tests and how many raters agree on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from markupsafe import Markup
from scipy.special import ndtri

from personax.data.labels import count, display_test, display_trait, number, trait_of, two_decimals
from personax.registry import register
from personax.report._credibility import CORRECTIONS, level_of, stage_verdicts
from personax.report._data import IndependenceResults, ReportData
from personax.report._sections import SectionInput

__all__ = ["DependenceFinding", "detectable", "direction_of", "findings", "nothing_found"]

SHOWN: Final = 5
"""Findings on the first screen."""

POWER: Final = 0.8
"""With which a dependence would have been found that is called one that could have been."""


@dataclass(frozen=True, slots=True)
class DependenceFinding:
    """A dependence that survives the correction.

    Parameters
    ----------
    feature, target
        Columns; the target without its rater.
    claim
        Direction and means, or that the two are dependent.
    support
        Effect with its interval, how many tests and raters say so.
    """

    feature: str
    target: str
    claim: str
    support: str


def findings(found: IndependenceResults, limit: int = SHOWN) -> list[DependenceFinding]:
    """Return the strongest dependences of the leading group and test that survive the correction."""
    group, test = found.leading
    rows = found.table.filter((pl.col("group") == group) & (pl.col("test") == test) & pl.col("rejected"))
    ranked = rows.sort(["effect_size", "feature", "target"], descending=[True, False, False], nulls_last=True)
    return [_finding(row, found) for row in ranked.head(limit).iter_rows(named=True)]


def _finding(row: Mapping[str, Any], found: IndependenceResults) -> DependenceFinding:
    target = display_trait(row["target"])
    claim = direction_of(row) or f"{target} depends on {row['feature']}"
    table = found.table.filter((pl.col("feature") == row["feature"]) & pl.col("p_value").is_not_null())
    own = table.filter((pl.col("group") == row["group"]) & (pl.col("target") == row["target"]))
    raters = _raters(row, table)
    support = [_effect(row), _tests(own), *([raters] if raters else [])]
    return DependenceFinding(row["feature"], target, f"{claim}.", f"{'; '.join(support)}.")


def direction_of(row: Mapping[str, Any]) -> str:
    """Return how the target moves with the feature, by its usual name; nothing in tables of earlier versions."""
    return str(row.get("direction_text") or "").replace(row["target"], display_trait(row["target"]))


def _effect(row: Mapping[str, Any]) -> str:
    low, high = row.get("effect_low"), row.get("effect_high")
    between = "" if low is None or high is None else f", 95 % {two_decimals(low)} to {two_decimals(high)}"
    return f"{row['effect_name'] or 'effect size'} {two_decimals(row['effect_size'])}{between}, n {count(row['n'])}"


def _tests(own: pl.DataFrame) -> str:
    """Return how many of the tests that ran say so."""
    dependent, run = int(own["rejected"].sum()), own["test"].n_unique()
    if run == 1:
        return f"dependent by {display_test(own['test'][0])}, the only test that could run"
    return f"dependent by all {run} tests" if dependent == run else f"dependent by {dependent} of {run} tests"


def _raters(row: Mapping[str, Any], table: pl.DataFrame) -> str:
    """Return in how many of the raters' own scores the same is found, in the same direction."""
    trait = trait_of(row["target"])
    others = [
        other
        for other in table.filter((pl.col("group") != row["group"]) & (pl.col("test") == row["test"])).to_dicts()
        if trait_of(other["target"]) == trait and "·" not in other["group"]
    ]
    if not others:
        return ""
    keys = ("direction", "level_high", "level_low") if row.get("direction") == "groups" else ("direction",)
    same = sum(bool(o["rejected"]) and all(o.get(key) == row.get(key) for key in keys) for o in others)
    return f"the same in {same} of {len(others)} raters"


def detectable(n: int, alpha: float, pairs: int, power: float = POWER) -> float:
    """Return the smallest correlation that a test of n people finds with a power, at the level of the first of m pairs.

    By Fisher's z (1921): atanh r has the standard error 1 / sqrt(n - 3). With every correction that knows the number of
    pairs the smallest p-value must be below alpha / m.

    Examples
    --------
    >>> round(detectable(100, 0.05, 1), 2), round(detectable(1000, 0.05, 50), 2)
    (0.28, 0.13)
    """
    if n < 4:
        return 1.0
    return math.tanh(float(ndtri(power) - ndtri(alpha / max(pairs, 1) / 2)) / math.sqrt(n - 3))


def nothing_found(found: IndependenceResults, alpha: float) -> str:
    """Return what could have been found where nothing was."""
    group, test = found.leading
    tested = found.table.filter((pl.col("group") == group) & (pl.col("test") == test) & pl.col("p_value").is_not_null())
    pairs, computed, _ = found.counts[group, test]
    if tested.is_empty():
        return f"No pair could be tested: none of {count(pairs)} has a p-value. The reasons stand below."
    n = int(np.median(tested["n"].to_numpy()))
    smallest = detectable(n, alpha, computed)
    return (
        f"Nothing was found at this n: none of {count(computed)} pairs is dependent after correction. With "
        f"{count(n)} people a correlation of {two_decimals(smallest)} or more, {number(100 * smallest**2, 2)} % of the "
        "variance, would have been found in 4 of 5 studies; a weaker one may well be there."
    )


def summary_sentence(found: IndependenceResults, data: ReportData) -> str:
    """Return how many pairs are dependent, by which test and correction."""
    group, test = found.leading
    _, computed, rejected = found.counts[group, test]
    alpha, correction = level_of(data)
    return (
        f"{count(rejected)} of {count(computed)} pairs are dependent by {display_test(test)} at {number(alpha)} "
        f"({CORRECTIONS.get(correction, correction)})."
    )


@register("report_sections", "answer", title="Findings", help="what was found, and can it be believed", order=5)
def _answer(study: SectionInput) -> Markup | None:
    data = study.data
    verdicts = stage_verdicts(data)
    found = data.independence
    if not verdicts and found is None:
        return None
    listed: Sequence[DependenceFinding] = findings(found) if found else ()
    nothing = nothing_found(found, level_of(data)[0]) if found and not listed else ""
    return study.render(
        "answer.html.j2",
        findings=listed,
        nothing=nothing,
        summary=summary_sentence(found, data) if found else "",
        verdicts=verdicts,
    )
