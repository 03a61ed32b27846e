"""Figures and summaries against numbers worked out by hand."""

from __future__ import annotations

import json
import math
import re
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from personax.errors import StudyError
from personax.report import gather, render
from personax.report._chart import chart
from personax.report._distributions import distribution_chart, distribution_of
from personax.report._gather import strongest
from personax.report._graph import MAX_EDGES, GraphDrawing, draw_graph
from personax.report._loss_curves import loss_curves
from personax.report._traits import alpha_intervals, request_outcomes
from personax.report._truth import compare, confounded_sentence, confusion_counts, rank_agreement, scatter
from personax.schema import Column, Edge, EdgeKind, Graph, Node


def drawn_rows(figure: Markup) -> list[dict[str, Any]]:
    """Return the rows that a figure of the page carries."""
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', figure, re.DOTALL)
    told = json.loads(text)
    return [dict(zip(told["names"], row, strict=True)) for row in told["rows"]]


def options(figure: Markup) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', figure, re.DOTALL)
    return dict(json.loads(text)["options"])


def test_a_figure_holds_its_rows_and_no_text_ends_it() -> None:
    name = "</script><script>alert(1)</script> & \u2028 \ud800"
    figure = chart("bars", [{"label": name, "people": 1 / 3, "none": math.nan}], name)
    assert "<script>alert" not in figure
    assert figure.count("</script>") == 1
    (row,) = drawn_rows(figure)
    assert row == {"label": name.replace("\ud800", "\ufffd"), "people": 0.333333, "none": None}
    with pytest.raises(ValueError, match="there is no figure"):
        chart("pie", [], "x")  # type: ignore[arg-type]


@given(st.lists(st.floats(-1e6, 1e6) | st.none(), max_size=80))
def test_every_number_is_in_one_bar(values: list[float | None]) -> None:
    found = distribution_of(pl.Series(values, dtype=pl.Float64), Column("x", "feature", "continuous"))
    assert sum(found.counts) == found.present == sum(value is not None for value in values)
    assert found.missing == len(values) - found.present
    assert len(found.labels) == len(found.counts) <= 24


@given(st.lists(st.sampled_from("abcdefghijklm"), max_size=120))
def test_rare_categories_are_counted_and_not_named(values: list[str]) -> None:
    found = distribution_of(pl.Series(values, dtype=pl.String), Column("x", "feature", "nominal"))
    assert sum(found.counts) + found.rest == len(values)
    assert all(values.count(label) == size >= 5 for label, size in zip(found.labels, found.counts, strict=True))
    assert len(found.labels) + found.rest_values == len(set(values))


def test_nan_is_missing_and_dates_count_by_year() -> None:
    column = Column("x", "feature", "continuous")
    assert distribution_of(pl.Series([1.0, math.nan, None]), column).missing == 2
    dates = pl.Series(["1990-01-01", "1990-06-01", "1991-01-01"]).str.to_date()
    assert distribution_of(dates, column).labels == ("1990", "1991")


def test_bars_carry_counts_and_ranges_their_ends() -> None:
    found = distribution_of(pl.Series([1.0] * 4 + [2.0]), Column("x", "feature", "ordinal"))
    assert [(r["label"], r["people"]) for r in drawn_rows(distribution_chart(found, "x"))] == [("1", 4), ("2", 1)]
    many = distribution_of(pl.Series(range(100)), Column("x", "feature", "continuous"))
    rows = drawn_rows(distribution_chart(many, "x"))
    assert (rows[0]["from"], rows[-1]["to"], sum(r["people"] for r in rows)) == (0, 99, 100)


def row(feature: str, p: float | None, effect: float | None, reason: str | None = None) -> dict[str, object]:
    return {
        "group": "final",
        "feature": feature,
        "target": "final_o",
        "test": "kci",
        "n": 10,
        "statistic": 1.0,
        "dof": None,
        "p_value": p,
        "p_corrected": p,
        "effect_size": effect,
        "effect_name": "V",
        "rejected": None if p is None else p < 0.05,
        "reason": reason,
    }


