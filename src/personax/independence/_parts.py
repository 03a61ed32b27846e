"""A data set of many Parquet files, counted part by part: what is held are distinct rows of pairs, never the data."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import polars as pl

from personax.data.frames import parquet_schema, read_ipc, scan_parquet, write_ipc
from personax.engine import find_engine
from personax.errors import InputError

__all__ = ["MAX_DISTINCT", "WEIGHT", "DataSet", "count_pairs", "open_dataset"]

WEIGHT = "number of rows"
"""Column of a counted table: how many rows of the data each of its rows stands for."""

MAX_DISTINCT = 2_000_000
"""More distinct values of one column than this are not counted from files: they would not fit in memory."""

CHUNK: Final = 1_000_000
"""Rows of a file that are read together."""

UNIT: Final = 8_000_000
"""Rows of one file that one worker counts at a time: a large file is work for several."""

HELD: Final = 4_000_000
"""Distinct rows, of all pairs together, that are held in memory; more lie in a folder that goes with the run."""

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
    where
        Only rows in which all of this holds are looked at.
    """

    parts: tuple[FilePart, ...]
    schema: Mapping[str, Any]
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
            yield self._scan(replace(part, start=start, rows=rows), names).collect()

    def _scan(self, part: FilePart, names: Sequence[str]) -> pl.LazyFrame:
        scanned = scan_parquet(part.path).slice(part.start, part.rows)
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
        or a list of files.

    Raises
    ------
    InputError
        No file there, one that cannot be read, or files whose columns differ.
    """
    if isinstance(place, (str, Path)):
        root, files = _files(place)
    else:
        root, files = None, [Path(one) for one in place]
    if not files:
        raise InputError(f"{_shown(place)} holds no Parquet file; name a file, a folder or a pattern of files")
    partitions = [{} if root is None else _partition(file.relative_to(root)) for file in files]
    first, parts = _schema(files[0]), list[FilePart]()
    for file, partition in zip(files, partitions, strict=True):
        schema = first if file is files[0] else _schema(file)
        _same(first, schema, file)
        if partition.keys() != partitions[0].keys():
            raise InputError(f"{file} lies in folders of other names than {files[0]}; give one data set")
        rows = scan_parquet(file).select(pl.len()).collect().item()
        parts += [FilePart(str(file), at, min(UNIT, rows - at), partition) for at in range(0, rows, UNIT)]
    if not parts:
        raise InputError(f"{_shown(place)} holds no rows; give a table with people")
    own = {name: kind for name, kind in first.items() if name not in partitions[0]}
    return DataSet(tuple(parts), own | {name: _kind_of(name, partitions) for name in partitions[0]})


def _shown(place: object) -> str:
    return str(place) if isinstance(place, (str, Path)) else "the list"


def _files(place: str | Path) -> tuple[Path | None, list[Path]]:
    """Return the root of a folder, if it is one, and the files."""
    path = Path(place)
    if path.is_file():
        return None, [path]
    if path.is_dir():
        found = sorted(file for file in path.rglob("*.parquet") if file.is_file())
        return path, [f for f in found if not any(name[0] in "._" for name in f.relative_to(path).parts)]
    named = glob(str(place), recursive=True)  # noqa: PTH207 - a pattern may be absolute
    return None, sorted(Path(name) for name in named if name.endswith(".parquet"))


def _partition(path: Path) -> dict[str, str | None]:
    """Return what the names of folders say."""
    said = [name.partition("=") for name in path.parts[:-1]]
    return {unquote(key): None if value == NO_VALUE else unquote(value) for key, sign, value in said if sign}


def _kind_of(name: str, partitions: Sequence[Mapping[str, str | None]]) -> Any:  # noqa: ANN401 - a polars type
    """Return whole numbers where all values of a folder's name are such, else text."""
    values = pl.Series([one[name] for one in partitions], dtype=pl.String)
    return pl.Int64 if values.cast(pl.Int64, strict=False).null_count() == values.null_count() else pl.String


def _schema(file: Path) -> Schema:
    try:
        return dict(parquet_schema(file))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{file} cannot be read as Parquet ({str(error).splitlines()[0]}); leave it out") from None


def _same(first: Schema, schema: Schema, file: Path) -> None:
    if lacking := [name for name in first if name not in schema]:
        raise InputError(f"{file} has no column {lacking[0]}, which the first file has; the files are no one table")
    for name, kind in first.items():
        if _plain(schema[name]) != _plain(kind):
            text = f"{file}: {name} holds {schema[name]}, and {kind} in the first file"
            raise InputError(f"{text}; write all files with the same types")


