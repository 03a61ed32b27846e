"""Nationality or place of birth -> latitude and longitude, without a network; cities by geonames (CC BY 4.0)."""

from personax.sources.geocode.cities import City, distance_km, find_city
from personax.sources.geocode.countries import Country, find_country
from personax.sources.geocode.people import GeocodeReport, geocode
from personax.sources.geocode.points import Point, country_point
from personax.sources.geocode.tables import Space

__all__ = [
    "City",
    "Country",
    "GeocodeReport",
    "Point",
    "Space",
    "country_point",
    "distance_km",
    "find_city",
    "find_country",
    "geocode",
]
