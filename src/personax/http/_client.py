"""One request, over as many redirects as are allowed: what came back, or what is to be done about it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import httpcore2
import httpx2

from personax.errors import FetchError
from personax.http._rate_limit import Host, Limits, retry_after
from personax.http._transport import BrokenBodyError, read_body

__all__ = ["Answer", "LostError", "Sender", "Sending", "host_of", "origin_of"]

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_AGAIN: Final = (403, 408, 425, 429, 500, 502, 503, 504)
"""Statuses after which another try may bring the page; sites refuse by 403 who comes too fast."""


_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+: [ -~\t]*")


class LostError(Exception):
    """No page this time; ask again, after ``after`` seconds if the site said so."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


@dataclass(frozen=True)
class Sending:
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
class Answer:
    """What came: the address that answered, status, headers in lower case, body unpacked."""

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


class Sender:
    """Sends requests, each host in its turn.

    Parameters
    ----------
    transport
        Carries them; it follows nothing and retries nothing.
    limits
        For every host.
    allow
        Awaited with an address before it is asked for; raises a `FetchError` to forbid it.

    Attributes
    ----------
    sent
        Number of requests that left.
    """

    def __init__(
        self, transport: httpx2.AsyncBaseTransport, limits: Limits, allow: Callable[[httpx2.URL], Awaitable[None]]
    ) -> None:
        self._transport, self._limits, self._allow = transport, limits, allow
        self._hosts: dict[str, Host] = {}
        self.sent = 0

    def host(self, url: httpx2.URL) -> Host:
        """Return the host of an address."""
        name = host_of(url)
        return self._hosts.setdefault(name, Host(name, self._limits))

    async def send(self, sending: Sending, *, ruled: bool = True) -> Answer:
        """Send a request and follow its redirects.

        Parameters
        ----------
        sending
            What goes out.
        ruled
            Whether ``allow`` is asked; not for robots.txt itself.

        Raises
        ------
        FetchError
            When it is not allowed, or of no use to ask again.
        LostError
            When another try may help.
        """
        for _ in range(self._limits.redirects + 1):
            url = checked(sending.url, sending.hosts)
            if ruled:
                await self._allow(url)
            answer = await self._once(url, sending)
            if answer.status not in _REDIRECTS:
                return _sorted(host_of(url), answer) if ruled else answer
            sending = _redirected(url, sending, answer)
        raise FetchError(f"{host_of(url)} redirects more than {self._limits.redirects} times; look at its address")

    async def _once(self, url: httpx2.URL, sending: Sending) -> Answer:
        name = host_of(url)
        request = _request(name, url, sending, self._limits)
        async with self.host(url).turn():
            try:
                self.sent += 1
                async with asyncio.timeout(self._limits.total_seconds):
                    return await self._exchange(request)
            except TimeoutError:
                raise LostError(f"it took longer than {self._limits.total_seconds:g} s") from None
            except FetchError as error:
                raise FetchError(f"{name}: {error}") from None
            except BrokenBodyError as error:
                raise LostError(str(error)) from None
            except (httpx2.TimeoutException, httpcore2.TimeoutException):
                raise LostError(f"it sent nothing for {self._limits.read_seconds:g} s") from None
            except (httpx2.TransportError, httpcore2.NetworkError, httpcore2.ProtocolError):
                raise LostError("the connection failed or broke off") from None

    async def _exchange(self, request: httpx2.Request) -> Answer:
        response = await self._transport.handle_async_request(request)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = b""
            if response.status_code == 200:
                encoding = headers.get("content-encoding", "")
                body = await read_body(_pieces(response), encoding, self._limits.most_bytes)
            return Answer(str(request.url), response.status_code, headers, body)
        finally:
            await response.aclose()


async def _pieces(response: httpx2.Response) -> AsyncIterator[bytes]:
    # the stream itself: the response would unpack it, without our bound
    stream = response.stream
    assert isinstance(stream, httpx2.AsyncByteStream)
    async for piece in stream:
        yield piece


def _request(name: str, url: httpx2.URL, sending: Sending, limits: Limits) -> httpx2.Request:
    waits = {"connect": limits.connect_seconds, "read": limits.read_seconds, "write": limits.read_seconds}
    # before the libraries see it: they quote what is wrong with a header, and that may be a key
    if not all(_HEADER.fullmatch(f"{header}: {value}") for header, value in sending.headers.items()):
        raise FetchError(f"{name}: a header or key of the source holds what no header may; look at its settings")
    try:
        return httpx2.Request(
            "GET" if sending.body is None else "POST", url, headers=dict(sending.headers), json=sending.body,
            extensions={"timeout": {**waits, "pool": None}},
        )  # fmt: skip
    except (ValueError, TypeError):
        raise FetchError(f"{name}: the request cannot be written as JSON; look at the settings of the source") from None


def checked(address: str, hosts: Collection[str] | None) -> httpx2.URL:
    """Return an address that may be asked: http or https, a known host, no password.

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


def _redirected(url: httpx2.URL, sending: Sending, answer: Answer) -> Sending:
    """Return the request that a redirect asks for, without secrets for another host."""
    name = host_of(url)
    if sending.body is not None:
        raise FetchError(f"{name} redirects a query; look at base_url of the source")
    try:
        target = url.join(answer.headers.get("location", ""))
    except httpx2.InvalidURL:
        raise FetchError(f"{name} redirects to what is no address") from None
    if url.scheme == "https" and target.scheme != "https":
        raise FetchError(f"{name} redirects from https to {target.scheme or 'nowhere'}; that is not followed")
    same = origin_of(target) == origin_of(url)
    headers = {n: v for n, v in sending.headers.items() if same or n.lower() not in sending.secret}
    return replace(sending, url=str(target), headers=headers)


def _sorted(name: str, answer: Answer) -> Answer:
    """Return an answer that is one; sort the others by what is to be done."""
    status = answer.status
    if status in (200, 304, 404, 410):
        return answer
    if status in _AGAIN:
        raise LostError(f"it answers with status {status}", retry_after(answer.headers.get("retry-after"), _now()))
    if status == 401:
        raise FetchError(f"{name} wants a key, or another one (401); see `key` of the source")
    raise FetchError(f"{name} answers with status {status}; look at the settings of the source")


def _now() -> datetime:
    return datetime.now(UTC)
