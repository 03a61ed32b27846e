"""Dates as people write them; a date that cannot be is no date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

__all__ = ["EARLIEST", "parse_date"]

EARLIEST = 1000
"""No person of a study was born before this year."""


def parse_date(text: str, formats: Sequence[str], *, today: date) -> date:
    """Read a date by the first format that fits.

    Parameters
    ----------
    text
        For example ``1974-03-02`` or ``3/2/1974``.
    formats
        strptime formats; ISO 8601 (with or without a time) when empty.
    today
        No later date is read.

    Raises
    ------
    ValueError
        With the reason: 1974-00-00, 30 February, a date in the future, another format.

    Examples
    --------
    >>> parse_date("2 Mar 1974", ["%d %b %Y"], today=date(2026, 1, 1))
    datetime.date(1974, 3, 2)
    """
    cleaned = text.strip()
    found = _read(cleaned, formats)
    if found > today:
        raise ValueError("a date in the future")
    if found.year < EARLIEST:
        raise ValueError(f"a date before the year {EARLIEST}")
    return found


def _read(text: str, formats: Sequence[str]) -> date:
    if not formats:
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            raise ValueError("not a date written as YYYY-MM-DD") from None
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    raise ValueError(f"not a date written as {' or '.join(formats)}")
