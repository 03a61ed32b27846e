"""Reliability: published values, identities, components that were put in, biases that were put in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.schema import TRAITS
from personax.traits.reliability import agreement, reliability_report
from personax.traits.reliability._agreement import icc
from personax.traits.reliability._differential import differential_functioning
from personax.traits.reliability._generalisability import (
    VarianceComponents,
    decision_study,
    generalisability_coefficient,
    variance_components,
)
from personax.traits.reliability._group_differences import group_labels
from personax.traits.reliability._multitrait import correlations, halo, htmt
from personax.traits.reliability._rater_effects import position_effect, retest_reliability, scale_use, severity
from personax.traits.reliability._rating_array import Bootstrap, RatingArray

# Shrout and Fleiss 1979, table 2: four judges, six targets
JUDGES = np.array([[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7.0]])


def resampler(draws: int = 100) -> Bootstrap:
    return Bootstrap(np.random.default_rng(0), draws)


def rows(scores: np.ndarray, *, prompt: str = "number-3-increasing-0", status: str = "ok") -> pl.DataFrame:
    """Turn scores of shape (raters, traits, people, repeats) into annotations; NaN is insufficient information."""
    places = np.argwhere(np.ones(scores.shape, bool))
    values = scores[tuple(places.T)]
    return pl.DataFrame(
        {
            "person": [f"p{i}" for i in places[:, 2]],
            "model": [f"m{i}" for i in places[:, 0]],
            "prompt": prompt,
            "repeat": places[:, 3],
            "trait": [TRAITS[i] for i in places[:, 1]],
            "score": pl.Series(values).fill_nan(None),
            "status": np.where(np.isnan(values), "insufficient", status),
        }
    )


def test_the_published_intraclass_correlations() -> None:
    found = icc(JUDGES)
    assert found.single == pytest.approx(0.29, abs=0.005)
    assert found.average == pytest.approx(0.62, abs=0.005)
    assert found.consistent_single == pytest.approx(0.71, abs=0.005)
    assert found.consistent_average == pytest.approx(0.91, abs=0.005)


def test_with_one_repeat_generalisability_is_the_intraclass_correlation() -> None:
    found = variance_components(JUDGES[:, :, None])
    assert found is not None
    assert generalisability_coefficient(found, 4) == pytest.approx(icc(JUDGES).consistent_average)
    assert generalisability_coefficient(found, 4, absolute=True) == pytest.approx(icc(JUDGES).average)
    assert generalisability_coefficient(found, 1, absolute=True) == pytest.approx(icc(JUDGES).single)


def test_components_that_were_put_in_are_found() -> None:
    rng = np.random.default_rng(1)
    k, n, r = 12, 3000, 3
    scores = (
        rng.standard_normal(n)[:, None]
        + np.sqrt(0.3) * rng.standard_normal((k, 1, 1))
        + np.sqrt(0.5) * rng.standard_normal((k, n, 1))
        + np.sqrt(0.2) * rng.standard_normal((k, n, r))
    )
    found = variance_components(scores)
    assert found is not None
    assert found.error is not None
    assert (found.person, found.interaction, found.error) == pytest.approx((1.0, 0.5, 0.2), rel=0.1)
    assert 0.05 < found.rater < 0.9, "twelve raters tell little of how raters differ"
    known = VarianceComponents(1.0, 0.3, 0.5, 0.2)
    assert generalisability_coefficient(known, 2, 2) == pytest.approx(1 / (1 + 0.25 + 0.05))
    assert decision_study(scores)["needed"]["1"] == 3, "0.7 / 3 is the first below 1/4"


def test_a_design_says_why_it_has_no_numbers() -> None:
    assert "fewer than two raters" in decision_study(JUDGES[:1, :, None])["reason"]
    same = decision_study(np.full((3, 5, 1), 2.0))
    assert same["relative"] is None
    assert same["needed"] == {"1": None}


def test_severity_is_the_shift_that_was_put_in() -> None:
    rng = np.random.default_rng(2)
    scores = rng.standard_normal(500) + 0.3 * rng.standard_normal((3, 500))
    scores[1] += 0.8
    scores[2, ::3] = np.nan
    found = severity(scores, 1, resampler())
    assert found["low"] < 0.8 < found["high"]
    assert severity(scores[:1], 0, resampler())["value"] is None


def test_retest_and_scale_use() -> None:
    assert retest_reliability(np.array([[1.0, 1], [2, 2], [3, 3]]), resampler())["value"] == pytest.approx(1.0)
    half = retest_reliability(np.array([[1.0, 1], [3, 1], [2, np.nan]]), resampler())
    assert (half["same"], half["n"]) == (0.5, 2)
    assert retest_reliability(np.array([[1.0], [2]]), resampler())["reason"] == "it was asked once"
    used = scale_use(np.array([1.0, 1, 2, 3, np.nan]), np.array([1.0, 2, 3]))
    assert used["levels"] == {"1": 0.5, "2": 0.25, "3": 0.25}
    assert used["ends"] == 0.75
    assert scale_use(np.array([2.0]), np.array([1.0, 2, 3]))["evenness"] == 0


@given(st.integers(0, 5))
def test_correlations_are_those_of_numpy_over_the_people_with_both(seed: int) -> None:
    rng = np.random.default_rng(seed)
    means = 50 + rng.standard_normal((2, 5, 30))
    means[rng.random(means.shape) < 0.2] = np.nan
    r = correlations(means)
    both = ~np.isnan(means[0, 1]) & ~np.isnan(means[1, 3])
    assert r[0, 1, 1, 3] == pytest.approx(np.corrcoef(means[0, 1, both], means[1, 3, both])[0, 1])


def test_htmt_by_hand_and_when_two_traits_are_one() -> None:
    r = np.zeros((2, 5, 2, 5))
    r[0, 0, 1, 0] = r[1, 0, 0, 0] = 0.8
    r[0, 1, 1, 1] = r[1, 1, 0, 1] = 0.5
    for i, a, j, b in ((0, 0, 1, 1), (0, 1, 1, 0)):
        r[i, a, j, b] = r[j, b, i, a] = 0.3
    assert htmt(r, 0, 1) == pytest.approx(0.3 / np.sqrt(0.8 * 0.5))
    rng = np.random.default_rng(3)
    one = rng.standard_normal(2000)
    means = np.stack([[one + 0.5 * rng.standard_normal(2000) for _ in TRAITS] for _ in range(3)])
    assert htmt(correlations(means), 0, 4) == pytest.approx(1.0, abs=0.05)


def test_halo_is_a_fifth_without_and_whole_with() -> None:
    rng = np.random.default_rng(4)
    assert halo(rng.standard_normal((5, 20000))) == pytest.approx(0.2, abs=0.01)
    assert halo(np.tile(rng.standard_normal(50), (5, 1))) == pytest.approx(1.0)


def test_a_rater_that_shifts_one_group_is_found_and_no_other() -> None:
    rng = np.random.default_rng(5)
    groups: list[str | None] = [str(name) for name in rng.choice(["f", "m"], 800)]
    truth = rng.standard_normal(800) + 0.7 * (np.array(groups) == "f")  # groups that differ are no bias
    scores = truth + 0.5 * rng.standard_normal((4, 800))
    scores[2] += 0.5 * (np.array(groups) == "m")
    found = {row["rater"]: row for row in differential_functioning(scores, ("a", "b", "c", "d"), groups)}
    assert found["c"]["p_value"] < 1e-6
    assert found["c"]["shifts"]["m"] - found["c"]["shifts"]["f"] == pytest.approx(0.5, abs=0.2)
    assert found["c"]["effect"] > 3 * max(found[name]["effect"] for name in "abd")


def three_raters(rng: np.random.Generator, n: int, gap: float) -> tuple[np.ndarray, list[str | None]]:
    """Make levels of 1 to 3 by raters of different severity and error, about two groups a true gap apart."""
    second = rng.random(n) < 0.5
    seen = rng.standard_normal(n) + gap * second + np.array([[0.0], [0.5], [0.0]])
    seen += np.array([[0.4], [0.6], [0.5]]) * rng.standard_normal((3, n))
    scores = 1.0 + np.digitize(seen, [-0.6, 0.6])
    scores[rng.random(scores.shape) < 0.08] = np.nan
    return scores, ["second" if one else "first" for one in second]


def test_a_true_gap_between_groups_is_no_bias_of_raters() -> None:
    """Matched on the mean of the others, which has error, 99 % of such tests were flagged at 1,000 people."""
    rng = np.random.default_rng(6)
    found = [differential_functioning(*(lambda d: (d[0], "abc", d[1]))(three_raters(rng, 500, 1.0))) for _ in range(40)]
    flagged = [row["p_value"] < 0.05 for rows_ in found for row in rows_]
    assert np.mean(flagged) <= 0.1


def test_the_others_are_not_blamed_for_the_one_that_is_biased() -> None:
    rng = np.random.default_rng(7)
    seen = rng.standard_normal(2000) + 0.5 * rng.standard_normal((3, 2000))
    second = rng.random(2000) < 0.5
    seen[0] += 0.4 * second
    scores = (1.0 + np.digitize(seen, [-0.6, 0.6])).astype(np.float64)
    found = differential_functioning(scores, "abc", ["m" if one else "f" for one in second])
    assert [row["p_value"] < 0.001 for row in found] == [True, False, False]
    assert found[0]["effect"] == pytest.approx(0.4, abs=0.12)
    assert found[0]["shifts"]["m"] > 0 > found[0]["shifts"]["f"]


def test_repeats_are_no_people_and_scores_of_many_values_are_cut() -> None:
    rng = np.random.default_rng(8)
    p = []
    for _ in range(12):
        scores, groups = three_raters(rng, 120, 0.0)
        again = np.repeat(scores[:, :, None], 4, axis=2)
        moved = rng.random(again.shape) < 0.1
        again[moved] = rng.integers(1, 4, moved.sum())
        p += [row["p_value"] for row in differential_functioning(again, "abc", groups)]
    assert np.mean(np.array(p) < 0.05) <= 0.14, "who says the same four times is not four times as sure"
    fine = differential_functioning(rng.random((3, 60)), "abc", ["x", "y"] * 30)
    assert all(0 < row["p_value"] <= 1 for row in fine)


def test_raters_who_agree_throughout_are_not_biased() -> None:
    scores = np.tile(np.repeat([1.0, 3.0], 20), (3, 1))
    found = differential_functioning(scores, "abc", ["low"] * 20 + ["high"] * 20)
    assert min(row["p_value"] for row in found) > 0.5, "what the group decides for all raters is no bias of one"


def test_small_groups_are_left_out_with_a_reason() -> None:
    scores = np.random.default_rng(0).standard_normal((3, 30))
    found = differential_functioning(scores, ("a", "b", "c"), ["x"] * 25 + ["y"] * 5)
    assert found[0]["p_value"] is None
    assert "two groups" in found[0]["reason"]


def test_numbers_become_quarters() -> None:
    names = group_labels(pl.Series([None, *range(1960, 2000)]))
    assert names[0] is None
    assert [names.count(name) for name in dict.fromkeys(names[1:])] == [10] * 4
    assert group_labels(pl.Series(["a", None])) == ["a", None]
    assert group_labels(pl.Series([0, 1, 1])) == ["0", "1", "1"]


def test_the_order_of_levels_moves_a_rater() -> None:
    rng = np.random.default_rng(7)
    down = rng.integers(1, 3, (2, 5, 40, 1)).astype(float)
    up = down.copy()
    up[1] += 0.5
    both = pl.concat([rows(down, prompt="number-3-decreasing-1"), rows(up)])
    found = position_effect(both, resampler())
    assert found["m0"]["value"] == 0
    assert found["m1"]["value"] == pytest.approx(0.5)
    assert position_effect(rows(up), resampler())["m0"]["reason"] == "levels were listed in one order only"


def whole(scores: np.ndarray, **given: Any) -> dict[str, Any]:
    people = [f"p{i}" for i in range(scores.shape[2])]
    return reliability_report(rows(scores), people=people, rng=np.random.default_rng(0), bootstraps=30, **given)


def test_the_whole_table_is_json_and_has_intervals() -> None:
    rng = np.random.default_rng(8)
    truth = rng.standard_normal((1, 5, 120, 1))
    scores = 2.0 + np.clip(np.round(truth + 0.6 * rng.standard_normal((3, 5, 120, 2))), -1, 1)
    scores[rng.random(scores.shape) < 0.1] = np.nan
    league = pl.Series(rng.choice(["NBA", "NHL"], 120))
    found = whole(scores, groups={"league": league, "born": pl.Series(rng.integers(1950, 2000, 120))})
    json.dumps(found, allow_nan=False)
    one = found["traits"]["openness"]
    assert one["icc_average"]["low"] < one["icc_average"]["value"] < one["icc_average"]["high"]
    assert one["icc_single"]["value"] < one["icc_average"]["value"]
    assert one["generalisability"]["repeats"] == 2
    zeros = found["raters"]["m0"]["zeros"]
    assert zeros["value"] == pytest.approx(np.isnan(scores[0]).mean(), abs=1e-6)
    assert {row["group"] for row in found["groups"]["league"]} == {"NBA", "NHL"}
    assert len(found["groups"]["born"]) == 4 * 5
    assert {row["by"] for row in found["differential"]} == {"league", "born"}
    assert all(row["p_corrected"] >= row["p_value"] for row in found["differential"])


@pytest.mark.parametrize("raters", [0, 1])
def test_nobody_and_one_rater_have_reasons_not_numbers(raters: int) -> None:
    scores = np.full((1, 5, 20, 1), np.nan) if raters == 0 else np.ones((1, 5, 20, 1))
    found = whole(scores)
    json.dumps(found, allow_nan=False)
    assert found["traits"]["openness"]["icc_average"]["value"] is None
    assert found["traits"]["openness"]["icc_average"]["reason"]
    assert all(row["value"] is None for row in found["traitwise"]["htmt"])


def test_the_panel_keeps_only_what_has_a_score() -> None:
    scores = np.arange(1, 21.0).reshape(1, 5, 2, 2)
    annotations = rows(scores)
    refused = annotations.with_columns(
        pl.when(pl.col("person") == "p1").then(pl.lit("refused")).otherwise("status").alias("status")
    )
    ratings = RatingArray.from_annotations(refused, ["p1", "p0"])
    assert np.isnan(ratings.scores[:, :, 0]).all()
    np.testing.assert_array_equal(ratings.scores[:, :, 1], scores[:, :, 0])


def test_reports_are_tables_too() -> None:
    rng = np.random.default_rng(0)
    scores = np.clip(np.round(2 + rng.normal(size=(1, 1, 30, 1)) + rng.normal(0, 0.5, (2, len(TRAITS), 30, 2))), 1, 3)
    table = rows(scores)
    report = reliability_report(table, people=[f"p{i}" for i in range(30)], rng=rng, bootstraps=10)
    frame = report.to_frame()
    single = frame.filter(pl.col("measure") == "icc_single", pl.col("trait") == "openness").row(0, named=True)
    assert single["value"] == report["traits"]["openness"]["icc_single"]["value"]
    retest = frame.filter(pl.col("measure") == "retest")
    assert retest.height == 2 * len(TRAITS)
    assert set(frame.filter(pl.col("trait").is_null())["measure"]) >= {"zeros", "unscored", "halo"}
    agreed = agreement(table, rng=rng)
    assert agreed.to_frame()["alpha"].to_list() == [agreed["traits"][trait]["alpha"] for trait in TRAITS]
    assert "alpha_low" in agreed._repr_html_()
