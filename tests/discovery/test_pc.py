"""PC finds what independences determine, obeys what is known, and names what it cannot use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.discovery import CiTest, Knowledge, bootstrap_edges, fci, pc, score_search
from personax.errors import InputError
from personax.schema import Graph

from .oracle import asking, table


def collider(n: int = 800, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    a, b, e, f = rng.normal(size=(4, n))
    c = a + b + e
    return pl.DataFrame({"a": a, "b": b, "c": c, "d": c + f})


def arrows(graph: Graph) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.kind) for edge in graph.edges}


def test_a_collider_is_found_and_what_follows_is_directed() -> None:
    graph = pc(collider())
    assert arrows(graph) == {("a", "c", "directed"), ("b", "c", "directed"), ("c", "d", "directed")}
    asked = {"tests_nothing_varies": 0, "tests_undecided": 0, "determined": [], "ambiguous": [], "max_given": None}
    told = {"algorithm": "pc", "test": "fisherz", "alpha": 0.01, "n": 800, "rows_left_out": 0} | asked
    assert {name: graph.details[name] for name in told} == told
    assert set(graph.details) == {*told, "tests", "pairs"}
    assert 6 <= graph.details["tests"] <= 24, "four columns have 24 questions, and each is asked once"


def test_a_chain_stays_undirected_until_tiers_say_more() -> None:
    pair = collider().select("c", "d")
    assert arrows(pc(pair)) == {("c", "d", "undirected")}
    assert arrows(pc(pair, knowledge=Knowledge(tiers={"c": 0, "d": 1}))) == {("c", "d", "directed")}
    assert arrows(pc(pair, knowledge=Knowledge(tiers={"c": 1, "d": 0}))) == {("d", "c", "directed")}
    assert arrows(pc(pair, knowledge=Knowledge(forbidden=[("c", "d")]))) == {("d", "c", "directed")}


def test_independent_columns_have_no_edge() -> None:
    assert pc(collider().select("a", "b")).edges == []


def test_missing_rows_are_left_out_and_counted() -> None:
    frame = collider().with_columns(pl.when(pl.int_range(pl.len()) < 30).then(None).otherwise("a").alias("a"))
    graph = pc(frame)
    assert graph.details["n"] == 770
    assert graph.details["rows_left_out"] == 30


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (collider().select("a"), "at least two columns"),
        (collider().with_columns(pl.lit(1.0).alias("a")), "a is constant"),
        (collider().with_columns(pl.lit("x").alias("a")), "a is not numeric"),
        (collider(5), "only 5 rows"),
    ],
)
def test_what_cannot_be_searched(frame: pl.DataFrame, says: str) -> None:
    with pytest.raises(InputError, match=says):
        pc(frame)


def test_every_pair_says_what_decided_it() -> None:
    known = Knowledge(required=[("a", "c")], forbidden=[("a", "d"), ("d", "a")])
    graph = pc(collider(), knowledge=known, effects=True)
    pairs = {(pair["x"], pair["y"]): pair for pair in graph.details["pairs"]}
    assert len(pairs) == 6
    assert pairs["a", "c"]["edge"]
    assert pairs["a", "c"]["p_value"] is None
    assert pairs["a", "c"]["reason"] == "required by knowledge"
    assert pairs["a", "d"]["reason"] == "forbidden by knowledge, not tested"
    apart = pairs["b", "d"]
    assert (apart["edge"], apart["given"]) == (False, ["c"])
    assert apart["p_value"] > 0.01
    assert abs(apart["effect"]) < 0.1
    joined = pairs["c", "d"]
    assert joined["p_value"] < 1e-9
    assert joined["effect"] > 0.5
    assert joined["reason"].startswith("dependent in each of ")
    assert all(pair["effect"] is None for pair in pc(collider()).details["pairs"]), "effects are one more computation"


@pytest.mark.parametrize("search", [pc, fci])
def test_the_order_of_the_columns_changes_nothing(search: Callable[..., Graph]) -> None:
    """One separating set decides in the textbook, and which is found first depends on the order."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        weights = np.triu(rng.normal(scale=0.5, size=(7, 7)) * (rng.random((7, 7)) < 0.4), 1)
        values = rng.normal(size=(150, 7)) @ np.linalg.inv(np.eye(7) - weights)
        frame = pl.DataFrame(values, schema=list("abcdefg"))
        graph = search(frame, alpha=0.05)
        for _ in range(3):
            other = search(frame.select(rng.permutation(frame.columns).tolist()), alpha=0.05)
            assert ends(other) == ends(graph)
            assert other.details == graph.details


