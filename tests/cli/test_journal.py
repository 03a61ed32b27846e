"""personax journal: counted, shown, forgotten for good, dropped, written out, copied."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Body, Server, serving

from personax.cli import app
from personax.schema import TRAITS
from personax.study import Study
from personax.traits.llms import JournalEntry, Model, Prompt, ReplyJournal, Survey
from personax.traits.llms._batch_journal import BatchRequest, BatchStore
from personax.traits.llms._requests import iter_requests

runner = CliRunner()


def mind(body: Body, key: str) -> str:
    system, user = (message["content"] for message in body["messages"][:2])
    if system.startswith("You classify a reply"):
        return json.dumps(dict.fromkeys(TRAITS, "fine"))
    word = "telltale" if "Ann 1\n" in user else "plain"
    return json.dumps({trait: {"description": word, "score": 2} for trait in TRAITS})


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        running.mind = mind
        yield running


@pytest.fixture
def study(tmp_path: Path, server: Server) -> Path:
    rows = "".join(f"p{i},Ann {i},She has won {i} prizes.\n" for i in range(4))
    (tmp_path / "people.csv").write_text("id,name,biography\n" + rows, encoding="utf-8")
    models = "".join(
        f"    - {{name: {name}, model: {name}-x, base_url: {server.url}, input_price: 1, output_price: 2}}\n"
        for name in ("one", "two")
    )
    path = tmp_path / "study.yaml"
    text = "name: kept\ncollect: {source: table, path: people.csv}\nannotate:\n  source: llm\n"
    path.write_text(f"{text}  judge: one\n  models:\n{models}", encoding="utf-8")
    Study.load(path).run(["annotate"])
    return path


def journal(*words: str | Path) -> Result:
    return runner.invoke(app, ["journal", *map(str, words)])


def test_a_journal_is_counted_and_a_person_shown(study: Path) -> None:
    found = {one["model"]: one for one in json.loads(journal("list", study, "--json").stdout)}
    assert (found["two"]["replies"], found["two"]["people"], found["two"]["failures"]) == (4, 4, 0)
    assert found["two"]["cost"] > 0
    assert "tokens" in journal("list", study).stdout
    said = journal("show", study, "p1")
    assert said.stdout.count("telltale") == 2 * len(TRAITS)
    assert "Ann 1" in journal("show", study, "p1", "--asked").stdout
    assert "=== data" not in said.stdout
    assert "holds nothing of p9" in journal("show", study, "p9").stdout


def test_a_person_who_is_forgotten_is_not_in_the_file(study: Path) -> None:
    path = study.parent / "traits" / "journal.sqlite"
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT text FROM said_loose JOIN replies USING (id) WHERE person = 'p1'"
        replies = [reply for (reply,) in database.execute(query)]

    def held(reply: bytes) -> bool:
        return any(reply in file.read_bytes() for file in path.parent.glob("journal.sqlite*"))

    assert len(replies) == 2
    assert all(held(reply) for reply in replies)
    done = journal("forget", study, "p1")
    assert "2 replies about p1 were removed" in done.stdout
    assert not any(held(reply) for reply in replies)
    with ReplyJournal(path) as opened:
        assert "p1" not in {entry.person for entry in opened.entries()}
        left = sum(entry.model == "two" for entry in opened.entries())
    assert left == 3, "others stay"
    assert "0 replies" in journal("forget", study, "p1").stdout


def test_versions_that_audits_made_of_a_person_are_forgotten_with_it(study: Path) -> None:
    path = study.parent / "traits" / "journal.sqlite"
    names = ["p1\x1fgrade inflation", "p1\x1fB", "p10", "p2\x1fB"]
    with ReplyJournal(path) as opened:
        opened.add(JournalEntry(name, "two", "q", name, 0, 0, {"content": "{}"}, 0.1) for name in names)
        opened.fail("k", "two", "p1\x1fC", "status 500")
    assert journal("show", study, "p1").stdout.count("two, q") == 2
    assert "4 replies about p1 were removed" in journal("forget", study, "p1").stdout
    with ReplyJournal(path) as opened:
        left = {entry.person for entry in opened.entries()}
        assert opened.failed("k") is None
    assert {"p10", "p2\x1fB"} <= left
    assert not [name for name in left if name.startswith("p1\x1f")]


def test_a_model_that_is_dropped_is_asked_again(study: Path, server: Server) -> None:
    sent = sum(server.sent.values())
    assert "4 replies of two were removed" in journal("drop", study, "two").stdout
    Study.load(study).run(["annotate"], force=True)
    assert sum(server.sent.values()) == sent + 4
    wrong = journal("drop", study, "three")
    assert "it knows one, two" in str(wrong.exception)


def test_what_lies_in_an_open_batch_is_not_removed(study: Path) -> None:
    model = Model(name="two", model="two-x", base_url="http://127.0.0.1:9/v1", batch=True)
    people = [{"id": "p1", "name": "Ann 1", "biography": "Another one."}]
    with ReplyJournal(study.parent / "traits" / "journal.sqlite") as opened:
        parts = [
            BatchRequest(one.key, "p", one.person, 0, 0)
            for one in iter_requests(Survey(people, [model], Prompt()), model)
        ]
        BatchStore(opened, model).plan(parts, {part.key: 0.0 for part in parts})
    assert "lie in an open batch" in str(journal("forget", study, "p1").exception)
    assert "a batch is open" in str(journal("drop", study, "two").exception)


def test_it_is_written_out_and_copied_for_its_owner_alone(study: Path, tmp_path: Path) -> None:
    out, copy = tmp_path / "replies.jsonl", tmp_path / "copy.sqlite"
    assert journal("export", study, out).exit_code == 0
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {line["model"] for line in lines} == {"one", "two"}
    assert journal("backup", study, copy).exit_code == 0
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT count(*) FROM replies").fetchone()[0] == len(lines)
    assert {file.stat().st_mode & 0o077 for file in (out, copy)} == {0}
    assert "is there already" in str(journal("backup", study, copy).exception)


def test_without_a_journal_there_is_one_sentence(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["a"], "x": [1]}).write_csv(tmp_path / "people.csv")
    (tmp_path / "study.yaml").write_text("name: none\ncollect: {source: table, path: people.csv}\n", encoding="utf-8")
    assert "there is no journal" in str(journal("list", tmp_path / "study.yaml").exception)
