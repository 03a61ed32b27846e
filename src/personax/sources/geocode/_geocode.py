"""People with a nationality or a place of birth -> latitude and longitude, and what could not be placed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import polars as pl

from personax.errors import InputError
from personax.schema import Column, Notice
from personax.sources.geocode._cities import City, cities_of, city_named, find_city
from personax.sources.geocode._countries import Country, Space, country_rows, find_country
from personax.strict import nearest

__all__ = ["ADDED", "POINTS", "GeocodeReport", "Point", "country_point", "geocode"]


Point = Literal["capital", "largest_city", "population_centre"]
"""Which point represents a country."""

POINTS: tuple[Point, ...] = get_args(Point)

_SMALL = {
    "PW": (7.5006, 134.6242),  # Ngerulmud
    "BQ": (12.1443, -68.2655),  # Kralendijk
    "TK": (-9.3653, -171.2150),  # Fakaofo
    "IO": (-7.3133, 72.4111),  # Diego Garcia
}
"""Capitals that the gazetteer has no city for."""


def country_point(country: Country, *, point: Point = "capital") -> tuple[float, float] | None:
    """Return latitude and longitude in degrees; None for land without a town, such as Antarctica.

    Home nations and dissolved states are at the city that the policy names, whatever the point.

    Examples
    --------
    >>> country_point(Country("NA"))
    (-22.55941, 17.08323)
    """
    if point not in POINTS:
        raise InputError(f"there is no point {point} of a country; {nearest(point, list(POINTS))}")
    if country.policy is not None:
        return _place(city_named(country.policy.point, country=country.iso2))
    if point == "capital":
        return _capital(country.iso2)
    cities = cities_of().get(country.iso2, ())
    if not cities or not cities[0].population:
        return _SMALL.get(country.iso2)
    return _place(cities[0]) if point == "largest_city" else _centre(country.iso2)


def _place(city: City | None) -> tuple[float, float] | None:
    return (city.latitude, city.longitude) if city else None


@cache
def _capital(iso2: str) -> tuple[float, float] | None:
    name = str(country_rows()[iso2]["capital"])
    return _place(city_named(name, country=iso2)) or _SMALL.get(iso2)


@cache
def _centre(iso2: str) -> tuple[float, float]:
    """Return the direction of the mean of the cities' unit vectors, weighted by population; no date line matters."""
    x = y = z = 0.0
    for city in cities_of()[iso2]:
        north, east = math.radians(city.latitude), math.radians(city.longitude)
        x += city.population * math.cos(north) * math.cos(east)
        y += city.population * math.cos(north) * math.sin(east)
        z += city.population * math.sin(north)
    return round(math.degrees(math.atan2(z, math.hypot(x, y))), 5), round(math.degrees(math.atan2(y, x)), 5)


ADDED = [
    Column("country_code", "feature", "nominal"),
    Column("latitude", "feature", "continuous", "degrees"),
    Column("longitude", "feature", "cyclic", "degrees", period=360.0),
]
"""The columns that `geocode` adds: ISO alpha-2 code, and the point."""

_Placed = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class GeocodeReport:
    """What became of the texts.

    Parameters
    ----------
    with_text, placed
        People with any text in the columns; those of them that have a point now.
    texts
        ``column, text, outcome, count``: every text that was not plainly a country or a city, with its outcome:
        ``unresolved``, ``ambiguous``, ``clash`` (a code of two spaces), ``policy: <name>``, ``born after <name>``.
    """

    with_text: int
    placed: int
    texts: pl.DataFrame

    def notices(self) -> list[Notice]:
        """Say in plain words what a reader must know."""
        texts = {
            "unresolved": "People's countries or places of birth are not known to the gazetteer.",
            "ambiguous": "Places of birth share their name with another city; the most populous was taken.",
            "clash": "Country codes mean another country in another code space; IOC went before ISO alpha-3.",
            "policy": "People belong to a home nation or a state that is no more; docs/geocoding.md says where it is.",
            "born after": "People were born after the end of the state that is given for them.",
        }
        counts = {
            word: int(self.texts.filter(pl.col("outcome").str.starts_with(word))["count"].sum()) for word in texts
        }
        return [Notice(texts[word], count) for word, count in counts.items() if count]


