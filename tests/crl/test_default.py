"""The default method: its densities and derivatives exactly, each stage on a closed form, and the whole on a truth."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
import torch

from personax.crl import load_fit, match, save_fit
from personax.crl._budget import Budget
from personax.crl._scaler import chunks
from personax.crl.methods.default._blocks import Chart, fit_chart
from personax.crl.methods.default._blocks import connected as touches
from personax.crl.methods.default._components import CONTENTS, Components, Search, fit_components
from personax.crl.methods.default._critic import Critic, NegativeSampler, edge_cost
from personax.crl.methods.default._method import Default, DefaultFit
from personax.crl.methods.default._networks import BatchedMLP, Smooth, keep_restarts, standardise
from personax.crl.methods.default._orthogonal import fit_orthogonal_latents
from personax.crl.methods.default._projection import Projection
from personax.crl.methods.default._shared_content import encode_contents, fit_modality_contents, fit_shared_content
from personax.crl.methods.default._structure import Conditionals, fit_conditionals, fit_structure
from personax.errors import InputError
from personax.simulate import numerical


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def roughened(module: torch.nn.Module, seed: int = 1) -> None:
    """Move all parameters away from where they begin, some of which is zero."""
    g = generator(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=g))


def critic(block: list[int], restarts: int = 2) -> Critic:
    made = Critic(restarts, block, torch.ones(len(block), len(block)), generator=generator())
    roughened(made)
    return made


def following(people: int, negatives: int) -> torch.Tensor:
    return (torch.arange(people)[:, None] + torch.arange(1, negatives + 1)) % people


def inputs_of(made: Critic, v: torch.Tensor) -> torch.Tensor:
    edges = made.enter * made.allowed[None, :, :, None]
    return torch.einsum("rbj,rijh->ribh", v, edges) + made.enter_bias.unsqueeze(2)


def test_densities_are_mixtures_of_gaussians_moved_and_stretched() -> None:
    made = critic([0, 0, 1])
    v = torch.randn(2, 50, 3, generator=generator(2))
    found, _, mean, log_scale = made._log_density(inputs_of(made, v), v.mT, [0, 1, 2])
    d = torch.distributions
    mixture = d.MixtureSameFamily(
        d.Categorical(logits=made.weights.unsqueeze(2)),
        d.Normal(made.centres.unsqueeze(2), torch.exp(made.log_widths).unsqueeze(2)),
    )
    expected = mixture.log_prob((v.mT - mean) * torch.exp(-log_scale)) - log_scale
    assert torch.allclose(found, expected, atol=1e-5)


def test_strength_is_the_cross_derivative_of_the_log_density() -> None:
    made = critic([0, 1], restarts=1)
    v = torch.randn(1, 20, 2, generator=generator(3))
    _, squared = made(v, following(20, 5))

    def log_density(pair: torch.Tensor) -> torch.Tensor:
        one = pair.view(1, 1, 2)
        return made._log_density(inputs_of(made, one), one.mT, [0, 1])[0][0, 1, 0]

    crosses = [torch.autograd.functional.hessian(log_density, pair)[0, 1] for pair in v[0]]
    assert float(squared[0, 1, 0].detach()) == pytest.approx(float(torch.stack(crosses).square().mean()), rel=1e-3)


def test_within_a_modality_parents_stand_before() -> None:
    made = critic([0, 0, 1, 1])
    assert made.allowed.tolist() == [[0, 0, 1, 1], [1, 0, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]]
    assert made.across.sum() == 8
    _, squared = made(torch.randn(2, 30, 4, generator=generator()), following(30, 8))
    assert (squared[:, made.allowed == 0] == 0).all()


def test_edges_that_are_not_allowed_carry_nothing() -> None:
    allowed = torch.ones(2, 2)
    allowed[0, 1] = 0
    made = Critic(1, [0, 1], allowed, generator=generator())
    roughened(made)
    _, squared = made(torch.randn(1, 30, 2, generator=generator()), following(30, 8))
    assert squared[0, 0, 1] == 0
    assert squared[0, 1, 0] > 0


def test_the_cost_of_edges_is_concave_and_counts_only_those_across() -> None:
    across = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    spread = torch.tensor([[[9.0, 1.0], [1.0, 9.0]]])
    one = torch.tensor([[[9.0, 2.0], [0.0, 9.0]]])
    assert edge_cost(one, across) < edge_cost(spread, across)
    assert float(edge_cost(torch.eye(2).unsqueeze(0), across)[0]) == 0


def test_a_scale_taken_into_the_weights_changes_nothing() -> None:
    net = BatchedMLP(3, 4, 8, 2, generator=generator())
    roughened(net)
    x, size = torch.randn(10, 4, generator=generator(1)), torch.rand(3, 1, 4, generator=generator(2)) + 0.5
    before = net(x * size)[2]
    keep_restarts(net, [2])
    net.absorb_scale(size[2:])
    assert torch.allclose(net(x)[0], before, atol=1e-5)


def test_inputs_of_scale_zero_are_left_out() -> None:
    net = BatchedMLP(1, 4, 8, 2, generator=generator())
    roughened(net)
    x, size = torch.randn(10, 4, generator=generator(1)), torch.tensor([[[0.0, 2.0, 0.0, 3.0]]])
    before = net(x * size)
    net.absorb_scale(size)
    assert torch.allclose(net(x[:, [1, 3]]), before, atol=1e-5)


def test_the_jacobian_is_autograds() -> None:
    net = Smooth(3, 8, 5, generator=generator())
    x = torch.randn(4, 3, generator=generator(1))
    expected = torch.stack([torch.autograd.functional.jacobian(lambda one: net(one[None])[0], row).T for row in x])
    assert torch.allclose(net.jacobian(x), expected, atol=1e-5)


def components(r: float, n: int = 2000) -> tuple[Components, torch.Tensor, list[torch.Tensor]]:
    """Two modalities, each of a latent and a noise of its own, rotated; latents correlate by r."""
    rng = np.random.default_rng(0)
    z = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], n)
    turn = np.array([[0.8, 0.6], [-0.6, 0.8]])
    xs = [torch.tensor(np.column_stack([z[:, m], rng.normal(size=n)]) @ turn, dtype=torch.float32) for m in (0, 1)]
    rows = torch.arange(n)
    search = Search(restarts=2, trial=100, steps=300, batch=128, hidden=16)
    found = fit_components(xs, [1, 1], torch.ones(2, 2), rows[:500], rows[500:], search, generator=generator())
    return found, torch.tensor(z), xs


def several(noise: float, n: int = 3000) -> tuple[dict[str, dict[str, np.ndarray]], np.ndarray]:
    """Two modalities whose latents correlate by .8; the first is measured three times, each beside loud noise."""
    rng = np.random.default_rng(1)
    z = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], n)

    def seen(latent: np.ndarray) -> np.ndarray:
        both = np.column_stack([latent, noise * rng.normal(size=(n, 6))])
        return (both @ rng.normal(size=(7, 7))).astype(np.float32)

    return {"a": {name: seen(z[:, 0]) for name in "xyz"}, "b": {"w": seen(z[:, 1])}}, z


def test_contents_are_what_measurements_agree_on() -> None:
    views, z = several(noise=1.0)
    rows = torch.arange(3000)
    search = Search(trial=100, steps=400, batch=128, hidden=16)
    found = fit_modality_contents(views, {"a": 1, "b": 1}, 0, (rows[:600], rows[600:]), search, generator=generator())
    assert list(found) == ["a"], "one measurement agrees with nothing"
    content = found["a"](views["a"]).numpy()
    assert abs(np.corrcoef(content[:, 0], z[:, 0])[0, 1]) > 0.95
    read = encode_contents(found, [torch.zeros(3000, 5), torch.ones(3000, 4)], views)
    assert read[0].shape == (3000, 1)
    assert bool((read[1] == 1).all())


def test_restarts_that_read_contents_win_where_components_are_mostly_noise() -> None:
    rng = np.random.default_rng(3)
    z = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 1500)
    noisy = np.column_stack([z[:, 0] + rng.normal(size=1500), 9 * rng.normal(size=(1500, 40))])
    inputs = [torch.tensor(noisy, dtype=torch.float32), torch.tensor(z[:, 1:], dtype=torch.float32)]
    content = torch.tensor(z[:, :1], dtype=torch.float32)
    rows, search = torch.arange(1500), Search(restarts=4, trial=50, steps=200, batch=64, hidden=16)
    found = fit_components(
        inputs,
        [1, 1],
        torch.ones(2, 2),
        rows[:500],
        rows[500:],
        search,
        contents=[content, None],
        generator=generator(),
    )
    assert found.from_contents
    learned = found.encode([content, inputs[1]]).numpy()
    assert min(abs(np.corrcoef(learned[:, m], z[:, m])[0, 1]) for m in (0, 1)) > 0.97
    clear = [torch.tensor(z[:, :1], dtype=torch.float32), inputs[1]]
    unrelated = torch.tensor(rng.normal(size=(1500, 1)), dtype=torch.float32)
    worse = fit_components(
        clear, [1, 1], torch.ones(2, 2), rows[:500], rows[500:], search, contents=[unrelated, None],
        generator=generator(),
    )  # fmt: skip
    assert not worse.from_contents
    assert worse.encode(clear).shape == (1500, 2), "components are read as if there were no contents"


def test_information_is_that_of_gaussians_and_components_leave_noise_out() -> None:
    found, z, xs = components(0.8)
    assert found.information == pytest.approx(-0.5 * np.log(1 - 0.8**2), abs=0.08)
    learned = found.encode(xs).numpy()
    assert min(abs(np.corrcoef(learned[:, m], z[:, m])[0, 1]) for m in (0, 1)) > 0.97
    assert float((found.strength * found.critic.across).max()) > 0.3


def test_latents_that_modalities_speak_of_have_an_edge_across_or_cause_one_that_is_caused_across() -> None:
    across = torch.tensor([[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]])

    def connected(**edges: float) -> list[bool]:
        strength = torch.zeros(4, 4)
        for name, value in edges.items():
            strength[int(name[1]), int(name[2])] = value
        return touches(strength, across).tolist()

    assert connected() == [False] * 4
    assert connected(e02=1.0) == [True, False, True, False]
    assert connected(e02=0.05) == [False] * 4
    assert connected(e02=1.0, e01=1.0) == [True, True, True, False]  # 1 and 2 cause 0 together
    assert connected(e02=1.0, e10=1.0) == [True, False, True, False]  # 1 is caused by 0 alone
    assert connected(e20=1.0, e10=1.0) == [True, False, True, False]
    assert connected(e20=1.0, e01=1.0) == [True, False, True, False]  # 0 is not caused across


def test_where_modalities_say_nothing_no_edge_is_kept() -> None:
    found, *_ = components(0.0)
    assert abs(found.information) < 0.02
    assert float(found.strength.max()) < 0.1


def test_leftovers_are_what_moves_a_measurement_beyond_given_components() -> None:
    g = generator()
    v, w = torch.randn(2000, 1, generator=g), torch.randn(2000, generator=g)
    # directions that turn with v, and a mean that bends: no linear method reads w off these
    x = torch.stack([v[:, 0] + w * torch.cos(v[:, 0]), v[:, 0] ** 2 + w * torch.sin(v[:, 0]), 0.3 * v[:, 0]], 1)
    x = (x - x.mean(0)) / x.std(0).norm()
    chart = fit_chart(v, x, 1, share=0.12, generator=g)
    found = chart(v, x)[1][:, 0].detach().numpy()
    assert abs(np.corrcoef(found, w)[0, 1]) > 0.97


def test_of_tries_that_fit_alike_the_one_that_turns_least_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    left, turned = iter([0.009, 0.008, 0.010] + [1.0] * 7 + [0.0]), iter([30.0, 30.0, 5.0] + [0.0] * 7)
    went_on: list[Chart] = []

    def train(chart: Chart, *_: object) -> float:
        went_on.append(chart)
        return next(left)

    monkeypatch.setattr("personax.crl.methods.default._blocks._train", train)
    monkeypatch.setattr(Chart, "turning", lambda *_: next(turned))
    best = fit_chart(torch.randn(9, 1), torch.randn(9, 2), 1, generator=generator())
    assert best is went_on[2]
    assert best is went_on[-1]


def test_how_fast_directions_turn_is_measured() -> None:
    chart = Chart(1, 2, 1, generator=generator())
    with torch.no_grad():
        for parameter in chart.frame.parameters():
            parameter.zero_()
        chart.frame.leave_bias[..., 0] = 1.0
    assert chart.turning(torch.randn(50, 1, generator=generator()), generator()) == pytest.approx(0, abs=1e-6)

    class Circle(Chart):
        def directions(self, given: torch.Tensor) -> torch.Tensor:
            return torch.stack([torch.cos(3 * given), torch.sin(3 * given)], 1)

    circle = Circle(1, 2, 1, generator=generator())
    turned = circle.turning(torch.randn(50, 1, generator=generator()), generator())
    assert turned == pytest.approx(9, rel=1e-2)


def test_given_an_angle_the_orthogonal_complement_is_the_radius() -> None:
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(0, 1.5, 4000), rng.uniform(1, 2, 4000)
    x = torch.tensor(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), dtype=torch.float32)
    mixed = torch.tensor(np.column_stack([angle, radius + 0.6 * angle]), dtype=torch.float32)
    targets = (x - x.mean(0)) / x.std(0).norm()
    function = fit_orthogonal_latents(mixed, targets, {1: [0]}, share=0.4, generator=generator())[0]
    with torch.no_grad():
        found = function(standardise(mixed)).numpy()
    assert abs(np.corrcoef(mixed[:, 1], radius)[0, 1]) < 0.8
    assert abs(np.corrcoef(found, radius)[0, 1]) > 0.98


def chain(n: int = 4000) -> torch.Tensor:
    """a -> b -> c, nonlinear, with a on modality one and d beside them."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=n)
    b = np.tanh(2 * a) + 0.5 * rng.normal(size=n)
    c = np.tanh(2 * b) + 0.5 * rng.normal(size=n)
    return standardise(torch.tensor(np.column_stack([a, b, c, rng.normal(size=n)]), dtype=torch.float32))


