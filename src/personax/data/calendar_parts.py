"""Columns of whole numbers, or of names of months, that can be the year, the month or the day of a date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import polars as pl

from personax.data.values import MONTHS, Numbers, numbers_of

__all__ = ["CalendarPart", "calendar_part", "calendar_parts"]

CalendarPart = Literal["year", "month", "day"]

_MONTH: Final = re.compile(rf"(?:{MONTHS})[^\W\d]*\.?|\d{{1,2}}[月월]", re.IGNORECASE)
_RANGES: Final[tuple[tuple[CalendarPart, int, int, int, int], ...]] = (
    ("month", 1, 12, 11, 8), ("month", 0, 11, 11, 8), ("day", 1, 31, 28, 14), ("year", 1850, 2035, 1850, 3),
)  # fmt: skip
"""Part, the least and the greatest it can be, what its greatest must reach, and its least number of values."""


def calendar_part(values: pl.Series) -> CalendarPart | None:
    """Return which part of a date a column can be by its values, whatever its name; None where it can be none.

    Examples
    --------
    >>> calendar_part(pl.Series(list(range(1, 13)) * 2)), calendar_part(pl.Series(["1", "31", *map(str, range(2, 28))]))
    ('month', 'day')
    >>> calendar_part(pl.Series([1, 2, 3, 4, 5]))
    """
    known = values.drop_nulls()
    if known.dtype == pl.String:
        texts = known.str.strip_chars().unique()
        if 3 < len(texts) <= 12 and all(_MONTH.fullmatch(text) for text in texts):
            return "month"
    numbers = numbers_of(known)
    return None if numbers is None else _of_numbers(numbers)


def _of_numbers(numbers: Numbers) -> CalendarPart | None:
    found = numbers.distinct
    if not numbers.whole or not len(found):
        return None
    for part, low, high, reached, many in _RANGES:
        if low <= found[0] and found[-1] <= high and found[-1] >= reached and len(found) >= many:
            return part
    return None


def calendar_parts(frame: pl.DataFrame) -> Mapping[str, CalendarPart]:
    """Return the columns that can be parts of a date, and of which part.

    Examples
    --------
    >>> frame = pl.DataFrame({"m": list(range(1, 13)) * 3, "t": [*range(1, 32), 1, 2, 3, 4, 5]})
    >>> calendar_parts(frame)
    {'m': 'month', 't': 'day'}
    """
    return {series.name: part for series in frame if (part := calendar_part(series)) is not None}
