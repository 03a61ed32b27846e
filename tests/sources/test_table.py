"""Tables: units, dates, codes; what cannot be read is listed; what is no table is one sentence."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError, TooManyBadCells
from personax.sources import ColumnSpec, PeopleTable, read_table
from personax.sources._dates import parse_date
from personax.sources._units import parse_quantity

BFI = Path(__file__).parents[3] / "shared" / "data" / "bfi" / "bfi.csv"


def spec(**raw: Any) -> ColumnSpec:
    return ColumnSpec.model_validate({"from" if key == "source" else key: value for key, value in raw.items()})


def read(folder: Path, text: str, columns: dict[str, ColumnSpec] | None = None, **options: Any) -> PeopleTable:
    path = folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, columns, **options)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("6-5", "ft-in", 195.58),
        ("6'5\"", "ft-in", 195.58),
        ("6' 5", "ft-in", 195.58),
        ("6 ft 5 in", "ft-in", 195.58),
        ("6'", "ft-in", 182.88),
        ("1.85 m", "m", 185.0),
        ("1,85", "m", 185.0),
        ("185 cm", "m", 185.0),
        ("73", "in", 185.42),
        ("185", "cm", 185.0),
        ("200 lbs", "lb", 90.718474),
        ("80 kg", "lb", 80.0),
        ("12.5", "st", 79.378665),
    ],
)
def test_units(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        ("6-13", "ft-in", "12 inches or more"),
        ("-185", "cm", "not positive"),
        ("0", "kg", "not positive"),
        ("tall", "cm", "not a number of cm"),
        ("80 kg", "cm", "in kg, expected cm"),
        ("195", "ft-in", "not feet and inches"),
        ("", "cm", "not a number"),
    ],
)
def test_quantities_that_cannot_be(text: str, unit: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_quantity(text, unit)


@given(st.integers(3, 7), st.integers(0, 11))
def test_feet_and_inches_are_inches(feet: int, inches: int) -> None:
    assert parse_quantity(f"{feet}-{inches}", "ft-in") == pytest.approx(parse_quantity(str(12 * feet + inches), "in"))


@given(st.dates(date(1000, 1, 1), date(2025, 1, 1)), st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d %b %Y"]))
def test_dates_come_back(day: date, pattern: str) -> None:
    written = day.strftime(pattern)
    assert parse_date(written, [pattern], today=date(2026, 1, 1)) == day


@pytest.mark.parametrize("text", ["1974-00-00", "1974-02-30", "2999-01-01", "0001-01-01", "soon", ""])
def test_dates_that_cannot_be(text: str) -> None:
    with pytest.raises(ValueError, match="a date"):
        parse_date(text, [], today=date(2026, 1, 1))


def test_bad_cells_are_listed_and_missing(tmp_path: Path) -> None:
    text = "id,born,Height\n" + "".join(f"p{i},1990-01-02,6-1\n" for i in range(40)) + "x,1974-00-00,6-13\n"
    columns = {"id": spec(), "birth_date": spec(source="born"), "height_cm": spec(source="Height", unit="ft-in")}
    table = read(tmp_path, text, columns)
    assert table.bad_cells.rows() == [
        (41, "birth_date", "1974-00-00", "not a date of the calendar written as YYYY-MM-DD"),
        (41, "height_cm", "6-13", "12 inches or more beside feet"),
    ]
    assert table.people["height_cm"].null_count() == 1
    assert sum(notice.count for notice in table.notices if "Bad cells" in notice.text) == 2
    assert table.people["birth_year"].to_list() == [1990] * 40 + [None]
    roles = {column.name: (column.role, column.unit) for column in table.columns}
    assert roles["birth_date"] == ("private", None)
    assert roles["height_cm"] == ("feature", "cm")


def test_too_many_bad_cells(tmp_path: Path) -> None:
    text = "id,Height\na,-1\nb,180\nc,181\n"
    with pytest.raises(TooManyBadCells, match=r"column height_cm: 1 of 3 cells .* more than max_bad_share 0.05"):
        read(tmp_path, text, {"id": spec(), "height_cm": spec(source="Height", unit="cm")})


def test_na_is_namibia(tmp_path: Path) -> None:
    table = read(tmp_path, "id,country,team\na,NA,\nb,FR,n/a\n", missing=["", "n/a"])
    assert table.people["country"].to_list() == ["NA", "FR"]
    assert table.people["team"].to_list() == [None, None]


def test_codes_become_labels(tmp_path: Path) -> None:
    columns = {"gender": spec(values={"1": "male", "2": "female"})}
    table = read(tmp_path, "id,gender\na,1\nb,2\nc,3\n", columns, max_bad_share=0.5)
    assert table.people["gender"].to_list() == ["male", "female", None]
    assert "not one of the 2 codes" in table.bad_cells["reason"][0]


def test_every_format_reads_the_same(tmp_path: Path) -> None:
    rows = [{"id": "007", "height": 180.5, "league": "NA"}, {"id": "8", "height": 190, "league": None}]
    frame = pl.DataFrame(rows)
    frame.write_csv(tmp_path / "p.csv")
    frame.write_csv(tmp_path / "p.tsv", separator="\t")
    frame.write_parquet(tmp_path / "p.parquet")
    (tmp_path / "p.json").write_text(json.dumps(rows))
    (tmp_path / "p.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    read = [read_table(tmp_path / f"p.{ending}").people for ending in ("csv", "tsv", "parquet", "json", "jsonl")]
    for people in read:
        assert people.rows() == [("007", 180.5, "NA"), ("8", 190.0, None)]


def test_people_without_ids_are_numbered(tmp_path: Path) -> None:
    assert read(tmp_path, "height\n180\n190\n").people["id"].to_list() == ["1", "2"]


def test_odd_tables_work_and_say_so(tmp_path: Path) -> None:
    one = read(tmp_path, "id,a\nx,1\n")
    assert "only one person" in one.notices[0].text
    odd = read(tmp_path, "id,flat,empty\nx,1,\ny,1,\n")
    texts = [notice.text for notice in odd.notices]
    assert texts == ["No person has a value in empty.", "Every person has the same value in flat."]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty; it needs a header"),
        (b"   \n", "is empty"),
        (b"id,a\n", "has a header and no rows"),
        (b"id,a\nx,\xe9\n", r"is not utf-8 \(line 2, byte 7\); name its encoding"),
        (b"id,a,a\nx,1,2\n", "header 'a' stands more than once"),
        (b"id,a\nx,1,2,3\n", "cannot be read as a table"),
        (b"id,a\nx,1\nx,2\n", r"1 ids stand more than once \(x\)"),
        (b"id,a\n,1\ny,2\n", r"1 ids are missing \(first in row 1\)"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_table(path)


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("id,who\nx,Zoé\n".encode("latin-1"))
    assert read_table(path, encoding="latin-1").people["who"][0] == "Zoé"
    with pytest.raises(InputError, match="there is no encoding klingon"):
        read_table(path, encoding="klingon")


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"\xef\xbb\xbfid,a\nx,1\n")
    assert read_table(path).people.columns == ["id", "a"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.json", '{"id": 1}', "is not a list of records"),
        ("p.json", "[{", "cannot be read as JSON"),
        ("p.json", "[" * 5000 + "]" * 5000, "cannot be read as JSON|not a list of records"),
        ("p.jsonl", '{"id": 1, "a": [1]}', "key a holds a list"),
        ("p.parquet", "PAR?", "cannot be read as Parquet"),
        ("p.xlsx", "x", "cannot be read as a spreadsheet"),
        ("p.docx", "x", "the ending .docx is not known"),
    ],
)
def test_other_files_that_are_no_table(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=says):
        read_table(tmp_path / name)


def test_a_missing_file_a_folder_and_a_misspelt_header(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,Height\na,1\n")
    with pytest.raises(InputError, match=r"there is no file .*peple.csv; did you mean people.csv\?"):
        read_table(tmp_path / "peple.csv")
    with pytest.raises(InputError, match="is a folder, not a table"):
        read_table(tmp_path)
    with pytest.raises(InputError, match=r"has no column Heigt \(for height_cm\); did you mean Height\?"):
        read_table(tmp_path / "people.csv", {"height_cm": spec(source="Heigt")})


def test_thousands_of_columns(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(2_000)]
    text = ",".join(["id", *names]) + "\n" + "".join(f"p{r}," + ",".join(["1", "2"] * 1000) + "\n" for r in range(20))
    assert read(tmp_path, text).people.width == 2_001


def test_the_real_bfi_table() -> None:
    if not BFI.is_file():
        pytest.skip(f"needs the bfi data at {BFI}")
    columns = {"id": spec(source="rownames"), "gender": spec(values={"1": "male", "2": "female"})}
    people = read_table(BFI, columns, keep_others=False).people
    assert people.height == 2800
    assert dict(people["gender"].value_counts().iter_rows()) == {"male": 919, "female": 1881}
