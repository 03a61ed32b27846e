"""Dates of birth that nobody has described: by their cells, and asked about where several calendars or counts fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

import polars as pl

from personax.data.cell_numbers import missing_word
from personax.data.date_order import DateCells, read_dates
from personax.data.digits import with_ascii_digits
from personax.sources._column_reading import FreeColumn, bad_rows, shown_by
from personax.sources._dates import EXCEL, MIN_YEAR
from personax.sources._ledger import ColumnReading

__all__ = ["ask_placeholders", "gregorian", "read_birth_dates", "year_format"]

BUDDHIST: Final = 543
"""Years of the Buddhist era are so many ahead."""
_PERSIAN: Final = (1250, 1450)
"""Years of calendars that count from the Hijra, of people who live or lived lately."""
_PLACEHOLDERS: Final = tuple(date(*one) for one in (
    (1900, 1, 1), (1899, 12, 30), (1899, 12, 31), (1904, 1, 1), (1970, 1, 1), (1753, 1, 1), (1800, 1, 1),
    (1111, 11, 11),
))  # fmt: skip
"""What programs write where no date is known."""
_DAYS: Final = (1, 60_000)
"""Days since 1900 until 2064."""


def read_birth_dates(text: pl.Series, plain: ColumnReading) -> FreeColumn | None:
    """Read dates of birth; None where they are ISO 8601, or nothing is known of how they are written.

    Parameters
    ----------
    text
        Cells; null where missing.
    plain
        The line of the ledger so far.
    """
    silent = {
        cell: times for cell, times in text.drop_nulls().value_counts(sort=True).iter_rows() if missing_word(cell)
    }
    held = pl.select(pl.when(~text.is_in(list(silent))).then(text)).to_series().alias(text.name) if silent else text
    plain = replace(plain, missing=silent, filled=plain.filled - sum(silent.values()))
    if not plain.filled:
        return None
    if counted := _counted(held):
        return _asked(held, plain, *counted)
    cells = read_dates(held, compact=True)
    if cells is None:
        return None
    today = date.today()
    if cells.values is None:
        return _asked(held, plain, cells.question + _rows(cells), _answer(cells, today))
    years = cells.values.dt.year().drop_nulls()
    if 2 * int((years > today.year).sum()) > len(years):
        answer = {"format": cells.pattern, "calendar": "buddhist"} if cells.pattern else {"calendar": "buddhist"}
        return _asked(
            held, plain, f"most dates lie in the future, such as {_first(held)}: is it the Buddhist era?", answer
        )
    wrong = held.is_not_null() & cells.values.is_null()
    early, late = cells.values.dt.year() < MIN_YEAR, cells.values > today
    bad = pl.concat([
        bad_rows(held, wrong, f"not a date of the calendar written as {cells.order}"),
        bad_rows(held, late.fill_null(False), "a date in the future"),
        bad_rows(held, early.fill_null(False), f"a date before the year {MIN_YEAR}"),
    ])  # fmt: skip
    values = pl.select(pl.when(~(early | late)).then(cells.values)).to_series().alias(text.name)
    reading = replace(plain, read_as="dates", status="evidence", why=shown_by(cells.order, cells.deciding),
                      bad=bad.height, filled=plain.filled - bad.height,
                      answer={"format": cells.pattern} if cells.pattern else {})  # fmt: skip
    if len(years) and 2 * int(years.is_between(*_PERSIAN).sum()) > len(years):
        asked = f"most years lie between {_PERSIAN[0]} and {_PERSIAN[1]}, such as {_first(held)}: of which calendar? \
They are taken for Gregorian ones; convert others in the file"
        known = {"format": cells.pattern} if cells.pattern else {"format": "%Y/%m/%d"}
        reading = replace(reading, status="question", question=asked, answer=known)
    return FreeColumn(values, bad.sort("row"), reading)


def _first(held: pl.Series) -> str:
    return str(held.drop_nulls()[0])


def _rows(cells: DateCells) -> str:
    several = "s" if len(cells.contradicting) > 1 else ""
    return f" (row{several} {', '.join(map(str, cells.contradicting))})" if cells.contradicting else ""


def _answer(cells: DateCells, today: date) -> dict[str, Any]:
    pattern = cells.pattern or "%d/%m/%Y"
    return {"format": pattern, **({"years_from": today.year - 99} if "%y" in pattern else {})}


def _counted(held: pl.Series) -> tuple[str, Mapping[str, Any]] | None:
    """Return what is asked, and what settles it, where the cells are numbers of days, seconds or years."""
    digits = with_ascii_digits(held.str.strip_chars()).drop_nulls()
    numbers = digits.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    if numbers.null_count() or not len(numbers):
        return None
    low, high = min(numbers.to_list()), max(numbers.to_list())
    if pattern := year_format(digits):
        return "only years are given", {"format": pattern}
    if low >= _DAYS[0] and high <= _DAYS[1]:
        return f"numbers such as {_first(held)} look like a spreadsheet's days since 1900", {"format": EXCEL}
    if bool(digits.str.contains(r"^[12]\d{3}[01]\d[0-3]\d$").all()):
        return None
    if bool(digits.str.contains(r"^\d{8}$").all()):
        return f"eight digits such as {_first(held)}: in which order?", {"format": "%d%m%Y"}
    return f"numbers such as {_first(held)} say no date by themselves; write them as dates in the file", {}


def year_format(cells: pl.Series) -> str | None:
    """Return the format of dates of birth that are a year, or a year and a month, alone; None for others.

    Examples
    --------
    >>> year_format(pl.Series(["1980", "1999"])), year_format(pl.Series(["1980-02"])), year_format(pl.Series(["25569"]))
    ('%Y', '%Y-%m', None)
    """
    held = cells.drop_nulls().str.strip_chars()
    held = held.filter(held != "")
    years = held.str.extract(r"^(\d{4})(?:-(?:0[1-9]|1[0-2]))?$").cast(pl.Int64, strict=False)
    if not len(held) or years.null_count() or not bool(years.is_between(1800, date.today().year).all()):
        return None
    months = held.str.contains("-", literal=True)
    return "%Y" if not bool(months.any()) else "%Y-%m" if bool(months.all()) else None


def _asked(held: pl.Series, plain: ColumnReading, question: str, answer: Mapping[str, Any]) -> FreeColumn:
    """Return a column without a date, and the question."""
    bad = bad_rows(held, held.is_not_null(), question)
    none = pl.Series(held.name, [None] * len(held), dtype=pl.Date)
    reading = replace(plain, read_as="dates", status="question", bad=bad.height, filled=0, answer=answer,
                      question=f"{question}; no date of birth is read until it is said")  # fmt: skip
    return FreeColumn(none, bad, reading)


def ask_placeholders(born: pl.Series) -> str:
    """Return the question whether a date that programs write for none is a date of birth; empty where none is frequent.

    Examples
    --------
    >>> ask_placeholders(pl.Series([date(1900, 1, 1)] * 4 + [date(1980, 2, 3)]))
    '1900-01-01 (4 cells) looks like no date of birth, and is one now'
    """
    held = born.drop_nulls()
    found = {one: times for one in _PLACEHOLDERS if (times := int((held == one).sum())) > max(2, len(held) / 100)}
    named = ", ".join(f"{one.isoformat()} ({times:,} cells)" for one, times in found.items())
    return f"{named} looks like no date of birth, and is one now" if found else ""


def gregorian(text: pl.Series) -> pl.Series:
    """Return dates of the Buddhist era with Gregorian years.

    Examples
    --------
    >>> gregorian(pl.Series(["29/2/2507", "2510-01-01", "?"])).to_list()
    ['29/2/1964', '1967-01-01', '?']
    """
    digits = with_ascii_digits(text)
    years = digits.str.extract(r"(\d{4})").cast(pl.Int64, strict=False) - BUDDHIST
    parts = pl.DataFrame([digits.str.extract(r"^(.*?)\d{4}", 1).alias("a"), years.cast(pl.String).alias("y"),
                          digits.str.extract(r"^.*?\d{4}(.*)$", 1).alias("b"), digits.alias("whole")])  # fmt: skip
    return parts.select(pl.coalesce(pl.concat_str("a", "y", "b"), "whole")).to_series().alias(text.name)
