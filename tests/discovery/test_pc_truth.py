"""Given the truth about independences, PC returns what all graphs with these independences and the knowledge share."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import combinations, product

import networkx as nx
import pytest

from personax.discovery import Knowledge, pc

from .oracle import Edges, dag, found, oracle, table

NAMES = "abcd"
PAIRS = list(combinations(NAMES, 2))
Model = tuple[bool, ...]


@pytest.mark.parametrize(
    ("causes", "edges"),
    [
        (["a>b", "b>c"], {("a", "b", "undirected"), ("b", "c", "undirected")}),
        (["a>c", "b>c"], {("a", "c", "directed"), ("b", "c", "directed")}),
        (["a>c", "b>c", "c>d"], {("a", "c", "directed"), ("b", "c", "directed"), ("c", "d", "directed")}),
        (["b>a", "b>c", "b>d"], {("a", "b", "undirected"), ("b", "c", "undirected"), ("b", "d", "undirected")}),
    ],
)
def test_small_graphs(causes: list[str], edges: Edges) -> None:
    graph = dag(*causes)
    names = sorted(graph)
    assert found(pc(table(names), test=oracle(graph, names))) == edges


@cache
def classes() -> dict[Model, list[nx.DiGraph]]:
    """Return all 543 graphs on four variables, by their independences."""
    grouped = defaultdict(list)
    for choice in product((None, 0, 1), repeat=len(PAIRS)):
        graph = nx.DiGraph()
        graph.add_nodes_from(NAMES)
        graph.add_edges_from(
            p if turn == 0 else p[::-1] for p, turn in zip(PAIRS, choice, strict=True) if turn is not None
        )
        if nx.is_directed_acyclic_graph(graph):
            grouped[independences(graph)].append(graph)
    return grouped


def independences(graph: nx.DiGraph) -> Model:
    return tuple(
        nx.is_d_separator(graph, {a}, {b}, set(z))
        for a, b in PAIRS
        for size in range(3)
        for z in combinations(sorted(set(NAMES) - {a, b}), size)
    )


def shared(graphs: Sequence[nx.DiGraph]) -> Edges:
    """Return the edges of several graphs, directed where all agree."""
    edges: Edges = set()
    for a, b in PAIRS:
        forth, back = [g.has_edge(a, b) for g in graphs], [g.has_edge(b, a) for g in graphs]
        if all(forth):
            edges.add((a, b, "directed"))
        elif all(back):
            edges.add((b, a, "directed"))
        elif any(forth) or any(back):
            edges.add((a, b, "undirected"))
    return edges


def test_every_graph_on_four_variables() -> None:
    assert sum(map(len, classes().values())) == 543
    for graphs in classes().values():
        assert found(pc(table(NAMES), test=oracle(graphs[0], NAMES))) == shared(graphs)


def test_true_knowledge_is_followed_to_its_end() -> None:
    """Tiers, forbidden and required causes, pairs that are forbidden both ways among them."""
    draw = random.Random(0)
    graphs = [graph for same in classes().values() for graph in same]
    pairs = [(a, b) for a in NAMES for b in NAMES if a != b]
    for _ in range(500):
        graph = draw.choice(graphs)
        forbidden = draw.sample([p for p in pairs if not graph.has_edge(*p)], draw.randint(0, 3))
        required = draw.sample(sorted(graph.edges), min(graph.number_of_edges(), draw.randint(0, 1)))
        order, cut = list(nx.topological_sort(graph)), draw.randint(0, 3)
        tiers = {name: int(place >= cut) for place, name in enumerate(order)} if cut else None
        known = Knowledge(tiers=tiers, forbidden=forbidden, required=required)
        possible = [
            other
            for other in classes()[independences(graph)]
            if not any(other.has_edge(*pair) for pair in forbidden)
            and all(other.has_edge(*pair) for pair in required)
            and not any(known.later(*pair) for pair in other.edges)
        ]
        assert found(pc(table(NAMES), test=oracle(graph, NAMES), knowledge=known)) == shared(possible), (
            graph.edges,
            known,
        )


def test_knowledge_stands_against_the_data() -> None:
    chain = oracle(dag("a>b", "b>c"), "abc")
    required = pc(table("abc"), test=chain, knowledge=Knowledge(required=[("c", "a")]))
    assert ("c", "a", "directed") in found(required)
    neither = Knowledge(forbidden=[("a", "b"), ("b", "a")])
    assert found(pc(table("abc"), test=chain, knowledge=neither)) == {("b", "c", "undirected")}
