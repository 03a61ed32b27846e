"""MCC: what it sees through, what it does not, and that the held-out one never looks at whom it scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from personax.crl import Match, held_out_match, match
from personax.crl.metrics._mcc import Kind, _isotonic
from personax.errors import InputError

orders = st.permutations(range(4))
scales = st.lists(st.sampled_from([-3.0, -1.0, 0.5, 2.0]), min_size=4, max_size=4)


def latents(n: int = 400, d: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


@settings(max_examples=30, deadline=None)
@given(orders, scales, st.sampled_from(["pearson", "spearman", "monotone"]))
def test_held_out_scores_ignore_order_sign_and_scale(order: list[int], scale: list[float], kind: Kind) -> None:
    true = latents()
    learned = true + 0.7 * latents(seed=1)
    before = held_out_match(learned, true, kind=kind, rng=np.random.default_rng(2))
    after = held_out_match(learned[:, order] * scale, true, kind=kind, rng=np.random.default_rng(2))
    assert after.mcc == pytest.approx(before.mcc)
    assert {j: order[i] for i, j, _ in after.pairs} == {j: i for i, j, _ in before.pairs}
    assert _by_true(after) == pytest.approx(_by_true(before))


@settings(max_examples=20, deadline=None)
@given(orders, scales)
def test_in_sample_scores_ignore_them_too(order: list[int], scale: list[float]) -> None:
    true = latents()
    learned = true + 0.7 * latents(seed=1)
    for kind in ("pearson", "spearman"):
        before = match(learned, true, kind=kind)
        assert match(learned[:, order] * scale, true, kind=kind).mcc == pytest.approx(before.mcc)


def test_a_monotone_map_costs_pearson_and_nothing_else() -> None:
    true = latents(3000)
    learned = -np.exp(2 * true)
    rng = np.random.default_rng(0)
    assert held_out_match(learned, true, kind="pearson", rng=rng).mcc < 0.7
    assert held_out_match(learned, true, kind="spearman", rng=rng).mcc == pytest.approx(1)
    assert held_out_match(learned, true, kind="monotone", rng=rng).mcc > 0.999


def test_a_fold_is_no_monotone_map() -> None:
    true = latents(4000, 1)
    assert held_out_match(true**2, true, kind="monotone", rng=np.random.default_rng(0)).mcc < 0.15


def test_scores_are_scipys() -> None:
    true, learned = latents(50, 1), latents(50, 1) + latents(50, 1, seed=1)
    assert match(learned, true).mcc == pytest.approx(abs(pearsonr(learned[:, 0], true[:, 0])[0]))
    assert match(learned, true, kind="spearman").mcc == pytest.approx(abs(spearmanr(learned, true)[0]))


def test_the_isotonic_regression_is_scikit_learns() -> None:
    peers = pytest.importorskip("sklearn.isotonic", reason="scikit-learn comes with the extra discovery")
    rng = np.random.default_rng(0)
    x = rng.integers(0, 30, 200).astype(float)  # ties
    y, at = x + rng.normal(size=200) * 10, rng.uniform(-5, 40, 100)
    other = peers.IsotonicRegression(out_of_bounds="clip").fit(x, y)
    assert _isotonic(x, y, at) == pytest.approx(other.predict(at))


def test_the_matching_and_its_signs_come_from_the_other_half() -> None:
    """In the half that is fitted on, latents are swapped and flipped: who peeked would score 1, who did not -1 or 0."""
    true = latents(2000, 2)
    fit_on = np.random.default_rng(5).permutation(2000)[:1000]
    flipped, swapped = true.copy(), true.copy()
    flipped[fit_on] *= -1
    swapped[fit_on] = swapped[fit_on][:, ::-1]
    for kind in ("pearson", "spearman", "monotone"):
        scored = held_out_match(flipped, true, kind=kind, rng=np.random.default_rng(5))
        assert scored.mcc == pytest.approx(-1, abs=0.01)
    scored = held_out_match(swapped, true, rng=np.random.default_rng(5))
    assert [pair[:2] for pair in scored.pairs] == [(0, 1), (1, 0)]
    assert abs(scored.mcc) < 0.1


def test_noise_scores_zero_held_out_and_more_than_that_otherwise() -> None:
    rng = np.random.default_rng(3)
    within, outside = [], []
    for _ in range(60):
        learned, true = rng.normal(size=(2, 60, 5))
        within.append(match(learned, true).mcc)
        outside.append(held_out_match(learned, true, rng=rng).mcc)
    assert np.mean(within) > 0.15
    assert abs(np.mean(outside)) < 4 * np.std(outside) / math.sqrt(60)


def test_blocks_forbid_pairs_across() -> None:
    true = latents(500)
    learned = true[:, [2, 3, 0, 1]]  # the modalities are swapped
    blocks = [([0, 1], [0, 1]), ([2, 3], [2, 3])]
    for found in (match(learned, true, blocks=blocks), held_out_match(learned, true, blocks=blocks, rng=_rng())):
        assert found.mcc < 0.2
        assert {(i < 2, j < 2) for i, j, _ in found.pairs} == {(True, True), (False, False)}
        assert [j for _, j, _ in found.pairs] == [0, 1, 2, 3]
    crossed = [([2, 3], [0, 1]), ([0, 1], [2, 3])]
    assert match(learned, true, blocks=crossed).mcc == pytest.approx(1)


def test_fewer_learned_than_true_latents_leave_some_unmatched() -> None:
    true = latents()
    found = held_out_match(true[:, [3, 1]], true, rng=_rng())
    assert found.unmatched == (0, 2)
    assert found.mcc == pytest.approx(1)
    assert match(true, true[:, :2]).unmatched == ()


def test_a_constant_latent_scores_zero() -> None:
    true = latents()
    learned = true.copy()
    learned[:, 1] = 7.0
    for kind in ("pearson", "spearman", "monotone"):
        assert held_out_match(learned, true, kind=kind, rng=_rng()).mcc == pytest.approx(0.75, abs=1e-3)


def test_what_cannot_be_scored() -> None:
    x = latents()
    with pytest.raises(InputError, match="learned latents hold missing"):
        match(np.where(x > 2, np.nan, x), x)
    with pytest.raises(InputError, match="400 people have learned latents and 399"):
        match(x, x[1:])
    with pytest.raises(InputError, match="shape"):
        match(x[:, 0], x)
    with pytest.raises(InputError, match="too few"):
        match(x[:3], x[:3])
    with pytest.raises(ValueError, match="no kind 'kendall'"):
        held_out_match(x, x, kind="kendall", rng=_rng())  # type: ignore[arg-type]


def _by_true(found: Match) -> dict[int, float]:
    return {j: score for _, j, score in found.pairs}


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)
