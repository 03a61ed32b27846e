"""Wikidata's API: entities in batches of fifty, searches, and waiting when its databases lag (maxlag)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np

from personax.errors import FetchError, SourceChanged
from personax.http import Fetch, Page, Request, RetryPolicy, TransientError, retry
from personax.sources.wikidata._entity import LANGUAGES, Entity, is_qid, parse_json

__all__ = ["BATCH", "EntityPage", "WikidataApi", "entity_request", "read_entity_page"]

BATCH = 50
"""Maximal number of entities, or of hits of a search, in one response of the API."""

_BUSY = ("maxlag", "ratelimited", "readonly")
_MIN_WAIT, _MAX_WAIT = 5.0, 60.0
_MAX_REQUESTS = 50

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EntityPage:
    """An entity and its page; ``requested`` is another id than its own where that is a redirect."""

    requested: str
    entity: Entity
    page: Page


class WikidataApi:
    """Wikidata's API.

    Parameters
    ----------
    fetch
        Fetches pages; the User-Agent, retries of refused pages and Retry-After are its own.
    base_url
        Of the wiki, without a slash at the end.
    maxlag
        Seconds that the databases may lag behind; the API answers with an error when they lag more.
    tries
        Such errors in a row before giving up.
    batch
        Entities a request.
    languages
        Of labels and aliases.
    sleep
        Waits; tests give one that does not.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        base_url: str = "https://www.wikidata.org",
        maxlag: int = 5,
        tries: int = 5,
        batch: int = BATCH,
        languages: Sequence[str] = LANGUAGES,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._fetch, self._sleep, self._rng = fetch, sleep, np.random.default_rng()
        self._url, self._maxlag, self._tries = f"{base_url}/w/api.php", maxlag, tries
        self._batch, self.languages = min(batch, BATCH), tuple(languages)

    async def query(self, parameters: Mapping[str, str | int]) -> tuple[dict[str, Any], Page]:
        """Return what the API answers, and its page.

        The API says that it is busy on a page of status 200, which a cache keeps; so a request that is sent again has
        another ``requestid``, which changes nothing else, and there is no wait after a cached page.

        Raises
        ------
        FetchError
            When the API stays busy or refuses.
        SourceChanged
            When the answer is no object of JSON.
        """
        requests = 0

        async def attempt() -> tuple[dict[str, Any], Page]:
            nonlocal requests
            while requests < _MAX_REQUESTS:
                again = {"requestid": requests} if requests else {}
                sent = {**parameters, "format": "json", "maxlag": self._maxlag, **again}
                page = await self._fetch(Request(f"{self._url}?{urlencode(sent)}"))
                answer = parse_json(page.body, "the answer of Wikidata's API")
                if not isinstance(answer, dict):
                    raise SourceChanged("Wikidata's API: looked for an object and did not find it")
                code, seconds = _error(answer)
                if code is None:
                    return answer, page
                if code not in _BUSY:
                    raise FetchError(f"Wikidata's API refuses the request ({code}); check the settings of the source")
                requests += 1
                if not page.cached:
                    raise TransientError(code, seconds)
            raise FetchError(f"Wikidata's API was busy {requests} times in the cache; remove the cache of pages")

        try:
            return await retry(attempt, RetryPolicy(attempts=self._tries), self._rng, sleep=self._sleep)
        except TransientError as error:
            text = f"Wikidata's API is busy ({error}, {self._tries} times in a row); try again later"
            raise FetchError(text) from None

    async def entities(self, ids: Sequence[str], props: str = "labels|claims") -> AsyncIterator[EntityPage | str]:
        """Yield the entity of each id in turn, or the id itself where there is none.

        Parameters
        ----------
        ids
            Items; each is requested once.
        props
            What of them: labels, aliases, claims, sitelinks.

        Raises
        ------
        FetchError
            When a batch cannot be had.
        """
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), self._batch):
            batch = wanted[start : start + self._batch]
            parameters = {"action": "wbgetentities", "ids": "|".join(batch), "props": props, "redirects": "yes"}
            answer, page = await self.query({**parameters, "languages": "|".join(self.languages)})
            found = _by_id(answer)
            for requested in batch:
                yield EntityPage(requested, found[requested], page) if requested in found else requested

    async def search(self, name: str, *, language: str = "en", max_hits: int = 150) -> tuple[list[str], bool]:
        """Return the items whose label or alias begins with a name, best first, and whether these are all.

        Raises
        ------
        FetchError, SourceChanged
            See `query`.
        """
        hits: list[str] = []
        at: int | None = 0
        while at is not None and len(hits) < max_hits:
            parameters = {"action": "wbsearchentities", "search": name, "language": language, "uselang": language}
            answer, _ = await self.query({**parameters, "type": "item", "limit": BATCH, "continue": at})
            found = answer.get("search")
            if not isinstance(found, list):
                raise SourceChanged("Wikidata's search: looked for the list search and did not find it")
            hits += [each["id"] for each in found if isinstance(each, dict) and is_qid(each.get("id"))]
            following = answer.get("search-continue")
            at = following if isinstance(following, int) and following > at and found else None
        return list(dict.fromkeys(hits))[:max_hits], at is None and len(hits) <= max_hits


