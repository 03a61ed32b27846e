"""Wikidata as a source of people: by their ids, or all of a league."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from personax.errors import FetchError, InputError, SourceChanged, SourceError
from personax.http import Fetch, Page
from personax.registry import register
from personax.sources._records import Failure, Origin, Record
from personax.sources.wikidata._api import BATCH, EntityPage, WikidataApi, entity_request, read_entity_page
from personax.sources.wikidata._countries import further_items
from personax.sources.wikidata._entity import LANGUAGES, is_qid
from personax.sources.wikidata._extracted import WikidataExtract
from personax.sources.wikidata._occupations import GROUP_OF
from personax.sources.wikidata._person import country_items, read_person, referenced_items
from personax.sources.wikidata._service import ExtractService, LiveService, WikidataService
from personax.sources.wikidata._sparql import ENDPOINT, LEAGUES
from personax.strict import Access, Host, OutsidePath, Strict, nearest

__all__ = ["Wikidata"]

WIKI = "https://www.wikidata.org"


@register(
    "sources", "wikidata", title="Wikidata", order=100,
    terms={
        "licence": "CC0 1.0", "clauses": (), "attribution": "Wikidata (by courtesy)",
        "reference": "https://www.wikidata.org/wiki/Wikidata:Data_access",
    },
)  # fmt: skip
class Wikidata(Strict):
    """People of Wikidata, CC0.

    Parameters
    ----------
    ids
        Items, such as ``[Q42]``; or
    league
        one of nba, nfl, nhl, premier_league, bundesliga, atp, pga: everybody whom Wikidata places there today.
    born_since
        First year of birth in a league; atp and pga hold former players without it.
    via
        ``api``: batches of fifty; ``pages``: one page of Special:EntityData each.
    languages
        Order in which labels are looked for.
    superclasses
        Ask the query service what kind of thing an occupation outside the built-in list is.
    extract
        Folder of an extract of a dump, which answers in place of the site: nothing is sent. `extract_dump` makes one.
    base_url, endpoint
        Of the wiki, and of its query service or another one with the same data (QLever); https.
    picture_hosts
        That serve the portraits on Wikimedia Commons, where the study keeps pictures.
    maxlag, tries
        See `personax.sources.wikidata._api.WikidataApi`.
    page_size
        Rows of a query at once.
    """

    name: ClassVar[str] = "wikidata"
    commons_hosts: ClassVar[tuple[str, ...]] = ("commons.wikimedia.org", "upload.wikimedia.org")
    live_hosts: ClassVar[tuple[str, ...]] = ("www.wikidata.org", "query.wikidata.org")

    ids: list[str] | None = None
    league: str | None = None
    born_since: Annotated[int, Field(ge=1000, le=9999)] | None = None
    via: Literal["api", "pages"] = "api"
    languages: list[str] = list(LANGUAGES)
    superclasses: bool = True
    extract: OutsidePath | None = None
    base_url: Annotated[str, Access("url", (WIKI,))] = WIKI
    endpoint: Annotated[str, Access("url", (ENDPOINT,))] = ENDPOINT
    picture_hosts: list[Host] = list(commons_hosts)
    maxlag: Annotated[int, Field(ge=1)] = 5
    tries: Annotated[int, Field(ge=1)] = 5
    page_size: Annotated[int, Field(ge=1)] = 5000

    @field_validator("ids")
    @classmethod
    def _ids_are_items(cls, value: list[str] | None) -> list[str] | None:
        for item in value or []:
            if not is_qid(item):
                raise PydanticCustomError("ids", "an item's id is Q and a number, such as Q42")
        return value

    @field_validator("league")
    @classmethod
    def _league_is_known(cls, value: str | None) -> str | None:
        if value is not None and value not in LEAGUES:
            hint = nearest(value, list(LEAGUES))
            raise PydanticCustomError("league", "this league is not known; {hint}", {"hint": hint})
        return value

    @field_validator("base_url", "endpoint")
    @classmethod
    def _address_is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not (parts.scheme == "https" or local) or not parts.hostname or "@" in parts.netloc or value.endswith("/"):
            raise PydanticCustomError("address", "this is an https address without a slash at its end")
        return value

    @field_validator("languages")
    @classmethod
    def _languages_are_codes(cls, value: list[str]) -> list[str]:
        if not value or not all(code.replace("-", "").isalnum() and code.isascii() for code in value):
            raise PydanticCustomError("languages", "languages are codes such as en, mul or pt-br, at least one")
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ids is None) == (self.league is None):
            raise PydanticCustomError("wikidata", "give either ids or a league")
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        """That are asked: those of ``base_url`` and ``endpoint``; none with an extract."""
        if self.extract is not None:
            return ()
        return tuple(dict.fromkeys(urlsplit(url).netloc for url in (self.base_url, self.endpoint)))

    @property
    def notices(self) -> Sequence[str]:
        """What is missing in the extract, a sentence each."""
        try:
            return WikidataExtract(Path(self.extract)).notices if self.extract is not None else ()
        except InputError:
            return ()  # `collect` says it

    def api(self, fetch: Fetch) -> WikidataApi:
        """Return the API with these settings."""
        return WikidataApi(
            fetch, maxlag=self.maxlag, tries=self.tries, base_url=self.base_url, languages=self.languages
        )

    def service(self, fetch: Fetch) -> WikidataService:
        """Return who answers: the extract where there is one, else the site.

        Raises
        ------
        InputError
            When there is no such extract, or it is of another version.
        """
        if self.extract is not None:
            return ExtractService(WikidataExtract(Path(self.extract)))
        return LiveService(self.api(fetch), fetch, endpoint=self.endpoint, page_size=self.page_size)

    async def collect(self, fetch: Fetch, limit: int | None = None) -> AsyncIterator[Record | Failure]:
        """Yield the people in the order of the ids; who cannot be read is a `Failure`.

        Close the iterator (``contextlib.aclosing``) when leaving early.

        Parameters
        ----------
        fetch
            Fetches pages; not used with an extract.
        limit
            Maximal number of ids.

        Raises
        ------
        FetchError
            When Wikidata cannot be reached.
        SourceError
            When there is no such extract.
        SourceChanged
            When it answers in another shape.
        """
        try:
            service = self.service(fetch)
        except InputError as error:
            raise SourceError(str(error)) from None
        pages = await service.members(self.league, self.born_since, limit) if self.league is not None else {}
        ids = (list(pages) if self.league is not None else list(dict.fromkeys(self.ids or [])))[:limit]
        walk = _Crawler(self, service, fetch)
        seen: set[str] = set()
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            for requested, result in zip(batch, await walk.batch(batch), strict=True):
                if isinstance(result, Record) and result.ref in seen:
                    yield Failure(
                        self.name, requested, self.base_url, f"{requested} is {result.ref} now, who is here already"
                    )
                    continue
                seen |= {result.ref} if isinstance(result, Record) else set()
                yield self._in_league(result, pages.get(requested))

    def _in_league(self, result: Record | Failure, page: Page | None) -> Record | Failure:
        """Write the league of the settings, which Wikidata mostly states of the team and not of the person."""
        if self.league is None or page is None or isinstance(result, Failure):
            return result
        origin = Origin(self.name, page.url, page.time, page.sha256)
        values = {**result.values, "league": LEAGUES[self.league].label}
        return replace(result, values=values, origins={**result.origins, "league": origin})


class _Crawler:
    """Fetches people with what they refer to; countries and occupations come back often and are fetched once."""

    def __init__(self, settings: Wikidata, service: WikidataService, fetch: Fetch) -> None:
        self._settings, self._service, self._fetch = settings, service, fetch
        self._items: dict[str, EntityPage] = {}
        self._asked: set[str] = set()
        self._groups: dict[str, str] = {}
        self._grouped: set[str] = set(GROUP_OF)

    async def batch(self, ids: Sequence[str]) -> list[Record | Failure]:
        people = [self._readable(person) for person in await self._people(ids)]
        found = [person for person in people if isinstance(person, EntityPage)]
        await self._fetch_items([item for person in found for item in referenced_items(person.entity)])
        places = [self._items[item] for person in found for item in person.entity.items("P19") if item in self._items]
        await self._fetch_items([item for place in places for item in place.entity.items("P17")])
        await self._fetch_successors([item for person in found for item in country_items(person.entity)])
        if self._settings.superclasses:
            await self._group([item for person in found for item in person.entity.items("P106")])
        return [self._read(person) if isinstance(person, EntityPage) else person for person in people]

    def _readable(self, person: EntityPage | Failure) -> EntityPage | Failure:
        """Return the person, unless an item of another shape would end the crawl for all others."""
        if isinstance(person, Failure):
            return person
        try:
            referenced_items(person.entity)
        except SourceChanged as error:
            return self._failure(person, str(error))
        return person

    def _failure(self, person: EntityPage, reason: str) -> Failure:
        return Failure(self._settings.name, person.requested, person.page.url, reason)

    async def _people(self, ids: Sequence[str]) -> list[EntityPage | Failure]:
        if self._settings.via == "api" or self._settings.extract is not None:
            return [
                self._missing(found) if isinstance(found, str) else found async for found in self._service.entities(ids)
            ]
        return [await self._page(item) for item in ids]

    async def _page(self, item: str) -> EntityPage | Failure:
        request = entity_request(item, self._settings.base_url)
        try:
            return read_entity_page(await self._fetch(request), item)
        except FetchError as error:
            return Failure(self._settings.name, item, request.url, str(error))

    def _missing(self, item: str) -> Failure:
        url = f"{self._settings.base_url}/wiki/{item}"
        return Failure(self._settings.name, item, url, f"Wikidata has no item {item}; check the id")

    async def _fetch_items(self, items: Sequence[str]) -> None:
        new = [item for item in dict.fromkeys(items) if item not in self._asked]
        self._asked |= set(new)
        async for found in self._service.entities(new):
            if isinstance(found, EntityPage) and _has_shape(found):
                self._items[found.requested] = found

    async def _fetch_successors(self, countries: Sequence[str]) -> None:
        """Fetch what tells the code of countries without one: successors, capitals, and the countries of these."""
        for _ in range(2):
            known = [self._items[item].entity for item in dict.fromkeys(countries) if item in self._items]
            countries = [item for entity in known for item in further_items(entity)]
            await self._fetch_items(countries)
            inside = [item for one in countries if one in self._items for item in self._items[one].entity.items("P17")]
            await self._fetch_items(inside)

    async def _group(self, occupations: Sequence[str]) -> None:
        new = [item for item in dict.fromkeys(occupations) if item not in self._grouped]
        self._grouped |= set(new)
        if new:
            self._groups |= await self._service.groups(new)

    def _read(self, person: EntityPage) -> Record | Failure:
        settings = self._settings
        try:
            return read_person(
                person, self._items, languages=settings.languages, groups=self._groups, source=settings.name
            )
        except SourceError as error:
            return self._failure(person, str(error))


def _has_shape(found: EntityPage) -> bool:
    """Say whether an item that people refer to can be read; one that cannot is left unknown."""
    try:
        found.entity.label()
        for prop in ("P17", "P31", "P36", "P297", "P625", "P1366"):
            found.entity.best(prop)
    except SourceChanged:
        return False
    return True
