"""The crawler that all leagues share: pagination of the list, everybody once, then each person's page, in order."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from personax.errors import SourceChanged, SourceError
from personax.http import Fetch, Page, Request
from personax.sources._records import Failure, Record

__all__ = [
    "NO_NAME",
    "DriftCounter",
    "ExpectedColumns",
    "LeagueSite",
    "ListPage",
    "ListedPerson",
    "PageRequest",
    "Paginator",
    "SeenPeople",
    "crawl",
    "prefetched",
]

MAX_CHANGED_SHARE = 0.1
"""Share of pages, or of rows of a list, that may have another shape before the source ends."""

MIN_CHANGED, MIN_READ = 3, 50
"""Number that must have changed, unless all have; and number that is read before the share counts."""

EXPECTED_AFTER = 20
"""Number of people after which each expected column must have occurred."""

NO_NAME = "the name is missing or cannot be read"


class DriftCounter:
    """Counts pages or rows of another shape, and raises when they are a changed site."""

    def __init__(self, source: str, what: str) -> None:
        self._source, self._what = source, what
        self._read = self._odd = 0
        self._last = ""

    def add_valid(self) -> None:
        """Count one of the expected shape."""
        self._read += 1

    def add_changed(self, reason: str, sample: bytes | None) -> None:
        """Count one of another shape; raise when they are too many."""
        self._read, self._odd, self._last = self._read + 1, self._odd + 1, reason
        if self._odd > MAX_CHANGED_SHARE * max(self._read, MIN_READ):
            self._give_up(sample)

    def finish(self, sample: bytes | None = None) -> None:
        """Raise when they were too many of the few there are."""
        too_many = self._odd >= MIN_CHANGED and self._odd > MAX_CHANGED_SHARE * self._read
        if self._odd and (too_many or self._odd == self._read):
            self._give_up(sample)

    def _give_up(self, sample: bytes | None) -> None:
        counted = f"{self._odd} of {self._read} {self._what}"
        text = f"{self._source}: {counted} have another shape than this version reads: {self._last}"
        raise SourceChanged(text, sample=sample)


class ExpectedColumns:
    """Checks that the columns that a league always has occur; a renamed key would otherwise be missing silently."""

    def __init__(self, source: str, columns: Sequence[str]) -> None:
        self._source, self._open, self._seen = source, set(columns), 0

    def check(self, result: Record | Failure, sample: bytes | None) -> None:
        """Count one more person; raise when an expected column has not occurred by then."""
        record = result.list_record if isinstance(result, Failure) and result.reason == NO_NAME else result
        if not isinstance(record, Record):
            return
        self._seen += 1
        self._open -= {*record.values, *(cell.column for cell in record.bad)}
        if "birth_year" in record.values:
            self._open.discard("birth_date")
        if self._seen >= EXPECTED_AFTER and self._open:
            missing = ", ".join(sorted(self._open))
            counted = f"nobody of {self._seen} people has {missing}"
            text = f"{self._source}: {counted}; the site has renamed it, look for a newer version of personax"
            raise SourceChanged(text, sample=sample)


class SeenPeople:
    """People listed so far: a person may stand on two lists, but two people may not have one id."""

    def __init__(self) -> None:
        self._names: dict[str, object] = {}

    def conflict(self, listed: Record) -> bool | None:
        """Return None for a new person, False for the same person again, True for another one with the same id."""
        name = listed.values.get("name")
        if listed.ref not in self._names:
            self._names[listed.ref] = name
            return None
        return self._names[listed.ref] != name


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person of a list.

    Parameters
    ----------
    id
        The source's own, as text.
    list_record
        What the list says of them.
    detail
        What the request for more needs beside the id: a team, a slug, the ids of a batch; empty for none.
    """

    id: str
    list_record: Record
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page of a list.

    Parameters
    ----------
    request
        That fetches it.
    kind
        Which list, where a league has several.
    offset
        Of its first person, where the list is addressed by offsets.
    is_next
        It follows another page, so that it must list a new person.
    """

    request: Request
    kind: str = ""
    offset: int = 0
    is_next: bool = False


@dataclass(frozen=True, slots=True)
class ListPage:
    """The content of a page of a list.

    Parameters
    ----------
    people
        In the order of the page; for a row that cannot be read, the reason.
    next_pages
        Pages to fetch after it.
    """

    people: Sequence[ListedPerson | str]
    next_pages: Sequence[PageRequest] = field(default_factory=tuple)


class LeagueSite(Protocol):
    """What a crawl needs of a site; see `personax.sources.leagues.League`."""

    name: ClassVar[str]
    expected_columns: ClassVar[tuple[str, ...]]

    @property
    def most_pages(self) -> int:
        """Bound on the pages of the list."""

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the first pages of the list."""

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read a page of the list."""

    def detail_request(self, ref: ListedPerson) -> Request | None:
        """Return the request for more on a person."""

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read the page that `detail_request` requests."""


