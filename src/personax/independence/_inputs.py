"""What a caller may give as a variable or as random numbers: arrays and tables of any library, seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.dates import date_numbers
from personax.errors import UntestableError

__all__ = ["Rng", "as_columns", "generator", "needed"]

Rng = np.random.Generator | int | None
"""Random numbers: a generator, or a whole number that seeds one."""


def generator(rng: Rng) -> np.random.Generator | None:
    """Return a generator; a whole number seeds one, None stays None.

    Raises
    ------
    UntestableError
        When it is neither.

    Examples
    --------
    >>> generator(0).random() == generator(np.random.default_rng(0)).random()
    True
    """
    if rng is None or isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    shown = repr(rng) if isinstance(rng, (int, float, str, bool)) else f"a {type(rng).__name__}"
    raise UntestableError(f"rng is {shown}; give a whole number of 0 or more, or numpy.random.default_rng(0)")


def needed(rng: Rng, test: str) -> np.random.Generator:
    """Return a generator for a test that cannot do without.

    Raises
    ------
    UntestableError
        When there is none.
    """
    made = generator(rng)
    if made is None:
        raise UntestableError(f"{test} draws random numbers; give rng, for example rng=0")
    return made


def as_columns(x: Any, name: str) -> list[NDArray[Any]]:  # noqa: ANN401 - anything that holds a variable
    """Return a variable as arrays of numbers or text: one, shape (n,) or (n, d), or one a column where kinds are mixed.

    Parameters
    ----------
    x
        A numpy array, a sequence, a Series or an array of polars, pandas or Arrow; for several columns a
        two-dimensional array, a table of these libraries, or a mapping from names to columns. Dates become days.
    name
        What to call it in an error.
    """
    if isinstance(x, Mapping):
        columns = [(f"{name}, column {key},", _column(values)) for key, values in x.items()]
    elif hasattr(x, "columns") and hasattr(x, "shape") and not isinstance(x, np.ndarray):
        columns = [(f"{name}, column {key},", _column(one)) for key, one in _of_table(x)]
    else:
        array = _column(x)
        if array.dtype.kind != "O" or array.ndim != 2:
            return [_plain(array, name)]
        columns = [(f"{name}, column {place},", array[:, place]) for place in range(array.shape[1])]
    if not columns:
        raise UntestableError(f"{name} has no columns; give one at least")
    read = [_plain(values, told) for told, values in columns]
    if len({len(values) for values in read}) > 1:
        raise UntestableError(f"the columns of {name} differ in length; give one row a person")
    alike = len({"text" if values.dtype.kind in "UT" else "numbers" for values in read}) == 1
    return [np.column_stack(read)] if alike and len(read) > 1 else read


def _of_table(table: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - polars, pandas or Arrow
    if hasattr(table, "iloc"):
        return [(key, table.iloc[:, place]) for place, key in enumerate(table.columns)]
    if hasattr(table, "column_names"):  # Arrow, whose columns have no names of their own
        return list(zip(table.column_names, table.columns, strict=True))
    return [(one.name, one) for one in table.get_columns()]


def _column(values: Any) -> NDArray[Any]:  # noqa: ANN401 - a Series or an array of any library
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "iloc"):  # pandas, whose missing values have several forms
        gone = np.asarray(values.isna(), dtype=bool)
        whole = values.to_numpy(dtype=object) if gone.any() else values.to_numpy()
        return np.asarray(np.where(gone, None, whole)) if gone.any() else np.asarray(whole)
    if hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__"):
        series = pl.Series(values)
        series = series.cast(pl.String) if series.dtype in (pl.Categorical, pl.Enum) else series
        series = series.cast(pl.Float64) if series.dtype.is_decimal() else series
        if series.dtype.is_nested() and not series.null_count():
            return _array(series.to_list())
        return np.array(series.to_list(), dtype=object) if series.null_count() else series.to_numpy()
    if isinstance(values, Sequence) and values and isinstance(values[0], Sequence) and not isinstance(values[0], str):
        mixed = {isinstance(value, str) for row in values for value in row} == {True, False}
        return np.array(values, dtype=object) if mixed else _array(values)
    return _array(values)


def _array(values: Any) -> NDArray[Any]:  # noqa: ANN401 - lists of any depth
    try:
        return np.asarray(values)
    except ValueError:
        raise UntestableError("the rows of a variable differ in length; give as many numbers in each") from None


def _plain(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return an array without dates and without objects; numpy itself would turn None into the category 'None'."""
    if array.dtype.kind in "mM":
        if np.isnat(array).any():
            raise UntestableError(f"{name} holds missing or infinite values; drop those rows first")
        return (array - np.zeros(1, dtype=array.dtype)).astype("timedelta64[us]").astype(float) / 86_400e6
    if array.dtype.kind == "U" and array.ndim == 1 and (days := _days(array)) is not None:
        return days
    if array.dtype.kind != "O":
        return array
    if any(value is None or value != value for value in array.flat):
        raise UntestableError(f"{name} holds missing or infinite values; drop those rows first")
    if all(isinstance(value, str) for value in array.flat):
        return _plain(array.astype(str), name)
    if all(isinstance(value, (bool, int, float, Decimal, np.number, np.bool_)) for value in array.flat):
        return array.astype(float)
    if array.ndim == 1 and (days := _days(array)) is not None:
        return days
    raise UntestableError(f"{name} mixes types or holds objects; give all numbers or all text")


def _days(array: NDArray[Any]) -> NDArray[np.float64] | None:
    try:
        days = date_numbers(pl.Series(array.tolist()))
    except (TypeError, pl.exceptions.PolarsError):
        return None
    return None if days is None else days.to_numpy()
