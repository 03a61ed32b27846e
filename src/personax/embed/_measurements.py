"""Measurements of several modalities for Level II: a folder of files, or one file that holds them all."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.frames import parquet_schema, read_parquet, scan_parquet
from personax.embed._vectors import in_order, load_vectors
from personax.errors import InputError
from personax.strict import nearest

__all__ = ["read_measurements"]

Vectors = NDArray[np.float32]
Views = dict[str, dict[str, Vectors]]

FLOAT32_MAX = 3.0e38
"""Numbers beyond are infinite in 32 bits."""


CHUNK_ROWS = 4096
"""People looked at together."""


def read_measurements(data: Path, wanted: Mapping[str, Mapping[str, str]]) -> tuple[list[str], Views]:
    """Read the vectors of every measurement, for the same people in the same order.

    Parameters
    ----------
    data
        A folder with one file a measurement, each with its ids (see `read_vectors`), or as npy, which is mapped into
        memory and may be larger than it, with ids in a file ``ids.txt`` of the folder, one a line; an npz file with
        one array a measurement, shape (n, d), and, if there is one, an array ``id``; or a Parquet file with one column
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
    found = {}
    for name in _names(wanted):
        found[name] = _mapped(data, name) if name.endswith(".npy") else load_vectors(data / name)
    people = list(dict.fromkeys(identifier for ids, _ in found.values() for identifier in ids))
    for name, (ids, _) in found.items():
        others = {identifier for other, (theirs, _) in found.items() if other != name for identifier in theirs}
        if others and others.isdisjoint(ids):
            raise InputError(f"{data / name} holds nobody whom another file holds; the ids must be the same everywhere")
    return people, {name: in_order(ids, x, people) for name, (ids, x) in found.items()}


def _mapped(data: Path, name: str) -> tuple[list[str], Vectors]:
    """Return ids and an array that is read from its file where it is used."""
    path, named = data / name, data / "ids.txt"
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        x = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read as an array ({str(error).splitlines()[0]})") from None
    if x.dtype not in (np.float16, np.float32):
        x = _vectors(name, x)
    ids = named.read_text(encoding="utf-8").splitlines() if named.is_file() else [str(i + 1) for i in range(len(x))]
    if len(set(ids)) < len(ids):
        raise InputError(f"{named}: {len(ids) - len(set(ids))} ids stand more than once; one row a person is needed")
    if x.ndim != 2 or len(ids) != len(x):
        raise InputError(f"{path} has shape {x.shape} for {len(ids)} people; people by dimensions is needed")
    return ids, x


def _file(data: Path, wanted: Mapping[str, Mapping[str, str]]) -> tuple[list[str], dict[str, Vectors]]:
    names = _names(wanted)
    try:
        if data.suffix == ".npz":
            with np.load(data, allow_pickle=False) as archive:
                _has(data, names, list(archive.files))
                arrays = {name: _vectors(name, archive[name]) for name in names}
                ids = [str(value) for value in archive["id"]] if "id" in archive.files else None
        else:
            _has(data, [*names, "id"], list(parquet_schema(data)))
            ids = read_parquet(data, columns=["id"])["id"].cast(pl.String).to_list()
            if not ids:
                raise InputError(f"{data} holds nobody")
            arrays = {name: _column(data, name, len(ids)) for name in names}
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        raise InputError(f"{data} cannot be read as measurements ({str(error).splitlines()[0]})") from None
    if ids is None:
        lengths = {len(x) for x in arrays.values()}
        if len(lengths) > 1:
            raise InputError(f"{data}: the arrays have different numbers of people: {sorted(lengths)}")
        ids = [str(i + 1) for i in range(lengths.pop())]
    if len(set(ids)) < len(ids):
        raise InputError(f"{data}: {len(ids) - len(set(ids))} ids stand more than once; one row a person is needed")
    return ids, arrays


def _column(data: Path, name: str, people: int) -> Vectors:
    """Return a column of lists; where people are many it lies in a file without a name, which goes with the array."""
    lazy, found = scan_parquet(data).select(name), np.zeros((0, 0), np.float32)
    for start in range(0, people, CHUNK_ROWS):
        lists = lazy.slice(start, CHUNK_ROWS).collect()[name]
        part = _vectors(name, _rows(lists))
        if not found.shape[1]:
            found = _room(people, part.shape[1])
            found[:start] = np.nan  # nobody before has one
        found[start : start + CHUNK_ROWS] = part
    return found


def _rows(lists: pl.Series) -> NDArray[np.generic]:
    """Return lists as rows, NaN where there is none, or what is no list as it is."""
    there = lists.drop_nulls()
    if isinstance(there.dtype, pl.List):
        there = there.list.to_array(there.list.len().max() or 0)  # type: ignore[arg-type]
    x = there.to_numpy()
    if not lists.null_count() or x.ndim != 2 or not np.issubdtype(x.dtype, np.number):
        return x
    every = np.full((len(lists), x.shape[1]), np.nan, x.dtype if np.issubdtype(x.dtype, np.floating) else np.float64)
    every[lists.is_not_null().to_numpy()] = x
    return every


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


def _vectors(name: str, x: NDArray[np.generic]) -> Vectors:
    if x.ndim != 2 or not (np.issubdtype(x.dtype, np.number) or x.dtype == np.bool_):
        raise InputError(
            f"{name} must be a table of numbers, people by dimensions, and has shape {x.shape} of {x.dtype}"
        )
    wide = x.astype(np.float64) if x.dtype == np.float64 else x
    if np.issubdtype(wide.dtype, np.floating) and (np.abs(wide[np.isfinite(wide)]) > FLOAT32_MAX).any():
        raise InputError(f"{name} holds numbers beyond {FLOAT32_MAX:g}; rescale it")
    return wide.astype(np.float32)


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
