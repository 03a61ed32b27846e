"""The explorer in this process: who may ask, what is shown to whom, that nothing is written; and one real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import date
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.cli.program import one_sentence, personax
from tests.processes import program

from personax.errors import InputError
from personax.explorer import AccessGuard, ExploredStudy, listening_socket, make_application, serve
from personax.explorer._people_filter import PeopleCondition, conditions
from personax.schema import Column
from personax.store import Manifest, StudyFolder
from personax.traits.llms import JournalEntry, ReplyJournal

pytest.importorskip("starlette", reason="the extra explore is not installed")
pytest.importorskip("uvicorn", reason="the extra explore is not installed")
httpx2 = pytest.importorskip("httpx2", reason="the extra web is not installed")

TOKEN = "t" * 32
HOST = "127.0.0.1:8000"
MARKUP = "<script>alert(1)</script>"
NAME = "Ada Hidden"
N = 240

COLUMNS = [
    Column("id", "id", "nominal"), Column("name", "private", "nominal"), Column("gender", "feature", "nominal"),
    Column("job", "feature", "nominal"), Column("height_cm", "feature", "continuous"),
]  # fmt: skip


def collect(folder: StudyFolder) -> None:
    rng = np.random.default_rng(0)
    height = [None if i % 10 == 0 else float(175 + rng.normal()) for i in range(N)]
    people = pl.DataFrame(
        {
            "id": [f"p{i}" for i in range(N)],
            "name": [NAME] * N,
            "gender": ["f", "m"] * (N // 2),
            "job": [MARKUP, "actor", "pilot"] * (N // 3),
            "height_cm": height,
        }
    )
    origins = [("p1", "job", "athletes", f"https://site.example/{NAME}", "2026-11-01", "ab")]
    with folder.lock(), folder.staging("collect") as staged:
        people.write_parquet(staged.path("people", "people.parquet"))
        staged.path("people", "columns.json").write_text(json.dumps([asdict(column) for column in COLUMNS]))
        names = ("id", "column", "source", "url", "time", "sha256")
        pl.DataFrame(origins, schema=names, orient="row").write_parquet(staged.path("people", "origins.parquet"))
        texts = pl.DataFrame({"id": ["p1"], "biography": [f"{NAME} sings"]})
        texts.write_parquet(staged.path("people", "texts.parquet"))
        staged.commit(Manifest("collect", 1, 0, {}, {}))


def rate(folder: StudyFolder) -> None:
    ids = [f"p{i}" for i in range(N)]
    scores = pl.DataFrame({"id": ids, "final_o": [1.0, 3.0] * (N // 2), "oak_o": [1.0, None] * (N // 2)})
    ratings = pl.DataFrame({"person": ids, "model": "oak", "prompt": "p", "repeat": 0, "trait": "openness",
                            "score": 2.0, "text": f"{NAME} is open", "status": "ok"})  # fmt: skip
    with folder.lock(), folder.staging("annotate") as staged:
        scores.write_parquet(staged.path("traits", "traits.parquet"))
        ratings.write_parquet(staged.path("traits", "annotations.parquet"))
        staged.commit(Manifest("annotate", 1, 0, {}, {}))
    reply = {"content": f"{NAME}: {MARKUP}", "finish": "stop"}
    with ReplyJournal(folder.path("traits", "journal.sqlite")) as journal:
        asked = [{"role": "user", "content": f"asked about {NAME}"}]
        journal.add([JournalEntry("k", "oak", "p", "p1", 0, 0, reply, 0.5, 10, 20, messages=asked)])


def move(folder: StudyFolder) -> None:
    rows = [("shared_1", q, q, 40, kind, name, q, 0.2, near) for q in (0.05, 0.5, 0.95)
            for kind, name, near in (("attribute", "height_cm", None), ("measurement", "text", "p1"))]  # fmt: skip
    names = ("latent", "quantile", "value", "people", "kind", "name", "mean", "explained", "nearest")
    with folder.lock(), folder.staging("crl") as staged:
        frame = pl.DataFrame(rows, schema=names, orient="row")
        frame.write_parquet(staged.path("analysis", "crl", "traversals.parquet"))
        staged.commit(Manifest("crl", 1, 0, {}, {}))


def release(folder: StudyFolder) -> None:
    attack = {"name": MARKUP, "knows": "sex", "measure": "risk", "value": 0.5, "low": 0.4, "high": 0.6, "tries": 9,
              "baseline": 0.1, "beats": True, "reason": None}  # fmt: skip
    campaign = {"holds": "pairs", "attacks": [attack | {"name": "profiles", "measure": "rank-1"}]}
    audit = {"verdict": "never anonymous", "table": [attack], "measurements": {"text/a": {"campaigns": [campaign]}}}
    with folder.lock(), folder.staging("release") as staged:
        staged.path("release", "audit.json").write_text(json.dumps(audit))
        staged.path("release", "columns.json").write_text(json.dumps({"columns": []}))
        staged.commit(Manifest("release", 1, 0, {}, {}))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("explored") / "s[1]"
    for write in (collect, rate, move, release):
        write(StudyFolder(root))
    return root


@cache
def guarded(root: Path, *, private: bool = False) -> AccessGuard:
    journal = root / "traits" / "journal.sqlite"
    shown = ExploredStudy(StudyFolder(root), title=MARKUP, journal=journal, private=private)
    return AccessGuard(make_application(shown), token=TOKEN, hosts=[HOST])


Client = Any
Ask = Callable[[Client], Coroutine[Any, Any, Any]]


def asked(root: Path, ask: Ask, *, private: bool = False, token: str = TOKEN) -> Any:
    async def run() -> Any:
        transport = httpx2.ASGITransport(guarded(root, private=private), raise_app_exceptions=False)
        cookies = {"personax-explore": token}
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}", cookies=cookies) as client:
            return await ask(client)

    return asyncio.run(run())


def get(root: Path, path: str, *, private: bool = False) -> Any:
    return asked(root, lambda client: client.get(path), private=private)


class Links(HTMLParser):
    """Addresses of a page, and the tags of scripts and styles that it holds itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self.addresses += [value for name in ("href", "src", "action") if (value := found.get(name))]


