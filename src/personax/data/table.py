"""People and what their columns mean, as one thing: read, joined, narrowed and written together."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import polars as pl

from personax.data.frames import read_parquet, write_parquet
from personax.errors import InputError, StudyError
from personax.schema import Column, Provenance, select
from personax.strict import nearest

__all__ = ["COLUMNS", "Table"]

COLUMNS = "columns.json"
"""Beside a table: the role, kind and unit of every column of it."""

SHOWN = 8
"""Names of columns in the one line that a table is shown as."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table whose columns are understood.

    Parameters
    ----------
    frame
        One row a person.
    columns
        What the columns of ``frame`` mean, in its order.
    provenance
        Where the values came from, as far as it is known.

    Raises
    ------
    InputError
        The columns are not those of the frame.

    Examples
    --------
    >>> people = Table(pl.DataFrame({"id": ["a"], "age": [30]}), [Column("id", "id", "nominal"),
    ...                                                           Column("age", "feature", "continuous")])
    >>> scores = Table(pl.DataFrame({"id": ["a"], "final_o": [2.5]}), [Column("id", "id", "nominal"),
    ...                                                               Column("final_o", "target", "continuous")])
    >>> [column.name for column in people.join(scores).targets()]
    ['final_o']
    """

    frame: pl.DataFrame
    columns: Sequence[Column]
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        described = [column.name for column in self.columns]
        if described != self.frame.columns:
            odd = sorted({*described} ^ {*self.frame.columns})
            what = f"{', '.join(odd)} stand in one only" if odd else "they stand in another order"
            raise InputError(f"the columns of a table and what is said of them differ: {what}")

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:SHOWN]) + (" ..." if len(self.names) > SHOWN else "")
        return f"Table({self.height} rows, {len(self.names)} columns: {shown})"

    def _repr_html_(self) -> str:
        return self.frame._repr_html_()

    @property
    def height(self) -> int:
        """How many rows it has."""
        return self.frame.height

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return self.frame.columns

    def column(self, name: str) -> Column:
        """Return what a column means; InputError where there is none of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InputError(f"the table has no column {name}; {nearest(name, self.names)}")

    def features(self) -> list[Column]:
        """Return the columns that describe people."""
        return select(self.columns, "feature")

    def targets(self) -> list[Column]:
        """Return the columns that are tested against features: trait scores, usually."""
        return select(self.columns, "target")

    def private(self) -> list[Column]:
        """Return the columns that never leave the study folder."""
        return select(self.columns, "private")

    def open(self) -> Self:
        """Return the table without private columns and vectors: ids, features and targets."""
        return self.select(column.name for column in self.columns if column.role in ("id", "feature", "target"))

    def select(self, names: Iterable[str]) -> Self:
        """Return some columns, in the order that is asked for."""
        wanted = list(names)
        columns = [self.column(name) for name in wanted]
        return replace(self, frame=self.frame.select(wanted), columns=columns)

    def drop(self, names: Collection[str]) -> Self:
        """Return the table without these columns; names that are not there are passed over."""
        return self.select(name for name in self.names if name not in names)

    def join(self, other: Table, *, on: str = "id") -> Self:
        """Return the rows of this table with the columns of another; a column that both have is the other's.

        Rows of the other that belong to nobody are left out, and who has no row there has no values.

        Raises
        ------
        InputError
            A table lacks the column, or a value of it stands twice in the other.
        """
        self.column(on)
        other.column(on)
        if other.frame[on].n_unique() < other.height:
            raise InputError(f"{on} stands more than once for some rows of a table that is joined; give each row one")
        own = self.drop({*other.names} - {on})
        frame = own.frame.join(other.frame, on=on, how="left", maintain_order="left")
        return replace(self, frame=frame, columns=[*own.columns, *(c for c in other.columns if c.name != on)])

    def write(self, path: Path) -> None:
        """Write the frame as Parquet, and what its columns mean as `COLUMNS` beside it."""
        write_parquet(self.frame, path, compression="zstd", statistics=False)
        text = json.dumps([asdict(column) for column in self.columns], indent=1)
        path.with_name(COLUMNS).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: Path, *, columns: Path | None = None, provenance: Path | None = None) -> Self:
        """Read what `write` wrote, and where it came from if ``provenance.json`` beside it says so.

        Parameters
        ----------
        path
            The frame.
        columns, provenance
            The other two files, where they do not lie beside it under their names; then, without ``provenance``, it is
            not known where the people came from.

        Raises
        ------
        StudyError
            A file is missing, or is not what `write` writes.
        """
        try:
            described = columns or path.with_name(COLUMNS)
            meanings = [Column(**raw) for raw in json.loads(described.read_text(encoding="utf-8"))]
            told = provenance or (path.with_name("provenance.json") if columns is None else None)
            known = told is not None and told.is_file()
            origin = Provenance(**json.loads(told.read_text(encoding="utf-8"))) if told and known else None
            frame = read_parquet(path)
        except FileNotFoundError as error:
            raise StudyError(f"{error.filename or path} is missing; personax run makes it") from None
        except (OSError, ValueError, TypeError, RecursionError, pl.exceptions.PolarsError):
            text = f"{path} and {COLUMNS} beside it cannot be read; run the stage that writes them again"
            raise StudyError(text) from None
        try:
            return cls(frame, meanings, origin)
        except InputError as error:
            raise StudyError(f"{path}: {error}; run the stage that writes it again") from None
