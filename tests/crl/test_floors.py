"""Floors against closed forms, and the summary that prints them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from personax.crl import held_out_match, noise_only_floor, root_copies_floor, rotation_floor, summary
from personax.crl.metrics._floors import _rotation
from personax.errors import InputError

GRAPH = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def linear(n: int, noise: float = 0.4) -> np.ndarray:
    eps = rng().normal(size=(n, 4))
    z11 = eps[:, 0]
    z12, z21 = 0.9 * z11 + noise * eps[:, 1], 0.9 * z11 + noise * eps[:, 2]
    return np.column_stack([z11, z12, z21, 0.9 * z21 + noise * eps[:, 3]])


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 4, 1.2, 2.5])
def test_one_rotation_scores_what_geometry_says(angle: float) -> None:
    x = rng().normal(size=(20000, 2))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = held_out_match(x @ turn, x, rng=rng()).mcc
    assert found == pytest.approx(max(abs(math.cos(angle)), abs(math.sin(angle))), abs=0.02)


def test_the_rotation_floor_of_two_independent_latents() -> None:
    """2 sqrt(2) / pi on average, cos(.05 pi / 4) at the 95th percentile: the angle to the nearest axis is uniform."""
    floor = rotation_floor(rng().normal(size=(4000, 2)), rng=rng(1), draws=1000, with_r2=False)
    assert floor.mcc == pytest.approx(2 * math.sqrt(2) / math.pi, abs=0.012)
    assert floor.mcc_95 == pytest.approx(math.cos(0.05 * math.pi / 4), abs=0.005)
    assert floor.r2 is None


def test_spearmans_floor_is_that_of_the_normal_copula() -> None:
    """Spearman's correlation of two normal variables is 6 / pi arcsin(r / 2)."""
    angles = (np.arange(20000) + 0.5) / 20000 * math.pi / 4
    expected = np.mean(6 / math.pi * np.arcsin(np.cos(angles) / 2))
    floor = rotation_floor(rng().normal(size=(4000, 2)), kind="spearman", rng=rng(1), draws=400, with_r2=False)
    assert floor.mcc == pytest.approx(expected, abs=0.015)


def test_rotations_are_orthogonal_and_uniform() -> None:
    draws = np.array([_rotation(2, generator) for generator in [rng()] for _ in range(4000)])
    assert np.allclose(draws @ draws.transpose(0, 2, 1), np.eye(2))
    angles = np.arctan2(draws[:, 1, 0], draws[:, 0, 0])
    counts = np.histogram(angles, bins=8, range=(-math.pi, math.pi))[0]
    assert ((counts - 500) ** 2 / 500).sum() < 24.3  # chi-square, 7 degrees of freedom, p = .001
    assert np.mean(np.linalg.det(draws) > 0) == pytest.approx(0.5, abs=0.04)


def test_blocks_of_one_are_only_flipped() -> None:
    floor = rotation_floor(linear(1000), [[0], [1], [2], [3]], rng=rng(), draws=5)
    assert floor.mcc == pytest.approx(1)
    assert floor.r2 is not None
    assert floor.r2 > 0.99
    within, anywhere = (
        rotation_floor(linear(2000), b, rng=rng(), draws=60, with_r2=False) for b in ([[0, 1], [2, 3]], None)
    )
    assert within.mcc > anywhere.mcc
    assert within.mcc_95 is not None
    assert within.mcc_95 > within.mcc


def test_copies_of_the_root_of_independent_and_of_equal_latents() -> None:
    x = rng().normal(size=(4000, 4))
    floor = root_copies_floor(x, rng=rng())
    assert floor.mcc == pytest.approx(1 / 4, abs=0.03)  # one latent of four is right, the others not at all
    assert floor.r2 == pytest.approx(1 / 4, abs=0.06)
    assert root_copies_floor(x[:, [0, 0, 0]], rng=rng()).mcc > 0.99


def test_copies_of_the_root_of_a_linear_graph() -> None:
    x = linear(20000)
    expected = np.corrcoef(x.T)[0].mean()
    floor = root_copies_floor(x, rng=rng())
    assert floor.note.startswith("copies of latent 0")
    assert expected - 0.02 < floor.mcc < expected + 0.01


@pytest.mark.parametrize("noise", [0.4, 1.5])
def test_noise_in_place_of_latents(noise: float) -> None:
    """Correlation of a latent with its own noise: noise sd over the latent's sd."""
    x = linear(8000, noise)
    child = noise / math.hypot(0.9, noise)
    grandchild = noise / math.sqrt(0.9**4 + (0.9 * noise) ** 2 + noise**2)
    floor = noise_only_floor(x, GRAPH, rng=rng())
    assert floor.mcc == pytest.approx((1 + 2 * child + grandchild) / 4, abs=0.02)
    assert floor.r2 is not None
    assert floor.r2 > 0.98
    with pytest.raises(InputError, match="true graph has shape"):
        noise_only_floor(x, GRAPH[:2], rng=rng())


def test_without_edges_the_noise_is_the_latents() -> None:
    assert noise_only_floor(linear(500), 0 * GRAPH, rng=rng(), with_r2=False).mcc == pytest.approx(1)


NAMES = ["a_1", "a_2", "b_1", "b_2"]
COUNTS = {"a": 2, "b": 2}


def test_the_summary_of_the_truth_moved_about() -> None:
    x = linear(800)
    order = [1, 0, 3, 2]
    graph = GRAPH[np.ix_(order, order)]
    learned = -2 * x[:, order]
    found = summary(learned, x, names=NAMES, counts=COUNTS, adjacency=graph, true_adjacency=GRAPH, rng=rng(), draws=10)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [found[f"mcc_{kind}"] for kind in ("pearson", "spearman")] == pytest.approx([1, 1])
    assert min(found["mcc_monotone"], found["r2"], found["r2_blocks"]) > 0.99
    assert [row["learned"] for row in found["latents"]] == order
    assert (found["matched"], found["shd"], found["edges_cross"]["f1"], found["n"]) == ("within blocks", 0, 1, 800)
    assert set(found["floors"]) == {"rotation_blocks", "rotation_all", "root_copies", "noise_only"}
    assert found["floors"]["rotation_blocks"]["mcc_pearson"] < found["floors"]["rotation_blocks"]["mcc_pearson_95"] < 1
    assert found["dci"]["disentanglement"] > 0.9


def test_the_summary_without_graphs_and_with_too_few_latents() -> None:
    x = linear(600)
    found = summary(x[:, [2, 0]], x, names=NAMES, counts=COUNTS, rng=rng(), draws=3)
    assert found["matched"] == "across all"
    assert [row["learned"] for row in found["latents"]].count(None) == 2
    assert (found["shd"], found["edges"], found["r2_blocks"], found["floors"]["noise_only"]) == (None,) * 4
    shared = summary(x[:, :3], x[:, :3], names=["shared_1", "a_1", "b_1"], counts={"a": 1, "b": 1}, shared=1, rng=rng())
    assert shared["floors"]["rotation_blocks"]["mcc_pearson"] == pytest.approx(1)
    with pytest.raises(InputError, match="4 true latents, 4 names and counts that add up to 3"):
        summary(x, x, names=NAMES, counts={"a": 2, "b": 1}, rng=rng())


def test_the_same_generator_gives_the_same_summary() -> None:
    x = linear(300)
    one, two = (summary(x, x, names=NAMES, counts=COUNTS, rng=rng(4), draws=3) for _ in range(2))
    assert one == two
