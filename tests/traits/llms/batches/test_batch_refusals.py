"""What stops batches, in one sentence each; what they cost, and what a plan tells of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.batches.asked import SECRET, SOON, asked, model, open_batches, plan_as_a_dead_process, run
from tests.traits.llms.llm_server import Server

from personax.traits.llms import _batch_runner as batching
from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import estimate_cost
from personax.traits.llms._runner import annotate


def test_a_wrong_key_is_one_sentence_and_nothing_is_planned(
    server: Server, journal: ReplyJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = SECRET
    monkeypatch.setenv("TEST_KEY", "sk-wrong-0123456789")
    asking = asked(server, 4, key="TEST_KEY")
    assert run(asking, journal).stop_reason == f"one: {server.url} does not accept the key in TEST_KEY (401)"
    assert open_batches(asking, journal) == []
    assert set(annotation_table(asking, journal, stopped={"one": "why"})["text"]) == {"why"}
    monkeypatch.setenv("TEST_KEY", SECRET)
    assert run(asking, journal).completed == 4
    assert SECRET not in journal.path.read_bytes().decode("latin-1")


@pytest.mark.parametrize("lacks", ["offered", "listed"])
def test_a_provider_without_batches_is_one_sentence(server: Server, journal: ReplyJournal, lacks: str) -> None:
    setattr(server.desk, lacks, False)
    asking = asked(server, 4)
    assert run(asking, journal).stop_reason == f"one: {server.url} offers no batches (404); set batch: false"
    assert server.desk.calls["POST files"] == 0
    assert run(replace(asking, models=[asking.models[0].replaced(batch=False)]), journal).completed == 4


def test_a_provider_that_is_not_there_is_one_sentence(journal: ReplyJournal) -> None:
    asking = replace(asked(Server(url="http://127.0.0.1:9/v1")))
    said = "one: the batches at http://127.0.0.1:9/v1 cannot be reached (the connection failed or broke off)"
    assert run(asking, journal).stop_reason == said
    assert open_batches(asking, journal) == []


def test_an_unknown_model_stops_and_the_others_go_on(server: Server, journal: ReplyJournal) -> None:
    asking = replace(
        asked(server, 4),
        models=[Model(name="x", model="no-such-model", base_url=server.url, batch=True), model(server)],
    )
    lost, found = annotate(asking, journal, policy=SOON)
    assert lost.stop_reason == f"x: {server.url} knows no model no-such-model (404): no such model"
    assert found.completed == 4


def test_a_batch_of_another_account_is_waited_for_and_an_old_one_is_asked_again(
    server: Server, journal: ReplyJournal
) -> None:
    asking = asked(server, 4)
    table, batch = plan_as_a_dead_process(asking, journal)
    table.uploaded(batch, "gone")
    table.created(batch, "batch_gone")
    stopped = run(asking, journal).stop_reason
    assert stopped == f"one: {server.url} does not have batch_gone (404); ask with the key that it was made with"
    assert not server.desk.batches
    journal._db.execute("UPDATE batches SET written = written - ?", (batching.BATCH_RETENTION + 1,))
    assert run(asking, journal).completed == 4


def test_a_dry_run_and_max_cost_count_the_discount(server: Server, journal: ReplyJournal) -> None:
    asking = asked(server, 8)
    live = replace(asking, models=[asking.models[0].replaced(batch=False)])
    (half,), (whole,) = estimate_cost([asking], journal), estimate_cost([live], journal)
    assert half.cost is not None
    assert half.cost == pytest.approx((whole.cost or 0) / 2)
    (quarter,) = estimate_cost([replace(asking, models=[asking.models[0].replaced(batch_discount=0.25)])], journal)
    assert quarter.cost == pytest.approx((whole.cost or 0) * 0.75)
    assert sum(server.desk.calls.values()) == 0
    most = half.cost * 0.6
    outcome = run(asking, journal, max_cost=most)
    assert outcome.stop_reason == f"one: max_cost {most:g} is reached; raise it to go on"
    assert 4 <= outcome.completed < 8
    assert journal.spent() <= most
    assert run(asking, journal, max_cost=2 * half.cost).completed == 8 - outcome.completed
    assert set(server.generated.values()) == {1}


def test_a_plan_does_not_go_stale_by_asking_in_batches() -> None:
    plain = Model(name="a", model="b", base_url="https://c")
    batched = Model(name="a", model="b", base_url="https://c", batch=True, batch_discount=0.3)
    assert plain.model_dump() == batched.model_dump()
    assert plain.settings() == batched.settings()
