"""Day of the year with its sine and cosine, and values that hardly a person has."""

from __future__ import annotations

import math
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data.columns import infer_columns
from personax.data.table import Table
from personax.errors import InputError
from personax.schema import Column
from personax.sources._completion import (
    DAYS,
    PLAUSIBLE,
    PlausibleRange,
    derive_variables,
    flag_implausible,
    flag_notices,
)

TODAY = date(2026, 6, 15)
BORN = Column("birth_date", "private", "continuous")


def described(people: pl.DataFrame) -> Table:
    return Table(people, infer_columns(people))


@given(st.dates(date(1900, 1, 1), date(2025, 12, 31)))
def test_the_day_index_counts_in_a_leap_year(born: date) -> None:
    table = derive_variables(Table(pl.DataFrame({"birth_date": [born]}), [BORN]))
    row = table.frame.row(0, named=True)
    assert row["day_index"] == born.replace(year=2000).timetuple().tm_yday
    assert math.hypot(row["day_sin"], row["day_cos"]) == pytest.approx(1)
    turned = math.atan2(row["day_sin"], row["day_cos"]) % (2 * math.pi) / (2 * math.pi) * DAYS
    assert min(abs(turned - row["day_index"] + 1), DAYS - abs(turned - row["day_index"] + 1)) < 1e-6
    kinds = {column.name: (str(column.kind), column.period) for column in table.columns}
    expected = {"day_index": ("cyclic", 366), "birth_month": ("cyclic", 12), "day_sin": ("continuous", None)}
    assert {name: kinds[name] for name in expected} == expected


def test_what_is_not_known_gives_no_index() -> None:
    born = pl.DataFrame({"id": list("abcd"), "birth_month": [2, 4, None, 13], "birth_day": [30, None, 5, 1]})
    assert derive_variables(described(born)).frame["day_index"].null_count() == 4
    untouched = pl.DataFrame({"id": ["a"], "day_index": [7], "birth_month": [1], "birth_day": [2]})
    assert derive_variables(described(untouched)).frame["day_index"].to_list() == [7]
    with pytest.raises(InputError, match="not numbers"):
        derive_variables(described(born.with_columns(birth_month=pl.lit("May"))))


def test_flags_keep_everybody() -> None:
    people = pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "height_cm": [139.9, 140.0, 236.0],
            "weight_kg": [None, 200.0, 39.0],
            "birth_date": [date(2012, 6, 16), date(2012, 6, 15), None],
            "birth_year": [1849, 1850, None],
            "latitude": [91.0, None, None],
        }
    )
    flags = flag_implausible(people, today=TODAY)
    assert set(flags.rows()) == {
        ("a", "height_cm", 139.9, "< 140"),
        ("c", "height_cm", 236.0, "> 235"),
        ("c", "weight_kg", 39.0, "< 40"),
        ("b", "bmi", 102.0, "> 50"),
        ("c", "bmi", 7.0, "< 15"),
        ("a", "birth_year", 1849.0, "< 1850"),
        ("a", "age", 13.0, "< 14"),
        ("a", "latitude", 91.0, "> 90"),
    }
    assert sum(notice.count for notice in flag_notices(flags)) == flags.height
    wider = flag_implausible(people, today=TODAY, limits={**PLAUSIBLE, "height_cm": PlausibleRange(100, 250)})
    assert "height_cm" not in wider["column"].to_list()


def test_columns_without_numbers_are_passed_over() -> None:
    people = pl.DataFrame({"id": ["a"], "height_cm": ["tall"], "weight_kg": [0.0], "birth_date": ["1990"]})
    assert flag_implausible(people, today=TODAY).rows() == [("a", "weight_kg", 0.0, "< 40")]
    zero = pl.DataFrame({"id": ["a"], "height_cm": [0.0], "weight_kg": [80.0]})
    assert flag_implausible(zero, today=TODAY)["column"].to_list() == ["height_cm"]
