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
from personax.traits.llms._batch_api import BatchAPI, BatchNotFoundError, BatchResults, BatchStatus
from personax.traits.llms._batch_journal import Batch, BatchRequest, BatchStore
from personax.traits.llms._journal import JournalEntry
from personax.traits.llms._prompt import content_hash
from personax.traits.llms._provider import (
    Completion,
    InvalidRequestError,
    Model,
    ModelUnavailableError,
    OpenAIProvider,
    TransientError,
)
from personax.traits.llms._rate_limit import backoff
from personax.traits.llms._requests import (
    EXPECTED_OUTPUT_TOKENS,
    ChatRequest,
    Question,
    Survey,
    chunked,
    iter_requests,
    repair_request,
)
from personax.traits.llms._responses import stored_reply
from personax.traits.llms._run_context import RunContext, RunSummary

__all__ = ["BATCH_RETENTION", "MAX_BYTES", "MAX_REQUESTS", "MAX_SUBMISSIONS", "BatchRunner"]

T = TypeVar("T")

MAX_REQUESTS: Final = 50_000
"""Requests of a file at most, as OpenAI has it; other providers allow as many or more."""

MAX_BYTES: Final = 200_000_000
"""Bytes of a file at most."""

MAX_SUBMISSIONS: Final = 3
"""Batches that a request may be part of without being answered, before it is given up."""

BATCH_RETENTION: Final = 30 * 24 * 3600
"""Seconds after which a batch that the provider does not know has gone with its files, and is asked for again."""

RESUMABLE: Final = "this run may be ended at any time, the next one goes on"


@dataclass
class _BatchFile:
    """Requests on their way into a batch."""

    parts: list[BatchRequest] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)
    lines: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def takes(self, line: bytes) -> bool:
        return len(self.parts) < MAX_REQUESTS and self.size + len(line) <= MAX_BYTES

    def add(self, part: BatchRequest, cost: float, line: bytes) -> None:
        self.parts.append(part)
        self.costs[part.key], self.lines[part.key] = cost, line
        self.size += len(line)


