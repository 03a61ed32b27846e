"""Level I: the heatmap that a reader searches and opens, every pair as a table, the dependence graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from markupsafe import Markup
from scipy.cluster.hierarchy import leaves_list, linkage

from personax.data.labels import describe_test, display_test, display_trait, number
from personax.registry import register
from personax.report._chart import json_block
from personax.report._data import IndependenceResults
from personax.report._findings import direction_of
from personax.report._graph import draw_graph
from personax.report._sections import SectionInput
from personax.schema import Graph

__all__ = ["PairTable", "clustered", "explorer_data"]

STEPS: Final = {
    "effect": ("under .02", ".02", ".05", ".1", ".2", ".3", ".5 and over"),
    "p": (".05 and over", "under .05", ".01", ".001", "1e-6", "1e-12", "1e-30"),
}
"""What the legend writes under each step of the colours; their limits are in explorer.js."""

MAX_ROWS: Final = 400
"""Pairs in the table; the files hold all."""

MAX_CALIBRATED: Final = 60
"""Cells of the calibration on the page; calibration/certificate.md has all."""

NAMES: Final = (
    "group", "feature", "target", "test", "n", "statistic", "dof", "p", "corrected", "effect", "low", "high",
    "rejected", "measure", "reason",
)  # fmt: skip


def explorer_data(found: IndependenceResults, searched: Graph | None = None) -> dict[str, Any]:
    """Return what explorer.js draws: cells as numbers of their names, directions, profiles, the clustered order.

    Rows of subgroups of people stand as further scores, for example ``Aggregate · men``. Directions have their sentence
    in the leading group alone.
    """
    table = _with_subgroups(found)
    index = {name: _numbered(table[name]) for name in ("group", "test", "effect_name", "reason")}
    features = {name: place for place, name in enumerate(found.features)}
    targets = _numbered(table["target"].map_elements(display_trait, return_dtype=pl.String))
    cells, directions = [], {}
    for row in table.iter_rows(named=True):
        group, feature = index["group"][row["group"]], features[row["feature"]]
        target = targets[display_trait(row["target"])]
        known = row["p_value"] is not None and row["p_value"] == row["p_value"]
        numbers = [row.get(name) if known else None for name in _NUMBERS]
        reason = None if row["reason"] is None else index["reason"][row["reason"]]
        measure = None if row["effect_name"] is None else index["effect_name"][row["effect_name"]]
        cells.append([group, feature, target, index["test"][row["test"]], row["n"], *numbers, measure, reason])
        if said := direction_of(row):
            in_words = [said] if row["group"] == found.leading[0] else []
            directions[f"{group} {feature} {target}"] = [row["direction"], *in_words]
    profiles = {
        f"{features[feature]} {targets[display_trait(target)]}": profile
        for (feature, target), profile in found.profiles.items()
    }
    return {
        "groups": [_group(name) for name in index["group"]],
        "tests": [display_test(name) for name in index["test"]],
        "measures": list(index["effect_name"]),
        "reasons": list(index["reason"]),
        "features": list(features),
        "targets": list(targets),
        "cells": {"names": NAMES, "rows": cells},
        "directions": directions,
        "profiles": profiles,
        "clustered": clustered(found),
        "direct": direct_pairs(found, searched),
    }


def direct_pairs(found: IndependenceResults, searched: Graph | None) -> list[list[int]] | None:
    """Return the pairs that a graph search joins: no set of the other columns that it tried explains them away.

    None where no search was made, or none whose columns are these; a target is told by its trait.
    """
    if searched is None:
        return None
    nodes = {node.id for node in searched.nodes}
    shown = {display_trait(name) for name in found.table["target"].unique()}
    if not nodes & set(found.features) or not {display_trait(name) for name in nodes} & shown:
        return None
    targets = list(_numbered(found.table["target"].map_elements(display_trait, return_dtype=pl.String)))
    joined = {frozenset((display_trait(edge.source), display_trait(edge.target))) for edge in searched.edges}
    known = {display_trait(name) for name in nodes}
    return [
        [i, j, int(frozenset((display_trait(feature), target)) in joined)]
        for i, feature in enumerate(found.features)
        for j, target in enumerate(targets)
        if {display_trait(feature), target} <= known
    ]


_NUMBERS: Final = (
    "statistic", "dof", "p_value", "p_corrected", "effect_size", "effect_low", "effect_high", "rejected",
)  # fmt: skip


def _with_subgroups(found: IndependenceResults) -> pl.DataFrame:
    if found.subgroups is None or found.subgroups.is_empty():
        return found.table
    named = pl.format("{} · {}", pl.col("group"), pl.col("subgroup")).alias("group")
    apart = found.subgroups.with_columns(named).drop("subgroup")
    return pl.concat([found.table, apart], how="diagonal_relaxed")


def _numbered(values: pl.Series) -> dict[str, int]:
    return {name: place for place, name in enumerate(values.drop_nulls().unique(maintain_order=True))}


def _group(group: str) -> str:
    return "Aggregate" if group == "final" else group.replace("final · ", "Aggregate · ")


def clustered(found: IndependenceResults) -> list[int]:
    """Return the features in an order in which those of like effects stand together (average linkage, best leaves)."""
    group, test = found.leading
    rows = found.table.filter((pl.col("group") == group) & (pl.col("test") == test))
    wide = rows.pivot("target", index="feature", values="effect_size", aggregate_function="first")
    effects = dict(zip(wide["feature"], wide.drop("feature").fill_null(0.0).fill_nan(0.0).to_numpy(), strict=True))
    known = [place for place, name in enumerate(found.features) if name in effects]
    if len(known) < 3:
        return list(range(len(found.features)))
    matrix = np.stack([effects[found.features[place]] for place in known]).astype(float)
    leaves = [known[leaf] for leaf in leaves_list(linkage(matrix, "average", optimal_ordering=True))]
    return leaves + [place for place in range(len(found.features)) if place not in set(leaves)]


class PairTable:
    """Every pair of the leading group and test, the strongest first, and the switches of the heatmap."""

    def __init__(self, found: IndependenceResults, searched: Graph | None = None) -> None:
        table = found.table
        self.group, self.test = found.leading
        data = explorer_data(found, searched)
        self.direct = data["direct"] is not None
        self.calibration = calibration_rows(found.calibration)
        self.block = json_block(data)
        self.groups = list(enumerate(data["groups"]))
        tests = list(table["test"].unique(maintain_order=True))
        self.tests = [(place, *describe_test(name), name == self.test) for place, name in enumerate(tests)]
        shown = table.filter((pl.col("group") == self.group) & (pl.col("test") == self.test))
        order = ["effect_size", "feature", "target"]
        ranked = shown.sort(order, descending=[True, False, False], nulls_last=True)
        tests_of = _tests_of(table.filter(pl.col("group") == self.group))
        self.rows = [_row(row, tests_of) for row in ranked.head(MAX_ROWS).iter_rows(named=True)]
        self.pair_count = shown.height
        missing = table.filter(pl.col("p_value").is_null()).group_by("reason").len("count")
        self.reasons = missing.sort(["count", "reason"], descending=[True, False], nulls_last=True).head(12).to_dicts()
        self.features_drawn, self.feature_count = len(found.features), found.feature_count
        self.profile_count = len(found.profiles)
        self.graph = draw_graph(found.graph, "Dependence graph") if found.graph else None
        self.steps = STEPS


def calibration_rows(rates: pl.DataFrame | None) -> list[tuple[str, str, str, str]]:
    """Return test, what the nulls are made of, rate at .05 with its interval, verdict; none if nothing was measured."""
    ran = [] if rates is None else rates.filter(pl.col("verdict") != "not run").head(MAX_CALIBRATED).to_dicts()
    return [
        (
            display_test(row["test"]),
            row.get("scenario") or f"{row['feature']}, {row['target']}",
            f"{number(row['rate_05'])} ({number(row['low_05'])} to {number(row['high_05'])})",
            row["verdict"],
        )
        for row in ran
    ]


def _tests_of(table: pl.DataFrame) -> dict[tuple[str, str], str]:
    """Return of each pair how many of the tests that ran find it dependent."""
    ran = table.filter(pl.col("p_value").is_not_null()).group_by("feature", "target")
    counted = ran.agg(pl.col("rejected").sum().alias("dependent"), pl.len())
    return {(feature, target): f"{dependent} of {tests}" for feature, target, dependent, tests in counted.iter_rows()}


def _row(row: Mapping[str, Any], tests_of: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    tests = tests_of.get((row["feature"], row["target"]), "none ran")
    return {"effect_low": None, "effect_high": None} | dict(row) | {"said": direction_of(row), "tests": tests}


@register("report_sections", "dependence", title="Dependence", help="Level I: what depends on what", order=10)
def _dependence(study: SectionInput) -> Markup | None:
    found = study.data.independence
    return study.render("dependence.html.j2", pairs=PairTable(found, study.data.discovery)) if found else None
