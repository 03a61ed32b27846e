"""Distinct values and how often they occur together: all that the tests of this package need of the data."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import DeterminedError, UntestableError
from personax.independence._inputs import as_columns

__all__ = [
    "MAX_CATEGORIES",
    "MIN_ROWS",
    "Counted",
    "count",
    "join",
    "join_given",
    "numbers_as_text",
    "read",
    "same_rows",
    "table",
    "tally",
]

MIN_ROWS = 5

MOST_CODES = 20
"""More numbers with decimals than this, as text, are no codes."""

_NUMBER = re.compile(r"\D{0,4}\d[\d.,' \u00a0\u202f]*(e[+-]?\d+)?\D{0,4}")
_DECIMAL = re.compile(r"\d[.,]\d")

MAX_CATEGORIES = 2000
"""More categories than this, such as names, are not tested."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A variable as its distinct values.

    Parameters
    ----------
    values
        Distinct values, shape (a, d) floats; None for categories, which are only equal or not.
    labels
        Where numbers and categories stand together: the category of each distinct value, shape (a,).
    codes
        Row -> distinct value, shape (n,).
    counts
        How often each distinct value occurs, shape (a,).
    circle
        The values are points of a circle, so that all columns share one scale.
    weights
        How many people each row stands for, shape (n,); None where each row is one. A table that was counted before,
        because it is larger than memory, comes as its distinct rows.
    """

    values: NDArray[np.float64] | None
    codes: NDArray[np.intp]
    counts: NDArray[np.intp]
    circle: bool = False
    weights: NDArray[np.intp] | None = None
    labels: NDArray[np.intp] | None = None

    @property
    def n(self) -> int:
        """Number of people."""
        return int(self.counts.sum())

    @property
    def size(self) -> int:
        """Number of distinct values."""
        return len(self.counts)

    @property
    def columns(self) -> int:
        """Number of columns d; categories are one."""
        return (0 if self.values is None else self.values.shape[1]) + (self.labels is not None or self.values is None)


def count(x: ArrayLike, *, name: str = "x", nominal: bool = False, weights: NDArray[np.intp] | None = None) -> Counted:
    """Find the distinct values of a variable.

    Parameters
    ----------
    x
        Shape (n,) or (n, d), numbers or text.
    name
        What to call it in an error.
    nominal
        Take numbers as categories; text always is.
    weights
        How many people each row stands for, at least 1, shape (n,).

    Raises
    ------
    UntestableError
        Fewer than five rows, a value that is missing, infinite or neither number nor text, or one distinct value only.

    Examples
    --------
    >>> count([1, 2, 2, 1, 1]).counts.tolist()
    [3, 2]
    """
    columns = as_columns(x, name)
    if len(columns) > 1:
        return _mixed(columns, name, weights)
    rows = _rows(columns[0], name)
    people = len(rows) if weights is None else int(weights.sum())
    if people < MIN_ROWS:
        raise UntestableError(f"only {people} rows; at least {MIN_ROWS} are needed")
    distinct, codes = _distinct(rows)
    if len(distinct) == 1:
        raise UntestableError(f"{name} is constant")
    values = None if nominal or rows.dtype.kind == "U" else distinct
    if values is None and rows.shape[1] == 1:
        _check_names(distinct[:, 0], people, name, nominal=nominal)
    return Counted(values, codes, tally(codes, weights, len(distinct)), weights=weights)


def _check_names(distinct: NDArray[Any], people: int, name: str, *, nominal: bool) -> None:
    """Refuse numbers that came as text, and names that nobody shares: the test would be of their spelling."""
    if not nominal and distinct.dtype.kind == "U" and numbers_as_text(distinct.tolist()):
        raise UntestableError(f"{name} holds numbers as text, such as {str(distinct[0])!r}; turn it into numbers")
    if len(distinct) == people <= MAX_CATEGORIES:
        raise UntestableError(f"{name} has another category in every row; these are names, which are not tested")


def numbers_as_text(distinct: Sequence[str]) -> bool:
    """Say whether different texts are measurements: many, numbers all, and some with a decimal part.

    Examples
    --------
    >>> numbers_as_text([f"{k}.5" for k in range(30)]), numbers_as_text([f"{k:05d}" for k in range(30)])
    (True, False)
    """
    return (
        len(distinct) > MOST_CODES
        and all(_NUMBER.fullmatch(text) for text in distinct)
        and any(_DECIMAL.search(text) for text in distinct)
    )


def _mixed(columns: Sequence[NDArray[Any]], name: str, weights: NDArray[np.intp] | None) -> Counted:
    """Count numbers and text side by side; a column that is constant says nothing beside others."""
    varying = [column for column in columns if (column != column[:1]).any()]
    if not varying:
        raise UntestableError(f"{name} is constant")
    return combine(*(count(column, name=name, weights=weights) for column in varying))


def tally(codes: NDArray[np.intp], weights: NDArray[np.intp] | None, size: int) -> NDArray[np.intp]:
    """Return how many people each code has, shape (size,)."""
    # floats hold whole numbers exactly up to 2^53 people
    return np.bincount(codes, weights, minlength=size).astype(np.intp)


def read(
    x: ArrayLike, y: ArrayLike, z: ArrayLike | None, nominal: Collection[str] = ()
) -> tuple[Counted, Counted, Counted | None]:
    """Count the variables of one test, which must have the same rows; ``nominal`` names those of numbers as codes."""
    if unknown := [name for name in nominal if name not in ("x", "y", "z")]:
        raise UntestableError(f"nominal names {unknown[0]!r}; it can name x, y and z")
    vx, vy = count(x, name="x", nominal="x" in nominal), count(y, name="y", nominal="y" in nominal)
    vz = None if z is None else count(z, name="z", nominal="z" in nominal)
    same_rows(vx, vy, vz)
    return vx, vy, vz


def _rows(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return the variable as floats or text, shape (n, d), or say what is wrong with it."""
    if array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise UntestableError(f"{name} has shape {array.shape}; give shape (n,) or (n, d)")
    rows = array if array.ndim == 2 else array[:, None]
    if rows.dtype.kind in "UT":
        return rows.astype(str)
    if rows.dtype.kind not in "biuf":
        raise UntestableError(f"{name} holds {rows.dtype} values; give numbers or text")
    rows = rows.astype(float)
    if not np.isfinite(rows).all():
        raise UntestableError(f"{name} holds missing or infinite values; drop those rows first")
    return rows


