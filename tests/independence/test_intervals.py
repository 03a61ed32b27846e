"""Intervals of effect sizes: they hold the estimate always, and the truth about as often as they say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from personax.independence._contingency import of_tables, pearson, tables_of
from personax.independence._counts import count
from personax.independence._intervals import correlation_interval, cramers_v_interval
from personax.independence._pair import ColumnPair, Sample

Draw = Callable[[np.random.Generator, int], tuple[NDArray[np.float64] | NDArray[np.str_], NDArray[np.float64]]]


def line(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = rng.normal(size=n)
    return x, 0.5 * x + rng.normal(size=n)


def bent(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = np.round(rng.normal(size=n), 1)
    return x, np.round(0.5 * x**2 + rng.normal(size=n), 1)


def groups(rng: np.random.Generator, n: int) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    x = rng.integers(0, 4, n)
    return x.astype(str), 0.8 * (x == 1) + rng.normal(size=n)


def apart(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return rng.normal(size=n), rng.normal(size=n)


def weak(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = rng.normal(size=n)
    return x, 0.15 * x + rng.normal(size=n)


def strong(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = rng.normal(size=n)
    return x, 3 * x + rng.normal(size=n)


def wave(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = rng.normal(size=n)
    return x, np.sin(2 * x) + 0.5 * rng.normal(size=n)


def estimated(draw: Draw, rng: np.random.Generator, n: int) -> tuple[float, tuple[float, float]]:
    pair = ColumnPair(*(Sample(count(values), "continuous") for values in draw(rng, n)), None)
    return pair.effect, pair.effect_interval


@pytest.mark.parametrize("draw", [line, bent, groups, apart, weak, strong, wave])
def test_kernel_intervals_cover(draw: Draw) -> None:
    truth = 0.0 if draw is apart else estimated(draw, np.random.default_rng(0), 20_000)[0]
    hits = 0
    for seed in range(100):
        effect, (low, high) = estimated(draw, np.random.default_rng([1, seed]), 150)
        assert 0 <= low <= effect + 1e-9 <= high + 2e-9 <= 1 + 3e-9
        hits += low <= truth <= high
    assert hits >= 87  # 95 expected; fewer than 87 happens once in 1,500 times
    assert hits < 100  # so does 100 of 100 for six in a thousand: wider than they say


def test_longer_samples_have_shorter_intervals() -> None:
    lengths = [float(np.ptp(estimated(line, np.random.default_rng(2), n)[1])) for n in (100, 400, 1600, 6400)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] == pytest.approx(lengths[1] / 4, rel=0.35)


def test_cramers_v_covers() -> None:
    shares = np.array([[0.2, 0.1, 0.1], [0.05, 0.15, 0.1], [0.1, 0.05, 0.15]])
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    truth = float(np.sqrt((np.square(shares - expected) / expected).sum() / 2))
    hits = 0
    for seed in range(200):
        cell = np.random.default_rng([3, seed]).choice(9, 300, p=shares.ravel())
        result = of_tables(tables_of(count(cell // 3), count(cell % 3)), pearson)
        low, high = cramers_v_interval(result.statistic, 4, 300, 3, result.effect_size)
        assert low <= result.effect_size <= high
        hits += low <= truth <= high
    assert hits >= 178


def test_a_correlation_by_hand() -> None:
    low, high = correlation_interval(0.5, 103)
    assert (low, high) == pytest.approx((0.3393, 0.6323), abs=1e-4)  # tanh(0.5493 -+ 1.96 / 10)
    assert correlation_interval(0.0, 50)[0] == 0.0


@given(st.floats(0, 500), st.integers(1, 30), st.integers(20, 5000), st.integers(2, 8), st.floats(0, 1))
def test_v_stays_between_0_and_1_and_holds_the_estimate(x: float, dof: int, n: int, levels: int, effect: float) -> None:
    low, high = cramers_v_interval(x, dof, n, levels, effect)
    assert 0 <= low <= effect <= high <= 1
