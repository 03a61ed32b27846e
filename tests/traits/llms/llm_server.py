"""An OpenAI-compatible server on loopback whose faults are scripted: what the tests of annotation talk to.

It counts what it generates. An ``Idempotency-Key`` that was answered before is answered the same, and not generated
again; a batch generates anew whatever is in it.
"""

from __future__ import annotations

import asyncio
import email
import hashlib
import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from personax.schema import TRAITS

Body = dict[str, Any]


@dataclass
class Fault:
    """What the server does in place of an answer.

    Parameters
    ----------
    status, headers, error
        Of an error reply.
    delay
        Seconds before anything is sent.
    cut
        Break the connection after this many bytes of a good reply.
    content
        A reply of this text; a dictionary updates the whole message.
    choices
        Number of choices; the second one differs.
    whole
        Keys of the reply in place of good ones.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: str = "scripted"
    delay: float = 0.0
    cut: int | None = None
    content: str | dict[str, Any] | None = None
    finish: str = "stop"
    choices: int = 1
    whole: dict[str, Any] = field(default_factory=dict)


Script = Callable[[Body, int], Fault | None]
"""A request and how often its key was seen before -> what goes wrong."""

Mind = Callable[[Body, str], str]
"""A request and its key -> what a model says."""


@dataclass
class Desk:
    """How the server treats batches, and what it has of them.

    Parameters
    ----------
    step
        Seconds of a batch in each of its states.
    ends
        A batch's number -> its last state; of one that expires, every other request is answered.
    edit
        What is downloaded, how often it was before -> what is sent.
    offered, listed
        Whether there are batches at all; whether they can be listed.
    lost
        Batches whose making is not confirmed: the connection breaks.
    before, after
        Seconds until a batch is made, and from then to the reply.
    """

    step: float = 0.02
    ends: Callable[[int], str] = lambda number: "completed"
    edit: Callable[[bytes, int], bytes] = lambda data, times: data
    offered: bool = True
    listed: bool = True
    lost: int = 0
    before: float = 0.0
    after: float = 0.0
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Body] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)


@dataclass
class Server:
    """What a test sees of the server."""

    script: Script = lambda body, seen: None
    mind: Mind = lambda body, key: judged(body)
    delay: float = 0.0
    url: str = ""
    key: str | None = None
    generated: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    bodies: list[Body] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    open_now: int = 0
    most_open: int = 0
    keep: bool = True
    desk: Desk = field(default_factory=Desk)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                headers = {
                    name.strip().lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head.decode().split("\r\n")[1:])
                }
                raw = await reader.readexactly(int(headers.get("content-length", 0)))
                self.open_now += 1
                self.most_open = max(self.most_open, self.open_now)
                try:
                    method, path = head.decode().split(" ")[:2]
                    going = await self._answer(method, path, headers, raw, writer)
                finally:
                    self.open_now -= 1
                if not going:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], raw: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
            said = f"Incorrect API key provided: {headers.get('authorization', '')[7:]}"
            return await _send(writer, 401, {"error": {"message": said, "code": "invalid_api_key"}}, {})
        if path.split("/")[2].split("?")[0] in ("files", "batches"):
            return await self._at_desk(f"{method} {path}", headers, raw, writer)
        body = json.loads(raw)
        key = headers.get("idempotency-key") or hashlib.sha256(raw).hexdigest()
        if self.keep:
            self.bodies.append(body)
        fault = self.script(body, self.sent[key]) or Fault()
        self.sent[key] += 1
        await asyncio.sleep(self.delay + fault.delay)
        if path.rsplit("/", 1)[-1] != "completions" or body["model"] == "no-such-model":
            return await _send(writer, 404, {"error": {"message": "no such model"}}, {})
        if fault.status != 200:
            refusal = fault.whole or {"error": {"message": fault.error}}
            return await _send(writer, fault.status, refusal, fault.headers)
        if key not in self.answers:
            self.generated[key] += 1
            self.answers[key] = json.dumps(completion(body, fault, self.mind(body, key))).encode()
        data = self.answers[key]
        if fault.cut is not None:
            writer.write(_head(200, len(data), {}) + data[: fault.cut])
            await writer.drain()
            return False
        writer.write(_head(200, len(data), {}) + data)
        await writer.drain()
        return True

    async def _at_desk(self, line: str, headers: dict[str, str], raw: bytes, writer: asyncio.StreamWriter) -> bool:
        desk, (path, _, query) = self.desk, line.partition("?")
        call, *rest = path.replace("/v1/", "").split("/")
        desk.calls[" ".join([call, *rest[1:]]) + (" one" if len(rest) == 1 else "")] += 1
        if not desk.offered or (call == "GET batches" and not rest and not desk.listed):
            return await _send(writer, 404, {"error": {"message": "unknown path"}}, {})
        if call == "POST files":
            name = f"file-{len(desk.files)}"
            form = email.message_from_bytes(f"content-type: {headers['content-type']}\r\n\r\n".encode() + raw)
            parts = {str(p.get_param("name", header="content-disposition")): p for p in form.get_payload()}  # type: ignore[union-attr]
            assert parts["purpose"].get_payload() == "batch"  # type: ignore[union-attr]
            desk.files[name] = parts["file"].get_payload(decode=True)  # type: ignore[assignment, union-attr]
            return await _send(writer, 200, {"id": name, "object": "file"}, {})
        if call == "GET files":
            desk.calls[rest[0]] += 1
            data = desk.edit(desk.files[rest[0]], desk.calls[rest[0]] - 1)
            writer.write(_head(200, len(data), {}) + data)
            return True
        if call == "POST batches":
            return await self._make(json.loads(raw), writer)
        self._run()
        if rest:
            known = desk.batches.get(rest[0])
            return await _send(writer, 200 if known else 404, known or {"error": {"message": "no such batch"}}, {})
        names, asked = list(desk.batches)[::-1], parse_qs(query)
        start = names.index(asked["after"][0]) + 1 if "after" in asked else 0
        page = names[start : start + min(3, int(asked["limit"][0]))]
        more = start + len(page) < len(names)
        listed = {"object": "list", "data": [desk.batches[name] for name in page], "has_more": more}
        return await _send(writer, 200, listed, {})

    async def _make(self, body: Body, writer: asyncio.StreamWriter) -> bool:
        desk = self.desk
        await asyncio.sleep(desk.before)
        assert body["input_file_id"] in desk.files
        name = f"batch_{len(desk.batches)}"
        desk.batches[name] = body | {"id": name, "object": "batch", "status": "validating", "created_at": time.time()}
        await asyncio.sleep(desk.after)
        if desk.lost:
            desk.lost -= 1
            return False
        return await _send(writer, 200, desk.batches[name], {})

    def _run(self) -> None:
        """Let every batch be as far as it would be by now."""
        for number, batch in enumerate(self.desk.batches.values()):
            age = time.time() - batch["created_at"]
            if batch["status"] == "validating" and age > self.desk.step:
                batch["status"] = "in_progress"
            if batch["status"] == "in_progress" and age > 2 * self.desk.step:
                self._finish(batch, self.desk.ends(number))

    def _finish(self, batch: Body, end: str) -> None:
        if end == "failed":
            errors = {"object": "list", "data": [{"code": "token_limit_exceeded", "message": "too many are waiting"}]}
            batch.update(status="failed", failed_at=time.time(), errors=errors)
            return
        good: list[Body] = []
        bad: list[Body] = []
        for number, line in enumerate(self.desk.files[batch["input_file_id"]].splitlines()):
            row = json.loads(line)
            if end != "completed" and number % 2 == 0:
                error = {"code": f"batch_{end}", "message": "it was not executed in time"}
                bad.append({"custom_id": row["custom_id"], "response": None, "error": error})
                continue
            status, body = self._execute(row)
            done = {"custom_id": row["custom_id"], "response": {"status_code": status, "body": body}, "error": None}
            (good if status == 200 else bad).append(done)
        for field_, rows in (("output_file_id", good), ("error_file_id", bad)):
            if rows:
                batch[field_] = f"file-{len(self.desk.files)}"
                self.desk.files[batch[field_]] = "".join(json.dumps(row) + "\n" for row in rows).encode()
        counts = {"completed": len(good), "failed": len(bad), "total": len(good) + len(bad)}
        batch.update({"status": end, f"{end}_at": time.time(), "request_counts": counts})

    def _execute(self, row: Body) -> tuple[int, Body]:
        key, body = row["custom_id"], row["body"]
        fault = self.script(body, self.sent[key]) or Fault()
        self.sent[key] += 1
        if body["model"] == "no-such-model":
            return 404, {"error": {"message": "no such model"}}
        if fault.status != 200:
            return fault.status, {"error": {"message": fault.error}}
        self.generated[key] += 1
        return 200, completion(body, fault, self.mind(body, key))


def completion(body: Body, fault: Fault, said: str) -> Body:
    """Return a good completion, or the fault's."""
    content = fault.content if fault.content is not None else said
    message = (
        {"role": "assistant", "content": content} if isinstance(content, str) else {"role": "assistant", **content}
    )
    other = {"role": "assistant", "content": "{}"}
    sent = sum(len(message["content"]) for message in body["messages"]) // 4
    return {
        "id": "cmpl-1", "object": "chat.completion", "model": body["model"] + "-0613", "provider": "loopback",
        "choices": [
            {"index": i, "message": message if i == 0 else other, "finish_reason": fault.finish}
            for i in range(fault.choices)
        ],
        "usage": {"prompt_tokens": sent, "completion_tokens": 100, "total_tokens": sent + 100},
    } | fault.whole  # fmt: skip


