"""What the tests of contingency tables do on a pair of columns: the null that fits the table, the interval of V."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from personax.independence._contingency import TableNull, of_tables, pearson, tables_of
from personax.independence._intervals import Interval, cramers_v_interval
from personax.independence._pair import ColumnPair
from personax.independence._result import TestResult
from personax.independence._strata import Divergence

__all__ = ["cramers_v_interval_of", "table_test"]

SPARSE = 0.2
"""More than this share of expected counts under 5, and the chi-square distribution is not trusted (Cochran 1954)."""


def table_test(divergence: Divergence, sparse: TableNull) -> Callable[..., TestResult]:
    """Return a test of tables that takes the null ``sparse`` where the table is, unless the options name one."""

    def run(pair: ColumnPair, rng: np.random.Generator, **options: Any) -> TestResult:
        z = None if pair.z is None else pair.z.counted
        tables = list(tables_of(pair.x.counted, pair.y.counted, z))
        options = {"rng": rng, "with_effect": pair.with_effect, **options}
        result = of_tables(tables, divergence, **options)
        if "null" in options or "correction" in options or result.details["share_expected_below_5"] <= SPARSE:
            return result
        return of_tables(tables, divergence, null=sparse, **options)

    return run


def cramers_v_interval_of(pair: ColumnPair, result: TestResult) -> Interval | None:
    """Return the interval of Cramér's V without z; the mean V over strata has none."""
    if pair.z is not None:
        return None
    x, y = pair.x.counted, pair.y.counted
    # of Pearson's statistic, whichever divergence was tested and however it was corrected: V is defined by it
    uncorrected = of_tables(tables_of(x, y), pearson)
    dof = (x.size - 1) * (y.size - 1)
    return cramers_v_interval(uncorrected.statistic, dof, result.n, min(x.size, y.size), result.effect_size)