def geocode(
    people: pl.DataFrame,
    *,
    columns: Sequence[str] = ("nationality", "country", "birth_country"),
    spaces: Mapping[str, Space] | None = None,
    point: Point = "capital",
) -> tuple[pl.DataFrame, GeocodeReport]:
    """Add country_code, latitude and longitude.

    Parameters
    ----------
    people
        A table with an ``id``; a ``birth_year`` tells who was born after the end of a state.
    columns
        Where to look, the first that can be placed wins; a column called ``birthplace`` holds cities, all others
        countries. Columns that the table lacks are passed over.
    spaces
        Column -> code space, where the source is known to use one; see `find_country`.
    point
        Which point represents a country.

    Returns
    -------
    people, report
        The people, null where nothing could be placed, and what became of the texts.

    Raises
    ------
    InputError
        When the table has none of the columns.

    Examples
    --------
    >>> placed, report = geocode(pl.DataFrame({"id": ["a", "b"], "country": ["NA", "Atlantis"]}))
    >>> placed.rows(), report.placed
    ([('a', 'NA', 'NA', -22.55941, 17.08323), ('b', 'Atlantis', None, None, None)], 1)
    """
    here = [name for name in columns if name in people.columns]
    if not here:
        raise InputError(f"the table has none of the columns {', '.join(columns)}; name the one with countries")
    tally: Counter[tuple[str, str, str]] = Counter()
    memory: dict[tuple[str, str], tuple[_Placed | None, list[str], int | None]] = {}
    years = people["birth_year"].to_list() if "birth_year" in people.columns else [None] * people.height
    rows: list[_Placed | tuple[None, None, None]] = []
    with_text = 0
    for cells, year in zip(people.select(pl.col(here).cast(pl.String)).iter_rows(), years, strict=True):
        filled = [(name, cell.strip()) for name, cell in zip(here, cells, strict=True) if cell and cell.strip()]
        with_text += bool(filled)
        rows.append(_first(filled, year, spaces or {}, point, memory, tally) or (None, None, None))
    schema = {"country_code": pl.String, "latitude": pl.Float64, "longitude": pl.Float64}
    added = pl.DataFrame(rows, schema=schema, orient="row")
    listed = [(*key, count) for key, count in sorted(tally.items(), key=lambda item: (-item[1], item[0]))]
    shape = {"column": pl.String, "text": pl.String, "outcome": pl.String, "count": pl.Int64}
    report = GeocodeReport(
        with_text, added.height - added["latitude"].null_count(), pl.DataFrame(listed, schema=shape, orient="row")
    )
    return people.drop(schema, strict=False).hstack(added), report


def _first(
    filled: Sequence[tuple[str, str]],
    year: int | None,
    spaces: Mapping[str, Space],
    point: Point,
    memory: dict[tuple[str, str], tuple[_Placed | None, list[str], int | None]],
    tally: Counter[tuple[str, str, str]],
) -> _Placed | None:
    for name, text in filled:
        if (name, text) not in memory:
            placer = _city if name == "birthplace" else _country
            memory[name, text] = placer(text, spaces.get(name, "auto"), point)
        placed, outcomes, until = memory[name, text]
        tally.update((name, text, outcome) for outcome in outcomes)
        if until is not None and year is not None and year > until:
            tally[name, text, f"born after {text}"] += 1
        if placed is not None:
            return placed
    return None


def _country(text: str, space: Space, point: Point) -> tuple[_Placed | None, list[str], int | None]:
    country = find_country(text, space=space)
    if country is None and space == "auto" and "," in text:
        country = find_country(text.rsplit(",", 1)[1])  # Georgia, USA
    return _placed(country, point)


def _city(text: str, space: Space, point: Point) -> tuple[_Placed | None, list[str], int | None]:
    city = find_city(text)
    if city is None:  # the country alone is better than nothing, where the text names one
        return _placed(find_country(text.rsplit(",", 1)[1]) if "," in text else None, point)
    return (city.country, city.latitude, city.longitude), ["ambiguous"] if city.ambiguous else [], None


def _placed(country: Country | None, point: Point) -> tuple[_Placed | None, list[str], int | None]:
    where = country_point(country, point=point) if country else None
    if country is None or where is None:
        return None, ["unresolved"], None
    outcomes = (["clash"] if country.clash else []) + ([f"policy: {country.policy.name}"] if country.policy else [])
    return (country.iso2, *where), outcomes, country.policy.until if country.policy else None
