"""A folder that somebody else made: listed without following links, read within bounds, nothing in it trusted."""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError

__all__ = ["MAX_BYTES", "Folder", "arrays", "frame", "one_length", "open_folder", "schema", "shapes"]

MAX_BYTES = 16 * 2**30
"""Of one file."""
MAX_TEXT = 32 * 2**20
"""Of a JSON file or a text."""
MAX_FILES, MAX_DEPTH = 10_000, 8
MAX_CELLS = 2**33
"""Of a table, a vector counted with its length."""

PASSED_OVER = {".git", ".gitattributes", ".cache"}
"""At the top of a folder: what git and a hub's client add by themselves."""

UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, OverflowError, MemoryError, RuntimeError, zlib.error, zipfile.BadZipFile,
    pl.exceptions.PolarsError, pl.exceptions.PanicException,
)  # fmt: skip
"""What readers raise on bytes that are no such file."""

Schema = Mapping[str, pl.DataType]


@dataclass(frozen=True)
class Folder:
    """What lies in a folder.

    Parameters
    ----------
    root
        The folder.
    files
        Path in the folder, with slashes -> the file; regular files only.
    odd
        One phrase for everything that is not looked into: links, devices, names with control characters.
    passed_over
        What git or a hub's client has put there.
    """

    root: Path
    files: Mapping[str, Path]
    odd: Sequence[str] = ()
    passed_over: Sequence[str] = ()

    def text(self, name: str) -> str:
        """Return a text file; InputError where there is none or it is no text."""
        path = self._file(name)
        if path.stat().st_size > MAX_TEXT:
            raise InputError(f"{name} has more than {MAX_TEXT:,} bytes; a text of a release is shorter")
        try:
            return path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            raise InputError(f"{name} is no text in UTF-8; get the file again") from None

    def json(self, name: str) -> object:
        """Return what a JSON file holds; InputError where there is none or it is not JSON."""
        try:
            return json.loads(self.text(name))
        except (ValueError, RecursionError):
            raise InputError(f"{name} is not JSON; get the file again") from None

    def _file(self, name: str) -> Path:
        if name not in self.files:
            raise InputError(f"{self.root} has no {name}; get the release again")
        return self.files[name]

    def under(self, start: str, ending: str = ".parquet") -> list[str]:
        """Return the files whose path starts and ends so, in order."""
        return sorted(name for name in self.files if name.startswith(start) and name.endswith(ending))


def open_folder(root: Path, *, store: Path | None = None) -> Folder:
    """List a folder.

    Parameters
    ----------
    root
        The folder.
    store
        Where links may point to: a hub's cache keeps files apart and links to them.

    Raises
    ------
    InputError
        There is no such folder, or it holds more files than a release has.
    """
    if not root.is_dir():
        raise InputError(f"there is no folder {root}; check the path")
    files: dict[str, Path] = {}
    odd: list[str] = []
    passed = sorted(name for name in os.listdir(root) if name in PASSED_OVER)  # noqa: PTH208 - names, not paths
    for name, path in _walk(root, "", passed, odd, store):
        files[name] = path
        if len(files) > MAX_FILES:
            raise InputError(f"{root} holds more than {MAX_FILES:,} files; it is no release folder")
    return Folder(root, dict(sorted(files.items())), tuple(odd), tuple(passed))


