"""The numerical benchmark: sizes, graph, an injective mixing that no line undoes, the same people from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from personax.simulate import LatentData, numerical
from personax.simulate import _numerical as cross_graph
from personax.simulate._mechanisms import components
from personax.simulate._mixing import GAIN, HARD_SLOPE, Mixing
from personax.simulate._numerical import Cycles, draw_graph, mixable

SIZES = {1: (2, 2, 15), 2: (2, 3, 20), 3: (4, 2, 30)}


def drawn(case: int = 1, seed: int = 0, **changed: Any) -> LatentData:
    return numerical(case, rng=np.random.default_rng(seed), **({"n": 60} | changed))


def owners(modalities: int, each: int, shared: int) -> NDArray[np.intp]:
    return np.concatenate([np.full(shared, -1), np.repeat(np.arange(modalities), each)])


@pytest.mark.parametrize("case", [1, 2, 3])
def test_the_cases_have_their_sizes(case: int) -> None:
    modalities, each, dim = SIZES[case]
    data = drawn(case)
    assert data.names == [f"m{m + 1}_{i + 1}" for m in range(modalities) for i in range(each)]
    assert data.counts == {f"m{m + 1}": each for m in range(modalities)}
    assert data.latents.shape == (60, modalities * each)
    assert {x.shape for by in data.views.values() for x in by.values()} == {(60, dim)}
    assert {x.dtype for by in data.views.values() for x in by.values()} == {np.dtype(np.float32)}
    assert {e.shape for by in data.eta.values() for e in by.values()} == {(60, 1)}


@pytest.mark.parametrize("modalities", [5, 6, 8])
def test_arguments_replace_the_case(modalities: int) -> None:
    data = drawn(3, modalities=modalities, per_modality=3, eta=2, dim=12, shared=2, measurements=3)
    assert (len(data.views), data.shared, data.counts["m2"]) == (modalities, 2, 3)
    assert data.names[:3] == ["shared_1", "shared_2", "m1_1"]
    assert list(data.views["m5"]) == ["k1", "k2", "k3"]
    assert (data.views["m5"]["k3"].shape, data.eta["m5"]["k3"].shape) == ((60, 12), (60, 2))


def test_the_same_seed_gives_the_same_people_however_many() -> None:
    few, many, others = drawn(n=20, measurements=2), drawn(n=200, measurements=2), drawn(seed=1)
    np.testing.assert_array_equal(few.adjacency, many.adjacency)
    np.testing.assert_allclose(few.latents, many.latents[:20], atol=1e-12)
    np.testing.assert_allclose(few.views["m2"]["k2"], many.views["m2"]["k2"][:20], atol=1e-5)
    assert np.abs(few.latents - others.latents[:20]).max() > 0.1
    again = drawn(n=20, measurements=2)
    np.testing.assert_array_equal(few.views["m1"]["k1"], again.views["m1"]["k1"])


def test_measurements_share_latents_and_mixing_and_differ_in_eta() -> None:
    data = drawn(n=3000, measurements=2, eta=2, mixing_layers=1)
    first, second = data.views["m1"].values()
    eta = [data.eta["m1"][k] for k in ("k1", "k2")]
    assert abs(np.corrcoef(eta[0][:, 0], eta[1][:, 0])[0, 1]) < 0.08
    assert eta[0].var() == pytest.approx(1, abs=0.06)
    # A linear mixing leaves, in the difference, the difference of eta and nothing of the latents.
    model = LinearRegression().fit(eta[0] - eta[1], first - second)
    assert model.score(eta[0] - eta[1], first - second) > 1 - 1e-6


def test_shared_latents_enter_every_modality() -> None:
    data = drawn(n=4000, shared=1, mechanism="linear", mixing_layers=1)
    for m in ("m1", "m2"):
        own = [i for i, name in enumerate(data.names) if name.startswith((m, "shared"))]
        design = np.column_stack([data.latents[:, own], data.eta[m]["k1"]])
        model = LinearRegression().fit(design, data.views[m]["k1"])
        assert model.score(design, data.views[m]["k1"]) > 1 - 1e-6
        assert np.linalg.norm(model.coef_[:, 0]) > 0.3  # the shared latent's own column


CYCLES: tuple[Cycles, ...] = ("none", "within", "across")


@given(
    modalities=st.integers(2, 6),
    each=st.integers(2, 4),
    shared=st.integers(0, 2),
    density=st.floats(0, 1),
    cycles=st.sampled_from(CYCLES),
    seed=st.integers(0, 1000),
)
def test_every_graph_keeps_its_promises(
    modalities: int, each: int, shared: int, density: float, cycles: Cycles, seed: int
) -> None:
    graph = draw_graph(modalities, each, shared=shared, density=density, cycles=cycles, rng=np.random.default_rng(seed))
    owner = owners(modalities, each, shared)
    across = graph & (owner[:, None] != owner)
    assert (across.any(axis=0) | across.any(axis=1)).all()
    assert not graph[owner < 0].any()
    for one in range(shared):
        assert set(owner[graph[:, one]]) == set(range(modalities))
    assert (len(components(graph)) == len(graph)) == (cycles == "none")


@given(modalities=st.integers(2, 6), each=st.integers(1, 4), seed=st.integers(0, 1000))
def test_default_graphs_are_sparse_and_tell_latents_apart(modalities: int, each: int, seed: int) -> None:
    graph = draw_graph(modalities, each, rng=np.random.default_rng(seed))
    owner = owners(modalities, each, 0)
    across = graph & (owner[:, None] != owner)
    assert across.sum() <= 1.5 * len(graph)
    assert mixable(graph, owner) == []


def test_every_latent_is_linked_even_in_the_first_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_graph, "TRIES", 1)
    owner = owners(3, 2, 0)
    for seed in range(300):
        graph = draw_graph(3, 2, rng=np.random.default_rng(seed))
        across = graph & (owner[:, None] != owner)
        assert (across.any(axis=0) | across.any(axis=1)).all()


def test_mixable_is_what_a_change_of_latents_does_to_a_linear_model() -> None:
    """z = W z + e with z_i + c z_j in place of z_i: j is a parent of i, or j's noise enters i; count links."""
    rng = np.random.default_rng(0)
    owner = owners(2, 3, 1)
    across = owner[:, None] != owner
    found = set()
    for _ in range(60):
        graph = rng.random((7, 7)) < 0.25
        np.fill_diagonal(graph, False)
        weights = graph * rng.uniform(0.5, 1.5, (7, 7))
        for i in range(7):
            for j in np.flatnonzero((owner == owner[i]) & (np.arange(7) != i)):
                change = np.eye(7)
                change[i, j] = 0.37
                inherited = np.abs(change @ weights @ np.linalg.inv(change)) > 1e-9
                free = (inherited & across).sum() <= (graph & across).sum()
                if graph[i, j]:
                    kept = np.abs((weights + change - np.eye(7)) @ np.linalg.inv(change)) > 1e-9
                    np.fill_diagonal(kept, False)
                    free |= kept.sum() <= graph.sum()
                assert ((i, int(j)) in mixable(graph, owner)) == free
                found.add((bool(free), bool(graph[i, j])))
    assert len(found) == 4


