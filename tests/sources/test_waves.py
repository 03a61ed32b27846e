"""Two waves of people: what came, went and changed, and ids that mean somebody else."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from personax.sources import compare_waves, same_people, stack_waves, wave_notices

BEFORE = pl.DataFrame(
    {
        "id": ["nba-1", "nba-2", "nba-3", "atp-4"],
        "name": ["Ada Sample", "Bo Other", "Cy Third", "Di Fourth"],
        "birth_date": ["1990-01-01", "1991-01-01", "1992-01-01", "1993-01-01"],
        "weight_kg": [60, 80, 90, 70],
    }
)


def after(**changes: list[Any]) -> pl.DataFrame:
    return BEFORE.with_columns(**{name: pl.Series(values) for name, values in changes.items()})


def compared(now: pl.DataFrame, stopped: tuple[str, ...] = ()) -> list[tuple[object, ...]]:
    return [row[1:] for row in compare_waves(BEFORE, now, wave=2, stopped=stopped).rows()]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (BEFORE, []),
        (BEFORE.reverse(), []),
        (after(weight_kg=[60.0, 80.0, 90.0, 70.0]), []),  # whole numbers that are floats now
        (BEFORE.filter(pl.col("id") != "nba-2"), [("nba-2", "went", None, None, None)]),
        (after(weight_kg=[70, 80, 90, 70]), [("nba-1", "changed", "weight_kg", "60", "70")]),
        (after(weight_kg=[None, 80, 90, 70]), [("nba-1", "changed", "weight_kg", "60", None)]),
        # she married; and his birth date was corrected: the same people
        (
            after(name=["Ada Married", "Bo Other", "Cy Third", "Di Fourth"]),
            [("nba-1", "changed", "name", "Ada Sample", "Ada Married")],
        ),
        (
            after(birth_date=["1990-01-02", "1991-01-01", "1992-01-01", "1993-01-01"]),
            [("nba-1", "changed", "birth_date", "1990-01-01", "1990-01-02")],
        ),
        (
            after(id=["nba-2", "nba-1", "nba-3", "atp-4"]),
            [("nba-1", "moved", "id", "nba-2", "nba-1"), ("nba-2", "moved", "id", "nba-1", "nba-2"),
             ("nba-1", "reused", "name", "ada sample", "bo other"),
             ("nba-2", "reused", "name", "bo other", "ada sample")],
        ),
    ],
)  # fmt: skip
def test_what_differs(now: pl.DataFrame, expected: list[tuple[object, ...]]) -> None:
    assert compared(now) == expected


def test_who_is_missing_because_a_source_failed_has_not_gone() -> None:
    now = BEFORE.filter(pl.col("id") == "nba-1")
    kinds = {row[0]: row[1] for row in compared(now, stopped=("nba",))}
    assert kinds == {"nba-2": "unseen", "nba-3": "unseen", "atp-4": "went"}
    texts = [notice.text for notice in wave_notices(compare_waves(BEFORE, now, wave=2, stopped=("nba",)), 2,
                                                    before=BEFORE.columns, after=BEFORE.columns)]  # fmt: skip
    assert "0 people came, 1 went and 0 changed" in texts[0]
    assert "not counted as gone" in texts[1]


def anonymous(n: int = 40) -> pl.DataFrame:
    return pl.DataFrame({"id": [f"s-{i}" for i in range(n)], "age": [20 + i % 30 for i in range(n)],
                         "gender": ["fm"[i % 2] for i in range(n)], "score": [1.5 * i for i in range(n)]})  # fmt: skip


def shifted(people: pl.DataFrame, by: int) -> pl.DataFrame:
    return people.with_columns(pl.col("id").gather((pl.int_range(pl.len()) + by) % pl.len()))


def told(before: pl.DataFrame, now: pl.DataFrame) -> tuple[dict[str, int], str]:
    changes = compare_waves(before, now, wave=2)
    texts = wave_notices(changes, 2, before=before.columns, after=now.columns)
    return dict(changes["change"].value_counts().iter_rows()), " ".join(notice.text for notice in texts)


def test_ids_that_were_dealt_anew_are_told_and_not_taken_for_changes() -> None:
    people = anonymous()
    kinds, text = told(people, shifted(people, 1))
    assert kinds == {"moved": 40, "reused": 40}
    assert "0 people came, 0 went and 0 changed" in text
    assert "Ids mean another person" in text
    # a score of few people that became another's by chance is a change
    kinds, text = told(people, people.with_columns(score=pl.when(pl.col("id") == "s-2").then(3.5).otherwise("score")))
    assert kinds == {"changed": 1}
    # all values moved a little as well: nobody is known again, but men do not become women
    kinds, text = told(people, shifted(people, 1).with_columns(pl.col("score") + 0.1, pl.col("age") + 1))
    assert "moved" not in kinds
    assert "What does not change of a person differs (gender)" in text
    named = people.with_columns(
        name=pl.format("Person {}", "id"), birth_date=pl.format("19{}-01-01", pl.col("age") + 20)
    )
    renumbered = named.with_columns(pl.format("new-{}", "id").alias("id"), pl.col("score") * 2)
    kinds, text = told(named, renumbered)
    assert kinds == {"moved": 40, "changed": 39}  # the score 0 stays
    assert "0 people came, 0 went and 39 changed" in text
    assert "taken for the same people" in text


def test_a_person_stays_one_where_ids_move_and_another_is_another() -> None:
    moved = BEFORE.with_columns(id=pl.Series(["nba-2", "nba-1", "nba-9", "atp-4"]))
    fourth = [*moved["name"].to_list()[:3], "Zed Newman"]
    moved = moved.with_columns(name=pl.Series(fourth), birth_date=pl.Series([*moved["birth_date"][:3], "1999-09-09"]))
    both = stack_waves({1: BEFORE, 2: moved})
    assert both.filter(pl.col("wave") == 2)["person"].to_list() == ["nba-1", "nba-2", "nba-3", "atp-4#2"]


def test_notices_count_and_name_nobody() -> None:
    now = after(id=["nba-2", "nba-1", "nba-3", "atp-4"], weight_kg=[60, 80, 101, 71]).drop("birth_date")
    now = now.with_columns(height_cm=pl.lit(180))
    changes = compare_waves(BEFORE, now, wave=2)
    texts = " ".join(notice.text for notice in wave_notices(changes, 2, before=BEFORE.columns, after=now.columns))
    assert "weight_kg changed for 2 people, for 1 of them by more than 10%" in texts
    assert "columns are gone: birth_date" in texts
    assert "columns are new: height_cm" in texts
    assert "Ids mean another person than in the wave before" in texts
    assert not any(name in texts for name in BEFORE["name"])


def test_the_same_people_in_another_order_are_the_same() -> None:
    assert same_people(BEFORE, BEFORE.reverse().select(reversed(BEFORE.columns)))
    assert not same_people(BEFORE, after(weight_kg=[1, 80, 90, 70]))
    assert not same_people(BEFORE, BEFORE.drop("name"))