PREFETCH = 64
"""Requests that are prefetched; how many are under way together is bound by the fetcher."""


async def prefetched(
    fetch: Fetch, requests: Sequence[Request | None]
) -> AsyncGenerator[Page | SourceError | None, None]:
    """Yield the page of each request in turn, prefetching the next ones; equal requests are sent once."""
    keys = [None if request is None else _same(request) for request in requests]
    uses = Counter(keys)
    tasks: dict[str, asyncio.Task[Page]] = {}
    waiting: deque[str | None] = deque()
    try:
        for request, key in zip(requests, keys, strict=True):
            if request is not None and key is not None and key not in tasks:
                tasks[key] = asyncio.ensure_future(_fetched(fetch, request))
            waiting.append(key)
            if len(waiting) >= PREFETCH:
                yield await _next(waiting.popleft(), tasks, uses)
        while waiting:
            yield await _next(waiting.popleft(), tasks, uses)
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _fetched(fetch: Fetch, request: Request) -> Page:
    return await fetch(request)


async def _next(
    key: str | None, tasks: dict[str, asyncio.Task[Page]], uses: Counter[str | None]
) -> Page | SourceError | None:
    if key is None:
        return None
    uses[key] -= 1
    task = tasks[key] if uses[key] else tasks.pop(key)
    try:
        return await task
    except SourceError as error:
        return error


def _same(request: Request) -> str:
    return json.dumps([request.url, request.body], sort_keys=True)


class Paginator:
    """The people of a league's list.

    Parameters
    ----------
    league
        Whose list.
    limit
        Maximal number of people.
    """

    def __init__(self, league: LeagueSite, limit: int | None) -> None:
        self._league, self._limit = league, limit
        self._seen = SeenPeople()
        self._pages = DriftCounter(league.name, "pages of the list")
        self._rows = DriftCounter(league.name, "rows of the list")
        self._first_error: SourceError | None = None
        self._read = self._people = 0
        self.sample: bytes | None = None
        """The last page that was read."""

    async def people(self, fetch: Fetch) -> AsyncGenerator[ListedPerson | Failure, None]:
        """Yield everybody once; see `crawl` for what is raised."""
        page_requests = list(self._league.first_pages())
        while page_requests:
            following: list[PageRequest] = []
            async with aclosing(prefetched(fetch, [page_request.request for page_request in page_requests])) as pages:
                for page_request in page_requests:
                    for each in self._page(page_request, await anext(pages), following):
                        yield each
                        if self._people == self._limit:
                            return
            max_pages = self._league.most_pages
            if following and self._read + len(following) > max_pages:
                yield Failure(
                    self._league.name, None, following[0].request.url, f"the list has more than {max_pages} pages"
                )
                break
            page_requests = following
        self._end()

    def _page(
        self, page_request: PageRequest, page: Page | SourceError | None, following: list[PageRequest]
    ) -> Iterator[ListedPerson | Failure]:
        """Yield the people of one page, and add the pages after it."""
        url = page_request.request.url
        try:
            if not isinstance(page, Page):
                raise page or SourceError("the page was not requested")
            listed = self._league.parse_list(page, page_request)
        except SourceError as error:
            yield self._failed(error, url, page)
            return
        self._read, self.sample = self._read + 1, page.body
        self._pages.add_valid()
        before = self._people
        yield from self._new(listed.people, page)
        if not page_request.is_next or self._people > before:
            following += listed.next_pages
        elif listed.next_pages:
            yield Failure(self._league.name, None, url, "the list begins again: a page has nobody new")

    def _failed(self, error: SourceError, url: str, page: Page | SourceError | None) -> Failure:
        is_changed = isinstance(page, Page) and isinstance(error, SourceChanged)
        sample = page.body if isinstance(page, Page) and is_changed else None
        if isinstance(error, SourceChanged):
            error.sample = sample
            self._pages.add_changed(str(error), sample)
        self._first_error = self._first_error or error
        return Failure(self._league.name, None, url, str(error), is_changed, sample)

    def _new(self, rows: Sequence[ListedPerson | str], page: Page) -> Iterator[ListedPerson | Failure]:
        for row in rows:
            if isinstance(row, str):
                self._rows.add_changed(row, page.body)
                yield Failure(self._league.name, None, page.url, row, changed=True, sample=page.body)
                continue
            self._rows.add_valid()
            conflict = self._seen.conflict(row.list_record)
            if conflict is None:
                self._people += 1
                yield row
            elif conflict:
                reason = "two people have one id; the first is kept"
                yield Failure(self._league.name, row.id, page.url, reason, list_record=row.list_record)

    def _end(self) -> None:
        """Raise where the list as a whole has changed or is empty."""
        self._rows.finish(self.sample)
        self._pages.finish(self._first_error.sample if isinstance(self._first_error, SourceChanged) else None)
        if not self._people:
            name = self._league.name
            raise self._first_error or SourceError(f"{name}: the list is empty; check the season and other settings")


