"""An OpenAI-compatible server on loopback whose faults are scripted: what the tests of annotation talk to.

It counts what it generates. An ``Idempotency-Key`` that was answered before is answered the same, and not generated
again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

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
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: str = "scripted"
    delay: float = 0.0
    cut: int | None = None
    content: str | dict[str, Any] | None = None
    finish: str = "stop"
    choices: int = 1


Script = Callable[[Body, int], Fault | None]
"""A request and how often its key was seen before -> what goes wrong."""

Mind = Callable[[Body, str], str]
"""A request and its key -> what a model says."""


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
                    going = await self._answer(head.split(b" ")[1].decode(), headers, raw, writer)
                finally:
                    self.open_now -= 1
                if not going:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, headers: dict[str, str], raw: bytes, writer: asyncio.StreamWriter) -> bool:
        if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
            said = f"Incorrect API key provided: {headers.get('authorization', '')[7:]}"
            return await _send(writer, 401, {"error": {"message": said, "code": "invalid_api_key"}}, {})
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
            return await _send(writer, fault.status, {"error": {"message": fault.error}}, fault.headers)
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
    }  # fmt: skip


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
        print(alone.url, flush=True)  # noqa: T201
        threading.Event().wait()
