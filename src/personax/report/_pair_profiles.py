"""What a pair of columns looks like, as aggregates: means of groups, a binned curve, a table with residuals.

No row of a person is here: a group, a bin or a level has `MIN_CELL` people or more, smaller ones are taken together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t

from personax.data.labels import count, display_trait, number
from personax.report._chart import table_of
from personax.report._distributions import MIN_CELL
from personax.schema import Column

__all__ = ["pair_profile"]

BINS = 10
"""Of a column of many numbers; bins hold equally many people."""

MAX_GROUPS = 12
MAX_LEVELS = 8
FEW_VALUES = 12
"""Numbers of so few values are bins of their own."""


def pair_profile(frame: pl.DataFrame, x: Column, y: Column) -> dict[str, Any] | None:
    """Return how y is distributed over x, or None where too few people have both.

    Parameters
    ----------
    frame
        People, with the columns ``x.name`` and ``y.name``.

    Returns
    -------
    dict
        ``kind`` (groups, curve, counts), ``names`` and ``rows`` (what is drawn), ``options``, ``told`` (a sentence).

    Examples
    --------
    >>> frame = pl.DataFrame({"sex": ["f"] * 6 + ["m"] * 6, "score": [1.0, 2.0, 3.0] * 2 + [3.0, 4.0, 5.0] * 2})
    >>> found = pair_profile(frame, Column("sex", "feature", "nominal"), Column("score", "target", "continuous"))
    >>> found["kind"], [row[:3] for row in found["rows"]]
    ('groups', [['m', 6, 4.0], ['f', 6, 2.0]])
    """
    pair = frame.select(_values(frame[x.name], x).alias("x"), _values(frame[y.name], y).alias("y")).drop_nulls()
    if pair.height < 2 * MIN_CELL:
        return None
    named = pair["x"].dtype == pl.String, pair["y"].dtype == pl.String
    match named:
        case True, True:
            return _counts(pair, x, y)
        case True, False:
            return _groups(pair, x, y)
        case False, True:
            return _groups(pair.rename({"x": "y", "y": "x"}), y, x)
    return _curve(pair, x, y)


def _values(values: pl.Series, column: Column) -> pl.Series:
    if values.dtype.is_temporal():
        values = values.dt.year()
    if column.kind != "nominal" and values.dtype.is_numeric():
        values = values.cast(pl.Float64)
        return values.set(~values.is_finite().fill_null(False), None)
    return values.cast(pl.String, strict=False)


def _lumped(values: pl.Series, most: int) -> pl.Series:
    """Return categories; those of few people, and those beyond the most frequent, are one."""
    ranked = values.alias("value").value_counts(name="count").sort(["count", "value"], descending=[True, False])
    named = ranked.filter(pl.col("count") >= MIN_CELL)["value"].head(most).to_list()
    rest = f"{count(ranked.height - len(named))} others"
    return pl.select(pl.when(values.is_in(named)).then(values).otherwise(pl.lit(rest))).to_series()


def _mean(values: NDArray[np.float64]) -> dict[str, float]:
    mean = float(values.mean())
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def _groups(pair: pl.DataFrame, group: Column, number_: Column) -> dict[str, Any] | None:
    lumped = pair.with_columns(_lumped(pair["x"], MAX_GROUPS).alias("x"))
    rows = [
        {"label": label, "n": part.height} | _mean(part["y"].to_numpy())
        for (label,), part in lumped.group_by("x", maintain_order=True)
        if part.height >= MIN_CELL
    ]
    if not rows:
        return None
    rows.sort(key=lambda row: -row["mean"])
    told = f"Mean of {display_trait(number_.name)} in each group of {group.name}, with its 95 % interval."
    return _told("groups", rows, told, meaning=f"mean of {display_trait(number_.name)}")


def _curve(pair: pl.DataFrame, x: Column, y: Column) -> dict[str, Any] | None:
    values, means = pair["x"].to_numpy(), pair["y"].to_numpy()
    levels = np.unique(values)
    ends = levels if len(levels) <= FEW_VALUES else np.unique(np.quantile(values, np.arange(1, BINS + 1) / BINS))
    place = np.searchsorted(ends, values)
    parts = [(values[place == one], means[place == one]) for one in range(len(ends))]
    rows = [
        {"label": _range(inside), "x": float(inside.mean()), "n": len(inside)} | _mean(others)
        for inside, others in parts
        if len(inside) >= MIN_CELL
    ]
    if not rows:
        return None
    told = f"Mean of {display_trait(y.name)} along {x.name}, in bins of people, with its 95 % interval."
    unit = f" ({x.unit})" if x.unit else ""
    return _told("curve", rows, told, x=f"{display_trait(x.name)}{unit}", y=f"mean of {display_trait(y.name)}")


def _range(values: NDArray[np.float64]) -> str:
    low, high = number(float(values.min()), 4), number(float(values.max()), 4)
    return low if low == high else f"{low} to {high}"


def _counts(pair: pl.DataFrame, x: Column, y: Column) -> dict[str, Any] | None:
    """Return the table of counts with standardised Pearson residuals (Agresti 2013, section 3.3)."""
    both = pl.DataFrame({"x": _lumped(pair["x"], MAX_LEVELS), "y": _lumped(pair["y"], MAX_LEVELS)})
    down, across = (both[side].value_counts(sort=True)[side].to_list() for side in ("x", "y"))
    if len(down) < 2 or len(across) < 2:
        return None
    held = {(a, b): n for a, b, n in both.group_by("x", "y").len("n").iter_rows()}
    table = np.array([[held.get((a, b), 0) for b in across] for a in down], dtype=float)
    rows, columns = table.sum(axis=1, keepdims=True) / table.sum(), table.sum(axis=0, keepdims=True) / table.sum()
    expected = rows * columns * table.sum()
    residual = (table - expected) / np.sqrt(expected * (1 - rows) * (1 - columns))
    found = [
        _cell(a, b, int(table[i, j]), float(expected[i, j]), float(residual[i, j]))
        for i, a in enumerate(down)
        for j, b in enumerate(across)
    ]
    told = (
        f"People by {x.name} (rows) and {display_trait(y.name)}; the colour is the standardised residual: beyond 2, "
        "more or fewer people than if the two were independent."
    )
    return _told("counts", found, told)


def _cell(row: str, column: str, n: int, expected: float, residual: float) -> dict[str, Any]:
    """Return a cell; of one with few people neither the count nor a residual that tells it."""
    few = n < MIN_CELL
    return {"row": row, "column": column, "n": None if few else n, "expected": expected,
            "residual": float(round(residual)) if few else residual}  # fmt: skip


def _told(kind: str, rows: list[Mapping[str, Any]] | list[dict[str, Any]], told: str, **options: str) -> dict[str, Any]:
    return {"kind": kind, "told": told, "options": options} | table_of(rows)
