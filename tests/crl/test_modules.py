"""What every part of the model must keep: shapes, determinants, gradients, no bytes lost on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

import torch

from personax.crl import Paper, load_fit, save_fit
from personax.crl.methods._layout import Layout, Pixels
from personax.crl.methods._networks import MLPs, mlp
from personax.crl.methods.paper._flow import StructuralFlow, acyclicity
from personax.crl.methods.paper._method import PAPER_BUDGET
from personax.crl.methods.paper._model import ImageDecoder, ImageEncoder, LatentModel
from personax.crl.methods.paper._objective import PAPER, draw, terms
from personax.errors import InputError

LAYOUT = Layout({"text": {"a": 7, "b": 5}, "image": {"c": 6}}, {"text": 2, "image": 1}, shared=1)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(n: int = 9) -> dict[str, dict[str, torch.Tensor]]:
    made = generator(1)
    return {m: {k: torch.randn(n, d, generator=made) for k, d in by.items()} for m, by in LAYOUT.dims.items()}


def flow(seed: int = 0) -> StructuralFlow:
    made = StructuralFlow(LAYOUT.allowed(), 8, generator=generator(seed))
    with torch.no_grad():
        made.outer.normal_(generator=generator(2))
        made.log_sigma.normal_(generator=generator(3))
    return made


def test_names_and_allowed_edges() -> None:
    assert LAYOUT.names == ["shared_1", "text_1", "text_2", "image_1"]
    allowed = LAYOUT.allowed()
    assert not allowed[0].any(), "nothing causes a shared latent"
    assert not allowed.diagonal().any()
    assert allowed[1:].sum() == 9


def test_the_determinant_is_that_of_autograd() -> None:
    made = flow()
    points = torch.randn(5, 4, generator=generator(4))
    noise, log_det = made(points)
    assert noise.shape == (5, 4)
    for point, value in zip(points, log_det, strict=True):
        jacobian = torch.func.jacrev(lambda v: made(v[None])[0][0])(point)
        assert torch.linalg.slogdet(jacobian).logabsdet.item() == pytest.approx(value.item(), abs=1e-5)


def test_a_shut_gate_passes_nothing_however_large_the_next_weight() -> None:
    made = flow()
    with torch.no_grad():
        made.gate_logits.fill_(-20)
        made.inner.fill_(1e6)
    points = torch.randn(5, 4, generator=generator(4))
    expected = (points - made(torch.zeros(1, 4))[0] * 0 - made.outer.mul(torch.tanh(made.bias)).sum(1)) * torch.exp(
        -made.log_sigma
    )
    assert torch.allclose(made(points)[0], expected, atol=1e-5)
    assert made.probabilities().max() < 1e-6


def test_gates_are_random_only_with_noise() -> None:
    made = flow()
    assert torch.equal(made.gates(None), made.gates(None))
    first, second = (made.gates(torch.rand(4, 4, generator=generator(seed))) for seed in (1, 2))
    assert not torch.equal(first, second)
    assert (first[LAYOUT.allowed() == 0] == 0).all()


def test_open_probability_is_the_share_of_open_gates() -> None:
    made = flow()
    with torch.no_grad():
        made.gate_logits.fill_(0.4)
    uniform = torch.rand(4000, 4, 4, generator=generator(5))
    share = torch.stack([(made.gates(u) > 0).float() for u in uniform]).mean(dim=0)
    assert torch.allclose(share, made.probabilities(), atol=0.03)


def test_cycles_cost_and_acyclic_graphs_do_not() -> None:
    chain = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]])
    assert acyclicity(chain).item() == pytest.approx(0, abs=1e-6)
    assert acyclicity(chain + chain.T).item() > 0.1


def test_shapes_and_gradients_reach_every_parameter() -> None:
    model = LatentModel(LAYOUT, generator=generator())
    views = batch()
    inferred = model.infer(views)
    assert inferred.mean.shape == (9, 4)
    assert set(inferred.eta) == {("text", "a"), ("text", "b"), ("image", "c")}
    terms(model, views, draw(LAYOUT, 9, generator())).total(PAPER).backward()
    silent = [
        name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert silent == []


def test_networks_side_by_side_are_those_one_by_one() -> None:
    together, x = MLPs(3, 5, 8, 8, 2), torch.randn(3, 7, 5, generator=generator())
    together.draw(generator(1))
    for i in range(3):
        alone = mlp(5, 8, 2)
        layers = [layer for layer in alone if isinstance(layer, torch.nn.Linear)]
        with torch.no_grad():
            for layer, weight, bias in zip(layers, together.weights, together.biases, strict=True):
                layer.weight.copy_(weight[i].T)
                layer.bias.copy_(bias[i, 0])
        assert torch.allclose(together(x)[i], alone(x[i]), atol=1e-6)


def test_measurements_of_the_same_sizes_share_a_pass_and_keep_their_own_weights() -> None:
    dims = {"text": {"a": 4, "b": 4, "c": 6}, "image": {"d": 4}}
    layout = Layout(dims, {"text": 2, "image": 2}, 1)
    assert layout.groups_of_equal_size() == [[("text", "a"), ("text", "b"), ("image", "d")], [("text", "c")]]
    model = LatentModel(layout, generator=generator())
    views = {m: {k: torch.randn(9, dim, generator=generator(1)) for k, dim in by.items()} for m, by in dims.items()}
    before = model.infer(views)
    other = model.infer({**views, "image": {"d": torch.randn(9, 4, generator=generator(2))}})
    kept = [torch.equal(x, y) for x, y in zip(before.eta["text", "b"], other.eta["text", "b"], strict=True)]
    assert all(kept)
    assert not torch.equal(before.eta["image", "d"][0], other.eta["image", "d"][0])
    assert torch.equal(before.mean[:, 1:3], other.mean[:, 1:3]), "another modality's measurement moved these latents"
    assert not torch.equal(before.mean[:, 3:], other.mean[:, 3:])


def test_the_independence_term_is_a_divergence() -> None:
    """With the flow shut, sigma 1 and no bias it is the closed-form KL of the encoder's Gaussians to N(0, 1)."""
    model = LatentModel(LAYOUT, generator=generator())
    with torch.no_grad():
        model.flow.gate_logits.fill_(-30)
        model.flow.bias.zero_()
        model.flow.outer.zero_()
    views = batch(2000)
    inferred = model.infer(views)
    beliefs = [(inferred.mean, inferred.logvar), *inferred.eta.values()]
    exact = sum((0.5 * (m.square() + v.exp() - 1 - v)).sum(dim=1).mean().item() for m, v in beliefs)
    drawn = [terms(model, views, draw(LAYOUT, 2000, generator(s))).independence.item() for s in range(20)]
    assert np.mean(drawn) == pytest.approx(exact, rel=0.02)


