"""Values of few people: rare categories merged, rare levels joined, and single empty cells hidden among others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError

__all__ = ["OTHER", "Merged", "blank_more", "by_rarity", "join_rare_levels", "merge_rare", "rarest"]

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


def join_rare_levels(series: pl.Series, below: int) -> pl.Series:
    """Join each level of fewer than ``below`` people with its neighbour: at the ends, top and bottom coding.

    Parameters
    ----------
    series
        Numbers; null and NaN stay.
    below
        The least number of people that a level may have. Where all together are fewer, one level is left.

    Returns
    -------
    series
        Of the same type. A group leaves as its most frequent level, so that the rare one is the value of others.

    References
    ----------
    Hundepool et al. 2012, Statistical Disclosure Control, doi:10.1002/9781118348239, section 3.3.

    Examples
    --------
    >>> join_rare_levels(pl.Series([0] * 9 + [1] * 9 + [17]), 5).unique().to_list()
    [0, 1]
    """
    known = series.fill_nan(None).drop_nulls() if series.dtype.is_float() else series.drop_nulls()
    found = known.value_counts().sort(known.name)
    counts = found["count"].to_numpy()
    if not len(counts) or counts.min() >= below:
        return series
    levels = found[known.name]
    return series.replace(levels, levels[_neighbours(counts, below)])


def _neighbours(counts: NDArray[np.intp], below: int) -> NDArray[np.intp]:
    """Return the level that each level joins: neighbours are merged, the smallest first, until all are large enough.

    A group keeps the name of its most frequent level.

    Examples
    --------
    >>> _neighbours(np.array([3, 20, 30, 2, 4, 40]), 10).tolist()
    [1, 1, 2, 2, 2, 5]
    """
    groups = [[place] for place in range(len(counts))]
    sizes = [int(size) for size in counts]
    while len(groups) > 1 and min(sizes) < below:
        small = sizes.index(min(sizes))
        sides = [side for side in (small - 1, small + 1) if 0 <= side < len(groups)]
        other = min(sides, key=lambda side: sizes[side])
        low, high = sorted((small, other))
        groups[low] += groups.pop(high)
        sizes[low] += sizes.pop(high)
    names = np.empty(len(counts), dtype=np.intp)
    for group in groups:
        names[group] = max(group, key=lambda place: int(counts[place]))
    return names


def blank_more(series: pl.Series, below: int, order: NDArray[np.intp]) -> pl.Series:
    """Empty further cells where fewer than ``below`` are empty: the only empty cell marks a person.

    Parameters
    ----------
    series
        A column as it would leave.
    below
        The least number of empty cells, where there is one at all, and of people of a value that is left.
    order
        Rows in random order, which nobody outside can know; the first whose value others have are emptied. Where no
        value can spare one, the rarest is emptied altogether.

    Examples
    --------
    >>> blank_more(pl.Series(["a"] * 5 + [None, "b", "b"]), 2, np.arange(8)).to_list()
    [None, 'a', 'a', 'a', 'a', None, 'b', 'b']
    """
    held = series.fill_nan(None) if series.dtype.is_float() else series
    missing = held.null_count()
    if not 0 < missing < below:
        return series
    values, gone = held.to_list(), held.is_null().to_numpy().copy()
    counts = Counter(value for value in values if value is not None)
    for row in order.tolist():
        if missing < below and not gone[row] and counts[values[row]] > below:
            counts[values[row]] -= 1
            gone[row], missing = True, missing + 1
    while missing < below and counts:
        least = min(counts, key=lambda value: (counts[value], str(value)))
        missing += counts.pop(least)
        gone |= (held == least).fill_null(False).to_numpy()
    return pl.select(pl.when(~pl.Series(gone)).then(held).alias(series.name)).to_series()
