"""One request over as many redirects as are allowed, each host within its rate limit and circuit breaker."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, Final

import httpcore2
import httpx2

from personax.errors import FetchError
from personax.http._rate_limit import CircuitBreaker, RateLimiter
from personax.http._request import FetchSettings, is_loopback
from personax.http._retry import TransientError, retry_after_of
from personax.http._transport import read_body

__all__ = ["Client", "Host", "WireRequest", "WireResponse", "checked_url", "host_of", "origin_of"]

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_RETRIED: Final = (403, 408, 425, 429, 500, 502, 503, 504)
"""Statuses after which another attempt may bring the page; some sites refuse by 403 who comes too fast."""


_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+: [ -~\t]*")


class Host:
    """One host in this run: its rate limit and its circuit breaker.

    Parameters
    ----------
    name
        Host, and port where it has one.
    settings
        That hold for it.
    """

    def __init__(self, name: str, settings: FetchSettings) -> None:
        self.name = name
        self._settings = settings
        self._limiter = RateLimiter(settings.per_second, concurrency=settings.concurrency)
        self._breaker = CircuitBreaker(settings.failures)

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait until a request may begin, and count it as under way while the block runs.

        Raises
        ------
        FetchError
            When the circuit breaker opened meanwhile.
        """
        return self._limiter.slot(check=self.check)

    def check(self) -> None:
        """Raise the `FetchError` with the reason, when the circuit breaker is open."""
        if self._breaker.reason is not None:
            raise FetchError(f"{self.name} gets no more requests in this run: {self._breaker.reason}; run again later")

    def slow_down(self, interval: float | None) -> None:
        """Keep at least ``interval`` seconds between two requests (crawl-delay)."""
        if interval is not None and interval > self._settings.max_wait:
            self._breaker.open(f"its robots.txt asks for {interval:.0f} s between two requests")
        elif interval is not None:
            self._limiter.slow_down(interval)

    def page_received(self) -> None:
        """Note that a page came."""
        self._breaker.succeeded()
        self._limiter.succeeded()

    def attempt_failed(self, error: TransientError) -> None:
        """Slow down as an error asks; a wait that is too long opens the circuit breaker.

        Raises
        ------
        FetchError
            When it is open.
        """
        if error.rate_limited:
            self._limiter.rate_limited()
        if error.retry_after is not None and error.retry_after > self._settings.max_wait:
            self._breaker.open(f"it asks for a wait of {error.retry_after:.0f} s")
        elif error.retry_after is not None:
            self._limiter.pause(error.retry_after)
        self.check()

    def page_failed(self, reason: str) -> None:
        """Note that a page did not come in all attempts."""
        self._breaker.failed(reason)


@dataclass(frozen=True)
class WireRequest:
    """What goes over the wire.

    Parameters
    ----------
    url, headers, body
        Of the request; a body makes it a POST.
    secret
        Names of headers, in lower case, that another host never gets.
    hosts
        That may answer; a redirect to another one is not followed. None for any public one.
    """

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None
    secret: frozenset[str]
    hosts: frozenset[str] | None


@dataclass(frozen=True)
class WireResponse:
    """A response: the address that answered, status, headers in lower case, body decompressed."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def host_of(url: httpx2.URL) -> str:
    """Return the host in lower case, with its port where it is not the scheme's own."""
    return url.netloc.decode("ascii").lower()


def origin_of(url: httpx2.URL) -> str:
    """Return scheme and host."""
    return f"{url.scheme}://{host_of(url)}"


