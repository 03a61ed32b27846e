"""Wikidata as a source: batches, lag, redirects, leagues; every query is run by rdflib on an invented Wikidata."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.sources.wikidata.invented import Wiki, human, item, page, said, to, when

from personax.errors import FetchError, InputError, PersonaxError, SourceChanged
from personax.http._request import Page, Request
from personax.sources._records import Failure, Record
from personax.sources.wikidata._api import EntityPage, WikidataApi, entity_request
from personax.sources.wikidata._source import Wikidata
from personax.sources.wikidata._sparql import (
    LEAGUES,
    league_query,
    literal,
    names_query,
    query_request,
    read_rows,
    select,
    superclass_query,
)


class Clock:
    """Sleeps without time."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def collect(source: Wikidata, wiki: Any, limit: int | None = None) -> list[Record | Failure]:
    async def run() -> list[Record | Failure]:
        return [each async for each in source.collect(wiki, limit)]

    return asyncio.run(run())


def entities(api: WikidataApi, ids: Sequence[str]) -> list[EntityPage | str]:
    async def run() -> list[EntityPage | str]:
        return [each async for each in api.entities(ids)]

    return asyncio.run(run())


def test_a_hundred_and_twenty_items_are_three_requests() -> None:
    wiki = Wiki(*(item(f"Q{n}", f"item {n}") for n in range(1, 121)))
    found = entities(WikidataApi(wiki), [f"Q{n}" for n in range(1, 121)])
    assert [len(batch) for batch in wiki.batches] == [50, 50, 20]
    assert [each.entity.id for each in found if isinstance(each, EntityPage)] == [f"Q{n}" for n in range(1, 121)]
    query = parse_qs(urlsplit(wiki.requested[0].url).query)
    assert query["maxlag"] == ["5"]
    assert query["format"] == ["json"]


def test_a_lagging_wikidata_is_waited_for() -> None:
    clock, wiki = Clock(), Wiki(item("Q1", "one"), busy=3)
    (found,) = entities(WikidataApi(wiki, sleep=clock), ["Q1"])
    assert isinstance(found, EntityPage)
    assert len(clock.slept) == 3
    assert all(7.5 <= wait <= 8.0 for wait in clock.slept)  # the lag it names, at least five seconds, and some jitter
    assert len({request.url for request in wiki.requested}) == 4  # a cache gives no answer of before


def test_a_wikidata_that_stays_busy_is_given_up() -> None:
    clock = Clock()
    with pytest.raises(FetchError, match=r"busy \(maxlag, 3 times in a row\); try again later"):
        entities(WikidataApi(Wiki(busy=100), tries=3, sleep=clock), ["Q1"])
    assert len(clock.slept) == 2


def test_a_kept_page_that_says_busy_is_not_waited_for() -> None:
    kept: dict[str, Page] = {}
    wiki = Wiki(item("Q1", "one"), busy=2)

    async def fetch(request: Request) -> Page:
        if request.url in kept:
            return page(kept[request.url].body, request.url, cached=True)
        kept[request.url] = await wiki(request)
        return kept[request.url]

    for waits in (2, 0):
        clock = Clock()
        assert isinstance(entities(WikidataApi(fetch, sleep=clock), ["Q1"])[0], EntityPage)
        assert len(clock.slept) == waits
    assert len(wiki.requested) == 3


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (
            {"error": {"code": "param-illegal", "info": "<script>"}},
            FetchError,
            r"refuses the request \(param-illegal\)",
        ),
        ({"error": {"code": "x" * 500}}, FetchError, r"\(unknown error\)"),
        ({"error": "bad"}, FetchError, "unknown error"),
        ([], SourceChanged, "looked for an object"),
        ({}, SourceChanged, "the object entities"),
        ({"entities": {"Q1": 5}}, SourceChanged, "an entity"),
        (b'{"entities": {"Q1"', SourceChanged, "no whole JSON"),
        (b'{"entities": NaN}', SourceChanged, "no whole JSON"),
        (b"[" * 100_000, SourceChanged, "no whole JSON"),
    ],
)
def test_answers_that_are_none(answer: object, error: type[Exception], text: str) -> None:
    async def fetch(request: Request) -> Page:
        return page(answer, request.url)

    with pytest.raises(error, match=text):
        entities(WikidataApi(fetch), ["Q1"])


WORLD = [
    item("Q30", "United States"),
    item("Q60", "Springfield", P17=to("Q30")),
    item("Q33999", "actor"),
    item("Q3665646", "basketball player"),
    item("Q77", "street juggler", P279=to("Q78")),
    item("Q78", "busker", P279=to("Q177220")),
    item("Q155223", "National Basketball Association"),
    item("Q500", "Springfield Giants", P118=to("Q155223")),
    human("Q1", "Ada Sample", P569=when("1985-04-05"), P27=to("Q30"), P19=to("Q60"), P106=to("Q33999")),
    human("Q2", "Bo Sample", P106=to("Q77")),
    item("Q3", "A band"),
    human("Q4", "Di Sample"),
]


