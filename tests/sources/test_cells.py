"""Columns of text as values: codes stay codes, a year stays a year, and a unit that cannot be is noticed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from personax.errors import InputError, TooManyBadCells
from personax.sources import ColumnSpec, PeopleTable, read_table
from personax.sources._dates import parse_date, parse_partial_date
from personax.sources._units import parse_quantity

TODAY = date(2026, 1, 1)


def read(folder: Path, text: str, columns: dict[str, dict[str, Any]] | None = None, **options: Any) -> PeopleTable:
    path = folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, {name: ColumnSpec.model_validate(raw) for name, raw in (columns or {}).items()}, **options)


def kinds(table: PeopleTable) -> dict[str, tuple[str, str]]:
    return {column.name: (column.kind, str(table.people[column.name].dtype)) for column in table.columns}


def test_a_year_alone_gets_no_invented_month(tmp_path: Path) -> None:
    text = "born\n1974\n1980-05\n1990-07-08\n"
    table = read(tmp_path, text, {"birth_date": {"from": "born", "format": ["iso", "%Y-%m", "%Y"]}})
    expected = [("1", None, 1974, None, None), ("2", None, 1980, 5, None), ("3", date(1990, 7, 8), 1990, 7, 8)]
    assert table.people.rows() == expected
    first = table.notices[0]
    assert first.text == "Birth dates that give no day are missing; their year, and month if given, is kept."
    assert first.count == 2
    assert table.bad_cells.is_empty()


def test_only_a_birth_date_may_be_partial(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"columns.debut: only birth_date may be a year or a month alone"):
        read(tmp_path, "debut\n1999\n", {"debut": {"format": "%Y"}})


@pytest.mark.parametrize("text", ["1974-03-02x", "1974-W01-1", "19740302", "1974-3-2"])
def test_iso_is_iso(text: str) -> None:
    with pytest.raises(ValueError, match="written as YYYY-MM-DD"):
        parse_date(text, [], today=TODAY)


def test_iso_with_a_time_and_iso_among_others() -> None:
    assert parse_date("1974-03-02T10:00:00Z", [], today=TODAY) == date(1974, 3, 2)
    assert parse_date("1974-03-02", ["%d/%m/%Y", "iso"], today=TODAY) == date(1974, 3, 2)
    with pytest.raises(ValueError, match="a month and a day"):
        parse_date("1974", ["%Y"], today=TODAY)
    assert parse_partial_date("2 1974", ["%d %Y"], today=TODAY) == (1974, None, None)


@pytest.mark.parametrize("pattern", ["DD/MM/YYYY", "%d/%m"])
def test_a_format_needs_its_year(pattern: str) -> None:
    with pytest.raises(ValidationError, match="a date format needs a year"):
        ColumnSpec.model_validate({"format": pattern})


def test_codes_stay_text(tmp_path: Path) -> None:
    rows = "".join(f"{i % 2},0{i:02}23,{i % 3},{i % 12 + 1:02}\n" for i in range(30))
    table = read(tmp_path, "team,area,league,month\n" + rows, {"team": {"kind": "nominal"}})
    assert kinds(table) == {
        "id": ("nominal", "String"),
        "team": ("nominal", "String"),
        "area": ("nominal", "String"),
        "league": ("nominal", "String"),
        "month": ("cyclic", "Int64"),
    }
    assert table.people["area"][1] == "00123"


def test_yaml_may_write_codes_as_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, "gender\n1\n2\n", {"gender": {"values": {1: "male", 2: "female"}}})
    assert table.people["gender"].to_list() == ["male", "female"]


@pytest.mark.parametrize(
    ("name", "spec", "says"),
    [
        ("player", {"role": "id"}, r"the id column is called id; write id: {from: player}"),
        ("player", {"values": {"1": "a"}, "kind": "ordinal"}, "labels are nominal, not ordinal"),
        ("player", {"kind": "cyclic"}, "a cyclic column needs its period"),
    ],
)
def test_descriptions_that_cannot_be(tmp_path: Path, name: str, spec: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path, "player\n1\n2\n", {name: spec})


@pytest.mark.parametrize(("text", "unit"), [("185", "m"), ("1.85", "cm"), ("185", "in"), ("60-5", "ft-in")])
def test_a_height_in_another_unit_is_noticed(text: str, unit: str) -> None:
    with pytest.raises(ValueError, match=f"not between 40 and 280; is the unit {unit}"):
        parse_quantity(text, unit, bounds=(40, 280))


def test_limits_are_for_heights_and_weights_only(tmp_path: Path) -> None:
    table = read(tmp_path, "reach_cm\n310\n", {"reach_cm": {"unit": "cm"}})
    assert table.people["reach_cm"][0] == 310
    with pytest.raises(TooManyBadCells, match=r"row 1: '310' is not between 40 and 280; is the unit cm\?"):
        read(tmp_path, "height_cm\n310\n", {"height_cm": {"unit": "cm"}})


def test_feet_without_inches_need_their_mark() -> None:
    assert parse_quantity("6'", "ft-in") == pytest.approx(182.88)
    assert parse_quantity("6–5", "ft-in") == pytest.approx(195.58)
    with pytest.raises(ValueError, match="not feet and inches"):
        parse_quantity("6-", "ft-in")


def test_a_second_id_and_spaced_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, "ID,age\nx, 30\ny, 31\n")
    assert table.people.rows() == [("1", "x", 30), ("2", "y", 31)]
    assert [column.role for column in table.columns] == ["id", "private", "feature"]


@pytest.mark.parametrize("cell", ["1_000", "inf", "1/85"])
def test_numbers_that_are_none(tmp_path: Path, cell: str) -> None:
    table = read(tmp_path, f'age\n30\n"{cell}"\n', {"age": {"kind": "continuous"}}, max_bad_share=0.5)
    assert table.bad_cells.select("row", "value").rows() == [(2, cell)]
