"""The reading ledger: every ordinary table is read rightly or asked about, and nothing of that is silent."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import sqlite3
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data.answer_scales import ordered_words, scale_of
from personax.data.cell_numbers import likely_codes, read_numbers
from personax.data.date_order import read_dates
from personax.data.dialect import count_fields, decode, find_dialect
from personax.errors import InputError, TooManyBadCells
from personax.sources import ColumnReading, ColumnSpec, GuessedReading, PeopleTable, ReadingLedger, read_table
from personax.sources._dates import parse_date
from personax.sources._look import propose_table
from personax.sources._raw_table import with_header, without_header_rows
from personax.sources._statistics_files import _unsaved
from personax.sources._units import parse_quantity, written_unit

ODD = Path(__file__).parents[3] / "shared" / "data" / "people"
shared = pytest.mark.skipif(not ODD.is_dir(), reason="the odd tables are not shared with this checkout")


def read(
    folder: Path, text: str | bytes, columns: dict[str, dict[str, Any]] | None = None, **options: Any
) -> PeopleTable:
    path = folder / options.pop("name", "people.csv")
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(path, {name: ColumnSpec.model_validate(raw) for name, raw in (columns or {}).items()}, **options)


def line(table: PeopleTable, name: str) -> ColumnReading:
    return next(column for file in table.ledger.files for column in file.columns if column.column == name)


def told(table: PeopleTable) -> str:
    return "\n".join(notice.text for notice in table.notices)


def rows(values: list[str], header: str = "x") -> str:
    text = io.StringIO()
    csv.writer(text).writerows([["id", header], *enumerate(values)])
    return text.getvalue()


PEOPLE = ["Ana", "Björn", "Chloé", "Dž", "Emre", "Fay"]


@shared
@pytest.mark.parametrize("name", ["semi.csv", "pipe.csv", "utf16.tsv", "people.xlsx", "people.sav", "people.dta"])
def test_one_table_in_many_forms(name: str) -> None:
    for module in ("python_calamine", "pyreadstat"):
        pytest.importorskip(module)
    people = read_table(ODD / name).people
    assert people["name"].to_list() == PEOPLE
    assert people["height_cm"].to_list() == [170.5, 181.0, 165.0, 190.0, 175.0, 160.0]
    assert people["birth_date"][3] == date(2000, 2, 29)


@shared
def test_odd_tables_as_people_have_them() -> None:
    r = read_table(ODD / "r_na.csv")
    assert r.people.select("height", "weight", "score").null_count().row(0) == (1, 0, 6)
    assert {c.kind for c in r.columns if c.name != "id"} == {"continuous"}
    assert "height read as numbers: 1 cell says NA" in told(r)
    german = read_table(ODD / "de.csv")
    assert german.people["Größe"].to_list() == [1.7, 1.81]
    assert german.people["Geburtsdatum"].to_list() == [date(1990, 1, 2), date(1985, 12, 31)]
    assert "decimal commas" in told(read_table(ODD / "dec.tsv"))
    assert read_table(ODD / "title.csv").people["height_cm"].to_list() == [170, 180]
    assert "lines above the header 1" in told(read_table(ODD / "comment.csv"))
    with pytest.raises(InputError, match="the header 'height' stands more than once"):
        read_table(ODD / "dup.csv")
    assert read_table(ODD / "mixh.csv").people["height"].to_list() == pytest.approx([187.96, 187.96, 180.34, 177.8])
    survey = read_table(ODD / "qualtrics.csv")
    assert survey.people["Q1_age"].dtype == pl.Int64
    assert line(survey, "Q1_age").label == "How old are you?"
    assert {c.role for c in read_table(ODD / "private_words.csv").columns} == {"id", "feature", "target"}


@shared
def test_missing_codes_are_asked_about_and_leave_ids_alone() -> None:
    asked = read_table(ODD / "codes99.csv")
    assert [question[1].split(":")[0] for question in asked.ledger.questions()] == ["Age", "Income", "final_o"]
    assert asked.people["Age"].min() == -99
    said = read_table(ODD / "codes99.csv", missing=["", "99", "-99", "999"])
    assert "99" in said.people["id"].to_list()
    assert said.people["Age"].null_count() > 10
    assert said.people["Age"].min() == 18
    assert said.ledger.questions() == []
    assert read_table(ODD / "codes99.csv", {"Age": ColumnSpec(missing=["-99"])}).people["Age"].min() == 18


def test_a_code_that_lies_among_the_values_is_kept_and_asked_about(tmp_path: Path) -> None:
    weights = read(tmp_path, rows(["97.5", "98", "99", "100.5"], "weight"), missing=["", "99"])
    assert weights.people["weight"].null_count() == 0
    assert line(weights, "weight").question.startswith("99 lies among the values of this column and is kept")
    said = read(tmp_path, rows(["97.5", "98", "99", "100.5"], "weight"), {"weight": {"missing": [99]}})
    assert said.people["weight"].to_list() == [97.5, 98.0, None, 100.5]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([1, 2, 5, 5, 4, 99], {99: 1}),
        ([1, 2, 5, 5, 4, 9, 9], {9: 2}),
        ([18, 70, 44, -99, 999], {-99: 1, 999: 1}),
        ([18, 70, 97, 98, 99], {}),
        ([97, 98, 99, 100], {}),
        ([-1, 1, 1, -1], {}),
        ([0, 1, 2, 3, 4, -1], {-1: 1}),
        ([99, 99], {}),
        ([-180, 99, 170, -99], {}),
    ],
)
def test_codes_stand_apart(values: list[int], codes: dict[int, int]) -> None:
    assert likely_codes(pl.Series(values)) == codes


@pytest.mark.parametrize("word", ["NA", "n/a", "NaN", "#N/A", "null", "-", "?", "prefer not to say", "keine Angabe"])
def test_a_word_for_missing_leaves_a_column_numbers(tmp_path: Path, word: str) -> None:
    table = read(tmp_path, rows([*(f"{170 + i / 10}" for i in range(30)), word], "height"))
    assert table.people["height"].dtype == pl.Float64
    assert table.people["height"].null_count() == 1
    assert line(table, "height").missing == {word: 1}
    assert table.bad_cells.is_empty()


def test_few_words_among_numbers_are_a_question(tmp_path: Path) -> None:
    few = read(tmp_path, rows([*map(str, range(100, 140)), "tall"]))
    assert few.people["x"].dtype == pl.Int64
    assert few.bad_cells.select("row", "value").rows() == [(41, "tall")]
    assert line(few, "x").question == "1 of 41 cells is no number (row 41) and is missing now"
    some = read(tmp_path, rows([*map(str, range(100, 110)), "tall"]))
    assert some.people["x"].dtype == pl.String
    assert line(some, "x").question.startswith("10 of 11 cells are numbers and 1 is not (row 11)")
    with pytest.raises(GuessedReading, match=r"people\.csv: x: 10 of 11"):
        read(tmp_path, rows([*map(str, range(100, 110)), "tall"]), strict=True)


@pytest.mark.parametrize(
    ("cells", "values", "mark"),
    [
        (["1,5", "2,25", "3"], [1.5, 2.25, 3.0], "decimal commas"),
        (["1,5", "40,049"], [1.5, 40.049], "decimal commas"),
        (["999", "1.5", "40,049"], [999, 1.5, 40049], "thousands set apart"),
        (["1,234.5", "12"], [1234.5, 12], "thousands set apart"),
        (["1.234,5", "12"], [1234.5, 12], "thousands set apart"),
        (["1,234,567", "5"], [1234567, 5], "thousands set apart"),
        (["1.234.567", "5"], [1234567, 5], "thousands set apart"),
        (["40 049", "1\u00a0234"], [40049, 1234], "thousands set apart"),
        (["40'049", "1’234.5"], [40049, 1234.5], "thousands set apart"),
        (["12%", "7.5 %"], [12, 7.5], "per cent signs"),
        (["$1,234.50", "$5"], [1234.5, 5], "currency signs"),
        (["1.234,50 €", "5,00 €"], [1234.5, 5], "currency signs"),
        (["0,123", "0,456"], [0.123, 0.456], "decimal commas"),
    ],
)
def test_marks_in_numbers(tmp_path: Path, cells: list[str], values: list[float], mark: str) -> None:
    table = read(tmp_path, rows(cells))
    assert table.people["x"].to_list() == values
    assert mark in line(table, "x").why
    assert line(table, "x").status == "evidence"


def test_a_comma_before_three_digits_is_a_question_unless_other_columns_answer_it(tmp_path: Path) -> None:
    alone = read(tmp_path, rows(["40,049", "51,200"]))
    assert alone.people["x"].to_list() == [40049, 51200]
    assert "could be decimal marks" in line(alone, "x").question
    german = read(tmp_path, "id;x;y\n1;40,049;1,5\n2;51,200;2,5\n")
    assert german.people["x"].to_list() == [40.049, 51.2]
    english = read(tmp_path, 'id,x,y\n1,"40,049",1.5\n2,"51,200",2.5\n')
    assert english.people["x"].to_list() == [40049, 51200]
    assert english.ledger.questions() == german.ledger.questions() == []
    assert read(tmp_path, rows(["40,049", "51,200"]), decimal=",").people["x"].to_list() == [40.049, 51.2]


def test_mixed_decimal_marks_are_a_question(tmp_path: Path) -> None:
    mixed = read(tmp_path, rows(["1,85", "1.75"], "h"))
    assert mixed.people["h"].to_list() == [1.85, 1.75]
    assert "some a decimal point" in line(mixed, "h").question


@given(
    st.lists(st.decimals(0, 10**7, places=2), min_size=3, max_size=8),
    st.sampled_from([(",", "."), (".", ","), (" ", ",")]),
)
def test_numbers_come_back_whatever_their_marks(numbers: list[Any], marks: tuple[str, str]) -> None:
    apart, decimal = marks
    written = [f"{number:,.2f}".translate(str.maketrans(",.", apart + decimal)) for number in numbers]
    found = read_numbers(pl.Series([*written, f"1{decimal}5"]))
    assert found is not None
    assert found.values.to_list()[:-1] == pytest.approx([float(number) for number in numbers])


def test_dates_are_never_guessed_between_orders(tmp_path: Path) -> None:
    proved = read(tmp_path, rows(["03/12/2023", "25/12/2023", "31/01/2024"]))
    assert proved.people["x"].to_list() == [date(2023, 12, 3), date(2023, 12, 25), date(2024, 1, 31)]
    mixed = read(tmp_path, rows(["25/12/2023", "12/25/2023", "31/01/2024"]))
    assert mixed.people["x"].dtype == pl.String
    assert "2 cells can only be day/month/year and 1 only month/day/year (row 2)" in line(mixed, "x").question
    assert "no cell says" in line(read(tmp_path, rows(["03/12/2023", "04/05/2023"])), "x").question
    two_digits = read(tmp_path, rows(["25/12/23", "24/12/23"]))
    assert "of which century" in line(two_digits, "x").question
    with pytest.raises(InputError, match="column birth_date: no cell says whether the day or the month stands first"):
        read(tmp_path, rows(["03/12/1990", "04/05/1991"], "birth_date"))
    said = read(tmp_path, rows(["03/12/1990"], "birth_date"), {"birth_date": {"format": "%m/%d/%Y"}})
    assert said.people["birth_date"].to_list() == [date(1990, 3, 12)]


def test_two_formats_that_both_fit_are_no_date() -> None:
    both = ["%d/%m/%Y", "%m/%d/%Y"]
    assert parse_date("25/12/1990", both, today=date(2026, 1, 1)) == date(1990, 12, 25)
    with pytest.raises(ValueError, match="two of the formats fit"):
        parse_date("03/12/1990", both, today=date(2026, 1, 1))


def test_one_day_above_twelve_among_many_dates_proves_nothing() -> None:
    mixed = read_dates(pl.Series(["25/12/1990", *(f"0{i % 9 + 1}/05/1990" for i in range(40))]))
    assert mixed is not None
    assert mixed.values is None
    assert "only 1 of 41 cells show" in mixed.question


@given(
    st.lists(st.dates(date(1900, 1, 1), date(2024, 1, 1)), min_size=1, max_size=20),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]),
)
def test_dates_are_read_right_or_asked_about(days: list[date], pattern: str) -> None:
    found = read_dates(pl.Series([day.strftime(pattern) for day in days]))
    assert found is not None
    assert found.values is None or found.values.to_list() == days


def test_answers_in_words_are_an_ordered_scale(tmp_path: Path) -> None:
    answers = ["Strongly agree", "Disagree", "Neutral", "agree", "Prefer not to say", "Strongly disagree"]
    table = read(tmp_path, rows(answers, "q1"))
    assert table.people["q1"].to_list() == [5, 2, 3, 4, None, 1]
    assert {c.name: c.kind for c in table.columns}["q1"] == "ordinal"
    assert "Strongly disagree < Disagree < Neutral < agree < Strongly agree" in line(table, "q1").why
    with pytest.raises(GuessedReading, match=r'q1: read as ordered words.*"levels"'):
        read(tmp_path, rows(answers, "q1"), strict=True)
    levels = ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]
    said = read(tmp_path, rows(answers[:4], "q1"), {"q1": {"levels": levels}}, strict=True)
    assert said.people["q1"].to_list() == [5, 2, 3, 4]


def test_a_misspelt_answer_is_a_question(tmp_path: Path) -> None:
    table = read(tmp_path, rows([*["Agree", "Disagree", "Neutral"] * 10, "Agre"], "q"))
    assert table.people["q"].null_count() == 1
    assert line(table, "q").question == "1 of 31 cells is no answer of this scale (row 31) and is missing now"
    assert line(table, "q").answer["levels"][1:4] == ["Disagree", "Neutral", "Agree"]


def test_missing_words_beside_words(tmp_path: Path) -> None:
    smokes = read(tmp_path, rows([*["TRUE", "FALSE"] * 5, "NA"], "smokes"))
    assert smokes.people["smokes"].null_count() == 1
    team = read(tmp_path, rows([*["red", "blue"] * 5, "NA"], "team"))
    assert team.people["team"].null_count() == 0
    assert "1 cell says NA: is that missing, or a category of its own?" in line(team, "team").question
    country = read(tmp_path, rows([*["FR", "DE"] * 5, "NA"], "country"))
    assert country.ledger.questions() == []
    assert line(country, "country").why == "1 cell says NA, which stays a text here"


def test_digits_of_other_scripts_and_sums_of_money(tmp_path: Path) -> None:
    assert read(tmp_path, rows(["٢٣", "٣٤٫٥", "NA"])).people["x"].to_list() == [23, 34.5, None]
    assert read(tmp_path, rows(["€64.8M", "€700K", "€1.5bn"])).people["x"].to_list() == [64.8e6, 7e5, 1.5e9]
    assert read(tmp_path, rows(["1.8 m", "1.7 m"])).people["x"].to_list() == [180, 170]


def test_what_spreadsheets_add_to_a_table(tmp_path: Path) -> None:
    assert read(tmp_path, "sep=;\nid;name;x\n1;A;1,5\n2;B;2,5\n").people["x"].to_list() == [1.5, 2.5]
    trailing = read(tmp_path, "id,h,\n1,170,\n2,180,\n")
    assert trailing.people.columns == ["id", "h"]
    assert "columns without a header 1 empty, left out" in told(trailing)
    assert read(tmp_path, ",h\n0,170\n1,180\n").people.columns == ["id", "column_1", "h"]
    with pytest.raises(InputError, match="seems to be separated by spaces"):
        read(tmp_path, "id height\n1 170\n2 180\n", name="p.txt")


def test_what_is_and_what_is_no_scale() -> None:
    assert scale_of(["red", "green", "blue"]) is None
    assert scale_of(["agree", "disagree"]) is None
    assert ordered_words(["1 - never", "2", "3 - always"]) == {"1 - never": 1, "2": 2, "3 - always": 3}
    assert ordered_words(["1 - a", "1 - b", "2 - c", "3 - d"]) is None
    assert ordered_words(["1", "2", "3"]) is None
    german = ("nie", "selten", "manchmal", "oft", "Immer")
    assert scale_of(["nie", "oft", "Immer"]) == ({"nie": 1, "oft": 4, "Immer": 5}, german)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.txt"])
def test_separators_by_evidence(tmp_path: Path, separator: str, name: str) -> None:
    text = "\n".join(separator.join(cells) for cells in (["id", "name", "h"], ["1", "A b", "1"], ["2", "C", "2"]))
    assert read(tmp_path, text, name=name).people.rows() == [("1", "A b", 1), ("2", "C", 2)]


def test_a_separator_is_not_decided_by_one_line() -> None:
    assert find_dialect("a;b\n1,5;2\n3,5;4\n", ",").separator == ";"
    assert find_dialect('name,note\n"a;b","c;d"\n"e;f","g;h"\n', ",").separator == ","
    assert find_dialect("Name, first;Age\nDoe, John;34\nRoe, Jane;28\n", ",").separator == ";"
    assert not find_dialect("a,b;c\nx,y;z\nu,v;w\n", ",").certain
    assert find_dialect("a,b,c\n1,2,3\n4,5\n", ",").separator == ","


def test_a_broken_row_is_named_whatever_stands_above_it(tmp_path: Path) -> None:
    assert count_fields(b"a|b\n1|2\n\n3|4|5", "|") == (4, 3, 2)
    with pytest.raises(InputError, match="line 4 has 3 cells and the header 2"):
        read(tmp_path, "# from here\nid|b\n1|2\n3|4|5\n", separator="|")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings_by_evidence(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "id,who\n1,Zoé Müller\n".encode(encoding)).people["who"].to_list() == ["Zoé Müller"]


def test_what_is_in_no_known_encoding() -> None:
    for text, encoding in (("имя,рост\nИван,180\n", "cp1251"), ("名前\n太郎\n", "shift_jis")):
        with pytest.raises(UnicodeDecodeError):
            decode(text.encode(encoding))


@pytest.mark.parametrize(
    "written",
    ["5'11\"", "5-11", "5 ft 11 in", "5′11″", "5’11”", "5ft11", "5 feet 11 inches", "5 foot 11", "5' 11''",
     "71 in", '71"', "1.8034 m", "180.34cm", "5'11\" (1.80 m)", "5-11 / 180 cm", "5ft. 11in.", "5–11", "5 ft, 11 in"],
)  # fmt: skip
def test_the_unit_in_a_cell_wins(written: str) -> None:
    assert parse_quantity(written, "cm") == pytest.approx(180.34)
    assert parse_quantity(written, "ft-in") == pytest.approx(180.34)
    assert written_unit(written) == "cm"


@pytest.mark.parametrize(
    ("written", "kg"),
    [("12 st 3 lb", 77.564295), ("12st 3", 77.564295), ("12 stone", 76.203518), ("171 lbs", 77.564295),
     ("171#", 77.564295), ("80 kilos", 80.0), ("80 kg (176 lb)", 80.0), ("12 stone 3 pounds", 77.564295)],
)  # fmt: skip
def test_masses(written: str, kg: float) -> None:
    assert parse_quantity(written, "kg") == pytest.approx(kg, abs=1e-6)


@pytest.mark.parametrize(
    ("written", "says"),
    [("6'2\" (1.78 m)", "its two sizes differ"), ("12 st 15 lb", "14 pounds or more"), ("5'13", "12 inches or more"),
     ("80 kg", "in kg, expected cm"), ("1/2", "not a number of cm")],
)  # fmt: skip
def test_sizes_that_cannot_be(written: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_quantity(written, "cm" if "st" not in written else "kg")


def test_sizes_without_a_description(tmp_path: Path) -> None:
    table = read(tmp_path, rows(["5'11\"", "6'2\"", "n/a", "6 ft"], "Height"))
    assert table.people["Height"].to_list() == pytest.approx([180.34, 187.96, None, 182.88], nan_ok=True)
    assert {c.name: c.unit for c in table.columns}["Height"] == "cm"
    lost = read(tmp_path, rows(["170", "180", "1.85"], "height_cm"))
    assert "1 cell is not within 40 to 280 cm (row 3): which unit is it?" in line(lost, "height_cm").question


def test_columns_are_composed(tmp_path: Path) -> None:
    text = "playerID,nameFirst,nameLast,birthYear,birthMonth,birthDay\na,Ana,Ruiz,1990,1,2\nb,,Cy,1985,12,\nc,D,E,,,\n"
    columns: dict[str, dict[str, Any]] = {
        "id": {"from": "playerID"},
        "name": {"join": ["nameFirst", "nameLast"]},
        "birth_date": {"parts": ["birthYear", "birthMonth", "birthDay"]},
    }
    table = read(tmp_path, text, columns)
    assert table.people["name"].to_list() == ["Ana Ruiz", "Cy", "D E"]
    assert table.people["birth_date"].to_list() == [date(1990, 1, 2), None, None]
    assert table.people["birth_year"].to_list() == [1990, 1985, None]
    assert "nameFirst" not in table.people.columns
    assert line(table, "name").header == "nameFirst + nameLast"
    with pytest.raises(InputError, match=r"has no column nameMiddle \(for name\)"):
        read(tmp_path, text, {"name": {"join": ["nameMiddle", "nameLast"]}})
    with pytest.raises(InputError, match="from, join and parts say three ways"):
        read(tmp_path, text, {"name": {"from": "nameLast", "join": ["nameFirst"]}})


def test_a_row_of_labels_below_the_header(tmp_path: Path) -> None:
    text = "id,height,weight\nIdentifier,Height in cm,Weight in kg\n" + "".join(
        f"{i},{170 + i},{60 + i}\n" for i in range(9)
    )
    table = read(tmp_path, text)
    assert table.people["height"].to_list() == list(range(170, 179))
    assert line(table, "height").label == "Height in cm"
    assert any("header rows 2" in guess[1] for guess in table.ledger.guesses())
    with pytest.raises(TooManyBadCells):
        read(tmp_path, text, {"height": {"kind": "continuous"}}, header_rows=1)


def test_the_ledger_survives_its_file_and_names_what_is_left_out(tmp_path: Path) -> None:
    table = read(tmp_path, "id;a;b\n1;NA;x\n2;1,5;y\n3;2,5;z\n", {"id": {}, "a": {}}, keep_others=False)
    assert ReadingLedger.from_json(table.ledger.to_json()) == table.ledger
    assert line(table, "b").read_as == "left out"
    assert table.ledger.files[0].facts[0].value == "';'"


def test_compressed_files(tmp_path: Path) -> None:
    text = b"id;h\n1;1,5\n2;2,5\n"
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("in/p.csv", text)
        archive.writestr("__MACOSX/._p.csv", b"x")
    zstd = pytest.importorskip("backports.zstd")
    (tmp_path / "p.csv.zst").write_bytes(zstd.compress(text))
    for name in ("p.csv.gz", "p.zip", "p.csv.zst"):
        assert read_table(tmp_path / name).people["h"].to_list() == [1.5, 2.5]
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(text)[:-9])
    with pytest.raises(InputError, match=r"cut\.csv\.gz cannot be unpacked"):
        read_table(tmp_path / "cut.csv.gz")
    with zipfile.ZipFile(tmp_path / "p.zip", "a") as archive:
        archive.writestr("other.csv", text)
    with pytest.raises(InputError, match=r"holds 2 files .*; say which one by table: NAME"):
        read_table(tmp_path / "p.zip")
    assert read_table(tmp_path / "p.zip", table="other.csv").people.height == 2


def test_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE people (id TEXT, h REAL)")
        base.execute("INSERT INTO people VALUES ('007', 1.5), ('8', NULL)")
    base.close()
    assert read_table(path).people.rows() == [("007", 1.5), ("8", None)]
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE other (id TEXT)")
    base.close()
    with pytest.raises(InputError, match=r"has 2 tables \(people, other\); say which one by table: NAME"):
        read_table(path)
    assert read_table(path, table="people").people.height == 2


def test_labels_and_declared_codes_of_spss(tmp_path: Path) -> None:
    pyreadstat, pandas = pytest.importorskip("pyreadstat"), pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": ["a", "b", "c", "d"], "sex": [1.0, 2.0, 2.0, 9.0], "age": [18.0, 44.0, -99.0, 30.0],
                              "often": [1.0, 3.0, 2.0, 1.0]})  # fmt: skip
    pyreadstat.write_sav(
        frame, str(tmp_path / "p.sav"), column_labels=["", "Sex of the person", "", ""],
        variable_value_labels={"sex": {1: "male", 2: "female", 9: "refused"},
                               "often": {1: "never", 2: "sometimes", 3: "often"}},
        missing_ranges={"age": [-99]},
    )  # fmt: skip
    table = read_table(tmp_path / "p.sav")
    assert table.people["sex"].to_list() == ["male", "female", "female", None]
    assert table.people["age"].to_list() == [18, 44, None, 30]
    assert table.people["often"].to_list() == [1, 3, 2, 1]
    assert line(table, "sex").label == "Sex of the person"
    assert line(table, "age").missing == {"-99": 1}
    assert table.ledger.questions() == []


RDS = """
H4sICJhsDWsC/3QucmRzAIWQwQ6CMAyGKwMTSDQmPgcEvHHSx/BaEMJhsmQQ0JOv7NETWAYjpheXbP3bdV/bXQMAcMARYDaIIx0e7YOJu+CT3aAVGR376eb8
AbNei13j79m5rGGxMyR6PFt31jNwK4uukA2v97DiyfK9XGJj01dIiXmrNKmBgYIkTeMwTsL4RJ4/0mJA/4YtSswKyaDAK9d4L2xlbwmKvlK21cqK2opyEW6m
dM1wQYc6MnU5E/5aQ3JG1nAwTRKVmtrkM2rVR7/tr/+cWDF9z/AFgm/HegwCAAA=
"""
"""data.frame(who = c("a", "b"), h = c(1.5, NA), n = 1:2, f = factor(c("x", "y")), born = c("1990-01-02", NA))"""


def test_numbers_of_single_precision_are_read_as_they_were_written(tmp_path: Path) -> None:
    pytest.importorskip("pyreadstat")
    pandas = pytest.importorskip("pandas")
    single = np.array([5.1, 1.4, np.nan, -0.3], dtype=np.float32)
    frame = pandas.DataFrame({"one": single, "two": [5.1, 1 / 3, 2.0, 7.25], "id": list("abcd")})
    frame.to_stata(tmp_path / "p.dta", write_index=False)
    found = read_table(tmp_path / "p.dta", {}).people
    assert found["one"].to_list() == [5.1, 1.4, None, -0.3]
    assert found["two"].to_list() == [5.1, 1 / 3, 2.0, 7.25]


def test_a_survey_of_spss_as_look_proposes_it(tmp_path: Path) -> None:
    pyreadstat, pandas = pytest.importorskip("pyreadstat"), pytest.importorskip("pandas")
    n = 60
    frame = pandas.DataFrame({
        "respid": [1000.0 + i for i in range(n)], "q1": [[1.0, 2, 3, 4, 5, 8, -1][i % 7] for i in range(n)],
        "income": [-9.0 if i % 10 == 0 else 20_000.0 + 777 * i for i in range(n)],
    })  # fmt: skip
    labels = {"q1": {1: "Not at all", 5: "Completely", 8: "IAP", -1: "Refused"}, "income": {-9: "Item nonresponse"}}
    pyreadstat.write_sav(frame, str(tmp_path / "p.sav"), variable_value_labels=labels)
    found = propose_table(tmp_path / "p.sav")
    assert not [one for one in found.columns if one.reading.question]
    keys = {one.name: ColumnSpec.model_validate(dict(one.keys)) for one in found.columns}
    people = read_table(tmp_path / "p.sav", keys).people  # what look writes reads as it was looked at
    assert people["id"].to_list()[:2] == ["1000", "1001"]
    assert people["income"].drop_nulls().min() == 20_777
    assert sorted(people["q1"].drop_nulls().unique()) == [1, 2, 3, 4, 5]


def test_sheets_with_merged_headers_and_sums_below() -> None:
    rows: list[list[object]] = [["Person", "About", None, "Scores"], [None, "Sex", "Born", "Share"]]
    rows += [[f"p{i}", "fm"[i % 2], date(1980, 1, 1 + i), i / 10] for i in range(8)]
    raw = with_header(Path("p.xlsx"), [*rows, ["Mean", None, None, 0.35]], "xlsx")
    assert raw.frame.columns == ["Person", "Sex", "Born", "Share"]
    assert [fact.status for fact in raw.facts] == ["guess", "question"]
    assert "sums or means" in raw.facts[1].why
    plain = with_header(Path("p.xlsx"), rows, "xlsx")
    assert plain.frame.height == 8
    assert [fact.status for fact in plain.facts] == ["guess"]
    (_, asked) = without_header_rows(plain, 2).facts
    assert (asked.status, asked.value) == ("question", "2")  # a person would be taken for a header


def test_formulas_that_nobody_computed(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    for cell, asked in (("<f>B2*2</f>", True), ("<f>B2*2</f><v></v>", True), ("<f>B2*2</f><v>4</v>", False)):
        with zipfile.ZipFile(path, "w") as book:
            book.writestr("xl/worksheets/sheet1.xml", f'<worksheet><c r="C2">{cell}</c></worksheet>')
        empty = pl.DataFrame({"a": ["1"], "b": pl.Series([None], dtype=pl.String)})
        assert bool(_unsaved(path, empty)) == asked
        assert not _unsaved(path, empty.select("a"))


def test_r_data(tmp_path: Path) -> None:
    pytest.importorskip("rdata")
    (tmp_path / "p.rds").write_bytes(base64.b64decode(RDS))
    people = read_table(tmp_path / "p.rds").people
    assert people.rows() == [("1", "a", 1.5, 1, "x", "1990-01-02"), ("2", "b", None, 2, "y", None)]
    (tmp_path / "p.rds").write_bytes(base64.b64decode(RDS)[:99])
    with pytest.raises(InputError, match="cannot be read as R data"):
        read_table(tmp_path / "p.rds")


def test_a_missing_reader_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyreadstat", None)
    (tmp_path / "p.sav").write_bytes(b"$FL2")
    with pytest.raises(ImportError, match=r'this needs the package pyreadstat: pip install "personax\[tables\]"'):
        read_table(tmp_path / "p.sav")
