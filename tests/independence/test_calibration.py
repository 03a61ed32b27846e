"""Calibration tells a test that keeps its level from one that does not, and its nulls are nulls and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import stats

from personax.errors import InputError, UntestableError
from personax.independence import (
    SCENARIOS,
    Rate,
    TestResult,
    battery,
    binomial_interval,
    calibrate_like,
    calibrate_scenarios,
    certificate,
    family_sentences,
    family_wise,
    kci,
    rejection_rate,
    verdicts,
)
from personax.independence._data_nulls import Condition, null_of
from personax.independence._registered import ArrayTest
from personax.independence._variable import encode
from personax.schema import Kind

DRAW = SCENARIOS["gaussian"].of(20)

KINDS: dict[str, Kind] = {
    "height": "continuous",
    "age": "continuous",
    "league": "nominal",
    "city": "nominal",
    "month": "cyclic",
    "o": "ordinal",
    "c": "ordinal",
}


def test_of(scale: float) -> ArrayTest:
    """Return a test whose p-values are uniform from 0 to ``scale``."""
    return lambda x, y, z, rng: TestResult(0.0, scale * rng.random(), 0.0, len(x), "invented")


test_of.__test__ = False  # type: ignore[attr-defined] # pytest: it makes tests of independence


def people(n: int = 240) -> pl.DataFrame:
    """Return people in whom everything hangs together, with ties and gaps."""
    rng = np.random.default_rng(2)
    age = rng.uniform(20, 60, n).round(1)
    height = (160 + age / 2 + rng.normal(0, 4, n)).round()
    score = (height - 180) / 8
    frame = pl.DataFrame(
        {
            "height": height,
            "age": age,
            "league": np.where(score + rng.normal(size=n) > 0.8, "NBA", "ATP"),
            "city": rng.choice(["Paris", "Rome", "Oslo"], n, p=[0.85, 0.1, 0.05]),
            "month": rng.integers(1, 13, n),
            "o": 1 + np.digitize(score + 0.3 * rng.normal(size=n), [-0.5, 0.5]),
            "c": rng.integers(1, 4, n),
        }
    )
    row = pl.int_range(pl.len())
    return frame.with_columns(
        pl.when(row < 15).then(None).otherwise("height").alias("height"),
        pl.when((row > 8) & (row < 30)).then(None).otherwise("o").alias("o"),
    )


# the interval and the verdict ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "times", "low", "high"),
    [(4, 20, 0.0573, 0.4366), (0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (1, 2, 0.0126, 0.9874)],
)
def test_the_interval_is_that_of_the_textbook(hits: int, times: int, low: float, high: float) -> None:
    assert binomial_interval(hits, times) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_is_exact() -> None:
    for hits, times in ((50, 1000), (3, 400), (999, 1000)):
        known = stats.binomtest(hits, times).proportion_ci(0.95, "exact")
        assert binomial_interval(hits, times) == pytest.approx((known.low, known.high), rel=1e-10)


def test_a_perfect_test_keeps_its_level() -> None:
    rate = rejection_rate(DRAW, test_of(1.0), times=2000, seed=3)
    low, high = rate.interval()
    assert rate.verdict() == "level kept"
    assert low < 0.05 < high
    low, high = rate.interval(0.01)
    assert low < 0.01 < high


def test_a_test_that_rejects_a_fifth_is_flagged() -> None:
    rate = rejection_rate(DRAW, test_of(0.25), times=500, seed=0)
    assert rate.rejected_05 / rate.times == pytest.approx(0.2, abs=0.05)
    assert rate.verdict() == "rejects too often"


def test_a_test_that_never_rejects_is_flagged() -> None:
    rate = rejection_rate(DRAW, lambda x, y, z, rng: TestResult(0.0, 1.0, 0.0, len(x), ""), times=500, seed=0)
    assert rate.verdict() == "hardly ever rejects"
    assert Rate(np.ones(20)).verdict() == "level kept", "twenty samples cannot tell"


def test_a_failure_is_neither_a_rejection_nor_the_absence_of_one() -> None:
    seen = 0

    def every_second(x: Any, y: Any, z: Any, rng: np.random.Generator) -> TestResult:
        nonlocal seen
        seen += 1
        if seen % 2:
            raise UntestableError("constant")
        return TestResult(0.0, 0.001, 0.0, len(x), "")

    rate = rejection_rate(DRAW, every_second, times=40, seed=0)
    assert (rate.times, rate.failed, rate.rejected_05) == (20, 20, 20)
    nothing = Rate(np.full(3, np.nan))
    assert nothing.verdict() == "not run"
    assert nothing.row()["rate_05"] is None


def test_any_sample_can_be_made_again_and_every_test_sees_the_same() -> None:
    seen: dict[str, list[NDArray[Any]]] = {"first": [], "second": []}

    def look(name: str, numbers: int) -> ArrayTest:
        def run(x: Any, y: Any, z: Any, rng: np.random.Generator) -> TestResult:
            rng.random(numbers)
            seen[name].append(x)
            return TestResult(0.0, 1.0, 0.0, len(x), "")

        return run

    rejection_rate(DRAW, look("first", 0), times=5, seed=[7, 1])
    rejection_rate(DRAW, look("second", 9), times=5, seed=[7, 1])
    assert np.array_equal(seen["first"], seen["second"])
    alone = np.random.default_rng(np.random.SeedSequence([7, 1], spawn_key=(3,)).spawn(2)[0])
    assert np.array_equal(DRAW(alone)[0], seen["first"][3])


# the scenarios -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_what_it_says(name: str) -> None:
    scenario = SCENARIOS[name]
    x, y, z = scenario.of(300)(np.random.default_rng(0))
    assert len(x) == len(y) == 300
    assert (z is not None) == scenario.given
    assert (len(np.unique(x)) <= 50 and len(np.unique(y)) <= 50) == scenario.categories
    if scenario.given:
        assert kci(x, y).p_value < 1e-4, "a z that moved nothing would put no test to the test"


def test_regression_with_a_fixed_penalty_is_caught_and_the_default_is_not() -> None:
    draw = SCENARIOS["z sine"].of(100)
    assert rejection_rate(draw, battery()["kci-ridge"].run, times=60, seed=0).verdict() == "rejects too often"
    assert rejection_rate(draw, battery()["kci"].run, times=60, seed=0).verdict() == "level kept"


def test_the_table_of_scenarios() -> None:
    tests = ["kci", "chisq", "gsq"]
    found = calibrate_scenarios(60, tests=tests, times=40, rng=np.random.default_rng(1))
    assert set(found.filter(test="chisq")["scenario"]) == {"3 levels", "3 skewed levels", "50 levels"}
    assert found.filter(test="kci").height == 6
    assert (found["times"] + found["failed"] == 40).all()
    same = calibrate_scenarios(60, tests=tests, times=40, rng=np.random.default_rng(1))
    assert found.equals(same)
    given = calibrate_scenarios(60, tests=["gcm"], given=True, times=5, rng=np.random.default_rng(1))
    assert given["scenario"].str.starts_with("z ").all()
    with pytest.raises(InputError, match="gcm cannot run without z"):
        calibrate_scenarios(60, tests=["gcm"], times=5, rng=np.random.default_rng(1))
    with pytest.raises(InputError, match="no test anova"):
        calibrate_scenarios(60, tests=["anova"], times=5, rng=np.random.default_rng(1))


# nulls like one's own table ------------------------------------------------------------------------------------------


def condition_on(frame: pl.DataFrame, name: str, *, groups: bool) -> Condition:
    z = encode(frame[name], KINDS[name])
    return Condition(z.codes[:, None].astype(float), z.codes >= 0, z.codes if groups else None)


@pytest.mark.parametrize("given", [None, "groups", "numbers"])
def test_nulls_keep_rows_ties_and_gaps(given: str | None) -> None:
    frame = people()
    height, o = frame["height"], frame["o"]
    condition = {
        None: None,
        "groups": condition_on(frame, "league", groups=True),
        "numbers": condition_on(frame, "age", groups=False),
    }[given]
    both = (height.is_not_null() & o.is_not_null()).to_numpy()
    draw = null_of(encode(height, "continuous"), encode(o, "ordinal"), condition)
    for seed in range(20):
        x, y, _ = draw(np.random.default_rng(seed))
        assert np.array_equal(x[:, 0], height.to_numpy()[both]), "features stay where they are"
        assert set(y[:, 0]) == {1, 2, 3}
    # where the feature has no gaps, all values of the target are seen
    draw = null_of(encode(frame["age"], "continuous"), encode(o, "ordinal"), condition)
    for seed in range(20):
        y = draw(np.random.default_rng(seed))[1]
        assert np.array_equal(np.sort(y[:, 0]), np.sort(o.drop_nulls().to_numpy()))


def correlation(x: NDArray[Any], y: NDArray[Any]) -> float:
    return float(np.corrcoef(x.ravel(), y.ravel())[0, 1])


def test_nulls_break_the_dependence() -> None:
    frame = people()
    x, y = encode(frame["height"], "continuous"), encode(frame["o"], "ordinal")
    whole = frame.drop_nulls(["height", "o"])
    assert correlation(whole["height"].to_numpy(), whole["o"].to_numpy()) > 0.7
    drawn = [correlation(*null_of(x, y)(np.random.default_rng(seed))[:2]) for seed in range(300)]
    assert np.mean(drawn) == pytest.approx(0, abs=4 / np.sqrt(300 * whole.height))
    assert np.std(drawn) == pytest.approx(1 / np.sqrt(whole.height - 1), rel=0.2)


def test_nulls_within_groups_keep_what_the_groups_explain() -> None:
    frame = people()
    condition = condition_on(frame, "league", groups=True)
    draw = null_of(encode(frame["age"], "continuous"), encode(frame["o"], "ordinal"), condition)
    known = frame.drop_nulls("o")
    for seed in range(5):
        y = draw(np.random.default_rng(seed))[1][:, 0]
        assert not np.array_equal(y, known["o"].to_numpy())
        for league in ("NBA", "ATP"):
            rows = (known["league"] == league).to_numpy()
            assert np.array_equal(np.sort(y[rows]), np.sort(known["o"].to_numpy()[rows]))


def test_nulls_given_numbers_keep_what_the_numbers_explain_and_nothing_else() -> None:
    frame = people(400).with_columns(pl.col("height").fill_null(180))
    condition = condition_on(frame, "age", groups=False)
    height, age = frame["height"].to_numpy(), frame["age"].to_numpy()
    other = height + np.random.default_rng(0).normal(0, 1, 400)  # nearly height itself
    draw = null_of(encode(pl.Series("other", other), "continuous"), encode(frame["height"], "continuous"), condition)
    after, left = [], []
    for seed in range(100):
        _, y, _ = draw(np.random.default_rng(seed))
        assert np.array_equal(np.sort(y[:, 0]), np.sort(height)), "ties of a rounded height"
        after.append(correlation(age, y))
        left.append(correlation(other - np.polyval(np.polyfit(age, other, 1), age), y))
    assert correlation(age, height) > 0.6
    assert np.mean(after) == pytest.approx(correlation(age, height), abs=0.05)
    assert np.mean(left) == pytest.approx(0, abs=0.03), "only z and chance go into the null"


def test_names_given_numbers_are_drawn_with_the_shares_that_the_numbers_predict() -> None:
    frame = people(400)
    condition = condition_on(frame, "age", groups=False)
    draw = null_of(encode(frame["c"], "ordinal"), encode(frame["league"], "nominal"), condition)
    leagues = np.array(["ATP", "NBA"])
    old = (frame["age"] > 40).to_numpy()
    truth = [(frame["league"].to_numpy()[rows] == "NBA").mean() for rows in (old, ~old)]
    drawn = [leagues[draw(np.random.default_rng(seed))[1].astype(int)] == "NBA" for seed in range(50)]
    assert truth[0] > truth[1] + 0.2
    assert np.mean([[one[rows].mean() for rows in (old, ~old)] for one in drawn], axis=0) == pytest.approx(
        truth, abs=0.08
    )


def calibrated(**options: Any) -> pl.DataFrame:
    arguments: dict[str, Any] = {"tests": ["kci", "chisq"], "times": 60, "rng": np.random.default_rng(4)}
    arguments |= {"features": ["height", "age", "league", "city", "month"], "targets": ["o", "c"]} | options
    return calibrate_like(people(), kinds=KINDS, periods={"month": 12.0}, **arguments)


def test_the_table_of_ones_own() -> None:
    found = calibrated()
    assert found.columns == [
        "feature", "target", "test", "n", "rate_05", "low_05", "high_05", "rate_01", "low_01", "high_01",
        "asked", "rate_asked", "low_asked", "high_asked", "times", "failed", "verdict",
    ]  # fmt: skip
    assert found.filter(pl.col("verdict") == "rejects too often").height == 0, "although all hangs together"
    assert found["feature"].unique(maintain_order=True).to_list() == ["age", "city", "month"], "one of each kind"
    refused = found.filter(feature="age", test="chisq")
    assert refused.select("rate_05", "times", "failed", "verdict").row(0) == (None, 0, 60, "not run")
    assert found.filter(feature="age")["n"][0] == people().drop_nulls("o").height


def test_the_same_seed_gives_the_same_table_and_a_part_of_it() -> None:
    found = calibrated(pairs="all", tests=["chisq"])
    assert found.equals(calibrated(pairs="all", tests=["chisq"]))
    assert not found.equals(calibrated(pairs="all", tests=["chisq"], rng=np.random.default_rng(5)))
    some = calibrated(tests=["chisq"])
    assert some.height < found.height
    assert some.equals(found.join(some.select("feature", "target"), on=["feature", "target"], how="semi"))


@pytest.mark.parametrize("given", [["league"], ["age"], ["league", "age"], ["league", "month"]])
def test_the_table_given_columns(given: list[str]) -> None:
    found = calibrated(given=given, features=["height"], targets=["o", "city"], tests=["gcm"], pairs="all", times=100)
    assert max(found["rate_05"]) <= 0.12, "no more than three standard errors above .05"
    assert found["n"].to_list() == [people().drop_nulls(["height", "o"]).height, 225]


def test_a_table_that_cannot_be_calibrated() -> None:
    with pytest.raises(InputError, match="no column weight"):
        calibrated(features=["weight"])
    with pytest.raises(InputError, match="gcm cannot run without something given"):
        calibrated(tests=["gcm"])
    with pytest.raises(InputError, match="hsic cannot run with something given"):
        calibrated(tests=["hsic"], given=["league"])
    with pytest.raises(InputError, match=r"make \d+ groups of 240 people"):
        calibrated(given=["league", "city", "month", "c"])
    with pytest.raises(InputError, match="at least one sample"):
        calibrated(times=0)
    with pytest.raises(InputError, match="choose kinds or all"):
        calibrated(pairs="some")
    with pytest.raises(InputError, match="flat cannot be given: flat is constant"):
        calibrate_like(
            people().with_columns(pl.lit(1).alias("flat")), ["height"], ["o"], KINDS | {"flat": "ordinal"},
            given=["flat"], rng=np.random.default_rng(0),
        )  # fmt: skip


def test_the_certificate_says_it_in_words() -> None:
    row = {"scenario": "a|b", "n": 100, "low_05": 0.1, "high_05": 0.2, "rate_01": 0.1, "low_01": 0.1, "high_01": 0.2}
    rows = [
        row | {"test": "t", "rate_05": 0.15, "times": 100, "failed": 2, "verdict": "rejects too often"},
        row | {"test": "u", "rate_05": 0.05, "times": 100, "failed": 0, "verdict": "level kept"},
        dict.fromkeys(row) | {"scenario": "c", "n": 9, "test": "v", "times": 0, "failed": 9, "verdict": "not run"},
    ]
    table = pl.DataFrame(rows)
    said = verdicts(table)
    assert said["t"].startswith("t rejects too often in 1 of 1 cell (a|b)")
    assert said["u"].startswith("u kept its level of 0.05 in the one cell")
    assert said["v"] == "v could not be run: it does not fit these columns."
    page = certificate(table, {"file": "x.csv <b>"})
    assert "| a\\|b | t | 100 | 0.150 [0.100, 0.200] |" in page
    assert "- file: x.csv &lt;b>" in page


# the level that a correction asks for, and whole grids ---------------------------------------------------------------


def test_a_test_that_errs_in_the_tail_alone_is_flagged() -> None:
    """At .05 it is exact; at the level that Holm asks of fifty pairs it rejects twenty times too often."""

    def tail(x: Any, y: Any, z: Any, rng: np.random.Generator) -> TestResult:
        p = rng.random()
        return TestResult(0.0, p / 20 if p < 0.04 else p, 0.0, len(x), "invented")

    rate = rejection_rate(DRAW, tail, times=1000, seed=0)
    assert rate.verdict() == "level kept"
    assert rate.verdict(0.05, asked=0.001) == "rejects too often"
    assert rate.row(0.05, 0.001)["rate_asked"] > 0.01


def test_the_level_asked_for_is_that_of_the_correction() -> None:
    for correction, level in (("none", 0.05), ("holm", 0.005), ("fdr_bh", 0.005)):
        assert calibrated(times=5, correction=correction)["asked"].unique().to_list() == [pytest.approx(level)]
    assert calibrated(times=5, correction="fdr_by")["asked"][0] == pytest.approx(0.005 / sum(1 / np.arange(1, 11)))


@pytest.mark.parametrize("given", [[], ["league"], ["age"]])
def test_whole_grids_of_true_nulls_find_nothing(given: list[str]) -> None:
    features = [name for name in ("height", "age", "city") if name not in given]
    options: dict[str, Any] = {"tests": ["kci"], "given": given, "correction": "holm"}
    found = family_wise(people(), features, ["o", "c"], KINDS, grids=20, rng=np.random.default_rng(0), **options)
    row = found.row(0, named=True)
    assert (row["pairs"], row["grids"], row["verdict"]) == (2 * len(features), 20, "level kept")
    assert row["rate"] == row["errors"] / 20
    assert 0 < row["smallest"] <= 1
    assert "true nulls (holm); family-wise error" in family_sentences(found)[0]


def test_grids_that_err_are_flagged_and_grids_that_cannot_run_are_not() -> None:
    many = people().with_columns(pl.col("o").fill_null(1))
    rng = np.random.default_rng(1)
    arguments: dict[str, Any] = {"rng": rng, "correction": "none", "grids": 60}
    loose = family_wise(many, ["height", "age"], ["o", "c"], KINDS, tests=["hsic"], **arguments)
    assert loose["verdict"].to_list() == ["too many errors"], "without a correction four tests err together"
    none = family_wise(many, ["age"], ["o"], KINDS, tests=["chisq"], **arguments)
    assert none.select("grids", "verdict").row(0) == (0, "not run")
    assert family_sentences(none) == []
    with pytest.raises(InputError, match="o is a feature and a target"):
        family_wise(many, ["o"], ["o"], KINDS, **arguments)
    with pytest.raises(InputError, match="at least one grid"):
        family_wise(many, ["age"], ["o"], KINDS, **arguments | {"grids": 0})
