"""Dates and times as numbers of days, from whatever a table holds them in: dates, times of day, ISO 8601 text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from personax.data.digits import with_ascii_digits
from personax.schema import Column

__all__ = ["YEAR", "are_dates", "date_numbers", "dates_as_numbers", "with_date_kinds"]

YEAR: Final = 365.2425
"""Days of a year on average: one turn of a cyclic column of dates."""

_ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$"
_CLOCK = r"[T ](\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?"
_SECONDS: Final = 86_400.0


def are_dates(series: pl.Series) -> bool:
    """Say whether a column holds dates, times or durations; text only where every value is one.

    Examples
    --------
    >>> are_dates(pl.Series(["1987-03-12", None])), are_dates(pl.Series(["1987-03-12", "unknown"]))
    (True, False)
    """
    return date_numbers(series) is not None


def date_numbers(series: pl.Series) -> pl.Series | None:
    """Return days since 1 January 1970 (of a time of day or a duration: days), or None where these are no dates.

    Examples
    --------
    >>> date_numbers(pl.Series(["1970-01-03", "1970-01-01T12:00:00+06:00", None])).to_list()
    [2.0, 0.25, None]
    """
    kind = series.dtype
    if kind == pl.Date:
        return series.cast(pl.Int32).cast(pl.Float64)
    if isinstance(kind, pl.Datetime):
        return series.dt.epoch("us").cast(pl.Float64) / (_SECONDS * 1e6)
    if isinstance(kind, pl.Duration):
        return series.dt.total_microseconds().cast(pl.Float64) / (_SECONDS * 1e6)
    if kind == pl.Time:
        return series.cast(pl.Int64).cast(pl.Float64) / (_SECONDS * 1e9)
    return _of_text(series) if kind == pl.String else None


def _of_text(series: pl.Series) -> pl.Series | None:
    series = with_ascii_digits(series)
    values = series.drop_nulls()
    if not len(values) or not values[:100].str.contains(_ISO).all() or not values.str.contains(_ISO).all():
        return None
    days = series.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    if days.null_count() > series.null_count():
        return None
    clock = [series.str.extract(_CLOCK, place).cast(pl.Float64).fill_null(0) for place in (1, 2, 3)]
    ahead = [series.str.extract(r"[T ].*([+-])(\d{2}):?(\d{2})$", place) for place in (1, 2, 3)]
    offset = (ahead[1].cast(pl.Float64) * 3600 + ahead[2].cast(pl.Float64) * 60).fill_null(0)
    offset = offset * (1 - 2 * (ahead[0] == "-").cast(pl.Float64).fill_null(0))
    seconds = clock[0] * 3600 + clock[1] * 60 + clock[2] - offset
    return (days.cast(pl.Int32).cast(pl.Float64) + seconds / _SECONDS).alias(series.name)


def with_date_kinds(columns: Sequence[Column], frame: pl.DataFrame) -> list[Column]:
    """Return the columns, those of dates as continuous where nobody has said what they are.

    Examples
    --------
    >>> born = Column("born", "feature", "nominal", inferred=True)
    >>> with_date_kinds([born], pl.DataFrame({"born": ["1987-03-12", "1990-01-01"]}))[0].kind
    'continuous'
    """
    return [
        replace(column, kind="continuous", why="dates")
        if column.inferred and column.kind == "nominal" and are_dates(frame[column.name])
        else column
        for column in columns
    ]


def dates_as_numbers(frame: pl.DataFrame, columns: Sequence[Column]) -> tuple[pl.DataFrame, list[Column]]:
    """Return a table whose dates are numbers of days, and what its columns mean then.

    Examples
    --------
    >>> born = Column("born", "feature", "cyclic")
    >>> frame, (column,) = dates_as_numbers(pl.DataFrame({"born": ["1970-01-03"]}), [born])
    >>> frame["born"].to_list(), column.period
    ([2.0], 365.2425)
    """
    meant = with_date_kinds(columns, frame)
    days = {
        column.name: numbers
        for column in meant
        if column.kind != "nominal" and (numbers := date_numbers(frame[column.name])) is not None
    }
    turning = [
        replace(column, period=YEAR)
        if column.name in days and column.kind == "cyclic" and not column.period
        else column
        for column in meant
    ]
    return frame.with_columns(days.values()), turning
