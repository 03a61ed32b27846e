"""Facts that cannot be are refused, with a sentence that says which."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from personax.errors import InputError
from personax.release.packaging import AnnotatorFacts, MeasurementFacts, PublisherFacts, SourceFacts, describe
from personax.release.packaging._column_facts import columns_json
from personax.schema import Column

if TYPE_CHECKING:
    from tests.release.packaging.conftest import Packaged


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": "1.0"}, "MAJOR.MINOR.PATCH"),
        ({"date": "2026-02-30"}, "no date"),
        ({"date": "20260101"}, "no date"),
        ({"sources": (SourceFacts("nba", "web", ("yesterday", "2026-01-01")),)}, "no date"),
        ({"measurements": ()}, "columns of vectors are not the measurements"),
        ({"columns": ()}, "must start with id"),
        ({"measurements": (MeasurementFacts("people", "a", 3, "rotation"),)}, "a modality is called people"),
        ({"measurements": (MeasurementFacts("../x", "a", 3, "rotation"),)}, "cannot name files"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], says: str, packaged: Packaged) -> None:
    with pytest.raises(InputError, match=says):
        replace(packaged.facts, **change)


@pytest.mark.parametrize("homepage", ["javascript:alert(1)", "https://a b", "https://", "https://x/<b>", "http://[x"])
def test_a_homepage_is_an_address(homepage: str) -> None:
    with pytest.raises(InputError, match="homepage"):
        PublisherFacts(homepage=homepage)


def test_a_language_is_a_code_and_a_status_one_of_ours() -> None:
    with pytest.raises(InputError, match="ISO 639"):
        PublisherFacts(language=("English",))
    with pytest.raises(InputError, match="status 'shy'"):
        AnnotatorFacts("llm", ("a",), statuses={"shy": 3})


def test_facts_are_plain_data(packaged: Packaged) -> None:
    told = packaged.facts.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["publisher"]["authors"] == ["Ada Sample", "Bo Example"]


def test_the_share_of_refusals_is_counted_and_nothing_is_made_of_nothing() -> None:
    who = AnnotatorFacts("llm", ("a",), statuses={"ok": 6, "refused": 2, "privacy": 1, "empty": 1})
    assert who.share_declined == pytest.approx(0.3)
    assert AnnotatorFacts("raters", ("a",)).share_declined is None


def test_a_private_or_unknown_column_is_not_described() -> None:
    frame = pl.DataFrame({"id": ["a"], "name": ["Ada"]})
    with pytest.raises(InputError, match="name is private"):
        describe("people", frame, [Column("name", "private", "nominal")])
    with pytest.raises(InputError, match="the role and kind of column name are unknown"):
        describe("people", frame)
    with pytest.raises(InputError, match="which no release holds"):
        describe("people", pl.DataFrame({"id": ["a"], "x": [[1, 2]]}), [Column("x", "feature", "nominal")])


def test_columns_json_has_every_column_of_every_file(packaged: Packaged) -> None:
    told = json.loads(columns_json(packaged.facts))["columns"]
    found = {(one["file"], one["name"]) for one in told}
    assert found == {(f"data/{name}/", column) for name, frame in packaged.frames.items() for column in frame.columns}
    height = next(one for one in told if one["name"] == "height_cm")
    assert (height["unit"], height["kind"], height["role"]) == ("cm", "continuous", "feature")
    assert next(one for one in told if one["name"] == "text_a")["length"] == 24
