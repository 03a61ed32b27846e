"""Graph scores by hand, and that no order of the learned latents changes them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.crl import graph_scores, held_out_match, shd
from personax.crl.metrics._graph import EdgeScores
from personax.errors import InputError

TRUE = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]])
GROUPS = ["a", "a", "b", "b"]
SAME = [(i, i, 1.0) for i in range(4)]

graphs = st.lists(st.booleans(), min_size=16, max_size=16).map(
    lambda bits: np.array(bits).reshape(4, 4) & ~np.eye(4, dtype=bool)
)


@settings(max_examples=50, deadline=None)
@given(graphs, graphs, graphs)
def test_shd_is_a_distance(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    assert shd(a, a) == 0
    assert shd(a, b) == shd(b, a)
    assert (shd(a, b) == 0) == bool((a == b).all())
    assert shd(a, c) <= shd(a, b) + shd(b, c)


@settings(max_examples=50, deadline=None)
@given(graphs, graphs, st.permutations(range(4)))
def test_the_order_of_learned_latents_does_not_matter(learned: np.ndarray, true: np.ndarray, order: list[int]) -> None:
    moved = learned[np.ix_(order, order)]
    pairs = [(order.index(j), j, 1.0) for j in range(4)]
    found = graph_scores(moved, true, pairs=pairs, groups=GROUPS)
    assert found == graph_scores(learned, true, pairs=SAME, groups=GROUPS)
    assert found is not None
    assert found.overall.shd == found.cross.shd + found.within.shd


def test_the_whole_way_from_latents_to_the_graph() -> None:
    x = np.random.default_rng(0).normal(size=(200, 4))
    for order in permutations(range(4)):
        pairs = held_out_match(x[:, order], x, rng=np.random.default_rng(0)).pairs
        found = graph_scores(TRUE[np.ix_(order, order)], TRUE, pairs=pairs, groups=GROUPS)
        assert found is not None
        assert (found.overall.shd, found.overall.f1) == (0, 1)


def test_by_hand() -> None:
    learned = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0.2, 0, 0, 0.9], [0, 0, 0, 0]])  # reversed 2-3, missing 0->2
    found = graph_scores(learned, TRUE, pairs=SAME, groups=GROUPS)
    assert found is not None
    assert found.overall == EdgeScores(2, 1 / 2, 1 / 3, 2 / 5)
    assert found.cross == EdgeScores(1, None, 0.0, 0.0)
    assert found.within == EdgeScores(1, 1 / 2, 1 / 2, 1 / 2)


def test_what_is_not_there_is_no_number() -> None:
    assert graph_scores(None, TRUE, pairs=SAME, groups=GROUPS) is None
    assert graph_scores(TRUE, None, pairs=SAME, groups=GROUPS) is None
    empty = graph_scores(0 * TRUE, 0 * TRUE, pairs=SAME, groups=GROUPS)
    assert empty is not None
    assert empty.overall == EdgeScores(0, None, None, None)


def test_unmatched_latents_miss_their_edges_and_surplus_edges_are_counted() -> None:
    found = graph_scores(np.array([[0, 0], [1, 0]]), TRUE, pairs=[(0, 0, 1.0), (1, 1, 1.0)], groups=GROUPS)
    assert found is not None
    assert found.overall == EdgeScores(2, 1.0, 1 / 3, 1 / 2)
    bigger = np.zeros((5, 5))
    bigger[:4, :4] = TRUE
    bigger[4, 0] = bigger[1, 4] = 1
    found = graph_scores(bigger, TRUE, pairs=SAME, groups=GROUPS)
    assert found is not None
    assert (found.overall.shd, found.surplus) == (0, 2)


def test_loops_are_no_edges_and_odd_graphs_are_refused() -> None:
    found = graph_scores(TRUE + np.eye(4), TRUE, pairs=SAME, groups=GROUPS)
    assert found is not None
    assert (found.overall.shd, found.within.precision) == (0, 1)
    with pytest.raises(InputError, match="3 groups"):
        graph_scores(TRUE, TRUE, pairs=SAME, groups=GROUPS[:3])
    with pytest.raises(InputError, match="learned graph has shape"):
        graph_scores(TRUE[:2], TRUE, pairs=SAME, groups=GROUPS)
