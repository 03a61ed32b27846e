"""Dates of a column of text: day before month or month before day, by the cells that can be read in one way only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from personax.data.digits import with_ascii_digits

__all__ = ["DateCells", "read_dates"]

FEW_DECIDE: Final = 0.2
"""Of dates in one order three of five have a day above 12: where fewer than this share do, orders may be mixed."""
LEAST: Final = 10
"""So many dates are enough to tell such a share."""
MOSTLY: Final = 0.8

_NUMERIC = r"^(\d{1,2})[-./](\d{1,2})[-./](\d{4}|\d{2})(?:[ T,].*)?$"
_YEAR_FIRST = r"^(\d{4})[./](\d{1,2})[./](\d{1,2})(?:[ T,].*)?$"
_WORDED = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d. %B %Y", "%B %d %Y", "%b %d %Y")


@dataclass(frozen=True)
class DateCells:
    """The dates of a column of text.

    Parameters
    ----------
    values
        Dates; null where a cell is missing or no date. None where the order of day and month is not known.
    order
        As people write it: ``day/month/year``, ``month/day/year``, ``year/month/day``, or a strptime format.
    pattern
        The strptime format that reads them; empty where the order is not known or their marks differ.
    odd
        Where a cell is no date of the calendar in this order.
    deciding
        Cells that can be read in this order only.
    question
        What a person must say; empty where the cells say it.
    contradicting
        Rows, from 1, that can be read in the other order only, at most three.
    """

    values: pl.Series | None
    order: str
    pattern: str
    odd: pl.Series
    deciding: int
    question: str = ""
    contradicting: tuple[int, ...] = ()


def read_dates(text: pl.Series) -> DateCells | None:
    """Read a column of text as dates that are not ISO 8601; None where most of its cells are none.

    Parameters
    ----------
    text
        Cells; null where missing.

    Notes
    -----
    The order is never guessed: it is taken where cells with a day above 12 prove it and none contradicts it, and where
    those are not far fewer than among real dates, of which three of five have such a day.

    Examples
    --------
    >>> read_dates(pl.Series(["03/12/2023", "13/01/2024"])).values[0].isoformat()
    '2023-12-03'
    >>> read_dates(pl.Series(["13/12/2023", "12/13/2023"])).contradicting
    (2,)
    >>> read_dates(pl.Series(["03/12/2023"])).values is None
    True
    """
    stripped = with_ascii_digits(text.str.strip_chars())
    held = len(text) - text.null_count()
    some = stripped.drop_nulls().head(50)
    if bool(some.str.contains(r"^\d{4}-\d{2}-\d{2}").any()):
        return None
    if not held or float(some.str.contains(r"^\w{1,9}\.?[-./ ]\w{1,9}[-./, ]+\d{2,4}").mean() or 0) < 0.5:  # type: ignore[arg-type]
        return None
    first = stripped.str.contains(_NUMERIC).fill_null(False)
    if int(first.sum()) >= MOSTLY * held:
        return _ordered(stripped, first)
    if int(stripped.str.contains(_YEAR_FIRST).sum()) >= MOSTLY * held:
        dates = _to_date(stripped, _YEAR_FIRST, (1, 2, 3))
        return DateCells(dates, "year/month/day", "", stripped.is_not_null() & dates.is_null(), held)
    return _worded(stripped, held)


def _worded(stripped: pl.Series, held: int) -> DateCells | None:
    few = stripped.drop_nulls().head(50)
    for pattern in _WORDED:
        if few.str.to_date(pattern, strict=False).null_count() == len(few):
            continue
        dates = stripped.str.to_date(pattern, strict=False)
        if len(dates) - dates.null_count() >= MOSTLY * held:
            return DateCells(dates, pattern, pattern, stripped.is_not_null() & dates.is_null(), held)
    return None


def _to_date(stripped: pl.Series, pattern: str, places: tuple[int, int, int]) -> pl.Series:
    year, month, day = (stripped.str.extract(pattern, place).str.zfill(2) for place in places)
    return (year + "-" + month + "-" + day).str.to_date("%Y-%m-%d", strict=False).alias(stripped.name)


def _ordered(stripped: pl.Series, dated: pl.Series) -> DateCells:
    one, two = (stripped.str.extract(_NUMERIC, place).cast(pl.Int64) for place in (1, 2))
    day_first, month_first = (one > 12) & (two <= 12), (two > 12) & (one <= 12)
    n, days, months = int(dated.sum()), int(day_first.sum()), int(month_first.sum())
    fewer = day_first if days < months else month_first
    rows = tuple(int(row) + 1 for row in fewer.arg_true()[:3].to_list())
    outside = stripped.is_not_null() & ~dated
    if days and months:
        why = f"{days} cells can only be day/month/year and {months} only month/day/year"
        return DateCells(None, "", "", outside, min(days, months), why, rows)
    if not days and not months:
        return DateCells(None, "", "", outside, 0, "no cell says whether the day or the month stands first")
    order = "day/month/year" if days else "month/day/year"
    deciding = days + months
    if bool(stripped.str.contains(r"^\d{1,2}[-./]\d{1,2}[-./]\d{2}(?:\D|$)").any()):
        return DateCells(None, order, "", outside, deciding, f"{order}, with years of two digits: of which century?")
    if n >= LEAST and deciding < FEW_DECIDE * n:
        why = f"only {deciding} of {n} cells show that it is {order}, where three of five would"
        return DateCells(None, order, "", outside, deciding, why)
    dates = _to_date(stripped, _NUMERIC, (3, 2, 1) if days else (3, 1, 2))
    mark = {cell for cell in ("/", ".", "-") if bool(stripped.str.contains(cell, literal=True).any())}
    sign = mark.pop() if len(mark) == 1 else ""
    parts = ("%d", "%m", "%Y") if days else ("%m", "%d", "%Y")
    return DateCells(dates, order, sign.join(parts) if sign else "", stripped.is_not_null() & dates.is_null(), deciding)
