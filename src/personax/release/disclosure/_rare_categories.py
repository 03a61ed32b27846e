"""Rare categories: of fewer people than a limit, they leave together as one category, ``other``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from personax.errors import InputError

__all__ = ["OTHER", "Merged", "by_rarity", "merge_rare", "rarest"]

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Merged:
    """The number of categories of a column that left as ``other``, and of their people; never which.

    Parameters
    ----------
    column
        Its name.
    categories, people
        Merged, and how many people they have together.
    withheld
        True where all of these together have too few people; then their values are missing.
    """

    column: str
    categories: int
    people: int
    withheld: bool = False


def merge_rare(frame: pl.DataFrame, names: Iterable[str], below: int) -> tuple[pl.DataFrame, list[Merged]]:
    """Replace the categories of fewer than ``below`` people by ``other``, column by column.

    Parameters
    ----------
    frame
        One row a person.
    names
        Nominal columns. One that is not text becomes text where something in it is merged.
    below
        The least number of people that a category, and ``other`` itself, may have.

    Returns
    -------
    frame
        Nulls stay null.
    list of Merged
        One for each column that changed.

    Raises
    ------
    InputError
        When ``below`` is less than 1.

    Notes
    -----
    Where the rare categories together still have fewer than ``below`` people, theirs are missing: a large category is
    never drawn into ``other`` to hide three people. A category that is called ``other`` already takes the rare ones in.

    Examples
    --------
    >>> merge_rare(pl.DataFrame({"job": ["a"] * 5 + ["b"] * 3 + ["c"]}), ["job"], 4)[1]
    [Merged(column='job', categories=2, people=4, withheld=False)]
    """
    if below < 1:
        raise InputError(f"categories of fewer than {below} people cannot be merged; give a number of at least 1")
    merged = []
    for name in names:
        texts = frame[name].cast(pl.String)
        counts = dict(texts.drop_nulls().value_counts().iter_rows())
        pool = rarest(counts, below)
        if not pool:
            continue
        people = sum(counts[value] for value in pool)
        withheld = people < below
        merged.append(Merged(name, len(pool), people, withheld))
        made = pl.when(pl.col(name).is_in(pool)).then(pl.lit(None if withheld else OTHER)).otherwise(pl.col(name))
        frame = frame.with_columns(texts).with_columns(made.cast(pl.String).alias(name))
    return frame, merged


def by_rarity(counts: Mapping[str, int]) -> list[str]:
    """Return categories, the rarest first, by name where two are as rare; ``other`` before all."""
    return sorted(counts, key=lambda value: (value != OTHER, counts[value], value))


def rarest(counts: Mapping[str, int], below: int) -> list[str]:
    """Return the categories of fewer than ``below`` people, and ``other`` with them where there is one.

    Examples
    --------
    >>> rarest({"a": 9, "b": 3, "c": 1}, 2), rarest({"a": 9, "other": 9, "c": 1}, 2), rarest({"a": 9, "other": 9}, 2)
    (['c'], ['other', 'c'], [])
    """
    rare = [value for value in by_rarity(counts) if counts[value] < below]
    join = [OTHER] if OTHER in counts and OTHER not in rare and rare else []
    return [*join, *rare]
