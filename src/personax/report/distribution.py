"""Count the values of a column into the bars of a small figure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from personax.report.data import Distribution
from personax.report.words import number
from personax.schema import Column

__all__ = ["MINIMUM", "distribute"]

MINIMUM = 5
"""A category of fewer people is not named on the page: a rare value can point at a person."""

BARS = 24
CATEGORIES = 7


def distribute(values: pl.Series, column: Column) -> Distribution:
    """Count a column's values; numbers of many values into equal ranges.

    Examples
    --------
    >>> from personax.schema import Column
    >>> found = distribute(pl.Series(["a"] * 6 + ["b"]), Column("x", "feature", "nominal"))
    >>> found.labels, found.counts, found.rest
    (('a',), (6,), 1)
    """
    if values.dtype.is_temporal():
        values = values.dt.year()
    if values.dtype.is_float():
        values = values.fill_nan(None)
    present = values.drop_nulls()
    missing = len(values) - len(present)
    if column.kind == "nominal" or not present.dtype.is_numeric():
        return _categories(present.cast(pl.String), column, missing)
    return _numbers(present.to_numpy().astype(float), column, missing)


def _categories(present: pl.Series, column: Column, missing: int) -> Distribution:
    table = present.alias("value").value_counts(name="count")
    ranked = table.sort(["count", "value"], descending=[True, False])
    named = ranked.filter(pl.col("count") >= MINIMUM).head(CATEGORIES)
    counts = tuple(named["count"].to_list())
    return Distribution(
        column=column,
        present=len(present),
        missing=missing,
        labels=tuple(named["value"].to_list()),
        counts=counts,
        rest=len(present) - sum(counts),
        rest_values=len(ranked) - len(named),
    )


def _numbers(present: np.ndarray, column: Column, missing: int) -> Distribution:
    present = present[np.isfinite(present)]
    if not len(present):
        return Distribution(column, 0, missing, (), ())
    values, counts = np.unique(present, return_counts=True)
    labels = [number(value, 6) for value in values]
    if len(values) > BARS:
        counts, edges = np.histogram(present, bins=BARS)
        labels = [f"{number(low, 4)} to {number(high, 4)}" for low, high in pairwise(edges)]
    summary = f"{number(values[0], 4)} to {number(values[-1], 4)}, median {number(float(np.median(present)), 4)}"
    return Distribution(column, len(present), missing, tuple(labels), tuple(counts.tolist()), summary=summary)
