"""Each answer is generated once, whatever happens to the process and whoever else asks."""

from __future__ import annotations

import time
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.processes import start
from tests.traits.llms.batches.asked import (
    asked,
    interrupted,
    keys_of,
    model,
    open_batches,
    plan_as_a_dead_process,
    run,
)
from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.traits.llms import _batch_runner as batching
from personax.traits.llms._batch_api import BatchAPI
from personax.traits.llms._chat_completions import OpenAIProvider
from personax.traits.llms._claims import CLAIM_LEASE, ClaimWatch
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._requests import iter_requests


def test_a_batch_that_was_made_without_a_word_is_found_and_not_made_again(
    server: Server, journal: ReplyJournal
) -> None:
    server.desk.lost = 1
    assert run(asked(server, 5), journal).completed == 5
    assert len(server.desk.batches) == 1
    assert server.desk.calls["POST batches"] == 1


def test_what_a_dead_process_had_planned_is_sent_once_wherever_it_died(server: Server, journal: ReplyJournal) -> None:
    asking = asked(server, 5)
    plan_as_a_dead_process(asking, journal)
    assert (run(asking, journal).completed, len(server.desk.batches)) == (5, 1)
    asking = asked(server, 5, temperature=0.5)
    table, batch = plan_as_a_dead_process(asking, journal)
    rows = [
        BatchAPI(OpenAIProvider(asking.models[0], Prompt().schema())).line(r)
        for r in iter_requests(asking, asking.models[0])
    ]
    server.desk.files["mine"] = b"".join(rows)
    table.uploaded(batch, "mine")
    assert (run(asking, journal).completed, len(server.desk.batches)) == (5, 2)
    asking = asked(server, 5, temperature=0.7)
    table, batch = plan_as_a_dead_process(asking, journal)
    server.desk.files["hers"] = b"".join(
        BatchAPI(OpenAIProvider(asking.models[0], Prompt().schema())).line(r)
        for r in iter_requests(asking, asking.models[0])
    )
    table.uploaded(batch, "hers")
    made = {"input_file_id": "hers", "status": "validating", "created_at": time.time(), "metadata": None}
    server.desk.batches = {"batch_old": made | {"id": "batch_old"}} | server.desk.batches  # on the list's last page
    server.desk.batches |= {f"x{i}": made | {"id": f"x{i}", "input_file_id": "file-0"} for i in range(4)}
    before = server.desk.calls["POST batches"]
    assert run(asking, journal).completed == 5
    assert server.desk.calls["POST batches"] == before
    assert set(server.generated[key] for key in keys_of(asking)) == {1}


def test_a_living_process_keeps_what_it_has_planned(server: Server, journal: ReplyJournal) -> None:
    asking = asked(server, 3)
    plan_as_a_dead_process(asking, journal)
    journal._db.execute("UPDATE claims SET owner = 'elsewhere:1:1'")
    began = time.time()
    journal._watch = ClaimWatch(journal.path, clock=lambda: CLAIM_LEASE * 2 * (time.time() - began))
    assert run(asking, journal).completed == 3
    assert time.time() - began > 0.4, "half a second of this clock is a lease"
    assert len(server.desk.batches) == 1


def test_another_models_batch_is_not_touched_and_waits_for_its_own(server: Server, journal: ReplyJournal) -> None:
    two = replace(asked(server, 4), models=[model(server, "two")])
    table, batch = plan_as_a_dead_process(two, journal)
    server.desk.files["two"] = b"".join(
        BatchAPI(OpenAIProvider(two.models[0], Prompt().schema())).line(r) for r in iter_requests(two, two.models[0])
    )
    table.uploaded(batch, "two")
    assert run(asked(server, 4), journal).completed == 4
    assert open_batches(two, journal) == [replace(batch, input_file="two")]
    assert not set(keys_of(two)) & set(server.generated)
    assert (run(two, journal).completed, len(server.desk.batches)) == (4, 2)


