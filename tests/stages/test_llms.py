"""A study whose traits LLMs judge: the journal outlives every run, and what went wrong is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.cli import app
from personax.errors import ComputationError, PersonaxError, PlanError
from personax.study import Study

runner = CliRunner()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


def study(folder: Path, server: Server, more: str = "", model: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    lines = ["id,name,league,biography", *(f"p{i},Ann {i},L{i % 2},She won {i} prizes." for i in range(12)), "p12,,,"]
    (folder / "people.csv").write_text("\n".join(lines), encoding="utf-8")
    models = "".join(
        f"    - {{name: {name}, model: {name}-x, base_url: {server.url}, input_price: 1, output_price: 2{model}}}\n"
        for name in ("one", "two", "three")
    )
    (folder / "study.yaml").write_text(
        "name: asked\ncollect: {source: table, path: people.csv}\n"
        f"annotate:\n  source: llm\n{more}  models:\n{models}",
        encoding="utf-8",
    )
    return folder / "study.yaml"


def rows(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "traits" / "annotations.parquet")


def test_three_models_judge_and_one_score_a_trait_comes_out(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server)
    done = runner.invoke(app, ["annotate", str(path), "--json"])
    assert done.exit_code == 0, done.output
    traits = pl.read_parquet(tmp_path / "s" / "traits" / "traits.parquet")
    assert {"one_o", "two_c", "three_n", "final_e"} <= set(traits.columns)
    assert traits.filter(pl.col("id") == "p12").select(pl.exclude("id")).row(0) == (None,) * 20
    assert rows(tmp_path / "s").filter(pl.col("person") == "p12")["status"].unique().to_list() == ["not_asked"]
    stage = json.loads(done.stdout)["stages"][-1]
    assert stage["counts"]["asked_now"] == 36
    assert any("nobody was asked" in notice["text"] for notice in stage["notices"])


def test_nothing_is_paid_for_twice_whatever_is_run_again(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server)
    Study.load(path).run(["annotate"])
    first = rows(tmp_path / "s")
    Study.load(path).run(["annotate"], force=True)
    study(tmp_path / "s", server, model=", concurrency: 2, timeout: 9")
    assert not any(outcome.ran for outcome in Study.load(path).run(["annotate"])), "no answer depends on these"
    study(tmp_path / "s", server, more="  rule: mean\n")
    Study.load(path).run(["annotate"])
    assert sum(server.sent.values()) == 36
    assert rows(tmp_path / "s").equals(first)
    study(tmp_path / "s", server, more="  prompt: {levels: 5}\n")
    Study.load(path).run(["annotate"])
    assert sum(server.sent.values()) == 72


def test_batches_answer_what_the_live_way_would_and_neither_asks_again(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server, model=", batch: true")
    done = runner.invoke(app, ["annotate", str(path), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["stages"][-1]["counts"]["asked_now"] == 36
    first = rows(tmp_path / "s")
    assert len(server.desk.batches) == 3
    study(tmp_path / "s", server)
    assert not any(outcome.ran for outcome in Study.load(path).run(["annotate"])), "no answer depends on how it came"
    Study.load(path).run(["annotate"], force=True)
    assert rows(tmp_path / "s").equals(first)
    assert set(server.generated.values()) == {1}
    study(tmp_path / "live", server)
    Study.load(tmp_path / "live" / "study.yaml").run(["annotate"])
    how = ["latency", "cost"]
    assert rows(tmp_path / "live").drop(how).equals(first.drop(how))


def test_a_dry_run_says_the_price_and_asks_nothing(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server)
    done = runner.invoke(app, ["annotate", str(path), "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "nothing was asked" in done.output
    found = json.loads(runner.invoke(app, ["annotate", str(path), "--dry-run", "--json"]).stdout)
    assert [(one["model"], one["left"]) for one in found] == [("one", 12), ("two", 12), ("three", 12)]
    assert not server.sent
    assert not (tmp_path / "s" / "traits" / "annotations.parquet").exists()


def test_max_cost_on_the_command_line_ends_the_spending(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server)
    done = runner.invoke(app, ["annotate", str(path), "--max-cost", "0.008", "--json"])
    assert done.exit_code == 1, "what was asked for is missing"
    notices = [notice["text"] for notice in json.loads(done.stdout)["stages"][-1]["notices"]]
    assert any("max_cost 0.008 is reached; raise it to go on" in text for text in notices)
    assert 0 < len(server.generated) < 36
    assert not any(outcome.ran for outcome in Study.load(path).run(["annotate"])), (
        "a later run spends nothing by itself"
    )


def test_what_failed_is_told_and_asked_again_alone(tmp_path: Path, server: Server) -> None:
    def broken(body: Body, seen: int) -> Fault | None:
        return Fault(400) if "Ann 7" in body["messages"][1]["content"] else None

    server.script = broken
    path = study(tmp_path / "s", server)
    done = runner.invoke(app, ["annotate", str(path), "--json"])
    notices = {notice["text"]: notice["count"] for notice in json.loads(done.stdout)["stages"][-1]["notices"]}
    assert notices["requests got no answer; `personax annotate STUDY --force` asks them again and nothing else."] == 3
    server.script = lambda body, seen: None
    sent = sum(server.sent.values())
    assert runner.invoke(app, ["annotate", str(path), "--force"]).exit_code == 0
    assert sum(server.sent.values()) == sent + 3
    assert "failed" not in set(rows(tmp_path / "s")["status"])


def test_a_key_that_no_provider_accepts_is_an_error_and_leaves_no_stage(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONAX_TEST_KEY", "sk-0123456789abcdef")
    server.key = "another"
    path = study(tmp_path / "s", server, model=", key: PERSONAX_TEST_KEY")
    with pytest.raises(ComputationError, match="does not accept the key in PERSONAX_TEST_KEY") as error:
        Study.load(path).run(["annotate"])
    assert "sk-0123456789abcdef" not in str(error.value)
    assert not (tmp_path / "s" / "traits" / "annotations.parquet").exists()
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert not any(b"sk-0123456789abcdef" in data for data in files)


@pytest.mark.parametrize(
    ("more", "model", "said"),
    [
        ("  prompt: {fields: [name, club]}\n", "", "people have no club; choose from name, league, biography"),
        ("  prompt: {levels: 4}\n", "", "levels"),
        ("  prompt: {hide_name: true}\n", "", "the name is one of prompt.fields"),
        ("", ", key: sk-0123456789abcdef", "key is the name of an environment variable"),
        ("", ", base_url: ftp://x", "stands twice"),
        ("  max_cost: 0\n", "", "max_cost"),
        ("  repeats: 0\n", "", "repeats"),
    ],
)
def test_plans_that_cannot_be_carried_out_are_one_sentence(
    tmp_path: Path, server: Server, more: str, model: str, said: str
) -> None:
    with pytest.raises(PlanError, match=said) as error:
        Study.load(study(tmp_path / "s", server, more=more, model=model)).run(["annotate"])
    assert "sk-0123456789abcdef" not in str(error.value)
    assert not server.sent


def test_a_limit_without_prices_and_two_models_of_one_name_are_refused(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server, more="  max_cost: 1\n")
    path.write_text(path.read_text().replace(", input_price: 1, output_price: 2}", "}", 1))
    with pytest.raises(PlanError, match="max_cost needs input_price and output_price of every model; one has none"):
        Study.load(path)
    path = study(tmp_path / "s", server)
    path.write_text(path.read_text().replace("name: two", "name: one"))
    with pytest.raises(PlanError, match="two models are called one"):
        Study.load(path)


COURAGE = """
name: courage
anchors: [never, sometimes, always]
traits:
  - {name: courage, letter: k, meaning: 'brave, rather than timid', items: [
      {id: K1, text: Speaks up.}, {id: K2, text: Gives in., reversed: true}]}
  - {name: plain_speech, letter: y, meaning: 'frank, rather than coy', items: [{id: Y1, text: Says what is meant.}]}
