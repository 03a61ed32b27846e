"""Studies that ask in batches, and processes that died on the way."""

from __future__ import annotations

from typing import Any

from tests.traits.llms.llm_server import Server

from personax.http import RetryPolicy
from personax.traits.llms import RunPolicy, RunSummary, annotate
from personax.traits.llms._batch_journal import BatchRequest, BatchStore
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import Survey, iter_requests

SECRET = "sk-test-0123456789abcdef"
SOON = RunPolicy(
    RetryPolicy(attempts=3, rate_limited_attempts=30, backoff=0.1), failures=6, pause=0.05, pauses=2,
    poll_interval=0.02, max_poll_interval=0.05, confirm_delay=0.05,
)  # fmt: skip


def model(server: Server, name: str = "one", **settings: Any) -> Model:
    return Model(
        name=name,
        model=f"{name}-large",
        base_url=server.url,
        **{"input_price": 1.0, "output_price": 2.0, "batch": True} | settings,
    )


def asked(server: Server, n: int = 6, **settings: Any) -> Survey[Prompt]:
    people = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She has won {i} prizes."} for i in range(n)]
    return Survey(people, [model(server, **settings)], Prompt())


def run(asking: Survey[Prompt], journal: ReplyJournal, max_cost: float | None = None) -> RunSummary:
    (outcome,) = annotate(asking, journal, policy=SOON, max_cost=max_cost)
    return outcome


def keys_of(asking: Survey[Prompt]) -> list[str]:
    return [request.key for one in asking.models for request in iter_requests(asking, one)]


def open_batches(asking: Survey[Prompt], journal: ReplyJournal) -> list[Any]:
    return BatchStore(journal, asking.models[0]).open()


def plan_as_a_dead_process(asking: Survey[Prompt], journal: ReplyJournal) -> tuple[BatchStore, Any]:
    table, mine = BatchStore(journal, asking.models[0]), journal.owner
    journal.holder.name = f"{'0' * 32}:{mine.split(':')[1]}"
    parts = [BatchRequest(one.key, "p", one.person, one.repeat, 0) for one in iter_requests(asking, asking.models[0])]
    planned = table.plan(parts, {part.key: 0.0 for part in parts})
    journal.holder.name = mine
    assert planned is not None
    return table, planned[0]


async def interrupted(self: object) -> bool:
    raise KeyboardInterrupt
