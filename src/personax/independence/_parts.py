"""A data set of many Parquet files, read part by part, so that it may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import polars as pl

from personax.data.frames import parquet_schema, scan_parquet
from personax.data.object_store import is_remote
from personax.data.remote_tables import RemoteTables, reading_tables
from personax.errors import InputError

__all__ = ["DataSet", "FilePart", "open_dataset"]

CHUNK: Final = 1_000_000
"""Rows of a file that are read together."""

UNIT: Final = 8_000_000
"""Rows of one file that one worker counts at a time: a large file is work for several."""

NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"

Schema = dict[str, Any]


@dataclass(frozen=True)
class FilePart:
    """Some rows of one file, and what the names of its folders say of them."""

    path: str
    start: int
    rows: int
    partition: Mapping[str, str | None]


@dataclass(frozen=True, eq=False)
class DataSet:
    """Parquet files that are one table; `open_dataset` makes one.

    Parameters
    ----------
    parts
        Files, in order; a large one in several parts.
    schema
        Column -> its type, those of folders (``year=2024``) last.
    remote
        Where the files lie in an object store: what was listed there. Whoever counts a part reads it from there.
    reading
        How they are read from there.
    where
        Only rows in which all of this holds are looked at.
    """

    parts: tuple[FilePart, ...]
    schema: Mapping[str, Any]
    remote: RemoteTables | None = None
    reading: Mapping[str, Any] | None = None
    where: tuple[pl.Expr, ...] = ()

    def collect_schema(self) -> pl.Schema:
        """Return the types of all columns."""
        return pl.Schema(self.schema)

    def select(self, names: Sequence[str]) -> pl.LazyFrame:
        """Return some columns, to be collected."""
        return self.lazy().select(names)

    def lazy(self) -> pl.LazyFrame:
        """Return all rows, to be collected."""
        return pl.concat([self._scan(part, list(self.schema)) for part in self.parts])

    def filter(self, where: pl.Expr) -> DataSet:
        """Return the rows in which something holds."""
        return replace(self, where=(*self.where, where))

    @property
    def files(self) -> list[Path]:
        """The files, each once."""
        return [Path(path) for path in dict.fromkeys(part.path for part in self.parts)]

    def chunks(self, part: FilePart, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield some columns of a part, a million rows at a time."""
        for start in range(part.start, part.start + part.rows, CHUNK):
            rows = min(CHUNK, part.start + part.rows - start)
            with reading_tables(part.path):
                chunk = self._scan(replace(part, start=start, rows=rows), names).collect()
            yield chunk

    def check_unchanged(self) -> None:
        """Refuse files of an object store that were replaced since they were listed: counts would be of two tables.

        Raises
        ------
        InputError
            They were.
        """
        if self.remote is not None and self.remote.listed_again() != self.remote:
            raise InputError(f"{self.remote.root} has other files than when it was listed; run it again")

    def _scan(self, part: FilePart, names: Sequence[str]) -> pl.LazyFrame:
        scanned = scan_parquet(part.path, self.reading).slice(part.start, part.rows)
        told = [pl.lit(part.partition[name]).cast(self.schema[name]).alias(name) for name in part.partition]
        rows = scanned.with_columns(told)
        rows = rows.filter(*self.where) if self.where else rows
        # dictionaries of different files have different codes
        return rows.select(pl.col(name).cast(_plain(self.schema[name])) for name in names)


def _plain(kind: Any) -> Any:  # noqa: ANN401 - a polars type
    return pl.String if kind in (pl.Categorical, pl.Enum) else kind


