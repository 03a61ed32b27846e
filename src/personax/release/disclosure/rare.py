"""Rare categories: of fewer people than a limit, they leave together as one category, ``other``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from personax.errors import InputError

__all__ = ["OTHER", "Merged", "merge_rare", "rarest"]

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Merged:
    """How many categories of a column left as ``other``, and of how many people; never which.

    Parameters
    ----------
    column
        Its name.
    categories, people
        Merged, and how many people they have together.
    withheld
        True where all categories together have too few people; then the column leaves empty.
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
    Where the rare categories together still have fewer than ``below`` people, the next rarest join them, by name where
    two are as rare. A category that is called ``other`` already is always the first to join. Where all
    people with a value are fewer than ``below``, having one is rare itself, and the column leaves empty.

    Examples
    --------
    >>> merge_rare(pl.DataFrame({"job": ["a"] * 5 + ["b"] * 3 + ["c"]}), ["job"], 4)[1]
    [Merged(column='job', categories=2, people=4, withheld=False)]
    """
    if below < 1:
        raise InputError(f"categories of fewer than {below} people cannot be merged; give a number of at least 1")
    told = []
    for name in names:
        texts = frame[name].cast(pl.String)
        counts = dict(texts.drop_nulls().value_counts().iter_rows())
        pool = rarest(counts, below)
        if not pool:
            continue
        people = sum(counts[value] for value in pool)
        withheld = people < below
        told.append(Merged(name, len(pool), people, withheld))
        made = pl.when(pl.col(name).is_in(pool)).then(pl.lit(None if withheld else OTHER)).otherwise(pl.col(name))
        frame = frame.with_columns(texts).with_columns(made.cast(pl.String).alias(name))
    return frame, told


def rarest(counts: Mapping[str, int], below: int) -> list[str]:
    """Return the categories that must be merged so that none, nor all that are merged, has fewer than ``below`` people.

    Examples
    --------
    >>> rarest({"a": 9, "b": 3, "c": 1}, 2), rarest({"a": 9, "b": 3, "c": 2}, 2)
    (['c', 'b'], [])
    """
    order = sorted(counts, key=lambda value: (value != OTHER, counts[value], value))
    rare = [place for place, value in enumerate(order) if counts[value] < below]
    if not rare:
        return []
    end = rare[-1] + 1
    while end < len(order) and sum(counts[value] for value in order[:end]) < below:
        end += 1
    return order[:end]
