"""Tails of weighted chi-square sums: closed forms, scale, order, extreme weights, what approximations promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from personax.independence._null import TAILS, _gamma_mixture, _moments, exact

Array = NDArray[np.float64]
WEIGHTS = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=30).map(np.array)


@pytest.mark.parametrize("dof", [1, 2, 3, 10, 100, 1000])
@pytest.mark.parametrize("p", [1 - 1e-12, 0.999, 0.6, 0.5, 0.4, 1e-3, 1e-10, 1e-100, 1e-300])
def test_equal_weights_are_chi_square(dof: int, p: float) -> None:
    q = stats.chi2.isf(p, dof)
    assert exact(q, np.ones(dof)) == pytest.approx(stats.chi2.sf(q, dof), rel=1e-10)


@pytest.mark.parametrize("q", [1e-30, 1e-12, 1e-8, 1e-4, 1e-2])
@pytest.mark.parametrize("dof", [1, 2, 5])
def test_a_statistic_near_zero(q: float, dof: int) -> None:
    assert exact(q, np.ones(dof)) == pytest.approx(stats.chi2.sf(q, dof), abs=1e-13)


@pytest.mark.parametrize("b", [0.999, 0.5, 1e-3, 1e-8])
@pytest.mark.parametrize("q", [1e-6, 0.01, 1.0, 3.0, 30.0, 1000.0])
def test_weights_in_pairs_are_a_mixture_of_exponentials(b: float, q: float) -> None:
    expected = (np.exp(-q / 2) - b * np.exp(-q / (2 * b))) / (1 - b)
    assert exact(q, np.array([1.0, 1.0, b, b])) == pytest.approx(expected, rel=1e-9)


def test_few_large_weights_and_very_many_small_ones() -> None:
    """Between the two no rule of one kind of sum holds; the oracle is the convolution by a grid of the chi-square."""
    shift = np.linspace(-12, 12, 4001)  # the many are normal to 1e-3, and enter by quadrature
    many = 100 + np.sqrt(2.0) * shift
    density = stats.chi2.pdf(many / 0.01, 10_000) / 0.01
    weights = np.append(np.ones(3), np.full(10_000, 0.01))
    for q in (99.0, 103.02):
        expected = np.trapezoid(density * stats.chi2.sf(q - many, 3), many)
        assert exact(q, weights) == pytest.approx(expected, rel=1e-6)


def test_the_rest_acts_as_a_gamma_variable() -> None:
    rest = (50.0, 5.0)
    for q in (40.0, 52.0, 60.0, 90.0):
        listed = exact(q, np.append([2.0, 1.0], np.full(500, 0.1)))
        assert exact(q, np.array([2.0, 1.0]), rest) == pytest.approx(listed, rel=1e-9)


def test_equals_drawn_sums() -> None:
    rng = np.random.default_rng(0)
    weights = 1 / np.arange(1.0, 21) ** 1.5
    drawn = rng.chisquare(1, (100_000, 20)) @ weights
    for share in (0.99, 0.5, 0.05, 0.01):
        q = float(np.quantile(drawn, 1 - share))
        assert exact(q, weights) == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / len(drawn)))


@given(weights=WEIGHTS, q=st.floats(0.01, 20), scale=st.sampled_from([1e-30, 1e-12, 3.0, 1e12, 1e30]))
def test_only_the_ratio_of_statistic_and_weights_matters(weights: Array, q: float, scale: float) -> None:
    q *= weights.sum()
    assert exact(scale * q, scale * weights) == pytest.approx(exact(q, weights), rel=1e-8, abs=1e-300)


@given(weights=WEIGHTS, first=st.floats(0, 30), second=st.floats(0, 30))
def test_a_larger_statistic_has_a_smaller_tail(weights: Array, first: float, second: float) -> None:
    low, high = sorted((first, second))
    total = weights.sum()
    assert 0 <= exact(high * total, weights) <= exact(low * total, weights) + 1e-11 <= 1 + 1e-11


@pytest.mark.parametrize("name", TAILS)
@given(weights=WEIGHTS, q=st.floats(-1, 50))
def test_every_tail_is_a_probability(name: str, weights: Array, q: float) -> None:
    assert 0 <= TAILS[name](q * weights.sum(), weights) <= 1


@pytest.mark.parametrize("name", TAILS)
def test_statistics_beyond_the_support(name: str) -> None:
    weights = np.array([2.0, 1.0, 0.5, 0.1])
    assert TAILS[name](0.0, weights) == TAILS[name](-1.0, weights) == 1.0
    assert TAILS[name](1e15, weights) == TAILS[name](np.inf, weights) == 0.0


def test_extreme_ranges_of_weights() -> None:
    weights = np.logspace(-12, 12, 25)
    assert exact(2e12, weights) == pytest.approx(TAILS["lpb"](2e12, weights), rel=5e-3)
    assert exact(3.0, np.array([1.0, 1e-12, 1e-14])) == pytest.approx(stats.chi2.sf(3.0, 1), rel=1e-9)
    assert exact(3.0, np.array([1.0])) == pytest.approx(stats.chi2.sf(3.0, 1), rel=1e-12)


@pytest.mark.parametrize(("name", "accuracy"), [("lpb", 0.005), ("hbe", 0.12), ("satterthwaite", 0.16)])
def test_approximations_are_as_close_as_they_are_known_to_be(name: str, accuracy: float) -> None:
    rng = np.random.default_rng(1)
    for weights in (rng.random(25), np.array([2.0, 1.0]), np.array([3.0, 2.0, 1.0]), np.logspace(0, -9, 10)):
        for q in np.array([0.1, 0.5, 1.0, 2.0, 4.0]) * weights.sum():
            p = exact(q, weights)
            if p > 0.005:
                assert TAILS[name](q, weights) == pytest.approx(p, rel=accuracy)


def test_lindsay_pilla_basak_matches_eight_moments() -> None:
    weights = np.array([4.0, 2.0, 1.0, 0.5, 0.1])
    weights /= weights.sum()
    mixture = _gamma_mixture(weights)
    assert mixture is not None
    shape, scales, shares = mixture
    rising = np.cumprod(np.append(1.0, shape + np.arange(8)))
    fitted = [float(shares @ scales**k * rising[k]) for k in range(9)]
    assert shares.min() > 0
    assert fitted == pytest.approx(_moments(weights, 8), rel=1e-6)
