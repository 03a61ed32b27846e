"""The fetcher: from the cache if it is there, else politely from the site, and then into the cache."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from personax.errors import FetchError, PlanError, require
from personax.http._cache import Cache, Held, key_of
from personax.http._rate_limit import Limits, full_jitter
from personax.http._request import Page, Request
from personax.http._robots import AGENT, Robots

if TYPE_CHECKING:
    import httpx2

    from personax.http._client import Answer, Sending

__all__ = ["Fetcher", "SourceFetch", "user_agent"]

_CONTACT: Final = re.compile(r"https?://[!-'*-~]+|[^\s@()<>]+@[^\s@()<>]+\.[^\s@()<>]+")
_GONE: Final = (404, 410)


def user_agent(contact: str | None) -> str:
    """Return how we call ourselves, with whom a site can write to.

    Raises
    ------
    PlanError
        Without a contact: nobody is asked anonymously.

    Examples
    --------
    >>> user_agent("https://example.org/study").partition("/")[0]
    'personax'
    """
    from personax import __version__

    if contact is None or not contact.isascii() or not _CONTACT.fullmatch(contact):
        raise PlanError(
            "collect.contact: sites are told whom they can write to; give an e-mail address or a web page of yours"
        )
    return f"{AGENT}/{__version__} (+{contact})"


class Fetcher:
    """Fetches pages for several sources; what came once is not asked again.

    Parameters
    ----------
    cache
        Where pages are kept.
    contact
        E-mail address or web page that every site is told.
    limits
        For every host on its own.
    rng
        Draws the waits between tries.
    refresh
        Ask again for pages that are in the cache, on condition that they changed.
    offline
        Send nothing.
    fall_back
        A page that cannot be asked for again stays as it came before.
    transport
        In place of the network.
    reachable
        Addresses that are asked although they are not public; for tests.

    Attributes
    ----------
    kept
        Pages that could not be asked again, and stay as they were.

    Raises
    ------
    PlanError
        Without a contact.
    MissingExtraError
        Without httpx2 and protego.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        contact: str | None,
        rng: np.random.Generator,
        limits: Limits | None = None,
        refresh: bool = False,
        offline: bool = False,
        fall_back: bool = True,
        transport: httpx2.AsyncBaseTransport | None = None,
        reachable: Collection[str] = (),
    ) -> None:
        self.agent = user_agent(contact)
        require("httpx2", extra="web")
        require("protego", extra="web")
        from personax.http._client import Sender
        from personax.http._transport import CheckedTransport

        self.cache, self.limits, self.rng = cache, limits or Limits(), rng
        self.refresh, self.offline, self.fall_back, self.kept = refresh, offline, fall_back, 0
        self._transport = transport or CheckedTransport(reachable)
        self._sender = Sender(self._transport, self.limits, self._allow)
        self._robots = Robots(self._ask_robots)
        self._asked: set[str] = set()

    @property
    def sent(self) -> int:
        """Number of requests that left, robots.txt included."""
        return self._sender.sent

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._robots.close()
        await self._transport.aclose()

    def of(self, hosts: Iterable[str]) -> SourceFetch:
        """Return a `Fetch` for one source, which may ask these hosts (with their port, where it is not the usual)."""
        return SourceFetch(self, hosts)

    async def page(self, request: Request, hosts: frozenset[str]) -> Page:
        """Return a page.

        Raises
        ------
        FetchError
            Why there is none; without the path of the page, which may hold a name.
        """
        key = key_of(request)
        held = self.cache.get(key)
        if held is not None and (self.offline or not self.refresh or key in self._asked):
            return _there(held, request)
        if self.offline:
            raise FetchError("this page is not in the cache; run without --offline to fetch it")
        try:
            page = await self._patiently(request, hosts, key, held)
        except FetchError:
            if held is None or not self.fall_back:
                raise
            self.kept += 1
            return _there(held, request)
        self._asked.add(key)
        return page

    async def _patiently(self, request: Request, hosts: frozenset[str], key: str, held: Held | None) -> Page:
        """Ask until there is an answer, or patience ends."""
        from personax.http._client import LostError, checked

        sending = self._sending(request, hosts, held)
        host = self._sender.host(checked(request.url, hosts))
        reason = ""
        for attempt in range(self.limits.tries):
            host.check()
            try:
                answer = await self._sender.send(sending)
                page = self._kept_page(request, key, held, answer, host.name)
            except LostError as error:
                reason = str(error)
                if error.after is not None:
                    host.pause(error.after)
                elif attempt + 1 < self.limits.tries:
                    await asyncio.sleep(full_jitter(attempt, self.limits, self.rng))
            except FetchError as error:
                host.lost(str(error))
                raise
            else:
                host.answered()
                return _there(page, request)
        host.lost(reason)
        raise FetchError(f"{host.name} gave no page in {self.limits.tries} tries: {reason}; run again later")

    def _sending(self, request: Request, hosts: frozenset[str], held: Held | None) -> Sending:
        from personax.http._client import Sending

        own = {"user-agent": self.agent, "accept-encoding": "gzip"}
        if held is not None and "etag" in held.headers:
            own["if-none-match"] = held.headers["etag"]
        elif held is not None and "last-modified" in held.headers:
            own["if-modified-since"] = held.headers["last-modified"]
        given = {name.lower(): value for name, value in request.headers.items()}
        headers = {"accept": ", ".join(request.accepts), **given, **own}
        secret = frozenset({*map(str.lower, request.secret), "authorization", "cookie"})
        return Sending(request.url, headers, request.body, secret, hosts)

    def _kept_page(self, request: Request, key: str, held: Held | None, answer: Answer, host: str) -> Held:
        """Write an answer into the cache, and return what the cache holds then."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        if answer.status == 304:
            if held is None:
                raise FetchError(f"{host} says that a page is unchanged that it never sent")
            self.cache.unchanged(key, now)
            return replace(held, page=replace(held.page, cached=False))
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status == 200:
            self._check_content(request, answer, kind, host)
        digest = hashlib.sha256(answer.body).hexdigest()
        page = Page(answer.url, now, answer.status, digest, kind, answer.body)
        self.cache.put(key, request.url, page, answer.headers)
        return Held(page, now, answer.headers)

    def _check_content(self, request: Request, answer: Answer, kind: str, host: str) -> None:
        if not any(kind == wanted or wanted == f"{kind.partition('/')[0]}/*" for wanted in request.accepts):
            wanted = " or ".join(request.accepts)
            raise FetchError(f"{host} sent {kind[:60] or 'a page without a type'} in place of {wanted}")
        secret = {name.lower() for name in request.secret}
        values = [value for name, value in request.headers.items() if name.lower() in secret and value]
        if any(value.encode() in answer.body or value in answer.url for value in values):
            raise FetchError(f"{host} repeats the key in its page, which is not kept for that reason")

    async def _allow(self, url: httpx2.URL) -> None:
        from personax.http._client import host_of, origin_of

        rules = await self._robots.of(origin_of(url))
        rules.check(host_of(url), str(url))
        self._sender.host(url).slow_down(rules.delay)

    async def _ask_robots(self, origin: str) -> tuple[int, str]:
        from personax.http._client import LostError, Sending

        headers = {"user-agent": self.agent, "accept": "text/plain", "accept-encoding": "gzip"}
        sending = Sending(f"{origin}/robots.txt", headers, None, frozenset(), None)
        reason = ""
        for attempt in range(self.limits.tries):
            try:
                answer = await self._sender.send(sending, ruled=False)
                reason = f"status {answer.status}"
                if answer.status < 500 and answer.status != 429:
                    return answer.status, answer.body.decode("utf-8", errors="replace")
            except LostError as error:
                reason = str(error)
            if attempt + 1 < self.limits.tries:
                await asyncio.sleep(full_jitter(attempt, self.limits, self.rng))
        raise FetchError(reason)


def _there(held: Held, request: Request) -> Page:
    if held.page.status in _GONE:
        raise FetchError(f"the site has no such page ({held.page.status})")
    return held.page


class SourceFetch:
    """A `Fetch` for one source: its hosts only, and a bound on its pages.

    Attributes
    ----------
    pages
        Number of pages that were asked of it in this run.
    """

    def __init__(self, fetcher: Fetcher, hosts: Iterable[str]) -> None:
        self._fetcher, self._hosts, self.pages = fetcher, frozenset(host.lower() for host in hosts), 0

    async def __call__(self, request: Request) -> Page:
        """Return the page; see `Fetcher.page`."""
        self.pages += 1
        most = self._fetcher.limits.most_pages
        if self.pages > most:
            raise FetchError(f"more than {most} pages of one source; its list may have no end, see fetch.most_pages")
        return await self._fetcher.page(request, self._hosts)