def _error(answer: Mapping[str, Any]) -> tuple[str | None, float]:
    """Return the code of an error and how long to wait; no code for an answer that is none."""
    error = answer.get("error")
    if error is None:
        return None, 0.0
    code = error.get("code") if isinstance(error, dict) else None
    lag = error.get("lag") if isinstance(error, dict) else None
    seconds = float(lag) if isinstance(lag, (int, float)) and 0 < lag < _MAX_WAIT else _MIN_WAIT
    known = isinstance(code, str) and re.fullmatch(r"[a-z0-9-]{1,40}", code) is not None
    return (str(code) if known else "unknown error"), max(_MIN_WAIT, seconds)


def _by_id(answer: Mapping[str, Any]) -> dict[str, Entity]:
    """Return the entities by the requested ids, and by their own."""
    entities = answer.get("entities")
    if not isinstance(entities, dict):
        raise SourceChanged("Wikidata's API: looked for the object entities and did not find it")
    found: dict[str, Entity] = {}
    for key, raw in entities.items():
        if not isinstance(raw, dict):
            raise SourceChanged("Wikidata's API: looked for an entity and did not find it")
        if "missing" in raw or ("claims" not in raw and "labels" not in raw):
            continue
        entity = Entity(raw)
        redirect = raw.get("redirects")
        requested = redirect.get("from") if isinstance(redirect, dict) else None
        found |= {str(name): entity for name in (key, entity.id, requested) if is_qid(name)}
    return found


def entity_request(item: str, base_url: str = "https://www.wikidata.org") -> Request:
    """Return the request for one item by Special:EntityData, which caches well and gives everything."""
    if not is_qid(item):
        raise FetchError("an item's id is Q and a number, such as Q42; check the ids")
    return Request(f"{base_url}/wiki/Special:EntityData/{item}.json")


def read_entity_page(page: Page, requested: str) -> EntityPage:
    """Read the page of an `entity_request`; an item that is a redirect comes back as its target.

    Raises
    ------
    FetchError
        When there is no such item.
    SourceChanged
        When the page has another shape.
    """
    answer = parse_json(page.body, f"the page of {requested}")
    if isinstance(answer, dict) and "entities" not in answer and is_qid(answer.get("id")):
        answer = {"entities": {answer["id"]: answer}}  # a page that was kept without its wrapping
    if not isinstance(answer, dict):
        raise SourceChanged(f"the page of {requested}: looked for an object and did not find it")
    found = _by_id(answer)
    if requested in found:
        return EntityPage(requested, found[requested], page)
    distinct = {entity.id: entity for entity in found.values()}
    if len(distinct) != 1:
        raise FetchError(f"Wikidata has no item {requested}; check the id")
    return EntityPage(requested, next(iter(distinct.values())), page)
