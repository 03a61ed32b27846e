"""Searches by a score find what the data determine, whatever the order of the columns, and say what they cannot."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest

from personax.discovery import Knowledge, ScoreAlgorithm, score_search
from personax.errors import InputError

from .oracle import Edges, found

pytest.importorskip("causallearn")

ALGORITHMS: list[ScoreAlgorithm] = ["ges", "grasp", "boss", "lingam"]
COLLIDER: Edges = {("a", "c", "directed"), ("b", "c", "directed"), ("c", "d", "directed")}


def people(n: int = 600) -> pl.DataFrame:
    """Noise is uniform, so that LiNGAM has something to tell directions by."""
    a, b, e, f = np.random.default_rng(1).uniform(-1, 1, size=(4, n))
    c = a + b + e
    return pl.DataFrame({"d": c + f, "a": a, "c": c, "b": b})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_collider_is_found_in_any_order_and_the_global_generator_is_left_alone(algorithm: ScoreAlgorithm) -> None:
    random.seed(5)
    before = random.getstate()
    for order in ("dacb", "abcd", "cbda"):
        graph = score_search(people().select(list(order)), algorithm=algorithm)
        assert found(graph) == COLLIDER
        assert [node.id for node in graph.nodes] == list(order)
    assert random.getstate() == before


def test_knowledge_directs_lines_and_what_contradicts_it_is_told() -> None:
    pair = people().select("c", "d")
    assert found(score_search(pair, algorithm="ges")) == {("c", "d", "undirected")}
    tiers = Knowledge(tiers=[["d"], ["c"]])
    assert found(score_search(pair, algorithm="ges", knowledge=tiers)) == {("d", "c", "directed")}
    graph = score_search(people(), algorithm="boss", knowledge=Knowledge(forbidden=[("a", "c")]))
    assert found(graph) == COLLIDER
    assert graph.details["against_knowledge"] == [["a", "c"]]


def test_lingam_says_where_noise_may_be_normal() -> None:
    assert score_search(people(), algorithm="lingam").details["normal_residuals"] == []
    x, noise = np.random.default_rng(0).normal(size=(2, 600))
    graph = score_search(pl.DataFrame({"x": x, "y": x + noise}), algorithm="lingam")
    assert graph.details["normal_residuals"] == ["x", "y"]


def test_missing_rows_are_counted_and_what_cannot_be_scored_is_named() -> None:
    frame = people().with_columns(pl.when(pl.int_range(pl.len()) >= 40).then("a").alias("a"))
    assert score_search(frame, algorithm="ges").details["rows_left_out"] == 40
    with pytest.raises(InputError, match="a and twice determine one another; ges cannot score them"):
        score_search(people().with_columns(twice=2 * pl.col("a")), algorithm="ges")
    with pytest.raises(InputError, match="at least two columns"):
        score_search(people().select("a"), algorithm="ges")
    with pytest.raises(InputError, match="a is not numeric"):
        score_search(people().with_columns(a=pl.lit("x")), algorithm="boss")
