"""A provider that behaves badly: it redirects, drips, never ends, expands, or sends headers without end."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from personax.errors import FetchError, InputError
from personax.http import ApiClient, ApiError, TransientError
from personax.http._client import Client, WireRequest
from personax.http._request import FetchSettings
from personax.traits.llms import Model
from personax.traits.llms._chat_completions import OpenAIProvider
from personax.traits.llms._provider import ModelUnavailableError

Talk = Callable[[socket.socket], None]


def whole_request(there: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += there.recv(2**16)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
    while len(body) < length:
        body += there.recv(2**16)
    return head + b"\r\n\r\n" + body


@contextmanager
def provider(talk: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one connection after the other by ``talk``; yield the address and what was asked."""
    asked: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                there, _ = listening.accept()
            except TimeoutError:
                continue
            with there:
                there.settimeout(5)
                try:
                    asked.append(whole_request(there))
                    talk(there)
                except OSError:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", asked
    finally:
        ended.set()
        thread.join()
        listening.close()


def reply(status: str, body: bytes = b"", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def asked_once(url: str, timeout: float = 0.5, **more: Any) -> bytes:
    async def ask() -> bytes:
        client = ApiClient(url, "sk-secret", timeout=timeout)
        try:
            return await client.send("POST", "/chat/completions", json={"text": "Ann is kind"}, **more)
        finally:
            await client.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_people_s_texts_do_not_follow_a_redirect(status: str) -> None:
    with provider(lambda there: there.sendall(reply("200 OK", b"{}"))) as (other, got):
        location = f"location: {other}/chat/completions"
        with provider(lambda there: there.sendall(reply(f"{status} Elsewhere", b"", location))) as (url, _):
            with pytest.raises(ApiError) as error:
                asked_once(url)
            assert error.value.is_redirect
            model = OpenAIProvider(Model(name="a", model="m", base_url=url), None)
            with pytest.raises(ModelUnavailableError, match="nothing is sent on; correct base_url"):
                asyncio.run(model.ask([{"role": "user", "content": "Ann is kind"}], "key"))
    assert got == []


def drip(there: socket.socket) -> None:
    """Send a byte often enough that no read times out."""
    there.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    for _ in range(100):
        there.sendall(b" ")
        time.sleep(0.05)


def endless(there: socket.socket) -> None:
    there.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(10_000):
        there.sendall(b"10000\r\n" + b"a" * 2**16 + b"\r\n")


def headers_without_end(there: socket.socket) -> None:
    there.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        there.sendall(f"x-{number}: {'a' * 1000}\r\n".encode())


def interim_without_end(there: socket.socket) -> None:
    for _ in range(100):
        there.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.05)


BOMB = gzip.compress(b"\0" * 2**26)


def bomb(there: socket.socket) -> None:
    there.sendall(reply("200 OK", BOMB, "content-encoding: gzip"))


def bomb_of_an_error(there: socket.socket) -> None:
    there.sendall(reply("500 Broken", BOMB, "content-encoding: gzip"))


def unknown_packing(there: socket.socket) -> None:
    there.sendall(reply("200 OK", b"{}", "content-encoding: br"))


def longer_than_it_says(there: socket.socket) -> None:
    there.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n{}")


def no_http(there: socket.socket) -> None:
    there.sendall(b"220 mail.example ESMTP\r\n")


@pytest.mark.parametrize(
    "talk",
    [drip, endless, headers_without_end, interim_without_end, bomb, unknown_packing, longer_than_it_says, no_http],
)
def test_every_bad_reply_ends_soon_as_an_attempt_that_failed(talk: Talk) -> None:
    began = time.monotonic()
    with provider(talk) as (url, _), pytest.raises(TransientError):
        asked_once(url, max_bytes=2**20)
    assert time.monotonic() - began < 8


def test_an_error_that_expands_is_an_error_without_words() -> None:
    with provider(bomb_of_an_error) as (url, _), pytest.raises(ApiError) as error:
        asked_once(url)
    assert (error.value.status, error.value.body) == (500, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"choices": [{"message": {"content": ' + b"[" * 200_000,
        b'{"choices": ' + b"9" * 5000 + b"}",
        b'{"choices": NaN}',
        b"\xff\xfe\x00",
        b"",
    ],
    ids=["nested", "nested within", "long integer", "NaN", "no text", "empty"],
)
def test_json_that_cannot_be_read_is_an_attempt_that_failed(body: bytes) -> None:
    with provider(lambda there: there.sendall(reply("200 OK", body))) as (url, _):
        model = OpenAIProvider(Model(name="a", model="m", base_url=url), None)
        with pytest.raises(TransientError, match="not JSON"):
            asyncio.run(model.ask([{"role": "user", "content": "x"}], "key"))


def test_an_error_s_message_is_cut_and_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAX_TEST_KEY", "sk-secret-value")
    said = json.dumps({"error": {"message": "key sk-secret-value is bad " + "x" * 10_000}}).encode()
    with provider(lambda there: there.sendall(reply("500 No", said))) as (url, _):
        model = OpenAIProvider(Model(name="a", model="m", base_url=url, key="PERSONAX_TEST_KEY"), None)
        with pytest.raises(TransientError) as error:
            asyncio.run(model.ask([{"role": "user", "content": "x"}], "key"))
    assert len(str(error.value)) < 400
    assert "secret-value" not in str(error.value)


@pytest.mark.parametrize("url", ["http://x.example/v1", "http://10.0.0.1/v1", "http://127.0.0.1.x.example/v1",
                                 "http://2130706433/v1", "http://localhost.x.example/v1"])  # fmt: skip
def test_plain_http_is_for_this_machine(url: str) -> None:
    with pytest.raises(InputError, match="plain http"):
        Model(name="a", model="m", base_url=url)
    with pytest.raises(FetchError, match="plain http"):
        ApiClient(url, "k", timeout=1)


def test_a_key_of_a_source_is_not_sent_by_plain_http() -> None:
    async def allowed(url: object) -> None:
        raise AssertionError("nothing is asked")

    client = Client(None, FetchSettings(), allowed)  # type: ignore[arg-type]
    wire = WireRequest("http://x.example/a", {"X-Key": "s"}, None, frozenset({"x-key"}), None)
    with pytest.raises(FetchError, match="a key is not sent that way"):
        asyncio.run(client.send(wire))


def test_a_proxy_of_the_environment_never_gets_what_is_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(lambda there: there.sendall(reply("200 OK", b"{}"))) as (other, got):
        monkeypatch.setenv("HTTP_PROXY", other)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with provider(lambda there: there.sendall(reply("200 OK", b"{}"))) as (url, asked):
            asked_once(url)
    assert (len(got), len(asked)) == (0, 1)
