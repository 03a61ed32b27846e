"""Tables and arrays of another layout: files that join by an id or, if lengths agree, by their rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from personax.data.table import Table
from personax.errors import InputError
from personax.release._file_formats import TABLES, format_of, stem_of
from personax.release._untrusted_folder import UntrustedFolder
from personax.release._untrusted_tables import (
    array_shapes,
    as_ids,
    is_written_out,
    read_arrays,
    read_parts,
    read_schema,
    to_fixed_length,
)
from personax.release.reading._column_mapping import LEAVE, ColumnMapper, MappedColumn
from personax.release.reading._known_layouts import IDS, recognise
from personax.release.reading._released import VectorSource
from personax.schema import Column, Notice

__all__ = ["Foreign", "ForeignTable", "TableError", "grouped", "is_unknown", "read_foreign", "read_table"]

_PART = re.compile(r"-\d{5}-of-\d{5}$")
_SPLIT = re.compile(r"(^|(?<=/)|[-_.])(train|test|validation|valid|val|dev)$")
_SPLIT_FOLDER = re.compile(r"(^|/)(train|test|validation|valid|val|dev)/")

_ABOUT = {
    "columns.json", "audit.json", "protection.json", "transforms.json", "croissant.json", "dataset_info.json",
    "dataset_infos.json", "dataset_dict.json", "state.json", "metadata_schema.json",
}  # fmt: skip
"""JSON files of metadata."""


_TEXTS = (".md", ".cff", ".rst", ".pdf", ".html", ".json", ".yaml", ".yml", ".toml")
_TEXT_NAMES = {
    "SHA256SUMS", "LICENSE", "LICENCE", "README", "NOTICE", "CITATION", "CHANGELOG", "TERMS", "USAGE", "REQUIREMENTS",
}  # fmt: skip


class TableError(InputError):
    """A table that cannot be used with the others; ``files`` are its files."""

    def __init__(self, table: ForeignTable, text: str) -> None:
        super().__init__(text)
        self.files = tuple(table.files)


@dataclass(frozen=True)
class ForeignTable:
    """Files of one table: its cells, and which of its columns hold vectors of which length (0: not known yet).

    ``spread`` names the columns of vectors that stand in one column a number; ``lacking`` says which part lacks what.
    """

    stem: str
    files: tuple[str, ...]
    paths: tuple[Path, ...]
    cells: pl.DataFrame
    dims: Mapping[str, int]
    rows: int
    spread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()


@dataclass
class Foreign:
    """What was read: the layout's name, the people, where vectors lie, what was assumed."""

    layout: str
    table: Table
    sources: dict[str, dict[str, VectorSource]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    @property
    def people(self) -> pl.DataFrame:
        """The people, one row each."""
        return self.table.frame


def read_foreign(folder: UntrustedFolder, mapping: Mapping[str, str] | None) -> Foreign:
    """Read tables of a known layout, or of any with a mapping.

    Raises
    ------
    InputError
        No tables, columns that cannot be placed, files that do not join.
    """
    mapping = mapping or {}
    groups = grouped(folder, mapping)
    if not groups:
        raise InputError(f"{folder.root} holds no table and no array (Parquet, CSV, JSON, Arrow, npy, npz); check it")
    tables = [read_table(folder, names, mapping) for names in groups]
    names = list(dict.fromkeys(name for one in tables for name in (*one.cells.columns, *one.dims)))
    placer = ColumnMapper(recognise(names), mapping)
    placed = [_placed(one, placer) for one in tables]
    placer.finish(names)
    read = _joined(tables, placed, placer)
    read.notices += [Notice(text) for one in tables for text in one.lacking]
    read.notices += _left_out(folder, mapping, placed)
    return read


def _left_out(
    folder: UntrustedFolder, mapping: Mapping[str, str], placed: Sequence[Mapping[str, MappedColumn]]
) -> list[Notice]:
    """Say how many files and columns are not read."""
    files = sum(mapping.get(name) == LEAVE or is_unknown(name) for name in folder.files)
    columns = sum(place.role == LEAVE for its in placed for place in its.values())
    counted = {"Files of the release that are left out.": files, "Columns of the release that are left out.": columns}
    return [Notice(text, number) for text, number in counted.items() if number]


def is_unknown(name: str) -> bool:
    """Say whether a file is of a kind that is not read; texts about a data set are no such files.

    Examples
    --------
    >>> is_unknown("model.pkl"), is_unknown("README.md"), is_unknown("LICENSE"), is_unknown("x.csv.gz")
    (True, False, False, False)
    """
    last = name.rpartition("/")[2]
    about = last.lower().endswith(_TEXTS) or last.partition(".")[0].upper() in _TEXT_NAMES or last.startswith(".")
    return format_of(name) is None and not about


def grouped(folder: UntrustedFolder, mapping: Mapping[str, str]) -> list[list[str]]:
    """Return the files of each table or array, parts and splits together, without files that the mapping leaves."""
    groups: dict[str, list[str]] = {}
    for name in folder.files:
        kind = format_of(name)
        if kind is None or mapping.get(name) == LEAVE or name.rpartition("/")[2] in _ABOUT:
            continue
        at = name.rpartition("/")[0]
        start = f"{at}/{stem_of(name)}"
        if kind in TABLES:
            start = _SPLIT.sub("", _PART.sub("", _SPLIT_FOLDER.sub(r"\1", start)))
        groups.setdefault(f"{start}.{kind}", []).append(name)
    return list(groups.values())


def read_table(folder: UntrustedFolder, names: Sequence[str], mapping: Mapping[str, str]) -> ForeignTable:
    """Read the cells of the files of one table; of vectors only the length.

    Raises
    ------
    InputError
        They cannot be read.
    """
    paths = [folder.files[name] for name in names]
    if format_of(names[0]) in ("npy", "npz"):
        return _arrays(names[0], paths[0])
    stem = stem_of(names[0])
    stem = _SPLIT.sub("", _PART.sub("", stem)) or names[0].rpartition("/")[0].rpartition("/")[2] or "data"
    left = {key.rpartition("/")[2] for key, word in mapping.items() if word == LEAVE and "/" not in key}
    left |= {key.partition("/")[2] for key, word in mapping.items() if word == LEAVE and key.startswith(f"{stem}/")}
    types, lacking = _types(paths, left)
    dims = {name: kind.size if isinstance(kind, pl.Array) else 0 for name, kind in types.items() if kind.is_nested()}
    cells = read_parts(paths, [name for name in types if name not in dims])
    rows = cells.height if cells.width or not dims else read_parts(paths, list(dims)[:1]).height
    dims = {name: size or _length(paths, name) for name, size in dims.items()}
    for text in [values for values in cells if is_written_out(values)]:
        dims[text.name] = to_fixed_length(text.drop_nulls().head(1), paths[0]).dtype.size  # type: ignore[attr-defined]
        cells = cells.drop(text.name)
    spread = _spread(cells, {key.removeprefix(f"{stem}/") for key in mapping}, taken={*cells.columns, *dims})
    cells = cells.drop(column for columns in spread.values() for column in columns)
    dims |= {name: len(columns) for name, columns in spread.items()}
    return ForeignTable(stem, tuple(names), tuple(paths), cells, dims, rows, spread, lacking)


def _types(paths: Sequence[Path], left: Collection[str]) -> tuple[dict[str, pl.DataType], tuple[str, ...]]:
    """Return the columns of all parts of a table, and which part lacks which."""
    parts = [read_schema(path, leave=left) for path in paths]
    types: dict[str, pl.DataType] = {}
    for part in parts:
        types |= {name: kind for name, kind in part.items() if name not in types}
    lacking = []
    for path, part in zip(paths, parts, strict=True):
        if absent := [name for name in types if name not in part]:
            lacking.append(
                f"{path.name} lacks {', '.join(absent)}, which other parts have; its people have none there."
            )
    return types, tuple(lacking)


_NUMBERED = re.compile(r"(.*?)[-_. ]?(\d+)")
_SPREAD = re.compile(r"(^|[^a-z])(emb|embed|embedding|vec|vector|dim|feat)s?$", re.IGNORECASE)


def _spread(cells: pl.DataFrame, mapped: Collection[str], *, taken: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return vector -> its columns, for runs such as emb_0 ... emb_767 that the mapping does not name."""
    runs: dict[str, dict[int, str]] = {}
    for values in cells:
        match = _NUMBERED.fullmatch(values.name)
        if match and values.dtype.is_float() and values.name not in mapped:
            runs.setdefault(match[1], {})[int(match[2])] = values.name
    found = {}
    for start, run in runs.items():
        first = min(run)
        whole = first in (0, 1) and sorted(run) == list(range(first, first + len(run)))
        if whole and len(run) >= (8 if _SPREAD.search(start) else 16) and (not start or _SPREAD.search(start)):
            found[start if start and start not in taken else "vectors"] = tuple(run[at] for at in sorted(run))
    return found


def _length(paths: Sequence[Path], name: str) -> int:
    """Return the length of the first vector; the others are checked when they are read."""
    lengths = read_parts(paths, [name])[name].drop_nulls().list.len()
    found = lengths.filter(lengths > 0).head(1)
    return int(found[0]) if len(found) else 0


def _arrays(name: str, path: Path) -> ForeignTable:
    found = array_shapes(path)
    dims = {n: shape[1] for n, (shape, dtype) in found.items() if len(shape) == 2 and _are_numbers(dtype)}
    flat = [
        name
        for name, (shape, dtype) in found.items()
        if len(shape) == 1 and (_are_numbers(dtype) or dtype.kind in "US")
    ]
    left = sorted(set(found) - set(flat) - set(dims))
    if left:
        raise InputError(f"{path.name}: {', '.join(left)} are neither lists nor tables of numbers; take them out")
    lengths = {shape[0] for shape, _ in found.values()}
    if len(lengths) != 1:
        raise InputError(f"{path.name} holds arrays of {len(lengths)} different lengths; one row a person is needed")
    cells = {
        n: values.astype(str) if values.dtype.kind == "S" else values for n, values in read_arrays(path, flat).items()
    }
    return ForeignTable(stem_of(name), (name,), (path,), pl.DataFrame(cells), dims, lengths.pop())


def _are_numbers(dtype: np.dtype[np.generic]) -> bool:
    return dtype.kind in "biuf"


def _placed(table: ForeignTable, placer: ColumnMapper) -> dict[str, MappedColumn]:
    columns = [*((series, None) for series in table.cells), *((pl.Series(n, []), d) for n, d in table.dims.items())]
    placed = {values.name: placer.place(values, table.stem, dim) for values, dim in columns}
    found = {name: place for name, place in placed.items() if place is not None}
    ids = [name for name, place in found.items() if place.role == "id"]
    for extra in sorted(ids, key=lambda name: IDS.index(name) if name in IDS else -1)[1:]:
        found[extra] = MappedColumn(LEAVE)
    return found


def _joined(
    tables: Sequence[ForeignTable], placed: Sequence[Mapping[str, MappedColumn]], placer: ColumnMapper
) -> Foreign:
    """Join the tables; the one with most to say about people comes first, and its rows are the people."""
    order = sorted(range(len(tables)), key=lambda at: -sum(p.column is not None for p in placed[at].values()))
    first, key = tables[order[0]], _key(placed[order[0]])
    layout = placer.layout.name if placer.layout is not None else "a mapping"
    read = Foreign(layout, Table(_people(first, key), [Column("id", "id", "nominal")]))
    if key is None:
        read.notices.append(Notice("The table of people has no id; their rows are numbered."))
    listed = _listed_ids(tables, placed)
    for at in order:
        table, its = tables[at], placed[at]
        if not any(place.column is not None or place.role == "embedding" for place in its.values()):
            continue
        own = read.people["id"] if at == order[0] else _rows(read, table, its, key, listed)
        _add(read, table, its, own)
    return read


def _key(its: Mapping[str, MappedColumn]) -> str | None:
    return next((name for name, place in its.items() if place.role == "id"), None)


def _people(table: ForeignTable, key: str | None) -> pl.DataFrame:
    if key is None:
        ids = pl.Series("id", [f"{row:0{len(str(table.rows))}d}" for row in range(table.rows)], dtype=pl.String)
        return ids.to_frame()
    ids = as_ids(table.cells[key])
    if ids.null_count() or ids.n_unique() < len(ids):
        raise TableError(table, f"{table.stem}: {key!r} is missing or doubled for some people; map another id")
    return ids.alias("id").to_frame()


def _listed_ids(tables: Sequence[ForeignTable], placed: Sequence[Mapping[str, MappedColumn]]) -> dict[str, pl.Series]:
    """Return folder -> the ids that an array in it lists for the rows of its other arrays."""
    return {
        _within(table): as_ids(table.cells[key]).alias("id")
        for table, its in zip(tables, placed, strict=True)
        if format_of(table.files[0]) == "npy" and (key := _key(its)) is not None
    }


def _within(table: ForeignTable) -> str:
    return table.files[0].rpartition("/")[0]


def _rows(
    read: Foreign,
    table: ForeignTable,
    its: Mapping[str, MappedColumn],
    people_key: str | None,
    listed: Mapping[str, pl.Series],
) -> pl.Series:
    """Return the id of the person in each row of a table.

    Raises
    ------
    TableError
        It does not join the people.
    """
    key = _key(its)
    if key is not None and people_key is not None:
        ids = as_ids(table.cells[key]).alias("id")
        if _shared(read, table, ids):
            return ids
        if not _numbers_rows(table.cells[key]):
            raise TableError(
                table,
                f"{table.stem}: no {key!r} is the id of a person; map the column that holds the ids, or leave it out",
            )
    beside = listed.get(_within(table)) if key is None and format_of(table.files[0]) == "npy" else None
    if beside is not None and len(beside) == table.rows and _shared(read, table, beside):
        return beside
    if table.rows != read.people.height:
        raise TableError(
            table, f"{table.stem} has {table.rows:,} rows and no id of the {read.people.height:,} people; leave it out"
        )
    text = f"{table.stem} has no id of the people; its rows were taken to be in their order."
    read.notices.append(Notice(text))
    return read.people["id"]


def _shared(read: Foreign, table: ForeignTable, ids: pl.Series) -> bool:
    """Say whether some ids are those of people, and note how many are not."""
    if ids.null_count() or ids.n_unique() < len(ids):
        raise TableError(table, f"{table.stem}: ids are missing or stand more than once; one row a person is needed")
    shared = int(ids.is_in(read.people["id"].implode()).sum())
    if not shared:
        return False
    if lacking := read.people.height - shared:
        read.notices.append(Notice(f"{table.stem}: people without a row.", lacking))
    if strangers := len(ids) - shared:
        read.notices.append(Notice(f"{table.stem}: rows whose id is that of nobody; they are left out.", strangers))
    return True


def _numbers_rows(values: pl.Series) -> bool:
    """Say whether these ids only number the rows, as pandas does."""
    if not values.dtype.is_integer() or values.null_count() or values.is_empty():
        return False
    start = int(values[0])
    return start in (0, 1) and bool((values == pl.int_range(start, start + len(values), eager=True)).all())


def _add(read: Foreign, table: ForeignTable, its: Mapping[str, MappedColumn], rows: pl.Series) -> None:
    """Join the cells of a table to the people and note where its vectors lie; ``rows`` are the ids of its rows."""
    columns = [place.column for place in its.values() if place.column is not None]
    doubled = [column.name for column in columns if column.name in read.people.columns]
    if doubled:
        whole = len(doubled) == len(columns)
        where = f"{table.files[0]!r}: 'leave'" if whole else f"'{table.stem}/<column>': 'leave'"
        raise TableError(
            table, f"{table.stem}: {', '.join(doubled)} stand in several tables; leave one out by mapping={{{where}}}"
        )
    if columns:
        keyed = table.cells.select(column.name for column in columns).insert_column(0, rows.alias("id"))
        read.table = read.table.join(Table(keyed, [read.table.column("id"), *columns]))
    for name, place in its.items():
        if place.role == "embedding":
            _add_vectors(
                read, table, name, place.modality, _key(its) if not rows.equals(read.people["id"]) else None, rows
            )


def _add_vectors(
    read: Foreign, table: ForeignTable, name: str, modality: str, key: str | None, rows: pl.Series
) -> None:
    own = read.sources.setdefault(modality, {})
    label = name
    if name in own:
        # an array is called as its file is
        label = table.files[0].rpartition(".npy")[0] if name == table.stem else f"{table.stem}/{name}"
        read.notices.append(Notice(f"Two {modality} embeddings are called {name}; the second is called {label} here."))
    if label in own:
        raise TableError(table, f"{table.files[0]}: {modality} has another embedding called {name}; rename one file")
    own[label] = VectorSource(table.paths, name, key, rows, table.dims[name] or None, table.spread.get(name, ()))
