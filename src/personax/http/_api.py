"""Requests to the interface of a provider: no redirect is followed, and neither time nor size is without a bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from personax.errors import FetchError, require
from personax.http._request import is_loopback
from personax.http._retry import TransientError

if TYPE_CHECKING:
    import httpx2

    from personax.http._connection import Connection

__all__ = ["ApiClient", "ApiError"]

MAX_BYTES: Final = 16 * 2**20
"""Of a reply, unpacked; a completion has a few thousand."""

MAX_ERROR_BYTES: Final = 64 * 2**10
"""Of a reply that refuses."""

CONNECT_SECONDS: Final = 20.0


class ApiError(Exception):
    """A reply that is no success.

    Parameters
    ----------
    status
        Of HTTP.
    headers
        By name in lower case.
    body
        What came, within bounds.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        super().__init__(f"status {status}")
        self.status, self.headers, self.body = status, headers, body

    @property
    def is_redirect(self) -> bool:
        """Whether it points elsewhere; what was sent is not sent there."""
        return 300 <= self.status < 400


class ApiClient:
    """Asks one interface, by its base address and one key.

    A proxy of the environment is used for hosts of elsewhere, and none for this machine; passwords of ``.netrc``
    and cookies are not.

    Parameters
    ----------
    base_url
        https, or http of this machine.
    key
        Sent as ``Authorization: Bearer``, or as the whole of another header.
    timeout
        Seconds from the request to the last byte of the reply.
    key_header
        In which the key goes.

    Raises
    ------
    FetchError
        For plain http to another machine: everybody on the way could read what is sent.
    MissingExtraError
        Without httpx2.
    """

    def __init__(self, base_url: str, key: str, *, timeout: float, key_header: str = "authorization") -> None:
        parts = urlsplit(base_url)
        local = is_loopback(parts.netloc)
        if parts.scheme != "https" and not local:
            raise FetchError(f"{parts.netloc} is asked by plain http, which others can read on the way; use https")
        self._base, self._timeout = base_url.rstrip("/"), timeout
        sent = f"Bearer {key}" if key_header == "authorization" else key
        self._headers = {key_header: sent, "accept": "application/json", "accept-encoding": "gzip"}
        self._httpx = require("httpx2", extra="traits")
        self._local = local
        self._general: httpx2.AsyncClient | None = None
        self._url, self._free = self._httpx.URL(self._base), list["Connection"]()
        self._proxied = not local and _has_proxy(parts.scheme, parts.hostname or "")

    def _general_client(self) -> httpx2.AsyncClient:
        client: httpx2.AsyncClient = self._httpx.AsyncClient(
            headers=self._headers, follow_redirects=False, trust_env=not self._local,
            limits=self._httpx.Limits(max_connections=None, max_keepalive_connections=100),
        )  # fmt: skip
        return client

    async def close(self) -> None:
        """Close connections; calling it twice is no error."""
        while self._free:
            self._free.pop().close()
        if self._general is not None:
            await self._general.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        max_bytes: int = MAX_BYTES,
        **content: Any,
    ) -> bytes:
        """Return the body of a reply with status 2xx.

        Parameters
        ----------
        method, path, headers, content
            Of the request; the path is joined to the base address.
        timeout
            In place of the client's; for what is large.
        max_bytes
            Of the body, unpacked.

        Raises
        ------
        ApiError
            For any other status.
        TransientError
            When no whole reply came in time.
        """
        limit = self._timeout if timeout is None else timeout
        if method == "POST" and not self._proxied and content.keys() <= {"json", "params"}:
            try:
                async with asyncio.timeout(limit):
                    return await self._post(path, headers or {}, content, max_bytes, min(limit, CONNECT_SECONDS))
            except TimeoutError:
                raise TransientError(f"no answer within {limit:g} s") from None
        self._general = client = self._general or self._general_client()
        request = client.build_request(
            method, self._base + path, headers=dict(headers or {}),
            timeout=self._httpx.Timeout(limit, connect=min(limit, CONNECT_SECONDS), pool=None), **content,
        )  # fmt: skip
        try:
            async with asyncio.timeout(limit):
                return await self._exchange(client, request, max_bytes)
        except (TimeoutError, self._httpx.TimeoutException):
            raise TransientError(f"no answer within {limit:g} s") from None
        except self._httpx.RequestError:
            raise TransientError("the connection failed or broke off") from None

    async def _post(
        self, path: str, more: Mapping[str, str], content: Mapping[str, Any], max_bytes: int, connect: float
    ) -> bytes:
        """Post JSON over a connection that is free, or a new one; it is kept where it can be used again."""
        from personax.http._connection import Connection  # late: it needs httpx2

        body = json.dumps(content.get("json"), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        data, query = body.encode("utf-8", "replace"), urlencode(content.get("params") or {})
        host = self._url.netloc.decode("ascii")
        given = {name.lower(): value for name, value in more.items()}
        headers = {"host": host, "user-agent": "personax", **self._headers, "content-type": "application/json",
                   **given, "content-length": str(len(data))}  # fmt: skip
        connection = self._taken()
        if connection is None:
            async with asyncio.timeout(connect):
                connection = await Connection.open(self._url)
        target = self._url.raw_path.decode("ascii").rstrip("/") + path + (f"?{query}" if query else "")
        try:
            status, got, reply = await connection.exchange(
                target, headers, data, max_bytes=max_bytes, max_error_bytes=MAX_ERROR_BYTES
            )
        finally:
            if connection.is_usable:
                self._free.append(connection)
            else:
                connection.close()
        if not 200 <= status < 300:
            raise ApiError(status, got, reply)
        return reply

    def _taken(self) -> Connection | None:
        """Take the connection that was used last, so that those that are not needed end; None where none is free."""
        while self._free:
            connection = self._free.pop()
            if connection.is_usable:
                return connection
            connection.close()
        return None

    async def _exchange(self, client: httpx2.AsyncClient, request: httpx2.Request, max_bytes: int) -> bytes:
        from personax.http._transport import read_body  # late: it needs httpx2

        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            good = 200 <= response.status_code < 300
            try:
                body = await read_body(
                    _pieces(response), headers.get("content-encoding", ""), max_bytes if good else MAX_ERROR_BYTES
                )
            except FetchError:
                if good:
                    raise TransientError(f"the reply is larger than {max_bytes} bytes, or packed otherwise") from None
                body = b""
        finally:
            await response.aclose()
        if not good:
            raise ApiError(response.status_code, headers, body)
        return body


def _has_proxy(scheme: str, host: str) -> bool:
    """Say whether the environment names a proxy for a host."""
    known = getproxies()
    return bool({scheme, "all"} & known.keys()) and not proxy_bypass(host)


async def _pieces(response: httpx2.Response) -> AsyncIterator[bytes]:
    async for piece in response.aiter_raw():
        yield piece
