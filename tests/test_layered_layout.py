"""The layered layout: cycles broken, edges from layer to layer, few crossings, no vertex on another."""

from __future__ import annotations

import random
from itertools import pairwise, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data.edges import POINTING
from personax.graphs import LayeredLayout, coordinates, layered_layout, longest_path_layers
from personax.schema import Edge, EdgeKind, Graph, Node

KINDS: tuple[EdgeKind, ...] = ("directed", "undirected", "bidirected", "partially_directed", "nondirected")


def graph_of(*pairs: str, kind: EdgeKind = "directed") -> Graph:
    return Graph([Node(name) for name in sorted(set("".join(pairs)))], [Edge(pair[0], pair[1], kind) for pair in pairs])


def laid_out(graph: Graph) -> LayeredLayout:
    return layered_layout(graph, longest_path_layers(graph))


def nodes_of(layout: LayeredLayout) -> list[list[str]]:
    return [[vertex for vertex in layer if isinstance(vertex, str)] for layer in layout.layers]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = [f"n{i}" for i in range(draw(st.integers(1, 12)))]
    nodes = [Node(name, group=draw(st.sampled_from(["x", "trait", ""]))) for name in names]
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names), st.sampled_from(KINDS))
    return Graph(nodes, [Edge(a, b, kind) for a, b, kind in draw(st.lists(ends, max_size=20))])


def test_layers_are_longest_paths() -> None:
    layout = laid_out(graph_of("ab", "bc", "ac", "dc"))
    assert nodes_of(layout) == [["a", "d"], ["b"], ["c"]]
    assert layout.chains[2] == ["a", (2, 1), "c"]


def test_a_cycle_has_layers_too() -> None:
    assert nodes_of(laid_out(graph_of("ab", "bc", "ca", "aa"))) == [["a"], ["b"], ["c"]]


def test_the_surer_edge_of_a_cycle_keeps_its_direction() -> None:
    """However the edges are listed: o-> gives way to -->."""
    nodes = [Node("a"), Node("b")]
    for edges in ([Edge("b", "a", "partially_directed"), Edge("a", "b")], [Edge("a", "b"), Edge("b", "a")]):
        assert longest_path_layers(Graph(nodes, edges)) == {"a": 0, "b": 1}


def test_a_path_of_thousands_of_nodes_has_as_many_layers() -> None:
    nodes = [Node(str(i)) for i in range(3000)]
    layers = longest_path_layers(Graph(nodes, [Edge(str(i), str(i + 1)) for i in range(2999)]))
    assert layers == {str(i): i for i in range(3000)}


def test_edges_without_a_direction_lead_to_the_last_group_or_say_nothing() -> None:
    nodes = [Node("y", group="trait"), Node("x", group="feature"), Node("z", group="trait")]
    graph = Graph(nodes, [Edge("y", "x", "undirected"), Edge("x", "z", "undirected")])
    assert longest_path_layers(graph) == {"y": 0, "x": 1, "z": 2}
    assert longest_path_layers(graph, last="trait") == {"y": 1, "x": 0, "z": 1}


@given(graphs())
def test_every_edge_between_two_nodes_crosses_a_layer(graph: Graph) -> None:
    layers = longest_path_layers(graph, last="trait")
    assert all(layers[edge.source] != layers[edge.target] for edge in graph.edges if edge.source != edge.target)
    assert set(layers.values()) == set(range(max(layers.values()) + 1)), "no layer is empty"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from(POINTING)), max_size=20))
def test_without_a_cycle_all_arrows_lead_on(pairs: list[tuple[int, int, EdgeKind]]) -> None:
    edges = [Edge(str(min(a, b)), str(max(a, b)), kind) for a, b, kind in pairs if a != b]
    layers = longest_path_layers(Graph([Node(str(i)) for i in (3, 1, 4, 5, 9, 2, 6, 0, 8, 7)], edges))
    assert all(layers[edge.source] < layers[edge.target] for edge in edges)


@given(graphs())
def test_chains_pass_every_layer_between_their_ends(graph: Graph) -> None:
    layers = longest_path_layers(graph, last="trait")
    layout = layered_layout(graph, layers)
    layer_of = layout.layer_of
    assert {name: layer_of[name] for name in layers} == layers
    assert len(layer_of) == sum(map(len, layout.layers)), "no vertex stands twice"
    for edge, chain in zip(graph.edges, layout.chains, strict=True):
        assert {chain[0], chain[-1]} == {edge.source, edge.target}
        steps = [layer_of[other] - layer_of[one] for one, other in pairwise(chain)]
        assert steps in ([1] * len(steps), [0])
    assert layered_layout(Graph.from_json(graph.to_json()), layers) == layout


def test_crossings_that_can_be_avoided_are() -> None:
    names = [f"f{i}" for i in range(6)]
    nodes = [Node(name, group="feature") for name in names] + [Node(f"t{i}", group="trait") for i in range(6)]
    graph = Graph(nodes, [Edge(f"f{i}", f"t{5 - i}", "undirected") for i in range(6)])
    assert layered_layout(graph, longest_path_layers(graph, last="trait")).crossings == 0


def least_crossings(layout: LayeredLayout) -> int:
    """Return the fewest crossings over all orders of all layers."""
    orders = product(*(permutations(layer) for layer in layout.layers))
    return min(LayeredLayout(order, layout.chains).crossings for order in orders)


def test_crossings_are_few_beside_all_orders() -> None:
    """Three layers of three nodes, random edges between neighbours: 216 orders of each are tried."""
    draws, found, least = random.Random(0), 0, 0
    for _ in range(40):
        layers = {f"{layer}{i}": layer for layer in range(3) for i in range(3)}
        pairs = [(f"{layer}{i}", f"{layer + 1}{j}") for layer in range(2) for i in range(3) for j in range(3)]
        edges = [Edge(a, b) for a, b in pairs if draws.random() < 0.5]
        layout = layered_layout(Graph([Node(name) for name in layers], edges), layers)
        found, least = found + layout.crossings, least + least_crossings(layout)
    assert least > 20, "the graphs are not trivial"
    assert found <= 1.15 * least


def test_crossings_are_counted() -> None:
    assert LayeredLayout([["a", "b"], ["c", "d"]], [["a", "d"], ["b", "c"], ["a", "c"]]).crossings == 1


@given(graphs())
def test_no_vertex_lies_on_another(graph: Graph) -> None:
    layout = laid_out(graph)
    height = coordinates(layout)
    assert min(height.values()) == 0
    for layer in layout.layers:
        for one, other in pairwise(layer):
            both_nodes = isinstance(one, str) and isinstance(other, str)
            assert height[other] - height[one] >= (1 if both_nodes else 0.45) - 1e-9


@given(st.lists(st.lists(st.integers(0, 4), max_size=5), min_size=1, max_size=8))
def test_nodes_of_a_layer_keep_their_distance(neighbours: list[list[int]]) -> None:
    left = [f"l{i}" for i in range(len(neighbours))]
    right = [f"r{i}" for i in range(5)]
    chains = [[left[i], right[j]] for i, ends in enumerate(neighbours) for j in ends]
    found = coordinates(LayeredLayout([left, right], chains))
    assert min(found.values()) == 0
    for layer in (left, right):
        assert all(found[b] - found[a] > 1 - 1e-9 for a, b in pairwise(layer))


@pytest.mark.parametrize("graph", [Graph([], []), Graph([Node("a")], [])])
def test_what_has_no_edges_has_a_layout(graph: Graph) -> None:
    assert coordinates(laid_out(graph)) == {node.id: 0.0 for node in graph.nodes}