def _walk(
    folder: Path, start: str, passed: Sequence[str], odd: list[str], store: Path | None
) -> Iterator[tuple[str, Path]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        odd.append(f"{start or folder.name} cannot be listed")
        return
    for entry in entries:
        name, path = f"{start}{entry.name}", Path(entry.path)
        if not start and entry.name in passed:
            continue
        if not entry.name.isprintable() or "\\" in entry.name:
            odd.append(f"{name!a} is no name for a file")
        elif entry.is_symlink() and not (store and path.is_file() and path.resolve().is_relative_to(store.resolve())):
            odd.append(f"{name} is a link")
        elif entry.is_dir():
            if name.count("/") >= MAX_DEPTH:
                odd.append(f"{name} lies deeper than a release is")
            else:
                yield from _walk(path, f"{name}/", passed, odd, store)
        elif not entry.is_file():
            odd.append(f"{name} is neither a file nor a folder")
        elif path.stat().st_size > MAX_BYTES:
            odd.append(f"{name} has more than {MAX_BYTES:,} bytes")
        else:
            yield name, path


def schema(path: Path) -> Schema:
    """Return the columns of a Parquet or CSV file and their types, without reading the rows of a Parquet file.

    Raises
    ------
    InputError
        It cannot be read, holds other things than numbers, texts, dates and vectors, or is larger than a release is.
    """
    try:
        if path.suffix == ".csv":
            return dict(_csv(path).schema)
        lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        types = dict(lazy.collect_schema())
        rows = lazy.select(pl.len()).collect().item()
    except UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as a table ({_first(error)}); get the file again") from None
    wrong = [name for name, kind in types.items() if not _plain(kind)]
    if wrong:
        raise InputError(
            f"{path.name}: {', '.join(wrong)} hold nested or binary things; a release has numbers, texts and vectors"
        )
    cells = rows * sum(kind.size if isinstance(kind, pl.Array) else 1 for kind in types.values())
    if cells > MAX_CELLS:
        raise InputError(f"{path.name} says that it has {cells:,} cells; at most {MAX_CELLS:,} are read")
    return types


def _plain(kind: pl.DataType) -> bool:
    inner = kind.inner if isinstance(kind, pl.List | pl.Array) else None
    if inner is not None:
        return isinstance(inner, pl.DataType) and inner.is_numeric()
    return not (kind.is_nested() or kind in (pl.Binary, pl.Object))


def frame(paths: Sequence[Path], columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read columns of the parts of one table, one under the other.

    Raises
    ------
    InputError
        As `schema` does, or where the parts do not fit.
    """
    parts = []
    for path in paths:
        types = schema(path)
        wanted = list(types) if columns is None else list(columns)
        absent = [name for name in wanted if name not in types]
        if absent:
            raise InputError(f"{path.name} has no column {', '.join(absent)}; its columns are {', '.join(types)}")
        try:
            parts.append(
                _csv(path).select(wanted)
                if path.suffix == ".csv"
                else pl.scan_parquet(path, glob=False, hive_partitioning=False).select(wanted).collect()
            )
        except UNREADABLE as error:
            raise InputError(f"{path.name} cannot be read as a table ({_first(error)}); get the file again") from None
    try:
        return pl.concat(parts)
    except UNREADABLE:
        raise InputError(f"{', '.join(path.name for path in paths)} are parts with different columns") from None


def _csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema_length=None, glob=False)


def one_length(vectors: pl.Series, path: Path) -> pl.Series:
    """Return vectors as ``float32`` of one length; InputError where they differ in length."""
    if isinstance(vectors.dtype, pl.Array):
        return vectors.cast(pl.Array(pl.Float32, vectors.dtype.size))
    lengths = vectors.drop_nulls().list.len().unique()
    if len(lengths) != 1:
        raise InputError(f"{path.name}: the vectors of {vectors.name} have {len(lengths)} different lengths, not one")
    return vectors.cast(pl.List(pl.Float32)).list.to_array(int(lengths[0]))


def shapes(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]]:
    """Return array -> shape and type of an npz file; the arrays themselves are not read.

    Raises
    ------
    InputError
        It cannot be read, is larger than a release is, or holds objects.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            found = {}
            for entry in packed.infolist():
                with packed.open(entry) as stream:
                    version = np.lib.format.read_magic(stream)
                    old = version == (1, 0)
                    header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
                    shape, _, dtype = header(stream)
                found[entry.filename.removesuffix(".npy")] = (shape, dtype)
    except UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as plain arrays ({_first(error)}); get the file again") from None
    if any(dtype.hasobject for _, dtype in found.values()):
        raise InputError(f"{path.name} holds pickled objects, which are not unpickled; get it as plain arrays")
    if sum(math.prod(shape) * dtype.itemsize for shape, dtype in found.values()) > MAX_BYTES:
        raise InputError(f"{path.name} unpacks to more than {MAX_BYTES:,} bytes")
    return found


def arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[np.generic]]:
    """Return arrays of an npz file, each checked by `shapes` first; nothing is unpickled."""
    absent = set(names) - set(shapes(path))
    if absent:
        raise InputError(f"{path.name} has no array {', '.join(sorted(absent))}")
    try:
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in names}
    except UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as plain arrays ({_first(error)}); get the file again") from None


def _first(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__
