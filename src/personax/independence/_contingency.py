"""What chi-square and G-square share: tables by stratum, small-sample corrections, null distributions, Cramér's V."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from personax.errors import UntestableError
from personax.independence._counts import MAX_CATEGORIES, MIN_ROWS, Counted, read, table, tally
from personax.independence._effects import CRAMERS_V, pooled_cramers_v
from personax.independence._inputs import Rng, as_columns, generator
from personax.independence._margins import expected_counts, pearson_moments, random_tables, williams
from personax.independence._null import gamma
from personax.independence._result import TestResult

__all__ = [
    "Adjustment",
    "Divergence",
    "TableNull",
    "check_permutations",
    "contingency_test",
    "counted_tables",
    "of_tables",
    "pearson",
    "share_as_extreme",
    "tables_of",
    "without_empty",
]

Divergence = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""(observed (..., a, b), expected (a, b)) -> statistic of every table, shape (...)."""

Adjustment = Literal["yates", "williams"]
"""Corrections for small samples; see `of_tables`."""

TableNull = Literal["asymptotic", "moments", "permutation"]
"""How p-values are computed; see `of_tables`."""

TIE = 1e-10
"""A drawn statistic within this share of the observed one counts as equal."""


def pearson(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sum (O - E)^2 / E."""
    return np.asarray((np.square(observed - expected) / expected).sum(axis=(-2, -1)))


def contingency_test(
    x: ArrayLike,
    y: ArrayLike | None,
    z: ArrayLike | None,
    divergence: Divergence,
    *,
    correction: Adjustment | None = None,
    null: TableNull = "asymptotic",
    permutations: int = 999,
    rng: Rng = None,
) -> TestResult:
    """Test categories against categories, within every stratum of z; without y, x holds the counts."""
    tables = counted_tables(x, z) if y is None else tables_of(*read(x, y, z))
    rng = generator(rng)
    return of_tables(tables, divergence, correction=correction, null=null, permutations=permutations, rng=rng)


def counted_tables(x: ArrayLike, z: ArrayLike | None = None) -> list[NDArray[np.intp]]:
    """Return tables of counts that somebody has made, shape (a, b) or (strata, a, b).

    Raises
    ------
    UntestableError
        With z, another shape, counts that are no whole numbers of 0 or more, fewer than five people.

    Examples
    --------
    >>> counted_tables([[5, 0], [0, 5]])[0].tolist()
    [[5, 0], [0, 5]]
    """
    if z is not None:
        raise UntestableError("a table of counts takes no z; give one table a stratum, shape (strata, a, b)")
    (array,) = as_columns(x, "the table") if np.ndim(x) != 3 else (np.asarray(x),)
    if array.ndim not in (2, 3) or min(array.shape) < 1 or array.dtype.kind not in "biuf":
        raise UntestableError(f"y is missing, and x of shape {array.shape} is no table of counts; give y, or a table")
    if not (np.isfinite(array).all() and (array >= 0).all() and (array == np.floor(array)).all()):
        raise UntestableError("the table holds counts that are no whole numbers of 0 or more; give counts of people")
    if array.sum() < MIN_ROWS:
        raise UntestableError(f"only {int(array.sum())} people; at least {MIN_ROWS} are needed")
    tables = array[None] if array.ndim == 2 else array
    return [table.astype(np.intp) for table in tables if table.any()]


def tables_of(x: Counted, y: Counted, z: Counted | None = None) -> Iterable[NDArray[np.intp]]:
    """Return the contingency table, or one a stratum."""
    for name, variable in (("x", x), ("y", y)):
        if variable.size > MAX_CATEGORIES:
            raise UntestableError(f"{name} has {variable.size:,} distinct values; they are no categories")
    return [table(x, y)] if z is None else _strata(x, y, z)


def of_tables(
    tables: Iterable[NDArray[np.intp]],
    divergence: Divergence,
    *,
    correction: Adjustment | None = None,
    null: TableNull = "asymptotic",
    permutations: int = 999,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Test independence within each of several contingency tables together; statistics are summed.

    A table with one row or one column says nothing of dependence: it has no degree of freedom and is left out.

    Parameters
    ----------
    tables
        Counts, shape (a, b) each.
    divergence
        `pearson` or `personax.independence._gsq.likelihood_ratio`.
    correction
        - ``"yates"``: of tables of two rows and two columns, counts move towards the expected ones by 1/2 (Yates 1934,
          doi:10.2307/2983604), as in ``scipy.stats.chi2_contingency``; other tables stay as they are.
        - ``"williams"``: the statistic of every table is divided by `personax.independence._margins.williams`.
    null
        - ``"asymptotic"``: chi-square, degrees of freedom summed over the tables.
        - ``"moments"``, of `pearson` only: the gamma distribution with the mean and variance that X^2 has given the
          margins, summed over the tables in which it varies.
        - ``"permutation"``: (1 + tables at least as extreme) / (1 + permutations), drawn with the same margins.
    permutations, rng
        How many, and from which random numbers; for the permutation null only.
    """
    _check(divergence, correction, null, permutations, rng)
    cut = [without_empty(counts) for counts in tables]
    used = [_Table(observed, divergence, correction) for observed in cut if 1 not in observed.shape]
    if not used:
        raise UntestableError("no stratum has two values of both variables")
    statistic, dof = sum(part.statistic for part in used), sum(part.dof for part in used)
    match null:
        case "permutation":
            assert rng is not None
            p_value = share_as_extreme(statistic, np.sum([part.drawn(permutations, rng) for part in used], axis=0))
        case "moments":
            p_value = _by_moments(used)
        case "asymptotic":
            p_value = float(chdtrc(dof, statistic))
    details = {"dof": dof, **_described(cut, used), "effect_name": CRAMERS_V}
    details |= {} if correction is None else {"correction": correction}
    details |= {"permutations": permutations} if null == "permutation" else {}
    effect = pooled_cramers_v([part.observed for part in used])
    return TestResult(statistic, p_value, effect, sum(int(observed.sum()) for observed in cut), null, details)


def _check(
    divergence: Divergence,
    correction: Adjustment | None,
    null: TableNull,
    permutations: int,
    rng: np.random.Generator | None,
) -> None:
    """Say which correction or null distribution does not exist, or what it lacks."""
    if correction not in (None, *get_args(Adjustment)):
        raise UntestableError(f"there is no correction {correction!r}; choose from {', '.join(get_args(Adjustment))}")
    if null not in get_args(TableNull):
        raise UntestableError(f"there is no null distribution {null!r}; choose from {', '.join(get_args(TableNull))}")
    if null == "moments" and divergence is not pearson:
        raise UntestableError("the moments null is that of Pearson's chi-square only; choose asymptotic or permutation")
    if null == "moments" and correction is not None:
        raise UntestableError(f"the moments null is exact already and takes no correction; leave {correction} out")
    if null == "permutation":
        check_permutations(permutations, rng)


def check_permutations(permutations: int, rng: np.random.Generator | None) -> None:
    """Say what a permutation null lacks."""
    if rng is None:
        raise UntestableError("a permutation null needs rng, for example numpy.random.default_rng(0)")
    if permutations < 1:
        raise UntestableError(f"permutations must be at least 1, not {permutations}")


def without_empty(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return a table without its empty rows and columns."""
    return counts[counts.any(axis=1)][:, counts.any(axis=0)].astype(float)


def share_as_extreme(statistic: float, drawn: NDArray[np.float64]) -> float:
    """Return (1 + drawn statistics at least as large) / (1 + drawn statistics); see `personax.independence._null`."""
    # near 0 a share of the statistic is less than the rounding of the sum that it is
    return float((1 + (drawn >= statistic - TIE * max(statistic, 1)).sum()) / (1 + len(drawn)))


@dataclass(frozen=True)
class _Table:
    """One contingency table, its statistic and the null distribution of that."""

    observed: NDArray[np.float64]
    divergence: Divergence
    correction: Adjustment | None

    @property
    def n(self) -> int:
        return int(self.observed.sum())

    @property
    def dof(self) -> int:
        rows, columns = self.observed.shape
        return int((rows - 1) * (columns - 1))

    @cached_property
    def expected(self) -> NDArray[np.float64]:
        return expected_counts(self.observed)

    @cached_property
    def statistic(self) -> float:
        return float(self.corrected(self.observed))

    def corrected(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the statistics of tables that have these margins."""
        if self.correction == "yates" and self.dof == 1:
            counts = counts + np.clip(self.expected - counts, -0.5, 0.5)
        statistics = np.maximum(self.divergence(counts, self.expected), 0)
        return statistics / williams(self.observed) if self.correction == "williams" else statistics

    def drawn(self, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the statistics of random tables with these margins, shape (times,)."""
        rows, columns = (self.observed.sum(axis=axis).astype(np.intp) for axis in (1, 0))
        batches = random_tables(rows, columns, times, rng)
        return np.concatenate([self.corrected(batch.astype(float)) for batch in batches])


def _by_moments(tables: Sequence[_Table]) -> float:
    """Return the tail of the gamma distribution with the exact mean and variance.

    Where the margins leave X^2 no choice the table is no evidence; in the sum it would only bend the distribution.
    """
    moments = [(part.statistic, *pearson_moments(part.observed)) for part in tables]
    statistic, mean, variance = np.array([known for known in moments if known[2] > 0]).reshape(-1, 3).sum(axis=0)
    return gamma(float(statistic), float(mean), float(variance)) if variance > 0 else 1.0


def _described(tables: Sequence[NDArray[np.float64]], used: Sequence[_Table]) -> dict[str, object]:
    """Return how sparse the tables are and, of several, how many were used."""
    small = sum(int((part.expected < 5).sum()) for part in used)
    described: dict[str, object] = {"share_expected_below_5": small / sum(part.observed.size for part in used)}
    if len(tables) > 1:
        described |= {"strata": len(tables), "strata_used": len(used), "n_used": sum(part.n for part in used)}
    return described


def _strata(x: Counted, y: Counted, z: Counted) -> Iterator[NDArray[np.intp]]:
    """Yield one contingency table a stratum, on the values that occur in it."""
    order = np.argsort(z.codes, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(z.codes))[:-1]):
        weights = None if x.weights is None else x.weights[rows]
        parts = (np.unique(v.codes[rows], return_inverse=True) for v in (x, y))
        yield table(*(Counted(None, codes, tally(codes, weights, len(v)), weights=weights) for v, codes in parts))
