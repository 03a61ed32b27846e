"""Who answers for Wikidata: the live site, or an extract of a dump; a source asks either in the same way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from personax.http import Fetch, Page
from personax.sources.wikidata._api import BATCH, EntityPage, WikidataApi
from personax.sources.wikidata._extracted import WikidataExtract
from personax.sources.wikidata._occupations import groups_of_superclasses
from personax.sources.wikidata._sparql import (
    item_in,
    league_query,
    query_request,
    read_rows,
    select,
    superclass_query,
)

__all__ = ["ExtractService", "LiveService", "WikidataService"]


class WikidataService(Protocol):
    """What a source asks."""

    def entities(self, ids: Sequence[str]) -> AsyncIterator[EntityPage | str]:
        """Yield the entity of each id in turn, or the id itself where there is none."""
        ...

    async def members(self, league: str, born_since: int | None, limit: int | None) -> dict[str, Page]:
        """Return who is in a league, and which page says so; not many more than ``limit``."""
        ...

    async def groups(self, occupations: Sequence[str]) -> dict[str, str]:
        """Return occupation -> group, by the classes above it."""
        ...


class LiveService:
    """The wiki's API and its query service.

    Parameters
    ----------
    api, fetch
        Of the wiki; for queries.
    endpoint, page_size
        Of the query service; rows of a query at once.
    """

    def __init__(self, api: WikidataApi, fetch: Fetch, *, endpoint: str, page_size: int) -> None:
        self._api, self._fetch, self._endpoint, self._page_size = api, fetch, endpoint, page_size

    def entities(self, ids: Sequence[str]) -> AsyncIterator[EntityPage | str]:
        """See `WikidataService`."""
        return self._api.entities(ids)

    async def members(self, league: str, born_since: int | None, limit: int | None) -> dict[str, Page]:
        """See `WikidataService`."""
        query = league_query(league, born_since=born_since)
        members: dict[str, Page] = {}
        answers = select(self._fetch, query, order="?person", endpoint=self._endpoint, page_size=self._page_size)
        async for rows, page in answers:
            members |= {item_in(row, "person"): page for row in rows}
            if limit is not None and len(members) >= limit:
                break
        return members

    async def groups(self, occupations: Sequence[str]) -> dict[str, str]:
        """See `WikidataService`."""
        found: dict[str, str] = {}
        for start in range(0, len(occupations), BATCH):
            query = superclass_query(occupations[start : start + BATCH])
            rows = read_rows(await self._fetch(query_request(query, self._endpoint)))
            found |= groups_of_superclasses([(item_in(row, "occupation"), item_in(row, "above")) for row in rows])
        return found


class ExtractService:
    """An extract of a dump; nothing is sent."""

    def __init__(self, extract: WikidataExtract) -> None:
        self._extract = extract

    async def entities(self, ids: Sequence[str]) -> AsyncIterator[EntityPage | str]:
        """See `WikidataService`."""
        for found in self._extract.entities(ids):
            yield found

    async def members(self, league: str, born_since: int | None, limit: int | None) -> dict[str, Page]:
        """See `WikidataService`."""
        return dict.fromkeys(self._extract.members(league, born_since=born_since), self._extract.page())

    async def groups(self, occupations: Sequence[str]) -> dict[str, str]:
        """See `WikidataService`."""
        return self._extract.superclasses(occupations)
