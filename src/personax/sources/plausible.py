"""Values that hardly a person has: flagged, never dropped, for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from personax.schema import Notice

__all__ = ["FLAGS", "PLAUSIBLE", "flag_implausible", "flag_notices", "plausible"]

FLAGS = {"id": pl.String, "column": pl.String, "value": pl.Float64, "limit": pl.String}
"""Columns of the table of flags; derived quantities are columns called ``bmi`` and ``age``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Lowest and highest value that is not flagged; None leaves a side open."""

    low: float | None
    high: float | None


PLAUSIBLE: Mapping[str, Limits] = {
    "height_cm": Limits(140, 235),
    "weight_kg": Limits(40, 200),
    "bmi": Limits(15, 50),
    "birth_year": Limits(1850, None),
    "birth_month": Limits(1, 12),
    "birth_day": Limits(1, 31),
    "age": Limits(14, 110),
    "latitude": Limits(-90, 90),
    "longitude": Limits(-180, 180),
}
"""Limits for public people; the youngest athletes are 15. ``bmi`` is kg / m², ``age`` counts whole years."""


def plausible(changes: Mapping[str, tuple[float | None, float | None]]) -> Mapping[str, Limits]:
    """Return `PLAUSIBLE` with some limits changed or added.

    Examples
    --------
    >>> plausible({"height_cm": (130, None)})["height_cm"]
    Limits(low=130, high=None)
    """
    return {**PLAUSIBLE, **{column: Limits(*pair) for column, pair in changes.items()}}


def flag_implausible(people: pl.DataFrame, *, today: date, limits: Mapping[str, Limits] = PLAUSIBLE) -> pl.DataFrame:
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
