"""How a column's values are distributed, and what of it may stand on the page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from markupsafe import Markup

from personax.data.labels import count, number
from personax.report._chart import chart
from personax.report._data import Distribution
from personax.schema import Column

__all__ = ["MIN_CELL", "distribution_chart", "distribution_of", "places_of"]

MIN_CELL = 5
"""A category of fewer people is not named on the page: a rare value can identify a person."""

MAX_BARS = 24
MAX_CATEGORIES = 7

MAX_PLACES = 400
AREA = 5.0
"""Degrees of an area of the map."""


def distribution_of(values: pl.Series, column: Column) -> Distribution:
    """Count a column's values; numbers of many values into equal ranges.

    Examples
    --------
    >>> from personax.schema import Column
    >>> found = distribution_of(pl.Series(["a"] * 6 + ["b"]), Column("x", "feature", "nominal"))
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
    named = ranked.filter(pl.col("count") >= MIN_CELL).head(MAX_CATEGORIES)
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
    labels, edges = [number(value, 6) for value in values], np.array([])
    if len(values) > MAX_BARS:
        counts, edges = np.histogram(present, bins=MAX_BARS)
        labels = [f"{number(low, 4)} to {number(high, 4)}" for low, high in pairwise(edges)]
    summary = f"{number(values[0], 4)} to {number(values[-1], 4)}, median {number(float(np.median(present)), 4)}"
    return Distribution(
        column, len(present), missing, tuple(labels), tuple(counts.tolist()), summary=summary,
        edges=tuple(edges.tolist()),
    )  # fmt: skip


def distribution_chart(found: Distribution, name: str) -> Markup:
    """Return the figure of a distribution: upright bars of numbers, or the most frequent categories by name."""
    rows = [{"label": label, "people": people} for label, people in zip(found.labels, found.counts, strict=True)]
    if found.summary:
        if found.edges:
            rows = [row | {"from": a, "to": b} for row, (a, b) in zip(rows, pairwise(found.edges), strict=True)]
        return chart("histogram", rows, f"Histogram of {name}", unit=found.column.unit or "")
    rows = [row | {"rest": False} for row in rows]
    if found.rest:
        label = f"{count(found.rest_values)} others" if rows else f"{count(found.rest_values)} rare values"
        rows.append({"label": label, "people": found.rest, "rest": True})
    return chart("bars", rows, f"Frequencies of {name}", whole=found.present, shares=True)


def places_of(frame: pl.DataFrame, known: Sequence[Column]) -> list[dict[str, Any]]:
    """Return people by areas of the map; an area of fewer than `MIN_CELL` people is left out."""
    named = {column.name.lower(): column.name for column in known if column.role == "feature"}
    ends = [named.get(name) for name in ("longitude", "latitude")]
    if None in ends or not all(frame[end].dtype.is_numeric() for end in ends if end):
        return []
    area = frame.select(
        (((pl.col(str(end)).cast(pl.Float64) / AREA).floor() + 0.5) * AREA).alias(name)
        for end, name in zip(ends, ("longitude", "latitude"), strict=True)
    )
    inside = area.filter(pl.col("longitude").abs() <= 180, pl.col("latitude").abs() <= 90)
    counted = inside.group_by("longitude", "latitude").len("people").filter(pl.col("people") >= MIN_CELL)
    ranked = counted.sort(["people", "longitude", "latitude"], descending=[True, False, False]).head(MAX_PLACES)
    place = "within {a:.1f} degrees of {y:.1f}, {x:.1f}"
    return [
        row | {"place": place.format(a=AREA / 2, y=row["latitude"], x=row["longitude"])}
        for row in ranked.iter_rows(named=True)
    ]
