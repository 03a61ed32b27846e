"""People from Wikidata: entities, queries, names."""

from personax.sources.wikidata._source import Wikidata

__all__ = ["Wikidata"]
