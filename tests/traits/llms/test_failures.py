"""Failures sorted by whom they concern: one person, a model, the account; replies that no row may be lost to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.cli.program import personax
from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.cli.run import rounded_up
from personax.http import RetryPolicy
from personax.schema import TRAITS
from personax.traits.llms import (
    Model,
    Prompt,
    ReplyJournal,
    RunPolicy,
    RunSummary,
    Survey,
    annotate,
    annotation_table,
    probe_models,
)
from personax.traits.llms._journal import JournalEntry

QUICK = RunPolicy(RetryPolicy(attempts=2, rate_limited_attempts=4, backoff=0.01), failures=50, pause=0.01, pauses=1)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ReplyJournal]:
    with ReplyJournal(tmp_path / "journal.sqlite") as opened:
        yield opened


def asked(server: Server, n: int, **settings: Any) -> Survey[Prompt]:
    people = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She has won {i} prizes."} for i in range(n)]
    given = {"concurrency": 2, "input_price": 1.0, "output_price": 2.0} | settings
    return Survey(people, [Model(name="one", model="one-large", base_url=server.url, **given)], Prompt())


def run(survey: Survey[Prompt], journal: ReplyJournal, **options: Any) -> RunSummary:
    (summary,) = annotate(survey, journal, policy=QUICK, **options)
    return summary


def about(number: int, fault: Fault) -> Any:
    """Script a fault of one person's requests."""
    return lambda body, seen: fault if f"name: Ann {number}\n" in body["messages"][1]["content"] else None


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_one_biography_that_is_refused_costs_one_row(server: Server, journal: ReplyJournal, status: int) -> None:
    server.script = about(3, Fault(status, error="content policy"))
    survey = asked(server, 8)
    summary = run(survey, journal)
    assert (summary.completed, summary.failed, summary.stop_reason) == (7, 1, None)
    failed = annotation_table(survey, journal).filter(pl.col("status") == "failed")
    assert set(failed["person"]) == {"p3"}
    assert "content policy" in failed["text"][0]


@pytest.mark.parametrize("status", [400, 403, 422])
def test_what_is_always_refused_is_asked_a_handful_of_times(server: Server, journal: ReplyJournal, status: int) -> None:
    server.script = lambda body, seen: Fault(status, error="unknown field response_format")
    summary = run(asked(server, 200), journal)
    assert summary.stop_reason is not None
    assert "refused the first" in summary.stop_reason
    assert "unknown field response_format" in summary.stop_reason, "the provider's words"
    under_way, simpler = 2, 2  # any JSON object, then none, before a refusal is one
    assert sum(server.sent.values()) <= 5 + under_way * (1 + simpler)


@pytest.mark.parametrize(("status", "says"), [(401, "does not accept"), (402, "wants payment (402): no credits")])
def test_what_concerns_the_account_stops_at_once(server: Server, journal: ReplyJournal, status: int, says: str) -> None:
    server.script = lambda body, seen: Fault(status, error="no credits")
    summary = run(asked(server, 200), journal)
    assert says in str(summary.stop_reason)
    assert sum(server.sent.values()) <= 2


POISON: dict[str, dict[str, Any]] = {
    "half an emoji": {"choices": [{"message": {"content": "\ud83d {}"}, "finish_reason": "stop"}]},
    "finish_reason an object": {"choices": [{"message": {"content": "{}"}, "finish_reason": {"why": "stop"}}]},
    "huge usage": {"usage": {"prompt_tokens": 10**30, "completion_tokens": 10**30}},
    "usage of words": {"usage": {"prompt_tokens": "many", "completion_tokens": None}},
    "usage a list": {"usage": [1, 2]},
    "model an object": {"model": {"name": "\udfff"}},
    "message a list": {"choices": [{"message": ["{}"], "finish_reason": "stop"}]},
    "a choice of words": {"choices": ["{}"]},
    "deep content": {"choices": [{"message": {"content": '{"a":' * 5000 + "1"}, "finish_reason": "stop"}]},
    "an error in the choice": {"choices": [{"error": {"code": 502, "message": "upstream died"}}]},
}


