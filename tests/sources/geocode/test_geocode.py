"""Countries and cities against independent tables, the written policy, and real people."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data import fold
from personax.errors import InputError
from personax.sources import read_openfootball
from personax.sources.geocode import (
    Country,
    Point,
    Space,
    country_point,
    distance_km,
    find_city,
    find_country,
    geocode,
)
from personax.sources.geocode._countries import codes, country_rows, policies

DATA = Path(__file__).parents[4] / "shared" / "data"
CODES, CENTROIDS = DATA / "country-codes.csv", DATA / "country-centroids.csv"

SCATTERED = {"BQ", "KI", "MV", "TF"}
"""Small islands far apart: the largest is not where the capital is."""

# Where the oracle is wrong: Montenegro, Marshall Islands, South Sudan.
ERRORS = {("IOC", "ME"), ("IOC", "MH"), ("IOC", "SS")}


def needs(path: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not path.exists(), reason="needs the tables of ../shared/data")


def iso2(text: str, space: Space = "auto") -> str | None:
    country = find_country(text, space=space)
    return country.iso2 if country else None


@needs(CODES)
def test_codes_agree_with_an_independent_table() -> None:
    with CODES.open(encoding="utf-8") as stream:
        oracle = list(csv.DictReader(stream))
    spaces: dict[str, Space] = {
        "IOC": "ioc", "FIFA": "fifa", "ISO3166-1-Alpha-3": "iso3", "ISO3166-1-Alpha-2": "iso2",
    }  # fmt: skip
    checked = 0
    for row in oracle:
        there = row["ISO3166-1-Alpha-2"]
        for header, space in spaces.items():
            code = row[header].strip()
            if len(code) not in (2, 3) or (header, there) in ERRORS:
                continue
            ours = iso2(code, space)
            member = there in codes()[space].values()
            assert ours == there or (not member and code not in codes()[space]), (header, code, there, ours)
            checked += ours == there
        for name in (row["CLDR display name"], row["UNTERM English Short"]):
            assert not name or iso2(name.split(" (")[0]) in (there, None), name
        assert iso2(row["CLDR display name"]) == there or there in {"GS", "HM"}, row["CLDR display name"]
    assert checked >= 249 * 2 + 200 + 205


def test_codes_that_mean_two_things() -> None:
    assert iso2("NA") == "NA"
    assert (iso2("BRN", "ioc"), iso2("BRN", "iso3"), iso2("BRN")) == ("BH", "BN", "BH")
    assert find_country("BRN") == Country("BH", clash=True)
    assert iso2("na") is None
    assert iso2("na", "iso2") == "NA"
    assert iso2("Germany", "ioc") is None
    assert iso2("GER", "name") is None


def test_names_variants_and_demonyms() -> None:
    said = {
        "Ivory Coast": "CI", "DRC": "CD", "Congo": "CG", "Congo DR": "CD", "Korea": "KR", "North Korea": "KP",
        "Czech Republic": "CZ", "the Netherlands": "NL", "Dutch": "NL", "Georgia": "GE", "U.S.A.": "US",
        "Kosovo": "XK", "KVX": "XK", "KOS": "XK", "Palestine": "PS", "Türkiye": "TR", "CURAÇAO": "CW",
        "Dominican Republic": "DO", "Dominica": "DM", "Guinea-Bissau": "GW", "Nigerien": "NE", "Nigerian": "NG",
        "Eswatini": "SZ", "Cabo Verde": "CV", "Chinese Taipei": "TW", "Macedonia": "MK", "Viet Nam": "VN",
    }  # fmt: skip
    assert {text: iso2(text) for text in said} == said


@pytest.mark.parametrize(
    ("text", "country", "city"),
    [
        ("England", "GB", "London"),
        ("SCO", "GB", "Edinburgh"),
        ("GB-WLS", "GB", "Cardiff"),
        ("Northern Irish", "GB", "Belfast"),
        ("USSR", "RU", "Moscow"),
        ("URS", "RU", "Moscow"),
        ("Yugoslavia", "RS", "Belgrade"),
        ("SCG", "RS", "Belgrade"),
        ("TCH", "CZ", "Prague"),
        ("East Germany", "DE", "Berlin"),
        ("FRG", "DE", "Berlin"),
        ("Zaire", "CD", "Kinshasa"),
        ("South Vietnam", "VN", "Ho Chi Minh City"),
    ],
)
def test_the_policy(text: str, country: str, city: str) -> None:
    found = find_country(text)
    assert found is not None
    assert found.policy is not None
    assert (found.iso2, found.policy.point) == (country, city)


def test_every_policy_has_a_place_in_its_successor() -> None:
    for policy in policies()[0].values():
        assert country_point(Country(policy.successor, policy)) is not None, policy.name


def test_no_policy_word_hides_a_living_country() -> None:
    living = {code for space in codes().values() for code in space}
    assert set(policies()[1]) & living == set()


def test_georgia_and_other_cities_by_context() -> None:
    said = {
        "Atlanta, Georgia": "US", "Tbilisi, Georgia": "GE", "Atlanta, GA": "US", "Libreville, GA": "GA",
        "Paris, France": "FR", "Paris, Texas": "US", "Paris, TX, USA": "US", "London": "GB", "München, Germany": "DE",
        "Moscow, USSR": "RU", "Edinburgh, Scotland": "GB",
    }  # fmt: skip
    found = {text: find_city(text) for text in said}
    assert {text: city and city.country for text, city in found.items()} == said
    assert find_city("Kyiv, USSR") is None  # it lies in no successor of the policy; nothing is guessed
    assert find_city("Birmingham, England") != find_city("Birmingham, AL")
    portland = find_city("Portland, USA")
    assert portland is not None
    assert portland.region == "OR"
    assert find_city("Springfield, USA", country=None).ambiguous  # type: ignore[union-attr]
    assert not find_city("Chicago, USA").ambiguous  # type: ignore[union-attr]


@needs(CENTROIDS)
def test_points_lie_near_the_centroids() -> None:
    with CENTROIDS.open(encoding="utf-8") as stream:
        oracle = {row["ISO"]: (float(row["latitude"]), float(row["longitude"])) for row in csv.DictReader(stream)}
    for point in get_args(Point):
        ratios = []
        for code, centre in oracle.items():
            place = country_point(Country(code), point=point) if code in country_rows() else None
            if place is None:
                continue
            radius = (float(country_rows()[code]["areakm2"] or 1) / 3.14159) ** 0.5
            ratios.append((distance_km(place, centre) / max(radius, 100.0), code))
        assert len(ratios) >= 235
        assert sorted(ratio for ratio, _ in ratios)[len(ratios) // 2] < 0.8
        assert {code for ratio, code in ratios if ratio > 5} <= SCATTERED


def test_the_population_centre_minds_the_date_line() -> None:
    fiji = country_point(Country("FJ"), point="population_centre")
    assert fiji is not None
    assert abs(fiji[1]) > 175
    assert country_point(Country("US"), point="largest_city") == pytest.approx((40.714, -74.006), abs=0.01)
    assert country_point(Country("AQ")) is None


def test_what_cannot_be_placed_is_listed_with_counts() -> None:
    people = pl.DataFrame(
        {
            "id": list("abcdef"),
            "nationality": ["Atlantis", "Atlantis", "USSR", None, "NA", " "],
            "birthplace": [None, "Paris, France", None, "Springfield, USA", None, None],
            "birth_year": [1990, 1990, 1999, 1990, 1990, 1990],
        }
    )
    placed, report = geocode(people, columns=("nationality", "birthplace"))
    assert placed["country_code"].to_list() == [None, "FR", "RU", "US", "NA", None]
    assert (report.with_text, report.placed) == (5, 4)
    assert ("nationality", "Atlantis", "unresolved", 2) in report.texts.rows()
    assert ("nationality", "USSR", "born after USSR", 1) in report.texts.rows()
    assert {notice.count for notice in report.notices()} == {1, 2}
    with pytest.raises(InputError, match="none of the columns"):
        geocode(people, columns=("land",))
    with pytest.raises(InputError, match="did you mean"):
        find_country("GER", space="ico")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no point"):
        country_point(Country("DE"), point="capitol")  # type: ignore[arg-type]


def texts_of_real_tables() -> list[str]:
    football = read_openfootball(DATA / "athletes" / "openfootball.tar.gz").people["country"].to_list()
    raw: Any = json.loads((DATA / "responses" / "nba-playerindex.json").read_text(encoding="utf-8"))
    table = raw["resultSets"][0]
    nba = [dict(zip(table["headers"], row, strict=True))["COUNTRY"] for row in table["rowSet"]]
    return [text for text in (*football, *nba) if text and text.strip()]


@needs(DATA / "athletes" / "openfootball.tar.gz")
def test_real_people_have_a_country() -> None:
    texts = texts_of_real_tables()
    people = pl.DataFrame({"id": [str(i) for i in range(len(texts))], "country": texts})
    _, report = geocode(people)
    assert report.with_text == len(texts) > 33_000
    assert report.placed >= 0.995 * report.with_text, report.texts


@given(st.text())
def test_any_text_is_a_country_or_none(text: str) -> None:
    find_country(text)
    find_city(text)
    assert fold(fold(text)) == fold(text)


@given(st.sampled_from(sorted(row["name"] for row in country_rows().values())), st.sampled_from([" {} ", "The {}"]))
def test_case_and_articles_do_not_matter(name: str, form: str) -> None:
    assert iso2(form.format(name)) == iso2(name.upper()) == iso2(name)
