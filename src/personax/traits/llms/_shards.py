"""Annotation by several hosts: each asks a part of the requests into a journal of its own, and journals are merged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from personax.errors import InputError
from personax.files import parse_json, sqlite_faults
from personax.traits.llms._journal import EntryReader, JournalEntry, ReplyJournal
from personax.traits.llms._journal_format import FORMAT_VERSION
from personax.traits.llms._prompt import Message, content_hash
from personax.traits.llms._reply_packing import earlier_text, reply_text, stored_key, text_key

__all__ = [
    "MergeSummary",
    "export_replies",
    "merge_journals",
    "merge_replies",
    "reply_key",
]

TYPES = (str, str, str, str, int, int, str, float, int | None, int | None, float | int | None, float)
"""Of a line about a reply: key, model, prompt, person, repeat, turn, reply, latency, tokens in and out, cost, written.

A thirteenth, if there is one, names the lines before it that hold what was asked: the first message, and the others.
"""

ASKED: Final = "asked"
"""Begins a line that holds part of what was asked: its hash and the messages as JSON."""


@dataclass(frozen=True)
class MergeSummary:
    """What merging did: replies in all shards, those that were new, and those that were there twice."""

    replies: int
    new: int
    doubled: int


def merge_journals(into: ReplyJournal, shards: Iterable[Path]) -> MergeSummary:
    """Take the replies of other journals, each request's exactly once.

    Merging again, or in another order, changes nothing: of two replies to one request the earlier stays. A merge that
    is interrupted takes all of a shard or none.

    Raises
    ------
    InputError
        A file that is not there, or no journal of this format or an earlier one.
    """
    replies = new = 0
    for path in shards:
        with closing(_opened(path)) as db, sqlite_faults(path), into.transaction() as own:
            for entry in _entries(db):
                replies, new = replies + 1, new + _merge(into, entry)
            known = set(own.execute("SELECT * FROM failures"))
            lost = [row for row in db.execute("SELECT * FROM failures") if row not in known]
            own.executemany("INSERT INTO failures VALUES (?,?,?,?,?)", lost)
    return MergeSummary(replies, new, replies - new)


def _merge(into: ReplyJournal, entry: JournalEntry) -> bool:
    """Write a reply unless there is an earlier one to its request; say whether there was none."""
    written = entry.written or 0.0
    if into.put(entry, written):
        return True
    known = into.get(entry.key)
    if known is not None and (written, reply_text(entry.reply)) < (known.written or 0.0, reply_text(known.reply)):
        into.remove("key = ?", (stored_key(entry.key),))
        into.put(entry, written)
    return False


def _opened(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise InputError(f"{path} is no file; name the journals that hosts have written")
    db = sqlite3.connect(path)
    try:
        found = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error:  # no database, or one that cannot be opened
        found = None
    if found not in range(1, FORMAT_VERSION + 1):
        db.close()
        raise InputError(f"{path} is no journal of format 1 to {FORMAT_VERSION}; leave it out")
    return db


def _entries(db: sqlite3.Connection) -> Iterator[JournalEntry]:
    """Yield the replies of a journal of any format; of an earlier one, those that can be read."""
    if db.execute("PRAGMA user_version").fetchone()[0] == FORMAT_VERSION:
        yield from EntryReader(db).entries(messages=True)
        return
    columns = "key, model, prompt, person, repeat, turn, reply, latency, tokens_in, tokens_out, cost, written"
    for key, model, name, person, repeat, turn, reply, *usage, written in db.execute(f"SELECT {columns} FROM replies"):
        with suppress(ValueError):
            said = json.loads(earlier_text(reply))
            late, read, wrote, cost = usage
            yield JournalEntry(
                text_key(key), model, name, person, repeat, turn, said, late, read, wrote, cost, written=written
            )


def export_replies(journal: ReplyJournal, known: Container[str] = ()) -> Iterator[bytes]:
    """Yield a line of JSON for each reply whose request is not known, in the order of their keys.

    What was asked stands in lines of its own before the first reply that it was asked for.
    """
    told = set[str]()
    for entry in journal.entries("true ORDER BY key", messages=True):
        if entry.key in known:
            continue
        parts = [json.dumps(part, ensure_ascii=False) for part in (entry.messages[:1], entry.messages[1:]) if part]
        names = [content_hash(part) for part in parts]
        for name, part in zip(names, parts, strict=True):
            if name not in told:
                told.add(name)
                yield _line([ASKED, name, part])
        reply = json.dumps(entry.reply, ensure_ascii=False)
        yield _line([
            entry.key, entry.model, entry.prompt, entry.person, entry.repeat, entry.turn, reply, entry.latency,
            entry.tokens_in, entry.tokens_out, entry.cost, entry.written, *([names] if names else []),
        ])  # fmt: skip


def _line(values: Sequence[object]) -> bytes:
    return json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def reply_key(line: bytes) -> str:
    """Return the key of the request of a line of `export_replies`; of one that holds what was asked, its hash."""
    row = _row(line)
    return str(row[1] if row[0] == ASKED else row[0])


def merge_replies(into: ReplyJournal, lines: Iterable[bytes]) -> None:
    """Take the replies that `export_replies` has written, each request's exactly once; all of them or none.

    Raises
    ------
    InputError
        A line is no reply.
    """
    asked = dict[str, list[Message]]()
    with into.transaction():
        for row in map(_row, lines):
            if row[0] == ASKED:
                asked[row[1]] = parse_json(row[2])
                continue
            messages = [one for name in (row[12] if len(row) > len(TYPES) else ()) for one in asked.get(name, ())]
            key, model, prompt, person, repeat, turn, reply, *usage, written = row[:12]
            late, read, wrote, cost = usage
            entry = JournalEntry(
                key, model, prompt, person, repeat, turn, parse_json(reply), late, read, wrote, cost, messages, written
            )
            _merge(into, entry)


def _row(line: bytes) -> list[Any]:
    try:
        row = parse_json(line)
        if row[:1] == [ASKED] and len(row) == 3 and all(isinstance(one, str) for one in row):
            if isinstance(parse_json(row[2]), list):
                return list(row)
        elif len(row) in (len(TYPES), len(TYPES) + 1) and all(map(isinstance, row, TYPES)):
            named = row[len(TYPES)] if len(row) > len(TYPES) else []
            if isinstance(parse_json(row[6]), dict) and isinstance(named, list):
                return list(row)
    except (TypeError, ValueError):
        pass
    raise InputError("a line among the replies of other machines is no reply; leave its file out")
