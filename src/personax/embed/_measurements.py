"""Measurements of several modalities for Level II: a folder of files, or one file that holds them all."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.arrays import (
    ID_NAMES,
    as_ids,
    float32_rows,
    id_name,
    map_npy,
    read_id_lines,
    read_npz_array,
    rows_of_lists,
)
from personax.data.frames import parquet_schema, read_parquet, scan_parquet
from personax.embed._vectors import in_order, load_vectors
from personax.errors import InputError
from personax.strict import nearest

__all__ = ["read_measurements"]

Vectors = NDArray[np.float32]
Views = dict[str, dict[str, Vectors]]

CHUNK_ROWS = 4096
"""People looked at together."""


def read_measurements(data: Path, wanted: Mapping[str, Mapping[str, str]]) -> tuple[list[str], Views]:
    """Read the vectors of every measurement, for the same people in the same order.

    Parameters
    ----------
    data
        A folder with one file a measurement, each with its ids (see `read_vectors`), or as npy, which is mapped into
        memory and may be larger than it, with ids in a file ``ids.txt`` of the folder, one a line, which one file
        alone may lack; an npz file with one array a measurement, shape (n, d), and, if there is one, an array ``id``
        (or ``ids``, here and below); or a Parquet file with one column
        of lists a measurement and a column ``id``, which is read in pieces, by way of a temporary file where it holds
        many people.
    wanted
        Modality -> measurement -> its file, array or column.

    Returns
    -------
    tuple
        Ids, from 1 where there are none, and modality -> measurement -> shape (n, d). Who lacks a measurement (in no
        row of its file, a null, or NaN alone) has a row of NaN.

    Raises
    ------
    InputError
        What is missing, unreadable, not about the same people, or not finite in part.
    """
    if data.is_dir():
        ids, arrays = _folder(data, wanted)
    elif data.is_file():
        ids, arrays = _file(data, wanted)
    else:
        raise InputError(f"there is no file or folder {data}")
    views = {m: {k: arrays[name] for k, name in by.items()} for m, by in wanted.items()}
    for m, by in views.items():
        for k, x in by.items():
            _check(f"{m}/{k}", x, len(ids))
    return ids, views


def _names(wanted: Mapping[str, Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for by in wanted.values() for name in by.values()))


def _folder(data: Path, wanted: Mapping[str, Mapping[str, str]]) -> tuple[list[str], dict[str, Vectors]]:
    """Read files that may hold their people in other orders; whom a file lacks has a row of NaN there."""
    names, found = _names(wanted), {}
    for name in names:
        npy = name.endswith(".npy")
        found[name] = _mapped(data, name, alone=len(names) == 1) if npy else load_vectors(data / name)
    people = list(dict.fromkeys(identifier for ids, _ in found.values() for identifier in ids))
    for name, (ids, _) in found.items():
        others = {identifier for other, (theirs, _) in found.items() if other != name for identifier in theirs}
        if others and others.isdisjoint(ids):
            raise InputError(f"{data / name} holds nobody whom another file holds; the ids must be the same everywhere")
    return people, {name: in_order(ids, x, people) for name, (ids, x) in found.items()}


def _mapped(data: Path, name: str, alone: bool) -> tuple[list[str], Vectors]:
    """Return ids and an array that is read from its file where it is used."""
    path, named = data / name, data / "ids.txt"
    x = map_npy(path)
    if x.dtype not in (np.float16, np.float32):
        x = float32_rows(name, x)
    if named.is_file():
        ids = read_id_lines(named)
    elif alone:
        ids = [str(i + 1) for i in range(len(x))]
    else:
        raise InputError(f"nothing says whose vectors {path} holds; write {named}, one id a line in the order of rows")
    if len(set(ids)) < len(ids):
        raise InputError(f"{named}: {len(ids) - len(set(ids))} ids stand more than once; one row a person is needed")
    if x.ndim != 2 or len(ids) != len(x):
        raise InputError(f"{path} has shape {x.shape} for {len(ids)} people; people by dimensions is needed")
    return ids, x


def _file(data: Path, wanted: Mapping[str, Mapping[str, str]]) -> tuple[list[str], dict[str, Vectors]]:
    names = _names(wanted)
    try:
        ids, arrays = _npz(data, names) if data.suffix == ".npz" else _parquet(data, names)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        raise InputError(f"{data} cannot be read as measurements ({str(error).splitlines()[0]})") from None
    if len(set(ids)) < len(ids):
        raise InputError(f"{data}: {len(ids) - len(set(ids))} ids stand more than once; one row a person is needed")
    return ids, arrays


def _npz(data: Path, names: list[str]) -> tuple[list[str], dict[str, Vectors]]:
    with np.load(data, allow_pickle=False) as archive:
        _has(data, names, list(archive.files))
        arrays = {name: float32_rows(name, read_npz_array(archive, name, data)) for name in names}
        named = id_name(archive.files)
        if named is not None:
            return as_ids(read_npz_array(archive, named, data), data), arrays
    lengths = {len(x) for x in arrays.values()}
    if len(lengths) > 1:
        raise InputError(f"{data}: the arrays have different numbers of people: {sorted(lengths)}")
    return [str(i + 1) for i in range(lengths.pop())], arrays


def _parquet(data: Path, names: list[str]) -> tuple[list[str], dict[str, Vectors]]:
    there = list(parquet_schema(data))
    named = id_name(there) or ID_NAMES[0]
    _has(data, [*names, named], there)
    ids = as_ids(read_parquet(data, columns=[named])[named], data)
    if not ids:
        raise InputError(f"{data} holds nobody")
    return ids, {name: _column(data, name, ids) for name in names}


def _column(data: Path, name: str, ids: list[str]) -> Vectors:
    """Return a column of lists; where people are many it lies in a file without a name, which goes with the array."""
    lazy, found = scan_parquet(data).select(name), np.zeros((0, 0), np.float32)
    for start in range(0, len(ids), CHUNK_ROWS):
        lists = lazy.slice(start, CHUNK_ROWS).collect()[name]
        part = float32_rows(name, rows_of_lists(lists, data, ids[start : start + CHUNK_ROWS]))
        if not found.shape[1]:
            found = _room(len(ids), part.shape[1])
            found[:start] = np.nan  # nobody before has one
        if part.shape[1] not in (0, found.shape[1]):
            text = f"{found.shape[1]} numbers for some and {part.shape[1]} for {ids[start]}"
            raise InputError(f"{data}: {name} has {text}; all need the same number")
        found[start : start + CHUNK_ROWS] = part if part.shape[1] else np.nan
    if not found.shape[1]:
        raise InputError(f"{data}: {name} holds the vectors of nobody; leave it out")
    return found


def _room(people: int, dims: int) -> Vectors:
    if people <= CHUNK_ROWS:
        return np.zeros((people, dims), np.float32)
    with tempfile.TemporaryFile() as file:
        file.truncate(max(1, people * dims * np.dtype(np.float32).itemsize))
        return np.memmap(file, np.float32, "r+", shape=(people, dims))


def _has(data: Path, names: list[str], there: list[str]) -> None:
    for name in names:
        if name not in there:
            raise InputError(f"{data} has no {name}; {nearest(name, there)}")


def _check(name: str, x: Vectors, people: int) -> None:
    if len(x) != people:
        raise InputError(f"{name} has {len(x)} rows and there are {people} ids; the same people are needed everywhere")
    broken = sum(_broken(x[i : i + CHUNK_ROWS]) for i in range(0, len(x), CHUNK_ROWS))
    if broken:
        raise InputError(f"{name}: the vectors of {broken} people hold missing or infinite numbers; make them again")


def _broken(x: Vectors) -> int:
    """Return how many vectors hold some numbers that are none; who lacks the measurement holds nothing else."""
    wrong = ~np.isfinite(x)
    return int((wrong.any(axis=1) & ~np.isnan(x).all(axis=1)).sum())
