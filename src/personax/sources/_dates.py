"""Dates as people write them: impossible dates are refused, and a year alone stays a year alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from personax.data.digits import ascii_digits
from personax.data.month_names import english_months

__all__ = ["EXCEL", "MIN_YEAR", "PartialDate", "has_year", "is_partial", "parse_date", "parse_partial_date"]

EXCEL: Final = "excel"
"""The format of dates that are a spreadsheet's number of days: 29221 is the first day of 1980."""
_EXCEL_DAYS: Final = re.compile(r"\d{1,6}(?:\.\d+)?")
MIN_YEAR = 1000
"""No person of a study was born before this year."""

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")
_DIRECTIVE = re.compile(r"%([A-Za-z])")
_WHOLE = {"j", "c", "x"}
_MONTHS = {"m", "b", "B"}


class PartialDate(NamedTuple):
    """What a text says of a date: month and day are None where its format has none."""

    year: int
    month: int | None
    day: int | None


def parse_date(text: str, formats: Sequence[str], *, today: date) -> date:
    """Read a whole date by the first format that fits.

    Parameters
    ----------
    text
        For example ``1974-03-02`` or ``3/2/1974``.
    formats
        strptime formats, or ``iso`` for ISO 8601 with or without a time; ``iso`` when empty.
    today
        No later date is read.

    Raises
    ------
    ValueError
        With the reason: 1974-00-00, 30 February, a date in the future, another format, or two dates
        by two of the formats.

    Examples
    --------
    >>> parse_date("2 Mar 1974", ["%d %b %Y"], today=date(2026, 1, 1))
    datetime.date(1974, 3, 2)
    """
    year, month, day = parse_partial_date(text, formats, today=today)
    if month is None or day is None:
        raise ValueError("not a date with a month and a day")
    return date(year, month, day)


def parse_partial_date(text: str, formats: Sequence[str], *, today: date, years_from: int | None = None) -> PartialDate:
    """Read a date, or a year or a month alone where a format says no more; see `parse_date`.

    Years of two digits are of the hundred years that begin with ``years_from``; else 69 is 1969 and 68 is 2068.

    Examples
    --------
    >>> parse_partial_date("1974", ["%Y"], today=date(2026, 1, 1))
    PartialDate(year=1974, month=None, day=None)
    >>> parse_partial_date("3. März 30", ["%d. %B %y"], today=date(2026, 1, 1), years_from=1927)
    PartialDate(year=1930, month=3, day=3)
    """
    patterns = formats or ("iso",)
    for at, pattern in enumerate(patterns):
        found = _read_or_none(text.strip(), pattern)
        if found is None:
            continue
        if years_from is not None and "y" in _directives(pattern):
            found = found.replace(year=years_from + (found.year - years_from) % 100)
        if not is_partial(pattern) and any(
            _read_or_none(text.strip(), later) not in (None, found)
            for later in patterns[at + 1 :]
            if not is_partial(later)
        ):
            raise ValueError("two of the formats fit, and say two dates")
        if found > today:
            raise ValueError("a date in the future")
        if found.year < MIN_YEAR:
            raise ValueError(f"a date before the year {MIN_YEAR}")
        return PartialDate(found.year, *_known(found, pattern))
    written = " or ".join("YYYY-MM-DD" if pattern == "iso" else pattern for pattern in patterns)
    raise ValueError(f"not a date of the calendar written as {written}")


def is_partial(pattern: str) -> bool:
    """Say whether a format leaves the day or the month open.

    Examples
    --------
    >>> [is_partial(pattern) for pattern in ("iso", "%d/%m/%Y", "%m/%Y", "%Y")]
    [False, False, True, True]
    """
    found = _directives(pattern)
    whole = pattern in ("iso", EXCEL) or found & _WHOLE or ("d" in found and found & _MONTHS)
    return not whole


def has_year(pattern: str) -> bool:
    """Say whether a format holds a year; without one, strptime would invent 1900."""
    return pattern in ("iso", EXCEL) or bool(_directives(pattern) & {"Y", "y", "c", "x"})


def _directives(pattern: str) -> set[str]:
    return set(_DIRECTIVE.findall(pattern))


def _read_or_none(text: str, pattern: str) -> date | None:
    try:
        return _read(text, pattern)
    except ValueError:
        return None


def _read(text: str, pattern: str) -> date:
    text = ascii_digits(text)
    if pattern == EXCEL:
        return _of_a_spreadsheet(text)
    if pattern != "iso":
        return (
            _read_words(text, pattern) if _directives(pattern) & {"b", "B"} else datetime.strptime(text, pattern).date()
        )
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("another format")
    return date(int(match[1]), int(match[2]), int(match[3]))


def _read_words(text: str, pattern: str) -> date:
    return datetime.strptime(english_months(text), pattern.replace("%B", "%b")).date()


def _of_a_spreadsheet(text: str) -> date:
    """Count days from the end of 1899, as spreadsheets do since March 1900; before, they count one that never was."""
    if _EXCEL_DAYS.fullmatch(text) is None or float(text) < 61:
        raise ValueError("another format")
    return date(1899, 12, 30) + timedelta(days=int(float(text)))


def _known(found: date, pattern: str) -> tuple[int | None, int | None]:
    if not is_partial(pattern):
        return found.month, found.day
    return (found.month if _directives(pattern) & _MONTHS else None), None
