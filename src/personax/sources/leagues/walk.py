"""The walk that all leagues share: pages of the list, then each person's page, in the order of the list."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from personax.errors import SourceChanged, SourceError
from personax.sources.leagues.ahead import in_order
from personax.sources.leagues.trouble import NO_NAME, Failure, Known, Promises, Tally
from personax.sources.records import Record
from personax.sources.web.pages import Fetch, Page, Request

if TYPE_CHECKING:
    from personax.sources.leagues.league import League, Listed, Ref, Step

__all__ = ["walk"]


async def walk(league: League, fetch: Fetch, *, limit: int | None = None) -> AsyncGenerator[Record | Failure, None]:
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
        When no page of the list could be had: the reason of the first.
    SourceChanged
        When more than a tenth of the pages or rows, at least three, or all of them, have another shape; or when nobody
        of the first twenty people has a column that the league promises.
    """
    people: list[Ref] = []
    async with aclosing(_list(league, fetch, limit)) as found:
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
            promised.see(result, page.body if isinstance(page, Page) else None)
    tally.end(sample)


def _person(league: League, ref: Ref, request: Request | None, page: Page | SourceError | None) -> Record | Failure:
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


async def _list(league: League, fetch: Fetch, limit: int | None) -> AsyncGenerator[Ref | Failure, None]:
    """Yield the people of the list, each id once."""
    known = Known(league.name)
    tally, rows = Tally(league.name, "pages of the list"), Tally(league.name, "rows of the list")
    steps: Sequence[Step] = league.start()
    first_error: SourceError | None = None
    read, people = 0, 0
    while steps:
        following: list[Step] = []
        async with aclosing(in_order(fetch, [step.request for step in steps])) as pages:
            for step in steps:
                page = await anext(pages)
                result = _listed(league, step, page)
                if isinstance(result, Failure):
                    first_error = first_error or _as_error(result)
                    yield result
                    if result.changed:
                        tally.odd(result.reason, result.sample)
                    continue
                read += 1
                tally.fine()
                new = 0
                for each in _rows(league, result, page, known, rows):
                    yield each
                    if not isinstance(each, Failure):
                        new, people = new + 1, people + 1
                        if people == limit:
                            return
                following += _following(step, result, new)
                if step.follows and not new and result.then:
                    yield Failure(league.name, None, step.request.url, "the list begins again: a page has nobody new")
        if following and read + len(following) > league.most_pages:
            yield Failure(
                league.name, None, following[0].request.url, f"the list has more than {league.most_pages} pages"
            )
            break
        steps = following
    rows.end()
    tally.end(first_error.sample if isinstance(first_error, SourceChanged) else None)
    if not people:
        raise first_error or SourceError(f"{league.name}: the list is empty; check the season and other settings")


def _as_error(failure: Failure) -> SourceError:
    if failure.changed:
        return SourceChanged(failure.reason, sample=failure.sample)
    return SourceError(failure.reason)


def _following(step: Step, result: Listed, new: int) -> Sequence[Step]:
    return () if step.follows and not new else result.then


def _listed(league: League, step: Step, page: Page | SourceError | None) -> Listed | Failure:
    url = step.request.url
    if not isinstance(page, Page):
        return Failure(league.name, None, url, str(page))
    try:
        return league.listed(page, step)
    except SourceChanged as error:
        return Failure(league.name, None, url, str(error), True, page.body)
    except SourceError as error:
        return Failure(league.name, None, url, str(error))


def _rows(
    league: League, listed: Listed, page: Page | SourceError | None, known: Known, tally: Tally
) -> Iterator[Ref | Failure]:
    url, sample = (page.url, page.body) if isinstance(page, Page) else ("", None)
    for row in listed.people:
        if isinstance(row, str):
            yield Failure(league.name, None, url, row, changed=True)
            tally.odd(row, sample)
            continue
        tally.fine()
        clash = known.clash(row.listed)
        if clash is None:
            yield row
        elif clash:
            yield Failure(league.name, row.id, url, "two people have one id; the first is kept", listed=row.listed)
