"""Distinct values and how often they occur together: all that the tests of this package need of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import UntestableError

__all__ = ["MAX_CATEGORIES", "Counted", "count", "join", "same_rows", "table"]

MIN_ROWS = 5

MAX_CATEGORIES = 2000
"""More categories than this, such as names, are not tested."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A variable as its distinct values.

    Parameters
    ----------
    values
        Distinct values, shape (a, d) floats; None for categories, which are only equal or not.
    codes
        Row -> distinct value, shape (n,).
    counts
        How often each distinct value occurs, shape (a,).
    circle
        The values are points of a circle, so that all columns share one scale.
    """

    values: NDArray[np.float64] | None
    codes: NDArray[np.intp]
    counts: NDArray[np.intp]
    circle: bool = False

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def size(self) -> int:
        """Number of distinct values."""
        return len(self.counts)

    @property
    def columns(self) -> int:
        """Number of columns d; 1 for categories."""
        return 1 if self.values is None else self.values.shape[1]


def count(x: ArrayLike, *, name: str = "x", nominal: bool = False) -> Counted:
    """Find the distinct values of a variable.

    Parameters
    ----------
    x
        Shape (n,) or (n, d), numbers or text.
    name
        What to call it in an error.
    nominal
        Take numbers as categories; text always is.

    Raises
    ------
    UntestableError
        Fewer than five rows, a value that is missing, infinite or neither number nor text, or one distinct value only.

    Examples
    --------
    >>> count([1, 2, 2, 1, 1]).counts.tolist()
    [3, 2]
    """
    rows = _rows(x, name)
    distinct, codes, counts = _distinct(rows)
    if len(counts) == 1:
        raise UntestableError(f"{name} is constant")
    values = None if nominal or rows.dtype.kind == "U" else distinct
    return Counted(values, codes, counts)


def _rows(x: ArrayLike, name: str) -> NDArray[Any]:
    """Return the variable as floats or text, shape (n, d), or say what is wrong with it."""
    array = np.asarray(x)
    if array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise UntestableError(f"{name} has shape {array.shape}; give shape (n,) or (n, d)")
    if len(array) < MIN_ROWS:
        raise UntestableError(f"only {len(array)} rows; at least {MIN_ROWS} are needed")
    if array.dtype.kind == "O":
        array = _plain(array, name)
    rows = array.reshape(len(array), -1)
    if rows.dtype.kind in "UT":
        return rows.astype(str)
    if rows.dtype.kind not in "biuf":
        raise UntestableError(f"{name} holds {rows.dtype} values; give numbers or text")
    rows = rows.astype(float)
    if not np.isfinite(rows).all():
        raise UntestableError(f"{name} holds missing or infinite values; drop those rows first")
    return rows


def _plain(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return an array of Python objects as text or floats; numpy itself would turn None into the category 'None'."""
    if any(value is None or value != value for value in array.flat):
        raise UntestableError(f"{name} holds missing or infinite values; drop those rows first")
    if all(isinstance(value, str) for value in array.flat):
        return array.astype(str)
    if all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in array.flat):
        return array.astype(float)
    raise UntestableError(f"{name} mixes types or holds objects; give all numbers or all text")


def _distinct(rows: NDArray[Any]) -> tuple[Any, NDArray[np.intp], NDArray[np.intp]]:
    """Return distinct rows, codes and counts."""
    if rows.shape[1] == 1:
        values, codes, counts = np.unique(rows[:, 0], return_inverse=True, return_counts=True)
        return values[:, None], codes, counts
    codes, counts, first = join(*(np.unique(column, return_inverse=True)[1] for column in rows.T))
    return rows[first], codes, counts


def join(*codes: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return codes, counts and one row of each distinct combination of several variables' codes.

    Two at a time, because sorting whole rows is slow and one product of all sizes would overflow.
    """
    key = codes[0]
    for more in codes[1:]:
        _, key = np.unique(key * (more.max() + 1) + more, return_inverse=True)
    _, first, joint, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return joint, counts, first


def same_rows(x: Counted, y: Counted, z: Counted | None) -> None:
    """Say which variables differ in length."""
    if x.n != y.n:
        raise UntestableError(f"x has {x.n} rows and y has {y.n}")
    if z is not None and z.n != x.n:
        raise UntestableError(f"z has {z.n} rows and x has {x.n}")


def table(x: Counted, y: Counted) -> NDArray[np.intp]:
    """Return the contingency table, shape (a, b)."""
    flat = np.bincount(x.codes * y.size + y.codes, minlength=x.size * y.size)
    return flat.reshape(x.size, y.size)
