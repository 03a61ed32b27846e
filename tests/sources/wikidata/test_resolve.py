"""Names become people only where one alone is meant."""

from __future__ import annotations

import asyncio
import itertools
from datetime import date
from typing import Any

import pytest
from tests.sources.wikidata.invented import Wiki, human, item, said, to, when

from personax.sources.wikidata._api import WikidataApi
from personax.sources.wikidata._entity import Entity
from personax.sources.wikidata._entity_resolution import NameQuery, Resolution, disambiguate, resolve, resolve_many

TODAY = date(2026, 1, 1)
ACTOR, SINGER = to("Q33999"), to("Q177220")

OLD = human("Q1", "John Sample", P569=when("1950-01-01"), P106=ACTOR)
YOUNG = human("Q2", "John Sample", P569=when("1985-00-00", 9), P106=SINGER)
VAGUE = human("Q3", "John Sample")
FILM = item("Q4", "John Sample", P31=to("Q11424"))
ALIAS = human("Q5", "J. S. Sample", aliases=("Johnny Sample",), P569=when("1970-01-01"))


def decide(query: NameQuery, *items: dict[str, Any], complete: bool = True) -> Resolution:
    return disambiguate(query, [Entity(each) for each in items], complete=complete, today=TODAY)


@pytest.mark.parametrize(
    ("query", "items", "status", "id_", "score"),
    [
        (NameQuery("john sample"), [OLD], "found", "Q1", 1.0),
        (NameQuery("John Sample"), [OLD, FILM], "found", "Q1", 1.0),
        (NameQuery("John Sample"), [FILM], "none", None, None),
        (NameQuery("John Sample"), [OLD, YOUNG], "ambiguous", None, 1.0),
        (NameQuery("John Sample", birth_year=1951), [OLD, YOUNG], "found", "Q1", 1.0),
        (NameQuery("John Sample", birth_year=1952), [OLD, YOUNG], "none", None, None),
        (NameQuery("John Sample", birth_year=1952, tolerance=2), [OLD, YOUNG], "found", "Q1", 1.0),
        (NameQuery("John Sample", birth_year=1985), [VAGUE, YOUNG], "found", "Q2", 1.0),
        (NameQuery("John Sample", birth_year=1960), [VAGUE, YOUNG], "found", "Q3", 0.7),
        (NameQuery("John Sample", occupation="actor"), [OLD, YOUNG], "found", "Q1", 1.0),
        (NameQuery("John Sample", occupation="writer", birth_year=1950), [OLD], "none", None, None),
        (NameQuery("Johnny Sample"), [ALIAS], "found", "Q5", 0.9),
        (NameQuery("Sample, John"), [OLD], "found", "Q1", 0.8),
        (NameQuery("John"), [OLD], "none", None, None),
        (NameQuery("..."), [OLD], "none", None, None),
    ],
)
def test_who_is_meant(
    query: NameQuery, items: list[dict[str, Any]], status: str, id_: str | None, score: float
) -> None:
    for order in itertools.permutations(items):
        result = decide(query, *order)
        assert (result.status, result.id) == (status, id_)
        assert (result.candidates[0].score if result.candidates else None) == score
        assert query.name not in result.reason


def test_two_who_meet_every_condition_are_both_kept() -> None:
    twin = OLD | {"id": "Q9"}
    result = decide(NameQuery("John Sample", birth_year=1950), twin, OLD)
    assert result.status == "ambiguous"
    assert [candidate.id for candidate in result.candidates] == ["Q1", "Q9"]
    assert result.candidates[0].met == ("birth_year",)


def test_conditions_on_which_wikidata_is_silent_rule_nobody_out() -> None:
    stranger = human("Q6", "John Sample", P106=to("Q123456"))  # an occupation of no group
    result = decide(NameQuery("John Sample", occupation="actor", sport="Q5372"), stranger)
    assert result.candidates[0].unknown == ("occupation", "sport")
    assert result.candidates[0].score == 0.49
    golfer = human("Q7", "John Sample", P641=to("Q5377"))
    assert decide(NameQuery("John Sample", sport="Q5372"), golfer).status == "none"
    assert decide(NameQuery("John Sample", sport="Q5377"), golfer).status == "found"


def test_hits_that_were_not_seen_make_a_name_ambiguous() -> None:
    assert decide(NameQuery("John Sample"), OLD, complete=False).status == "ambiguous"
    assert decide(NameQuery("John Sample"), complete=False).status == "ambiguous"
    assert decide(NameQuery("John Sample", birth_year=1950), OLD, complete=False).status == "found"


def test_a_name_is_searched_for() -> None:
    wiki = Wiki(OLD, FILM, *(item(f"Q{n}", f"John Sample {n}") for n in range(100, 170)))
    result = asyncio.run(resolve(WikidataApi(wiki), NameQuery("John Sample")))
    assert (result.status, result.id) == ("found", "Q1")
    many = Wiki(OLD, *(item(f"Q{n}", f"John Sample {n}") for n in range(100, 300)))
    result = asyncio.run(resolve(WikidataApi(many), NameQuery("John Sample")))
    assert result.status == "ambiguous"
    assert len(many.requested) == 6  # three pages of hits, three batches of items


def test_many_names_are_one_query() -> None:
    pytest.importorskip("rdflib")
    wiki = Wiki(OLD, YOUNG, FILM, ALIAS, human("Q8", 'Eve "E" O\'Sample'), human("Q9", {"mul": "Zoë"}))
    names = ["Zoe\u0308", "John  Sample", "Johnny Sample", 'Eve "E" O\'Sample', "Nobody", "John Sample"]

    async def run() -> list[Resolution]:
        return [each async for each in resolve_many(WikidataApi(wiki), wiki, [NameQuery(name) for name in names])]

    results = asyncio.run(run())
    assert [result.query.name for result in results] == names
    assert [result.status for result in results] == ["found", "ambiguous", "found", "found", "none", "ambiguous"]
    assert [result.id for result in results if result.status == "found"] == ["Q9", "Q5", "Q8"]
    assert len(wiki.requested) == 2


def test_long_names_are_asked_for_in_more_queries() -> None:
    pytest.importorskip("rdflib")
    names = [f"{'ü' * 200} {n}" for n in range(8)]
    wiki = Wiki(*(human(f"Q{n + 1}", name) for n, name in enumerate(names)))

    async def run() -> list[Resolution]:
        return [each async for each in resolve_many(WikidataApi(wiki), wiki, [NameQuery(name) for name in names])]

    assert [result.id for result in asyncio.run(run())] == [f"Q{n}" for n in range(1, 9)]
    assert sum("sparql" in request.url for request in wiki.requested) > 1


def test_deprecated_humanity_does_not_count() -> None:
    assert (
        decide(NameQuery("A"), item("Q1", "A", P31=[said(to("Q5"), "deprecated"), said(to("Q95074"))])).status == "none"
    )
