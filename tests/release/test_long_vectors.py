"""Vectors of more than 1,024 numbers are attacked as hard as short ones, and nothing is worked out twice."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from personax.release import Chain, ReleaseKey
from personax.release.audit._attribute_inference import attribute_inference
from personax.release.audit._axes import LONG, _made, leading, principal, whitened
from personax.release.audit._cached_views import CachedViews
from personax.release.audit._joint_attack import by_pairs, shortened
from personax.release.audit._known_pairs import known_pairs
from personax.release.audit._linkage import linkage

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
