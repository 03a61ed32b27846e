"""Digits of every script are read as 0 to 9 wherever a column's type is judged."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest

from personax.data.cell_numbers import read_numbers
from personax.data.date_order import read_dates
from personax.data.dates import are_dates
from personax.data.digits import ascii_digits, with_ascii_digits
from personax.data.following import dates_of
from personax.data.identity import classify
from personax.data.values import numbers_of

SCRIPTS = ["٠", "۰", "०", "০", "๐", "０", "𝟎"]


def written(texts: list[str], zero: str) -> pl.Series:
    return pl.Series("x", [text.translate({48 + at: chr(ord(zero) + at) for at in range(10)}) for text in texts])


@pytest.mark.parametrize("zero", SCRIPTS, ids=[unicodedata.name(zero) for zero in SCRIPTS])
def test_every_reader_sees_the_same_as_in_latin_digits(zero: str) -> None:
    slashed = [f"19{50 + row}/{1 + row % 12:02}/{13 + row % 9:02}" for row in range(40)]
    days = [text.replace("/", "-") for text in slashed]
    numbers = [str(150 + row % 50) for row in range(40)]
    assert with_ascii_digits(written(days, zero)).to_list() == days
    found = read_dates(written(slashed, zero))
    assert found is not None
    assert found.values is not None
    assert not found.odd.any()
    assert found.values.dt.strftime("%Y/%m/%d").to_list() == slashed
    assert are_dates(written(days, zero))
    assert dates_of(written(days, zero)) is not None
    cells = read_numbers(written(numbers, zero))
    assert cells is not None
    assert [str(value) for value in cells.values] == numbers
    own = numbers_of(written(numbers, zero))
    assert own is not None
    assert own.distinct[0] == 150
    assert classify(written(slashed, zero).to_frame())["x"] == classify(written(slashed, "0").to_frame())["x"]


def test_marks_of_arabic_numbers() -> None:
    assert ascii_digits("٣٬١٤١٫٥") == "3141.5"