class Client:
    """Sends requests, each host in its turn.

    Parameters
    ----------
    transport
        Carries them; it follows nothing and retries nothing.
    settings
        For every host.
    check_allowed
        Awaited with an address before it is requested; raises a `FetchError` to forbid it.

    Attributes
    ----------
    sent
        Number of requests that left.
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport,
        settings: FetchSettings,
        check_allowed: Callable[[httpx2.URL], Awaitable[None]],
    ) -> None:
        self._transport, self._settings, self._check_allowed = transport, settings, check_allowed
        self._hosts: dict[str, Host] = {}
        self.sent = 0

    def host(self, url: httpx2.URL) -> Host:
        """Return the host of an address."""
        name = host_of(url)
        return self._hosts.setdefault(name, Host(name, self._settings))

    async def send(self, wire: WireRequest, *, check_robots: bool = True) -> WireResponse:
        """Send a request and follow its redirects.

        Parameters
        ----------
        wire
            What goes out.
        check_robots
            Whether ``check_allowed`` is awaited; not for robots.txt itself.

        Raises
        ------
        FetchError
            When it is not allowed, or of no use to ask again.
        TransientError
            When another try may help.
        """
        for _ in range(self._settings.max_redirects + 1):
            url = checked_url(wire.url, wire.hosts)
            if (
                url.scheme == "http"
                and not is_loopback(host_of(url))
                and wire.secret.intersection(map(str.lower, wire.headers))
            ):
                raise FetchError(f"{host_of(url)} is asked by plain http, and a key is not sent that way; use https")
            if check_robots:
                await self._check_allowed(url)
            response = await self._attempt(url, wire)
            if response.status not in _REDIRECTS:
                return _raise_for_status(host_of(url), response) if check_robots else response
            wire = _redirected(url, wire, response)
        raise FetchError(
            f"{host_of(url)} redirects more than {self._settings.max_redirects} times; look at its address"
        )

    async def _attempt(self, url: httpx2.URL, wire: WireRequest) -> WireResponse:
        name = host_of(url)
        request = _request(name, url, wire, self._settings)
        async with self.host(url).slot():
            try:
                self.sent += 1
                async with asyncio.timeout(self._settings.total_seconds):
                    return await self._exchange(request)
            except TimeoutError:
                raise TransientError(f"it took longer than {self._settings.total_seconds:g} s") from None
            except FetchError as error:
                raise FetchError(f"{name}: {error}") from None
            except (httpx2.TimeoutException, httpcore2.TimeoutException):
                raise TransientError(f"it sent nothing for {self._settings.read_seconds:g} s") from None
            except (httpx2.TransportError, httpcore2.NetworkError, httpcore2.ProtocolError):
                raise TransientError("the connection failed or broke off") from None

    async def _exchange(self, request: httpx2.Request) -> WireResponse:
        response = await self._transport.handle_async_request(request)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = b""
            if response.status_code == 200:
                encoding = headers.get("content-encoding", "")
                body = await read_body(_pieces(response), encoding, self._settings.max_bytes)
            return WireResponse(str(request.url), response.status_code, headers, body)
        finally:
            await response.aclose()


async def _pieces(response: httpx2.Response) -> AsyncIterator[bytes]:
    # the stream itself: the response would unpack it, without our bound
    stream = response.stream
    assert isinstance(stream, httpx2.AsyncByteStream)
    async for piece in stream:
        yield piece


def _request(name: str, url: httpx2.URL, wire: WireRequest, settings: FetchSettings) -> httpx2.Request:
    waits = {"connect": settings.connect_seconds, "read": settings.read_seconds, "write": settings.read_seconds}
    # before the libraries see it: they quote what is wrong with a header, and that may be a key
    if not all(_HEADER.fullmatch(f"{header}: {value}") for header, value in wire.headers.items()):
        raise FetchError(f"{name}: a header or key of the source holds what no header may; look at its settings")
    try:
        return httpx2.Request(
            "GET" if wire.body is None else "POST", url, headers=dict(wire.headers), json=wire.body,
            extensions={"timeout": {**waits, "pool": None}},
        )  # fmt: skip
    except (ValueError, TypeError):
        raise FetchError(f"{name}: the request cannot be written as JSON; look at the settings of the source") from None


def checked_url(address: str, hosts: Collection[str] | None) -> httpx2.URL:
    """Return an address that may be requested: http or https, a known host, no password.

    Raises
    ------
    FetchError
        When it is another one.
    """
    try:
        url = httpx2.URL(address)
        host = host_of(url)
    except (httpx2.InvalidURL, UnicodeError, TypeError):
        raise FetchError("an address cannot be read; look at base_url of the source") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise FetchError(f"only http and https addresses without a password are fetched, not those of {url.scheme!r}")
    if hosts is not None and host not in hosts:
        raise FetchError(f"{host} is no host of this source ({', '.join(sorted(hosts))}); nothing is fetched from it")
    return url.copy_with(fragment=None)


def _redirected(url: httpx2.URL, wire: WireRequest, response: WireResponse) -> WireRequest:
    """Return the request that a redirect asks for, without secrets for another host."""
    name = host_of(url)
    if wire.body is not None:
        raise FetchError(f"{name} redirects a query; look at base_url of the source")
    try:
        target = url.join(response.headers.get("location", ""))
    except httpx2.InvalidURL:
        raise FetchError(f"{name} redirects to something that is not an address") from None
    if url.scheme == "https" and target.scheme != "https":
        raise FetchError(f"{name} redirects from https to {target.scheme or 'nowhere'}; that is not followed")
    same = origin_of(target) == origin_of(url)
    headers = {n: v for n, v in wire.headers.items() if same or n.lower() not in wire.secret}
    return replace(wire, url=str(target), headers=headers)


def _raise_for_status(name: str, response: WireResponse) -> WireResponse:
    """Return a response that answers the request; raise for any other by whether another attempt may help."""
    status = response.status
    if status in (200, 304, 404, 410):
        return response
    if status in _RETRIED:
        raise TransientError(
            f"it answers with status {status}", retry_after_of(response.headers), rate_limited=status == 429
        )
    if status == 401:
        raise FetchError(f"{name} wants a key, or another one (401); see `key` of the source")
    raise FetchError(f"{name} answers with status {status}; look at the settings of the source")