PAGES = ["/", "/people", "/person?id=p1", "/test", "/test?x=gender&y=final_o&test=chisq", "/latents",
         "/latents?latent=shared_1&at=0.95", "/audit", "/audit?of=text/a"]  # fmt: skip


def test_who_has_no_token_sees_nothing(root: Path) -> None:
    async def ask(client: Client) -> None:
        for path in (*PAGES, "/assets/page.js", "/?token=wrong", "/?token=%00%ff"):
            refused = await client.get(path)
            assert (refused.status_code, "script" in refused.text) == (403, False)
            assert refused.headers["content-security-policy"].startswith("default-src 'none'")

    asked(root, ask, token="wrong")
    asked(root, ask, token="")


def test_the_address_with_the_token_becomes_a_cookie(root: Path) -> None:
    entry = asked(root, lambda client: client.get(f"/?token={TOKEN}"), token="none")
    assert (entry.status_code, entry.headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in entry.headers["set-cookie"].split(";")}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8001", "127.0.0.1", "", "127.0.0.1:8000.evil.example"])
def test_another_host_is_refused(root: Path, host: str) -> None:
    refused = asked(root, lambda client: client.get("/", headers={"host": host}))
    assert refused.status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_get(root: Path, method: str) -> None:
    assert asked(root, lambda client: client.request(method, "/people")).status_code == 405


def test_every_page_is_escaped_and_closed(root: Path) -> None:
    async def ask(client: Client) -> None:
        for path in PAGES:
            page = await client.get(path)
            assert page.status_code == 200, (path, page.text)
            assert MARKUP not in page.text
            links = Links(page.text)
            assert all(one.startswith("/") or one in ("data:,", "#main") for one in links.addresses), links.addresses
            own = [found for tag, found in links.tags if tag == "script" and "src" not in found]
            assert all(found.get("type") == "application/json" for found in own)
            assert not [tag for tag, found in links.tags if tag == "style" or any(name[:2] == "on" for name in found)]
            assert "unsafe" not in page.headers["content-security-policy"]
            assert page.headers["cache-control"] == "no-store"

    asked(root, ask)
    asked(root, ask, private=True)


