"""The G-square (likelihood ratio) test of independence."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from personax.independence._contingency import Adjustment, TableNull, contingency_test
from personax.independence._inputs import Rng
from personax.independence._result import TestResult
from personax.independence._table_tests import cramers_v_interval_of, table_test
from personax.registry import register

__all__ = ["gsq", "likelihood_ratio"]


def likelihood_ratio(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 2 sum O log(O / E)."""
    return np.asarray(2 * xlogy(observed, observed / expected).sum(axis=(-2, -1)))


@register(
    "tests",
    "gsq",
    title="G-square",
    help="a likelihood-ratio test on the table of counts, made for categories",
    order=50,
    invariant=("labels",),
    categories=True,
    on_pair=table_test(likelihood_ratio, "permutation"),
    interval=cramers_v_interval_of,
    permutes=True,
)
def gsq(
    x: ArrayLike,
    y: ArrayLike | None = None,
    z: ArrayLike | None = None,
    *,
    correction: Adjustment | None = None,
    null: TableNull = "asymptotic",
    permutations: int = 999,
    rng: Rng = None,
) -> TestResult:
    r"""Test whether two sets of categories are independent by the likelihood ratio; otherwise as `chisq`.

    The statistic is ``G = 2 sum_ij o_ij log(o_ij / e_ij)`` with counts ``o_ij`` and ``e_ij = n_i. n_.j / n``.

    Parameters
    ----------
    x, y
        Categories, shape (n,), numbers or text. Without y, x is a table of counts, shape (a, b), or one a stratum,
        shape (strata, a, b).
    z
        Strata, shape (n,) or (n, d).
    correction
        None; ``"williams"``, after which the mean of G is that of chi-square up to terms of order 1 / n^2; or
        ``"yates"``, for tables of two by two only. Within every stratum.
    null
        ``"asymptotic"`` or ``"permutation"``; the ``"moments"`` of `chisq` are not those of G.
    permutations, rng
        How many, and from which random numbers; for the permutation null only.

    Returns
    -------
    TestResult
        As for `chisq`.

    Raises
    ------
    UntestableError
        As for `chisq`, and for the moments null.

    Notes
    -----
    Null hypothesis: x and y are independent (within each stratum). Rows are assumed independent of one another. The
    chi-square null assumes expected counts of 5 or more. With expected counts around 1 G-square rejects too often, and
    with far smaller ones hardly ever; choose ``"permutation"`` there.

    References
    ----------
    Wilks 1935, doi:10.1214/aoms/1177732564; Williams 1976, doi:10.1093/biomet/63.1.33.

    Examples
    --------
    >>> result = gsq(["a"] * 30 + ["b"] * 30, [1, 2, 2] * 10 + [1, 1, 2] * 10)
    >>> round(result.statistic, 3), result.details["dof"]
    (6.796, 1)
    """
    return contingency_test(
        x, y, z, likelihood_ratio, correction=correction, null=null, permutations=permutations, rng=rng
    )