class BatchRunner:
    """All that goes on with one model by batches; of a model without ``batch``, only what is open is brought in.

    Parameters
    ----------
    survey, model
        What is asked, of whom.
    shared
        Disk, money, patience.
    outcome
        Where to count; a new one by default.
    """

    def __init__(
        self, survey: Survey[Question], model: Model, run_context: RunContext, outcome: RunSummary | None = None
    ) -> None:
        self.survey, self.model, self.run_context = survey, model, run_context
        self.outcome = outcome or RunSummary(model.name)
        self.writer, self.budget, self.retry = run_context.writer, run_context.budget, run_context.retry
        if model.batch and model.provider != "openai":
            raise InputError(f"{model.name}: batches need the provider openai; set batch: false")
        self.provider = OpenAIProvider(model, survey.prompt.schema())
        self.api, self.table = BatchAPI(self.provider), BatchStore(run_context.writer.journal, model)
        self.reserved: dict[str, float] = {}
        self.limit_reason: str | None = None
        self.can_list = False
        self.rng = np.random.default_rng()

    async def run(self) -> RunSummary:
        """Ask all that is left, and wait for the answers."""
        try:
            async with self.run_context.locks[content_hash(self.model.settings())]:
                await self._rounds()
        except ModelUnavailableError as error:
            self.outcome.stop_reason = str(error)
        except (TransientError, InvalidRequestError) as error:
            self.outcome.stop_reason = (
                f"{self.model.name}: the batches at {self.model.base_url} cannot be reached ({error})"
            )
        finally:
            await self.provider.close()
        return self.outcome

    async def _rounds(self) -> None:
        left, changed, wait = 0, True, self.retry.poll_interval
        while True:
            await self._resume()
            if self.model.batch and (changed or not self.outcome.pending):
                left = await self._send_all(first=not self.outcome.total)
            changed = await self._poll()
            if not changed and not self.outcome.pending and (not left or self.limit_reason):
                break
            if not changed:
                await asyncio.sleep(wait)
            wait = self.retry.poll_interval if changed else min(2 * wait, self.retry.max_poll_interval)
        self.outcome.stop_reason = self.limit_reason

    async def _send_all(self, *, first: bool) -> int:
        """Send what is neither answered nor under way, count, and return how many are left for now."""
        file, left, total, failed, self.limit_reason = _BatchFile(), 0, 0, 0, None
        for some in chunked(iter_requests(self.survey, self.model)):
            wanted, given_up = await self.writer.do(self._unanswered, some)
            total, failed, left = total + len(some), failed + given_up, left + len(wanted)
            free = await self.writer.do(self.table.journal.free, [request.key for request, _ in wanted])
            for request, turn in wanted:
                if request.key in free:
                    file = await self._add_to_file(request, turn, file)
        await self._send(file)
        self.outcome.total, self.outcome.failed, done = total, failed, total - left - failed
        if first:
            self.outcome.cached = done
        self.outcome.completed = done - self.outcome.cached
        self.run_context.report()
        return left

    def _unanswered(self, some: list[ChatRequest]) -> tuple[list[tuple[ChatRequest, int]], int]:
        """Return first answers and repairs that are not there, and how many were given up since the run began."""
        journal, found, given_up = self.table.journal, [], 0
        for request in some:
            entry, turn = journal.get(request.key), 0
            if entry is not None:
                problem = self.survey.prompt.problem(stored_reply(entry))
                if problem is None:
                    continue
                request = repair_request(request, self.survey.prompt, entry.reply.get("content") or "", problem)
                if journal.get(request.key) is not None:
                    continue
                turn = 1
            if journal.failed(request.key, self.table.began) is not None:
                given_up += 1
            else:
                found.append((request, turn))
        return found, given_up

    async def _add_to_file(self, request: ChatRequest, turn: int, file: _BatchFile) -> _BatchFile:
        """Put a request into the file, which is sent first where it is full."""
        if self.limit_reason is not None:
            return file
        line = self.api.line(request)
        if not file.takes(line):
            await self._send(file)
            file = _BatchFile()
        cost = self.model.cost(request.tokens, EXPECTED_OUTPUT_TOKENS, batched=True) or 0.0
        if not self.budget.reserve(cost):
            self.limit_reason = f"{self.model.name}: max_cost {self.budget.most:g} is reached; raise it to go on"
            return file
        file.add(BatchRequest(request.key, self.survey.prompt.name, request.person, request.repeat, turn), cost, line)
        return file

    async def _send(self, file: _BatchFile) -> None:
        """Plan a batch of what nobody else has taken meanwhile, and bring it to the provider."""
        if file.parts and not self.can_list:
            await self._with_retries(self.api.check_listing)
            self.can_list = True
        planned = await self.writer.do(self.table.plan, file.parts, file.costs) if file.parts else None
        batch, mine = planned or (None, {})
        self.budget.settle(sum(cost for key, cost in file.costs.items() if key not in mine), 0.0)
        if batch is None:
            return
        self.reserved[batch.id] = batch.cost
        self.outcome.repaired += sum(part.turn for part in mine.values())
        try:
            data = b"".join(file.lines.pop(key) for key in mine)
            name = await self._with_retries(partial(self.api.upload, batch.id, data))
        except (TransientError, ModelUnavailableError):
            await self.writer.do(self.table.drop, batch)
            self.budget.settle(self.reserved.pop(batch.id), 0.0)
            raise
        except InvalidRequestError as error:
            await self._finish(batch, BatchResults(), str(error))
            return
        await self.writer.do(self.table.uploaded, batch, name)
        await self._create(batch, name, again=False)

    async def _create(self, batch: Batch, file: str, *, again: bool) -> None:
        """Have a batch made of a file, once; ``again`` where that may have been asked for before."""
        for attempt in range(self.retry.max_attempts):
            state = await self._lookup(batch, file) if again else None
            mine = await self.writer.do(self.table.journal.claim, [batch.claim])
            if state is None and not mine:
                return  # it took so long that another process goes on with it
            try:
                state = state or await self.api.create(batch.id, file)
            except InvalidRequestError as error:
                await self._finish(batch, BatchResults(), str(error))
                return
            except TransientError as error:
                self.outcome.retries[str(error)[:60]] += 1
                await asyncio.sleep(backoff(attempt, error.after, self.rng))
                again = True
            else:
                await self.writer.do(self.table.created, batch, state.batch)
                self.run_context.progress.message(
                    f"{self.model.name}: a batch lies at {self.model.base_url}; {RESUMABLE}"
                )
                return
        raise ModelUnavailableError(
            f"{self.model.name}: given up, {self.model.base_url} made no batch of a file; run again"
        )

    async def _lookup(self, batch: Batch, file: str) -> BatchStatus | None:
        """Return the batch at the provider; it may be there only a while after it was asked for."""
        state = await self._with_retries(partial(self.api.find, batch.id, file))
        if state is None:
            await asyncio.sleep(self.retry.confirm_delay)
            state = await self._with_retries(partial(self.api.find, batch.id, file))
        return state

    async def _resume(self) -> None:
        """Go on with what a process that is gone has planned, and put money aside for all that is open."""
        now_open = await self.writer.do(self.table.open)
        for batch in now_open:
            if batch.id not in self.reserved:
                self.reserved[batch.id] = batch.cost
                self.budget.reserved += batch.cost
            mine = await self.writer.do(self.table.journal.claim, [batch.claim]) if batch.batch is None else set()
            if mine:
                if batch.input_file is not None and (
                    self.model.batch or await self._lookup(batch, batch.input_file) is not None
                ):
                    await self._create(batch, batch.input_file, again=True)
                else:  # without a file there is no batch
                    await self.writer.do(self.table.drop, batch)
        for gone in self.reserved.keys() - {batch.id for batch in now_open}:
            cost = self.reserved.pop(gone)
            self.budget.settle(cost, cost)  # another process has collected it

    async def _poll(self) -> bool:
        """Look at what is open, collect what has ended, and return whether any has."""
        changed, self.outcome.pending = False, 0
        for batch in await self.writer.do(self.table.open):
            parts = await self.writer.do(self.table.parts, batch)
            self.outcome.pending += len(parts)
            if batch.batch is None:
                continue
            if await self._collect(batch, batch.batch, parts.keys()):
                self.outcome.pending -= len(parts)
                changed = True
            self.run_context.report()
        return changed

    async def _collect(self, batch: Batch, name: str, keys: Collection[str]) -> bool:
        """Bring in what a batch holds, once nothing more will come."""
        age = max(0.0, time.time() - batch.written)
        try:
            state = await self._with_retries(partial(self.api.status, name), self.retry.max_rate_limited)
            if not state.is_final:
                return False
            results = await self._with_retries(partial(self.api.results, state, keys, state.duration or age))
        except BatchNotFoundError as error:
            if age < BATCH_RETENTION:
                raise
            state, results = BatchStatus(name, str(error)), BatchResults()
        await self._finish(batch, results, f"{state.status} {state.reason}".strip())
        return True

    async def _finish(self, batch: Batch, results: BatchResults, reason: str) -> None:
        """Write a batch's replies, and only then end it; what has no reply is left for another, a few times."""
        parts = await self.writer.do(self.table.parts, batch)
        entries = [
            self._entry(parts[key], answer, batch.batch) for key, answer in results.completions.items() if key in parts
        ]
        await self.writer.do(self.table.journal.add, entries)
        why = {
            key: results.retryable.get(key) or f"the batch has no answer ({reason})"
            for key in parts.keys() - results.completions
        }
        last = {key for key in why if parts[key].tries >= MAX_SUBMISSIONS}
        reasons = {key: f"{why[key]}, the last of {MAX_SUBMISSIONS} batches" for key in last} | results.rejected
        failed = {key: parts[key] for key in reasons if key in parts}
        await self.writer.do(partial(self.table.close, batch, set(why) - set(failed), failed, reasons, self.model.name))
        self._count(batch, results, entries, {key: why[key] for key in set(why) - set(failed)})
        if results.stop_reason is not None:
            raise ModelUnavailableError(results.stop_reason)

    def _count(self, batch: Batch, results: BatchResults, entries: list[JournalEntry], again: dict[str, str]) -> None:
        cost = sum(entry.cost or 0.0 for entry in entries)
        self.budget.settle(self.reserved.pop(batch.id, 0.0), cost)
        self.outcome.cost += cost
        self.outcome.unmatched += results.unmatched
        self.outcome.retries.update(reason[:60] for reason in again.values())

    def _entry(self, part: BatchRequest, answer: Completion, batch: str | None) -> JournalEntry:
        reply = asdict(answer.reply) | {"upstream": answer.upstream | {"batch": batch}}
        cost = self.model.cost(answer.tokens_in, answer.tokens_out, batched=True)
        return JournalEntry(
            part.key, self.model.name, part.prompt, part.person, part.repeat, part.turn, reply, answer.latency,
            answer.tokens_in, answer.tokens_out, cost,
        )  # fmt: skip

    async def _with_retries(self, call: Callable[[], Awaitable[T]], most: int | None = None) -> T:
        """Call until there is an answer, or patience ends; a batch takes hours, looking at it may fail for a while."""
        tries = limited = 0
        while True:
            try:
                return await call()
            except TransientError as error:
                self.outcome.retries[str(error)[:60]] += 1
                tries, limited = (tries, limited + 1) if error.limited else (tries + 1, limited)
                if tries >= (most or self.retry.max_attempts) or limited >= self.retry.max_rate_limited:
                    raise
                await asyncio.sleep(backoff(tries + min(limited, 5) - 1, error.after, self.rng))
