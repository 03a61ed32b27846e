"""The walk that all leagues share, on invented sites and on loopback servers."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from tests.sources.leagues import shapes
from tests.sources.leagues.serving import BASE, Straight, collected, failures, over_http, records, served

from personax.errors import FetchError, InputError, SourceChanged, SourceError
from personax.sources._records import Record
from personax.sources.leagues import LEAGUES, Nba, Pga, PremierLeague


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAX_PGA_KEY", "a-key")


def expected(name: str, p: shapes.Person) -> dict[str, object]:
    """Return what a person's record must say, computed from the person and not from the page."""
    metric = name in ("atp", "premier_league", "bundesliga")
    height, weight = p.inches * 2.54, p.pounds * 0.45359237
    return {
        "name": p.name,
        "birth_date": p.born,
        "height_cm": pytest.approx(round(height) if metric else height, abs=1e-6),
        "weight_kg": pytest.approx(round(weight) if metric else weight, abs=1e-6),
    }


@pytest.mark.parametrize("name", sorted(shapes.SITES))
def test_everybody_of_a_site_comes_once_with_the_right_values(name: str) -> None:
    fetch = Straight(shapes.SITES[name](213))
    results = collected(shapes.pointed(name, BASE), fetch)
    assert failures(results) == []
    by_name = {(str(p.name), p.born): p for p in shapes.people(213)}
    found = records(results)
    assert len(found) == len({record.ref for record in found}) == 213
    for record in found:
        person = by_name[str(record.values["name"]), record.values["birth_date"]]  # type: ignore[index]
        wanted = expected(name, person)
        assert {column: record.values[column] for column in wanted} == wanted
        assert set(record.origins) == set(record.values)
        assert record.bad == ()
        assert record.values["birth_precision"] == "day"
        assert str(record.values["headshot_url"]).startswith("https://")
        assert record.values["league"] == LEAGUES[name].label
        sources = {origin.source for origin in record.origins.values()}
        assert sources == {name}
        assert all(len(origin.sha256) == 64 and origin.time for origin in record.origins.values())


@pytest.mark.parametrize("name", sorted(shapes.SITES))
def test_over_a_real_connection(name: str) -> None:
    with served(shapes.SITES[name](40)) as url:
        results = collected(shapes.pointed(name, url), over_http)
    assert failures(results) == []
    assert {str(record.values["name"]) for record in records(results)} == {p.name for p in shapes.people(40)}


@pytest.mark.parametrize(
    ("name", "site", "settings"),
    [
        ("espn", shapes.espn_athletes, {"listing": "athletes", "page_size": 50}),
        ("pga", shapes.pga_pages, {"via": "pages", "key": None}),
        ("bundesliga", shapes.bundesliga_api, {"key": "PERSONAX_PGA_KEY", "season": "DFL-SEA-0001K9"}),
    ],
)
def test_the_other_way_into_a_site(name: str, site: Any, settings: dict[str, Any]) -> None:
    results = collected(shapes.pointed(name, BASE, **settings), Straight(site(120)))
    assert failures(results) == []
    assert len(records(results)) == 120
    assert all("height_cm" in record.values and "birth_date" in record.values for record in records(results))


def test_a_squad_of_a_womens_league() -> None:
    """The shape that a public client of the NWSL's rosters reads: flat, no picture, height in words alone."""
    keeper = {"id": "211", "fullName": "Ada Sample", "jersey": "13", "displayHeight": "5' 10\"", "headshot": None,
              "position": {"displayName": "Goalkeeper", "abbreviation": "G"}, "citizenship": "USA"}  # fmt: skip

    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if target.endswith("/roster"):
            club = {"displayName": "Exampleton FC", "color": "C8102E"}
            return "application/json", json.dumps({"team": club, "athletes": [keeper]}).encode()
        return shapes.espn(1)(target, body) if target.endswith("usa.nwsl/teams") else None

    nwsl = {"sport": "soccer", "competition": "usa.nwsl", "called": "NWSL", "gender": "female"}
    results = collected(shapes.pointed("espn", BASE, **nwsl), Straight(answer))
    values = records(results)[0].values
    assert values["height_cm"] == pytest.approx(177.8)
    assert [values[name] for name in ("name", "gender", "position", "team", "league", "nationality")] == [
        "Ada Sample", "female", "Goalkeeper", "Exampleton FC", "NWSL", "USA",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["nba", "nfl", "nhl", "atp", "pga", "premier_league"])
