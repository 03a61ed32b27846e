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


HEADERS = {
    "lahman": "ID,playerID,birthYear,birthMonth,birthDay,birthCity,birthCountry,birthState,deathYear,deathMonth,"
    "deathDay,deathCountry,deathState,deathCity,nameFirst,nameLast,nameGiven,weight,height,bats,throws,debut,bbrefID,finalGame,"
    "retroID",
    "tennis_atp": "player_id,name_first,name_last,hand,dob,ioc,height,wikidata_id",
    "nflverse": "gsis_id,display_name,common_first_name,first_name,last_name,short_name,football_name,suffix,esb_id,"
    "nfl_id,pfr_id,pff_id,otc_id,espn_id,smart_id,birth_date,position_group,position,ngs_position_group,ngs_position,"
    "height,weight,headshot,college_name,college_conference,jersey_number,rookie_season,last_season,latest_team,status",
    "rio2016": "id,name,nationality,sex,date_of_birth,height,weight,sport,gold,silver,bronze,info",
    "qualtrics": "StartDate,EndDate,Status,IPAddress,Progress,Duration (in seconds),Finished,RecordedDate,ResponseId,"
    "RecipientLastName,RecipientFirstName,RecipientEmail,ExternalReference,LocationLatitude,LocationLongitude,"
    "DistributionChannel,UserLanguage,Q1",
    "limesurvey": "id. Response ID,submitdate. Date submitted,lastpage. Last page,startlanguage. Start language,"
    "seed. Seed,startdate. Date started,datestamp. Date last action,ipaddr. IP address,Q01. Your age",
    "prolific": "Submission id,Participant id,Status,Custom study tncs accepted at,Started at,Completed at,Reviewed at,"
    "Archived at,Time taken,Completion code,Total approvals,Fluent languages,Age,Sex,Ethnicity simplified,"
    "Country of birth,Country of residence,Nationality,Language,Student status,Employment status",
}
"""Headers of the real tables, as public code that reads them quotes them; no row of any."""


@pytest.mark.parametrize(("name", "header"), HEADERS.items())
def test_headers_of_the_real_tables(name: str, header: str) -> None:
    table = recognised(header.split(","))
    assert table is not None
    assert table.name == name
    found = known_columns(table, header.split(","))
    absent = {"token", "refurl"} if name == "limesurvey" else set()
    assert len(found) >= len(table.columns) - len(absent), "every column of the preset is in the real table"


def test_spellings_of_other_exports() -> None:
    text = recognised(["Response ID", "Date submitted", "Last page", "Start language", "How old are you?"])
    assert text is not None
    assert known_columns(text, ["Response ID", "Seed", "IP address"]) == {
        "id": {"from": "Response ID"}, "Seed": {"from": "Seed", "role": "private"},
        "IP address": {"from": "IP address", "role": "private"},
    }  # fmt: skip


def test_years_and_months_alone_and_numbers_that_pandas_wrote(tmp_path: Path) -> None:
    file = tmp_path / "atp_players.csv"
    rows = ["1,Ana,One,R,19871027.0,ESP,188.0,Q1", "2,Bo,Two,U,19870000.0,SRB,,Q2", "3,Cy,Six,L,,FRA,191.0,"]
    file.write_text("\n".join([HEADERS["tennis_atp"], *rows]) + "\n")
    people = read_table(file, preset="tennis_atp").people
    assert people["birth_year"].to_list() == [1987, 1987, None]
    assert people["height_cm"].to_list() == [188.0, None, 191.0]


@pytest.mark.parametrize("table", KNOWN_TABLES, ids=lambda table: table.name)
def test_keys_of_known_tables_are_keys(table: Any) -> None:
    headers = set(table.signature)
    for keys in table.columns.values():
        ColumnSpec.model_validate(dict(keys))
        headers |= {*([keys["from"]] if "from" in keys else []), *keys.get("join", ()), *keys.get("parts", ())}
    assert recognised(headers) == table
    assert known_columns(table, headers) == dict(table.columns)
