"""Graphs for papers: layers, arrowheads, no box on another, what is said of nodes without edges."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from personax.errors import InputError
from personax.graphs import GraphGeometry, graph_geometry
from personax.plots import draw_graph, save
from personax.plots._graph import BOX_HEIGHT
from personax.schema import Edge, Graph, Node

KINDS: tuple[Literal["directed", "undirected", "bidirected"], ...] = ("directed", "undirected", "bidirected")


def graph_of(*pairs: str, kind: Literal["directed", "undirected", "bidirected"] = "directed") -> Graph:
    return Graph([Node(name) for name in sorted(set("".join(pairs)))], [Edge(pair[0], pair[1], kind) for pair in pairs])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = [f"n{i}" for i in range(draw(st.integers(1, 12)))]
    nodes = [Node(name, group=draw(st.sampled_from(["x", "y", ""]))) for name in names]
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names), st.sampled_from(KINDS))
    return Graph(nodes, [Edge(a, b, kind) for a, b, kind in draw(st.lists(ends, max_size=20))])


def texts(figure: Figure) -> list[str]:
    legend = [text for box in figure.legends for text in box.get_texts()]
    return [line for text in (*figure.axes[0].texts, *legend, *figure.texts) for line in text.get_text().splitlines()]


def arrows(figure: Figure) -> list[FancyArrowPatch]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]


def styles(figure: Figure) -> list[str]:
    return [str(getattr(arrow.get_arrowstyle(), "arrow", None) or "") for arrow in arrows(figure)]


def heads(figure: Figure) -> int:
    return sum(style.count(">") + style.count("<") for style in styles(figure))


def geometry_of(graph: Graph) -> GraphGeometry:
    return graph_geometry(graph, {node.id: 0.5 for node in graph.nodes}, row=0.37, gap=1.0)


def large() -> Graph:
    rng = np.random.default_rng(0)
    nodes = [Node(f"a long name of variable {i}", group=f"group {i // 6}") for i in range(60)]
    edges = [
        Edge(nodes[i].id, nodes[j].id, KINDS[int(rng.integers(3))], float(rng.random()))
        for i, j in combinations(range(60), 2)
        if rng.random() < 0.04
    ]
    return Graph(nodes, edges, "An edge", "weight")


@given(graphs())
def test_no_box_lies_on_another_and_all_is_on_the_page(graph: Graph) -> None:
    geometry = geometry_of(graph)
    assert set(geometry.boxes) == {node.id for node in graph.nodes}
    for one, other in combinations(geometry.boxes.values(), 2):
        beside = one.x + one.width < other.x or other.x + other.width < one.x
        assert beside or abs(one.y - other.y) > BOX_HEIGHT
    for box in geometry.boxes.values():
        assert box.x >= 0
        assert box.x + box.width <= geometry.width + 1e-9
        assert box.y - BOX_HEIGHT / 2 >= -1e-9
        assert box.y + BOX_HEIGHT / 2 <= geometry.height + 1e-9


@given(graphs())
def test_every_edge_begins_and_ends_at_its_boxes(graph: Graph) -> None:
    geometry = geometry_of(graph)
    for edge, path in zip(graph.edges, geometry.paths, strict=True):
        ends = [geometry.boxes[edge.source], geometry.boxes[edge.target]]
        first, last = ends if geometry.starts_at_source(edge) else ends[::-1]
        assert path[0][0] == pytest.approx(first.x + first.width)
        assert path[-1][0] == pytest.approx(last.x)
        assert abs(path[0][1] - first.y) < BOX_HEIGHT / 2
        assert abs(path[-1][1] - last.y) < BOX_HEIGHT / 2
        assert len(path) % 2 == 0


def test_edges_of_one_box_do_not_lie_on_one_another() -> None:
    assert len({path[-1][1] for path in geometry_of(graph_of("ax", "bx", "cx", "cx")).paths}) == 4


@given(graphs())
def test_the_same_graph_has_the_same_places(graph: Graph) -> None:
    assert geometry_of(graph) == geometry_of(Graph.from_json(graph.to_json()))


@pytest.mark.parametrize(("kind", "number"), list(zip(KINDS, (1, 0, 2), strict=True)))
def test_arrowheads_by_kind(kind: Literal["directed", "undirected", "bidirected"], number: int) -> None:
    assert heads(draw_graph(graph_of("ab", kind=kind))) == number


def test_an_arrow_points_at_its_target_against_the_flow_too() -> None:
    assert styles(draw_graph(graph_of("ab", "bc", "ca"))) == ["-|>", "-|>", "<|-"]


def test_stronger_edges_are_wider() -> None:
    nodes = [Node(name) for name in "abcd"]
    edges = [Edge(name, "d", "undirected", weight) for name, weight in zip("abc", (0.1, -0.9, 0.5), strict=True)]
    unknown = Edge("a", "b", "undirected", float("nan"))  # drawn as an edge without a weight
    figure = draw_graph(Graph(nodes, [*edges, unknown], weight="nHSIC"))
    widths = [arrow.get_linewidth() for arrow in arrows(figure)]
    assert widths[0] < widths[3] < widths[2] < widths[1]
    assert "Width of an edge: nHSIC, 0.1 to 0.9 in size." in texts(figure)


def test_words_on_the_figure() -> None:
    nodes = [Node("age", group="biography"), Node("final_o", "final_o", "trait"), Node("alone"), Node("s", "$a$ & $b$")]
    figure = draw_graph(Graph(nodes, [Edge("age", "final_o", label="93%"), Edge("age", "s")], "a causes b"))
    assert {"age", "Openness", "alone", "$a$ & $b$", "93%", "without an edge"} <= set(texts(figure))
    assert {"biography", "trait", "other", "→ cause to effect", "a causes b"} <= set(texts(figure))


def test_a_graph_without_edges_says_so() -> None:
    shown = texts(draw_graph(Graph([Node("a"), Node("b")], [])))
    assert "no edges" in shown
    assert {"a", "b"} <= set(shown)


@pytest.mark.parametrize("graph", [graph_of("ab"), large(), Graph([Node("a")], [])], ids=["two", "sixty", "one"])
def test_both_formats_render_and_repeat(graph: Graph, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("1.svg", "1.png", "2.svg", "2.png")]
    save(draw_graph(graph), *files[:2])
    save(draw_graph(graph), *files[2:])
    assert files[0].read_bytes() == files[2].read_bytes()
    assert files[1].read_bytes() == files[3].read_bytes()
    ElementTree.parse(files[0])
    with Image.open(files[1]) as image:
        shades = np.asarray(image.convert("L"))
    assert 0.002 < (shades < 250).mean() < 0.9
    rim = np.concatenate([shades[:8].ravel(), shades[-8:].ravel(), shades[:, :8].ravel(), shades[:, -8:].ravel()])
    assert rim.min() == 255, "something is cut at the rim"


def test_every_group_has_its_own_colours() -> None:
    nodes = [Node(f"n{i}", group=f"g{i}") for i in range(20)]
    patches = draw_graph(Graph(nodes, [])).axes[0].patches
    fills = [patch.get_facecolor() for patch in patches if isinstance(patch, FancyBboxPatch)]
    assert len({fill for fill in fills if fill[:3] != (1.0, 1.0, 1.0)}) == 20


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        (Graph([], []), "no nodes"),
        (Graph([Node("a"), Node("a")], []), "share an id"),
        (Graph([Node("a")], [Edge("a", "b")]), "ends at 'b'"),
    ],
)
def test_a_broken_graph_is_refused(graph: Graph, why: str) -> None:
    with pytest.raises(InputError, match=why):
        draw_graph(graph)
