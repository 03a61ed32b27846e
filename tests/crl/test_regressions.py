"""Densities of latents given others, by curves: against closed forms, and what must not change them."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from personax.crl import to_graph
from personax.crl.methods.default._regressions import Columns, Regressions
from personax.crl.methods.default._structure import fit_structure
from personax.crl.metrics._graph import DIRECTED

Array = NDArray[np.float64]
ENTROPY = -0.5 * np.log(2 * np.pi * np.e)


def scores(latents: Array, *, weights: Array | None = None, stretches: bool = False) -> Regressions:
    latents = (latents - latents.mean(0)) / latents.std(0)
    columns = Columns(latents, rng=np.random.default_rng(0))
    return Regressions(columns, np.ones(len(latents)) if weights is None else weights, stretches=stretches)


@pytest.mark.parametrize("stretches", [False, True])
def test_of_normal_latents_densities_are_those_of_partial_correlations(stretches: bool) -> None:
    shares = np.array([[1.0, 0.6, 0.3], [0.6, 1.0, 0.5], [0.3, 0.5, 1.0]])
    v = np.random.default_rng(0).multivariate_normal(np.zeros(3), shares, 4000)
    found = scores(v, stretches=stretches)
    for parents in ((), (1,), (1, 2)):
        inner = shares[np.ix_(parents, parents)]
        left = 1 - shares[0, parents] @ np.linalg.solve(inner, shares[parents, 0]) if parents else 1.0
        assert found(0, parents) == pytest.approx(ENTROPY - 0.5 * np.log(left), abs=0.02)


def test_what_is_not_normal_is_worth_its_negentropy() -> None:
    """Of a Laplace law it is .072 nats, of an exponential one .419; a map and the kernel reach most of that."""
    rng = np.random.default_rng(1)
    for drawn, worth in ((rng.laplace(size=8000), 0.0724), (rng.exponential(size=8000), 0.4189)):
        assert scores(drawn[:, None])(0, ()) == pytest.approx(ENTROPY + worth, abs=0.05)


def test_noise_that_a_parent_stretches_is_worth_the_mean_logarithm_of_its_scale() -> None:
    rng = np.random.default_rng(2)
    cause = rng.normal(size=6000)
    log_scale = 0.8 * np.tanh(2 * cause)
    effect = np.exp(log_scale) * rng.normal(size=6000)
    v = np.column_stack([cause, effect])
    exact = ENTROPY - log_scale.mean() + np.log(effect.std())
    assert scores(v, stretches=True)(1, (0,)) == pytest.approx(exact, abs=0.03)
    assert scores(v)(1, (0,)) < exact - 0.05


def test_people_who_count_twice_are_people_who_are_there_twice_and_those_who_do_not_are_absent() -> None:
    rng = np.random.default_rng(3)
    v = rng.normal(size=(400, 2))
    v[:, 1] += np.tanh(v[:, 0])
    v = (v - v.mean(0)) / v.std(0)
    weights = rng.integers(0, 3, size=400).astype(float)
    columns = Columns(v, rng=np.random.default_rng(0))
    whole = Regressions(columns, weights, stretches=True)
    rows = np.repeat(np.arange(400), weights.astype(int))
    columns.every, columns.fold = columns.every[rows], columns.fold[rows]
    columns.maps = [(height[rows], slope[rows]) for height, slope in columns.maps]
    again = Regressions(columns, np.ones(len(rows)), stretches=True)
    for child, parents in ((0, ()), (1, (0,)), (0, (1,))):
        assert whole(child, parents) == pytest.approx(again(child, parents), abs=1e-6)


@pytest.mark.parametrize("many", [0.5, 0.97])
def test_values_that_many_share_have_a_density_all_the_same(many: float) -> None:
    rng = np.random.default_rng(4)
    v = rng.normal(size=(500, 2))
    v[rng.random(500) < many, 0] = 0.0
    found = scores(v, stretches=True)
    assert all(np.isfinite(found(child, parents)) for child, parents in ((0, ()), (0, (1,)), (1, (0,))))


def test_a_pair_whose_direction_samples_dispute_is_joined_without_an_arrow() -> None:
    disputed = np.array([[0.0, 0.4, 0.0], [0.5, 0.0, 0.05], [0.0, 0.95, 0.0]])
    names, again = ["a_1", "a_2", "b_1"], np.array([[0.0, 0.25, 0.0], [0.5, 0.0, 0.0], [0.0, 1.0, 0.0]])
    edges = to_graph(disputed, names, sure=0.9, found_again=again, refits=["1", "2", "3", "4"]).edges
    assert [(e.source, e.target, e.kind, e.weight) for e in edges] == [
        ("a_1", "a_2", "undirected", 0.75), ("a_2", "b_1", "directed", 1.0),
    ]  # fmt: skip
    assert edges[0].label == (
        "in 3 of 4 refits, direction open: a_1 -> a_2 in 50 % of samples of the people, the other way in 40 %"
    )
    assert not to_graph(disputed, names, sure=None).edges[0].label
    assert [e.source for e in to_graph(disputed, names).edges] == ["a_2"], "numbers that are no shares: those above .5"


def directed(latents: Array) -> list[tuple[str, str, str]]:
    v = torch.tensor((latents - latents.mean(0)) / latents.std(0), dtype=torch.float32)
    found = fit_structure(v, torch.ones(2, 2), share=0.25, generator=torch.Generator().manual_seed(0))
    return [(e.source, e.target, e.kind) for e in to_graph(found.adjacency, ["a_1", "b_1"], sure=DIRECTED).edges]


@pytest.mark.parametrize("bent", [False, True])
def test_a_direction_is_the_same_after_rising_maps(bent: bool) -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=1500)
    b = np.tanh(2 * a) + 0.5 * rng.normal(size=1500)
    if bent:
        a, b = np.sinh(0.8 * a), np.cbrt(b) + b
    assert directed(np.column_stack([a, b])) == [("a_1", "b_1", "directed")]


def test_of_normal_latents_linear_in_one_another_few_arrows_are_told() -> None:
    """No data tell them."""
    rng = np.random.default_rng(6)
    kinds = []
    for _ in range(4):
        a = rng.normal(size=400)
        kinds += [kind for _, _, kind in directed(np.column_stack([a, 0.7 * a + rng.normal(size=400)]))]
    assert len(kinds) == 4
    assert kinds.count("directed") <= 1
