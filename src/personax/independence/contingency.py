"""What chi-square and G-square share: tables by stratum, pooled degrees of freedom, Cramér's V."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from personax.errors import UntestableError
from personax.independence.counts import MAX_CATEGORIES, Counted, count, same_rows, table, tally
from personax.independence.effects import CRAMERS_V, cramers_v
from personax.independence.result import TestResult

__all__ = ["Divergence", "contingency_test", "of_tables", "pearson", "tables_of"]

Divergence = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
"""(observed, expected) -> statistic."""


def pearson(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return sum (O - E)^2 / E."""
    return float((np.square(observed - expected) / expected).sum())


def contingency_test(x: ArrayLike, y: ArrayLike, z: ArrayLike | None, divergence: Divergence) -> TestResult:
    """Test categories against categories, within every stratum of z, degrees of freedom pooled."""
    vx, vy = count(x, name="x"), count(y, name="y")
    vz = None if z is None else count(z, name="z")
    same_rows(vx, vy, vz)
    for name, variable in (("x", vx), ("y", vy)):
        if variable.size > MAX_CATEGORIES:
            raise UntestableError(f"{name} has {variable.size:,} distinct values; they are no categories")
    return of_tables(tables_of(vx, vy, vz), divergence)


def tables_of(x: Counted, y: Counted, z: Counted | None) -> Iterable[NDArray[np.intp]]:
    """Return the contingency table of x and y, or one a stratum of z."""
    return [table(x, y)] if z is None else _strata(x, y, z)


def of_tables(tables: Iterable[NDArray[np.intp]], divergence: Divergence) -> TestResult:
    """Test independence within each of several contingency tables together.

    A table with one row or one column says nothing of dependence: it has no degree of freedom and is left out.
    """
    n, strata = 0, 0
    parts: list[_Part] = []
    for counts in tables:
        n, strata = n + int(counts.sum()), strata + 1
        observed = counts[counts.any(axis=1)][:, counts.any(axis=0)].astype(float)
        if 1 not in observed.shape:
            parts.append(_part(observed, divergence))
    if not parts:
        raise UntestableError("no stratum has two values of both variables")
    statistic, dof = sum(part.statistic for part in parts), sum(part.dof for part in parts)
    share = sum(part.small for part in parts) / sum(part.cells for part in parts)
    rows = [part.n for part in parts]
    details = {"dof": dof, "share_expected_below_5": share, "effect_name": CRAMERS_V}
    if strata > 1:
        details |= {"strata": strata, "strata_used": len(parts), "n_used": sum(rows)}
    effect = float(np.average([part.effect for part in parts], weights=np.array(rows)))
    return TestResult(statistic, float(chdtrc(dof, statistic)), effect, n, "asymptotic", details)


class _Part(NamedTuple):
    """What one contingency table adds."""

    statistic: float
    dof: int
    effect: float
    n: int
    small: int
    cells: int


def _part(observed: NDArray[np.float64], divergence: Divergence) -> _Part:
    rows, columns = observed.shape
    total = observed.sum()
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / total
    statistic = max(0.0, divergence(observed, expected))
    small = int((expected < 5).sum())
    return _Part(statistic, (rows - 1) * (columns - 1), cramers_v(observed), int(total), small, observed.size)


def _strata(x: Counted, y: Counted, z: Counted) -> Iterator[NDArray[np.intp]]:
    """Yield one contingency table a stratum, on the values that occur in it."""
    order = np.argsort(z.codes, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(z.codes))[:-1]):
        weights = None if x.weights is None else x.weights[rows]
        parts = (np.unique(v.codes[rows], return_inverse=True) for v in (x, y))
        yield table(*(Counted(None, codes, tally(codes, weights, len(v)), weights=weights) for v, codes in parts))
