"""Corrections and null distributions of tables: scipy's Yates, enumerated moments, levels where tables are sparse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from personax.errors import UntestableError
from personax.independence import TestResult, chisq, gsq, usp
from personax.independence._contingency import TableNull, contingency_test, of_tables, pearson, tables_of
from personax.independence._counts import count
from personax.independence._effects import pooled_cramers_v
from personax.independence._gsq import likelihood_ratio
from personax.independence._margins import expected_counts, pearson_moments, random_tables, williams
from personax.independence._usp import usp_of

Codes = NDArray[np.intp]
Array = NDArray[np.float64]
Test = Callable[..., TestResult]

DIVERGENCES = {"chisq": pearson, "gsq": likelihood_ratio}

NULLS: dict[str, Test] = {
    "chisq": chisq,
    "gsq": gsq,
    "chisq yates": lambda *v: chisq(*v, correction="yates"),
    "gsq yates": lambda *v: gsq(*v, correction="yates"),
    "chisq williams": lambda *v: chisq(*v, correction="williams"),
    "gsq williams": lambda *v: gsq(*v, correction="williams"),
    "chisq moments": lambda *v: chisq(*v, null="moments"),
}
"""All that is not random."""

Rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)), min_size=6, max_size=60)


def columns(rows: list[tuple[int, int, int]]) -> tuple[Codes, Codes, Codes]:
    x, y, z = (np.array(column) for column in zip(*rows, strict=True))
    assume(min(len(set(column)) for column in (x, y, z)) > 1)
    assume(any(len(set(x[z == level])) > 1 < len(set(y[z == level])) for level in (0, 1)))
    return x, y, z


def rows_of(table: list[list[int]]) -> tuple[Codes, Codes]:
    counts = np.array(table)
    x, y = np.indices(counts.shape)
    return np.repeat(x.ravel(), counts.ravel()), np.repeat(y.ravel(), counts.ravel())


def enumerated(x: Codes, y: Codes) -> list[Array]:
    """Return the tables of all n! permutations of y."""
    shape = (x.max() + 1, y.max() + 1)
    flat = (np.bincount(x * shape[1] + y[list(order)], minlength=shape[0] * shape[1]) for order in orders(len(x)))
    return [counts.reshape(shape).astype(float) for counts in flat]


def orders(n: int) -> Iterator[tuple[int, ...]]:
    return permutations(range(n))


# ---- corrections


@pytest.mark.parametrize(("name", "power"), [("chisq", 1.0), ("gsq", 0.0)])
@pytest.mark.parametrize(
    "table",
    [
        [[7, 3], [2, 8]],
        [[5, 5], [5, 5]],
        [[1, 12], [9, 0]],  # an empty cell
        [[10, 11], [10, 10]],  # closer to independence than 1/2
        [[300, 2], [1, 4]],
        [[4, 5, 1], [3, 3, 9]],  # more than two columns: nothing to correct
    ],
)
def test_yates_equals_scipy(name: str, power: float, table: list[list[int]]) -> None:
    test = {"chisq": chisq, "gsq": gsq}[name]
    expected = stats.chi2_contingency(table, correction=True, lambda_=power)
    result = test(*rows_of(table), correction="yates")
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-12, abs=1e-12)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-12)
    assert result.details["correction"] == "yates"
    assert result.details["tables_corrected"] == (np.shape(table) == (2, 2))


def test_yates_is_of_the_tables_that_are_two_by_two_within_strata() -> None:
    first, second = [[7, 3], [2, 8]], [[4, 5, 1], [3, 3, 9]]
    parts = [rows_of(first), rows_of(second)]
    x, y = (np.concatenate(column) for column in zip(*parts, strict=True))
    z = np.repeat([0, 1], [len(part[0]) for part in parts])
    by_hand = sum(stats.chi2_contingency(table, correction=True).statistic for table in (first, second))
    assert chisq(x, y, z, correction="yates").statistic == pytest.approx(by_hand, rel=1e-12)


def test_williams_is_the_closed_formula_within_each_stratum() -> None:
    rng = np.random.default_rng(31)
    x, y, z = rng.integers(0, 3, 90), rng.integers(0, 4, 90), rng.integers(0, 2, 90)
    total = 0.0
    for level in (0, 1):
        here = z == level
        n = here.sum()
        rows = sum(n / (x[here] == i).sum() for i in range(3)) - 1
        cols = sum(n / (y[here] == j).sum() for j in range(4)) - 1
        total += gsq(x[here], y[here]).statistic / (1 + rows * cols / (6 * n * 2 * 3))
    result = gsq(x, y, z, correction="williams")
    assert result.statistic == pytest.approx(total, rel=1e-12)
    assert result.p_value == pytest.approx(stats.chi2.sf(total, 12), rel=1e-12)
    assert gsq(x, y).statistic / gsq(x, y, correction="williams").statistic > 1


def test_williams_mends_the_mean_of_g() -> None:
    """q is made so that E(G / q) is the degrees of freedom up to 1 / n^2: checked over all multinomial counts."""
    n, p = 24, np.array([0.5, 0.5])
    weight, plain, mended = 0.0, 0.0, 0.0
    for a, b in product(range(n + 1), repeat=2):  # two groups of n people, each a binomial number of successes
        chance = stats.binom.pmf(a, n, p[0]) * stats.binom.pmf(b, n, p[1])
        table = np.array([[a, n - a], [b, n - b]], float)
        if 0 in table.sum(axis=0):
            continue
        g = float(likelihood_ratio(table, expected_counts(table)))
        weight, plain, mended = weight + chance, plain + chance * g, mended + chance * g / williams(table)
    assert plain / weight > 1.02
    assert mended / weight == pytest.approx(1, abs=0.003)


# ---- moments


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 2, 2, 2]),
        ([0, 0, 0, 0, 0, 1, 2], [0, 1, 1, 1, 1, 1, 2]),
        ([0, 0, 1, 1, 1], [0, 1, 1, 1, 1]),
        ([0, 0, 1, 1], [0, 1, 1, 1]),
        ([0, 0, 1, 1], [0, 0, 1, 1]),
        ([0, 0, 1], [0, 1, 1]),  # the formula is 0 / 0
        ([0, 1], [0, 1]),
        ([0, 1, 2, 3, 4], [0, 0, 1, 1, 2]),  # every row a category: X^2 is constant
        ([0, 0, 0, 0, 0, 1], [0, 0, 1, 1, 2, 2]),  # one rare row, groups of one size: constant too
    ],
)
def test_moments_are_those_of_all_permutations(x: list[int], y: list[int]) -> None:
    tables = enumerated(np.array(x), np.array(y))
    all_of_them = [float(pearson(table, expected_counts(table))) for table in tables]
    mean, variance = pearson_moments(tables[0])
    assert mean == pytest.approx(np.mean(all_of_them), rel=1e-12)
    assert variance == pytest.approx(np.var(all_of_them), rel=1e-10, abs=1e-12)
    assert (variance == 0) == (np.ptp(all_of_them) < 1e-9)


def test_the_moments_null_is_the_gamma_distribution_of_summed_moments() -> None:
    rng = np.random.default_rng(32)
    x, y, z = rng.integers(0, 3, 60), rng.integers(0, 6, 60), rng.integers(0, 3, 60)
    tables = [np.histogram2d(x[z == level], y[z == level], (3, 6))[0] for level in range(3)]
    tables = [table[table.any(axis=1)][:, table.any(axis=0)] for table in tables]
    mean, variance = np.sum([pearson_moments(table) for table in tables], axis=0)
    result = chisq(x, y, z, null="moments")
    expected = stats.gamma.sf(result.statistic, mean**2 / variance, scale=variance / mean)
    assert result.p_value == pytest.approx(expected, rel=1e-10)
    assert result.method == "moments"
    assert result.details["dof"] == chisq(x, y, z).details["dof"]


def test_moments_of_large_counts_are_those_of_chi_square() -> None:
    rng = np.random.default_rng(33)
    x, y = rng.integers(0, 3, 200_000), rng.integers(0, 4, 200_000)
    assert chisq(x, y, null="moments").p_value == pytest.approx(chisq(x, y).p_value, abs=1e-4)


def test_strata_in_which_x2_cannot_vary_are_no_evidence() -> None:
    """Two people a stratum who differ in both have an X^2 of 2, whatever they are like."""
    x, y, z = [0, 1] * 30, [0, 1, 1, 0] * 15, np.repeat(range(30), 2)
    result = chisq(x, y, z, null="moments")
    assert result.statistic == pytest.approx(60)
    assert result.p_value == 1.0
    rng = np.random.default_rng(34)
    more = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    alone = chisq(*more, null="moments")
    both = [np.concatenate(pair) for pair in ((x, more[0]), (y, more[1]), (z, np.full(50, 99)))]
    assert chisq(*both, null="moments").p_value == pytest.approx(alone.p_value, rel=1e-9)


@pytest.mark.parametrize("sizes", [[1, 1, 1], [2, 1, 3], [3, 3, 3]])
def test_tiny_strata(sizes: list[int]) -> None:
    z = np.repeat(np.arange(len(sizes) + 1), [*sizes, 8])
    rng = np.random.default_rng(sum(sizes))
    x, y = rng.integers(0, 2, len(z)), rng.integers(0, 2, len(z))
    for null in ("asymptotic", "moments", "permutation"):
        assert 0 <= chisq(x, y, z, null=null, rng=rng).p_value <= 1


def test_very_small_p_values_of_the_moments_null_are_not_zero() -> None:
    x = [0, 1] * 600
    assert 0 < chisq(x, x, null="moments").p_value < 1e-200


# ---- permutation


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_permutation_null_is_that_of_all_permutations(name: str) -> None:
    x, y = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 2])
    test, divergence = {"chisq": chisq, "gsq": gsq}[name], DIVERGENCES[name]
    tables = enumerated(x, y)
    whole = np.array([float(divergence(table, expected_counts(table))) for table in tables])
    exact = (whole >= test(x, y).statistic - 1e-9).mean()
    result = test(x, y, null="permutation", permutations=20_000, rng=np.random.default_rng(35))
    assert 0.02 < exact < 0.98
    assert result.p_value == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000))
    assert (result.method, result.details["permutations"]) == ("permutation", 20_000)
    assert result.statistic == test(x, y).statistic


def test_drawn_tables_are_corrected_as_the_observed_one() -> None:
    """Within one table a factor changes no order, and Yates' correction of X^2 neither."""
    x, y = rows_of([[4, 8], [9, 4]])
    choices: list[tuple[Test, str | None]] = [
        (chisq, None), (chisq, "yates"), (chisq, "williams"), (gsq, None), (gsq, "williams")
    ]  # fmt: skip
    p = [test(x, y, correction=c, null="permutation", rng=np.random.default_rng(47)).p_value for test, c in choices]
    assert 0.01 < p[0] < 0.2
    assert p == [p[0]] * 3 + [p[3]] * 2


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_permutation_null_stays_within_strata(name: str) -> None:
    """All of the dependence is through z, and both null distributions say so alike."""
    rng = np.random.default_rng(36)
    z = rng.integers(0, 3, 600)
    x, y = z + rng.integers(0, 2, 600), z + rng.integers(0, 2, 600)
    test = {"chisq": chisq, "gsq": gsq}[name]
    result = test(x, y, z, null="permutation", permutations=4999, rng=rng)
    assert result.p_value == pytest.approx(test(x, y, z).p_value, abs=0.04)
    assert result.p_value > 0.01
    assert test(x, y, null="permutation", rng=rng).p_value == 0.001


