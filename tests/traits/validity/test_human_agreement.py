"""Agreement with humans: closed forms, an independent alt-test, invariances, reasons for what is missing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from personax.errors import InputError
from personax.traits.reliability._rating_array import Bootstrap
from personax.traits.validity._alternative_annotator import alt_test
from personax.traits.validity._human_agreement import (
    TraitComparison,
    compare_with_humans,
    mean_reliability,
    pearson,
    spearman,
)
from personax.traits.validity._partial_correlation import control_matrix, partial_correlation


def judged(seed: int = 0, people: int = 400, humans: int = 4, noise: float = 1.0) -> TraitComparison:
    """Humans see the truth with noise, one LLM with half of it; all are normal."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=people)
    seen = truth + noise * rng.normal(size=(humans, people))
    return TraitComparison("openness", seen, {"oak": truth + 0.5 * rng.normal(size=people), "aggregate": truth})


def values(table: pl.DataFrame, rater: str) -> dict[str, dict[str, object]]:
    rows = table.filter(pl.col("rater") == rater).iter_rows(named=True)
    return {row["measure"]: row for row in rows}


def test_correlations_are_those_of_the_model_that_drew_the_scores() -> None:
    table = compare_with_humans(judged(people=4000), Bootstrap(np.random.default_rng(1), 60), same_scale=True)
    oak, humans, aggregate = (values(table, name) for name in ("oak", "humans", "aggregate"))
    # mean of four: variance 1 + 1/4; of three 1 + 1/3; one human 2; oak 1.25
    assert oak["pearson"]["value"] == pytest.approx(1 / np.sqrt(1.25 * 1.25), abs=0.02)
    assert oak["left_out"]["value"] == pytest.approx(1 / np.sqrt(1.25 * (4 / 3)), abs=0.02)
    assert humans["left_out"]["value"] == pytest.approx(1 / np.sqrt(2 * (4 / 3)), abs=0.02)
    assert humans["reliability"]["value"] == pytest.approx(0.8, abs=0.02)
    assert humans["icc_average"]["value"] == pytest.approx(0.8, abs=0.02)
    assert oak["corrected"]["value"] == pytest.approx(1 / np.sqrt(1.25), abs=0.02)
    assert aggregate["corrected"]["value"] == pytest.approx(1.0, abs=0.02)
    assert oak["slope"]["value"] == pytest.approx(0.8, abs=0.03)
    assert aggregate["slope"]["value"] == pytest.approx(1.0, abs=0.03)
    assert all(row["low"] <= row["value"] <= row["high"] for row in oak.values())  # type: ignore[operator]


def test_another_scale_and_a_single_human_leave_gaps_with_reasons() -> None:
    found = judged(humans=1)
    table = compare_with_humans(found, Bootstrap(np.random.default_rng(1), 20), same_scale=False, reliability=0.5)
    oak, humans = values(table, "oak"), values(table, "humans")
    for row in (oak["kappa"], oak["difference"], oak["left_out"], humans["alpha"], humans["icc_average"]):
        assert row["value"] is None
        assert row["reason"]
    assert oak["corrected"]["value"] == pytest.approx(oak["pearson"]["value"] / np.sqrt(0.5), abs=1e-5)


@given(st.integers(0, 50), st.floats(0.1, 9), st.floats(-5, 5))
def test_correlations_do_not_depend_on_units(seed: int, factor: float, shift: float) -> None:
    found = judged(seed, 40)
    moved = factor * found.raters["oak"] + shift
    assert pearson(moved, found.mean) == pytest.approx(pearson(found.raters["oak"], found.mean), abs=1e-9)
    assert spearman(moved**3, found.mean) == pytest.approx(stats.spearmanr(moved**3, found.mean)[0], abs=1e-9)


def test_reliability_with_holes_is_near_that_without() -> None:
    rng = np.random.default_rng(3)
    scores = judged(5, 3000).humans
    scores[rng.random(scores.shape) < 0.3] = np.nan
    number = (~np.isnan(scores)).sum(axis=0)
    expected = 1 / (1 + (1 / number[number > 0]).mean())
    assert mean_reliability(scores) == pytest.approx(expected, abs=0.02)
    assert np.isnan(mean_reliability(scores[:1]))


