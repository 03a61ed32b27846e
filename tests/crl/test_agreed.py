"""Agreed components, coordinates by the decoder's class, and `default` where every modality settles by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from personax.crl import Budget, load_fit, save_fit
from personax.crl._identification import MISSED
from personax.crl._optimiser import validation_split
from personax.crl.methods.default import _curves as curve_fits
from personax.crl.methods.default._agreed import copied_measurements, fit_agreed_components
from personax.crl.methods.default._coordinates import DecodedCoordinates, NormalScores, finalist_agreement
from personax.crl.methods.default._curves import GRID, fit_curves
from personax.crl.methods.default._decoders import GroupedDecoder, RestartSchedule, fit_bottleneck, groups_of
from personax.crl.methods.default._method import fit
from personax.crl.methods.default._modalities import fit_modalities

Floats = NDArray[np.float64]
PEOPLE = 1200
SHORT = RestartSchedule(restarts=4, steps=400, finalists=2)


def _latents(rng: np.random.Generator, people: int = PEOPLE) -> Floats:
    a = rng.normal(size=people)
    b = 0.7 * np.tanh(1.2 * a) + 0.7 * rng.normal(size=people)
    return np.stack([a, b / b.std()], 1)


def _curves(z: Floats, rng: np.random.Generator, outputs: int = 16) -> Floats:
    """Return a sum of one curve a latent, in that many directions, each of variance one."""
    waves = [np.sin(np.outer(x, rng.uniform(0.4, 2.0, outputs)) + rng.uniform(0, 6, outputs)) for x in z.T]
    found = np.sum([wave @ rng.normal(size=(outputs, outputs)) for wave in waves], axis=0)
    return np.asarray((found - found.mean(0)) / found.std(0))


def _measured(
    content: Floats, rng: np.random.Generator, *, measurements: int = 2, dim: int = 30
) -> dict[str, NDArray[np.float32]]:
    """Return measurements of a content: each has loud nuisance of its own beside it."""
    found = {}
    for at in range(measurements):
        nuisance = 3 * rng.normal(size=(len(content), 6)) @ rng.normal(size=(6, dim))
        own = content @ rng.normal(size=(content.shape[1], dim)) + nuisance + 0.3 * rng.normal(size=(len(content), dim))
        found[f"m{at}"] = own.astype(np.float32)
    return found


@pytest.fixture(scope="module")
def world() -> tuple[Floats, dict[str, NDArray[np.float32]]]:
    rng = np.random.default_rng(0)
    z = _latents(rng)
    return z, _measured(_curves(z, rng), rng)


def test_agreed_components_hold_the_content_and_forget_what_one_measurement_has() -> None:
    rng = np.random.default_rng(1)
    content = rng.normal(size=(PEOPLE, 4))
    by = _measured(content, rng)
    agreed = fit_agreed_components(by, np.arange(PEOPLE - 200), np.random.default_rng(0))
    new = {name: x[-200:] for name, x in by.items()}
    seen = agreed(new).astype(float)
    left = content[-200:] - seen @ np.linalg.lstsq(seen, content[-200:], rcond=None)[0]
    assert agreed.count == 4
    assert np.square(left).mean() < 0.1
    assert agreed.agreement.min() > 0.8


def test_agreed_components_do_not_see_invertible_linear_maps(
    world: tuple[Floats, dict[str, NDArray[np.float32]]],
) -> None:
    rng = np.random.default_rng(2)
    rows = np.arange(PEOPLE)
    turned = {name: x @ np.linalg.qr(rng.normal(size=(x.shape[1],) * 2))[0] for name, x in world[1].items()}
    before = fit_agreed_components(world[1], rows, np.random.default_rng(0))
    after = fit_agreed_components(turned, rows, np.random.default_rng(0))
    a, b = before(world[1]), after(turned)
    np.testing.assert_allclose(np.abs(np.diag(np.corrcoef(a.T, b.T)[: a.shape[1], a.shape[1] :])), 1, atol=1e-3)


def test_measurements_with_nothing_in_common_have_no_agreed_components() -> None:
    rng = np.random.default_rng(3)
    by = {name: rng.normal(size=(600, 20)) for name in "ab"}
    assert fit_agreed_components(by, np.arange(600), np.random.default_rng(0)).count == 0


def test_a_copy_is_told_and_a_measurement_of_its_own_is_not() -> None:
    rng = np.random.default_rng(4)
    by = dict(_measured(rng.normal(size=(800, 4)), rng))
    by["copy"] = (by["m0"] @ rng.normal(size=(30, 40))).astype(np.float32)
    assert copied_measurements(by, np.arange(800)) == [("m0", "copy")]


def test_a_decoder_of_groups_has_no_mixed_derivatives_beyond_them() -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(1, 1, 3, generator=generator, requires_grad=True)
    mixed = {}
    for name in ("additive", "interactions", "free"):
        decoder = GroupedDecoder(1, groups_of(name, 3), 8, 1, generator=generator)
        first = torch.autograd.grad(decoder(z).sum(), z, create_graph=True)[0]
        second = torch.autograd.grad(first[0, 0, 0], z, create_graph=True)[0]
        third = torch.autograd.grad(second[0, 0, 1], z, allow_unused=True)[0] if name != "additive" else None
        mixed[name] = (
            float(second[0, 0, 1].detach().abs()),
            0.0 if third is None else float(third[0, 0, 2].detach().abs()),
        )
    assert mixed["additive"][0] < 1e-6
    assert mixed["interactions"][0] > 1e-4
    assert mixed["interactions"][1] < 1e-6
    assert mixed["free"][1] > 1e-5


def test_a_content_that_is_not_additive_is_not_claimed() -> None:
    rng = np.random.default_rng(5)
    z = _latents(rng)
    hidden = np.tanh(z @ rng.normal(size=(2, 24)) * 1.5 + rng.normal(size=24))
    content = np.tanh(hidden @ rng.normal(size=(24, 24)) / 2) @ rng.normal(size=(24, 16))
    by = _measured((content - content.mean(0)) / content.std(0), rng)
    found = fit_modalities(
        {"image": by}, {"image": 2}, validation_split(PEOPLE, 0.1), SHORT, generator=torch.Generator().manual_seed(0)
    )
    image = found.coordinates["image"]
    assert isinstance(image, DecodedCoordinates)
    assert image.checks is not None
    assert not image.settled or image.checks.missed > 2 * MISSED, "restarts may agree; what they miss forbids a claim"


def test_a_sum_of_curves_is_found_latent_by_latent() -> None:
    rng = np.random.default_rng(9)
    z = _latents(rng, 800)
    by = _measured(_curves(z, rng), rng)
    text = fit_modalities(
        {"text": by}, {"text": 2}, validation_split(800, 0.1), RestartSchedule(steps=2000),
        generator=torch.Generator().manual_seed(0),
    ).coordinates["text"]  # fmt: skip
    assert text.settled
    assert text.decoder == "additive"
    # each latent of the fit is one of the truth's, up to a rising or falling map, though the two depend on each other
    told = np.abs(np.asarray(spearmanr(z, text.encode(by))[0])[:2, 2:])
    assert max(told[0, 0] + told[1, 1], told[0, 1] + told[1, 0]) > 2 * 0.98


def test_more_latents_than_agreed_components_are_told_before_training() -> None:
    rng = np.random.default_rng(6)
    by = _measured(rng.normal(size=(600, 2)), rng)
    found = fit_modalities(
        {"text": by}, {"text": 5}, validation_split(600, 0.1), SHORT, generator=torch.Generator().manual_seed(0)
    )
    assert found.coordinates == {}
    assert "fewer than the 5 latents asked for" in found.notes[0]


def test_the_same_seed_gives_the_same_bottleneck() -> None:
    content = torch.randn(300, 5, generator=torch.Generator().manual_seed(0))
    codes = [
        fit_bottleneck(
            content, 2, "additive", *validation_split(300, 0.1), RestartSchedule(2, 40, 1),
            generator=torch.Generator().manual_seed(3),
        ).best.encode(content)
        for _ in range(2)
    ]  # fmt: skip
    assert torch.equal(codes[0], codes[1])


@pytest.mark.parametrize(("latents", "loud"), [(1, 3.0), (2, 3.0), (2, 30.0), (3, 3.0), (3, 20.0)])
def test_where_people_may_be_is_what_all_points_of_the_grid_say(latents: int, loud: float) -> None:
    """Products of factors against a number for every person and point; loud curves leave some people to logarithms."""
    g = torch.Generator().manual_seed(latents)
    grid = curve_fits._grid(latents, GRID[latents], torch.device("cpu"))
    weights = loud * torch.randn(len(grid.penalty), 6, generator=g)
    code = torch.randint(GRID[latents], (40, latents), generator=g)
    x = curve_fits._design(code, grid) @ weights + torch.randn(40, 6, generator=g)
    noise, log_prior = torch.full((6,), 0.5), torch.randn(len(grid.design), generator=g).log_softmax(0)
    found = curve_fits._posterior(x, weights, noise, log_prior, grid)
    means = (grid.design @ weights).double()
    logs = (x.double() @ means.T - means.square().sum(1) / 2) / 0.5 + log_prior
    points = logs.softmax(1).view(40, *[GRID[latents]] * latents)
    for latent in range(latents):
        others = [axis + 1 for axis in range(latents) if axis != latent]
        expected = points.sum(others) if others else points
        assert (found.shares[:, latent] - expected).abs().max() < 1e-3
    assert (found.number - points.flatten(1).sum(0)).abs().max() < 1e-3
    assert ((found.log_density - logs.logsumexp(1)) / logs.abs().amax(1)).abs().max() < 1e-5


def test_curves_of_one_seed_are_the_same_and_decode_what_they_encode() -> None:
    generator = torch.Generator().manual_seed(1)
    z = torch.rand(400, 2, generator=generator) * 2 - 1
    content = torch.cat([5 * z, 4 * z.square(), 4 * torch.sin(3 * z)], 1)
    content = content + torch.randn(content.shape, generator=generator)
    fits = [
        fit_curves(content, 2, *validation_split(400, 0.1), 0.2, generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    ]
    code = fits[0].best.encode(content)
    left = content - fits[0].best.decode(code)
    assert torch.equal(code, fits[1].best.encode(content))
    assert float(left.square().mean() / (content - content.mean(0)).square().mean()) < 0.3
    assert fits[0].best.latents == 2
    assert len(fits[0].fits) >= 2
    assert fits[0].likelihoods == sorted(fits[0].likelihoods, reverse=True)
    assert 4 not in GRID


def test_normal_scores_rise_and_go_on_beyond_everybody() -> None:
    x = torch.rand(5000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 3
    scores = NormalScores.fit(x)
    found = scores(x)
    assert abs(float(found.mean())) < 0.01
    assert abs(float(found.std()) - 1) < 0.02
    beyond = scores(torch.tensor([[-1.0], [0.0], [1.0], [2.0]], dtype=torch.float64))[:, 0]
    assert bool((beyond.diff() > 0).all())


def test_finalists_that_mix_latents_do_not_agree() -> None:
    z = np.random.default_rng(0).normal(size=(400, 2))
    mixed = z @ np.array([[1.0, 1.0], [-1.0, 1.0]])
    assert min(finalist_agreement([z, np.exp(z[:, ::-1])])[0]) == pytest.approx(1)
    assert min(finalist_agreement([z, mixed])[0]) < 0.8


def test_default_of_settled_modalities_is_saved_and_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    z = _latents(rng, 500)
    views = {m: _measured(_curves(z, rng, outputs=8), rng, dim=16) for m in ("text", "image")}
    fitted = fit(views, latents={"text": 2, "image": 2}, rng=np.random.default_rng(0), budget=Budget(epochs=2))
    save_fit(fitted, tmp_path / "fit.safetensors")
    again = load_fit(tmp_path / "fit.safetensors")
    assert set(fitted.coordinates) == {"text", "image"}
    np.testing.assert_array_equal(again.encode(views), fitted.encode(views))
