"""What sites may send: bad values cost themselves, bad pages a named error, and nothing else ever escapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.leagues import shapes
from tests.sources.leagues.serving import BASE, Straight, collected, failures, page, records

from personax.errors import SourceChanged, SourceError
from personax.sources._records import Record
from personax.sources.leagues import Bundesliga, ListedPerson, Nba, Nfl, Nflverse, Pga
from personax.sources.leagues._parsing import embedded_state, find_objects, parse_json
from personax.sources.leagues._record_builder import RecordBuilder, clean_text, merge_records

ADA = shapes.person(1)


def premier(**changes: Any) -> Record:
    """Return the record of one player of whom something is changed."""
    player = shapes.premier_player(ADA) | changes
    league = shapes.pointed("premier_league", BASE)
    body = json.dumps({"pagination": {"_next": None}, "data": [player]}).encode()  # surrogates travel as escapes
    (row,) = league.parse_list(page(body), league.first_pages()[0]).people
    assert isinstance(row, ListedPerson)
    return row.list_record


def bad(record: Record) -> dict[str, str]:
    return {cell.column: cell.reason for cell in record.bad}


@pytest.mark.parametrize("surname", ["NaN", "None", "Null", "NA", "True", "O'Test", "Đặng", "<b>x</b>"])
def test_surnames_that_look_like_something_else_are_names(surname: str) -> None:
    assert premier(name={"firstName": "Ada", "lastName": surname}).values["name"] == f"Ada {surname}"


@pytest.mark.parametrize(
    ("column", "changes", "reason"),
    [
        ("birth_date", {"dates": {"birth": "2999-01-01"}}, "a date in the future"),
        ("birth_date", {"dates": {"birth": "1999-02-30"}}, "not a date"),
        ("birth_date", {"dates": {"birth": "0001-01-01"}}, "before the year 1000"),
        ("birth_date", {"dates": {"birth": 915148800000}}, "not a text"),
        ("height_cm", {"height": 0}, "not positive"),
        ("height_cm", {"height": "6-13"}, "12 inches or more beside feet"),
        ("height_cm", {"height": True}, "neither a number nor a text"),
        ("height_cm", {"height": {"cm": 180}}, "neither a number nor a text"),
        ("height_cm", {"height": 1e300}, "not a number"),
        ("weight_kg", {"weight": 9999}, "is the unit kg?"),
        ("name", {"name": {"display": "Ada\ufffd"}}, "not readable"),
        ("name", {"name": {"display": "Ada \ud800"}}, "not readable"),
        ("name", {"name": {"display": "A" * 201}}, "longer than 200"),
        ("name", {"name": {"display": ["Ada"]}}, "not a text"),
        ("team", {"currentTeam": {"name": 7}}, "not a text"),
    ],
)
def test_a_bad_value_is_missing_with_its_reason(column: str, changes: dict[str, Any], reason: str) -> None:
    record = premier(**changes)
    assert column not in record.values
    assert column not in record.origins
    assert reason in bad(record)[column]


def test_feet_with_thirteen_inches_are_bad_and_the_rest_stays() -> None:
    body = shapes.nba_index(3).replace(ADA.feet.encode(), b"6-13")
    league = shapes.pointed("nba", BASE)
    first = league.parse_list(page(body), league.first_pages()[0]).people[0]
    assert isinstance(first, ListedPerson)
    assert bad(first.list_record) == {"height_cm": "12 inches or more beside feet"}
    assert "weight_kg" in first.list_record.values


def test_a_missing_name_is_a_failure() -> None:
    players = [shapes.premier_player(p) for p in shapes.people(3)]
    players[1]["name"] = {"firstName": None, "lastName": " ", "display": ""}
    body = shapes.dumped({"pagination": {"_next": None}, "data": players})
    results = collected(shapes.pointed("premier_league", BASE), Straight(lambda t, b: ("application/json", body)))
    assert len(records(results)) == 2
    assert [failure.reason for failure in failures(results)] == ["the name is missing or cannot be read"]


def test_mixed_encodings_cost_one_name() -> None:
    name = "Zoë Exämple"
    players = [shapes.premier_player(p) for p in shapes.people(3)]
    players[2]["name"] = {"display": name}
    body = shapes.dumped({"pagination": {"_next": None}, "data": players})
    broken = body.replace(name.encode(), name.encode("latin-1"))
    results = collected(shapes.pointed("premier_league", BASE), Straight(lambda t, b: ("application/json", broken)))
    assert len(records(results)) == 2
    (failure,) = failures(results)
    assert failure.list_record is not None
    assert bad(failure.list_record) == {"name": "not readable in the encoding of its page"}
    marked = collected(
        shapes.pointed("premier_league", BASE),
        Straight(lambda t, b: ("application/json", b"\xef\xbb\xbf" + body)),  # a byte order mark
    )
    assert [record.values["name"] for record in records(marked)][2] == name


@pytest.mark.parametrize(
    "address",
    [
        "http://a.espncdn.com/x.png",
        "https://evil.example/x.png",
        "https://a.espncdn.com@evil.example/x.png",
        "https://a.espncdn.com:8080/x.png",
        "https://a.espncdn.com/x y.png",
        "https://a.espncdn.com\\@evil.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://[::1",
        "https://a.espncdn.com/\nx",
        7,
    ],
)
def test_pictures_elsewhere_are_bad_values(address: object) -> None:
    builder = RecordBuilder("espn", "1", page(b""))
    builder.headshot(address, ["a.espncdn.com"])
    record = builder.record()
    assert record.values == {}
    assert [cell.column for cell in record.bad] == ["headshot_url"]


def test_more_and_fewer_columns() -> None:
    league = Nba(season="2025-26")
    index = json.loads(shapes.nba_index(5))
    table = index["resultSets"][0]
    table["headers"] = [*reversed(table["headers"]), "NEW"]
    table["rowSet"] = [[*reversed(row), 1] for row in table["rowSet"]]
    found = league.parse_list(page(shapes.dumped(index)), league.first_pages()[0]).people
    plain = league.parse_list(page(shapes.nba_index(5)), league.first_pages()[0]).people
    assert [row.list_record.values for row in found if isinstance(row, ListedPerson)] == [
        row.list_record.values for row in plain if isinstance(row, ListedPerson)
    ]
    table["rowSet"][2] = table["rowSet"][2][:-1]
    ragged = league.parse_list(page(shapes.dumped(index)), league.first_pages()[0]).people
    assert [isinstance(row, str) for row in ragged] == [False, False, True, False, False]


RENAMED = [
    ("nba", "HEIGHT"),
    ("nba", "PERSON_ID"),
    ("nba", "resultSets"),
    ("espn", "athletes"),
    ("espn", "fullName"),
    ("nhl", "birthDate"),
    ("nhl", "data"),
    ("nhl", "total"),
    ("atp", "PlayerId"),
    ("atp", "BirthDate"),
    ("atp", "Players"),
    ("pga", "playerDirectory"),
    ("pga", "born"),
    ("pga", "heightImperial"),
    ("premier_league", "playerId"),
    ("premier_league", "pagination"),
    ("bundesliga", "slugifiedFull"),
    ("bundesliga", "full"),
    ("nfl", "birthDate"),
    ("nfl", "/players/"),
]


@pytest.mark.parametrize(("name", "key"), RENAMED)
def test_a_renamed_key_is_a_changed_source(name: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAX_PGA_KEY", "a-key")
    site = shapes.SITES[name](1000)

    def renamed(target: str, body: bytes) -> tuple[str, bytes] | None:
        found = site(target, body)
        written, other = (key, "/persons/") if key[0] == "/" else (f'"{key}"', f'"{key}2"')
        return None if found is None else (found[0], found[1].replace(written.encode(), other.encode()))

    with pytest.raises(SourceChanged) as caught:
        collected(shapes.pointed(name, BASE), Straight(renamed), limit=200)
    assert str(caught.value).startswith(name)
    assert caught.value.sample
    assert not {p.first for p in shapes.people(9)} & set(str(caught.value).split())


def test_html_by_its_words_not_by_place() -> None:
    league = Nfl()
    ref = ListedPerson("ada-1", Record("nfl", "ada-1", {}, {}))
    body = shapes.nfl_player(ADA)
    whole = league.parse_detail(page(body), ref)
    moved = body.replace(b'<li><div class="nfl-c-player-info__key">Arms</div>', b'<li><div class="gone">Arms</div>')
    assert league.parse_detail(page(moved), ref).values == whole.values
    no_ld = league.parse_detail(page(body.replace(b"SportsTeam", b"Other")), ref)
    assert "birth_date" not in no_ld.values
    assert no_ld.values["height_cm"] == whole.values["height_cm"]
    assert whole.values["headshot_url"] == "https://static.www.nfl.com/f_auto/league/abc123"
    with pytest.raises(SourceChanged, match="nfl-c-player-info__key"):
        league.parse_detail(page(b"<html><h1>Hello</h1></html>"), ref)
    with pytest.raises(SourceError, match="no such player"):
        league.parse_detail(page(b"<title>player.title</title>"), ref)


def test_states_of_old_and_new_pages_are_the_same() -> None:
    value = {"a & b": "\"quoted\" and 'single' <tag> &q;"}
    assert embedded_state(shapes.ng_state(value), "ng-state", "serverApp-state") == embedded_state(
        shapes.ng_state(value, old=True), "ng-state", "serverApp-state"
    )
    with pytest.raises(SourceChanged, match="ng-state or serverApp-state"):
        embedded_state(b"<html></html>", "ng-state", "serverApp-state")


def test_a_bundesliga_page_without_birth_and_bio_is_read_as_far_as_it_goes() -> None:
    league = Bundesliga()
    state = shapes.ng_state(shapes.bundesliga_person(ADA, whole=False))
    (row,) = league.parse_list(page(state), league.first_pages()[0]).people
    assert isinstance(row, ListedPerson)
    record = league.parse_detail(page(state), row)
    assert record.values["nationality"] == "Germany"
    assert "birth_date" not in record.values
    assert record.bad == ()
    person = shapes.bundesliga_person(ADA, whole=True)
    person["bio"]["height"]["unit"] = "HANDS"
    person["bio"]["weight"] = {"weight": 165, "unit": "LB"}
    record = league.parse_detail(page(shapes.ng_state(person)), row)
    assert bad(record) == {"height_cm": "in an unknown unit"}
    assert record.values["weight_kg"] == pytest.approx(165 * 0.45359237, abs=1e-6)
    assert record.values["gender"] == "male"


def test_a_coach_of_a_squad_is_no_player() -> None:
    people = [shapes.bundesliga_person(p, whole=False) for p in shapes.people(3)]
    people[1]["position"] = None
    people[2]["position"] = ["ATTACK"]
    league = Bundesliga()
    found = league.parse_list(page(shapes.ng_state({"x": people, "again": people[:1]})), league.first_pages()[0]).people
    assert [row.id for row in found if isinstance(row, ListedPerson)] == ["DFL-OBJ-000001"] * 2
    results = collected(league, Straight(lambda t, b: ("text/html", shapes.ng_state([people[0] for _ in range(3)]))))
    assert len(records(results)) == len(results) == 1


def test_graphql_errors_come_with_status_200(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAX_PGA_KEY", "a-key")
    body = shapes.dumped({"data": None, "errors": [{"message": "Not Authorized\n" * 50}]})
    with pytest.raises(SourceError, match="the site answers with an error"):
        collected(Pga(), Straight(lambda target, sent: ("application/json", body)))


@pytest.mark.parametrize(
    "born", ["Apr 5, 1998", "April 5, 1998", "1998-04-05", "4/5/1998", "5 Apr 1998", "5 April 1998", "Apr. 5, 1998"]
)
def test_birth_dates_of_the_pga_tour(born: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAX_PGA_KEY", "a-key")
    player = shapes.pga_player(ADA)
    player["playerBio"]["born"] = born
    league = Pga()
    body = shapes.dumped({"data": {"players": [None, player]}})
    record = league.parse_detail(page(body), ListedPerson(player["id"], Record("pga", player["id"], {}, {})))
    assert str(record.values["birth_date"]) == "1998-04-05"


def test_nflverse_since_a_season_and_ragged_rows() -> None:
    league = Nflverse(since=2024)
    found = league.parse_list(page(shapes.nflverse_table(52)), league.first_pages()[0]).people
    assert len(found) == 4  # 2024 and 2025, twice
    body = shapes.nflverse_table(3) + b"00-1,too,short\n"
    assert isinstance(league.parse_list(page(body), league.first_pages()[0]).people[-1], str)
    with pytest.raises(SourceChanged, match="gsis_id"):
        league.parse_list(page(b"name,height\nx,1\n"), league.first_pages()[0])
    with pytest.raises(SourceChanged, match="closed quotes"):
        league.parse_list(page(shapes.nflverse_table(1) + b'"open'), league.first_pages()[0])


def test_a_better_page_mends_what_the_list_could_not_say() -> None:
    listed, own = RecordBuilder("nba", "1", page(b"a")), RecordBuilder("nba", "1", page(b"b"))
    for builder, height, weight in ((listed, "6-13", "x"), (own, "6-3", "y")):
        builder.quantity("height_cm", height, "ft-in")
        builder.quantity("weight_kg", weight, "lb")
    record = merge_records(listed.record(), own.record())
    assert record.values == {"height_cm": 190.5}
    assert [(cell.column, cell.value) for cell in record.bad] == [("weight_kg", "x"), ("weight_kg", "y")]
    assert record.origins["height_cm"] == own.record().origins["height_cm"]


def test_months_and_years_alone() -> None:
    builder = RecordBuilder("x", "1", page(b""))
    builder.birth_date("1998", "iso", "%Y")
    assert builder.record().values == {"birth_year": 1998, "birth_precision": "year"}
    builder = RecordBuilder("x", "1", page(b""))
    builder.birth_date("4/1998", "%m/%Y")
    assert builder.record().values == {"birth_year": 1998, "birth_precision": "month"}


@given(st.text())
def test_a_clean_text_is_clean_again(text: str) -> None:
    try:
        once = clean_text(text)
    except ValueError:
        return
    assert once is None or clean_text(once) == once


def test_deep_values_inside_a_good_page() -> None:
    for depth in (100, 400, 700, 900):
        deep: Any = "x"
        for _ in range(depth):
            deep = [deep]
        assert premier(height=deep, name={"display": deep}).values.get("name") is None


def test_constants_that_json_does_not_know() -> None:
    with pytest.raises(SourceChanged, match="whole JSON"):
        parse_json('{"height": NaN}', "x")
    assert list(find_objects([[{"id": 1}], {"a": {"id": {"id": 2}}}], lambda each: "id" in each)) == [
        {"id": 1},
        {"id": {"id": 2}},
    ]
