"""Latents that all modalities share: found twice, they are known by the same order of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.crl import Budget, identify, load_fit, method, save_fit
from personax.crl.methods.default import _method
from personax.crl.methods.default._coordinates import Coordinates
from personax.crl.methods.default._decoder_checks import DecoderChecks
from personax.crl.methods.default._shared_latents import SAME, shared_coordinates

Floats = NDArray[np.float64]
N = 800


@dataclass(frozen=True)
class _Known(Coordinates):
    """Latents that are read as they are."""

    def encode(self, by: Mapping[str, NDArray[Any]]) -> Floats:
        return np.asarray(by["a"], dtype=np.float64)


def known(modality: str, latents: int) -> Coordinates:
    return _Known(modality, "additive", 0.9, 0.95, [0.99 - 0.001 * at for at in range(latents)])


def world(*, error: float = 0.2) -> tuple[Floats, Any]:
    """Return a shared latent and two modalities; one shows it last and falling, and both bend it."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=N)
    own = {m: 0.6 * z[:, None] + 0.8 * rng.normal(size=(N, 2)) for m in ("text", "image")}
    seen = {m: z + error * rng.normal(size=N) for m in own}
    return z, {
        "text": {"a": np.c_[np.exp(seen["text"]), own["text"]]},
        "image": {"a": np.c_[own["image"], -(seen["image"] ** 3)]},
    }


def test_the_shared_latent_is_the_one_whose_people_stand_in_the_same_order() -> None:
    z, views = world()
    found = shared_coordinates({m: known(m, 3) for m in views}, views, 1, np.arange(100))
    assert found is not None
    coordinates, correlations = found
    assert list(coordinates) == ["shared", "text", "image"]
    assert min(correlations) > SAME
    shared = coordinates["shared"].encode(views)[:, 0]
    each = [abs(np.corrcoef(z, x)[0, 1]) for x in (views["text"]["a"][:, 0], views["image"]["a"][:, 2])]
    assert abs(np.corrcoef(z, shared)[0, 1]) > max(0.97, *each)
    np.testing.assert_array_equal(coordinates["text"].encode(views["text"]), views["text"]["a"][:, 1:])
    np.testing.assert_array_equal(coordinates["image"].encode(views["image"]), views["image"]["a"][:, :2])
    assert coordinates["shared"].finalist_agreement == [0.988]
    assert coordinates["text"].finalist_agreement == [0.989, 0.988]


def test_what_only_causes_is_not_taken_for_shared() -> None:
    _, views = world()
    views["image"]["a"][:, 2] = np.random.default_rng(1).normal(size=N)
    found = shared_coordinates({m: known(m, 3) for m in views}, views, 1, np.arange(N))
    assert found is not None
    assert found[1][0] < SAME


def test_who_lacks_a_modality_has_what_the_other_says() -> None:
    _, views = world()
    found = shared_coordinates({m: known(m, 3) for m in views}, views, 1, np.arange(100))
    assert found is not None
    whole = found[0]["shared"].encode(views)
    views["image"]["a"][:5] = np.nan
    views["text"]["a"][4] = np.nan
    shared = found[0]["shared"].encode(views)
    assert np.isnan(shared[:, 0]).tolist() == [False] * 4 + [True] + [False] * (N - 5)
    np.testing.assert_allclose(shared[:4], whole[:4], atol=1)
    np.testing.assert_array_equal(shared[5:], whole[5:])


@dataclass(frozen=True)
class _Checked(_Known):
    checks: DecoderChecks | None = None


def test_shared_latents_are_claimed_by_what_the_decoder_says_that_tells_them_apart_least() -> None:
    _, views = world()
    checks = {
        "text": DecoderChecks([0.05, 0.04, 0.03], 0.001, [0.99, 0.98, 0.97], 0.01, [0.99, 0.98, 0.97]),
        "image": DecoderChecks([0.06, 0.02, 0.05], 0.002, [0.96, 0.95, 0.98], 0.02, [0.96, 0.97, 0.99]),
    }
    each: dict[str, Coordinates] = {
        m: _Checked(m, "additive", 0.9, 0.95, [0.99] * 3, checks=checks[m]) for m in ("text", "image")
    }
    found = shared_coordinates(each, views, 1, np.arange(N))
    assert found is not None
    coordinates = found[0]
    shared: Any = coordinates["shared"]
    assert shared.checks == DecoderChecks([0.05], 0.002, [0.98], 0.02, [0.99])
    names = ["shared_1", "text_1", "text_2", "image_1", "image_2"]
    fit = SimpleNamespace(names=names, coordinates=coordinates)
    assert identify(fit).identified == names
    # a shared latent is alone in its block, and its decoder could still mix it with an own one
    checks["text"].mixing[0] = 0.0
    assert identify(fit).identified == names[1:]
    checks["text"].mixing[0] = 0.05
    without = replace(checks["image"], halves=None)
    each["image"] = _Checked("image", "additive", 0.9, 0.95, [0.99] * 3, checks=without)
    again = shared_coordinates(each, views, 1, np.arange(N))
    assert again is not None
    shared = again[0]["shared"]
    assert shared.checks.halves is None


def test_default_with_a_shared_latent_is_saved_and_names_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # short training tells nothing apart; what is asked here is what becomes of coordinates that are taken for shared
    rng = np.random.default_rng(2)
    z = rng.normal(size=(300, 1))
    waves = np.concatenate([np.sin(rate * z + shift) for rate in (0.7, 1.1) for shift in (0, 1, 2)], axis=1)
    views = {
        m: {k: waves @ rng.normal(size=(6, 12)) + 0.1 * rng.normal(size=(300, 12)) for k in "ab"}
        for m in ("text", "image")
    }
    monkeypatch.setattr(_method, "SAME", 0.0)
    made = method("default", budget=Budget(epochs=3))
    fitted: Any = made.fit(views, latents={"text": 1, "image": 1}, shared=1, rng=np.random.default_rng(0))
    assert fitted.names == ["shared_1", "text_1", "image_1"]
    assert list(fitted.scores) == ["shared", "text", "image"]
    assert not fitted.adjacency[0].any()
    save_fit(fitted, tmp_path / "fit.safetensors")
    np.testing.assert_array_equal(load_fit(tmp_path / "fit.safetensors").encode(views), fitted.encode(views))
