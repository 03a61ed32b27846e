"""Marginal KCI by counting equals the n x n computation, is invariant where it must be, and keeps its level."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.distance import pdist

from personax.errors import UntestableError
from personax.independence import kci
from personax.independence._counts import count
from personax.independence._effects import cramers_v, effect_factor, kernel_correlation
from personax.independence._kernels import marginal_factor, marginal_width, standardise

Array = NDArray[np.float64]


def dense(x: Array, y: Array, width: float) -> tuple[float, float]:
    """Return statistic and p-value from n x n matrices, written down as in Zhang et al. 2011."""
    n = len(x)
    centre = np.eye(n) - 1 / n
    kernels = []
    for values in (x.reshape(n, -1), y.reshape(n, -1)):
        z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
        sigma = width / np.sqrt(z.shape[1])
        squared = ((z[:, None] - z[None]) ** 2).sum(axis=2)
        kernels.append(centre @ np.exp(-0.5 * squared / sigma**2) @ centre)
    kx, ky = kernels
    statistic = float((kx * ky).sum())
    mean = np.trace(kx) * np.trace(ky) / n
    variance = 2 * (kx**2).sum() * (ky**2).sum() / n**2
    return statistic, float(stats.gamma.sf(statistic, mean**2 / variance, scale=variance / mean))


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("n", [60, 250])
def test_equals_the_dense_computation(n: int, dim: int) -> None:
    rng = np.random.default_rng(n + dim)
    x = rng.normal(size=(n, dim))
    y = rng.normal(size=n) + 0.3 * x[:, 0]
    statistic, p = dense(x, y, 0.8 if n < 200 else 0.5)
    result = kci(x, y, null="gamma", bandwidth="empirical", scores="never")
    assert result.statistic == pytest.approx(statistic, rel=1e-10)
    assert result.p_value == pytest.approx(p, rel=1e-8)


@pytest.mark.parametrize(("n", "levels"), [(150, 3), (400, 5), (1300, 3)])
def test_equals_causal_learn_on_repeated_values(n: int, levels: int) -> None:
    peer = pytest.importorskip("causallearn.utils.KCI.KCI", reason="causal-learn is in the extra discovery")
    rng = np.random.default_rng(n)
    x = np.round(rng.normal(180, 9, n))
    y = np.digitize(0.05 * (x - 180) + rng.normal(size=n), np.linspace(-1, 1, levels - 1)).astype(float)
    p, statistic = peer.KCI_UInd(est_width="empirical").compute_pvalue(x[:, None], y[:, None])
    result = kci(x, y, null="gamma", bandwidth="empirical", scores="never")
    assert result.statistic == pytest.approx(statistic, rel=1e-9)
    assert result.p_value == pytest.approx(p, rel=1e-9)


def answers() -> list[tuple[str, Array, Array, dict[str, float]]]:
    """What causal-learn said of larger inputs."""
    script = Path(__file__).parents[1] / "reference" / "independence_kci.py"
    known = json.loads(script.with_suffix(".json").read_text(encoding="utf-8"))["answers"]
    return [(name, x, y, known[name]) for name, (x, y) in runpy.run_path(str(script))["marginal_inputs"]().items()]


@pytest.mark.parametrize(("name", "x", "y", "answer"), answers(), ids=lambda value: value if type(value) is str else "")
def test_equals_causal_learn_on_larger_inputs(name: str, x: Array, y: Array, answer: dict[str, float]) -> None:
    result = kci(x, y, null="gamma", bandwidth="empirical", scores="never")
    repeated = len(np.unique(x)) < len(x) / 2
    assert result.p_value == pytest.approx(answer["p_value"], rel=1e-9 if repeated else 1e-7)
    assert result.statistic == pytest.approx(answer["statistic"], rel=1e-9 if repeated else 1e-7)


def test_high_rank_equals_the_dense_computation() -> None:
    """In many dimensions the rank grows towards the number of rows."""
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(400, 4)), rng.normal(size=(400, 3))
    result = kci(x, y, null="gamma", bandwidth="empirical", scores="never")
    assert result.details["rank_x"] > 256
    assert result.p_value == pytest.approx(dense(x, y, 0.5)[1], abs=1e-6)


def test_the_median_rule() -> None:
    rng = np.random.default_rng(13)
    for rows in (np.round(rng.normal(size=(80, 1)), 1), rng.normal(size=(31, 2)), rng.integers(0, 3, (50, 1))):
        x = count(rows)
        values = standardise(x)
        distances = pdist(values[x.codes])
        expected = np.sqrt(2) * np.median(distances[distances > 0])
        assert marginal_width(values, x.counts, "median") == pytest.approx(expected, rel=1e-12)


def test_numbers_that_are_names() -> None:
    rng = np.random.default_rng(19)
    x, y = rng.integers(0, 7, 200), rng.integers(0, 4, 200)
    names = np.array(list("ecagbfd"))[x]
    assert kci(x, y, nominal=("x",)).p_value == pytest.approx(kci(names, y).p_value, rel=1e-12)
    assert kci(x, y).p_value != pytest.approx(kci(names, y).p_value, rel=1e-3)


@pytest.mark.parametrize("distinct", [False, True], ids=["tables are drawn", "rows are shuffled"])
def test_the_permutation_null_agrees_with_the_gamma_null(distinct: bool) -> None:
    rng = np.random.default_rng(14)
    x = rng.normal(size=300)
    y = 0.1 * x + rng.normal(size=300)
    if not distinct:
        x, y = np.round(x), np.round(y)
    options: dict[str, Any] = {"null": "permutation", "permutations": 999, "bandwidth": "empirical"}
    first, second = (kci(x, y, **options, rng=np.random.default_rng(15)) for _ in range(2))
    assert first.p_value == second.p_value
    assert first.method == "permutation"
    assert first.p_value == pytest.approx(kci(x, y, bandwidth="empirical").p_value, abs=0.04)


def test_a_permutation_p_value_counts_the_data_itself() -> None:
    x = np.arange(40) % 4
    result = kci(x, x, null="permutation", permutations=99, rng=np.random.default_rng(16))
    assert result.p_value == 0.01


@pytest.mark.slow
def test_the_permutation_null_keeps_its_level_where_the_sample_is_small() -> None:
    """1,000 nulls at n = 12 with heavy ties; a permutation p-value never rejects too often."""
    rng = np.random.default_rng(17)
    rejected = 0
    for _ in range(1000):
        x, y = np.append(rng.integers(0, 2, 10), [0, 1]), np.append(rng.integers(0, 3, 10), [0, 1])
        x = rng.permutation(x)
        rejected += kci(x, y, null="permutation", permutations=99, rng=rng).p_value <= 0.05
    assert rejected <= stats.binom.ppf(0.999, 1000, 0.05)


def test_very_large_and_very_small_numbers() -> None:
    rng = np.random.default_rng(18)
    x, y = rng.integers(0, 9, 100), rng.integers(0, 4, 100)
    p = kci(x, y).p_value
    assert kci(x * 1e300, y * 1e-300).p_value == pytest.approx(p, rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=8, max_size=60))
def test_symmetry_order_units_and_copies(rows: list[tuple[int, int]]) -> None:
    x, y = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    p = kci(x, y, bandwidth=0.5).p_value
    assert 0 <= p <= 1
    assert kci(y, x, bandwidth=0.5).p_value == pytest.approx(p, rel=1e-8)
    assert kci(2.54 * x - 7, 100 - y, bandwidth=0.5).p_value == pytest.approx(p, rel=1e-8)
    order = np.argsort(np.random.default_rng(0).random(len(x)))
    assert kci(x[order], y[order], bandwidth=0.5).p_value == pytest.approx(p, rel=1e-8)


def test_names_of_categories_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.choice(["a", "b", "c"], 200), rng.integers(0, 3, 200)
    renamed = np.array([{"a": "zebra", "b": "", "c": "<b>"}[value] for value in x])
    assert kci(x, y).p_value == pytest.approx(kci(renamed, y).p_value, rel=1e-12)


def test_very_small_p_values_are_not_zero() -> None:
    """1 - cdf would be exactly 0 here."""
    rng = np.random.default_rng(11)
    x = np.repeat(np.arange(10.0), 100)
    y = np.where(rng.random(1000) < 0.6, x, rng.integers(0, 10, 1000))
    assert 0 < kci(x, y).p_value < 1e-50


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ordinal", "continuous", "skewed", "nominal"])
def test_level_under_independence(kind: str) -> None:
    """1,000 nulls at n = 200: the share rejected at 0.05 stays in the binomial interval of probability 0.999."""
    rng = np.random.default_rng(20)
    draws: dict[str, Callable[[], NDArray[Any]]] = {
        "ordinal": lambda: rng.integers(1, 4, 200),
        "continuous": lambda: rng.normal(size=200),
        "skewed": lambda: rng.choice([1, 2, 3], 200, p=[0.9, 0.07, 0.03]),
        "nominal": lambda: rng.choice(list("abcdefgh"), 200),
    }
    rejected = sum(kci(np.round(rng.normal(180, 9, 200)), draws[kind]()).p_value < 0.05 for _ in range(1000))
    low, high = stats.binom.interval(0.999, 1000, 0.05)
    assert low <= rejected <= high


def test_sees_a_relation_without_correlation() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=300)
    result = kci(x, x**2 + 0.3 * rng.normal(size=300))
    assert abs(np.corrcoef(x, x**2)[0, 1]) < 0.3
    assert result.p_value < 1e-6
    assert result.effect_size > 0.3


@pytest.mark.parametrize("r", [0.2, 0.5, 0.8])
def test_the_effect_size_reads_like_a_correlation(r: float) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=4000)
    y = r * x + np.sqrt(1 - r**2) * rng.normal(size=4000)
    assert kci(x, y).effect_size == pytest.approx(r, abs=0.06)


def test_many_categories_alone_are_no_effect() -> None:
    rng = np.random.default_rng(4)
    x = count(rng.integers(0, 100, 1000).astype(str))
    y = count(rng.normal(size=1000))
    assert kernel_correlation(effect_factor(x), effect_factor(y)) < 0.1


@pytest.mark.parametrize("groups", [2, 5, 40])
def test_the_effect_of_groups_reads_like_a_correlation_ratio(groups: int) -> None:
    rng = np.random.default_rng(5)
    group = rng.integers(0, groups, 20_000)
    y = rng.normal(size=groups)[group] + rng.normal(size=20_000)
    means = np.array([y[group == g].mean() for g in range(groups)])
    ratio = np.sqrt(means[group].var() / y.var())
    assert kci(group.astype(str), y).effect_size == pytest.approx(ratio, abs=0.06)


def test_the_effect_of_two_categories_is_cramers_v() -> None:
    rng = np.random.default_rng(6)
    x = rng.integers(0, 4, 3000)
    y = np.where(rng.random(3000) < 0.3, x % 3, rng.integers(0, 3, 3000))
    observed = np.histogram2d(x, y, bins=(4, 3))[0].astype(int)
    assert kci(x.astype(str), y.astype(str)).effect_size == pytest.approx(cramers_v(observed), abs=2e-3)


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6], "x is constant"),
        ([1, 2, 3], [1, 2, 3], "only 3 rows"),
        ([1, 2, 3, 4, 5, float("nan")], [1, 2, 3, 4, 5, 6], "missing or infinite"),
        ([1, 2, 3, 4, 5, float("inf")], [1, 2, 3, 4, 5, 6], "missing or infinite"),
        ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5], "6 rows and y has 5"),
        (np.zeros((6, 2, 2)), [1, 2, 3, 4, 5, 6], "give shape"),
        ([1, 2, 3, 4, 5, None], [1, 2, 3, 4, 5, 6], "x holds missing"),
        (["a", "b", "a", "b", "a", None], [1, 2, 3, 4, 5, 6], "x holds missing"),
        (np.array(["a", "b", "a", "b", "a", 1], dtype=object), [1, 2, 3, 4, 5, 6], "mixes types"),
        ([1j, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], "complex128"),
        ([str(i) for i in range(2001)], range(2001), "2,001 categories"),
    ],
)
def test_what_cannot_be_tested_is_named(x: list[float], y: list[float], reason: str) -> None:
    with pytest.raises(UntestableError, match=reason):
        kci(x, y)


def test_a_bandwidth_that_makes_no_sense() -> None:
    with pytest.raises(UntestableError, match="must be positive"):
        kci(range(9), range(9), bandwidth=0)
    with pytest.raises(UntestableError, match="no bandwidth rule 'wide'"):
        kci(range(9), range(9), bandwidth="wide")
    with pytest.raises(UntestableError, match="tells no two values apart"):
        kci(range(9), range(9), bandwidth=1e6)


def test_nulls_that_make_no_sense() -> None:
    with pytest.raises(UntestableError, match="no null distribution 'exact'"):
        kci(range(9), range(9), null="exact")  # type: ignore[arg-type]
    with pytest.raises(UntestableError, match="needs rng"):
        kci(range(9), range(9), null="permutation")
    with pytest.raises(UntestableError, match="no z"):
        kci(range(9), range(9), [0, 1, 2] * 3, null="permutation", rng=np.random.default_rng(0))


@pytest.mark.parametrize(("columns", "width"), [(1, 0.3), (1, 2.0), (2, 0.5), (2, 2.0), (4, 2.0)])
def test_the_factor_is_the_kernel(columns: int, width: float) -> None:
    """Also where pivots are nearly dependent, which is where rounding would spread."""
    x = count(np.random.default_rng(30).normal(size=(900, columns)))
    values = standardise(x)
    kernel = np.exp(-np.square(values[:, None] - values[None]).sum(axis=2) / (2 * width**2))
    centre = np.eye(900) - 1 / 900
    factor = marginal_factor(x, width, tolerance=1e-13)
    assert np.abs(factor.rows @ factor.rows.T - centre @ kernel @ centre).max() < 1e-9