def test_what_lies_in_a_batch_is_not_asked_live_and_is_kept_when_people_leave(
    server: Server, journal: ReplyJournal
) -> None:
    asking = asked(server, 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching.BatchRunner, "_poll", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(asking, journal)
    assert not journal.claim(keys_of(asking)), "what lies in a batch is nobody's to ask"
    live = replace(asking, models=[asking.models[0].replaced(batch=False)], people=asking.people[:2])
    outcome = run(live, journal)
    assert (outcome.cached, outcome.completed) == (2, 0)
    assert len(list(journal.entries())) == 6
    assert set(server.generated.values()) == {1}


KILLED = """
    import sys
    from pathlib import Path
    from personax.traits.llms import _batch_runner
    from personax.traits.llms import Model, Prompt, ReplyJournal, RunPolicy, Survey, annotate
    _batch_runner.MAX_REQUESTS = 20
    people = [{"id": f"p{i}", "name": f"Ann {i}"} for i in range(int(sys.argv[3]))]
    policy = RunPolicy(poll_interval=0.02, max_poll_interval=0.1, confirm_delay=0.3)
    models = [Model(name="one", model="m", base_url=sys.argv[2], batch=True)]
    with ReplyJournal(Path(sys.argv[1])) as journal:
        annotate(Survey(people, models, Prompt()), journal, policy=policy)
"""


def started(path: Path, server: Server, n: int) -> BaseProcess:
    return start(KILLED, path, server.url, str(n))


def misshapen(body: Body, seen: int) -> Fault | None:
    """One in four first answers has the wrong shape."""
    return (
        Fault(content="Well.")
        if len(body["messages"]) == 2 and body["messages"][1]["content"][-30:].count("3")
        else None
    )


@pytest.mark.slow
def test_kills_at_random_instants_send_nothing_twice_and_lose_nothing(tmp_path: Path) -> None:
    rng, path, n = np.random.default_rng(3), tmp_path / "j.sqlite", 400
    with serving(Server(script=misshapen)) as server:
        desk = server.desk
        desk.before, desk.after, desk.step = 0.04, 0.08, 0.2
        unsure = finished = kills = 0
        while kills < 15 or (unsure < 3 and kills < 60):  # on a busy machine few kills come that late
            kills += 1
            process = started(path, server, n)
            time.sleep(float(rng.uniform(0.02, 0.6)))
            process.kill()
            process.join()
            with ReplyJournal(path) as journal:
                planned = journal._db.execute("SELECT count(*) FROM batches WHERE state = 'planned'").fetchone()[0]
                held = {entry.key for entry in journal.entries()}
            unsure += planned
            finished += process.exitcode == 0
            assert held <= set(server.generated)
        assert unsure >= 3, "some kills are to hit a batch on its way"
        assert not finished, "every kill is to hit a run that has work left"
        process = started(path, server, n)
        process.join()
        assert process.exitcode == 0
        with ReplyJournal(path) as journal:
            held = {entry.key for entry in journal.entries()}
            first = sum(entry.turn == 0 for entry in journal.entries())
            assert journal._db.execute("SELECT count(*) FROM batches WHERE state != 'done'").fetchone()[0] == 0
    assert first == n
    assert len(held) > n, "some were repaired"
    assert held == set(server.generated)
    assert set(server.generated.values()) == {1}


def test_two_processes_share_batches(tmp_path: Path) -> None:
    with serving(Server()) as server:
        server.desk.after = server.desk.step = 0.1
        server.desk.ends = lambda number: "expired" if number in (0, 2) else "completed"
        running = [started(tmp_path / "j.sqlite", server, 100) for _ in range(2)]
        for process in running:
            process.join()
            assert process.exitcode == 0
        with ReplyJournal(tmp_path / "j.sqlite") as journal:
            assert len(list(journal.entries())) == 100
    assert set(server.generated.values()) == {1}
    assert len(server.generated) == 100
