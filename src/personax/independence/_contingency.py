"""What chi-square and G-square share: tables by stratum, small-sample corrections, null distributions, Cramér's V."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from personax.errors import UntestableError
from personax.independence._counts import MAX_CATEGORIES, MIN_ROWS, Counted, read, table
from personax.independence._effects import CRAMERS_V, pooled_cramers_v
from personax.independence._inputs import Rng, as_columns, generator
from personax.independence._margins import pearson_moments
from personax.independence._null import gamma
from personax.independence._permutations import check_number
from personax.independence._result import TestResult
from personax.independence._strata import Divergence, Strata, count_strata

__all__ = [
    "Adjustment",
    "TableNull",
    "check_permutations",
    "contingency_test",
    "counted_tables",
    "of_tables",
    "pearson",
    "share_as_extreme",
    "tables_of",
]

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
    try:
        array = np.asarray(x) if np.ndim(x) == 3 else as_columns(x, "the table")[0]
    except ValueError:
        raise UntestableError("the rows of the table differ in length; give one count a cell") from None
    if array.ndim not in (2, 3) or min(array.shape) < 1 or array.dtype.kind not in "biuf":
        raise UntestableError(f"y is missing, and x of shape {array.shape} is no table of counts; give y, or a table")
    if not (np.isfinite(array).all() and (array >= 0).all() and (array == np.floor(array)).all()):
        raise UntestableError("the table holds counts that are no whole numbers of 0 or more; give counts of people")
    if array.sum() < MIN_ROWS:
        raise UntestableError(f"only {int(array.sum())} people; at least {MIN_ROWS} are needed")
    tables = array[None] if array.ndim == 2 else array
    return [table.astype(np.intp) for table in tables if table.any()]


def tables_of(x: Counted, y: Counted, z: Counted | None = None) -> Iterable[NDArray[np.intp]]:
    """Return the contingency table, or those of the strata, shape (strata, a, b) in one block or several."""
    for name, variable in (("x", x), ("y", y)):
        if variable.size > MAX_CATEGORIES:
            raise UntestableError(f"{name} has {variable.size:,} distinct values; they are no categories")
    return [table(x, y)] if z is None else count_strata(x, y, z)


def of_tables(
    tables: Iterable[NDArray[np.intp]],
    divergence: Divergence,
    *,
    correction: Adjustment | None = None,
    null: TableNull = "asymptotic",
    permutations: int = 999,
    rng: np.random.Generator | None = None,
    with_effect: bool = True,
) -> TestResult:
    """Test independence within each of several contingency tables together; statistics are summed.

    A table with one row or one column says nothing of dependence: it has no degree of freedom and is left out.

    Parameters
    ----------
    tables
        Counts, shape (a, b) each, or (strata, a, b) of several strata together.
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
    with_effect
        Whether the effect size is computed; without, it is 0.
    """
    _check(divergence, correction, null, permutations, rng)
    stacks = [stack if stack.ndim == 3 else stack[None] for stack in tables]
    used = [part for stack in stacks if len((part := _usable(stack, divergence, correction)).n)]
    if not used:
        raise UntestableError("no stratum has two values of both variables")
    statistic, dof = (float(sum(part.statistics.sum() for part in used)), int(sum(part.dof.sum() for part in used)))
    match null:
        case "permutation":
            assert rng is not None
            p_value = share_as_extreme(statistic, np.sum([part.drawn(permutations, rng) for part in used], axis=0))
        case "moments":
            p_value = _by_moments(used)
        case "asymptotic":
            p_value = float(chdtrc(dof, statistic))
    strata = sum(len(stack) for stack in stacks)
    details = {"dof": dof, **_described(strata, used), "effect_name": CRAMERS_V}
    details |= {} if correction is None else {"correction": correction}
    if correction == "yates":
        details["tables_corrected"] = int(sum((part.dof == 1).sum() for part in used))
    details |= {"permutations": permutations} if null == "permutation" else {}
    n = int(sum(stack.sum() for stack in stacks))
    effect = pooled_cramers_v([part.counts for part in used]) if with_effect else 0.0
    return TestResult(statistic, p_value, effect, n, null, details)


def _usable(counts: NDArray[np.intp], divergence: Divergence, correction: Adjustment | None) -> Strata:
    """Return the strata in which both variables vary."""
    varied = (counts.any(axis=2).sum(axis=1) > 1) & (counts.any(axis=1).sum(axis=1) > 1)
    return Strata(counts[varied].astype(float), divergence, correction)


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
    check_number(permutations)


def share_as_extreme(statistic: float, drawn: NDArray[np.float64]) -> float:
    """Return (1 + drawn statistics at least as large) / (1 + drawn statistics); see `personax.independence._null`."""
    # near 0 a share of the statistic is less than the rounding of the sum that it is
    return float((1 + (drawn >= statistic - TIE * max(statistic, 1)).sum()) / (1 + len(drawn)))


def _by_moments(used: Sequence[Strata]) -> float:
    """Return the tail of the gamma distribution with the exact mean and variance.

    Where the margins leave X^2 no choice the table is no evidence; in the sum it would only bend the distribution.
    """
    found = np.hstack([np.array([part.statistics, *pearson_moments(part.counts)]) for part in used])
    statistic, mean, variance = found[:, found[2] > 0].sum(axis=1)
    return gamma(float(statistic), float(mean), float(variance)) if variance > 0 else 1.0


def _described(strata: int, used: Sequence[Strata]) -> dict[str, object]:
    """Return how sparse the tables are and, of several, how many were used."""
    small, cells = (sum(int(value) for value in values) for values in
                    ((part.small for part in used), (part.occurs.sum() for part in used)))  # fmt: skip
    described: dict[str, object] = {"share_expected_below_5": small / cells}
    if strata > 1:
        many = sum(len(part.n) for part in used)
        described |= {"strata": strata, "strata_used": many, "n_used": int(sum(part.n.sum() for part in used))}
    return described
