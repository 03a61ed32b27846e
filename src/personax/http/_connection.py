"""One connection over HTTP/1.1 that stays open, for many small requests to one interface.

It does what such requests need and nothing else: no redirect, no cookie, no proxy, no HTTP/2. A request takes a third
of the processor time that a general client takes. Time is bounded by whoever calls, sizes by what is given here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any, Final, Self, cast

import h11
import httpx2

from personax.errors import FetchError
from personax.http._retry import TransientError
from personax.http._transport import read_body

__all__ = ["Connection"]

MAX_HEAD: Final = 100 * 2**10
"""Bytes of a reply before its body."""

PAUSE: Final = 2**20
"""Bytes that have come and are not read yet, above which no more are taken from the network."""

BROKEN: Final = "the connection failed or broke off"


class _Wire(asyncio.Protocol):
    """Bytes as they come."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.came, self.closed, self.paused = bytearray(), False, False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.came += data
        if len(self.came) > PAUSE and self.transport is not None and not self.paused:
            self.transport.pause_reading()
            self.paused = True
        self._wake()

    def eof_received(self) -> bool:
        self.closed = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def read(self) -> bytes:
        """Return what has come, once anything has; nothing at the end."""
        if not self.came and not self.closed:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        data, self.came = bytes(self.came), bytearray()
        if self.paused and self.transport is not None:
            self.transport.resume_reading()
            self.paused = False
        return data


class Connection:
    """An open connection; one request at a time.

    Parameters
    ----------
    wire
        Connected.
    """

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._http = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=MAX_HEAD)

    @classmethod
    async def open(cls, url: httpx2.URL) -> Self:
        """Connect to the host of an address; TLS checks its certificate against the name.

        Raises
        ------
        TransientError
            When that fails.
        """
        secure = url.scheme == "https"
        try:
            _, wire = await asyncio.get_running_loop().create_connection(
                _Wire, url.raw_host.decode("ascii"), url.port or (443 if secure else 80), ssl=_tls() if secure else None
            )
        except (OSError, ssl.SSLError, UnicodeError):
            raise TransientError(BROKEN) from None
        return cls(wire)

    @property
    def is_usable(self) -> bool:
        """Whether another request may be sent: bytes that nobody asked for would be taken for its reply."""
        wire = self._wire
        return self._http.our_state is h11.IDLE and not wire.closed and not wire.came

    def close(self) -> None:
        """Close it at once."""
        if self._wire.transport is not None:
            self._wire.transport.abort()

    async def exchange(
        self, target: str, headers: Mapping[str, str], body: bytes, *, max_bytes: int, max_error_bytes: int
    ) -> tuple[int, dict[str, str], bytes]:
        """Post a body and return status, headers by name in lower case, and the body of the reply, unpacked.

        Parameters
        ----------
        target, headers, body
            Of the request.
        max_bytes, max_error_bytes
            Of the reply, where its status is 2xx and where it is not; of the latter, a longer one is empty.

        Raises
        ------
        TransientError
            When no whole reply came.
        FetchError
            When a header cannot be sent.
        """
        try:
            request = h11.Request(method="POST", target=target, headers=list(headers.items()))
        except h11.LocalProtocolError:  # its words may quote a key
            raise FetchError("a header or key holds what no header may; look at headers and key") from None
        try:
            status, got = await self._begin(request, body)
            good = 200 <= status < 300
            try:
                content = await read_body(
                    self._pieces(), got.get("content-encoding", ""), max_bytes if good else max_error_bytes
                )
            except FetchError:
                if good:
                    raise TransientError(f"the reply is larger than {max_bytes} bytes, or packed otherwise") from None
                return status, got, b""
            self._end()
        except (h11.ProtocolError, OSError, ssl.SSLError):
            raise TransientError(BROKEN) from None
        return status, got, content

    async def _begin(self, request: h11.Request, body: bytes) -> tuple[int, dict[str, str]]:
        parts = [self._http.send(event) for event in (request, h11.Data(data=body), h11.EndOfMessage())]
        assert self._wire.transport is not None
        self._wire.transport.write(b"".join(part for part in parts if part))
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event.status_code, {
                    name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers
                }
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise TransientError(BROKEN)

    async def _pieces(self) -> AsyncIterator[bytes]:
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise TransientError(BROKEN)
            yield bytes(event.data)

    async def _event(self) -> Any:  # noqa: ANN401 - one of h11's events
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._wire.read())
        return event

    def _end(self) -> None:
        """Make ready for another request, where the server allows one and sent no more than its reply."""
        if self._http.trailing_data[0]:
            self.close()
        elif self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Return the certificates that are trusted, read once a process."""
    context = httpx2.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
