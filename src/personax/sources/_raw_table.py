"""A table as a file holds it: every cell as text, and what the file itself says of its columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from personax.data.dialect import looks_like_value
from personax.errors import InputError
from personax.sources._ledger import FileFact

__all__ = ["RawTable", "as_text", "cells_as_text", "named_once", "with_header", "without_header_rows"]

QUALTRICS: Final = '{"ImportId"'
"""Every cell of the third header row of a Qualtrics export begins so."""
ENOUGH: Final = 4
"""So many rows below a second header row at least."""


@dataclass(frozen=True)
class RawTable:
    """The cells of a file.

    Parameters
    ----------
    frame
        Text; null where a cell is absent.
    format
        Such as ``csv``.
    facts
        What was found of the file.
    labels
        Header -> what the file says of the column: the wording of a question.
    value_labels
        Header -> code, as text -> label.
    missing
        Header -> codes, as texts, that the file itself declares to mean missing.
    separator
        Of a text table; empty for others.
    """

    frame: pl.DataFrame
    format: str
    facts: tuple[FileFact, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    separator: str = ""

    @property
    def has_decimal_points(self) -> bool:
        """Numbers of three decimals have a point: the file holds numbers, or its commas divide cells."""
        return self.separator in ("", ",")


def as_text(value: object) -> str | None:
    """Return a value as it would be written: whole numbers without a point, dates as ISO 8601; None for none.

    Examples
    --------
    >>> as_text(7.0), as_text(1.5), as_text(float("nan")), as_text(datetime(2024, 3, 1)), as_text(True)
    ('7', '1.5', None, '2024-03-01', 'true')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def cells_as_text(columns: Mapping[str, Iterable[object]]) -> pl.DataFrame:
    """Return columns of any values as text."""
    return pl.DataFrame(
        [pl.Series(name, [as_text(value) for value in cells], dtype=pl.String) for name, cells in columns.items()]
    )


def named_once(path: Path, header: Sequence[str]) -> None:
    """Refuse a header that stands twice.

    Raises
    ------
    InputError
        With the name.
    """
    twice = [name for name, times in Counter(header).items() if times > 1]
    if twice:
        raise InputError(f"{path}: the header {twice[0]!r} stands more than once; rename one of them")


def with_header(path: Path, rows: Sequence[Sequence[object]], form: str) -> RawTable:
    """Return the table that stands in rows of cells, as in a sheet: titles above it and empty rows are left out.

    Raises
    ------
    InputError
        No header, no rows below it, a header that stands twice.
    """
    texts = [[as_text(cell) or "" for cell in row] for row in rows]
    width = max((at + 1 for row in texts for at, cell in enumerate(row) if cell.strip()), default=0)
    filled = [(at, row[:width]) for at, row in enumerate(texts, 1) if any(cell.strip() for cell in row)]
    top = next((n for n, (_, row) in enumerate(filled[:10]) if 2 * sum(map(bool, row)) > width or width == 1), 0)
    top += _names_below([row for _, row in filled[top : top + 6]])
    if len(filled) < top + 2:
        raise InputError(f"{path} has a header and no rows; it needs one row a person")
    over = filled[top - 1][1] if top else [""] * width
    merged = not any(above and name for above, name in zip(over, filled[top][1], strict=True) if not name.strip())
    header = [name.strip() for name in filled[top][1]]
    if merged and sum(map(bool, over)) > 1:  # names of merged cells stand in the row above, one over several columns
        header = [name or above.strip() for name, above in zip(header, over, strict=True)]
    kept = [at for at, name in enumerate(header) if name or any(row[at].strip() for _, row in filled[top + 1 :])]
    header = [name or f"column_{at + 1}" for at, name in enumerate(header)]
    named_once(path, [header[at] for at in kept])
    frame = pl.DataFrame(
        [pl.Series(header[at], [row[at] or None for _, row in filled[top + 1 :]], dtype=pl.String) for at in kept]
    )
    above = tuple(
        [FileFact("title rows", _lines([at for at, _ in filled[:top]]), "guess", "they stand above the header")]
        * (top > 0)
    )
    return RawTable(frame, form, (*above, *_summary(frame)))


