"""No value that few people have leaves by default, in any type, alone or beside another; nor does a day of birth."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.release.reading.made import write_sums

from personax.data.calendar_parts import calendar_part
from personax.data.columns import infer_columns
from personax.data.identity import classify
from personax.data.table import Table
from personax.release import ReleaseInput
from personax.release._column_policy import ColumnRule
from personax.release._settings import AnonymityRequirements, ReleaseSettings
from personax.release._table_protection import ProtectedTable, protect
from personax.release.checks._verify import verify
from personax.release.disclosure import join_rare_levels, singling_out
from personax.release.keys._keystore import ReleaseKey

KEY = ReleaseKey(bytes(range(32)))
PEOPLE = 300


def left(frame: pl.DataFrame, **said: Any) -> ProtectedTable:
    ids = pl.Series("id", [f"p{row:04}" for row in range(frame.height)])
    whole = frame.insert_column(0, ids)
    return protect(ReleaseInput("x", Table(whole, infer_columns(whole))), ReleaseSettings(**said), KEY)


def known(protected: ProtectedTable) -> list[str]:
    return [name for name in protected.frame.columns if name != "id" and not name.startswith("final_")]


def one_of(value: object, others: list[Any]) -> pl.Series:
    """Return a column in which the first person alone has a value, and the others share a few."""
    return pl.Series("x", [value, *(others[row % len(others)] for row in range(PEOPLE - 1))], strict=False)


ALONE = {
    "won, 0 or 1": one_of(1, [0]),
    "won, true or false": one_of(True, [False]),
    "won, as text": one_of("true", ["false"]),
    "won, as ja and nein": one_of("ja", ["nein"]),
    "won, or nothing": one_of("yes", [None]),
    "retired, or not known": one_of(None, ["no"]),
    "medals": one_of(17, [0, 0, 0, 1, 2]),
    "least points": one_of(-88, [-1, 0, 1]),
    "between the others": one_of(5, [0, 1, 9, 10]),
    "shirt number": one_of(99, [1, 7, 9, 10, 23]),
    "grade": one_of(9.75, [1.0, 1.5, 2.0]),
    "one infinite": one_of(float("inf"), [1.0, 2.0]),
    "category": one_of("Klingon", ["Polish", "German"]),
    "enumeration": one_of("c", ["a", "b"]).cast(pl.Categorical),
    "day": pl.Series("x", [2019, *([2020, 2021] * 150)][:PEOPLE]),
    "small integers": one_of(9, [1, 2]).cast(pl.Int8),
    "unsigned": one_of(200, [1, 2]).cast(pl.UInt8),
    "no answer": one_of(float("nan"), [1.0, 2.0]),
}


@pytest.mark.parametrize("values", ALONE.values(), ids=ALONE)
def test_the_one_person_of_a_value_is_not_told(values: pl.Series) -> None:
    made = left(pl.DataFrame({"x": values, "final_o": [1, 2, 3] * 100}))
    if "x" in made.frame.columns:
        counts = made.frame["x"].value_counts()
        assert min(counts["count"]) >= 5
        assert made.frame["x"].drop_nulls().n_unique() > 1 or values.drop_nulls().n_unique() < 2
    assert made.report["singling_out"]["one"] == 0 if known(made) else True


def test_what_was_done_is_told() -> None:
    made = left(pl.DataFrame({"cups": ALONE["medals"], "won": ALONE["won, 0 or 1"], "final_o": [1, 2, 3] * 100}))
    assert "won" not in made.frame.columns
    columns = made.report["columns"]
    assert columns["won"]["leaves"] == "withheld"
    assert "cups" in made.report["rare"]["joined"]
    assert any("cups" in sentence for sentence in made.sentences)
    assert any("won" in notice.text for notice in made.notices)


def test_a_stated_risk_lets_numbers_leave_as_they_are() -> None:
    rules = {"cups": ColumnRule(leaves="exact", risk="The record is public anyway.")}
    made = left(pl.DataFrame({"cups": ALONE["medals"], "final_o": [1, 2, 3] * 100}), columns=rules)
    assert made.frame["cups"].max() == 17


def test_the_same_key_empties_the_same_cells() -> None:
    frame = pl.DataFrame({"x": ALONE["category"], "final_o": [1, 2, 3] * 100})
    first = left(frame.clone()).frame.filter(pl.col("x").is_null())["id"].to_list()
    assert first == left(frame.clone()).frame.filter(pl.col("x").is_null())["id"].to_list()
    assert len(first) >= 5
    assert "p0000" in first


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_nobody_stands_alone_by_one_column_or_two(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    height = data.draw(st.integers(20, 150))
    kinds: list[Any] = [
        [True, False, None], list(range(6)), [-1.5, 0.0, 2.5, None], ["u", "v", "w", None, "other"], ["u", "v"],
        [0, 1], ["yes", "no", None],
    ]  # fmt: skip
    chosen = data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    frame = pl.DataFrame(
        {
            f"k{at}": [values[place] for place in rng.choice(len(values), height, p=rng.dirichlet([0.5] * len(values)))]
            for at, values in enumerate(chosen)
        }
    )
    made = left(frame)
    names = known(made)
    for width, least in ((1, 5), (2, 2)):
        for columns in combinations(names, width):
            assert min(made.frame.group_by(columns).len()["len"]) >= min(least, height), (columns, made.frame)
    found = singling_out(made.frame, names)
    assert (found.one, found.two) == (0, 0)
    alone = [made.frame.select(pl.struct(three).is_unique()).to_series() for three in combinations(names, 3)]
    assert found.three == (pl.select(pl.any_horizontal(alone)).to_series().sum() if alone else 0)


def test_people_whom_three_columns_single_out_are_told() -> None:
    rng = np.random.default_rng(0)
    items = {f"q{item}": rng.choice([1, 2, 3, 4], PEOPLE, p=[0.1, 0.3, 0.4, 0.2]) for item in range(9)}
    made = left(pl.DataFrame(items))
    told = made.report["singling_out"]
    assert (told["one"], told["two"]) == (0, 0)
    assert told["three"] > 10
    sentence = f"0 of 300 people stand alone by one column, 0 by two and {told['three']} by three"
    assert any(sentence in one for one in made.sentences)
    (notice,) = (one for one in made.notices if sentence in one.text)
    assert notice.count == told["three"]
    assert "release.anonymity.quasi_identifiers" in notice.text
    named = left(pl.DataFrame(items), anonymity=AnonymityRequirements(quasi_identifiers=("q0", "q1", "q2")))
    coarser = [name for name in ("q0", "q1", "q2") if name in named.frame.columns]
    assert min(named.frame.group_by(coarser).len()["len"]) >= 5, "the cure that is named cures"


def test_of_many_columns_some_are_counted_together_and_how_many_is_said() -> None:
    wide = pl.DataFrame({f"x{at}": [0, 0, 1, 1] for at in range(70)})
    assert (
        "(two among the 60 of most values, three among the 60 of most values)"
        in singling_out(wide, wide.columns).sentence
    )


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60), st.integers(1, 12))
def test_levels_join_their_neighbours(values: list[int], below: int) -> None:
    series = pl.Series("x", values)
    made = join_rare_levels(series, below)
    assert made.n_unique() == 1 or min(made.value_counts()["count"]) >= below
    assert set(made) <= set(values)
    pairs = sorted(zip(values, made, strict=True))
    assert [new for _, new in pairs] == sorted(made), "the order of the numbers stays"


MONTHS = {
    "numbers": list(range(1, 13)),
    "from 0": list(range(12)),
    "texts": [f"{month:02}" for month in range(1, 13)],
    "Persian": [str(month).translate({48 + at: 0x6F0 + at for at in range(10)}) for month in range(1, 13)],
    "German": ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
               "November", "Dezember"],
    "English": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "Japanese": [f"{month}月" for month in range(1, 13)],
}  # fmt: skip


@pytest.mark.parametrize("months", MONTHS.values(), ids=MONTHS)
def test_parts_of_a_date_are_seen_by_their_values(months: list[Any]) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "a": rng.integers(1940, 2005, PEOPLE),
            "b": [months[place] for place in rng.integers(12, size=PEOPLE)],
            "c": rng.integers(1, 32, PEOPLE),
        }
    )
    found = classify(frame)
    assert found["b"][0] == found["c"][0] == "quasi-identifying"
    assert not {"b", "c"} & set(left(frame).frame.columns)


def test_scales_are_no_parts_of_a_date() -> None:
    assert calendar_part(pl.Series([1, 2, 3, 4, 5, 6, 7] * 9)) is None
    assert calendar_part(pl.Series(list(range(11)) * 9)) is None
    assert calendar_part(pl.Series(["may be", "march", "no", "yes"] * 9)) is None


def test_verify_counts_over_what_is_there(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ids = sorted(f"{KEY.pseudonym(str(row))}" for row in range(PEOPLE))
    frame = pl.DataFrame(
        {"id": ids, "y": rng.integers(1970, 2000, PEOPLE), "m": rng.integers(1, 13, PEOPLE),
         "t": rng.integers(1, 32, PEOPLE), "won": [0] * 299 + [1]}
    )  # fmt: skip
    path = tmp_path / "data" / "people" / "train-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    frame.write_parquet(path)
    write_sums(tmp_path)
    checks = {check.name: check for check in verify(tmp_path).checks}
    assert checks["dates of birth"].outcome == "fails"
    assert checks["singling out"].outcome == "fails"
    assert "won" in checks["singling out"].text
