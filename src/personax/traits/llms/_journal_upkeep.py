"""Looking after a journal of replies: what it holds, what is to leave it, a copy of it.

A journal outlives studies: what somebody asks to have forgotten must leave it too, and what leaves it is gone from the
file, not only from its index.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from personax.errors import InputError, StudyError
from personax.files import sqlite_faults, written_aside
from personax.traits.llms._journal import EntryReader, JournalEntry, ReplyJournal
from personax.traits.llms._journal_format import FORMAT_VERSION
from personax.traits.llms._prompt import content_hash
from personax.traits.llms._reply_packing import text_key
from personax.traits.llms._requests import VERSION

__all__ = [
    "ModelReplies",
    "backup_journal",
    "drop_model",
    "export_journal",
    "forget_person",
    "journal_models",
    "read_replies",
    "replies_of",
]


@dataclass(frozen=True, slots=True)
class ModelReplies:
    """What a journal holds of one model.

    Parameters
    ----------
    model
        Its name.
    replies, repairs
        Answers, and of these the ones that were asked for once more.
    people
        About whom, or, of a judge, about how many replies.
    failures
        Requests that got no reply when they were asked last, and have none since.
    tokens_in, tokens_out, cost
        Sums, where they are known.
    first, last
        When the first and the last of them was written (UTC).
    """

    model: str
    replies: int
    repairs: int
    people: int
    failures: int
    tokens_in: int
    tokens_out: int
    cost: float
    first: str
    last: str


def journal_models(journal: ReplyJournal) -> list[ModelReplies]:
    """Return what a journal holds, a row a model in alphabetical order."""
    query = """
        SELECT model, count(*), sum(turn), count(DISTINCT person), coalesce(sum(tokens_in), 0),
            coalesce(sum(tokens_out), 0), coalesce(sum(cost), 0), min(written), max(written)
        FROM replies GROUP BY model ORDER BY model
    """
    failed = """
        SELECT model, count(DISTINCT key) FROM failures
        WHERE key NOT IN (SELECT CASE typeof(key) WHEN 'blob' THEN lower(hex(key)) ELSE key END FROM replies)
        GROUP BY model
    """
    with sqlite_faults(journal.path):
        rows = journal.connection.execute(query).fetchall()
        failures = dict(journal.connection.execute(failed).fetchall())
    known = [
        ModelReplies(
            row[0],
            row[1],
            row[2],
            row[3],
            failures.pop(row[0], 0),
            row[4],
            row[5],
            row[6],
            _moment(row[7]),
            _moment(row[8]),
        )
        for row in rows
    ]
    lost = [ModelReplies(model, 0, 0, 0, number, 0, 0, 0.0, "", "") for model, number in failures.items()]
    return sorted([*known, *lost], key=lambda one: one.model)


ABOUT: Final = f"(person = ?1 OR substr(person, 1, length(?1) + 1) = ?1 || char({ord(VERSION)}))"
"""A person, or a version of it that an audit made."""


def replies_of(journal: ReplyJournal, person: str) -> list[JournalEntry]:
    """Return all that models said of one person, and of changed versions of it: by model, prompt, repeat and turn.

    What was asked is with it, where the journal has kept that (since format 3).
    """
    return _in_order(journal.entries(ABOUT, (person,), messages=True))


def read_replies(path: Path, person: str) -> list[JournalEntry]:
    """Return all that models said of one person, of a journal in which nothing is written, not even beside it.

    Raises
    ------
    StudyError
        It is no journal of this version, or another process writes it at this moment.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.sqlite"
    >>> with ReplyJournal(path) as journal:
    ...     journal.add([JournalEntry("k", "m", "p", "ann", 0, 0, {"content": "{}"}, 0.1)])
    >>> [one.model for one in read_replies(path, "ann")]
    ['m']
    """
    log = path.with_name(f"{path.name}-wal")
    # without a log that holds something, SQLite need not look for one, for which it would write beside the file
    mode = "mode=ro" if log.is_file() and log.stat().st_size else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == FORMAT_VERSION:
                return _in_order(EntryReader(db).entries(ABOUT, (person,), messages=True))
    except sqlite3.Error as error:
        raise StudyError(
            f"{path} cannot be read as a journal of replies ({error}); try again, or: personax journal list"
        ) from None
    raise StudyError(
        f"{path} is a journal of format {version}; personax journal list STUDY brings it to {FORMAT_VERSION}"
    )


def _in_order(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    return sorted(entries, key=lambda one: (one.model, one.prompt, one.repeat, one.turn))


def forget_person(journal: ReplyJournal, person: str) -> int:
    """Remove all that a journal holds of one person; return how many replies.

    Verdicts of a judge on them are included, and what audits asked about the person with something changed or added.
    Pages that held them are overwritten, in the file and in its write-ahead log.

    Raises
    ------
    InputError
        When requests about the person lie in a batch that is still open: its answers would come back.
    """
    judged = [content_hash(entry.reply.get("content") or "") for entry in replies_of(journal, person)]
    _no_open_batch(journal, person)
    removed = 0
    with journal.transaction() as db:
        for name in (person, *judged):
            rows = db.execute(f"SELECT key FROM replies WHERE {ABOUT}", (name,))
            keys = [(text_key(row[0]),) for row in rows]
            db.executemany("DELETE FROM claims WHERE key = ?", keys)
            number = journal.remove(ABOUT, (name,))
            removed += number if name == person else 0
            journal.remove_shown(ABOUT, (name,))
            for table in ("failures", "batched"):
                db.execute(f"DELETE FROM {table} WHERE {ABOUT}", (name,))
    _overwrite(journal)
    return removed


def drop_model(journal: ReplyJournal, model: str) -> int:
    """Remove the replies of one model, which are paid for again when it is asked again; return how many.

    Raises
    ------
    InputError
        When the journal holds nothing of the model, or a batch is open.
    """
    known = [one.model for one in journal_models(journal)]
    if model not in known:
        raise InputError(f"the journal holds nothing of {model}; it knows {', '.join(known) or 'no model'}")
    with sqlite_faults(journal.path):
        # a batch knows its model by a hash of settings, which a study may have changed since
        count = journal.connection.execute("SELECT count(*) FROM batches WHERE state != 'done'").fetchone()[0]
    if count:
        raise InputError("a batch is open; run annotate until it is brought in, then drop the model")
    with journal.transaction() as db:
        removed = journal.remove("model = ?", (model,))
        db.execute("DELETE FROM failures WHERE model = ?", (model,))
    _overwrite(journal)
    return removed


def export_journal(journal: ReplyJournal, path: Path, *, asked: bool = False) -> int:
    """Write every reply as a line of JSON that only the owner may read, with what was asked; return how many."""
    count = 0
    with written_aside(path) as aside, aside.open("w", encoding="utf-8") as stream:
        aside.chmod(0o600)
        for entry in journal.entries(messages=asked):
            line = asdict(entry)
            if not asked:
                del line["messages"]
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count


def backup_journal(journal: ReplyJournal, path: Path) -> None:
    """Copy a journal that may be in use, whole, into a file that only the owner may read.

    Raises
    ------
    InputError
        When there is such a file already.
    """
    if path.exists():
        raise InputError(f"{path} is there already; name a file that is not")
    with written_aside(path) as aside, sqlite_faults(journal.path):
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(aside)) as copy:
            journal.connection.backup(copy)


def _no_open_batch(journal: ReplyJournal, person: str) -> None:
    query = f"SELECT count(*) FROM batched JOIN batches ON id = batch_id WHERE {ABOUT} AND state != 'done'"
    with sqlite_faults(journal.path):
        count = journal.connection.execute(query, (person,)).fetchone()[0]
    if count:
        raise InputError(
            f"requests about {person} lie in an open batch; run annotate until it is brought in, then forget"
        )


def _overwrite(journal: ReplyJournal) -> None:
    """Write the file anew without what was deleted, and empty its log."""
    journal.recount()
    with sqlite_faults(journal.path):
        journal.connection.execute("VACUUM")
        journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _moment(written: float) -> str:
    return datetime.fromtimestamp(written, UTC).isoformat(timespec="seconds")