def test_ties_are_extreme() -> None:
    """Every table with these margins has one X^2, in whatever order its terms are added."""
    x, y = list(range(12)), [0, 1, 2] * 4
    for test in (chisq, gsq):
        assert test(x, y, null="permutation", rng=np.random.default_rng(37)).p_value == 1.0
    assert usp(x, y, rng=np.random.default_rng(37)).p_value == 1.0
    independent = [0, 0, 1, 1] * 3, [0, 1] * 6
    assert chisq(*independent, null="permutation", rng=np.random.default_rng(38)).p_value == 1.0


def test_tables_are_drawn_in_batches() -> None:
    """Tables too large for one batch: 9 at a time of 300 x 350 cells."""
    rng = np.random.default_rng(39)
    batches = list(random_tables(np.full(300, 7), np.full(350, 6), 25, rng))
    assert [len(batch) for batch in batches] == [9, 9, 7]
    assert (np.concatenate(batches).sum(axis=2) == 7).all()
    assert (np.concatenate(batches).sum(axis=1) == 6).all()


def test_one_seed_one_p_value() -> None:
    rng = np.random.default_rng(40)
    x, y = rng.integers(0, 4, 80), rng.integers(0, 5, 80)
    first, second = (chisq(x, y, null="permutation", rng=np.random.default_rng(1)) for _ in range(2))
    assert first == second
    first, second = (usp(x, y, rng=np.random.default_rng(1)) for _ in range(2))
    assert first == second


