"""The G-square (likelihood ratio) test of independence."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from personax.independence.contingency import contingency_test
from personax.independence.result import TestResult

__all__ = ["gsq", "likelihood_ratio"]


def likelihood_ratio(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return 2 sum O log(O / E)."""
    return float(2 * xlogy(observed, observed / expected).sum())


def gsq(x: ArrayLike, y: ArrayLike, z: ArrayLike | None = None) -> TestResult:
    """Test whether two sets of categories are independent by the likelihood ratio; otherwise as `chisq`.

    Parameters
    ----------
    x, y
        Categories, shape (n,), numbers or text.
    z
        Strata, shape (n,) or (n, d).

    Returns
    -------
    TestResult
        As for `chisq`.

    Raises
    ------
    UntestableError
        As for `chisq`.

    Notes
    -----
    Null hypothesis: x and y are independent (within each stratum). In sparse tables G-square hardly ever rejects.

    References
    ----------
    Wilks 1935, doi:10.1214/aoms/1177732564.

    Examples
    --------
    >>> result = gsq(["a"] * 30 + ["b"] * 30, [1, 2, 2] * 10 + [1, 1, 2] * 10)
    >>> round(result.statistic, 3), result.details["dof"]
    (6.796, 1)
    """
    return contingency_test(x, y, z, likelihood_ratio)
