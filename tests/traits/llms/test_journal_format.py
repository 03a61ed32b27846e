"""The journal's format: short enough for millions of replies, and what an earlier version wrote is read."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.errors import InputError, StudyError
from personax.schema import TRAITS
from personax.traits.llms import (
    ReplyJournal,
    content_hash,
    export_replies,
    forget_person,
    journal_models,
    merge_journals,
    merge_replies,
)
from personax.traits.llms._journal import JournalEntry
from personax.traits.llms._reply_packing import DICTIONARY, pack_reply, stored_key, text_key, unpack_reply

FORMAT_1 = """
CREATE TABLE replies (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, prompt TEXT NOT NULL, person TEXT NOT NULL, repeat INTEGER NOT NULL,
    turn INTEGER NOT NULL, reply TEXT NOT NULL, latency REAL NOT NULL, tokens_in INTEGER, tokens_out INTEGER, cost REAL,
    written REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE failures (
    key TEXT NOT NULL, model TEXT NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL, written REAL NOT NULL
);
CREATE TABLE claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX failures_by_key ON failures (key);
PRAGMA user_version=1;
"""
"""As version 0.2 wrote it."""


def entry(number: int, **reply: Any) -> JournalEntry:
    said = {"content": f"kind {number}", "refusal": None, "finish": "stop", "upstream": {}} | reply
    return JournalEntry(content_hash(number), "m", "p", f"p{number}", 0, 0, said, 0.5, 9, 7, 0.25)


def earlier(path: Path, numbers: range, key: str | None = None) -> Path:
    db = sqlite3.connect(path)
    db.executescript(FORMAT_1)
    for number in numbers:
        one = entry(number)
        reply = json.dumps(one.reply) if number != 3 else "changed by hand"
        row = (key or one.key, "m", "p", one.person, 0, 0, reply, 0.5, 9, 7, 0.25, 1000.0 + number)
        db.execute("INSERT INTO replies VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", row)
    db.execute("INSERT INTO failures VALUES (?,?,?,?,?)", (content_hash(0), "m", "p0", "late", 1.0))
    db.commit()
    db.close()
    return path


def test_a_journal_of_an_earlier_version_is_read_and_written_on(tmp_path: Path) -> None:
    path = earlier(tmp_path / "journal.sqlite", range(3))
    for _ in range(2):
        with ReplyJournal(path) as journal:
            keys = [content_hash(number) for number in range(4)]
            assert journal.answered(keys) == set(keys[:3])
            assert journal.get(keys[1]) == entry(1)
            assert journal.claim(keys) == {keys[3]}
            assert journal.spent() == 0.75
            assert journal_models(journal)[0].failures == 0, "p0 was answered after all"
    with ReplyJournal(path) as journal:
        journal.add([entry(3), entry(1, content="another")])
        assert journal.get(content_hash(1)) == entry(1), "the first reply stays"
        assert journal.spent() == 1.0
        assert forget_person(journal, "p1") == 1
        assert journal.spent() == 0.75
        assert b"kind 1" not in path.read_bytes()


def test_a_reply_that_was_changed_by_hand_is_one_sentence_and_the_others_are_read(tmp_path: Path) -> None:
    with ReplyJournal(earlier(tmp_path / "journal.sqlite", range(5))) as journal:
        assert journal.get(content_hash(4)) == entry(4)
        with pytest.raises(InputError, match="is not JSON; the file was changed by hand"):
            journal.get(content_hash(3))


def test_a_later_format_is_left_alone(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "journal.sqlite"):
        pass
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.execute("PRAGMA user_version=3")
    db.close()
    with pytest.raises(StudyError, match="is a journal of format 3, this personax reads format 2"):
        ReplyJournal(tmp_path / "journal.sqlite")


def test_journals_of_both_formats_are_merged_in_any_order(tmp_path: Path) -> None:
    old = earlier(tmp_path / "old.sqlite", range(2))
    with ReplyJournal(tmp_path / "new.sqlite") as new:
        new.add([entry(1), entry(2)])
        new.add([JournalEntry("k", "m", "p", "short", 0, 0, {"content": "x"}, 0.1)])
    found = []
    for order in ([old, tmp_path / "new.sqlite"], [tmp_path / "new.sqlite", old]):
        with ReplyJournal(tmp_path / f"{order[0].stem}-first.sqlite") as into:
            summary = merge_journals(into, order)
            assert (summary.replies, summary.new, summary.doubled) == (5, 4, 1)
            found.append(sorted(into.entries(), key=lambda one: one.key))
            lines = list(export_replies(into, {content_hash(0)}))
        with ReplyJournal(tmp_path / f"{order[0].stem}-lines.sqlite") as again:
            merge_replies(again, lines)
            merge_replies(again, lines)
            assert {one.key for one in again.entries()} == {content_hash(1), content_hash(2), "k"}
            assert again.get("k") is not None
    assert found[0] == found[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(), x, max_size=3), max_leaves=8,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_what_is_packed_comes_back(reply: dict[str, Any]) -> None:
    assert unpack_reply(pack_reply(reply)) == reply


@pytest.mark.parametrize(
    "kept", [b"", b"\x01", b"\x02abc", b"\x01" + b"\xff" * 9, None, 5, "{", pack_reply({"a": 1})[:-2]]
)
def test_what_is_no_reply_is_a_value_error(kept: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        unpack_reply(kept)


def test_halves_of_characters_and_keys() -> None:
    assert unpack_reply(pack_reply({"content": "a\ud83d"})) == {"content": "a?"}
    assert text_key(stored_key("0" * 64)) == "0" * 64
    assert stored_key("A" * 64) == "A" * 64, "another key than that in small letters"
    assert len(DICTIONARY) < 2**15


def test_the_dictionary_holds_words_and_nobody() -> None:
    """What is forgotten must be gone: so the dictionary is fixed, and holds what is in every reply."""
    assert b"extraversion" in DICTIONARY
    reply = {"content": json.dumps({trait: {"description": "calm and reliable", "score": 2} for trait in TRAITS})}
    assert len(pack_reply(reply)) < 0.25 * len(json.dumps(reply))


def test_rows_lie_in_the_order_in_which_they_came_and_take_little(tmp_path: Path) -> None:
    """Fifteen million such replies are a million people, three models and five repeats; see benchmarks/annotate.py."""
    rng = random.Random(0)

    def said() -> str:
        words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(60)]
        texts = [" ".join(words[12 * k : 12 * k + 12]) for k in range(5)]
        return json.dumps({t: {"description": d, "score": 2} for t, d in zip(TRAITS, texts, strict=True)})

    path, number = tmp_path / "journal.sqlite", 2000
    with ReplyJournal(path) as journal:
        for start in range(0, number, 250):
            journal.add([entry(k, content=said()) for k in range(start, start + 250)])
        journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    packed = sum(len(pack_reply(entry(k, content=said()).reply)) for k in range(200)) / 200
    assert path.stat().st_size / number < packed + 180, "beside the reply: a key twice, who, when, how much"
