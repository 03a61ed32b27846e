"""HSIC equals the dense formulas, does not depend on order or units, and refuses what is void."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from personax.errors import UntestableError
from personax.independence._hsic import hsic
from personax.independence._kernels import _median_on_a_line

ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=8, max_size=40)


def kernel(x: Any) -> Any:
    distances = squareform(pdist(((x - x.mean()) / x.std(ddof=1))[:, None]))
    return np.exp(-0.25 * np.square(distances / np.median(distances[distances > 0])))


@pytest.mark.parametrize("ties", [False, True])
def test_equals_the_dense_formulas(ties: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    y = x**2 + rng.normal(size=60)
    if ties:
        x, y = np.round(x), np.round(y)
    n, k, m = 60, kernel(x), kernel(y)
    centre = np.eye(n) - 1 / n
    assert hsic(x, y).statistic == pytest.approx(np.trace(k @ centre @ m @ centre) / n**2, rel=1e-9)
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    one = np.ones(n)
    song = np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / (n - 1) / (n - 2) - 2 / (n - 2) * (one @ k @ m @ one)
    assert hsic(x, y, estimate="unbiased").statistic == pytest.approx(song / (n * (n - 3)), rel=1e-8)


@pytest.mark.parametrize("estimate", ["biased", "unbiased"])
def test_of_a_variable_with_itself_is_one(estimate: Any) -> None:
    x = np.random.default_rng(1).normal(size=50)
    assert hsic(x, x, estimate=estimate).effect_size == pytest.approx(1.0, rel=1e-9)


@settings(max_examples=30)
@given(rows=ROWS)
def test_symmetry_order_units_and_copies(rows: list[tuple[int, int]]) -> None:
    x, y = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    p = hsic(x, y).p_value
    order = np.random.default_rng(0).permutation(len(x))
    assert 0 <= p <= 1
    for a, b in ((y, x), (x[order], y[order]), (2.54 * x - 7, 100 - y), (np.column_stack([x, x]), y)):
        assert hsic(a, b).p_value == pytest.approx(p, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "options", "reason"),
    [
        (np.ones(9), {}, "x is constant"),
        (np.append(np.arange(8.0), np.nan), {}, "missing or infinite"),
        (np.append(np.arange(8.0), np.inf), {}, "missing or infinite"),
        (np.arange(8), {}, "8 rows and y has 9"),
        ([object()] * 9, {}, "objects"),
        (np.arange(9), {"estimate": "best"}, "no estimate 'best'"),
        (np.arange(9), {"null": "exact"}, "no null distribution 'exact'"),
        (np.arange(9), {"null": "permutation"}, "needs rng"),
        (np.arange(9), {"bandwidth": "wide"}, "no bandwidth rule"),
    ],
)
def test_what_cannot_be_tested_is_named(x: Any, options: Any, reason: str) -> None:
    with pytest.raises(UntestableError, match=reason):
        hsic(x, np.arange(9) % 4, **options)


@pytest.mark.parametrize("size", [2, 3, 50, 499, 500])
def test_the_median_distance_on_a_line_is_that_of_all_pairs(size: int) -> None:
    rng = np.random.default_rng(size)
    for values in (rng.normal(size=size), rng.standard_cauchy(size), np.arange(size) * 1.0, rng.integers(0, 4, size)):
        expected = np.median(pdist(np.asarray(values, float)[:, None]))
        assert _median_on_a_line(np.sort(np.asarray(values, float))) == pytest.approx(expected, rel=1e-12, abs=1e-15)
