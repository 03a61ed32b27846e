"""Parts of the fetcher by themselves: addresses, waits, bodies, the cache."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import ipaddress
import sqlite3
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import FetchError, StudyError
from personax.http._cache import Cache, key_of
from personax.http._request import Page, Request
from personax.http._transport import BrokenBodyError, CheckedBackend, is_public, read_body

NOT_PUBLIC = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "x", "",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_judged_by_itself(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | number)
    translated = ipaddress.IPv6Address((0x64FF9B << 96) | number)
    assert is_public(str(mapped)) == is_public(str(translated)) == is_public(str(address))


class _Network(httpcore2.AnyIOBackend):
    def __init__(self) -> None:
        self.tried: list[str] = []

    async def connect_tcp(self, host: str, *args: object, **others: object) -> httpcore2.AsyncNetworkStream:
        self.tried.append(host)
        raise httpcore2.ConnectError("nobody there")


def connect(*answers: Sequence[str]) -> tuple[list[str], int, Exception]:
    """Connect once where the name server gives these answers in turn: addresses tried, times asked, how it ended."""
    asked = [0]

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked[0] += 1
        return answers[min(asked[0], len(answers)) - 1]

    backend = CheckedBackend(resolve=resolve)
    network = _Network()
    backend._network = network
    with pytest.raises((FetchError, httpcore2.ConnectError)) as ended:
        asyncio.run(backend.connect_tcp("example.org", 443))
    return network.tried, asked[0], ended.value


def test_a_name_that_is_bound_anew_is_connected_where_it_was_checked() -> None:
    tried, asked, _ = connect(["93.184.216.34"], ["127.0.0.1"])
    assert (tried, asked) == (["93.184.216.34"], 1)


def test_of_several_addresses_the_public_ones_are_tried() -> None:
    assert connect(["10.0.0.1", "93.184.216.34", "::1", "8.8.8.8"])[0] == ["93.184.216.34", "8.8.8.8"]
    tried, _, error = connect(["169.254.169.254", "::1"])
    assert tried == []
    assert isinstance(error, FetchError)


async def _of(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@given(st.binary(max_size=4000), st.lists(st.integers(0, 4000), max_size=5), st.sampled_from(["gzip", "deflate", ""]))
def test_a_body_comes_whole_however_it_is_cut_into_pieces(body: bytes, cuts: list[int], encoding: str) -> None:
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body) if encoding else body
    marks = sorted({0, len(packed), *(cut % (len(packed) + 1) for cut in cuts)})
    pieces = [packed[a:b] for a, b in pairwise(marks)]
    assert asyncio.run(read_body(_of(pieces), encoding, 4000)) == body


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 2000))
def test_a_packed_body_that_is_cut_is_never_taken_for_whole(body: bytes, cut: int) -> None:
    packed = gzip.compress(body)
    with pytest.raises(BrokenBodyError):
        asyncio.run(read_body(_of([packed[: -min(cut, len(packed))]]), "gzip", 4000))


@given(st.binary(max_size=300))
def test_bytes_that_are_no_gzip_give_a_named_error_or_a_body(raw: bytes) -> None:
    try:
        asyncio.run(read_body(_of([raw]), "gzip", 10**5))
    except (BrokenBodyError, FetchError):
        return
    assert gzip.decompress(raw) is not None


PAGE = Page("https://example.org/x", "2026-01-02T03:04:05+00:00", 200, "", "text/plain", b"hello")


def put(cache: Cache, request: Request, **headers: str) -> str:
    key = key_of(request)
    cache.put(key, request.url, replace(PAGE, sha256=hashlib.sha256(PAGE.body).hexdigest()), headers)
    return key


def test_the_cache_gives_back_what_it_was_given_and_no_cookie(tmp_path: Path) -> None:
    with Cache(tmp_path / "c.sqlite") as cache:
        key = put(cache, Request("https://example.org/x"), etag='"1"', **{"set-cookie": "s3cret"})
    with Cache(tmp_path / "c.sqlite") as cache:
        held = cache.get(key)
        assert held is not None
        assert (held.page.body, held.page.time, held.page.cached) == (PAGE.body, PAGE.time, True)
        assert held.headers == {"etag": '"1"'}
        assert cache.get("another") is None
        assert len(cache) == 1
    assert b"s3cret" not in (tmp_path / "c.sqlite").read_bytes()


def test_a_page_that_was_changed_on_disk_is_fetched_again(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    with Cache(file) as cache:
        key = put(cache, Request("https://example.org/x"))
    database = sqlite3.connect(file)
    database.execute("UPDATE pages SET body = ?", (zlib.compress(b"forged"),))
    database.commit()
    database.close()
    with Cache(file) as cache:
        assert cache.get(key) is None


def test_a_page_that_is_replaced_is_kept_with_its_date(tmp_path: Path) -> None:
    """A player's page of last year is what a later wave is compared to; also where the site has none any more."""
    pages = [
        Page(
            "https://example.org/1", f"202{n}-01-01T00:00:00+00:00", status, hashlib.sha256(body).hexdigest(), "", body
        )
        for n, (status, body) in enumerate([(200, b"80 kg"), (200, b"80 kg"), (200, b"90 kg"), (404, b"gone")])
    ]
    with Cache(tmp_path / "c.sqlite") as cache:
        for page in pages:
            cache.put("key", page.url, page, {})
        now = cache.get("key")
        assert now is not None
        assert now.page.status == 404
        assert [(one.page.time[:4], one.page.body) for one in cache.earlier("key")] == [
            ("2021", b"80 kg"), ("2022", b"90 kg"),
        ]  # fmt: skip
        assert len(cache) == 1


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_text("not a database" * 100)
    with pytest.raises(StudyError, match="cannot be used as a cache"):
        Cache(tmp_path / "c.sqlite")
    database = sqlite3.connect(tmp_path / "d.sqlite")
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(StudyError, match="format 99"):
        Cache(tmp_path / "d.sqlite")


def test_what_changes_an_answer_changes_its_key() -> None:
    one = Request("https://example.org/x", {"A": "1", "K": "k"}, secret=("k",))
    same = Request("https://example.org/x", {"k": "other", "a": "1"}, secret=("K",))
    others = [
        Request("https://example.org/y", {"A": "1"}), Request("https://example.org/x", {"A": "2"}),
        Request("https://example.org/x", {"A": "1"}, {"q": 1}),
        Request("https://example.org/x", {"A": "1"}, accepts=("text/html",)),
    ]  # fmt: skip
    assert key_of(one) == key_of(same)
    assert len({key_of(request) for request in (one, *others)}) == 5
