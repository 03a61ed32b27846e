"""Tables read from, and written to, exactly the file that is named.

To polars a path with ``[``, ``*`` or ``?`` is a pattern, one that begins with ``~`` lies in the home folder of whoever
runs it, and one that begins with ``file:`` or ``https:`` is an address: a study in a folder ``s[1]`` beside ``s1`` is
read as the neighbour's, and ``~/x.parquet`` in a study file is not the file beside it that was looked at. So paths are
given without patterns and from the root. All that reads a table from a path or writes one does so here;
``tests/test_house.py`` holds it.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from personax.errors import InputError

__all__ = [
    "exact_path",
    "parquet_schema",
    "read_csv",
    "read_ipc",
    "read_parquet",
    "scan_parquet",
    "stream_parquet",
    "write_csv",
    "write_ipc",
    "write_parquet",
]

FULL = 2**16
"""Bytes of free space below which a disk that takes no table is called full."""


def exact_path(path: Path | str) -> Path:
    """Return a path from the root, which nobody takes for one of the home folder or for an address.

    Raises
    ------
    InputError
        Its name is no UTF-8, which polars cannot open.
    """
    whole = Path(path).absolute()
    try:
        str(whole).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(whole).decode("utf-8", "replace")
        raise InputError(f"the name {shown} is no UTF-8; give that folder or file another name") from None
    return whole


def read_parquet(path: Path | str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a Parquet file, or some of its columns.

    Raises
    ------
    OSError, polars.exceptions.PolarsError
        There is no such file, or it is none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, value in (("a1", 1), ("a[1]", 2)):
    ...         pl.DataFrame({"x": [value]}).write_parquet(Path(folder) / name)
    ...     read_parquet(Path(folder) / "a[1]")["x"].to_list()
    [2]
    """
    wanted = list(columns) if columns is not None else None
    return pl.read_parquet(exact_path(path), columns=wanted, glob=False, hive_partitioning=False)


def scan_parquet(path: Path | str, remote: Mapping[str, Any] | None = None) -> pl.LazyFrame:
    """Return a Parquet file whose rows are read when they are asked for; see `read_parquet`.

    ``remote`` says how an address of an object store is read (`RemoteTables.options`); else a path is one of this
    machine.
    """
    if remote is None:
        return pl.scan_parquet(exact_path(path), glob=False, hive_partitioning=False)
    options = dict(remote)
    return pl.scan_parquet(
        str(path), glob=False, hive_partitioning=False, credential_provider=None, storage_options=options
    )


def parquet_schema(path: Path | str) -> Mapping[str, pl.DataType]:
    """Return the columns of a Parquet file and their types; see `read_parquet`."""
    with Path(path).open("rb") as stream:
        return pl.read_parquet_schema(stream)


def read_csv(path: Path | str, **options: Any) -> pl.DataFrame:
    """Read a CSV file; see `read_parquet`."""
    return pl.read_csv(exact_path(path), glob=False, **options)


def read_ipc(path: Path | str) -> pl.DataFrame:
    """Read an Arrow file; see `read_parquet`."""
    with Path(path).open("rb") as stream:
        return pl.read_ipc(stream)


def write_parquet(frame: pl.DataFrame, path: Path | str, **options: Any) -> None:
    """Write a Parquet file; see `read_parquet`. A full disk is an OSError, whatever polars makes of it."""
    try:
        frame.write_parquet(exact_path(path), **options)
    except pl.exceptions.PolarsError:
        if shutil.disk_usage(Path(path).parent).free < FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from None
        raise


def stream_parquet(frames: Iterator[pl.DataFrame], schema: Mapping[str, Any], path: Path | str) -> None:
    """Write tables of one schema to a Parquet file as they come; see `read_parquet`."""
    from polars.io.plugins import register_io_source

    rows = register_io_source(lambda *_: frames, schema=schema)
    rows.sink_parquet(exact_path(path), compression="zstd", maintain_order=True)


def write_csv(frame: pl.DataFrame, path: Path | str) -> None:
    """Write a CSV file; see `read_parquet`."""
    frame.write_csv(exact_path(path))


def write_ipc(frame: pl.DataFrame, path: Path | str, **options: Any) -> None:
    """Write an Arrow file; see `read_parquet`."""
    frame.write_ipc(exact_path(path), **options)
