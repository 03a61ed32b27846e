"""Scale times shape: the apex, the scale and the shape on cones that are known, and data that have no scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
import torch

from personax.crl import Budget, load_fit, save_fit
from personax.crl._optimiser import validation_split
from personax.crl.methods.default._apex import about, estimate_apex
from personax.crl.methods.default._method import Default
from personax.crl.methods.default._scale import ScaleModel, fit_scale
from personax.crl.methods.default._scale_coordinates import ScaleCoordinates, fit_scale_coordinates
from personax.crl.methods.default._scale_regression import FourierBasis
from personax.crl.methods.default._shape_candidates import fit_curve
from personax.simulate import numerical, variant_mnist

Floats = NDArray[np.float64]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def curve(s: Floats, dims: int, seed: int) -> Floats:
    """Return points of a bent curve away from 0, shape (n, dims), all positive."""
    rng = np.random.default_rng(seed)
    centres = np.linspace(-2, 2, dims)
    return np.asarray(np.exp(-0.5 * (s[:, None] - centres) ** 2) * rng.uniform(0.6, 1.4, dims))


def rays(n: int, apex: float, seed: int = 0, dims: int = 10) -> tuple[Floats, Floats, Floats, Floats]:
    """Return measurements ``c + u psi(s)``, c, s and log u; s causes u a little."""
    rng = np.random.default_rng(seed)
    s = rng.normal(size=n)
    log_scale = 0.15 * s + 0.35 * rng.normal(size=n)
    c = apex * rng.uniform(0.5, 1.5, dims)
    return c + np.exp(log_scale)[:, None] * curve(s, dims, 1), c, s, log_scale


def fitted(by: dict[str, Floats]) -> ScaleModel | None:
    people = validation_split(len(next(iter(by.values()))), 0.1)
    found = fit_scale(by, people, generator=generator())
    return None if found is None else found[0]


def test_predictions_by_the_others_are_those_of_fits_without_each_person() -> None:
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(60, 2))).float()
    y = torch.sin(x[:, 0]) + 0.1 * torch.from_numpy(rng.normal(size=60)).float()
    basis = FourierBasis(x, features=30, generator=generator())
    model, others = basis.fit(y)
    found = torch.cat(
        [torch.cos((x - model.centre) @ model.frequencies + model.phases), x - model.centre, torch.ones(60, 1)], 1
    ).double()
    # the ridge that was chosen is the one at which the normal equations hold
    gap = found.T @ (y.double() - found @ model.weights.double())
    ridge = float((gap @ model.weights.double()) / model.weights.double().square().sum())
    for i in (0, 17, 41):
        rest = torch.arange(60) != i
        kernel = found[rest].T @ found[rest] + ridge * torch.eye(found.shape[1], dtype=torch.float64)
        without = torch.linalg.solve(kernel, found[rest].T @ y[rest].double())
        assert float(found[i] @ without) == pytest.approx(float(others[i]), abs=2e-3)


def test_several_targets_are_regressed_as_one_each_would_be_at_their_common_ridge() -> None:
    x = torch.linspace(-2, 2, 80)[:, None]
    basis = FourierBasis(x, features=30, generator=generator())
    both = basis.fit(torch.cat([torch.sin(x), torch.sin(x)], 1))[0](x)
    assert torch.allclose(both[:, 0], basis.fit(torch.sin(x[:, 0]))[0](x), atol=1e-5)


@pytest.mark.parametrize("apex", [0.0, 0.5])
def test_the_apex_is_where_the_rays_meet(apex: float) -> None:
    x, c, _, _ = rays(1500, apex)
    away = {"zero": np.zeros_like(c), "near": c + 0.15 * np.random.default_rng(3).normal(size=len(c))}
    points = {name: torch.from_numpy(point).float() for name, point in away.items()}
    found = estimate_apex(torch.from_numpy(x).float(), points, generator=generator())
    assert found is not None
    size = np.linalg.norm(x - c, axis=1).mean()
    assert np.linalg.norm(found.place.numpy() - c) < 0.08 * size
    assert found.untold > 2 * found.elsewhere
    assert found.found == "zero" if apex == 0 else "lines" in found.found


def test_an_apex_among_the_people_is_none() -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(500, 4))).float()
    assert estimate_apex(x, {"zero": torch.zeros(4)}, generator=generator()) is None


def test_log_norms_and_shapes_are_those_about_the_apex() -> None:
    x = torch.tensor([[4.0, 4.0], [1.0, 3.0]])
    logs, shape = about(x, torch.tensor([1.0, 0.0]))
    assert logs.exp().tolist() == pytest.approx([5.0, 3.0])
    assert shape.tolist() == [pytest.approx([0.6, 0.8]), pytest.approx([0.0, 1.0])]


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_scale_is_found_in_measurements_whose_apexes_differ(noise: float) -> None:
    x, _, s, log_scale = rays(1500, 0.0)
    other, _, _, _ = rays(1500, 0.5)
    rng = np.random.default_rng(5)
    by = {"a": x + noise * rng.normal(size=x.shape), "b": 3 * other + noise * rng.normal(size=x.shape)}
    found = fitted(by)
    assert found is not None
    assert found.exists
    assert found.agreement is not None
    assert found.agreement > 0.8
    assert found.halves > 0.9
    logs, told, _ = found.split(by)
    left = (logs - told).mean(1).numpy()
    own = log_scale - 0.15 * s
    assert abs(spearmanr(left, own)[0]) > 0.9


def test_units_of_a_measurement_do_not_matter() -> None:
    x, _, _, _ = rays(800, 0.0)
    plain, scaled = fitted({"a": x}), fitted({"a": 50 * x})
    assert plain is not None
    assert scaled is not None
    assert plain.moved == pytest.approx(scaled.moved, rel=0.02)
    assert plain.untold == pytest.approx(scaled.untold, rel=0.02)


def without_a_scale(kind: str) -> dict[str, Floats]:
    rng = np.random.default_rng(0)
    if kind == "one length":
        x = curve(rng.normal(size=800), 8, 2) + 0.3 * rng.normal(size=(800, 8))
        return {"a": x / np.linalg.norm(x, axis=1, keepdims=True)}
    if kind == "normal":
        return {"a": rng.normal(size=(800, 8)) + 2}
    if kind == "sum of curves":
        first, second = rng.normal(size=(2, 800))
        return {"a": curve(first, 8, 2) + curve(second, 8, 3)[:, ::-1] + 0.02 * rng.normal(size=(800, 8))}
    if kind == "few":
        return {"a": rays(150, 0.0)[0]}
    return {"a": np.outer(rng.normal(size=800), np.ones(8))}


@pytest.mark.parametrize("kind", ["one length", "normal", "sum of curves", "few", "on a line"])
def test_data_without_a_scale_have_none(kind: str) -> None:
    found = fitted(without_a_scale(kind))
    assert found is None or not found.exists


@pytest.mark.parametrize("case", [1, 2])
def test_numbers_mixed_by_networks_have_no_scale(case: int) -> None:
    data = numerical(case=case, n=1000, rng=np.random.default_rng(0))
    people = validation_split(1000, 0.1)
    assert fit_scale_coordinates(data.views, data.counts, people, generator=generator()) == {}


def two(n: int = 1500) -> tuple[dict[str, dict[str, Floats]], Floats]:
    """Return a modality with a scale beside one without, and s, log u and the other's latent."""
    x, _, s, log_scale = rays(n, 0.5)
    rng = np.random.default_rng(8)
    other = 0.9 * s + 0.45 * rng.normal(size=n)
    plain = np.column_stack([other, other, -other]) + 0.02 * rng.normal(size=(n, 3))
    return {"image": {"a": x}, "text": {"b": plain}}, np.column_stack([s, log_scale, other])


