"""Batches in Anthropic's and in Google's form, on loopback: what their documentation says is asked and answered."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from personax.schema import TRAITS

SAID = json.dumps({trait: {"description": "calm", "score": 2} for trait in TRAITS})
WHEN = "2026-11-30T10:00:00Z"


@dataclass
class Batches:
    """What a test sees of the server.

    Parameters
    ----------
    form
        ``anthropic`` or ``gemini``.
    polls
        How often a batch is looked at before it has ended.
    lost
        Batches whose making is not confirmed: the connection breaks.
    result
        Key, and how often it was asked before -> in place of an answer, the whole row.
    """

    form: str
    polls: int = 1
    lost: int = 0
    result: Callable[[str, int], dict[str, Any] | None] = lambda key, before: None
    url: str = ""
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    generated: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    ends: str = "SUCCEEDED"

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        return (
            self._anthropic(method, path, query, body)
            if self.form == "anthropic"
            else self._gemini(method, path, query, body)
        )

    def _made(self, name: str, rows: list[dict[str, Any]], told: str = "") -> dict[str, Any] | None:
        key = "custom_id" if self.form == "anthropic" else "key"
        self.batches[name] = {"rows": [(row[key], row) for row in rows], "left": self.polls, "told": told}
        if self.lost:
            self.lost -= 1
            return None
        return self._state(name)

    def _results(self, name: str) -> bytes:
        batch = self.batches[name]
        if "results" not in batch:
            lines = []
            for key, _ in batch["rows"][::-1]:  # in any order
                row = self.result(key, self.generated[key])
                self.generated[key] += 1
                lines.append(json.dumps(row or self._row(key)))
            batch["results"] = "\n".join(lines).encode()
        return bytes(batch["results"])

    def _row(self, key: str) -> dict[str, Any]:
        if self.form == "gemini":
            parts = [{"text": "thinking", "thought": True}, {"text": SAID}]
            response = {"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}],
                        "usageMetadata": {"promptTokenCount": 300, "candidatesTokenCount": 90}}  # fmt: skip
            return {"key": key, "response": response}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
                   "content": [{"type": "text", "text": SAID}], "stop_reason": "end_turn",
                   "usage": {"input_tokens": 300, "output_tokens": 90}}  # fmt: skip
        return {"custom_id": key, "result": {"type": "succeeded", "message": message}}

    def _state(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        ended, number = batch["left"] <= 0, len(batch["rows"])
        if self.form == "gemini":
            told = {"@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
                    "model": "models/g", "displayName": batch["told"], "createTime": WHEN,
                    "state": f"BATCH_STATE_{self.ends if ended else 'RUNNING'}", "name": name,
                    "batchStats": {"requestCount": str(number), "successfulRequestCount": str(ended)}}  # fmt: skip
            if not ended:
                return {"name": name, "metadata": told}
            if self.ends != "SUCCEEDED":
                return {"name": name, "metadata": told, "done": True, "error": {"code": 13, "message": "sorry"}}
            response = {
                "@type": "type.googleapis.com/...GenerateContentBatchOutput",
                "responsesFile": f"files/{name[8:]}",
            }
            return {"name": name, "metadata": told, "done": True, "response": response}
        counts = {"processing": 0 if ended else number, "succeeded": number if ended else 0, "errored": 0,
                  "canceled": 0, "expired": 0}  # fmt: skip
        return {
            "id": name, "type": "message_batch", "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts, "created_at": WHEN, "ended_at": WHEN.replace("10:", "11:") if ended else None,
            "results_url": "https://elsewhere.example/steal" if ended else None,
        }  # fmt: skip

    def _anthropic(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        if method == "POST" and path == "/v1/messages/batches":
            rows = json.loads(body)["requests"]
            assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", row["custom_id"]) for row in rows)
            return 200, self._made(f"msgbatch_{len(self.batches)}", rows)
        name = path.removeprefix("/v1/messages/batches").strip("/").removesuffix("/results")
        if not name:
            names, size = list(self.batches)[::-1], min(2, int(query["limit"][0]))
            start = names.index(query["after_id"][0]) + 1 if "after_id" in query else 0
            page = [self._state(one) for one in names[start : start + size]]
            return 200, {"data": page, "has_more": start + size < len(names)}
        if name not in self.batches:
            return 404, {"type": "error", "error": {"type": "not_found_error", "message": "no such batch"}}
        if path.endswith("/results"):
            return 200, self._results(name)
        self.batches[name]["left"] -= 1
        return 200, self._state(name)

    def _gemini(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        if path == "/upload/v1beta/files":
            _, told, data = re.split(rb"\r\n\r\n", body, maxsplit=2)
            assert json.loads(told.partition(b"\r\n--")[0])["file"]["mimeType"] == "application/jsonl"
            name = f"files/in{len(self.files)}"
            self.files[name] = data.rpartition(b"\r\n--")[0]
            return 200, {"file": {"name": name, "uri": "https://elsewhere.example"}}
        if method == "POST" and path == "/v1beta/models/g:batchGenerateContent":
            told = json.loads(body)["batch"]
            rows = [json.loads(line) for line in self.files[told["inputConfig"]["fileName"]].splitlines()]
            assert all({"contents", "generationConfig"} <= row["request"].keys() for row in rows)
            return 200, self._made(f"batches/b{len(self.batches)}", rows, told["displayName"])
        if path == "/v1beta/batches":
            names = list(self.batches)[::-1]
            start = int(query.get("pageToken", ["0"])[0])
            page = [self._state(one) for one in names[start : start + 2]]
            more = {"nextPageToken": str(start + 2)} if start + 2 < len(names) else {}
            return 200, ({"operations": page} if page else {}) | more
        if path.startswith("/download/v1beta/files/"):
            assert query == {"alt": ["media"]}
            return 200, self._results("batches/" + path.split("/")[-1].removesuffix(":download"))
        name = path.removeprefix("/v1beta/")
        if name not in self.batches:
            return 404, {"error": {"code": 404, "message": "no such batch", "status": "NOT_FOUND"}}
        self.batches[name]["left"] -= 1
        return 200, self._state(name)


@contextmanager
def serving_batches(batches: Batches) -> Iterator[Batches]:
    """Serve on loopback in threads."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            batches.asked.append((self.command, parts.path, {k.lower(): v for k, v in self.headers.items()}))
            status, told = batches.answer(self.command, parts.path, parse_qs(parts.query), body)
            if told is None:
                self.close_connection = True
                return
            data = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _serve

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    path = "v1" if batches.form == "anthropic" else "v1beta"
    batches.url = f"http://127.0.0.1:{server.server_address[1]}/{path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield batches
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