@pytest.mark.parametrize("shape", sorted(POISON))
def test_one_poisonous_reply_costs_one_row_at_most(server: Server, tmp_path: Path, shape: str) -> None:
    server.script = about(3, Fault(whole=POISON[shape]))
    survey = asked(server, 6)
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        summary = run(survey, journal)
        assert summary.stop_reason is None
        table = annotation_table(survey, journal)
    assert table.filter(pl.col("person") != "p3")["status"].is_in(["ok", "insufficient"]).all()
    sent = sum(server.sent.values())
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        again = run(survey, journal)
        assert again.cached >= 5
        annotation_table(survey, journal)
    assert sum(server.sent.values()) - sent <= 2, "no one else is asked again"


def test_an_error_in_a_choice_is_no_answer(server: Server, journal: ReplyJournal) -> None:
    failing = Fault(whole={"choices": [{"error": {"code": 429, "message": "slow down"}, "finish_reason": "error"}]})
    server.script = lambda body, seen: failing if len(server.bodies) <= 1 else None
    server.answers.clear()
    survey = asked(server, 1)
    run(survey, journal)
    server.answers.clear()
    run(survey, journal)
    assert set(annotation_table(survey, journal)["status"]) <= {"ok", "insufficient"}


def test_an_answer_that_was_cut_off_is_asked_for_with_more_room(server: Server, journal: ReplyJournal) -> None:
    def short(body: Body, seen: int) -> Fault | None:
        return Fault(content='{"openness": {"descr', finish="length") if body["max_tokens"] <= 600 else None

    server.script = short
    survey = asked(server, 3)
    summary = run(survey, journal)
    assert (summary.completed, summary.repaired) == (3, 3)
    assert {body["max_tokens"] for body in server.bodies} == {600, 2400}
    assert set(annotation_table(survey, journal)["status"]) <= {"ok", "insufficient"}
    sent = sum(server.sent.values())
    assert run(survey, journal).cached == 3
    assert sum(server.sent.values()) == sent


def test_an_answer_that_is_cut_off_again_is_said(server: Server, journal: ReplyJournal) -> None:
    server.script = lambda body, seen: Fault(content='{"openness": ', finish="length")
    survey = asked(server, 2)
    run(survey, journal)
    assert set(annotation_table(survey, journal)["status"]) == {"truncated"}
    assert sum(server.sent.values()) == 4
    server.script = lambda body, seen: None
    larger = asked(server, 2, max_tokens=4000)
    assert run(larger, journal).completed == 2, "with more room it is another question"


def test_a_cap_is_a_cap_without_a_count_of_tokens_over_any_number_of_runs(
    server: Server, journal: ReplyJournal
) -> None:
    server.script = lambda body, seen: Fault(whole={"usage": None})
    survey = asked(server, 60, max_tokens=100, input_price=0.0, output_price=1e4)  # an answer costs 1 at most
    for _ in range(3):
        summary = run(survey, journal, max_cost=20)
    assert summary.stop_reason is not None
    assert len(server.generated) == 20
    assert journal.spent() == 20


def test_long_answers_do_not_exceed_the_cap(server: Server, journal: ReplyJournal) -> None:
    server.script = lambda body, seen: Fault(whole={"usage": {"prompt_tokens": 100, "completion_tokens": 600}})
    run(asked(server, 200, concurrency=16, input_price=0.0, output_price=1e6 / 600), journal, max_cost=20)
    assert 15 <= journal.spent() <= 20


STUDY = """\
name: loud
collect: {{source: table, path: people.csv}}
annotate:
  source: llm
  models:
    - {{name: one, model: one-x, base_url: {url}}}
    - {{name: two, model: two-x, base_url: {url}}}
"""


@pytest.fixture
def study(server: Server, tmp_path: Path) -> Path:
    rows = "".join(f"p{i},Ann {i},She has won {i} prizes.\n" for i in range(4))
    (tmp_path / "people.csv").write_text("id,name,biography\n" + rows, encoding="utf-8")
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.format(url=server.url), encoding="utf-8")
    return path


