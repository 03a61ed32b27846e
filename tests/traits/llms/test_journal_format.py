"""The journal's format: short enough for millions of replies, and what an earlier version wrote is read."""

from __future__ import annotations

import json
import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.errors import InputError, StudyError
from personax.schema import TRAITS
from personax.traits.llms import (
    Prompt,
    ReplyJournal,
    content_hash,
    export_replies,
    forget_person,
    journal_models,
    merge_journals,
    merge_replies,
)
from personax.traits.llms._block_store import BlockStore
from personax.traits.llms._journal import JournalEntry
from personax.traits.llms._reply_packing import DICTIONARY, deflated, inflated, reply_text, stored_key, text_key

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
        db.execute("PRAGMA user_version=4")
    db.close()
    with pytest.raises(StudyError, match="is a journal of format 4, this personax reads format 3"):
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
    assert json.loads(inflated(deflated(reply_text(reply)))) == reply


@pytest.mark.parametrize("kept", [b"", b"\x01", b"\x02abc", b"\x01" + b"\xff" * 9, None, 5, "{", deflated(b"a")[:-1]])
def test_what_is_no_reply_is_a_value_error(kept: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        inflated(kept)


def test_halves_of_characters_and_keys() -> None:
    assert json.loads(reply_text({"content": "a\ud83d"})) == {"content": "a?"}
    assert text_key(stored_key("0" * 64)) == "0" * 64
    assert stored_key("A" * 64) == "A" * 64, "another key than that in small letters"
    assert len(DICTIONARY) < 2**15


def test_the_dictionary_holds_words_and_nobody() -> None:
    """What is forgotten must be gone: so the dictionary is fixed, and holds what is in every reply."""
    assert b"extraversion" in DICTIONARY
    reply = {"content": json.dumps({trait: {"description": "calm and reliable", "score": 2} for trait in TRAITS})}
    assert len(deflated(reply_text(reply))) < 0.25 * len(json.dumps(reply))


def random_words(rng: random.Random, number: int) -> str:
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(number))


def test_what_is_asked_is_kept_once_and_replies_take_little(tmp_path: Path) -> None:
    """Fifteen million such replies are a million people, three models and five repeats; see benchmarks/annotate.py."""
    rng, path, people, number = random.Random(0), tmp_path / "journal.sqlite", 200, 3000
    prompt, texts = Prompt(), [{"biography": random_words(rng, 100)} for _ in range(people)]

    def one(k: int) -> JournalEntry:
        said = json.dumps({t: {"description": random_words(rng, 12), "score": 2} for t in TRAITS})
        return replace(entry(k, content=said), person=f"p{k % people}", messages=prompt.messages(texts[k % people]))

    with ReplyJournal(path) as journal:
        for start in range(0, number, 250):
            journal.add([one(k) for k in range(start, start + 250)])
        journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        kept = journal.get(content_hash(7), messages=True)
        assert kept is not None
        assert list(kept.messages) == prompt.messages(texts[7])
        assert len(list(journal.entries())) == number
    packed = sum(len(deflated(reply_text(one(k).reply))) for k in range(200)) / 200
    shown = people * sum(len(deflated(text["biography"].encode())) for text in texts) / people
    assert path.stat().st_size < number * (packed + 180) + 1.5 * shown


def test_whoever_is_forgotten_is_in_no_block_and_no_text(tmp_path: Path) -> None:
    path, prompt = tmp_path / "journal.sqlite", Prompt()
    names = [f"telltale{k % 50}x" for k in range(400)]
    with ReplyJournal(path) as journal:
        for k, name in enumerate(names):
            asked = prompt.messages({"biography": f"A life of {name}"})
            journal.add([replace(entry(k, content=f"kind is {name}"), person=f"p{k % 50}", messages=asked)])

        def held(name: str) -> bool:
            texts = [*BlockStore(journal.connection, "said").texts(), *BlockStore(journal.connection, "shown").texts()]
            return any(name.encode() in text for text in texts)

        assert held("telltale7x")
        assert forget_person(journal, "p7") == 8
        assert not held("telltale7x")
        assert held("telltale8x")
        for k in range(392, 420):
            journal.add([entry(k, content="later")])
        found = {one.key: one.reply["content"] for one in journal.entries()}
        wanted = {content_hash(k): f"kind is {name}" for k, name in enumerate(names) if k % 50 != 7}
        assert {key: found[key] for key in wanted} == wanted
        assert len(found) == len(wanted) + 20


def test_numbers_are_not_used_again(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        rng, live = random.Random(1), dict[int, bytes]()
        store = BlockStore(journal.connection, "said")
        for turn in range(1500):
            if live and rng.random() < 0.3:
                gone = rng.choice([max(live), rng.choice(list(live))])
                store.remove([gone])
                del live[gone]
            else:
                number = store.put(b"text %d" % turn)
                assert number not in live
                live[number] = b"text %d" % turn
        assert {number: store.get(number) for number in live} == live
        assert set(store.numbers()) == set(live)
