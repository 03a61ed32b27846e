"""Attacks find what is there, find nothing where nothing is, and say both with honest intervals."""

from __future__ import annotations

import json
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.spatial.distance import cdist
from scipy.stats import norm, special_ortho_group

from personax.errors import InputError
from personax.registry import forget, names, register
from personax.release import Chain, Gate, ReleaseKey, audit_table, audit_vectors
from personax.release.audit import Attack
from personax.release.audit._attack import rate
from personax.release.audit._attribute_inference import attribute_inference
from personax.release.audit._axes import independent, matched, principal
from personax.release.audit._cached_views import CachedViews
from personax.release.audit._campaign import registered_attacks
from personax.release.audit._conformance import check_attack
from personax.release.audit._gromov_wasserstein import gromov_wasserstein
from personax.release.audit._inverse_network import learn_inverse
from personax.release.audit._known_pairs import broken_at, known_pairs
from personax.release.audit._linkage import linkage, self_training_titles
from personax.release.audit._nearest_neighbours import distance_profiles, nearest, ranks
from personax.release.audit._unlinkability import d_sys, unlinkability

KEY = ReleaseKey(bytes(range(32)))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def people(n: int, dim: int, seed: int = 0) -> np.ndarray:
    draws = rng(seed)
    latent = draws.gamma(1.0, size=(n, dim)) * np.geomspace(1, 0.3, dim)
    return np.asarray(latent @ draws.normal(size=(dim, dim)), dtype=np.float32)


X = people(240, 12)


def released(preset: str, x: np.ndarray = X, key: ReleaseKey = KEY) -> np.ndarray:
    return np.asarray(Chain(preset, x.shape[1], key, "a").fit(x).transform(x))


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 40), st.integers(1, 8), st.integers(0, 10_000))
def test_nearest_and_ranks_are_those_of_all_distances(n: int, dim: int, seed: int) -> None:
    a, b = rng(seed).normal(size=(2, n, dim)).astype(np.float32)
    far = cdist(a, b)
    assert np.allclose(far[np.arange(n), nearest(a, b)], far.min(axis=1), rtol=1e-3, atol=1e-3)
    true = np.arange(n)
    clear = np.abs(far - far[true, true][:, None]) > 1e-3
    clear[true, true] = True
    sure = clear.all(axis=1)
    assert (ranks(a, b, true) == (far <= far[true, true][:, None]).sum(axis=1))[sure].all()
    assert (ranks(np.zeros_like(a), np.zeros_like(b), true) == n).all(), "ties must not find anybody"
    label = rng(seed).integers(0, 3, size=n)
    own = label[:, None] == label
    best = np.where(own, far, np.inf).min(axis=1)[:, None]
    sure = (own | (np.abs(far - best) > 1e-3)).all(axis=1)
    assert (ranks(a, b, true, label) == 1 + (~own & (far <= best)).sum(axis=1))[sure].all()


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000), st.floats(0.1, 100))
def test_profiles_do_not_see_rotation_translation_and_scale(seed: int, scale: float) -> None:
    x = people(60, 5, seed)
    moved = scale * (x @ special_ortho_group.rvs(5, random_state=seed)) + 3
    assert np.abs(distance_profiles(moved.astype(np.float32)) - distance_profiles(x)).max() < 0.05


def test_axes_whiten_separate_and_match() -> None:
    sources = rng().gamma(1.0, size=(4000, 4)) - 1
    white = principal((sources @ rng(1).normal(size=(4, 4))).astype(np.float32), 10)
    assert np.allclose(white.T @ white / 4000, np.eye(4), atol=1e-3)
    found = independent(white, rng=rng(2))
    related = np.abs(np.corrcoef(found.T, sources.T)[:4, 4:])
    assert related.max(axis=1).min() > 0.97
    a, b = matched(found, -found[:, [2, 0, 3, 1]])
    assert np.allclose(a, b, atol=1e-5)
    assert principal(np.ones((20, 3), np.float32) * np.arange(20, dtype=np.float32)[:, None], 3).shape == (20, 1)


def test_gromov_finds_an_isometry() -> None:
    x = people(60, 4).astype(float)
    order = rng(3).permutation(60)
    far = cdist(x, x) / cdist(x, x).mean()
    hidden = far[np.ix_(order, order)]
    # a start that knows a little: how far a person is from the middle
    mean = far.mean(axis=1)
    found = gromov_wasserstein(far, hidden, np.square(mean[:, None] - mean[order][None])).argmax(axis=1)
    assert (order[found] == np.arange(60)).mean() > 0.95


