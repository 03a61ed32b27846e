"""Training on another device: every tensor is made where it was asked for, and what is random is the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
import torch

from personax.crl._budget import Budget
from personax.crl._device import torch_device
from personax.crl._estimator import Fitted
from personax.crl.methods import NAMES, method
from personax.crl.methods.default._components import CONTENTS, Search
from personax.crl.methods.default._method import Default
from personax.errors import InputError
from personax.simulate import numerical

TINY = Budget(epochs=1, batch=64, hidden=8)


def fitted(name: str, budget: Budget = TINY) -> tuple[Fitted, np.ndarray]:
    """Fit and encode; with dear edges nothing touches, so that charts, agreement and orthogonality are all used."""
    data = numerical(1, measurements=2, n=150, shared=1, rng=np.random.default_rng(0))
    views = {"m1": data.views["m1"], "m2": {"k1": data.views["m2"]["k1"]}}
    search = Search(restarts=3, trial=1200, steps=3600, batch=64, edges=100.0, hidden=8)
    made = Default(budget=budget, search=search) if name == "default" else method(name, budget=budget)
    found = made.fit(views, latents=data.counts, shared=1, truth=data.latents, rng=np.random.default_rng(0))
    return found, found.encode(views)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("pca", "cca")])
def test_every_tensor_names_its_device(name: str) -> None:
    """Where a tensor names none, torch makes it on a device that holds no numbers, and the fit cannot go on."""
    plain, expected = fitted(name)
    with torch.device("meta"):
        found, latents = fitted(name)
    np.testing.assert_array_equal(latents, expected)
    assert found.objective == plain.objective


def test_contents_name_their_device_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.crl.methods.default._components.VIEWS", (CONTENTS,))
    with torch.device("meta"):
        assert np.isfinite(fitted("default")[1]).all()


def test_the_device_is_a_gpu_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [torch_device(name).type for name in ("auto", "cpu")] == ["cpu", "cpu"]
    for name in ("default", "paper", "betavae"):
        with pytest.raises(InputError, match="torch sees no GPU here; give auto or cpu"):
            fitted(name, TINY.replaced(device="cuda"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [torch_device(name).type for name in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
    wrong: Any = "gpu"
    with pytest.raises(InputError, match="auto, cpu or cuda, not gpu"):
        torch_device(wrong)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU on this machine")
@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_gives_nearly_the_same_numbers_and_leaves_the_fit_on_the_processor(name: str) -> None:
    on_cpu, on_gpu = (fitted(name, TINY.replaced(device=device)) for device in ("cpu", "cuda"))
    assert on_gpu[0].objective == pytest.approx(on_cpu[0].objective, rel=0.05, abs=0.02)
    assert on_gpu[1].shape == on_cpu[1].shape
