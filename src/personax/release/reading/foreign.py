"""Tables of another layout: Parquet, CSV and npz files that join by an index or, if lengths agree, by their rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.release.folder import Folder, arrays, frame, schema, shapes
from personax.release.reading.layouts import IDS, recognise
from personax.release.reading.placing import Place, Placer
from personax.release.reading.released import Source
from personax.schema import Column, Notice

__all__ = ["Foreign", "read_foreign"]

_PART = re.compile(r"-\d{5}-of-\d{5}$")
_SPLIT = re.compile(r"(^|[-_.])(train|test|validation|valid|val|dev)$")


@dataclass(frozen=True)
class _Table:
    """Files of one table: its cells, and which of its columns hold vectors of which length (0: not known yet)."""

    stem: str
    paths: tuple[Path, ...]
    cells: pl.DataFrame
    dims: Mapping[str, int]
    rows: int


@dataclass
class Foreign:
    """What was read: the layout's name, people, columns, where vectors lie, what was assumed."""

    layout: str
    people: pl.DataFrame
    columns: list[Column]
    sources: dict[str, dict[str, Source]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)


def read_foreign(folder: Folder, mapping: Mapping[str, str] | None) -> Foreign:
    """Read tables of a known layout, or of any with a mapping.

    Raises
    ------
    InputError
        No tables, columns that cannot be placed, files that do not join.
    """
    tables = _tables(folder)
    names = list(dict.fromkeys(name for one in tables for name in (*one.cells.columns, *one.dims)))
    placer = Placer(recognise(names), mapping or {})
    placed = [_placed(one, placer) for one in tables]
    placer.finish(names)
    # the table with most to say about people comes first, and its rows are the people
    order = sorted(range(len(tables)), key=lambda at: -sum(p.column is not None for p in placed[at].values()))
    first, its = tables[order[0]], placed[order[0]]
    layout = placer.layout.name if placer.layout is not None else "a mapping"
    read = Foreign(layout, *_people(first, its))
    if not any(place.role == "id" for place in its.values()):
        read.notices.append(Notice("The table of people has no id; their rows are numbered."))
    for at in order:
        _add(read, tables[at], placed[at], is_first=at == order[0])
    read.columns = [Column("id", "id", "nominal"), *read.columns]
    return read


def _tables(folder: Folder) -> list[_Table]:
    groups: dict[str, list[str]] = {}
    for name in folder.files:
        start, dot, ending = name.rpartition(".")
        if dot and ending in ("parquet", "csv"):
            groups.setdefault(_SPLIT.sub("", _PART.sub("", start)) + f".{ending}", []).append(name)
    tables = [_table(key, [folder.files[name] for name in names]) for key, names in groups.items()]
    tables += [_npz(folder.files[name]) for name in folder.files if name.endswith(".npz")]
    if not tables:
        raise InputError(f"{folder.root} holds no Parquet, CSV or npz file; give the folder of a release")
    return tables


def _table(key: str, paths: list[Path]) -> _Table:
    types = schema(paths[0])
    dims = {name: kind.size if isinstance(kind, pl.Array) else 0 for name, kind in types.items() if kind.is_nested()}
    cells = frame(paths, [name for name in types if name not in dims])
    rows = cells.height if cells.width else frame(paths, list(dims)[:1]).height
    dims = {name: size or _length(paths[0], name) for name, size in dims.items()}
    return _Table(Path(key).stem or Path(key).parent.name or "data", tuple(paths), cells, dims, rows)


def _length(path: Path, name: str) -> int:
    """Return the length of the first vector; that all have it is looked at when they are read."""
    found = pl.scan_parquet(path, glob=False).select(pl.col(name).drop_nulls().first().list.len()).collect().item()
    return int(found or 0)


def _npz(path: Path) -> _Table:
    found = shapes(path)
    dims = {n: shape[1] for n, (shape, dtype) in found.items() if len(shape) == 2 and np.issubdtype(dtype, np.number)}
    flat = [name for name, (shape, _) in found.items() if len(shape) == 1]
    left = sorted(set(found) - set(flat) - set(dims))
    if left:
        raise InputError(f"{path.name}: {', '.join(left)} are neither lists nor tables of numbers; take them out")
    lengths = {shape[0] for shape, _ in found.values()}
    if len(lengths) != 1:
        raise InputError(f"{path.name} holds arrays of {len(lengths)} different lengths; one row a person is needed")
    return _Table(path.stem, (path,), pl.DataFrame(arrays(path, flat)), dims, lengths.pop())


def _placed(table: _Table, placer: Placer) -> dict[str, Place]:
    columns = [*((series, None) for series in table.cells), *((pl.Series(n, []), d) for n, d in table.dims.items())]
    placed = {values.name: placer.place(values, table.stem, dim) for values, dim in columns}
    found = {name: place for name, place in placed.items() if place is not None}
    ids = [name for name, place in found.items() if place.role == "id"]
    for extra in sorted(ids, key=lambda name: IDS.index(name) if name in IDS else -1)[1:]:
        found[extra] = Place("leave")
    return found


def _people(table: _Table, its: Mapping[str, Place]) -> tuple[pl.DataFrame, list[Column]]:
    named = [name for name, place in its.items() if place.role == "id"]
    if named:
        ids = table.cells[named[0]].cast(pl.String)
        if ids.null_count() or ids.n_unique() < len(ids):
            raise InputError(f"{table.stem}: {named[0]!r} is missing or doubled for some people; map another id")
    else:
        ids = pl.Series("id", [f"{row:0{len(str(table.rows))}d}" for row in range(table.rows)], dtype=pl.String)
    return pl.DataFrame([ids.alias("id")]), []


def _add(read: Foreign, table: _Table, its: Mapping[str, Place], *, is_first: bool) -> None:
    """Join the cells of a table to the people and note where its vectors lie."""
    columns = [place.column for place in its.values() if place.column is not None]
    vectors = {name: place.modality for name, place in its.items() if place.role == "embedding"}
    if not columns and not vectors:
        return
    key = next((name for name, place in its.items() if place.role == "id"), None)
    by_key = key is not None and not is_first and _shares_ids(read.people["id"], table.cells[key].cast(pl.String))
    if not (is_first or by_key):
        if table.rows != read.people.height:
            raise InputError(
                f"{table.stem} has {table.rows:,} rows and no id of the {read.people.height:,} people; leave it out"
            )
        text = f"{table.stem} has no id of the people; its rows were taken to be in their order."
        read.notices.append(Notice(text))
    doubled = [column.name for column in columns if column.name in read.people.columns]
    if doubled:
        raise InputError(
            f"{', '.join(doubled)} stand in several tables; leave one out by mapping={{'<file>/<column>': 'leave'}}"
        )
    cells = table.cells.select(column.name for column in columns)
    if by_key and key is not None:
        keyed = cells.with_columns(table.cells[key].cast(pl.String).alias("id"))
        if keyed["id"].n_unique() < keyed.height:
            raise InputError(f"{table.stem}: ids stand more than once; one row a person is needed")
        read.people = read.people.join(keyed, on="id", how="left", maintain_order="left")
    else:
        read.people = read.people.hstack(cells)
    read.columns += columns
    for name, modality in vectors.items():
        own = read.sources.setdefault(modality, {})
        label = name if name not in own else f"{table.stem}/{name}"
        own[label] = Source(
            table.paths,
            name,
            key if by_key or (is_first and key) else None,
            read.people["id"],
            table.dims[name] or None,
        )


def _shares_ids(people: pl.Series, ids: pl.Series) -> bool:
    return bool(people.is_in(ids.implode()).any())
