"""The fetcher against a real site with scripted trouble."""

from __future__ import annotations

import asyncio
import email.utils
import gzip
import hashlib
import logging
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.http.site import Asked, Reply, Site, bomb, of_json, serving

from personax.errors import FetchError, PlanError
from personax.http import FetchSettings
from personax.http._cache import Cache
from personax.http._fetcher import Fetcher
from personax.http._request import Page, Request

QUICK: dict[str, Any] = {"per_second": None, "backoff": 0.01, "read_seconds": 0.4, "total_seconds": 1.5}


def fetch(
    site: Site, folder: Path, requests: Sequence[str | Request], *, hosts: Sequence[str] = (), **settings: Any
) -> list[Page | FetchError]:
    """Fetch requests of a site all together; an error stands for a page that could not be had."""
    limits = FetchSettings(**{**QUICK, **{k: v for k, v in settings.items() if k in FetchSettings.model_fields}})
    others = {k: v for k, v in settings.items() if k not in FetchSettings.model_fields}

    async def run() -> list[Page | FetchError]:
        with Cache(folder / "pages.sqlite") as cache:
            fetcher = Fetcher(
                cache, contact="a@example.org", rng=np.random.default_rng(0), settings=limits,
                **{"reachable": ("127.0.0.1",), **others},
            )  # fmt: skip
            async with fetcher:
                ask = fetcher.for_hosts([site.host, *hosts])
                made = [r if isinstance(r, Request) else Request(site.url + r) for r in requests]
                found = await asyncio.gather(*map(ask, made), return_exceptions=True)
        for each in found:
            if not isinstance(each, Page | FetchError):
                raise each
        return found  # type: ignore[return-value]

    return asyncio.run(run())


def page(found: Page | FetchError) -> Page:
    assert isinstance(found, Page), found
    return found


def why(found: Page | FetchError) -> str:
    assert isinstance(found, FetchError), found
    return str(found)


@contextmanager
def site_of(*replies: Reply, **settings: Any) -> Iterator[Site]:
    """Serve replies in turn for every path; the last one again and again."""
    site = Site(lambda asked, times: replies[min(times, len(replies) - 1)], **settings)
    with serving(site):
        yield site


GOOD = Reply(b'{"a": 1}')


def test_a_page_comes_with_its_hash_and_we_say_who_we_are(tmp_path: Path) -> None:
    with site_of(GOOD) as site:
        got = page(fetch(site, tmp_path, ["/x"])[0])
    assert (got.body, got.status, got.content_type, got.cached) == (b'{"a": 1}', 200, "application/json", False)
    assert got.sha256 == hashlib.sha256(b'{"a": 1}').hexdigest()
    assert site.pages[0].headers["user-agent"].endswith("(+a@example.org)")
    assert site.pages[0].headers["user-agent"].startswith("personax/")


@pytest.mark.parametrize("contact", [None, "", "nobody", "a b@example.org", "x@example.org)\r\nevil: 1"])
def test_nobody_is_asked_without_a_contact(tmp_path: Path, contact: str | None) -> None:
    with Cache(tmp_path / "c") as cache, pytest.raises(PlanError, match="contact"):
        Fetcher(cache, contact=contact, rng=np.random.default_rng(0))


def test_a_second_run_sends_nothing_and_gives_the_same(tmp_path: Path) -> None:
    with site_of(GOOD) as site:
        first = page(fetch(site, tmp_path, ["/x"])[0])
        before = len(site.asked)
        again = page(fetch(site, tmp_path, ["/x"])[0])
        offline = page(fetch(site, tmp_path, ["/x"], offline=True)[0])
        assert "not in the cache" in why(fetch(site, tmp_path, ["/y"], offline=True)[0])
        assert len(site.asked) == before
    assert again.cached
    assert (again.body, again.time, again.url) == (first.body, first.time, first.url) == (
        offline.body, offline.time, offline.url,
    )  # fmt: skip


def test_a_refresh_asks_on_condition_and_keeps_what_is_unchanged(tmp_path: Path) -> None:
    def script(asked: Asked, times: int) -> Reply:
        if asked.headers.get("if-none-match") == '"one"':
            return Reply(status=304)
        return Reply(b"[]", headers={"ETag": '"one"'})

    site = Site(script)
    with serving(site):
        first = page(fetch(site, tmp_path, ["/x"])[0])
        again = page(fetch(site, tmp_path, ["/x"], refresh=True)[0])
    assert len(site.pages) == 2
    assert (again.body, again.time) == (first.body, first.time)
    assert not again.cached


