"""The learned graph beside PC's: which edges both have, and where they differ."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

pytest.importorskip("causallearn", reason="causal-learn is not installed: pip install personax[discovery]")

from personax.schema import Edge, Graph, Node
from personax.stages._graph_check import check_graph, without_modalities


def _collider() -> pl.DataFrame:
    a, b, noise, alone = np.random.default_rng(0).normal(size=(4, 800))
    return pl.DataFrame({"a_1": a, "a_2": b, "b_1": np.exp(0.5 * (a + b + 0.5 * noise)), "b_2": alone})


def _graph(*edges: tuple[str, str]) -> Graph:
    return Graph([Node(name) for name in ("a_1", "a_2", "b_1", "b_2")], [Edge(*edge) for edge in edges])


def test_the_same_graph_agrees_on_every_edge_whatever_the_scale_of_latents() -> None:
    found = check_graph(_graph(("a_1", "b_1"), ("a_2", "b_1")), _collider())
    assert found is not None
    assert (found.agreed, found.edges, found.share) == (2, 2, 1.0)
    assert found.sentence.endswith("on 2 of 2 edges.")


def test_reversed_missing_and_invented_edges_are_named() -> None:
    found = check_graph(_graph(("b_1", "a_1"), ("a_1", "b_2")), _collider())
    assert found is not None
    assert (found.agreed, found.edges) == (0, 3)
    assert set(found.differ) == {
        "b_1 -> a_1 (PC: the other direction)",
        "a_1 -> b_2 (PC: no edge)",
        "a_2 - b_1 (PC: an edge, learned: none)",
    }


def test_directions_that_pc_leaves_open_are_named() -> None:
    """A normal linear chain: every direction fits as well, so that nothing but the learned graph speaks for one."""
    e = np.random.default_rng(0).normal(size=(4, 800))
    chain = {"a_1": e[0], "a_2": e[0] + e[1]}
    latents = pl.DataFrame(chain | {"b_1": chain["a_2"] + e[2], "b_2": e[3]})
    found = check_graph(_graph(("b_1", "a_2"), ("a_2", "a_1")), latents)
    assert found is not None
    assert list(found.open_directions) == found.to_dict()["open_directions"] == ["a_2 -> a_1", "b_1 -> a_2"]
    assert "leaves the direction of 2 of them open (a_2 -> a_1; b_1 -> a_2)" in found.sentence


def test_latents_that_determine_one_another_are_not_compared() -> None:
    latents = _collider().with_columns(b_2=pl.col("a_1") * 2)
    assert check_graph(_graph(("a_1", "b_1")), latents) is None


def test_without_a_modality_a_step_between_leaves_an_edge_behind() -> None:
    """first -> mid -> last: without mid, first and last are joined; without a bystander, nothing changes."""
    e = np.random.default_rng(0).normal(size=(4, 800))
    first, alone = e[0], e[3]
    mid = first + 0.7 * e[1]
    latents = pl.DataFrame({"a_1": first, "b_1": mid, "a_2": mid + 0.7 * e[2], "c_1": alone})
    found = without_modalities(latents, {"a_1": "a", "a_2": "a", "b_1": "b", "c_1": "c"})
    told = {one["modality"]: (one["same"], one["edges"], len(one["changed"])) for one in found}
    assert told == {"a": (0, 0, 0), "b": (0, 1, 1), "c": (2, 2, 0)}
    assert found[1]["changed"][0].startswith("a_1 and a_2: no edge with it, a_1")
