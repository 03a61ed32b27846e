"""Graphs for papers: layers, arrowheads, no box on another, what is said of nodes without edges."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import matplotlib.patches
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from personax.errors import InputError
from personax.figures import draw_graph, save
from personax.figures._layered_layout import BOX, Layers, assign, heights, lay_out
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
    return [text.get_text() for text in figure.axes[0].texts]


def heads(figure: Figure) -> int:
    return sum(isinstance(patch, matplotlib.patches.Polygon) for patch in figure.axes[0].patches)


def large() -> Graph:
    rng = np.random.default_rng(0)
    nodes = [Node(f"a long name of variable {i}", group=f"group {i // 6}") for i in range(60)]
    edges = [
        Edge(nodes[i].id, nodes[j].id, KINDS[int(rng.integers(3))], float(rng.random()))
        for i, j in combinations(range(60), 2)
        if rng.random() < 0.04
    ]
    return Graph(nodes, edges, "An edge", "weight")


def test_layers_are_longest_paths() -> None:
    layers = assign(graph_of("ab", "bc", "ac", "dc"))
    assert [[point for point in column if isinstance(point, str)] for column in layers.columns] == [
        ["a", "d"],
        ["b"],
        ["c"],
    ]
    assert layers.chains[2] == ["a", (2, 1), "c"]


def test_a_cycle_has_layers_too() -> None:
    layers = assign(graph_of("ab", "bc", "ca", "aa"))
    assert [[point for point in column if isinstance(point, str)] for column in layers.columns] == [["a"], ["b"], ["c"]]


def test_dependences_are_layered_by_group() -> None:
    nodes = [Node("y", group="trait"), Node("x", group="feature"), Node("z", group="trait")]
    graph = Graph(nodes, [Edge("x", "y", "undirected"), Edge("z", "x", "undirected")])
    assert [set(column) for column in assign(graph).columns] == [{"y", "z"}, {"x"}]


def test_crossings_that_can_be_avoided_are() -> None:
    names = [f"f{i}" for i in range(6)]
    nodes = [Node(name, group="feature") for name in names] + [Node(f"t{i}", group="trait") for i in range(6)]
    columns = assign(Graph(nodes, [Edge(f"f{i}", f"t{5 - i}", "undirected") for i in range(6)])).columns
    assert [str(point)[1:] for point in columns[0]] == [str(5 - int(str(point)[1:])) for point in columns[1]]


@given(graphs())
def test_no_box_lies_on_another_and_all_is_on_the_page(graph: Graph) -> None:
    places = lay_out(graph, {node.id: node.id for node in graph.nodes}, 3.0)
    assert set(places.boxes) == {node.id for node in graph.nodes}
    for one, other in combinations(places.boxes.values(), 2):
        beside = one.x + one.width < other.x or other.x + other.width < one.x
        assert beside or abs(one.y - other.y) > BOX
    for box in places.boxes.values():
        assert box.x >= 0
        assert box.x + box.width <= places.width + 1e-9
        assert box.y - BOX / 2 >= -1e-9
        assert box.y + BOX / 2 <= places.height + 1e-9


@given(graphs())
def test_every_edge_begins_and_ends_at_its_boxes(graph: Graph) -> None:
    places = lay_out(graph, {node.id: node.id for node in graph.nodes}, 3.0)
    for edge, curve in zip(graph.edges, places.curves, strict=True):
        ends = [places.boxes[edge.source], places.boxes[edge.target]]
        first, last = ends if places.starts_at_source(edge) else ends[::-1]
        side = last.x if first.x != last.x else last.x + last.width
        assert curve[0][0] == pytest.approx(first.x + first.width)
        assert curve[-1][0] == pytest.approx(side)
        assert abs(curve[0][1] - first.y) < BOX / 2
        assert abs(curve[-1][1] - last.y) < BOX / 2
        assert len(curve) % 3 == 1


def test_edges_of_one_box_do_not_lie_on_one_another() -> None:
    curves = lay_out(graph_of("ax", "bx", "cx", "cx"), {name: name for name in "abcx"}, 3.0).curves
    assert len({curve[-1][1] for curve in curves}) == 4


@given(graphs())
def test_the_same_graph_has_the_same_places(graph: Graph) -> None:
    labels = {node.id: node.id for node in graph.nodes}
    assert lay_out(graph, labels, 3.0) == lay_out(Graph.from_json(graph.to_json()), labels, 3.0)


@given(st.lists(st.lists(st.integers(0, 4), max_size=5), min_size=1, max_size=8))
def test_nodes_of_a_layer_keep_their_distance(neighbours: list[list[int]]) -> None:
    left = [f"l{i}" for i in range(len(neighbours))]
    right = [f"r{i}" for i in range(5)]
    chains = [[left[i], right[j]] for i, ends in enumerate(neighbours) for j in ends]
    found = heights(Layers([left, right], chains))
    assert min(found.values()) == 0
    for column in (left, right):
        assert all(found[b] - found[a] > 1 - 1e-9 for a, b in pairwise(column))


@pytest.mark.parametrize(("kind", "number"), list(zip(KINDS, (1, 0, 2), strict=True)))
def test_arrowheads_by_kind(kind: Literal["directed", "undirected", "bidirected"], number: int) -> None:
    assert heads(draw_graph(graph_of("ab", kind=kind))) == number


def test_an_arrow_points_at_its_target_against_the_flow_too() -> None:
    figure = draw_graph(graph_of("ab", "bc", "ca"))
    boxes = lay_out(graph_of("ab", "bc", "ca"), dict(zip("abc", "abc", strict=True)), 4.2).boxes
    tips = [p.get_xy()[0] for p in figure.axes[0].patches if isinstance(p, matplotlib.patches.Polygon)]
    assert [tip[0] - 0.16 for tip in tips] == pytest.approx(
        [boxes["b"].x, boxes["c"].x, boxes["a"].x + boxes["a"].width]
    )


def test_stronger_edges_are_wider() -> None:
    nodes = [Node(name) for name in "abcd"]
    edges = [Edge(name, "d", "undirected", weight) for name, weight in zip("abc", (0.1, -0.9, 0.5), strict=True)]
    figure = draw_graph(Graph(nodes, edges, weight="nHSIC"))
    widths = [
        patch.get_linewidth()
        for patch in figure.axes[0].patches
        if isinstance(patch, matplotlib.patches.PathPatch) and patch.get_linewidth() > 0
    ]
    assert widths[0] < widths[2] < widths[1]
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
    fills = [patch.get_facecolor() for patch in patches if isinstance(patch, matplotlib.patches.FancyBboxPatch)]
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
