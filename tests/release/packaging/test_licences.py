"""What a release inherits binds its publisher, and what nobody knows is said to be unknown."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from personax import registry
from personax.errors import InputError
from personax.release.packaging import MeasurementFacts, PublisherFacts, ReleaseFacts, SourceFacts, describe, inherited
from personax.release.packaging._licences import BINDING, ENCODERS, LICENCES, licence_page, source_terms
from personax.sources.leagues import LEAGUES


def facts(
    *, encoder: str = "", licence: str = "", source: str = "", publisher: str = "other", said: str = ""
) -> ReleaseFacts:
    frame = pl.DataFrame({"id": ["a"], "v": pl.Series([[1.0]], dtype=pl.Array(pl.Float32, 1))})
    vectors = describe("image", frame) if encoder else ()
    return ReleaseFacts(
        "A study",
        "1.0.0",
        1,
        (*describe("people", frame.select("id")), *vectors),
        measurements=(MeasurementFacts("image", "v", 1, "rotation", encoder, "", licence),) if encoder else (),
        sources=(SourceFacts(source, "web", licence=said),) if source else (),
        publisher=PublisherFacts(licence=publisher),
    )


@pytest.mark.parametrize("licence", sorted(LICENCES))
@pytest.mark.parametrize("name", [*ENCODERS, *source_terms()])
def test_a_licence_that_gives_away_what_is_kept_back_is_refused(name: str, licence: str) -> None:
    """The rule is worked out here from the clauses alone, for every pair of the tables."""
    its = facts(encoder=name, publisher=licence) if name in ENCODERS else facts(source=name, publisher=licence)
    terms = (ENCODERS.get(name) or source_terms()[name]).clauses
    own = LICENCES[licence]
    broken = (
        ("non-commercial" in terms and own.commercial)
        or ("share-alike" in terms and not own.share_alike)
        or ("attribution" in terms and not own.attribution)
    )
    if broken:
        with pytest.raises(InputError) as caught:
            inherited(its)
        assert licence in str(caught.value)
        assert name in str(caught.value)
    else:
        assert set(inherited(its).clauses) == set(terms)


def test_the_cases_that_matter_by_name() -> None:
    for licence in ("cc-by-4.0", "mit", "cc-by-nc-4.0"):
        with pytest.raises(InputError, match=r"imagebind_huge \(CC BY-NC-SA 4.0\).*choose cc-by-nc-sa-4.0 or other"):
            inherited(facts(encoder="imagebind_huge", publisher=licence))
    with pytest.raises(InputError, match=r"cc-by-4\.0 does not keep what the source celeba"):
        inherited(facts(source="celeba", publisher="cc-by-4.0"))
    assert inherited(facts(encoder="imagebind_huge", publisher="cc-by-nc-sa-4.0")).clauses[0] == "non-commercial"
    assert inherited(facts(source="wikidata", publisher="cc0-1.0")).clauses == []
    assert inherited(facts(source="nba")).clauses == ["consent", "attribution"]


def test_what_is_not_known_is_asked_for_and_never_guessed() -> None:
    its = facts(encoder="somebody/model", source="some_site")
    assert inherited(its).clauses == ["unknown"]
    page = licence_page(its)
    assert page.count("not known; ask") >= 2
    # a name that only looks like a known one is not known
    assert inherited(facts(encoder="google/siglip-base-patch16-224-mine")).clauses == ["unknown"]


def test_a_licence_that_is_stated_counts_where_it_is_a_known_one() -> None:
    assert inherited(facts(encoder="somebody/model", licence="CC-BY-NC-4.0")).clauses == [
        "non-commercial",
        "attribution",
    ]
    with pytest.raises(InputError, match="somebody/model"):
        inherited(facts(encoder="somebody/model", licence="CC-BY-NC-4.0", publisher="mit"))
    assert inherited(facts(source="table", said="cc0-1.0")).clauses == []
    assert inherited(facts(source="table", said="as is")).clauses == ["unknown"]


def test_a_licence_of_the_publisher_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InputError, match=r"cc-by-4\.0"):
        inherited(facts(publisher="cc-by-4"))


def test_every_preset_and_every_source_of_personax_is_in_the_tables() -> None:
    encoders = [registry.get("encoders", name) for name in registry.names("encoders")]
    models = {encoder.model for encoder in encoders if hasattr(encoder, "model")}
    assert len(models) > 10
    assert models <= set(ENCODERS)
    others = {"wikidata", "celeba", "openfootball", "nfl_players", "simulate", "geonames"}
    assert {*LEAGUES, *others} <= set(source_terms())


def test_the_page_names_all_and_the_clause_that_binds_most() -> None:
    both = replace(facts(encoder="imagebind_huge", source="nba"))
    page = licence_page(both)
    for text in ("imagebind_huge", "nba", "ImageBind, by FAIR", "CC BY-NC-SA 4.0", BINDING["consent"]):
        assert text in page
    assert page.index("**consent**") < page.index("**non-commercial**") < page.index("**share-alike**")
    for clause in inherited(both).clauses:
        assert page.count(f"**{clause}**") == 1
    assert "no source and no encoder" in licence_page(facts()).lower()
