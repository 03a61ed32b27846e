"""A scan of tables that leave for what must not: names, ids, dates and texts of the private side, addresses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from personax.errors import InputError
from personax.release.pii._contacts import contacts
from personax.release.pii._known_values import MIN_COMMON, MIN_LENGTH, KnownValues

__all__ = [
    "MIN_LENGTH",
    "Finding",
    "format_rows",
    "holds_numbers",
    "holds_text",
    "refuse_private",
    "scan",
    "scan_known",
]

TEXT = "a passage of a private text"
NAME = "a private value in the column's name"
MAX_ROWS_NAMED = 10
"""Rows that a finding names; the rest is counted."""

_DIGEST = re.compile(r"[0-9a-f]{16,}")


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
    rows
        The first rows of it, counted from 1, where it is in a table: its owner looks there.
    """

    file: str
    where: str
    kind: str
    count: int
    rows: tuple[int, ...] = ()


def scan(
    frame: pl.DataFrame, private: Iterable[str], *, allowed: Collection[str] = (), common: int = MIN_COMMON
) -> dict[str, int]:
    """Return column -> number of cells that hold a private value or an address.

    Parameters
    ----------
    frame
        What would leave. Texts, categories, dates, numbers, lists of them and the columns' names can tell of people.
    private
        Values of the private columns, the ids, and texts such as biographies.
    allowed, common
        What may leave all the same; see `personax.release.pii.KnownValues` for the rules.

    Examples
    --------
    >>> scan(pl.DataFrame({"club": ["FC Zoe Nemo", "none", "zoenemo1987"]}), ["Zoë Nemo"])
    {'club': 2}
    """
    return {found.name: len(found.rows) for found in _columns(frame, KnownValues(private, allowed, common=common))}


def refuse_private(
    frame: pl.DataFrame,
    private: Iterable[str],
    *,
    allowed: Collection[str] = (),
    rows: Sequence[int] | None = None,
) -> None:
    """Refuse a table that would leave with something private in it.

    Parameters
    ----------
    rows
        What the rows of the table are called in the message: their numbers in people/people.parquet, where the owner
        of the study looks at them. What is in them is never told: messages go into logs.

    Raises
    ------
    InputError
        Names the column, the number of cells, the kinds and the first rows, not what is in them.
    """
    for found in _columns(frame, KnownValues(private, allowed)):
        kinds = ", ".join(sorted(found.kinds))
        text = f"the release stops: {len(found.rows)} cells of {found.name} hold a name, an id or an address ({kinds})"
        numbers = found.rows if rows is None else [rows[row - 1] for row in found.rows]
        table = "" if rows is None else " of people/people.parquet"
        place = f", in {format_rows(numbers)}{table}" if kinds != NAME else ""
        raise InputError(f"{text}{place}; make {found.name} private")


def format_rows(rows: Sequence[int]) -> str:
    """Return numbers of rows as a person reads them.

    Examples
    --------
    >>> format_rows([4]), format_rows(range(1, 20))
    ('row 4', 'rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 9 more')
    """
    more = f" and {len(rows) - MAX_ROWS_NAMED} more" if len(rows) > MAX_ROWS_NAMED else ""
    return f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows[:MAX_ROWS_NAMED]))}{more}"


def scan_known(frame: pl.DataFrame, private: KnownValues, *, file: str = "") -> list[Finding]:
    """Return the findings in a table, by column and kind."""
    return [
        Finding(file, found.name, kind, len(rows), tuple(rows[:MAX_ROWS_NAMED]))
        for found in _columns(frame, private)
        for kind, rows in sorted(found.kinds.items())
    ]


@dataclass(frozen=True)
class _Found:
    """The findings in a column: kind -> rows, and all rows of them."""

    name: str
    kinds: dict[str, list[int]]

    @property
    def rows(self) -> list[int]:
        return sorted({row for rows in self.kinds.values() for row in rows})


def _columns(frame: pl.DataFrame, private: KnownValues) -> Iterator[_Found]:
    """Yield the columns with findings."""
    texts = {series.name: _texts(series) for series in frame if holds_text(series.dtype) or series.dtype.is_temporal()}
    counts = {name: cells["text"].value_counts() for name, cells in texts.items()}
    passages = private.passages({text for values in counts.values() for text in values["text"]})
    for series in frame:
        kinds: dict[str, list[int]] = {}
        if series.name in texts:
            kinds = _in_texts(texts[series.name], counts[series.name], private, passages)
        elif holds_numbers(series.dtype):
            kinds = _in_numbers(series, private)
        if private.find(series.name, document=True):
            kinds[NAME] = [1]
        if kinds:
            yield _Found(series.name, kinds)


def _in_texts(
    cells: pl.DataFrame, counts: pl.DataFrame, private: KnownValues, passages: Collection[str]
) -> dict[str, list[int]]:
    texts, rows = counts["text"].to_list(), counts["count"].to_list()
    reach = not _are_digests(texts)
    kinds: dict[str, list[str]] = {}
    for text, found in zip(texts, private.find_each(texts, rows), strict=True):
        every = [*found, *(contacts(text, allowed=private.allowed) if reach else ())]
        for kind in [*every, TEXT] if text in passages else every:
            kinds.setdefault(kind, []).append(text)
    return {
        kind: cells.filter(pl.col("text").is_in(held))["row"].unique().sort().to_list() for kind, held in kinds.items()
    }


def _in_numbers(series: pl.Series, private: KnownValues) -> dict[str, list[int]]:
    cells = pl.DataFrame({"row": range(1, len(series) + 1), "number": series})
    while isinstance(cells["number"].dtype, pl.List | pl.Array):
        cells = cells.drop_nulls().explode("number")
    cells = cells.drop_nulls()
    return {
        kind: cells.filter(pl.Series(held))["row"].unique().sort().to_list()
        for kind, held in private.numbers.match(cells["number"]).items()
    }


def _are_digests(texts: Sequence[str]) -> bool:
    """Say whether a column is pseudonyms or checksums of one length, of which some are digits alone by chance."""
    lengths = {len(text) for text in texts}
    return len(lengths) == 1 and all(map(_DIGEST.fullmatch, texts)) and not all(map(str.isdigit, texts))


def holds_numbers(dtype: pl.DataType) -> bool:
    """Say whether values of a type are numbers that may be ids or dates; vectors of decimals are not."""
    if isinstance(dtype, pl.List | pl.Array):
        inner = pl.Series([], dtype=dtype.inner).dtype
        return holds_numbers(inner) and not inner.is_float()
    return dtype.is_numeric()


def holds_text(dtype: pl.DataType) -> bool:
    """Say whether values of a type hold text, whatever it is wrapped in."""
    while isinstance(dtype, pl.List | pl.Array):
        dtype = pl.Series([], dtype=dtype.inner).dtype
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Struct | pl.Binary)


def _texts(series: pl.Series) -> pl.DataFrame:
    """Return row and text of every cell of a column that holds text."""
    cells = pl.DataFrame({"row": range(1, len(series) + 1), "text": series})
    while isinstance(cells["text"].dtype, pl.List | pl.Array):
        cells = cells.drop_nulls().explode("text")
    cells = cells.drop_nulls()
    if isinstance(cells["text"].dtype, pl.Struct):
        text = cells["text"].struct.json_encode()
    elif cells["text"].dtype == pl.Binary:
        text = pl.Series([bytes(value).decode("utf-8", "replace") for value in cells["text"]], dtype=pl.String)
    else:
        text = cells["text"].cast(pl.String)
    return cells.with_columns(text=text).drop_nulls()
