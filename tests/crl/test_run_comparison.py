"""Runs side by side: what is matched, which edges agree, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from personax.crl import KnownLatents, LatentRun, compare_runs, to_graph
from personax.errors import InputError

NAMES = ["text_1", "text_2", "image_1"]
IDS = [str(i) for i in range(200)]
Z = np.random.default_rng(0).normal(size=(200, 3))


def graph(*edges: tuple[int, int]) -> Any:
    adjacency = np.zeros((3, 3))
    for cause, effect in edges:
        adjacency[effect, cause] = 1
    return to_graph(adjacency, NAMES)


def run(name: str, z: Any = Z, ids: Any = IDS, names: Any = NAMES, **more: Any) -> LatentRun:
    return LatentRun(name, ids, names, z, **more)


def test_latents_are_matched_on_the_common_people_whatever_their_order_and_sign() -> None:
    order = np.random.default_rng(1).permutation(200)[:150]
    turned = np.exp(-Z[order][:, [1, 0, 2]])
    found = compare_runs([run("a"), run("b", turned, [IDS[i] for i in order])])
    (pair,) = found.pairs
    assert pair.people == 150
    assert pair.matches == [("text_1", "text_2", -1.0), ("text_2", "text_1", -1.0), ("image_1", "image_1", -1.0)]
    assert pair.mcc == pytest.approx(1)
    assert pair.correlations.shape == (3, 3)
    assert found.to_frame()["spearman"].to_list() == pytest.approx([-1, -1, -1])


def test_edges_are_told_by_the_latents_of_the_first_run() -> None:
    first = run("a", graph=graph((0, 1), (0, 2), (1, 2)))
    other = run("b", Z[:, [1, 0, 2]], graph=graph((1, 0), (2, 1)))  # its text_2 is text_1 of the first
    (pair,) = compare_runs([first, other]).pairs
    assert {(row["source"], row["target"], row["verdict"]) for row in pair.edges} == {
        ("text_1", "text_2", "agreed"), ("text_1", "image_1", "opposite"), ("text_2", "image_1", "only in a"),
    }  # fmt: skip
    names = ["text_1", "image_1"]
    fewer = run("c", Z[:, [0, 2]], names=names, graph=to_graph(np.array([[0, 1], [0, 0]]), names))
    (less,) = compare_runs([run("a", graph=graph((0, 1))), fewer]).pairs
    rows = [(row["verdict"], row["matched"]) for row in less.edges]
    assert rows == [("only in a", 0.0), ("only in c", pytest.approx(1))]


def test_scores_are_against_the_truth_beside_a_floor() -> None:
    adjacency = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 0]], dtype=bool)
    truth = KnownLatents(IDS[::-1], NAMES, Z[::-1], adjacency)
    good, bad = run("good", graph=graph((0, 1), (0, 2))), run("bad", np.random.default_rng(3).normal(size=(200, 3)))
    first, second = compare_runs([good, bad], truth).scores
    assert first["mcc_pearson"] == pytest.approx(1)
    assert (first["wrong_edges"], first["wrong_edges_across"]) == (0, 0)
    assert second["mcc_pearson"] < first["floor"] < 1
    assert second["wrong_edges"] is None
    own = compare_runs([run("good", truth=truth), bad]).scores
    assert [row["run"] for row in own] == ["good"]


def test_runs_of_other_people_stand_apart() -> None:
    away = [f"x{i}" for i in IDS]
    found = compare_runs([run("a"), run("b"), run("c", ids=away)])
    assert found.apart == [("a", "c"), ("b", "c")]
    assert found.facts()["no common people"] == found.apart
    cases: list[tuple[Any, str]] = [
        ([run("a")], "1 run cannot be compared"),
        ([run("a"), run("a")], "given twice"),
        ([run("a"), run("c", ids=away)], "people in common"),
    ]
    for runs, says in cases:
        with pytest.raises(InputError, match=says):
            compare_runs(runs)
    with pytest.raises(InputError, match="the truth has fewer than 20"):
        compare_runs([run("a"), run("b")], KnownLatents(away, NAMES, Z))