@pytest.mark.parametrize("via", ["api", "pages"])
def test_people_by_id(via: str) -> None:
    wiki = Wiki(*WORLD, redirects={"Q40": "Q4", "Q41": "Q4"})
    source = Wikidata.model_validate({"ids": ["Q1", "Q2", "Q3", "Q99", "Q40", "Q41", "Q1"], "via": via})
    results = collect(source, wiki)
    assert [(type(each).__name__, each.ref) for each in results] == [
        ("Record", "Q1"),
        ("Record", "Q2"),
        ("Failure", "Q3"),
        ("Failure", "Q99"),
        ("Record", "Q4"),
        ("Failure", "Q41"),
    ]
    ada, bo, band, _, _, twice = results
    assert isinstance(ada, Record)
    assert isinstance(bo, Record)
    assert ada.values["birth_date"] == date(1985, 4, 5)
    assert ada.values["birth_country"] == ada.values["nationality"] == "United States"
    assert bo.values["occupation"] == "musician"  # by what Wikidata says a street juggler is a kind of
    assert bo.values["occupations"] == "street juggler"
    assert isinstance(band, Failure)
    assert "no human being" in band.reason
    assert isinstance(twice, Failure)
    assert twice.reason == "Q41 is Q4 now, who is here already"


def test_without_superclasses_no_query_is_sent() -> None:
    wiki = Wiki(*WORLD)
    (bo,) = collect(Wikidata(ids=["Q2"], superclasses=False), wiki)
    assert isinstance(bo, Record)
    assert bo.values["occupation"] == "other"
    assert {urlsplit(request.url).hostname for request in wiki.requested} == {"www.wikidata.org"}


def test_what_people_share_is_fetched_once() -> None:
    crowd = [human(f"Q{n}", f"Person {n}", P27=to("Q30"), P19=to("Q60")) for n in range(1000, 1120)]
    wiki = Wiki(*WORLD, *crowd)
    results = collect(Wikidata(ids=[each["id"] for each in crowd]), wiki)
    assert len(results) == 120
    assert sum("Q30" in batch for batch in wiki.batches) == 1
    assert len(wiki.batches) == 4  # three of people, one of what they share


