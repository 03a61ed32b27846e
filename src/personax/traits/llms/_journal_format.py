"""The tables of a journal of replies, and how one of an earlier format becomes one of this."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Final

from personax.files import SALVAGED
from personax.traits.llms._block_store import BlockStore, block_tables
from personax.traits.llms._prompt_store import PROMPTS, PromptStore
from personax.traits.llms._reply_packing import earlier_text, stored_key

__all__ = ["BATCHES", "FORMAT_VERSION", "TABLES", "drop_unreadable", "upgrade"]

FORMAT_VERSION: Final = 3
"""3: replies lie in blocks, what was asked is kept; 2: each deflated by itself; 1: as text. Earlier ones are read."""

REPLIES: Final = f"""
CREATE TABLE replies (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL, model TEXT NOT NULL, prompt INTEGER NOT NULL, person TEXT NOT NULL,
    repeat INTEGER NOT NULL, turn INTEGER NOT NULL, asked INTEGER, latency REAL NOT NULL, tokens_in INTEGER,
    tokens_out INTEGER, cost REAL, written REAL NOT NULL
);
CREATE UNIQUE INDEX replies_by_key ON replies (key);
{block_tables("said")}
{PROMPTS}
"""
"""``id`` is the number of the reply in ``said``; ``prompt`` and ``asked`` are numbers in ``prompts`` and ``shown``."""

TABLES: Final = f"""
{REPLIES};
CREATE TABLE failures (
    key TEXT NOT NULL, model TEXT NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL, written REAL NOT NULL
);
CREATE TABLE claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX failures_by_key ON failures (key)
"""

BATCHES: Final = """
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, model TEXT NOT NULL, endpoint TEXT NOT NULL, input_file TEXT, batch TEXT, state TEXT NOT NULL,
    cost REAL NOT NULL, written REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batched (
    key TEXT PRIMARY KEY, batch_id TEXT NOT NULL, tries INTEGER NOT NULL, prompt TEXT NOT NULL, person TEXT NOT NULL,
    repeat INTEGER NOT NULL, turn INTEGER NOT NULL, asked_prompt INTEGER, asked INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batched_by_batch ON batched (batch_id);
CREATE TABLE IF NOT EXISTS endpoints (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, profile TEXT NOT NULL, written REAL NOT NULL
) WITHOUT ROWID
"""
"""Added to journals that were begun before there were batches, and before what endpoints take was kept."""


def upgrade(db: sqlite3.Connection, version: int) -> None:
    """Make a journal of format 1 or 2 one of this format, within a transaction; a reply changed by hand stays so."""
    db.execute("ALTER TABLE replies RENAME TO earlier")
    db.execute("DROP INDEX IF EXISTS replies_by_key")
    for statement in REPLIES.split(";"):
        db.execute(statement)
    if db.execute("PRAGMA table_info(batched)").fetchall():
        for column in ("asked_prompt", "asked"):
            db.execute(f"ALTER TABLE batched ADD COLUMN {column} INTEGER")
    said, prompts = BlockStore(db, "said"), PromptStore(db)
    order = "written" if version == 1 else "rowid"
    insert = f"INSERT INTO replies VALUES ({','.join('?' * 13)})"
    columns = "key, model, prompt, person, repeat, turn, reply, latency, tokens_in, tokens_out, cost, written"
    with closing(db.execute(f"SELECT {columns} FROM earlier ORDER BY {order}")) as rows:
        for key, model, prompt, person, repeat, turn, reply, *rest in rows:
            number, asked = prompts.put(prompt, person, ())
            row = (said.put(earlier_text(reply)), stored_key(key), model, number, person, repeat, turn, asked, *rest)
            db.execute(insert, row)
    db.execute("DROP TABLE earlier")
    db.execute(f"PRAGMA user_version={FORMAT_VERSION}")


def drop_unreadable(db: sqlite3.Connection) -> None:
    """Remove, of a journal that was mended, replies whose text was lost: they are asked for again."""
    if db.execute("PRAGMA application_id").fetchone()[0] != SALVAGED:
        return
    for table, store in (("replies", BlockStore(db, "said")), ("shown", BlockStore(db, "shown"))):
        there = set(store.numbers())
        lost = [(row[0],) for row in db.execute(f"SELECT id FROM {table}") if row[0] not in there]
        db.executemany(f"DELETE FROM {table} WHERE id = ?", lost)
    db.execute("UPDATE replies SET asked = NULL WHERE asked NOT IN (SELECT id FROM shown)")
    db.execute("PRAGMA application_id=0")
