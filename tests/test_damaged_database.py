"""Databases with a bad page, on a full disk: a sentence with the next step, and nothing lost that can be kept."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from personax.errors import PersonaxError, StudyError
from personax.files import salvage_sqlite
from personax.http import Cache, Page
from personax.traits.llms import ReplyJournal
from personax.traits.llms._journal import RESERVE, JournalEntry

N = 2000


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def entry(number: int, size: int = 300) -> JournalEntry:
    return JournalEntry(
        key(number),
        "m",
        "p",
        f"p{number}",
        0,
        0,
        {"content": random.Random(number).randbytes(size).hex()},
        0.1,
        cost=0.01,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "j.sqlite"
    with ReplyJournal(path) as journal:
        journal.add([entry(number) for number in range(N)])
    return path


def damaged(whole: Path, path: Path, pages: slice, byte: bytes = b"\xff") -> Path:
    shutil.copy(whole, path)
    with closing(sqlite3.connect(whole)) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray(path.read_bytes())
    for page in range(len(data) // size)[pages]:
        data[page * size : (page + 1) * size] = byte * size
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("pages", [slice(60, 61), slice(100, 140, 7), slice(20, 22)], ids=["one", "several", "two"])
def test_a_bad_page_is_a_sentence_and_the_rest_is_copied(whole: Path, tmp_path: Path, pages: slice) -> None:
    path = damaged(whole, tmp_path / "j.sqlite", pages)
    with ReplyJournal(path) as journal, pytest.raises(StudyError, match=r"is damaged .*`personax doctor STUDY --mend`"):
        list(journal.entries())
    before = path.read_bytes()
    told = salvage_sqlite(path, tmp_path / "new.sqlite")
    assert path.read_bytes() == before
    count, _ = told["replies"]
    with ReplyJournal(tmp_path / "new.sqlite") as journal:
        kept = {one.key: one for one in journal.entries()}
        journal.add([entry(N)])
        assert journal.answered([key(number) for number in range(N)]) == set(kept)
    assert not all(whole for _, whole in told.values())
    assert len(kept) <= count
    assert count > N - 13 * 40 * len(range(300)[pages])
    assert set(kept) <= {key(number) for number in range(N)}
    assert len(kept) >= 0.75 * N, f"{len(kept)}: a page holds the beginnings of eight blocks of 64 at most"


def test_every_way_into_a_damaged_journal_is_a_sentence(whole: Path, tmp_path: Path) -> None:
    """Whatever page is bad, no call ends in anything else."""
    keys = [key(number) for number in range(0, N, 50)]
    pages = whole.stat().st_size // 4096
    seen = 0
    for page in range(1, pages, max(1, pages // 40)):
        path = damaged(whole, tmp_path / "j.sqlite", slice(page, page + 1))
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        try:
            with ReplyJournal(path) as journal:
                for call in (
                    lambda journal=journal: list(journal.entries()),
                    lambda journal=journal: [journal.get(one) for one in keys],
                    lambda journal=journal: journal.answered(keys),
                    lambda journal=journal: journal.claim(keys),
                    lambda journal=journal: journal.failed(keys[0]),
                    lambda journal=journal: journal.spent(),
                    lambda journal=journal: journal.add([entry(number) for number in range(N, N + 50)]),
                    lambda journal=journal: journal.release(keys),
                ):
                    try:
                        call()
                    except PersonaxError as error:
                        seen += "is damaged" in str(error)
        except StudyError as error:
            seen += "is damaged" in str(error)
    assert seen


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"nothing", b"\0" * 4096], ids=repr)
def test_what_is_no_database_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    path.write_bytes(content)
    other = tmp_path / "c.sqlite"
    other.write_bytes(content)
    if content == b"":  # of which SQLite makes one
        with ReplyJournal(path) as journal, Cache(other) as cache:
            journal.add([entry(1)])
            assert len(cache) == 0
    else:
        with pytest.raises(StudyError, match=r"j\.sqlite .*; move it aside"):
            ReplyJournal(path)
        with pytest.raises(StudyError, match=r"c\.sqlite .*; move it aside"):
            Cache(other)
    path.write_bytes(b"nothing at all" * 500)
    with pytest.raises(StudyError):
        salvage_sqlite(path, tmp_path / "new.sqlite")


def test_a_damaged_cache_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pages.sqlite"
    with Cache(path) as cache:
        for number in range(300):
            body = f"{number}".encode() * 400
            now = datetime.now(UTC).isoformat()
            page = Page("https://a.example", now, 200, hashlib.sha256(body).hexdigest(), "text/plain", body)
            cache.put(key(number), "https://a.example", page, {})
    path = damaged(path, tmp_path / "bad.sqlite", slice(2, None))
    with Cache(path) as cache:
        with pytest.raises(StudyError, match="is damaged"):
            [cache.get(key(number)) for number in range(300)]
        with pytest.raises(StudyError, match="is damaged"):
            len(cache)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no small disk can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_costs_no_reply_that_came(small_disk: Path) -> None:
    added = 0
    with ReplyJournal(small_disk / "j.sqlite") as journal:
        assert (small_disk / "j.sqlite.reserve").stat().st_size == RESERVE
        with pytest.raises(StudyError, match="every reply that came is kept, free some space"):  # noqa: PT012 - when the disk is full is not known
            for number in range(10_000):
                added = number
                journal.add([entry(number, 3000)])
        more = [entry(number, 3000) for number in range(added + 1, added + 20)]
        journal.add(more)  # what was under way
        assert {one.key for one in journal.entries()} == {key(number) for number in range(added + 20)}
    assert not (small_disk / "j.sqlite.reserve").exists()
