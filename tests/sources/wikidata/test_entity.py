"""Ranks, ends, labels and shapes of entities."""

from __future__ import annotations

import pytest
from tests.sources.wikidata.invented import item, said, to

from personax.errors import SourceChanged
from personax.sources.wikidata._entity import Entity, qid_of


def test_preferred_statements_stand_alone_and_deprecated_ones_never_count() -> None:
    entity = Entity(
        item(
            "Q1",
            P27=[said(to("Q30")), said(to("Q17"), "preferred"), said(to("Q38"), "deprecated")],
            P19=[said(to("Q60")), said(to("Q90"), "deprecated"), said(to("Q84"))],
            P21=[said(to("Q9"), "deprecated")],
        )
    )
    assert entity.items("P27") == ["Q17"]
    assert entity.items("P19") == ["Q60", "Q84"]
    assert entity.items("P21") == entity.items("P999") == []


def test_what_has_ended_does_not_count_unless_everything_has() -> None:
    ended = said(to("Q1"), P582="+2001")
    assert Entity(item("Q9", P54=[ended, said(to("Q2"))])).items("P54") == ["Q2"]
    assert Entity(item("Q9", P54=[ended])).items("P54") == ["Q1"]


def test_labels_fall_back() -> None:
    languages = ("en", "mul", "en-gb")
    assert Entity(item("Q1", {"mul": "M", "en-gb": "G", "de": "D"})).label(languages) == "M"
    assert Entity(item("Q1", {"fr": "F", "de": "D"})).label(languages) == "D"
    assert Entity(item("Q1", {"en": "  "})).label(languages) is None
    assert Entity({"id": "Q1", "labels": []}).label(languages) is None


def test_labels_hold_nothing_invisible() -> None:
    assert Entity(item("Q1", "Ada\u202e  Sam\u200bple")).label() == "Ada Sample"
    assert Entity(item("Q1", {"en": "a\ud800", "de": "\x00", "fr": "x" * 251, "it": "Zoe\u0308"})).label() == "Zo\u00eb"


def test_only_wikidata_names_items() -> None:
    assert qid_of("https://www.wikidata.org/entity/Q5") == "Q5"
    for address in ("http://example.org/entity/Q5", "http://www.wikidata.org/entity/P5", "Q5", 5, None):
        assert qid_of(address) is None


@pytest.mark.parametrize(
    ("raw", "looked"),
    [
        ([], "no item"),
        ({"id": "P31"}, "no item"),
        ({"id": "Q1", "claims": 5}, "object of claims"),
        ({"id": "Q1", "claims": {"P31": {}}}, "list of statements"),
        ({"id": "Q1", "claims": {"P31": ["x"]}}, "a rank"),
        ({"id": "Q1", "claims": {"P31": [{"rank": "best"}]}}, "a rank"),
        ({"id": "Q1", "claims": {"P31": [{"rank": "normal", "mainsnak": {}}]}}, "snaktype"),
        ({"id": "Q1", "claims": {"P31": [said(to("Q5")) | {"qualifiers": [1]}]}}, "qualifiers"),
    ],
)
def test_another_shape_is_named(raw: object, looked: str) -> None:
    with pytest.raises(SourceChanged, match=looked):
        Entity(raw).best("P31")
