"""One measurement in a modality: what tells of other modalities is found, the rest is called not identified."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from scipy.stats import spearmanr

from personax.crl._optimiser import validation_split
from personax.crl._save import load_fit, save_fit
from personax.crl.methods.default._coordinates import Coordinates, NormalScores
from personax.crl.methods.default._crossing import (
    describe_copies,
    describe_crossing,
    fit_crossing,
    functions_of,
    with_crossing,
)
from personax.crl.methods.default._decoders import RestartSchedule
from personax.crl.methods.default._method import DefaultFit, fit
from personax.crl.methods.default._modalities import ModalityCoordinates

Array = Any
N = 1500
SHORT = RestartSchedule(steps=700)


def _world(seed: int = 0, link: float = 1.0, n: int = N) -> tuple[Array, Array, Array, Array]:
    """Return known latents of one modality, the touched and the other latent of the second, and its measurement."""
    rng = np.random.default_rng(seed)
    known = rng.normal(size=(n, 2))
    touched = link * (known[:, 0] + 0.3 * (known[:, 0] ** 2 - 1)) + 0.7 * rng.normal(size=n)
    touched = (touched - touched.mean()) / touched.std()
    other = np.tanh(touched) + rng.normal(size=n)
    curves = [np.stack([z, np.tanh(2 * z), z**2 / 2, np.sin(2 * z)], 1) for z in (touched, other)]
    shown = sum(c @ rng.normal(size=(4, 30)) for c in curves) + 2 * rng.normal(size=(n, 5)) @ rng.normal(size=(5, 30))
    return known, touched, other, (shown + 0.1 * rng.normal(size=(n, 30))).astype(np.float32)


def _fit(known: Array, shown: Array, latents: int = 2) -> Any:
    return fit_crossing(
        "image", {"face": shown}, known, latents, validation_split(len(shown), 0.1), SHORT,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


def test_the_latent_that_touches_another_modality_is_found_alone() -> None:
    known, touched, other, shown = _world()
    found = _fit(known, shown)
    z = found.encode({"face": shown})
    assert found.crossing == 1
    assert z.shape == (N, 2)
    assert abs(spearmanr(z[:, 0], touched).statistic) > 0.95
    # the other latent is told of only as far as it depends on the touched one
    assert abs(spearmanr(z[:, 0], other).statistic) < abs(float(spearmanr(touched, other).statistic)) + 0.1
    assert found.finalist_agreement[0] > 0.9
    assert found.finalist_agreement[1] == 0.0
    assert not found.settled


def test_what_does_not_cross_is_given_beside_it_and_not_a_copy_of_it() -> None:
    known, _, _, shown = _world(1)
    z = _fit(known, shown).encode({"face": shown})
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.1


def test_two_latents_that_cross_are_counted_as_two() -> None:
    rng = np.random.default_rng(3)
    known = rng.normal(size=(N, 2))
    touched = known + 0.5 * rng.normal(size=(N, 2))
    shown = np.concatenate([touched, touched**2, np.tanh(touched)], 1) @ rng.normal(size=(6, 20))
    found = _fit(known, (shown + 0.1 * rng.normal(size=(N, 20))).astype(np.float32))
    assert found.crossing == 2


@pytest.mark.parametrize("seed", range(3))
def test_nothing_crosses_between_independent_modalities(seed: int) -> None:
    known, touched, _, shown = _world(seed, link=0.0)
    assert _fit(known, shown) is None
    z = {"text": known, "image": touched[:, None]}
    assert describe_crossing(z, np.arange(N)) == [
        "nothing crosses between text and image: no function of the latents of one tells of the other on people held "
        "out, so no edge between them can be believed; where that surprises, see that both hold the same people in the "
        "same order"
    ]


def test_dependent_modalities_are_not_said_to_be_independent() -> None:
    known, touched, *_ = _world()
    assert describe_crossing({"text": known, "image": touched[:, None]}, np.arange(N)) == []
    # a dependence that no correlation shows
    assert describe_crossing({"text": known[:, :1], "image": known[:, :1] ** 2}, np.arange(N)) == []


def test_people_in_another_order_have_nothing_in_common() -> None:
    known, *_, shown = _world()
    assert _fit(np.random.default_rng(9).permutation(known), shown) is None


class _Known:
    """Coordinates that are read as they are."""

    settled = True

    def encode(self, by: dict[str, Array]) -> Array:
        return by["a"]


def test_the_sentence_says_what_is_found_and_the_remedy() -> None:
    known, *_, shown = _world()
    people = validation_split(N, 0.1)
    scores = {"text": NormalScores.fit(torch.from_numpy(known))}
    views = {"image": {"face": shown}, "text": {"a": known, "b": known}}
    modalities, found = with_crossing(
        ModalityCoordinates({"text": cast("Coordinates", _Known())}, []), scores, views,
        {"text": 2, "image": 2}, people, SHORT,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    assert list(found) == ["image", "text"]
    assert "image_1 tells of others" in modalities.notes[0]
    assert "image_2 is not identified: give several measurements" in modalities.notes[0]


def test_without_a_settled_modality_nothing_is_fitted() -> None:
    *_, shown = _world()
    nothing = ModalityCoordinates({}, [])
    views = {"image": {"face": shown}, "text": {"a": shown}}
    args = {"text": 2, "image": 2}, validation_split(N, 0.1), SHORT
    assert with_crossing(nothing, {}, views, *args, generator=torch.Generator()) == (nothing, {})


def test_a_measurement_that_copies_another_modality_is_told() -> None:
    *_, shown = _world()
    *_, own = _world(7)
    turned = shown @ np.linalg.qr(np.random.default_rng(0).normal(size=(30, 30)))[0].astype(np.float32)
    told = describe_copies({"text": {"bio": own, "page": turned}, "image": {"face": shown}}, np.arange(N))
    assert len(told) == 1
    assert told[0].startswith("image/face is a linear map of text/page")
    assert describe_copies({"text": {"bio": own}, "image": {"face": shown}}, np.arange(N)) == []


def test_functions_are_bounded_for_people_far_outside() -> None:
    assert np.abs(functions_of(np.full((1, 2), 1e6))).max() < 100


def test_a_fit_with_one_measurement_is_saved_and_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    known, _touched, _other, shown = _world(n=600)
    curves = np.concatenate([known, np.tanh(2 * known), known**2], 1)
    text = {
        name: (curves @ rng.normal(size=(6, 25)) + 0.2 * rng.normal(size=(600, 25))).astype(np.float32) for name in "ab"
    }
    views = {"text": text, "image": {"face": shown}}
    from personax.crl import Budget

    fitted = fit(views, latents={"text": 2, "image": 2}, rng=rng, budget=Budget(epochs=6))
    save_fit(fitted, tmp_path / "fit.safetensors")
    again = load_fit(tmp_path / "fit.safetensors")
    assert np.array_equal(again.encode(views), fitted.encode(views))
    assert isinstance(again, DefaultFit)
    assert again.notes == fitted.notes