def test_a_refresh_by_date_and_one_that_fails_keeps_the_old_page(tmp_path: Path) -> None:
    since = "Wed, 21 Oct 2026 07:28:00 GMT"
    with site_of(Reply(b"[]", headers={"Last-Modified": since}), Reply(status=500)) as site:
        fetch(site, tmp_path, ["/x"])
        assert page(fetch(site, tmp_path, ["/x"], refresh=True)[0]).body == b"[]"
    assert site.pages[1].headers["if-modified-since"] == since
    assert len(site.pages) == 5


@pytest.mark.parametrize(
    "trouble",
    [Reply(status=403), Reply(status=503), Reply(b"x" * 99, cut=9), Reply(delay=0.6), Reply(status=429),
     Reply(gzip.compress(b"1234567890")[:-9], headers={"content-encoding": "gzip"})],
    ids=["403", "503", "cut", "hang", "429", "cut gzip"],
)  # fmt: skip
def test_passing_trouble_costs_another_try_and_no_page(tmp_path: Path, trouble: Reply) -> None:
    with site_of(trouble, trouble, GOOD) as site:
        assert page(fetch(site, tmp_path, ["/x"])[0]).body == GOOD.body
    assert len(site.pages) == 3


def test_tries_are_bounded_and_what_failed_is_not_kept(tmp_path: Path) -> None:
    with site_of(Reply(status=503), robots="") as site:
        assert "in 3 tries: it answers with status 503" in why(fetch(site, tmp_path, ["/x"], attempts=3)[0])
        assert len(site.pages) == 3
        fetch(site, tmp_path, ["/x"], attempts=2)
        assert len(site.pages) == 5


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_site_that_asks_for_a_wait_gets_it_from_all_requests(tmp_path: Path, form: str) -> None:
    def script(asked: Asked, times: int) -> Reply:
        if asked.path == "/x" and times == 0:
            until = "1" if form == "seconds" else email.utils.formatdate(time.time() + 2, usegmt=True)
            return Reply(status=429, headers={"Retry-After": until})
        return GOOD

    site = Site(script)
    with serving(site):
        found = fetch(site, tmp_path, ["/x", "/y", "/z"], concurrency=1)
    assert all(isinstance(each, Page) for each in found)
    refused = next(asked for asked in site.pages if asked.path == "/x")
    later = [asked.time - refused.time for asked in site.pages if asked.time > refused.time]
    assert min(later) >= 0.95


def test_a_site_that_asks_for_too_long_a_wait_is_left_alone(tmp_path: Path) -> None:
    with site_of(Reply(status=429, headers={"Retry-After": "86400"})) as site:
        found = fetch(site, tmp_path, [f"/{i}" for i in range(9)], concurrency=1)
    assert len(site.pages) == 1
    assert all("no more requests" in why(each) for each in found)


def test_a_site_that_only_fails_is_left_alone(tmp_path: Path) -> None:
    with site_of(Reply(status=500)) as site:
        found = fetch(site, tmp_path, [f"/{i}" for i in range(40)], concurrency=1, attempts=1, failures=4)
    assert len(site.pages) == 4
    assert sum("no more requests" in why(each) for each in found) == 36


def test_the_most_at_once_and_the_rate_are_kept_as_the_site_counts(tmp_path: Path) -> None:
    with site_of(GOOD, delay=0.05) as site:
        fetch(site, tmp_path / "a", [f"/{i}" for i in range(30)], concurrency=3)
    assert site.most_at_once == 3
    with site_of(GOOD) as site:
        fetch(site, tmp_path / "b", [f"/{i}" for i in range(10)], concurrency=5, per_second=20)
    began = [asked.time for asked in site.asked]
    assert len(began) == 11
    assert began[-1] - began[0] >= 10 / 20 - 0.05


def test_two_sites_do_not_wait_for_each_other(tmp_path: Path) -> None:
    slow, quick = Site(lambda asked, times: Reply(delay=0.3)), Site(lambda asked, times: GOOD)
    with serving(slow, quick):
        requests = [Request(f"{slow.url}/{i}") for i in range(4)] + [Request(f"{quick.url}/{i}") for i in range(4)]
        fetch(slow, tmp_path, requests, hosts=[quick.host], concurrency=1)
    assert max(asked.time for asked in quick.pages) < max(asked.time for asked in slow.pages)


