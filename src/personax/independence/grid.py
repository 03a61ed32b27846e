"""The grid: every feature against every target by every test, with what could not be run and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError, UntestableError
from personax.independence.contingency import Divergence, of_tables, pearson
from personax.independence.corrections import Correction, correct
from personax.independence.counts import MAX_CATEGORIES, Counted, table
from personax.independence.effects import effect_factor, kernel_correlation
from personax.independence.factor import Factor, marginal_factor
from personax.independence.gsq import likelihood_ratio
from personax.independence.kci import kci_of
from personax.independence.result import TestResult
from personax.independence.variable import Variable, encode, present_rows
from personax.schema import Kind

__all__ = ["TESTS", "screen"]

TESTS = ("kci", "chisq", "gsq")

DIVERGENCES: Mapping[str, Divergence] = {"chisq": pearson, "gsq": likelihood_ratio}

MAX_LEVELS = 20
"""A continuous column with more distinct values is no set of categories."""

SCHEMA = {
    "feature": pl.String,
    "target": pl.String,
    "test": pl.String,
    "method": pl.String,
    "feature_kind": pl.String,
    "target_kind": pl.String,
    "n": pl.Int64,
    "statistic": pl.Float64,
    "dof": pl.Int64,
    "p_value": pl.Float64,
    "p_corrected": pl.Float64,
    "effect_size": pl.Float64,
    "effect_name": pl.String,
    "rejected": pl.Boolean,
    "reason": pl.String,
    "details": pl.String,
}


def screen(
    frame: pl.DataFrame,
    features: Sequence[str],
    targets: Sequence[str],
    *,
    kinds: Mapping[str, Kind],
    tests: Sequence[str] = TESTS,
    alpha: float = 0.05,
    correction: Correction = "fdr_bh",
    periods: Mapping[str, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Test every feature against every target.

    Parameters
    ----------
    frame
        One row a person; missing values are null or NaN and are deleted pair by pair.
    features, targets
        Column names.
    kinds
        What the values of each of these columns mean. chi-square and G-square need categories: on a continuous column
        of more than 20 distinct values, and on any of more than 2,000, they are not run, and the row says so.
    tests
        Of ``kci``, ``chisq``, ``gsq``.
    alpha, correction
        ``rejected`` is p_corrected < alpha; p-values are corrected within each test, over the pairs that were run.
    periods
        Length of one turn of each cyclic column.
    progress
        Called with (pairs done, pairs).

    Returns
    -------
    polars.DataFrame
        One row a feature, target and test. Where a test could not be run its numbers are null and ``reason`` says why.

    Raises
    ------
    InputError
        When a test or a column is unknown, or a column has no kind.

    Examples
    --------
    >>> frame = pl.DataFrame({"height": range(60), "trait": [1, 2, 3] * 20, "team": ["a", "b", "c"] * 20})
    >>> kinds = {"height": "continuous", "trait": "ordinal", "team": "nominal"}
    >>> screen(frame, ["height", "team"], ["trait"], kinds=kinds).select("feature", "test", "rejected").rows()
    [('height', 'kci', False), ('height', 'chisq', None), ('height', 'gsq', None),
     ('team', 'kci', True), ('team', 'chisq', True), ('team', 'gsq', True)]
    """
    features, targets = list(dict.fromkeys(features)), list(dict.fromkeys(targets))
    _check(frame, [*features, *targets], kinds, tests)
    cells: list[list[dict[str, Any]]] = [[]] * (len(features) * len(targets))
    columns = _columns(frame, kinds, periods or {})
    for done, (i, j, feature, target) in enumerate(_pairs(columns, features, targets), 1):
        cells[i * len(targets) + j] = list(_pair(feature, target, tests))
        if progress is not None:
            progress(done, len(cells))
    results = pl.DataFrame([row for cell in cells for row in cell], schema=SCHEMA)
    return _corrected(results, alpha, correction)


class _Sample:
    """Distinct values and their kernels, made once when first needed."""

    def __init__(self, counted: Counted) -> None:
        self.counted = counted

    @cached_property
    def factor(self) -> Factor:
        """The kernel of the test."""
        return marginal_factor(self.counted)

    @cached_property
    def wide(self) -> Factor:
        """The kernel of the effect size."""
        return effect_factor(self.counted)


