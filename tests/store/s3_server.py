"""A small S3 on loopback: objects in memory, conditional writes, listings, parts; and faults on request."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

Fault = Callable[[str, str], tuple[int, str] | float | None]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: S3

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.server.sent.append(len(body))
            self.wfile.write(body)

    def refuse(self, status: int, code: str) -> None:
        self.reply(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def handle_one(self) -> None:
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, key))
        fault = self.server.fault(self.command, key)
        if isinstance(fault, float):
            time.sleep(fault)
            self.close_connection = True
            return
        if fault is not None:
            self.refuse(*fault)
        elif bucket not in self.server.buckets:
            self.refuse(404, "NoSuchBucket")
        else:
            with self.server.lock:
                self.answer(self.server.buckets[bucket], key, parse_qs(url.query, keep_blank_values=True), body)

    do_GET = do_HEAD = do_PUT = do_POST = handle_one

    def answer(self, objects: dict[str, bytes], key: str, query: dict[str, list[str]], body: bytes) -> None:
        if self.command == "PUT" and "partNumber" in query:
            self.server.parts[query["uploadId"][0], int(query["partNumber"][0])] = body
            self.reply(200, ETag=e_tag(body))
        elif self.command == "POST" and "uploads" in query:
            upload = f"u{len(self.server.seen)}"
            self.reply(200, f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId>"
                            "</InitiateMultipartUploadResult>".encode())  # fmt: skip
        elif self.command == "POST":
            parts = sorted(one for one in self.server.parts if one[0] == query["uploadId"][0])
            objects[key] = b"".join(self.server.parts[one] for one in parts)
            text = f"<CompleteMultipartUploadResult><ETag>{escape(e_tag(objects[key]))}</ETag>"
            self.reply(200, f"{text}</CompleteMultipartUploadResult>".encode())
        elif self.command == "PUT":
            self.put(objects, key, body)
        elif not key:
            self.listing(objects, query)
        elif key not in objects:
            self.refuse(404, "NoSuchKey")
        else:
            self.get(objects[key])

    def put(self, objects: dict[str, bytes], key: str, body: bytes) -> None:
        known, wanted = objects.get(key), self.headers.get("If-Match")
        if self.server.conditional and self.headers.get("If-None-Match") == "*" and known is not None:
            self.refuse(412, "PreconditionFailed")
        elif self.server.conditional and wanted and (known is None or e_tag(known) != wanted):
            self.refuse(*((404, "NoSuchKey") if known is None else (412, "PreconditionFailed")))
        else:
            objects[key] = body
            self.reply(200, ETag=e_tag(body))

    def get(self, data: bytes) -> None:
        headers = {"ETag": e_tag(data), "Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
        asked = re.fullmatch(r"bytes=(\d*)-(\d+)", self.headers.get("Range", ""))
        if self.command == "HEAD":
            self.reply(200, b"", Content_Length=str(len(data)), **headers)
        elif asked:
            first, last = int(asked[1] or max(0, len(data) - int(asked[2]))), min(int(asked[2]), len(data) - 1)
            last = last if asked[1] else len(data) - 1
            self.reply(206, data[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(data)}", **headers)
        else:
            self.reply(200, data, **headers)

    def listing(self, objects: dict[str, bytes], query: dict[str, list[str]]) -> None:
        prefix = query.get("prefix", [""])[0]
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(e_tag(data))}</ETag><Size>{len(data)}</Size></Contents>"
            for key, data in sorted(objects.items())
            if key.startswith(prefix)
        )
        self.reply(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode())


class S3(ThreadingHTTPServer):
    """The server; ``fault`` says for a method and key what goes wrong: a status and code, or seconds of silence."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.buckets: dict[str, dict[str, bytes]] = {"bucket": {}}
        self.parts: dict[tuple[str, int], bytes] = {}
        self.seen: list[tuple[str, str]] = []
        self.sent: list[int] = []
        self.lock, self.conditional = threading.Lock(), True
        self.fault: Fault = lambda method, key: None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """Clients that give up are what is tested."""


def e_tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


@contextmanager
def serving() -> Iterator[S3]:
    with S3() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
