"""A site on loopback whose troubles are scripted; it counts requests, the most at once, and when each began."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """What the site answers.

    Parameters
    ----------
    body
        Sent whole; a callable yields it piece by piece.
    delay
        Seconds before the first byte.
    cut
        Close the connection after so many bytes of the body, whose full length was promised.
    """

    body: bytes | Callable[[], Iterator[bytes]] = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    delay: float = 0.0
    cut: int | None = None


@dataclass
class Asked:
    """One request as the site saw it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    time: float


Script = Callable[[Asked, int], Reply]
"""A request, and how often its path was asked before -> the answer."""


def of_json(value: Any) -> Reply:
    return Reply(json.dumps(value).encode())


@dataclass
class Site:
    """What a test sees of the site."""

    script: Script
    robots: str | int = 404
    delay: float = 0.0
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    _now: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pages(self) -> list[Asked]:
        """Requests other than those for robots.txt."""
        return [asked for asked in self.asked if asked.path != "/robots.txt"]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                asked = await _read(head, reader)
                self.asked.append(asked)
                self._now += 1
                self.most_at_once = max(self.most_at_once, self._now)
                try:
                    going = await self._answer(asked, writer)
                finally:
                    self._now -= 1
                if not going:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        times = self.seen[asked.path]
        self.seen[asked.path] += 1
        if asked.path == "/robots.txt":
            text = self.robots if isinstance(self.robots, str) else ""
            status = self.robots if isinstance(self.robots, int) else 200
            reply = Reply(text.encode(), status, kind="text/plain")
        else:
            reply = self.script(asked, times)
        await asyncio.sleep(self.delay + reply.delay)
        return await _send(reply, writer)


async def _read(head: bytes, reader: asyncio.StreamReader) -> Asked:
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    method, path, _ = first.split(" ")
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, path, headers, body, time.monotonic())


async def _send(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    lines = [f"HTTP/1.1 {reply.status} Scripted", f"content-type: {reply.kind}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    if callable(reply.body):
        writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1"))
        for piece in reply.body():
            writer.write(piece)
            await writer.drain()
        return False
    body = b"" if reply.status == 304 else reply.body
    writer.write("\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode("latin-1") + body[: reply.cut])
    await writer.drain()
    return reply.cut is None


@contextmanager
def serving(*sites: Site) -> Iterator[None]:
    """Serve sites from a thread while the block runs; each gets a free port."""
    started, loop = threading.Event(), asyncio.new_event_loop()

    async def run() -> AsyncIterator[None]:
        servers = []
        for site in sites:
            server = await asyncio.start_server(site._serve, "127.0.0.1", 0, limit=2**20)
            site.port = server.sockets[0].getsockname()[1]
            servers.append(server)
        yield
        for server in servers:
            server.close()

    running = run()

    def main() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(anext(running))
        started.set()
        loop.run_forever()
        loop.run_until_complete(anext(running, None))
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=main)
    thread.start()
    started.wait()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def bomb(size: int) -> bytes:
    """Return gzip that unpacks to so many zeros."""
    return gzip.compress(b"\0" * size)
