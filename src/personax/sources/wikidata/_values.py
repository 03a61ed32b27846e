"""Values as Wikidata writes them: times with a precision and a calendar, quantities with a unit, coordinates, files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from personax.sources._dates import MIN_YEAR, PartialDate
from personax.sources._units import parse_quantity, plausible_limits
from personax.sources.wikidata._entity import qid_of

__all__ = [
    "UNITS",
    "consensus_date",
    "from_julian",
    "image_address",
    "is_julian",
    "read_coordinates",
    "read_image",
    "read_quantity",
    "read_time",
]

UNITS: Mapping[str, str] = {
    "Q174728": "cm",
    "Q11573": "m",
    "Q174789": "mm",
    "Q218593": "in",
    "Q3710": "ft",
    "Q11570": "kg",
    "Q41803": "g",
    "Q100995": "lb",
}
"""Item of a unit -> its name in `personax.sources._units`; any other unit is not read."""

GREGORIAN, JULIAN = "Q1985727", "Q1985786"
EARTH = "Q2"
YEAR, MONTH, DAY = 9, 10, 11
_BROADER = {8: "decade", 7: "century", 6: "millennium"}
_TIME = re.compile(r"\+(\d{4,16})-(\d{2})-(\d{2})T\d{2}:\d{2}:\d{2}Z")
_AMOUNT = re.compile(r"\+?(\d{1,12}(?:\.\d{1,12})?)")
_FILE = re.compile(r"[^/\\<>\[\]{}|#:\x00-\x1f\x7f]{1,240}\.(?:jpe?g|png|gif|webp|tiff?)", re.IGNORECASE)
_JULIAN_DAYS = 1721425  # of the day before 1 January of the year 1, Gregorian: ordinal 0


def read_time(value: object, *, today: date) -> PartialDate:
    """Read a birth date as far as it is known.

    A Julian day becomes the Gregorian day. Of a Julian month only the year is kept: it lies in two Gregorian months.

    Raises
    ------
    ValueError
        With the reason: no year known, a date that cannot be, before the year 1000 or in the future, another calendar.

    Examples
    --------
    >>> january = {"time": "+1985-04-00T00:00:00Z", "precision": 10}
    >>> january["calendarmodel"] = "http://www.wikidata.org/entity/Q1985727"
    >>> read_time(january, today=date(2026, 1, 1))
    PartialDate(year=1985, month=4, day=None)
    """
    if not isinstance(value, dict):
        raise ValueError("not a time")
    match = _TIME.fullmatch(value["time"]) if isinstance(value.get("time"), str) else None
    if match is None:
        raise ValueError("not a time of our era")
    calendar = qid_of(value.get("calendarmodel"))
    if calendar not in (GREGORIAN, JULIAN):
        raise ValueError("in a calendar that is neither Gregorian nor Julian")
    if value.get("before") or value.get("after"):
        raise ValueError("a span of time, not a date")
    parts = _parts([int(part) for part in match.groups()], _precision(value), julian=calendar == JULIAN)
    first = date(parts.year, parts.month or 1, parts.day or 1)
    if first > today:
        raise ValueError("a date in the future")
    return parts


def is_julian(value: object) -> bool:
    """Say whether a time is stated in the Julian calendar."""
    return isinstance(value, dict) and qid_of(value.get("calendarmodel")) == JULIAN


def _precision(value: Mapping[str, Any]) -> int:
    precision = value.get("precision")
    if isinstance(precision, bool) or not isinstance(precision, int):
        raise ValueError("a time without its precision")
    if precision < YEAR:
        raise ValueError(f"known to the {_BROADER.get(precision, 'age')} only")
    return precision


def _parts(numbers: list[int], precision: int, *, julian: bool) -> PartialDate:
    """Return what the precision lets stand; the text may hold 01 or 00 beyond it."""
    year, month, day = numbers
    if not MIN_YEAR <= year <= date.max.year:
        raise ValueError(f"a date before the year {MIN_YEAR}" if year < MIN_YEAR else "a date in the future")
    if precision == YEAR or (precision == MONTH and julian):
        return PartialDate(year, None, None)
    if not 1 <= month <= 12:
        raise ValueError("not a month of the calendar")
    if precision == MONTH:
        return PartialDate(year, month, None)
    try:
        known = from_julian(year, month, day) if julian else date(year, month, day)
    except ValueError:
        raise ValueError("not a day of the calendar") from None
    return PartialDate(known.year, known.month, known.day)


def from_julian(year: int, month: int, day: int) -> date:
    """Return the Gregorian date of a day of the Julian calendar.

    Raises
    ------
    ValueError
        When there is no such day.

    Examples
    --------
    >>> from_julian(1582, 10, 5)
    datetime.date(1582, 10, 15)
    """
    longest = 30 if month in (4, 6, 9, 11) else 31 if month != 2 else 29 if year % 4 == 0 else 28
    if not (1 <= month <= 12 and 1 <= day <= longest):
        raise ValueError("not a day of the calendar")
    before = (14 - month) // 12  # the year is counted from March, so that the leap day is its last
    years, months = year + 4800 - before, month + 12 * before - 3
    number = day + (153 * months + 2) // 5 + 365 * years + years // 4 - 32083
    return date.fromordinal(number - _JULIAN_DAYS)


def consensus_date(dates: list[PartialDate]) -> PartialDate:
    """Return what several dates agree on, as far as each of them is known.

    Raises
    ------
    ValueError
        When not even the years agree.

    Examples
    --------
    >>> consensus_date([PartialDate(1974, 3, 2), PartialDate(1974, None, None)])
    PartialDate(year=1974, month=3, day=2)
    >>> consensus_date([PartialDate(1974, 3, 2), PartialDate(1974, 3, 3)])
    PartialDate(year=1974, month=3, day=None)
    """
    if len({found.year for found in dates}) > 1:
        raise ValueError(f"{len(dates)} statements of the same rank disagree on the year")
    months = {found.month for found in dates if found.month is not None}
    if len(months) != 1:
        return PartialDate(dates[0].year, None, None)
    days = {found.day for found in dates if found.day is not None}
    return PartialDate(dates[0].year, months.pop(), days.pop() if len(days) == 1 else None)


def read_quantity(value: object, column: str) -> float:
    """Read a height or a mass in centimetres or kilograms.

    Raises
    ------
    ValueError
        With the reason: no number, a unit that is not in `UNITS` or measures something else, an impossible size.

    Examples
    --------
    >>> read_quantity({"amount": "+1.75", "unit": "http://www.wikidata.org/entity/Q11573"}, "height_cm")
    175.0
    """
    if not isinstance(value, dict):
        raise ValueError("not a quantity")
    match = _AMOUNT.fullmatch(value["amount"]) if isinstance(value.get("amount"), str) else None
    if match is None:
        raise ValueError("not a positive number")
    item = qid_of(value.get("unit"))
    if item is None:
        raise ValueError("a number without a unit")
    unit = UNITS.get(item)
    if unit is None:
        raise ValueError(f"in the unit {item}, which is not known here")
    bounds = plausible_limits(column, unit)
    if bounds is None:
        raise ValueError(f"in {unit}, which does not measure {column}")
    return parse_quantity(match[1], unit, bounds=bounds)


def read_coordinates(value: object) -> tuple[float, float]:
    """Read latitude and longitude of a place on Earth in degrees.

    Raises
    ------
    ValueError
        With the reason: no numbers, outside the globe, or on another one.
    """
    if not isinstance(value, dict):
        raise ValueError("no coordinates")
    if qid_of(value.get("globe")) != EARTH:
        raise ValueError("not on Earth")
    latitude, longitude = (_coordinate(value.get(name)) for name in ("latitude", "longitude"))
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("outside the globe")
    return latitude, longitude


def _coordinate(number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError("no coordinates")
    return float(number)


def read_image(value: object) -> str:
    """Read the name of a picture on Wikimedia Commons.

    Raises
    ------
    ValueError
        When it is no name of a picture.
    """
    if not isinstance(value, str) or _FILE.fullmatch(value) is None or not value.isprintable():
        raise ValueError("not the name of a picture")
    return value


def image_address(name: str) -> str:
    """Return where a picture of Wikimedia Commons is fetched.

    Examples
    --------
    >>> image_address("A b?.jpg")
    'https://commons.wikimedia.org/wiki/Special:FilePath/A_b%3F.jpg'
    """
    return "https://commons.wikimedia.org/wiki/Special:FilePath/" + quote(name.replace(" ", "_"), safe="")
