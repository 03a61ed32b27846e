"""Every method keeps the contract, on data of three shapes; on easy data the order of methods is what it must be."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

import torch

from personax.crl import held_out_r2, match
from personax.crl._batches import Batches
from personax.crl._budget import Budget
from personax.crl._estimator import Fitted, Method
from personax.crl._scaler import Scaler
from personax.crl.methods import METHODS, NAMES, method
from personax.crl.methods._base import TrainedMethod
from personax.crl.methods._bounds import Random
from personax.crl.methods._layout import Layout
from personax.crl.methods._linear import CCA, PCA
from personax.crl.methods._networks import draw_weights
from personax.crl.methods.default._components import Search
from personax.crl.methods.paper._method import MMCRL, Paper
from personax.errors import InputError
from personax.simulate._mixing import mix
from personax.testing import check_method

Views = dict[str, dict[str, np.ndarray]]

TINY = Budget(epochs=2, batch=64, hidden=16)
LATENTS = {"text": 2, "image": 1}
CLOSED = ["pca", "cca"]
TRAINED = [name for name in NAMES if isinstance(method(name), TrainedMethod)]

# what mypy checks: every kind of method keeps the protocol
CONTRACT: list[Method] = [PCA(), CCA(), Random(), Paper(), MMCRL()]


def world(n: int = 200, shared: int = 1) -> tuple[Views, np.ndarray]:
    """Two modalities, one of them with one measurement and one constant column."""
    rng = np.random.default_rng(0)
    s = rng.normal(size=(n, shared))
    text = rng.normal(size=(n, 2)) + s[:, :1]
    image = text[:, :1] + 0.5 * rng.normal(size=(n, 1))
    views = {
        "text": {name: mix(np.column_stack([s, text]), 9, rng=rng) for name in ("a", "b")},
        "image": {"c": mix(np.column_stack([s, image]), 7, rng=rng)},
    }
    views["image"]["c"][:, 3] = 0.1
    return views, np.column_stack([s, text, image])


def tiny_fit(name: str, seed: int = 1, views: Views | None = None, **changes: Any) -> Fitted:
    known, truth = world()
    asked: dict[str, Any] = {"latents": LATENTS, "shared": 1, "truth": truth} | changes
    fit: Fitted = tiny(name).fit(views or known, rng=np.random.default_rng(seed), **asked)
    return fit


@cache
def fitted(name: str, seed: int = 1) -> Fitted:
    return tiny_fit(name, seed)


def some(views: Views, rows: slice) -> Views:
    return {m: {k: x[rows] for k, x in by.items()} for m, by in views.items()}


def tiny(name: str) -> Any:
    options = {"search": Search(restarts=3, batch=64, hidden=16)} if name == "default" else {}
    return method(name, budget=TINY, **options)


@pytest.mark.parametrize("name", NAMES)
def test_every_method_keeps_the_contract(name: str) -> None:
    check_method(tiny(name))


@pytest.mark.parametrize("name", NAMES)
def test_other_seeds_give_other_latents_but_for_closed_forms(name: str) -> None:
    views = world()[0]
    assert np.array_equal(fitted(name).encode(views), fitted(name, 2).encode(views)) == (name in CLOSED)


def test_the_ceiling_needs_the_truth() -> None:
    truth = world()[1]
    with pytest.raises(InputError, match="needs the true latents"):
        tiny_fit("supervised", truth=None)
    with pytest.raises(InputError, match=r"shape \(200, 3\)"):
        tiny_fit("supervised", truth=truth[:, :3])
    with pytest.raises(InputError, match="finite"):
        tiny_fit("supervised", truth=truth * np.nan)


def test_scikit_learn_clones_and_chains_methods() -> None:
    from sklearn.base import clone
    from sklearn.pipeline import Pipeline

    views = world()[0]
    made = method("betavae", budget=TINY, beta=2.0)
    copied = clone(made)
    assert copied is not made
    assert copied == made
    chain = Pipeline([("latents", made)])
    chain.set_params(latents__budget__epochs=1)
    found = chain.fit_transform(views, latents__latents=LATENTS, latents__rng=np.random.default_rng(0))
    assert np.array_equal(chain.transform(views), found)
    assert copied.get_params()["budget__epochs"] == 2


@pytest.mark.parametrize("option", ["compiled", "half"])
def test_options_that_a_method_does_not_have_are_refused(option: str) -> None:
    for name in NAMES:
        budget = TINY.replaced(compiled=option == "compiled", half=option == "half")
        asked = method(name, budget=budget)
        if name not in ("paper", "mmcrl"):
            with pytest.raises(InputError, match=f"{option}: {name} has no such steps"):
                asked.fit(world()[0], latents=LATENTS, rng=np.random.default_rng(0))


def test_who_learns_a_graph_and_who_needs_more_than_measurements() -> None:
    assert {name for name in NAMES if fitted(name).adjacency is not None} == {"default", "causalvae", "mmcrl", "paper"}
    assert {name for name in NAMES if method(name).needs} == {"ivae", "causalvae", "supervised"}
    assert [method(name).name for name in NAMES] == NAMES == list(METHODS)


OBJECTIVES = {
    "random": 0.0,
    "pca": 0.42427,
    "cca": -5.6434,
    "autoencoder": 25.385,
    "betavae": 12.787,
    "ivae": 12.761,
    "causalvae": 17.198,
    "mcl": 2.9982,
    "multiview": 8.9875,
    "mmcrl": 8.8442,
    "paper": 9.7926,
    "default": -0.24117,
    "supervised": 0.84565,
}


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_of_versions_before(name: str) -> None:
    """To the digits that other processors share: what is drawn, and in which order, is part of a method."""
    assert fitted(name).objective == pytest.approx(OBJECTIVES[name], rel=1e-3)


def broken(change: str) -> Views:
    views = world()[0]
    if change == "nan":
        views["text"]["a"][3, 2] = np.nan
    elif change == "short":
        views["text"]["a"] = views["text"]["a"][:-1]
    elif change == "few":
        return some(views, slice(5))
    elif change == "flat":
        views["text"]["a"] = views["text"]["a"][:, 0]
    elif change == "constant":
        views["image"]["c"][:] = 0.1
    return views


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("nan", "text/a holds missing or infinite"),
        ("short", "different numbers of people"),
        ("few", "5 people are too few"),
        ("flat", "text/a has 1 axes"),
        ("constant", "2 latents are asked of image/c"),
    ],
)
def test_what_cannot_be_learned_from(name: str, change: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        tiny_fit(name, views=broken(change))


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_asked(name: str) -> None:
    with pytest.raises(InputError, match="are asked of"):
        tiny_fit(name, latents={"text": 99, "image": 1})
    with pytest.raises(InputError, match=r"crl\.latents names sound"):
        tiny_fit(name, latents={"sound": 1})


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_encoded(name: str) -> None:
    views = world()[0]
    with pytest.raises(InputError, match="holds missing or infinite"):
        fitted(name).encode(broken("nan"))
    with pytest.raises(InputError, match="7 dimensions; it was fitted with 9"):
        fitted(name).encode(views | {"text": {"a": views["image"]["c"], "b": views["text"]["b"]}})
    with pytest.raises(InputError, match="fitted on the embeddings"):
        fitted(name).encode({"text": views["text"]})


PAIRED = ("default", "cca", "ivae", "mcl")


@pytest.mark.parametrize("name", PAIRED)
def test_who_needs_two_modalities(name: str) -> None:
    with pytest.raises(InputError, match="given one"):
        tiny_fit(name, views={"text": world()[0]["text"]}, latents={"text": 1})


def test_multiview_needs_two_views() -> None:
    with pytest.raises(InputError, match="given one"):
        tiny_fit("multiview", views={"image": world()[0]["image"]}, latents={"image": 1})


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PAIRED])
def test_one_modality_without_shared_latents(name: str) -> None:
    views, truth = world()
    alone = {"text": views["text"]}
    assert tiny_fit(name, views=alone, latents={"text": 1}, shared=0, truth=truth[:, 1:2]).encode(alone).shape == (
        200,
        1,
    )


@pytest.mark.parametrize("name", [name for name in TRAINED if name != "random"])
def test_gradients_reach_every_parameter(name: str) -> None:
    views, truth = world()
    scale = Scaler.fit(views)
    people = Batches(views, scale)
    made = method(name, budget=TINY)
    assert isinstance(made, TrainedMethod)
    layout = Layout(scale.dims, LATENTS, 1, eta=0, hidden=16)
    learner = made.build(layout, people)
    draw_weights(learner, torch.Generator().manual_seed(0))
    (seen,) = made.with_truth(people, truth, layout).chunks()
    learner.loss(seen, torch.Generator().manual_seed(1)).backward()
    for label, parameter in learner.named_parameters():
        assert parameter.grad is not None, label
        assert parameter.grad.abs().sum() > 0, label


def test_progress_and_patience() -> None:
    views, _ = world()
    seen: list[tuple[int, int]] = []
    budget = Budget(epochs=40, batch=64, hidden=16, rate=0.05, patience=2)
    method("autoencoder", budget=budget).fit(
        views,
        latents=LATENTS,
        rng=np.random.default_rng(0),
        progress=lambda done, total, _: seen.append((done, total)),
    )
    assert seen == [(i + 1, 40) for i in range(len(seen))]
    assert 2 < len(seen) < 40


def test_mmcrl_looks_at_the_first_measurement_alone() -> None:
    views = world()[0]
    moved = {"text": views["text"] | {"b": views["text"]["b"] + 5}, "image": views["image"]}
    assert np.array_equal(fitted("mmcrl").encode(views), fitted("mmcrl").encode(moved))
    assert not np.allclose(fitted("paper").encode(views), fitted("paper").encode(moved))


def test_the_paper_method_gives_back_what_fit_gives() -> None:
    views = world()[0]
    result = Paper(Budget(epochs=2)).fit(views, latents=LATENTS, rng=np.random.default_rng(0))
    np.testing.assert_allclose(result.encode(views), result.latents, atol=1e-5)
    assert result.objective == min(row["validation"] for row in result.history)


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="did you mean multiview"):
        method("multivew")


def test_closed_forms_import_no_torch() -> None:
    script = (
        "import sys; from personax.crl.methods import method as m; m('pca'); m('cca'); print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "False"


@cache
def easy() -> tuple[Views, np.ndarray]:
    """Linear mixing without measurement noise; the first latents of both modalities correlate .9."""
    rng = np.random.default_rng(3)
    text = rng.normal(size=(1200, 2))
    image = np.column_stack([0.9 * text[:, 0] + np.sqrt(0.19) * rng.normal(size=1200), rng.normal(size=1200)])
    mixed = {
        m: {k: z @ rng.normal(size=(2, 6)) + 0.05 * rng.normal(size=(1200, 6)) for k in ("a", "b")}
        for m, z in (("text", text), ("image", image))
    }
    return mixed, np.column_stack([text, image])


@cache
def easy_r2(name: str) -> float:
    """Return the worse of the two blocks' R2 on people not fitted on."""
    views, truth = easy()
    found = method(name, budget=Budget(epochs=40, batch=64, rate=3e-3, hidden=32)).fit(
        some(views, slice(800)),
        latents={"text": 2, "image": 2},
        truth=truth[:800],
        rng=np.random.default_rng(0),
    )
    encoded = found.encode(some(views, slice(800, None)))
    blocks = (slice(0, 2), slice(2, 4))
    return min(held_out_r2(encoded[:, b], truth[800:, b], rng=np.random.default_rng(0)) for b in blocks)


