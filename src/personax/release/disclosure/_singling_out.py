"""Singling out: how many people of a table stand alone by one of its columns, by two or by three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import comb
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.labels import split_trait
from personax.release.disclosure._anonymity import equivalence
from personax.schema import Column

__all__ = ["SinglingOut", "can_be_known", "singling_out"]

MAX_COLUMNS: Final = 60
"""So many columns at most are looked at together: those of most values, which tell most people apart."""
MAX_CELLS: Final = 100_000_000
"""Threes of columns times people that are counted, in a second or two; of more, fewer columns are looked at."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SinglingOut:
    """People whom a table tells from all others.

    Parameters
    ----------
    people
        Rows.
    one, two, three
        People who are the only one with their value in some column, with their values in some two, in some three.
    smallest
        Column -> people of its rarest value; a missing value is one.
    compared
        Columns that were looked at two by two, and three by three.
    """

    people: int
    one: int
    two: int
    three: int
    smallest: Mapping[str, int]
    compared: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as protection.json holds them."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """A sentence for the dataset card."""
        return f"Counted in what leaves, over all {len(self.smallest)} columns beside the traits: {self.counts}."

    @property
    def counts(self) -> str:
        """The three numbers, and of how many columns where these are not all."""
        told = f"{self.one:,} of {self.people:,} people stand alone by one column, {self.two:,} by two"
        told += f" and {self.three:,} by three"
        pairs = zip(("two", "three"), self.compared, strict=True)
        cut = [f"{words} among the {many} of most values" for words, many in pairs if many < len(self.smallest)]
        return f"{told} ({', '.join(cut)})" if cut else told


def can_be_known(column: Column) -> bool:
    """Say whether somebody may know a column of a person: every one but estimates of traits, by role and name.

    Examples
    --------
    >>> [can_be_known(Column(name, "target", "ordinal")) for name in ("final_o", "medals")]
    [False, True]
    """
    estimate = column.role == "target" and (column.kind == "continuous" or split_trait(column.name) is not None)
    return column.role in ("feature", "target") and not estimate


def singling_out(frame: pl.DataFrame, columns: Sequence[str]) -> SinglingOut:
    """Count who stands alone by one column of a table, by two of them and by three.

    Parameters
    ----------
    frame
        One row a person, as it leaves; null, and NaN, is a value of its own.
    columns
        Columns that somebody may know of a person. Those with most values are looked at together: 60, and of many
        people fewer three by three.

    Examples
    --------
    >>> people = pl.DataFrame({"club": ["a", "a", "b", "b", "b"], "cups": [0, 0, 0, 0, 9]})
    >>> found = singling_out(people, ["club", "cups"])
    >>> found.one, found.two, found.three, found.smallest
    (1, 1, 1, {'club': 2, 'cups': 1})
    """
    codes = {name: equivalence(frame, [name]) for name in columns}
    sizes = {name: np.bincount(code) for name, code in codes.items()}
    alone = np.zeros(frame.height, dtype=bool)
    for name, code in codes.items():
        alone |= sizes[name][code] == 1
    one = int(alone.sum())
    most = sorted(codes, key=lambda name: -len(sizes[name]))[:MAX_COLUMNS]
    for a, b in combinations(most, 2):
        alone |= _alone(codes[a], codes[b])
    two = int(alone.sum())
    most_of_three = most[: _columns_in_threes(len(most), frame.height)]
    for (_, a), (at, b) in combinations(enumerate(most_of_three), 2):
        if alone.all():
            break
        both = np.unique(codes[a] * (int(codes[b].max()) + 1) + codes[b], return_inverse=True)[1]
        for c in most_of_three[at + 1 :]:
            alone |= _alone(both, codes[c])
    smallest = {name: int(size.min()) for name, size in sizes.items()} if frame.height else dict.fromkeys(columns, 0)
    compared = (len(most), len(most_of_three))
    return SinglingOut(frame.height, one, two, int(alone.sum()), smallest, compared)


def _columns_in_threes(columns: int, people: int) -> int:
    """Return of how many columns every three can be counted.

    Examples
    --------
    >>> [_columns_in_threes(columns, people) for columns, people in ((28, 2_800), (60, 100_000), (2, 10))]
    [28, 19, 2]
    """
    return next((many for many in range(columns, 2, -1) if comb(many, 3) * people <= MAX_CELLS), min(columns, 2))


def _alone(a: Ints, b: Ints) -> NDArray[np.bool_]:
    """Say of each row whether nobody else is alike in both."""
    many = int(b.max(initial=0)) + 1
    both = a * many + b
    if (int(a.max(initial=0)) + 1) * many > 8 * len(both):
        both = np.unique(both, return_inverse=True)[1]
    return np.asarray(np.bincount(both)[both] == 1)
