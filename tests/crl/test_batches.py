"""People are read a batch at a time, by every method, so that measurements may be larger than memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
import torch

from personax.crl import PaperFit
from personax.crl._batches import Batches
from personax.crl._budget import Budget
from personax.crl._scaler import Scaler
from personax.crl.methods import NAMES, method
from personax.crl.methods.default._components import Search
from personax.simulate import numerical

MOST = 64
"""Rows that may be asked for at once; people are five times as many."""


class Piecewise(np.ndarray[Any, Any]):
    """An array of which nothing is computed, and few rows are given at once."""

    def __getitem__(self, at: Any) -> Any:
        found = np.asarray(self)[at]
        assert len(found) <= MOST, f"{len(found)} people were read at once"
        return found

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("something is computed of all people at once")

    def __array_function__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("something is computed of all people at once")

    def astype(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("all people are copied")

    def sum(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("something is computed of all people at once")


def piecewise(views: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
    return {m: {k: x.view(Piecewise) for k, x in by.items()} for m, by in views.items()}


@pytest.mark.parametrize("name", NAMES)
def test_no_method_asks_for_more_people_than_a_batch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.crl._scaler.CHUNK", 50)
    monkeypatch.setattr("personax.crl._lacking.CHUNK", 50)
    monkeypatch.setattr("personax.crl.methods.default._projection.SAMPLE", 50)
    data = numerical(1, measurements=2, n=5 * MOST, shared=1, rng=np.random.default_rng(0))
    views = {"m1": data.views["m1"], "m2": {"k1": data.views["m2"]["k1"]}}
    options = {"search": Search(restarts=3, batch=64, hidden=8)} if name == "default" else {}
    made = method(name, budget=Budget(epochs=1, batch=MOST, hidden=8), **options)
    asked: dict[str, Any] = {"latents": data.counts, "shared": 1, "truth": data.latents}
    found = made.fit(piecewise(views), rng=np.random.default_rng(1), **asked)
    latents = found.encode(piecewise(views))
    assert latents.shape == (5 * MOST, 5)
    np.testing.assert_array_equal(latents, found.encode(views))


def views(n: int) -> dict[str, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    return {
        "text": {"a": rng.normal(3, 2, size=(n, 4)), "b": rng.normal(size=(n, 2))},
        "image": {"c": rng.normal(size=(n, 3))},
    }


@given(st.lists(st.integers(0, 29), min_size=1, max_size=20), st.data())
def test_batches_are_rows_of_what_is_standardised(rows: list[int], data: st.DataObject) -> None:
    scale = Scaler.fit(views(30))
    whole = scale.apply(views(30))
    people = Batches(views(30), scale, extra={"": {"": np.arange(30.0)[:, None]}}).subset(torch.tensor(rows))
    assert len(people) == len(rows)
    at = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9))
    batch, chosen = people.batch(torch.tensor(at, dtype=torch.long)), np.array(rows)[at]
    for m, by in whole.items():
        for k, x in by.items():
            np.testing.assert_array_equal(batch[m][k].numpy(), x[chosen].astype(np.float32))
    np.testing.assert_array_equal(batch[""][""][:, 0].numpy(), chosen)


@pytest.mark.parametrize("name", ["autoencoder", "paper", "pca", "cca"])
def test_pieces_change_nothing_but_the_last_digits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An autoencoder's loss is a mean over people; that of `paper` has noise, which pieces draw in another order."""
    made = method(name, budget=Budget(epochs=1, batch=64, hidden=8))
    asked: dict[str, Any] = {"latents": {"text": 1, "image": 1}, "rng": np.random.default_rng(0)}
    whole = made.fit(views(200), **asked)
    monkeypatch.setattr("personax.crl._scaler.CHUNK", 7)
    pieces = made.fit(views(200), **asked | {"rng": np.random.default_rng(0)})
    np.testing.assert_allclose(pieces.encode(views(200)), whole.encode(views(200)), atol=1e-5)
    assert pieces.objective == pytest.approx(whole.objective, rel=0.1 if name == "paper" else 1e-6)
    if isinstance(pieces, PaperFit) and isinstance(whole, PaperFit):
        assert pieces.held_out == pytest.approx(whole.held_out, abs=1e-5)
