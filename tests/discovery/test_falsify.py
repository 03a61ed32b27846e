"""A true graph stands, a graph with its names mixed up falls, and what cannot be told is said."""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest

from personax.discovery import falsify
from personax.errors import InputError
from personax.schema import Edge, EdgeKind, Graph, Node

from .oracle import dag, oracle, table

NAMES = "abcdef"


def graph_of(*causes: str, names: str = NAMES, kind: EdgeKind = "directed") -> Graph:
    return Graph([Node(name) for name in names], [Edge(cause[0], cause[2], kind) for cause in causes])


TRUE = ("a>c", "b>c", "c>d", "d>e", "b>f")


def people(seed: int, n: int = 400) -> pl.DataFrame:
    noise = np.random.default_rng(seed).normal(size=(6, n))
    a, b, e = noise[:3]
    c = a + b + e
    d = c + noise[3]
    return pl.DataFrame({"a": a, "b": b, "c": c, "d": d, "e": d + noise[4], "f": b + noise[5], "more": noise[0] ** 2})


def test_under_separation_a_graph_implies_what_separation_says() -> None:
    """Every implied independence of a true graph holds, and every edge is a dependence."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        causes = [f"{NAMES[i]}>{NAMES[j]}" for i in range(5) for j in range(i + 1, 5) if rng.random() < 0.4]
        true = dag(*causes)
        true.add_nodes_from("abcde")
        found = falsify(
            graph_of(*causes, names="abcde"), table("abcde"), test=oracle(true, "abcde"), permutations=20, rng=rng
        )
        assert not any(one.violated for one in found.implications)
        assert all(nx.is_d_separator(true, {one.x}, {one.y}, set(one.given)) for one in found.independences)
        assert found.violations == 0


def test_a_true_graph_stands_and_is_refuted_at_its_level() -> None:
    found = [falsify(graph_of(*TRUE), people(seed), rng=np.random.default_rng(seed)) for seed in range(40)]
    assert not any(one.falsified for one in found)
    assert sum(any(two.violated for two in one.independences) for one in found) <= 6, "binomial: 40 draws at .05"
    assert found[0].n == 400
    assert found[0].to_frame().columns == ["x", "y", "given", "says", "p_value", "p_corrected", "violated"]


def test_names_mixed_up_are_no_better_than_chance_and_a_missing_edge_is_told() -> None:
    rng = np.random.default_rng(0)
    mixed = falsify(graph_of("f>e", "a>e", "e>b", "b>c", "a>d"), people(0), rng=rng)
    assert mixed.falsified
    assert "no better than chance" in mixed.sentence
    lacking = falsify(graph_of(*[cause for cause in TRUE if cause != "c>d"]), people(0), rng=rng)
    assert lacking.falsified is False
    assert any({one.x, one.y} == {"c", "d"} and one.violated for one in lacking.independences)
    assert "not the whole truth" in lacking.sentence


def test_an_edge_without_a_dependence_is_named_and_refutes_nothing() -> None:
    found = falsify(graph_of(*TRUE, "a>f"), people(1), rng=np.random.default_rng(0))
    assert [(one.x, one.y, one.says) for one in found.implications if one.violated] == [("a", "f", "dependent")]
    assert found.falsified is False


def test_where_nothing_tells() -> None:
    rng = np.random.default_rng(0)
    complete = falsify(graph_of("a>b", "a>c", "b>c", names="abc"), people(0), rng=rng)
    assert complete.falsified is None
    assert "no data can speak against it" in complete.sentence
    chain = falsify(graph_of("a>c", "c>d", names="acd"), people(0), rng=rng)
    assert chain.falsified is None
    assert chain.equivalent == pytest.approx(1 / 3, abs=0.1), "two of six orders of a chain imply the same"


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        (graph_of("a>b", "b>c", "c>a", names="abc"), "in a circle through a, b, c"),
        (graph_of("a>b", kind="undirected", names="ab"), "a and b are joined by an edge that is not directed"),
        (Graph([Node("a"), Node("moer")], []), "did you mean more"),
        (Graph([Node("a")], []), "fewer than two nodes"),
    ],
)
def test_what_is_no_graph_to_test(graph: Graph, says: str) -> None:
    with pytest.raises(InputError, match=says):
        falsify(graph, people(0), rng=np.random.default_rng(0))
