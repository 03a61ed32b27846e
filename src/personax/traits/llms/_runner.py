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
from personax.traits.llms._answers import reply_of
from personax.traits.llms._batch_journal import Batches
from personax.traits.llms._batch_runner import Batching
from personax.traits.llms._journal import Entry, Journal
from personax.traits.llms._provider import (
    Answer,
    LostError,
    Model,
    Provider,
    RejectedError,
    StoppedError,
    provider_of,
)
from personax.traits.llms._rate_limit import Breaker, Bucket, backoff
from personax.traits.llms._requests import OUT, Asked, Question, Request, batches, repaired, requests_of
from personax.traits.llms._run_state import PATIENT, Disk, Outcome, Patience, Purse, Shared

__all__ = ["Outcome", "Patience", "annotate"]

TOGETHER: Final = 8
"""Workers that share a pool of connections: a pool looks at all of its connections at every request."""

SPREAD: Final = 0.2
"""Seconds over which the workers begin: begun at once, their answers come at once, and wait for each other for ever."""

LOOK: Final = 0.5
"""Seconds between looks at what another process is asking."""

BEHIND: Final = 4
"""Requests claimed ahead, as a multiple of the workers."""


class _Talk:
    """All that goes on with one model."""

    def __init__(self, asked: Asked[Question], model: Model, shared: Shared) -> None:
        self.asked, self.model, self.shared = asked, model, shared
        self.disk, self.purse, self.patience, self.said = shared.disk, shared.purse, shared.patience, shared.said
        self.outcome = Outcome(model.name)
        pools = range(0, model.concurrency, TOGETHER)
        self.providers = [provider_of(model, asked.prompt.schema()) for _ in pools]
        self.requests, self.tokens = Bucket(model.requests_per_minute), Bucket(model.tokens_per_minute)
        self.breaker = Breaker(self.patience.failures, self.patience.pause, self.patience.pauses)
        self.rng = np.random.default_rng()

    async def run(self) -> Outcome:
        """Ask all that is left, once batches of an earlier run are in."""
        await self._bring_in()
        queue: asyncio.Queue[Request | None] = asyncio.Queue(BEHIND * self.model.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                for worker in range(self.model.concurrency):
                    group.create_task(self._work(queue, worker))
                group.create_task(self._feed(queue))
        finally:
            for provider in self.providers:
                await provider.close()
        return self.outcome

    async def _bring_in(self) -> None:
        if await self.disk.do(Batches(self.disk.journal, self.model).open):
            await Batching(self.asked, self.model, self.shared, self.outcome).run()

    async def _feed(self, queue: asyncio.Queue[Request | None]) -> None:
        held: dict[str, Request] = {}
        for some in batches(requests_of(self.asked, self.model)):
            keys = [request.key for request in some]
            mine = await self.disk.do(self.disk.journal.claim, keys)
            self.outcome.total += len(some)
            done = await self.disk.do(self.disk.journal.answered, keys)
            self.outcome.before += len(done)
            self.said()
            for request in some:
                if request.key in mine:
                    await queue.put(request)
                elif request.key not in done:
                    held[request.key] = request
        await self._wait_for(held, queue)
        for _ in range(self.model.concurrency):
            await queue.put(None)

    async def _wait_for(self, held: dict[str, Request], queue: asyncio.Queue[Request | None]) -> None:
        """Wait for what another process is asking, and ask what it gives up."""
        while held and self.outcome.stopped is None:
            await asyncio.sleep(LOOK)
            await self._bring_in()
            mine = await self.disk.do(self.disk.journal.claim, list(held))
            done = await self.disk.do(self.disk.journal.answered, list(held))
            self.outcome.before += len(done)
            for key in mine:
                await queue.put(held[key])
            held = {key: request for key, request in held.items() if key not in mine and key not in done}
            self.said()

    async def _work(self, queue: asyncio.Queue[Request | None], worker: int) -> None:
        provider = self.providers[worker // TOGETHER]
        await asyncio.sleep(SPREAD * worker / self.model.concurrency)
        while (request := await queue.get()) is not None:
            if self.outcome.stopped is not None or not await self._one(request, provider):
                await self.disk.do(self.disk.journal.release, [request.key])
            self.said()

    async def _one(self, request: Request, provider: Provider) -> bool:
        """Ask, and once more where the reply had the wrong shape; a failure is written down, and returned as False."""
        try:
            answer = await self._answered(request, 0, provider)
            problem = self.asked.prompt.problem(answer.reply)
            if problem is not None:
                again = repaired(request, self.asked.prompt, answer.reply.content or "", problem)
                self.outcome.repaired += 1
                await self._answered(again, 1, provider)
        except StoppedError as error:
            self.outcome.stopped = self.outcome.stopped or str(error)
            self.outcome.failed += 1
        except (LostError, RejectedError) as error:
            self.outcome.failed += 1
            given = (request.key, self.model.name, request.person, str(error))
            await self.disk.do(self.disk.journal.fail, *given)
        else:
            self.outcome.asked += 1
            return True
        return False

    async def _answered(self, request: Request, turn: int, provider: Provider) -> Answer:
        """Return an answer that is on disk: from there, or from the model."""
        if turn:  # first answers were looked up when they were claimed
            known = await self.disk.do(self.disk.journal.get, request.key)
            if known is not None:
                return _answer(known)
        dear = self.model.cost(request.tokens, OUT) or 0.0
        if not self.purse.reserve(dear):
            raise StoppedError(f"{self.model.name}: max_cost {self.purse.most:g} is reached; raise it to go on")
        cost = 0.0
        try:
            answer = await self._patiently(request, provider)
            cost = self.model.cost(answer.tokens_in, answer.tokens_out) or dear
            await self.disk.add(self._entry(request, turn, answer))
        finally:
            self.purse.settle(dear, cost)
        self.outcome.cost += cost
        return answer

    async def _patiently(self, request: Request, provider: Provider) -> Answer:
        """Ask until there is an answer, or patience ends."""
        tries = limited = 0
        while True:
            await self.breaker.closed()
            if self.outcome.stopped is not None:
                raise StoppedError(self.outcome.stopped)
            await self.requests.take()
            await self.tokens.take(request.tokens + OUT)
            try:
                answer = await provider.ask(request.messages, request.key)
            except LostError as error:
                self.outcome.retries[str(error)[:60]] += 1
                tries, limited = (tries, limited + 1) if error.limited else (tries + 1, limited)
                if not error.limited and self.breaker.failed():
                    raise StoppedError(
                        f"{self.model.name}: given up, {self.model.base_url} only fails ({error})"
                    ) from None
                if tries >= self.patience.tries or limited >= self.patience.limited:
                    raise
                await asyncio.sleep(backoff(tries + min(limited, 5) - 1, error.after, self.rng))
            else:
                self.breaker.answered()
                return answer

    def _entry(self, request: Request, turn: int, answer: Answer) -> Entry:
        reply = asdict(answer.reply) | {"upstream": answer.upstream}
        cost = self.model.cost(answer.tokens_in, answer.tokens_out)
        return Entry(
            request.key, self.model.name, self.asked.prompt.name, request.person, request.repeat, turn, reply,
            answer.latency, answer.tokens_in, answer.tokens_out, cost,
        )  # fmt: skip


def _answer(entry: Entry) -> Answer:
    upstream = entry.reply.get("upstream", {})
    return Answer(reply_of(entry), upstream, entry.latency, entry.tokens_in, entry.tokens_out)


def annotate(
    asked: Asked[Question],
    journal: Journal,
    *,
    max_cost: float | None = None,
    patience: Patience = PATIENT,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Ask every model about every person, except what the journal holds.

    One row that fails never stops the others; it is asked again by the next run. A model whose key is refused, that
    does not exist or that only fails is given up; the others go on.

    Parameters
    ----------
    asked
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
    return asyncio.run(_annotate(asked, journal, max_cost, patience, progress or Silent()))


async def _annotate(
    asked: Asked[Question], journal: Journal, max_cost: float | None, patience: Patience, progress: Progress
) -> list[Outcome]:
    disk, purse = Disk(journal), Purse(max_cost, journal.spent())
    talks: list[_Talk | Batching] = []

    def said() -> None:
        found = [talk.outcome for talk in talks]
        done = sum(one.before + one.asked + one.failed for one in found)
        progress.step(done, asked.total, _note(found, purse))

    try:
        shared = Shared(disk, purse, patience, said, progress, defaultdict(asyncio.Lock))
        talks.extend((Batching if model.batch else _Talk)(asked, model, shared) for model in asked.models)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(talk.run()) for talk in talks]
    except* Exception as several:  # noqa: BLE001 - the first of them is what went wrong
        raise _first(several) from None
    finally:
        await disk.close()
    return [task.result() for task in tasks]


def _note(found: Sequence[Outcome], purse: Purse) -> str:
    each = ", ".join(
        f"{one.model} {one.before + one.asked}"
        + (f" ({one.failed} failed)" if one.failed else "")
        + (f" ({one.waiting} in batches)" if one.waiting else "")
        for one in found
    )
    return each + (f", cost {purse.spent:.2f}" if purse.spent else "")


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = several
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
