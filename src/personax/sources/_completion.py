"""What every people table gets last: places on the globe, variables of the birthday, plausibility flags."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from personax.data.table import Table
from personax.errors import InputError
from personax.schema import Column, Notice
from personax.sources._people_table import PeopleTable, derive_birth_parts
from personax.sources.geocode import GeocodeReport, Point, Space, geocode
from personax.sources.geocode._geocode import ADDED

__all__ = [
    "DAYS",
    "FLAGS",
    "PLAUSIBLE",
    "CompletedPeople",
    "complete",
    "derive_variables",
    "flag_implausible",
    "flag_notices",
]


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
    table = derive_birth_parts(table)
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


FLAGS = {"id": pl.String, "column": pl.String, "value": pl.Float64, "limit": pl.String}
"""Columns of the table of flags; derived quantities are columns called ``bmi`` and ``age``."""


@dataclass(frozen=True, slots=True)
class PlausibleRange:
    """Lowest and highest value that is not flagged; None leaves a side open."""

    low: float | None
    high: float | None


PLAUSIBLE: Mapping[str, PlausibleRange] = {
    "height_cm": PlausibleRange(140, 235),
    "weight_kg": PlausibleRange(40, 200),
    "bmi": PlausibleRange(15, 50),
    "birth_year": PlausibleRange(1850, None),
    "birth_month": PlausibleRange(1, 12),
    "birth_day": PlausibleRange(1, 31),
    "age": PlausibleRange(14, 110),
    "latitude": PlausibleRange(-90, 90),
    "longitude": PlausibleRange(-180, 180),
}
"""Limits for public people; the youngest athletes are 15. ``bmi`` is kg / m², ``age`` counts whole years."""


def flag_implausible(
    people: pl.DataFrame, *, today: date, limits: Mapping[str, PlausibleRange] = PLAUSIBLE
) -> pl.DataFrame:
    """List the values outside the limits; the people stay as they are.

    Parameters
    ----------
    people
        A table with an ``id``; columns that it lacks, and columns that hold no numbers, are passed over.
    today
        The day at which ages are counted.
    limits
        Column -> limits.

    Returns
    -------
    polars.DataFrame
        Columns as in `FLAGS`; ``limit`` reads ``< 140`` or ``> 235``.

    Examples
    --------
    >>> people = pl.DataFrame({"id": ["a", "b"], "height_cm": [73.0, 185.0], "weight_kg": [80.0, 250.0]})
    >>> flag_implausible(people, today=date(2026, 1, 1)).rows()
    [('a', 'height_cm', 73.0, '< 140'), ('b', 'weight_kg', 250.0, '> 200'), ('a', 'bmi', 150.1, '> 50'),
     ('b', 'bmi', 73.0, '> 50')]
    """
    measured = people.with_columns(_derived(people, today))
    found = []
    for column, limit in limits.items():
        if column not in measured.columns or not measured[column].dtype.is_numeric():
            continue
        value = pl.col(column).cast(pl.Float64)
        for bad, text in (
            (value < limit.low if limit.low is not None else pl.lit(False), f"< {limit.low}"),
            (value > limit.high if limit.high is not None else pl.lit(False), f"> {limit.high}"),
        ):
            rows = measured.filter(bad)
            found.append(
                rows.select(pl.col("id").cast(pl.String), column=pl.lit(column), value=value, limit=pl.lit(text))
            )
    return pl.concat([pl.DataFrame(schema=FLAGS), *found])


def flag_notices(flags: pl.DataFrame) -> list[Notice]:
    """Say how many values of which column are outside which limit."""
    grouped = flags.group_by("column", "limit", maintain_order=True).len()
    return [
        Notice(f"Values of {column} are {limit}; they are flagged and kept.", n) for column, limit, n in grouped.rows()
    ]


def _derived(people: pl.DataFrame, today: date) -> list[pl.Expr]:
    """Return body mass index and age, where the columns that they need are there."""
    dtypes = people.schema
    derived = []
    if all(name in dtypes and dtypes[name].is_numeric() for name in ("height_cm", "weight_kg")):
        metres = pl.when(pl.col("height_cm") > 0).then(pl.col("height_cm") / 100)
        derived.append((pl.col("weight_kg") / metres**2).round(1).alias("bmi"))
    if dtypes.get("birth_date") == pl.Date:
        born = pl.col("birth_date").dt
        month, day = born.month().cast(pl.Int32), born.day().cast(pl.Int32)
        ahead = (month > today.month) | ((month == today.month) & (day > today.day))
        derived.append((today.year - born.year() - ahead.cast(pl.Int32)).alias("age"))
    return derived


_SPACES: Mapping[str, Space] = {"nationality_code": "iso2"}
"""Columns whose code space is known."""


@dataclass(frozen=True, slots=True)
class CompletedPeople:
    """A people table, the values that hardly a person has, and what became of countries; None without a country."""

    table: PeopleTable
    flags: pl.DataFrame
    places: GeocodeReport | None


def complete(
    table: PeopleTable,
    *,
    today: date,
    places: Sequence[str] = ("nationality_code", "nationality", "country", "birth_country"),
    spaces: Mapping[str, Space] | None = None,
    point: Point = "capital",
    limits: Mapping[str, PlausibleRange] = PLAUSIBLE,
) -> CompletedPeople:
    """Add latitude, longitude and the variables of the birthday; flag what is implausible; no one is dropped.

    Parameters
    ----------
    table
        People of one or of many sources. A latitude that is there already stays.
    today
        The day at which ages are counted.
    places, spaces, point
        See `personax.sources.geocode.geocode`.
    limits
        See `personax.sources._completion`.
    """
    made = derive_variables(table.table)
    notices = list(table.notices)
    report = None
    if "latitude" not in made.names and any(name in made.names for name in places):
        people, report = geocode(made.frame, columns=places, spaces={**_SPACES, **(spaces or {})}, point=point)
        added = [replace(column, inferred=True, why="derived from the country") for column in ADDED]
        kept = made.drop([column.name for column in ADDED])
        made = replace(made, frame=people, columns=[*kept.columns, *added])
        notices += report.notices()
    flags = flag_implausible(made.frame, today=today, limits=limits)
    notices += flag_notices(flags)
    return CompletedPeople(replace(table, table=made, notices=notices), flags, report)
