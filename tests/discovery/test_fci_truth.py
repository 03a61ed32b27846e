"""Given the truth about independences, FCI returns what all graphs with hidden causes that share them agree on."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache
from itertools import combinations, product
from typing import Any

import networkx as nx
import pytest

from personax.discovery import Knowledge, fci, pc
from personax.discovery._fci import Marks

from .oracle import Edges, asking, dag, found, oracle, table

N = 4
NAMES = "abcd"
PAIRS = list(combinations(range(N), 2))
QUESTIONS = [
    (a, b, z) for a, b in PAIRS for size in range(N - 1) for z in combinations(sorted({*range(N)} - {a, b}), size)
]


@pytest.mark.parametrize(
    ("causes", "names", "edges"),
    [
        (["a>b", "b>c"], "abc", {("a", "b", "nondirected"), ("b", "c", "nondirected")}),
        (["a>c", "b>c"], "abc", {("a", "c", "partially_directed"), ("b", "c", "partially_directed")}),
        # two instruments: h is hidden, and neither of b and c causes the other
        (
            ["a>b", "d>c", "h>b", "h>c"],
            "abcd",
            {("a", "b", "partially_directed"), ("b", "c", "bidirected"), ("d", "c", "partially_directed")},
        ),
        # a Y: no hidden cause can stand behind c -> d
        (
            ["a>c", "b>c", "c>d"],
            "abcd",
            {("a", "c", "partially_directed"), ("b", "c", "partially_directed"), ("c", "d", "directed")},
        ),
    ],
)
def test_small_graphs(causes: list[str], names: str, edges: Edges) -> None:
    assert found(fci(table(names), test=oracle(dag(*causes), names))) == edges


def test_a_hidden_cause_that_pc_takes_for_a_cause_is_told_apart() -> None:
    graph = dag("a>b", "d>c", "h>b", "h>c")
    assert ("b", "c", "directed") not in found(fci(table("abcd"), test=oracle(graph, "abcd")))
    assert {kind for _, _, kind in found(pc(table("abcd"), test=oracle(graph, "abcd")))} != {"partially_directed"}


def test_a_tier_is_an_arrowhead_and_not_a_cause() -> None:
    """The earlier one may share a hidden cause with the later one; causal-learn would call it the cause."""
    graph = dag("h>a", "h>b")
    edges = found(fci(table("ab"), test=oracle(graph, "ab"), knowledge=Knowledge(tiers={"a": 0, "b": 1})))
    assert edges == {("a", "b", "partially_directed")}
    neither = Knowledge(forbidden=[("a", "b"), ("b", "a")])
    assert found(fci(table("ab"), test=oracle(graph, "ab"), knowledge=neither)) == {("a", "b", "bidirected")}
    required = Knowledge(required=[("a", "b")])
    assert found(fci(table("ab"), test=asking(lambda x, y, z: True), knowledge=required)) == {("a", "b", "directed")}


class Mixed:
    """A maximal ancestral graph: what a graph with hidden variables looks like from outside.

    ``edges`` holds for each pair ">", "<" or "^" (two heads).
    """

    def __init__(self, edges: dict[tuple[int, int], str]) -> None:
        self.edges = edges
        causes = [(a, b) if sign == ">" else (b, a) for (a, b), sign in edges.items() if sign != "^"]
        graph = nx.DiGraph()
        graph.add_nodes_from(range(N))
        graph.add_edges_from(causes)
        self.after = {node: {node, *nx.descendants(graph, node)} for node in graph}
        mutual = any(b in self.after[a] and a in self.after[b] for a, b in PAIRS)
        almost = any(b in self.after[a] or a in self.after[b] for (a, b), sign in edges.items() if sign == "^")
        self.model = tuple(self.separated(*question) for question in QUESTIONS)
        apart = {frozenset((a, b)) for (a, b, _), answer in zip(QUESTIONS, self.model, strict=True) if answer}
        self.sound = not mutual and not almost and {frozenset(p) for p in PAIRS} - {*map(frozenset, edges)} == apart

    def head(self, a: int, b: int) -> bool:
        """Say whether the edge of a and b has an arrowhead at b."""
        return self.edges.get((a, b), "") in (">", "^") or self.edges.get((b, a), "") in ("<", "^")

    def joined(self, a: int, b: int) -> bool:
        return (a, b) in self.edges or (b, a) in self.edges

    def separated(self, x: int, y: int, z: Collection[int]) -> bool:
        """Walk along the edges: through a collider only above z, through anything else only outside z."""
        waiting = [(x, node) for node in range(N) if self.joined(x, node)]
        seen = set(waiting)
        while waiting:
            before, node = waiting.pop()
            if node == y:
                return False
            for after in range(N):
                if not self.joined(node, after) or (node, after) in seen:
                    continue
                collider = self.head(before, node) and self.head(after, node)
                if (collider and self.after[node] & set(z)) or (not collider and node not in z):
                    seen.add((node, after))
                    waiting.append((node, after))
        return True


@cache
def classes() -> dict[tuple[bool, ...], list[Mixed]]:
    grouped = defaultdict(list)
    for choice in product(" ><^", repeat=len(PAIRS)):
        graph = Mixed({pair: sign for pair, sign in zip(PAIRS, choice, strict=True) if sign != " "})
        if graph.sound:
            grouped[graph.model].append(graph)
    return grouped


def shared(graphs: Sequence[Mixed]) -> Edges:
    """Return the ends on which all graphs agree; a circle where they do not."""
    kinds = {"->": "directed", ">>": "bidirected", "o>": "partially_directed", "oo": "nondirected"}
    edges: Edges = set()
    for a, b in PAIRS:
        if graphs[0].joined(a, b):
            ends = end(graphs, b, a) + end(graphs, a, b)
            first, second = (a, b) if ends in kinds else (b, a)
            edges.add((NAMES[first], NAMES[second], kinds[ends if ends in kinds else ends[::-1]]))
    return edges


def end(graphs: Sequence[Mixed], a: int, b: int) -> str:
    heads = {graph.head(a, b) for graph in graphs}
    return "o" if len(heads) == 2 else ">" if True in heads else "-"


def test_every_graph_on_four_variables() -> None:
    assert (len(classes()), sum(map(len, classes().values()))) == (248, 2492)
    for graphs in classes().values():
        assert found(fci(table(NAMES), test=asking(graphs[0].separated))) == shared(graphs)


def test_true_tiers_are_followed_to_their_end() -> None:
    draw = random.Random(1)
    same = list(classes().values())
    for _ in range(300):
        graphs = draw.choice(same)
        graph = draw.choice(graphs)
        order = sorted(range(N), key=lambda node: -len(graph.after[node]))
        tiers = {NAMES[node]: int(place > draw.randint(0, 2)) for place, node in enumerate(order)}
        tiers = dict(zip(tiers, sorted(tiers.values()), strict=True))
        known = Knowledge(tiers=tiers)
        possible = [g for g in graphs if not any(backwards(known, a, b) for a in range(N) for b in g.after[a])]
        assert found(fci(table(NAMES), test=asking(graph.separated), knowledge=known)) == shared(possible)


def backwards(known: Knowledge, a: int, b: int) -> bool:
    return known.later(NAMES[a], NAMES[b])


def test_six_seen_and_two_hidden() -> None:
    """Edges are those that nothing separates; every arrow and every tail is true."""
    draw = random.Random(3)
    names = "abcdef"
    for _ in range(60):
        order = draw.sample("abcdefgh", 8)
        graph = nx.DiGraph()
        graph.add_nodes_from(order)
        graph.add_edges_from(pair for pair in combinations(order, 2) if draw.random() < 0.35)
        edges = found(fci(table(names), test=oracle(graph, names)))
        assert {frozenset(edge[:2]) for edge in edges} == inseparable(graph, names)
        for source, target, kind in edges:
            assert kind == "nondirected" or not nx.has_path(graph, target, source)
            assert kind != "directed" or nx.has_path(graph, source, target)
            assert kind != "bidirected" or not nx.has_path(graph, source, target)


def inseparable(graph: nx.DiGraph, names: str) -> set[frozenset[str]]:
    pairs = set()
    for a, b in combinations(names, 2):
        others = sorted({*names} - {a, b})
        sets = (set(z) for size in range(len(others) + 1) for z in combinations(others, size))
        if not any(nx.is_d_separator(graph, {a}, {b}, z) for z in sets):
            pairs.add(frozenset((a, b)))
    return pairs


@pytest.mark.parametrize(
    ("verdict", "ends"),
    [("collider", ("arrow", "arrow")), ("no collider", ("tail", "arrow")), ("ambiguous", ("circle", "arrow"))],
)
def test_rule_four_is_judged_by_all_separating_sets(verdict: Any, ends: tuple[str, str]) -> None:
    asked = []

    def judge(start: int, b: int, c: int) -> Any:
        asked.append((start, b, c))
        return verdict

    sets = {frozenset({0, 2}): frozenset[int](), frozenset({0, 3}): frozenset({1})}
    marks = Marks([(0, 1), (1, 2), (1, 3), (2, 3)], sets, judge=judge)
    marks.apply_rules()
    assert (marks.at(2, seen_from=3), marks.at(3, seen_from=2)) == ends
    assert set(asked) == {(0, 2, 3)}
