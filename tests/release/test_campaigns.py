"""Planted truths: what every attacker must find, and what nobody can."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from personax.errors import InputError
from personax.release import Chain, Gate, ReleaseKey, audit_vectors
from personax.release.audit import _distribution_alignment
from personax.release.audit._attack import CONFIDENCE, clopper_pearson_lower
from personax.release.audit._cached_views import CachedViews, EqualRows, equal_rows
from personax.release.audit._distribution_alignment import strangers
from personax.release.audit._joint_attack import by_groups, by_pairs
from personax.release.audit._known_pairs import broken_at, known_pairs
from personax.release.audit._learned_maps import predict
from personax.release.audit._linkage import from_facts, linkage, one_original
from personax.release.audit._seed_pairs import by_gromov_wasserstein
from personax.release.audit._self_training import MatchedPairs, reduced, reduced_white, self_train
from personax.release.audit._table_attacks import join, joined
from personax.simulate import simulate_population

KEY = ReleaseKey(bytes(range(32)))
SENTENCES = Path(__file__).parents[3] / "shared" / "data" / "worlds" / "texts-2x2.npz"


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def skewed(n: int, dim: int, seed: int = 0) -> np.ndarray:
    draws = rng(seed)
    return np.asarray((draws.gamma(1.0, size=(n, dim)) * np.geomspace(1, 0.3, dim)) @ rng(7).normal(size=(dim, dim)),
                      dtype=np.float32)  # fmt: skip


def faces(n: int) -> np.ndarray:
    return simulate_population(n, rng=rng(), text_dim=8, image_dim=64).embeddings["image"]["image_a"].to_numpy()


def released(preset: str, x: np.ndarray) -> np.ndarray:
    return np.asarray(Chain(preset, x.shape[1], KEY, "a").fit(x).transform(x))


def best(x: np.ndarray, y: np.ndarray, **how: Any) -> float:
    return max(attack.value or 0.0 for attack in linkage(CachedViews(x), CachedViews(y), "x", rng=rng(), **how))


@pytest.mark.parametrize("n", [60, 300, 1500])
def test_whitening_falls_whole_at_every_size(n: int) -> None:
    """The attacker whitens all rows; whom to score is a sample, and its whitening would be another one."""
    x = skewed(n, 40)
    scored = np.sort(rng(1).permutation(n)[:50])
    assert best(x, released("whitening", x), probes=scored, trained=()) == 1.0


def test_whitening_of_a_sample_would_find_next_to_nobody() -> None:
    x = skewed(1500, 40)
    some = np.arange(50)
    assert best(x[some], released("whitening", x)[some], trained=()) < 0.5, "this is what the audit once did"


@pytest.mark.parametrize("preset", ["flow", "warp"])
def test_what_bends_distances_falls_without_a_pair(preset: str) -> None:
    x = faces(300)
    order = rng(1).permutation(300)
    u, v = reduced(x), reduced(released(preset, x)[order])
    found = self_train(u, v, by_gromov_wasserstein(u, v), one_to_one=True, rng=rng())
    assert (order[found.guess] == np.arange(300)).mean() >= 0.99
    assert found.agreed >= 0.99, "that it has worked is seen without the truth"


def test_chain_falls_to_few_pairs_on_simulated_faces() -> None:
    x = faces(500)
    points, _ = known_pairs(x, released("chain", x), network=False, rng=rng())
    assert (broken_at(points) or 1000) <= 16


@pytest.mark.skipif(not SENTENCES.exists(), reason="the sentence vectors of shared/data are absent")
def test_chain_falls_to_few_pairs_on_sentence_vectors() -> None:
    with np.load(SENTENCES) as file:
        x = file["b_0"].astype(np.float32)[rng().permutation(4891)[:1200]]
    known, order = rng(2).permutation(1200)[:32], rng(1).permutation(1200)
    place = np.argsort(order)
    u, v = reduced_white(x), reduced(released("chain", x)[order])
    none = MatchedPairs(np.zeros(0, np.intp), np.zeros(0, np.intp))
    found = self_train(u, v, none, known=MatchedPairs(known, place[known]), rng=rng())
    assert (found.guess == place).mean() > 0.95


def test_one_length_tells_a_person_where_only_a_rotation_hides_them() -> None:
    x = skewed(400, 12)
    for preset, finds in (("rotation", True), ("shuffle", True), ("chain", False)):
        attacks = list(one_original(x, released(preset, x), probes=np.arange(400), rng=rng()))
        assert (max(attack.value or 0.0 for attack in attacks) > 0.95) == finds, preset


def test_strangers_tell_a_rotation_and_who_is_a_member(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the alignment works few starts are tried, and they find what all of them find."""
    x = faces(1000)
    y, tried = released("rotation", x), list[int]()
    plain = _distribution_alignment._refine_alignment

    def counting(u: np.ndarray, v: np.ndarray, turn: np.ndarray, most: int, step: int) -> np.ndarray:
        tried.append(step)
        return plain(u, v, turn, most, step)

    monkeypatch.setattr(_distribution_alignment, "_refine_alignment", counting)
    attacks = strangers(x, y, rng=rng())
    alignment = next(attacks)
    few = len(tried)
    assert alignment.name == "alignment of distributions"
    assert (alignment.value or 0) >= 0.9
    found = {attack.name: attack for attack in attacks}
    assert (found["membership by alignment of distributions"].value or 0) >= 0.95
    assert found["membership by alignment of distributions"].beats
    none = {attack.name: attack for attack in strangers(x[:200], skewed(200, 64, 5), rng=rng())}
    assert not any(attack.beats for attack in none.values())
    tried.clear()
    monkeypatch.setattr(_distribution_alignment, "AGREEING", 99)
    of_all = next(strangers(x, y, rng=rng()))
    assert few < len(tried)
    assert alignment.value == pytest.approx(of_all.value, abs=0.02)


