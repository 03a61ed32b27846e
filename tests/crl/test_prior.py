"""What is known of causes between modalities: never gone against where certain, dearer to where believed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
import torch

from personax.crl import Budget, Paper, Prior, load_fit, save_fit
from personax.crl.methods import method
from personax.crl.methods.default._critic import Critic, edge_cost
from personax.crl.methods.default._structure import fit_structure
from personax.errors import InputError
from personax.schema import Edge, Graph, Node

NAMES = ["shared_1", "image_1", "image_2", "text_1", "voice_1"]


def test_tiers_and_pairs_by_hand() -> None:
    prior = Prior(tiers=[["image"], ["text"]], forbidden=[("shared", "voice"), ("voice", "text")])
    expected = np.ones((5, 5), bool)
    expected[1:3, 3] = False  # text causes no image
    expected[4, 0] = False
    expected[3, 4] = False
    assert np.array_equal(prior.allowed(NAMES), expected)
    assert (prior.edge_penalty(NAMES) == 1).all(), "what is forbidden costs nothing"
    belief = prior.replaced(times=5)
    assert belief.allowed(NAMES).all()
    assert np.array_equal(belief.edge_penalty(NAMES), np.where(expected, 1, 5))


@pytest.mark.parametrize(
    ("prior", "says"),
    [
        ({"tiers": [["imag"]]}, "no modality imag; did you mean image"),
        ({"tiers": [["image"], ["image", "text"]]}, "image stands in two tiers"),
        ({"forbidden": [("image",)]}, r"Prior: forbidden.0: .* at least 2 items"),
        ({"times": 0.5}, "Prior: times: must be greater than or equal to 1, not 0.5"),
        ({"times": float("nan")}, "Prior: times: must be a finite number, not nan"),
    ],
)
def test_priors_that_contradict_themselves(prior: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Prior(**prior).allowed(NAMES)


def test_modalities_between_which_level_one_found_nothing_are_apart() -> None:
    columns = ["chin", "o", "c", "pitch"]
    nodes = tuple(Node(name, "features") for name in columns)
    graph = Graph(nodes, (Edge("o", "chin"),))
    of = {"chin": "image", "o": "text", "c": "text", "pitch": "voice"}
    prior = Prior.from_graph(graph, of)
    may = prior.allowed(NAMES)
    assert may[[3, 1], [1, 3]].all(), "image and text depend on one another"
    assert not may[[4, 1, 3, 4], [1, 4, 4, 3]].any()
    assert may[1, 2], "nothing is said within a modality"
    with pytest.raises(InputError, match="no variable chip; did you mean chin"):
        Prior.from_graph(graph, {"chip": "image"})


def chain(n: int = 2000) -> torch.Tensor:
    """Image to text, additive and not linear, so that directions show."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    y = np.tanh(2 * x) + 0.5 * rng.normal(size=n)
    found = np.column_stack([x, y])
    return torch.from_numpy((found - found.mean(0)) / found.std(0)).float()


def test_a_belief_turns_an_edge_and_enough_data_turn_it_back() -> None:
    """The graph is learned with the edge as it is; against a dear direction it is turned or left out."""
    wrong = Prior(tiers=[["text"], ["image"]], times=1000)
    names = ["image_1", "text_1"]
    graphs = [
        fit_structure(
            chain(), torch.ones(2, 2), share=0.12, generator=torch.Generator().manual_seed(0), edge_penalty=edge_penalty
        ).adjacency
        for edge_penalty in (None, torch.from_numpy(wrong.edge_penalty(names)).float(), torch.ones(2, 2))
    ]
    assert graphs[0][1, 0] > 0.9
    assert graphs[1][1, 0] == 0
    assert graphs[1][0, 1] > 0.9, "the other direction costs as much as before"
    assert np.array_equal(graphs[0], graphs[2])


def test_dear_edges_cost_so_many_times_as_much_in_the_contrast() -> None:
    dear = torch.tensor([[1.0, 3.0], [1.0, 1.0]])
    made = Critic(1, [0, 1], torch.ones(2, 2), generator=torch.Generator().manual_seed(0), edge_penalty=dear)
    only = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
    back = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]])
    assert edge_cost(only, made.charged).item() == pytest.approx(3 * edge_cost(back, made.charged).item())


def views(n: int = 200) -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(0)
    z = chain(n).numpy()
    return {m: {"a": np.column_stack([z[:, [i]], rng.normal(size=(n, 3))])} for i, m in enumerate(("image", "text"))}


@pytest.mark.parametrize("name", ["paper", "mmcrl", "default"])
def test_what_is_certain_is_never_learned(name: str) -> None:
    prior = Prior(tiers=[["image"], ["text"]])
    maker = method(name, budget=Budget(epochs=1), prior=prior)
    found = maker.fit(views(), latents={"image": 1, "text": 1}, rng=np.random.default_rng(0))
    assert found.adjacency is not None
    assert found.adjacency[0, 1] == 0


def test_the_three_terms_close_dear_gates(tmp_path: Any) -> None:
    budget = Budget(epochs=20, batch=16, rate=0.02, hidden=8, patience=20)
    maker = Paper(budget, prior=Prior(tiers=[["image"], ["text"]], times=1000))
    found = maker.fit(views(), latents={"image": 1, "text": 1}, rng=np.random.default_rng(0))
    assert 0 < found.adjacency[0, 1] < 0.5 * found.adjacency[1, 0]
    save_fit(found, tmp_path / "fit")
    assert np.array_equal(load_fit(tmp_path / "fit").encode(views()), found.encode(views()))
