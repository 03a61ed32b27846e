"""Asks many models about many people, at the speed each provider allows, and never twice for what the journal holds.

A model with ``batch`` is asked by `personax.traits.llms.batching`; of the others, one task a model feeds its workers
with requests that this process has claimed; a worker asks, waits, asks again, and goes on only once its reply is on
disk. All writing goes through one thread, which commits whatever has gathered meanwhile at once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import numpy as np

from personax.progress import Progress, Silent
from personax.traits.llms._batch_journal import BatchStore
from personax.traits.llms._batch_runner import BatchRunner
from personax.traits.llms._journal import JournalEntry, ReplyJournal
from personax.traits.llms._provider import (
    Completion,
    InvalidRequestError,
    Model,
    ModelUnavailableError,
    OpenAIProvider,
    TransientError,
    make_provider,
)
from personax.traits.llms._rate_limit import CircuitBreaker, TokenBucket, backoff
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
from personax.traits.llms._run_context import (
    DEFAULT_RETRY,
    CostBudget,
    JournalWriter,
    RetryPolicy,
    RunContext,
    RunSummary,
)

__all__ = ["RetryPolicy", "RunSummary", "annotate"]

WORKERS_PER_CLIENT: Final = 8
"""Workers that share a pool of connections: a pool looks at all of its connections at every request."""

STARTUP_SPREAD: Final = 0.2
"""Seconds over which the workers begin: begun at once, their answers come at once, and wait for each other for ever."""

POLL_INTERVAL: Final = 0.5
"""Seconds between looks at what another process is asking."""

QUEUE_FACTOR: Final = 4
"""Requests claimed ahead, as a multiple of the workers."""


class ModelRunner:
    """All that goes on with one model."""

    def __init__(self, survey: Survey[Question], model: Model, run_context: RunContext) -> None:
        self.survey, self.model, self.run_context = survey, model, run_context
        self.writer, self.budget, self.retry, self.report = (
            run_context.writer,
            run_context.budget,
            run_context.retry,
            run_context.report,
        )
        self.outcome = RunSummary(model.name)
        pools = range(0, model.concurrency, WORKERS_PER_CLIENT)
        self.providers = [make_provider(model, survey.prompt.schema()) for _ in pools]
        self.requests, self.tokens = TokenBucket(model.requests_per_minute), TokenBucket(model.tokens_per_minute)
        self.breaker = CircuitBreaker(self.retry.failures, self.retry.pause, self.retry.pauses)
        self.rng = np.random.default_rng()

    async def run(self) -> RunSummary:
        """Ask all that is left, once batches of an earlier run are in."""
        await self._collect_open_batches()
        queue: asyncio.Queue[ChatRequest | None] = asyncio.Queue(QUEUE_FACTOR * self.model.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                for worker in range(self.model.concurrency):
                    group.create_task(self._worker(queue, worker))
                group.create_task(self._feed(queue))
        finally:
            for provider in self.providers:
                await provider.close()
        return self.outcome

    async def _collect_open_batches(self) -> None:
        if await self.writer.do(BatchStore(self.writer.journal, self.model).open):
            await BatchRunner(self.survey, self.model, self.run_context, self.outcome).run()

    async def _feed(self, queue: asyncio.Queue[ChatRequest | None]) -> None:
        held: dict[str, ChatRequest] = {}
        for some in chunked(iter_requests(self.survey, self.model)):
            keys = [request.key for request in some]
            mine = await self.writer.do(self.writer.journal.claim, keys)
            self.outcome.total += len(some)
            done = await self.writer.do(self.writer.journal.answered, keys)
            self.outcome.cached += len(done)
            self.report()
            for request in some:
                if request.key in mine:
                    await queue.put(request)
                elif request.key not in done:
                    held[request.key] = request
        await self._await_others(held, queue)
        for _ in range(self.model.concurrency):
            await queue.put(None)

    async def _await_others(self, held: dict[str, ChatRequest], queue: asyncio.Queue[ChatRequest | None]) -> None:
        """Wait for what another process is asking, and ask what it gives up."""
        while held and self.outcome.stop_reason is None:
            await asyncio.sleep(POLL_INTERVAL)
            await self._collect_open_batches()
            mine = await self.writer.do(self.writer.journal.claim, list(held))
            done = await self.writer.do(self.writer.journal.answered, list(held))
            self.outcome.cached += len(done)
            for key in mine:
                await queue.put(held[key])
            held = {key: request for key, request in held.items() if key not in mine and key not in done}
            self.report()

    async def _worker(self, queue: asyncio.Queue[ChatRequest | None], worker: int) -> None:
        provider = self.providers[worker // WORKERS_PER_CLIENT]
        await asyncio.sleep(STARTUP_SPREAD * worker / self.model.concurrency)
        while (request := await queue.get()) is not None:
            if self.outcome.stop_reason is not None or not await self._complete(request, provider):
                await self.writer.do(self.writer.journal.release, [request.key])
            self.report()

    async def _complete(self, request: ChatRequest, provider: OpenAIProvider) -> bool:
        """Ask, and once more where the reply had the wrong shape; a failure is written down, and returned as False."""
        try:
            answer = await self._completion(request, 0, provider)
            problem = self.survey.prompt.problem(answer.reply)
            if problem is not None:
                again = repair_request(request, self.survey.prompt, answer.reply.content or "", problem)
                self.outcome.repaired += 1
                await self._completion(again, 1, provider)
        except ModelUnavailableError as error:
            self.outcome.stop_reason = self.outcome.stop_reason or str(error)
            self.outcome.failed += 1
        except (TransientError, InvalidRequestError) as error:
            self.outcome.failed += 1
            given = (request.key, self.model.name, request.person, str(error))
            await self.writer.do(self.writer.journal.fail, *given)
        else:
            self.outcome.completed += 1
            return True
        return False

    async def _completion(self, request: ChatRequest, turn: int, provider: OpenAIProvider) -> Completion:
        """Return an answer that is on disk: from there, or from the model."""
        if turn:  # first answers were looked up when they were claimed
            known = await self.writer.do(self.writer.journal.get, request.key)
            if known is not None:
                return _stored_completion(known)
        reserved = self.model.cost(request.tokens, EXPECTED_OUTPUT_TOKENS) or 0.0
        if not self.budget.reserve(reserved):
            raise ModelUnavailableError(
                f"{self.model.name}: max_cost {self.budget.most:g} is reached; raise it to go on"
            )
        cost = 0.0
        try:
            answer = await self._with_retries(request, provider)
            cost = self.model.cost(answer.tokens_in, answer.tokens_out) or reserved
            await self.writer.add(self._entry(request, turn, answer))
        finally:
            self.budget.settle(reserved, cost)
        self.outcome.cost += cost
        return answer

    async def _with_retries(self, request: ChatRequest, provider: OpenAIProvider) -> Completion:
        """Ask until there is an answer, or patience ends."""
        tries = limited = 0
        while True:
            await self.breaker.closed()
            if self.outcome.stop_reason is not None:
                raise ModelUnavailableError(self.outcome.stop_reason)
            await self.requests.take()
            await self.tokens.take(request.tokens + EXPECTED_OUTPUT_TOKENS)
            try:
                answer = await provider.ask(request.messages, request.key)
            except TransientError as error:
                self.outcome.retries[str(error)[:60]] += 1
                tries, limited = (tries, limited + 1) if error.limited else (tries + 1, limited)
                if not error.limited and self.breaker.failed():
                    raise ModelUnavailableError(
                        f"{self.model.name}: given up, {self.model.base_url} only fails ({error})"
                    ) from None
                if tries >= self.retry.max_attempts or limited >= self.retry.max_rate_limited:
                    raise
                await asyncio.sleep(backoff(tries + min(limited, 5) - 1, error.after, self.rng))
            else:
                self.breaker.answered()
                return answer

    def _entry(self, request: ChatRequest, turn: int, answer: Completion) -> JournalEntry:
        reply = asdict(answer.reply) | {"upstream": answer.upstream}
        cost = self.model.cost(answer.tokens_in, answer.tokens_out)
        return JournalEntry(
            request.key, self.model.name, self.survey.prompt.name, request.person, request.repeat, turn, reply,
            answer.latency, answer.tokens_in, answer.tokens_out, cost,
        )  # fmt: skip


def _stored_completion(entry: JournalEntry) -> Completion:
    upstream = entry.reply.get("upstream", {})
    return Completion(stored_reply(entry), upstream, entry.latency, entry.tokens_in, entry.tokens_out)


def annotate(
    survey: Survey[Question],
    journal: ReplyJournal,
    *,
    max_cost: float | None = None,
    retry: RetryPolicy = DEFAULT_RETRY,
    progress: Progress | None = None,
) -> list[RunSummary]:
    """Ask every model about every person, except what the journal holds.

    One row that fails never stops the others; it is asked again by the next run. A model whose key is refused, that
    does not exist or that only fails is given up; the others go on.

    Parameters
    ----------
    survey
        People, models, prompt, repeats.
    journal
        Where replies go, and are looked up.
    max_cost
        In the prices' currency, of all the journal's replies; a request that might exceed it is not sent.
    patience
        With failures.
    progress
        Told of every reply.

    Raises
    ------
    InputError
        When a key is missing from the environment, before anything is asked.
    StudyError
        When a reply cannot be written to disk.
    """
    return asyncio.run(_annotate(survey, journal, max_cost, retry, progress or Silent()))


async def _annotate(
    survey: Survey[Question], journal: ReplyJournal, max_cost: float | None, retry: RetryPolicy, progress: Progress
) -> list[RunSummary]:
    writer, budget = JournalWriter(journal), CostBudget(max_cost, journal.spent())
    runners: list[ModelRunner | BatchRunner] = []

    def report() -> None:
        found = [runner.outcome for runner in runners]
        done = sum(one.cached + one.completed + one.failed for one in found)
        progress.step(done, survey.total, _progress_note(found, budget))

    try:
        run_context = RunContext(writer, budget, retry, report, progress, defaultdict(asyncio.Lock))
        runners.extend(
            (BatchRunner if model.batch else ModelRunner)(survey, model, run_context) for model in survey.models
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(runner.run()) for runner in runners]
    except* Exception as several:  # noqa: BLE001 - the first of them is what went wrong
        raise _first_error(several) from None
    finally:
        await writer.close()
    return [task.result() for task in tasks]


def _progress_note(found: Sequence[RunSummary], budget: CostBudget) -> str:
    each = ", ".join(
        f"{one.model} {one.cached + one.completed}"
        + (f" ({one.failed} failed)" if one.failed else "")
        + (f" ({one.pending} in batches)" if one.pending else "")
        for one in found
    )
    return each + (f", cost {budget.spent:.2f}" if budget.spent else "")


def _first_error(several: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = several
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
