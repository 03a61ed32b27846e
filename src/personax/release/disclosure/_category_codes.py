"""Categories as shuffled numbers, which only the mapping in the keystore can name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from personax.errors import InputError
from personax.release.keys._keystore import ReleaseKey

__all__ = ["names_of", "shuffle_categories", "with_names"]


def shuffle_categories(
    frame: pl.DataFrame, names: Iterable[str], key: ReleaseKey
) -> tuple[pl.DataFrame, dict[str, list[str]]]:
    """Replace categories by indices 0 ... m - 1 in an order that only the key gives.

    Parameters
    ----------
    frame
        One row a person.
    names
        Nominal columns; one that is not text is taken as text.
    key
        The study's secret. The same key and the same categories give the same indices, whatever the order of the rows.

    Returns
    -------
    frame
        Indices as Int32; null stays null.
    dict
        Column -> categories by index. It belongs beside the key, never into the release.

    Notes
    -----
    Neither alphabet nor frequency decides the order. How *often* an index occurs still leaves: who knows that half of
    all people are of one country finds its index. This keeps names out of a file; it is no anonymity.

    Examples
    --------
    >>> jobs = pl.DataFrame({"job": ["music", "film", None]})
    >>> frame, mapping = shuffle_categories(jobs, ["job"], ReleaseKey(bytes(32)))
    >>> names_of(mapping["job"], frame["job"].to_list())
    ['music', 'film', None]
    """
    mapping: dict[str, list[str]] = {}
    for name in names:
        texts = frame[name].cast(pl.String)
        categories = texts.drop_nulls().unique().sort().to_list()
        order = key.random_stream("indices", name).permutation("order", len(categories))
        mapping[name] = [categories[place] for place in order]
        index = {category: place for place, category in enumerate(mapping[name])}
        made = pl.Series(name, [None if value is None else index[value] for value in texts], dtype=pl.Int32)
        frame = frame.with_columns(made)
    return frame, mapping


def names_of(categories: Sequence[str], indices: Iterable[int | None]) -> list[str | None]:
    """Return the categories of indices.

    Raises
    ------
    InputError
        An index is none of these categories; the mapping is of another release.
    """
    found: list[str | None] = []
    for index in indices:
        if index is not None and not 0 <= index < len(categories):
            text = f"index {index} is none of {len(categories)} categories; use the mapping of this very release"
            raise InputError(text)
        found.append(None if index is None else categories[index])
    return found


def with_names(frame: pl.DataFrame, mapping: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Return a released table with its categories back, for the owner."""
    made = [
        pl.Series(name, names_of(categories, frame[name].to_list()), dtype=pl.String)
        for name, categories in mapping.items()
        if name in frame.columns
    ]
    return frame.with_columns(made)
