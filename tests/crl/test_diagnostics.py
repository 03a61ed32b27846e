"""Diagnostics on people whose truth is known: each assumption once kept and once broken, and the verdict follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import pearsonr

from personax.crl._estimator import Arrays
from personax.crl.diagnostics import (
    block_leakage,
    conditional_independence,
    diagnose,
    exogenous_noise,
    explained_variance,
)
from personax.crl.diagnostics._leakage import _beyond
from personax.crl.diagnostics._residuals import columns_by_group, residuals
from personax.crl.diagnostics._verdict import add_verdicts, judge, worst
from personax.crl.methods import method
from personax.errors import InputError, UntestableError
from personax.independence import hsic, kci
from personax.simulate._mixing import mix

Array = NDArray[np.float64]
NAMES = ["text_1", "text_2", "face_1"]


def independence(x: Array, y: Array) -> float:
    return hsic(x, y).p_value


def conditional(x: Array, y: Array, z: Array) -> float:
    return kci(x, y, z).p_value


def world(*, leak: float = 0.0, common: float = 0.0, n: int = 2000, seed: int = 0) -> tuple[Arrays, Array]:
    """Two texts and a face; ``leak``: text/a's noise follows the face's latent; ``common``: texts share a noise."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 2))
    face = 0.8 * np.tanh(2 * z[:, :1]) + 0.6 * rng.normal(size=(n, 1))
    own, both = rng.normal(size=(3, n, 1)), rng.normal(size=(n, 1))
    noise_a = np.sqrt(1 - leak**2 - common**2) * own[0] + leak * face + common * both
    noise_b = np.sqrt(1 - common**2) * own[1] + common * both
    views = {
        "text": {
            "a": mix(np.column_stack([z, noise_a]), 7, rng=rng),
            "b": mix(np.column_stack([z, noise_b]), 7, rng=rng),
        },
        "face": {"c": mix(np.column_stack([face, own[2]]), 7, rng=rng)},
    }
    return views, np.column_stack([z, face])


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_of_its_own_holds_and_noise_of_another_modality_is_found(seed: int) -> None:
    for leak, verdict in ((0.0, "holds"), (0.7, "violated")):
        views, z = world(leak=leak, seed=seed)
        found = block_leakage(z, NAMES, views, test=conditional, rng=np.random.default_rng(1))
        assert found.verdict == verdict, found
        each = {(row["measurement"], row["other"]): row["verdict"] for row in found.rows}
        assert each == {("a", "face"): verdict, ("b", "face"): "holds", ("c", "text"): "holds"}
        assert ("text/a depends" in found.sentence) == (leak > 0)


def test_other_latents_are_taken_beyond_ones_own() -> None:
    rng = np.random.default_rng(0)
    own, further = rng.normal(size=(2, 800, 1))
    one = residuals(own, ["text_1"], {"text": {"a": own}}, rng=rng)[0]
    left = _beyond(own, np.tanh(own) + 0.5 * further, one)
    assert left.shape == (400, 2)
    assert pearsonr(left[:, 0], further[one.people, 0])[0] > 0.98


def test_a_latent_that_a_modality_lacks_is_found() -> None:
    views, z = world()
    lacking = z[:, [1, 2]]  # the one that causes the face's
    found = block_leakage(lacking, ["text_1", "face_1"], views, test=conditional, rng=np.random.default_rng(1))
    assert found.verdict == "violated"
    assert {row["verdict"] for row in found.rows if row["modality"] == "text"} == {"violated"}


@pytest.mark.parametrize("seed", [0, 1])
def test_independent_measurements_hold_and_a_common_noise_is_found(seed: int) -> None:
    for common, verdict in ((0.0, "holds"), (0.8, "violated")):
        views, z = world(common=common, seed=seed)
        found = conditional_independence(z, NAMES, views, test=conditional, rng=np.random.default_rng(1))
        assert found.verdict == verdict, found
        assert [(row["modality"], row["verdict"]) for row in found.rows] == [
            ("text", verdict),
            ("face", "not testable"),
        ]
        assert "one measurement" in found.rows[1]["reason"]


