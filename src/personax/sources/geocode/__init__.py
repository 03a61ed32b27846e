"""Geocoding without a network: nationality or place of birth -> latitude and longitude; cities by geonames (CC BY 4.0).

``_countries`` finds countries by name, demonym or code, ``_cities`` cities, ``_geocode`` adds the columns to people.
"""

from personax.sources.geocode._cities import City, distance_km, find_city
from personax.sources.geocode._countries import SPACES, Country, Space, country_name, find_country
from personax.sources.geocode._geocode import GeocodeReport, Point, country_point, geocode

__all__ = [
    "SPACES",
    "City",
    "Country",
    "GeocodeReport",
    "Point",
    "Space",
    "country_name",
    "country_point",
    "distance_km",
    "find_city",
    "find_country",
    "geocode",
]
