"""Tables in memory of any library, as polars tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from personax.errors import InputError

__all__ = ["in_memory"]


def in_memory(table: Any, otherwise: str = "a mapping") -> pl.DataFrame:  # noqa: ANN401 - any table that can be read
    """Return a polars table.

    Parameters
    ----------
    table
        A polars or pandas DataFrame, a LazyFrame (collected), anything that exports an Arrow stream, a numpy array
        (columns are called ``column_0`` ...), or a mapping from names to values.
    otherwise
        What else the caller reads, for the sentence of the error.

    Raises
    ------
    InputError
        When it is none of these, has two columns of one name, or a column of pandas that mixes types.

    Examples
    --------
    >>> in_memory(np.eye(2)).columns
    ['column_0', 'column_1']
    """
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return table.collect()
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
    raise InputError(f"a {kind} is no table; give polars, pandas, Arrow, a two-dimensional array or {otherwise}")


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
