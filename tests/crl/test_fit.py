"""Fitting recovers simulated latents better than its floors, is repeatable, and names what it cannot do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.crl import Budget, Paper, PaperFit, held_out_r2, match, shd, to_graph
from personax.crl.methods.paper._method import PAPER_BUDGET
from personax.errors import InputError
from personax.simulate._mixing import mix

Views = dict[str, dict[str, np.ndarray]]


def fit(views: Views, *, budget: Budget = PAPER_BUDGET, rng: np.random.Generator, **ask: Any) -> PaperFit:
    found: PaperFit = Paper(budget).fit(views, rng=rng, **ask)
    return found


def world(n: int = 1500) -> tuple[Views, dict[str, np.ndarray]]:
    """Two modalities with one latent each and one shared latent that causes both, mixed nonlinearly."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=n)
    text = np.tanh(1.5 * shared) + 0.6 * rng.normal(size=n)
    image = 0.8 * shared + 0.6 * rng.normal(size=n)
    views = {
        "text": {name: mix(np.column_stack([shared, text]), 24, rng=rng) for name in ("a", "b")},
        "image": {name: mix(np.column_stack([shared, image]), 24, rng=rng) for name in ("c", "d")},
    }
    return views, {"shared": shared[:, None], "text": text[:, None], "image": image[:, None]}


@pytest.mark.slow
def test_latents_come_back_better_than_by_principal_components() -> None:
    """One seed, fixed before: |correlation| .9 of the shared latent, and more than PCA of the same views reaches."""
    views, true = world()
    result = fit(
        views,
        latents={"text": 1, "image": 1},
        shared=1,
        budget=PAPER_BUDGET.replaced(epochs=40),
        rng=np.random.default_rng(1),
    )
    learned = dict(zip(result.names, result.latents.T, strict=True))
    scores = {group: match(learned[f"{group}_1"][:, None], truth).mcc for group, truth in true.items()}
    flat = np.column_stack([x for by in views.values() for x in by.values()]).astype(float)
    components = np.linalg.svd((flat - flat.mean(0)) / flat.std(0), full_matrices=False)[0][:, :3]
    floor = match(components, np.column_stack(list(true.values()))).mcc
    assert scores["shared"] > 0.9
    assert np.mean(list(scores.values())) > floor + 0.05
    assert min(result.held_out.values()) > 0.8
    graph = to_graph(result.adjacency, result.names)
    assert {edge.target for edge in graph.edges} <= {"text_1", "image_1"}


def small() -> Views:
    views, _ = world(80)
    return views


def test_the_same_generator_gives_the_same_numbers() -> None:
    runs = [
        fit(
            small(),
            latents={"text": 1, "image": 1},
            budget=PAPER_BUDGET.replaced(epochs=2),
            rng=np.random.default_rng(seed),
        ).latents
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.allclose(runs[0], runs[2])


def test_progress_and_early_stopping() -> None:
    seen: list[tuple[int, int]] = []
    result = fit(
        small(),
        latents={"text": 1, "image": 1},
        budget=PAPER_BUDGET.replaced(epochs=30, patience=1, rate=0.05),
        rng=np.random.default_rng(0),
        progress=lambda done, total, _: seen.append((done, total)),
    )
    assert seen == [(i + 1, 30) for i in range(len(seen))]
    assert len(result.history) == len(seen) <= 30


def broken(change: str) -> Views:
    views = small()
    if change == "nan":
        views["text"]["a"][3, 2] = np.nan
    elif change == "constant":
        views["text"]["a"][:] = 1.0
    elif change == "short":
        views["text"]["a"] = views["text"]["a"][:-1]
    elif change == "few":
        views = {m: {k: x[:5] for k, x in by.items()} for m, by in views.items()}
    return views


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("nan", "text/a holds missing or infinite"),
        ("constant", "1 latents are asked of text/a, which has fewer dimensions that vary"),
        ("short", "different numbers of people"),
        ("few", "5 people are too few"),
    ],
)
def test_what_cannot_be_learned_from(change: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        fit(broken(change), latents={"text": 1, "image": 1}, rng=np.random.default_rng(0))


def test_more_latents_than_dimensions_and_unknown_modalities() -> None:
    with pytest.raises(InputError, match="99 latents are asked"):
        fit(small(), latents={"text": 99, "image": 1}, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match=r"crl\.latents names sound"):
        fit(small(), latents={"sound": 1}, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="no embedding"):
        fit({}, latents={}, rng=np.random.default_rng(0))


def test_constant_dimensions_are_dropped_and_counted() -> None:
    views = small()
    views["text"]["a"][:, :3] = 7.0
    result = fit(
        views, latents={"text": 1, "image": 1}, budget=PAPER_BUDGET.replaced(epochs=1), rng=np.random.default_rng(0)
    )
    assert result.dropped == 3


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(4)), st.lists(st.sampled_from([-3.0, 0.5, 2.0]), min_size=4, max_size=4))
def test_mcc_sees_through_order_sign_and_scale(order: list[int], scales: list[float]) -> None:
    x = np.random.default_rng(1).normal(size=(200, 4))
    moved = x[:, order] * scales
    assert match(moved, x).mcc == pytest.approx(1)
    assert match(np.exp(moved / 3), x, kind="spearman").mcc == pytest.approx(1)


def test_noise_scores_low() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 1500, 3))
    assert match(x, y).mcc < 0.1
    assert held_out_r2(x, y, rng=rng) < 0.02
    assert held_out_r2(x, np.column_stack([x[:, 0] ** 2, np.sin(x[:, 1]), x[:, 2]]), rng=rng) > 0.9


def test_shd_by_hand() -> None:
    chain = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=bool)
    assert shd(chain, chain) == 0
    assert shd(chain, chain.T) == 2
    assert shd(chain, np.zeros((3, 3), bool)) == 2
