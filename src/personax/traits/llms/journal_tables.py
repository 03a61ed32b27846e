"""The tables of the journal: replies, failures and claims; the batches at a provider and what lies in them."""

from __future__ import annotations

import sqlite3
from typing import Final

__all__ = ["BATCHES", "REPLIES", "VERSION", "lies_in_batch"]

VERSION: Final = 1

REPLIES: Final = """
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
"""

BATCHES: Final = """
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, model TEXT NOT NULL, endpoint TEXT NOT NULL, input_file TEXT, batch TEXT, state TEXT NOT NULL,
    cost REAL NOT NULL, written REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batched (
    key TEXT PRIMARY KEY, batch_id TEXT NOT NULL, tries INTEGER NOT NULL, prompt TEXT NOT NULL, person TEXT NOT NULL,
    repeat INTEGER NOT NULL, turn INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batched_by_batch ON batched (batch_id);
"""
"""Added to journals that were begun before there were batches."""


def lies_in_batch(db: sqlite3.Connection, key: str) -> bool:
    """Say whether a request lies in a batch that is not collected."""
    found = db.execute(
        "SELECT 1 FROM batched JOIN batches ON id = batch_id WHERE key = ? AND state != 'done'", (key,)
    ).fetchone()
    return found is not None
