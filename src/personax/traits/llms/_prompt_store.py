"""What was asked, each part once: a prompt's constant part for all people, a person's text for all models and repeats.

A request's messages are the system text, in which only the fence is a person's, and all that follows it. Pictures are
kept by the hash of their bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from personax.traits.llms._block_store import BlockStore, block_tables
from personax.traits.llms._prompt import FENCE, Message
from personax.traits.llms._reply_packing import deflated, inflated

__all__ = ["PROMPTS", "PromptStore", "shown_text"]

PROMPTS = f"""
CREATE TABLE prompts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, constant BLOB);
CREATE TABLE shown (id INTEGER PRIMARY KEY, person TEXT NOT NULL, digest BLOB NOT NULL);
CREATE UNIQUE INDEX shown_by_digest ON shown (digest, person);
{block_tables("shown")}
"""

_FENCE = re.compile("=== data [0-9a-f]{16} ===")


class PromptStore:
    """Messages of requests, within the transactions of whoever calls.

    Parameters
    ----------
    db
        With the tables of `PROMPTS`.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db, self._texts = db, BlockStore(db, "shown")
        self._known: dict[tuple[str, str], int] = {}

    def put(self, name: str, person: str, messages: Sequence[Message]) -> tuple[int, int | None]:
        """Keep messages and return the numbers of the prompt and of what was shown; None without messages."""
        if not messages:
            return self._prompt(name, ""), None
        first, *rest = messages
        constant = first["content"] if first["role"] == "system" else ""
        kept = rest if constant else messages
        shown = json.dumps([_without_pictures(one) for one in kept], ensure_ascii=False)
        fence = _FENCE.search(shown)
        constant = constant.replace(fence.group(), FENCE) if fence else constant
        return self._prompt(name, constant), self._shown(person, shown.encode("utf-8", "replace"))

    def forget_numbers(self) -> None:
        """Forget what was looked up: a transaction was undone."""
        self._known.clear()

    def messages(self, prompt: int, shown: int | None) -> list[Message]:
        """Return the messages of a request; none where they were not kept.

        Raises
        ------
        ValueError
            When they were changed by hand.
        """
        text = None if shown is None else self._texts.get(shown)
        if text is None:
            return []
        rest: list[Message] = json.loads(text)
        row = self._db.execute("SELECT constant FROM prompts WHERE id = ?", (prompt,)).fetchone()
        if row is None or row[0] is None:
            return rest
        fence = _FENCE.search(text.decode())
        constant = inflated(row[0]).decode()
        return [{"role": "system", "content": constant.replace(FENCE, fence.group()) if fence else constant}, *rest]

    def remove(self, where: str, values: Sequence[Any]) -> None:
        """Remove what was shown of some people."""
        numbers = [row[0] for row in self._db.execute(f"SELECT id FROM shown WHERE {where}", values)]
        self._texts.remove(numbers)
        self._db.executemany("DELETE FROM shown WHERE id = ?", [(number,) for number in numbers])

    def _prompt(self, name: str, constant: str) -> int:
        known = self._known.get((name, constant))
        if known is not None:
            return known
        digest = hashlib.sha256(json.dumps([name, constant]).encode()).digest()[:16]
        packed = deflated(constant.encode("utf-8", "replace")) if constant else None
        self._db.execute(
            "INSERT OR IGNORE INTO prompts (name, digest, constant) VALUES (?, ?, ?)", (name, digest, packed)
        )
        number = int(self._db.execute("SELECT id FROM prompts WHERE digest = ?", (digest,)).fetchone()[0])
        if len(self._known) < 1000:
            self._known[name, constant] = number
        return number

    def _shown(self, person: str, text: bytes) -> int:
        digest = hashlib.sha256(text).digest()[:16]
        row = self._db.execute("SELECT id FROM shown WHERE digest = ? AND person = ?", (digest, person)).fetchone()
        if row is not None:
            return int(row[0])
        number = self._texts.put(text)
        self._db.execute("INSERT INTO shown VALUES (?, ?, ?)", (number, person, digest))
        return number


def _without_pictures(message: Message) -> Message:
    content = message["content"]
    if isinstance(content, str):
        return message
    return {**message, "content": [_by_hash(part) for part in content]}


def _by_hash(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] != "image_url":
        return dict(part)
    data = base64.b64decode(str(part["image_url"]["url"]).partition(";base64,")[2])
    return {"type": "image_url", "image_url": {"url": f"sha256 {hashlib.sha256(data).hexdigest()}"}}


def shown_text(message: Message) -> str:
    """Return a message of a journal as text; a picture is named by its hash."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] if part["type"] == "text" else str(part["image_url"]["url"]) for part in content)
