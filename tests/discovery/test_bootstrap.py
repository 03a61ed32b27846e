"""The share of draws that an edge comes back in, the same for any number of processes."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from personax.discovery import CiTest, bootstrap_edges, fci, pc
from personax.discovery._bootstrap import SHARES, stability
from personax.errors import ComputationError, InputError
from personax.schema import Edge, EdgeKind, Graph

from .test_pc import collider


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_shares() -> None:
    graph, table = bootstrap_edges(collider(), pc, times=10, rng=rng())
    weights = {(edge.source, edge.target): edge.weight for edge in graph.edges}
    assert weights["a", "c"] == 1.0
    assert graph.details["bootstraps"] == 10
    again = bootstrap_edges(collider(), pc, times=10, rng=rng())
    assert graph == again[0]
    assert_frame_equal(table, again[1])
    row = table.row(by_predicate=(pl.col("source") == "a") & (pl.col("target") == "c"), named=True)
    assert row["any"] == 1.0
    assert row["forward"] >= 0.8
    assert table.select((pl.sum_horizontal(SHARES[1:]) - pl.col("any")).abs().max()).item() < 0.001


@pytest.mark.parametrize("search", [partial(pc, alpha=0.05), partial(fci, alpha=0.05)])
def test_any_number_of_jobs_gives_the_same(search: partial[Graph]) -> None:
    steps: list[tuple[int, int]] = []
    one = bootstrap_edges(collider(60), search, times=6, rng=rng())
    two = bootstrap_edges(collider(60), search, times=6, rng=rng(), jobs=2, progress=lambda *step: steps.append(step))
    assert one[0] == two[0]
    assert one[1].equals(two[1])
    assert steps == [(done, 6) for done in range(1, 7)]
    assert one[1]["any"].n_unique() > 1, "draws differ, or the comparison shows nothing"


def test_draws_differ_from_one_another() -> None:
    sums: list[object] = []
    orders = set()

    def remember(frame: pl.DataFrame) -> Graph:
        sums.append(frame["a"].sum())
        orders.add(tuple(frame.columns))
        return Graph([], [])

    bootstrap_edges(collider(50), remember, times=5, rng=rng())
    assert len(set(sums)) == 6
    assert len(orders) > 2, "each draw has its columns in another order"


def test_a_graph_that_is_known_is_not_searched_again() -> None:
    graph, table = bootstrap_edges(collider(50), pc, times=0, rng=rng(), graph=Graph([], [Edge("a", "b")]))
    assert graph.edges[0].weight is None
    assert table.height == 0


def test_a_draw_that_cannot_be_searched_is_counted_apart() -> None:
    frame = collider(100).with_columns(rare=(pl.int_range(pl.len()) == 3).cast(pl.Float64))
    details = bootstrap_edges(frame, pc, times=12, rng=rng(0))[0].details
    assert details["bootstraps_failed"] > 0
    assert details["bootstraps"] + details["bootstraps_failed"] == 12


def test_what_cannot_be_sent_to_processes() -> None:
    with pytest.raises(InputError, match="the work cannot be sent to 2 processes"):
        bootstrap_edges(collider(50), lambda frame: Graph([], []), times=4, rng=rng(), jobs=2)
    with pytest.raises(InputError, match="0 jobs"):
        bootstrap_edges(collider(50), pc, times=4, rng=rng(), jobs=0)


def die(frame: pl.DataFrame) -> Graph:
    import multiprocessing
    import os

    if multiprocessing.parent_process() is not None:
        os._exit(9)
    return Graph([], [])


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(ComputationError, match="one of 2 processes died"):
        bootstrap_edges(collider(50), die, times=4, rng=rng(), jobs=2)


def test_an_error_of_ours_in_a_draw_is_no_crash() -> None:
    def prepare(frame: pl.DataFrame) -> object:
        raise ComputationError("no")

    graph = Graph([], [])
    search = partial(pc, test=CiTest("t", prepare))  # type: ignore[arg-type]
    assert bootstrap_edges(collider(50), search, times=3, rng=rng(), graph=graph)[0].details["bootstraps_failed"] == 3


@pytest.mark.parametrize(
    ("kind", "forth", "back"),
    [
        ("directed", "forward", "backward"),
        ("undirected", "undirected", "undirected"),
        ("bidirected", "bidirected", "bidirected"),
        ("partially_directed", "partial_forward", "partial_backward"),
        ("nondirected", "nondirected", "nondirected"),
    ],
)
def test_every_kind_has_its_column(kind: EdgeKind, forth: str, back: str) -> None:
    draws = [[Edge("a", "b", kind)], [Edge("b", "a", kind)], [Edge("b", "a", kind)], []]
    row = stability(["a", "b"], draws).row(0, named=True)
    assert row.pop("any") == 0.75
    expected = {forth: 0.25, back: 0.5} if forth != back else {forth: 0.75}
    assert {name: share for name, share in row.items() if share not in ("a", "b", 0.0)} == expected
