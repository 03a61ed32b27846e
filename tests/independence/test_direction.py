"""Directions: what is said of known shapes, what is not said of none, and numbers that have closed forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import brunnermunzel, fisher_exact, spearmanr

from personax.independence import heterogeneity, screen
from personax.independence._group_order import excess, most_different
from personax.independence._trend import cells, permutation_p, rank_trend, turn

RNG = np.random.default_rng(20)
N = 600
A = RNG.normal(size=N)
G = RNG.choice(["men", "women"], N)
C = RNG.choice(["a", "b", "c", "d"], N)
MONTH = RNG.integers(1, 13, N)
FRAME = pl.DataFrame(
    {
        "a": A,
        "gender": G,
        "club": C,
        "month": MONTH,
        "likert": np.clip(np.round(3 + 0.6 * A + RNG.normal(size=N)), 1, 5),
        "up": 0.3 * A + RNG.normal(size=N),
        "down": np.exp(RNG.normal(size=N) - 0.5 * A),
        "valley": A**2 + RNG.normal(size=N),
        "hill": RNG.normal(size=N) - np.abs(A),
        "kind": 0.5 * (G == "women") + RNG.normal(size=N),
        "of_club": 0.6 * (C == "c") + RNG.normal(size=N),
        "level": np.where((C == "a") & (RNG.random(N) < 0.6), "high", RNG.choice(["low", "middle", "high"], N)),
        "season": np.cos(2 * np.pi * (MONTH - 3) / 12) + RNG.normal(size=N),
        "noise": RNG.normal(size=N),
    }
)
KINDS: dict[str, Any] = {"month": "cyclic"}


def row(feature: str, target: str, **options: Any) -> dict[str, Any]:
    kinds = {name: kind for name, kind in KINDS.items() if name in (feature, target)}
    found = screen(FRAME, [feature], [target], kinds=kinds, periods={"month": 12}, tests=["kci"], **options)
    return found.row(0, named=True)


SHAPES = [
    ("a", "up", "rises"),
    ("likert", "up", "rises"),
    ("a", "down", "falls"),
    ("a", "valley", "U"),
    ("a", "hill", "peak"),
    ("gender", "kind", "groups"),
    ("kind", "gender", "groups"),
    ("club", "of_club", "groups"),
    ("club", "level", "together"),
    ("month", "season", "cycle"),
    ("season", "month", "cycle"),
]


@pytest.mark.parametrize(("feature", "target", "direction"), SHAPES)
def test_known_shapes_have_their_names(feature: str, target: str, direction: str) -> None:
    found = row(feature, target)
    assert found["direction"] == direction
    assert feature in found["direction_text"]
    assert target in found["direction_text"]


@pytest.mark.parametrize("feature", ["a", "likert", "gender", "club", "month"])
def test_nothing_is_said_of_noise(feature: str) -> None:
    found = row(feature, "noise")
    assert found["direction"] is None
    assert found["direction_text"] is None
    assert found["p_trend"] is not None


def test_the_groups_are_named_with_their_means_and_people() -> None:
    found = row("gender", "kind")
    women = FRAME.filter(pl.col("gender") == "women")["kind"]
    assert (found["level_high"], found["level_low"], found["n_high"]) == ("women", "men", len(women))
    assert found["mean_high"] == pytest.approx(women.mean())
    assert found["trend_low"] > 0
    assert f"women than where it is men: mean {found['mean_high']:.3g}" in found["direction_text"]


def test_the_month_of_the_peak_is_told() -> None:
    assert float(row("month", "season")["level_high"]) == pytest.approx(3, abs=0.5)


def test_the_interval_of_a_direction_leaves_out_0() -> None:
    table = screen(FRAME, ["a", "gender", "club", "likert"], ["up", "down", "kind", "noise", "level"], tests=["kci"])
    said = table.filter(pl.col("direction").is_in(["rises", "falls", "groups", "together", "apart"]))
    assert said.height >= 5
    assert said.filter((pl.col("trend_low") <= 0) & (pl.col("trend_high") >= 0)).is_empty()


def test_a_direction_given_z_is_that_of_the_residuals() -> None:
    z = RNG.normal(size=N)
    frame = pl.DataFrame({"x": z + RNG.normal(size=N), "z": z}).with_columns(
        y=2 * pl.col("z") - 0.5 * pl.col("x") + pl.Series(RNG.normal(size=N)), g=pl.Series(G)
    )
    plain = screen(frame, ["x"], ["y"], tests=["gcm", "kci"]).filter(test="kci").row(0, named=True)
    given = screen(frame, ["x"], ["y"], tests=["gcm"], given=["z"]).row(0, named=True)
    assert (plain["direction"], given["direction"]) == ("rises", "falls")
    assert "given z" in given["direction_text"]


def test_the_trend_is_spearmans_correlation_with_ties_and_weights() -> None:
    x, y = RNG.integers(0, 5, 300), RNG.integers(0, 9, 300)
    for codes in (x, np.unique(RNG.normal(size=300), return_inverse=True)[1]):
        both = cells(codes, y, None, (codes.max() + 1, 9))
        assert rank_trend(both).estimate == pytest.approx(spearmanr(codes, y).statistic)
    people = RNG.integers(1, 4, 300)
    weighted = rank_trend(cells(x, y, people, (5, 9)))
    unrolled = rank_trend(cells(np.repeat(x, people), np.repeat(y, people), None, (5, 9)))
    assert weighted == pytest.approx(unrolled)


def test_the_standard_error_is_that_of_the_jackknife() -> None:
    x = RNG.integers(0, 6, 400)
    y = np.clip(x // 2 + RNG.integers(0, 3, 400), 0, 4)
    found = rank_trend(cells(x, y, None, (6, 5)))
    left_out = [spearmanr(np.delete(x, i), np.delete(y, i)).statistic for i in range(400)]
    error = np.sqrt(399 * np.var(left_out))
    reach = 1.966 * error / (1 - found.estimate**2)
    assert np.arctanh(found.high) - np.arctanh(found.estimate) == pytest.approx(reach, rel=0.02)


def test_moments_over_all_orders_are_those_of_draws() -> None:
    f = np.r_[np.zeros(40), RNG.exponential(size=8)]
    g = np.r_[np.zeros(30), RNG.exponential(size=18)]
    f, g = f - f.mean(), g - g.mean()
    drawn = np.array([f @ RNG.permutation(g) for _ in range(20_000)])
    for observed in np.quantile(drawn, [0.9, 0.975, 0.999]):
        upper = (drawn >= observed).mean()
        ones = np.ones(48)
        assert permutation_p(float(observed), (f, ones), (g, ones)) == pytest.approx(2 * upper, rel=0.35, abs=2e-3)


def test_two_groups_are_compared_as_scipy_does() -> None:
    x, y = RNG.normal(size=60), RNG.normal(size=80) + 0.6
    values, codes = np.unique(np.round(np.r_[x, y], 1).astype(float), return_inverse=True)
    table = np.zeros((2, len(values)))
    np.add.at(table, ((np.arange(140) >= 60).astype(int), codes), 1)
    found = most_different(table, values.astype(np.float64))
    assert found is not None
    assert (found.high, found.low) == (1, 0)
    rounded = np.round(x, 1), np.round(y, 1)
    assert found.p_value == pytest.approx(brunnermunzel(*rounded).pvalue, rel=0.5)
    assert found.p_value >= brunnermunzel(*rounded).pvalue * (1 - 1e-9)


def test_a_table_of_two_by_two_has_the_exact_p_value_and_the_difference() -> None:
    found = excess(np.array([[30.0, 15], [12, 33]]))
    assert found is not None
    assert found.trend.estimate == pytest.approx(33 / 45 - 15 / 45)
    assert found.p_value == pytest.approx(fisher_exact(np.array([[30, 15], [12, 33]])).pvalue, rel=0.1)


@pytest.mark.parametrize("columns", ["zeros", "rare", "cauchy", "groups"])
def test_few_rows_that_carry_all_the_spread_do_not_make_directions(columns: str) -> None:
    """Each of these said a direction in 14 to 20 of 100 draws by standard errors of its own sample alone."""
    said = 0
    for seed in range(40):
        rng = np.random.default_rng([3, seed])
        zeros = [np.where(rng.random(200) < 0.9, 0, np.exp(2 * rng.normal(size=200))) for _ in range(2)]
        x: Any = {
            "zeros": zeros[0],
            "rare": (rng.random(200) < 0.03) * 1.0,
            "cauchy": rng.standard_cauchy(200),
            "groups": rng.choice(list("abcdefghijkl"), 200),
        }[columns]
        frame = pl.DataFrame({"x": x, "y": zeros[1] if columns in ("zeros", "groups") else rng.normal(size=200)})
        found = screen(frame, ["x"], ["y"], kinds={"y": "continuous"}, tests=["hsic"], correction="none")
        said += found["direction"][0] is not None
    assert said <= 6  # of 40 at .05: more has probability .003


def test_a_curve_that_only_rises_does_not_turn() -> None:
    turns = 0
    for seed in range(100):
        rng = np.random.default_rng([4, seed])
        x = np.arange(200)
        y = np.unique(np.minimum(np.linspace(-2, 2, 200), 0) + rng.normal(size=200), return_inverse=True)[1]
        turns += turn(cells(x, y, None, (200, 200)))[0] < 0.05
    assert turns <= 10  # more has probability .011 at .05


def test_directions_are_corrected_over_the_pairs() -> None:
    rng = np.random.default_rng(6)
    frame = pl.DataFrame({f"x{k}": rng.integers(0, 9, 100) for k in range(60)} | {"y": rng.integers(0, 9, 100)})
    features = [name for name in frame.columns if name != "y"]
    none, holm = (screen(frame, features, ["y"], tests=["hsic"], correction=how) for how in ("none", "holm"))
    assert none["direction"].drop_nulls().len() > 0
    assert holm["direction"].drop_nulls().len() == 0


def test_a_test_that_failed_says_no_direction() -> None:
    found = screen(FRAME, ["a"], ["up"], tests=["chisq"]).row(0, named=True)
    assert found["reason"] is not None
    assert found["direction"] is None
    assert found["p_trend"] is None


def test_vectors_names_and_hostile_values_have_none() -> None:
    frame = pl.DataFrame({"name": [f"person {k}" for k in range(40)], "x": [1e300, -1e300] * 20, "y": [0.0, 1.0] * 20})
    table = screen(frame, ["name", "x"], ["y"], tests=["kci"])
    assert table.filter(feature="name")["direction"].to_list() == [None]
    assert table.filter(feature="x")["direction"].to_list() == ["falls"]
    json.dumps(table.to_dicts())


def test_a_reversal_between_groups_is_seen_and_said() -> None:
    """The effect sizes are equal: by them alone p was .047."""
    rng = np.random.default_rng(8)
    x, half = rng.normal(size=400), np.repeat(["u", "v"], 200)
    y = np.where(half == "u", 0.5, -0.5) * x + np.sqrt(0.75) * rng.normal(size=400)
    twin = 0.5 * x + np.sqrt(0.75) * rng.normal(size=400)
    frame = pl.DataFrame({"x": x, "y": y, "twin": twin, "half": half})
    table = screen(frame, ["x"], ["y", "twin"], by="half", tests=["kci"])
    found = heterogeneity(table)
    reversed_, same = (found.filter(target=name).row(0, named=True) for name in ("y", "twin"))
    assert reversed_["p_heterogeneity"] < 1e-10
    assert reversed_["p_corrected"] < 1e-10
    assert reversed_["compared"] == "trend"
    assert reversed_["trend_min"] < -0.3 < 0.3 < reversed_["trend_max"]
    assert not same["differs"]
    everybody = table.filter(subgroup="all")
    assert everybody["direction"].to_list() == ["differs", "rises"]
    assert "rises where half is u, falls where half is v" in everybody["direction_text"][0]


def test_groups_that_change_places_between_subgroups_are_seen() -> None:
    rng = np.random.default_rng(9)
    group, half = rng.choice(["a", "b"], 400), np.repeat(["u", "v"], 200)
    y = np.where((group == "a") == (half == "u"), 0.7, 0.0) + rng.normal(size=400)
    yes = np.where(rng.random(400) < np.where((group == "a") == (half == "u"), 0.7, 0.3), "yes", "no")
    frame = pl.DataFrame({"group": group, "y": y, "yes": yes, "half": half})
    found = heterogeneity(screen(frame, ["group"], ["y", "yes"], by="half", tests=["kci"]))
    assert (found["p_heterogeneity"] < 1e-6).all()
    assert found["differs"].all()


def test_heterogeneity_that_is_none_keeps_its_level_over_a_grid() -> None:
    rng = np.random.default_rng(10)
    n, half = 400, np.repeat(["u", "v"], 200)
    x = rng.normal(size=n)
    targets = {f"y{k}": 0.4 * x + rng.normal(size=n) for k in range(40)}
    table = screen(pl.DataFrame({"x": x, "half": half} | targets), ["x"], list(targets), by="half", tests=["hsic"])
    found = heterogeneity(table)
    assert (found["p_heterogeneity"] < 0.05).sum() <= 6
    assert found["differs"].sum() == 0


def test_groups_without_overlap_have_an_interval() -> None:
    found = most_different(np.array([[20.0, 0], [0, 30]]), np.array([1.0, 2]))
    assert found is not None
    assert found.trend.estimate == 1
    assert 0.5 < found.trend.low < 1 == found.trend.high
    assert found.p_value < 1e-8


@pytest.mark.parametrize(
    "step", [lambda x: 5.0 * (x > 1), lambda x: 5.0 * (x > 2), lambda x: np.floor(x) - 0.8 * (x - np.floor(x))]
)
def test_a_step_is_no_turn(step: Callable[[Any], Any]) -> None:
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=250)
        row = screen(pl.DataFrame({"x": x, "y": step(x)}), ["x"], ["y"], tests=["hsic"]).row(0, named=True)
        assert row["direction"] == "rises" or row["p_value"] > 0.01
