"""Vectors of more than 1,024 numbers are attacked as hard as short ones, and nothing is worked out twice."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from personax.release import Chain, ReleaseKey
from personax.release._release_audit import _SecondRelease
from personax.release.audit import _known_pairs, _linkage, _nearest_neighbours, _unlinkability, audit_vectors
from personax.release.audit._attribute_inference import attribute_inference
from personax.release.audit._axes import LONG, _made, leading, principal, whitened, whitened_leading
from personax.release.audit._cached_views import CachedViews, as_they_are
from personax.release.audit._gromov_wasserstein import gromov_wasserstein
from personax.release.audit._joint_attack import axes_together, by_pairs, first_axes, shortened
from personax.release.audit._known_pairs import known_pairs
from personax.release.audit._linkage import Solved, linkage
from personax.release.audit._nearest_neighbours import distance_profiles, mean_of_least, nearest, profiles_of
from personax.release.audit._self_training import MatchedPairs, SelfTrained, reduced, self_train
from personax.release.audit._unlinkability import unlinkability

KEY = ReleaseKey(bytes(range(32)))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def long(n: int, dim: int = LONG + 76, seed: int = 0, noise: float = 0.01) -> np.ndarray:
    draws = rng(seed)
    return np.asarray(
        (draws.gamma(1.0, size=(n, 60)) * np.geomspace(1, 0.2, 60)) @ rng(7).normal(size=(60, dim))
        + noise * draws.normal(size=(n, dim)),
        dtype=np.float32,
    )


def released(preset: str, x: np.ndarray) -> np.ndarray:
    return np.asarray(Chain(preset, x.shape[1], KEY, "a").fit(x).transform(x))


def distances(x: np.ndarray) -> np.ndarray:
    z = x.astype(np.float64) - x.mean(axis=0)
    squares = np.square(z).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares[:, None] + squares - 2 * z @ z.T, 0)))


@pytest.mark.parametrize("n", [200, LONG + 300])
def test_leading_axes_are_those_of_the_covariance_whether_people_or_numbers_are_more(n: int) -> None:
    x = long(n, noise=0.3)
    scores = leading(x)
    assert scores.shape == (n, min(n - 1, LONG))
    size = np.square(x - x.mean(axis=0)).sum()
    assert np.square(scores).sum() == pytest.approx(size, rel=0.01)
    variances = np.square(scores).mean(axis=0)
    assert (np.diff(variances) <= 1e-3 * variances[0]).all(), "those of most variance come first"
    assert np.allclose(distances(scores), distances(x), rtol=0.03, atol=0.03 * np.sqrt(size / n))
    assert np.allclose(np.square(principal(x, 10)).mean(axis=0), 1, atol=1e-3)


def test_whitening_of_fewer_people_than_numbers_is_that_of_the_transform() -> None:
    x = long(150, noise=0.0)
    made = Chain(["whitening"], x.shape[1], KEY, "a").fit_transform(x)
    assert np.allclose(distances(whitened(x)), distances(np.asarray(made)), rtol=2e-3, atol=1e-2)


@pytest.mark.parametrize("noise", [0.3, 0.0])
def test_long_vectors_of_more_people_are_whitened_as_the_transform_does_it_with_and_without_its_floor(
    noise: float,
) -> None:
    x = long(LONG + 300, noise=noise)
    made = np.asarray(Chain(["whitening"], x.shape[1], KEY, "a").fit_transform(x))
    some = slice(0, 150)
    assert np.allclose(distances(whitened(x)[some]), distances(made[some]), rtol=2e-3, atol=1e-2)
    first = distances(whitened_leading(x, 60)[some])
    assert np.allclose(first, distances(made[some, -60:]), rtol=2e-3, atol=1e-2), "those of most variance come last"


@pytest.mark.parametrize("shape", [(70, 90), (400, 430), (401, 233)])
def test_means_of_the_least_are_those_of_a_sort(shape: tuple[int, int]) -> None:
    values = rng().normal(size=shape).astype(np.float32).round(1)
    for axis in (0, 1):
        least = np.sort(values, axis=axis).take(range(10), axis)
        assert np.allclose(mean_of_least(values, 10, axis=axis), least.mean(axis=axis), atol=1e-6)


def test_profiles_are_the_same_whether_all_distances_are_held_at_once_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    x = long(300)[:, :40].copy()
    whole = distance_profiles(x)
    monkeypatch.setattr(_nearest_neighbours, "WHOLE_ROWS", 100)
    assert np.allclose(whole, distance_profiles(x), atol=1e-3)


def test_only_who_is_scored_is_looked_up_and_the_same_rows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    x = long(240)[:, :40].copy()
    y, probes = released("rotation", x), np.arange(7, 27)
    asked: list[int] = []

    def counted(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        asked.append(len(a))
        return nearest(a, b)

    monkeypatch.setattr(_linkage, "nearest", counted)
    found = _linkage._profiles(CachedViews(x), CachedViews(y), rng(), probes=probes)
    assert asked == [20]
    assert np.array_equal(found, _linkage._profiles(CachedViews(x), CachedViews(y), rng())[probes])


def test_profiles_of_a_few_are_those_of_all_up_to_how_places_are_standardised() -> None:
    x = rng().gamma(1.0, size=(4000, 24)).astype(np.float32)
    rows = rng(1).permutation(4000)[:600]
    few, whole = profiles_of(x, rows), distance_profiles(x)
    assert np.abs(few - whole[rows]).mean() < 0.02
    # who is found by them is the same
    assert (nearest(few, whole) == rows).all()
    noisy = x + 0.05 * rng(2).normal(size=x.shape).astype(np.float32)
    found = [(nearest(z, whole) == rows).mean() for z in (profiles_of(noisy, rows), distance_profiles(noisy)[rows])]
    assert 0.7 < found[1] < 0.95
    assert abs(found[0] - found[1]) < 0.02


def test_what_is_worked_out_of_rows_serves_any_order_of_them_and_equal_rows_count_once() -> None:
    x = long(90)[:, :12].copy()
    x[80:] = x[:10]
    order = rng(3).permutation(90)
    kept, anew = CachedViews(x).permuted(order), CachedViews(x[order])
    assert kept.equal.label.tolist() == anew.equal.label.tolist()
    for mine, other in ((kept.profiles(as_they_are), anew.profiles(as_they_are)),
                        (kept.profiles(as_they_are, order[:7]), anew.profiles(as_they_are)[order[:7]]),
                        (kept.distinct_profiles(reduced, 80), anew.distinct_profiles(reduced, 80))):  # fmt: skip
        assert np.allclose(mine, other, atol=1e-2)
    assert len(kept.distinct_profiles(reduced, 80)) == 80


def test_pairs_go_on_from_what_was_found_without_them_and_find_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    x = long(400, noise=0.0)[:, :40].copy()
    sides, solved = (CachedViews(x), CachedViews(released("rotation", x))), list[Solved]()
    found = {a.name: a.value for a in linkage(*sides, "x", solved=solved, rng=rng())}
    assert found["profiles, self-training"] == 1
    assert (solved[0].pairs.original == solved[0].pairs.released).mean() > 0.95
    starts: list[int] = []

    def counted(u: np.ndarray, v: np.ndarray, start: MatchedPairs, **how: Any) -> SelfTrained:
        starts.append(len(start.original))
        return self_train(u, v, start, **how)

    monkeypatch.setattr(_known_pairs, "self_train", counted)
    for start in (None, solved[0]):
        starts.clear()
        points, _ = known_pairs(sides[0].vectors, sides[1].vectors, network=False, sides=sides, solved=start, rng=rng())
        assert [(p.pairs, p.rank_1) for p in points if p.attack == "self-training"] == [(1, 1.0)]
        assert (starts[0] > 300) == (start is not None), "it goes on from nearly everybody, else from the pair alone"


def test_other_recordings_are_not_tried_where_the_same_ones_find_nobody_and_a_network_where_a_map_does() -> None:
    x = long(300, noise=0.0)[:, :8].copy()
    report = audit_vectors(x, released("rotation", x), people=100, rng=rng())
    exact, other = ({a.name: a for a in c.attacks} for c in report.campaigns[:2])
    assert not exact["vectors as they are"].beats
    assert other["vectors as they are"].value is None
    assert "not tried" in str(other["vectors as they are"].reason)
    assert exact["distance profiles"].beats
    assert other["distance profiles"].value is not None
    (network,) = (a for a in report.attacks if a.name == "network")
    assert "gives every vector back" in str(network.reason)
    assert max(p.rank_1 for p in report.curves if p.attack == "linear map") == 1


def test_unlinkability_of_some_people_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    x = rng().gamma(1.0, size=(2600, 10)).astype(np.float32)
    turned = x @ np.linalg.qr(rng(1).normal(size=(10, 10)))[0].astype(np.float32)
    some = {a.name: a for a in unlinkability(CachedViews(turned), CachedViews(x), rng=rng())}
    monkeypatch.setattr(_unlinkability, "SCORED", 10_000)
    whole = {a.name: a for a in unlinkability(CachedViews(turned), CachedViews(x), rng=rng())}
    for name, attack in whole.items():
        assert some[name].tries == 2000
        assert abs((some[name].value or 0) - (attack.value or 0)) < 0.05
    assert (some["profiles of two keys"].value or 0) > 0.8


def test_distances_to_known_people_are_worked_out_once_and_end_where_all_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = long(160)
    columns: list[int] = []
    plain = _known_pairs._distances_to

    def counted(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
        columns.append(len(known))
        return plain(rows, known)

    monkeypatch.setattr(_known_pairs, "_distances_to", counted)
    points, _ = known_pairs(x, released("rotation", x), network=False, rng=rng())
    named = {title: [p for p in points if p.attack == title] for title in {p.attack for p in points}}
    its = named["distances to the known"]
    assert its[-1].rank_1 == 1
    assert all(p.rank_1 < 1 for p in its[:-1])
    assert len(named["linear map"]) > len(its), "vectors are recovered better and better"
    whole = named["whitened distances to the known"]
    assert whole[-1].pairs == 80, "who is not found is looked for with all pairs"
    # probes and gallery of the plain ones, of the whitened ones, and of the control
    assert sum(columns) == 2 * (its[-1].pairs + 80 + its[-1].pairs)


def test_what_is_worked_out_is_kept_as_long_as_its_array_and_not_longer() -> None:
    x = long(60)
    assert leading(x) is leading(x)
    place = (id(x), "leading")
    assert place in _made
    del x
    gc.collect()
    assert place not in _made
    short = long(60)[:, :20].copy()
    assert leading(short) is not leading(short), "of short vectors nothing is kept"


@pytest.mark.parametrize(
    ("preset", "attack"),
    [("rotation", "distance profiles"), ("rotation", "principal axes"), ("rotation", "profiles, self-training"),
     ("whitening", "profiles after the same whitening")],
)  # fmt: skip
def test_long_vectors_fall_as_short_ones_do(preset: str, attack: str) -> None:
    x = long(240, noise=0.0)
    trained = [attack] if "self-training" in attack else []
    found = linkage(CachedViews(x), CachedViews(released(preset, x)), "x", trained=trained, rng=rng())
    its = {one.name: one for one in found}[attack]
    assert its.value is not None
    assert its.value > 0.95
    assert its.control is not None
    assert its.control < 0.05


def test_known_pairs_find_the_others_in_long_vectors_and_wrong_pairs_nobody() -> None:
    x = long(160)
    points, attacks = known_pairs(x, released("rotation", x), network=False, rng=rng())
    assert max(point.rank_1 for point in points if point.attack == "linear map") > 0.95
    its = {one.name: one for one in attacks}["linear map"]
    assert its.control is not None
    assert its.control < 0.1
    noise = long(160, seed=9)
    _, none = known_pairs(x, released("rotation", noise), network=False, rng=rng())
    assert not [one.name for one in none if one.beats]


def test_measurements_together_are_seen_on_few_axes_and_short_ones_as_they_are() -> None:
    x, other = long(240), long(240, 40)
    before, after = shortened([x, other], [released("rotation", x), released("rotation", other)])
    assert [z.shape[1] for z in before] == [239, 40]
    assert before[1] is other
    assert by_pairs(before, after, rng=rng())[1].value == pytest.approx(1.0, abs=0.05)
    same, _ = shortened([other], [other])
    assert same[0] is other
    own = first_axes(x, x, axes_together(2))
    again, _ = shortened([x, other], [x, other], [own, None])
    assert again[0] is own[0], "what an audit of the measurement has found is not looked for again"
    assert again[1] is other


def test_plans_of_gromov_wasserstein_hold_no_number_that_is_slow_to_compute_with() -> None:
    sets = [distances(rng(seed).gamma(0.3, size=(80, 3))) for seed in (0, 1)]
    one, other = (each / each.mean() for each in sets)
    plan = gromov_wasserstein(one, other, np.square(one.mean(axis=1)[:, None] - other.mean(axis=1)[None]))
    assert plan[plan > 0].min() > np.finfo(np.float32).tiny
    assert plan.sum() == pytest.approx(1, rel=1e-3)


def test_a_second_release_is_of_the_originals_unless_noise_was_added_and_made_once_a_length() -> None:
    x = long(60)[:, :30].copy()
    chain = Chain("rotation", 30, KEY, "a").fit(x)
    second = _SecondRelease("rotation", ReleaseKey(bytes(32)))
    y = chain.transform(x)
    stolen, renewed = second.made(x, y, chain, 40, rng())
    assert (stolen.value, stolen.tries) == (1.0, 40)
    assert np.allclose(distances(renewed), distances(x), atol=1e-2)
    assert not np.allclose(renewed, y, atol=0.1)
    its, noisy = second._chain, chain.transform(x + rng(5).normal(size=x.shape).astype(np.float32))
    assert np.allclose(distances(second.made(x, noisy, chain, 40, rng())[1]), distances(noisy), atol=1e-2)
    assert second._chain is its


def test_attributes_of_many_people_are_inferred_from_the_same_ones_for_every_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("personax.release.audit._attribute_inference.TRAINING_ROWS", 100)
    n = 700
    x = rng().normal(size=(n, 12)).astype(np.float32)
    sign = np.where(x[:, 0] > 0, "a", "b").tolist()
    some = [value if place % 7 else None for place, value in enumerate(sign)]
    found = list(attribute_inference(x, x, {"all": sign, "again": sign, "some": some}, rng=rng()))
    assert [one.value is not None and one.value > 0.75 for one in found] == [True] * 3
    assert found[0].tries == found[1].tries
    assert found[0].value == found[1].value, "one sample of people, one kernel"