def test_unique_rows_of_a_table_are_pairs_and_the_vectors_do_the_rest() -> None:
    x = faces(400)
    draws = rng(3)
    table = pl.DataFrame({"year": draws.integers(1950, 2000, 400), "country": draws.choice(list("abcdef"), 400)})
    facts = join(table, table, table.columns)
    alone = len(facts.original) / 400
    assert 0.1 < alone < 0.6
    assert (facts.original == facts.released).all()
    assert joined(table, table, table.columns, rng=rng()).value == pytest.approx(alone)
    sides = CachedViews(x), CachedViews(released("chain", x))
    found = max(a.value or 0 for a in from_facts(*sides, facts, probes=np.arange(400), rng=rng()))
    assert found >= 0.99, "those who are alike in the table are told apart by their vectors"
    assert len(join(table, table, []).original) == 0


def test_the_vectors_as_they_are_are_found_by_everything() -> None:
    x = skewed(300, 10)
    assert best(x, x, trained=()) == 1.0
    assert all(a.value == 1.0 for a in one_original(x, x, probes=np.arange(300), rng=rng()))


@pytest.mark.parametrize("seed", range(1))
def test_noise_is_guessing_by_every_campaign(seed: int) -> None:
    """Nothing is shared: of all attacks together none beats guessing and its control."""
    x, y = (rng(place).normal(size=(200, 8)).astype(np.float32) for place in (seed, 100 + seed))
    report = audit_vectors(
        x, y, network=False, renewed=rng(200 + seed).normal(size=(200, 8)).astype(np.float32), rng=rng(seed)
    )
    assert {campaign.name for campaign in report.campaigns} >= {"originals", "strangers", "pairs", "one_original"}
    assert not report.beaten, [attack.name for attack in report.beaten]


@pytest.mark.parametrize(("hits", "tries"), [(1, 10), (5, 240), (240, 240), (700, 1000)])
def test_the_floor_is_where_so_many_hits_are_too_many(hits: int, tries: int) -> None:
    """The definition: at that rate, as many hits or more come with half of the level's probability."""
    assert binom.sf(hits - 1, tries, clopper_pearson_lower(hits, tries)) == pytest.approx(
        (1 - CONFIDENCE) / 2, rel=1e-6
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), pairs=st.integers(15, 30))
def test_predictions_leave_out_their_own_pair(seed: int, pairs: int) -> None:
    """A value that is moved by 1 moves its own prediction by about 1 / n, through the mean alone."""
    draws = rng(seed)
    x, y = draws.normal(size=(40, 4)).astype(np.float32), draws.normal(size=(40, 3)).astype(np.float32)
    a = draws.permutation(40)[:pairs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module(predict.__module__), "PENALTIES", np.array([1e-3]))
        for kernels in (["linear"], ["gaussian"]):
            before = predict(x, y, a, a, kernels).all[a[0]]
            moved = y.copy()
            moved[a[0]] += 1
            after = predict(x, moved, a, a, kernels).all[a[0]]
            assert np.abs(after - before).max() < 4 / pairs


