"""Chi-square of counts with noise: the exact test where there is none, the level under the null, honest refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError, UntestableError
from personax.independence import NoisyTable, binomial_interval, noisy_chisq, screen_noisy
from personax.independence._contingency import of_tables, pearson
from personax.independence._effects import cramers_v
from personax.independence._noisy import _fitted, _statistic, discrete_gaussian, shrunk_totals

TABLES = st.integers(2, 6).flatmap(
    lambda b: st.lists(st.lists(st.integers(1, 60), min_size=b, max_size=b), min_size=2, max_size=6)
)


@given(TABLES)
def test_without_noise_the_statistic_is_pearsons(rows: list[list[int]]) -> None:
    table = np.array(rows, dtype=float)
    exact = of_tables([table.astype(int)], pearson).statistic
    found = _statistic(table[None], 0.0, table.sum())[0]
    assert found == pytest.approx(exact, rel=1e-6, abs=1e-6 * table.sum())


@given(TABLES)
def test_without_noise_the_fitted_margins_are_the_tables(rows: list[list[int]]) -> None:
    table = np.array(rows, dtype=float)
    fitted = _fitted(table, 0.0, table.sum())
    assert fitted[0] == pytest.approx(table.sum(axis=1) / table.sum(), abs=1e-9)
    assert fitted[1] == pytest.approx(table.sum(axis=0) / table.sum(), abs=1e-9)


@given(TABLES, st.floats(0.5, 30), st.integers(0, 5))
def test_order_of_rows_and_columns_and_their_roles_change_nothing(
    rows: list[list[int]], scale: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    table = np.array(rows, dtype=float) + discrete_gaussian(scale, np.shape(rows), rng)
    n = max(table.sum(), 1.0)
    found = _statistic(table[None], scale, n)[0]
    mixed = table[rng.permutation(len(table))][:, rng.permutation(table.shape[1])]
    assert _statistic(mixed[None], scale, n)[0] == pytest.approx(found, rel=1e-6, abs=1e-6)
    assert _statistic(table.T[None], scale, n)[0] == pytest.approx(found, rel=1e-6, abs=1e-6)


def test_without_noise_p_values_and_effects_are_those_of_chi_square() -> None:
    rng = np.random.default_rng(0)
    for v in (0.0, 0.05, 0.1):
        chances = np.full((3, 4), 1 / 12) * (1 + v * np.outer([-1, 0, 1], [-1, -1, 1, 1]))
        table = rng.multinomial(1000, chances.ravel()).reshape(3, 4)
        exact = of_tables([table], pearson)
        found = noisy_chisq(table, 0.0, draws=4000, rng=rng)
        assert found.p_value == pytest.approx(exact.p_value, abs=4 * np.sqrt(0.25 / 4000))
        assert found.effect_size == pytest.approx(cramers_v(table), abs=0.01)


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0, 30.0])
def test_the_discrete_gaussian_has_its_mean_and_variance(scale: float) -> None:
    x = np.arange(-400, 401)
    mass = np.exp(-(x**2) / (2 * scale**2))
    variance = float((mass * x**2).sum() / mass.sum())
    drawn = discrete_gaussian(scale, (100_000,), np.random.default_rng(0))
    assert (drawn == np.rint(drawn)).all()
    assert drawn.mean() == pytest.approx(0, abs=5 * np.sqrt(variance / 1e5))
    assert drawn.var() == pytest.approx(variance, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "kind"), [(5.0, "falling"), (20.0, "falling"), (5.0, "rare"), (10.0, "rare")])
def test_independent_tables_are_rejected_as_often_as_the_level_says(scale: float, kind: str) -> None:
    rng, times, n = np.random.default_rng(3), 400, 1000
    margin = {"falling": 0.6 ** np.arange(5), "rare": np.array([1.0, *[0.02] * 4])}[kind]
    chances = np.outer(margin, margin) / margin.sum() ** 2
    p = [
        noisy_chisq(
            people.reshape(5, 5) + discrete_gaussian(scale, (5, 5), rng), scale, n=n, draws=199, rng=rng
        ).p_value
        for people in rng.multinomial(n, chances.ravel(), size=times)
    ]
    for level in (0.05, 0.01):
        low, high = binomial_interval(int(np.sum(np.array(p) <= level)), times, 0.999)
        assert low <= level <= high


def test_to_forget_the_noise_would_reject_nearly_always() -> None:
    """The correction is needed: the plain test of the same tables rejects far above its level."""
    rng, scale = np.random.default_rng(3), 8.0
    tables = rng.multinomial(500, np.full(16, 1 / 16), size=100).reshape(-1, 4, 4) + discrete_gaussian(
        scale, (100, 4, 4), rng
    )
    plain = [of_tables([np.maximum(table, 0).astype(int)], pearson).p_value for table in tables]
    assert np.mean(np.array(plain) <= 0.05) > 0.5


def test_what_depends_is_found_through_the_noise() -> None:
    rng = np.random.default_rng(0)
    chances = np.full((4, 4), 1 / 16) * (1 + 0.4 * np.outer([-1.5, -0.5, 0.5, 1.5], [-1.5, -0.5, 0.5, 1.5]) / 2.25)
    table = rng.multinomial(3000, chances.ravel()).reshape(4, 4) + discrete_gaussian(10.0, (4, 4), rng)
    found = noisy_chisq(table, 10.0, draws=999, rng=rng)
    assert found.p_value == 0.001
    exact = cramers_v(rng.multinomial(10**6, chances.ravel()).reshape(4, 4))
    assert found.effect_size == pytest.approx(exact, abs=0.04)


def test_noise_as_large_as_the_counts_is_not_tested() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UntestableError, match="nearly as large"):
        noisy_chisq(discrete_gaussian(20.0, (5, 5), rng), 20.0, rng=rng)
    with pytest.raises(UntestableError, match="one row"):
        noisy_chisq(np.array([[3, 4]]), 1.0, rng=rng)
    with pytest.raises(UntestableError, match="not finite"):
        noisy_chisq(np.array([[3, np.nan], [1, 2]]), 1.0, rng=rng)


def test_people_of_several_tables_are_known_better_together() -> None:
    rng = np.random.default_rng(0)
    true, noise = np.full(40, 1000.0), 80.0
    totals = true + rng.normal(0, noise, 40)
    assert np.abs(shrunk_totals(totals, np.full(40, noise**2)) - true).mean() < 0.4 * np.abs(totals - true).mean()
    apart = np.array([1000.0, 400.0] * 20) + rng.normal(0, 1, 40)
    assert shrunk_totals(apart, np.ones(40)) == pytest.approx(apart, abs=1)


def test_a_screen_has_the_columns_of_level_one_and_its_own_streams() -> None:
    rng = np.random.default_rng(0)
    even = rng.multinomial(2000, np.full(9, 1 / 9)).reshape(3, 3)
    strong = np.diag([600, 600, 600]) + 20
    tables = [NoisyTable("a", "t", even), NoisyTable("b", "t", strong), NoisyTable("c", "t", even // 400)]
    found = screen_noisy(tables, 4.0, draws=499)
    assert found["rejected"].to_list() == [False, True, None]
    assert "nearly as large" in found["reason"][2]
    assert found["test"].unique().to_list() == ["chisq"]
    assert found["tests_run"].to_list() == [1, 1, 0]
    turned = screen_noisy(tables[::-1], 4.0, draws=499)
    assert turned["p_value"].to_list()[::-1] == found["p_value"].to_list(), "the order of tables changes nothing"
    with pytest.raises(InputError, match="no tables"):
        screen_noisy([], 1.0)
