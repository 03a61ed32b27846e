"""Asks one model by batches: half the price, within a day, and what lies at the provider is never sent twice.

Each round goes through all requests, puts those that are neither answered nor in a batch into files, and looks at the
open batches until one has ended; then the next round finds what is left, and what is to be repaired. All that is known
stands in the journal, so that a round may end anywhere, and any process may go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Final, TypeVar

import numpy as np

from personax.errors import InputError
from personax.traits.llms._answers import reply_of
from personax.traits.llms._batch_api import BatchAPI, GoneError, Rows, State
from personax.traits.llms._batch_journal import Batch, Batches, Part
from personax.traits.llms._journal import Entry
from personax.traits.llms._prompt import content_hash
from personax.traits.llms._provider import Answer, LostError, Model, Provider, RejectedError, StoppedError
from personax.traits.llms._rate_limit import backoff
from personax.traits.llms._requests import OUT, Asked, Question, Request, batches, repaired, requests_of
from personax.traits.llms._run_state import Outcome, Shared

__all__ = ["MOST_BYTES", "MOST_REQUESTS", "SUBMISSIONS", "Batching"]

T = TypeVar("T")

MOST_REQUESTS: Final = 50_000
"""Requests of a file at most, as OpenAI has it; other providers allow as many or more."""

MOST_BYTES: Final = 200_000_000
"""Bytes of a file at most."""

SUBMISSIONS: Final = 3
"""Batches that a request may be part of without being answered, before it is given up."""

KEPT: Final = 30 * 24 * 3600
"""Seconds after which a batch that the provider does not know has gone with its files, and is asked for again."""

SAFE: Final = "this run may be ended at any time, the next one goes on"


@dataclass
class _File:
    """Requests on their way into a batch."""

    parts: list[Part] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)
    lines: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def takes(self, line: bytes) -> bool:
        return len(self.parts) < MOST_REQUESTS and self.size + len(line) <= MOST_BYTES

    def add(self, part: Part, cost: float, line: bytes) -> None:
        self.parts.append(part)
        self.costs[part.key], self.lines[part.key] = cost, line
        self.size += len(line)


class Batching:
    """All that goes on with one model by batches; of a model without ``batch``, only what is open is brought in.

    Parameters
    ----------
    asked, model
        What is asked, of whom.
    shared
        Disk, money, patience.
    outcome
        Where to count; a new one by default.
    """

    def __init__(self, asked: Asked[Question], model: Model, shared: Shared, outcome: Outcome | None = None) -> None:
        self.asked, self.model, self.shared = asked, model, shared
        self.outcome = outcome or Outcome(model.name)
        self.disk, self.purse, self.patience = shared.disk, shared.purse, shared.patience
        if model.batch and model.provider != "openai":
            raise InputError(f"{model.name}: batches need the provider openai; set batch: false")
        self.provider = Provider(model, asked.prompt.schema())
        self.api, self.table = BatchAPI(self.provider), Batches(shared.disk.journal, model)
        self.reserved: dict[str, float] = {}
        self.full: str | None = None
        self.listed = False
        self.rng = np.random.default_rng()

    async def run(self) -> Outcome:
        """Ask all that is left, and wait for the answers."""
        try:
            async with self.shared.locks[content_hash(self.model.settings())]:
                await self._rounds()
        except StoppedError as error:
            self.outcome.stopped = str(error)
        except (LostError, RejectedError) as error:
            self.outcome.stopped = (
                f"{self.model.name}: the batches at {self.model.base_url} cannot be reached ({error})"
            )
        finally:
            await self.provider.close()
        return self.outcome

    async def _rounds(self) -> None:
        left, changed, wait = 0, True, self.patience.look
        while True:
            await self._resume()
            if self.model.batch and (changed or not self.outcome.waiting):
                left = await self._send_all(first=not self.outcome.total)
            changed = await self._look()
            if not changed and not self.outcome.waiting and (not left or self.full):
                break
            if not changed:
                await asyncio.sleep(wait)
            wait = self.patience.look if changed else min(2 * wait, self.patience.longest)
        self.outcome.stopped = self.full

    async def _send_all(self, *, first: bool) -> int:
        """Send what is neither answered nor under way, count, and return how many are left for now."""
        file, left, total, failed, self.full = _File(), 0, 0, 0, None
        for some in batches(requests_of(self.asked, self.model)):
            wanted, given_up = await self.disk.do(self._wanted, some)
            total, failed, left = total + len(some), failed + given_up, left + len(wanted)
            free = await self.disk.do(self.table.journal.free, [request.key for request, _ in wanted])
            for request, turn in wanted:
                if request.key in free:
                    file = await self._put(request, turn, file)
        await self._send(file)
        self.outcome.total, self.outcome.failed, answered = total, failed, total - left - failed
        if first:
            self.outcome.before = answered
        self.outcome.asked = answered - self.outcome.before
        self.shared.said()
        return left

    def _wanted(self, some: list[Request]) -> tuple[list[tuple[Request, int]], int]:
        """Return first answers and repairs that are not there, and how many were given up since the run began."""
        journal, found, given_up = self.table.journal, [], 0
        for request in some:
            entry, turn = journal.get(request.key), 0
            if entry is not None:
                problem = self.asked.prompt.problem(reply_of(entry))
                if problem is None:
                    continue
                request = repaired(request, self.asked.prompt, entry.reply.get("content") or "", problem)
                if journal.get(request.key) is not None:
                    continue
                turn = 1
            if journal.failed(request.key, self.table.began) is not None:
                given_up += 1
            else:
                found.append((request, turn))
        return found, given_up

    async def _put(self, request: Request, turn: int, file: _File) -> _File:
        """Put a request into the file, which is sent first where it is full."""
        if self.full is not None:
            return file
        line = self.api.line(request)
        if not file.takes(line):
            await self._send(file)
            file = _File()
        cost = self.model.cost(request.tokens, OUT, batched=True) or 0.0
        if not self.purse.reserve(cost):
            self.full = f"{self.model.name}: max_cost {self.purse.most:g} is reached; raise it to go on"
            return file
        file.add(Part(request.key, self.asked.prompt.name, request.person, request.repeat, turn), cost, line)
        return file

    async def _send(self, file: _File) -> None:
        """Plan a batch of what nobody else has taken meanwhile, and bring it to the provider."""
        if file.parts and not self.listed:
            await self._patiently(self.api.listed)
            self.listed = True
        planned = await self.disk.do(self.table.plan, file.parts, file.costs) if file.parts else None
        batch, mine = planned or (None, {})
        self.purse.settle(sum(cost for key, cost in file.costs.items() if key not in mine), 0.0)
        if batch is None:
            return
        self.reserved[batch.id] = batch.cost
        self.outcome.repaired += sum(part.turn for part in mine.values())
        try:
            data = b"".join(file.lines.pop(key) for key in mine)
            name = await self._patiently(partial(self.api.upload, batch.id, data))
        except (LostError, StoppedError):
            await self.disk.do(self.table.drop, batch)
            self.purse.settle(self.reserved.pop(batch.id), 0.0)
            raise
        except RejectedError as error:
            await self._end(batch, Rows(), str(error))
            return
        await self.disk.do(self.table.uploaded, batch, name)
        await self._create(batch, name, again=False)

    async def _create(self, batch: Batch, file: str, *, again: bool) -> None:
        """Have a batch made of a file, once; ``again`` where that may have been asked for before."""
        for attempt in range(self.patience.tries):
            state = await self._found(batch, file) if again else None
            mine = await self.disk.do(self.table.journal.claim, [batch.claim])
            if state is None and not mine:
                return  # it took so long that another process goes on with it
            try:
                state = state or await self.api.create(batch.id, file)
            except RejectedError as error:
                await self._end(batch, Rows(), str(error))
                return
            except LostError as error:
                self.outcome.retries[str(error)[:60]] += 1
                await asyncio.sleep(backoff(attempt, error.after, self.rng))
                again = True
            else:
                await self.disk.do(self.table.created, batch, state.batch)
                self.shared.progress.message(f"{self.model.name}: a batch lies at {self.model.base_url}; {SAFE}")
                return
        raise StoppedError(f"{self.model.name}: given up, {self.model.base_url} made no batch of a file; run again")

    async def _found(self, batch: Batch, file: str) -> State | None:
        """Return the batch at the provider; it may be there only a while after it was asked for."""
        state = await self._patiently(partial(self.api.find, batch.id, file))
        if state is None:
            await asyncio.sleep(self.patience.settle)
            state = await self._patiently(partial(self.api.find, batch.id, file))
        return state

    async def _resume(self) -> None:
        """Go on with what a process that is gone has planned, and put money aside for all that is open."""
        now_open = await self.disk.do(self.table.open)
        for batch in now_open:
            if batch.id not in self.reserved:
                self.reserved[batch.id] = batch.cost
                self.purse.reserved += batch.cost
            mine = await self.disk.do(self.table.journal.claim, [batch.claim]) if batch.batch is None else set()
            if mine:
                if batch.input_file is not None and (
                    self.model.batch or await self._found(batch, batch.input_file) is not None
                ):
                    await self._create(batch, batch.input_file, again=True)
                else:  # without a file there is no batch
                    await self.disk.do(self.table.drop, batch)
        for gone in self.reserved.keys() - {batch.id for batch in now_open}:
            cost = self.reserved.pop(gone)
            self.purse.settle(cost, cost)  # another process has collected it

    async def _look(self) -> bool:
        """Look at what is open, collect what has ended, and return whether any has."""
        changed, self.outcome.waiting = False, 0
        for batch in await self.disk.do(self.table.open):
            parts = await self.disk.do(self.table.parts, batch)
            self.outcome.waiting += len(parts)
            if batch.batch is None:
                continue
            if await self._collected(batch, batch.batch, parts.keys()):
                self.outcome.waiting -= len(parts)
                changed = True
            self.shared.said()
        return changed

    async def _collected(self, batch: Batch, name: str, keys: Collection[str]) -> bool:
        """Bring in what a batch holds, once nothing more will come."""
        age = max(0.0, time.time() - batch.written)
        try:
            state = await self._patiently(partial(self.api.look, name), self.patience.limited)
            if not state.final:
                return False
            rows = await self._patiently(partial(self.api.rows, state, keys, state.seconds or age))
        except GoneError as error:
            if age < KEPT:
                raise
            state, rows = State(name, str(error)), Rows()
        await self._end(batch, rows, f"{state.status} {state.reason}".strip())
        return True

    async def _end(self, batch: Batch, rows: Rows, reason: str) -> None:
        """Write a batch's replies, and only then end it; what has no reply is left for another, a few times."""
        parts = await self.disk.do(self.table.parts, batch)
        entries = [self._entry(parts[key], answer, batch.batch) for key, answer in rows.answers.items() if key in parts]
        await self.disk.do(self.table.journal.add, entries)
        why = {key: rows.lost.get(key) or f"the batch has no answer ({reason})" for key in parts.keys() - rows.answers}
        last = {key for key in why if parts[key].tries >= SUBMISSIONS}
        reasons = {key: f"{why[key]}, the last of {SUBMISSIONS} batches" for key in last} | rows.rejected
        failed = {key: parts[key] for key in reasons if key in parts}
        await self.disk.do(partial(self.table.close, batch, set(why) - set(failed), failed, reasons, self.model.name))
        self._count(batch, rows, entries, {key: why[key] for key in set(why) - set(failed)})
        if rows.stopped is not None:
            raise StoppedError(rows.stopped)

    def _count(self, batch: Batch, rows: Rows, entries: list[Entry], again: dict[str, str]) -> None:
        cost = sum(entry.cost or 0.0 for entry in entries)
        self.purse.settle(self.reserved.pop(batch.id, 0.0), cost)
        self.outcome.cost += cost
        self.outcome.foreign += rows.foreign
        self.outcome.retries.update(reason[:60] for reason in again.values())

    def _entry(self, part: Part, answer: Answer, batch: str | None) -> Entry:
        reply = asdict(answer.reply) | {"upstream": answer.upstream | {"batch": batch}}
        cost = self.model.cost(answer.tokens_in, answer.tokens_out, batched=True)
        return Entry(
            part.key, self.model.name, part.prompt, part.person, part.repeat, part.turn, reply, answer.latency,
            answer.tokens_in, answer.tokens_out, cost,
        )  # fmt: skip

    async def _patiently(self, call: Callable[[], Awaitable[T]], most: int | None = None) -> T:
        """Call until there is an answer, or patience ends; a batch takes hours, looking at it may fail for a while."""
        tries = limited = 0
        while True:
            try:
                return await call()
            except LostError as error:
                self.outcome.retries[str(error)[:60]] += 1
                tries, limited = (tries, limited + 1) if error.limited else (tries + 1, limited)
                if tries >= (most or self.patience.tries) or limited >= self.patience.limited:
                    raise
                await asyncio.sleep(backoff(tries + min(limited, 5) - 1, error.after, self.rng))