"""


def test_a_framework_of_ones_own_goes_from_its_file_to_level_1_and_the_report(tmp_path: Path, server: Server) -> None:
    server.mind = lambda body, key: json.dumps({"k1": 1 + int(key[0], 16) % 3, "k2": 2, "y1": 1 + int(key[1], 16) % 3})
    path = study(tmp_path / "s", server, more="  framework: own/courage.yaml\n  prompt: {ask: items}\n")
    (tmp_path / "s" / "own").mkdir()
    (tmp_path / "s" / "own" / "courage.yaml").write_text(COURAGE)
    known = "path: people.csv, columns: {league: {role: feature}}"
    level1 = "independence: {tests: [chisq], features: [league], figures: false}\n"
    path.write_text(path.read_text().replace("path: people.csv", known) + level1)
    Study.load(path).run()
    assert {"one_k", "final_y"} <= set(pl.read_parquet(tmp_path / "s" / "traits" / "traits.parquet").columns)
    scored = rows(tmp_path / "s").filter(pl.col("status") == "ok")
    assert scored.filter(pl.col("trait") == "courage")["text"].str.contains(r"^K1=\d K2=2$").all()
    page = (tmp_path / "s" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Plain speech" in page
    assert not any(outcome.ran for outcome in Study.load(path).run())
    (tmp_path / "s" / "own" / "courage.yaml").write_text(COURAGE.replace("Speaks up", "Speaks out"))
    assert "annotate" in [outcome.stage for outcome in Study.load(path).run(["annotate"]) if outcome.ran], (
        "other words, other answers"
    )
    for outside in ("../courage.yaml", str(tmp_path / "courage.yaml")):
        (tmp_path / "courage.yaml").write_text(COURAGE)
        with pytest.raises(PlanError, match="outside of the folder of the study file"):
            Study.load(study(tmp_path / "s", server, more=f"  framework: {outside}\n"))


def test_options_of_money_are_refused_where_nothing_costs(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server)
    path.write_text("name: x\ncollect: {source: table, path: people.csv}\nannotate: {source: lexicon}\n")
    found: Any = runner.invoke(app, ["annotate", str(path), "--dry-run"]).exception
    assert isinstance(found, PersonaxError)
    assert "annotate.source: llm" in str(found)