def test_one_modality_with_a_scale_is_enough() -> None:
    views, truth = two(1000)
    people = validation_split(1000, 0.1)
    found = fit_scale_coordinates(views, {"image": 2, "text": 1}, people, share=0.3, generator=generator())
    assert list(found) == ["image"]
    image = found["image"]
    encoded = image.encode(views["image"])[people[0].numpy()]
    shape, scale = truth[people[0].numpy(), 0], truth[people[0].numpy(), 1]
    assert abs(spearmanr(encoded[:, 0], shape)[0]) > 0.98
    assert abs(spearmanr(encoded[:, 1], scale)[0]) > 0.95
    assert abs(spearmanr(encoded[:, 1], shape)[0]) < abs(spearmanr(scale, shape)[0]) + 0.1
    assert image.decoder == "scale"
    assert image.settled
    assert len(image.finalist_agreement) == 2
    assert image.explained > 0.95


def test_a_modality_of_one_latent_may_be_its_scale_alone() -> None:
    views, truth = two(800)
    people = validation_split(800, 0.1)
    found = fit_scale_coordinates(views, {"image": 1, "text": 1}, people, share=0.1, generator=generator())
    encoded = found["image"].encode(views["image"])
    assert encoded.shape == (800, 1)
    assert abs(float(spearmanr(encoded[:, 0], truth[:, 1] - 0.15 * truth[:, 0]).statistic)) > 0.9


def test_the_curve_is_found_from_any_start() -> None:
    rng = np.random.default_rng(0)
    s = rng.normal(size=800)
    x = torch.from_numpy(curve(s, 6, 1)).float()
    people = validation_split(800, 0.1)
    readers = fit_curve(x - x.mean(0), 1, None, people, share=0.5, generator=generator())
    assert len(readers) == 2
    assert abs(spearmanr(readers[0]([x - x.mean(0)])[:, 0].numpy(), s)[0]) > 0.99


def test_the_method_reads_scale_and_shape_and_is_saved(tmp_path: Path) -> None:
    views, truth = two(600)
    fit = Default(budget=Budget(epochs=3)).fit(views, latents={"image": 2, "text": 1}, rng=np.random.default_rng(0))
    assert isinstance(fit.coordinates["image"], ScaleCoordinates)
    encoded = fit.encode(views)
    assert abs(spearmanr(encoded[:, 1], truth[:, 1])[0]) > 0.9
    save_fit(fit, tmp_path / "fit.safetensors")
    assert np.array_equal(load_fit(tmp_path / "fit.safetensors").encode(views), encoded)


def test_a_shade_is_found_under_noise_of_pixels_and_before_an_unknown_background() -> None:
    """From points near the apex rays differ less than the noise: points half a norm away hid this scale."""
    data = variant_mnist(n=2200, pixel_noise=0.05, background=0.3, rng=np.random.default_rng(0))
    people = validation_split(2200, 0.1)
    found = fit_scale(data.views["clothing"], people, generator=torch.Generator().manual_seed(0))
    assert found is not None
    assert found[0].exists
    assert found[0].stands_out > 1.6
