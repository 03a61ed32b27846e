"""The journal: every reply of a model, on disk before anything else is done with it.

SQLite with a full fsync a commit, append-only: what was paid for stays, whatever happens to the process.
A request's key is a hash of all that changes its answer, so that nothing is asked twice; the repeat is part of
the key, so that test-retest is never read from the cache. Processes that share a journal claim requests before they
send them (``_claims``); a claim ends with its process.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from personax.errors import InputError, StudyError
from personax.files import open_sqlite, sqlite_faults
from personax.traits.llms._block_store import BlockStore
from personax.traits.llms._claims import ClaimOwner, ClaimWatch
from personax.traits.llms._journal_format import BATCHES, FORMAT_VERSION, TABLES, drop_unreadable, upgrade
from personax.traits.llms._prompt import Message
from personax.traits.llms._prompt_store import PromptStore
from personax.traits.llms._reply_packing import reply_text, stored_key, text_key

__all__ = ["EntryReader", "JournalEntry", "ReplyJournal", "is_batched"]


def is_batched(db: sqlite3.Connection, key: str) -> bool:
    """Say whether a request is part of an open batch."""
    row = db.execute(
        "SELECT 1 FROM batched JOIN batches ON id = batch_id WHERE key = ? AND state != 'done'", (key,)
    ).fetchone()
    return row is not None


RESERVE: Final = 2**20
"""Bytes kept free for what is paid for and not written yet: some hundred replies."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One reply.

    Parameters
    ----------
    key
        Of the request.
    model, prompt, person, repeat, turn
        Whom it was asked of, how, about whom, which time, and whether it is the first answer (0) or a repair (1).
    reply
        What came back: content, refusal, finish, and the upstream that answered.
    latency
        Seconds from sending to the last byte.
    tokens_in, tokens_out, cost
        As the provider counted them; None where it did not say, or no price is known.
    messages
        What was asked, where that is wanted and was kept.
    written
        When it was written, seconds since 1970; None before.
    """

    key: str
    model: str
    prompt: str
    person: str
    repeat: int
    turn: int
    reply: dict[str, Any]
    latency: float
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    messages: Sequence[Message] = field(default=(), compare=False, repr=False)
    written: float | None = field(default=None, compare=False, repr=False)


class EntryReader:
    """Replies of a database of the present format.

    Parameters
    ----------
    db
        Open, for reading alone or not.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db, self.replies, self.prompts = db, BlockStore(db, "said"), PromptStore(db)

    def entries(
        self, where: str = "true", values: Sequence[Any] = (), *, messages: bool = False
    ) -> Iterator[JournalEntry]:
        """Yield replies of which a condition of SQL holds, with what was asked where that is wanted.

        Raises
        ------
        InputError
            When a reply was changed by hand.
        """
        query = (
            "SELECT key, model, name, person, repeat, turn, latency, tokens_in, tokens_out, cost, written, "
            f"replies.id, prompt, asked FROM replies JOIN prompts ON prompts.id = prompt WHERE {where}"
        )
        with closing(self._db.execute(query, values)) as rows:
            for key, model, name, person, repeat, turn, late, read, wrote, cost, written, number, prompt, asked in rows:
                try:
                    text = self.replies.get(number)
                    if text is None:
                        continue  # on a page that was damaged
                    reply = json.loads(text)
                    said = self.prompts.messages(prompt, asked) if messages else ()
                except ValueError:
                    told = f"the reply {text_key(key)} in the journal is not JSON; the file was changed by hand"
                    raise InputError(told) from None
                yield JournalEntry(
                    text_key(key), model, name, person, repeat, turn, reply, late, read, wrote, cost, said, written
                )


