"""The crawler that all leagues share: pages of the list, then each person's page, in the order of the list."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from personax.errors import SourceChanged, SourceError
from personax.http import Fetch, Page, Request
from personax.sources._records import Failure, Record
from personax.sources.leagues._pagination import LeagueSite, ListedPerson, Paginator, prefetched
from personax.sources.leagues._schema_drift import NO_NAME, DriftCounter, ExpectedColumns

__all__ = ["crawl"]


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
        When nobody could be listed: the reason of the first page.
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
