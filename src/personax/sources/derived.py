"""Variables of the birthday that the paper's analyses use: day of the year, and its sine and cosine."""

from __future__ import annotations

import math
from dataclasses import replace

import polars as pl

from personax.data.table import Table
from personax.errors import InputError
from personax.schema import Column
from personax.sources.people import derive_birth

__all__ = ["DAYS", "derive_variables"]

DAYS = 366
"""Days of a leap year: every birthday has its own index, and it is the same in every year."""

_DERIVED = [
    Column("day_index", "feature", "cyclic", "days", DAYS, inferred=True, why="derived from birth_month and birth_day"),
    Column("day_sin", "feature", "continuous", inferred=True, why="derived from day_index"),
    Column("day_cos", "feature", "continuous", inferred=True, why="derived from day_index"),
]
_BEFORE = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335]
_LONG = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def derive_variables(table: Table) -> Table:
    """Add birth_year, birth_month, birth_day, day_index, day_sin and day_cos, unless they are there.

    Parameters
    ----------
    table
        People and what their columns mean.

    Returns
    -------
    Table
        With the new columns at the end; as they were where nothing tells month and day.

    Notes
    -----
    The index counts the days of a leap year from 1 January = 1: 28 February is 59, 29 February 60, 1 March 61 and
    31 December 366, in every year, so that one date has one index. The components are those of the angle
    2 π (day_index - 1) / 366. ``day_index`` is cyclic with period 366; the components are continuous. A month without
    a day, or a day that the month has not, gives no index.

    Raises
    ------
    InputError
        When birth_month or birth_day hold no numbers.

    Examples
    --------
    >>> born = pl.DataFrame({"birth_month": [1, 3], "birth_day": [1, 1]})
    >>> columns = [Column(name, "feature", "cyclic") for name in born.columns]
    >>> people = derive_variables(Table(born, columns)).frame
    >>> people["day_index"].to_list(), people["day_cos"][0]
    ([1, 61], 1.0)
    """
    table = derive_birth(table)
    people = table.frame
    if not {"birth_month", "birth_day"} <= set(people.columns):
        return table
    for name in ("birth_month", "birth_day"):
        if not (people[name].dtype.is_numeric() or people[name].dtype == pl.Null):
            raise InputError(f"column {name} holds {people[name].dtype}, not numbers; a day of the year needs numbers")
    new = [column for column in _DERIVED if column.name not in people.columns]
    with_index = people if "day_index" in people.columns else people.with_columns(_day_index().alias("day_index"))
    angle = 2 * math.pi * (pl.col("day_index") - 1) / DAYS
    values = {"day_index": pl.col("day_index"), "day_sin": angle.sin(), "day_cos": angle.cos()}
    derived = with_index.with_columns(values[column.name].alias(column.name) for column in new)
    return replace(table, frame=derived, columns=[*table.columns, *new])


def _day_index() -> pl.Expr:
    month, day = pl.col("birth_month").cast(pl.Int64), pl.col("birth_day").cast(pl.Int64)
    before = month.replace_strict(range(1, 13), _BEFORE, default=None, return_dtype=pl.Int64)
    length = month.replace_strict(range(1, 13), _LONG, default=None, return_dtype=pl.Int64)
    return pl.when((day >= 1) & (day <= length)).then(before + day)
