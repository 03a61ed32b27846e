"""Tables from any library, in memory or larger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.any_table import in_memory
from personax.errors import InputError
from personax.independence._parts import DataSet, open_dataset

__all__ = ["Frame", "as_frame", "whole_weights"]

Frame = pl.DataFrame | pl.LazyFrame | DataSet
"""A table in memory, one that is read in batches, or files."""


def as_frame(table: Any) -> Frame:  # noqa: ANN401 - any table that can be read
    """Return a polars table.

    Parameters
    ----------
    table
        A polars DataFrame or LazyFrame, a relation of DuckDB (read in batches), a pandas DataFrame, anything that
        exports an Arrow stream, a numpy array (columns are called ``column_0`` ...), a mapping from names to values, or
        Parquet files, which are counted part by part: the path of one, of a folder of them (``year=2024/...`` makes
        columns), a pattern such as ``data/part-*.parquet``, or a list of files.

    Raises
    ------
    InputError
        When it is none of these.

    Examples
    --------
    >>> as_frame(np.eye(2)).columns
    ['column_0', 'column_1']
    """
    if isinstance(table, (pl.DataFrame, pl.LazyFrame, DataSet)):
        return table
    if isinstance(table, (str, Path)):
        if Path(table).is_file() and Path(table).suffix != ".parquet":
            raise InputError(f"{table} is no Parquet file; read other files first")
        return open_dataset(table)
    if isinstance(table, (list, tuple)) and table and all(isinstance(one, (str, Path)) for one in table):
        return open_dataset(table)
    if type(table).__module__.startswith(("duckdb", "_duckdb")) and hasattr(table, "pl"):
        return table.pl(lazy=True)  # type: ignore[no-any-return]
    return in_memory(table, "a Parquet file")


def whole_weights(weights: pl.Series) -> NDArray[np.intp]:
    """Return how many people each row stands for.

    Raises
    ------
    InputError
        When a weight is missing, no whole number, or less than 1.
    """
    whole = (
        weights.dtype.is_numeric() and weights.null_count() == 0 and bool(((weights % 1 == 0) & (weights >= 1)).all())
    )
    if not whole:
        raise InputError(
            f"{weights.name} holds weights that are no whole numbers of 1 or more; drop or mend those rows"
        )
    return weights.cast(pl.Int64).to_numpy().astype(np.intp)