def test_the_structure_of_a_nonlinear_chain_is_found_and_its_noise_is_normal_and_independent() -> None:
    latents = chain()
    found = fit_structure(latents, torch.ones(4, 4), share=0.25, generator=generator())
    assert found.parents == [(), (0,), (1,), ()]
    assert found.adjacency[1, 0] > 0.9
    assert found.adjacency[2, 1] > 0.9
    noise = found.noise(latents).numpy()
    assert np.abs(np.corrcoef(noise.T) - np.eye(4)).max() < 0.1
    assert np.abs(noise.std(0) - 1).max() < 0.1


@pytest.mark.parametrize("stretched", [False, True])
def test_noise_is_stretched_by_parents_only_where_people_held_out_say_so(stretched: bool) -> None:
    rng = np.random.default_rng(1)
    cause = rng.normal(size=4000)
    spread = np.exp(0.8 * np.tanh(cause)) if stretched else 1.0
    effect = np.tanh(1.5 * cause) + 0.4 * cause + 0.6 * spread * rng.normal(size=4000)
    latents = standardise(torch.tensor(np.column_stack([effect, cause]), dtype=torch.float32))
    found = fit_structure(latents, torch.ones(2, 2), share=0.25, generator=generator())
    assert found.conditionals.stretches == stretched
    assert found.parents == [(1,), ()]