def open_dataset(place: str | Path | Sequence[str | Path]) -> DataSet:
    """Return a data set that somebody names on purpose.

    Parameters
    ----------
    place
        A Parquet file; a folder of them, in which names of folders such as ``year=2024`` are columns, and what begins
        with ``.`` or ``_`` is left out; a pattern such as ``data/part-*.parquet``, where no file has that very name;
        a list of files; or an address (``s3://``, ``gs://``) of a file or a folder.

    Raises
    ------
    InputError
        No file there, one that cannot be read, or files whose columns differ.
    """
    listed = RemoteTables.listed(place) if isinstance(place, (str, Path)) and is_remote(place) else None
    root, files = _files(place) if listed is None else (None, listed.addresses())
    if not files:
        raise InputError(f"{_shown(place)} holds no Parquet file; name a file, a folder or a pattern of files")
    reading = None if listed is None else listed.options()
    partitions = [_partition(name) for name in (listed.versions if listed else _names(root, files))]
    first, parts = dict[str, Any](), list[FilePart]()
    for file, partition in zip(files, partitions, strict=True):
        schema, many = _schema_and_rows(file, reading)
        first = first or schema
        _same(first, schema, file)
        if partition.keys() != partitions[0].keys():
            raise InputError(f"{file} lies in folders of other names than {files[0]}; give one data set")
        parts += [FilePart(file, at, min(UNIT, many - at), partition) for at in range(0, many, UNIT)]
    if not parts:
        raise InputError(f"{_shown(place)} holds no rows; give a table with people")
    own = {name: kind for name, kind in first.items() if name not in partitions[0]}
    return DataSet(tuple(parts), own | {name: _kind_of(name, partitions) for name in partitions[0]}, listed, reading)


def _shown(place: object) -> str:
    return str(place) if isinstance(place, (str, Path)) else "the list"


def _files(place: str | Path | Sequence[str | Path]) -> tuple[Path | None, list[str]]:
    """Return the root of a folder, if it is one, and the files."""
    if not isinstance(place, (str, Path)):
        if remote := [one for one in place if is_remote(one)]:
            raise InputError(f"{remote[0]} stands in a list; of an object store give the address of one folder")
        return None, [str(one) for one in place]
    path = Path(place)
    if path.is_file():
        return None, [str(path)]
    if path.is_dir():
        found = sorted(file for file in path.rglob("*.parquet") if file.is_file())
        return path, [str(f) for f in found if not any(name[0] in "._" for name in f.relative_to(path).parts)]
    named = glob(str(place), recursive=True)  # noqa: PTH207 - a pattern may be absolute
    return None, sorted(name for name in named if name.endswith(".parquet"))


def _names(root: Path | None, files: Sequence[str]) -> list[str]:
    """Return the names of files below their root; names of folders say nothing where there is none."""
    return ["" if root is None else Path(file).relative_to(root).as_posix() for file in files]


def _partition(name: str) -> dict[str, str | None]:
    """Return what the names of folders say."""
    said = [part.partition("=") for part in name.split("/")[:-1]]
    return {unquote(key): None if value == NO_VALUE else unquote(value) for key, sign, value in said if sign}


def _kind_of(name: str, partitions: Sequence[Mapping[str, str | None]]) -> Any:  # noqa: ANN401 - a polars type
    """Return whole numbers where all values of a folder's name are such, else text."""
    values = pl.Series([one[name] for one in partitions], dtype=pl.String)
    return pl.Int64 if values.cast(pl.Int64, strict=False).null_count() == values.null_count() else pl.String


def _schema_and_rows(file: str, reading: Mapping[str, Any] | None) -> tuple[Schema, int]:
    scanned = scan_parquet(file, reading)
    try:
        with reading_tables(file):
            schema = dict(parquet_schema(file) if reading is None else scanned.collect_schema())
            return schema, scanned.select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{file} cannot be read as Parquet ({str(error).splitlines()[0]}); leave it out") from None


def _same(first: Schema, schema: Schema, file: str) -> None:
    if lacking := [name for name in first if name not in schema]:
        raise InputError(f"{file} has no column {lacking[0]}, which the first file has; the files are no one table")
    for name, kind in first.items():
        if _plain(schema[name]) != _plain(kind):
            text = f"{file}: {name} holds {schema[name]}, and {kind} in the first file"
            raise InputError(f"{text}; write all files with the same types")
