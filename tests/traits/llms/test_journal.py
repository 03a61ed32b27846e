"""The journal: on disk at once, never twice, shared by processes, honest about files it cannot read."""

from __future__ import annotations

import errno
import os
import random
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path

import pytest

from personax.errors import StudyError
from personax.traits.llms._claims import CLAIM_LEASE, ClaimWatch
from personax.traits.llms._journal import JournalEntry, ReplyJournal


def entry(key: str, text: str = "{}", cost: float | None = 0.5) -> JournalEntry:
    return JournalEntry(key, "m", "p", "ann", 0, 0, {"content": text}, 0.25, 10, 20, cost)


def test_what_was_written_is_read_and_stays_as_it_was_first(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "a" / "j.sqlite") as journal:
        journal.add([entry("1", "first"), entry("2", cost=None)])
        journal.add([entry("1", "second")])
        assert journal.get("1") == entry("1", "first")
        assert journal.get("3") is None
        assert journal.answered(["1", "3"]) == {"1"}
        assert [one.key for one in journal.entries()] == ["1", "2"]
        assert journal.spent() == 0.5
    with ReplyJournal(tmp_path / "a" / "j.sqlite") as again:
        assert again.get("1") == entry("1", "first")


def test_a_killed_process_loses_nothing_that_add_returned_for(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from personax.traits.llms._journal import JournalEntry, ReplyJournal
        journal = ReplyJournal(Path(sys.argv[1]))
        journal.claim(["1", "2"])
        journal.add([JournalEntry("1", "m", "p", "ann", 0, 0, {"content": "paid"}, 0.1)])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), tmp_path / "j.sqlite"], check=False)
    with ReplyJournal(tmp_path / "j.sqlite") as journal:
        kept = journal.get("1")
        assert kept is not None
        assert kept.reply == {"content": "paid"}
        assert journal.claim(["1", "2"]) == {"2"}, (
            "a dead process's claim is free at once, and what is answered is not asked"
        )


def test_two_processes_never_ask_the_same(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "j.sqlite") as one, ReplyJournal(tmp_path / "j.sqlite") as two:
        assert two.claim(["a", "b"]) == {"a", "b"}
        assert one.claim(["b", "c"]) == {"c"}
        two.release(["b"])
        assert one.claim(["a", "b"]) == {"b"}


def test_another_machines_claim_ends_when_its_heart_stops_by_our_own_clock(tmp_path: Path) -> None:
    """Its clock may be 20 minutes ahead or behind: nobody reads it."""
    now = [1000.0]
    with ReplyJournal(tmp_path / "j.sqlite") as journal:
        journal._watch = ClaimWatch(journal.path, clock=lambda: now[0])
        mine, journal.holder.name = journal.owner, "host:17:42"  # as earlier versions wrote it
        assert journal.claim(["a"]) == {"a"}
        journal.holder.name = mine
        for until in (time.time() + 1200, time.time() - 1200, 3.0, 4.0):
            journal.connection.execute("UPDATE claims SET until = ?", (until,))
            now[0] += CLAIM_LEASE
            assert journal.claim(["a"]) == set(), "its heart beats"
        now[0] += CLAIM_LEASE
        assert journal.claim(["a"]) == {"a"}


def test_no_process_id_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another container the same number is another process, or none."""
    monkeypatch.setattr(os, "kill", lambda pid, signal: (_ for _ in ()).throw(ProcessLookupError))
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with ReplyJournal(tmp_path / "j.sqlite") as one, ReplyJournal(tmp_path / "j.sqlite") as two:
        assert one.owner != two.owner
        assert one.claim(["a"]) == {"a"}
        assert two.claim(["a"]) == set()
        one.close()
        time.sleep(0.6)  # what was seen of a lock is believed so long
        assert two.claim(["a"]) == {"a"}
    assert not list(tmp_path.glob("*.claims")), "locks are taken away"


def test_where_there_are_no_locks_hearts_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with ReplyJournal(tmp_path / "j.sqlite") as one, ReplyJournal(tmp_path / "j.sqlite") as two:
        assert one.claim(["a"]) == {"a"}
        assert two.claim(["a"]) == set()


def test_why_a_request_failed_is_kept(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "j.sqlite") as journal:
        journal.fail("k", "m", "ann", "first")
        journal.fail("k", "m", "ann", "status 500: oops")
        assert journal.failed("k") == "status 500: oops"
        assert journal.failed("other") is None
        assert journal.claim(["k"]) == {"k"}


def test_a_newer_or_foreign_file_is_one_sentence_and_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "new.sqlite")) as db, db:
        db.execute("CREATE TABLE replies (key)")
        db.execute("PRAGMA user_version = 7")
    with pytest.raises(StudyError, match="format 7, this personax reads format 3; install a newer personax"):
        ReplyJournal(tmp_path / "new.sqlite")
    (tmp_path / "not.sqlite").write_text("people" * 1000)
    with pytest.raises(StudyError, match="cannot be used as a journal"):
        ReplyJournal(tmp_path / "not.sqlite")
    assert (tmp_path / "not.sqlite").read_text() == "people" * 1000


def test_a_journal_from_before_batches_is_used_as_it_is(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "j.sqlite") as journal:
        journal.add([entry("1")])
        journal._db.execute("DROP TABLE batches")
        journal._db.execute("DROP TABLE batched")
    with ReplyJournal(tmp_path / "j.sqlite") as again:
        assert again.claim(["1", "2"]) == {"2"}


def test_half_a_character_is_no_reason_to_lose_a_reply(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "j.sqlite") as journal:
        journal.add([entry("1", "so \ud83d")])
        kept = journal.get("1")
        assert kept is not None
        assert kept.reply == {"content": "so ?"}


def test_a_full_disk_is_one_sentence_and_what_was_written_stays(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "j.sqlite") as journal:
        journal.add([entry("1")])
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
        journal._db.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own way to say that the disk is full
        with pytest.raises(StudyError, match=r"could not be written .*full.*; free some space and run again"):
            journal.add([entry(str(i), random.Random(i).randbytes(5000).hex()) for i in range(2, 60)])
        assert [one.key for one in journal.entries()] == ["1"]
        journal._db.execute("PRAGMA max_page_count=100000")
        journal.add([entry("2")])
        assert journal.answered(["1", "2"]) == {"1", "2"}


def test_the_disk_is_told_to_keep_it(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "j.sqlite") as journal:
        assert journal._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert journal._db.execute("PRAGMA synchronous").fetchone()[0] == 2
