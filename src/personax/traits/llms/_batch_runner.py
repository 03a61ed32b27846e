"""Runs one model by the provider's batch API: half the price, within a day, no request in two open batches.

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
from personax.http import TransientError, retry, wait_seconds
from personax.traits.llms._batch_api import BatchAPI, BatchNotFoundError, BatchResults, BatchStatus
from personax.traits.llms._batch_journal import Batch, BatchRequest, BatchStore
from personax.traits.llms._chat_completions import OpenAIProvider
from personax.traits.llms._journal import JournalEntry
from personax.traits.llms._prompt import content_hash
from personax.traits.llms._provider import (
    Completion,
    InvalidRequestError,
    Model,
    ModelUnavailableError,
)
from personax.traits.llms._requests import (
    ChatRequest,
    Question,
    Survey,
    booked_cost,
    chunked,
    iter_requests,
    most_cost,
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

    requests: list[BatchRequest] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)
    lines: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def takes(self, line: bytes) -> bool:
        return len(self.requests) < MAX_REQUESTS and self.size + len(line) <= MAX_BYTES

    def add(self, request: BatchRequest, cost: float, line: bytes) -> None:
        self.requests.append(request)
        self.costs[request.key], self.lines[request.key] = cost, line
        self.size += len(line)


class BatchRunner:
    """Runs one model's requests in batches; for a model without ``batch`` it only collects open ones.

    Parameters
    ----------
    survey, model
        What is asked, of whom.
    context
        Journal, cost budget, policy for failures.
    summary
        Where to count; a new one by default.
    """

    def __init__(
        self, survey: Survey[Question], model: Model, context: RunContext, summary: RunSummary | None = None
    ) -> None:
        self.survey, self.model, self.context = survey, model, context
        self.summary = summary or RunSummary(model.name)
        self.writer, self.budget, self.policy = context.writer, context.budget, context.policy
        if model.batch and model.provider != "openai":
            raise InputError(f"{model.name}: batches need the provider openai; set batch: false")
        self.provider = OpenAIProvider(model, survey.prompt.schema())
        self.client, self.store = BatchAPI(self.provider), BatchStore(context.writer.journal, model)
        self.reserved: dict[str, float] = {}
        self.limit_reason: str | None = None
        self._can_list = False
        self.rng = np.random.default_rng()

    async def run(self) -> RunSummary:
        """Send what has no reply, and wait for the results."""
        try:
            async with self.context.locks[content_hash(self.model.settings())]:
                await self._rounds()
        except ModelUnavailableError as error:
            self.summary.stop_reason = str(error)
        except (TransientError, InvalidRequestError) as error:
            self.summary.stop_reason = (
                f"{self.model.name}: the batches at {self.model.base_url} cannot be reached ({error})"
            )
        finally:
            await self.provider.close()
        return self.summary

    async def _rounds(self) -> None:
        n_left, changed, wait = 0, True, self.policy.poll_interval
        while True:
            await self._resume()
            if self.model.batch and (changed or not self.summary.pending):
                n_left = await self._send_all(first=not self.summary.total)
            changed = await self._poll()
            if not changed and not self.summary.pending and (not n_left or self.limit_reason):
                break
            if not changed:
                await asyncio.sleep(wait)
            wait = self.policy.poll_interval if changed else min(2 * wait, self.policy.max_poll_interval)
        self.summary.stop_reason = self.limit_reason

    async def _send_all(self, *, first: bool) -> int:
        """Send what has neither a reply nor a batch, and return how many requests have no reply."""
        file, n_left, total, n_failed, self.limit_reason = _BatchFile(), 0, 0, 0, None
        for requests in chunked(iter_requests(self.survey, self.model)):
            unanswered, n_given_up = await self.writer.call(self._unanswered, requests)
            total, n_failed, n_left = total + len(requests), n_failed + n_given_up, n_left + len(unanswered)
            free = await self.writer.call(self.store.journal.free, [request.key for request, _ in unanswered])
            for request, turn in unanswered:
                if request.key in free:
                    file = await self._add_to_file(request, turn, file)
        await self._send(file)
        self.summary.total, self.summary.failed, done = total, n_failed, total - n_left - n_failed
        if first:
            self.summary.cached = done
        self.summary.completed = done - self.summary.cached
        self.context.report()
        return n_left

    def _unanswered(self, requests: list[ChatRequest]) -> tuple[list[tuple[ChatRequest, int]], int]:
        """Return requests and repairs without a reply, and how many failed since the run began."""
        journal, unanswered, given_up = self.store.journal, [], 0
        for request in requests:
            entry, turn = journal.get(request.key), 0
            if entry is not None:
                problem = self.survey.prompt.problem(stored_reply(entry))
                if problem is None:
                    continue
                request = repair_request(request, self.survey.prompt, entry.reply.get("content") or "", problem)
                if journal.get(request.key) is not None:
                    continue
                turn = 1
            if journal.failed(request.key, self.store.began) is not None:
                given_up += 1
            else:
                unanswered.append((request, turn))
        return unanswered, given_up

    async def _add_to_file(self, request: ChatRequest, turn: int, file: _BatchFile) -> _BatchFile:
        """Add a request to the file; a full file is sent first."""
        if self.limit_reason is not None:
            return file
        line = self.client.line(request)
        if not file.takes(line):
            await self._send(file)
            file = _BatchFile()
        cost = most_cost(request, self.model, batched=True)
        if not self.budget.reserve(cost):
            self.limit_reason = f"{self.model.name}: max_cost {self.budget.limit:g} is reached; raise it to go on"
            return file
        name, messages = self.survey.prompt.name, request.messages
        asked = BatchRequest(request.key, name, request.person, request.repeat, turn, messages=messages)
        file.add(asked, cost, line)
        return file

    async def _send(self, file: _BatchFile) -> None:
        """Record a planned batch of the requests that are still free, then upload and create it."""
        if file.requests and not self._can_list:
            await self._with_retries(self.client.check_listing)
            self._can_list = True
        plan = await self.writer.call(self.store.plan, file.requests, file.costs) if file.requests else None
        batch, claimed = plan or (None, {})
        self.budget.settle(sum(cost for key, cost in file.costs.items() if key not in claimed), 0.0)
        if batch is None:
            return
        self.reserved[batch.id] = batch.cost
        self.summary.repaired += sum(request.turn for request in claimed.values())
        try:
            data = b"".join(file.lines.pop(key) for key in claimed)
            name = await self._with_retries(partial(self.client.upload, batch.id, data))
        except (TransientError, ModelUnavailableError):
            await self.writer.call(self.store.drop, batch)
            self.budget.settle(self.reserved.pop(batch.id), 0.0)
            raise
        except InvalidRequestError as error:
            await self._finish(batch, BatchResults(), str(error))
            return
        await self.writer.call(self.store.uploaded, batch, name)
        await self._create(batch, name, again=False)

    async def _create(self, batch: Batch, file: str, *, again: bool) -> None:
        """Create a batch of a file exactly once; ``again``: a creation may have been requested before."""
        for attempt in range(self.policy.retry.attempts):
            status = await self._lookup(batch, file) if again else None
            claimed = await self.writer.call(self.store.journal.claim, [batch.claim])
            if status is None and not claimed:
                return  # it took so long that another process goes on with it
            try:
                status = status or await self.client.create(batch.id, file)
            except InvalidRequestError as error:
                await self._finish(batch, BatchResults(), str(error))
                return
            except TransientError as error:
                self.summary.count_retry(error)
                if (error.retry_after or 0.0) > self.policy.retry.max_wait:
                    break
                await asyncio.sleep(wait_seconds(attempt, error.retry_after, self.policy.retry, self.rng))
                again = True
            else:
                await self.writer.call(self.store.created, batch, status.batch)
                self.context.progress.message(f"{self.model.name}: a batch lies at {self.model.base_url}; {RESUMABLE}")
                return
        raise ModelUnavailableError(
            f"{self.model.name}: given up, {self.model.base_url} made no batch of a file; run again"
        )

    async def _lookup(self, batch: Batch, file: str) -> BatchStatus | None:
        """Find the batch at the provider, where it may be listed only some time after its creation."""
        status = await self._with_retries(partial(self.client.find, batch.id, file))
        if status is None:
            await asyncio.sleep(self.policy.confirm_delay)
            status = await self._with_retries(partial(self.client.find, batch.id, file))
        return status

    async def _resume(self) -> None:
        """Take over planned batches of dead processes, and reserve the cost of all open ones."""
        open_batches = await self.writer.call(self.store.open)
        for batch in open_batches:
            if batch.id not in self.reserved:
                self.reserved[batch.id] = batch.cost
                self.budget.reserved += batch.cost
            claimed = await self.writer.call(self.store.journal.claim, [batch.claim]) if batch.batch is None else set()
            if claimed:
                if batch.input_file is not None and (
                    self.model.batch or await self._lookup(batch, batch.input_file) is not None
                ):
                    await self._create(batch, batch.input_file, again=True)
                else:  # without a file there is no batch
                    await self.writer.call(self.store.drop, batch)
        for batch_id in self.reserved.keys() - {batch.id for batch in open_batches}:
            cost = self.reserved.pop(batch_id)
            self.budget.settle(cost, 0.0)  # another process has collected it
            await self.writer.count_others()

    async def _poll(self) -> bool:
        """Check open batches, collect those that have ended, and return whether any has."""
        changed, self.summary.pending = False, 0
        for batch in await self.writer.call(self.store.open):
            requests = await self.writer.call(self.store.requests, batch)
            self.summary.pending += len(requests)
            if batch.batch is None:
                continue
            if await self._collect(batch, batch.batch, requests.keys()):
                self.summary.pending -= len(requests)
                changed = True
            self.context.report()
        return changed

    async def _collect(self, batch: Batch, name: str, keys: Collection[str]) -> bool:
        """Collect a batch if it has ended."""
        age = max(0.0, time.time() - batch.written)
        try:
            status = await self._with_retries(
                partial(self.client.status, name), self.policy.retry.rate_limited_attempts
            )
            if not status.is_final:
                return False
            results = await self._with_retries(partial(self.client.results, status, keys, status.duration or age))
        except BatchNotFoundError as error:
            if age < BATCH_RETENTION:
                raise
            status, results = BatchStatus(name, str(error)), BatchResults()
        await self._finish(batch, results, f"{status.status} {status.reason}".strip())
        return True

    async def _finish(self, batch: Batch, results: BatchResults, reason: str) -> None:
        """Write a batch's replies, then close it; requests without a reply go into another, up to `MAX_SUBMISSIONS`."""
        requests = await self.writer.call(self.store.requests, batch)
        entries = [
            self._entry(requests[key], completion, batch, batch.cost / len(requests))
            for key, completion in results.completions.items()
            if key in requests
        ]
        await self.writer.call(self.store.journal.add, entries)
        reasons_by_key = {
            key: results.retryable.get(key) or f"the batch has no answer ({reason})"
            for key in requests.keys() - results.completions
        }
        last = {key for key in reasons_by_key if requests[key].tries >= MAX_SUBMISSIONS}
        reasons = {
            key: f"{reasons_by_key[key]}, the last of {MAX_SUBMISSIONS} batches" for key in last
        } | results.rejected
        failed = {key: requests[key] for key in reasons if key in requests}
        await self.writer.call(
            partial(self.store.close, batch, set(reasons_by_key) - set(failed), failed, reasons, self.model.name)
        )
        self._count(batch, results, entries, {key: reasons_by_key[key] for key in set(reasons_by_key) - set(failed)})
        if results.stop_reason is not None:
            raise ModelUnavailableError(results.stop_reason)

    def _count(self, batch: Batch, results: BatchResults, entries: list[JournalEntry], again: dict[str, str]) -> None:
        cost = sum(entry.cost or 0.0 for entry in entries)
        self.budget.settle(self.reserved.pop(batch.id, 0.0), cost)
        self.budget.written += cost
        self.summary.cost += cost
        self.summary.unmatched += results.unmatched
        self.summary.retries.update(reason[:60] for reason in again.values())

    def _entry(self, request: BatchRequest, given: Completion, batch: Batch, most: float) -> JournalEntry:
        completion = given.believable(1)
        self.summary.uncounted += None in (completion.tokens_in, completion.tokens_out)
        reply = asdict(completion.reply) | {"upstream": completion.upstream | {"batch": batch.batch}}
        known = self.model.cost(completion.tokens_in, completion.tokens_out, batched=True)
        # without a count of tokens a reply is booked at its share of what the batch can cost
        booked = booked_cost(self.model, 0, completion, batched=True)
        cost = known if known is not None or booked is None else max(booked, most)
        return JournalEntry(
            request.key, self.model.name, request.prompt, request.person, request.repeat, request.turn, reply,
            completion.latency, completion.tokens_in, completion.tokens_out, cost,
        )  # fmt: skip

    async def _with_retries(self, call: Callable[[], Awaitable[T]], attempts: int | None = None) -> T:
        """Call with retries; a batch takes hours, so that checking it may take more attempts."""
        policy = self.policy.retry
        if attempts is not None:
            policy = policy.model_copy(update={"attempts": attempts})
        return await retry(call, policy, self.rng, on_failure=self.summary.count_retry)