def test_a_start_that_is_mostly_wrong_is_mended_and_one_that_is_all_wrong_is_seen() -> None:
    x = faces(400)
    u, v = reduced(x), reduced(released("rotation", x))
    wrong = rng(1).permutation(400)
    right = wrong.copy()
    right[:100] = np.arange(100)
    mended = self_train(u, v, MatchedPairs(np.arange(400), right), rng=rng())
    assert (mended.guess == np.arange(400)).mean() > 0.99
    lost = self_train(u, v, MatchedPairs(np.arange(400), wrong), rng=rng())
    assert lost.agreed < 0.6


def test_measurements_together_tell_what_none_tells_alone() -> None:
    """Four numbers with noise in each of four measurements, and groups of eight people alike."""
    rng = np.random.default_rng(3)
    n, measurements = 240, 4
    groups = np.repeat(np.arange(n // 8), 8)
    before = [rng.normal(size=(n, 4)).astype(np.float32) for _ in range(measurements)]
    turns = [np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in before]
    after = [((x + 0.7 * rng.normal(size=x.shape)) @ q).astype(np.float32) for x, q in zip(before, turns, strict=True)]
    asked = np.arange(n)
    alone = audit_vectors(before[0], after[0], network=False, rng=rng)
    together = by_groups(before, after, (groups, groups), probes=asked, rng=rng)
    assert (alone.worst.value or 0) < 0.15
    assert (together.value or 0) > 0.5
    assert together.beats
    assert together.control is not None
    assert together.control < 0.3, "the table alone tells one of eight"
    points, best = by_pairs(before, after, rng=rng)
    assert best.value == max(point.rank_1 for point in points)
    assert (best.value or 0) > 2 * max(point.rank_1 for point in alone.curves)
    assert best.beats
    assert best.control is not None
    assert best.control < 0.3, "from wrong pairs, self-training may still find some"


def test_together_finds_nobody_where_nothing_is_shared() -> None:
    rng = np.random.default_rng(4)
    before, after = ([rng.normal(size=(100, 6)).astype(np.float32) for _ in range(2)] for _ in range(2))
    one = np.zeros(100, dtype=np.intp)
    assert not by_groups(before, after, (one, one), probes=np.arange(100), rng=rng).beats
    assert not by_pairs(before, after, rng=rng)[1].beats


def repeated(n: int, distinct: int, seed: int = 0) -> np.ndarray:
    """Return which of the distinct vectors each of n people has; some share theirs with many."""
    shares = 1 / np.arange(1, distinct + 1)
    return rng(seed).permutation(
        np.r_[np.arange(distinct), rng(seed).choice(distinct, n - distinct, p=shares / shares.sum())]
    )


@pytest.mark.parametrize("preset", [None, "whitening", "flow"])
def test_people_with_equal_vectors_are_found_together(preset: str | None) -> None:
    x = skewed(150, 24)[repeated(500, 150)]
    y = x if preset is None else released(preset, x)
    sizes = np.bincount(repeated(500, 150))
    assert sizes.max() > 20
    found = {
        attack.name: attack for attack in linkage(CachedViews(x), CachedViews(y), "x", probes=np.arange(250), rng=rng())
    }
    worst = max(found.values(), key=lambda attack: attack.value or 0.0)
    assert worst.value == 1.0
    assert worst.beats
    assert (worst.control or 0.0) < 0.2
    assert worst.baseline == pytest.approx(sizes[repeated(500, 150)][:250].mean() / 500, abs=1e-6)
    if preset is None:
        assert all(attack.value == 1.0 for attack in one_original(x, y, probes=np.arange(500), rng=rng()))
        assert found["vectors as they are"].value == 1.0
    points, _ = known_pairs(x, y, network=False, rng=rng())
    assert max(point.rank_1 for point in points) == 1.0


@pytest.mark.parametrize("seed", range(1))
def test_noise_is_guessing_where_many_vectors_are_equal(seed: int) -> None:
    """Whoever is hit by chance is hit with all who have that vector, which is no success: intervals go by it."""
    x, y = (rng(place).normal(size=(200, 8)).astype(np.float32) for place in (seed, 100 + seed))
    x = x[repeated(200, 60, seed)]
    report = audit_vectors(
        x, y, network=False, renewed=rng(200 + seed).normal(size=(200, 8)).astype(np.float32), rng=rng(seed)
    )
    assert report.attacks[0].baseline > 3 / 200
    assert not report.beaten, [attack.name for attack in report.beaten]
    alike = np.zeros(200, dtype=np.intp)
    assert not by_groups([x, x], [y, y], (alike, alike), probes=np.arange(200), rng=rng(seed)).beats


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), copies=st.integers(1, 60), preset=st.sampled_from(["rotation", "whitening"]))
def test_copies_lower_no_success_by_more_than_their_share(seed: int, copies: int, preset: str) -> None:
    """Profiles are of all distances, so that copies move them; what was found of distinct people stays found."""
    x = skewed(80, 6, seed)
    more = x[np.r_[np.arange(80), rng(seed).integers(80, size=copies)]]
    alone, beside = (
        {attack.name: attack.value or 0.0
         for attack in linkage(CachedViews(z), CachedViews(released(preset, z)), "x", trained=(), rng=rng())}
        for z in (x, more)
    )  # fmt: skip
    # axes have signs to be found, which a few people more may turn; weak matches come and go with any change
    for name in (name for name, value in alone.items() if "axes" not in name and value > 0.5):
        assert beside[name] >= alone[name] - copies / len(more), name