# ---- USP


def u_statistic(x: Codes, y: Codes) -> float:
    """Return the U-statistic of degree four, by all ordered choices of four rows."""
    same_x, same_y = x[:, None] == x, y[:, None] == y
    four = list(permutations(range(len(x)), 4))
    terms = (same_x[i, j] * (int(same_y[i, j]) - 2 * same_y[i, k] + same_y[k, m]) for i, j, k, m in four)
    return float(sum(terms) / len(four))


def test_usp_is_the_u_statistic() -> None:
    rng = np.random.default_rng(41)
    for _ in range(5):
        x, y = (np.append(rng.integers(0, k, 7), [0, 1]) for k in (3, 2))
        assert usp(x, y, rng=rng, permutations=1).statistic == pytest.approx(u_statistic(x, y), abs=1e-12)


def test_usp_as_published() -> None:
    """The formula of Berrett and Samworth orders tables of the same margins in the same way."""
    rng = np.random.default_rng(42)
    n, rows, cols = 40, np.array([20, 12, 8]), np.array([25, 5, 5, 5])
    (tables,) = random_tables(rows, cols, 50, rng)
    e = np.outer(rows, cols) / n
    published = [((o - e) ** 2).sum() / (n * (n - 3)) - 4 * (o * e).sum() / (n * (n - 2) * (n - 3)) for o in tables]
    ours = [usp_of(o, rng=rng, permutations=1).statistic for o in tables]
    assert np.ptp(np.array(ours) - published) < 1e-14
    first, second = float((rows**2).sum()), float((cols**2).sum())
    rest = (first + second) / (n * (n - 1) * (n - 3)) - n / ((n - 1) * (n - 3))
    rest += (3 * n - 2) * first * second / (n**3 * (n - 1) * (n - 2) * (n - 3))
    assert ours[0] - published[0] == pytest.approx(rest, abs=1e-14)


