"""Wide measurements are reduced before training, by what the measurements say; narrow ones never are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from personax.config import CrlSection
from personax.crl import Budget, ReducedFit, load_fit, match, method, reduce_views, save_fit
from personax.crl._reduce import LEADING, describe_reductions
from personax.crl.methods.default._projection import Projection
from personax.errors import InputError

Views = dict[str, dict[str, np.ndarray]]


def world(n: int = 2100, dim: int = 1100, *, seed: int = 0, weak: float = 0.02) -> tuple[Views, np.ndarray]:
    """Two texts and a picture of two latents each; nuisance takes the leading components, latents come late."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 4))
    views: Views = {"text": {}, "image": {}}
    for m, name, own in (("text", "a", z[:, :2]), ("text", "b", z[:, :2]), ("image", "c", z[:, 2:])):
        sizes = np.concatenate([np.full(LEADING + 40, 1.0), np.full(100, weak / 10)])
        nuisance = rng.normal(size=(n, len(sizes))) * sizes
        axes = np.linalg.qr(rng.normal(size=(dim, len(sizes) + 2)))[0].T
        views[m][name] = (np.hstack([nuisance, 0.5 * own]) @ axes).astype(np.float32)
    return views, z


def test_narrow_measurements_are_left_as_they_are() -> None:
    views = {"text": {"a": np.ones((30, 1024), np.float32)}}
    same, found = reduce_views(views)
    assert same is views
    assert not found
    assert "reduce" not in CrlSection(latents={"text": 1}).model_dump()
    assert CrlSection(latents={"text": 1}, reduce=64).model_dump()["reduce"] == 64


def test_components_that_another_measurement_predicts_are_kept_and_nothing_beyond_them() -> None:
    views, _ = world()
    _, found = reduce_views(views)
    kept = found["text"]["a"].axes.shape[1]
    assert LEADING + 40 <= kept <= LEADING + 80, "the latents come after 296 components of nuisance"
    assert found["image"]["c"].axes.shape[1] == LEADING, "no other measurement shows what this one shows"
    assert found["text"]["a"].left_out < 0.05
    texts = describe_reductions(found)
    assert len(texts) == 3
    assert "in place of 1,100 numbers" in texts[0]
    assert "crl.reduce: none" in texts[0]


def test_distances_stay_and_every_number_varies_about_as_much() -> None:
    rng = np.random.default_rng(3)
    wide = (rng.normal(size=(400, 30)) * np.geomspace(1, 0.05, 30) @ rng.normal(size=(30, 1500))).astype(np.float32)
    views, found = reduce_views({"text": {"a": wide}})
    made = views["text"]["a"]
    assert made.shape == (400, 30)
    assert found["text"]["a"].share == pytest.approx(1.0, abs=1e-4)
    assert np.allclose(made @ made.T, (wide - wide.mean(0)) @ (wide - wide.mean(0)).T, atol=0.05 * np.abs(made).max())
    assert made.std(0).max() / made.std(0).min() < 4


def test_a_fit_to_components_encodes_the_measurements_also_from_its_file(tmp_path: Path) -> None:
    views, z = world(weak=0.0)
    reduced, found = reduce_views(views)
    fit = method("pca", budget=Budget(epochs=1)).fit(
        reduced, latents={"text": 2, "image": 2}, rng=np.random.default_rng(0)
    )
    whole = ReducedFit(fit, found)
    save_fit(whole, tmp_path / "model.safetensors")
    again = load_fit(tmp_path / "model.safetensors")
    assert np.allclose(again.encode(views), fit.encode(reduced))
    assert whole.names == again.names
    assert match(again.encode(views), z).mcc > 0
    with pytest.raises(InputError, match="fitted with 1100 numbers"):
        again.encode({"text": {"a": views["text"]["a"][:, :9], "b": views["text"]["b"]}, "image": views["image"]})


def test_the_default_method_is_given_the_same_components_up_to_their_signs() -> None:
    rng = np.random.default_rng(5)
    sizes = np.geomspace(1, 0.02, 40)
    views: Views = {
        "text": {name: ((rng.normal(size=(500, 40)) * sizes) @ rng.normal(size=(40, 1200))).astype(np.float32)
                 for name in "ab"},
        "image": {"c": (rng.normal(size=(500, 10)) @ rng.normal(size=(10, 30))).astype(np.float32)},
    }  # fmt: skip
    reduced, _ = reduce_views(views)
    before, after = (Projection.fit(x, rng=np.random.default_rng(0)).apply(x) for x in (views, reduced))
    for a, b in zip(before, after, strict=True):
        assert a.shape == b.shape
        assert np.allclose(np.abs(a.numpy()), np.abs(b.numpy()), atol=2e-3)
