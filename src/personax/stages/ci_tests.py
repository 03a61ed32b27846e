"""Our tests of independence as the searches for causal graphs ask them: over the columns of a table, given others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Literal
from zlib import crc32

import numpy as np
import polars as pl

from personax.discovery import CiTest, NothingVaries
from personax.errors import ComputationError, InputError, UntestableError
from personax.independence import MAX_LEVELS, ColumnPair, Given, TestedColumn, find_test
from personax.schema import Kind

__all__ = ["ci_test"]


def ci_test(
    name: str,
    kinds: Mapping[str, Kind],
    periods: Mapping[str, float] | None = None,
    *,
    seed: int = 0,
) -> Literal["fisherz"] | CiTest:
    """Return a test as `personax.discovery.pc` and `personax.discovery.fci` take it.

    Rows with a missing value are left out test by test: only those that lack x, y or one of z.

    Parameters
    ----------
    name
        A registered test that runs with and without z, such as ``kci``, ``chisq`` or ``gsq``; ``fisherz`` is
        causal-learn's and returned as it is.
    kinds
        Column -> what its values mean. Tests of categories take every value for one.
    periods
        Length of one turn of the cyclic columns.
    seed
        Of tests that draw random numbers: each question has its own stream, whatever else is asked.

    Raises
    ------
    InputError
        When there is no such test, or it cannot run both with and without z.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [0, 1] * 20, "b": ["x", "y"] * 20, "c": [1, 2, 3, 4] * 10})
    >>> test = ci_test("kci", {"a": "ordinal", "b": "nominal", "c": "ordinal"})
    >>> test.prepare(frame)(0, 1, ()) < 0.001
    True
    """
    if name == "fisherz":
        return "fisherz"
    if find_test(name).given != "either":
        raise InputError(f"{name} does not run both with and without given columns, as a search must; choose kci")
    return CiTest(name, partial(_prepare, name=name, kinds=dict(kinds), periods=dict(periods or {}), seed=seed))


def _prepare(frame: pl.DataFrame, name: str, kinds: dict[str, Kind], periods: dict[str, float], seed: int) -> _Table:
    """Make the test ready for a table; a function of this module, so that it can be sent to another process."""
    whole = frame.with_columns(pl.selectors.float().fill_nan(None))
    categories = find_test(name).categories
    if categories:
        for series in whole:
            levels = series.drop_nulls().n_unique()
            if kinds[series.name] == "continuous" and levels > MAX_LEVELS:
                text = f"{name} needs categories and {series.name} has {levels:,} different numbers; use kci or fisherz"
                raise InputError(text)
    for series in whole:
        if series.dtype.is_float() and series.is_infinite().any():
            raise InputError(f"{series.name} holds infinite values; leave those rows out")
        if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
            raise InputError(f"{series.name} holds {series.dtype} values, which cannot be tested; leave it out")
    columns = [TestedColumn(s, _kind(s, kinds[s.name], categories=categories), periods.get(s.name)) for s in whole]
    return _Table(name, whole, columns, seed)


def _kind(series: pl.Series, kind: Kind, *, categories: bool) -> Kind:
    """Return what a column is to a test: categories to a test of tables, and text whatever it is called."""
    number = series.dtype.is_numeric() or series.dtype == pl.Boolean
    return kind if number and not categories else "nominal"


@dataclass(frozen=True)
class _Table:
    """A table ready for testing; calling it answers "x and y are independent given z" with a p-value."""

    test: str
    frame: pl.DataFrame
    columns: Sequence[TestedColumn]
    seed: int

    @cached_property
    def _given(self) -> Callable[[tuple[int, ...]], Given]:
        """What was given before: a search asks about many pairs given the same columns."""
        return lru_cache(maxsize=256)(lambda z: Given([self.columns[one] for one in z]))

    def __call__(self, x: int, y: int, z: tuple[int, ...]) -> float:
        rows = np.logical_and.reduce([self.columns[one].present for one in (x, y, *z)])
        # a column that is constant over these rows holds no condition
        varying = tuple(one for one in z if self.frame.to_series(one).filter(rows).n_unique() > 1) if z else ()
        try:
            given = self._given(varying).over(rows) if varying else None
            # a search looks at p-values alone
            pair = ColumnPair(self.columns[x].over(rows), self.columns[y].over(rows), given, with_effect=False)
            test = find_test(self.test)
            return test.run(pair, self._rng(x, y, z), **test.search).p_value
        except UntestableError as error:
            if z and self._nothing_varies(x, y, z):
                raise NothingVaries from None
            raise ComputationError(self._sentence(x, y, z, int(rows.sum()), error)) from None

    def _rng(self, x: int, y: int, z: tuple[int, ...]) -> np.random.Generator:
        names = [crc32(self.columns[one].name.encode()) for one in (x, y, *z)]
        return np.random.default_rng([self.seed, *names])

    def _nothing_varies(self, x: int, y: int, z: tuple[int, ...]) -> bool:
        """Say whether x and y both vary in these rows, but no two rows that agree in z differ both in x and in y."""
        rows = self.frame.select(pl.nth(x).alias("x"), pl.nth(y).alias("y"), *(pl.nth(one) for one in z)).drop_nulls()
        if rows["x"].n_unique() < 2 or rows["y"].n_unique() < 2:
            return False
        both = pl.col("x").n_unique().gt(1) & pl.col("y").n_unique().gt(1)
        strata = rows.group_by(rows.columns[2:]).agg(both.alias("both"))
        # numbers that never repeat have no strata; a test given them failed for another reason
        numbers = any(self.columns[one].kind != "nominal" for one in z)
        return not strata["both"].any() and not (numbers and strata.height == rows.height)

    def _sentence(self, x: int, y: int, z: tuple[int, ...], rows: int, error: UntestableError) -> str:
        names = self.frame.columns
        given = f" given {', '.join(names[one] for one in z)}" if z else ""
        return f"{self.test} cannot test {names[x]} and {names[y]}{given} on {rows} rows: {error}; leave one out"
