"""Roles and kinds: the published headers come out as the papers use them; what is given is never overruled."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from personax.data.columns import infer_columns
from personax.schema import Column, Kind, Role, Trait, TraitFramework

N = 60

PUBLISHED: dict[str, tuple[object, Role, Kind]] = {
    "Height(cm)": ([150.0 + i for i in range(N)], "feature", "continuous"),
    "Year": ([1950 + i for i in range(N)], "feature", "continuous"),
    "Month": ([1 + i % 12 for i in range(N)], "feature", "cyclic"),
    "Birthmonth": ([1 + i % 12 for i in range(N)], "feature", "cyclic"),
    "Day_sin": ([i / N for i in range(N)], "feature", "continuous"),
    "Latitude": ([i - 30.5 for i in range(N)], "feature", "continuous"),
    "Longitude": ([i - 30.5 for i in range(N)], "feature", "cyclic"),
    "Occupation_idx": ([i % 5 for i in range(N)], "feature", "nominal"),
    "Gender_idx": ([i % 2 for i in range(N)], "feature", "nominal"),
    "Type": ([i % 7 for i in range(N)], "feature", "nominal"),
    "Arched_Eyebrows": ([i % 2 for i in range(N)], "feature", "ordinal"),
    "4o_o": ([1 + i % 3 for i in range(N)], "target", "ordinal"),
    "final_n": ([1 + (i % 5) / 2 for i in range(N)], "target", "ordinal"),
    "id": ([str(i) for i in range(N)], "id", "nominal"),
    "name": (["Ada"] * N, "private", "nominal"),
    "birth_date": (["1990-01-01"] * N, "private", "nominal"),
    "e_mail": (["a@b.c"] * N, "private", "nominal"),
    "motto": ([f"motto {i}" for i in range(N)], "private", "nominal"),
    "Full Name": (["Ada"] * N, "private", "nominal"),
    "homeAddress": (["1 Road"] * N, "private", "nominal"),
    "firstName": (["Ada"] * N, "private", "nominal"),
    "Date of Birth": (["1990"] * N, "private", "nominal"),
    "birthday": (["1 May"] * N, "private", "nominal"),
    "player_id": (list(range(N)), "private", "nominal"),
    "team_id": ([i % 3 for i in range(N)], "feature", "nominal"),
    "body_mass_index": ([20 + i / 7 for i in range(N)], "feature", "continuous"),
    "Birthday": ([1 + i % 31 for i in range(N)], "feature", "cyclic"),
    "Day": ([1 + i % 31 for i in range(N)], "feature", "cyclic"),
    "Day index": ([6 * i for i in range(N)], "feature", "cyclic"),
    "Birthyear": ([1950 + i for i in range(N)], "feature", "continuous"),
    "Height": ([150.0 + i for i in range(N)], "feature", "continuous"),
    "month": ([100 * i for i in range(N)], "feature", "continuous"),
    "gemini_c": ([1 + i % 3 for i in range(N)], "target", "ordinal"),
    "plan_a": (["yes", "no"] * (N // 2), "feature", "nominal"),
    "openness": ([i / N for i in range(N)], "target", "continuous"),
    "final_a": ([None] * N, "target", "nominal"),
    "league": (["NBA", "NHL"] * (N // 2), "feature", "nominal"),
    "face": ([[0.1, 0.2]] * N, "embedding", "nominal"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_inferred(name: str) -> None:
    values, role, kind = PUBLISHED[name]
    column = infer_columns(pl.DataFrame({name: values}))[0]
    assert (column.role, column.kind) == (role, kind)
    assert column.inferred
    assert column.why


def test_given_is_kept() -> None:
    given = Column("Type", "target", "ordinal")
    found = infer_columns(pl.DataFrame({"Type": [1, 2]}), {"Type": given})
    assert [replace(column, identity="", identity_why="") for column in found] == [given]


def test_cyclic_columns_know_their_turn() -> None:
    columns = infer_columns(pl.DataFrame({"month": [1, 2], "longitude": [0.0, 1.0], "weekday": [0, 6]}))
    assert [column.period for column in columns] == [12.0, 360.0, 7.0]


def test_there_is_one_id() -> None:
    columns = infer_columns(pl.DataFrame({"id": ["a", "b"], "rownames": ["1", "2"]}))
    assert [column.role for column in columns] == ["id", "private"]
    assert columns[1].why == "text; private: a second id"


def test_a_unit_in_the_name_is_kept() -> None:
    columns = infer_columns(pl.DataFrame({"Height(cm)": [180.0, 181.0], "weight_kg": [80, 81], "age": [30, 31]}))
    assert [column.unit for column in columns] == ["cm", "kg", None]


def test_a_framework_says_which_columns_are_scores() -> None:
    pair = TraitFramework("pair", [Trait("warmth", "w", "warm"), Trait("zeal", "z", "keen")])
    frame = pl.DataFrame({key: [1.0, 2.0] for key in ("final_w", "zorb_w", "zorb_z", "own_zeal", "final_o", "temp_w")})
    role = {column.name: column.role for column in infer_columns(frame, framework=pair)}
    assert role == {
        "final_w": "target", "zorb_w": "target", "zorb_z": "target", "own_zeal": "target",
        "final_o": "feature", "temp_w": "feature",
    }  # fmt: skip
