"""Arrays and ids as people save them: what they are read as, and what is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.dialect import decode
from personax.errors import InputError

__all__ = [
    "FLOAT32_MAX",
    "ID_NAMES",
    "INDEX_NAMES",
    "as_ids",
    "float32_rows",
    "id_name",
    "map_npy",
    "read_id_lines",
    "read_npz",
    "read_npz_array",
    "rows_of_lists",
]

ID_NAMES = ("id", "ids")
"""What an array or column of ids may be called."""

FLOAT32_MAX = 3.0e38
"""Numbers beyond are infinite in 32 bits."""

INDEX_NAMES = frozenset({"", "__index_level_0__", "Unnamed: 0"})
"""What pandas calls the numbers of rows that it writes beside the columns."""


def id_name(there: Sequence[str]) -> str | None:
    """Return what the ids are called among some names, ``id`` before ``ids``; None where there are none."""
    return next((name for name in ID_NAMES if name in there), None)


def as_ids(values: NDArray[Any] | pl.Series, where: object) -> list[str]:
    """Return ids as texts.

    Parameters
    ----------
    values
        One a person. Whole numbers that are held as decimals, as pandas holds them once one is missing, are written
        without decimals.
    where
        Of what, for errors.

    Raises
    ------
    InputError
        A missing or empty id, decimals, something else than one text or number a person.

    Examples
    --------
    >>> as_ids(np.array([7.0, 8.0]), "people.npz")
    ['7', '8']
    """
    column = _column(values, where)
    if column.dtype.is_float():
        column = _whole(column, where)
    if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary, pl.Boolean):
        raise InputError(f"{where}: the ids are {column.dtype}; a text or a whole number a person is needed")
    ids = [value if value is None else value.removeprefix("\ufeff") for value in column.cast(pl.String).to_list()]
    without = [row for row, value in enumerate(ids, 1) if value is None or not value.strip()]
    if without:
        raise InputError(f"{where}: {len(without)} people have no id (the first in row {without[0]}); give them one")
    return [value for value in ids if value is not None]


def _column(values: NDArray[Any] | pl.Series, where: object) -> pl.Series:
    if isinstance(values, pl.Series):
        return values
    if values.ndim != 1 or values.dtype.kind not in "iufUSM":
        raise InputError(
            f"{where}: the ids have shape {values.shape} of {values.dtype}; a text or a whole number a person is needed"
        )
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    return pl.Series(values.astype(np.float32) if values.dtype == np.float16 else values)


def _whole(column: pl.Series, where: object) -> pl.Series:
    """Return decimals as the whole numbers they are; NaN is none."""
    known = column.fill_nan(None)
    if not known.is_infinite().any() and (known.drop_nulls() == known.drop_nulls().floor()).all():
        return known.cast(pl.Int64)
    raise InputError(f"{where}: the ids are numbers with decimals; a text or a whole number a person is needed")


def read_id_lines(path: Path) -> list[str]:
    """Read a file of ids, one a line, in whatever encoding an editor left it.

    Raises
    ------
    InputError
        A line without an id, or bytes that are no text.
    """
    try:
        text = decode(path.read_bytes())[0]
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text; write one id a line in UTF-8") from None
    return as_ids(pl.Series(text.splitlines(), dtype=pl.String), path)


def read_npz(path: Path, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return arrays of an npz file, or all of them; nothing is unpickled.

    Raises
    ------
    InputError
        An array that holds Python objects.
    KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile
        What numpy says of a file that is none.
    """
    with np.load(path, allow_pickle=False) as archive:
        return {name: read_npz_array(archive, name, path) for name in archive.files if names is None or name in names}


def read_npz_array(archive: Mapping[str, NDArray[Any]], name: str, path: Path) -> NDArray[Any]:
    """Return one array of an open npz file; see `read_npz`."""
    try:
        return archive[name]
    except ValueError as error:
        raise _objects(path, name) if "pickle" in str(error) else error from None


def map_npy(path: Path) -> NDArray[Any]:
    """Return the array of an npy file, which is read where it is used.

    Raises
    ------
    InputError
        There is no such file, it is none, or it holds Python objects.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        if "objects" in str(error):
            raise _objects(path, "it") from None
        raise InputError(f"{path} cannot be read as an array ({str(error).splitlines()[0]})") from None
    return found


def _objects(path: Path, name: str) -> InputError:
    return InputError(
        f"{path}: {name} holds Python objects, which are not read; save numbers by "
        "np.asarray(x, dtype=np.float32), of one length a person, and ids by np.asarray(ids, dtype=str)"
    )


def float32_rows(name: object, x: NDArray[Any]) -> NDArray[np.float32]:
    """Return a table of numbers, people by dimensions, in 32 bits; itself where it is.

    Raises
    ------
    InputError
        Another shape, texts, complex numbers, dates, numbers that are infinite in 32 bits.
    """
    if x.ndim != 2 or x.dtype.kind not in "iufb":
        more = "; take real and imaginary parts apart" if x.dtype.kind == "c" else ""
        raise InputError(
            f"{name} must be a table of numbers, people by dimensions, and has shape {x.shape} of {x.dtype}{more}"
        )
    if x.dtype.itemsize > 4 and x.dtype.kind == "f" and (np.abs(x[np.isfinite(x)]) > FLOAT32_MAX).any():
        raise InputError(f"{name} holds numbers beyond {FLOAT32_MAX:g}; rescale it")
    return np.asarray(x, dtype=np.float32)


def rows_of_lists(lists: pl.Series, where: object, ids: Sequence[str]) -> NDArray[Any]:
    """Return a column of lists as rows, by way of Arrow: a Python number takes eight times its four bytes.

    Parameters
    ----------
    lists
        A null says that a person has none, and is a row of NaN.
    where, ids
        The file and whose lists they are, for errors.

    Raises
    ------
    InputError
        Something else than lists of numbers, or lists of different lengths.
    """
    inner = lists.dtype.inner if isinstance(lists.dtype, pl.List | pl.Array) else None
    if inner is None or not (inner.is_numeric() or inner in (pl.Boolean, pl.Null)):
        raise InputError(f"{where}: the column {lists.name} must be lists of numbers and is {lists.dtype}")
    there = lists.drop_nulls()
    if isinstance(there.dtype, pl.List):
        there = there.list.to_array(_common_length(lists, where, ids))
    assert isinstance(there.dtype, pl.Array)
    x = there.cast(pl.Array(pl.Float64 if there.dtype.inner == pl.Float64 else pl.Float32, there.dtype.size)).to_numpy()
    if not lists.null_count():
        return x
    every = np.full((len(lists), there.dtype.size), np.nan, x.dtype)
    every[lists.is_not_null().to_numpy()] = x
    return every


def _common_length(lists: pl.Series, where: object, ids: Sequence[str]) -> int:
    """Return how many numbers every list has."""
    lengths = lists.list.len().fill_null(-1).to_numpy()
    held, times = np.unique(lengths[lengths >= 0], return_counts=True)
    if not len(held):
        return 0
    usual = int(held[::-1][np.argmax(times[::-1])])  # of lengths as frequent as one another the largest
    other = np.flatnonzero((lengths >= 0) & (lengths != usual))
    if len(other):
        raise InputError(
            f"{where}: {lists.name} has {lengths[other[0]]} numbers for {ids[other[0]]} and {usual} for most; all need "
            f"the same number, and who has no vector a null ({len(other)} people differ)"
        )
    return usual