def test_the_order_is_that_of_the_list_and_a_limit_its_beginning(name: str) -> None:
    league = shapes.pointed(name, BASE)
    whole = [record.ref for record in records(collected(league, Straight(shapes.SITES[name](150))))]
    fetch = Straight(shapes.SITES[name](150))
    assert [record.ref for record in records(collected(league, fetch, limit=5))] == whole[:5]
    assert len(fetch.asked) < 45


def test_shared_pages_are_asked_for_once() -> None:
    fetch = Straight(shapes.nhl(300))
    collected(shapes.pointed("nhl", BASE), fetch)
    urls = [request.url for request in fetch.asked]
    assert len(urls) == len(set(urls)) == 3 + 1 + 26  # 270 skaters, 30 goalies, teams
    fetch = Straight(shapes.pga(120))
    collected(shapes.pointed("pga", BASE), fetch)
    assert len(fetch.asked) == 1 + 3


def test_one_failing_page_costs_one_person() -> None:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        return None if "PlayerID=9000007" in target else shapes.nba(60)(target, body)

    results = collected(shapes.pointed("nba", BASE), Straight(answer))
    assert len(records(results)) == 59
    (failure,) = failures(results)
    assert (failure.ref, failure.reason, failure.changed) == ("9000007", "the page answers 404", False)
    assert failure.list_record is not None
    assert failure.list_record.values["name"] == shapes.person(7).name
    assert results.index(failure) == 6


def test_a_changed_page_brings_its_sample_and_many_end_the_source() -> None:
    def broken(every: int) -> shapes.Answer:
        def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
            found = shapes.nba(200)(target, body)
            assert found is not None
            is_odd = "PlayerID" in target and int(target.split("PlayerID=")[1].split("&")[0]) % every == 0
            return (found[0], found[1].replace(b"BIRTHDATE", b"BORN")) if is_odd else found

        return answer

    results = collected(shapes.pointed("nba", BASE), Straight(broken(25)))
    assert len(records(results)) == 192
    assert all(failure.changed and b"BORN" in (failure.sample or b"") for failure in failures(results))
    assert "BIRTHDATE" in failures(results)[0].reason
    with pytest.raises(SourceChanged, match=r"nba: 6 of 24 people's pages .* BIRTHDATE") as caught:
        collected(shapes.pointed("nba", BASE), Straight(broken(4)))
    assert caught.value.sample is not None
    assert b"BORN" in caught.value.sample


def test_a_changed_list_ends_the_source_with_its_sample() -> None:
    answer = shapes.nba(30)
    changed = Straight(lambda target, body: ("application/json", answer(target, body)[1].replace(b"rowSet", b"rows")))  # type: ignore[index]
    with pytest.raises(SourceChanged, match="rowSet") as caught:
        collected(shapes.pointed("nba", BASE), changed)
    assert b'"rows"' in (caught.value.sample or b"")


@pytest.mark.parametrize("key", ["height", "dates", "name"])
def test_a_renamed_key_that_may_be_absent_is_seen_after_twenty_people(key: str) -> None:
    answer = shapes.premier_league(60)

    def renamed(target: str, body: bytes) -> tuple[str, bytes] | None:
        found = answer(target, body)
        assert found is not None
        return found[0], found[1].replace(f'"{key}": '.encode(), b'"renamed": ')

    with pytest.raises(SourceChanged, match="nobody of 20 people has"):
        collected(shapes.pointed("premier_league", BASE), Straight(renamed))


def test_an_endless_list_ends() -> None:
    def same(target: str, body: bytes) -> tuple[str, bytes] | None:
        return "application/json", shapes.premier_players(shapes.people(100), "c1")

    fetch = Straight(same)
    results = collected(shapes.pointed("premier_league", BASE), fetch)
    assert len(records(results)) == 100
    assert [failure.reason for failure in failures(results)] == ["the list begins again: a page has nobody new"]
    assert len(fetch.asked) == 2

    def growing(target: str, body: bytes) -> tuple[str, bytes] | None:
        start = int(shapes.asked(target, "_next", "c0")[1:])
        shown = [shapes.person(number) for number in range(start + 1, start + 11)]
        return "application/json", shapes.premier_players(shown, f"c{start + 10}")

    fetch = Straight(growing)
    results = collected(shapes.pointed("premier_league", BASE, most_pages=9), fetch)
    assert len(records(results)) == 90
    assert [failure.reason for failure in failures(results)] == ["the list has more than 9 pages"]
    assert len(fetch.asked) == 9


