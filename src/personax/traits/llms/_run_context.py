"""What the talks with all models have in common: patience, outcomes, the disk, the money."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from personax.progress import Progress
from personax.traits.llms._journal import JournalEntry, ReplyJournal

__all__ = ["DEFAULT_RETRY", "CostBudget", "JournalWriter", "RetryPolicy", "RunContext", "RunSummary"]

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How long to go on after failures.

    Parameters
    ----------
    tries
        Of one request; one that was refused for the rate alone (429) is tried until the run ends, within ``limited``
        tries.
    limited
        Tries of a request whose failures were all of the rate.
    failures, pause, pauses
        See `CircuitBreaker`.
    look, longest
        Seconds between two looks at a batch: the first wait, and the longest that it grows to.
    settle
        Seconds after which a batch that was sent, but not confirmed, stands in the provider's list or was never made.
    """

    tries: int = 6
    limited: int = 30
    failures: int = 10
    pause: float = 15.0
    pauses: int = 3
    look: float = 1.0
    longest: float = 60.0
    settle: float = 30.0


DEFAULT_RETRY: Final = RetryPolicy()


@dataclass
class RunSummary:
    """What came of asking one model.

    Parameters
    ----------
    model
        Its name.
    total, cached, completed, failed
        Requests; those the journal held; those answered now; those without an answer.
    repaired
        Answers of the wrong shape that were asked for once more.
    retries
        Tries that came to nothing, by reason.
    cost
        Of this run, where a price is known.
    waiting, foreign
        Requests that lie in batches at the provider; rows of batches about requests that are in none of them.
    stopped
        Why the model was given up, if it was.
    """

    model: str
    total: int = 0
    cached: int = 0
    completed: int = 0
    failed: int = 0
    repaired: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    cost: float = 0.0
    pending: int = 0
    unmatched: int = 0
    stop_reason: str | None = None


class JournalWriter:
    """The journal behind one thread, so that the loop never waits for a disk."""

    def __init__(self, journal: ReplyJournal) -> None:
        self.journal = journal
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[tuple[JournalEntry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def do(self, call: Callable[..., T], *given: Any) -> T:  # noqa: ANN401 - whatever the call takes
        """Call in the journal's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *given))

    async def add(self, entry: JournalEntry) -> None:
        """Return once the entry is on disk."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await asyncio.shield(written)

    async def _write(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting, []
            try:
                await self.do(self.journal.add, [entry for entry, _ in some])
            except Exception as error:  # noqa: BLE001 - handed on to whoever waits for it
                for _, written in some:
                    if not written.done():
                        written.set_exception(error)
            else:
                for _, written in some:
                    if not written.done():
                        written.set_result(None)

    async def close(self) -> None:
        """Write what waits, and end the thread."""
        if self._writing is not None:
            with suppress(asyncio.CancelledError):
                await self._writing
        self._thread.shutdown(wait=True)


class CostBudget:
    """What may still be spent; money that is under way counts as spent."""

    def __init__(self, most: float | None, spent: float) -> None:
        self.most, self.spent, self.reserved = most, spent, 0.0

    def reserve(self, cost: float) -> bool:
        """Put money aside; False where it is not there."""
        if self.most is not None and self.spent + self.reserved + cost > self.most:
            return False
        self.reserved += cost
        return True

    def settle(self, reserved: float, cost: float) -> None:
        """Pay from what was put aside."""
        self.reserved -= reserved
        self.spent += cost


@dataclass(frozen=True)
class RunContext:
    """What the talks with all models have in common."""

    writer: JournalWriter
    budget: CostBudget
    retry: RetryPolicy
    report: Callable[[], None]
    progress: Progress
    locks: defaultdict[str, asyncio.Lock]
    """By settings: two models that are the same ask the provider for one batch after the other."""
