"""A column as the tests see it: which rows have a value, and the distinct values of those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.independence.counts import Counted, count
from personax.schema import Kind

__all__ = ["Variable", "encode", "restrict"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A column ready for testing.

    Parameters
    ----------
    present
        Which rows have a value, shape (n,).
    counted
        Distinct values over the present rows; ``codes`` is -1 where a value is missing.
    kind
        What the values mean.
    """

    name: str
    kind: Kind
    present: NDArray[np.bool_]
    counted: Counted


def encode(series: pl.Series, kind: Kind, period: float | None = None) -> Variable:
    """Turn a column into a `Variable`: nominal values are compared as equal or not, cyclic ones as points of a circle.

    Raises
    ------
    UntestableError
        When the present values are constant, infinite or too few.
    """
    if series.dtype.is_float():
        series = series.fill_nan(None)
    present = series.is_not_null().to_numpy()
    values = series.drop_nulls()
    counted = count(_array(values, kind, period), name=series.name)
    codes = np.full(len(series), -1, dtype=np.intp)
    codes[present] = counted.codes
    return Variable(series.name, kind, present, Counted(counted.values, codes, counted.counts))


def _array(values: pl.Series, kind: Kind, period: float | None) -> NDArray[np.generic]:
    if kind == "nominal" or not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        return values.cast(pl.String).to_numpy().astype(str)
    numbers = values.cast(pl.Float64).to_numpy()
    if kind == "cyclic" and period is not None:
        # rounding lets values that are one turn apart meet again
        angle = 2 * np.pi * np.mod(numbers, period) / period
        return np.round(np.column_stack([np.cos(angle), np.sin(angle)]), 12)
    return numbers


def restrict(counted: Counted, rows: NDArray[np.bool_]) -> Counted:
    """Return the variable over some rows only; distinct values that are gone are dropped.

    Raises
    ------
    UntestableError
        When fewer than five rows or one distinct value are left.
    """
    codes = counted.codes[rows]
    used, small = np.unique(codes, return_inverse=True)
    kept = count(codes, name="the pair's rows")
    values = None if counted.values is None else counted.values[used]
    return Counted(values, small.astype(np.intp), kept.counts)
