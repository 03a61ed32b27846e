"""Ways to fetch in tests: straight from a shape, and from a small server on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.sources.leagues.shapes import Answer

from personax.errors import FetchError
from personax.http._request import Fetch, Page, Request
from personax.sources._records import Failure, Record
from personax.sources.leagues import League

BASE = "https://site.example"


def page(body: bytes, url: str = BASE + "/x") -> Page:
    return Page(url, "2026-01-02T03:04:05Z", 200, hashlib.sha256(body).hexdigest(), "application/json", body)


class Straight:
    """A fetch that asks a shape and remembers what was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.open = self.most = 0

    async def __call__(self, request: Request) -> Page:
        self.asked.append(request)
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await asyncio.sleep(0)
            parts = urlsplit(request.url)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            found = self.answer(target, b"" if request.body is None else json.dumps(request.body).encode())
        finally:
            self.open -= 1
        if found is None:
            raise FetchError("the page answers 404")
        assert found[0] in request.accepts
        return page(found[1], request.url)


def collected(league: League, fetch: Fetch, limit: int | None = None) -> list[Record | Failure]:
    """Return everything that a league yields."""

    async def run() -> list[Record | Failure]:
        return [each async for each in league.collect(fetch, limit=limit)]

    return asyncio.run(run())


def records(results: list[Record | Failure]) -> list[Record]:
    return [each for each in results if isinstance(each, Record)]


def failures(results: list[Record | Failure]) -> list[Failure]:
    return [each for each in results if isinstance(each, Failure)]


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """Serve a shape on loopback; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def _send(self, body: bytes) -> None:
            found = answer(self.path, body)
            kind, content = found or ("text/plain", b"no")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._send(b"")

        def do_POST(self) -> None:
            self._send(self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def over_http(request: Request) -> Page:
    """Fetch with the standard library, as plainly as can be."""
    data = None if request.body is None else json.dumps(request.body).encode()
    sent = urllib.request.Request(request.url, data, dict(request.headers))

    def read() -> bytes:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            return bytes(answer.read())

    return page(await asyncio.to_thread(read), request.url)
