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
    made = derive_variables(table.table)
    notices = list(table.notices)
    report = None
    if "latitude" not in made.names and any(name in made.names for name in places):
        people, report = geocode(made.frame, columns=places, spaces=spaces, point=point)
        added = [replace(column, inferred=True, why="derived from the country") for column in ADDED]
        kept = made.drop([column.name for column in ADDED])
        made = replace(made, frame=people, columns=[*kept.columns, *added])
        notices += report.notices()
    flags = flag_implausible(made.frame, today=today, limits=limits)
    notices += flag_notices(flags)
    return Completed(replace(table, table=made, notices=notices), flags, report)
