"""Effect sizes: near 0 under independence whatever the number of levels, not shrunk where there is something."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from personax.independence import chisq, kci, screen
from personax.independence._effects import cramers_v, pooled_cramers_v


@pytest.mark.parametrize("strata", [1, 50, 100, 200])
def test_conditional_v_is_near_0_under_independence_however_many_strata(strata: int) -> None:
    """The mean over strata was .10, .14 and .19 at 1,000 rows."""
    found = []
    for seed in range(15):
        rng = np.random.default_rng([strata, seed])
        x, y, z = (rng.integers(0, levels, 1000) for levels in (3, 3, strata))
        found.append(chisq(x, y, z if strata > 1 else None).effect_size)
    assert np.median(found) < 0.03
    assert np.mean(found) < 0.04


def test_conditional_v_finds_what_is_there() -> None:
    rng = np.random.default_rng(1)
    z, x = rng.integers(0, 50, 2000), rng.integers(0, 3, 2000)
    y = np.where(rng.random(2000) < 0.4, x, rng.integers(0, 3, 2000))
    assert chisq(x, y, z).effect_size == pytest.approx(0.4, abs=0.06)


def test_of_one_table_the_pooled_v_is_the_corrected_one() -> None:
    table = np.array([[30.0, 10, 5], [12, 25, 9]])
    assert pooled_cramers_v([table]) == cramers_v(table)


@pytest.mark.parametrize("names", [20, 50, 66, 90])
def test_groups_of_few_people_have_effects_near_0_under_independence(names: int) -> None:
    kernel, table = [], []
    for seed in range(15):
        rng = np.random.default_rng([names, seed])
        group = [f"name {k}" for k in rng.permutation(np.r_[np.arange(names), rng.integers(0, names, 200 - names)])]
        kernel.append(kci(group, rng.normal(size=200)).effect_size)
        table.append(chisq(group, rng.integers(0, 4, 200)).effect_size)
    assert np.median(kernel) < 0.12
    assert np.median(table) < 0.12


def test_groups_of_one_person_have_no_effect_size_and_the_reason_is_told() -> None:
    """Under independence the median was .54, up to 1.0."""
    rng = np.random.default_rng(2)
    names = [f"name {k}" for k in rng.permutation(np.r_[np.arange(180), rng.integers(0, 180, 20)])]
    assert math.isnan(kci(names, rng.normal(size=200)).effect_size)
    frame = pl.DataFrame({"name": names, "y": rng.normal(size=200), "level": rng.integers(0, 3, 200)})
    found = screen(frame, ["name"], ["y", "level"], tests=["kci", "chisq"])
    ran = found.filter(pl.col("p_value").is_not_null())
    assert ran.height >= 2
    assert ran.select("effect_size", "effect_low", "effect_high").null_count().row(0) == (ran.height,) * 3
    assert all("fewer than two people" in told for told in ran["details"])


def test_the_kernel_correlation_of_independent_numbers_has_mean_0_before_it_is_cut_off() -> None:
    """With the mean of the limit, tr tr / n, squares were too large by 1 / n of the diagonal."""
    squares = []
    for seed in range(60):
        rng = np.random.default_rng([5, seed])
        squares.append(kci(rng.normal(size=30), rng.normal(size=30)).effect_size ** 2)
    assert np.median(squares) < 0.01


def test_perfect_relations_of_heavy_tails_and_waves_have_an_effect() -> None:
    """Money against 1 / money had the effect 0.0 beside p = 4e-286; a wave too."""
    rng = np.random.default_rng(3)
    money, place = rng.lognormal(0, 3, 250), rng.uniform(-3, 3, 250)
    assert kci(money, 1 / money).effect_size == pytest.approx(1, abs=1e-6)
    row = screen(pl.DataFrame({"x": place, "y": 2 * np.cos(2 * place)}), ["x"], ["y"], tests=["auto"])
    assert row["effect_low"][0] > 0.4
    nothing = [kci(*np.random.default_rng([6, k]).normal(size=(2, 200))).effect_size for k in range(30)]
    assert np.median(nothing) < 0.03
