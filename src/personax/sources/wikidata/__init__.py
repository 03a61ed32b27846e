"""People from Wikidata: by their ids, all of a league, or by name.

``_source`` is the source, ``_api`` and ``_sparql`` its two services, ``_entity`` and ``_values`` what they send,
``_person`` makes the record, ``_occupations`` groups occupations, ``_entity_resolution`` finds the item of a name.
"""

from personax.sources.wikidata._api import WikidataApi
from personax.sources.wikidata._entity_resolution import NameQuery, Resolution, resolve, resolve_many
from personax.sources.wikidata._source import Wikidata

__all__ = ["NameQuery", "Resolution", "Wikidata", "WikidataApi", "resolve", "resolve_many"]
