"""The formulas of the baselines against closed forms and independent tools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

import torch
from torch.distributions import Independent, Normal, kl_divergence

from personax.crl._batches import Batches
from personax.crl._budget import Budget
from personax.crl._scaler import Scaler
from personax.crl._train import train
from personax.crl.methods._contrastive import info_nce
from personax.crl.methods._layout import Layout
from personax.crl.methods._linear import PCA, canonical, gram, principal
from personax.crl.methods._networks import Blocks, Decoders, divergence, draw
from personax.crl.methods._vae import IVAE, CausalVAE, CausalVAENet, IVAENet
from personax.errors import ComputationError, InputError

LAYOUT = Layout({"text": {"a": 5, "b": 4}, "image": {"c": 6}}, {"text": 2, "image": 1}, shared=1, eta=0, hidden=8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def people(n: int = 40) -> dict[str, dict[str, torch.Tensor]]:
    made = generator(5)
    return {m: {k: torch.randn(n, dim, generator=made) for k, dim in by.items()} for m, by in LAYOUT.dims.items()}


def as_they_are(tensors: dict[str, dict[str, torch.Tensor]]) -> Batches:
    """Return people whose measurements are not scaled."""
    views = {m: {k: x.numpy() for k, x in by.items()} for m, by in tensors.items()}
    zeros, ones = (
        {m: {k: make(x.shape[1]) for k, x in by.items()} for m, by in views.items()} for make in (np.zeros, np.ones)
    )
    return Batches(views, Scaler(zeros, ones))


@pytest.mark.parametrize(("n", "dim"), [(60, 7), (6, 30)])
def test_principal_components_are_those_of_the_svd(n: int, dim: int) -> None:
    x = np.random.default_rng(0).normal(size=(n, dim)) * np.linspace(1, 3, dim)
    x -= x.mean(axis=0)
    found, variances = principal(np.array_split(x, 3), n, 3)
    _, singular, rows = np.linalg.svd(x)
    np.testing.assert_allclose(variances, singular[:3] ** 2 / n)
    np.testing.assert_allclose(np.abs(found.T @ rows[:3].T), np.eye(3), atol=1e-9)
    assert (found.max(axis=0) == np.abs(found).max(axis=0)).all()


def test_pca_encodes_the_components_of_standardised_dimensions() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 6)) @ rng.normal(size=(6, 6)) + 4
    encoded = PCA().fit({"text": {"a": x}}, latents={"text": 2}, rng=rng).encode({"text": {"a": x}})
    left = np.linalg.svd((x - x.mean(0)) / x.std(0), full_matrices=False)[0][:, :2] * np.sqrt(50)
    np.testing.assert_allclose(np.abs(encoded), np.abs(left), atol=1e-9)


def canonical_of(parts: list[np.ndarray], count: int, ridge: float) -> tuple[list[np.ndarray], np.ndarray]:
    covariance = gram(np.array_split(np.column_stack(parts), 3)) / len(parts[0])
    return canonical(covariance, [subset.shape[1] for subset in parts], count, ridge=ridge)


def test_canonical_correlations_against_scikit_learn_and_the_known_value() -> None:
    sklearn = pytest.importorskip("sklearn.cross_decomposition", reason="scikit-learn comes with the extra discovery")
    rng = np.random.default_rng(2)
    common = rng.normal(size=(20_000, 1))
    noisy = [common + rng.normal(size=(20_000, 1)) for _ in range(2)]
    parts = [np.column_stack([z, rng.normal(size=(20_000, dim))]) @ rng.normal(size=(dim + 1, dim + 1))
             for z, dim in zip(noisy, (2, 3), strict=True)]  # fmt: skip
    parts = [subset - subset.mean(axis=0) for subset in parts]
    directions, values = canonical_of(parts, 2, ridge=0.0)
    assert values[0] - 1 == pytest.approx(0.5, abs=0.02)
    u, v = (subset @ w for subset, w in zip(parts, directions, strict=True))
    theirs = sklearn.CCA(n_components=1, max_iter=5000, tol=1e-10).fit(*parts).transform(*parts)
    assert values[0] - 1 == pytest.approx(np.corrcoef(u[:, 0], v[:, 0])[0, 1])
    assert values[0] - 1 == pytest.approx(abs(np.corrcoef(theirs[0][:, 0], theirs[1][:, 0])[0, 1]), abs=1e-6)


def test_generalised_variates_are_the_top_of_the_summed_projections() -> None:
    """MAXVAR: the eigenvalues are those of the sum of the projections on the parts."""
    rng = np.random.default_rng(3)
    parts = [rng.normal(size=(80, dim)) for dim in (3, 4, 5)]
    _, values = canonical_of(parts, 2, ridge=0.0)
    projections = sum(x @ np.linalg.solve(x.T @ x, x.T) for x in parts)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(projections)[::-1][:2])


def test_ridge_lowers_correlations() -> None:
    parts = [np.random.default_rng(4).normal(size=(80, 5)) for _ in range(2)]
    parts[1] = parts[1] + parts[0]
    values = [canonical_of(parts, 1, ridge=ridge)[1][0] for ridge in (0.0, 0.1, 1.0)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 3


@given(st.integers(1, 6), st.integers(1, 4), st.sampled_from([0.1, 1.0, 3.0]))
def test_info_nce_is_the_direct_loop(n: int, d: int, temperature: float) -> None:
    made = generator(n * 10 + d)
    a, b = (torch.randn(n, d, generator=made, dtype=torch.float64) for _ in range(2))
    total = 0.0
    for i in range(n):
        for one, other in ((a, b), (b, a)):
            scores = [float(torch.exp(-(one[i] - other[j]).square().sum() / temperature)) for j in range(n)]
            total -= 0.5 * float(np.log(scores[i] / sum(scores))) / n
    assert float(info_nce(a, b, temperature=temperature)) == pytest.approx(total, abs=1e-9)


def test_info_nce_is_the_logarithm_of_the_batch_when_nothing_is_known() -> None:
    assert float(info_nce(torch.zeros(8, 2), torch.zeros(8, 2))) == pytest.approx(np.log(8))


def test_divergences_are_those_of_torch() -> None:
    mean, logvar, centre, spread = torch.randn(4, 7, 3, generator=generator()).unbind()
    belief = Independent(Normal(mean, (logvar / 2).exp()), 1)
    prior = Independent(Normal(centre, (spread / 2).exp()), 1)
    standard = Independent(Normal(torch.zeros(7, 3), torch.ones(7, 3)), 1)
    torch.testing.assert_close(divergence(mean, logvar, (centre, spread)), kl_divergence(belief, prior).mean())
    torch.testing.assert_close(divergence(mean, logvar), kl_divergence(belief, standard).mean())


def test_draws_have_the_mean_and_variance_of_the_belief() -> None:
    drawn = draw(torch.full((100_000, 1), 2.0), torch.full((100_000, 1), np.log(0.25)), generator())
    assert float(drawn.mean()) == pytest.approx(2, abs=0.01)
    assert float(drawn.std()) == pytest.approx(0.5, abs=0.01)


def test_blocks_see_their_own_modality_and_decoders_their_own_latents() -> None:
    blocks, decoders, views = Blocks(LAYOUT), Decoders(LAYOUT), people()
    before = blocks(views)[:, 0]
    views["image"]["c"] = views["image"]["c"] + 1
    changed = (blocks(views)[:, 0] != before).any(dim=0)
    assert changed.tolist() == [True, False, False, True]
    latents = torch.randn(40, 4, generator=generator(), requires_grad=True)
    views["text"] = {k: torch.zeros_like(x) for k, x in views["text"].items()}
    gradient = torch.autograd.grad(decoders.error(latents, views), latents)[0]
    assert (gradient.abs().sum(dim=0) > 0).all()


def test_the_auxiliary_variable_comes_from_the_other_modalities() -> None:
    views = people(300)
    net = IVAE(components=3).build(LAYOUT, as_they_are(views))
    assert isinstance(net, IVAENet)
    before = net.auxiliary(views)
    assert before["text"].shape == before["image"].shape == (300, 3)
    mean, logvar = net.prior(before)
    assert (mean[:, 0] == 0).all()
    assert (logvar[:, 0] == 0).all()
    views["image"]["c"] = views["image"]["c"] + 1
    after = net.auxiliary(views)
    assert not torch.equal(before["text"], after["text"])
    assert torch.equal(before["image"], after["image"])


def test_components_that_are_rounding_alone_are_no_auxiliary_variable() -> None:
    views = people(300)
    views["image"]["c"] = views["image"]["c"][:, :2] @ torch.randn(2, 6, generator=generator())
    net = IVAE().build(LAYOUT, as_they_are(views))
    assert isinstance(net, IVAENet)
    assert net.auxiliary(views)["text"].shape == (300, 2)


def test_the_structural_layer_solves_its_equations() -> None:
    net = CausalVAE().build(LAYOUT, as_they_are(people()))
    assert isinstance(net, CausalVAENet)
    with torch.no_grad():
        net.edges.normal_(std=0.3, generator=generator())
    eps = torch.randn(20, 4, generator=generator(1))
    z = net.latents(eps)
    torch.testing.assert_close(z, z @ net.weights().T + eps)
    masked = net.masked(z, net.weights())
    assert (masked[:, 0] == 0).all(), "nothing causes a shared latent"
    with torch.no_grad():
        net.edges[2, 3] = 0.0
    moved = z.clone()
    moved[:, 3] += 1
    assert torch.equal(net.masked(moved, net.weights())[:, 2], net.masked(z, net.weights())[:, 2])
    assert not torch.equal(net.masked(moved, net.weights())[:, 1], net.masked(z, net.weights())[:, 1])


class Line(torch.nn.Module):
    """One number to learn, with a loss that is not finite for a while, after so many good steps."""

    def __init__(self, failures: int, good: int = 0) -> None:
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(5.0))
        self.failures, self.good = failures, good
        self.sizes: list[int] = []

    def loss(self, views: Any, made: torch.Generator) -> torch.Tensor:
        self.sizes.append(len(views["m"]["k"]))
        self.good -= torch.is_grad_enabled()
        if torch.is_grad_enabled() and self.failures and self.good < 0:
            self.failures -= 1
            return self.value * float("nan")
        error: torch.Tensor = (views["m"]["k"] - self.value).square().mean()
        return error


def line(failures: int, good: int = 0, **changes: Any) -> tuple[Line, Any]:
    model = Line(failures, good)
    data = {"m": {"k": 0.2 * torch.randn(100, 1, generator=generator()) + 3}, "n": {"k": torch.zeros(100, 2)}}
    budget = Budget(**({"epochs": 40, "batch": 30, "rate": 0.1} | changes))
    return model, train(model, model.loss, as_they_are(data), budget, generator())


def test_the_loop_learns_and_keeps_its_best_epoch() -> None:
    model, log = line(0, rate=1.0)
    held = (0.2 * torch.randn(100, 1, generator=generator()) + 3)[log.held]
    assert model.loss({"m": {"k": held}}, generator()).item() == pytest.approx(log.objective, rel=1e-6)
    assert log.objective < log.history[-1]["validation"], "else this would not show that the best epoch is kept"
    model.sizes.pop()
    assert model.value.item() == pytest.approx(3, abs=0.2)
    assert log.objective == min(row["validation"] for row in log.history)
    assert len(log.held) == 10
    assert set(model.sizes) == {30, 10}, "three equal batches of 90 people, and 10 held out"
    assert log.restarts == 0


def test_the_loop_begins_again_with_a_quarter_of_the_rate_twice_at_most() -> None:
    model, log = line(3, epochs=1)
    assert log.restarts == 1
    assert abs(model.value.item() - 5) < 3 * 0.025 + 1e-6, "three steps of Adam, none larger than the rate"
    with pytest.raises(ComputationError, match="diverged three times"):
        line(10**6)


def test_the_loop_goes_on_from_its_best_epoch() -> None:
    """Twenty epochs of three steps are good; what they learned is where training goes on, at a quarter of the rate."""
    _, plain = line(0)
    model, log = line(1, good=60)
    assert log.restarts == 1
    assert log.history[:20] == plain.history[:20]
    assert [row["epoch"] for row in log.history] == list(range(1, len(log.history) + 1))
    assert model.value.item() == pytest.approx(3, abs=0.2)


def test_patience_ends_training() -> None:
    _, log = line(0, rate=1e-30, patience=3)
    assert len(log.history) == 4


def test_standardiser() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, size=(50, 4))
    x[:, 1] = 0.1
    views = {"m": {"k": x}}
    scale = Scaler.fit(views)
    assert scale.dropped == 1
    assert scale.dims == {"m": {"k": 3}}
    found = scale.apply(views)["m"]["k"]
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0), 1)
    np.testing.assert_allclose(scale.apply({"m": {"k": x[:1] + x.std(axis=0)}})["m"]["k"] - found[:1], 1)
    with pytest.raises(InputError, match="3 dimensions; it was fitted with 4"):
        scale.apply({"m": {"k": x[:, :3]}})
    with pytest.raises(InputError, match="m/k holds missing"):
        scale.apply({"m": {"k": np.where(x > 4, np.inf, x)}})