def _distinct(rows: NDArray[Any]) -> tuple[Any, NDArray[np.intp]]:
    """Return distinct rows and codes."""
    if rows.shape[1] == 1:
        values, codes = _levels(rows[:, 0])
        return values[:, None], codes
    codes, first = _combine(*(_levels(column)[1] for column in rows.T))
    return rows[first], codes


def _levels(column: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the distinct values in order, and the place of each row's among them; whole numbers need no sorting."""
    if column.dtype.kind != "f" or not _are_whole(column):
        values, codes = np.unique(column, return_inverse=True)
        return values, codes
    low = column.min()
    steps = (column - low).astype(np.intp)
    seen = np.bincount(steps) > 0
    return low + np.flatnonzero(seen), (np.cumsum(seen) - 1)[steps]


def _are_whole(column: NDArray[np.float64]) -> bool:
    """Say whether these are whole numbers that lie close together."""
    span = column.max() - column.min()
    return bool(span < len(column) and abs(column[0]) < 2**52 and (column == np.floor(column)).all())


def _combine(*codes: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return codes of the distinct combinations of several codes, and one row of each.

    Two at a time, because sorting whole rows is slow and one product of all sizes would overflow.
    """
    for own in codes:
        if own.max() + 1 == len(own):  # each row differs from every other here
            first = np.empty_like(own)
            first[own] = np.arange(len(own))
            return own, first
    key = codes[0]
    for more in codes[1:]:
        _, key = np.unique(key * (more.max() + 1) + more, return_inverse=True)
    _, first, joint = np.unique(key, return_index=True, return_inverse=True)
    return joint, first


def join(*variables: Counted) -> tuple[Counted, NDArray[np.intp]]:
    """Return the distinct combinations of several variables as one, without values, and one row of each."""
    weights = variables[0].weights
    codes, first = _combine(*(variable.codes for variable in variables))
    return Counted(None, codes, tally(codes, weights, len(first)), weights=weights), first


def combine(*variables: Counted) -> Counted:
    """Return several variables as one: numbers side by side, categories joined.

    Examples
    --------
    >>> both = combine(count([1, 1, 2, 2, 2]), count(["a", "b", "a", "a", "b"]))
    >>> both.values[:, 0].tolist(), both.labels.tolist(), both.counts.tolist()
    ([1.0, 1.0, 2.0, 2.0], [0, 1, 0, 1], [1, 1, 2, 1])
    """
    if len(variables) == 1:
        return variables[0]
    both, first = join(*variables)
    numbers = [v.values[v.codes[first]] for v in variables if v.values is not None]
    labels = [label[v.codes[first]] for v in variables if (label := _categories(v)) is not None]
    if not numbers:
        return both
    label = _combine(*labels)[0] if labels else None
    circle = all(variable.circle for variable in variables)
    return replace(both, values=np.hstack(numbers), labels=label, circle=circle)


def _categories(variable: Counted) -> NDArray[np.intp] | None:
    """Return the category of each distinct value, if it has one."""
    return np.arange(variable.size) if variable.values is None else variable.labels


def join_given(variable: Counted, z: Counted, name: str) -> tuple[Counted, NDArray[np.intp]]:
    """Join a variable with what is given, or say that it does not vary there."""
    both, first = join(variable, z)
    if both.size == z.size and 2 * z.size < z.n:  # not where each row has its own z, or a table is doubled
        raise DeterminedError(f"every value of z has one value of {name}; nothing varies within one", name)
    return both, first


def same_rows(x: Counted, y: Counted, z: Counted | None) -> None:
    """Say which variables differ in length."""
    if len(x.codes) != len(y.codes):
        raise UntestableError(f"x has {len(x.codes)} rows and y has {len(y.codes)}")
    if z is not None and len(z.codes) != len(x.codes):
        raise UntestableError(f"z has {len(z.codes)} rows and x has {len(x.codes)}")


def table(x: Counted, y: Counted) -> NDArray[np.intp]:
    """Return the contingency table, shape (a, b)."""
    return tally(x.codes * y.size + y.codes, x.weights, x.size * y.size).reshape(x.size, y.size)
