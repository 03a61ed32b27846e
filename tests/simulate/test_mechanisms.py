"""Mechanisms keep their promises: scale, share of variance, shape, Markov property, the loop's fixed point."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse, stats

from personax.errors import ComputationError
from personax.simulate import _mechanisms as mechanisms
from personax.simulate._mechanisms import Mechanism, Mechanisms, Noise, components, draw_noise

CHAIN = np.array([[0, 0], [1, 0]], dtype=bool)
LOOP = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], dtype=bool)
FAMILIES = get_args(Mechanism)


def solved(model: Mechanisms, n: int, seed: int = 1) -> NDArray[np.float64]:
    return model.solve(model.draw(n, rng=np.random.default_rng(seed)))


@pytest.mark.parametrize("noise", get_args(Noise))
def test_noise_has_unit_variance_and_its_own_kurtosis(noise: Noise) -> None:
    drawn = draw_noise((400_000, 1), noise, rng=np.random.default_rng(0))[:, 0]
    assert drawn.mean() == pytest.approx(0, abs=0.01)
    assert drawn.std() == pytest.approx(1, abs=0.01)
    assert stats.kurtosis(drawn) == pytest.approx({"gaussian": 0, "laplace": 3, "uniform": -1.2}[noise], abs=0.15)


@pytest.mark.parametrize("mechanism", FAMILIES)
@pytest.mark.parametrize("graph", [CHAIN, LOOP])
def test_latents_are_standardised(mechanism: Mechanism, graph: NDArray[np.bool_]) -> None:
    latents = solved(Mechanisms(graph, mechanism=mechanism, rng=np.random.default_rng(0)), 40_000)
    np.testing.assert_allclose(latents.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(latents.std(axis=0), 1, atol=0.03)


@pytest.mark.parametrize("mechanism", FAMILIES)
@pytest.mark.parametrize(("noise_scale", "share"), [(1.0, 0.5), (0.5, 0.8)])
def test_parents_explain_their_share(mechanism: Mechanism, noise_scale: float, share: float) -> None:
    """The variance between 400 groups of people with like parents, by the law of total variance."""
    model = Mechanisms(CHAIN, mechanism=mechanism, noise_scale=noise_scale, rng=np.random.default_rng(4))
    parent, child = solved(model, 200_000).T
    groups = child[np.argsort(parent)].reshape(400, -1)
    assert groups.mean(axis=1).var() / child.var() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("mechanism", ["additive", "scale", "linear"])
def test_monotone_families_are(mechanism: Mechanism) -> None:
    model = Mechanisms(CHAIN, mechanism=mechanism, rng=np.random.default_rng(0))
    steps = np.diff(model.location[1].of(np.linspace(-6, 6, 500)[:, None]))
    assert (steps > 0).all() or (steps < 0).all()


def test_the_folded_family_folds() -> None:
    model = Mechanisms(CHAIN, mechanism="folded", rng=np.random.default_rng(0))
    steps = np.diff(model.location[1].of(np.linspace(-2, 2, 500)[:, None]))
    assert (steps > 0).mean() == pytest.approx(0.5, abs=0.35)


@pytest.mark.parametrize("mechanism", FAMILIES)
def test_slopes_are_bounded_as_promised(mechanism: Mechanism) -> None:
    graph = np.zeros((4, 4), dtype=bool)
    graph[3, :3] = True
    function = Mechanisms(graph, mechanism=mechanism, rng=np.random.default_rng(0)).location[3]
    at = np.random.default_rng(1).normal(size=(20_000, 3))
    for parent, bound in enumerate(function.slopes):
        moved = at + 1e-5 * np.eye(3)[parent]
        slope = np.abs(function.of(moved) - function.of(at)).max() / 1e-5
        assert 0.05 < slope <= bound * (1 + 1e-6)


def test_only_scale_changes_the_spread_of_noise() -> None:
    """|residual| goes with the parent in the family scale alone; residuals are taken within groups of like parents."""
    found = {}
    for mechanism in FAMILIES:
        parent, child = solved(Mechanisms(CHAIN, mechanism=mechanism, rng=np.random.default_rng(2)), 100_000).T
        order = np.argsort(parent)
        groups = child[order].reshape(500, -1)
        spread = groups.std(axis=1)[25:-25]  # in the outer groups parents are not alike
        found[mechanism] = abs(np.corrcoef(np.arange(len(spread)), spread)[0, 1])
    assert found.pop("scale") > 0.9
    assert max(found.values()) < 0.3


def test_a_latent_is_independent_of_its_non_descendants_given_its_parents() -> None:
    """The local Markov property, by partial correlations of a linear model."""
    rng = np.random.default_rng(0)
    graph = np.tril(rng.random((7, 7)) < 0.4, -1)
    latents = solved(Mechanisms(graph, mechanism="linear", rng=rng), 40_000)
    checked = 0
    for child in range(7):
        parents = np.flatnonzero(graph[child])
        design = np.column_stack([np.ones(len(latents)), latents[:, parents]])
        others = [j for j in range(child) if j not in parents]
        rest = latents - design @ np.linalg.lstsq(design, latents, rcond=None)[0]
        for other in others:
            assert abs(np.corrcoef(rest[:, child], rest[:, other])[0, 1]) < 4 / np.sqrt(len(latents))
            checked += 1
        for parent in parents:
            without = design[:, [0, *(1 + np.flatnonzero(parents != parent))]]
            rest_of = latents - without @ np.linalg.lstsq(without, latents, rcond=None)[0]
            assert abs(np.corrcoef(rest_of[:, child], rest_of[:, parent])[0, 1]) > 0.05
    assert checked > 5


def test_one_person_does_not_depend_on_the_others() -> None:
    model = Mechanisms(LOOP, mechanism="scale", rng=np.random.default_rng(0))
    np.testing.assert_allclose(solved(model, 5), solved(model, 500)[:5], atol=1e-8)


@pytest.mark.parametrize("mechanism", FAMILIES)
def test_a_loop_is_solved(mechanism: Mechanism) -> None:
    model = Mechanisms(LOOP, mechanism=mechanism, noise="laplace", rng=np.random.default_rng(3))
    noise = model.draw(2_000, rng=np.random.default_rng(4))
    latents = model.solve(noise)
    assert model.residual(latents, noise) < 1e-8
    latents[7, 0] += 1e-3
    assert model.residual(latents, noise) > 1e-4


def test_a_linear_loop_in_closed_form() -> None:
    """Raw latents are (1 - W)^-1 noise, W holding the weights, whose spectral radius is the contraction."""
    graph = np.roll(np.eye(3, dtype=bool), 1, axis=0)
    model = Mechanisms(graph, mechanism="linear", noise_scale=0.8, rng=np.random.default_rng(0))
    weights = np.zeros((3, 3))
    for child in range(3):
        weights[child, (child - 1) % 3] = model.gain[child] * model.feedback[child].of(np.ones((1, 1)))[0]
    assert graph[1, 0]
    assert np.abs(np.linalg.eigvals(weights)).max() == pytest.approx(mechanisms.CONTRACTION)
    noise = model.draw(100, rng=np.random.default_rng(1))
    raw = 0.8 * noise @ np.linalg.inv(np.eye(3) - weights).T
    np.testing.assert_allclose(model.solve(noise) * model.deviation + model.mean, raw, atol=1e-8)


def test_a_loop_that_does_not_settle_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mechanisms, "CONTRACTION", 1.5)
    with pytest.raises(ComputationError, match="feedback loop of 2 latents does not settle"):
        Mechanisms(LOOP, mechanism="linear", rng=np.random.default_rng(0))


def test_components_agree_with_scipy_and_stand_in_causal_order() -> None:
    for seed in range(30):
        graph = np.random.default_rng(seed).random((9, 9)) < 0.15
        np.fill_diagonal(graph, False)
        mine = components(graph)
        count, labels = sparse.csgraph.connected_components(sparse.csr_array(graph.astype(int)), connection="strong")
        assert len(mine) == count
        assert all(len(set(labels[nodes])) == 1 for nodes in mine)
        place = {int(node): at for at, nodes in enumerate(mine) for node in nodes}
        assert all(place[int(parent)] <= place[int(child)] for child, parent in np.argwhere(graph))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"mechanism": "cubic"}, "mechanism must be one of additive"),
        ({"noise": "cauchy"}, "noise must be one of gaussian"),
        ({"noise_scale": 0.0}, "noise_scale must be positive"),
        ({"noise_scale": float("nan")}, "noise_scale must be positive"),
        ({"adjacency": np.eye(2, dtype=bool)}, "own parent"),
        ({"adjacency": np.zeros((2, 3), dtype=bool)}, "square matrix of bool"),
        ({"adjacency": np.zeros((2, 2))}, "square matrix of bool"),
    ],
)
def test_bad_arguments(changed: dict[str, Any], says: str) -> None:
    arguments: dict[str, Any] = {"adjacency": CHAIN, "rng": np.random.default_rng(0)} | changed
    with pytest.raises(ValueError, match=says):
        Mechanisms(**arguments)
