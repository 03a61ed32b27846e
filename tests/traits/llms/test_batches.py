"""Asking by a provider's batches: the answers of the live way, each generated once whatever happens to the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("openai", reason="openai is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.plan import LLM
from personax.traits.llms import batching
from personax.traits.llms.asking import Asked, estimate, requests_of
from personax.traits.llms.batch_api import BatchAPI
from personax.traits.llms.batch_journal import Batches, Part
from personax.traits.llms.journal import Journal
from personax.traits.llms.prompting import Prompt
from personax.traits.llms.provider import Model, Provider
from personax.traits.llms.runner import Outcome, Patience, annotate
from personax.traits.llms.table import annotations_of

SECRET = "sk-test-0123456789abcdef"
SOON = Patience(tries=3, failures=6, pause=0.05, pauses=2, look=0.02, longest=0.05, settle=0.05)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


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


def test_answers_are_those_of_the_live_way_at_half_the_price(server: Server, journal: Journal, tmp_path: Path) -> None:
    asking = replace(asked(server, 9), repeats=2)
    outcome = run(asking, journal)
    assert (outcome.total, outcome.before, outcome.asked, outcome.failed, outcome.waiting) == (18, 0, 18, 0, 0)
    live = replace(asking, models=[model(server, batch=False)])
    with serving(Server()) as other, Journal(tmp_path / "live.sqlite") as second:
        elsewhere = replace(live, models=[replace(live.models[0], base_url=other.url)])
        annotate(elsewhere, second)
        one, two = (annotations_of(a, j) for a, j in ((asking, journal), (elsewhere, second)))
    assert one.drop("latency", "cost").equals(two.drop("latency", "cost"))
    assert one["cost"].to_list() == pytest.approx([cost / 2 for cost in two["cost"]])
    assert outcome.cost == pytest.approx(journal.spent())
    assert {entry.reply["upstream"]["batch"] for entry in journal.entries()} == {"batch_0"}
    for again in (asking, live):
        assert (run(again, journal).before, run(again, journal).asked) == (18, 0)
    assert set(server.generated.values()) == {1}
    assert list(server.desk.batches) == ["batch_0"]


def test_a_file_holds_what_the_live_way_sends(server: Server, journal: Journal, tmp_path: Path) -> None:
    asking = asked(server, 3, temperature=0.5)
    run(asking, journal)
    rows = [json.loads(line) for line in server.desk.files["file-0"].splitlines()]
    assert [row["custom_id"] for row in rows] == keys_of(asking)
    assert {(row["method"], row["url"]) for row in rows} == {("POST", "/v1/chat/completions")}
    with Journal(tmp_path / "live.sqlite") as second:
        annotate(replace(asking, models=[replace(asking.models[0], batch=False)]), second)
    assert sorted(map(str, server.bodies)) == sorted(str(row["body"]) for row in rows)
    made = server.desk.batches["batch_0"]
    assert (made["endpoint"], made["completion_window"]) == ("/v1/chat/completions", "24h")


def test_files_are_no_larger_than_a_provider_takes(
    server: Server, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MOST_REQUESTS", 4)
    assert run(asked(server, 10), journal).asked == 10
    inputs = [server.desk.files[one["input_file_id"]] for one in server.desk.batches.values()]
    assert [len(data.splitlines()) for data in inputs] == [4, 4, 2]
    monkeypatch.setattr(batching, "MOST_BYTES", len(inputs[0]) // 2)
    server.desk.batches.clear()
    assert run(asked(server, 10, temperature=0.5), journal).asked == 10
    inputs = [server.desk.files[one["input_file_id"]] for one in server.desk.batches.values()]
    assert len(inputs) == 5
    assert all(len(data) <= batching.MOST_BYTES for data in inputs)


def test_the_wrong_shape_is_repaired_by_a_second_batch_and_no_third(server: Server, journal: Journal) -> None:
    server.script = lambda body, seen: Fault(content="Openness: 2, I think.") if len(body["messages"]) == 2 else None
    asking = asked(server, 3)
    outcome = run(asking, journal)
    assert (outcome.asked, outcome.repaired, len(server.desk.batches)) == (3, 3, 2)
    assert set(annotations_of(asking, journal)["status"]) <= {"ok", "insufficient"}
    server.script = lambda body, seen: Fault(content="no")
    stubborn = asked(server, 3, temperature=0.5)
    run(stubborn, journal)
    assert set(annotations_of(stubborn, journal)["status"]) == {"malformed"}
    assert len(server.desk.batches) == 4
    assert run(stubborn, journal).asked == 0
    assert len(server.desk.batches) == 4


def test_a_refusal_is_not_repaired(server: Server, journal: Journal) -> None:
    server.script = lambda body, seen: Fault(content={"content": None, "refusal": "I cannot judge a private person."})
    assert (run(asked(server, 2), journal).repaired, len(server.desk.batches)) == (0, 1)


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_what_a_batch_left_over_goes_into_another(server: Server, journal: Journal, end: str) -> None:
    server.desk.ends = lambda number: end if number == 0 else "completed"
    outcome = run(asked(server, 7), journal)
    assert (outcome.asked, outcome.failed, len(server.desk.batches)) == (7, 0, 2)
    assert sum(outcome.retries.values()) == 4
    assert len(server.generated) == 7
    assert set(server.generated.values()) == {1}


@pytest.mark.parametrize(("end", "reason"), [("failed", "too many are waiting"), ("expired", "not executed in time")])
def test_what_three_batches_leave_over_is_failed_until_the_next_run(
    server: Server, journal: Journal, end: str, reason: str
) -> None:
    server.desk.ends = lambda number: end
    asking = asked(server, 1)
    outcome = run(asking, journal)
    assert (outcome.asked, outcome.failed, len(server.desk.batches)) == (0, 1, 3)
    (text,) = set(annotations_of(asking, journal)["text"])
    assert reason in text
    assert text.endswith("the last of 3 batches")
    assert not server.generated
    server.desk.ends = lambda number: "completed"
    assert (run(asking, journal).asked, len(server.desk.batches)) == (1, 4)


def test_a_refused_row_fails_with_its_reason_and_a_lost_one_is_asked_again(server: Server, journal: Journal) -> None:
    def script(body: Body, seen: int) -> Fault | None:
        who = body["messages"][1]["content"]
        if "Ann 3" in who:
            return Fault(400, error=f"bad request with {SECRET}")
        return Fault(429 if "Ann 2" in who else 503) if ("Ann 1" in who or "Ann 2" in who) and not seen else None

    server.script = script
    asking = asked(server, 6)
    outcome = run(asking, journal)
    assert (outcome.asked, outcome.failed, len(server.desk.batches)) == (5, 1, 2)
    failed = annotations_of(asking, journal).filter(pl.col("status") == "failed")
    assert set(failed["person"]) == {"p3"}
    assert set(failed["text"]) == {"status 400: bad request with ***"}
    assert sorted(server.sent[key] for key in keys_of(asking)) == [1, 1, 1, 1, 2, 2]


def test_rows_that_nobody_asked_for_are_ignored_and_of_two_the_first_counts(server: Server, journal: Journal) -> None:
    def edit(data: bytes, times: int) -> bytes:
        lines = data.splitlines()
        row = json.loads(lines[0])
        foreign = json.dumps(row | {"custom_id": "f" * 64}).encode()
        row["response"]["body"]["choices"][0]["message"]["content"] = "second"
        return b"\n".join([b"[]", b'{"custom_id": 7}', foreign, *lines, json.dumps(row).encode(), b""])

    server.desk.edit = edit
    asking = asked(server, 4)
    outcome = run(asking, journal)
    assert (outcome.asked, outcome.foreign) == (4, 1)
    entries = list(journal.entries())
    assert {entry.key for entry in entries} == set(keys_of(asking))
    assert not [entry for entry in entries if entry.reply["content"] == "second"]


def test_a_file_that_was_cut_is_fetched_again_and_what_is_missing_then_is_asked_again(
    server: Server, journal: Journal
) -> None:
    server.desk.edit = lambda data, times: data if times else data[:-20]
    assert run(asked(server, 5), journal).asked == 5
    assert len(server.desk.batches) == 1
    server.desk.edit = lambda data, times: data[:-20] if len(server.desk.batches) == 2 else data
    asking = asked(server, 5, temperature=0.5)
    assert (run(asking, journal).asked, len(server.desk.batches)) == (5, 3)
    assert sorted(server.generated[key] for key in keys_of(asking)) == [1, 1, 1, 1, 2]


def test_a_batch_that_was_made_without_a_word_is_found_and_not_made_again(server: Server, journal: Journal) -> None:
    server.desk.lost = 1
    assert run(asked(server, 5), journal).asked == 5
    assert len(server.desk.batches) == 1
    assert server.desk.calls["POST batches"] == 1


def plan_as_a_dead_process(asking: Asked[Prompt], journal: Journal) -> tuple[Batches, Any]:
    table, mine = Batches(journal, asking.models[0]), journal.owner
    journal.owner = f"{mine.split(':')[0]}:999999999:0"
    parts = [Part(one.key, "p", one.person, one.repeat, 0) for one in requests_of(asking, asking.models[0])]
    planned = table.plan(parts, {part.key: 0.0 for part in parts})
    journal.owner = mine
    assert planned is not None
    return table, planned[0]


def test_what_a_dead_process_had_planned_is_sent_once_wherever_it_died(server: Server, journal: Journal) -> None:
    asking = asked(server, 5)
    plan_as_a_dead_process(asking, journal)
    assert (run(asking, journal).asked, len(server.desk.batches)) == (5, 1)
    asking = asked(server, 5, temperature=0.5)
    table, batch = plan_as_a_dead_process(asking, journal)
    rows = [
        BatchAPI(Provider(asking.models[0], Prompt().schema())).line(r) for r in requests_of(asking, asking.models[0])
    ]
    server.desk.files["mine"] = b"".join(rows)
    table.uploaded(batch, "mine")
    assert (run(asking, journal).asked, len(server.desk.batches)) == (5, 2)
    asking = asked(server, 5, temperature=0.7)
    table, batch = plan_as_a_dead_process(asking, journal)
    server.desk.files["hers"] = b"".join(
        BatchAPI(Provider(asking.models[0], Prompt().schema())).line(r) for r in requests_of(asking, asking.models[0])
    )
    table.uploaded(batch, "hers")
    made = {"input_file_id": "hers", "status": "validating", "created_at": time.time(), "metadata": None}
    server.desk.batches = {"batch_old": made | {"id": "batch_old"}} | server.desk.batches  # on the list's last page
    server.desk.batches |= {f"x{i}": made | {"id": f"x{i}", "input_file_id": "file-0"} for i in range(4)}
    before = server.desk.calls["POST batches"]
    assert run(asking, journal).asked == 5
    assert server.desk.calls["POST batches"] == before
    assert set(server.generated[key] for key in keys_of(asking)) == {1}


def test_a_living_process_keeps_what_it_has_planned(server: Server, journal: Journal) -> None:
    asking = asked(server, 3)
    plan_as_a_dead_process(asking, journal)
    journal._db.execute("UPDATE claims SET owner = 'elsewhere:1:1', until = ?", (time.time() + 0.5,))
    began = time.time()
    assert run(asking, journal).asked == 3
    assert time.time() - began > 0.4
    assert len(server.desk.batches) == 1


def test_another_models_batch_is_not_touched_and_waits_for_its_own(server: Server, journal: Journal) -> None:
    two = replace(asked(server, 4), models=[model(server, "two")])
    table, batch = plan_as_a_dead_process(two, journal)
    server.desk.files["two"] = b"".join(
        BatchAPI(Provider(two.models[0], Prompt().schema())).line(r) for r in requests_of(two, two.models[0])
    )
    table.uploaded(batch, "two")
    assert run(asked(server, 4), journal).asked == 4
    assert open_batches(two, journal) == [replace(batch, input_file="two")]
    assert not set(keys_of(two)) & set(server.generated)
    assert (run(two, journal).asked, len(server.desk.batches)) == (4, 2)


def test_what_lies_in_a_batch_is_not_asked_live_and_is_kept_when_people_leave(server: Server, journal: Journal) -> None:
    asking = asked(server, 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching.Batching, "_look", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(asking, journal)
    assert not journal.claim(keys_of(asking)), "what lies in a batch is nobody's to ask"
    live = replace(asking, models=[replace(asking.models[0], batch=False)], people=asking.people[:2])
    outcome = run(live, journal)
    assert (outcome.before, outcome.asked) == (2, 0)
    assert len(list(journal.entries())) == 6
    assert set(server.generated.values()) == {1}


async def interrupted(self: object) -> bool:
    raise KeyboardInterrupt


def test_a_wrong_key_is_one_sentence_and_nothing_is_planned(
    server: Server, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = SECRET
    monkeypatch.setenv("TEST_KEY", "sk-wrong-0123456789")
    asking = asked(server, 4, key="TEST_KEY")
    assert run(asking, journal).stopped == f"one: {server.url} does not accept the key in TEST_KEY (401)"
    assert open_batches(asking, journal) == []
    assert set(annotations_of(asking, journal, stopped={"one": "why"})["text"]) == {"why"}
    monkeypatch.setenv("TEST_KEY", SECRET)
    assert run(asking, journal).asked == 4
    assert SECRET not in journal.path.read_bytes().decode("latin-1")


@pytest.mark.parametrize("lacks", ["offered", "listed"])
def test_a_provider_without_batches_is_one_sentence(server: Server, journal: Journal, lacks: str) -> None:
    setattr(server.desk, lacks, False)
    asking = asked(server, 4)
    assert run(asking, journal).stopped == f"one: {server.url} offers no batches (404); set batch: false"
    assert server.desk.calls["POST files"] == 0
    assert run(replace(asking, models=[replace(asking.models[0], batch=False)]), journal).asked == 4


def test_a_provider_that_is_not_there_is_one_sentence(journal: Journal) -> None:
    asking = replace(asked(Server(url="http://127.0.0.1:9/v1")))
    said = "one: the batches at http://127.0.0.1:9/v1 cannot be reached (the connection failed or broke off)"
    assert run(asking, journal).stopped == said
    assert open_batches(asking, journal) == []


def test_an_unknown_model_stops_and_the_others_go_on(server: Server, journal: Journal) -> None:
    asking = replace(asked(server, 4), models=[Model("x", "no-such-model", server.url, batch=True), model(server)])
    lost, found = annotate(asking, journal, patience=SOON)
    assert lost.stopped == f"x: {server.url} knows no model no-such-model (404)"
    assert found.asked == 4


def test_a_batch_of_another_account_is_waited_for_and_an_old_one_is_asked_again(
    server: Server, journal: Journal
) -> None:
    asking = asked(server, 4)
    table, batch = plan_as_a_dead_process(asking, journal)
    table.uploaded(batch, "gone")
    table.created(batch, "batch_gone")
    stopped = run(asking, journal).stopped
    assert (
        stopped == f"one: {server.url} does not have batches/batch_gone (404); ask with the key that it was made with"
    )
    assert not server.desk.batches
    journal._db.execute("UPDATE batches SET written = written - ?", (batching.KEPT + 1,))
    assert run(asking, journal).asked == 4


def test_a_dry_run_and_max_cost_count_the_discount(server: Server, journal: Journal) -> None:
    asking = asked(server, 8)
    live = replace(asking, models=[replace(asking.models[0], batch=False)])
    (half,), (whole,) = estimate([asking], journal), estimate([live], journal)
    assert half.cost is not None
    assert half.cost == pytest.approx((whole.cost or 0) / 2)
    (quarter,) = estimate([replace(asking, models=[replace(asking.models[0], batch_discount=0.25)])], journal)
    assert quarter.cost == pytest.approx((whole.cost or 0) * 0.75)
    assert sum(server.desk.calls.values()) == 0
    most = half.cost * 0.6
    outcome = run(asking, journal, max_cost=most)
    assert outcome.stopped == f"one: max_cost {most:g} is reached; raise it to go on"
    assert 4 <= outcome.asked < 8
    assert journal.spent() <= most
    assert run(asking, journal, max_cost=2 * half.cost).asked == 8 - outcome.asked
    assert set(server.generated.values()) == {1}


def test_a_plan_does_not_go_stale_by_asking_in_batches() -> None:
    plain = LLM(name="a", model="b", base_url="http://c")
    batched = LLM(name="a", model="b", base_url="http://c", batch=True, batch_discount=0.3)
    assert plain.model_dump() == batched.model_dump()
    assert Model(**dict(plain)).settings() == Model(**dict(batched)).settings()
    assert Model(**dict(batched)).batch


GOOD = {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=6,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"custom_id": st.sampled_from(["a", "b", "c", "z"]) | JUNK},
        optional={
            "response": JUNK
            | st.fixed_dictionaries(
                {"status_code": st.sampled_from([200, 400, 429, 500]) | JUNK, "body": st.just(GOOD) | JUNK}
            )
            | st.fixed_dictionaries(
                {"status_code": st.just(200), "body": st.fixed_dictionaries({"choices": JUNK, "usage": JUNK})}
            ),
            "error": JUNK,
        },
    )
    | JUNK
)


@given(rows=ROWS, cut=st.integers(0, 40))
def test_whatever_a_file_holds_each_request_has_one_fate_and_the_first_row_decides(rows: list[Any], cut: int) -> None:
    api = BatchAPI(Provider(Model("one", "m", "http://127.0.0.1:9/v1"), None))
    data = "\n".join(json.dumps(row) for row in rows).encode()
    read = api.read([data[: len(data) - cut]], {"a", "b", "c"}, 1.0)
    fates = [*read.answers, *read.lost, *read.rejected]
    assert len(fates) == len(set(fates))
    assert set(fates) <= {"a", "b", "c"}
    whole = api.read([data], {"a", "b", "c"}, 1.0)
    ids = [row["custom_id"] for row in rows if isinstance(row, dict) and isinstance(row.get("custom_id"), str)]
    assert whole.seen == set(ids) & {"a", "b", "c"}
    assert whole.foreign == sum(one not in {"a", "b", "c"} for one in ids)
    for key in whole.seen:
        first = next(row for row in rows if isinstance(row, dict) and row.get("custom_id") == key)
        alone = api.read([json.dumps(first).encode()], {key}, 1.0)
        assert (alone.answers, alone.lost, alone.rejected) == tuple(
            {key: fate[key]} if key in fate else {} for fate in (whole.answers, whole.lost, whole.rejected)
        )


KILLED = """
    import sys
    from pathlib import Path
    from personax.traits.llms import batching
    from personax.traits.llms.asking import Asked
    from personax.traits.llms.journal import Journal
    from personax.traits.llms.prompting import Prompt
    from personax.traits.llms.provider import Model
    from personax.traits.llms.runner import Patience, annotate
    batching.MOST_REQUESTS = 20
    people = [{"id": f"p{i}", "name": f"Ann {i}"} for i in range(int(sys.argv[3]))]
    patience = Patience(look=0.02, longest=0.1, settle=0.3)
    models = [Model("one", "m", sys.argv[2], batch=True)]
    import openai
    with Journal(Path(sys.argv[1])) as journal:
        print("ready", flush=True)
        annotate(Asked(people, models, Prompt()), journal, patience=patience)