def test_noise_whose_size_follows_the_latents_is_not_taken_for_common_noise() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1500, 1))
    views = {"text": {k: np.hstack([z, np.exp(z) * rng.normal(size=z.shape)]) for k in "ab"}}
    found = conditional_independence(z, ["text_1"], views, test=lambda x, y, given: 0.5, rng=rng)
    assert found.verdict == "holds"
    assert found.number is not None
    assert found.number < 0.1


def test_single_measurements_and_single_modalities_are_not_testable() -> None:
    views, z = world()
    single = {"face": views["face"]}
    rng = np.random.default_rng(0)
    found = conditional_independence(z[:, 2:], ["face_1"], single, test=conditional, rng=rng)
    assert (found.verdict, found.number) == ("not testable", None)
    found = block_leakage(z[:, 2:], ["face_1"], single, test=conditional, rng=rng)
    assert (found.verdict, found.rows) == ("not testable", [])


def test_a_refusing_test_leaves_its_reason() -> None:
    def refuse(x: Array, y: Array, given: Array) -> float:
        raise UntestableError("no such luck")

    views, z = world(n=200)
    found = block_leakage(z, NAMES, views, test=refuse, rng=np.random.default_rng(0))
    assert found.verdict == "not testable"
    assert {row["reason"] for row in found.rows} == {"no such luck"}
    nan = block_leakage(z, NAMES, views, test=lambda *_: float("nan"), rng=np.random.default_rng(0))
    assert {row["reason"] for row in nan.rows} == {"the test returned no number"}


def test_tests_see_people_that_nothing_was_fitted_on() -> None:
    views, z = world(n=300)
    seen: list[int] = []

    def look(x: Array, y: Array, given: Array) -> float:
        assert x.shape == (150, 3)
        assert y.shape[1] + given.shape[1] == 3
        seen.append(len(x))
        return 0.5

    block_leakage(z, NAMES, views, test=look, rng=np.random.default_rng(0))
    assert seen == [150] * 3
    fit_on = np.random.default_rng(0).permutation(300)[:150]
    for one in residuals(z, NAMES, views, rng=np.random.default_rng(0)):
        assert not set(one.people) & set(fit_on)


