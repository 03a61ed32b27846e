"""Compare what was found with what is true of simulated people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from personax.data.labels import display_test, percent, trait_of
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
        {"label": f"{pair.feature} and {pair.trait}", "x": pair.true_effect, "y": pair.effect, "verdict": pair.verdict}
        for pair in pairs
        if pair.effect is not None and pair.true_effect is not None
    ]
    if not rows:
        return Markup("")
    label = f"True and estimated effects, {display_test(pairs[0].test)}"
    named = next(pair.effect_name for pair in pairs if pair.effect is not None)
    return chart("scatter", rows, label, x="true effect", y=f"estimated {named}")


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
        if independence is not None and truth.effects:
            group, self.test = independence.leading
            pairs = compare(independence.table, truth.effects, group)
            self.tables = confusion_counts(pairs)
            mine = [pair for pair in pairs if pair.test == self.test]
            self.scatter = scatter(mine)
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