@pytest.mark.parametrize("name", ["pca", "autoencoder", "betavae", "multiview", "supervised", "paper"])
def test_linear_blocks_come_back(name: str) -> None:
    assert easy_r2(name) > 0.9


def test_the_floor_stays_behind_the_ceiling() -> None:
    assert easy_r2("random") < easy_r2("supervised") - 0.01


def test_contrast_and_correlation_find_what_modalities_have_in_common() -> None:
    """The first latents of both modalities, and for MCL with one latent each nothing else."""
    views, truth = easy()
    for name in ("cca", "mcl"):
        found = method(name, budget=Budget(epochs=40, batch=64, rate=3e-3, hidden=32)).fit(
            views, latents={"text": 1, "image": 1}, rng=np.random.default_rng(0)
        )
        encoded = found.encode(views)
        assert match(encoded[:, :1], truth[:, :1], kind="spearman").mcc > 0.95, name
        assert match(encoded[:, 1:], truth[:, 2:3], kind="spearman").mcc > 0.95, name


def test_cca_finds_a_shared_latent() -> None:
    views, truth = easy()
    found = method("cca").fit(views, latents={"text": 1, "image": 1}, shared=1, rng=np.random.default_rng(0))
    middle = truth[:, 0] + truth[:, 2]
    assert abs(np.corrcoef(found.encode(views)[:, 0], middle)[0, 1]) > 0.99
