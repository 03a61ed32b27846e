"""Pearson's chi-square test of independence."""

from __future__ import annotations

from numpy.typing import ArrayLike

from personax.independence._contingency import Adjustment, TableNull, contingency_test, pearson
from personax.independence._inputs import Rng
from personax.independence._result import TestResult
from personax.independence._table_tests import cramers_v_interval_of, table_test
from personax.registry import register

__all__ = ["chisq"]


@register(
    "tests",
    "chisq",
    title="Chi-square",
    help="a test on the table of counts, made for categories",
    order=40,
    invariant=("labels",),
    categories=True,
    on_pair=table_test(pearson, "moments"),
    interval=cramers_v_interval_of,
    permutes=True,
    variants={"moments": ("either", {"null": "moments"})},
)
def chisq(
    x: ArrayLike,
    y: ArrayLike | None = None,
    z: ArrayLike | None = None,
    *,
    correction: Adjustment | None = None,
    null: TableNull = "asymptotic",
    permutations: int = 999,
    rng: Rng = None,
) -> TestResult:
    r"""Test whether two sets of categories are independent, given strata z or overall.

    The statistic is ``X^2 = sum_ij (o_ij - e_ij)^2 / e_ij`` with counts ``o_ij`` and ``e_ij = n_i. n_.j / n``.

    Parameters
    ----------
    x, y
        Categories, shape (n,), numbers or text. Without y, x is a table of counts, shape (a, b), or one a stratum,
        shape (strata, a, b).
    z
        Strata, shape (n,) or (n, d): statistics and degrees of freedom are summed over them.
    correction
        None; ``"yates"``, for tables of two by two only; or ``"williams"``, which divides by a factor that was made for
        G-square and makes X^2, whose mean is right already, cautious. Within every stratum; see
        `personax.independence._contingency.of_tables`.
    null
        ``"asymptotic"``: chi-square. ``"moments"``: the gamma distribution with the exact mean and variance of X^2
        given the margins, for sparse tables. ``"permutation"``: tables drawn with the same margins in every stratum.
    permutations, rng
        How many, and from which random numbers; for the permutation null only.

    Returns
    -------
    TestResult
        ``method`` names the null. The effect size is the bias-corrected Cramér's V, given z over all strata
        together; NaN with fewer than two people a level. ``details`` holds ``dof`` and ``share_expected_below_5``,
        given z also ``strata``, ``strata_used`` (those in which both vary) and ``n_used`` (their rows), and
        ``correction`` and ``permutations`` where there are any.

    Raises
    ------
    UntestableError
        A constant, missing values, different lengths, fewer than five rows, more than 2,000 distinct values, no stratum
        with two values of both, a permutation null without ``rng``, a moments null with a correction.

    Notes
    -----
    Null hypothesis: x and y are independent (within each stratum). Rows are assumed independent of one another. The
    chi-square null assumes expected counts of 5 or more; where many are smaller, choose ``"moments"``, or
    ``"permutation"``, which is exact at any size but knows no p-value below 1 / (1 + permutations).

    References
    ----------
    Pearson 1900, doi:10.1080/14786440009463897; moments: Dawson 1954, Biometrika 41:280; Lewis,
    Saunders, Westcott 1984, doi:10.1093/biomet/71.3.515.

    Examples
    --------
    >>> result = chisq(["a"] * 30 + ["b"] * 30, [1, 2, 2] * 10 + [1, 1, 2] * 10)
    >>> round(result.statistic, 3), result.details["dof"], round(result.p_value, 4)
    (6.667, 1, 0.0098)
    >>> rare = [0] * 29 + [1], list(range(10)) * 3
    >>> round(chisq(*rare).p_value, 2), chisq(*rare, null="moments").p_value  # these margins leave X^2 no choice
    (0.41, 1.0)
    """
    return contingency_test(
        x, y, z, pearson, correction=correction, null=null, permutations=permutations, rng=rng
    )  # fmt: skip
