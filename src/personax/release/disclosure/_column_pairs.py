"""Levels of columns joined until nobody stands alone by two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.release.disclosure._anonymity import equivalence
from personax.release.disclosure._rare_values import OTHER

__all__ = ["join_alone_in_pairs"]

MAX_EMPTY: Final = 0.1
"""A column is taken out rather than emptied of more people."""

Ints = NDArray[np.int64]
Alone = Mapping[tuple[str, str], Ints]
"""Two columns -> rows that nobody else is alike in both."""


@dataclass
class _Levels:
    """A column as levels: the level of each row, the value of each level; ``empty`` is the level of missing cells."""

    name: str
    codes: Ints
    values: list[Any]
    ordered: bool
    empty: int | None
    changed: bool = False

    @property
    def sizes(self) -> Ints:
        return np.bincount(self.codes, minlength=len(self.values))

    @property
    def known(self) -> list[int]:
        """Levels that somebody has, without the missing one, in order."""
        sizes = self.sizes
        return [level for level in range(len(self.values)) if sizes[level] and level != self.empty]

    def join(self, level: int) -> None:
        """Join a level with the smaller of its neighbours; of categories, with ``other`` or with the rarest."""
        sizes, known = self.sizes, self.known
        place = known.index(level)
        near = [known[at] for at in (place - 1, place + 1) if 0 <= at < len(known)]
        if not self.ordered:
            near = [one for one in known if self.values[one] == OTHER and one != level] or [
                one for one in known if one != level
            ]
        with_ = min(near, key=lambda one: (int(sizes[one]), one))
        kept = max(level, with_, key=lambda one: int(sizes[one]))
        self.codes = np.where(np.isin(self.codes, [level, with_]), kept, self.codes)
        if not self.ordered:
            self.values[kept] = OTHER
        self.changed = True

    def series(self, dtype: pl.DataType) -> pl.Series:
        """Return the values; text where something of a category is joined."""
        kept: Any = dtype if self.ordered else pl.String
        shown = [value if self.ordered or value is None else str(value) for value in self.values]
        return pl.Series(self.name, [shown[level] for level in self.codes.tolist()], dtype=kept, strict=False)


def join_alone_in_pairs(
    frame: pl.DataFrame,
    own: Sequence[str],
    fixed: Sequence[str],
    ordered: Sequence[str],
    order: NDArray[np.intp],
    *,
    below: int = 1,
) -> tuple[pl.DataFrame, Mapping[str, int]]:
    """Join levels until nobody has two columns' values alone.

    Parameters
    ----------
    frame
        One row a person.
    own
        Columns of few values, whose levels may be joined. One of which a single value is left is taken out.
    fixed
        Columns that stay, and that somebody may know beside one of the others.
    ordered
        Of `own`, those of numbers: a level joins its neighbour. In others it becomes ``other``.
    order
        Rows in random order, which nobody outside can know; further cells are emptied in it.
    below
        The least number of people that a value keeps when cells are emptied.

    Returns
    -------
    frame
        Without the columns of which nothing is left.
    dict
        Column that changed -> people whose value is another one now, or has gone.

    Notes
    -----
    Greedy: the level is joined next that most people stand alone in, for its size, and a column is taken out only
    where no level can be joined. A missing cell is a value too: beside one that
    stands alone another is emptied, of up to a tenth of the people.

    Examples
    --------
    >>> people = pl.DataFrame({"cups": [0] * 9 + [1] * 8 + [2] * 5, "club": ["a"] * 17 + ["b"] * 4 + ["a"]})
    >>> frame, changed = join_alone_in_pairs(people, ["cups"], ["club"], ["cups"], np.arange(22))
    >>> frame["cups"].unique().sort().to_list(), dict(changed)
    ([0, 1], {'cups': 5})
    """
    columns = {name: _levels(frame[name], name in ordered) for name in own}
    others = {name: equivalence(frame, [name]) for name in fixed}

    def codes(name: str) -> Ints:
        return others[name] if name in others else columns[name].codes

    pairs = [*combinations(own, 2), *((a, b) for a in own for b in fixed)]
    alone = {(a, b): _alone(codes(a), codes(b)) for a, b in pairs}
    while any(len(rows) for rows in alone.values()):
        name = _hide_empty_half(alone, columns, codes, order, below) or _join_level(alone, columns)
        for pair in [pair for pair in alone if name in pair]:
            if name in columns:
                alone[pair] = _alone(codes(pair[0]), codes(pair[1]))
            else:
                del alone[pair]
    return _written(frame, columns, own)


def _hide_empty_half(
    alone: Alone, columns: dict[str, _Levels], codes: Callable[[str], Ints], order: NDArray[np.intp], below: int
) -> str:
    """Empty one more cell where a missing value and that of another column are of one person; return the column."""
    for pair, rows in alone.items():
        for name, other in (pair, pair[::-1]):
            column = columns.get(name)
            if column is None or column.empty is None:
                continue
            marked = rows[column.codes[rows] == column.empty]
            if not len(marked):
                continue
            alike = (codes(other) == codes(other)[marked[0]]) & (column.codes != column.empty)
            alike &= column.sizes[column.codes] > below
            if not alike.any() or column.sizes[column.empty] > MAX_EMPTY * len(order):
                del columns[name]
            else:
                column.codes = column.codes.copy()
                column.codes[order[alike[order]][0]] = column.empty
                column.changed = True
            return name
    return ""


def _join_level(alone: Alone, columns: dict[str, _Levels]) -> str:
    """Join the level that most people stand alone in, for its size; return the column."""
    tally: Counter[tuple[str, int]] = Counter()
    for pair, rows in alone.items():
        for name in pair:
            if name in columns:
                tally.update((name, level) for level in columns[name].codes[rows].tolist())

    def worth(its: tuple[str, int]) -> tuple[bool, float, tuple[str, int]]:
        return len(columns[its[0]].known) > 2, tally[its] / int(columns[its[0]].sizes[its[1]]), its

    name, level = max(tally, key=worth)
    if len(columns[name].known) > 2:
        columns[name].join(level)
    else:
        del columns[name]
    return name


def _levels(series: pl.Series, ordered: bool) -> _Levels:
    held = series.fill_nan(None) if series.dtype.is_float() else series
    values = held.unique().sort(nulls_last=True).to_list()
    index = {value: at for at, value in enumerate(values)}
    codes = np.array([index[value] for value in held.to_list()], dtype=np.int64)
    return _Levels(series.name, codes, values, ordered, index.get(None))


def _alone(a: Ints, b: Ints) -> Ints:
    """Return the rows that nobody else is alike in both columns."""
    both = a * (int(b.max(initial=0)) + 1) + b
    return np.flatnonzero(np.bincount(both)[both] == 1)


def _written(
    frame: pl.DataFrame, columns: Mapping[str, _Levels], own: Sequence[str]
) -> tuple[pl.DataFrame, Mapping[str, int]]:
    changed: dict[str, int] = {}
    made = []
    for name in own:
        if name not in columns:
            changed[name] = frame.height
        elif columns[name].changed:
            new = columns[name].series(frame[name].dtype)
            same = new.cast(pl.String).eq_missing(frame[name].cast(pl.String))
            changed[name] = int((~same).sum())
            made.append(new)
    gone = [name for name in own if name not in columns]
    return frame.with_columns(made).drop(gone), changed
