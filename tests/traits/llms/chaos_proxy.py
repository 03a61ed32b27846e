"""A proxy whose faults are scripted, in front of a server of anybody: it breaks replies as networks and gateways do."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS: Sequence[str] = (
    "ok", "rate limit", "ok", "refuse", "cut", "html", "slow", "ok", "server error", "drip", "empty", "half", "twice",
    "ok",
)  # fmt: skip
"""What happens to the requests, one after the other, from the beginning again and again."""


@dataclass
class ChaosProxy:
    """What a test sees of the proxy.

    Parameters
    ----------
    upstream
        Address of the server behind it.
    faults
        See `FAULTS`.
    """

    upstream: str
    faults: Sequence[str] = FAULTS
    url: str = ""
    met: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    """By ``Idempotency-Key``: how often a whole good reply was passed on."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._next = itertools.cycle(self.faults)

    def fault(self) -> str:
        with self._lock:
            found = next(self._next)
            self.met[found] += 1
            return found


def _handler(proxy: ChaosProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            fault = proxy.fault()
            if fault == "refuse":  # before the server sees it
                self.close_connection = True
                return
            if fault == "rate limit":
                self._send(429, b'{"error": {"message": "slow down"}}', {"retry-after": "0"})
                return
            if fault == "server error":
                self._send(502, b"<html>bad gateway</html>", {})
                return
            status, data = self._forward(body)
            if fault == "html":
                self._send(200, b"<html>sign in to the network</html>", {})
            elif fault == "empty":
                self._send(200, b"", {})
            elif fault == "half":
                self._send(200, data[: len(data) // 2], {})
            elif fault in ("cut", "drip"):
                self._head(status, len(data))
                for at in range(0, len(data) // 2 if fault == "cut" else len(data), 16 if fault == "drip" else 4096):
                    self.wfile.write(data[at : at + (16 if fault == "drip" else 4096)][: len(data) // 2])
                    self.wfile.flush()
                    time.sleep(0.001 if fault == "drip" else 0)
                self.close_connection = fault == "cut"
            else:
                time.sleep(0.2 if fault == "slow" else 0.0)
                self._send(status, data, {})
                if fault == "twice":  # bytes that nobody asked for
                    self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                if status == 200:
                    proxy.passed[str(self.headers.get("idempotency-key"))] += 1

        def _forward(self, body: bytes) -> tuple[int, bytes]:
            parts = urlsplit(proxy.upstream)
            upstream = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=120)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            upstream.request(self.command, self.path, body, kept)
            reply = upstream.getresponse()
            data = reply.read()
            upstream.close()
            return reply.status, data

        def _head(self, status: int, length: int) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(length))
            self.end_headers()

        def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"content-length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _serve

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def chaos(upstream: str, faults: Sequence[str] = FAULTS) -> Iterator[ChaosProxy]:
    """Stand between a client and a server, on loopback."""
    proxy = ChaosProxy(upstream, faults)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy))
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}{urlsplit(upstream).path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
