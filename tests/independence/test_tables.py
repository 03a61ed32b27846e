"""chi-square and G-square equal scipy; strata add up; Cramér's V has its known values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from personax.errors import UntestableError
from personax.independence import chisq, gsq
from personax.independence._effects import cramers_v

TESTS = {"chisq": (chisq, 1.0), "gsq": (gsq, 0.0)}
"""Each with its power in the family of Cressie and Read."""

Rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=10, max_size=80)


@pytest.mark.parametrize("name", TESTS)
@given(rows=Rows)
def test_equals_scipy(name: str, rows: list[tuple[int, int]]) -> None:
    x, y = (np.array(column) for column in zip(*rows, strict=True))
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    test, power = TESTS[name]
    observed = stats.contingency.crosstab(x, y).count
    expected = stats.chi2_contingency(observed, correction=False, lambda_=power)
    result = test(x, y)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert result.details["dof"] == expected.dof
    assert test(y, x).p_value == pytest.approx(result.p_value, rel=1e-9)


@pytest.mark.parametrize("name", TESTS)
def test_strata_add_up(name: str) -> None:
    """The conditional test is the sum of the tests within the strata, with pooled degrees of freedom."""
    test, _ = TESTS[name]
    rng = np.random.default_rng(5)
    x, y, z = rng.integers(0, 3, 600), rng.integers(0, 4, 600), rng.choice(["a", "b"], 600)
    parts = [test(x[z == level], y[z == level]) for level in ("a", "b")]
    whole = test(x, y, z)
    assert whole.statistic == pytest.approx(sum(part.statistic for part in parts))
    assert whole.details["dof"] == sum(part.details["dof"] for part in parts)
    assert whole.p_value == pytest.approx(stats.chi2.sf(whole.statistic, whole.details["dof"]))


def test_a_common_cause_is_explained_away() -> None:
    rng = np.random.default_rng(6)
    z = rng.integers(0, 3, 3000)
    x, y = (z + rng.integers(0, 2, 3000) for _ in range(2))
    assert chisq(x, y).p_value < 1e-50
    assert chisq(x, y, z).p_value > 0.01


def test_equals_causal_learn_given_a_stratum() -> None:
    peer = pytest.importorskip("causallearn.utils.cit", reason="causal-learn is in the extra discovery")
    rng = np.random.default_rng(7)
    data = np.column_stack([rng.integers(0, k, 800) for k in (3, 4, 2)])
    data[:, 1] = np.where(rng.random(800) < 0.2, data[:, 0], data[:, 1])
    for name, (test, _) in TESTS.items():
        theirs = peer.CIT(data, name)(0, 1, [2])
        assert test(data[:, 0], data[:, 1], data[:, 2]).p_value == pytest.approx(theirs, rel=1e-9)


def test_cramers_v_of_known_tables() -> None:
    assert cramers_v(np.diag([40, 40, 40])) == pytest.approx(1.0)
    assert cramers_v(np.full((3, 3), 10)) == 0.0
    # Bergsma's correction by hand: phi2 = .36, less 1/99; both sides 2 - 1/99
    table = np.array([[40, 10], [10, 40]])
    by_hand = np.sqrt((0.36 - 1 / 99) / (1 - 1 / 99))
    assert cramers_v(table) == pytest.approx(by_hand)


def test_small_expected_counts_are_reported() -> None:
    result = chisq([0] * 95 + [1] * 5, ([0, 1] * 50))
    assert result.details["share_expected_below_5"] == 0.5


def test_a_stratum_in_which_nothing_varies_is_left_out() -> None:
    x, y, z = [1, 2, 2] * 10 + [1] * 9, [1, 1, 2] * 10 + [1, 2, 3] * 3, ["a"] * 30 + ["b"] * 9
    result = chisq(x, y, z)
    assert result.statistic == pytest.approx(chisq(x[:30], y[:30]).statistic)
    assert (result.n, result.details["n_used"], result.details["strata"], result.details["strata_used"]) == (
        39,
        30,
        2,
        1,
    )


def test_very_small_p_values_are_not_zero() -> None:
    x = [0, 1] * 600
    assert 0 < chisq(x, x).p_value < 1e-200


def test_categories_beyond_number_are_named() -> None:
    with pytest.raises(UntestableError, match="x has 2,001 distinct values"):
        chisq(range(2001), [0, 1, 2] * 667)


def test_one_stratum_a_row_is_named() -> None:
    with pytest.raises(UntestableError, match="no stratum has two values of both"):
        chisq([1, 2] * 5, [1, 2] * 5, range(10))
    with pytest.raises(UntestableError, match="z has 9 rows and x has 10"):
        chisq([1, 2] * 5, [1, 2] * 5, [1, 2, 3] * 3)
