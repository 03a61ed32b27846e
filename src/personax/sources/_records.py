"""Records of what sources say of people, with the origin of every value; records <-> people tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import polars as pl

from personax.data.columns import infer_columns
from personax.data.table import Table
from personax.schema import Column, Notice, Provenance
from personax.sources._people_table import BAD_CELLS, PeopleTable, check_ids, derive_birth_parts, table_notices

__all__ = ["ORIGINS", "Assembled", "BadValue", "Failure", "Origin", "Record", "assemble", "records_of"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from.

    Parameters
    ----------
    source
        Its name in study.yaml: nba, wikidata ...
    url
        The page, or the file's name.
    time
        When it was fetched, ISO 8601 in UTC; of a file, empty.
    sha256
        Of the page's or the file's bytes.
    """

    source: str
    url: str
    time: str
    sha256: str


@dataclass(frozen=True, slots=True)
class BadValue:
    """A value that could not be read and is missing."""

    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One person in one source.

    Parameters
    ----------
    source, ref
        Which source, and its own id of the person; together they are unique.
    values
        Column -> value, already in the study's units: ``name``, ``birth_date`` (a date), ``birth_year`` (where no more
        is known), ``birth_precision`` (day, month or year), ``height_cm``, ``weight_kg``, ``gender``, ``league``,
        ``team``, ``position``, ``occupation``, ``nationality``, ``birthplace``, ``birth_country`` (as the source writes
        them), ``headshot_url``. What is not known is left out.
    origins
        Column -> where it comes from; every column of ``values`` has one.
    bad
        What the source says but cannot be read.
    """

    source: str
    ref: str
    values: Mapping[str, object]
    origins: Mapping[str, Origin]
    bad: Sequence[BadValue] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Failure:
    """A person, or a page of a list, that could not be read; the crawl goes on.

    Parameters
    ----------
    source
        Its name.
    ref
        The person's id; None for a page or a row of a list.
    url
        Of the page.
    reason
        One sentence.
    changed
        The page came, in another shape than this version reads.
    sample
        The page's bytes then.
    list_record
        The record of the person in the list.
    """

    source: str
    ref: str | None
    url: str
    reason: str
    changed: bool = False
    sample: bytes | None = field(default=None, repr=False)
    list_record: Record | None = field(default=None, repr=False)


ORIGINS: Final = {name: pl.String for name in ("id", "column", "source", "url", "time", "sha256")}
"""Columns of origins.parquet: where each value of people.parquet comes from."""

_BORN: Final = ("birth_year", "birth_month", "birth_day")

_STANDARD_COLUMNS: Final = {
    column.name: column
    for column in (
        Column("name", "private", "nominal"),
        Column("birth_date", "private", "continuous"),
        Column("birth_precision", "private", "nominal"),
        Column("height_cm", "feature", "continuous", "cm"),
        Column("weight_kg", "feature", "continuous", "kg"),
        Column("gender", "feature", "nominal"),
        Column("league", "feature", "nominal"),
        Column("team", "feature", "nominal"),
        Column("position", "feature", "nominal"),
        Column("occupation", "feature", "nominal"),
        Column("nationality", "feature", "nominal"),
        Column("nationality_code", "private", "nominal"),
        Column("birthplace", "private", "nominal"),
        Column("birth_country", "feature", "nominal"),
        Column("headshot_url", "private", "nominal"),
    )
}


@dataclass(frozen=True)
class Assembled:
    """One table of many records.

    Parameters
    ----------
    table
        The people.
    origins
        See `ORIGINS`; values that are derived from others have the origin of those.
    """

    table: PeopleTable
    origins: pl.DataFrame


def records_of(source: str, table: PeopleTable, renamed: Mapping[str, str] | None = None) -> list[Record]:
    """Return the rows of a table as records.

    Parameters
    ----------
    source
        What the study calls the table.
    table
        A people table.
    renamed
        Its column -> the column of a `Record`.
    """
    names = dict(renamed or {})
    origin = Origin(source, table.provenance.location, "", table.provenance.sha256)
    bad: dict[int, list[BadValue]] = {}
    for row, column, value, reason in table.bad_cells.filter(pl.col("column") != "line").iter_rows():
        bad.setdefault(row, []).append(BadValue(names.get(column, column), value, reason))
    found = []
    for number, row in enumerate(table.people.iter_rows(named=True), 1):
        ref = row.pop("id")
        if row.get("birth_date") is not None:
            row = {name: value for name, value in row.items() if name not in _BORN}
        values = {names.get(name, name): value for name, value in row.items() if value is not None}
        found.append(Record(source, ref, values, dict.fromkeys(values, origin), tuple(bad.get(number, ()))))
    return found


def assemble(records: Sequence[Record], described: Mapping[str, Column] | None = None) -> Assembled:
    """Return one people table of records.

    Parameters
    ----------
    records
        Source and ref are unique; together they become the id.
    described
        Columns that are described.

    Raises
    ------
    InputError
        When two people have one id.
    """
    ids = [f"{record.source}-{record.ref}" for record in records]
    check_ids(ids)
    present = dict.fromkeys(column for record in records for column in record.values)
    named = [
        *(column for column in _STANDARD_COLUMNS if column in present),
        *sorted(set(present) - set(_STANDARD_COLUMNS) - set(_BORN)),
    ]
    series = [_series(column, [record.values.get(column) for record in records]) for column in named]
    people = pl.DataFrame([pl.Series("id", ids, dtype=pl.String), *series])
    if "birth_date" not in people.columns and any(part in present for part in _BORN):
        people = people.with_columns(birth_date=pl.lit(None, dtype=pl.Date))
    given = {**(described or {}), **_STANDARD_COLUMNS, "id": Column("id", "id", "nominal")}
    columns = infer_columns(people, {name: given[name] for name in people.columns if name in given})
    made = derive_birth_parts(Table(people, columns), _parts(records))
    bad_cells = pl.DataFrame(
        [(row, b.column, b.value, b.reason) for row, record in enumerate(records, 1) for b in record.bad],
        schema=BAD_CELLS, orient="row",
    )  # fmt: skip
    notices = [*_in_part(made.frame), *table_notices(made.frame, bad_cells)]
    table = PeopleTable(replace(made, provenance=_provenance(records)), bad_cells, notices)
    origins = pl.DataFrame(list(_origins(ids, records)), schema=ORIGINS, orient="row")
    return Assembled(table, origins)


def _series(name: str, values: list[Any]) -> pl.Series:
    """Return a column of the type that all its values have; of several types all become text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {date}:
        return pl.Series(name, values, dtype=pl.Date)
    if kinds and kinds <= {int, float}:
        return pl.Series(name, values, dtype=pl.Int64 if kinds == {int} else pl.Float64)
    if len(kinds) == 1 and kinds <= {bool, list}:
        return pl.Series(name, values)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


