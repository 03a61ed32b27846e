"""Compare what was found with what is true of simulated people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from markupsafe import Markup
from scipy.stats import spearmanr

from personax.data.labels import display_test, percent, trait_of, two_decimals
from personax.registry import register
from personax.report._chart import chart
from personax.report._data import CrlResults, IndependenceResults, Truth
from personax.report._graph import GraphDrawing, draw_graph
from personax.report._sections import SectionInput, flattened

__all__ = ["ComparedPair", "ConfusionCounts", "compare", "confusion_counts", "scatter"]


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """One feature and one trait: what is true, and what one test found (``found`` None: not tested)."""

    feature: str
    trait: str
    test: str
    dependent: bool
    true_effect: float | None
    found: bool | None
    effect: float | None
    effect_name: str

    @property
    def confounded(self) -> bool:
        """Whether the two are dependent though the feature has no effect: something causes both."""
        return self.dependent and self.true_effect == 0

    @property
    def verdict(self) -> str:
        """In words: how the finding stands to the truth."""
        if self.found is None:
            return "not tested"
        if self.dependent:
            return "found" if self.found else "missed"
        return "false alarm" if self.found else "rightly silent"


@dataclass(frozen=True, slots=True)
class ConfusionCounts:
    """How often one test was right and wrong."""

    test: str
    found: int
    missed: int
    false_alarms: int
    silent: int
    untested: int

    @property
    def power(self) -> str:
        """Share of the true dependences that were found."""
        return percent(self.found, self.found + self.missed)

    @property
    def false_rate(self) -> str:
        """Share of the truly independent pairs that were called dependent."""
        return percent(self.false_alarms, self.false_alarms + self.silent)


def compare(table: pl.DataFrame, effects: Sequence[Mapping[str, Any]], group: str) -> list[ComparedPair]:
    """Return every true feature-trait pair with what each test of one group found.

    Parameters
    ----------
    table
        pvalues.parquet.
    effects
        ``effects`` of truth.json: feature, trait, effect, dependent.
    group
        Whose scores: ``final`` or a rater.
    """
    rows = table.filter(pl.col("group") == group)
    found = {(r["test"], r["feature"], trait_of(r["target"])): r for r in rows.iter_rows(named=True)}
    tested = {feature for _, feature, _ in found}
    return [
        _pair(true, test, found.get((test, true["feature"], trait_of(true["trait"]))))
        for test in rows["test"].unique(maintain_order=True)
        for true in effects
        if true["feature"] in tested
    ]


def _pair(true: Mapping[str, Any], test: str, row: Mapping[str, Any] | None) -> ComparedPair:
    effect = true.get("effect")
    return ComparedPair(
        feature=true["feature"],
        trait=trait_of(true["trait"]),
        test=test,
        dependent=bool(true["dependent"]),
        true_effect=None if effect is None else abs(float(effect)),
        found=None if row is None else row["rejected"],
        effect=None if row is None else row["effect_size"],
        effect_name="" if row is None else row["effect_name"] or "",
    )


def confusion_counts(pairs: Sequence[ComparedPair]) -> list[ConfusionCounts]:
    """Count the verdicts of each test."""
    tests = dict.fromkeys(pair.test for pair in pairs)
    verdicts = ("found", "missed", "false alarm", "rightly silent", "not tested")
    return [
        ConfusionCounts(test, *(sum(p.test == test and p.verdict == verdict for p in pairs) for verdict in verdicts))
        for test in tests
    ]


def scatter(pairs: Sequence[ComparedPair]) -> Markup:
    """Draw true against estimated effect of one test's pairs; the shape says whether the test was right."""
    rows = [
        {
            "label": f"{pair.feature} and {pair.trait}{' (common cause)' if pair.confounded else ''}",
            "x": pair.true_effect,
            "y": pair.effect,
            "verdict": pair.verdict,
        }
        for pair in pairs
        if pair.effect is not None and pair.true_effect is not None
    ]
    if not rows:
        return Markup("")
    label = f"True and estimated effects, {display_test(pairs[0].test)}"
    named = next(pair.effect_name for pair in pairs if pair.effect is not None)
    return chart("scatter", rows, label, x="true effect", y=f"estimated {named}")


def rank_agreement(pairs: Sequence[ComparedPair]) -> str:
    """Return how far the order of the estimated effects is that of the true ones, by Spearman's correlation."""
    known = np.array([(p.true_effect, p.effect) for p in pairs if p.true_effect and p.effect is not None])
    if len(known) < 3 or (np.ptp(known, axis=0) == 0).any():
        return "Too few pairs have a true effect of their own to compare the order."
    found = float(spearmanr(known[:, 0], known[:, 1]).statistic)
    agree = "agrees" if found >= AGREES else "agrees in part" if found >= AGREES / 2 else "does not agree"
    return (
        f"Over the {len(known)} pairs with a true effect, Spearman's correlation of true and estimated effects is "
        f"{two_decimals(found)}: the order {agree}."
    )


def confounded_sentence(pairs: Sequence[ComparedPair]) -> str:
    """Return how many dependences come from common causes, which no test of independence tells from effects."""
    behind = [pair for pair in pairs if pair.confounded]
    if not behind:
        return ""
    found = sum(pair.found is True for pair in behind)
    return (
        f"{len(behind)} of {sum(pair.dependent for pair in pairs)} dependent pairs have no effect of the feature on "
        f"the trait: something causes both. The test finds {found} of them, rightly as dependences; as causes they "
        "would be wrong, and a test of independence cannot tell."
    )


AGREES = 0.7
"""From this rank correlation on the order of effects is said to agree."""

STRONGEST = 12
"""Pairs in the table of those where a test was wrong."""


class TruthView:
    """What is true beside what was found."""

    def __init__(self, truth: Truth, independence: IndependenceResults | None, crl: CrlResults | None) -> None:
        self.note = truth.note
        self.graph: GraphDrawing | None = draw_graph(truth.graph, "True causal graph") if truth.graph else None
        self.meaning = truth.graph.meaning if truth.graph else ""
        self.tables: list[ConfusionCounts] = []
        self.wrong: list[ComparedPair] = []
        self.scatter, self.test = Markup(""), ""
        self.ranks, self.confounded = "", ""
        if independence is not None and truth.effects:
            group, self.test = independence.leading
            pairs = compare(independence.table, truth.effects, group)
            self.tables = confusion_counts(pairs)
            mine = [pair for pair in pairs if pair.test == self.test]
            self.scatter = scatter(mine)
            self.ranks, self.confounded = rank_agreement(mine), confounded_sentence(mine)
            wrong = [pair for pair in mine if pair.verdict in ("missed", "false alarm")]
            self.wrong = sorted(wrong, key=lambda pair: -max(pair.true_effect or 0.0, pair.effect or 0.0))[:STRONGEST]
        metrics = flattened(crl.metrics) if crl is not None else []
        self.recovery = [(name, value) for name, value in metrics if "mcc" in name.lower()]


@register("report_sections", "truth", title="Truth", help="of simulated people: what is true beside it", order=30)
def _truth(study: SectionInput) -> Markup | None:
    data = study.data
    if not data.truth:
        return None
    return study.render("truth.html.j2", truth=TruthView(data.truth, data.independence, data.crl))
