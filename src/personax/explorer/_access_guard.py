"""Who may ask: a browser of this machine that was given the token, and only to read.

Three doors are shut. A page of another site that makes its own name point to 127.0.0.1 (DNS rebinding) is known by the
``Host`` that the browser sends. Another user or program of this machine has no token: 192 random bits in the address
that the command prints, which become a cookie that scripts and other sites' requests do not get. Whatever else slipped
through can change nothing: there is GET alone, and the policy of every page lets nothing be loaded from elsewhere.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import parse_qs

__all__ = ["AccessGuard"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

SECURITY: Headers = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]

COOKIE = "personax-explore"


class AccessGuard:
    """An ASGI application before another one: what does not come from its user is answered here.

    Parameters
    ----------
    application
        The pages.
    token
        What the address or the cookie must hold.
    hosts
        Values of the ``Host`` header that are this server's own.
    """

    def __init__(self, application: Application, *, token: str, hosts: Collection[str]) -> None:
        self.application, self.token, self.hosts = application, token, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] == "lifespan":
            await self.application(scope, receive, send)
            return
        if scope["type"] != "http":  # no page opens a web socket
            await send({"type": "websocket.close", "code": 1008})
            return
        status, headers, text = self._verdict(scope)
        if status:
            await _answer(send, status, headers, text)
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", []) if pair[0] != b"content-security-policy"]
                caching = [] if any(name == b"cache-control" for name, _ in kept) else [(b"cache-control", b"no-store")]
                message = {**message, "headers": kept + SECURITY + caching}
            await send(message)

        await self.application(scope, receive, guarded)

    def _verdict(self, scope: Scope) -> tuple[int, Headers, str]:
        """Return status, headers and text of an answer; status 0 where the request is handed on."""
        sent = dict(scope["headers"])
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return 403, [], "This server answers under its own address alone."
        if scope["method"] not in ("GET", "HEAD"):
            return 405, [(b"allow", b"GET, HEAD")], "Nothing can be changed here: GET alone."
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
        if scope["path"] == "/" and given:
            return self._entry(given[0])
        if not self._is_token(_cookie(sent.get(b"cookie", b""))):
            return 403, [], "The token is missing or wrong; open the address that personax explore printed."
        return 0, [], ""

    def _entry(self, given: str) -> tuple[int, Headers, str]:
        """Answer the address with the token: it becomes a cookie, and leaves the address."""
        if not self._is_token(given):
            return 403, [], "The token is wrong; open the address that personax explore printed."
        cookie = f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/".encode()
        return 303, [(b"location", b"/"), (b"set-cookie", cookie)], ""

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


def _cookie(header: bytes) -> str:
    """Return the token of a ``Cookie`` header; a token has no sign that would be quoted there."""
    pairs = (part.strip().partition("=") for part in header.decode("latin-1").split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


async def _answer(send: Send, status: int, headers: Headers, text: str) -> None:
    body = text.encode()
    plain: Headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    plain.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": plain + headers + SECURITY})
    await send({"type": "http.response.body", "body": body})
