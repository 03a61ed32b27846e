"""What every source returns: a people table, what its columns mean, and an honest list of what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from personax.data.table import Table
from personax.errors import InputError, TooManyBadCells
from personax.schema import Column, Notice, Provenance
from personax.sources._ledger import FileReading, ReadingLedger

__all__ = ["BAD_CELLS", "PeopleTable", "check_bad_share", "check_ids", "derive_birth_parts", "table_notices"]

BAD_CELLS = {"row": pl.Int64, "column": pl.String, "value": pl.String, "reason": pl.String}
"""Columns of bad_cells.parquet; rows are numbered from 1, the header not counted."""


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """People from one source.

    Parameters
    ----------
    table
        One row a person, ``id`` first, what the columns mean, and where the people came from.
    bad_cells
        Cells that could not be read and are missing in the table; see `BAD_CELLS`.
    notices
        What a reader must know, without a person's name.
    reading
        How the file was read, for the reading ledger; None of sources that are no table.
    """

    table: Table
    bad_cells: pl.DataFrame
    notices: list[Notice]
    reading: FileReading | None = None

    @property
    def ledger(self) -> ReadingLedger:
        """How the file was read; empty of sources that are no table."""
        return ReadingLedger([self.reading] if self.reading is not None else [])

    @property
    def people(self) -> pl.DataFrame:
        """The people, one row each."""
        return self.table.frame

    @property
    def columns(self) -> Sequence[Column]:
        """What the columns of ``people`` mean."""
        return self.table.columns

    @property
    def provenance(self) -> Provenance:
        """Where the people came from, which every source says."""
        if self.table.provenance is None:
            raise InputError("the table of people has no provenance; give it one")
        return self.table.provenance


def check_ids(ids: Sequence[str | None]) -> None:
    """Refuse ids that are missing or stand twice.

    Raises
    ------
    InputError
        With how many, and the first rows or ids.
    """
    missing = [str(row) for row, value in enumerate(ids, 1) if not value]
    if missing:
        rows = ", ".join(missing[:3])
        raise InputError(f"{len(missing)} ids are missing (first in row {rows}); give every person an id")
    twice = [value for value, times in Counter(ids).items() if times > 1]
    if twice:
        shown = ", ".join(str(value) for value in twice[:3])
        raise InputError(f"{len(twice)} ids stand more than once ({shown}); ids must be unique")


def check_bad_share(where: str, values: pl.Series, bad: pl.DataFrame, share: float) -> None:
    """Refuse a column most of whose cells mean that its description is wrong.

    Raises
    ------
    TooManyBadCells
        With the column, the share among the cells that hold something, and the first examples.
    """
    held = len(values) - values.null_count() + bad.height
    if bad.height > share * held:
        shown = "; ".join(f"row {row}: {value[:30]!r} is {why}" for row, _, value, why in bad.head(3).iter_rows())
        text = (
            f"{where}, column {values.name}: {bad.height} of {held} cells cannot be read, more than max_bad_share "
            f"{share:g} ({shown}); check unit, format and values"
        )
        raise TooManyBadCells(text)


def derive_birth_parts(table: Table, parts: pl.DataFrame | None = None) -> Table:
    """Add birth_year, birth_month and birth_day, unless they are there.

    Parameters
    ----------
    table
        People; without a birth_date they are returned as they are.
    parts
        The three columns, where they are known better than from birth_date: a year can be known alone.
    """
    people = table.frame
    if "birth_date" not in people.columns or people["birth_date"].dtype != pl.Date:
        return table
    born = pl.col("birth_date").dt
    if parts is None:
        parts = people.select(birth_year=born.year(), birth_month=born.month(), birth_day=born.day())
    derived = [
        Column("birth_year", "feature", "continuous", "years"),
        Column("birth_month", "feature", "cyclic", period=12.0),
        Column("birth_day", "feature", "cyclic", period=31.0),
    ]
    new = [column for column in derived if column.name not in people.columns]
    people = people.with_columns(parts.select(pl.col(column.name).cast(pl.Int64) for column in new))
    added = [replace(column, inferred=True, why="derived from birth_date") for column in new]
    return replace(table, frame=people, columns=[*table.columns, *added])


def table_notices(people: pl.DataFrame, bad_cells: pl.DataFrame) -> list[Notice]:
    """Return notices of a people table: one row, empty and constant columns, bad cells by column and reason."""
    notices = []
    if people.height == 1:
        notices.append(Notice("There is only one person; nothing can be tested."))
    empty = [s.name for s in people if s.null_count() == people.height]
    constant = [s.name for s in people if s.name not in empty and people.height > 1 and s.drop_nulls().n_unique() == 1]
    if empty:
        notices.append(Notice(f"No person has a value in {_some(empty)}.", len(empty)))
    if constant:
        notices.append(Notice(f"Every person has the same value in {_some(constant)}.", len(constant)))
    grouped = bad_cells.group_by("column", "reason", maintain_order=True).len()
    notices += [Notice(f"Bad cells in {c} are missing now: {why}.", number) for c, why, number in grouped.iter_rows()]
    return notices


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
