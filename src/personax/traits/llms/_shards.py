"""Annotation by several hosts: each asks a part of the requests into a journal of its own, and journals are merged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personax.errors import InputError
from personax.files import parse_json, sqlite_faults
from personax.traits.llms._journal import FORMAT_VERSION, ReplyJournal
from personax.traits.llms._reply_packing import packed_text, stored_key, text_key, unpack_reply

__all__ = [
    "MergeSummary",
    "export_replies",
    "merge_journals",
    "merge_replies",
    "reply_key",
]

COLUMNS = "key, model, prompt, person, repeat, turn, reply, latency, tokens_in, tokens_out, cost, written"

EARLIER = """
ON CONFLICT (key) DO UPDATE SET (model, prompt, person, repeat, turn, reply, latency, tokens_in, tokens_out, cost,
    written) = (excluded.model, excluded.prompt, excluded.person, excluded.repeat, excluded.turn, excluded.reply,
    excluded.latency, excluded.tokens_in, excluded.tokens_out, excluded.cost, excluded.written)
WHERE (excluded.written, excluded.reply) < (main.replies.written, main.replies.reply)
"""
"""Of two replies to one request the earlier stays, so that the order of journals changes nothing."""

MERGE = f"""
INSERT INTO main.replies ({COLUMNS}) SELECT stored_key(key), model, prompt, person, repeat, turn, packed(reply),
    latency, tokens_in, tokens_out, cost, written FROM shard.replies WHERE true {EARLIER}
"""
TYPES = (str, str, str, str, int, int, str, float, int | None, int | None, float | int | None, float)


@dataclass(frozen=True)
class MergeSummary:
    """What merging did: replies in all shards, those that were new, and those that were there twice."""

    replies: int
    new: int
    doubled: int


def merge_journals(into: ReplyJournal, shards: Iterable[Path]) -> MergeSummary:
    """Take the replies of other journals, each request's exactly once.

    Merging again, or in another order, changes nothing. A merge that is interrupted takes all of a shard or none.

    Raises
    ------
    InputError
        A file that is not there, or no journal of this format.
    """
    replies = new = 0
    for path in shards:
        with _attached(into, path) as db:
            before = _count(db, "main")
            replies += _count(db, "shard")
            with into.transaction():
                db.execute(MERGE)
                db.execute("INSERT INTO main.failures SELECT * FROM shard.failures EXCEPT SELECT * FROM main.failures")
            new += _count(db, "main") - before
    return MergeSummary(replies, new, replies - new)


def _count(db: sqlite3.Connection, where: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {where}.replies").fetchone()[0])


class _attached:
    """A shard beside a journal, in one connection."""

    def __init__(self, into: ReplyJournal, path: Path) -> None:
        self.db, self.path = into.connection, path

    def __enter__(self) -> sqlite3.Connection:
        if not self.path.is_file():
            raise InputError(f"{self.path} is no file; name the journals that hosts have written")
        found = None
        self.db.create_function("stored_key", 1, stored_key)
        self.db.create_function("packed", 1, packed_text)
        try:
            self.db.execute("ATTACH ? AS shard", (str(self.path),))
            found = self.db.execute("PRAGMA shard.user_version").fetchone()[0]
        except sqlite3.Error:  # no database, or one that cannot be opened
            pass
        if found not in range(1, FORMAT_VERSION + 1):
            self.__exit__()
            raise InputError(f"{self.path} is no journal of format 1 to {FORMAT_VERSION}; leave it out")
        return self.db

    def __exit__(self, *_: object) -> None:
        with suppress(sqlite3.Error):  # it was not attached
            self.db.execute("DETACH shard")


def export_replies(journal: ReplyJournal, known: Container[str] = ()) -> Iterator[bytes]:
    """Yield a line of JSON for each reply whose request is not known, in the order of their keys."""
    with sqlite_faults(journal.path):
        for row in journal.connection.execute(f"SELECT {COLUMNS} FROM replies ORDER BY key"):
            key, told = text_key(row[0]), json.dumps(unpack_reply(row[6]), ensure_ascii=False)
            if key not in known:
                line = [key, *row[1:6], told, *row[7:]]
                yield json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def reply_key(line: bytes) -> str:
    """Return the key of the request of a line of `export_replies`."""
    return str(_row(line)[0])


def merge_replies(into: ReplyJournal, lines: Iterable[bytes]) -> None:
    """Take the replies that `export_replies` has written, each request's exactly once; all of them or none.

    Raises
    ------
    InputError
        A line is no reply.
    """
    marks = ",".join("?" * len(TYPES))
    rows = ([stored_key(row[0]), *row[1:6], packed_text(row[6]), *row[7:]] for row in map(_row, lines))
    with into.transaction() as db:
        db.executemany(f"INSERT INTO main.replies ({COLUMNS}) VALUES ({marks}) {EARLIER}", rows)


def _row(line: bytes) -> list[Any]:
    try:
        row = parse_json(line)
        if len(row) == len(TYPES) and all(map(isinstance, row, TYPES)) and isinstance(parse_json(row[6]), dict):
            return list(row)
    except (TypeError, ValueError):
        pass
    raise InputError("a line among the replies of other machines is no reply; leave its file out")
