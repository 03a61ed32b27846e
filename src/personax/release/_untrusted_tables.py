"""Untrusted tables and arrays: read within bounds, plain values only, never unpickled."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError
from personax.release._file_formats import format_of, read_bytes, read_whole, scan_lazily, stem_of
from personax.release._untrusted_folder import MAX_BYTES

__all__ = [
    "NestedError",
    "array_shapes",
    "as_ids",
    "is_written_out",
    "read_arrays",
    "read_frame",
    "read_parts",
    "read_schema",
    "to_fixed_length",
]

MAX_CELLS = 2**33
"""Of a table, a vector counted with its length."""

FREE_CELLS, CELLS_PER_BYTE = 2**27, 64
"""Cells, 1 GiB of numbers, that any file may have; a larger one no more than so many a byte: zeros pack without end."""

UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, OverflowError, MemoryError, RuntimeError, zlib.error, zipfile.BadZipFile,
    pl.exceptions.PolarsError, pl.exceptions.PanicException,
)  # fmt: skip
"""What readers raise on bytes that are no such file."""

_POINTER = b"version https://git-lfs.github.com/spec/"

_NOTHING = "\0"

Schema = Mapping[str, pl.DataType]


class NestedError(InputError):
    """Columns that hold other things than numbers, texts, dates and vectors; ``columns`` names them."""

    def __init__(self, path: Path, columns: Sequence[str], text: str = "") -> None:
        names = ", ".join(columns)
        text = text or "hold nested or binary things; a release has numbers, texts and vectors"
        super().__init__(f"{path.name}: {names} {text}")
        self.columns = tuple(columns)


def read_schema(path: Path, *, leave: Collection[str] = ()) -> Schema:
    """Return the columns of a table and their types, without reading the rows of a Parquet or Arrow file.

    Columns in ``leave`` are neither looked at nor returned.

    Raises
    ------
    InputError
        It cannot be read or is larger than a release is.
    NestedError
        It holds other things than numbers, texts, dates and vectors.
    """
    _is_there(path)
    try:
        lazy = scan_lazily(path)
        if lazy is None:
            return _bounded(path, whole := read_whole(path), whole.height, leave)
        return _bounded(path, lazy, lazy.select(pl.len()).collect().item(), leave)
    except UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as a table ({_first(error)}); get the file again") from None


def _is_there(path: Path) -> None:
    """Refuse a Git LFS pointer in place of a file."""
    with path.open("rb") as stream:
        if stream.read(len(_POINTER)) == _POINTER:
            raise InputError(
                f"{path.name} is a pointer of Git LFS and not the file (git lfs pull fetches it); fetch it"
            )


def _bounded(path: Path, table: pl.DataFrame | pl.LazyFrame, rows: int, leave: Collection[str] = ()) -> Schema:
    """Return the columns and types of a table; InputError where it holds other than plain cells, or too many."""
    types = {name: kind for name, kind in table.lazy().collect_schema().items() if name not in leave}
    wrong = [name for name, kind in types.items() if not _plain(kind)]
    if wrong:
        raise NestedError(path, wrong)
    cells = rows * sum(kind.size if isinstance(kind, pl.Array) else 1 for kind in types.values())
    most = min(MAX_CELLS, max(FREE_CELLS, CELLS_PER_BYTE * path.stat().st_size))
    if cells > most:
        raise InputError(
            f"{path.name} says that it has {cells:,} cells; at most {most:,} are read of a file of its size"
        )
    return types


def _plain(kind: pl.DataType) -> bool:
    inner = kind.inner if isinstance(kind, pl.List | pl.Array) else None
    if inner is not None:
        return isinstance(inner, pl.DataType) and inner.is_numeric()
    return not (kind.is_nested() or kind in (pl.Binary, pl.Object))


def read_frame(paths: Sequence[Path], columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read columns of the parts of one table, one under the other.

    Raises
    ------
    InputError
        As `read_schema` does, or where the parts do not fit.
    """
    parts = [_part(path, columns) for path in paths]
    try:
        return pl.concat(parts)
    except UNREADABLE:
        raise InputError(f"{', '.join(path.name for path in paths)} are parts with different columns") from None


