"""The cost of protection: nothing for a shuffle, where nothing depends on coordinates, something for a bend."""

from __future__ import annotations

import numpy as np
import pytest

from personax.errors import InputError
from personax.release.vectors._geometry import cka, neighbours_kept
from personax.simulate import numerical
from protection_cost import cost_of_protection

DATA = numerical(1, n=300, rng=np.random.default_rng(0))


def test_alignment_and_neighbours_of_unrelated_vectors_are_low() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 400, 5)).astype(np.float32)
    assert cka(x, y) < 0.1
    assert neighbours_kept(x, y) == pytest.approx(10 / 399, abs=0.02)


def test_the_table_of_costs() -> None:
    targets = {"one": DATA.latents[:, 0], "noise": np.random.default_rng(1).normal(size=300)}
    table = cost_of_protection(
        DATA.views, targets, transforms=["shuffle", "flow"], latents=DATA.counts, truth=DATA.latents, method="pca"
    )
    none, shuffle, flow = table.rows(named=True)
    assert none["transform"] == "none"
    assert (none["log10 p"], none["decisions"], none["cka"], none["neighbours"]) == pytest.approx((0, 0, 1, 1))
    assert none["mcc with the originals"] == pytest.approx(1)
    assert none["tests"] == 4
    assert shuffle["log10 p"] < 0.01
    assert shuffle["decisions"] == 0
    assert shuffle["neighbours"] > 0.99
    assert shuffle["mcc with the originals"] == pytest.approx(1, abs=1e-3), "PCA does not see a shuffle"
    assert shuffle["mcc"] == pytest.approx(none["mcc"], abs=1e-3)
    assert flow["log10 p"] > 0.05
    assert flow["neighbours"] < 0.99
    assert flow["mcc with the originals"] < 0.999
    assert flow["edges"] is None


def test_a_method_with_a_graph_counts_its_edges() -> None:
    pytest.importorskip("torch")
    targets = {"one": DATA.latents[:, 0]}
    table = cost_of_protection(DATA.views, targets, transforms=["chain"], latents=DATA.counts, epochs=2)
    assert table["edges"][0] == 0
    assert table["edges"][1] >= 0
    assert table["mcc"].to_list() == [None, None]


def test_targets_must_be_there_for_everybody() -> None:
    for targets in ({}, {"a": np.zeros(3)}):
        with pytest.raises(InputError, match="each of the 300 people"):
            cost_of_protection(DATA.views, targets, latents=DATA.counts)