def test_the_explained_share_is_the_signals() -> None:
    """Loadings of equal size, noise of a third of the variance: two thirds are the latents', which is what is found."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 2))
    signs = np.array([[1, 1, -1, 1], [1, -1, 1, 1]]) / np.sqrt(2)
    x = np.sqrt(2 / 3) * z @ signs + np.sqrt(1 / 3) * rng.normal(size=(2000, 4))
    found = explained_variance(z, ["text_1", "text_2"], {"text": {"a": x}}, rng=rng)
    assert found.number == pytest.approx(2 / 3, abs=0.03)
    assert found.verdict == "holds"
    assert found.rows[0]["covered"] == pytest.approx(1)


def test_latents_of_nothing_are_told_from_latents_of_the_measurement() -> None:
    views, z = world()
    rng = np.random.default_rng(0)
    assert explained_variance(z, NAMES, views, rng=rng).verdict in ("holds", "doubtful")
    found = explained_variance(rng.normal(size=z.shape), NAMES, views, rng=rng)
    assert found.verdict == "violated"
    assert found.number is not None
    assert 0 <= found.number < 0.05
    half = explained_variance(np.column_stack([z[:, :2], rng.normal(size=len(z))]), NAMES, views, rng=rng)
    assert "face/c" in half.sentence


def test_shared_latents_belong_to_every_modality() -> None:
    views, z = world()
    own = {"face": views["face"]}
    moved = explained_variance(z[:, 2:], ["shared_1"], own, rng=np.random.default_rng(3))
    assert moved.number == explained_variance(z[:, 2:], ["face_1"], own, rng=np.random.default_rng(3)).number


def test_common_causes_of_noise_are_found() -> None:
    rng = np.random.default_rng(0)
    eps = rng.normal(size=(1500, 3))
    assert exogenous_noise(eps, NAMES, test=independence).verdict == "holds"
    eps[:, 2] += np.square(eps[:, 0])
    found = exogenous_noise(eps, NAMES, test=independence)
    assert found.verdict == "violated"
    assert "text_1 and face_1" in found.sentence


@dataclass(frozen=True)
class Told:
    """A fit that knows what it is told."""

    latents: Array
    names: list[str] = field(default_factory=lambda: NAMES)
    adjacency: Array | None = None
    objective: float = 0.0

    def encode(self, views: Arrays) -> Array:
        return self.latents


@dataclass(frozen=True)
class Noisy(Told):
    """One that knows exogenous noise, too."""

    orthogonal: list[str] = field(default_factory=list)

    def noise(self, views: Arrays) -> Array:
        return np.random.default_rng(0).normal(size=self.latents.shape)


def test_all_together_are_a_table() -> None:
    views, z = world(leak=0.7)
    ask: dict[str, Any] = {"independence": independence, "conditional": conditional}
    rows = diagnose(Told(z), views, rng=np.random.default_rng(0), **ask)
    verdicts = {row["assumption"]: row["verdict"] for row in rows}
    assert len(rows) == 4
    assert verdicts["residuals of measurements are independent of other modalities"] == "violated"
    assert verdicts["measurements are independent given their latents"] == "holds"
    assert verdicts["single latents are identified"] == "not testable"
    for row in rows:
        assert set(row) == {"assumption", "verdict", "number", "sentence", "details"}
        assert row["sentence"].endswith(".")
    link = np.zeros((3, 3))
    link[2, 0] = 1
    further = diagnose(
        Noisy(z, adjacency=link, orthogonal=["text_2"]), views, make_method=lambda: method("pca"),
        rng=np.random.default_rng(0), **ask,
    )  # fmt: skip
    assert [row["assumption"] for row in further[4:]] == [
        "the latents' noise is independent",
        "latents do not depend on a single measurement or modality",
    ]
    assert further[3]["verdict"] == "doubtful"
    assert {row["without"] for row in further[5]["details"]} == {"text/a", "text/b"}


def test_what_cannot_be_diagnosed() -> None:
    views, z = world(n=100)
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="2 names are given for 3"):
        residuals(z, NAMES[:2], views, rng=rng)
    with pytest.raises(InputError, match="face has no latents"):
        residuals(z[:, :2], NAMES[:2], views, rng=rng)
    with pytest.raises(InputError, match="50 people have latents and 100"):
        residuals(z[:50], NAMES, views, rng=rng)
    with pytest.raises(InputError, match="is constant"):
        residuals(z[:, 2:], ["face_1"], {"face": {"c": np.ones((100, 3))}}, rng=rng)
    assert columns_by_group(["a_b_1", "a_b_2", "c_1"]) == {"a_b": [0, 1], "c": [2]}


def test_verdicts_are_corrected_for_their_number() -> None:
    rows: list[dict[str, Any]] = [{"p": 0.03, "effect": 0.5}, {"p": 0.9, "effect": 0.01}, {"p": None, "effect": 0.5}]
    add_verdicts(rows)
    assert [row["p_holm"] for row in rows] == [pytest.approx(0.06), 0.9, None]
    assert [row["verdict"] for row in rows] == ["doubtful", "holds", "not testable"]
    assert judge(0.15, 0.05) == "violated"
    assert judge(0.1, 0.06) == "holds"
    assert worst(["holds", "violated", "doubtful"]) == "violated"


@pytest.mark.slow
def test_levels_are_kept() -> None:
    """A true null with an honest test is called broken no more often than the test's level allows."""
    broken: Mapping[str, list[bool]] = {"leak": [], "common": []}
    for seed in range(12):
        views, z = world(n=400, seed=100 + seed)
        rng = np.random.default_rng(seed)
        known = residuals(z, NAMES, views, rng=rng)
        quick: dict[str, Any] = {"rng": rng, "known": known}
        found = block_leakage(z, NAMES, views, test=lambda x, y, _: 3 * _least(x, y), **quick)
        broken["leak"].append(found.verdict == "violated")
        found = conditional_independence(z, NAMES, views, test=lambda x, y, _: 9 * _least(x, y), **quick)
        broken["common"].append(found.verdict == "violated")
    assert sum(broken["leak"]) <= 2
    assert sum(broken["common"]) <= 2


def _least(x: Array, y: Array) -> float:
    return min(float(pearsonr(a, b).pvalue) for a in x.T for b in y.T)
