"""Anthropic's and Google's batches: in their own form, resumable, and never paid for twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.batches.asked import interrupted, keys_of, open_batches, plan_as_a_dead_process, run
from tests.traits.llms.batches.other_forms import Batches, serving_batches

from personax.errors import InputError
from personax.traits.llms import _batch_runner as batching
from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import Survey

FORMS = ("anthropic", "gemini")


@pytest.fixture(params=FORMS)
def server(request: pytest.FixtureRequest) -> Iterator[Batches]:
    with serving_batches(Batches(request.param)) as running:
        yield running


def asked(server: Batches, n: int = 5, **settings: Any) -> Survey[Prompt]:
    people = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She has won {i} prizes."} for i in range(n)]
    known: dict[str, Any] = {"input_price": 1.0, "output_price": 2.0, "batch": True, "provider": server.form} | settings
    return Survey(people, [Model(name="one", model="g", base_url=server.url, **known)], Prompt())


def test_everybody_is_asked_once_at_half_the_price(server: Batches, journal: ReplyJournal) -> None:
    asking = asked(server)
    outcome = run(asking, journal)
    assert (outcome.completed, outcome.failed, outcome.stop_reason) == (5, 0, None)
    assert set(annotation_table(asking, journal)["status"]) == {"ok"}
    assert sum(one.cost or 0 for one in journal.entries()) == pytest.approx(5 * (300 + 2 * 90) / 1e6 / 2)
    assert {one.latency for one in journal.entries()} <= {3600.0} or server.form == "gemini"
    assert run(asking, journal).cached == 5
    assert set(server.generated.values()) == {1}
    asked_with = {header for _, _, headers in server.asked for header in headers}
    assert ("anthropic-version" in asked_with) == (server.form == "anthropic")
    shown = [one.messages for one in journal.entries(messages=True)]
    assert all(len(messages) == 2 for messages in shown), "what was asked is kept with the reply"


def test_a_batch_that_was_made_without_a_word_is_found(server: Batches, journal: ReplyJournal) -> None:
    run(asked(server, 3, temperature=0.3), journal)
    server.lost = 1
    assert run(asked(server), journal).completed == 5
    assert len(server.batches) == 2
    assert set(server.generated.values()) == {1}


def test_a_run_that_ends_is_gone_on_with(server: Batches, journal: ReplyJournal) -> None:
    asking = asked(server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching.BatchRunner, "_poll", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(asking, journal)
    assert not journal.claim(keys_of(asking))
    live = replace(asking, models=[asking.models[0].replaced(batch=False)])
    assert run(live, journal).cached == 5
    assert set(server.generated.values()) == {1}
    assert len(server.batches) == 1


def test_what_a_dead_process_had_planned_is_asked_once(server: Batches, journal: ReplyJournal) -> None:
    asking = asked(server)
    table, batch = plan_as_a_dead_process(asking, journal)
    if server.form == "anthropic":
        table.uploaded(batch, "requests")
    assert run(asking, journal).completed == 5
    assert set(server.generated.values()) == {1}
    assert len(server.batches) == 1
    assert open_batches(asking, journal) == []


def test_rows_that_failed_are_sorted(server: Batches, journal: ReplyJournal) -> None:
    keys = keys_of(asked(server))

    def result(key: str, before: int) -> dict[str, Any] | None:
        place = keys.index(key)
        if server.form == "anthropic":
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}}
            rows = {0: {"type": "errored", "error": error}, 1: {"type": "expired"}, 2: {"type": "canceled"}}
            wanted = {"custom_id": key, "result": rows.get(place)}
        else:
            rows = {0: {"code": 3, "message": "too long"}, 1: {"code": 13, "message": "later"},
                    2: {"code": 8, "message": "quota"}}  # fmt: skip
            wanted = {"key": key, "error": rows.get(place)}
        return wanted if place == 0 or (place in rows and not before) else None

    server.result = result
    outcome = run(asked(server), journal)
    assert (outcome.completed, outcome.failed) == (4, 1)
    assert "too long" in str(journal.failed(keys[0]))
    assert server.generated == {keys[0]: 1, keys[1]: 2, keys[2]: 2, keys[3]: 1, keys[4]: 1}


def test_tokens_that_may_wait_split_it_into_batches_one_after_the_other(server: Batches, journal: ReplyJournal) -> None:
    outcome = run(asked(server, batch_tokens=2000), journal)
    assert outcome.completed == 5
    assert len(server.batches) > 1
    assert max(len(batch["rows"]) for batch in server.batches.values()) < 5
    assert set(server.generated.values()) == {1}


def test_a_batch_of_as_many_requests_of_somebody_else_is_not_taken_for_ours(journal: ReplyJournal) -> None:
    with serving_batches(Batches("anthropic", polls=2)) as server:
        foreign = [{"custom_id": f"theirs-{i}", "params": {}} for i in range(5)]
        server._made("msgbatch_theirs", foreign)
        asking = asked(server)
        table, batch = plan_as_a_dead_process(asking, journal)
        table.uploaded(batch, "requests")
        assert run(asking, journal).completed == 5
        assert {server.generated[key] for key in keys_of(asking)} == {1}
        assert len(server.batches) == 2


def test_a_batch_that_fails_as_a_whole_gives_its_reason(journal: ReplyJournal) -> None:
    with serving_batches(Batches("gemini", ends="FAILED")) as server:
        outcome = run(asked(server), journal)
        assert (outcome.completed, outcome.failed) == (0, 5)
        assert "sorry" in str(journal.failed(keys_of(asked(server))[0]))
        assert len(server.batches) == 3


def test_a_provider_without_batches_is_one_sentence(journal: ReplyJournal) -> None:
    model = Model(name="a", model="d", base_url="http://127.0.0.1:9/openai/v1", provider="azure", batch=True)
    with pytest.raises(InputError, match="batches need the provider openai, openai-responses, anthropic or gemini"):
        run(Survey([{"id": "p", "name": "Ann"}], [model], Prompt()), journal)