def read_parts(paths: Sequence[Path], columns: Sequence[str]) -> pl.DataFrame:
    """Read columns of the parts of one table that others wrote: a part that lacks a column has nulls there.

    Raises
    ------
    InputError
        As `read_frame` does, or where a column holds text in one part and numbers in another.
    """
    if len(paths) == 1:
        return read_frame(paths, columns)
    found = [_part(path, [name for name in columns if name in _names(path)]) for path in paths]
    parts = [part.select(values.name for values in part if values.null_count() < len(values)) for part in found]
    kinds = {name: {part[name].dtype for part in parts if name in part.columns} for name in columns}
    for name, its in kinds.items():
        if len(its) > 1 and not all(kind.is_numeric() or kind.is_nested() for kind in its):
            raise InputError(
                f"{name} is of different kinds in {', '.join(path.name for path in paths)}; write it alike"
            )
    empty = {
        name: next(part[name].dtype for part in found if name in part.columns) for name in columns if not kinds[name]
    }
    try:
        heights = [part.height for part in found]
        sized = [
            part if part.width else pl.DataFrame({_NOTHING: pl.Series([None] * height, dtype=pl.Int8)})
            for part, height in zip(parts, heights, strict=True)
        ]
        table = pl.concat(sized, how="diagonal_relaxed")
        lost = [pl.lit(None, kind).alias(name) for name, kind in empty.items()]
        return table.with_columns(lost).select(columns)
    except UNREADABLE:
        raise InputError(f"{', '.join(path.name for path in paths)} are parts with different columns") from None


def _names(path: Path) -> set[str]:
    try:
        table = scan_lazily(path)
        return set(read_whole(path).columns if table is None else table.collect_schema())
    except UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as a table ({_first(error)}); get the file again") from None


def _part(path: Path, columns: Sequence[str] | None) -> pl.DataFrame:
    try:
        table = scan_lazily(path)
        # what is asked for by name is checked alone
        leave = set(table.collect_schema()) - set(columns) if table is not None and columns is not None else set()
        if table is None:
            whole = read_whole(path)
            leave = set(whole.columns) - set(columns) if columns is not None else set()
            types, table = _bounded(path, whole, whole.height, leave), whole.lazy()
        else:
            types = _bounded(path, table, table.select(pl.len()).collect().item(), leave)
        wanted = list(types) if columns is None else list(columns)
        absent = [name for name in wanted if name not in types]
        if absent:
            raise InputError(f"{path.name} has no column {', '.join(absent)}; its columns are {', '.join(types)}")
        return table.select(wanted).collect()
    except UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as a table ({_first(error)}); get the file again") from None


def to_fixed_length(vectors: pl.Series, path: Path) -> pl.Series:
    """Return vectors as ``float32`` of one length; InputError where they differ in length or are no numbers."""
    if isinstance(vectors.dtype, pl.Array):
        return vectors.cast(pl.Array(pl.Float32, vectors.dtype.size))
    if vectors.dtype == pl.String:
        vectors = _written_out(vectors, path)
    # a person without a vector, as programs write one that know no null
    vectors = pl.select(pl.when(vectors.list.len() > 0).then(vectors)).to_series().alias(vectors.name)
    lengths = vectors.drop_nulls().list.len().unique()
    if len(lengths) != 1:
        raise InputError(f"{path.name}: the vectors of {vectors.name} have {len(lengths)} different lengths, not one")
    return vectors.cast(pl.List(pl.Float32)).list.to_array(int(lengths[0]))


def is_written_out(values: pl.Series) -> bool:
    """Say whether a column of text holds vectors written out, as ``[0.1, 0.2]`` or ``[0.1 0.2]``."""
    if values.dtype != pl.String:
        return False
    first = values.drop_nulls().head(1).str.contains(r"^\s*\[\s*[-+]?[.\d][^\]]*\]\s*$")
    return len(first) == 1 and bool(first[0])


