"""A scan of tables that leave for what must not: names, ids and texts of the private side, addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from personax.errors import InputError
from personax.release.addresses import addresses
from personax.release.private import COMMON, MIN_LENGTH, TEXT, Private

__all__ = ["MIN_LENGTH", "Finding", "holds_text", "look", "refuse_private", "scan"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not leave: where it is and what it is, never itself.

    Parameters
    ----------
    file
        Relative to the folder; empty for a table that is no file yet.
    where
        Column, or part of the file.
    kind, count
        What was found, and in how many cells or how often.
    """

    file: str
    where: str
    kind: str
    count: int


def scan(
    frame: pl.DataFrame, private: Iterable[str], *, allowed: Collection[str] = (), common: int = COMMON
) -> dict[str, int]:
    """Return column -> number of cells that hold a private value or an address.

    Parameters
    ----------
    frame
        What would leave. Texts, categories, lists of them and the columns' names can hold names.
    private
        Values of the private columns, the ids, and texts such as biographies.
    allowed, common
        What may leave all the same; see `personax.release.private.Private` for the rules.

    Examples
    --------
    >>> scan(pl.DataFrame({"club": ["FC Zoe Nemo", "none", "zoenemo1987"]}), ["Zoë Nemo"])
    {'club': 2}
    """
    return {name: cells for name, _, cells in _columns(frame, Private(private, allowed, common=common))}


def refuse_private(
    frame: pl.DataFrame, private: Iterable[str], *, allowed: Collection[str] = (), common: int = COMMON
) -> None:
    """Refuse a table that would leave with something private in it.

    Raises
    ------
    InputError
        Names the column, the number of cells and the kinds, not what is in them.
    """
    for name, kinds, cells in _columns(frame, Private(private, allowed, common=common)):
        text = f"the release stops: {cells} cells of {name} hold a name, an id or an address ({', '.join(kinds)})"
        raise InputError(f"{text}; make {name} private")


def look(frame: pl.DataFrame, private: Private, *, file: str = "") -> list[Finding]:
    """Return what was found in a table, column by column and kind by kind."""
    return [
        Finding(file, name, kind, count)
        for name, kinds, _ in _columns(frame, private)
        for kind, count in sorted(kinds.items())
    ]


def _columns(frame: pl.DataFrame, private: Private) -> Iterator[tuple[str, Counter[str], int]]:
    """Yield column, kinds with their numbers of cells, cells; for those in which something was found."""
    values = {name: dict(series.value_counts().iter_rows()) for name, series in _texts(frame)}
    passages = private.passages({text for counts in values.values() for text in counts})
    for name in frame.columns:
        kinds: Counter[str] = Counter()
        cells = 0
        for text, rows in values.get(name, {}).items():
            found = set(private.find(text, rows=rows)) | set(addresses(text, allowed=private.allowed))
            found |= {TEXT} if text in passages else set()
            kinds.update(dict.fromkeys(found, rows))
            cells += rows if found else 0
        if private.find(name, document=True):
            kinds["a private value in the column's name"] = 1
            cells += 1
        if kinds:
            yield name, kinds, cells


def holds_text(dtype: pl.DataType) -> bool:
    """Say whether values of a type hold text, whatever it is wrapped in."""
    while isinstance(dtype, pl.List | pl.Array):
        dtype = pl.Series([], dtype=dtype.inner).dtype
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Struct | pl.Binary)


def _texts(frame: pl.DataFrame) -> Iterator[tuple[str, pl.Series]]:
    """Yield the columns that hold text as texts without nulls."""
    for series in frame:
        name = series.name
        if not holds_text(series.dtype):
            continue
        while isinstance(series.dtype, pl.List | pl.Array):
            series = series.drop_nulls().explode()
        if isinstance(series.dtype, pl.Struct):
            series = series.struct.json_encode()
        elif series.dtype == pl.Binary:
            series = pl.Series([bytes(value).decode("utf-8", "replace") for value in series.drop_nulls()])
        yield name, series.cast(pl.String).drop_nulls().alias(name)
