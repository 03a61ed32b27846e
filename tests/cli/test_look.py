"""personax look: a table that nobody described becomes a study file that reads it without a guess."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.program import personax

from personax.sources import ColumnSpec, propose_table, read_table
from personax.sources._known_tables import KNOWN_TABLES, known_columns, recognised

LAHMAN = """playerID,birthYear,birthMonth,birthDay,birthCountry,nameFirst,nameLast,weight,height,bats,throws
aardsda01,1981,12,27,USA,David,Aardsma,215,75,R,R
aaronha01,1934,2,5,USA,Hank,Aaron,180,72,R,R
aaronto01,1939,,,USA,Tommie,Aaron,190,75,R,R
"""


def looked(*words: str | Path) -> Any:
    done = personax("look", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_mapping_is_proposed_and_written_and_reads_the_table(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    rows = "".join(f"{at};Ana{at};Ruiz;{at % 28 + 1:02}.05.1990;1,{60 + at % 30};NA;stimme zu\n" for at in range(40))
    file.write_text("Kennung;Vorname;Nachname;Geburtsdatum;Größe;Punkte;Frage 1\n" + rows.replace("NA", "2,5", 39))
    study = tmp_path / "study" / "study.yaml"
    found = looked(file, "--write", study)
    keys = {column["name"]: column["keys"] for column in found["columns"]}
    assert keys["id"] == {"from": "Kennung"}
    assert keys["name"] == {"join": ["Vorname", "Nachname"]}
    assert keys["birth_date"] == {"from": "Geburtsdatum", "format": "%d.%m.%Y"}
    assert keys["height_cm"] == {"from": "Größe", "unit": "m"}
    assert keys["Punkte"] == {"missing": ["", "NA"], "kind": "ordinal"}
    written = yaml.safe_load(study.read_text(encoding="utf-8"))["collect"]
    assert written["separator"] == ";"
    columns = {name: ColumnSpec.model_validate(raw) for name, raw in written["columns"].items()}
    table = read_table(file, columns, separator=";", strict=True)
    assert table.people["height_cm"].to_list()[:2] == [160, 161]
    before = study.read_text(encoding="utf-8")
    again = personax("look", file, "--write", study)
    assert again.returncode == 1
    assert "exists already; edit it, or choose another name" in again.stderr
    assert study.read_text(encoding="utf-8") == before


def test_questions_stand_in_the_file_and_end_a_strict_look(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("id,age,day\n" + "".join(f"{at},{99 if at < 3 else 20 + at},03/04/2020\n" for at in range(30)))
    done = personax("look", file, "--strict", "--write", tmp_path / "s.yaml")
    assert done.returncode == 1
    assert "question: age: 99 (3 cells) looks like a code for missing" in done.stdout
    assert "2 questions are open (age, day)" in done.stderr
    text = (tmp_path / "s.yaml").read_text(encoding="utf-8")
    assert "like a code for missing, and is a number now; to say so: {missing: ['', '99']}" in text
    assert yaml.safe_load(text)["collect"]["columns"]["age"] == {}


def test_strict_ends_a_collection_and_an_analysis(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,a,b\n1,NA,2\n2,1.5,3\n3,2.5,4\n")
    study = tmp_path / "study.yaml"
    study.write_text("name: s\ncollect: {source: table, path: p.csv}\n")
    personax("trust", study, "--yes")
    collected = json.loads(personax("collect", study, "--json").stdout)
    assert collected["reading"]["files"][0]["columns"][1]["missing"] == {"NA": 1}
    sentence = 'p.csv: a: read as numbers: 1 cell says NA; collect.columns: {a: {"missing": ["", "NA"]}}'
    for words in (("collect", study), ("independence", tmp_path / "p.csv", "--out", tmp_path / "o")):
        done = personax(*words, "--strict")
        assert done.returncode == 1
        assert sentence in done.stderr


def test_known_tables_are_recognised_and_read(tmp_path: Path) -> None:
    file = tmp_path / "People.csv"
    file.write_text(LAHMAN)
    found = propose_table(file)
    assert found.preset == "lahman"
    table = read_table(file, preset="lahman", strict=True)
    assert table.people["name"].to_list() == ["David Aardsma", "Hank Aaron", "Tommie Aaron"]
    assert table.people["birth_year"].to_list() == [1981, 1934, 1939]
    assert table.people["height_cm"].to_list() == [190.5, 182.88, 190.5]


@pytest.mark.parametrize("table", KNOWN_TABLES, ids=lambda table: table.name)
def test_keys_of_known_tables_are_keys(table: Any) -> None:
    headers = set(table.signature)
    for keys in table.columns.values():
        ColumnSpec.model_validate(dict(keys))
        headers |= {*([keys["from"]] if "from" in keys else []), *keys.get("join", ()), *keys.get("parts", ())}
    assert recognised(headers) == table
    assert known_columns(table, headers) == dict(table.columns)
