"""Figures and summaries against numbers worked out by hand."""

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from personax.errors import StudyError
from personax.report import gather, render
from personax.report._charts import CORRECTED, EFFECT, distribution_of, element, histogram, loss_curves
from personax.report._dependence import heatmap
from personax.report._gather import strongest
from personax.report._graph import MAX_EDGES, draw_graph
from personax.report._traits import alpha_intervals, request_outcomes
from personax.report._truth import compare, confusion_counts, scatter
from personax.schema import Column, Edge, EdgeKind, Graph, Node


def test_elements_escape_text_and_attributes() -> None:
    drawn = element(
        "text", "<b>", element("title", '"&"'), class_="x", data_tip='"><script>', x=1.239, data_p=0.1 + 0.2
    )
    assert drawn == Markup(
        '<text class="x" data-tip="&#34;&gt;&lt;script&gt;" x="1.24" data-p="0.30000000000000004">'
        "&lt;b&gt;<title>&#34;&amp;&#34;</title></text>"
    )


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


def test_bar_heights_are_in_proportion() -> None:
    found = distribution_of(pl.Series([1.0] * 4 + [2.0]), Column("x", "feature", "ordinal"))
    drawn = histogram(found, "x")
    assert 'height="64" class="bar"' in drawn
    assert 'height="16" class="bar"' in drawn


def test_scale_steps_at_their_limits() -> None:
    assert [EFFECT.step(value) for value in (0.0, 0.0199, 0.02, 0.49, 0.5, 2.0)] == [0, 0, 1, 5, 6, 6]
    assert [CORRECTED.step(value) for value in (1.0, 0.05, 0.0499, 1e-30, 0.0)] == [0, 0, 1, 5, 6]


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


def test_missing_p_value_is_hatched_with_its_reason() -> None:
    table = pl.DataFrame([row("a", 0.0, 0.4), row("b", None, None, "constant & flat"), row("c", math.nan, 0.3)])
    drawn = heatmap(table, ["a", "b", "c", "absent"], "x")
    assert drawn.count('class="cell none"') == 3
    assert 'data-reason="constant &amp; flat"' in drawn
    assert drawn.count('class="cell e5 p6"') == 1


def test_strongest_prefers_small_p_then_large_effect() -> None:
    rows = [row("a", 1e-9, 0.1), row("b", 0.0, 0.2), row("c", 0.0, 0.5), row("d", None, None)]
    assert strongest(pl.DataFrame(rows), limit=2) == ["c", "b"]
    assert strongest(pl.DataFrame(rows), limit=9) == ["c", "b", "a", "d"]


def test_nothing_tested_is_still_a_page(tmp_path: Path) -> None:
    folder = tmp_path / "analysis" / "independence"
    folder.mkdir(parents=True)
    pl.DataFrame([{**row("a", None, None, "constant"), "method": None}]).write_parquet(folder / "pvalues.parquet")
    page = render(gather(tmp_path), usage="")
    assert page.count('class="cell none"') == 1
    assert "0 of 0" in page


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
    boxes = [
        tuple(float(value) for value in box)
        for box in re.findall(r'<rect x="([^"]+)" y="([^"]+)" width="([^"]+)" height="28"', str(drawn.svg))
    ]
    assert len(boxes) + len(drawn.isolated) == len(NAMES)
    for (x, y, width), (other_x, other_y, other_width) in combinations(boxes, 2):
        assert x + width < other_x or other_x + other_width < x or abs(y - other_y) > 28


def test_arrowheads_tell_the_kind_of_an_edge() -> None:
    nodes = [Node("a"), Node("b")]
    heads = {
        kind: [
            draw_graph(Graph(nodes, [Edge("a", "b", kind)]), "x").svg.count(f'class="{mark}"')
            for mark in ("head", "ring")
        ]
        for kind in get_args(EdgeKind)
    }
    assert heads == {
        "directed": [1, 0],
        "undirected": [0, 0],
        "bidirected": [2, 0],
        "partially_directed": [1, 1],
        "nondirected": [0, 2],
    }


def test_an_open_end_stays_at_its_variable_when_the_edge_is_turned() -> None:
    """Beside a -> b, an edge b o-> a can only be drawn against the flow."""
    nodes = [Node("a"), Node("b")]
    for edges in ([Edge("a", "b", "partially_directed")], [Edge("a", "b"), Edge("b", "a", "partially_directed")]):
        svg = str(draw_graph(Graph(nodes, edges), "x").svg)
        marks = [(mark, float(x)) for x, mark in re.findall(r'd="M([0-9.]+) [^"]*" class="(head|ring)"', svg)]
        ring, head = marks[-2:] if edges[-1].source == "a" else marks[-1:-3:-1]
        assert (ring[0], head[0]) == ("ring", "head")
        assert (ring[1] < head[1]) == (edges[-1].source == "a")


def test_large_graph_keeps_its_strongest_edges_and_says_so() -> None:
    nodes = [Node(f"n{i}") for i in range(101)]
    edges = [Edge("n0", f"n{i}", "undirected", i / 100) for i in range(1, 101)]
    drawing = draw_graph(Graph([*nodes, Node("apart", "<i>apart</i>")], edges), "x")
    assert drawing.svg.count('class="edge') == MAX_EDGES
    assert drawing.edges_left_out == 100 - MAX_EDGES
    assert ">n100</text>" in drawing.svg
    assert ">n40</text>" not in drawing.svg
    assert "<i>apart</i>" in drawing.isolated


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
    assert scatter(pairs).count("<circle") == 4


def test_alpha_without_a_value_says_why() -> None:
    drawn = alpha_intervals(
        {
            "openness": {"alpha": 0.7, "alpha_low": 0.6, "alpha_high": 0.8},
            "neuroticism": {"alpha": None, "reason": "<one>"},
        }
    )
    assert drawn.count("<circle") == 1
    assert "&lt;one&gt;" in drawn


def test_statuses_fill_the_whole_bar() -> None:
    drawn = request_outcomes({"oak": {"ok": 3, "refused": 1}})
    assert 'width="50.25%"' in drawn
    assert 'width="16.75%"' in drawn


def test_courses_leave_out_what_is_not_finite() -> None:
    history = pl.DataFrame({"epoch": [0, 1, 2], "loss": [4.0, None, 1.0], "bad": [math.nan] * 3, "text": ["a"] * 3})
    ((term, change, svg),) = loss_curves(history)
    assert (term, change) == ("loss", "4 → 1")
    assert 'points="0.0,4.0 240.0,68.0"' in svg


@pytest.mark.parametrize("name", ["traits/agreement.json", "analysis/crl/graph.json", "traits/traits.parquet"])
def test_unreadable_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    pl.DataFrame({"id": ["a"], "final_o": [1.0]}).write_parquet(tmp_path / "traits.parquet")
    (tmp_path / "traits").mkdir()
    (tmp_path / "traits.parquet").rename(tmp_path / "traits" / "traits.parquet")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("{")
    with pytest.raises(StudyError, match="run the stage that writes it again"):
        gather(tmp_path)
