"""The list of a league, page by page: everybody once, and an end even where the site has none."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from personax.errors import SourceChanged, SourceError
from personax.sources.leagues.ahead import in_order
from personax.sources.leagues.lists import Ref, Site, Step
from personax.sources.leagues.trouble import Known, Tally
from personax.sources.records import Failure
from personax.sources.web.pages import Fetch, Page

__all__ = ["Listing"]


class Listing:
    """The people of a league's list.

    Parameters
    ----------
    league
        Whose list.
    limit
        So many people at most.
    """

    def __init__(self, league: Site, limit: int | None) -> None:
        self._league, self._limit = league, limit
        self._known = Known()
        self._pages = Tally(league.name, "pages of the list")
        self._rows = Tally(league.name, "rows of the list")
        self._first_error: SourceError | None = None
        self._read = self._people = 0
        self.sample: bytes | None = None
        """The last page that was read."""

    async def people(self, fetch: Fetch) -> AsyncGenerator[Ref | Failure, None]:
        """Yield everybody once; see `personax.sources.leagues.walk.walk` for what is raised."""
        steps = list(self._league.start())
        while steps:
            following: list[Step] = []
            async with aclosing(in_order(fetch, [step.request for step in steps])) as pages:
                for step in steps:
                    for each in self._page(step, await anext(pages), following):
                        yield each
                        if self._people == self._limit:
                            return
            most = self._league.most_pages
            if following and self._read + len(following) > most:
                yield Failure(self._league.name, None, following[0].request.url, f"the list has more than {most} pages")
                break
            steps = following
        self._end()

    def _page(self, step: Step, page: Page | SourceError | None, following: list[Step]) -> Iterator[Ref | Failure]:
        """Yield the people of one page, and add the pages after it."""
        url = step.request.url
        try:
            if not isinstance(page, Page):
                raise page or SourceError("the page was not asked for")
            listed = self._league.listed(page, step)
        except SourceError as error:
            yield self._failed(error, url, page)
            return
        self._read, self.sample = self._read + 1, page.body
        self._pages.fine()
        before = self._people
        yield from self._new(listed.people, page)
        if not step.follows or self._people > before:
            following += listed.then
        elif listed.then:
            yield Failure(self._league.name, None, url, "the list begins again: a page has nobody new")

    def _failed(self, error: SourceError, url: str, page: Page | SourceError | None) -> Failure:
        is_changed = isinstance(page, Page) and isinstance(error, SourceChanged)
        sample = page.body if isinstance(page, Page) and is_changed else None
        if isinstance(error, SourceChanged):
            error.sample = sample
            self._pages.odd(str(error), sample)
        self._first_error = self._first_error or error
        return Failure(self._league.name, None, url, str(error), is_changed, sample)

    def _new(self, rows: Sequence[Ref | str], page: Page) -> Iterator[Ref | Failure]:
        for row in rows:
            if isinstance(row, str):
                self._rows.odd(row, page.body)
                yield Failure(self._league.name, None, page.url, row, changed=True, sample=page.body)
                continue
            self._rows.fine()
            clash = self._known.clash(row.listed)
            if clash is None:
                self._people += 1
                yield row
            elif clash:
                reason = "two people have one id; the first is kept"
                yield Failure(self._league.name, row.id, page.url, reason, listed=row.listed)

    def _end(self) -> None:
        """Say what is wrong with the whole list."""
        self._rows.end(self.sample)
        self._pages.end(self._first_error.sample if isinstance(self._first_error, SourceChanged) else None)
        if not self._people:
            name = self._league.name
            raise self._first_error or SourceError(f"{name}: the list is empty; check the season and other settings")
