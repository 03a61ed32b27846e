"""Asking by batches: the answers of the live way, and what becomes of those that are lost, refused or misshapen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.batches.asked import SECRET, asked, keys_of, model, run
from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.traits.llms import _batch_runner as batching
from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._runner import annotate


def test_answers_are_those_of_the_live_way_at_half_the_price(
    server: Server, journal: ReplyJournal, tmp_path: Path
) -> None:
    asking = replace(asked(server, 9), repeats=2)
    outcome = run(asking, journal)
    assert (outcome.total, outcome.cached, outcome.completed, outcome.failed, outcome.pending) == (18, 0, 18, 0, 0)
    live = replace(asking, models=[model(server, batch=False)])
    with serving(Server()) as other, ReplyJournal(tmp_path / "live.sqlite") as second:
        elsewhere = replace(live, models=[live.models[0].replaced(base_url=other.url)])
        annotate(elsewhere, second)
        one, two = (annotation_table(a, j) for a, j in ((asking, journal), (elsewhere, second)))
    assert one.drop("latency", "cost").equals(two.drop("latency", "cost"))
    assert one["cost"].to_list() == pytest.approx([cost / 2 for cost in two["cost"]])
    assert outcome.cost == pytest.approx(journal.spent())
    assert {entry.reply["upstream"]["batch"] for entry in journal.entries()} == {"batch_0"}
    for again in (asking, live):
        assert (run(again, journal).cached, run(again, journal).completed) == (18, 0)
    assert set(server.generated.values()) == {1}
    assert list(server.desk.batches) == ["batch_0"]


def test_a_file_holds_what_the_live_way_sends(server: Server, journal: ReplyJournal, tmp_path: Path) -> None:
    asking = asked(server, 3, temperature=0.5)
    run(asking, journal)
    rows = [json.loads(line) for line in server.desk.files["file-0"].splitlines()]
    assert [row["custom_id"] for row in rows] == keys_of(asking)
    assert {(row["method"], row["url"]) for row in rows} == {("POST", "/v1/chat/completions")}
    with ReplyJournal(tmp_path / "live.sqlite") as second:
        annotate(replace(asking, models=[asking.models[0].replaced(batch=False)]), second)
    assert sorted(map(str, server.bodies)) == sorted(str(row["body"]) for row in rows)
    made = server.desk.batches["batch_0"]
    assert (made["endpoint"], made["completion_window"]) == ("/v1/chat/completions", "24h")


def test_files_are_no_larger_than_a_provider_takes(
    server: Server, journal: ReplyJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MAX_REQUESTS", 4)
    assert run(asked(server, 10), journal).completed == 10
    inputs = [server.desk.files[one["input_file_id"]] for one in server.desk.batches.values()]
    assert [len(data.splitlines()) for data in inputs] == [4, 4, 2]
    monkeypatch.setattr(batching, "MAX_BYTES", len(inputs[0]) // 2)
    server.desk.batches.clear()
    assert run(asked(server, 10, temperature=0.5), journal).completed == 10
    inputs = [server.desk.files[one["input_file_id"]] for one in server.desk.batches.values()]
    assert len(inputs) == 5
    assert all(len(data) <= batching.MAX_BYTES for data in inputs)


def test_the_wrong_shape_is_repaired_by_a_second_batch_and_no_third(server: Server, journal: ReplyJournal) -> None:
    server.script = lambda body, seen: Fault(content="Openness: 2, I think.") if len(body["messages"]) == 2 else None
    asking = asked(server, 3)
    outcome = run(asking, journal)
    assert (outcome.completed, outcome.repaired, len(server.desk.batches)) == (3, 3, 2)
    assert set(annotation_table(asking, journal)["status"]) <= {"ok", "insufficient"}
    server.script = lambda body, seen: Fault(content="no")
    stubborn = asked(server, 3, temperature=0.5)
    run(stubborn, journal)
    assert set(annotation_table(stubborn, journal)["status"]) == {"malformed"}
    assert len(server.desk.batches) == 4
    assert run(stubborn, journal).completed == 0
    assert len(server.desk.batches) == 4


def test_a_refusal_is_not_repaired(server: Server, journal: ReplyJournal) -> None:
    server.script = lambda body, seen: Fault(content={"content": None, "refusal": "I cannot judge a private person."})
    assert (run(asked(server, 2), journal).repaired, len(server.desk.batches)) == (0, 1)


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_what_a_batch_left_over_goes_into_another(server: Server, journal: ReplyJournal, end: str) -> None:
    server.desk.ends = lambda number: end if number == 0 else "completed"
    outcome = run(asked(server, 7), journal)
    assert (outcome.completed, outcome.failed, len(server.desk.batches)) == (7, 0, 2)
    assert sum(outcome.retries.values()) == 4
    assert len(server.generated) == 7
    assert set(server.generated.values()) == {1}


@pytest.mark.parametrize(("end", "reason"), [("failed", "too many are waiting"), ("expired", "not executed in time")])
def test_what_three_batches_leave_over_is_failed_until_the_next_run(
    server: Server, journal: ReplyJournal, end: str, reason: str
) -> None:
    server.desk.ends = lambda number: end
    asking = asked(server, 1)
    outcome = run(asking, journal)
    assert (outcome.completed, outcome.failed, len(server.desk.batches)) == (0, 1, 3)
    (text,) = set(annotation_table(asking, journal)["text"])
    assert reason in text
    assert text.endswith("the last of 3 batches")
    assert not server.generated
    server.desk.ends = lambda number: "completed"
    assert (run(asking, journal).completed, len(server.desk.batches)) == (1, 4)


def test_a_refused_row_fails_with_its_reason_and_a_lost_one_is_asked_again(
    server: Server, journal: ReplyJournal
) -> None:
    def script(body: Body, seen: int) -> Fault | None:
        who = body["messages"][1]["content"]
        if "Ann 3" in who:
            return Fault(400, error=f"bad request with {SECRET}")
        return Fault(429 if "Ann 2" in who else 503) if ("Ann 1" in who or "Ann 2" in who) and not seen else None

    server.script = script
    asking = asked(server, 6)
    outcome = run(asking, journal)
    assert (outcome.completed, outcome.failed, len(server.desk.batches)) == (5, 1, 2)
    failed = annotation_table(asking, journal).filter(pl.col("status") == "failed")
    assert set(failed["person"]) == {"p3"}
    assert set(failed["text"]) == {"status 400: bad request with ***"}
    assert sorted(server.sent[key] for key in keys_of(asking)) == [1, 1, 1, 1, 2, 2]


def test_rows_that_nobody_asked_for_are_ignored_and_of_two_the_first_counts(
    server: Server, journal: ReplyJournal
) -> None:
    def edit(data: bytes, times: int) -> bytes:
        lines = data.splitlines()
        row = json.loads(lines[0])
        foreign = json.dumps(row | {"custom_id": "f" * 64}).encode()
        row["response"]["body"]["choices"][0]["message"]["content"] = "second"
        return b"\n".join([b"[]", b'{"custom_id": 7}', foreign, *lines, json.dumps(row).encode(), b""])

    server.desk.edit = edit
    asking = asked(server, 4)
    outcome = run(asking, journal)
    assert (outcome.completed, outcome.unmatched) == (4, 1)
    entries = list(journal.entries())
    assert {entry.key for entry in entries} == set(keys_of(asking))
    assert not [entry for entry in entries if entry.reply["content"] == "second"]


def test_a_file_that_was_cut_is_fetched_again_and_what_is_missing_then_is_asked_again(
    server: Server, journal: ReplyJournal
) -> None:
    server.desk.edit = lambda data, times: data if times else data[:-20]
    assert run(asked(server, 5), journal).completed == 5
    assert len(server.desk.batches) == 1
    server.desk.edit = lambda data, times: data[:-20] if len(server.desk.batches) == 2 else data
    asking = asked(server, 5, temperature=0.5)
    assert (run(asking, journal).completed, len(server.desk.batches)) == (5, 3)
    assert sorted(server.generated[key] for key in keys_of(asking)) == [1, 1, 1, 1, 2]
