"""Single columns: rare categories, years of birth, shuffled indices."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data.naming import tells_the_day
from personax.errors import InputError
from personax.release import ReleaseKey
from personax.release.disclosure import (
    Merged,
    birth_year,
    merge_rare,
    names_of,
    shuffle_categories,
    with_names,
)

KEY = ReleaseKey(bytes(range(32)), "study")
texts = st.lists(st.none() | st.sampled_from(["a", "b", "c", "d", "e", "other"]), min_size=1, max_size=40)


def test_rare_categories_leave_as_other() -> None:
    frame = pl.DataFrame({"job": [*["a"] * 5, *["b"] * 3, "c", None]})
    made, told = merge_rare(frame, ["job"], 4)
    assert made["job"].to_list() == ["a"] * 5 + ["other"] * 4 + [None]
    assert told == [Merged("job", 2, 4)]
    # one person alone as "other" would be c again, and nobody else is drawn in to hide them
    made, told = merge_rare(frame, ["job"], 2)
    assert told == [Merged("job", 1, 1, withheld=True)]
    assert made["job"].to_list() == ["a"] * 5 + ["b"] * 3 + [None, None]
    club = pl.DataFrame({"club": ["large"] * 27 + ["small"] * 3})
    assert merge_rare(club, ["club"], 5)[0]["club"].to_list() == ["large"] * 27 + [None] * 3
    assert merge_rare(frame, ["job"], 1) == (frame, [])
    # all together are too few: having a value is rare itself
    made, told = merge_rare(frame, ["job"], 10)
    assert told == [Merged("job", 3, 9, withheld=True)]
    assert made["job"].null_count() == 10
    assert made["job"].dtype == pl.String
    with pytest.raises(InputError, match="fewer than 0"):
        merge_rare(frame, ["job"], 0)


def test_rare_codes_and_an_other_that_is_there_already() -> None:
    frame = pl.DataFrame({"code": [1] * 5 + [2] * 5 + [3], "job": ["a"] * 5 + ["other"] * 5 + ["b"]})
    made, told = merge_rare(frame, ["code", "job"], 3)
    # 3 is alone
    assert made["code"].to_list() == ["1"] * 5 + ["2"] * 5 + [None]
    assert made["job"].value_counts().sort("job").rows() == [("a", 5), ("other", 6)]
    assert told[1] == Merged("job", 2, 6)


@given(texts, st.integers(1, 12))
def test_no_category_that_leaves_is_rare(values: list[str | None], below: int) -> None:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.String)})
    made, told = merge_rare(frame, ["x"], below)
    left = made["x"].drop_nulls().to_list()
    assert all(count >= below for count in Counter(left).values())
    assert all((new is None) == (old is None) for old, new in zip(values, made["x"], strict=True)) or told[0].withheld
    kept = [(old, new) for old, new in zip(values, made["x"], strict=True) if new not in (None, "other")]
    assert all(old == new for old, new in kept)
    back = merge_rare(frame[::-1], ["x"], below)[0][::-1]
    assert back.equals(made), "the order of the rows does not matter"


def test_only_the_year_of_a_date_leaves() -> None:
    days = [date(1987, 3, 1), date(1990, 12, 31), None]
    for values in (pl.Series("d", days), pl.Series("d", [d and datetime(d.year, d.month, d.day) for d in days])):
        found, invalid = birth_year(values)
        assert (found.name, found.to_list(), invalid) == ("birth_year", [1987, 1990, None], 0)
    found, invalid = birth_year(pl.Series(["1987-03-01", "1990", "1990-05", "+1990-00-00T00:00:00Z", " 1991-1-1"]))
    assert (found.to_list(), invalid) == ([1987, 1990, 1990, 1990, None], 1)
    wrong = ["1990-02-30", "1990-13-01", "0900", "unknown", "", "9999", "1990-05-17x", None]
    assert birth_year(pl.Series(wrong))[1] == 7
    found, invalid = birth_year(pl.Series([1990.0, 1990.5, float("nan"), None, 3e30]))
    assert (found.to_list(), invalid) == ([1990, None, None, None, None], 3), "a fraction of a year tells the month"
    with pytest.raises(InputError, match="width of at least 1"):
        birth_year(pl.Series([1990]), width=0)
    with pytest.raises(InputError, match="read from dates"):
        birth_year(pl.Series([True]))


@given(st.lists(st.integers(1000, 2100), min_size=1, max_size=30), st.integers(1, 30))
def test_bands_start_at_multiples_whatever_the_data(years: list[int], width: int) -> None:
    found = birth_year(pl.Series(years), width=width)[0].to_list()
    assert all(start % width == 0 and start <= year < start + width for year, start in zip(years, found, strict=True))


def test_names_of_columns_that_tell_the_day() -> None:
    told = ["birth_date", "Date of Birth", "dob", "birthday", "birth_month_sin", "day_index", "zodiac"]
    assert [name for name in told if tells_the_day(name)] == told
    assert not any(map(tells_the_day, ["birth_year", "country", "holiday", "day", "career_month"]))


@given(texts)
def test_indices_come_back(values: list[str | None]) -> None:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.String), "y": range(len(values))})
    made, mapping = shuffle_categories(frame, ["x"], KEY)
    known = {value for value in values if value is not None}
    assert set(made["x"].drop_nulls()) == set(range(len(known)))
    assert sorted(mapping["x"]) == sorted(known)
    assert names_of(mapping["x"], made["x"].to_list()) == values
    assert with_names(made, mapping).equals(frame)
    assert shuffle_categories(frame[::-1], ["x"], KEY)[1] == mapping


def test_the_order_of_indices_tells_nothing() -> None:
    names = [f"c{place:02d}" for place in range(40)]
    # frequent first, and in the order of the alphabet
    frame = pl.DataFrame({"x": [name for place, name in enumerate(names) for _ in range(40 - place)]})
    ranks = []
    for seed in range(200):
        mapping = shuffle_categories(frame, ["x"], ReleaseKey(bytes([seed]) * 32))[1]["x"]
        ranks.append(np.corrcoef(range(40), [mapping.index(name) for name in names])[0, 1])
    assert abs(np.mean(ranks)) < 4 / np.sqrt(39 * 200)
    assert np.std(ranks) == pytest.approx(1 / np.sqrt(39), rel=0.2)
    other = shuffle_categories(frame.rename({"x": "y"}), ["y"], KEY)[1]["y"]
    assert other != shuffle_categories(frame, ["x"], KEY)[1]["x"], "each column has an order of its own"


def test_an_index_of_another_release_is_refused() -> None:
    with pytest.raises(InputError, match="index 2 is none of 2"):
        names_of(["a", "b"], [0, 2])
    with pytest.raises(InputError, match="index -1"):
        names_of(["a", "b"], [-1])
