"""USP: the U-statistic permutation test of independence of categories."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import UntestableError
from personax.independence._contingency import check_permutations, counted_tables, tables_of
from personax.independence._counts import read
from personax.independence._effects import CRAMERS_V, pooled_cramers_v
from personax.independence._inputs import Rng, generator
from personax.independence._margins import expected_counts, random_tables
from personax.independence._pair import ColumnPair
from personax.independence._result import TestResult
from personax.independence._strata import without_empty
from personax.independence._table_tests import cramers_v_interval_of
from personax.registry import register

__all__ = ["usp", "usp_of"]


def _on_pair(pair: ColumnPair, rng: np.random.Generator, **options: Any) -> TestResult:
    (counts,) = tables_of(pair.x.counted, pair.y.counted)
    return usp_of(counts, **{"rng": rng, **options})


@register(
    "tests",
    "usp",
    title="USP",
    help="a permutation test on the table of counts: valid however sparse the table is",
    order=60,
    invariant=("labels",),
    given="without",
    categories=True,
    on_pair=_on_pair,
    interval=cramers_v_interval_of,
)
def usp(x: ArrayLike, y: ArrayLike | None = None, *, rng: Rng, permutations: int = 999) -> TestResult:
    r"""Test whether two sets of categories are independent by an unbiased estimate of their squared distance from it.

    The distance is ``D = sum_ij (p_ij - p_i. p_.j)^2``. With counts ``o_ij`` and ``e_ij = n_i. n_.j / n`` its estimate
    is::

        U - n (1 - sum_i (n_i. / n)^2) (1 - sum_j (n_.j / n)^2) / ((n - 1) (n - 3))
        U = sum (o - e)^2 / (n (n - 3)) - 4 sum (o - e) e / (n (n - 2) (n - 3))

    which is the U-statistic of degree four. Only U differs between tables of the same margins.

    Parameters
    ----------
    x, y
        Categories, shape (n,), numbers or text. Without y, x is a table of counts, shape (a, b).
    rng
        Draws tables with the same margins.
    permutations
        How many; p = (1 + tables at least as extreme) / (1 + permutations).

    Returns
    -------
    TestResult
        ``statistic`` is the estimate of D, below 0 about half of the time under independence. The effect size is the
        bias-corrected Cramér's V.

    Raises
    ------
    UntestableError
        A constant, missing values, different lengths, fewer than five rows, more than 2,000 distinct values, no
        ``rng``.

    Notes
    -----
    Null hypothesis: x and y are independent. Rows are assumed independent of one another. The p-value is valid however
    sparse the table is. A cell counts by its probability: unlike in chi-square, a cell that one row in a thousand falls
    into cannot decide alone. Where the dependence sits in such cells, chi-square has more power.

    References
    ----------
    Berrett, Samworth 2021, doi:10.1098/rspa.2021.0549.

    Examples
    --------
    >>> x = [0, 1, 2, 3] * 25
    >>> result = usp(x, [value // 2 for value in x], rng=np.random.default_rng(0))
    >>> round(result.statistic, 3), result.p_value  # D is 8 * 0.125^2 = 0.125
    (0.125, 0.001)
    """
    (counts,) = _one_table(x) if y is None else tables_of(*read(x, y, None))
    return usp_of(counts, rng=generator(rng), permutations=permutations)


def _one_table(x: ArrayLike) -> list[NDArray[np.intp]]:
    tables = counted_tables(x)
    if len(tables) != 1:
        raise UntestableError("usp knows no strata; give one table, shape (a, b)")
    return tables


def usp_of(counts: NDArray[np.intp], *, rng: np.random.Generator | None, permutations: int = 999) -> TestResult:
    """Test a contingency table, shape (a, b), of at least four rows of data."""
    check_permutations(permutations, rng)
    assert rng is not None
    observed = without_empty(counts)
    rows, columns = (observed.sum(axis=axis).astype(np.intp) for axis in (1, 0))
    expected = expected_counts(observed)
    own = float(_moving(observed, expected))
    drawn = np.concatenate([_moving(batch, expected) for batch in random_tables(rows, columns, permutations, rng)])
    n = int(observed.sum())
    # (n - 2) times these numbers are whole numbers apart, so that half of one tells a tie from the next larger number
    p_value = (1 + (drawn >= own - 0.5 / (n - 2)).sum()) / (1 + permutations)
    details = {"effect_name": CRAMERS_V, "permutations": permutations}
    x_even, y_even = (1 - float(np.square(margin / n).sum()) for margin in (rows, columns))
    statistic = own / (n * (n - 3)) - n * x_even * y_even / ((n - 1) * (n - 3))
    return TestResult(statistic, float(p_value), pooled_cramers_v([observed]), n, "permutation", details)


def _moving(observed: NDArray[np.float64] | NDArray[np.intp], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return n (n - 3) U, of every table, shape (...)."""
    off = observed - expected
    return np.asarray((off * (off - 4 / (expected.sum() - 2) * expected)).sum(axis=(-2, -1)))