"""


def started(path: Path, server: Server, n: int) -> subprocess.Popen[str]:
    command: Sequence[str | Path] = [sys.executable, "-c", textwrap.dedent(KILLED), path, server.url, str(n)]
    environment: Mapping[str, str] = {**os.environ}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def misshapen(body: Body, seen: int) -> Fault | None:
    """One in four first answers has the wrong shape."""
    return (
        Fault(content="Well.")
        if len(body["messages"]) == 2 and body["messages"][1]["content"][-30:].count("3")
        else None
    )


def test_kills_at_random_instants_send_nothing_twice_and_lose_nothing(tmp_path: Path) -> None:
    rng, path, n = np.random.default_rng(3), tmp_path / "j.sqlite", 400
    with serving(Server(script=misshapen)) as server:
        desk = server.desk
        desk.before, desk.after, desk.step = 0.04, 0.08, 0.2
        unsure = finished = 0
        for _ in range(15):
            process = started(path, server, n)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(float(rng.uniform(0.02, 0.6)))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            with Journal(path) as journal:
                planned = journal._db.execute("SELECT count(*) FROM batches WHERE state = 'planned'").fetchone()[0]
                held = {entry.key for entry in journal.entries()}
            unsure += planned
            finished += process.returncode == 0
            assert held <= set(server.generated)
        assert unsure >= 3, "some kills are to hit a batch on its way"
        assert not finished, "every kill is to hit a run that has work left"
        with started(path, server, n) as process:
            assert process.wait() == 0
        with Journal(path) as journal:
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
        assert [process.wait() for process in running] == [0, 0]
        for process in running:
            process.communicate()
        with Journal(tmp_path / "j.sqlite") as journal:
            assert len(list(journal.entries())) == 100
    assert set(server.generated.values()) == {1}
    assert len(server.generated) == 100
