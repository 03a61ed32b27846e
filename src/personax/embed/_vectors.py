"""Embeddings made elsewhere: read, checked, and put into the order of the people."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.arrays import (
    ID_NAMES,
    INDEX_NAMES,
    as_ids,
    float32_rows,
    id_name,
    read_npz_array,
    rows_of_lists,
)
from personax.data.frames import read_csv, read_parquet
from personax.errors import InputError
from personax.strict import nearest

__all__ = ["in_order", "load_vectors", "read_vectors"]

BLOCK = 1024
"""Rows that are looked at together: of all of them the answers alone would take a quarter of their memory."""


def read_vectors(
    path: Path, people: Sequence[str], *, lacking: bool = False, others: pl.DataFrame | None = None
) -> NDArray[np.float32]:
    """Read one vector a person from an npz, Parquet or CSV file.

    Parameters
    ----------
    path
        ``npz``: arrays ``id`` and ``vectors`` (n, d). Parquet: ``id`` and one column of lists, or one column a
        dimension. CSV: ``id`` and one column a dimension. ``ids`` is read as ``id``, and the only other array of an
        npz as ``vectors``; numbers of rows that pandas wrote are passed over.
    people
        Ids of the study, in order; every one must be in the file, others in the file are passed over.
    lacking
        People of whom there is no vector, or a null or a row of NaN, get a row of NaN; somebody must have one.
    others
        Further columns of the people, which the ids of the file may be: one that is, is named where the ids are not
        the study's, and asked about where the study's are no more than numbers of rows.

    Returns
    -------
    numpy.ndarray
        Shape (len(people), d).

    Raises
    ------
    InputError
        A missing file or id, doubled ids, vectors of different lengths, missing or infinite numbers; ids that are as
        well those of another column.
    """
    ids, vectors = load_vectors(path)
    there = set(ids)
    absent = [identifier for identifier in people if identifier not in there]
    if absent and (not lacking or len(absent) == len(people)):
        held = _held_by(ids, people, others)
        cure = f", and {held} holds those of the file: say columns: {{id: {{from: {held}}}}}" if held else ""
        raise InputError(
            f"{path} has no vector for {len(absent)} of {len(people)} people; the ids must be the study's{cure}"
        )
    if list(people) == [str(row) for row in range(1, len(people) + 1)] and (held := _held_by(ids, people, others)):
        raise InputError(
            f"{path}: its ids are numbers of rows, as the study's, and those of {held} too, in another order; say "
            f"columns: {{id: {{from: {held}}}}} if they are these, else give the table a column id"
        )
    ordered = in_order(ids, vectors, people)
    broken = sum(_broken(ordered[start : start + BLOCK], lacking) for start in range(0, len(ordered), BLOCK))
    if broken:
        raise InputError(f"{path}: the vectors of {broken} people hold missing or infinite numbers; make them again")
    return ordered


def _held_by(ids: Sequence[str], people: Sequence[str], others: pl.DataFrame | None) -> str | None:
    """Return a column that holds every id of a file once, people in another order; None where none does."""
    for column in [] if others is None else others:
        values = column.cast(pl.String, strict=False).to_list()
        if len(set(values)) == len(values) and values != list(people) and set(ids) <= set(values):
            return column.name
    return None


def _broken(rows: NDArray[np.float32], lacking: bool) -> int:
    """Return how many rows hold missing or infinite numbers; those of nothing else are none where they may lack."""
    damaged = ~np.isfinite(rows).all(axis=1)
    return int((damaged & ~np.isnan(rows).all(axis=1) if lacking else damaged).sum())


def in_order(ids: Sequence[str], vectors: NDArray[np.float32], people: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors of people, shape (len(people), d); rows of NaN of those who have none."""
    if list(ids) == list(people):
        return vectors
    place = {identifier: row for row, identifier in enumerate(ids)}
    at = np.array([place.get(identifier, -1) for identifier in people])
    found = vectors[at]
    found[at < 0] = np.nan
    return np.asarray(found, dtype=np.float32)


def load_vectors(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Return the ids of a file that `read_vectors` reads, each once, and their vectors, in its own order."""
    ids, vectors = _read(path)
    if len(set(ids)) < len(ids):
        raise InputError(f"{path}: {len(ids) - len(set(ids))} ids stand more than once; one vector a person is needed")
    return ids, vectors


def _read(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    if not path.is_file():
        beside = sorted(one.name for one in path.parent.iterdir() if one.is_file()) if path.parent.is_dir() else []
        told = nearest(path.name, beside) if beside else "check the path"
        raise InputError(f"there is no file {path}; {told}")
    try:
        if path.suffix == ".npz":
            return _from_npz(path)
        frame = read_parquet(path) if path.suffix == ".parquet" else read_csv(path)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} cannot be read as embeddings ({str(error).splitlines()[0]})") from None
    return _from_frame(path, frame)


def _from_npz(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    with np.load(path, allow_pickle=False) as archive:
        there = list(archive.files)
        named = id_name(there)
        vectors = [name for name in there if name not in ID_NAMES]
        if named is None or not ("vectors" in vectors or len(vectors) == 1):
            raise InputError(f"{path} needs an array id and an array vectors, and holds {', '.join(there) or 'none'}")
        chosen = "vectors" if "vectors" in vectors else vectors[0]
        ids = as_ids(read_npz_array(archive, named, path), path)
        x = float32_rows(f"{path}: {chosen}", np.atleast_2d(read_npz_array(archive, chosen, path)))
    if len(ids) != len(x):
        raise InputError(f"{path} holds {len(ids)} ids and {len(x)} vectors; one vector a person is needed")
    return ids, x


def _from_frame(path: Path, frame: pl.DataFrame) -> tuple[list[str], NDArray[np.float32]]:
    named = id_name(frame.columns)
    values = frame.drop([name for name in frame.columns if name == named or name in INDEX_NAMES])
    if named is None or not values.width:
        raise InputError(
            f"{path} needs a column id and the vectors beside it, and holds {', '.join(frame.columns[:8]) or 'none'}"
        )
    ids = as_ids(frame[named], path)
    if values.width == 1 and values.to_series().dtype.is_nested():
        return ids, float32_rows(f"{path}: {values.columns[0]}", rows_of_lists(values.to_series(), path, ids))
    wide = pl.Float64 if pl.Float64 in values.dtypes else pl.Float32
    return ids, float32_rows(path, pl.DataFrame([_numbers(path, column, wide) for column in values]).to_numpy())


def _numbers(path: Path, column: pl.Series, wide: type[pl.Float32 | pl.Float64]) -> pl.Series:
    if not (column.dtype.is_temporal() or column.dtype.is_nested()):
        with suppress(pl.exceptions.PolarsError):
            return column.cast(wide)
    raise InputError(
        f"{path}: the vectors must be numbers, and the column {column.name} is {column.dtype}; leave it out"
    )
