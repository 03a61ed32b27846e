"""Singling out: how many people of a table stand alone by one of its columns, or by two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.labels import split_trait
from personax.release.disclosure._anonymity import equivalence
from personax.schema import Column

__all__ = ["SinglingOut", "can_be_known", "singling_out"]

MAX_COLUMNS: Final = 60
"""So many columns at most are looked at two by two: those of most values, which tell most people apart."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SinglingOut:
    """People whom a table tells from all others.

    Parameters
    ----------
    people
        Rows.
    one, two
        People who are the only one with their value in some column, or with their values in some two.
    smallest
        Column -> people of its rarest value; a missing value is one.
    """

    people: int
    one: int
    two: int
    smallest: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as protection.json holds them."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """A sentence for the dataset card."""
        return (
            f"Counted in what leaves, over all {len(self.smallest)} columns beside the traits: {self.one:,} of "
            f"{self.people:,} people stand alone by one column, and {self.two:,} by two."
        )


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
    """Count who stands alone by one column of a table, and by two of them.

    Parameters
    ----------
    frame
        One row a person, as it leaves; null, and NaN, is a value of its own.
    columns
        Columns that somebody may know of a person. Of more than 60, pairs are made of those with most values.

    Examples
    --------
    >>> people = pl.DataFrame({"club": ["a", "a", "b", "b", "b"], "cups": [0, 0, 0, 0, 9]})
    >>> found = singling_out(people, ["club", "cups"])
    >>> found.one, found.two, found.smallest
    (1, 1, {'club': 2, 'cups': 1})
    """
    codes = {name: equivalence(frame, [name]) for name in columns}
    sizes = {name: np.bincount(code) for name, code in codes.items()}
    alone = np.zeros(frame.height, dtype=bool)
    for name, code in codes.items():
        alone |= sizes[name][code] == 1
    one = int(alone.sum())
    most = sorted(codes, key=lambda name: -len(sizes[name]))[:MAX_COLUMNS]
    for a, b in combinations(most, 2):
        alone |= _alone(codes[a], codes[b], len(sizes[b]))
    return SinglingOut(frame.height, one, int(alone.sum()), {name: int(size.min()) for name, size in sizes.items()}
                       if frame.height else dict.fromkeys(columns, 0))  # fmt: skip


def _alone(a: Ints, b: Ints, many: int) -> NDArray[np.bool_]:
    _, back, counts = np.unique(a * many + b, return_inverse=True, return_counts=True)
    return np.asarray(counts[back] == 1)
