"""People from Wikidata: by their ids, all of a league, or by name; from the live site, or from an extract of a dump.

``_source`` is the source, ``_api`` and ``_sparql`` the site's two services, ``_entity`` and ``_values`` what they send,
``_person`` makes the record, ``_occupations`` groups occupations, ``_entity_resolution`` finds the item of a name.
``_dump`` reads a dump, ``_extract`` makes an extract of what ``_kept`` keeps, and ``_extracted`` asks it.
"""

from personax.sources.wikidata._api import WikidataApi
from personax.sources.wikidata._entity_resolution import NameQuery, Resolution, resolve, resolve_many
from personax.sources.wikidata._extract import ExtractSummary, extract_dump
from personax.sources.wikidata._extracted import CANDIDATES, WikidataExtract
from personax.sources.wikidata._source import Wikidata

__all__ = [
    "CANDIDATES",
    "ExtractSummary",
    "NameQuery",
    "Resolution",
    "Wikidata",
    "WikidataApi",
    "WikidataExtract",
    "extract_dump",
    "resolve",
    "resolve_many",
]
