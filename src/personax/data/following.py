"""Columns that follow another one: one-to-one with it, in its order, or in the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.digits import with_ascii_digits

__all__ = ["Ranked", "by_rows", "dates_of", "digits_of", "follows", "part_of", "ranked"]

LEAST: Final = 20
"""Rows, known in both columns, from which one column can be said to follow another."""
PAIRS: Final = 3
"""Pairs of people who are alike in one column and must be in the other."""
SURE: Final = 0.95
STEADY: Final = 0.99
YEAR: Final = 365.25

FORMS: Final = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d")
"""How dates in texts are read where parts of them are looked for."""
PARTS: Final = 366
"""So many distinct numbers at most can be a part of a date."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ranked:
    """A column as ranks of its values.

    Parameters
    ----------
    codes
        Rank from 0 of each row's value, in the order of numbers, days or texts; -1 where it is missing.
    count
        Distinct values.
    days
        Of dates, the day of each rank; None of other columns.
    numbers
        Of whole numbers, the number of each rank.
    """

    codes: Ints
    count: int
    days: NDArray[np.float64] | None = None
    numbers: NDArray[np.float64] | None = None


def ranked(series: pl.Series) -> Ranked | None:
    """Return a column as ranks; None where its values have no order."""
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        return None
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype.is_float():
        series = series.fill_nan(None)
    series = with_ascii_digits(series)
    known, codes = _dense_ranks(series)
    days = numbers = None
    if series.dtype in (pl.Date, pl.Datetime):
        days = known.cast(pl.Date).to_physical().cast(pl.Float64).to_numpy()
    elif series.dtype == pl.String:
        iso = known.head(50).str.to_date("%Y-%m-%d", strict=False)
        if len(iso) and not iso.null_count():
            read = known.str.to_date("%Y-%m-%d", strict=False)
            days = None if read.null_count() else read.to_physical().cast(pl.Float64).to_numpy()
    elif series.dtype.is_numeric():
        values = known.cast(pl.Float64).to_numpy()
        numbers = values if bool((values == np.floor(values)).all()) else None
    return Ranked(codes, len(known), days, numbers)


def _dense_ranks(series: pl.Series) -> tuple[pl.Series, NDArray[np.int64]]:
    """Return the different values in order, and the place of every value among them, -1 of none; one sort in all."""
    if series.dtype == pl.String and 4 * series.n_unique() < len(series):
        known = series.drop_nulls().unique().sort()
        places = series.cast(pl.Enum(known)).to_physical().cast(pl.Int64).fill_null(-1)
        return known, places.to_numpy()
    order = series.arg_sort(nulls_last=True)
    ordered = series.gather(order).drop_nulls()
    begins = (ordered != ordered.shift()).fill_null(value=True)
    codes = np.full(len(series), -1, dtype=np.int64)
    codes[order.to_numpy()[: len(ordered)]] = np.cumsum(begins.to_numpy()) - 1
    return ordered.filter(begins), codes


def digits_of(series: pl.Series) -> pl.Series | None:
    """Return the number in each id, such as 17 of p00017; None where fewer than nine in ten ids have one."""
    texts = with_ascii_digits(series.cast(pl.String))
    found = texts.str.extract(r"(\d{1,15})\D*$", 1).cast(pl.Int64, strict=False)
    return found if found.count() >= 0.9 * max(1, texts.count()) else None


def follows(private: Ranked, other: Ranked) -> str:
    """Return how a column follows a private one; empty where it does not.

    Parameters
    ----------
    private, other
        Of the same rows.

    Notes
    -----
    *One-to-one*: whoever is alike in one is alike in the other. Where everybody differs in both that says nothing, so
    that at least three pairs of people must be alike. A digest, a lookup or any other disguise keeps this.
    *In the same order*: of people in the order of the one, 99 % of steps go the same way in the other; sums, products,
    powers and roots keep this. A column that says less, such as the year of a date, follows only where it still tells
    more than half of the values apart, and not where its steps are of a year.

    Examples
    --------
    >>> days = ranked(pl.Series(range(100)))
    >>> follows(days, ranked(pl.Series([3 * day + 7 for day in range(100)])))
    'in the same order as'
    >>> follows(days, ranked(pl.Series([day % 10 for day in range(100)])))
    ''
    """
    both = (private.codes >= 0) & (other.codes >= 0)
    if int(both.sum()) < LEAST:
        return ""
    p, c = private.codes[both], other.codes[both]
    if _one_to_one(p, c, other.count):
        return "one-to-one with"
    return "in the same order as" if _in_order(p, c, private, other) else ""