def test_usp_is_unbiased() -> None:
    rng = np.random.default_rng(43)
    p = np.array([[0.25, 0.05, 0.10], [0.05, 0.35, 0.20]])
    distance = np.square(p - np.outer(p.sum(axis=1), p.sum(axis=0))).sum()
    tables = rng.multinomial(12, p.ravel(), size=4000).reshape(-1, 2, 3)
    tables = tables[(tables.any(axis=2).sum(axis=1) > 1) & (tables.any(axis=1).sum(axis=1) > 1)]  # all but a few
    estimates = np.array([usp_of(table, rng=rng, permutations=1).statistic for table in tables])
    assert len(tables) > 3990
    assert estimates.mean() == pytest.approx(distance, abs=4 * estimates.std() / np.sqrt(len(tables)))
    assert estimates.std() / np.sqrt(len(tables)) < distance / 25


def test_usp_sees_what_chi_square_misses_among_rare_cells() -> None:
    """Dependence in the frequent cells, and thirty rare values of y that only add noise to X^2."""
    rng = np.random.default_rng(44)
    share = np.r_[0.2, 0.2, np.full(30, 0.02)]
    found = {"usp": 0, "chisq": 0}
    for _ in range(40):
        y = rng.choice(32, 150, p=share)
        x = np.where(y < 2, (y + (rng.random(150) < 0.25)) % 2, rng.integers(0, 2, 150))
        found["usp"] += usp(x, y, rng=rng, permutations=199).p_value <= 0.05
        found["chisq"] += chisq(x, y, null="permutation", permutations=199, rng=rng).p_value <= 0.05
    assert found["usp"] > found["chisq"] + 5


