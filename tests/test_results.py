"""Results as tables, in notebooks and as figures."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from personax.crl import graph_scores, method
from personax.errors import InputError
from personax.independence import chisq, screen
from personax.plots import draw_graph
from personax.registry import RegistryError
from personax.release import audit_vectors
from personax.results import DrawableResult
from personax.schema import Edge, Graph, Node
from personax.traits.validity import LabelledSample, alt_test, corrected_effects

GRAPH = Graph([Node("a"), Node("b"), Node("c")], [Edge("a", "b", weight=0.5), Edge("b", "c", "undirected", label="x")])


def texts(figure: object) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]  # type: ignore[attr-defined]


def test_a_graph_is_a_table_of_its_edges_and_a_figure() -> None:
    frame = GRAPH.to_frame()
    assert frame.columns == ["source", "target", "kind", "weight", "label"]
    assert frame.rows() == [("a", "b", "directed", 0.5, ""), ("b", "c", "undirected", None, "x")]
    assert "undirected" in GRAPH._repr_html_()
    assert texts(GRAPH.plot()) == texts(draw_graph(GRAPH))
    empty = Graph([], []).to_frame()
    assert (empty.height, empty.schema) == (0, frame.schema)


def test_a_test_is_a_row_and_agrees_with_screen() -> None:
    x, y = ["a", "b", "c"] * 20, [1, 2, 3] * 20
    row = chisq(x, y).to_frame()
    assert row.columns == ["statistic", "p_value", "effect_size", "effect_name", "n", "method"]
    kinds = {"x": "nominal", "y": "nominal"}
    table = screen(pl.DataFrame({"x": x, "y": y}), ["x"], ["y"], kinds=kinds, tests=["chisq"])  # type: ignore[arg-type]
    assert row["effect_name"][0] == table["effect_name"][0]
    assert row["n"][0] == table["n"][0] == 60
    assert "p_value" in chisq(x, y)._repr_html_()


def test_scores_of_a_graph_are_a_table() -> None:
    truth = np.array([[0, 0], [1, 0]])
    scores = graph_scores(truth, truth, pairs=[(0, 0, 1.0), (1, 1, 1.0)], groups=["a", "b"])
    assert scores is not None
    assert scores.to_frame().rows() == [
        ("all", 0, 1.0, 1.0, 1.0),
        ("between groups", 0, 1.0, 1.0, 1.0),
        ("within groups", 0, None, None, None),
    ]


def test_a_fitted_method_is_a_table_of_its_latents_and_says_where_it_has_no_graph() -> None:
    rng = np.random.default_rng(0)
    fitted = method("pca").fit({"a": {"1": rng.normal(size=(40, 3))}}, latents={"a": 2}, rng=rng)
    assert isinstance(fitted, DrawableResult)
    assert fitted.to_frame().rows() == [("a_1", "a", ""), ("a_2", "a", "")]
    with pytest.raises(InputError, match="learns no graph"):
        fitted.plot()


def test_a_fitted_graph_is_drawn() -> None:
    from personax.crl._estimator import FittedResult

    class Known(FittedResult):
        names = ("text_1", "image_1")
        adjacency = np.array([[0.0, 0.0], [0.9, 0.0]])

    assert Known().to_frame().rows() == [("text_1", "text", ""), ("image_1", "image", "text_1")]
    assert texts(Known().plot())[:2] == ["text 1", "image 1"]
    assert texts(Known().plot(threshold=0.95))[0] != "→ cause to effect"
    assert Known().graph(0.95).edges == []


def test_an_audit_is_a_table_of_its_attacks_and_a_curve() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype(np.float32)
    report = audit_vectors(x, x + np.float32(0.01) * rng.normal(size=x.shape).astype(np.float32), rng=rng)
    frame = report.to_frame()
    assert frame.height == len(report.attacks)
    assert frame.filter("beats").height == len(report.beaten)
    assert frame["value"].max() == pytest.approx(1.0, abs=0.1)
    best = report.best_by_pairs()
    assert [pairs for pairs, *_ in best] == sorted({point.pairs for point in report.curves})
    for pairs, share, *_ in best:
        assert share == max(point.rank_1 for point in report.curves if point.pairs == pairs)
    assert len(report.plot().axes) == 1


def test_a_result_without_a_registered_plot_says_so() -> None:
    class Bare(DrawableResult):
        plot_kind = "none-such"

        def to_frame(self) -> pl.DataFrame:
            return pl.DataFrame()

    with pytest.raises(RegistryError, match="there is no plot none-such"):
        Bare().plot()


def test_results_of_human_validation_are_tables_and_figures_and_still_mappings() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=60)
    humans = truth + rng.normal(0, 0.5, (4, 60))
    found = alt_test(humans, humans.mean(axis=0))
    assert found["winning_rate"] == 1.0
    assert json.loads(json.dumps(found)) == found
    assert found.to_frame().select("human", "replaced").rows() == [(k, True) for k in (1, 2, 3, 4)]
    few = alt_test(humans[:2], truth)
    assert few.to_frame().is_empty()
    assert "<table" in few._repr_html_()
    with pytest.raises(InputError, match="agreement cannot be drawn: no rows"):
        few.plot()
    rated = np.where(np.arange(60) < 40, humans[0], np.nan)
    effects = corrected_effects(LabelledSample(rng.normal(size=60), truth, rated, np.full(60, 2 / 3)), "slope", rng=rng)
    assert (
        [row["method"] for row in effects] == effects.to_frame()["method"].to_list() == ["llm", "humans", "ppi", "dsl"]
    )
    assert "<table" in effects._repr_html_()
    for result in (found, effects):
        assert [axes.get_xlim()[0] < 1 for axes in result.plot(caption="seen").axes] == [True]
        with pytest.raises(InputError, match=r"has no option captions; did you mean caption\? \(it takes caption\)"):
            result.plot(captions="")


def test_a_figure_shows_itself_in_a_notebook_and_the_old_name_of_its_room_still_works() -> None:
    import personax.figures

    graph = Graph([Node("a"), Node("b")], [Edge("a", "b")])
    assert draw_graph(graph)._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    with pytest.warns(
        DeprecationWarning, match=r"personax\.plots\.draw_graph now; the earlier name ends in version 0\.4"
    ):
        assert personax.figures.draw_graph is draw_graph
