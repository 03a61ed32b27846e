"""The walk that all leagues share: pages of the list, then each person's page, in the order of the list."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from personax.errors import SourceChanged, SourceError
from personax.http import Fetch, Page, Request
from personax.sources._records import Failure, Record
from personax.sources.leagues._pagination import Listing, Ref, Site, in_order
from personax.sources.leagues._schema_drift import NO_NAME, Promises, Tally

__all__ = ["walk"]


async def walk(league: Site, fetch: Fetch, *, limit: int | None = None) -> AsyncGenerator[Record | Failure, None]:
    """Yield everybody in the order of the list; who cannot be read is a `Failure`, not the end.

    Close the iterator (``contextlib.aclosing``) when leaving early, so that no request stays behind.

    Parameters
    ----------
    league
        Whose pages.
    fetch
        Fetches them; how many at once is its own limit.
    limit
        So many people of the list at most.

    Raises
    ------
    SourceError
        When nobody could be listed: the reason of the first page.
    SourceChanged
        When more than a tenth of the pages or rows have another shape (of the first fifty, more than five; of fewer in
        all, at least three, or all of them); or when nobody of the first twenty people has a column that the league
        promises.
    """
    people: list[Ref] = []
    listing = Listing(league, limit)
    async with aclosing(listing.people(fetch)) as found:
        async for each in found:
            if isinstance(each, Failure):
                yield each
            else:
                people.append(each)
    promised = Promises(league.name, league.promises)
    tally = Tally(league.name, "people's pages")
    requests = [league.detail(ref) for ref in people]
    sample: bytes | None = None
    async with aclosing(in_order(fetch, requests)) as pages:
        for ref, request in zip(people, requests, strict=True):
            page = await anext(pages)
            result = _person(league, ref, request, page)
            if isinstance(result, Failure) and result.changed:
                sample = result.sample
                yield result
                tally.odd(result.reason, sample)
            else:
                if isinstance(page, Page):
                    tally.fine()
                yield result
            promised.see(result, page.body if isinstance(page, Page) else listing.sample)
    tally.end(sample)


def _person(league: Site, ref: Ref, request: Request | None, page: Page | SourceError | None) -> Record | Failure:
    """Return the person, or why not."""
    url = request.url if request is not None else ""
    if isinstance(page, SourceError):
        return Failure(league.name, ref.id, url, str(page), listed=ref.listed)
    try:
        record = ref.listed if page is None else league.parse(page, ref)
    except SourceError as error:
        is_changed = isinstance(error, SourceChanged)
        sample = page.body if is_changed and page is not None else None
        return Failure(league.name, ref.id, url, str(error), is_changed, sample, ref.listed)
    if "name" not in record.values:
        return Failure(league.name, ref.id, url, NO_NAME, listed=record)
    return record
