"""Turn `ReportData` into what the templates print: figures, tables and sentences, one class a section."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from personax.report import _reliability as rater_figures
from personax.report._charts import courses
from personax.report._data import (
    CrlResults,
    Faces,
    IndependenceResults,
    ReportData,
    StageSummary,
    TraitScores,
    Truth,
)
from personax.report._graph import Drawing, draw
from personax.report._heatmap import heatmap
from personax.report._labels import count, describe_test, display_test, number
from personax.report._truth import ComparedPair, Confusion, compare, confusions, scatter
from personax.schema import ENDINGS, LETTERS

__all__ = ["CrlView", "HeatmapView", "RatersView", "TruthView", "facts", "image_rows", "settings"]

STRONGEST = 12
SECRET = ("api key", "token", "secret", "password")


@dataclass(frozen=True, slots=True)
class HeatmapPanel:
    """One heatmap and the switches' settings that show it."""

    group: str
    test: str
    first: bool
    svg: Markup


class HeatmapView:
    """The dependency heatmap with its switches, the strongest pairs and the reasons of what is missing."""

    def __init__(self, found: IndependenceResults) -> None:
        table = found.table
        self.group, self.test = found.leading
        self.groups = [(g, _group(g)) for g in table["group"].unique(maintain_order=True)]
        self.tests = [(t, *describe_test(t)) for t in table["test"].unique(maintain_order=True)]
        self.panels = [self._panel(found, group, test) for group, _ in self.groups for test, *_ in self.tests]
        shown = table.filter((pl.col("group") == self.group) & (pl.col("test") == self.test))
        computed = shown.filter(pl.col("p_value").is_not_null())
        order = ["effect_size", "feature", "target"]
        self.strongest = (
            computed.sort(order, descending=[True, False, False], nulls_last=True).head(STRONGEST).to_dicts()
        )
        missing = table.filter(pl.col("p_value").is_null()).group_by("reason").len("count")
        self.reasons = missing.sort(["count", "reason"], descending=[True, False], nulls_last=True).head(12).to_dicts()
        self.methods = table["method"].drop_nulls().unique(maintain_order=True).to_list()
        self.shown, self.of = len(found.features), found.feature_count
        self.graph = draw(found.graph, "Dependency graph") if found.graph else None

    def _panel(self, found: IndependenceResults, group: str, test: str) -> HeatmapPanel:
        rows = found.table.filter((pl.col("group") == group) & (pl.col("test") == test))
        label = f"{display_test(test)}, {_group(group)}"
        first = (group, test) == (self.group, self.test)
        return HeatmapPanel(group, test, first, heatmap(rows, found.features, label))


def _group(group: str) -> str:
    return "Aggregate" if group == "final" else group


class RatersView:
    """Agreement, answers and use of the scale, rater by rater."""

    def __init__(self, traits: TraitScores) -> None:
        raters: Mapping[str, Any] = traits.agreement.get("raters") or {}
        alphas: Mapping[str, Any] = traits.agreement.get("traits") or {}
        self.raters, self.endings = raters, list(ENDINGS)
        self.alphas = rater_figures.alphas(alphas) if any(a.get("alpha") is not None for a in alphas.values()) else None
        self.no_alpha = sorted({a["reason"] for a in alphas.values() if a.get("alpha") is None and a.get("reason")})
        self.statuses = rater_figures.statuses(raters) if raters else None
        named = [trait for trait in LETTERS if any((r.get("histogram") or {}).get(trait) for r in raters.values())]
        self.ratings = [(trait, self._ratings(trait)) for trait in named]
        self.pairs = _kappas(traits.agreement.get("pairs") or [])

    def ended(self, rater: str, ending: str) -> int:
        """Return how many of a rater's requests ended so."""
        return rater_figures.ended(self.raters[rater], ending)

    def _ratings(self, trait: str) -> Markup:
        used = {name: (found.get("histogram") or {}).get(trait) or {} for name, found in self.raters.items()}
        return rater_figures.ratings(used, trait)


