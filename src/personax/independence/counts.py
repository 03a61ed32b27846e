"""Distinct values and how often they occur together: all that the tests of this package need of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import UntestableError

__all__ = ["Counted", "count", "table"]

MIN_ROWS = 5


@dataclass(frozen=True, slots=True)
class Counted:
    """A variable as its distinct values.

    Parameters
    ----------
    values
        Distinct values, shape (a, d) floats; None for text.
    codes
        Row -> distinct value, shape (n,).
    counts
        How often each distinct value occurs, shape (a,).
    """

    values: NDArray[np.float64] | None
    codes: NDArray[np.intp]
    counts: NDArray[np.intp]

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def size(self) -> int:
        """Number of distinct values."""
        return len(self.counts)


def count(x: ArrayLike, *, name: str = "x") -> Counted:
    """Find the distinct values of a variable.

    Parameters
    ----------
    x
        Shape (n,) or (n, d), numbers or text.
    name
        What to call it in an error.

    Raises
    ------
    UntestableError
        Fewer than five rows, a value that is missing or infinite, or only one distinct value.

    Examples
    --------
    >>> count([1, 2, 2, 1, 1]).counts.tolist()
    [3, 2]
    """
    array = np.asarray(x)
    if array.ndim not in (1, 2):
        raise UntestableError(f"{name} has {array.ndim} dimensions; give shape (n,) or (n, d)")
    if len(array) < MIN_ROWS:
        raise UntestableError(f"only {len(array)} rows; at least {MIN_ROWS} are needed")
    rows = array.reshape(len(array), -1)
    numeric = rows.dtype.kind in "biuf"
    if numeric and not np.isfinite(rows.astype(float)).all():
        raise UntestableError(f"{name} holds missing or infinite values; drop those rows first")
    distinct, codes, counts = _distinct(rows.astype(float) if numeric else rows.astype(str))
    if len(counts) == 1:
        raise UntestableError(f"{name} is constant")
    return Counted(distinct if numeric else None, codes, counts)


def _distinct(rows: NDArray[Any]) -> tuple[Any, NDArray[np.intp], NDArray[np.intp]]:
    """Return distinct rows, codes and counts; one column at a time, because sorting rows as records is slow."""
    if rows.shape[1] == 1:
        values, codes, counts = np.unique(rows[:, 0], return_inverse=True, return_counts=True)
        return values[:, None], codes, counts
    key = np.zeros(len(rows), dtype=np.intp)
    for column in rows.T:
        _, codes = np.unique(column, return_inverse=True)
        _, key = np.unique(key * (codes.max() + 1) + codes, return_inverse=True)
    _, first, codes, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return rows[first], codes, counts


def table(x: Counted, y: Counted) -> NDArray[np.intp]:
    """Return the contingency table, shape (a, b)."""
    flat = np.bincount(x.codes * y.size + y.codes, minlength=x.size * y.size)
    return flat.reshape(x.size, y.size)
