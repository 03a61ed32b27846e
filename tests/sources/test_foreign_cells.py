"""Cells as other countries, programs and questionnaires write them: read rightly, or asked about with examples."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.program import personax

from personax.errors import InputError
from personax.sources import ColumnProposal, ColumnSpec, PeopleTable, TableProposal, propose_table, read_table


def looked(folder: Path, text: str | bytes, **options: Any) -> TableProposal:
    file = folder / "t.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return propose_table(file, **options)


def column(cells: Sequence[object], header: str = "x", *, mark: str = ";") -> str:
    return f"id{mark}{header}\n" + "".join(f"{at}{mark}{cell}\n" for at, cell in enumerate(cells))


def of(found: TableProposal, name: str) -> ColumnProposal:
    return next(one for one in found.columns if one.name == name)


def again(found: TableProposal, **options: Any) -> PeopleTable:
    """Read the table as the study file that was proposed would."""
    specs = {one.name: ColumnSpec.model_validate(dict(one.keys)) for one in found.columns}
    return read_table(found.path, specs, **{"max_bad_share": 1.0, **dict(found.file), **options})


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1 234,50", "12 345,75", "99 999,10"], [1234.5, 12345.75, 99999.1]),
        (["1\u00a0234,50 €", "12\u202f345,75 €"], [1234.5, 12345.75]),
        (["1'234.50", "12'345.75"], [1234.5, 12345.75]),
        (["1 234.50", "12 345.75"], [1234.5, 12345.75]),
        (["١٢٫٥", "١٣٫٢٥"], [12.5, 13.25]),
        (["๑๒.๕", "๑๓"], [12.5, 13]),
    ],
)
def test_groups_of_thousands_tell_the_decimal_mark(tmp_path: Path, cells: list[str], values: list[float]) -> None:
    found = looked(tmp_path, column(cells))
    assert again(found, strict=True).people["x"].to_list() == values


def test_a_point_before_three_digits_is_read_by_the_file_or_asked_about(tmp_path: Path) -> None:
    cells = ["2.100", "13.250", "1.999"]
    german = looked(tmp_path, "id;x;y\n" + "".join(f"{at};{cell};0,{at}\n" for at, cell in enumerate(cells)))
    assert again(german, strict=True).people["x"].to_list() == [2100, 13250, 1999]
    alone = looked(tmp_path, column(cells))
    assert "points before three digits are taken for decimal marks" in of(alone, "x").reading.question
    english = looked(tmp_path, column(cells, mark=","))
    assert again(english, strict=True).people["x"].to_list() == [2.1, 13.25, 1.999]
    beside = looked(tmp_path, column([*cells, "850"], mark=","))
    assert "set thousands apart; they could be decimal marks" in of(beside, "x").reading.question
    assert again(beside).people["x"].to_list() == [2100, 13250, 1999, 850]
    two = looked(tmp_path, "id;x;y;z\n1;2.100;0,5;1.5\n2;3.250;0,7;2.5\n")
    assert of(two, "x").reading.status == "question"


def test_amounts_in_brackets_are_below_zero_and_asked_about(tmp_path: Path) -> None:
    found = looked(tmp_path, column(["(1,250.50)", "(30.00)", "2,000.00", "15.25"]))
    assert "(1,250.50) is taken for a number below zero" in of(found, "x").reading.question
    assert again(found).people["x"].to_list() == [-1250.5, -30.0, 2000.0, 15.25]


def test_codes_that_look_like_powers_of_ten_are_asked_about(tmp_path: Path) -> None:
    assert "5E1 may be a code" in of(looked(tmp_path, column(["5E1", "5E2", "5E3"])), "x").reading.question
    assert again(looked(tmp_path, column(["5E+1", "1.5e2"])), strict=True).people["x"].to_list() == [50, 150]
    assert of(looked(tmp_path, column(['"1,23,4"', '"1,2,3,4"', '"1,234"'], mark=",")), "x").column.kind == "nominal"


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1 234,50 zł", "12 345,75 zł"], [1234.5, 12345.75]),
        (["1’234.–", "2’345.–"], [1234, 2345]),
        (["−1.5", "2.5"], [-1.5, 2.5]),
        (["kr 12,5", "kr 7"], [12.5, 7]),
    ],
)
def test_money_and_signs(tmp_path: Path, cells: list[str], values: list[float]) -> None:
    assert again(looked(tmp_path, column(cells)), strict=True).people["x"].to_list() == values


@pytest.mark.parametrize(
    ("cells", "question"),
    [
        (["350 ms", "420 ms", "1200 ms"], "a number and 'ms'"),
        (["40k", "55k", "60k"], "a number and 'k'"),
        (["1,23,456", "12,34,567", "45,000"], "digits and marks in no form of a number"),
        (["18-24", "25-34", "18-24"], ""),
        (["7/10", "8/10", "9/10"], ""),
        (["12a", "13a", "14a"], ""),
        (["1989-90", "1990-91", "1991-92"], ""),
    ],
)
def test_text_that_holds_amounts_is_asked_about(tmp_path: Path, cells: list[str], question: str) -> None:
    reading = of(looked(tmp_path, column(cells)), "x").reading
    assert question in reading.question
    assert bool(reading.question) == bool(question)


def test_numbers_that_mean_several_things_are_asked_about(tmp_path: Path) -> None:
    assert (
        "feet, or feet and inches"
        in of(looked(tmp_path, column([5.5, 5.11, 6.1], "Height")), "Height").reading.question
    )
    assert "of which century" in of(looked(tmp_path, column([80, 75, 99], "birth_year")), "birth_year").reading.question
    born = ["1980-02-03", "1900-01-01", "1900-01-01", "1900-01-01", "1970-03-04"]
    found = of(looked(tmp_path, column(born, "birth_date")), "birth_date").reading
    assert "1900-01-01 (3 cells) looks like no date of birth" in found.question
    assert found.answer == {"missing": ["", "1900-01-01"]}


def test_a_study_of_a_table_with_tabs_reads_it(tmp_path: Path) -> None:
    found = looked(tmp_path, column([1, 2], mark="\t"))
    assert found.file["separator"] == "\t"
    assert again(found, strict=True).people["x"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("header", "cells", "first"),
    [
        ("تاريخ الميلاد", ["١٣/٠٢/١٩٨٠", "١٤/٠٣/١٩٨١"], date(1980, 2, 13)),
        ("birth_date", ["๑๓/๐๒/๑๙๘๐", "๑๔/๐๓/๑๙๘๑"], date(1980, 2, 13)),
        ("生年月日", ["1960年1月31日", "1961年12月3日"], date(1960, 1, 31)),
        ("생년월일", ["1960년 1월 31일", "1961. 12. 3."], date(1960, 1, 31)),
        ("Geburtsdatum", ["3. März 1967", "14. Dez. 1970", "1. Mai 1980"], date(1967, 3, 3)),
        ("Date de naissance", ["1er août 1970", "3 février 1967"], date(1970, 8, 1)),
        ("Fecha de nacimiento", ["3 de marzo de 1967", "1 de agosto de 1970"], date(1967, 3, 3)),
        ("Data urodzenia", ["3 października 1967", "1 lipca 1970"], date(1967, 10, 3)),
        ("Дата рождения", ["3 марта 1967 г.", "1 августа 1970"], date(1967, 3, 3)),
        ("DOB", ["March 3rd, 1967", "Sept 1, 1970"], date(1967, 3, 3)),
        ("DOB", ["3-Mar-1967", "14-Sep-1970"], date(1967, 3, 3)),
        ("DOB", ["19670303", "19701231"], date(1967, 3, 3)),
        ("Datum rođenja", ["3. listopada 1967.", "1. srpnja 1970."], date(1967, 10, 3)),
        ("DOB", ["13/02/1980 00:00", "14/03/1981 12:30"], date(1980, 2, 13)),
        ("DOB", ["1967/3/3", "1970/12/31"], date(1967, 3, 3)),
    ],
)
def test_dates_of_birth_of_many_countries(tmp_path: Path, header: str, cells: list[str], first: date) -> None:
    table = again(looked(tmp_path, column(cells, header)), strict=True)
    assert table.people["birth_date"][0] == first
    assert table.people["birth_date"].null_count() == 0


@pytest.mark.parametrize(
    ("cells", "question", "answer", "first"),
    [
        (["25569", "30001"], "a spreadsheet's days since 1900", {"format": "excel"}, date(1970, 1, 1)),
        (["01-Jan-30", "02-Feb-45"], "of which century", {"format": "%d-%b-%y", "years_from": 1927}, date(1930, 1, 1)),
        (["13.02.67", "14.03.70"], "of which century", {"format": "%d.%m.%y", "years_from": 1927}, date(1967, 2, 13)),
        (["29/2/2507", "25/12/2520"], "the Buddhist era", {"format": "%d/%m/%Y", "calendar": "buddhist"},
         date(1964, 2, 29)),
        (["3/4/1980", "5/6/1981"], "whether the day or the month", {"format": "%d/%m/%Y"}, date(1980, 4, 3)),
        (["13021980", "01121970"], "in which order", {"format": "%d%m%Y"}, date(1980, 2, 13)),
        (["1359/11/24", "1360/01/02"], "of which calendar", {"format": "%Y/%m/%d"}, date(1359, 11, 24)),
        (["319680000", "-86400"], "say no date by themselves", {}, None),
    ],
)  # fmt: skip
def test_dates_of_birth_that_the_cells_do_not_settle_are_asked_about(
    tmp_path: Path, cells: list[str], question: str, answer: dict[str, Any], first: date | None
) -> None:
    found = looked(tmp_path, column(cells, "birth_date"))
    born = of(found, "birth_date").reading
    assert question in born.question
    said = dict(born.answer)
    if "years_from" in said:
        said["years_from"] = answer["years_from"]
    assert said == answer
    if first is not None:
        specs = {"birth_date": ColumnSpec.model_validate(said)}
        settled = read_table(found.path, specs, separator=";", strict=True)
        assert settled.people["birth_date"][0] == first


def test_look_writes_a_study_of_birth_dates_that_must_be_settled_first(tmp_path: Path) -> None:
    file = tmp_path / "amb.csv"
    file.write_text("id,Date of birth,h\n1,3/4/1980,1\n2,5/6/1981,2\n")
    study = tmp_path / "s" / "study.yaml"
    done = personax("look", file, "--write", study, "--strict")
    assert done.returncode == 1
    assert "question: birth_date: no cell says whether the day or the month stands first" in done.stdout
    assert "# Question: no cell says" in study.read_text(encoding="utf-8")
    ran = personax("collect", study)
    assert ran.returncode == 1
    assert 'say it under columns.birth_date, such as {"format": "%d/%m/%Y"}' in ran.stderr
    raw = yaml.safe_load(study.read_text(encoding="utf-8"))
    raw["collect"]["columns"]["birth_date"]["format"] = "%d/%m/%Y"
    study.write_text(yaml.safe_dump(raw))
    assert personax("trust", study, "--yes").returncode == 0
    assert personax("collect", study, "--strict").returncode == 0


def test_years_alone_are_birth_years(tmp_path: Path) -> None:
    table = again(looked(tmp_path, column(["1980", "1981"], "birth_date")), strict=True)
    assert table.people["birth_year"].to_list() == [1980, 1981]
    assert looked(tmp_path, column(["2030", "2031"], "birth_date")).columns[1].reading.question


def test_a_future_birth_date_is_no_date(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(column([*["13/02/1980"] * 30, "13/02/2980"], "birth_date"))
    table = read_table(file)
    assert table.bad_cells["reason"].to_list() == ["a date in the future"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["5-Nov", "6-Feb", "6-0", "5-9"], "a date, which a spreadsheet makes of feet and inches"),
        (["11-May", "2-Jun", "6-0", "5-9"], "a date, which a spreadsheet makes of feet and inches"),
        (["5.11", "6-0", "5-9", "5 8"], "5.11 feet, or 5'11"),
    ],
)
def test_heights_that_cannot_be_read_are_told_with_examples(tmp_path: Path, cells: list[str], reason: str) -> None:
    found = looked(tmp_path, column(cells * 5, "Height"))
    assert reason in of(found, "height_cm").reading.question
    assert "(row 1: " in of(found, "height_cm").reading.question
    assert again(found).people["height_cm"].drop_nulls().is_between(170, 185).all()


def test_numbers_alone_are_in_the_unit_that_the_others_say(tmp_path: Path) -> None:
    heights = [f"{150 + at % 40} cm" for at in range(54)] + [str(170 + at) for at in range(6)]
    found = looked(tmp_path, column(heights, "Height"))
    assert again(found, strict=True).people["Height"].to_list()[-1] == 175
    weights = [f"{60 + at % 30} kg" for at in range(54)] + [str(70 + at) for at in range(6)]
    found = looked(tmp_path, column(weights, "Weight"))
    assert "6 of 60 cells are numbers without a unit, beside others that say one; taken as kg" in (
        of(found, "Weight").reading.question
    )
    assert again(found).people["Weight"].to_list()[-1] == 75
    inches = looked(tmp_path, column(["5'11\"", "6'2\"", "6'0\"", "5'9\"", "71"], "Height"))
    assert again(inches).people["height_cm"].to_list() == pytest.approx([180.34, 187.96, 182.88, 175.26, 180.34])


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([100, 900, 5000, -9, -8], ["-9", "-8"]),
        ([1, 2, 3, 4, 5, 8, 9], ["9", "8"]),
        ([1, 2, 3, 4, 5, 77, 88, 99], ["99", "88", "77"]),
        ([1, 2, 3, 4, 5, -1, -2, -5], ["-5", "-2", "-1"]),
        ([18, 70, 44, 997, 998, 999], ["999", "998", "997"]),
        ([-3, -1, 0, 1, 2, 5], []),
        ([-2, -1, 1, 2], []),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], []),
        ([60, 70, 80, 97, 98, 99], []),
    ],
)
def test_several_codes_for_missing_stand_apart_together(tmp_path: Path, values: list[int], codes: list[str]) -> None:
    reading = of(looked(tmp_path, column(values * 5)), "x").reading
    assert list(reading.answer.get("missing", ["", *codes]))[1:] == codes
    assert ("look like codes for missing" in reading.question) == bool(codes)


def test_a_labelled_code_for_missing_is_no_level(tmp_path: Path) -> None:
    cells = ["1 - Never", "2 - Rarely", "4 - Often", "9 - Refused"] * 5
    found = looked(tmp_path, column(cells))
    assert again(found, strict=True).people["x"].to_list()[:4] == [1, 2, 4, None]
    unknown = looked(tmp_path, column([*cells[:3] * 5, *["9 - Weird"] * 5]))
    assert "9 (5 cells) looks like a code for missing" in of(unknown, "x").reading.question
    few = looked(tmp_path, column(["1 - Never", "4 - Often", "9 - Don't know"] * 5))
    assert "5 cells say 9 - Don't know: is that missing" in of(few, "x").reading.question
    none = looked(tmp_path, column(["0 - None", "1 - Some", "2 - All"] * 5))
    assert again(none).people["x"].null_count() == 0


def test_levels_are_those_that_people_could_tick(tmp_path: Path) -> None:
    five = ["Strongly disagree", "Somewhat disagree", "Neither agree nor disagree", "Somewhat agree", "Strongly agree"]
    found = looked(tmp_path, column(five * 4))
    assert of(found, "x").keys["levels"] == five
    assert again(found).people["x"].to_list()[:5] == [1, 2, 3, 4, 5]
    seven = [five[0], "Disagree", *five[1:4], "Agree", five[4]]
    assert again(looked(tmp_path, column(seven * 4))).people["x"].to_list()[:7] == [1, 2, 3, 4, 5, 6, 7]
    fewer = looked(tmp_path, column([five[0], five[1], five[3], five[4]] * 4))
    assert again(fewer).people["x"].to_list()[:4] == [1, 2, 4, 5]


@pytest.mark.parametrize(
    ("first", "last"),
    [("Ad", "Soyad"), ("Keresztnév", "Vezetéknév"), ("Jméno", "Příjmení"), ("Имя", "Фамилия"), ("名", "姓"),
     ("Tên", "Họ"), ("Etunimi", "Sukunimi"), ("Prenume", "Nume"), ("Ime", "Prezime"), ("Förnamn", "Efternamn")],
)  # fmt: skip
def test_a_name_in_two_columns_is_one_name(tmp_path: Path, first: str, last: str) -> None:
    found = looked(tmp_path, f"id;{first};{last}\n1;Ay;Su\n2;Bo;Er\n3;Ay;Ak\n4;Ay;Su\n5;Bo;Er\n")
    assert of(found, "name").keys == {"join": [first, last]}
    plain = read_table(found.path).columns
    assert {one.role for one in plain if one.name != "id"} == {"private"}


def test_an_encoding_is_proposed_by_what_it_reads(tmp_path: Path) -> None:
    polish = "id;Imię\n1;Żaneta\n2;Józef\n3;Świętosława\n".encode("cp1250")
    with pytest.raises(InputError, match=r"name its encoding \(--encoding.*: cp1250 \('Imię Żaneta'\)"):
        looked(tmp_path, polish)
    (wrong,) = [one for one in looked(tmp_path, polish, encoding="latin-1").reading.facts if one.what == "encoding"]
    assert wrong.status == "question"
    assert "Żaneta" in wrong.why
    right = looked(tmp_path, polish, encoding="cp1250")
    assert again(right, strict=True).people.height == 3
    with pytest.raises(InputError, match="cp1254"):
        looked(tmp_path, "id;Soyad\n1;Şahin\n2;Doğan\n".encode("cp1254"))
    guessed = looked(tmp_path, "id;name\n1;Dvořák\n".encode("cp1250")).reading.facts[0]
    assert "cp1250 reads 'Dvořák'" in guessed.why


def test_data_in_the_study_folder_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "celeba").mkdir()
    (tmp_path / "celeba" / "identity_CelebA.txt").write_text("000001.jpg 1\n")
    study = tmp_path / "celeba.yaml"
    study.write_text("name: s\ncollect: {source: celeba, path: celeba}\n")
    personax("trust", study, "--yes")
    done = personax("collect", study)
    assert done.returncode == 1
    assert "give the study another folder with --folder" in done.stderr
    assert "changed while" not in done.stderr


def test_strict_look_ends_with_1_where_cells_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(column([*["1.80 m"] * 30, "tall"], "height_m"))
    done = personax("look", file, "--strict", "--json")
    assert done.returncode == 1
    (height,) = [one for one in json.loads(done.stdout)["columns"] if one["name"] == "height_cm"]
    assert "1 cell of 31 cannot be read and is missing now (row 31: 'tall'" in height["question"]


def test_a_table_of_the_hub_is_read_from_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    kept = tmp_path / "t.csv"
    kept.write_text(column([1, 2, 3], mark=","))
    asked = []

    def cached(repo: str, file: str, *, repo_type: str, revision: str | None) -> str | None:
        asked.append((repo, file, repo_type, revision))
        return str(kept) if file == "data/t.csv" else None

    monkeypatch.setattr(hub, "try_to_load_from_cache", cached)
    study = tmp_path / "study.yaml"
    done = personax("look", "hf://datasets/o/n@v2/data/t.csv", "--write", study)
    assert done.returncode == 0, done.stderr
    assert "path: hf://datasets/o/n@v2/data/t.csv" in study.read_text(encoding="utf-8")
    assert personax("collect", study).returncode == 0
    assert set(asked) == {("o/n", "data/t.csv", "dataset", "v2")}
    study.write_text("name: s\ncollect: {source: table, path: 'hf://datasets/o/n/b.csv'}\n")
    personax("trust", study, "--yes")
    for words in (("collect", study), ("look", "hf://datasets/o/n/b.csv")):
        gone = personax(*words)
        assert gone.returncode == 1
        assert "hf download --repo-type dataset o/n b.csv" in gone.stderr
    assert "write hf://datasets/OWNER/NAME/FILE" in personax("look", "hf://datasets/o").stderr


AGREE = ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]


@pytest.mark.parametrize(
    ("answers", "codes", "values"),
    [
        (AGREE, ["-99"], [1, 2, 3, 4, 5]),
        (AGREE, ["99", "98.0"], [1, 2, 3, 4, 5]),
        (AGREE, ["-9", "-8", "NA"], [1, 2, 3, 4, 5]),
        (["1 - never", "2", "3", "4 - always"], ["-99"], [1, 2, 3, 4]),
        (["Yes", "No"], ["-1"], ["Yes", "No"]),
    ],
)
def test_codes_for_missing_among_answers_in_words_do_not_cost_their_order(
    tmp_path: Path, answers: list[str], codes: list[str], values: list[object]
) -> None:
    """Qualtrics exports answers as words, and -99 for a question that was seen and not answered."""
    found = looked(tmp_path, column([*answers * 6, *codes * 3]))
    read = again(found).people["x"].to_list()
    assert read == [*values * 6, *[None] * len(codes) * 3]
    asked = of(found, "x").reading.question
    assert all(code in asked for code in codes if code != "NA") == (answers != ["Yes", "No"])


def test_codes_for_missing_among_categories_are_asked_about(tmp_path: Path) -> None:
    asked = of(looked(tmp_path, column([*["red", "green", "blue"] * 6, *["-99"] * 3])), "x").reading
    assert asked.question == "3 cells say -99: is that missing, or a category of its own? It is a category now"
    for cells in (["U18", "U21", "99"], ["red", "green", "7"], ["Strongly disagree", "2", "77"]):
        assert not of(looked(tmp_path, column(cells * 6)), "x").reading.question, "names and levels that are numbers"


ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" office:version="1.2"><office:body><office:spreadsheet>
<table:table table:name="people">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"""


def test_a_spreadsheet_of_opendocument_is_read(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    words = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    number = '<table:table-cell office:value-type="float" office:value="{}"><text:p>x</text:p></table:table-cell>'
    day = '<table:table-cell office:value-type="date" office:date-value="{}"><text:p>x</text:p></table:table-cell>'
    people = [("a", 170.5, "1980-02-13"), ("b", 181, "1990-12-01")]
    rows = [
        "".join(words.format(name) for name in ("id", "height_cm", "birth_date")),
        *(words.format(one) + number.format(size) + day.format(born) for one, size, born in people),
    ]
    body = ODS.format(rows="".join(f"<table:table-row>{row}</table:table-row>" for row in rows))
    with zipfile.ZipFile(tmp_path / "t.ods", "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", body)
        made.writestr("META-INF/manifest.xml", "<manifest/>")
    table = read_table(tmp_path / "t.ods").people
    assert table["height_cm"].to_list() == [170.5, 181.0]
    assert table["birth_date"].to_list() == [date(1980, 2, 13), date(1990, 12, 1)]
