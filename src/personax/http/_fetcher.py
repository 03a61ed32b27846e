"""The fetcher: pages from the cache, else from the site as its robots.txt allows, and then into the cache."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from personax.errors import FetchError, PlanError, require
from personax.http._cache import Cache, CachedPage, key_of
from personax.http._request import FetchSettings, Page, Request
from personax.http._retry import RetryPolicy, TransientError, retry, retry_after_of

if TYPE_CHECKING:
    import httpx2
    from protego import Protego

    from personax.http._client import WireRequest, WireResponse

__all__ = ["Fetcher", "SourceFetch", "user_agent"]

_CONTACT: Final = re.compile(r"https?://[!-'*-~]+|[^\s@()<>]+@[^\s@()<>]+\.[^\s@()<>]+")
_GONE: Final = (404, 410)


AGENT: Final = "personax"
"""The product token that robots.txt rules address."""


@dataclass(frozen=True)
class RobotsRules:
    """What one robots.txt allows, read as RFC 9309 says.

    Parameters
    ----------
    rules
        None where it could not be read: ``reason`` says why, and nothing is allowed.
    """

    rules: Protego | None
    reason: str = ""

    @property
    def delay(self) -> float | None:
        """Seconds between two requests that the site asks for."""
        return None if self.rules is None else self.rules.crawl_delay(AGENT)

    def check(self, host: str, url: str) -> None:
        """Refuse an address that is not allowed.

        Raises
        ------
        FetchError
            With the reason.
        """
        if self.rules is None:
            raise FetchError(f"{host}: its robots.txt could not be read ({self.reason}), so nothing there is fetched")
        if not self.rules.can_fetch(url, AGENT):
            raise FetchError(f"{host}: its robots.txt does not allow this page; ask the site, or leave the source out")


class Robots:
    """The rules of every host, fetched once a run.

    Parameters
    ----------
    ask
        Origin (``https://host``) -> status and text of its robots.txt. A `FetchError` of it means that the host cannot
        be reached.
    """

    def __init__(self, ask: Callable[[str], Awaitable[tuple[int, str]]]) -> None:
        self._ask = ask
        self._known: dict[str, asyncio.Task[RobotsRules]] = {}

    async def rules(self, origin: str) -> RobotsRules:
        """Return the rules of an origin; concurrent calls share one request."""
        if origin not in self._known:
            self._known[origin] = asyncio.ensure_future(self._read(origin))
        return await asyncio.shield(self._known[origin])

    async def _read(self, origin: str) -> RobotsRules:
        parse = require("protego", extra="web").Protego.parse
        try:
            status, text = await self._ask(origin)
        except FetchError as error:
            return RobotsRules(None, str(error))
        if 200 <= status < 300:
            return RobotsRules(parse(text))
        if 400 <= status < 500 and status != 429:
            return RobotsRules(parse(""))
        return RobotsRules(None, f"status {status}")

    async def close(self) -> None:
        """End what is still under way."""
        for task in self._known.values():
            task.cancel()
        await asyncio.gather(*self._known.values(), return_exceptions=True)


def user_agent(contact: str | None) -> str:
    """Return how we call ourselves, with whom a site can write to.

    Raises
    ------
    PlanError
        Without a contact: no site is asked anonymously.

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
    """Fetches pages for several sources; a page in the cache is not requested again.

    Parameters
    ----------
    cache
        Where pages are kept.
    contact
        E-mail address or web page, sent to every site in the User-Agent.
    settings
        Limits and waits, for every host on its own.
    rng
        Draws the waits between tries.
    refresh
        Ask again for pages that are in the cache, on condition that they changed.
    offline
        Send nothing.
    fall_back
        Use the cached page where it cannot be fetched again.
    transport
        In place of the network.
    reachable
        Addresses that are allowed although they are not public; for tests.

    Attributes
    ----------
    stale_pages
        Number of pages that could not be fetched again, and stay as they were.

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
        settings: FetchSettings | None = None,
        refresh: bool = False,
        offline: bool = False,
        fall_back: bool = True,
        transport: httpx2.AsyncBaseTransport | None = None,
        reachable: Collection[str] = (),
    ) -> None:
        self.agent = "" if offline and contact is None else user_agent(contact)  # nothing is sent then
        require("httpx2", extra="web")
        require("protego", extra="web")
        from personax.http._client import Client
        from personax.http._transport import CheckedTransport

        self.cache, self.settings, self.rng = cache, settings or FetchSettings(), rng
        self.refresh, self.offline, self.fall_back, self.stale_pages = refresh, offline, fall_back, 0
        self._policy = RetryPolicy(
            attempts=self.settings.attempts, backoff=self.settings.backoff, max_backoff=self.settings.max_backoff,
            max_wait=self.settings.max_wait,
        )  # fmt: skip
        self._transport = transport or CheckedTransport(reachable)
        self._client = Client(self._transport, self.settings, self._allow)
        self._robots = Robots(self._ask_robots)
        self._asked: set[str] = set()

    @property
    def sent(self) -> int:
        """Number of requests that left, robots.txt included."""
        return self._client.sent

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._robots.close()
        await self._transport.aclose()

    def for_hosts(self, hosts: Iterable[str]) -> SourceFetch:
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
        cached = self.cache.get(key)
        if cached is not None and (self.offline or not self.refresh or key in self._asked):
            return _page_of(cached)
        if self.offline:
            raise FetchError("this page is not in the cache; run without --offline to fetch it")
        try:
            page = await self._fetched(request, hosts, key, cached)
        except FetchError:
            if cached is None or not self.fall_back:
                raise
            self.stale_pages += 1
            return _page_of(cached)
        self._asked.add(key)
        return page

    async def _fetched(self, request: Request, hosts: frozenset[str], key: str, cached: CachedPage | None) -> Page:
        """Fetch a page in as many attempts as the settings allow."""
        from personax.http._client import checked_url

        wire = self._wire_request(request, hosts, cached)
        host = self._client.host(checked_url(request.url, hosts))

        async def attempt() -> CachedPage:
            return self._cached_response(request, key, cached, await self._client.send(wire), host.name)

        host.check()
        try:
            found = await retry(attempt, self._policy, self.rng, on_failure=host.attempt_failed)
        except TransientError as error:
            host.page_failed(str(error))
            text = f"{host.name} gave no page in {self._policy.attempts} tries: {error}; run again later"
            raise FetchError(text) from None
        except FetchError as error:
            host.page_failed(str(error))
            raise
        host.page_received()
        return _page_of(found)

    def _wire_request(self, request: Request, hosts: frozenset[str], cached: CachedPage | None) -> WireRequest:
        from personax.http._client import WireRequest

        own = {"user-agent": self.agent, "accept-encoding": "gzip"}
        if cached is not None and "etag" in cached.headers:
            own["if-none-match"] = cached.headers["etag"]
        elif cached is not None and "last-modified" in cached.headers:
            own["if-modified-since"] = cached.headers["last-modified"]
        given = {name.lower(): value for name, value in request.headers.items()}
        headers = {"accept": ", ".join(request.accepts), **given, **own}
        secret = frozenset({*map(str.lower, request.secret), "authorization", "cookie"})
        return WireRequest(request.url, headers, request.body, secret, hosts)

    def _cached_response(
        self, request: Request, key: str, cached: CachedPage | None, response: WireResponse, host: str
    ) -> CachedPage:
        """Write an answer into the cache, and return what the cache holds then."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        if response.status == 304:
            if cached is None:
                raise FetchError(f"{host} says that a page is unchanged that it never sent")
            self.cache.unchanged(key, now)
            return replace(cached, page=replace(cached.page, cached=False))
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.status == 200:
            self._check_content(request, response, kind, host)
        digest = hashlib.sha256(response.body).hexdigest()
        page = Page(response.url, now, response.status, digest, kind, response.body)
        self.cache.put(key, request.url, page, response.headers)
        return CachedPage(page, now, response.headers)

    def _check_content(self, request: Request, response: WireResponse, kind: str, host: str) -> None:
        if not any(kind == wanted or wanted == f"{kind.partition('/')[0]}/*" for wanted in request.accepts):
            wanted = " or ".join(request.accepts)
            raise FetchError(f"{host} sent {kind[:60] or 'a page without a type'} in place of {wanted}")
        secret = {name.lower() for name in request.secret}
        values = [value for name, value in request.headers.items() if name.lower() in secret and value]
        if any(value.encode() in response.body or value in response.url for value in values):
            raise FetchError(f"{host} repeats the key in its page, which is not kept for that reason")

    async def _allow(self, url: httpx2.URL) -> None:
        from personax.http._client import host_of, origin_of

        rules = await self._robots.rules(origin_of(url))
        rules.check(host_of(url), str(url))
        self._client.host(url).slow_down(rules.delay)

    async def _ask_robots(self, origin: str) -> tuple[int, str]:
        from personax.http._client import WireRequest

        headers = {"user-agent": self.agent, "accept": "text/plain", "accept-encoding": "gzip"}
        wire = WireRequest(f"{origin}/robots.txt", headers, None, frozenset(), None)

        async def attempt() -> tuple[int, str]:
            response = await self._client.send(wire, check_robots=False)
            if response.status >= 500 or response.status == 429:
                raise TransientError(f"status {response.status}", retry_after_of(response.headers))
            return response.status, response.body.decode("utf-8", errors="replace")

        try:
            return await retry(attempt, self._policy, self.rng)
        except TransientError as error:
            raise FetchError(str(error)) from None


def _page_of(cached: CachedPage) -> Page:
    if cached.page.status in _GONE:
        raise FetchError(f"the site has no such page ({cached.page.status})")
    return cached.page


class SourceFetch:
    """A `Fetch` for one source: its hosts only, and a bound on its pages.

    Attributes
    ----------
    pages
        Number of pages requested in this run.
    """

    def __init__(self, fetcher: Fetcher, hosts: Iterable[str]) -> None:
        self._fetcher, self._hosts, self.pages = fetcher, frozenset(host.lower() for host in hosts), 0

    async def __call__(self, request: Request) -> Page:
        """Return the page; see `Fetcher.page`."""
        self.pages += 1
        most = self._fetcher.settings.max_pages
        if self.pages > most:
            raise FetchError(f"more than {most} pages of one source; its list may have no end, see fetch.max_pages")
        return await self._fetcher.page(request, self._hosts)
