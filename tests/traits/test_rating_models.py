"""Rules that put raters together: closed forms, identities, simulated truth, an independent implementation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.errors import InputError
from personax.registry import names
from personax.schema import TRAITS
from personax.simulate._person_details import CUTS, RATERS, rate
from personax.traits import aggregate, aggregate_ratings
from personax.traits._ratings import Floats, Ratings
from personax.traits.rating_models import rating_model
from personax.traits.rating_models._dawid_skene import fit_dawid_skene
from personax.traits.rating_models._many_facet import NODES, fit_many_facet
from personax.traits.rating_models._voting import fit_measurement_model

REFERENCE = Path(__file__).parents[1] / "reference" / "dawid_skene.json"

RULES = names("rating_models")


def ratings(*rows: tuple[int, int, float], people: int) -> Ratings:
    """Make ratings of (rater, person, score)."""
    rater, person, value = (np.array(column) for column in zip(*rows, strict=True))
    names = tuple(f"r{i}" for i in range(int(rater.max()) + 1))
    return Ratings(rater.astype(np.intp), person.astype(np.intp), value.astype(float), names, people)


def of(matrix: Floats) -> Ratings:
    rater, person = np.nonzero(~np.isnan(matrix))
    return ratings(*zip(rater, person, matrix[rater, person], strict=True), people=matrix.shape[1])  # type: ignore[arg-type]


def simulated(n: int, seed: int = 0) -> tuple[Floats, pl.DataFrame, list[str]]:
    rng = np.random.default_rng(seed)
    truth = {trait: rng.standard_normal(n) for trait in TRAITS}
    people = [f"p{i}" for i in range(n)]
    return truth["openness"], rate(truth, people, rng=rng), people


def test_majority_counts_raters_and_meets_in_the_middle_on_a_tie() -> None:
    three = ratings((0, 0, 1), (1, 0, 3), (2, 0, 3), (0, 1, 1), (1, 1, 3), people=3)
    assert np.array_equal(rating_model("majority")(three).score, [3.0, 2.0, np.nan], equal_nan=True)
    repeats = ratings((0, 0, 1), (0, 0, 1), (0, 0, 1), (1, 0, 3), (2, 0, 3), people=1)
    assert rating_model("majority")(repeats).score[0] == 3.0, "a rater asked three times has one vote"


def test_the_confident_weigh_more() -> None:
    rng = np.random.default_rng(1)
    truth = rng.standard_normal(4000)
    noise = np.array([0.2, 0.6, 1.0])
    matrix = truth + noise[:, None] * rng.standard_normal((3, 4000))
    model = fit_measurement_model(matrix, equal=False)
    assert model is not None
    np.testing.assert_allclose(model.error, np.square(noise), atol=0.02)
    assert model.between == pytest.approx(1.0, rel=0.08)
    weighted = rating_model("confidence")(of(matrix)).score
    best = (matrix / np.square(noise)[:, None]).sum(axis=0) / (1 / np.square(noise)).sum()
    assert np.corrcoef(weighted, best)[0, 1] > 0.999
    unsteady = ratings(*[(0, i, 1.0 + i % 3) for i in range(9)], *[(1, i, 1.0 + i % 3) for i in range(9)],
                       (0, 9, 1.0), (1, 9, 1.0), (1, 9, 3.0), people=10)  # fmt: skip
    assert rating_model("confidence")(unsteady).score[9] == pytest.approx((1 * 1.0 + 0.5 * 2.0) / 1.5)


def test_the_normal_model_is_the_closed_form_where_there_is_one() -> None:
    # balanced, one error: the likelihood's maximum is that of the two-way analysis of variance with raters fixed
    rng = np.random.default_rng(2)
    k, n = 3, 500
    matrix = rng.standard_normal(n) + np.array([[0.0], [0.5], [-0.3]]) + 0.7 * rng.standard_normal((k, n))
    centred = matrix - matrix.mean(axis=1, keepdims=True)
    within = float(np.square(centred - centred.mean(axis=0)).sum()) / (n * (k - 1))
    between = float(np.square(centred.mean(axis=0)).mean()) - within / k
    model = fit_measurement_model(matrix)
    assert model is not None
    assert model.error[0] == pytest.approx(within, rel=1e-3)
    assert model.between == pytest.approx(between, rel=1e-3)
    np.testing.assert_allclose(model.severity, matrix.mean(axis=1), atol=1e-6)
    shrunk = between / (between + within / k)
    np.testing.assert_allclose(model.mean - model.severity.mean(), shrunk * centred.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(np.square(model.sd), between * (1 - shrunk), rtol=3e-3)


def test_dawid_and_skene_find_the_confusions() -> None:
    rng = np.random.default_rng(3)
    truth = rng.choice(3, size=3000, p=[0.2, 0.5, 0.3])
    tables = np.array([[[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]],
                       [[0.5, 0.4, 0.1], [0.05, 0.55, 0.4], [0.0, 0.1, 0.9]],
                       [[0.9, 0.1, 0.0], [0.3, 0.6, 0.1], [0.1, 0.5, 0.4]],
                       [[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]]])  # fmt: skip
    said = np.array([[1.0 + rng.choice(3, p=table[level]) for level in truth] for table in tables])
    model = fit_dawid_skene(of(said))
    assert np.abs(model.confusion - tables).max() < 0.09
    assert np.abs(model.prior - [0.2, 0.5, 0.3]).max() < 0.05
    assert all(later >= earlier - 1e-3 for earlier, later in zip(model.loglik, model.loglik[1:], strict=False))
    own = (rating_model("dawid_skene")(of(said)).score - 1 == truth).mean()
    assert own > (rating_model("majority")(of(said)).score - 1 == truth).mean()
    # calibration: of people whose level it holds to be .8 to .9 likely, about that share has it
    top = model.posterior.max(axis=1)
    some = (top > 0.8) & (top < 0.9)
    assert (model.posterior.argmax(axis=1) == truth)[some].mean() == pytest.approx(top[some].mean(), abs=0.06)


def test_dawid_and_skene_agree_with_an_independent_implementation() -> None:
    """Numbers of crowd-kit; tests/reference/dawid_skene.py made them."""
    found = json.loads(REFERENCE.read_text(encoding="utf-8"))
    model = fit_dawid_skene(ratings(*(tuple(row) for row in found["answers"]), people=found["people"]), smoothing=1e-9)
    np.testing.assert_allclose(model.posterior, found["posterior"], atol=1e-4)
    assert (model.posterior.argmax(axis=1) == np.argmax(found["posterior"], axis=1)).all()


def test_the_graded_model_finds_severity_and_sharpness() -> None:
    truth, annotations, people = simulated(3000)
    model = fit_many_facet(Ratings.from_annotations(annotations, "openness", people=people))
    for place, rater in enumerate(RATERS):
        np.testing.assert_allclose(model.thresholds[place], np.array(CUTS) - rater.bias, atol=0.12)
    steady, lenient, _ = model.discrimination
    assert steady > lenient, "less noise is a sharper rater"
    score = rating_model("graded")(Ratings.from_annotations(annotations, "openness", people=people)).score
    known = ~np.isnan(score)
    median = aggregate(annotations, people=people)["final_o"].to_numpy()
    assert np.corrcoef(score[known], truth[known])[0, 1] > np.corrcoef(median[known], truth[known])[0, 1] + 0.02


def test_two_raters_share_one_sharpness() -> None:
    _, annotations, people = simulated(400)
    two = annotations.filter(pl.col("model") != "reticent")
    model = fit_many_facet(Ratings.from_annotations(two, "openness", people=people))
    assert model.discrimination[0] == model.discrimination[1]


@pytest.mark.parametrize("rule", RULES)
def test_plausible_values_have_the_spread_that_is_stated(rule: str) -> None:
    _, annotations, people = simulated(400)
    voted = aggregate_ratings(annotations, people=people, rule=rule)
    draws = voted.imputations(300, np.random.default_rng(0))["final_o"].to_numpy().reshape(300, -1)
    known = ~np.isnan(voted.traits["final_o"].to_numpy())
    assert np.isnan(draws[:, ~known]).all()
    sd = voted.uncertainty()["sd_o"].to_numpy()[known]
    ratio = draws[:, known].std(axis=0)[sd > 0.02] / sd[sd > 0.02]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("rule", ["median", "graded"])
def test_the_spread_of_plausible_values_holds_the_truth(rule: str) -> None:
    rng = np.random.default_rng(5)
    truth = rng.standard_normal(2000)
    matrix = truth + 0.5 * rng.standard_normal((3, 2000))
    if rule == "graded":
        matrix = (1.0 + np.digitize(matrix, CUTS)).astype(np.float64)
        model = fit_many_facet(of(matrix))
        truth = np.asarray(np.interp(truth, NODES, model.expected))
    draw = rating_model(rule)(of(matrix)).draw
    assert draw is not None
    draws = np.stack([draw(np.random.default_rng(i)) for i in range(60)])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.9, abs=0.04)


Answers = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5), st.sampled_from([1.0, 2.0, 3.0])), min_size=1, max_size=40
)


@settings(max_examples=25, deadline=None)
@given(Answers, st.sampled_from(RULES), st.randoms())
def test_order_and_names_do_not_matter(rows: list[tuple[int, int, float]], rule: str, random: object) -> None:
    found = rating_model(rule)(ratings((2, 5, 2.0), *rows, people=7))
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    other = rating_model(rule)(ratings((2, 5, 2.0), *mixed, people=7))
    np.testing.assert_allclose(found.score, other.score, atol=1e-4)
    assert np.isnan(found.score[6]), "nobody rated the last one"
    scores = found.score[~np.isnan(found.score)]
    assert ((scores >= 1) & (scores <= 3)).all()


@pytest.mark.parametrize("rule", RULES)
def test_one_rater_alone_has_no_spread_and_a_reason(rule: str) -> None:
    _, annotations, people = simulated(60)
    voted = aggregate_ratings(annotations.filter(pl.col("model") == "steady"), people=people, rule=rule)
    assert voted.uncertainty()["sd_o"].null_count() == 60
    assert set(voted.reasons()) == set(TRAITS)
    own = voted.traits.select("steady_o", "final_o")
    assert own["steady_o"].equals(own["final_o"].rename("steady_o"), null_equal=True)
    assert voted.imputations(2, np.random.default_rng(0))["final_o"].null_count() == 120


@pytest.mark.parametrize("rule", ["majority", "dawid_skene", "graded"])
def test_levels_are_wanted_where_the_rule_is_for_levels(rule: str) -> None:
    matrix = np.random.default_rng(0).random((3, 20))
    found = rating_model(rule)(of(matrix))
    assert np.isnan(found.score).all()
    assert "60 different scores" in str(found.reason)


def test_an_ok_answer_without_a_number_is_refused() -> None:
    _, annotations, people = simulated(3)
    broken = annotations.with_columns(pl.lit("ok").alias("status"), pl.lit(None, dtype=pl.Float64).alias("score"))
    with pytest.raises(InputError, match="no finite score"):
        aggregate_ratings(broken, people=people)


@pytest.mark.parametrize("rule", ["median", "confidence", "graded", "many_facet"])
def test_a_rater_that_always_says_the_same_is_not_the_surest_one(rule: str) -> None:
    """Under inverse error variances it would have nearly all the weight, and every score would be its own."""
    rng = np.random.default_rng(0)
    place = rng.standard_normal(200)
    scores = 1.0 + np.digitize(place + 0.4 * rng.standard_normal((2, 200)), (-0.6, 0.6))
    rater, person = (at.ravel() for at in np.indices((3, 200)))
    every = Ratings(
        rater,
        person,
        np.asarray(np.vstack([scores, np.full(200, 3.0)]).ravel(), dtype=np.float64),
        ("a", "b", "c"),
        200,
    )
    two = Ratings(rater[:400], person[:400], every.value[:400], ("a", "b", "c"), 200)
    with_it, without = (rating_model(rule)(one) for one in (every, two))
    assert np.allclose(with_it.sd, without.sd)
    assert np.corrcoef(with_it.score, place)[0, 1] > 0.8
    if rule != "median":
        assert np.allclose(with_it.score, without.score)
    alone = Ratings(rater[rater != 1], person[rater != 1], every.value[rater != 1], ("a", "b", "c"), 200)
    assert rating_model(rule)(alone).reason is not None, "of one rater that varies nobody can tell"