async def crawl(
    league: LeagueSite, fetch: Fetch, *, limit: int | None = None
) -> AsyncGenerator[Record | Failure, None]:
    """Yield everybody in the order of the list; who cannot be read is a `Failure`, not the end.

    Close the iterator (``contextlib.aclosing``) when leaving early, so that no request stays behind.

    Parameters
    ----------
    league
        The site.
    fetch
        Fetches pages, within its own rate limits.
    limit
        Maximal number of people of the list.

    Raises
    ------
    SourceError
        When the list is empty or cannot be read: the reason of the first page.
    SourceChanged
        When more than a tenth of the pages or rows have another shape (of the first fifty, more than five; of fewer in
        all, at least three, or all of them); or when nobody of the first twenty people has a column that the league
        promises.
    """
    people: list[ListedPerson] = []
    paginator = Paginator(league, limit)
    async with aclosing(paginator.people(fetch)) as found:
        async for each in found:
            if isinstance(each, Failure):
                yield each
            else:
                people.append(each)
    expected = ExpectedColumns(league.name, league.expected_columns)
    drift = DriftCounter(league.name, "people's pages")
    requests = [league.detail_request(ref) for ref in people]
    sample: bytes | None = None
    async with aclosing(prefetched(fetch, requests)) as pages:
        for ref, request in zip(people, requests, strict=True):
            page = await anext(pages)
            result = _person(league, ref, request, page)
            if isinstance(result, Failure) and result.changed:
                sample = result.sample
                yield result
                drift.add_changed(result.reason, sample)
            else:
                if isinstance(page, Page):
                    drift.add_valid()
                yield result
            expected.check(result, page.body if isinstance(page, Page) else paginator.sample)
    drift.finish(sample)


def _person(
    league: LeagueSite, ref: ListedPerson, request: Request | None, page: Page | SourceError | None
) -> Record | Failure:
    """Return the person, or why not."""
    url = request.url if request is not None else ""
    if isinstance(page, SourceError):
        return Failure(league.name, ref.id, url, str(page), list_record=ref.list_record)
    try:
        record = ref.list_record if page is None else league.parse_detail(page, ref)
    except SourceError as error:
        is_changed = isinstance(error, SourceChanged)
        sample = page.body if is_changed and page is not None else None
        return Failure(league.name, ref.id, url, str(error), is_changed, sample, ref.list_record)
    if "name" not in record.values:
        return Failure(league.name, ref.id, url, NO_NAME, list_record=record)
    return record