def test_what_is_missing_is_loud(server: Server, study: Path) -> None:
    def refused(body: Body, seen: int) -> Fault | None:
        return Fault(403, error="not allowed here") if body["model"] == "two-x" else None

    server.script = refused
    done = personax("annotate", study)
    assert done.returncode == 1
    assert "4 of 8 requests have no reply" in " ".join(done.stderr.split())
    assert "What came of the requests" in done.stdout
    assert "not allowed here" in " ".join(done.stdout.split())
    outcomes = json.loads((study.parent / "traits" / "outcomes.json").read_text())
    assert [(one["model"], one["requests"], one["no reply"]) for one in outcomes] == [("one", 4, 0), ("two", 4, 4)]
    accepted = personax("annotate", study, "--allow-missing", "0.5")
    assert accepted.returncode == 0, accepted.stderr
    server.script = lambda body, seen: None
    assert personax("annotate", study, "--force").returncode == 0


def test_a_study_whose_requests_all_fail_is_no_study(server: Server, study: Path) -> None:
    server.script = lambda body, seen: Fault(422, error="no such parameter")
    done = personax("annotate", study)
    assert done.returncode == 1
    assert "no such parameter" in done.stderr
    assert not (study.parent / "traits" / "traits.parquet").exists()


def test_the_same_model_twice_is_told(server: Server, study: Path) -> None:
    study.write_text(STUDY.format(url=server.url).replace("two-x", "one-x"), encoding="utf-8")
    done = personax("annotate", study)
    assert done.returncode == 1
    assert "one and two are the same model asked in the same way" in " ".join(done.stderr.split())


def test_nobody_scored_is_no_crash(server: Server, study: Path) -> None:
    nothing = json.dumps({trait: {"description": "?", "score": 0} for trait in TRAITS})
    server.mind = lambda body, key: nothing
    study.write_text(STUDY.format(url=server.url) + "  rule: majority\n", encoding="utf-8")
    done = personax("annotate", study)
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(study.parent / "traits" / "traits.parquet")["final_o"].null_count() == 4


def test_what_another_process_spends_counts_at_once(server: Server, tmp_path: Path) -> None:
    """The other one writes into the same journal while this one asks; at the next reply it is known here."""
    path, spent = tmp_path / "shared.sqlite", 0
    with ReplyJournal(path) as journal, ReplyJournal(path) as other:

        def script(body: Body, seen: int) -> Fault | None:
            nonlocal spent
            spent += 1
            reply = JournalEntry(f"other-{spent}", "m", "p", "q", 0, 0, {"content": "{}"}, 0.1, 9, 9, 1.0)
            other.add([reply])
            return None

        server.script = script
        model = Model(name="x", model="x", base_url=server.url, concurrency=1, input_price=0, output_price=1,
                      max_tokens=200)  # fmt: skip
        people = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She won {i}."} for i in range(20)]
        (summary,) = annotate(Survey(people, [model], Prompt()), journal, max_cost=5.0)
        assert "max_cost 5 is reached" in str(summary.stop_reason)
        assert journal.spent() <= 5.0 + 1.0, "the one reply that the other process was still writing"
        assert summary.completed in (4, 5)


FREE = {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}


@pytest.mark.parametrize("usage", [FREE, {"usage": {"prompt_tokens": 300, "completion_tokens": 1}}])
def test_a_full_answer_is_never_free(server: Server, journal: ReplyJournal, usage: dict[str, Any]) -> None:
    server.script = lambda body, seen: Fault(whole=usage)
    summary = run(asked(server, 60, concurrency=1), journal, max_cost=0.005)
    assert "max_cost 0.005 is reached" in str(summary.stop_reason)
    assert 1 <= sum(server.sent.values()) <= 3  # a request costs 0.0014 to 0.0017 at most
    assert summary.uncounted == summary.completed
    assert journal.spent() == pytest.approx(summary.cost)
    (entry, *_) = journal.entries()
    assert entry.tokens_out is None, "what is not counted is not known"
    (probed,) = probe_models(asked(server, 1).models, Prompt(), journal)
    assert not probed.counts_tokens
    assert probed.cost is None


