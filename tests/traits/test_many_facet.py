"""The many-facet model: gradients by differences, what was put in is found, silence invents nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from personax.schema import TRAITS
from personax.traits import aggregate_ratings
from personax.traits._ratings import Floats, Ratings
from personax.traits.rating_models import fit_many_facet, rating_model
from personax.traits.rating_models._many_facet import NODES, AnswerPatterns, _Model
from personax.traits.reliability import silence_by_group

FAMILY_SPREAD, OWN_SPREAD, SILENCE_SLOPE = 0.7, 0.5, -1.0


def simulated(n: int, repeats: int = 2, gap: float = 0.5, seed: int = 0) -> tuple[Ratings, np.ndarray]:
    """Four raters, two of one family; each sees people its own way, is asked again, and is silent about the low."""
    rng = np.random.default_rng(seed)
    group = rng.integers(2, size=n)
    place = rng.standard_normal(n) + gap * group
    families = ("x", "x", "y", "z")
    seen_by = {name: place + (FAMILY_SPREAD if name == "x" else 0) * rng.standard_normal(n) for name in set(families)}
    rows, silent = [], []
    for rater, family in enumerate(families):
        own = seen_by[family] + OWN_SPREAD * rng.standard_normal(n)
        for _ in range(repeats):
            level = 1.0 + np.digitize(own + rng.logistic(scale=0.4, size=n), [-0.6, 0.6])
            quiet = rng.random(n) < 1 / (1 + np.exp(2 - SILENCE_SLOPE * own))
            rows += [(rater, person, level[person]) for person in np.flatnonzero(~quiet)]
            silent += [(rater, person) for person in np.flatnonzero(quiet)]
    rater, person, value = np.array(rows).T
    quiet_rater, quiet_person = np.array(silent).T
    return Ratings(rater.astype(np.intp), person.astype(np.intp), value, tuple("abcd"), n, quiet_rater.astype(np.intp),
                   quiet_person.astype(np.intp), families, group[:, None].astype(float)), group  # fmt: skip


def test_the_gradient_is_that_of_the_likelihood() -> None:
    ratings, group = simulated(40)
    model = _Model(AnswerPatterns.of(ratings, group, silence=True), ratings.families, 2)
    at = model.start + 0.2 * np.random.default_rng(1).standard_normal(len(model.start))
    found = model.evaluate(at).gradient
    for place in range(len(at)):
        step = np.zeros(len(at))
        step[place] = 1e-5
        difference = (model.evaluate(at + step).loglik - model.evaluate(at - step).loglik) / 2e-5
        np.testing.assert_allclose(found[:, place], difference, atol=1e-7)


def test_every_facet_that_was_put_in_is_found() -> None:
    ratings, group = simulated(2500)
    fit = fit_many_facet(ratings, silence=True, group=group, n_groups=2)
    assert fit.family_spread["x"] == pytest.approx(FAMILY_SPREAD, abs=0.15)
    assert list(fit.rater_spread.values()) == pytest.approx([OWN_SPREAD] * 4, abs=0.15)
    assert fit.group_means[1] == pytest.approx(0.5, abs=0.12)
    assert [slope for _, slope, _ in fit.silence.values()] == pytest.approx([SILENCE_SLOPE] * 4, abs=0.25)
    assert [by_group for *_, by_group in fit.silence.values()] == pytest.approx([0.0] * 4, abs=0.3)
    plain = fit_many_facet(Ratings(ratings.rater, ratings.person, ratings.value, ratings.raters, ratings.n_people))
    spread = []
    for one in (fit, plain):
        centre = one.posterior @ NODES
        spread.append(np.sqrt(one.posterior @ np.square(NODES) - np.square(centre)).mean())
    assert spread[0] > spread[1], "eight answers of three families are not eight opinions"


def silent_about_one_group(n: int) -> tuple[pl.DataFrame, pl.Series]:
    """A lenient rater is silent about 5 % of one group and 60 % of the other; the groups are alike."""
    rng = np.random.default_rng(3)
    group = rng.integers(2, size=n)
    seen = rng.standard_normal(n) + np.array([[0.0], [0.7], [0.0]]) + 0.5 * rng.standard_normal((3, n))
    score = 1.0 + np.digitize(seen, [-0.6, 0.6])
    quiet = rng.random((3, n)) < np.stack([np.full(n, 0.05), np.where(group == 1, 0.6, 0.05), np.full(n, 0.05)])
    rater, person = (place.ravel() for place in np.indices(score.shape))
    rows = {"person": [f"p{i}" for i in person], "model": [f"r{i}" for i in rater], "trait": TRAITS[0]}
    given = pl.Series(np.where(quiet, np.nan, score).ravel()).fill_nan(None)
    status = np.where(quiet.ravel(), "insufficient", "ok")
    return pl.DataFrame({**rows, "score": given, "status": status}), pl.Series([f"g{one}" for one in group])


def test_a_lenient_rater_that_is_silent_about_one_group_invents_no_difference() -> None:
    rows, group = silent_about_one_group(12000)
    people = [f"p{i}" for i in range(12000)]

    def gap(rule: str) -> tuple[float, float]:
        """Return the difference of means and of standard deviations between the groups."""
        made = aggregate_ratings(rows, people=people, rule=rule, groups={"group": group})
        scores = (made.plausible(np.random.default_rng(0)) if rule == "many_facet" else made).traits["final_o"]
        by = [scores.filter(group == name).drop_nulls().to_numpy() for name in ("g0", "g1")]
        return float(by[1].mean() - by[0].mean()), float(by[1].std() - by[0].std())

    assert gap("median")[0] < -0.04
    assert gap("many_facet") == pytest.approx((0.0, 0.0), abs=0.03)
    found = {one["rater"]: one for one in silence_by_group(rows, people, {"group": group})}
    assert found["r1"]["p_corrected"] < 1e-9
    assert min(found["r0"]["p_corrected"], found["r2"]["p_corrected"]) > 0.01
    assert found["r1"]["shares"]["g1"] == pytest.approx(0.6, abs=0.02)


def test_a_level_that_a_rater_never_gives_and_one_that_always_agrees_stay_finite() -> None:
    rng = np.random.default_rng(4)
    place = rng.integers(1, 4, 60).astype(float)
    matrix: Floats = np.stack([place, place, np.where(place == 2, 3.0, place)])
    rater, person = np.nonzero(matrix)
    ratings = Ratings(rater, person, matrix[rater, person], ("a", "b", "c"), 60)
    fit = fit_many_facet(ratings)
    assert np.isfinite(fit.discrimination).all()
    assert np.isfinite(fit.thresholds).all()
    score = rating_model("many_facet")(ratings).score
    assert (np.diff([score[place == level].mean() for level in (1, 2, 3)]) > 0.3).all()


def test_severities_are_what_was_put_in_within_their_intervals() -> None:
    """Three raters of severity 0, -.5 and 0: less their mean, .17, -.33 and .17 standard deviations of people."""
    truth, covered, widths = np.array([1 / 6, -1 / 3, 1 / 6]), [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        seen = rng.standard_normal(500) + np.array([0, 0.5, 0])[:, None]
        scores = 1.0 + np.digitize(seen + rng.normal(0, [[0.4], [0.6], [0.5]], (3, 500)), (-0.6, 0.6))
        rater, person = (place.ravel() for place in np.indices(scores.shape))
        found = rating_model("many_facet")(Ratings(rater, person, scores.ravel(), ("a", "b", "c"), 500)).raters
        assert found is not None
        for name, true in zip("abc", truth, strict=True):
            one = found[name]["severity"]
            covered.append(one["low"] < true < one["high"])
            widths.append(one["high"] - one["low"])
    assert np.mean(covered) > 0.85
    assert max(widths) < 0.3
