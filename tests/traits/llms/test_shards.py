"""Annotation by several hosts: parts, merged journals, files for batch runs, leases that are renewed."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="openai is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Server, serving
from tests.traits.llms.test_runner import asked

from personax.errors import InputError
from personax.traits.llms import annotate, export_requests, import_replies, merge_journals
from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._claims import CLAIM_LEASE, HEARTBEAT
from personax.traits.llms._journal import JournalEntry, ReplyJournal
from personax.traits.llms._requests import iter_requests
from personax.traits.llms._run_context import CostBudget, JournalWriter


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


def rows(journal: ReplyJournal) -> list[tuple[Any, ...]]:
    return [(one.key, one.person, one.written, one.reply) for one in journal.entries()]


def test_parts_are_all_requests_and_each_once(server: Server) -> None:
    whole = asked(server, 40)
    (model,) = whole.models
    keys = [{one.key for one in iter_requests(replace(whole, part=(i, 3)), model)} for i in (1, 2, 3)]
    assert set().union(*keys) == {one.key for one in iter_requests(whole, model)}
    assert sum(map(len, keys)) == 40
    assert all(keys)


def test_hosts_together_give_what_one_gives_and_ask_each_request_once(server: Server, tmp_path: Path) -> None:
    whole = asked(server, 12)
    with ReplyJournal(tmp_path / "one.sqlite") as one:
        annotate(whole, one)
        expected = annotation_table(whole, one)
    shards = [tmp_path / f"shard-{i}.sqlite" for i in (1, 2, 3)]
    for i, path in enumerate(shards, 1):
        with ReplyJournal(path) as shard:
            annotate(replace(whole, part=(i, 3)), shard)
    with ReplyJournal(tmp_path / "study.sqlite") as study:
        assert merge_journals(study, shards).new == 12
        assert merge_journals(study, [*shards, shards[0]]).new == 0
        (outcome,) = annotate(whole, study)
        assert (outcome.cached, outcome.completed) == (12, 0)
        assert (
            annotation_table(whole, study).drop("latency", strict=False).equals(expected.drop("latency", strict=False))
        )


def entry(key: str, said: str) -> JournalEntry:
    return JournalEntry(key, "m", "p", "ann", 0, 0, {"content": said}, 0.1)


def test_the_order_of_journals_changes_nothing(tmp_path: Path) -> None:
    """Two hosts that both asked, as when one seemed to be dead: the earlier reply stays, whoever is merged first."""
    for i in range(4):
        with ReplyJournal(tmp_path / f"{i}.sqlite") as shard:
            shard.add([entry(f"k{j}", f"host {i}") for j in range(i, i + 3)])
            shard.fail("k9", "m", "ann", f"host {i} was refused")
            shard.connection.execute("UPDATE replies SET written = ?", (100.0 - i // 2,))
    found = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 1, 3, 0, 2, 0]):
        with ReplyJournal(tmp_path / f"into-{random.random()}.sqlite") as into:
            merged = merge_journals(into, [tmp_path / f"{i}.sqlite" for i in order])
            assert merged.replies == 3 * len(order)
            assert merged.new == 6
            found.append(rows(into))
            assert into.connection.execute("SELECT count(*) FROM failures").fetchone()[0] == 4
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0][2][3] == {"content": "host 2"}, "the earlier one"


def test_what_is_no_journal_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but long enough to be one" * 50)
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE a (b)")
    other.close()
    with ReplyJournal(tmp_path / "into.sqlite") as into:
        for name, says in [("none", "is no file"), ("text", "is no journal"), ("other.sqlite", "is no journal")]:
            with pytest.raises(InputError, match=says):
                merge_journals(into, [tmp_path / name])
        assert rows(into) == []


def test_a_batch_run_elsewhere_gives_what_asking_gives(server: Server, tmp_path: Path) -> None:
    """The lines are answered as vllm run-batch does: one row each, in any order, some of them doubled or broken."""
    whole = asked(server, 8)
    (model,) = whole.models
    with ReplyJournal(tmp_path / "one.sqlite") as one:
        annotate(whole, one)
        bodies = {entry.key: entry for entry in one.entries()}
    with ReplyJournal(tmp_path / "study.sqlite") as study:
        requests = [json.loads(line) for _, line in export_requests(whole, model, study)]
        assert {row["custom_id"] for row in requests} == set(bodies)
        assert {(row["method"], row["url"]) for row in requests} == {("POST", "/v1/chat/completions")}
        assert all(row["body"]["model"] == model.model and row["body"]["messages"] for row in requests)
        lines = [answer(row["custom_id"], str(bodies[row["custom_id"]].reply["content"])) for row in requests]
        failed = json.loads(lines.pop())["custom_id"]
        lines += [lines[0], "not json", answer("unknown", "{}"), json.dumps({"custom_id": failed, "response": None,
                  "error": {"message": "the engine died"}})]  # fmt: skip
        random.Random(0).shuffle(lines)
        found = import_replies(whole, study, ["\n".join(lines).encode()])
        assert (found.new, found.known, found.failed) == (7, 0, 1)
        assert study.failed(failed) is not None
        again = import_replies(whole, study, ["\n".join(lines).encode()])
        assert (again.new, again.known) == (0, 7)
        assert [json.loads(line)["custom_id"] for _, line in export_requests(whole, model, study)] == [failed]
        assert {e.key: e.reply["content"] for e in study.entries()} == {
            key: one.reply["content"] for key, one in bodies.items() if key != failed
        }


def answer(key: str, content: str) -> str:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice],
            "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}}  # fmt: skip
    response = {"status_code": 200, "request_id": "r", "body": body}
    return json.dumps({"id": "vllm-1", "custom_id": key, "response": response, "error": None})


def test_a_claim_is_held_by_a_heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from personax.traits.llms import _runner

    assert HEARTBEAT * 3 < CLAIM_LEASE
    with ReplyJournal(tmp_path / "j.sqlite") as journal:
        journal.claim(["a"])
        journal.connection.execute("UPDATE claims SET until = 1")
        monkeypatch.setattr(_runner, "HEARTBEAT", 0.01)

        async def beat() -> None:
            writer = JournalWriter(journal, CostBudget(None, 0.0))
            task = asyncio.create_task(_runner._renew(writer))
            await asyncio.sleep(0.3)
            task.cancel()
            await writer.close()

        asyncio.run(beat())
        assert journal.connection.execute("SELECT until FROM claims").fetchone()[0] > 3
