"""What the runs of all models share: the policy for failures, the cost budget, the journal's writer, run summaries."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from personax.http import RetryPolicy
from personax.progress import Progress
from personax.traits.llms._journal import JournalEntry, ReplyJournal

__all__ = ["DEFAULT_POLICY", "CostBudget", "JournalWriter", "RunContext", "RunPolicy", "RunSummary"]

T = TypeVar("T")


@dataclass(frozen=True)
class RunPolicy:
    """How long to go on after failures, and how often to look at batches.

    Parameters
    ----------
    retry
        Attempts of one request and the waits between them; rate-limited attempts (429) are counted apart.
    failures, pause, pauses
        See `personax.http.CircuitBreaker`.
    refusals
        A model that has answered nothing and refused so many requests, each for itself, is given up.
    poll_interval, max_poll_interval
        Seconds between two looks at a batch: the first wait, and the longest that it grows to.
    confirm_delay
        Seconds after which a batch that was sent, but not confirmed, stands in the provider's list or was never made.
    """

    retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=6, rate_limited_attempts=30))
    failures: int = 10
    refusals: int = 5
    pause: float = 15.0
    pauses: int = 3
    poll_interval: float = 1.0
    max_poll_interval: float = 60.0
    confirm_delay: float = 30.0


DEFAULT_POLICY: Final = RunPolicy()


@dataclass
class RunSummary:
    """What came of asking one model.

    Parameters
    ----------
    model
        Its name.
    total, cached, completed, failed
        Requests: all; answered in the journal before; answered in this run; without an answer.
    repaired
        Answers of the wrong shape that were asked for once more.
    retries
        Failed attempts, by reason.
    cost
        Of this run, where a price is known.
    pending, unmatched
        Requests in open batches at the provider; rows of batches about requests that are in none of them.
    uncounted
        Replies of this run whose tokens the provider does not count, or not as they can be.
    left_out
        Settings that the endpoint does not take.
    stop_reason
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
    uncounted: int = 0
    left_out: set[str] = field(default_factory=set)
    stop_reason: str | None = None

    def count_retry(self, error: Exception | str) -> None:
        """Count a failed attempt under the start of its reason."""
        self.retries[str(error)[:60]] += 1


class JournalWriter:
    """The journal behind one thread, so that the event loop never waits for a disk."""

    def __init__(self, journal: ReplyJournal, budget: CostBudget) -> None:
        self.journal, self.budget = journal, budget
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._queue: list[tuple[JournalEntry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function in the journal's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(function, *args))

    async def add(self, entry: JournalEntry) -> None:
        """Return once the entry is on disk; entries that wait together are committed together."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((entry, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await asyncio.shield(written)

    async def _write(self) -> None:
        while self._queue:
            batch, self._queue = self._queue, []
            try:
                await self.call(self.journal.add, [entry for entry, _ in batch])
                await self.count_others(sum(entry.cost or 0.0 for entry, _ in batch))
            except Exception as error:  # noqa: BLE001 - handed on to whoever waits for it
                for _, written in batch:
                    if not written.done():
                        written.set_exception(error)
            else:
                for _, written in batch:
                    if not written.done():
                        written.set_result(None)

    async def count_others(self, own: float = 0.0) -> None:
        """Count what other processes have spent, ``own`` being of this one; nobody asks where there is no cap."""
        self.budget.written += own
        if self.budget.limit is not None:
            self.budget.found(await self.call(self.journal.spent))

    async def close(self) -> None:
        """Write what is queued, and end the thread."""
        if self._writing is not None:
            with suppress(asyncio.CancelledError):
                await self._writing
        self._thread.shutdown(wait=True)


class CostBudget:
    """What may still be spent; the estimated cost of requests under way counts as spent.

    Parameters
    ----------
    limit
        None for no cap.
    spent
        In earlier runs.
    """

    def __init__(self, limit: float | None, spent: float) -> None:
        self.limit, self.spent, self.reserved = limit, spent, 0.0
        self.written = self.others = 0.0
        self._before = spent

    def found(self, total: float) -> None:
        """Note what all replies in the journal cost: what this run did not write is of other processes."""
        self.others = max(self.others, total - self._before - self.written)

    def reserve(self, cost: float) -> bool:
        """Reserve an estimated cost; False where it would exceed the limit."""
        if self.limit is not None and self.spent + self.others + self.reserved + cost > self.limit:
            return False
        self.reserved += cost
        return True

    def settle(self, reserved: float, cost: float) -> None:
        """Replace a reserved cost by the actual one."""
        self.reserved -= reserved
        self.spent += cost


@dataclass(frozen=True)
class RunContext:
    """What the runs of all models share."""

    writer: JournalWriter
    budget: CostBudget
    policy: RunPolicy
    report: Callable[[], None]
    progress: Progress
    locks: defaultdict[str, asyncio.Lock]
    """By settings: two models that are the same ask the provider for one batch after the other."""