def _parts(records: Sequence[Record]) -> pl.DataFrame:
    """Return year, month and day of birth, as far as each is known."""
    rows: list[tuple[int | None, ...]] = []
    for record in records:
        born = record.values.get("birth_date")
        if isinstance(born, date):
            rows.append((born.year, born.month, born.day))
        else:
            rows.append(tuple(_whole(record.values.get(part)) for part in _BORN))
    return pl.DataFrame(rows, schema=dict.fromkeys(_BORN, pl.Int64), orient="row")


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _in_part(people: pl.DataFrame) -> list[Notice]:
    if "birth_date" not in people.columns:
        return []
    number = int((people["birth_date"].is_null() & people["birth_year"].is_not_null()).sum())
    text = "Birth dates that give no day are missing; their year, and month if given, is kept."
    return [Notice(text, number)] if number else []


def _origins(ids: Sequence[str], records: Sequence[Record]) -> Iterator[tuple[str, ...]]:
    for person, record in zip(ids, records, strict=True):
        for column, origin in sorted(record.origins.items()):
            if column not in _BORN:
                yield person, column, origin.source, origin.url, origin.time, origin.sha256
        born = record.origins.get("birth_date")
        for part in _BORN:
            origin_of_part = born or record.origins.get(part)
            if origin_of_part is not None:
                o = origin_of_part
                yield person, part, o.source, o.url, o.time, o.sha256


def _provenance(records: Sequence[Record]) -> Provenance:
    """Return one hash of all pages and files."""
    hashes = sorted({origin.sha256 for record in records for origin in record.origins.values()})
    names = dict.fromkeys(record.source for record in records)
    return Provenance("several", ", ".join(names), hashlib.sha256("\n".join(hashes).encode()).hexdigest(), len(records))