def test_strongest_prefers_small_p_then_large_effect() -> None:
    rows = [row("a", 1e-9, 0.1), row("b", 0.0, 0.2), row("c", 0.0, 0.5), row("d", None, None)]
    assert strongest(pl.DataFrame(rows), limit=2) == ["c", "b"]
    assert strongest(pl.DataFrame(rows), limit=9) == ["c", "b", "a", "d"]


def test_nothing_tested_is_still_a_page(tmp_path: Path) -> None:
    folder = tmp_path / "analysis" / "independence"
    folder.mkdir(parents=True)
    pl.DataFrame([{**row("a", None, None, "constant"), "method": None}]).write_parquet(folder / "pvalues.parquet")
    page = render(gather(tmp_path), usage="")
    assert "not run: constant" in page
    assert "No pair could be tested: none of 1 has a p-value" in page


NAMES = "abcdefgh"


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(get_args(EdgeKind))).filter(
            lambda edge: edge[0] != edge[1]
        ),
        max_size=20,
    )
)
def test_no_box_lies_on_another(raw: list[tuple[str, str, str]]) -> None:
    graph = Graph([Node(name) for name in NAMES], [Edge(a, b, kind) for a, b, kind in raw])  # type: ignore[arg-type]
    drawn = draw_graph(graph, "x")
    boxes = [(n["x"] - n["width"] / 2, n["y"], n["width"]) for n in options(drawn.svg)["nodes"]] if drawn.svg else []
    assert len(boxes) + len(drawn.isolated) == len(NAMES)
    for (x, y, width), (other_x, other_y, other_width) in combinations(boxes, 2):
        assert x + width < other_x or other_x + other_width < x or abs(y - other_y) > 28


def test_an_open_end_stays_at_its_variable_when_the_edge_is_turned() -> None:
    """Beside a -> b, an edge b o-> a can only be drawn against the flow."""
    nodes = [Node("a"), Node("b")]
    for edges in ([Edge("a", "b", "partially_directed")], [Edge("a", "b"), Edge("b", "a", "partially_directed")]):
        drawn = draw_graph(Graph(nodes, edges), "x").svg
        edge = drawn_rows(drawn)[-1]
        (left, _), *_ = edge["path"]
        source = next(n for n in options(drawn)["nodes"] if n["label"] == edge["source"])
        at_left = abs(left - source["x"]) <= source["width"] / 2 + 6
        assert edge["ends"] == (["ring", "head"] if at_left else ["head", "ring"])


def test_large_graph_keeps_its_strongest_edges_and_says_so() -> None:
    nodes = [Node(f"n{i}") for i in range(101)]
    edges = [Edge("n0", f"n{i}", "undirected", i / 100) for i in range(1, 101)]
    drawing = draw_graph(Graph([*nodes, Node("apart", "<i>apart</i>")], edges), "x")
    assert len(drawn_rows(drawing.svg)) == drawing.edges_drawn == len(drawing.rows) == MAX_EDGES
    assert drawing.edges_left_out == 100 - MAX_EDGES
    assert {"n100", "n41"} <= _labels(drawing)
    assert "n40" not in _labels(drawing)
    assert "<i>apart</i>" in drawing.isolated


def _labels(drawing: GraphDrawing) -> set[str]:
    return {node["label"] for node in options(drawing.svg)["nodes"]}


def test_graph_without_sound_edges_is_empty() -> None:
    drawing = draw_graph(Graph([Node("a")], [Edge("a", "a"), Edge("a", "ghost")]), "x")
    assert drawing.svg == ""
    assert drawing.isolated == ["a"]


EFFECTS = [
    {"feature": "a", "trait": "openness", "effect": 0.5, "dependent": True},
    {"feature": "b", "trait": "openness", "effect": 0.2, "dependent": True},
    {"feature": "c", "trait": "openness", "effect": 0.0, "dependent": False},
    {"feature": "d", "trait": "openness", "effect": 0.0, "dependent": False},
    {"feature": "e", "trait": "openness", "effect": 0.3, "dependent": True},
]