def test_structure_keeps_to_what_is_allowed_and_has_no_cycle() -> None:
    allowed = torch.ones(4, 4)
    allowed[1, 0] = 0
    found = fit_structure(chain(1000), allowed, share=0.1, generator=generator())
    assert (found.adjacency[1, 0], 0 in found.parents[1]) == (0, False)
    edges = np.zeros((4, 4))
    for child, parents in enumerate(found.parents):
        edges[child, list(parents)] = 1
    assert not np.linalg.matrix_power(edges, 4).any()


def test_densities_given_any_parents_are_those_of_gaussians() -> None:
    rng = np.random.default_rng(0)
    shares = np.array([[1.0, 0.6, 0.3], [0.6, 1.0, 0.5], [0.3, 0.5, 1.0]])
    v = torch.tensor(rng.multivariate_normal(np.zeros(3), shares, 6000), dtype=torch.float32)
    held = v[None, 5000:]
    for parents in ((), (1,), (1, 2)):
        model = fit_conditionals(v[:5000], [parents, (), ()], share=0.5, generator=generator())
        mask = torch.zeros(3)
        mask[list(parents)] = 1
        with torch.no_grad():
            found = model(held, mask.expand(1, 3, 1000, 3))[0, 0].numpy()
        slope = np.linalg.solve(shares[np.ix_(parents, parents)], shares[parents, 0])
        spread = np.sqrt(1 - shares[0, parents] @ slope)
        expected = norm.logpdf(held[0, :, 0].numpy(), held[0][:, parents].numpy() @ slope, spread)
        assert abs(found.mean() - np.mean(expected)) < 0.02


