"""Tables from any library, and tables larger than memory as the distinct rows that a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError, UntestableError
from personax.independence._parts import MAX_DISTINCT, WEIGHT, DataSet, open_dataset

__all__ = ["as_frame", "counted_rows", "whole_weights"]


def as_frame(table: Any) -> pl.DataFrame | pl.LazyFrame | DataSet:  # noqa: ANN401 - any table that can be read
    """Return a polars table.

    Parameters
    ----------
    table
        A polars DataFrame or LazyFrame, a pandas DataFrame, anything that exports an Arrow stream, a numpy array
        (columns are called ``column_0`` ...), a mapping from names to values, or Parquet files, which are counted part
        by part: the path of one, of a folder of them (``year=2024/...`` makes columns), a pattern such as
        ``data/part-*.parquet``, or a list of files.

    Raises
    ------
    InputError
        When it is none of these.

    Examples
    --------
    >>> as_frame(np.eye(2)).columns
    ['column_0', 'column_1']
    """
    if isinstance(table, (pl.DataFrame, pl.LazyFrame)):
        return table
    if isinstance(table, DataSet):
        return table
    if isinstance(table, (str, Path)):
        if Path(table).is_file() and Path(table).suffix != ".parquet":
            raise InputError(f"{table} is no Parquet file; read other files first")
        return open_dataset(table)
    if isinstance(table, (list, tuple)) and table and all(isinstance(one, (str, Path)) for one in table):
        return open_dataset(table)
    if isinstance(table, np.ndarray) and table.ndim == 2:
        return pl.DataFrame(table)
    if isinstance(table, Mapping):
        return pl.DataFrame(dict(table))
    if hasattr(table, "iloc") and hasattr(table, "columns"):
        # column by column: pandas itself exports Arrow only where pyarrow is installed
        _named_apart([str(name) for name in table.columns])
        return pl.DataFrame([_series(str(name), table[name]) for name in table.columns])
    if hasattr(table, "__arrow_c_stream__"):
        _named_apart(list(getattr(table, "column_names", ())))
        return pl.DataFrame(table)
    kind = type(table).__name__
    raise InputError(f"a {kind} is no table; give polars, pandas, Arrow, a two-dimensional array or a Parquet file")


def _named_apart(names: Sequence[str]) -> None:
    """Refuse two columns of one name."""
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(f"the table has two columns called {twice[0]}; rename or drop one")


def _series(name: str, column: Any) -> pl.Series:  # noqa: ANN401 - a pandas Series
    """Return a pandas column; its missing values are null."""
    missing = np.asarray(column.isna(), dtype=bool)
    values = column.to_numpy(dtype=object) if column.dtype.kind not in "biuf" else column.to_numpy()
    if values.dtype != object:
        return pl.Series(name, values)
    whole = [None if gone else value for value, gone in zip(values.tolist(), missing, strict=True)]
    try:
        return pl.Series(name, whole)
    except (TypeError, pl.exceptions.PolarsError):
        raise InputError(f"column {name} mixes types; give all numbers or all text") from None


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


def counted_rows(
    table: pl.LazyFrame, names: Sequence[str], weight: str | None = None
) -> tuple[pl.DataFrame, NDArray[np.intp]]:
    """Return the distinct rows of some columns, and how many people each stands for.

    The file is read in pieces by polars' streaming engine; memory grows with the distinct rows, not with the file.

    Raises
    ------
    UntestableError
        When a column has more than two million distinct values.
    """
    many = table.select(pl.col(names).approx_n_unique()).collect(engine="streaming")
    for name in names:
        if many[name][0] > 1.05 * MAX_DISTINCT:  # the count is good to a few percent
            raise UntestableError(f"{name} has about {many[name][0]:,} distinct values; round it to fewer")
    people = pl.len() if weight is None else pl.col(weight).sum()
    counted = table.group_by(names).agg(people.alias(WEIGHT)).sort(names).collect(engine="streaming")
    return counted.drop(WEIGHT), whole_weights(counted[WEIGHT])