def test_robots_txt_is_read_once_and_obeyed(tmp_path: Path) -> None:
    rules = "User-agent: *\nDisallow: /\n\nUser-agent: personax\nDisallow: /private\n"
    with site_of(GOOD, robots=rules) as site:
        kept, allowed, other = fetch(site, tmp_path, ["/private/x", "/x", "/y"])
    assert "robots.txt does not allow" in why(kept)
    assert page(allowed).body == page(other).body == GOOD.body
    assert site.seen["/robots.txt"] == 1
    assert "/private/x" not in site.seen


@pytest.mark.parametrize(("status", "may"), [(404, True), (403, True), (401, True), (500, False), (429, False)])
def test_a_robots_txt_that_is_refused_allows_and_one_that_fails_forbids(tmp_path: Path, status: int, may: bool) -> None:
    with site_of(GOOD, robots=status) as site:
        found = fetch(site, tmp_path, ["/x"])[0]
    assert isinstance(found, Page) == may
    assert may or "could not be read" in why(found)


def test_a_crawl_delay_is_kept(tmp_path: Path) -> None:
    with site_of(GOOD, robots="User-agent: *\nCrawl-delay: 0.2\n") as site:
        fetch(site, tmp_path, [f"/{i}" for i in range(4)], concurrency=4)
    assert site.pages[-1].time - site.pages[0].time >= 0.6 - 0.05


def test_a_page_of_another_kind_is_refused(tmp_path: Path) -> None:
    with site_of(Reply(b"<html>captcha", kind="text/html; charset=utf-8")) as site:
        assert "sent text/html in place of application/json" in why(fetch(site, tmp_path, ["/x"])[0])
        wanted = Request(site.url + "/y", accepts=("text/html",))
        assert page(fetch(site, tmp_path, [wanted])[0]).content_type == "text/html"
        assert "text/html" in why(fetch(site, tmp_path, [Request(site.url + "/y", accepts=("image/*",))])[0])


def test_a_page_that_is_gone_is_asked_for_once(tmp_path: Path) -> None:
    with site_of(Reply(status=404)) as site:
        for _ in range(2):
            assert "no such page (404)" in why(fetch(site, tmp_path, ["/x"])[0])
        assert len(site.pages) == 1


def test_packed_pages_are_unpacked_member_by_member(tmp_path: Path) -> None:
    twice = gzip.compress(b'{"a"') + gzip.compress(b": 1}")
    with site_of(Reply(twice, headers={"content-encoding": "gzip"})) as site:
        assert page(fetch(site, tmp_path, ["/x"])[0]).body == b'{"a": 1}'
    assert site.pages[0].headers["accept-encoding"] == "gzip"


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    packed = bomb(300 * 2**20)
    with site_of(Reply(packed, headers={"content-encoding": "gzip"})) as site:
        tracemalloc.start()
        found = fetch(site, tmp_path, ["/x"], max_bytes=10**6, read_seconds=10.0, total_seconds=20.0)[0]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "larger than 1000000 bytes" in why(found)
    assert peak < 30 * 2**20


def test_a_page_of_200_mb_is_not_read_to_its_end(tmp_path: Path) -> None:
    sent = [0]

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            sent[0] += 1
            yield b" " * 2**20

    with site_of(Reply(endless)) as site:
        found = fetch(site, tmp_path, ["/x"], max_bytes=2**21, read_seconds=10.0, total_seconds=20.0)[0]
    assert "larger than" in why(found)
    assert len(site.pages) == 1
    assert sent[0] < 100


def test_an_unknown_packing_is_refused(tmp_path: Path) -> None:
    with site_of(Reply(b"x", headers={"content-encoding": "br"})) as site:
        assert "content encoding" in why(fetch(site, tmp_path, ["/x"])[0])


def test_a_slow_drip_ends_at_the_total_time(tmp_path: Path) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(60):
            time.sleep(0.02)
            yield b" "

    with site_of(Reply(drip)) as site:
        assert "took longer than 0.3 s" in why(fetch(site, tmp_path, ["/x"], total_seconds=0.3, attempts=1)[0])