def test_what_is_not_given_changes_nothing() -> None:
    model = Conditionals(1, 3, generator=generator())
    roughened(model)
    v = torch.randn(1, 5, 3, generator=generator(1))
    masks = torch.tensor([0.0, 1.0, 0.0]).expand(1, 3, 5, 3)
    other = v.clone()
    other[..., 2] += 1
    assert torch.equal(model(v, masks)[0, 0], model(other, masks)[0, 0])
    assert not torch.equal(model(v, masks)[0, 2], model(other, masks)[0, 2])


TINY, FEW = Budget(epochs=1), Search(restarts=3, batch=64, hidden=16)


@pytest.mark.slow
def test_the_whole_recovers_case_one() -> None:
    data = numerical(1, n=4500, rng=np.random.default_rng(1))
    learn, held = data.rows(np.arange(4000)), data.rows(np.arange(4000, 4500))
    fitted = Default(Budget(epochs=10), Search(restarts=6, batch=128)).fit(
        learn.views, latents=data.counts, rng=np.random.default_rng(1)
    )
    assert match(fitted.encode(held.views), held.latents).mcc > 0.9
    assert fitted.noise(held.views).shape == held.latents.shape


def test_the_same_seed_gives_the_same_numbers_and_people_are_encoded_one_by_one() -> None:
    data = numerical(1, n=300, rng=np.random.default_rng(0))
    seen: list[float] = []
    one, two = (
        Default(TINY, FEW).fit(
            data.views, latents=data.counts, rng=np.random.default_rng(5),
            progress=lambda done, total, _: seen.append(done / total),
        )
        for _ in range(2)
    )  # fmt: skip
    assert seen[: len(seen) // 2] == sorted(seen[: len(seen) // 2]) == seen[len(seen) // 2 :]
    assert seen[-1] == 1
    assert np.array_equal(one.encode(data.views), two.encode(data.views))
    some = data.rows(np.arange(10, 20))
    assert np.allclose(one.encode(some.views), one.encode(data.views)[10:20], atol=1e-4)
    assert one.names == data.names
    assert one.adjacency.shape == (4, 4)


@pytest.mark.parametrize(("edges", "contents"), [(0.0, True), (100.0, False)])
def test_whatever_a_fit_holds_is_saved_and_read_again(
    tmp_path: Path, edges: float, contents: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dear edges nothing touches, and all latents are read by charts and agreement, then straightened."""
    if contents:
        monkeypatch.setattr("personax.crl.methods.default._components.VIEWS", (CONTENTS,))
    views = numerical(1, measurements=2, n=200, shared=1, rng=np.random.default_rng(0)).views
    views = {"m1": views["m1"], "m2": {"k1": views["m2"]["k1"]}}
    search = Search(restarts=3, trial=20, steps=60, batch=64, edges=edges, hidden=8)
    made = Default(budget=Budget(epochs=1), search=replace(search, steps=3600, trial=1200))
    fitted = made.fit(views, latents={"m1": 2, "m2": 2}, shared=1, rng=np.random.default_rng(0))
    assert set(fitted.contents) == ({"m1"} if contents else set())
    assert len(fitted.orthogonal) == 4 or edges == 0
    save_fit(fitted, tmp_path / "fit")
    again = load_fit(tmp_path / "fit")
    assert isinstance(again, DefaultFit)
    np.testing.assert_array_equal(again.encode(views), fitted.encode(views))
    np.testing.assert_array_equal(again.noise(views), fitted.noise(views))
    assert again.history == fitted.history


def test_forbidden_edges_are_never_learned() -> None:
    data = numerical(1, n=300, rng=np.random.default_rng(0))
    allowed = np.tril(np.ones((4, 4), bool))
    fitted = Default(TINY, FEW, allowed=allowed).fit(data.views, latents=data.counts, rng=np.random.default_rng(0))
    assert (fitted.adjacency[~allowed] == 0).all()


def test_what_it_cannot_do_it_says() -> None:
    data = numerical(1, n=100, rng=np.random.default_rng(0))
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="two or more"):
        Default(TINY).fit({"m1": data.views["m1"]}, latents={"m1": 2}, rng=rng)


def test_what_all_inputs_show_is_found_and_what_is_given_is_left_out() -> None:
    rng = np.random.default_rng(0)
    both, known, own = rng.normal(size=(3, 3000))
    other = rng.normal(size=3000)
    xs = [
        torch.tensor(np.column_stack([known + own, both - own, both + known]), dtype=torch.float32),
        torch.tensor(np.column_stack([known - other, 2 * both + other, other]), dtype=torch.float32),
    ]
    rows = torch.arange(3000)
    search = Search(steps=400, batch=128, hidden=16)
    given = torch.tensor(known[:, None], dtype=torch.float32)
    neighbours = fit_shared_content(xs, 1, rows[:500], rows[500:], search, given=given, generator=generator())
    found = neighbours(xs, given)[:, 0].numpy()
    beyond = [x - known * (x @ known) / (known @ known) for x in (found, both)]
    assert abs(np.corrcoef(*beyond)[0, 1]) > 0.9
    assert max(abs(np.corrcoef(found, x)[0, 1]) for x in (own, other)) < 0.3


def test_shared_latents_come_first_and_are_caused_by_nothing() -> None:
    data = numerical(1, n=300, shared=1, rng=np.random.default_rng(0))
    fitted = Default(TINY, FEW).fit(data.views, latents=data.counts, shared=1, rng=np.random.default_rng(0))
    assert fitted.names == data.names
    assert fitted.encode(data.views).shape == (300, 5)
    assert not fitted.adjacency[0].any()


def test_alike_people_are_compared_with_one_another_alone() -> None:
    given = torch.rand(400, 1, generator=generator())
    rows = torch.arange(100, 400)
    comparison = NegativeSampler(rows, 90, 8, given)
    drawn, negatives = comparison.draw(generator())
    assert negatives.shape == (90, 8)
    assert set(drawn.tolist()) <= set(rows.tolist())
    assert not (drawn[negatives] == drawn[:, None]).any()
    apart = (given[drawn[negatives]] - given[drawn][:, None]).abs().max()
    assert apart < 0.2
    everyone = torch.cat([some for some, _ in comparison.one_pass()])
    assert len(everyone) >= 200


def test_anyone_is_compared_with_others_and_all_are_gone_through() -> None:
    comparison = NegativeSampler(torch.arange(50, 150), 25, 8)
    drawn, negatives = comparison.draw(generator())
    assert (negatives != torch.arange(25)[:, None]).all()
    assert len(drawn) == 25
    assert sorted(torch.cat([some for some, _ in comparison.one_pass()]).tolist()) == list(range(50, 150))


def test_what_encoders_see_keeps_distances() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6)) * [5, 4, 3, 2, 1, 0] + 7
    seen = Projection.fit({"a": {"k": x}}, rng=rng).apply({"a": {"k": x}})[0].double().numpy()
    near, far = np.linalg.norm(x[0] - x[1]), np.linalg.norm(x[2] - x[3])
    assert np.linalg.norm(seen[0] - seen[1]) / np.linalg.norm(seen[2] - seen[3]) == pytest.approx(near / far, rel=1e-3)
    assert np.square(seen - seen.mean(0)).sum(1).mean() == pytest.approx(1, rel=0.02)


def test_memory_does_not_grow_with_measurements_that_lie_in_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    people, dims = 30_000, 512
    x = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.float32, shape=(people, dims))
    across = rng.normal(size=(3, dims)).astype(np.float32)
    for rows in chunks(people):
        x[rows] = rng.normal(size=(len(x[rows]), 3)).astype(np.float32) @ across
    tracemalloc.start()
    found = Projection.fit({"text": {"a": x}}, rng=rng).apply({"text": {"a": x}})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[0].shape == (people, 3)
    assert peak < people * dims * 4  # less than one copy, in 32 bits