PIXELS = Pixels((2, 7, 6), tuple(i for i in range(84) if i % 5))


def test_images_are_read_and_given_back_where_their_pixels_stand() -> None:
    encoder, decoder = ImageEncoder(PIXELS, 16, 3), ImageDecoder(4, 16, PIXELS)
    x = torch.randn(1, 5, len(PIXELS.kept), generator=generator())
    seen: list[torch.Tensor] = []
    encoder.net[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    mean, logvar = encoder(x)
    assert mean.shape == logvar.shape == (1, 5, 3)
    assert torch.equal(seen[0].flatten(1)[:, PIXELS.kept], x[0])
    left_out = [i for i in range(84) if i not in PIXELS.kept]
    assert not seen[0].flatten(1)[:, left_out].any()
    assert decoder(torch.randn(1, 5, 4, generator=generator())).shape == x.shape


def test_convolutions_get_gradients_everywhere_and_the_same_seed_gives_the_same_weights() -> None:
    layout = replace(
        LAYOUT, dims={"image": {"c": len(PIXELS.kept)}}, latents={"image": 2}, images={"image": {"c": PIXELS}}
    )
    model, again = (LatentModel(layout, generator=generator(4)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    views = {"image": {"c": torch.randn(9, len(PIXELS.kept), generator=generator())}}
    terms(model, views, draw(layout, 9, generator())).total(PAPER).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_images_of_any_pixels_are_fitted_saved_and_read_again(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 1, 6, 6))
    x[:, :, 0] = 1.0  # a constant row of pixels
    views = {"image": {"c": x.reshape(60, -1)}, "text": {"a": np.random.default_rng(1).normal(size=(60, 4))}}
    ask: Any = {"latents": {"image": 2, "text": 1}, "rng": np.random.default_rng(0)}
    found = Paper(PAPER_BUDGET.replaced(epochs=1), images={"image": (1, 6, 6)}).fit(views, **ask)
    assert found.layout.images["image"]["c"].kept == tuple(range(6, 36))
    save_fit(found, tmp_path / "fit")
    np.testing.assert_array_equal(load_fit(tmp_path / "fit").encode(views), found.encode(views))
    with pytest.raises(InputError, match=r"image/c has 36 numbers; an image of shape \(1, 5, 6\) has 30"):
        Paper(PAPER_BUDGET.replaced(epochs=1), images={"image": (1, 5, 6)}).fit(views, **ask)
