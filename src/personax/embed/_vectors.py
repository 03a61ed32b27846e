"""Embeddings made elsewhere: read, checked, and put into the order of the people."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.frames import read_csv, read_parquet
from personax.errors import InputError

__all__ = ["in_order", "load_vectors", "read_vectors"]

BLOCK = 1024
"""Rows that are looked at together: of all of them the answers alone would take a quarter of their memory."""


def read_vectors(path: Path, people: Sequence[str], *, lacking: bool = False) -> NDArray[np.float32]:
    """Read one vector a person from an npz, Parquet or CSV file.

    Parameters
    ----------
    path
        ``npz``: arrays ``id`` and ``vectors`` (n, d). Parquet: ``id`` and one column of lists, or one column a
        dimension. CSV: ``id`` and one column a dimension.
    people
        Ids of the study, in order; every one must be in the file, others in the file are passed over.
    lacking
        People of whom there is no vector, or a null or a row of NaN, get a row of NaN; somebody must have one.

    Returns
    -------
    numpy.ndarray
        Shape (len(people), d).

    Raises
    ------
    InputError
        A missing file or id, doubled ids, vectors of different lengths, missing or infinite numbers.
    """
    ids, vectors = load_vectors(path)
    there = set(ids)
    absent = [identifier for identifier in people if identifier not in there]
    if absent and (not lacking or len(absent) == len(people)):
        raise InputError(f"{path} has no vector for {len(absent)} of {len(people)} people; the ids must be the study's")
    ordered = in_order(ids, vectors, people)
    broken = sum(_broken(ordered[start : start + BLOCK], lacking) for start in range(0, len(ordered), BLOCK))
    if broken:
        raise InputError(f"{path}: the vectors of {broken} people hold missing or infinite numbers; make them again")
    return ordered


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
        raise InputError(f"there is no file {path}; check the path")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return [str(value) for value in arrays["id"]], _short(np.atleast_2d(arrays["vectors"]))
        frame = read_parquet(path) if path.suffix == ".parquet" else read_csv(path)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} cannot be read as embeddings ({str(error).splitlines()[0]})") from None
    return _from_frame(path, frame)


def _short(x: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return an array in 32 bits, itself where it is."""
    return np.asarray(x, dtype=np.float32)


def _from_frame(path: Path, frame: pl.DataFrame) -> tuple[list[str], NDArray[np.float32]]:
    if "id" not in frame.columns or frame.width < 2:
        raise InputError(f"{path} needs a column id and the vectors beside it")
    values = frame.drop("id")
    try:
        if values.width == 1 and values.to_series().dtype.is_nested():
            vectors = _rows(values.to_series())
        else:
            vectors = values.cast(pl.Float32).to_numpy()
    except (ValueError, TypeError, pl.exceptions.PolarsError):
        raise InputError(f"{path}: the vectors must be numbers, all of one length") from None
    return frame["id"].cast(pl.String).to_list(), vectors


def _rows(lists: pl.Series) -> NDArray[np.float32]:
    """Return a column of lists as rows, by way of Arrow: a Python number takes eight times its four bytes.

    A null is a row of NaN.

    Raises
    ------
    ValueError, TypeError, polars.exceptions.PolarsError
        Lists of different lengths, or of something else than numbers.
    """
    there = lists.is_not_null()
    if lists.null_count() and there.any():
        found = _rows(lists.drop_nulls())
        every = np.full((len(lists), found.shape[1]), np.nan, np.float32)
        every[there.to_numpy()] = found
        return every
    if isinstance(lists.dtype, pl.List):
        lists = lists.list.to_array(int(lists.list.len().max() or 0))  # type: ignore[arg-type]
    assert isinstance(lists.dtype, pl.Array)
    rows = lists.cast(pl.Array(pl.Float32, lists.dtype.size)).to_numpy()
    if rows.ndim != 2:
        raise ValueError
    return np.ascontiguousarray(rows, dtype=np.float32)