def test_names_texts_and_replies_are_shown_only_with_private(root: Path) -> None:
    for path in ("/people", "/person?id=p1"):
        assert NAME not in get(root, path).text
    assert get(root, "/people?column=name&operator=is&value=x").status_code == 400
    open_page = get(root, "/person?id=p1").text
    assert "athletes" in open_page
    assert "site.example" not in open_page
    whole = get(root, "/person?id=p1", private=True).text
    for shown in (
        NAME,
        f"{NAME} sings",
        f"https://site.example/{NAME}",
        f"{NAME} is open",
        "&lt;script&gt;",
        "10 tokens in",
    ):
        assert shown in whole, shown


def test_people_are_filtered_and_paged(root: Path) -> None:
    assert "240 people; page 1 of 5" in get(root, "/people").text
    last = get(root, "/people?page=99999999").text
    assert "page 5 of 5" in last
    assert "/person?id=p239" in last
    both = "column=gender&operator=is&value=f&column=final_o&operator=at+most&value=1"
    assert "120 people" in get(root, f"/people?{both}").text
    assert "0 people" in get(root, f"/people?{both.replace('at+most', 'at+least').replace('=1', '=2')}").text
    assert "24 people" in get(root, "/people?column=height_cm&operator=missing&value=").text
    assert "80 people" in get(root, "/people?column=job&operator=contains&value=PIL").text
    assert "1 person" in get(root, "/people?column=id&operator=is&value=p7").text


WRONG = ["column=height_cm&operator=at+least&value=tall", "column=no&operator=is&value=1",
         "column=job&operator=like&value=1", "&".join(["column=id&operator=is&value=1"] * 9)]  # fmt: skip


KINDS = pl.DataFrame(
    {
        "day": [date(1999, 5, 1), date(2001, 5, 1), None],
        "yes": [True, False, None],
        "list": [[1], None, [2]],
        "x": [1.0, float("nan"), 3.0],
        "none": pl.Series([None] * 3, dtype=pl.Null),
    }
)


@pytest.mark.parametrize(
    ("column", "operator", "value", "rows"),
    [("day", "at least", "2000-01-01", [1]), ("day", "is not", "1999-05-01", [1]), ("yes", "is", "true", [0]),
     ("yes", "at most", "false", [1]), ("list", "missing", "", [1]), ("x", "missing", "", [1]),
     ("x", "is not", "1", [2]), ("x", "at most", "inf", [0, 2]), ("none", "is", "x", []),
     ("none", "missing", "", [0, 1, 2])],
)  # fmt: skip
def test_columns_of_every_kind_are_filtered(column: str, operator: str, value: str, rows: list[int]) -> None:
    (asked,) = conditions([column], [operator], [value], dict(KINDS.schema))
    kept = KINDS.with_row_index().filter(asked.expression(KINDS.schema[column]))
    assert kept["index"].to_list() == rows


@pytest.mark.parametrize(("column", "value"), [("day", "soon"), ("list", "1"), ("x", "tall")])
def test_what_a_column_cannot_be_compared_with_is_one_sentence(column: str, value: str) -> None:
    with pytest.raises(InputError, match=column):
        PeopleCondition(column, "is", value).expression(KINDS.schema[column])


@pytest.mark.parametrize("query", WRONG)
def test_a_condition_that_cannot_be_is_told(root: Path, query: str) -> None:
    page = get(root, f"/people?{query}")
    assert page.status_code == 400
    assert "This cannot be shown" in page.text


def test_a_test_finds_what_is_there_and_shows_it(root: Path) -> None:
    page = get(root, "/test?x=gender&y=final_o&test=every+test").text
    assert 'data-kind="groups"' in page
    assert "Not run because" in page
    given = get(root, "/test?x=gender&y=job&z=final_o&test=gsq").text
    assert 'data-kind="counts"' in given
    assert "not conditioned on final_o" in given
    for wrong in ("x=gender&y=gender", "x=gender&y=name", "x=gender&y=job&test=nothing", "x=gender&y="):
        assert get(root, f"/test?{wrong}").status_code == 400


def test_a_large_study_is_tested_on_a_sample_and_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.explorer._single_test.MAX_PEOPLE", 100)
    assert "the tests had 100 of them" in get(root, "/test?x=job&y=height_cm&test=kci").text


def test_the_audit_and_latents_are_browsed(root: Path) -> None:
    chosen = get(root, "/audit?of=text/a").text
    assert "never anonymous" in chosen
    assert "profiles" in chosen
    assert "/person?id=p1" in get(root, "/latents?latent=shared_1&at=0.9").text
    assert get(root, "/latents?latent=no").status_code == 400
    assert get(root, "/latents?at=nan").status_code == 200