def test_confusion_counts_each_pair_once() -> None:
    table = pl.DataFrame(
        [row("a", 0.0, 0.4), row("b", 0.2, 0.1), row("c", 0.01, 0.1), row("d", 0.5, 0.0), row("e", None, None, "no")]
    )
    pairs = compare(table, EFFECTS, "final")
    (found,) = confusion_counts(pairs)
    assert (found.found, found.missed, found.false_alarms, found.silent, found.untested) == (1, 1, 1, 1, 1)
    assert (found.power, found.false_rate) == ("50%", "50%")
    assert len(drawn_rows(scatter(pairs))) == 4


def test_a_confounded_pair_is_told_apart_and_the_order_by_spearman() -> None:
    names = "abcdef"
    true = [0.5, 0.4, 0.3, 0.2, 0.0, 0.0]
    effects = [
        {"feature": name, "trait": "openness", "effect": effect, "dependent": name != "f"}
        for name, effect in zip(names, true, strict=True)
    ]
    table = pl.DataFrame([row(n, 0.0, e) for n, e in zip(names, (0.1, 0.2, 0.3, 0.4, 0.3, 0.0), strict=True)])
    pairs = compare(table, effects, "final")
    assert [pair.feature for pair in pairs if pair.confounded] == ["e"]
    assert rank_agreement(pairs).endswith(
        "Spearman's correlation of true and estimated effects is -1.0: the order does not agree."
    )
    assert confounded_sentence(pairs).startswith("1 of 5 dependent pairs have no effect")
    assert "Too few pairs" in rank_agreement(pairs[:2])


def test_alpha_without_a_value_says_why() -> None:
    drawn = alpha_intervals(
        {
            "openness": {"alpha": 0.7, "alpha_low": 0.6, "alpha_high": 0.8},
            "neuroticism": {"alpha": None, "reason": "<one>"},
        }
    )
    assert [(r["value"], r["note"]) for r in drawn_rows(drawn)][1] == (None, "<one>")
    assert "<one>" not in drawn


def test_statuses_fill_the_whole_bar() -> None:
    rows = drawn_rows(request_outcomes({"oak": {"ok": 3, "refused": 1}}))
    assert {r["part"]: r["count"] for r in rows if r["count"]} == {"scored": 3, "declined": 1}


def test_courses_leave_out_what_is_not_finite() -> None:
    history = pl.DataFrame({"epoch": [0, 1, 2], "loss": [4.0, None, 1.0], "bad": [math.nan] * 3, "text": ["a"] * 3})
    ((term, change, svg),) = loss_curves(history)
    assert (term, change) == ("loss", "4 → 1")
    assert [(r["x"], r["y"]) for r in drawn_rows(svg)] == [(0, 4), (2, 1)]


def test_every_seed_has_its_curve() -> None:
    history = pl.DataFrame({"epoch": [1, 2, 1, 2], "loss": [4.0, 3.0, 5.0, 2.0], "seed": [0, 0, 2, 2]})
    ((term, change, svg),) = loss_curves(history)
    assert (term, change) == ("loss", "5 → 2")
    assert [r["series"] for r in drawn_rows(svg)] == ["seed 0", "seed 0", "seed 2", "seed 2"]


@pytest.mark.parametrize("name", ["traits/agreement.json", "analysis/crl/graph.json", "traits/traits.parquet"])
def test_unreadable_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    pl.DataFrame({"id": ["a"], "final_o": [1.0]}).write_parquet(tmp_path / "traits.parquet")
    (tmp_path / "traits").mkdir()
    (tmp_path / "traits.parquet").rename(tmp_path / "traits" / "traits.parquet")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("{")
    with pytest.raises(StudyError, match="run the stage that writes it again"):
        gather(tmp_path)
