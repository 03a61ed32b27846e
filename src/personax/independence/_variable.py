"""A column of a table as the tests see it: which rows have a value, and the distinct values of those."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.dates import YEAR, are_dates, date_numbers
from personax.errors import UntestableError
from personax.independence._counts import Counted, count, numbers_as_text
from personax.schema import Kind

__all__ = ["EncodedColumn", "are_vectors", "encode", "present_rows"]


@dataclass(frozen=True, slots=True)
class EncodedColumn:
    """A column ready for testing.

    Parameters
    ----------
    counted
        Distinct values over the rows that have one.
    codes
        The codes of ``counted`` over all rows of the table, -1 where a value is missing, shape (rows,).
    weights
        How many people each row of the table stands for; None where each is one.
    """

    name: str
    counted: Counted
    codes: NDArray[np.intp]
    weights: NDArray[np.intp] | None = None

    def over(self, rows: NDArray[np.bool_]) -> Counted:
        """Return the variable over some of the rows that have a value; distinct values that are gone are dropped.

        Raises
        ------
        UntestableError
            When fewer than five rows or one distinct value are left.
        """
        weights = None if self.weights is None else self.weights[rows]
        left = count(self.codes[rows], name=f"{self.name}, over the rows of this pair,", weights=weights)
        assert left.values is not None  # the codes themselves
        values = self.counted.values
        values = values if values is None else values[left.values[:, 0].astype(np.intp)]
        return replace(left, values=values, circle=self.counted.circle)


def present_rows(series: pl.Series) -> NDArray[np.bool_]:
    """Say which rows have a value: not null, not NaN."""
    return ~np.isnan(_numbers(series)) if _is_number(series) else series.is_not_null().to_numpy()


def are_vectors(series: pl.Series) -> bool:
    """Say whether a column holds a vector of numbers a row, such as an embedding."""
    inner = getattr(series.dtype, "inner", None)
    return inner is not None and bool(inner.is_numeric())


def encode(
    series: pl.Series, kind: Kind, period: float | None = None, weights: NDArray[np.intp] | None = None
) -> EncodedColumn:
    """Encode a column: nominal values are compared as equal or not, cyclic ones as points of a circle.

    Dates are numbers of days, and cyclic ones turn once a year where no period is given.

    Raises
    ------
    UntestableError
        When the present values are constant, infinite, too few, or not what ``kind`` says.
    """
    present = present_rows(series)
    people = None if weights is None else weights[present]
    counted = count(_values(series, present, kind, period), name=series.name, nominal=kind == "nominal", weights=people)
    codes = np.full(len(series), -1, dtype=np.intp)
    codes[present] = counted.codes
    return EncodedColumn(series.name, replace(counted, circle=kind == "cyclic"), codes, weights)


def _is_number(series: pl.Series) -> bool:
    return series.dtype.is_numeric() or series.dtype == pl.Boolean


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    return series.cast(pl.Float64).to_numpy()


def _values(
    series: pl.Series, present: NDArray[np.bool_], kind: Kind, period: float | None
) -> NDArray[np.float64] | NDArray[np.str_]:
    if are_vectors(series):
        return _vectors(series.filter(present))
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
        raise UntestableError(f"{series.name} holds {series.dtype} values; give numbers or text")
    if kind == "nominal" or (kind == "ordinal" and not _is_number(series) and not are_dates(series)):
        return series.filter(present).cast(pl.String).to_numpy().astype(str)
    if not _is_number(series):
        days = date_numbers(series)
        if days is None and series.dtype == pl.String and numbers_as_text(series.drop_nulls().unique().to_list()):
            text = f"{series.name} holds numbers as text, such as {series.drop_nulls()[0]!r}"
            raise UntestableError(f"{text}; turn it into numbers, or call it nominal if these are names")
        if days is None:
            raise UntestableError(
                f"{series.name} is called {kind} and holds {series.dtype} values; give numbers or dates"
            )
        series, period = days, YEAR if period is None else period
    numbers = _numbers(series)[present]
    return _circle(numbers, period, series.name) if kind == "cyclic" else numbers


def _vectors(series: pl.Series) -> NDArray[np.float64]:
    """Return a column of vectors, such as embeddings, as one variable of several columns."""
    lists = series.cast(pl.List(pl.Float64))
    if lists.list.len().n_unique() > 1:
        raise UntestableError(f"{series.name} holds vectors of different lengths; give all the same")
    return lists.explode().to_numpy().reshape(len(lists), -1)


def _circle(numbers: NDArray[np.float64], period: float | None, name: str) -> NDArray[np.float64]:
    if period is None or not period > 0:
        raise UntestableError(f"{name} is cyclic; say how long one turn is")
    if not np.isfinite(numbers).all():
        raise UntestableError(f"{name} holds infinite values; drop those rows first")
    angle = 2 * np.pi * np.mod(numbers, period) / period
    return np.round(np.column_stack([np.cos(angle), np.sin(angle)]), 12)  # so that values a turn apart meet again