def test_partial_correlation_is_that_of_the_inverse_covariance() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(300, 2))
    a, b = (z @ [1.0, 2.0] + rng.normal(size=300) for _ in range(2))
    inverse = np.linalg.inv(np.cov(np.column_stack([a, b, z]).T))
    expected = -inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])
    assert partial_correlation(a, b, z) == pytest.approx(expected, abs=1e-9)
    assert np.isnan(partial_correlation(z[:, 0], b, z)), "nothing is left of a control itself"
    assert np.isnan(partial_correlation(a[:4], b[:4], z[:4]))


def test_controls_are_dummies_and_strange_ones_are_refused() -> None:
    sex = pl.Series("sex", ["f", "m", "f", None, "x"])
    design = control_matrix({"sex": sex, "age": pl.Series([1, 2, 3, 4, 5])}, {"sex": True, "age": False})
    assert design[0].tolist() == [0, 0, 1]
    assert np.isnan(design[3]).all()
    with pytest.raises(InputError, match="text and not nominal"):
        control_matrix({"sex": sex}, {"sex": False})
    with pytest.raises(InputError, match="has 1 values"):
        control_matrix({"sex": pl.Series("sex", ["f", "f"])}, {"sex": True})


def plain_alt_test(humans: np.ndarray, llm: np.ndarray, epsilon: float, q: float) -> tuple[float, float]:
    """Return winning rate and mean advantage, person by person as the paper's section 3 writes it."""
    p_values, advantages = [], []
    for j in range(len(humans)):
        llm_wins, human_wins = [], []
        for i in range(humans.shape[1]):
            rest = [humans[k, i] for k in range(len(humans)) if k != j and not np.isnan(humans[k, i])]
            if np.isnan(humans[j, i]) or not rest:
                continue
            far_llm = np.sqrt(np.mean([(llm[i] - other) ** 2 for other in rest]))
            far_human = np.sqrt(np.mean([(humans[j, i] - other) ** 2 for other in rest]))
            llm_wins.append(float(far_llm <= far_human + 1e-9))
            human_wins.append(float(far_human <= far_llm + 1e-9))
        gap = np.array(human_wins) - np.array(llm_wins)
        t = (gap.mean() - epsilon) / (gap.std(ddof=1) / np.sqrt(len(gap)))
        p_values.append(stats.t.cdf(t, len(gap) - 1))
        advantages.append(np.mean(llm_wins))
    order, m = np.argsort(p_values), len(p_values)
    harmonic = sum(1 / k for k in range(1, m + 1))
    passed = [place for place in range(m) if p_values[order[place]] <= q * (place + 1) / (m * harmonic)]
    return (max(passed) + 1 if passed else 0) / m, float(np.mean(advantages))


@given(st.integers(0, 40), st.floats(0.2, 2.0), st.sampled_from([0.0, 0.1, 0.2]))
def test_the_alt_test_is_that_of_the_paper(seed: int, noise: float, epsilon: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(2, 0.8, 60)
    humans = np.clip(np.round(truth + 0.6 * rng.normal(size=(4, 60))), 1, 3)
    humans[rng.random(humans.shape) < 0.1] = np.nan
    llm = np.clip(np.round(truth + noise * rng.normal(size=60)), 1, 3)
    found = alt_test(humans, llm, epsilon=epsilon)
    rate, advantage = plain_alt_test(humans, llm, epsilon, 0.05)
    assert found["winning_rate"] == pytest.approx(rate)
    assert found["advantage"] == pytest.approx(advantage, abs=1e-5)
    assert found["passes"] is (rate >= 0.5)


def test_the_alt_test_needs_three_humans_and_thirty_people() -> None:
    humans = judged(humans=3, people=60).humans
    assert alt_test(humans, humans[0])["reason"] is None
    for few in (humans[:2], humans[:, :29]):
        found = alt_test(few, few[0])
        assert found["winning_rate"] is None
        assert "3 are needed" in found["reason"]
    with pytest.raises(InputError, match="epsilon"):
        alt_test(humans, humans[0], epsilon=1.0)


def test_a_copy_of_the_others_mean_wins_and_a_contrarian_loses() -> None:
    humans = judged(humans=4, people=100).humans
    assert alt_test(humans, humans.mean(axis=0))["winning_rate"] == 1.0
    assert alt_test(humans, -5 - humans.mean(axis=0))["winning_rate"] == 0.0
