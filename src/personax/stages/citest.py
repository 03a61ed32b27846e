"""Our tests of independence as the searches for causal graphs ask them: over the columns of a table, given others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.discovery import CiTest, NothingVaries
from personax.errors import ComputationError, InputError, UntestableError
from personax.independence import TestResult, chisq, gsq, kci
from personax.schema import Kind

__all__ = ["TESTS", "ci_test"]

Values = NDArray[np.float64] | NDArray[np.str_]

TESTS: Mapping[str, Callable[..., TestResult]] = {"kci": kci, "chisq": chisq, "gsq": gsq}

MAX_LEVELS = 20
"""A continuous column with more distinct values is no set of categories."""


def ci_test(
    name: Literal["fisherz", "kci", "chisq", "gsq"],
    kinds: Mapping[str, Kind],
    periods: Mapping[str, float] | None = None,
) -> Literal["fisherz"] | CiTest:
    """Return a test as `personax.discovery.pc` and `personax.discovery.fci` take it.

    Rows with a missing value are left out test by test: only those that lack x, y or one of z.

    Parameters
    ----------
    name
        ``kci``, ``chisq`` or ``gsq``; ``fisherz`` is causal-learn's and returned as it is.
    kinds
        Column -> what its values mean. ``chisq`` and ``gsq`` take every value for a category.
    periods
        Length of one turn of the cyclic columns.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [0, 1] * 20, "b": ["x", "y"] * 20, "c": [1, 2, 3, 4] * 10})
    >>> test = ci_test("kci", {"a": "ordinal", "b": "nominal", "c": "ordinal"})
    >>> test.prepare(frame)(0, 1, ()) < 0.001
    True
    """
    if name == "fisherz":
        return name
    return CiTest(name, partial(_prepare, name=name, kinds=dict(kinds), periods=dict(periods or {})))


def _prepare(frame: pl.DataFrame, name: str, kinds: dict[str, Kind], periods: dict[str, float]) -> _Table:
    """Make the test ready for a table; a function of this module, so that it can be sent to another process."""
    whole = frame.with_columns(pl.selectors.float().fill_nan(None))
    if name != "kci":
        for series in whole:
            levels = series.drop_nulls().n_unique()
            if kinds[series.name] == "continuous" and levels > MAX_LEVELS:
                text = f"{name} needs categories and {series.name} has {levels:,} different numbers; use kci or fisherz"
                raise InputError(text)
    as_names = name != "kci"
    columns = [_values(series, "nominal" if as_names else kinds[series.name], periods) for series in whole]
    return _Table(name, whole, columns)


@dataclass(frozen=True)
class _Table:
    """A table ready for testing; calling it answers "x and y are independent given z" with a p-value."""

    test: str
    frame: pl.DataFrame
    columns: Sequence[Values]
    present: Sequence[NDArray[np.bool_]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "present", [series.is_not_null().to_numpy() for series in self.frame])

    def __call__(self, x: int, y: int, z: tuple[int, ...]) -> float:
        rows = np.logical_and.reduce([self.present[one] for one in (x, y, *z)])
        vx, vy, *given = (self.columns[one][rows] for one in (x, y, *z))
        # a column that is constant over these rows holds no condition
        varying = [values for values in given if len(np.unique(values, axis=0)) > 1]
        try:
            result = TESTS[self.test](vx, vy, _together(varying)) if varying else TESTS[self.test](vx, vy)
        except UntestableError as error:
            if z and self._nothing_varies(x, y, z):
                raise NothingVaries from None
            raise ComputationError(self._sentence(x, y, z, int(rows.sum()), error)) from None
        return result.p_value

    def _nothing_varies(self, x: int, y: int, z: tuple[int, ...]) -> bool:
        """Say whether x and y both vary in these rows, but no two rows that agree in z differ both in x and in y."""
        rows = self.frame.select(pl.nth(x).alias("x"), pl.nth(y).alias("y"), *(pl.nth(one) for one in z)).drop_nulls()
        if rows["x"].n_unique() < 2 or rows["y"].n_unique() < 2:
            return False
        both = pl.col("x").n_unique().gt(1) & pl.col("y").n_unique().gt(1)
        strata = rows.group_by(rows.columns[2:]).agg(both.alias("both"))
        # numbers that never repeat have no strata; a test given them failed for another reason
        numbers = any(self.columns[one].dtype.kind == "f" for one in z)
        return not strata["both"].any() and not (numbers and strata.height == rows.height)

    def _sentence(self, x: int, y: int, z: tuple[int, ...], rows: int, error: UntestableError) -> str:
        names = self.frame.columns
        given = f" given {', '.join(names[one] for one in z)}" if z else ""
        return f"{self.test} cannot test {names[x]} and {names[y]}{given} on {rows} rows: {error}; leave one out"


def _values(series: pl.Series, kind: Kind, periods: Mapping[str, float]) -> Values:
    """Return a column as the tests take it: text, numbers, or points of a circle; a missing value holds filler."""
    number = series.dtype.is_numeric() or series.dtype == pl.Boolean
    if kind == "nominal" or not number:
        if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
            raise InputError(f"{series.name} holds {series.dtype} values, which cannot be tested; leave it out")
        return series.cast(pl.String).fill_null("").to_numpy().astype(str)
    numbers = series.cast(pl.Float64).fill_null(0).to_numpy()
    if not np.isfinite(numbers).all():
        raise InputError(f"{series.name} holds infinite values; leave those rows out")
    if kind != "cyclic":
        return numbers
    angle = 2 * np.pi * np.mod(numbers, periods[series.name]) / periods[series.name]
    return np.round(np.column_stack([np.cos(angle), np.sin(angle)]), 12)  # so that values a turn apart meet again


def _together(given: Sequence[Values]) -> Any:  # noqa: ANN401 - an array of text or of floats
    """Return z as one array, all text or all numbers; where both occur, each name becomes a column of 0 and 1."""
    if all(values.dtype.kind == "U" for values in given):
        return np.column_stack(given)
    return np.column_stack([_indicators(values) if values.dtype.kind == "U" else values for values in given])


def _indicators(names: Values) -> NDArray[np.float64]:
    return np.equal(names[:, None], np.unique(names)[None, :]).astype(np.float64)
