"""Dates of birth: only the year, or the start of a band of years, leaves; never month or day."""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from personax.errors import InputError

__all__ = ["birth_year"]

_DATE = re.compile(r"\+?(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T[\d:.]*Z?)?")


def birth_year(values: pl.Series, *, width: int = 1, years: tuple[int, int] = (1000, 2100)) -> tuple[pl.Series, int]:
    """Return years, or the starts of bands of years, of dates of birth.

    Parameters
    ----------
    values
        Dates, times, texts such as ``1990-05-17``, ``1990-05`` or ``1990``, or numbers that are years.
    width
        Years of a band; 10 makes decades, 1 leaves the year. Bands start at multiples of it, whatever the data.
    years
        First and last year that can be one.

    Returns
    -------
    series
        ``birth_year``, whole numbers.
    int
        How many values are no date or no such year; they are missing. A number with a fraction is one of them: the
        fraction would tell the month. A month or day of 00 is taken as unknown.

    Raises
    ------
    InputError
        The width is less than 1, or the column holds neither dates, texts nor numbers.

    Examples
    --------
    >>> birth_year(pl.Series(["1987-03-01", "1990-02-30", None]), width=10)[0].to_list()
    [1980, None, None]
    """
    if width < 1:
        raise InputError(f"a band of {width} years is invalid; give a width of at least 1 year")
    known = _years(values)
    valid = known.is_between(*years)
    found = pl.select(pl.when(valid).then(known - known % width))[:, 0].cast(pl.Int32).alias("birth_year")
    return found, found.null_count() - values.null_count()


def _years(values: pl.Series) -> pl.Series:
    if values.dtype in (pl.Date, pl.Datetime):
        return values.dt.year().cast(pl.Int64)
    if values.dtype.is_numeric():
        return pl.select(pl.when(values % 1 == 0).then(values))[:, 0].cast(pl.Int64, strict=False)
    if values.dtype == pl.String:
        return pl.Series(values.name, [_year(text) for text in values], dtype=pl.Int64)
    raise InputError(f"{values.name} holds {values.dtype}; a year of birth is read from dates, texts or numbers")


def _year(text: str | None) -> int | None:
    match = _DATE.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    year, month, day = (int(part or 0) for part in match.groups())
    try:
        # 00 says unknown, as Wikidata writes it; 1 stands in only to see whether the rest is a date
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    return year