def test_redirects_stay_on_known_hosts_and_end(tmp_path: Path) -> None:
    def script(asked: Asked, times: int) -> Reply:
        name = asked.path.strip("/")
        if name == "good":
            return GOOD
        if name.isdigit():
            return Reply(status=302, headers={"location": f"/{int(name) + 1}"})
        targets = {
            "one": "/good",
            "meta": "http://169.254.169.254/latest/meta-data",
            "file": "file:///etc/passwd",
            "pass": f"http://u:p@{asked.headers['host']}/good",
            "odd": "http://[",
            "none": "",
        }
        return Reply(status=301, headers={"location": targets[name]})

    site = Site(script)
    with serving(site):
        paths = ["/one", "/1", "/meta", "/file", "/pass", "/odd", "/none"]
        one, loop, meta, file, password, odd, nowhere = fetch(site, tmp_path, paths, failures=99)
        assert page(one).url == site.url + "/good"
        assert "more than 5 times" in why(loop)
        assert "169.254.169.254 is no host of this source" in why(meta)
        assert "only http and https" in why(file)
        assert "without a password" in why(password)
        assert "is no host of this source" in why(odd)
        assert "redirects more than" in why(nowhere)
        metadata = fetch(site, tmp_path, ["/meta"], hosts=["169.254.169.254"])[0]
        assert "private or reserved" in why(metadata)


def test_a_key_goes_to_its_host_only_and_is_written_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "k3y-0123456789abcdef"
    other = Site(lambda asked, times: GOOD)

    def script(asked: Asked, times: int) -> Reply:
        if asked.path == "/away":
            return Reply(status=302, headers={"location": other.url + "/x"})
        if asked.path == "/echo":
            return of_json({"you sent": asked.headers["x-api-key"]})
        return Reply(status=401, body=key.encode()) if asked.path == "/401" else GOOD

    site = Site(script)
    with serving(site, other):
        requests = [
            Request(site.url + path, {"X-Api-Key": key}, secret=("x-api-key",))
            for path in ("/x", "/away", "/echo", "/401")
        ]
        x, away, echo, no = fetch(site, tmp_path, requests, hosts=[other.host])
        bad = Request(site.url + "/bad", {"X-Api-Key": f"{key}\r\nx: y"}, secret=("x-api-key",))
        broken = fetch(site, tmp_path, [bad])[0]
    assert site.pages[0].headers["x-api-key"] == key
    assert page(x).body == page(away).body == GOOD.body
    assert all("x-api-key" not in asked.headers for asked in other.asked)
    said = why(echo) + why(no) + why(broken)
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert key not in said + caplog.text
    assert key.encode() not in written
    assert "repeats the key" in said


def test_a_query_is_sent_as_json_and_kept_by_its_body(tmp_path: Path) -> None:
    site = Site(lambda asked, times: Reply(asked.body))
    with serving(site):
        bodies = [{"query": "a"}, {"query": "b"}]
        found = fetch(site, tmp_path, [Request(site.url + "/graphql", body=body) for body in bodies])
    assert [page(each).body.replace(b" ", b"") for each in found] == [b'{"query":"a"}', b'{"query":"b"}']
    assert {asked.method for asked in site.pages} == {"POST"}


def test_a_list_without_end_is_cut_off(tmp_path: Path) -> None:
    with site_of(GOOD) as site:
        found = fetch(site, tmp_path, [f"/{i}" for i in range(30)], max_pages=20)
    assert len(site.pages) == 20
    assert "max_pages" in why(found[-1])


def test_loopback_is_refused_unless_the_code_allows_it(tmp_path: Path) -> None:
    with site_of(GOOD) as site:
        assert "private or reserved" in why(fetch(site, tmp_path, ["/x"], reachable=())[0])
    assert site.asked == []


def test_errors_do_not_repeat_a_path_that_may_hold_a_name(tmp_path: Path) -> None:
    with site_of(Reply(status=500), robots="User-agent: *\nDisallow: /no\n") as site:
        found = fetch(site, tmp_path, ["/players/ada-sample", "/no/ada-sample"], attempts=1)
    assert all("ada" not in why(each) for each in found)


def test_keys_of_an_earlier_version_are_read() -> None:
    old = {"at_once": 3, "tries": 2, "longest_backoff": 4.0, "longest_wait": 5.0, "most_bytes": 6, "most_pages": 7}
    found = FetchSettings.model_validate({**old, "redirects": 1})
    assert (found.concurrency, found.attempts, found.max_backoff, found.max_wait) == (3, 2, 4.0, 5.0)
    assert (found.max_bytes, found.max_pages, found.max_redirects) == (6, 7, 1)
