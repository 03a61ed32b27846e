"""PC finds what independences determine, obeys what is known, and names what it cannot use."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from personax.discovery import Knowledge, pc
from personax.errors import ComputationError, InputError
from personax.schema import Graph


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
    asked = {"tests": graph.details["tests"], "tests_nothing_varies": 0}
    settings = {"algorithm": "pc", "test": "fisherz", "alpha": 0.01}
    assert graph.details == {**settings, "n": 800, "rows_left_out": 0, **asked}
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


def test_columns_that_determine_one_another_are_named() -> None:
    frame = collider().with_columns(twice=2 * pl.col("a"), again=pl.col("a") + pl.col("b"))
    with pytest.raises(ComputationError, match="determine one another"):
        pc(frame)
