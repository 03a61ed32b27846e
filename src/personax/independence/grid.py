"""The grid: every feature against every target by every test, with what could not be run and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from personax.errors import UntestableError
from personax.independence.chisq import pearson
from personax.independence.contingency import of_table
from personax.independence.corrections import Correction, correct
from personax.independence.counts import Counted, table
from personax.independence.effects import effect_factor, kernel_correlation
from personax.independence.gsq import likelihood_ratio
from personax.independence.kci import kci_of
from personax.independence.kernels import Factor, factor
from personax.independence.result import TestResult
from personax.independence.variable import Variable, encode, restrict
from personax.schema import Edge, Graph, Kind, Node

__all__ = ["TESTS", "dependence_graph", "screen", "wide"]

TESTS = ("kci", "chisq", "gsq")

MAX_CATEGORIES = 2000
"""A nominal column with more categories, such as a name, is tested by nothing."""

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
    "effect_size": pl.Float64,
    "effect_name": pl.String,
    "reason": pl.String,
    "details": pl.String,
}


class Column:
    """A column of the grid; its kernels over all its rows are made once, when first needed."""

    def __init__(self, series: pl.Series, kind: Kind, period: float | None) -> None:
        self.name, self.kind = series.name, kind
        self.variable: Variable | None = None
        self.reason = ""
        self._kept: tuple[Factor, Factor] | None = None
        try:
            self.variable = encode(series, kind, period)
        except UntestableError as error:
            self.reason = str(error)

    def kernels(self, counted: Counted) -> tuple[Factor, Factor]:
        """Return the kernels of the test and of the effect size over some rows, the kept ones when those are all."""
        assert self.variable is not None
        if counted is not self.variable.counted:
            return factor(counted), effect_factor(counted)
        if self._kept is None:
            self._kept = factor(counted), effect_factor(counted)
        return self._kept


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
        What the values of each of these columns mean. chi-square and G-square need categories, so they are not run on
        continuous columns; the row then says so.
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

    Examples
    --------
    >>> frame = pl.DataFrame({"height": [1.0, 2, 3, 4, 5, 6] * 20, "trait": [1, 1, 2, 2, 3, 3] * 20})
    >>> kinds = {"height": "continuous", "trait": "ordinal"}
    >>> screen(frame, ["height"], ["trait"], kinds=kinds).select("test", "rejected").rows()
    [('kci', True), ('chisq', None), ('gsq', None)]
    """
    periods = periods or {}
    names = dict.fromkeys([*features, *targets])
    columns = {name: Column(frame[name], kinds[name], periods.get(name)) for name in names}
    pairs = [(feature, target) for feature in features for target in targets]
    rows: list[dict[str, Any]] = []
    for done, (feature, target) in enumerate(pairs, 1):
        rows.extend(_pair(columns[feature], columns[target], tests))
        if progress is not None:
            progress(done, len(pairs))
    return _corrected(pl.DataFrame(rows, schema=SCHEMA), alpha, correction)


def _pair(x: Column, y: Column, tests: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield one row a test; distinct values are counted once for all of them."""
    cached = None
    for test in tests:
        row = {"feature": x.name, "target": y.name, "test": test, "feature_kind": x.kind, "target_kind": y.kind}
        try:
            _fits(test, x, y)
            cached = cached or _together(x, y)
            yield row | _numbers(_run(test, x, y, *cached))
        except UntestableError as error:
            yield row | {"n": _rows(x, y), "reason": str(error), "details": "{}"}


def _rows(x: Column, y: Column) -> int:
    if x.variable is None or y.variable is None:
        return 0
    return int((x.variable.present & y.variable.present).sum())


def _fits(test: str, x: Column, y: Column) -> None:
    for column in (x, y):
        if column.variable is None:
            raise UntestableError(column.reason)
        levels = column.variable.counted.size
        if column.variable.counted.values is None and levels > MAX_CATEGORIES:
            raise UntestableError(f"{column.name} has {levels:,} categories; more than {MAX_CATEGORIES:,} are names")
        if test != "kci" and column.kind == "continuous":
            raise UntestableError(f"{column.name} is continuous; this test needs categories")


def _together(x: Column, y: Column) -> tuple[Counted, Counted]:
    """Return both variables over the rows where both are present."""
    assert x.variable is not None
    assert y.variable is not None
    both = x.variable.present & y.variable.present
    if both.all():
        return x.variable.counted, y.variable.counted
    return restrict(x.variable.counted, both), restrict(y.variable.counted, both)


def _run(test: str, x: Column, y: Column, cx: Counted, cy: Counted) -> TestResult:
    if test == "kci":
        (kx, wide_x), (ky, wide_y) = x.kernels(cx), y.kernels(cy)
        return kci_of(kx, ky, cx, cy, kernel_correlation(wide_x, wide_y, cx, cy))
    return of_table([table(cx, cy)], pearson if test == "chisq" else likelihood_ratio)


def _numbers(result: TestResult) -> dict[str, Any]:
    details = dict(result.details)
    return {
        "method": result.method,
        "n": result.n,
        "statistic": result.statistic,
        "dof": details.pop("dof", None),
        "p_value": result.p_value,
        "effect_size": result.effect_size,
        "effect_name": details.pop("effect_name"),
        "details": json.dumps(details),
    }


def _corrected(rows: pl.DataFrame, alpha: float, correction: Correction) -> pl.DataFrame:
    parts = []
    for test in rows["test"].unique(maintain_order=True):
        part = rows.with_row_index("order").filter(pl.col("test") == test)
        p = correct(part["p_value"].cast(pl.Float64).fill_null(float("nan")).to_numpy(), correction)
        parts.append(part.with_columns(pl.Series("p_corrected", p).fill_nan(None)))
    whole = pl.concat(parts).sort("order").drop("order").with_columns((pl.col("p_corrected") < alpha).alias("rejected"))
    names = [*SCHEMA, "p_corrected", "rejected"]
    order = [*names[:10], "p_corrected", *names[10:12], "rejected", *names[12:14]]
    return whole.select(order)


def wide(pvalues: pl.DataFrame, test: str) -> pl.DataFrame:
    """Return one test's p-values as features x targets, as papers print them.

    Examples
    --------
    >>> rows = {"feature": ["a", "a"], "target": ["o", "c"], "test": ["kci", "kci"], "p_value": [0.1, 0.2]}
    >>> wide(pl.DataFrame(rows), "kci").rows()
    [('a', 0.1, 0.2)]
    """
    return pvalues.filter(pl.col("test") == test).pivot(
        on="target", index="feature", values="p_value", maintain_order=True
    )


def dependence_graph(pvalues: pl.DataFrame, test: str | None = None) -> Graph:
    """Return the graph whose edges are the dependences that a test found after correction.

    Parameters
    ----------
    pvalues
        From `screen`.
    test
        Which test decides; the first in the table by default.
    """
    names = pvalues["test"].unique(maintain_order=True).to_list()
    chosen = test or (names[0] if names else "")
    rows = pvalues.filter((pl.col("test") == chosen) & pl.col("rejected"))
    features = [Node(name, name, "feature") for name in pvalues["feature"].unique(maintain_order=True)]
    targets = [Node(name, name, "trait") for name in pvalues["target"].unique(maintain_order=True)]
    edges = [
        Edge(row["feature"], row["target"], "undirected", row["effect_size"]) for row in rows.iter_rows(named=True)
    ]
    weight = rows["effect_name"][0] if rows.height else ""
    meaning = f"An edge: {chosen} rejects independence after correction. Dependence, not causation."
    return Graph([*features, *targets], edges, meaning, weight, {"test": chosen})
