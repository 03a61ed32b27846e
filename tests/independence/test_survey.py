"""Survey weights and missing values: levels in the population that weights stand for, and who leaves a column out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from personax.errors import InputError
from personax.independence import missingness, screen
from personax.independence._trend import signed_trend


def biased(rng: np.random.Generator, n: int = 600) -> pl.DataFrame:
    """Return people of whom x and y are independent, drawn the more often the larger x + y is."""
    x, y = rng.normal(size=20 * n), rng.normal(size=20 * n)
    drawn = rng.permutation(np.flatnonzero(rng.random(20 * n) < 1 / (1 + np.exp(3 - 0.5 * (x + y)))))[:n]
    weight = 1 + np.exp(3 - 0.5 * (x + y)[drawn])
    return pl.DataFrame({"x": x[drawn], "y": y[drawn], "w": weight, "g": np.where(x > 0.5, "a", "b")[drawn],
                         "h": np.where(y > 0, "u", "v")[drawn]})  # fmt: skip


def test_survey_weights_keep_the_level_where_a_sample_is_biased() -> None:
    plain, weighted, tables, said = 0, 0, 0, 0
    for seed in range(40):
        frame = biased(np.random.default_rng([60, seed]))
        plain += screen(frame, ["x"], ["y"], tests=["hsic"])["p_value"][0] < 0.05
        found = screen(frame, ["x"], ["y"], tests=["kci"], survey_weight="w")
        weighted += found["p_value"][0] < 0.05
        said += found["direction"][0] is not None
        tables += screen(frame, ["g"], ["h"], tests=["chisq"], survey_weight="w")["p_value"][0] < 0.05
    assert plain > weighted
    assert max(weighted, tables, said) <= 6  # more of 40 has probability .003


def test_equal_weights_are_no_weights() -> None:
    rng = np.random.default_rng(61)
    x = rng.normal(size=400)
    frame = pl.DataFrame({"x": x, "y": x**2 + rng.normal(size=400), "z": 0.4 * x + rng.normal(size=400), "w": 2.5})
    found = screen(frame, ["x"], ["y", "z"], tests=["kci"], survey_weight="w")
    assert (found["p_value"] < 1e-5).all()
    assert found["direction"].to_list() == [None, "rises"]
    assert found.filter(target="z")["effect_size"][0] == pytest.approx(found.filter(target="z")["trend"][0])
    doubled = screen(frame.with_columns(w=5.0), ["x"], ["y", "z"], tests=["kci"], survey_weight="w")
    huge = screen(frame.with_columns(w=1e300), ["x"], ["y", "z"], tests=["kci"], survey_weight="w")
    assert huge["p_value"].to_list() == pytest.approx(found["p_value"].to_list(), rel=1e-9)
    few = screen(frame.head(50), ["x"], ["z"], tests=["kci"], survey_weight="w")
    assert few["reason"][0] is None, "of few people fewer waves are looked at, not none"
    assert doubled["p_value"].to_list() == pytest.approx(found["p_value"].to_list(), rel=1e-9)


def test_the_error_between_clusters_is_that_of_a_sample_of_clusters() -> None:
    rng = np.random.default_rng(62)
    r, s = rng.normal(size=50), rng.normal(size=50)
    once = signed_trend(r, s, np.ones(50), np.arange(50))
    thrice = signed_trend(np.repeat(r, 3), np.repeat(s, 3), np.ones(150), np.repeat(np.arange(50), 3))
    assert thrice == pytest.approx(once)


def test_wrong_weights_and_tests_are_refused() -> None:
    frame = biased(np.random.default_rng(63)).with_columns(bad=pl.lit(-1.0), text=pl.lit("a"))
    for name in ("bad", "text"):
        with pytest.raises(InputError, match=f"{name} holds weights that are no numbers"):
            screen(frame, ["x"], ["y"], survey_weight=name)
    found = screen(frame, ["x"], ["y"], tests=["rcit", "chisq"], survey_weight="w")
    assert "rcit knows no survey weights" in found["reason"][0]
    assert "x is continuous" in found["reason"][1]


def test_who_leaves_a_column_out_is_found() -> None:
    rng = np.random.default_rng(64)
    age, income, other = rng.normal(40, 10, 400), rng.normal(size=400), rng.normal(size=400)
    gone = rng.random(400) < 1 / (1 + np.exp(-(age - 50) / 4))
    chance = rng.random(400) < 0.2
    frame = pl.DataFrame({
        "age": age, "income": [None if g else v for g, v in zip(gone, income, strict=True)],
        "other": [None if c else v for c, v in zip(chance, other, strict=True)],
    })  # fmt: skip
    found = missingness(frame)
    assert set(found["feature"]) == {"income is missing", "other is missing"}
    hit = found.filter(pl.col("rejected"))
    assert hit.select("feature", "target").rows() == [("income is missing", "age")]
    assert hit["direction_text"][0].startswith("age is higher where income is missing: mean")


def test_nothing_missing_is_no_row() -> None:
    assert missingness(pl.DataFrame({"a": [1, 2] * 10, "b": [1.0] * 19 + [None]})).is_empty()
    gaps = pl.DataFrame({"a": [*range(10), *[None] * 10], "b": [1.0, 2.0] * 10})
    assert missingness(gaps, ["a", "a", "b"]).height == 1
    with pytest.raises(InputError, match="no column c"):
        missingness(pl.DataFrame({"a": [1]}), ["c"])