Pair = tuple[str, ...]
"""The columns that are counted together."""


@dataclass(frozen=True)
class _Counting:
    """What every worker needs: the data set and the pairs to count."""

    data: DataSet
    pairs: Sequence[Pair]
    weight: str | None


def _count(counting: _Counting, part: FilePart) -> list[pl.DataFrame | str]:
    """Return the distinct rows of every pair of a part and how often they occur, or a column that has too many."""
    names = list(dict.fromkeys(name for pair in counting.pairs for name in pair))
    names += [] if counting.weight is None or counting.weight in names else [counting.weight]
    found: list[pl.DataFrame | str | None] = [None] * len(counting.pairs)
    for chunk in counting.data.chunks(part, names):
        for place, pair in enumerate(counting.pairs):
            before = found[place]
            if not isinstance(before, str):
                people = pl.len().cast(pl.Int64) if counting.weight is None else pl.col(counting.weight).sum()
                counts = chunk.group_by(pair).agg(people.alias(WEIGHT))
                found[place] = _together([counts] if before is None else [before, counts], pair)
    return [one if one is not None else "" for one in found]


def _together(counts: Iterable[pl.DataFrame], pair: Pair) -> pl.DataFrame | str:
    """Add counts up; the name of a column with too many distinct values where there is one."""
    whole = pl.concat(counts).group_by(pair).agg(pl.col(WEIGHT).sum())
    if whole.height > MAX_DISTINCT:
        for name in pair:
            if whole[name].n_unique() > MAX_DISTINCT:
                return name
    return whole


class _Counts:
    """The counts of all pairs; what is too large for memory lies in a folder, pair by pair."""

    def __init__(self, pairs: Sequence[Pair], folder: Path) -> None:
        self.pairs, self.folder = pairs, folder
        self.held: list[list[pl.DataFrame]] = [[] for _ in pairs]
        self.spilled: list[list[Path]] = [[] for _ in pairs]
        self.refused: dict[int, str] = {}

    def add(self, counts: Sequence[pl.DataFrame | str]) -> None:
        """Take the counts of a part."""
        for place, one in enumerate(counts):
            if isinstance(one, str):
                self.refused[place] = one
            elif place not in self.refused:
                self.held[place].append(one)
        if self._rows() > HELD:
            for place in range(len(self.pairs)):
                self._compact(place)
        if self._rows() > HELD // 2:
            for place in range(len(self.pairs)):
                self._spill(place)

    def _rows(self) -> int:
        return sum(frame.height for frames in self.held for frame in frames)

    def _compact(self, place: int) -> None:
        if len(self.held[place]) > 1:
            whole = _together(self.held[place], self.pairs[place])
            if isinstance(whole, str):
                self.refused[place], self.held[place] = whole, []
            else:
                self.held[place] = [whole]

    def _spill(self, place: int) -> None:
        for frame in self.held[place]:
            path = self.folder / f"{place}-{len(self.spilled[place])}.arrow"
            write_ipc(frame, path)
            self.spilled[place].append(path)
        self.held[place] = []

    def of(self, place: int) -> pl.DataFrame | str:
        """Return the counts of one pair, in the order of its values; the name of a column with too many of them."""
        pair = self.pairs[place]
        if place in self.refused:
            return self.refused[place]
        self._compact(place)
        for path in self.spilled[place]:
            self.held[place].append(read_ipc(path))
            self._compact(place)
        return self.refused[place] if place in self.refused else self.held[place][0].sort(pair)


def count_pairs(
    data: DataSet, pairs: Sequence[Pair], weight: str | None, jobs: int | None = None
) -> Iterator[pl.DataFrame | str]:
    """Yield the distinct rows of each pair, sorted, with `WEIGHT`; one pass over the files counts them all.

    A part is read by whoever counts it, and only counts travel. Memory holds a million rows a worker, and counts of
    four million distinct rows; it does not grow with the data.

    Parameters
    ----------
    data
        The files.
    pairs
        Columns that are counted together.
    weight
        A column that says how many people a row stands for.
    jobs
        As for `personax.engine.find_engine`.

    Yields
    ------
    polars.DataFrame or str
        In the order of the pairs; the name of a column that has more than two million distinct values.
    """
    with tempfile.TemporaryDirectory(prefix="personax-") as folder:
        counts = _Counts(pairs, Path(folder))
        engine = find_engine("processes", jobs)
        for _, found in engine.map(_count, data.parts, shared=_Counting(data, pairs, weight)):
            counts.add(found)
        for place in range(len(pairs)):
            yield counts.of(place)
