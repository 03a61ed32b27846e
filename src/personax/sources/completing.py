"""What every people table gets last: places on the globe, variables of the birthday, flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from personax.sources.derived import derive_variables
from personax.sources.geocode import GeocodeReport, Point, Space, geocode
from personax.sources.geocode.people import ADDED
from personax.sources.people import PeopleTable
from personax.sources.plausible import PLAUSIBLE, Limits, flag_implausible, flag_notices

__all__ = ["Completed", "complete"]


@dataclass(frozen=True, slots=True)
class Completed:
    """A people table, the values that hardly a person has, and what became of countries; None without a country."""

    table: PeopleTable
    flags: pl.DataFrame
    places: GeocodeReport | None


def complete(
    table: PeopleTable,
    *,
    today: date,
    places: Sequence[str] = ("nationality", "country", "birth_country"),
    spaces: Mapping[str, Space] | None = None,
    point: Point = "capital",
    limits: Mapping[str, Limits] = PLAUSIBLE,
) -> Completed:
    """Add latitude, longitude and the variables of the birthday; flag what is implausible; drop nobody.

    Parameters
    ----------
    table
        People of one or of many sources. A latitude that is there already stays.
    today
        The day at which ages are counted.
    places, spaces, point
        See `personax.sources.geocode.geocode`.
    limits
        See `personax.sources.plausible`.
    """
    people, columns = derive_variables(table.people, table.columns)
    notices = list(table.notices)
    report = None
    if "latitude" not in people.columns and any(name in people.columns for name in places):
        people, report = geocode(people, columns=places, spaces=spaces, point=point)
        added = [replace(column, inferred=True, why="derived from the country") for column in ADDED]
        columns = [*(column for column in columns if column.name != "country_code"), *added]
        notices += report.notices()
    flags = flag_implausible(people, today=today, limits=limits)
    notices += flag_notices(flags)
    return Completed(replace(table, people=people, columns=columns, notices=notices), flags, report)
