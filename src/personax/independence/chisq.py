"""Pearson's chi-square test of independence."""

from __future__ import annotations

from numpy.typing import ArrayLike

from personax.independence.contingency import contingency_test, pearson
from personax.independence.result import TestResult

__all__ = ["chisq"]


def chisq(x: ArrayLike, y: ArrayLike, z: ArrayLike | None = None) -> TestResult:
    """Test whether two sets of categories are independent, given strata z or overall.

    Parameters
    ----------
    x, y
        Categories, shape (n,), numbers or text.
    z
        Strata, shape (n,) or (n, d): statistics and degrees of freedom are summed over them.

    Returns
    -------
    TestResult
        The effect size is the bias-corrected Cramér's V, given z the mean over strata weighted by rows. ``details``
        holds ``dof`` and ``share_expected_below_5``, given z also ``strata``, ``strata_used`` (those in which both
        vary) and ``n_used`` (their rows).

    Raises
    ------
    UntestableError
        A constant, missing values, different lengths, fewer than five rows, more than 2,000 distinct values, no stratum
        with two values of both.

    Notes
    -----
    Null hypothesis: x and y are independent (within each stratum). No continuity correction. The chi-square null
    assumes expected counts of 5 or more; where many are smaller, read the p-value as a rough one.

    References
    ----------
    Pearson 1900, doi:10.1080/14786440009463897.

    Examples
    --------
    >>> result = chisq(["a"] * 30 + ["b"] * 30, [1, 2, 2] * 10 + [1, 1, 2] * 10)
    >>> round(result.statistic, 3), result.details["dof"], round(result.p_value, 4)
    (6.667, 1, 0.0098)
    """
    return contingency_test(x, y, z, pearson)
