"""Times, calendars, quantities, coordinates, file names: closed forms and what cannot be."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.wikidata.invented import JULIAN, amount, at, when

from personax.sources._dates import PartialDate
from personax.sources.wikidata._values import (
    UNITS,
    consensus_date,
    from_julian,
    image_address,
    read_coordinates,
    read_image,
    read_quantity,
    read_time,
)

TODAY = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (when("1985-04-05"), PartialDate(1985, 4, 5)),
        (when("1985-01-01", 9), PartialDate(1985, None, None)),  # the precision counts, not the text
        (when("1985-00-00", 9), PartialDate(1985, None, None)),
        (when("1985-04-00", 10), PartialDate(1985, 4, None)),
        (when("00000001985-04-05"), PartialDate(1985, 4, 5)),
        (when("1642-12-25", 11, JULIAN), PartialDate(1643, 1, 4)),  # Newton
        (when("1917-10-25", 11, JULIAN), PartialDate(1917, 11, 7)),
        (when("1900-02-29", 11, JULIAN), PartialDate(1900, 3, 13)),  # a leap day that only the Julian calendar has
        (when("1900-04-00", 10, JULIAN), PartialDate(1900, None, None)),
        (when("1999-06-07", 14), PartialDate(1999, 6, 7)),
    ],
)
def test_times_are_read_as_far_as_they_are_known(value: dict[str, Any], expected: PartialDate) -> None:
    assert read_time(value, today=TODAY) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (when("1980-00-00", 8), "known to the decade only"),
        (when("1900-00-00", 7), "known to the century only"),
        (when("1985-02-30"), "not a day of the calendar"),
        (when("1985-13-00", 10), "not a month"),
        (when("1985-00-00", 11), "not a month"),
        (when("1900-02-29"), "not a day"),
        (when("1901-02-29", 11, JULIAN), "not a day"),
        (when("0987-01-01"), "before the year 1000"),
        (when("2999-01-01"), "in the future"),
        (when("99999999-01-01", 9), "in the future"),
        (when("1985-04-05") | {"time": "-0044-03-15T00:00:00Z"}, "not a time of our era"),
        (when("1985-04-05") | {"calendarmodel": "http://www.wikidata.org/entity/Q12138"}, "neither Gregorian"),
        (when("1985-04-05") | {"precision": True}, "without its precision"),
        (when("1985-04-05") | {"after": 1}, "a span of time"),
        ("1985-04-05", "not a time"),
        ({"time": 1985}, "not a time of our era"),
    ],
)
def test_times_that_are_none(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_time(value, today=TODAY)


@given(st.dates(date(1000, 1, 1), date(2025, 12, 31)))
def test_a_julian_day_is_behind_by_the_century_leap_days_left_out(day: date) -> None:
    """By the rule of the calendars: c - c/4 - 2 days, c the century, where the Julian year began in March."""
    century = (day.year - (day.month < 3)) // 100
    assert from_julian(day.year, day.month, day.day) - day == timedelta(days=century - century // 4 - 2)


def test_dates_agree_as_far_as_all_do() -> None:
    assert consensus_date([PartialDate(1974, 3, 2)]) == PartialDate(1974, 3, 2)
    assert consensus_date([PartialDate(1974, None, None), PartialDate(1974, 3, 2)]) == PartialDate(1974, 3, 2)
    assert consensus_date([PartialDate(1974, 3, None), PartialDate(1974, 4, 2)]) == PartialDate(1974, None, None)
    with pytest.raises(ValueError, match="2 statements of the same rank disagree on the year"):
        consensus_date([PartialDate(1974, 3, 2), PartialDate(1975, 3, 2)])


@pytest.mark.parametrize(
    ("value", "column", "expected"),
    [
        (amount("+1.75", "Q11573"), "height_cm", 175.0),
        (amount("+175", "Q174728"), "height_cm", 175.0),
        (amount("1750", "Q174789"), "height_cm", 175.0),
        (amount("+69", "Q218593"), "height_cm", 175.26),
        (amount("+6", "Q3710"), "height_cm", 182.88),
        (amount("+70", "Q11570"), "weight_kg", 70.0),
        (amount("+70000", "Q41803"), "weight_kg", 70.0),
        (amount("+200", "Q100995"), "weight_kg", 90.718474),
    ],
)
def test_quantities_become_cm_and_kg(value: dict[str, str], column: str, expected: float) -> None:
    assert read_quantity(value, column) == expected


def test_every_unit_measures_one_thing() -> None:
    for item in UNITS:
        read = []
        for column in ("height_cm", "weight_kg"):
            for number in ("1.8", "70", "180", "70000", "1800", "6"):
                try:
                    read.append((column, read_quantity(amount(number, item), column)))
                except ValueError:
                    continue
        assert len({column for column, _ in read}) == 1, item


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (amount("+6", "Q11574"), "unit Q11574, which is not known"),
        (amount("+180", "1"), "without a unit"),
        (amount("+70", "Q11570"), "does not measure height_cm"),
        (amount("+180", "Q11573"), "not between 40 and 280"),
        (amount("-180", "Q174728"), "not a positive number"),
        (amount("+0", "Q174728"), "not positive"),
        (amount("1e300", "Q174728"), "not a positive number"),
        (amount("+NaN", "Q174728"), "not a positive number"),
        ("180", "not a quantity"),
    ],
)
def test_quantities_that_are_none(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_quantity(value, "height_cm")


def test_coordinates_are_on_earth() -> None:
    assert read_coordinates(at(22, 114.5)) == (22.0, 114.5)
    for value, reason in [
        (at(22, 114, "Q405"), "not on Earth"),
        (at(91, 0), "outside"),
        (at(0, 180.1), "outside"),
        (at(True, 0), "no coordinates"),
        (at("1", 0), "no coordinates"),
        (at(None, 0), "no coordinates"),
        ([1, 2], "no coordinates"),
    ]:
        with pytest.raises(ValueError, match=reason):
            read_coordinates(value)


def test_names_of_pictures() -> None:
    assert read_image('KBS "The Producers", 11 May 2015 10.jpg') == 'KBS "The Producers", 11 May 2015 10.jpg'
    assert image_address("Zoë & b.JPG") == "https://commons.wikimedia.org/wiki/Special:FilePath/Zo%C3%AB_%26_b.JPG"
    for name in (
        "../../etc/passwd.jpg",
        "a.exe",
        "a|b.jpg",
        "a\nb.jpg",
        "https://x.org/a.jpg",
        "a\u202eb.jpg",
        None,
        "",
    ):
        with pytest.raises(ValueError, match="not the name of a picture"):
            read_image(name)
