"""Runs a survey: many models, many people, within each provider's rate limits, nothing twice that the journal holds.

A model with ``batch`` is run by `BatchRunner`. Of the others, a producer feeds a queue with requests that this process
has claimed; workers send them, with retries, and go on only once the reply is on disk. All writing goes through one
thread, which commits together what is queued.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import numpy as np

from personax.errors import PersonaxError
from personax.http import CircuitBreaker, RateLimiter, TransientError, retry, run_until_signal
from personax.progress import Progress, Silent
from personax.traits.llms._batch_journal import BatchStore
from personax.traits.llms._batch_runner import BatchRunner
from personax.traits.llms._capabilities import apply_known_profile, keep_profile, known_profile
from personax.traits.llms._claims import HEARTBEAT
from personax.traits.llms._journal import JournalEntry, ReplyJournal
from personax.traits.llms._provider import (
    Completion,
    InvalidRequestError,
    Model,
    ModelNotFoundError,
    ModelUnavailableError,
    Provider,
    make_provider,
)
from personax.traits.llms._requests import (
    EXPECTED_OUTPUT_TOKENS,
    LONGER,
    ChatRequest,
    Question,
    Survey,
    booked_cost,
    chunked,
    iter_requests,
    longer_request,
    most_cost,
    repair_request,
    was_cut_off,
)
from personax.traits.llms._responses import stored_reply
from personax.traits.llms._run_context import (
    DEFAULT_POLICY,
    CostBudget,
    JournalWriter,
    RunContext,
    RunPolicy,
    RunSummary,
)
from personax.traits.llms._spans import RequestSpan

__all__ = ["annotate"]

STARTUP_SPREAD: Final = 0.2
"""Seconds over which workers start, so that their replies do not arrive in step and queue for the disk together."""

POLL_INTERVAL: Final = 0.5
"""Seconds between checks of requests that another process has claimed."""

LAST_ANSWERS: Final = 20.0
"""Seconds for which the answers under way are waited for when the run is stopped."""

LOOK_AGAIN: Final = 0.05
"""Seconds between two looks whether they are there."""

QUEUE_FACTOR: Final = 4
"""Requests claimed ahead, as a multiple of the workers."""


class ModelRunner:
    """Runs one model's requests: producer, queue, workers."""

    def __init__(self, survey: Survey[Question], model: Model, context: RunContext) -> None:
        self.survey, self.model, self.context = survey, model, context
        self.writer, self.budget, self.policy = context.writer, context.budget, context.policy
        self.summary = RunSummary(model.name)
        self.provider = make_provider(model, survey.prompt.schema())
        self.requests = _limiter(model.requests_per_minute)
        self.tokens = _limiter(model.tokens_per_minute)
        policy = self.policy
        self.breaker = CircuitBreaker(policy.failures, pause=policy.pause, pauses=policy.pauses)
        self.rng = np.random.default_rng()
        self.longer_provider: Provider | None = None
        self._longer_model = model.replaced(max_tokens=LONGER * model.max_tokens)
        self.refused = 0
        self.under_way: set[str] = set()

    async def run(self) -> RunSummary:
        """Collect open batches of an earlier run, then send what has no reply."""
        await self._collect_open_batches()
        known = await self.writer.call(known_profile, self.writer.journal, self.model)
        apply_known_profile(self.provider, known)
        queue: asyncio.Queue[ChatRequest | None] = asyncio.Queue(QUEUE_FACTOR * self.model.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                for worker in range(self.model.concurrency):
                    group.create_task(self._worker(queue, worker))
                group.create_task(self._feed(queue))
        finally:
            for provider in [self.provider, *([self.longer_provider] if self.longer_provider else [])]:
                profile = getattr(provider, "profile", None)
                if self.model.temperature is not None and not getattr(profile, "temperature", True):
                    self.summary.left_out.add("temperature")
                await provider.close()
            if self.summary.completed:
                await self.writer.call(keep_profile, self.writer.journal, self.model, self.provider)
        return self.summary

    async def _collect_open_batches(self) -> None:
        if await self.writer.call(BatchStore(self.writer.journal, self.model).open):
            await BatchRunner(self.survey, self.model, self.context, self.summary).run()

    async def _feed(self, queue: asyncio.Queue[ChatRequest | None]) -> None:
        claimed_elsewhere: dict[str, ChatRequest] = {}
        for requests in chunked(iter_requests(self.survey, self.model)):
            keys = [request.key for request in requests]
            claimed = await self.writer.call(self.writer.journal.claim, keys)
            self.summary.total += len(requests)
            answered = await self.writer.call(self.writer.journal.answered, keys)
            self.summary.cached += len(answered)
            self.context.report()
            for request in requests:
                if request.key in claimed:
                    await queue.put(request)
                elif request.key not in answered:
                    claimed_elsewhere[request.key] = request
        await self._await_others(claimed_elsewhere, queue)
        for _ in range(self.model.concurrency):
            await queue.put(None)

    async def _await_others(
        self, claimed_elsewhere: dict[str, ChatRequest], queue: asyncio.Queue[ChatRequest | None]
    ) -> None:
        """Wait for requests that another process has claimed, and take over those it releases."""
        while claimed_elsewhere and self.summary.stop_reason is None:
            await asyncio.sleep(POLL_INTERVAL)
            await self._collect_open_batches()
            claimed = await self.writer.call(self.writer.journal.claim, list(claimed_elsewhere))
            answered = await self.writer.call(self.writer.journal.answered, list(claimed_elsewhere))
            self.summary.cached += len(answered)
            for key in claimed:
                await queue.put(claimed_elsewhere[key])
            claimed_elsewhere = {
                key: request for key, request in claimed_elsewhere.items() if key not in claimed and key not in answered
            }
            self.context.report()

    async def _worker(self, queue: asyncio.Queue[ChatRequest | None], worker: int) -> None:
        await asyncio.sleep(STARTUP_SPREAD * worker / self.model.concurrency)
        while (request := await queue.get()) is not None:
            if self.summary.stop_reason is not None or not await self._complete(request, self.provider):
                await self.writer.call(self.writer.journal.release, [request.key])
            self.context.report()

    async def _complete(self, request: ChatRequest, provider: Provider) -> bool:
        """Send a request, and a repair where the reply has the wrong shape; record a failure and return False."""
        try:
            completion = await self._completion(request, 0, provider)
            if self.survey.prompt.schema() is not None and was_cut_off(completion.reply):
                self.summary.repaired += 1
                await self._completion(longer_request(request), 1, self._longer())
            elif (problem := self.survey.prompt.problem(completion.reply)) is not None:
                again = repair_request(request, self.survey.prompt, completion.reply.content or "", problem)
                self.summary.repaired += 1
                await self._completion(again, 1, provider)
        except ModelNotFoundError as error:
            await self._fail(request, error, stop=self.summary.completed == 0)
        except ModelUnavailableError as error:
            await self._fail(request, error, stop=True)
        except InvalidRequestError as error:
            self.refused += 1
            await self._fail(request, error, stop=False)
            if self.summary.completed == 0 and self.refused >= self.policy.refusals:
                text = f"{self.model.name}: {self.model.base_url} refused the first {self.refused} requests: {error}"
                self.summary.stop_reason = self.summary.stop_reason or text
        except TransientError as error:
            await self._fail(request, error, stop=False)
        except (PersonaxError, OSError):
            raise  # of the disk or the journal: nothing can be kept any more
        except Exception as error:  # noqa: BLE001 - whatever a reply does to us, it costs one row
            await self._fail(request, f"the reply cannot be used ({type(error).__name__})", stop=False)
        else:
            self.summary.completed += 1
            return True
        return False

    async def _fail(self, request: ChatRequest, reason: Exception | str, *, stop: bool) -> None:
        """Record why a request has no answer; ``stop``: nothing more can be asked of this model."""
        self.summary.failed += 1
        if stop:
            self.summary.stop_reason = self.summary.stop_reason or str(reason)
        else:
            args = (request.key, self.model.name, request.person, str(reason))
            await self.writer.call(self.writer.journal.fail, *args)

    def _longer(self) -> Provider:
        """Return a client for answers that were cut off."""
        if self.longer_provider is None:
            self.longer_provider = make_provider(self._longer_model, self.survey.prompt.schema())
            apply_known_profile(self.longer_provider, getattr(self.provider, "profile", None))
        return self.longer_provider

    async def _completion(self, request: ChatRequest, turn: int, provider: Provider) -> Completion:
        """Return a completion once it is on disk: from the journal, or from the model."""
        if turn:  # first answers were looked up when they were claimed
            known = await self.writer.call(self.writer.journal.get, request.key)
            if known is not None:
                return _stored_completion(known)
        reserved = most_cost(request, self._asked_of(provider))
        if not self.budget.reserve(reserved):
            raise ModelUnavailableError(
                f"{self.model.name}: max_cost {self.budget.limit:g} is reached; raise it to go on"
            )
        cost = 0.0
        try:
            with RequestSpan(self.model, turn) as span:
                completion = await self._with_retries(request, provider)
                span.completed(completion)
            completion = completion.believable(request.tokens)
            priced = booked_cost(self._asked_of(provider), request.tokens, completion)
            cost = priced or 0.0
            self.summary.uncounted += cost > 0 and None in (completion.tokens_in, completion.tokens_out)
            await self.writer.add(self._entry(request, turn, completion, priced))
        finally:
            self.under_way.discard(request.key)
            self.budget.settle(reserved, cost)
        self.summary.cost += cost
        return completion

    async def _with_retries(self, request: ChatRequest, provider: Provider) -> Completion:
        """Send a request until it is answered, the attempts are used up, or the model is given up."""

        async def attempt() -> Completion:
            await self.breaker.wait()
            if self.summary.stop_reason is not None:
                raise ModelUnavailableError(self.summary.stop_reason)
            await self.requests.acquire()
            await self.tokens.acquire(request.tokens + EXPECTED_OUTPUT_TOKENS)
            self.under_way.add(request.key)
            try:
                completion = await provider.ask(request.messages, request.key)
            except BaseException:
                self.under_way.discard(request.key)
                raise
            self.breaker.succeeded()
            return completion

        return await retry(attempt, self.policy.retry, self.rng, on_failure=self._note_failure)

    def _note_failure(self, error: TransientError) -> None:
        """Count a failed attempt; give the model up when the circuit breaker opens. Rate limits do not count for it."""
        self.summary.count_retry(error)
        if error.rate_limited:
            return
        self.breaker.failed(str(error))
        if self.breaker.reason is not None:
            text = f"{self.model.name}: given up, {self.model.base_url} only fails ({error})"
            raise ModelUnavailableError(text) from None

    def _asked_of(self, provider: Provider) -> Model:
        """Return the model as it is asked through a client: for longer answers or not."""
        return self._longer_model if provider is self.longer_provider else self.model

    def _entry(self, request: ChatRequest, turn: int, completion: Completion, cost: float | None) -> JournalEntry:
        reply = asdict(completion.reply) | {"upstream": completion.upstream}
        return JournalEntry(
            request.key, self.model.name, self.survey.prompt.name, request.person, request.repeat, turn, reply,
            completion.latency, completion.tokens_in, completion.tokens_out, cost, request.messages,
        )  # fmt: skip


def _limiter(per_minute: float | None) -> RateLimiter:
    """Return a limiter that lets no burst beyond one second's worth through."""
    per_second = None if per_minute is None else per_minute / 60
    return RateLimiter(per_second, burst=max(1.0, per_second or 1.0))


def _stored_completion(entry: JournalEntry) -> Completion:
    upstream = entry.reply.get("upstream", {})
    return Completion(stored_reply(entry), upstream, entry.latency, entry.tokens_in, entry.tokens_out)


def annotate(
    survey: Survey[Question],
    journal: ReplyJournal,
    *,
    max_cost: float | None = None,
    policy: RunPolicy = DEFAULT_POLICY,
    progress: Progress | None = None,
) -> list[RunSummary]:
    """Put a survey to its models, except for what the journal holds.

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
    policy
        Attempts, waits and pauses after failures.
    progress
        Updated after every reply.

    Raises
    ------
    InputError
        When a key is missing from the environment, before anything is asked.
    StudyError
        When a reply cannot be written to disk.
    """
    runners: list[ModelRunner | BatchRunner] = []
    told = progress or Silent()
    asking = _annotate(survey, journal, max_cost, policy, told, runners)
    return run_until_signal(asking, first=lambda: _finish_requests(runners, told))


async def _finish_requests(runners: Sequence[ModelRunner | BatchRunner], progress: Progress) -> None:
    """Send nothing more, and wait a while for the answers under way: they are paid for."""
    live = [runner for runner in runners if isinstance(runner, ModelRunner)]
    for runner in live:
        runner.summary.stop_reason = runner.summary.stop_reason or f"{runner.model.name}: stopped"
    number = sum(len(runner.under_way) for runner in live)
    if number:
        text = f"stopping: {number} requests are under way and paid for, waiting {LAST_ANSWERS:g} s for them at most"
        progress.message(f"{text}; a second Ctrl-C ends at once")
    end = asyncio.get_running_loop().time() + LAST_ANSWERS
    while any(runner.under_way for runner in live) and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(LOOK_AGAIN)


async def _annotate(
    survey: Survey[Question],
    journal: ReplyJournal,
    max_cost: float | None,
    policy: RunPolicy,
    progress: Progress,
    runners: list[ModelRunner | BatchRunner],
) -> list[RunSummary]:
    budget = CostBudget(max_cost, journal.spent())
    writer = JournalWriter(journal, budget)

    def report() -> None:
        summaries = [runner.summary for runner in runners]
        done = sum(summary.cached + summary.completed + summary.failed for summary in summaries)
        progress.step(done, survey.total, _progress_note(summaries, budget))

    try:
        context = RunContext(writer, budget, policy, report, progress, defaultdict(asyncio.Lock))
        runners.extend((BatchRunner if model.batch else ModelRunner)(survey, model, context) for model in survey.models)
        heartbeat = asyncio.create_task(_renew(writer))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(runner.run()) for runner in runners]
        finally:
            heartbeat.cancel()
    except* Exception as errors:  # noqa: BLE001 - the first of them is what went wrong
        raise _first_error(errors) from None
    finally:
        await writer.close()
    return [task.result() for task in tasks]


async def _renew(writer: JournalWriter) -> None:
    """Hold this process's claims as long as it lives: a slow reply loses none, and a dead host's are free soon.

    What other processes have spent counts for the budget, here and after every reply.
    """
    while True:
        await asyncio.sleep(HEARTBEAT)
        await writer.call(writer.journal.renew)
        await writer.count_others()


def _progress_note(summaries: Sequence[RunSummary], budget: CostBudget) -> str:
    counts = ", ".join(
        f"{summary.model} {summary.cached + summary.completed}"
        + (f" ({summary.failed} failed)" if summary.failed else "")
        + (f" ({summary.pending} in batches)" if summary.pending else "")
        for summary in summaries
    )
    return counts + (f", cost {budget.spent:.2f}" if budget.spent else "")


def _first_error(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
