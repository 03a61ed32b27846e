"""Which latents sparsity tells apart: the rule by hand, and as the simulator draws graphs by it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.crl.diagnostics._sparsity import ALONE, NOTHING, ORTHOGONAL, SPARSITY, identified, mates
from personax.errors import InputError
from personax.simulate._numerical import draw_graph, mixable


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 2), st.lists(st.integers(1, 3), min_size=2, max_size=3), st.floats(0, 1))
def test_the_rule_is_the_simulators(seed: int, shared: int, sizes: list[int], density: float) -> None:
    owner = np.r_[np.full(shared, -1), np.repeat(np.arange(len(sizes)), sizes)]
    edges = np.random.default_rng(seed).random((len(owner), len(owner))) < density
    np.fill_diagonal(edges, False)
    expected = set(mixable(edges, owner))
    assert {(i, j) for i, found in enumerate(mates(edges, owner)) for j in found} == expected


@pytest.mark.parametrize("modalities", [2, 3])
def test_graphs_that_are_drawn_to_be_identified_are(modalities: int) -> None:
    for seed in range(10):
        graph = draw_graph(modalities, 2, rng=np.random.default_rng(seed))
        counts = {f"m{m}": 2 for m in range(modalities)}
        found = identified(graph.astype(float), counts)
        assert found.verdict == ("violated" if mixable(graph, np.repeat(np.arange(modalities), 2)) else "holds")
        if found.verdict == "holds":
            assert found.number == 1
            assert {row["by"] for row in found.rows} == {SPARSITY}


def test_each_latent_is_told_what_identifies_it() -> None:
    graph = np.zeros((5, 5))
    graph[3, 0] = graph[4, 1] = 0.9  # shared_1, text_1, text_2, text_3, face_1: text_1 causes face_1, shared_1 text_3
    found = identified(graph, {"text": 3, "face": 1}, 1, orthogonal=["text_2"])
    by = {row["latent"]: row["by"] for row in found.rows}
    assert by == {
        "shared_1": ALONE, "text_1": SPARSITY, "text_2": ORTHOGONAL, "text_3": NOTHING, "face_1": ALONE,
    }  # fmt: skip
    assert found.rows[3]["mates"] == ["text_1", "text_2"]
    assert found.rows[3]["sentence"] == "text_3 is not identified: it may be mixed with text_1, text_2."
    assert (found.verdict, found.number) == ("violated", 3 / 5)
    assert "text_3" in found.sentence


def test_verdicts_follow_the_weakest_latent() -> None:
    link = np.zeros((3, 3))
    link[2, 0] = 1
    counts = {"text": 2, "face": 1}
    assert identified(link, counts).verdict == "violated"
    assert identified(link, counts, orthogonal=["text_2"]).verdict == "doubtful"
    apart = np.zeros((4, 4))
    apart[2, 0] = apart[3, 1] = 1  # each text latent causes a face latent of its own
    assert identified(apart, {"text": 2, "face": 2}).verdict == "holds"
    assert identified(link, counts, threshold=1.0).verdict == "violated"
    assert identified(None, counts).verdict == "not testable"
    assert identified(link + np.eye(3), counts) == identified(link, counts)


def test_a_graph_of_another_size() -> None:
    with pytest.raises(InputError, match="for 3 latents"):
        identified(np.zeros((2, 2)), {"text": 2, "face": 1})