def test_a_failing_page_of_a_list_costs_its_people() -> None:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        return None if "/teams/3/roster" in target else shapes.espn(320)(target, body)

    results = collected(shapes.pointed("espn", BASE), Straight(answer))
    assert len(records(results)) == 310
    assert [failure.ref for failure in failures(results)] == [None]
    with pytest.raises(SourceError, match="the page answers 404"):
        collected(shapes.pointed("espn", BASE), Straight(lambda target, body: None))


def test_two_people_with_one_id_and_one_person_twice() -> None:
    first, second = shapes.premier_player(shapes.person(1)), shapes.premier_player(shapes.person(2))
    rows = [first, first, second | {"id": first["id"]}]
    body = shapes.dumped({"pagination": {"_next": None}, "data": rows})
    results = collected(shapes.pointed("premier_league", BASE), Straight(lambda t, b: ("application/json", body)))
    assert [record.values["name"] for record in records(results)] == [shapes.person(1).name]
    assert [failure.reason for failure in failures(results)] == ["two people have one id; the first is kept"]


def test_an_empty_list_is_an_error() -> None:
    with pytest.raises(SourceError, match="the list is empty"):
        collected(shapes.pointed("nba", BASE), Straight(shapes.nba(0)))


def test_leaving_early_leaves_no_request_behind() -> None:
    fetch = Straight(shapes.nba(500))

    async def first() -> Record | None:
        async with aclosing(shapes.pointed("nba", BASE).collect(fetch)) as results:
            async for each in results:
                assert isinstance(each, Record)
                return each
        return None

    async def run() -> int:
        assert await first() is not None
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1
    assert 1 < fetch.most <= 64
    assert len(fetch.asked) < 100


def test_an_error_that_is_no_source_error_is_not_swallowed() -> None:
    async def fetch(request: object) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        collected(shapes.pointed("nba", BASE), fetch)


def test_a_key_comes_from_the_environment_and_stays_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "hush")
    (page_request,) = Pga(key="MY_KEY").first_pages()
    assert (page_request.request.headers["x-api-key"], page_request.request.secret) == ("hush", ("x-api-key",))
    monkeypatch.setenv("MY_KEY", "hu\nsh")
    with pytest.raises(SourceError, match="MY_KEY holds cannot be sent") as caught:
        Pga(key="MY_KEY").first_pages()
    assert "hu" not in str(caught.value)
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(SourceError, match="MY_KEY is not set"):
        collected(Pga(key="MY_KEY"), Straight(shapes.pga(3)))
    assert "x-api-key" not in json.dumps(Pga(via="pages", key=None).first_pages()[0].request.headers)


@pytest.mark.parametrize("address", ["http://site.example", "https://a@b", "file:///etc", "https://x/", "https://"])
def test_addresses_are_https_or_of_this_machine(address: str) -> None:
    with pytest.raises(InputError, match="https address"):
        Nba(season="2025-26", base_url=address)
    with pytest.raises(ValidationError, match="https address"):
        LEAGUES["nhl"].model_validate({"season": "20252026", "rosters_url": address})


def test_the_hosts_are_those_that_are_asked() -> None:
    assert LEAGUES["nhl"].model_validate({"season": "20252026", "rosters_url": None}).hosts == ("api.nhle.com",)
    assert shapes.pointed("atp", "http://127.0.0.1:8001").hosts == ("127.0.0.1:8001",)
    for name, site in shapes.SITES.items():
        league, fetch = shapes.pointed(name, BASE), Straight(site(40))
        own = {"nba": "2025-26", "nhl": "20252026", "premier_league": "2025"}
        whole = LEAGUES[name].model_validate({"season": own[name]} if name in own else {})
        asked = {urlsplit(page_request.request.url).netloc for page_request in whole.first_pages()}
        assert asked <= set(whole.hosts)
        collected(league, fetch)
        assert {urlsplit(request.url).netloc for request in fetch.asked} <= set(league.hosts)


def test_settings_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError, match="did you mean season"):
        PremierLeague.model_validate({"saeson": "2025"})
    with pytest.raises(InputError, match="pattern"):
        Nba(season="2025")


def test_fetch_errors_are_source_errors() -> None:
    assert issubclass(FetchError, SourceError)