def _pairs(counts: Ints) -> float:
    return float((counts.astype(np.float64) * (counts - 1)).sum() / 2)


def _one_to_one(p: Ints, c: Ints, many: int) -> bool:
    alike = _pairs(np.bincount(p))
    if alike < PAIRS:
        return False
    other = _pairs(np.bincount(c))
    if not SURE * alike <= other <= alike / SURE:
        return False
    return _pairs(np.unique(p * many + c, return_counts=True)[1]) >= SURE * max(alike, other)


def _in_order(p: Ints, c: Ints, private: Ranked, other: Ranked) -> bool:
    # a first look at few rows: a column that goes up and down among them follows nothing
    order = np.argsort(p[:: max(1, len(p) // 256)], kind="stable")
    if not _steady(p[:: max(1, len(p) // 256)][order], c[:: max(1, len(p) // 256)][order], 0.9):
        return False
    order = np.lexsort((c, p))
    p, c = p[order], c[order]
    if len(np.unique(p)) < LEAST // 2 or not _steady(p, c, STEADY):
        return False
    if _steps_of_years(private, other):
        return False
    told, tells = len(np.unique(p)), len(np.unique(c))
    return tells >= (0.5 if private.days is not None else 0.9) * told


def _steady(p: Ints, c: Ints, share: float) -> bool:
    """Say whether c goes one way, or stays, as p goes up, and stays where p stays."""
    up, steps = np.diff(p) > 0, np.diff(c)
    if not up.any():
        return False
    # ties of p are sorted by c: a fall back to the next p would hide, so the ends of runs are compared
    forward, back = steps[up] >= 0, steps[up] <= 0
    alike = 1.0 if up.all() else float(np.mean(steps[~up] == 0))
    return alike >= share - 0.04 and max(float(forward.mean()), float(back.mean())) >= share


def _steps_of_years(private: Ranked, other: Ranked) -> bool:
    """Say whether whole numbers go one up or down with each year of a date: ages and years of birth."""
    if private.days is None or other.numbers is None or len(other.numbers) < 2 or len(private.days) < 2:
        return False
    years = (private.days[-1] - private.days[0]) / YEAR
    span = other.numbers[-1] - other.numbers[0]
    return bool(abs(span - years) <= 1.5)


def by_rows(codes: Ints) -> bool:
    """Say whether values go strictly up, or down, from row to row; missing ones are passed over."""
    known = codes[codes >= 0]
    if len(known) < LEAST:
        return False
    steps = np.diff(known)
    return bool((steps > 0).all() or (steps < 0).all())


def dates_of(series: pl.Series) -> pl.Series | None:
    """Return the days that a column holds, as dates or as texts; None where it holds none.

    Examples
    --------
    >>> dates_of(pl.Series(["15.06.1995", None, "03.07.1996"] * 10)).dt.month().head(3).to_list()
    [6, None, 7]
    """
    if series.dtype in (pl.Date, pl.Datetime):
        return series.cast(pl.Date)
    if series.dtype != pl.String:
        return None
    series = with_ascii_digits(series)
    known = series.drop_nulls().head(200)
    for form in FORMS:
        read = known.str.to_date(form, strict=False)
        if len(known) >= LEAST and read.null_count() <= (1 - SURE) * len(known):
            return series.str.to_date(form, strict=False)
    return None


def part_of(dates: pl.Series, numbers: pl.Series) -> str:
    """Return which part of a private date whole numbers are, whatever they are counted from; empty where none.

    Examples
    --------
    >>> dates = pl.Series([f"19{70 + row}-{1 + 7 * row % 12:02}-0{1 + row % 7}" for row in range(30)]).str.to_date()
    >>> part_of(dates, dates.dt.month() - 1), part_of(dates, dates.dt.year())
    ('the month', '')
    """
    numbers = with_ascii_digits(numbers)
    parts = {
        "the month": (dates.dt.month(), 12),
        "the day of the month": (dates.dt.day(), 31),
        "the day of the week": (dates.dt.weekday(), 7),
        "the day of the year": (dates.dt.ordinal_day(), PARTS),
    }
    for says, (part, turn) in parts.items():
        off = ((numbers.cast(pl.Float64, strict=False) - part) % turn).drop_nulls().drop_nans()
        if len(off) < LEAST or part.n_unique() < 4:
            continue
        most = off.value_counts(sort=True)["count"][0]
        if most >= SURE * len(off):
            return says
    return ""