class _Column:
    """A column of the grid: read and counted once for all its pairs."""

    def __init__(self, series: pl.Series, kind: Kind, period: float | None) -> None:
        self.name, self.kind = series.name, kind
        self.present = present_rows(series)
        self._read: tuple[Variable, _Sample] | str
        try:
            variable = encode(series, kind, period)
            self._read = variable, _Sample(variable.counted)
        except UntestableError as error:
            self._read = str(error)

    @property
    def levels(self) -> int:
        """Number of distinct values; 0 where they could not be read."""
        return 0 if isinstance(self._read, str) else self._read[1].counted.size

    def over(self, rows: NDArray[np.bool_]) -> _Sample:
        """Return the column over some of its present rows; counted anew only where that loses some."""
        if isinstance(self._read, str):
            raise UntestableError(self._read)
        variable, whole = self._read
        return whole if rows.sum() == variable.counted.n else _Sample(variable.over(rows))


def _check(frame: pl.DataFrame, names: Sequence[str], kinds: Mapping[str, Kind], tests: Sequence[str]) -> None:
    if unknown := [test for test in tests if test not in TESTS]:
        raise InputError(f"there is no test {unknown[0]}; choose from {', '.join(TESTS)}")
    known = set(frame.columns)
    if absent := [name for name in names if name not in known]:
        raise InputError(f"the table has no column {absent[0]}; name features and targets from its columns")
    if bare := [name for name in names if name not in kinds]:
        raise InputError(f"column {bare[0]} has no kind; say in kinds what its values mean")


def _columns(frame: pl.DataFrame, kinds: Mapping[str, Kind], periods: Mapping[str, float]) -> Callable[[str], _Column]:
    return lambda name: _Column(frame[name], kinds[name], periods.get(name))


def _pairs(
    column: Callable[[str], _Column], features: Sequence[str], targets: Sequence[str]
) -> Iterator[tuple[int, int, _Column, _Column]]:
    """Yield all pairs; the shorter list is held in memory, and the longer one passes by."""
    if len(features) >= len(targets):
        held = [column(name) for name in targets]
        for i, feature in enumerate(map(column, features)):
            yield from ((i, j, feature, target) for j, target in enumerate(held))
    else:
        for j, i, target, feature in _pairs(column, targets, features):
            yield i, j, feature, target


def _pair(x: _Column, y: _Column, tests: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield one row a test."""
    both = x.present & y.present
    samples = cache(lambda: (x.over(both), y.over(both)))
    row = {"feature": x.name, "target": y.name, "feature_kind": x.kind, "target_kind": y.kind, "n": int(both.sum())}
    for test in tests:
        try:
            _fits(test, x, y)
            yield row | {"test": test} | _numbers(_run(test, *samples()))
        except UntestableError as error:
            yield row | {"test": test, "reason": str(error), "details": "{}"}


def _fits(test: str, x: _Column, y: _Column) -> None:
    """Say why a test cannot mean anything for two columns."""
    if x.name == y.name:
        raise UntestableError(f"{x.name} against itself")
    if test == "kci":
        return
    for column in (x, y):
        if column.kind == "continuous" and column.levels > MAX_LEVELS:
            raise UntestableError(f"{column.name} is continuous; this test needs categories")
        if column.levels > MAX_CATEGORIES:
            raise UntestableError(
                f"{column.name} has {column.levels:,} categories; more than {MAX_CATEGORIES:,} are names"
            )


def _run(test: str, x: _Sample, y: _Sample) -> TestResult:
    if test == "kci":
        return kci_of(x.factor, y.factor, kernel_correlation(x.wide, y.wide))
    return of_tables([table(x.counted, y.counted)], DIVERGENCES[test])


def _numbers(result: TestResult) -> dict[str, Any]:
    details = dict(result.details)
    return {
        "method": result.method,
        "statistic": result.statistic,
        "dof": details.pop("dof", None),
        "p_value": result.p_value,
        "effect_size": result.effect_size,
        "effect_name": details.pop("effect_name"),
        "details": json.dumps(details),
    }


def _corrected(results: pl.DataFrame, alpha: float, correction: Correction) -> pl.DataFrame:
    """Fill in p_corrected and rejected, within each test."""
    tests = results["test"].to_numpy()
    p = results["p_value"].to_numpy()
    corrected = np.full(len(p), np.nan)
    for test in results["test"].unique():
        corrected[tests == test] = correct(p[tests == test], correction)
    column = pl.Series("p_corrected", corrected).fill_nan(None)
    return results.with_columns(column, (column < alpha).alias("rejected"))