def ends(graph: Graph) -> set[tuple[str, frozenset[str], str]]:
    """Return the edges; one that points nowhere has no first column."""
    points = ("directed", "partially_directed")
    return {(e.kind, frozenset((e.source, e.target)), e.source * (e.kind in points)) for e in graph.edges}


def test_a_triple_whose_separating_sets_disagree_directs_nothing() -> None:
    """a and c are independent given nothing, and given b and d, as two contradicting tests may say."""
    joined = {("a", "b"), ("b", "c"), ("a", "d"), ("c", "d")}

    def independent(x: int, y: int, z: tuple[int, ...]) -> bool:
        pair, given = ("abcd"[x], "abcd"[y]), {"abcd"[one] for one in z}
        return pair == ("b", "d") or (pair == ("a", "c") and given in ({"b"}, {"d"})) if pair not in joined else False

    graph = pc(table("abcd"), test=asking(independent))
    assert graph.details["ambiguous"] == [["a", "b", "c"], ["a", "d", "c"]]
    assert {edge.kind for edge in graph.edges if "b" in (edge.source, edge.target)} <= {"undirected", "directed"}
    assert not any(edge.target in "bd" and edge.kind == "directed" for edge in graph.edges)


def test_no_more_columns_are_given_than_asked() -> None:
    frame = collider()
    assert max(len(pair["given"]) for pair in pc(frame, max_given=0).details["pairs"]) == 0
    assert ("b", "d", "undirected") in arrows(pc(frame.select("b", "c", "d"), max_given=0)), "only c separates them"


def test_columns_that_determine_one_another_are_named() -> None:
    """As x, x/2 and a measurement of it: each of two would explain the other's edges away."""
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 300))
    frame = pl.DataFrame({"x": x, "half": x / 2, "y": 0.8 * x + noise})
    graph = pc(frame)
    assert graph.details["determined"] == [["half", "x"]]
    assert {frozenset((e.source, e.target)) for e in graph.edges} == {
        frozenset(pair) for pair in (("x", "half"), ("x", "y"), ("half", "y"))
    }
    assert graph.details["tests_undecided"] == 2, "y and one of the two, given the other"
    summed = pc(collider().with_columns(again=pl.col("a") + pl.col("b")))
    assert summed.details["determined"] == [["a", "again", "b"]]
    words = pl.DataFrame({"team": [f"t{k % 3}" for k in range(60)], "code": [k % 3 for k in range(60)], "z": x[:60]})
    coded = pc(words, test=CiTest("t", lambda frame: lambda x, y, z: 0.0))
    assert coded.details["determined"] == [["code", "team"]]


def test_wrong_calls_are_one_sentence_and_tables_of_any_library_are_read() -> None:
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({"a": (a := rng.normal(size=200)), "b": a + rng.normal(size=200), "c": rng.normal(size=200)})
    foo: Any = "foo"
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: pc(frame, test=foo), "no test 'foo'"),
        (lambda: fci(frame, max_given=-1), "max_given is -1"),
        (lambda: pc(frame, max_given=foo), "max_given is 'foo'"),
        (lambda: pc(foo), "a str is no table"),
        (lambda: pc(frame, knowledge=foo), "knowledge is a str"),
        (lambda: score_search(frame, algorithm=foo), "no search 'foo'"),
        (lambda: bootstrap_edges(frame, pc, times=-1, rng=rng), "times is -1"),
    ]
    for call, says in wrong:
        with pytest.raises(InputError, match=says):
            call()
    others: list[Any] = [frame.to_pandas(), frame.to_arrow(), frame.lazy(), frame.to_dict()]
    assert all(pc(other).edges == pc(frame).edges for other in others)
    array: Any = frame.to_numpy()
    assert [(edge.source, edge.target) for edge in pc(array).edges] == [("column_0", "column_1")]
