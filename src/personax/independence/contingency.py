"""What chi-square and G-square share: tables by stratum, pooled degrees of freedom, Cramér's V."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from personax.errors import UntestableError
from personax.independence.counts import Counted, count, table
from personax.independence.result import TestResult

__all__ = ["MAX_LEVELS", "contingency_test", "cramers_v", "of_table"]

MAX_LEVELS = 50
"""A variable with more distinct values is not a set of categories."""

Divergence = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
"""(observed, expected) -> statistic."""


def contingency_test(x: ArrayLike, y: ArrayLike, z: ArrayLike | None, divergence: Divergence) -> TestResult:
    """Test categories against categories, within every stratum of z, degrees of freedom pooled."""
    cx, cy = count(x, name="x"), count(y, name="y")
    if cx.n != cy.n:
        raise UntestableError(f"x has {cx.n} rows and y has {cy.n}")
    tables = [table(cx, cy)] if z is None else list(_strata(cx, cy, z))
    return of_table(tables, divergence)


def of_table(tables: list[NDArray[np.intp]], divergence: Divergence) -> TestResult:
    """Test independence within each of several contingency tables together."""
    statistic, dof, cells, small, n = 0.0, 0, 0, 0, 0
    for counts in tables:
        observed = counts[counts.any(axis=1)][:, counts.any(axis=0)].astype(float)
        total = observed.sum()
        expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / total
        statistic += divergence(observed, expected)
        dof += (observed.shape[0] - 1) * (observed.shape[1] - 1)
        cells += observed.size
        small += int((expected < 5).sum())
        n += int(total)
    if dof == 0:
        raise UntestableError("no stratum has two values of both variables")
    details = {"dof": dof, "share_expected_below_5": small / cells, "effect_name": "Cramér's V"}
    p_value = float(chdtrc(dof, statistic))
    return TestResult(statistic, p_value, _pooled_v(tables), n, "asymptotic", details)


def cramers_v(counts: NDArray[np.intp]) -> float:
    """Return the bias-corrected Cramér's V of a contingency table.

    References
    ----------
    Bergsma 2013, doi:10.1016/j.jkss.2012.10.002.

    Examples
    --------
    >>> round(cramers_v(np.array([[50, 0], [0, 50]])), 3)
    1.0
    >>> cramers_v(np.array([[25, 25], [25, 25]]))
    0.0
    """
    observed = counts[counts.any(axis=1)][:, counts.any(axis=0)].astype(float)
    n = observed.sum()
    a, b = observed.shape
    if min(a, b) < 2 or n < 2:
        return 0.0
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / n
    phi2 = max(0.0, float((np.square(observed - expected) / expected).sum()) / n - (a - 1) * (b - 1) / (n - 1))
    a_, b_ = a - (a - 1) ** 2 / (n - 1), b - (b - 1) ** 2 / (n - 1)
    return float(min(1.0, np.sqrt(phi2 / min(a_ - 1, b_ - 1))))


def _pooled_v(tables: list[NDArray[np.intp]]) -> float:
    weights = np.array([counts.sum() for counts in tables], dtype=float)
    return float(np.average([cramers_v(counts) for counts in tables], weights=weights))


def _strata(x: Counted, y: Counted, z: ArrayLike) -> Iterator[NDArray[np.intp]]:
    cz = count(z, name="z")
    if cz.n != x.n:
        raise UntestableError(f"z has {cz.n} rows and x has {x.n}")
    size = x.size * y.size
    flat = np.bincount(cz.codes * size + x.codes * y.size + y.codes, minlength=cz.size * size)
    yield from flat.reshape(cz.size, x.size, y.size)