def test_equal_rows_have_the_chance_and_the_variance_of_guesses() -> None:
    """Against simulation: every class of equal originals gets one guess, at random."""
    label = equal_rows(rng().integers(0, 25, size=120)[:, None])
    asked = rng(1).permutation(120)[:70]
    guesses = rng(2).integers(120, size=(20_000, 120))
    hits = np.array([label.same(guess[label.label[asked]], asked).sum() for guess in guesses])
    assert hits.mean() / 70 == pytest.approx(label.chance(asked), rel=0.03)
    share = label.chance(asked)
    assert hits.var() / (70 * share) == pytest.approx(label.design_effect(asked), rel=0.1)
    every = EqualRows(np.arange(7))
    assert (every.chance(np.arange(3)), every.design_effect(np.arange(3))) == (1 / 7, 1.0)
    assert equal_rows(np.array([[0.0], [-0.0], [1.0]])).label.tolist() == [0, 0, 1]


def sentences(array: str, people: int) -> np.ndarray:
    with np.load(SENTENCES) as file:
        return np.asarray(file[array][file[f"{array}_of"][:people]], dtype=np.float32)


@pytest.mark.skipif(not SENTENCES.exists(), reason="the sentence vectors of shared/data are absent")
def test_the_gate_stops_sentence_vectors_of_which_many_are_equal() -> None:
    """1,000 people have 215 vectors. On 64 of their numbers whitening hides nothing.

    On all 384 it leaves little: 215 vectors in general position, whitened in 214 or more dimensions, are a simplex of
    which two corners lie sqrt(n / a + n / b) apart where a and b people have them. Only how many share a vector is
    left, so that a one-to-one attack finds one class of each size, on average: the sum of the sizes that occur / n.
    """
    x = sentences("a_0", 1000)
    sizes = np.bincount(equal_rows(x).label)
    assert len(sizes) == 215
    few = np.ascontiguousarray(x[:, :64])
    for part, limit, least_found in ((few, 0.2, 1.0), (x, 0.1, 0.8 * sum(set(sizes)) / 1000)):
        attacks = list(linkage(CachedViews(part), CachedViews(released("whitening", part)), "x", trained=(), rng=rng()))
        assert max(attack.value or 0.0 for attack in attacks) >= least_found
        with pytest.raises(InputError, match=r"release\.gate\.max_rank_1"):
            Gate(max_rank_1=limit).check("text/a_0", attacks, campaign="originals")