EXPECTED = {
    ("shuffle", "distance profiles"): 1.0,
    ("rotation", "distance profiles"): 1.0,
    ("rotation", "principal axes"): 1.0,
    ("rotation", "profiles, self-training"): 1.0,
    ("warp", "Gromov-Wasserstein, self-training"): 1.0,
    ("whitening", "whitened profiles"): 1.0,
    ("whitening", "profiles after the same whitening"): 1.0,
    ("whitening", "independent axes"): 1.0,
    ("whitening", "whitened profiles, self-training"): 1.0,
}


@pytest.mark.parametrize(("preset", "linker"), EXPECTED)
def test_what_a_transform_keeps_links(preset: str, linker: str) -> None:
    trained = [linker] if linker in self_training_titles() else []
    attacks = linkage(CachedViews(X), CachedViews(released(preset)), "x", trained=trained, rng=rng())
    found = {attack.name: attack for attack in attacks}[linker]
    assert found.value is not None
    assert found.value > 0.9
    assert found.beats
    assert found.control is not None
    assert found.control < 0.05
    assert found.baseline == pytest.approx(1 / found.tries, abs=1e-6)


def test_nothing_is_linked_where_nothing_is_shared() -> None:
    found = list(linkage(CachedViews(X), CachedViews(people(240, 12, 9)), "x", rng=rng()))
    titles = {one.title for one in registered_attacks("originals")}
    assert {attack.name for attack in found} == titles, "without success every start is tried"
    for attack in found:
        assert attack.value is not None
        assert attack.value < 0.05, attack.name
        assert not attack.beats, attack.name


def test_known_pairs_break_a_rotation_at_its_dimension_and_a_flow_later() -> None:
    x = people(800, 24)
    points, attacks = known_pairs(x, released("rotation", x), network=False, rng=rng())
    linear = {p.pairs: p for p in points if p.attack == "linear map"}
    assert linear[1].rank_1 < 0.1
    assert linear[32].rank_1 > 0.99
    assert linear[32].cosine is not None
    assert linear[32].cosine > 0.99
    first = {p.pairs: p for p in points if p.attack == "distances to the known"}[1]
    assert first.rank_1 > 0.8, "where distances stay, a single known person tells the others apart"
    found = {attack.name: attack for attack in attacks}
    assert found["linear map"].control is not None
    assert found["linear map"].control < 0.02
    assert found["linear map"].detail["broken_at"] in (16, 32)
    chain, _ = known_pairs(x, released("chain", x), network=False, rng=rng())
    assert (broken_at(chain, "linear map") or 10_000) > 32
    assert (broken_at(chain, "self-training") or 10_000) <= 32, "pairs that are extended to others do what few cannot"
    assert all(p.low <= p.rank_1 <= p.high and p.rank_1 <= p.rank_10 for p in points + chain)


def test_known_pairs_with_the_wrong_people_find_nobody() -> None:
    points, _ = known_pairs(X, people(240, 12, 5), network=False, rng=rng())
    assert max(p.rank_1 for p in points) < 0.1
    assert broken_at(points) is None


def test_the_network_recovers_what_a_linear_map_cannot() -> None:
    pytest.importorskip("torch")
    x = rng().normal(size=(1500, 4)).astype(np.float32)
    y = np.sinh(1.5 * x) @ rng(1).normal(size=(4, 4)).astype(np.float32)
    back = learn_inverse(x[:1200], y[:1200], rng=rng())(y[1200:])
    design = np.column_stack([np.ones(1500), y])
    line = design[1200:] @ np.linalg.lstsq(design[:1200], x[:1200], rcond=None)[0]
    errors = [float(np.square(found - x[1200:]).mean()) for found in (back, line)]
    assert errors[0] < 0.7 * errors[1]


def test_without_torch_the_network_is_missing_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    _, attacks = known_pairs(people(100, 40), people(100, 40, 1), network=True, rng=rng())
    missing = next(attack for attack in attacks if attack.name == "network")
    assert missing.value is None
    assert "personax[crl]" in (missing.reason or "")
    assert not missing.beats


