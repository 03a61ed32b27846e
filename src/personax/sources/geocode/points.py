"""A country -> the point that stands for it: its capital, its largest city, or the centre of its city dwellers."""

from __future__ import annotations

import math
from functools import cache
from typing import Literal, get_args

from personax.errors import InputError
from personax.sources.geocode.cities import City, cities_of, city_named
from personax.sources.geocode.countries import Country
from personax.sources.geocode.tables import country_rows
from personax.strict import nearest

__all__ = ["POINTS", "Point", "country_point"]

Point = Literal["capital", "largest_city", "population_centre"]
"""Which point stands for a country."""

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
