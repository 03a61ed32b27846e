"""Connections that stay open: no reply is taken for another request's, and TLS checks who answers."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from personax.errors import FetchError
from personax.http import ApiClient, TransientError, _connection


def request_of(there: socket.socket) -> dict[str, Any] | None:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = there.recv(2**16)
        if not piece:
            return None
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += there.recv(2**16)
    return {**json.loads(body), "head": head.decode()}


@contextmanager
def served(
    answer: Callable[[socket.socket, dict[str, Any], int], bool], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve connections one after another; ``answer`` says whether a connection stays open."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)
    ended, known = threading.Event(), [0]

    def serve() -> None:
        while not ended.is_set():
            try:
                there, _ = listening.accept()
            except TimeoutError:
                continue
            try:
                there.settimeout(2)
                with tls.wrap_socket(there, server_side=True) if tls else there as talking:
                    while (asked := request_of(talking)) is not None and answer(talking, asked, known[0]):
                        known[0] += 1
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        ended.set()
        thread.join()
        listening.close()


def reply(body: bytes, *headers: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", f"content-length: {len(body)}", *headers]).encode() + b"\r\n\r\n" + body


def asked(url: str, number: int, wait: float = 0.0) -> list[bytes | str]:
    async def ask() -> list[bytes | str]:
        given: dict[str, Any] = {"params": {"v": "1 2"}, "headers": {"User-Agent": "mine"}}
        client = ApiClient(url, "k", timeout=2)
        found: list[bytes | str] = []
        try:
            for k in range(number):
                try:
                    found.append(await client.send("POST", "/x", json={"k": k}, **given))
                except TransientError as error:
                    found.append(str(error))
                await asyncio.sleep(wait)
        finally:
            await client.close()
            await client.close()
        return found

    return asyncio.run(ask())


def test_a_connection_is_used_again_and_requests_say_what_they_must() -> None:
    heads: list[str] = []

    def answer(there: socket.socket, request: dict[str, Any], known: int) -> bool:
        heads.append(request["head"])
        there.sendall(reply(b"%d" % request["k"]))
        return True

    with served(answer) as url:
        assert asked(f"{url}/a%20b", 4) == [b"0", b"1", b"2", b"3"]
    assert heads[0].startswith("POST /v1/a%20b/x?v=1+2 HTTP/1.1")
    assert heads[0].lower().count("user-agent:") == 1
    assert f"host: {url[7:-3]}" in heads[0].lower()
    assert "authorization: bearer k" in heads[0].lower()


def test_bytes_that_nobody_asked_for_are_no_reply_to_the_next_request() -> None:
    """Taken for the next reply, they would be somebody else's scores."""

    def doubled(there: socket.socket, request: dict[str, Any], known: int) -> bool:
        there.sendall(reply(b"%d" % request["k"]) + reply(b"wrong"))
        return True

    def late(there: socket.socket, request: dict[str, Any], known: int) -> bool:
        there.sendall(reply(b"%d" % request["k"]))
        threading.Timer(0.05, there.sendall, [reply(b"wrong")]).start()
        return True

    with served(doubled) as url:
        assert asked(url, 3) == [b"0", b"1", b"2"]
    with served(late) as url:
        assert asked(url, 3, wait=0.2) == [b"0", b"1", b"2"]


def test_a_connection_that_the_server_closes_is_replaced() -> None:
    def closes(there: socket.socket, request: dict[str, Any], known: int) -> bool:
        there.sendall(reply(b"%d" % request["k"], *(["connection: close"] if request["k"] % 2 else [])))
        return False

    with served(closes) as url:
        assert asked(url, 4, wait=0.05) == [b"0", b"1", b"2", b"3"]


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + CHUNKED, b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "broke off"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "broke off"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "broke off"),
        (b"", "broke off"),
    ],
)
def test_forms_of_replies(said: bytes, found: bytes | str) -> None:
    def answer(there: socket.socket, request: dict[str, Any], known: int) -> bool:
        there.sendall(said)
        return False

    with served(answer) as url:
        (got,) = asked(url, 1)
    assert found in got if isinstance(found, str) and isinstance(got, str) else got == found


def test_a_header_that_cannot_be_sent_is_not_quoted() -> None:
    async def ask(url: str) -> None:
        client = ApiClient(url, "se\ncret", timeout=2)
        try:
            await client.send("POST", "/x", json={})
        finally:
            await client.close()

    with served(lambda *_: False) as url, pytest.raises(FetchError) as error:
        asyncio.run(ask(url))
    assert "cret" not in str(error.value)


def certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    kept = serialization.PrivateFormat.PKCS8
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, kept, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_tls_is_with_whom_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)

    def answer(there: socket.socket, request: dict[str, Any], known: int) -> bool:
        there.sendall(reply(b"%d" % request["k"]))
        return True

    with served(answer, server) as url:
        assert asked(url, 1) == ["the connection failed or broke off"], "nobody vouches for this certificate"
        monkeypatch.setattr(_connection, "_tls", lambda: ssl.create_default_context(cafile=str(path)))
        assert asked(url, 2) == [b"0", b"1"]
