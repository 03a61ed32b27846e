"""Agreement: published values, closed forms, degenerate cases with a reason."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from personax.schema import TRAITS
from personax.traits import agreement
from personax.traits.reliability import krippendorff_alpha, weighted_kappa

NAN = float("nan")

# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", the example with missing data of section D
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


def test_alpha_of_the_published_example() -> None:
    assert krippendorff_alpha(PUBLISHED) == pytest.approx(0.815, abs=5e-4)


@given(st.lists(st.lists(st.sampled_from([1.0, 2.0, 3.0, NAN]), min_size=3, max_size=3), min_size=2, max_size=12))
def test_alpha_is_that_of_an_independent_implementation(columns: list[list[float]]) -> None:
    package = pytest.importorskip("krippendorff", reason="the package is in the extra dev")
    scores = np.array(columns).T
    ours = krippendorff_alpha(scores)
    counted = scores[:, (~np.isnan(scores)).sum(axis=0) >= 2]
    if len(np.unique(counted[~np.isnan(counted)])) < 2:
        assert np.isnan(ours)
        return
    assert ours == pytest.approx(package.alpha(reliability_data=scores, level_of_measurement="ordinal"), abs=1e-9)


@given(st.lists(st.lists(st.floats(-1e3, 1e3) | st.just(NAN), min_size=3, max_size=3), min_size=2, max_size=10))
def test_alpha_of_scores_that_are_no_levels_is_that_of_another_implementation(
    columns: list[list[float]],
) -> None:
    package = pytest.importorskip("krippendorff", reason="the package is in the extra dev")
    scores = np.array(columns).T
    counted = scores[:, (~np.isnan(scores)).sum(axis=0) >= 2]
    assume(len(np.unique(counted[~np.isnan(counted)])) >= 2)
    theirs = package.alpha(reliability_data=scores, level_of_measurement="ordinal")
    assert krippendorff_alpha(scores) == pytest.approx(theirs, abs=1e-9)


def test_alpha_of_tens_of_thousands_of_different_scores_needs_no_table_of_them() -> None:
    rng = np.random.default_rng(0)
    tracemalloc.start()
    # a table of values by values would hold 60,000 squared numbers
    same = krippendorff_alpha(np.tile(rng.normal(size=20_000), (3, 1)))
    found = krippendorff_alpha(rng.normal(size=(3, 20_000)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert same == 1.0
    assert abs(found) < 0.02
    assert most < 50e6


def test_kappa_by_hand_and_against_scikit_learn() -> None:
    a, b = np.array([1.0, 2, 3, 3, 1]), np.array([1.0, 3, 3, 2, 1])
    # mean squared difference .4; expected .8 + .8 + 0
    assert weighted_kappa(a, b) == pytest.approx(1 - 0.4 / 1.6)
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn comes with the extra discovery")
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, 4, 200).astype(float), rng.integers(1, 4, 200).astype(float)
    assert weighted_kappa(a, b) == pytest.approx(metrics.cohen_kappa_score(a, b, weights="quadratic"))
    assert np.isnan(weighted_kappa(np.ones(3), np.ones(3)))


def answers(scores: np.ndarray, *, status: str = "ok") -> pl.DataFrame:
    rows = [
        (f"p{person}", f"m{rater}", trait, None if np.isnan(score) else score, "refused" if np.isnan(score) else status)
        for trait in TRAITS
        for rater, line in enumerate(scores)
        for person, score in enumerate(line)
    ]
    return pl.DataFrame(rows, schema=["person", "model", "trait", "score", "status"], orient="row")


def found(scores: np.ndarray) -> dict[str, Any]:
    return agreement(answers(scores), rng=np.random.default_rng(1), bootstraps=50)


def test_everything_is_reported() -> None:
    result = found(PUBLISHED)
    openness = result["traits"]["openness"]
    assert openness["alpha"] == pytest.approx(0.815, abs=5e-4)
    assert openness["alpha_low"] < openness["alpha"] < openness["alpha_high"]
    assert (openness["n_people"], openness["n_raters"], openness["reason"]) == (11, 4, None)
    first = result["raters"]["m0"]
    assert (first["n"], first["ok"], first["refused"]) == (60, 45, 15)
    assert first["histogram"]["openness"] == {"1": 3, "2": 3, "3": 2, "4": 1}
    assert first["trait_means"]["openness"] == pytest.approx(19 / 9, abs=1e-6)
    assert len(result["pairs"]) == 5 * 6


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (np.array([[1.0, 2, 3]]), "fewer than two people have two scores"),
        (np.array([[2.0, 2, 2], [2, 2, 2]]), "every score is the same"),
    ],
)
def test_no_agreement_without_a_reason(scores: np.ndarray, reason: str) -> None:
    openness = found(scores)["traits"]["openness"]
    assert openness["alpha"] is None
    assert openness["reason"] == reason


def test_the_same_seed_gives_the_same_interval() -> None:
    assert found(PUBLISHED) == found(PUBLISHED)
