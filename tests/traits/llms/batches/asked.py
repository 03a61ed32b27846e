"""Studies that ask in batches, and processes that died on the way."""

from __future__ import annotations

from typing import Any

from tests.traits.llms.llm_server import Server

from personax.traits.llms._batch_journal import Batches, Part
from personax.traits.llms._journal import Journal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import Asked, requests_of
from personax.traits.llms._runner import Outcome, Patience, annotate

SECRET = "sk-test-0123456789abcdef"
SOON = Patience(tries=3, failures=6, pause=0.05, pauses=2, look=0.02, longest=0.05, settle=0.05)


def model(server: Server, name: str = "one", **settings: Any) -> Model:
    return Model(
        name, f"{name}-large", server.url, **{"input_price": 1.0, "output_price": 2.0, "batch": True} | settings
    )


def asked(server: Server, n: int = 6, **settings: Any) -> Asked[Prompt]:
    people = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She has won {i} prizes."} for i in range(n)]
    return Asked(people, [model(server, **settings)], Prompt())


def run(asking: Asked[Prompt], journal: Journal, max_cost: float | None = None) -> Outcome:
    (outcome,) = annotate(asking, journal, patience=SOON, max_cost=max_cost)
    return outcome


def keys_of(asking: Asked[Prompt]) -> list[str]:
    return [request.key for one in asking.models for request in requests_of(asking, one)]


def open_batches(asking: Asked[Prompt], journal: Journal) -> list[Any]:
    return Batches(journal, asking.models[0]).open()


def plan_as_a_dead_process(asking: Asked[Prompt], journal: Journal) -> tuple[Batches, Any]:
    table, mine = Batches(journal, asking.models[0]), journal.owner
    journal.owner = f"{mine.split(':')[0]}:999999999:0"
    parts = [Part(one.key, "p", one.person, one.repeat, 0) for one in requests_of(asking, asking.models[0])]
    planned = table.plan(parts, {part.key: 0.0 for part in parts})
    journal.owner = mine
    assert planned is not None
    return table, planned[0]


async def interrupted(self: object) -> bool:
    raise KeyboardInterrupt