def test_attributes_are_inferred_where_vectors_hold_them() -> None:
    x = people(600, 8)
    gender = np.where(x[:, 0] > np.median(x[:, 0]), "a", "b").tolist()
    coin = rng(4).choice(["a", "b"], size=600).tolist()
    told = {"gender": gender, "coin": coin, "id": [str(i) for i in range(600)], "few": [None] * 590 + ["a"] * 10}
    for preset in ("rotation", "chain"):
        found = {
            a.name.removeprefix("inference of "): a
            for a in attribute_inference(x, released(preset, x), told, rng=rng())
        }
        assert found["gender"].value is not None
        assert found["gender"].value > 0.8
        assert found["gender"].detail["original"] > 0.9
        assert found["gender"].beats
        assert abs(found["gender"].detail["gain"] - (found["gender"].value - found["gender"].baseline)) < 1e-5
        assert not found["coin"].beats
        assert found["id"].value is None
        assert found["few"].value is None


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5, 4.0])
def test_d_sys_is_the_integral_of_its_definition(shift: float) -> None:
    """Scores of mated pairs N(shift, 1), of others N(0, 1): the integral by quadrature."""
    p, q = norm(shift, 1).pdf, norm(0, 1).pdf
    exact, _ = quad(lambda s: max(0.0, (p(s) - q(s)) / (p(s) + q(s))) * p(s), -8, 12, limit=200)
    draws = rng()
    found = d_sys(draws.normal(shift, 1, 20_000), draws.normal(0, 1, 200_000))
    assert found == pytest.approx(exact, abs=0.02)


def test_releases_under_two_keys_are_joined_by_distances_only() -> None:
    x = people(600, 16)
    sides = CachedViews(released("rotation", x)), CachedViews(released("rotation", x, ReleaseKey(bytes(32))))
    found = {a.name: a for a in unlinkability(*sides, rng=rng())}
    assert (found["profiles of two keys"].value or 0) > 0.9
    assert (found["vectors of two keys"].value or 0) < 0.25
    none = list(unlinkability(CachedViews(people(600, 16, 1)), CachedViews(people(600, 16, 2)), rng=rng()))
    assert all((a.value or 0) < 0.1 and not a.beats for a in none)


def table(n: int, seed: int) -> pl.DataFrame:
    draws = rng(seed)
    return pl.DataFrame(
        {
            "height": draws.normal(175, 10, n),
            "weight": draws.normal(70, 10, n),
            "year": draws.integers(1950, 2005, n),
            "country": draws.choice(list("abcdefgh"), n),
            "job": draws.choice(list("xyz"), n),
            "city": draws.choice([f"c{i}" for i in range(40)], n),
        }
    )


def test_a_table_released_as_it_is_singles_out_and_links_and_another_does_not() -> None:
    original = table(600, 0)
    same = {attack.name: attack for attack in audit_table(original, original, rng=rng())}
    assert (same["singling out by one column"].value or 0) > 0.5
    assert (same["singling out by several columns"].value or 0) > 0.5
    assert (same["linkability"].value or 0) > 0.5
    other = {attack.name: attack for attack in audit_table(original, table(600, 1), rng=rng())}
    for name in ("singling out by several columns", "linkability"):
        assert (other[name].value or 0) < 0.15
        assert not other[name].beats
    coarse = original.select("country", "job")
    few = {attack.name: attack for attack in audit_table(coarse, coarse, rng=rng())}
    assert few["singling out by several columns"].value is None or not few["singling out by several columns"].beats
    with pytest.raises(InputError, match="same people"):
        list(audit_table(original, original[:10], rng=rng()))
    assert all(
        a.value is None and "too few" in (a.reason or "") for a in audit_table(original[:9], original[:9], rng=rng())
    )


@pytest.mark.parametrize("moved", [1000.0, -1e6])
def test_where_the_zero_of_a_column_lies_does_not_matter_to_a_table(moved: float) -> None:
    original = table(300, 0)
    numbers = [name for name, kind in original.schema.items() if kind.is_numeric()]
    assert numbers
    shifted = original.with_columns(pl.col(numbers) + moved)
    found = [[a.to_dict() for a in audit_table(each, each[::-1], rng=rng())] for each in (original, shifted)]
    assert found[0] == found[1]