AZURE = {
    "inner_error": {"code": "ResponsibleAIPolicyViolation", "content_filter_results": {"hate": {"filtered": True}}},
    "code": "content_filter", "message": "The response was filtered due to the prompt triggering Azure OpenAI's "
    "content management policy.", "param": "prompt", "type": None, "status": 400,
}  # fmt: skip
FILTERED: dict[str, tuple[int, dict[str, Any]]] = {
    "azure": (400, {"error": AZURE}),
    "openai": (400, {"error": {"message": "Invalid prompt: your prompt was flagged as potentially violating our usage "
                               "policy.", "type": "invalid_request_error", "code": "invalid_prompt"}}),
    "deepseek": (400, {"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}}),
    "dashscope": (400, {"error": {"code": "data_inspection_failed", "message": "Input data may contain"}}),
    "openrouter": (403, {"error": {"code": 403, "message": "m requires moderation on X. Your input was flagged"}}),
    "within 200": (200, {"choices": [{"error": {"code": "content_filter", "message": "filtered"}}]}),
}  # fmt: skip


@pytest.mark.parametrize("provider", FILTERED)
def test_what_a_filter_stops_is_an_outcome_of_its_row(server: Server, journal: ReplyJournal, provider: str) -> None:
    status, body = FILTERED[provider]
    server.script = lambda asked, seen: Fault(status, whole=body)
    survey = asked(server, 20)
    summary = run(survey, journal)
    assert (summary.completed, summary.failed, summary.stop_reason) == (20, 0, None)
    assert set(annotation_table(survey, journal)["status"]) == {"filtered"}
    assert sum(server.sent.values()) == 20, "none is asked for twice"


def test_an_answer_as_a_call_of_a_tool_is_one(server: Server, journal: ReplyJournal) -> None:
    answer = json.dumps({trait: {"score": 2, "description": "plain"} for trait in TRAITS})
    call = {"id": "call_1", "type": "function", "function": {"name": "json", "arguments": answer}}
    server.script = lambda body, seen: Fault(content={"content": None, "tool_calls": [call]}, finish="tool_calls")
    survey = asked(server, 3)
    assert run(survey, journal).repaired == 0
    assert set(annotation_table(survey, journal)["score"]) == {2.0}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(content="<think>Let me see", finish="length"), "raise max_tokens"),
        (Fault(content={"content": None, "refusal": "I can't rate real people."}), "it declines (I can't rate"),
        (Fault(content="", finish="content_filter"), "filter withheld it"),
        (Fault(content="high, I would say"), "not the JSON asked for (high, I would say)"),
        (Fault(content=json.dumps({trait: {"score": 7} for trait in TRAITS})), "none of those listed"),
    ],
)
def test_a_probe_says_why_an_answer_cannot_be_scored(
    server: Server, journal: ReplyJournal, fault: Fault, says: str
) -> None:
    server.script = lambda body, seen: fault
    (probed,) = probe_models(asked(server, 1).models, Prompt(), journal)
    assert not probed.readable
    assert says in str(probed.unreadable_reason)


STOPPED = """
import json, sys
from pathlib import Path
from personax.cli.signals import signals_raise, stop_code
from personax.traits.llms import Model, Prompt, ReplyJournal, Survey, annotate
url, path = sys.argv[1:]
people = [{"id": f"p{i}", "biography": f"She has won {i} prizes."} for i in range(300)]
model = Model(name="one", model="one-large", base_url=url, concurrency=4)
try:
    with signals_raise(), ReplyJournal(Path(path)) as journal:
        annotate(Survey(people, [model], Prompt(fields=["biography"])), journal)
except KeyboardInterrupt:
    print(stop_code("kept"), flush=True)
    sys.exit(130)
"""


@pytest.mark.slow
@pytest.mark.parametrize("at", [4, 9, 14, 23])
def test_ctrl_c_keeps_what_is_under_way_and_shows_no_traceback(server: Server, tmp_path: Path, at: int) -> None:
    server.script = lambda body, seen: Fault(delay=0.3)
    command = [sys.executable, "-c", STOPPED, server.url, str(tmp_path / "journal.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while sum(server.sent.values()) < at and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "")
    assert "stopped by Ctrl-C" in said
    with ReplyJournal(tmp_path / "journal.sqlite") as kept:
        assert sum(1 for _ in kept.entries()) == sum(server.sent.values()), "whatever was sent is paid for, and kept"


@pytest.mark.parametrize(("missing", "requests"), [(96, 528), (1, 3), (2, 3), (1, 999_999), (500, 500)])
def test_the_share_that_is_proposed_accepts_what_is_missing(missing: int, requests: int) -> None:
    assert missing <= rounded_up(missing / requests) * requests <= missing + requests / 1000