def _kappas(pairs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """Return one row for each pair of raters: both names and the kappa of each trait."""
    found = {(pair["a"], pair["b"], pair["trait"]): pair.get("kappa") for pair in pairs}
    names = dict.fromkeys((a, b) for a, b, _ in found)
    return [(a, b, [number(found.get((a, b, trait)), 2) for trait in LETTERS]) for a, b in names]


class CrlView:
    """The learned graph, the measures of the fit and its course."""

    def __init__(self, crl: CrlResults) -> None:
        self.graph = draw(crl.graph, "Learned causal graph") if crl.graph else None
        self.meaning = crl.graph.meaning if crl.graph else ""
        self.metrics = [(name, _written(value)) for name, value in _flat(crl.metrics)][:40]
        self.courses = courses(crl.history) if crl.history is not None else []
        self.assumptions = [
            (
                row["assumption"],
                row["verdict"],
                "" if row["number"] is None else _written(row["number"]),
                row["sentence"],
            )
            for row in crl.diagnostics
        ]
        self.names = list(crl.reading.get("proposed names", {}).items())
        self.edges = list(crl.reading.get("edges", []))


class TruthView:
    """What is true beside what was found."""

    def __init__(self, truth: Truth, independence: IndependenceResults | None, crl: CrlResults | None) -> None:
        self.note = truth.note
        self.graph: Drawing | None = draw(truth.graph, "True causal graph") if truth.graph else None
        self.meaning = truth.graph.meaning if truth.graph else ""
        self.tables: list[Confusion] = []
        self.wrong: list[ComparedPair] = []
        self.scatter, self.test = Markup(""), ""
        if independence is not None and truth.effects:
            group, self.test = independence.leading
            pairs = compare(independence.table, truth.effects, group)
            self.tables = confusions(pairs)
            mine = [pair for pair in pairs if pair.test == self.test]
            self.scatter = scatter(mine)
            wrong = [pair for pair in mine if pair.verdict in ("missed", "false alarm")]
            self.wrong = sorted(wrong, key=lambda pair: -max(pair.true_effect or 0.0, pair.effect or 0.0))[:STRONGEST]
        metrics = _flat(crl.metrics) if crl is not None else []
        self.recovery = [(name, _written(value)) for name, value in metrics if "mcc" in name.lower()]


def image_rows(faces: Faces) -> list[tuple[str, list[str]]]:
    """Return the faces as ``data:`` addresses, row by row."""
    return [
        (caption, [f"data:image/png;base64,{base64.b64encode(image).decode()}" for image in images])
        for caption, images in faces.rows
    ]


def facts(data: ReportData) -> list[tuple[str, str]]:
    """Return the few numbers that say how large the study is and what came out."""
    found: list[tuple[str, str]] = []
    if data.people:
        features = sum(column.role == "feature" for column, _ in data.people.columns)
        found += [(count(data.people.count), "people"), (count(features), "features")]
    if data.traits and data.traits.agreement.get("raters"):
        found.append((count(len(data.traits.agreement["raters"])), "raters"))
    if data.independence:
        group, test = data.independence.leading
        _, computed, rejected = data.independence.counts[group, test]
        found.append((f"{count(rejected)} of {count(computed)}", f"pairs dependent by {display_test(test)}"))
    if data.crl and data.crl.graph:
        found.append((count(len(data.crl.graph.nodes)), "latents learned"))
    return found


def settings(manifest: StageSummary) -> list[tuple[str, str]]:
    """Return a stage's settings as rows; what looks like a secret is not shown."""
    rows = [(name, _written(value)) for name, value in _flat(manifest.plan)]
    return [(name, "(not shown)" if name.lower().endswith(SECRET) else value) for name, value in rows]


def _flat(values: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """Return nested settings as one list, ``outer, inner`` for each name."""
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{above}{name}, ")
        else:
            rows.append((f"{above}{name}".replace("_", " "), value))
    return rows


def _written(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        short = ", ".join(_written(item) for item in value[:12])
        return f"{short}, and {len(value) - 12} more" if len(value) > 12 else short
    return str(value)