class ReplyJournal:
    """Replies on disk; open it in one thread at a time.

    Parameters
    ----------
    path
        Of the SQLite file; made where there is none.

    Raises
    ------
    StudyError
        A file of a newer version, one that is not a journal, or one that cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> with ReplyJournal(Path(tempfile.mkdtemp()) / "journal.sqlite") as journal:
    ...     journal.add([JournalEntry("k", "m", "p", "ann", 0, 0, {"content": "{}"}, 0.1)])
    ...     [entry.person for entry in journal.entries()]
    ['ann']
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = open_sqlite(path, durable=True, any_thread=True)
            with ExitStack() as on_failure:
                on_failure.callback(self._db.close)
                self._prepare()
                self._reader = EntryReader(self._db)
                on_failure.pop_all()
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CORRUPT:
                with sqlite_faults(path):
                    raise
            raise StudyError(f"{path} cannot be used as a journal of replies ({error}); move it aside") from None
        self.holder, self._watch = ClaimOwner(path), ClaimWatch(path)
        self._counted, self._spent = 0, 0.0

    @property
    def owner(self) -> str:
        """What stands beside this process's claims."""
        return self.holder.name

    def _prepare(self) -> None:
        self._keep_reserve()
        with self.transaction():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in TABLES.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={FORMAT_VERSION}")
                version = FORMAT_VERSION
            if version in range(1, FORMAT_VERSION):
                upgrade(self._db, version)
                version = FORMAT_VERSION
            if version == FORMAT_VERSION:
                for statement in BATCHES.split(";"):
                    self._db.execute(statement)
                drop_unreadable(self._db)
        if version != FORMAT_VERSION:
            raise StudyError(
                f"{self.path} is a journal of format {version}, this personax reads format {FORMAT_VERSION}; "
                "install a newer personax, or move the file aside (its answers are then paid for again)"
            )

    def _keep_reserve(self) -> None:
        """Keep room on the disk for replies that are under way when it becomes full; without room, go on without."""
        self._reserve = self.path.with_name(self.path.name + ".reserve")
        if self._reserve.exists():
            return
        try:
            with os.fdopen(os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(b"\0" * RESERVE)
                stream.flush()
                os.fsync(stream.fileno())
        except FileExistsError:
            return  # another process keeps it at this moment
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; claims of this process end."""
        self._db.close()
        self.holder.close()

    def recount(self) -> None:
        """Forget what was counted as spent: replies were removed."""
        self._counted, self._spent = 0, 0.0

    def add(self, entries: Iterable[JournalEntry]) -> None:
        """Write replies; they are on disk when this returns.

        Raises
        ------
        StudyError
            When the disk is full or the file has become unwritable: nothing that was written before is lost. What came
            while the disk was full is written into the room that `RESERVE` kept.
        """
        known = list(entries)
        try:
            self._insert(known)
        except StudyError as error:
            if not _is_full(error.__cause__) or not self._reserve.exists():
                raise
            self._reserve.unlink()
            self._insert(known)
            text = f"{self.path}: the disk is full; every reply that came is kept, free some space and run again"
            raise StudyError(text) from None

    def _insert(self, entries: Sequence[JournalEntry]) -> None:
        try:
            with self.transaction():
                for entry in entries:
                    self.put(entry, time.time())
        except BaseException:
            self._reader.prompts.forget_numbers()
            raise

    def put(self, entry: JournalEntry, written: float) -> bool:
        """Write a reply within a transaction; False where there is one to its request already."""
        key = stored_key(entry.key)
        self._db.execute("DELETE FROM claims WHERE key = ?", (entry.key,))
        if self._db.execute("SELECT 1 FROM replies WHERE key = ?", (key,)).fetchone() is not None:
            return False
        if entry.messages:
            prompt, asked = self._reader.prompts.put(entry.prompt, entry.person, entry.messages)
        else:
            prompt, asked = self._asked_in_batch(entry)
        number = self._reader.replies.put(reply_text(entry.reply))
        row = (number, key, entry.model, prompt, entry.person, entry.repeat, entry.turn, asked, entry.latency,
               entry.tokens_in, entry.tokens_out, entry.cost, written)  # fmt: skip
        self._db.execute(f"INSERT INTO replies VALUES ({','.join('?' * len(row))})", row)
        return True

    def _asked_in_batch(self, entry: JournalEntry) -> tuple[int, int | None]:
        """Return the numbers of what was asked by a batch that was planned in this journal."""
        row = self._db.execute("SELECT asked_prompt, asked FROM batched WHERE key = ?", (entry.key,)).fetchone()
        if row is None or row[0] is None:
            return self._reader.prompts.put(entry.prompt, entry.person, ())
        return int(row[0]), row[1]

    def keep_messages(self, prompt: str, person: str, messages: Sequence[Message]) -> tuple[int, int | None]:
        """Keep what is asked by a batch, within a transaction, and return its numbers."""
        return self._reader.prompts.put(prompt, person, messages)

    def remove(self, where: str, values: Sequence[Any]) -> int:
        """Remove replies of which a condition holds, within a transaction, and return how many."""
        numbers = [row[0] for row in self._db.execute(f"SELECT id FROM replies WHERE {where}", values)]
        self._reader.replies.remove(numbers)
        self._db.executemany("DELETE FROM replies WHERE id = ?", [(number,) for number in numbers])
        return len(numbers)

    def remove_shown(self, where: str, values: Sequence[Any]) -> None:
        """Remove what was shown of some people, within a transaction."""
        self._reader.prompts.remove(where, values)

    def fail(self, key: str, model: str, person: str, reason: str) -> None:
        """Write why a request got no reply; it is asked again in the next run."""
        self._write(("INSERT INTO failures VALUES (?,?,?,?,?)", [(key, model, person, reason, time.time())]))

    def _write(self, *statements: tuple[str, Sequence[tuple[Any, ...]]]) -> None:
        with self.transaction():
            for statement, rows in statements:
                self._db.executemany(statement, rows)

    def get(self, key: str, *, messages: bool = False) -> JournalEntry | None:
        """Return the reply to a request, with what was asked where that is wanted, or None."""
        return next(self.entries("key = ?", (stored_key(key),), messages=messages), None)

    def answered(self, keys: Sequence[str]) -> set[str]:
        """Return which of some requests have a reply."""
        answered: set[str] = set()
        for start in range(0, len(keys), 500):
            chunk = list(map(stored_key, keys[start : start + 500]))
            placeholders = ",".join("?" * len(chunk))
            query = f"SELECT key FROM replies WHERE key IN ({placeholders})"
            with sqlite_faults(self.path):
                answered.update(text_key(row[0]) for row in self._db.execute(query, chunk))
        return answered

    def entries(
        self, where: str = "true ORDER BY key", values: Sequence[Any] = (), *, messages: bool = False
    ) -> Iterator[JournalEntry]:
        """Iterate over replies, one row in memory; all of them in the order of their keys, or see `EntryReader`."""
        with sqlite_faults(self.path):
            yield from self._reader.entries(where, values, messages=messages)

    def failed(self, key: str, since: float = 0.0) -> str | None:
        """Return the last reason why a request got no reply, of those written since then."""
        query = "SELECT reason FROM failures WHERE key = ? AND written >= ? ORDER BY rowid DESC LIMIT 1"
        with sqlite_faults(self.path):
            row = self._db.execute(query, (key, since)).fetchone()
        return None if row is None else str(row[0])

    def spent(self) -> float:
        """Return what all replies cost, where a price was known; of those known before, nothing is read again."""
        query = "SELECT coalesce(max(id), ?), coalesce(sum(cost), 0) FROM replies WHERE id > ?"
        with sqlite_faults(self.path):
            upto, cost = self._db.execute(query, (self._counted, self._counted)).fetchone()
        self._counted, self._spent = int(upto), self._spent + float(cost)
        return self._spent

    def claim(self, keys: Sequence[str]) -> set[str]:
        """Claim requests for this process, and return those that were free and have no reply yet."""
        with self.transaction():
            mine = self.free(keys)
            self.hold(mine)
        return mine

    def hold(self, keys: Iterable[str]) -> None:
        """Write claims of this process down, within a transaction."""
        rows = [(key, self.owner, float(self.holder.beat)) for key in keys]
        self._db.executemany("INSERT OR REPLACE INTO claims VALUES (?,?,?)", rows)

    def renew(self) -> None:
        """Write a heartbeat beside all claims of this process."""
        self.holder.beat += 1
        self._write(("UPDATE claims SET until = ? WHERE owner = ?", [(float(self.holder.beat), self.owner)]))

    @property
    def connection(self) -> sqlite3.Connection:
        """The open database."""
        return self._db

    def free(self, keys: Sequence[str]) -> set[str]:
        """Return requests without a reply that are in no open batch and under no valid claim of another process."""
        done, free = self.answered(keys), set()
        for key in keys:
            if key in done or is_batched(self._db, key):
                continue
            claim = self._db.execute("SELECT owner, until FROM claims WHERE key = ?", (key,)).fetchone()
            if claim is None or claim[0] == self.owner or self._watch.is_over(claim[0], claim[1]):
                free.add(key)
        return free

    def release(self, keys: Iterable[str]) -> None:
        """Release claims of this process."""
        with self.transaction():
            self._db.executemany("DELETE FROM claims WHERE key = ? AND owner = ?", [(key, self.owner) for key in keys])

    def transaction(self) -> _Transaction:
        """Return a context manager: all statements within it are committed, or none."""
        return _Transaction(self._db, self.path)


class _Transaction:
    """BEGIN IMMEDIATE ... COMMIT: two processes that read and then write do not step on each other."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self.db, self.path = db, path

    def __enter__(self) -> sqlite3.Connection:
        with sqlite_faults(self.path):
            self.db.execute("BEGIN IMMEDIATE")
        return self.db

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        try:
            if kind is None:
                self.db.execute("COMMIT")
        except sqlite3.Error as failed:
            error = failed
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            with sqlite_faults(self.path):
                raise error


def _is_full(error: BaseException | None) -> bool:
    """Say whether SQLite had no room on the disk."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
