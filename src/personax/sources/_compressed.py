"""Compressed table files: unpacked into a temporary folder, within bounds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Final

from personax.errors import InputError, require
from personax.names import safe_name

__all__ = ["COMPRESSED", "unpacked"]

COMPRESSED: Final = (".gz", ".bz2", ".xz", ".zst", ".zip")
LARGEST: Final = 4 * 2**30
"""Bytes that a file may hold when unpacked."""
PIECE: Final = 2**20


@contextmanager
def unpacked(path: Path, member: str | None = None) -> Iterator[Path]:
    """Unpack a file for as long as the block runs: ``people.csv.gz`` becomes ``people.csv``.

    Parameters
    ----------
    path
        The file.
    member
        Which file of a .zip; the only one by default.

    Raises
    ------
    InputError
        It is damaged, larger than `LARGEST`, or holds several files of which none is named.
    """
    with tempfile.TemporaryDirectory(prefix="personax-") as folder:
        try:
            with _opened(path, member) as (stream, name):
                inner = Path(folder) / name
                _copy(stream, inner, path)
        except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, ValueError) as error:
            raise InputError(f"{path} cannot be unpacked ({error}); get it again, or unpack it yourself") from None
        yield inner


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[tuple[IO[bytes], str]]:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            name = _member(path, archive, member)
            with archive.open(name) as stream:
                yield stream, safe_name(name.rpartition("/")[2], "a file in the archive")
        return
    with _stream(path) as stream:
        yield stream, path.stem


def _stream(path: Path) -> IO[bytes]:
    match path.suffix.lower():
        case ".gz":
            return gzip.open(path)
        case ".bz2":
            return bz2.open(path)
        case ".xz":
            return lzma.open(path)
    newer = sys.version_info >= (3, 14)
    module = import_module("compression.zstd") if newer else require("backports.zstd", extra="tables")
    stream: IO[bytes] = module.open(path)
    return stream


def _member(path: Path, archive: zipfile.ZipFile, member: str | None) -> str:
    names = [one.filename for one in archive.infolist() if not one.is_dir() and "__MACOSX" not in one.filename]
    named = [name for name in names if member in (name, name.rpartition("/")[2])]
    if named:
        return named[0]
    if len(names) == 1:
        return names[0]
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    raise InputError(f"{path} holds {len(names)} files ({shown}); say which one by table: NAME")


def _copy(stream: IO[bytes], inner: Path, path: Path) -> None:
    left = LARGEST
    with inner.open("wb") as out:
        while piece := stream.read(PIECE):
            left -= len(piece)
            if left < 0 or shutil.disk_usage(inner.parent).free < PIECE:
                raise InputError(
                    f"{path} unpacks to more than {LARGEST >> 30} GiB or than the disk holds; unpack it yourself"
                )
            out.write(piece)
