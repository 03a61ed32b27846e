"""Choosing models and formats, and the stereotype audit: on invented models whose virtues and vices are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.invented_models import FACTS, Minds
from tests.traits.llms.llm_server import Server, serving

from personax.cli import app
from personax.errors import PlanError
from personax.study import Study

runner = CliRunner()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(mind=Minds())) as running:
        yield running


def study(folder: Path, server: Server, more: str = "", names: bool = True) -> Path:
    folder.mkdir(exist_ok=True)
    lines = ["id,name,league,birth_year,nationality,biography"]
    for i in range(40):
        name = f"Ann {i}" if names else ""
        year, country, league = (FACTS[fact](i) for fact in ("birth_year", "nationality", "league"))
        lines.append(f"p{i},{name},{league},{year},{country},She won {i} prizes.")
    (folder / "people.csv").write_text("\n".join(lines), encoding="utf-8")
    models = "".join(
        f"    - {{name: {name}, model: {name}-x, base_url: {server.url},"
        f" input_price: {price}, output_price: {price}}}\n"
        for name, price in (("careful", 3), ("eager", 1), ("clumsy", 2))
    )
    (folder / "study.yaml").write_text(
        "name: choosing\ncollect: {source: table, path: people.csv}\n"
        f"annotate:\n  source: llm\n{more}  models:\n{models}",
        encoding="utf-8",
    )
    return folder / "study.yaml"


def test_select_sees_the_virtues_and_vices_that_were_put_in(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server)
    done = runner.invoke(app, ["traits", "select", str(path), "--people", "30", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    score = {(row["model"], row["dimension"]): row["score"] for row in told["scores"]}
    assert {score[model, "answered"] for model in ("careful", "eager", "clumsy")} == {1.0}
    assert (score["careful", "privacy"], score["eager", "privacy"]) == (1.0, 0.0)
    assert (score["careful", "format"], score["clumsy", "format"]) == (1.0, 0.0)
    assert score["careful", "consistency"] == 1.0
    assert score["eager", "consistency"] == pytest.approx(1 / 3, abs=0.12)
    assert score["clumsy", "decided"] == pytest.approx(0.75, abs=0.1)
    assert score["careful", "facts"] == pytest.approx(0.95, abs=0.06)
    assert score["eager", "facts"] == pytest.approx(0.5, abs=0.15)
    times = [score[model, "time"] for model in ("careful", "eager", "clumsy")]
    assert max(times) == 1.0
    assert min(times) > 0
    assert score["eager", "cost"] == 1.0
    assert score["careful", "cost"] == pytest.approx(1 / 3, abs=0.02)
    assert all(row["low"] <= row["score"] <= row["high"] for row in told["scores"])
    ranking = {row["model"]: row for row in told["overall"]}
    assert ranking["careful"]["rank"] == 1
    assert sum(row["first_share"] for row in told["overall"]) == pytest.approx(1.0, abs=0.01)
    for name in ("scores.csv", "overall.csv", "radar.svg", "radar.png"):
        assert (tmp_path / "s" / "traits" / "select" / name).stat().st_size > 100
    asked = sum(server.sent.values())
    again = runner.invoke(app, ["traits", "select", str(path), "--people", "30", "--weights", "cost=1"])
    assert again.exit_code == 0, again.output
    cheapest = pl.read_csv(tmp_path / "s" / "traits" / "select" / "overall.csv")
    assert cheapest["model"].to_list() == ["eager", "clumsy", "careful"], "in the order of prices when only cost counts"
    assert sum(server.sent.values()) == asked, "what was asked is not asked again"


def test_select_leaves_out_what_cannot_be_asked(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server, more="  prompt: {fields: [biography]}\n", names=False)
    done = runner.invoke(app, ["traits", "select", str(path), "--people", "10", "--models", "careful,eager"])
    assert done.exit_code == 0, done.output
    assert "facts and privacy are not measured" in done.stderr
    assert "privacy: not measured for 2 of 2 models" in done.stdout
    assert not any("answer questions" in body["messages"][0]["content"] for body in server.bodies)


def test_a_dry_run_and_bad_settings_ask_nothing(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server)
    dry = runner.invoke(app, ["traits", "select", str(path), "--people", "10", "--dry-run", "--json"])
    left = {row["model"]: row["left"] for row in json.loads(dry.stdout)}
    assert left == dict.fromkeys(("careful", "eager", "clumsy"), 10 * (2 + 1 + 1 + 4))
    assert server.bodies == []
    for more, said in (
        (["--models", "carefull"], "did you mean careful"),
        (["--facts", "birthyear"], "birth_year"),
        (["--weights", "speed=1"], "no dimension speed"),
        (["--weights", "cost"], "is not dimension=number"),
    ):
        bad = runner.invoke(app, ["traits", "select", str(path), "--people", "4", *more], catch_exceptions=True)
        assert bad.exit_code != 0
        assert said in str(bad.exception)


def test_calibrate_prefers_the_format_that_varies_least(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server)
    done = runner.invoke(app, ["traits", "calibrate", str(path), "--people", "20", "--models", "careful", "--json"])
    assert done.exit_code == 0, done.output
    formats = pl.DataFrame(json.loads(done.stdout)["formats"])
    assert formats.height == 8
    assert (formats["repeats"] == 0).all()
    assert (formats["orders"] == 0).all(), "a careful model is not moved by the order of levels"
    assert (formats["scales"] > 0).all()
    shaky = runner.invoke(app, ["traits", "calibrate", str(path), "--people", "20", "--models", "eager"])
    assert "varies least" in shaky.stdout
    table = pl.read_csv(tmp_path / "s" / "traits" / "calibrate" / "formats.csv")
    # two independent uniform levels of three: 4/9 apart on [0, 1]; of five: 0.4
    three = table.filter(pl.col("format").str.contains("-3-"))["repeats"].mean()
    assert three == pytest.approx(4 / 9, abs=0.05)
    assert (tmp_path / "s" / "traits" / "calibrate" / "recommended.txt").read_text(encoding="utf-8").strip()


def test_the_audit_finds_the_stereotype_that_was_put_in_and_no_other(tmp_path: Path, server: Server) -> None:
    more = "  audit: {fields: [league, nationality], people: 25, values: 3}\n"
    path = study(tmp_path / "s", server, more=more)
    dry = runner.invoke(app, ["annotate", str(path), "--dry-run", "--json"])
    left = json.loads(dry.stdout)[0]["left"]
    Study.load(path).run(["annotate"])
    found = json.loads((tmp_path / "s" / "traits" / "stereotypes.json").read_text(encoding="utf-8"))
    assert left == sum("careful" in body["model"] for body in server.bodies), "the estimate counts the audit"
    effect = {(row["field"], row["value"], row["trait"]): row for row in found["fields"]}
    biased = effect["league", "L0", "extraversion"]
    assert biased["effect"]["low"] > 0
    assert biased["models"]["careful"] == 0
    assert biased["models"]["clumsy"] == 0
    assert biased["models"]["eager"] > 0.6
    assert biased["named"]["low"] > 0
    assert {row["models"]["careful"] for row in found["fields"]} == {0.0}
    assert found["people"] == 25
    away = found["chance"]
    assert away["intervals"] == len(found["fields"])
    assert away["found"] >= 2, "of L0, and of L1 the other way"
    known = {row["model"]: row["known_by_name"]["value"] for row in found["fame"]}
    assert known["careful"] == 1.0
    for body in server.bodies:
        if "league: L" in body["messages"][1]["content"]:
            assert "Ann" not in body["messages"][1]["content"], "names are hidden in the audit"
    data = {re_id for re_id in pl.read_parquet(tmp_path / "s" / "traits" / "traits.parquet")["id"]}
    assert data == {f"p{i}" for i in range(40)}, "no invented version is a person of the study"


def test_an_audit_of_a_field_that_nobody_has_is_refused(tmp_path: Path, server: Server) -> None:
    path = study(tmp_path / "s", server, more="  audit: {fields: [leage]}\n")
    with pytest.raises(PlanError, match="did you mean league"):
        Study.load(path).run(["annotate"])