@given(seed=st.integers(0, 50))
@settings(max_examples=10)
def test_a_view_of_dealt_rows_is_the_dealt_view(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x, order, again = draw.normal(size=(40, 5)).astype(np.float32), draw.permutation(40), draw.permutation(40)
    rows = CachedViews(x)
    assert np.allclose(rows.permuted(order).view(distance_profiles), distance_profiles(x[order]), atol=1e-3)
    assert np.array_equal(rows.permuted(order).permuted(again).vectors, x[order][again])
    assert np.array_equal(rows.permuted(order).view(distance_profiles), rows.view(distance_profiles)[order])


def test_the_report_says_pseudonymised_and_never_claims_more() -> None:
    chain = Chain("rotation", 12, KEY, "a")
    y = chain.transform(X)
    values = {"sex": np.where(X[:, 0] > np.median(X[:, 0]), "a", "b").tolist()}
    renewed = released("rotation", key=ReleaseKey(bytes(32)))
    report = audit_vectors(
        X, y, renewed=renewed, inverted=chain.inverse_transform(y), attributes=values, network=False, rng=rng()
    )
    assert report.sentence("text/a").startswith("The release is pseudonymised, not anonymous: who holds")
    assert report.worst.value == 1.0
    assert report.stolen is not None
    assert report.stolen.value == 1.0
    assert report.stolen not in report.attacks
    assert report.stolen.detail["largest_error"] < 1e-5
    told = json.dumps(report.iso_24745())
    assert "100% of people are matched" in told
    assert "met" not in told.replace("method", ""), "a property of protection is no verdict where all are matched"
    json.dumps(report.to_dict(), allow_nan=False)
    again = audit_vectors(
        X, y, renewed=renewed, inverted=chain.inverse_transform(y), attributes=values, network=False, rng=rng()
    )
    assert again.to_dict() == report.to_dict()
    nothing = audit_vectors(X, people(240, 12, 9), network=False, rng=rng(1))
    assert not nothing.beaten
    assert "proves nothing about others" in nothing.sentence("a")
    assert "pseudonymised, not anonymous" in nothing.sentence("a")


def test_bad_vectors_are_not_audited() -> None:
    with pytest.raises(InputError, match="20 or more people"):
        audit_vectors(X[:10], X[:10], rng=rng())
    with pytest.raises(InputError, match="20 or more people"):
        audit_vectors(X, X[:, :3], rng=rng())
    with pytest.raises(InputError, match="missing or infinite"):
        audit_vectors(np.where(X > 2, np.nan, X), X, rng=rng())


@settings(max_examples=60)
@given(st.integers(0, 100), st.integers(0, 100))
def test_a_gate_lets_through_what_is_below_and_nothing_else(found: int, limit: int) -> None:
    attacks = [
        rate("profiles", "the same embeddings", found, 100, baseline=0.01),
        Attack("vectors", "two releases", "D_sys", found / 100),
        Attack("linkability", "the released table", "risk", found / 100),
        Attack("inference of sex", "half", "accuracy", 0.9, detail={"gain": found / 100}),
        Attack("linear map", "4 known pairs", "accuracy", 1.0, detail={"broken_at": found}),
        Attack("missing", "x", "rank-1", None, reason="no torch"),
    ]
    gates = [
        (Gate(max_rank_1=limit / 100), found > limit),
        (Gate(max_rank_1={"originals": limit / 100}), found > limit),
        (Gate(max_rank_1={"strangers": limit / 100}), False),
        (Gate(max_d_sys=limit / 100), found > limit),
        (Gate(max_linkability=limit / 100), found > limit),
        (Gate(max_attribute_gain=limit / 100), found > limit),
        (Gate(min_pairs=limit or 1), found < (limit or 1)),
        (Gate(max_singling_out=0.0), False),
        (Gate(), False),
    ]
    for gate, stops in gates:
        if stops:
            with pytest.raises(InputError, match=r"release\.gate"):
                gate.check("text/a", attacks, campaign="originals")
        else:
            gate.check("text/a", attacks, campaign="originals")


def test_an_attack_of_another_package_is_run_and_changes_no_number_of_ours() -> None:
    def run() -> dict[str, dict[str, object]]:
        attacks = linkage(CachedViews(X), CachedViews(released("rotation")), "x", trained=(), rng=rng())
        return {attack.name: attack.to_dict() for attack in attacks}

    @register("attacks", "toy-profiles", title="toy profiles", campaign="originals")
    def toy(x: CachedViews, y: CachedViews, rng: np.random.Generator) -> np.ndarray:
        rng.normal(size=100)
        return nearest(distance_profiles(x.vectors), distance_profiles(y.vectors))

    @register("attacks", "toy-broken", title="toy broken", campaign="originals")
    def broken(x: CachedViews, y: CachedViews, rng: np.random.Generator) -> np.ndarray:
        raise ValueError("no torch")

    try:
        found = run()
        register("attacks", "toy-scalar", campaign="pears")(toy)
        with pytest.raises(AssertionError, match="toy-scalar: campaign='pears'; attacks are registered for originals"):
            check_attack("toy-scalar")
        with pytest.raises(AssertionError, match=r"^toy-broken: .* it raises ValueError \(no torch\); "):
            check_attack("toy-broken")
    finally:
        for name in ("toy-profiles", "toy-broken", "toy-scalar"):
            forget("attacks", name)
    assert found.pop("toy profiles")["value"] == 1.0
    assert "raised ValueError: no torch" in str(found["toy broken"]["reason"])
    assert found.pop("toy broken")["value"] is None
    assert found == run()


@pytest.mark.parametrize("name", [name for name in names("attacks") if name != "inverse-network"])
def test_our_attacks_keep_the_contract(name: str) -> None:
    check_attack(name)