def test_one_item_of_an_odd_shape_costs_that_item() -> None:
    odd = human("Q7", "Odd") | {"claims": {"P31": [said(to("Q5"))], "P27": [{"rank": "normal"}]}}
    bad_place = item("Q61", "Nowhere") | {"claims": {"P625": 7}}
    wiki = Wiki(*WORLD, odd, bad_place, human("Q8", "Eve", P19=to("Q61")))
    first, second, third = collect(Wikidata(ids=["Q7", "Q1", "Q8"]), wiki)
    assert isinstance(first, Failure)
    assert "snaktype" in first.reason
    assert isinstance(second, Record)
    assert isinstance(third, Record)
    assert [cell.column for cell in third.bad] == ["birthplace"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({}, "either ids or a league"),
        ({"ids": ["Q1"], "league": "nba"}, "either ids or a league"),
        ({"ids": ["Q1|Q2"]}, "Q and a number"),
        ({"league": "nab"}, "did you mean nba"),
        ({"ids": ["Q1"], "base_url": "http://example.org"}, "https address"),
        ({"ids": ["Q1"], "endpoint": "https://user@example.org"}, "https address"),
        ({"ids": ["Q1"], "languages": ["en&x=1"]}, "languages are codes"),
    ],
)
def test_settings_that_cannot_be(raw: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Wikidata.model_validate(raw)


def player(qid: str, league: str, **claims: object) -> dict[str, Any]:
    return human(qid, qid, P106=to(LEAGUES[league].occupation), **claims)


@pytest.mark.parametrize("league", [name for name, each in LEAGUES.items() if each.teams])
def test_who_is_in_a_league_of_teams(league: str) -> None:
    pytest.importorskip("rdflib")
    its = to(LEAGUES[league].item or "")
    people = [
        player("Q1", league, P54=to("Q500")),
        player("Q2", league, P118=its),
        player("Q3", league, P54=[said(to("Q500"), P582=when("2001-01-01"))]),
        player("Q4", league, P54=to("Q500"), P570=when("2001-01-01")),
        human("Q5000", "coach", P54=to("Q500")),
        player("Q6", league, P54=said(to("Q500"), "deprecated")),
        player("Q7", league, P54=to("Q501")),
        item("Q8", "a mascot", P54=to("Q500"), P106=to(LEAGUES[league].occupation)),
        # Left and came back: the second membership counts, whatever the rank of the first.
        player("Q9", league, P54=[said(to("Q500"), P582=when("2001-01-01")), said(to("Q500"))]),
        player("Q10", league, P118=[said(its, P582=when("2001-01-01"))]),
    ]
    wiki = Wiki(item("Q500", "in", P118=its), item("Q501", "out", P118=to("Q1")), *people)
    results = collect(Wikidata(league=league), wiki)
    assert {each.ref for each in results} == {"Q1", "Q2", "Q9"}
    for each in results:
        assert isinstance(each, Record)
        assert each.values["league"] == LEAGUES[league].label
        assert each.origins["league"].url.startswith("https://query.wikidata.org/sparql?query=")


@pytest.mark.parametrize("league", ["atp", "pga"])
def test_who_is_on_a_tour(league: str) -> None:
    pytest.importorskip("rdflib")
    known = LEAGUES[league].identifier or ""
    people = [
        player("Q1", league, **{known: "AB12", "P569": when("1990-01-01")}),
        player("Q2", league, **{known: "AB13", "P569": when("1960-01-01")}),
        player("Q3", league, P569=when("1990-01-01")),
        player("Q4", league, **{known: "AB14"}),
    ]
    assert {each.ref for each in collect(Wikidata(league=league), Wiki(*people))} == {"Q1", "Q2", "Q4"}
    young = collect(Wikidata(league=league, born_since=1980), Wiki(*people))
    assert {each.ref for each in young} == {"Q1"}


def test_a_league_is_read_page_by_page_and_no_further_than_asked() -> None:
    pytest.importorskip("rdflib")
    people = [player(f"Q{n}", "nba", P118=to("Q155223")) for n in range(1000, 1025)]
    wiki = Wiki(*people)
    results = collect(Wikidata(league="nba", page_size=10), wiki)
    assert {each.ref for each in results} == {each["id"] for each in people}
    assert sum("sparql" in request.url for request in wiki.requested) == 3
    wiki = Wiki(*people)
    assert len(collect(Wikidata(league="nba", page_size=10), wiki, limit=7)) == 7
    assert sum("sparql" in request.url for request in wiki.requested) == 1


@pytest.mark.parametrize(
    "query", [*(league_query(name, born_since=1980) for name in LEAGUES), superclass_query(["Q1"])]
)
def test_queries_are_sparql(query: str) -> None:
    parser = pytest.importorskip("rdflib.plugins.sparql")
    parser.prepareQuery(query)
    assert len(query_request(query).url) < 7000


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_a_name_cannot_break_out_of_its_query(name: str) -> None:
    plugin = pytest.importorskip("rdflib.plugins.sparql")
    try:
        query = names_query([name], ["en"])
    except InputError:
        assert any(ord(letter) < 32 or ord(letter) == 127 or "\ud800" <= letter <= "\udfff" for letter in name)
        return
    import rdflib

    graph = rdflib.Graph()
    person = rdflib.URIRef("http://www.wikidata.org/entity/Q1")
    graph.add((person, rdflib.URIRef("http://www.wikidata.org/prop/direct/P31"), _iri("Q5")))
    graph.add((person, rdflib.RDFS.label, rdflib.Literal(name, lang="en")))
    graph.add((_iri("Q2"), rdflib.RDFS.label, rdflib.Literal(name + "x", lang="en")))
    rows: list[Any] = list(graph.query(plugin.prepareQuery(query)))
    assert [(str(row[0]), row[1]) for row in rows] == [(name, person)]


def _iri(qid: str) -> Any:
    import rdflib

    return rdflib.URIRef(f"http://www.wikidata.org/entity/{qid}")


def test_what_is_no_literal_item_or_query() -> None:
    with pytest.raises(InputError, match="no language code"):
        literal("a", 'en"')
    with pytest.raises(InputError, match="control characters"):
        literal("a\x00")
    with pytest.raises(InputError, match="Q and a number"):
        superclass_query(["Q1 } UNION {"])
    with pytest.raises(InputError, match="too long for an address"):
        query_request("x" * 7000)
    with pytest.raises(InputError, match="did you mean nhl"):
        league_query("nlh")
    with pytest.raises(FetchError, match="Q and a number"):
        entity_request("../x")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"results": {"bindings": [', {"results": []}, {"results": {"bindings": [5]}}, {"boolean": True}],
)
def test_rows_that_are_none(body: object) -> None:
    with pytest.raises(SourceChanged):
        read_rows(page(body))


@given(st.binary(max_size=100))
def test_no_bytes_of_an_answer_escape_as_another_error(body: bytes) -> None:
    with pytest.raises(PersonaxError):
        read_rows(page(body))


def test_a_query_service_that_repeats_itself_is_not_followed_for_ever() -> None:
    row = {"person": {"type": "uri", "value": "http://www.wikidata.org/entity/Q1"}}

    async def run(rows: int, max_hits: int) -> int:
        async def fetch(request: Request) -> Page:
            return page({"results": {"bindings": [row] * rows}}, request.url)

        count = 0
        async for found, _ in select(fetch, "SELECT", order="?person", page_size=2, most_rows=max_hits):
            count += len(found)
        return count

    assert asyncio.run(run(1, 10)) == 1
    with pytest.raises(SourceChanged, match="same page twice"):
        asyncio.run(run(2, 10))
    with pytest.raises(FetchError, match="more than 2 rows"):
        asyncio.run(run(2, 2))
