"""Many short texts in a database, packed together: what came last one by one, all before it some sixty in a block.

Texts of one kind have most words in common, so that a block of them takes two thirds of what they take alone. A text
that is removed leaves its block, which is written anew without it: what is forgotten is gone.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby

from personax.traits.llms._reply_packing import deflated, inflated

__all__ = ["BLOCK", "BlockStore", "block_tables"]

BLOCK = 64
"""Texts of a block."""

CACHED = 32
"""Blocks that are kept unpacked."""


def block_tables(name: str) -> str:
    """Return the statements that make the tables of a store."""
    return (
        f"CREATE TABLE {name}_loose (id INTEGER PRIMARY KEY, text BLOB NOT NULL);"
        f"CREATE TABLE {name}_blocks (last INTEGER PRIMARY KEY, texts BLOB NOT NULL);"
    )


class BlockStore:
    """Texts by number, within the transactions of whoever calls.

    Numbers grow and are never used twice; a block holds those above the last of the block before it, up to its own.

    Parameters
    ----------
    db, name
        The database, and what `block_tables` was called with; ``schema`` of a database that is attached.

    Examples
    --------
    >>> db = sqlite3.connect(":memory:")
    >>> _ = db.executescript(block_tables("said"))
    >>> store = BlockStore(db, "said")
    >>> numbers = [store.put(f"text {i}".encode()) for i in range(200)]
    >>> store.remove(numbers[5:6])
    >>> store.get(numbers[5]), store.get(numbers[6]), store.get(numbers[199])
    (None, b'text 6', b'text 199')
    """

    def __init__(self, db: sqlite3.Connection, name: str, schema: str = "main") -> None:
        self._db, self._loose, self._blocks = db, f"{schema}.{name}_loose", f"{schema}.{name}_blocks"
        self._unpacked: OrderedDict[int, dict[int, bytes]] = OrderedDict()

    def put(self, text: bytes) -> int:
        """Keep a text and return its number."""
        last = f"SELECT max((SELECT coalesce(max(id), 0) FROM {self._loose}), {self._packed_to()})"
        number = int(self._db.execute(last).fetchone()[0]) + 1
        self._db.execute(f"INSERT INTO {self._loose} VALUES (?, ?)", (number, deflated(text)))
        if number % BLOCK == 0:
            self._pack()
        return number

    def get(self, number: int) -> bytes | None:
        """Return a text; None where there is none.

        Raises
        ------
        ValueError
            When it was changed by hand.
        """
        # loose ones first: another process may pack a text between these two looks
        row = self._db.execute(f"SELECT text FROM {self._loose} WHERE id = ?", (number,)).fetchone()
        if row is not None:
            return inflated(row[0])
        return self._block_of(number).get(number)

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove texts, also from their blocks."""
        wanted = sorted(set(numbers))
        self._db.executemany(f"DELETE FROM {self._loose} WHERE id = ?", [(number,) for number in wanted])
        self._unpacked.clear()
        for last, gone in groupby(wanted, self._last_of):
            left = {} if last is None else dict(self._block_of(last))
            dropped = [number for number in gone if left.pop(number, None) is not None]
            if dropped:  # an empty block stays, so that its numbers are not used again
                self._db.execute(f"UPDATE {self._blocks} SET texts = ? WHERE last = ?", (_packed(left), last))
        self._unpacked.clear()

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of all texts that can be read."""
        for number, _ in self._all():
            yield number

    def texts(self) -> Iterator[bytes]:
        """Yield all texts that can be read."""
        for _, text in self._all():
            yield text

    def _all(self) -> Iterator[tuple[int, bytes]]:
        for number, text in self._db.execute(f"SELECT id, text FROM {self._loose}").fetchall():
            with suppress(ValueError):
                yield int(number), inflated(text)
        for (packed,) in self._db.execute(f"SELECT texts FROM {self._blocks}"):
            with suppress(ValueError):
                yield from _unpacked(packed).items()

    def _packed_to(self) -> str:
        return f"(SELECT coalesce(max(last), 0) FROM {self._blocks})"

    def _pack(self) -> None:
        """Pack all but the last `BLOCK` texts that lie alone."""
        query = f"SELECT id, text FROM {self._loose} WHERE id > {self._packed_to()} ORDER BY id"
        rows = self._db.execute(query).fetchall()[:-BLOCK]
        for start in range(0, len(rows) - len(rows) % BLOCK, BLOCK):
            part = {int(number): inflated(text) for number, text in rows[start : start + BLOCK]}
            self._db.execute(f"INSERT INTO {self._blocks} VALUES (?, ?)", (max(part), _packed(part)))
            self._db.executemany(f"DELETE FROM {self._loose} WHERE id = ?", [(number,) for number in part])

    def _last_of(self, number: int) -> int | None:
        """Return the last number of the block that a number belongs to."""
        query = f"SELECT last FROM {self._blocks} WHERE last >= ? ORDER BY last LIMIT 1"
        row = self._db.execute(query, (number,)).fetchone()
        return None if row is None else int(row[0])

    def _block_of(self, number: int) -> dict[int, bytes]:
        last = self._last_of(number)
        if last is None:
            return {}
        known = self._unpacked.get(last)
        if known is None:
            read = self._db.execute(f"SELECT texts FROM {self._blocks} WHERE last = ?", (last,)).fetchone()
            known = self._unpacked[last] = _unpacked(read[0])
            if len(self._unpacked) > CACHED:
                self._unpacked.popitem(last=False)
        else:
            self._unpacked.move_to_end(last)
        return known


def _packed(texts: Mapping[int, bytes]) -> bytes:
    head = json.dumps([[number, len(text)] for number, text in texts.items()], separators=(",", ":"))
    return deflated(head.encode() + b"\n" + b"".join(texts.values()))


def _unpacked(packed: object) -> dict[int, bytes]:
    head, _, whole = inflated(packed).partition(b"\n")
    texts, at = dict[int, bytes](), 0
    for number, length in json.loads(head):
        texts[number], at = whole[at : at + length], at + length
    return texts