def _written_out(values: pl.Series, path: Path) -> pl.Series:
    if bool(values.str.contains("...", literal=True).any()):
        raise NestedError(
            path,
            [values.name],
            "holds text that is no list of numbers: numpy shortened it (...); save vectors as Parquet",
        )
    inner = values.str.strip_chars().str.strip_prefix("[").str.strip_suffix("]").str.strip_chars()
    try:
        return inner.str.replace_all(r"[,\s]+", " ").str.split(" ").cast(pl.List(pl.Float64)).alias(values.name)
    except UNREADABLE:
        raise InputError(
            f"{path.name}: {values.name} holds text that is no list of numbers everywhere; save vectors as Parquet"
        ) from None


def as_ids(values: pl.Series) -> pl.Series:
    """Return ids as text; whole numbers that a program wrote as 1.0 are 1."""
    known = values.drop_nulls() if values.dtype.is_float() else values.clear()
    if values.dtype.is_float() and bool((known % 1 == 0).all()) and bool((known.abs() < 2.0**63).all()):
        values = values.cast(pl.Int64)
    return values.cast(pl.String)


Shape = tuple[tuple[int, ...], np.dtype[np.generic]]
"""Shape and type of an array."""


def array_shapes(path: Path) -> dict[str, Shape]:
    """Return array -> shape and type of an npz file, or of the one array of an npy file, called as the file is.

    The arrays themselves are not read.

    Raises
    ------
    InputError
        It cannot be read, is larger than a release is, holds objects, or less than it says.
    """
    try:
        found = _npz_shapes(path) if format_of(path.name) == "npz" else {stem_of(path.name): _npy_shape(path)}
    except UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as plain arrays ({_first(error)}); get the file again") from None
    if any(dtype.hasobject for _, dtype in found.values()):
        raise InputError(f"{path.name} holds pickled objects, which are not unpickled; get it as plain arrays")
    most = min(MAX_BYTES, 8 * max(FREE_CELLS, CELLS_PER_BYTE * path.stat().st_size))
    if sum(_bytes(*its) for its in found.values()) > most:
        raise InputError(f"{path.name} unpacks to more than {most:,} bytes, which is more than a file of its size has")
    return found


def _npz_shapes(path: Path) -> dict[str, Shape]:
    found = {}
    with zipfile.ZipFile(path) as packed:
        for entry in packed.infolist():
            with packed.open(entry) as stream:
                found[entry.filename.removesuffix(".npy")] = _header(stream)
    return found


def _npy_shape(path: Path) -> Shape:
    with io.BytesIO(read_bytes(path)) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
        shape, dtype = _header(stream)
        start = stream.tell()
        left = stream.seek(0, io.SEEK_END) - start
    if not dtype.hasobject and left < _bytes(shape, dtype):
        raise InputError(
            f"{path.name} says that it holds {_bytes(shape, dtype):,} bytes and has {left:,}; get it again"
        )
    return shape, dtype


def _header(stream: IO[bytes]) -> Shape:
    old = np.lib.format.read_magic(stream) == (1, 0)
    header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(stream)
    if any(type(length) is not int or length < 0 for length in shape):
        raise ValueError("a length that is no number")
    return shape, dtype


def _bytes(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> int:
    return math.prod(shape) * dtype.itemsize


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[np.generic]]:
    """Return arrays of an npz or npy file, each checked by `array_shapes` first; nothing is unpickled.

    The array of an npy file that is not packed stays in the file until it is used.
    """
    names = list(names)
    absent = set(names) - set(array_shapes(path))
    if absent:
        raise InputError(f"{path.name} has no array {', '.join(sorted(absent))}")
    try:
        if format_of(path.name) == "npy":
            return dict.fromkeys(names, _npy(path))
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in names}
    except UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as plain arrays ({_first(error)}); get the file again") from None


def _npy(path: Path) -> NDArray[np.generic]:
    found: NDArray[np.generic]
    if path.name.lower().endswith(".gz"):
        found = np.load(io.BytesIO(read_bytes(path)), allow_pickle=False)
    else:
        found = np.load(path, allow_pickle=False, mmap_mode="r")
    return found


def _first(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__