# ---- level


def test_levels_in_a_sparse_table() -> None:
    """300 people in 6 x 45 cells, x and y independent; 99.9 % of binomial counts at 5 % of 300 are in 5 to 29."""
    rng = np.random.default_rng(45)
    share = 1 / np.arange(1, 46)
    tests: dict[str, Test] = {
        "moments": lambda x, y: chisq(x, y, null="moments"),
        "chisq permuted": lambda x, y: chisq(x, y, null="permutation", permutations=99, rng=rng),
        "gsq permuted": lambda x, y: gsq(x, y, null="permutation", permutations=99, rng=rng),
        "usp": lambda x, y: usp(x, y, permutations=99, rng=rng),
        "gsq": gsq,
    }
    rejected = dict.fromkeys(tests, 0)
    for _ in range(300):
        x = rng.choice(6, 300, p=[0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
        y = rng.choice(45, 300, p=share / share.sum())
        for name, test in tests.items():
            rejected[name] += test(x, y).p_value <= 0.05
    low, high = (float(stats.binom.ppf(tail, 300, 0.05)) for tail in (0.0005, 0.9995))
    plain = rejected.pop("gsq")
    assert {name: low <= number <= high for name, number in rejected.items()} == dict.fromkeys(rejected, True)
    assert not low <= plain <= high  # what the others are for


# ---- properties


@pytest.mark.parametrize("name", NULLS)
@settings(max_examples=40)
@given(rows=Rows, seed=st.integers(0, 99))
def test_names_and_order_mean_nothing(name: str, rows: list[tuple[int, int, int]], seed: int) -> None:
    x, y, z = columns(rows)
    test, rng = NULLS[name], np.random.default_rng(seed)
    whole = test(x, y, z)
    assert 0 <= whole.p_value <= 1
    order = rng.permutation(len(x))
    names = np.array(["d", "b", "a", "c"])
    for other in (test(y, x, z), test(x[order], y[order], z[order]), test(names[x], 3 - y, names[z])):
        assert other.statistic == pytest.approx(whole.statistic, rel=1e-9, abs=1e-10)
        assert other.p_value == pytest.approx(whole.p_value, rel=1e-8)
        assert other.effect_size == pytest.approx(whole.effect_size, abs=1e-7, nan_ok=True)


@settings(max_examples=40)
@given(rows=Rows, seed=st.integers(0, 99))
def test_names_and_order_mean_nothing_to_usp(rows: list[tuple[int, int, int]], seed: int) -> None:
    x, y, _ = columns(rows)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    statistic = usp(x, y, rng=rng, permutations=1).statistic
    for pair in ((y, x), (x[order], y[order]), (3 - x, y + 5)):
        result = usp(*pair, rng=rng, permutations=19)
        assert result.statistic == pytest.approx(statistic, abs=1e-12)
        assert 1 / 20 <= result.p_value <= 1


@pytest.mark.parametrize("options", [{}, {"correction": "yates"}, {"correction": "williams"}, {"null": "moments"}])
@settings(max_examples=40)
@given(rows=Rows)
def test_a_row_that_stands_for_several_is_those_rows(options: Any, rows: list[tuple[int, int, int]]) -> None:
    x, y, z = columns(rows)
    distinct, weights = np.unique(np.array(rows), axis=0, return_counts=True)
    few = (count(column, weights=weights) for column in distinct.T)
    merged = of_tables(tables_of(*few), pearson, **options)
    whole = contingency_test(x, y, z, pearson, **options)
    assert (merged.n, merged.details) == (whole.n, whole.details)
    assert merged.statistic == pytest.approx(whole.statistic, rel=1e-12, abs=1e-12)
    assert merged.p_value == pytest.approx(whole.p_value, rel=1e-12)


def test_weights_and_one_seed_are_the_repeated_rows_and_that_seed() -> None:
    x, y, weights = [0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], np.array([9, 4, 3, 8, 5, 5])
    (table,) = tables_of(count(x, weights=weights), count(y, weights=weights))
    many = np.repeat(x, weights), np.repeat(y, weights)
    drawn = of_tables([table], likelihood_ratio, null="permutation", rng=np.random.default_rng(46))
    assert drawn == gsq(*many, null="permutation", rng=np.random.default_rng(46))
    assert usp_of(table, rng=np.random.default_rng(46)) == usp(*many, rng=np.random.default_rng(46))


# ---- what cannot be asked


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x, y: gsq(x, y, null="moments"), "the moments null is that of Pearson's chi-square only"),
        (lambda x, y: chisq(x, y, null="moments", correction="yates"), "takes no correction; leave yates out"),
        (lambda x, y: chisq(x, y, null="permutation"), "a permutation null needs rng"),
        (lambda x, y: usp(x, y, rng=None), "a permutation null needs rng"),
        (lambda x, y: usp(x, y, rng=np.random.default_rng(0), permutations=0), "a whole number of 1 or more, not 0"),
        (lambda x, y: chisq(x, y, null="exact"), "no null distribution 'exact'; choose from asymptotic"),  # type: ignore[arg-type]
        (lambda x, y: gsq(x, y, correction="none"), "no correction 'none'; choose from yates"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_asked_is_named(call: Test, sentence: str) -> None:
    with pytest.raises(UntestableError, match=sentence):
        call([0, 1, 2] * 5, [0, 1, 1, 2, 2] * 3)


# ---- strata


@pytest.mark.parametrize("correction", [None, "yates", "williams"])
def test_all_strata_at_once_are_each_by_itself(correction: Any) -> None:
    """Strata of unlike shapes: values that do not occur in one are no rows or columns of it."""
    rng = np.random.default_rng(51)
    z = rng.integers(0, 40, 400)
    x, y = rng.integers(0, 2 + z % 3), rng.integers(0, 2 + z % 2)
    tables = [np.histogram2d(x[z == level], y[z == level], (4, 3))[0].astype(int) for level in range(40)]
    vary = [table for table in tables if min(table.any(axis=0).sum(), table.any(axis=1).sum()) > 1]
    single = [of_tables([table], pearson, correction=correction) for table in vary]
    effect = pooled_cramers_v([table[table.any(axis=1)][:, table.any(axis=0)] for table in vary])
    whole = chisq(x, y, z, correction=correction)
    assert whole.statistic == pytest.approx(sum(one.statistic for one in single), rel=1e-12)
    assert whole.details["dof"] == sum(one.details["dof"] for one in single)
    assert whole.effect_size == pytest.approx(effect, rel=1e-12)
    assert (whole.details["strata"], whole.details["strata_used"]) == (40, len(vary))


def test_blocks_of_strata_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(52)
    x, y, z = rng.integers(0, 5, 300), rng.integers(0, 4, 300), rng.integers(0, 50, 300)
    nulls: tuple[TableNull, ...] = ("asymptotic", "moments")
    whole = [chisq(x, y, z, null=null) for null in nulls]
    monkeypatch.setattr("personax.independence._strata.CELLS", 70)
    for null, result in zip(nulls, whole, strict=True):
        again = chisq(x, y, z, null=null)
        assert (again.p_value, again.statistic) == pytest.approx((result.p_value, result.statistic), rel=1e-12)
        assert again.details == result.details
