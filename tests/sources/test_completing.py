"""From records of several real sources to people with places, birthdays and flags."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from personax.data.table import Table
from personax.schema import Column, Provenance
from personax.sources import PeopleTable, read_openfootball
from personax.sources._completion import complete
from personax.sources._dates import parse_date
from personax.sources._people_table import BAD_CELLS
from personax.sources._records import Origin, Record
from personax.sources.geocode import distance_km
from personax.sources.record_linkage import link_and_merge
from personax.sources.record_linkage._names import tokens

DATA = Path(__file__).parents[3] / "shared" / "data"
TODAY = date(2026, 6, 15)


def table(people: pl.DataFrame) -> PeopleTable:
    columns = [Column(name, "feature", "nominal") for name in people.columns]
    origin = Provenance("several", "", "", people.height)
    return PeopleTable(Table(people, columns, origin), pl.DataFrame(schema=BAD_CELLS), [])


def test_everything_is_added_and_nobody_is_dropped() -> None:
    people = pl.DataFrame(
        {
            "id": ["a", "b"],
            "nationality": ["NA", "Nowhere"],
            "birth_date": [date(2000, 3, 1), None],
            "height_cm": [90.0, 180.0],
        }
    )
    done = complete(table(people), today=TODAY)
    assert done.table.people.height == 2
    assert [column.name for column in done.table.columns] == done.table.people.columns
    added = done.table.people.select("country_code", "latitude", "day_index").rows()
    assert added == [("NA", -22.55941, 61), (None, None, None)]
    assert {c.name: (c.kind, c.period) for c in done.table.columns}["longitude"] == ("cyclic", 360.0)
    assert done.flags.rows() == [("a", "height_cm", 90.0, "< 140")]
    assert len(done.table.notices) == 2
    assert complete(table(people.drop("nationality")), today=TODAY).places is None


def test_a_place_that_is_known_stays() -> None:
    people = pl.DataFrame({"id": ["a"], "country": ["FR"], "latitude": [1.0], "longitude": [2.0]})
    assert complete(table(people), today=TODAY).table.people.select("latitude", "longitude").row(0) == (1.0, 2.0)


def record(source: str, ref: str, values: dict[str, object]) -> Record:
    known = {name: value for name, value in values.items() if value not in (None, "")}
    return Record(source, ref, known, dict.fromkeys(known, Origin(source, "", "", "")))


def real_records() -> list[Record]:
    """Return footballers, NFL players of two sources, and NBA players, read as plainly as can be."""
    found = []
    for row in read_openfootball(DATA / "athletes" / "openfootball.tar.gz").people.iter_rows(named=True):
        values = {name: row[name] for name in ("name", "position", "height_cm", "birth_date", "birthplace")}
        found.append(record("openfootball", row["id"], values | {"nationality": row["country"]}))
    nfl: Any = json.loads((DATA / "athletes" / "nfl-players.json").read_text(encoding="utf-8"))
    for ref, row in nfl.items():
        born = row.get("birthdate") or ""
        values = {
            "name": row["full_name"],
            "league": "NFL",
            "height_cm": row["height"] * 2.54 if row.get("height") else None,
            "birth_date": parse_date(born, ["%m/%d/%Y"], today=TODAY) if born.strip("/") else None,
        }
        found.append(record("nfl_players", ref, values))
    espn: Any = json.loads((DATA / "responses" / "espn-nfl-team-roster.json").read_text(encoding="utf-8"))
    for row in (player for group in espn["athletes"] for player in group["items"]):
        born = row.get("dateOfBirth")
        values = {
            "name": row["fullName"],
            "league": "NFL",
            "height_cm": row["height"] * 2.54,
            "birth_date": date.fromisoformat(born[:10]) if born else None,
        }
        found.append(record("espn", row["id"], values))
    raw: Any = json.loads((DATA / "responses" / "nba-playerindex.json").read_text(encoding="utf-8"))["resultSets"][0]
    for cells in raw["rowSet"]:
        row = dict(zip(raw["headers"], cells, strict=True))
        name = f"{row['PLAYER_FIRST_NAME']} {row['PLAYER_LAST_NAME']}"
        found.append(
            record("nba", str(row["PERSON_ID"]), {"name": name, "league": "NBA", "nationality": row["COUNTRY"]})
        )
    return found


@pytest.mark.skipif(not (DATA / "athletes").exists(), reason="needs the tables of ../shared/data")
def test_real_athletes_are_joined_and_placed() -> None:
    records = real_records()
    united = link_and_merge(records, precedence=["openfootball", "nba", "nfl_players", "espn"])
    assert len(united.records) > 35_000
    assert sum(united.report["records"].values()) == len(records) > 41_000
    between = united.report["linked_by_sources"]
    assert set(between) == {"espn + nfl_players"}  # no footballer is an NFL player
    assert between["espn + nfl_players"] > 20
    names = {(one.source, one.ref): one.values["name"] for one in records}
    for a, ref_a, b, ref_b, *_ in united.matches.filter(outcome="linked").iter_rows():
        assert len({*tokens(str(names[a, ref_a]))} & {*tokens(str(names[b, ref_b]))}) >= 1
    people = pl.DataFrame(
        [
            (f"{one.source}-{one.ref}", one.values.get("nationality"), one.values.get("birth_date"))
            for one in united.records
        ],
        schema={"id": pl.String, "nationality": pl.String, "birth_date": pl.Date},
        orient="row",
    )
    done = complete(table(people), today=TODAY)
    assert done.places is not None
    assert done.places.with_text > 33_000
    assert done.places.placed >= 0.995 * done.places.with_text
    norway = done.table.people.filter(nationality="Norway").select("latitude", "longitude").row(0)
    assert distance_km(norway, (59.91, 10.75)) < 10