OUTSIDE = ["/../../etc/passwd", "/assets/../../study.yaml", "/assets/%2e%2e/study.yaml", "/people/people.parquet",
           "/assets//etc/passwd", "/person?id=../../etc/passwd", "/person?id=%00"]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_to_a_file(root: Path, path: str) -> None:
    assert get(root, path).status_code == 404


def test_a_hundred_requests_at_once_are_answered(root: Path) -> None:
    async def ask(client: Client) -> list[int]:
        paths = [
            ["/people?page=1", "/person?id=p1", "/test?x=gender&y=final_o&test=chisq", "/"][i % 4] for i in range(100)
        ]
        return [page.status_code for page in await asyncio.gather(*map(client.get, paths))]

    assert asked(root, ask) == [200] * 100


def test_nothing_is_written(root: Path) -> None:
    """So a folder that is read-only can be explored."""

    def seen() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [root, *root.rglob("*")]}

    before = seen()
    for path in PAGES:
        get(root, path, private=True)
    assert seen() == before


def test_a_study_of_one_stage_says_what_is_missing(tmp_path: Path) -> None:
    assert "personax run" in get(tmp_path, "/people").text
    collect(StudyFolder(tmp_path))
    assert "240 people" in get(tmp_path, "/people").text
    for path, command in (("/latents", "personax crl"), ("/audit", "personax release build")):
        page = get(tmp_path, path)
        assert (page.status_code, command in page.text) == (200, True)
    assert get(tmp_path, "/test?x=gender&y=job&test=chisq").status_code == 200


def test_an_output_that_was_changed_is_told(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    collect(folder)
    for path in [*tmp_path.rglob("people.parquet"), *(tmp_path / "objects").rglob("*")]:
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"PAR1 no more")
    page = get(tmp_path, "/people")
    assert page.status_code == 404
    assert "is missing or was changed" in page.text


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("name: s\nseed: 1\ncollect: {source: simulate, n: 20}\n", encoding="utf-8")
    with listening_socket() as taken:
        port = taken.getsockname()[1]
        told = one_sentence(personax("explore", study, "--port", str(port), "--no-browser"))
    assert f"port {port} of 127.0.0.1 cannot be had" in told


def test_a_real_server_answers_and_stops(root: Path) -> None:
    import uvicorn

    with listening_socket() as listening:
        host, port = listening.getsockname()
        journal = root / "traits" / "journal.sqlite"
        shown = ExploredStudy(StudyFolder(root), title="t", journal=journal)
        guard = AccessGuard(make_application(shown), token=TOKEN, hosts=[f"{host}:{port}"])
        made: list[uvicorn.Server] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(uvicorn.Server, "__init__", _noting(uvicorn.Server.__init__, made))
            running = threading.Thread(target=serve, args=(guard, listening), daemon=True)
            running.start()
            answered = httpx2.get(f"http://{host}:{port}/people", cookies={"personax-explore": TOKEN})
            refused = httpx2.get(f"http://{host}:{port}/people")
            made[0].should_exit = True
            running.join(5)
    assert (answered.status_code, refused.status_code) == (200, 403)
    assert "server" not in answered.headers
    assert not running.is_alive()
    with pytest.raises(OSError), socket.create_connection((host, port), timeout=1):
        time.sleep(0)


@pytest.mark.skipif(os.name != "posix", reason="signals are of POSIX")
def test_ctrl_c_ends_it_with_a_sentence(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("name: s\nseed: 1\ncollect: {source: simulate, n: 20}\n", encoding="utf-8")
    with program(tmp_path / "streams", "explore", study, "--no-browser") as running:
        end = time.monotonic() + 60
        while "http://127.0.0.1:" not in (running.out.read_text() if running.out.exists() else ""):
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(1)  # until it serves
        running.send(signal.SIGINT)
        code, _, told = running.wait()
    assert code == 130
    assert told.startswith("error: stopped by Ctrl-C: the pages are served no longer")


def _noting(init: Callable[..., None], made: list[Any]) -> Callable[..., None]:
    def noted(self: Any, *given: Any, **named: Any) -> None:
        made.append(self)
        init(self, *given, **named)

    return noted
