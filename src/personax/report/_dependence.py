"""Level I: the heatmap of features x targets with its switches, the strongest pairs, the dependence graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from personax.data.labels import describe_test, display_test, display_trait, two_decimals
from personax.registry import register
from personax.report._charts import CORRECTED, EFFECT, ColourScale, Value, element
from personax.report._data import IndependenceResults
from personax.report._graph import draw_graph
from personax.report._sections import SectionInput

__all__ = ["HeatmapView", "heatmap"]

ROW = 30.0
HEAD = 34.0
NAMES = 34.0
"""Share of the width, in percent, that the feature names take."""

FITS = 6
"""So many targets fit on a phone; a wider panel scrolls in its own box."""

MISSING = "not tested: this test was not asked for this pair"


def heatmap(panel: pl.DataFrame, features: Sequence[str], label: str) -> Markup:
    """Draw one panel.

    Parameters
    ----------
    panel
        Rows of pvalues.parquet of one group and one test.
    features
        Row order; a pair without a row in ``panel`` is hatched like any other that has no p-value.
    label
        What a screen reader calls the panel.

    A cell carries its exact numbers in ``data-`` attributes: the page shows them on hover, focus and tap.
    """
    targets = panel["target"].unique(maintain_order=True).to_list()
    cells = {(row["feature"], row["target"]): row for row in panel.iter_rows(named=True)}
    step = (100 - NAMES) / max(len(targets), 1)
    head = element("g", *(_heading(target, NAMES + step * i, step) for i, target in enumerate(targets)), role="row")
    rows = [
        _row(feature, [(target, cells.get((feature, target))) for target in targets], HEAD + ROW * place, step)
        for place, feature in enumerate(features)
    ]
    return element(
        "svg",
        head,
        *rows,
        width="100%" if len(targets) <= FITS else 130 + 60 * len(targets),
        height=HEAD + ROW * len(features),
        class_="heatmap",
        role="grid",
        aria_label=label,
    )


def _heading(target: str, x: float, step: float) -> Markup:
    name = display_trait(target)
    brief = name if len(name) <= 5 else f"{name[:4]}."
    # A nested svg clips a name at the border of its column; style.css shows the brief one where columns are narrow.
    names = [
        element("text", text, x="50%", y=HEAD - 12, class_=size) for text, size in ((name, "full"), (brief, "brief"))
    ]
    clipped = element("svg", *names, x=f"{x:.3f}%", width=f"{step:.3f}%", height=HEAD, class_="clip")
    return element("g", clipped, role="columnheader", class_="head", data_tip=name)


def _row(feature: str, cells: list[tuple[str, Mapping[str, Any] | None]], y: float, step: float) -> Markup:
    text = element("text", feature, x=0, y=ROW / 2 + 4)
    name = element("svg", text, y=y, width=f"{NAMES - 2}%", height=ROW, class_="clip")
    head = element("g", name, role="rowheader", class_="name", data_tip=feature)
    drawn = (_cell(target, row, NAMES + step * i, y, step) for i, (target, row) in enumerate(cells))
    return element("g", head, *drawn, role="row", data_feature=feature)


def _cell(target: str, row: Mapping[str, Any] | None, x: float, y: float, step: float) -> Markup:
    box: dict[str, Value] = {"x": f"{x:.3f}%", "y": y, "width": f"{step - 0.6:.3f}%", "height": ROW - 3, "rx": 3}
    known: dict[str, Value] = {"data_target": display_trait(target), "role": "gridcell", "tabindex": -1}
    if row is None or row["p_value"] is None or math.isnan(row["p_value"]):
        reason = (row and row["reason"]) or MISSING
        sample = row["n"] if row else None
        return element("g", element("rect", **box), class_="cell none", data_reason=reason, data_n=sample, **known)
    effect, corrected = row["effect_size"], row["p_corrected"]
    steps = f"{_step('e', EFFECT, effect)} {_step('p', CORRECTED, corrected)}"
    middle = element("text", two_decimals(effect), x=f"{x + (step - 0.6) / 2:.3f}%", y=y + ROW / 2 + 3)
    return element(
        "g",
        element("rect", **box),
        middle,
        class_=f"cell {steps}{'' if row['rejected'] else ' kept'}",
        data_n=row["n"],
        data_statistic=row["statistic"],
        data_dof=row["dof"],
        data_p=row["p_value"],
        data_corrected=corrected,
        data_effect=effect,
        data_effect_name=row["effect_name"],
        data_rejected=row["rejected"],
        data_direction=_direction(row) or None,
        **known,
    )


def _direction(row: Mapping[str, Any]) -> str:
    """Return how the target moves with the feature; nothing in tables of earlier versions."""
    return str(row.get("direction_text") or "").replace(row["target"], display_trait(row["target"]))


def _step(letter: str, scale: ColourScale, value: float | None) -> str:
    return f"{letter}x" if value is None or math.isnan(value) else f"{letter}{scale.step(value)}"


STRONGEST = 12
"""Pairs in the table of the strongest."""


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
        ranked = computed.sort(order, descending=[True, False, False], nulls_last=True).head(STRONGEST)
        self.strongest = [row | {"direction": _direction(row)} for row in ranked.to_dicts()]
        missing = table.filter(pl.col("p_value").is_null()).group_by("reason").len("count")
        self.reasons = missing.sort(["count", "reason"], descending=[True, False], nulls_last=True).head(12).to_dicts()
        self.methods = table["method"].drop_nulls().unique(maintain_order=True).to_list()
        self.features_drawn, self.feature_count = len(found.features), found.feature_count
        self.graph = draw_graph(found.graph, "Dependency graph") if found.graph else None

    def _panel(self, found: IndependenceResults, group: str, test: str) -> HeatmapPanel:
        rows = found.table.filter((pl.col("group") == group) & (pl.col("test") == test))
        label = f"{display_test(test)}, {_group(group)}"
        first = (group, test) == (self.group, self.test)
        return HeatmapPanel(group, test, first, heatmap(rows, found.features, label))


def _group(group: str) -> str:
    return "Aggregate" if group == "final" else group


@register("report_sections", "dependence", title="Dependence", help="Level I: what depends on what", order=40)
def _dependence(study: SectionInput) -> Markup | None:
    found = study.data.independence
    return study.render("dependence.html.j2", heat=HeatmapView(found)) if found else None
