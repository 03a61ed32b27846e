"""Tables read from exactly the file that is named: to polars a path with ``[``, ``*`` or ``?`` is a pattern.

A study in a folder ``s[1]`` beside ``s1`` would be read as the neighbour's. Everything that reads a table from a path
does so here; ``tests/test_house.py`` holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

__all__ = ["parquet_schema", "read_csv", "read_ipc", "read_parquet", "scan_parquet"]


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
    return pl.read_parquet(path, columns=wanted, glob=False, hive_partitioning=False)


def scan_parquet(path: Path | str) -> pl.LazyFrame:
    """Return a Parquet file whose rows are read when they are asked for; see `read_parquet`."""
    return pl.scan_parquet(path, glob=False, hive_partitioning=False)


def parquet_schema(path: Path | str) -> Mapping[str, pl.DataType]:
    """Return the columns of a Parquet file and their types; see `read_parquet`."""
    with Path(path).open("rb") as stream:
        return pl.read_parquet_schema(stream)


def read_csv(path: Path | str, **options: Any) -> pl.DataFrame:  # noqa: ANN401 - those of polars
    """Read a CSV file; see `read_parquet`."""
    return pl.read_csv(path, glob=False, **options)


def read_ipc(path: Path | str) -> pl.DataFrame:
    """Read an Arrow file; see `read_parquet`."""
    with Path(path).open("rb") as stream:
        return pl.read_ipc(stream)
