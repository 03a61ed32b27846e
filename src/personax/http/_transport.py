"""A transport that cannot be led to private addresses (SSRF), and bodies read within bounds."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import zlib
from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import httpcore2
import httpx2

from personax.errors import FetchError
from personax.http._retry import TransientError

__all__ = ["BrokenBodyError", "CheckedBackend", "CheckedTransport", "Resolve", "is_public", "read_body", "resolve"]


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) -> addresses as text."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Say whether an address is one of the open internet; an address that carries another one is judged by that.

    Examples
    --------
    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections to public addresses only.

    The name is resolved once a connection and the address that passed is the one used, so that a name server that
    answers differently a moment later changes nothing. TLS still checks the certificate against the name.

    Parameters
    ----------
    reachable
        Addresses that are allowed although they are not public; for tests.
    resolve
        How names become addresses.
    """

    def __init__(self, reachable: Collection[str] = (), resolve: Resolve = resolve) -> None:
        self._reachable, self._resolve = frozenset(reachable), resolve
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first allowed address that answers."""
        try:
            addresses = await asyncio.wait_for(self._resolve(host, port), timeout)
        except TimeoutError:
            raise httpcore2.ConnectTimeout("the name was not resolved in time") from None
        except (OSError, UnicodeError):
            raise httpcore2.ConnectError("the name could not be resolved") from None
        allowed = [address for address in addresses if is_public(address) or address in self._reachable]
        if not allowed:
            raise FetchError("its name leads to a private or reserved address; only public sites are fetched")
        for address in allowed[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(allowed[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> Any:  # noqa: ANN401 - an async generator; the base class has no better type
        async for piece in self._response.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._response.aclose()


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Sends requests over a `CheckedBackend`; knows no proxy, cookie or password of the environment."""

    def __init__(self, reachable: Collection[str] = (), resolve: Resolve = resolve) -> None:
        context = httpx2.create_ssl_context(trust_env=False)
        backend = CheckedBackend(reachable, resolve)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context, max_connections=None, keepalive_expiry=15.0, network_backend=backend
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request, following nothing."""
        url = httpcore2.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        sent = httpcore2.Request(
            request.method, url, headers=request.headers.raw, content=request.content, extensions=request.extensions
        )
        got = await self._pool.handle_async_request(sent)
        return httpx2.Response(got.status, headers=got.headers, stream=_Stream(got), extensions=got.extensions)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


CHUNK_BYTES = 2**20
"""Bytes unpacked at a time: however far a body would expand, no more than this lies above the bound."""

_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class BrokenBodyError(TransientError):
    """A body that ends too early or cannot be unpacked; another try may bring a whole one."""


class _Unpacker:
    def __init__(self, encoding: str) -> None:
        self._window = _WINDOW[encoding]
        self._inner = zlib.decompressobj(self._window)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inner.eof:  # gzip allows several members, one after the other
                self._inner = zlib.decompressobj(self._window)
            try:
                yield self._inner.decompress(data, CHUNK_BYTES)
            except zlib.error:
                raise BrokenBodyError("its body cannot be unpacked") from None
            data = self._inner.unconsumed_tail or self._inner.unused_data

    @property
    def whole(self) -> bool:
        return self._inner.eof


async def read_body(pieces: AsyncIterable[bytes], encoding: str, max_bytes: int) -> bytes:
    """Return a whole body, unpacked.

    Parameters
    ----------
    pieces
        As they came.
    encoding
        Of Content-Encoding: empty, identity, gzip or deflate.
    max_bytes
        Bytes of the unpacked body; the rest is neither unpacked nor kept.

    Raises
    ------
    FetchError
        When it is larger, or has a content encoding that was not accepted.
    BrokenBodyError
        When it is not whole.
    """
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", *_WINDOW):
        raise FetchError("its page has a content encoding that was not accepted")
    unpacker = _Unpacker(encoding) if encoding in _WINDOW else None
    body = bytearray()
    async for piece in pieces:
        for part in unpacker.feed(piece) if unpacker else (piece,):
            body += part
            if len(body) > max_bytes:
                raise FetchError(f"its page is larger than {max_bytes} bytes; see fetch.max_bytes")
    if unpacker is not None and not unpacker.whole:
        raise BrokenBodyError("its body was cut off")
    return bytes(body)
