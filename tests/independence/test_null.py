"""Null distributions equal what all permutations do, and the weighted sums that they stand for."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy import stats

from personax.errors import UntestableError
from personax.independence import kci
from personax.independence._counts import count
from personax.independence._hsic import hsic
from personax.independence._kernels import Factor, cross, marginal_factor
from personax.independence._null import Null, p_value
from personax.independence._permutation_moments import permutation_mean, permutation_skewness, permutation_variance
from personax.independence._permutations import permuted_statistics


def dense(factor: Factor) -> Any:
    rows = factor.rows[factor.of.codes]
    return rows @ rows.T


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1, 2, 2, 3, 9], [0, 1, 0, 5, 2]),
        ([0, 0, 0, 0, 1, 1], [1, 2, 2, 2, 2, 7]),
        (["a", "b", "b", "c", "a", "b", "b"], [0, 0, 1, 1, 1, 4, 4]),
        ([0.1, 0.2, 1.7, 4.0, 9.0, 30.0, 2.2], [0, 0, 0, 0, 1, 0, 3]),
    ],
)
def test_moments_are_those_of_all_permutations(x: Any, y: Any) -> None:
    fx, fy = marginal_factor(count(x)), marginal_factor(count(y))
    kx, ky = dense(fx), dense(fy)
    every = np.array([(kx * ky[np.ix_(order, order)]).sum() for order in permutations(range(len(x)))])
    assert permutation_mean(fx, fy) == pytest.approx(every.mean(), rel=1e-9)
    assert permutation_variance(fx, fy) == pytest.approx(every.var(), rel=1e-8)
    if len(x) >= 6:  # of fewer rows the formula of the third moment divides by 0
        assert permutation_skewness(fx, fy) == pytest.approx(stats.skew(every), rel=1e-6)


def test_the_moments_null_on_skewed_ties() -> None:
    rng = np.random.default_rng(0)
    x, y = (marginal_factor(count(rng.choice([1, 2, 3], 200, p=[0.8, 0.15, 0.05]))) for _ in range(2))
    drawn = permuted_statistics(x, y, 20_000, rng)
    for share in (0.5, 0.1, 0.05, 0.01):
        q = float(np.quantile(drawn, 1 - share))
        assert p_value(x, y, q, "moments") == pytest.approx(share, rel=0.25)


@pytest.mark.parametrize("null", ["auto", "permutation"])
def test_names_that_nobody_shares_are_not_tested(null: Null) -> None:
    """Every permutation would have the same statistic: p is one whatever there is."""
    with pytest.raises(UntestableError, match="x has another category in every row"):
        kci(list("abcdefgh"), [1, 5, 2, 2, 9, 4, 1, 1], null=null, rng=np.random.default_rng(0))


def test_the_spectral_null_equals_the_drawn_sum() -> None:
    rng = np.random.default_rng(1)
    x, y = (marginal_factor(count(np.round(rng.normal(size=100), 1))) for _ in range(2))
    weights = np.outer(x.eigenvalues, y.eigenvalues).ravel().clip(0) / 100
    weights = np.sort(weights)[::-1][:300]
    drawn = rng.chisquare(1, (40_000, 300)) @ weights
    for share in (0.5, 0.05, 0.01):
        q = float(np.quantile(drawn, 1 - share))
        assert p_value(x, y, q, "spectral") == pytest.approx(share, abs=6 * np.sqrt(share / 40_000))


def test_the_spectral_null_keeps_the_whole_spectrum() -> None:
    """More categories than weights are listed: what is not listed must not be lost, or every null is rejected."""
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 450, 1500).astype(str), rng.normal(size=1500)
    assert kci(x, y, null="spectral").p_value == pytest.approx(kci(x, y).p_value, abs=0.05)


def test_the_conditional_spectral_null_is_near_the_gamma_null() -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(size=150)
    x, y = z + rng.normal(size=150), z + rng.normal(size=150)
    assert kci(x, y, z, null="spectral").p_value == pytest.approx(kci(x, y, z, null="gamma").p_value, abs=0.03)


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("number", [0, -3])
def test_no_permutation_is_no_p_value(number: int, distinct: bool) -> None:
    x = np.arange(200.0) if distinct else np.arange(200) % 4
    with pytest.raises(UntestableError, match="a whole number of 1 or more"):
        hsic(x, x, null="permutation", permutations=number, rng=np.random.default_rng(0))


def test_drawn_tables_are_shuffled_rows_in_distribution() -> None:
    rng = np.random.default_rng(4)
    x, y = (marginal_factor(count(rng.integers(0, 4, 40))) for _ in range(2))
    drawn = permuted_statistics(x, y, 3000, rng)
    kx, ky = dense(x), dense(y)
    orders = [rng.permutation(40) for _ in range(3000)]
    shuffled = np.array([(kx * ky[np.ix_(order, order)]).sum() for order in orders])
    grid = np.quantile(shuffled, np.linspace(0.02, 0.98, 49))
    gap = np.abs((drawn[:, None] <= grid).mean(axis=0) - (shuffled[:, None] <= grid).mean(axis=0)).max()
    assert gap < 0.05  # Kolmogorov, Smirnov: 0.05 at 3,000 each has probability 0.001
    assert cross(x, y) == pytest.approx((kx * ky).sum(), rel=1e-9)