def test_any_graph_may_be_asked_for() -> None:
    graphs = [draw_graph(2, 2, identified=False, rng=np.random.default_rng(seed)) for seed in range(20)]
    assert any(mixable(graph, owners(2, 2, 0)) for graph in graphs)


def test_the_source_says_what_sparsity_cannot_tell() -> None:
    assert "tells all latents of a modality apart" in drawn(1).source
    dense = drawn(1, density=1.0, per_modality=4)
    owner = owners(2, 4, 0)
    assert f"leaves {len(mixable(dense.adjacency, owner))} ordered pairs mixable" in dense.source


@pytest.mark.parametrize(("inputs", "dim", "layers"), [(3, 15, 3), (4, 20, 3), (3, 3, 5), (6, 30, 1)])
def test_the_mixing_is_undone_layer_by_layer(inputs: int, dim: int, layers: int) -> None:
    mixing = Mixing.draw(inputs, dim, layers=layers, rng=np.random.default_rng(0))
    truth = 2 * np.random.default_rng(1).standard_normal((500, inputs))
    back = mixing(truth)
    for at in range(layers - 1, -1, -1):
        if at < layers - 1:
            back = np.where(back > 0, back, back / HARD_SLOPE) / GAIN
        back = (back - mixing.biases[at]) @ np.linalg.pinv(mixing.weights[at])
    np.testing.assert_allclose(back, truth, atol=1e-9)


def test_the_mixing_keeps_distances_in_bounds() -> None:
    """Its Jacobian, by differences, has full rank everywhere and no direction nearly lost."""
    mixing = Mixing.draw(3, 15, rng=np.random.default_rng(0))
    at = np.random.default_rng(1).standard_normal((300, 3))
    columns = [(mixing(at + 1e-6 * step) - mixing(at)) / 1e-6 for step in np.eye(3)]
    values = np.linalg.svd(np.stack(columns, axis=2), compute_uv=False)
    assert values.min() > HARD_SLOPE**2
    assert values.max() / values.min() < 60


def test_no_line_undoes_the_mixing_but_a_kernel_does() -> None:
    scores = np.array([readouts(drawn(1, seed, n=2000), "m1") for seed in range(4)])
    linear, kernel = scores.mean(axis=0)
    assert linear < 0.9
    assert kernel > 0.95


def readouts(data: LatentData, modality: str) -> tuple[float, float]:
    """Return the held-out R2 of a linear and of a kernel readout."""
    z = data.latents[:, [name.startswith(modality) for name in data.names]]
    x = data.views[modality]["k1"].astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    half = len(z) // 2
    linear = LinearRegression().fit(x[:half], z[:half])
    kernel = KernelRidge(alpha=1e-3, kernel="rbf", gamma=0.3 / x.shape[1]).fit(x[:half], z[:half])
    return linear.score(x[half:], z[half:]), r2_score(z[half:], kernel.predict(x[half:]))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"case": 4}, "case must be"),
        ({"n": 0}, "one person"),
        ({"modalities": 1}, "two modalities"),
        ({"measurements": 0}, "one measurement"),
        ({"density": 1.5}, "density between"),
        ({"cycles": "everywhere"}, "cycles must be"),
        ({"cycles": "within", "per_modality": 1}, "need two latents"),
        ({"dim": 2}, "do not fit into 2"),
        ({"mixing_layers": 0}, "by 0 layers"),
        ({"shared": -1}, "shared >= 0"),
        ({"eta": -1}, "eta must not be negative"),
    ],
)
def test_bad_arguments(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        drawn(**changed)