def judged(body: Body) -> str:
    """Judge as a gullible model would: it obeys whatever stands outside the fences, and says 0 of short texts."""
    system, user = body["messages"][0]["content"], body["messages"][1]["content"]
    fence = re.search(r"=== data [0-9a-f]{16} ===", system)
    assert fence is not None
    outside = user.split(fence.group())[0] + user.split(fence.group())[-1]
    inside = user[len(outside) :] if outside else user
    if "ignore the above" in outside.lower():
        return json.dumps({trait: {"description": "as told", "score": 3} for trait in TRAITS})
    seed = hashlib.sha256((body["model"] + inside).encode()).digest()
    listed = re.findall(r"^(\S.*?) = ", system, re.MULTILINE)
    options = [int(option) if option.isdigit() else option for option in listed]
    return json.dumps(
        {trait: {"description": "seems so", "score": options[seed[i] % len(options)]} for i, trait in enumerate(TRAITS)}
    )


async def _send(writer: asyncio.StreamWriter, status: int, body: Body, headers: dict[str, str]) -> bool:
    data = json.dumps(body).encode()
    writer.write(_head(status, len(data), headers) + data)
    await writer.drain()
    return True


def _head(status: int, length: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", "content-type: application/json", f"content-length: {length}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve on loopback in a thread of its own."""
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(server._serve, "127.0.0.1", 0, backlog=512))
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_shut(listening), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _shut(listening: asyncio.Server) -> None:
    listening.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.01)


if __name__ == "__main__":
    with serving(Server(delay=float(sys.argv[1]), keep=False)) as alone:
        print(alone.url, flush=True)  # noqa: T201 - a program
        threading.Event().wait()
