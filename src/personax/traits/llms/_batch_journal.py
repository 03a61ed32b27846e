"""Which request is in which batch, recorded before anything is sent, so that no request is sent twice."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from personax.traits.llms._prompt import Message, content_hash

if TYPE_CHECKING:
    from personax.traits.llms._journal import ReplyJournal
    from personax.traits.llms._provider import Model

__all__ = ["Batch", "BatchRequest", "BatchStore"]


@dataclass(frozen=True, slots=True)
class Batch:
    """An open batch: planned or at the provider, not collected.

    Parameters
    ----------
    id
        Our own, random; the provider keeps it with the batch.
    input_file, batch
        The provider's names of what was uploaded and of the batch; None before it said so.
    cost
        About what it costs.
    written
        When it was planned.
    """

    id: str
    input_file: str | None
    batch: str | None
    cost: float
    written: float

    @property
    def claim(self) -> str:
        """What a process claims while it brings the batch to the provider."""
        return f"batch:{self.id}"


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A request of a batch, with all that its journal entry needs, even if the study has changed meanwhile.

    Parameters
    ----------
    key, prompt, person, repeat, turn
        See `personax.traits.llms._journal.JournalEntry`.
    tries
        In how many batches it was, this one counted.
    messages
        What it asks; the journal keeps it with the reply.
    """

    key: str
    prompt: str
    person: str
    repeat: int
    turn: int
    tries: int = 0
    messages: Sequence[Message] = field(default=(), compare=False, repr=False)


class BatchStore:
    """The batches of one model, as its settings are; a batch is ``planned``, then ``open``, then ``done``.

    Parameters
    ----------
    journal
        Where they are written down.
    model
        Whose they are.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from personax.traits.llms import Model, ReplyJournal
    >>> with ReplyJournal(Path(tempfile.mkdtemp()) / "journal.sqlite") as journal:
    ...     batches = BatchStore(journal, Model(name="gpt", model="gpt", base_url="https://example.org/v1"))
    ...     batch, requests = batches.plan([BatchRequest("k", "p", "ann", 0, 0)], {"k": 0.1})
    ...     (list(requests), journal.claim(["k"]), batches.drop(batch), journal.claim(["k"]))
    (['k'], set(), None, {'k'})
    """

    def __init__(self, journal: ReplyJournal, model: Model) -> None:
        self.journal, self.began = journal, time.time()
        self.model, self.endpoint = content_hash(model.settings()), model.base_url.rstrip("/")

    def open(self) -> list[Batch]:
        """Return what is planned or at the provider, the oldest first."""
        with self.journal.transaction() as db:
            rows = db.execute(
                "SELECT id, input_file, batch, cost, written FROM batches "
                "WHERE model = ? AND endpoint = ? AND state != 'done' ORDER BY written",
                (self.model, self.endpoint),
            ).fetchall()
        return [Batch(*row) for row in rows]

    def requests(self, batch: Batch) -> dict[str, BatchRequest]:
        """Return the requests of a batch by key; none of one that another process has collected meanwhile."""
        with self.journal.transaction() as db:
            rows = db.execute(
                "SELECT key, prompt, person, repeat, turn, tries FROM batched JOIN batches ON id = batch_id "
                "WHERE batch_id = ? AND state != 'done'",
                (batch.id,),
            ).fetchall()
        return {row[0]: BatchRequest(*row) for row in rows}

    def plan(
        self, requests: Sequence[BatchRequest], costs: Mapping[str, float]
    ) -> tuple[Batch, dict[str, BatchRequest]] | None:
        """Take the requests that are free for a batch that this process sends; None where none is.

        What failed since these batches were looked at first is not free: another process has just given it up.
        """
        now = time.time()
        with self.journal.transaction() as db:
            free = self.journal.free([part.key for part in requests])
            mine = {
                one.key: one for one in requests if one.key in free and not self.journal.failed(one.key, self.began)
            }
            if not mine:
                return None
            batch = Batch(uuid.uuid4().hex, None, None, sum(costs[key] for key in mine), now)
            db.execute(
                "INSERT INTO batches VALUES (?,?,?,NULL,NULL,'planned',?,?)",
                (batch.id, self.model, self.endpoint, batch.cost, now),
            )
            db.executemany(
                "INSERT INTO batched VALUES (?,?,1,?,?,?,?,?,?) "
                "ON CONFLICT (key) DO UPDATE SET batch_id = excluded.batch_id, tries = tries + 1",
                [
                    (
                        one.key,
                        batch.id,
                        one.prompt,
                        one.person,
                        one.repeat,
                        one.turn,
                        *self.journal.keep_messages(one.prompt, one.person, one.messages),
                    )
                    for one in mine.values()
                ],
            )
            db.executemany("DELETE FROM claims WHERE key = ?", [(key,) for key in mine])
            self.journal.hold([batch.claim])
        return batch, mine

    def uploaded(self, batch: Batch, file: str) -> None:
        """Note the file: from here on the provider may have the batch, whether it says so or not."""
        with self.journal.transaction() as db:
            db.execute("UPDATE batches SET input_file = ? WHERE id = ?", (file, batch.id))

    def created(self, batch: Batch, name: str) -> None:
        """Note the batch; any process may look for its answers now."""
        with self.journal.transaction() as db:
            db.execute("UPDATE batches SET batch = ?, state = 'open' WHERE id = ?", (name, batch.id))
            db.execute("DELETE FROM claims WHERE key = ?", (batch.claim,))

    def drop(self, batch: Batch) -> None:
        """Forget a batch that the provider does not have."""
        with self.journal.transaction() as db:
            db.execute("DELETE FROM batches WHERE id = ? AND state = 'planned'", (batch.id,))
            db.execute("UPDATE batched SET tries = tries - 1 WHERE batch_id = ?", (batch.id,))
            db.execute("DELETE FROM batched WHERE batch_id = ? AND tries < 1", (batch.id,))
            db.execute("DELETE FROM claims WHERE key = ?", (batch.claim,))

    def close(
        self, batch: Batch, again: set[str], failed: Mapping[str, BatchRequest], reasons: Mapping[str, str], name: str
    ) -> bool:
        """End a batch whose replies are on disk, and return whether no other process has done it.

        Parameters
        ----------
        again
            Requests that may go into another batch.
        failed, reasons
            Those that may not, and why.
        name
            What tables call the model.
        """
        now = time.time()
        with self.journal.transaction() as db:
            first = db.execute(
                "UPDATE batches SET state = 'done' WHERE id = ? AND state != 'done'", (batch.id,)
            ).rowcount
            if first:
                held = db.execute("SELECT key FROM batched WHERE batch_id = ?", (batch.id,)).fetchall()
                db.executemany("DELETE FROM batched WHERE key = ?", [row for row in held if row[0] not in again])
                rows = [(key, name, part.person, reasons[key], now) for key, part in failed.items()]
                db.executemany("INSERT INTO failures VALUES (?,?,?,?,?)", rows)
                db.execute("DELETE FROM claims WHERE key = ?", (batch.claim,))
        return bool(first)