def _names_below(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether the first row has names over several columns, and the second one the names of the columns.

    The second row fills every gap of the first with words, above columns that hold numbers or dates.
    """
    if len(rows) < ENOUGH or all(cell.strip() for cell in rows[0]):
        return False
    gaps = [at for at, cell in enumerate(rows[0]) if not cell.strip()]
    words = [at for at, cell in enumerate(rows[1]) if cell.strip() and not looks_like_value(cell)]
    below = {at for at in words for row in rows[2:] if looks_like_value(row[at])}
    return {*gaps} <= {*words} and len(words) == sum(bool(cell.strip()) for cell in rows[1]) and bool(below)


_SUMMARY_TEXT: Final = """
    total totals sum mean average avg median min max std sd count n gesamt summe mittelwert durchschnitt anzahl moyenne
    somme media suma promedio totale itogo итого среднее
"""
_SUMMARIES: Final = frozenset(_SUMMARY_TEXT.split())


def _summary(frame: pl.DataFrame) -> list[FileFact]:
    """Ask about the last rows of a sheet where they begin like sums or means of the rows above."""
    words = [next((cell for cell in row if cell), "") for row in frame.tail(5).iter_rows()]
    said = [word for word in words if word.strip(" :.").lower() in _SUMMARIES]
    if not said or words[-1] not in said:
        return []
    why = "they look like sums or means of the rows above, and are people now; delete them in the file"
    return [FileFact("last rows", ", ".join(map(repr, said)), "question", why)]


def _lines(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:4])) + (", ..." if len(lines) > 4 else "")


def without_header_rows(raw: RawTable, header_rows: int | None = None) -> RawTable:
    """Return a table without further header rows: those of Qualtrics, or a row of labels above columns of numbers.

    Parameters
    ----------
    raw
        The cells.
    header_rows
        How many rows the header has, where somebody has said it.
    """
    frame = raw.frame
    if header_rows is not None:
        extra = header_rows - 1
        return _without(raw, extra, _given(frame, header_rows)) if extra else raw
    if frame.height > 2 and all((cell or "").startswith(QUALTRICS) for cell in frame.row(1)):
        return _without(
            raw, 2, FileFact("header rows", "3", "evidence", "an export of Qualtrics: names, wordings, ids")
        )
    if _labels_first(frame):
        why = "the first row holds words where all others hold numbers or dates"
        return _without(raw, 1, FileFact("header rows", "2", "guess", why, "header_rows: 2"))
    return raw


def _given(frame: pl.DataFrame, header_rows: int) -> FileFact:
    """Return the fact that a header has so many rows; a question where one of them holds values as people do."""
    below = [series.drop_nulls().head(ENOUGH).to_list() for series in frame.slice(header_rows - 1)]
    typed = [at for at, cells in enumerate(below) if cells and all(map(looks_like_value, cells))]
    rows = frame.head(header_rows - 1).rows()
    if not any(row[at] and looks_like_value(str(row[at])) for row in rows for at in typed):
        return FileFact("header rows", str(header_rows), "given")
    why = (
        "one of them holds numbers or dates as the rows below do; is it a person? Titles above the names are no header"
    )
    return FileFact("header rows", str(header_rows), "question", why)


def _without(raw: RawTable, extra: int, fact: FileFact) -> RawTable:
    labels = {name: cell for name, cell in zip(raw.frame.columns, raw.frame.row(0), strict=True) if cell}
    return replace(raw, frame=raw.frame.slice(extra), facts=(*raw.facts, fact), labels={**labels, **raw.labels})


def _labels_first(frame: pl.DataFrame) -> bool:
    """Say whether the first row differs in kind from all others in every column that holds numbers or dates."""
    head = frame.head(200)
    if head.height < ENOUGH + 1:
        return False
    first, below = head.row(0), [series.drop_nulls().to_list() for series in head.slice(1)]
    typed = [at for at, cells in enumerate(below) if len(cells) >= ENOUGH and all(map(looks_like_value, cells))]
    words = [at for at in typed if (first[at] or "").strip() and not looks_like_value(first[at] or "")]
    return len(words) >= 2 and len(words) == len(typed)
