"""What counting leaves of a table, whichever parts it came in: distinct rows and how many people have each.

    state = count(part, sets) + count(another_part, sets)
    screen(state, features, targets)

Counts are whole numbers and are kept in the order of the values, so that every test has the same p-value to the last
bit for any split of the rows into parts, counted anywhere.

Numbers of which there are more than `MAX_DISTINCT` different ones are rounded down to multiples of a power of two, the
smallest of which leaves at most `CELLS`. Rounding to 2^k and then to 2^(k+1) is rounding to 2^(k+1), and no part needs
a coarser step than the whole: so the step, too, is the same for any split. The middle of a step stands for what is in
it, and with so many steps p moves in its seventh digit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from personax.data.frames import read_ipc, write_ipc
from personax.engine import find_engine
from personax.errors import InputError
from personax.independence._frames import Frame, as_frame, whole_weights
from personax.independence._parts import DataSet, FilePart
from personax.strict import nearest

__all__ = ["WEIGHT", "State", "count", "count_each"]

WEIGHT = "number of rows"
"""Column of a counted table: how many rows of the data each of its rows stands for."""

MAX_DISTINCT = 2_000_000
"""More different values of one column than this are not kept apart: they would not fit in memory."""

CELLS = 200_000
"""Steps that are left where there are more."""

HELD: Final = 4_000_000
"""Distinct rows, of all sets together, that are held in memory while files are counted; more lie in a folder that goes
with the run."""

BATCH: Final = 1_000_000
"""Rows of a stream that are counted together."""

Columns = tuple[str, ...]
"""A set of columns that are counted together."""


@dataclass(frozen=True, eq=False)
class Distinct:
    """The distinct rows of a set of columns.

    Parameters
    ----------
    rows
        In the order of their values, with `WEIGHT`.
    steps
        Column -> k, where its values are rounded down to multiples of 2^k.
    names
        Columns of texts with more than `MAX_DISTINCT` values; then there are no rows.
    """

    rows: pl.DataFrame
    steps: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def __add__(self, other: Distinct) -> Distinct:
        columns = [name for name in self.rows.columns if name != WEIGHT]
        if names := tuple(dict.fromkeys((*self.names, *other.names))):
            return Distinct(self.rows.clear(), {}, names)
        steps = {
            name: max(one.steps[name] for one in (self, other) if name in one.steps)
            for name in columns
            if name in self.steps or name in other.steps
        }
        parts = [_rounded(one.rows, steps) for one in (self, other)]
        return _bounded(pl.concat(parts, how="vertical_relaxed"), columns, steps)

    @property
    def columns(self) -> list[str]:
        """The columns that were counted."""
        return [name for name in self.rows.columns if name != WEIGHT]

    def over(self, columns: Sequence[str]) -> Distinct:
        """Return the distinct rows of some of the columns."""
        if list(columns) == self.columns:
            return self
        steps = {name: step for name, step in self.steps.items() if name in columns}
        names = tuple(name for name in self.names if name in columns)
        return Distinct(_tallied(self.rows, columns), steps, names)

    def middles(self) -> pl.DataFrame:
        """Return the rows with the middle of a step for the values in it."""
        return _changed(self.rows, {name: partial(_middle, step=step) for name, step in self.steps.items()})


def _tallied(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    return rows.group_by(columns).agg(pl.col(WEIGHT).sum()).sort(columns)


def _bounded(rows: pl.DataFrame, columns: Sequence[str], steps: Mapping[str, int]) -> Distinct:
    """Add up rows that are the same; round a column with too many values, or name it where it holds text."""
    whole = _tallied(rows, columns)
    if whole.height <= CELLS:
        return Distinct(whole, dict(steps))
    steps, names = dict(steps), []
    for name in columns:
        limit = CELLS if name in steps else MAX_DISTINCT
        if whole.height <= limit or whole[name].n_unique() <= limit:
            continue
        if whole[name].dtype.is_numeric() or whole[name].dtype.is_temporal():
            steps[name] = _step(whole.select(_number(name, whole.schema)).to_series(), steps.get(name))
        else:
            names.append(name)
    if names:
        return Distinct(whole.clear(), {}, tuple(names))
    return Distinct(_tallied(_rounded(whole, steps), columns), steps)


def _step(values: pl.Series, known: int | None) -> int:
    """Return the smallest k for which multiples of 2^k tell at most `CELLS` values apart."""
    values = values.filter(values.is_finite().fill_null(value=False)).unique()
    largest = int(np.frexp(np.abs(values.to_numpy()).max())[1])
    low, high = max(largest - 1000, -1000) if known is None else known, largest + 1
    while low < high:
        middle = (low + high) // 2
        if (values / 2.0**middle).floor().n_unique() <= CELLS:
            high = middle
        else:
            low = middle + 1
    return low


def _rounded(rows: pl.DataFrame, steps: Mapping[str, int]) -> pl.DataFrame:
    """Round columns down to multiples of their steps; exactly, since these are powers of two."""
    return _changed(rows, {name: partial(_down, step=step) for name, step in steps.items()})


def _down(number: pl.Expr, step: int) -> pl.Expr:
    return (number / 2.0**step).floor() * 2.0**step


def _middle(number: pl.Expr, step: int) -> pl.Expr:
    return number + 2.0 ** (step - 1)


def _number(name: str, schema: pl.Schema) -> pl.Expr:
    """Return a column as numbers; dates and times count from 1970."""
    column = pl.col(name)
    return (column.to_physical() if schema[name].is_temporal() else column).cast(pl.Float64)


def _changed(rows: pl.DataFrame, changes: Mapping[str, Callable[[pl.Expr], pl.Expr]]) -> pl.DataFrame:
    """Return the rows with some numbers changed; what was a date or a time is one again."""
    schema = rows.schema
    changed = {name: change(_number(name, schema)) for name, change in changes.items()}
    return rows.with_columns(
        (expr.cast(pl.Int64).cast(schema[name]) if schema[name].is_temporal() else expr).alias(name)
        for name, expr in changed.items()
    )


@dataclass(frozen=True, eq=False)
class State:
    """What counting leaves of a table; `count` makes one, and states of parts add up.

    Parameters
    ----------
    sets
        Columns that were counted together -> their distinct rows.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [0, 1, 1, 0], "b": ["u", "v", "u", "u"]})
    >>> state = count(frame[:1], ["a", "b"]) + count(frame[1:], ["a", "b"])
    >>> state.counts(["b"]).rows()
    [('u', 3), ('v', 1)]
    """

    sets: Mapping[Columns, Distinct]

    def __add__(self, other: State) -> State:
        if not isinstance(other, State):
            raise InputError(f"a {type(other).__name__} is no state; count it first")
        if self.sets.keys() != other.sets.keys():
            raise InputError("the states are not of the same sets of columns; count all parts with the same sets")
        for key, one in self.sets.items():
            _check_types(one.rows.schema, other.sets[key].rows.schema)
        return State({key: one + other.sets[key] for key, one in self.sets.items()})

    def __radd__(self, other: object) -> State:
        """Let ``sum(states)`` begin at 0."""
        return self if other == 0 else NotImplemented

    def __repr__(self) -> str:
        told = ", ".join(f"{' x '.join(key)}: {one.rows.height:,} distinct rows" for key, one in self.sets.items())
        return f"State({told})"

    @property
    def columns(self) -> list[str]:
        """The columns that were counted."""
        return list(dict.fromkeys(name for key in self.sets for name in key))

    @property
    def steps(self) -> dict[str, float]:
        """Columns whose values were rounded, and to multiples of what."""
        return {name: 2.0**step for one in self.sets.values() for name, step in one.steps.items()}

    def counts(self, columns: Sequence[str]) -> pl.DataFrame:
        """Return the distinct rows of some columns in the order of their values, with their `WEIGHT`.

        Raises
        ------
        InputError
            Columns that were not counted together, or a text of more than two million values.
        """
        found = self.distinct(columns)
        if found.names:
            raise InputError(f"{too_many(found.names[0])}; leave it out")
        return found.middles()

    def distinct(self, columns: Sequence[str]) -> Distinct:
        """Return the distinct rows of some columns, with what was rounded."""
        for key in sorted(self.sets, key=len):
            if set(columns) <= set(key):
                return self.sets[key].over(columns)
        known = self.columns
        if unknown := [name for name in columns if name not in known]:
            raise InputError(f"the state has no column {unknown[0]}, {nearest(unknown[0], known)}")
        told = ", ".join(columns)
        raise InputError(f"{told} were not counted together; count every part with a set that holds them all")

    def where(self, column: str, value: object) -> State:
        """Return the counts of the people who have a value of one column; sets without it are dropped."""
        kept = {key: one for key, one in self.sets.items() if column in key}
        return State({
            key: Distinct(one.rows.filter(pl.col(column) == value), one.steps, one.names) for key, one in kept.items()
        })  # fmt: skip


def _check_types(one: pl.Schema, other: pl.Schema) -> None:
    """Refuse numbers and text in one column, which a concatenation would make text of."""
    for name, kind in one.items():
        both = {kind, other[name]} - {pl.Null()}
        if len(both) > 1 and not all(each.is_numeric() for each in both):
            raise InputError(f"the parts hold values of other types: {name} is {kind} and {other[name]}; give the same")


def too_many(name: str) -> str:
    """Say that a column of text has too many values."""
    return f"{name} has more than {MAX_DISTINCT:,} different texts, which are names"


def count(
    part: Any,  # noqa: ANN401 - any table
    sets: Sequence[str] | Sequence[Sequence[str]],
    *,
    weight: str | None = None,
    jobs: int | None = None,
) -> State:
    """Count the rows of a part of a table; states add up.

    Parameters
    ----------
    part
        Any table of `personax.independence.screen`: in memory, a polars LazyFrame or a relation of DuckDB, which are
        read in batches, or Parquet files, which are counted by the workers of the engine.
    sets
        Sets of columns whose distinct rows are kept, or one set: all columns of a causal search; feature, target
        and given columns of each test of a grid.
    weight
        A column of whole numbers that says how many people a row stands for.
    jobs
        Of Parquet files, as for `personax.engine.find_engine`.

    Raises
    ------
    InputError
        A table that cannot be read, a column that is not there.

    Notes
    -----
    Memory is that of the distinct rows of all sets. Numbers of more than two million different values are rounded (see
    `State.steps`), which the row of a test says under ``details``; texts of as many are not tested.

    Examples
    --------
    >>> from personax.independence import count, screen
    >>> frame = pl.DataFrame({"a": [0, 1] * 50, "b": [1, 2, 3, 4] * 25})
    >>> state = sum(count(part, ["a", "b"]) for part in (frame[:30], frame[30:]))
    >>> screen(state, ["a"], ["b"], tests=["chisq"])["p_value"][0] < 1e-6
    True
    """
    names = [name for name in sets if isinstance(name, str)]
    keys = [tuple(dict.fromkeys(one)) for one in ([names] if names else sets)]
    if isinstance(sets, str) or (names and len(names) < len(sets)) or not all(keys) or not keys:
        raise InputError("sets names no column; give a list of columns, or a list of such lists")
    return State(dict(zip(keys, count_each(as_frame(part), keys, weight, jobs), strict=True)))


def count_each(
    table: Frame, sets: Sequence[Columns], weight: str | None, jobs: int | None = None
) -> Iterator[Distinct]:
    """Yield the distinct rows of each set, in their order; one pass over the table counts them all.

    A part is read by whoever counts it, and only counts travel. Memory holds a million rows a worker, and counts of
    four million distinct rows; it does not grow with the data.
    """
    _check_columns(table, sets, weight)
    with tempfile.TemporaryDirectory(prefix="personax-") as folder:
        counts = _Counts(sets, Path(folder))
        for found in _counted_parts(table, sets, weight, jobs):
            counts.add(found)
        for place in range(len(sets)):
            yield counts.of(place)


def _check_columns(table: Frame, sets: Sequence[Columns], weight: str | None) -> None:
    schema = table.collect_schema()
    known = schema.names()
    wanted = dict.fromkeys([*(name for one in sets for name in one), *([weight] if weight else [])])
    if absent := [name for name in wanted if name not in known]:
        raise InputError(f"the table has no column {absent[0]}, {nearest(absent[0], known)}")
    if WEIGHT in wanted:
        raise InputError(f"a column is called {WEIGHT!r}, as the counts are; rename it")
    if odd := [name for name in wanted if schema[name].is_nested() or schema[name] in (pl.Object, pl.Binary)]:
        raise InputError(f"{odd[0]} holds {schema[odd[0]]} values, which cannot be counted; give numbers or text")


def _counted_parts(
    table: Frame, sets: Sequence[Columns], weight: str | None, jobs: int | None
) -> Iterator[list[Distinct]]:
    names = list(dict.fromkeys([*(name for one in sets for name in one), *([weight] if weight else [])]))
    if isinstance(table, DataSet):
        shared = _Counting(table, sets, weight, names)
        for _, found in find_engine("processes", jobs).map(_count_part, table.parts, shared=shared):
            yield found
        table.check_unchanged()
    elif isinstance(table, pl.DataFrame):
        yield _count(table, sets, weight)
    else:
        batches = table.select(names).collect_batches(chunk_size=BATCH, maintain_order=False)
        yield from map(partial(_count, sets=sets, weight=weight), batches)


@dataclass(frozen=True)
class _Counting:
    """What every worker needs."""

    data: DataSet
    sets: Sequence[Columns]
    weight: str | None
    names: Sequence[str]


def _count_part(counting: _Counting, part: FilePart) -> list[Distinct]:
    """Return the distinct rows of every set in a part of the files."""
    found: list[Distinct] = []
    for chunk in counting.data.chunks(part, counting.names):
        these = _count(chunk, counting.sets, counting.weight)
        found = [one + other for one, other in zip(found, these, strict=True)] if found else these
    return found


def _count(chunk: pl.DataFrame, sets: Sequence[Columns], weight: str | None) -> list[Distinct]:
    people = pl.lit(1, pl.Int64) if weight is None else pl.Series(whole_weights(chunk[weight]), dtype=pl.Int64)
    plain = chunk.with_columns(pl.selectors.categorical().cast(pl.String), pl.selectors.enum().cast(pl.String))
    return [_bounded(plain.select(*columns, people.alias(WEIGHT)), columns, {}) for columns in sets]


class _Counts:
    """The counts of all sets; what is too large for memory lies in a folder, set by set."""

    def __init__(self, sets: Sequence[Columns], folder: Path) -> None:
        self.sets, self.folder = sets, folder
        self.held: list[list[Distinct]] = [[] for _ in sets]
        self.spilled: list[list[tuple[Path, Distinct]]] = [[] for _ in sets]

    def add(self, counts: Iterable[Distinct]) -> None:
        """Take the counts of a part."""
        for held, one in zip(self.held, counts, strict=True):
            held.append(one)
        if self._rows() > HELD:
            for place in range(len(self.sets)):
                self._compact(place)
        if self._rows() > HELD // 2:
            for place in range(len(self.sets)):
                self._spill(place)

    def _rows(self) -> int:
        return sum(one.rows.height for held in self.held for one in held)

    def _compact(self, place: int) -> None:
        if len(self.held[place]) > 1:
            self.held[place] = [_sum(self.held[place])]

    def _spill(self, place: int) -> None:
        for one in self.held[place]:
            path = self.folder / f"{place}-{len(self.spilled[place])}.arrow"
            write_ipc(one.rows, path)
            self.spilled[place].append((path, Distinct(one.rows.clear(), one.steps, one.names)))
        self.held[place] = []

    def of(self, place: int) -> Distinct:
        """Return the distinct rows of one set, in the order of their values."""
        for path, one in self.spilled[place]:
            self.held[place].append(Distinct(read_ipc(path), one.steps, one.names))
            self._compact(place)
        return _sum(self.held[place])


def _sum(counts: Sequence[Distinct]) -> Distinct:
    """Add counts up, all at once where nothing was rounded."""
    if len(counts) == 1:
        return counts[0]
    if any(one.steps or one.names for one in counts):
        first, *rest = counts
        for one in rest:
            first += one
        return first
    rows = pl.concat([one.rows for one in counts], how="vertical_relaxed")
    return _bounded(rows, counts[0].columns, {})
