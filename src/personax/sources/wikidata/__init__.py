"""People from Wikidata: entities, queries, names."""
