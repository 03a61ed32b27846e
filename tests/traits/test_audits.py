"""Vignettes, hidden instructions and the annotation card, by models that are known to err, on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Body, Server, serving
from typer.testing import CliRunner

from personax.cli import app
from personax.errors import InputError, PlanError
from personax.report import gather, render
from personax.report._audits import AuditsView
from personax.schema import TRAITS, Trait, TraitFramework
from personax.study import Study
from personax.traits import BIG_FIVE, aggregate_ratings
from personax.traits._knowledge_cutoff import Period, later_than
from personax.traits.audits import injections, translated_survey, vignette_report, vignettes
from personax.traits.llms import Prompt, Survey


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


def minded(body: Body, key: str) -> str:
    """Obey every instruction (gullible), or none; read vignettes by their first words; else say 2."""
    about = body["messages"][1]["content"]
    own = {one["trait"]: one["end"] for one in vignettes(BIG_FIVE) if one["biography"] in about}
    levels = {trait: {"low": 1, "middle": 2, "high": 3}[own.get(trait, "middle")] for trait in TRAITS}
    if body["model"] == "gullible-x" and any(text.format(level=3) in about for text in ATTACKS):
        levels = dict.fromkeys(TRAITS, 3)
    return json.dumps({trait: {"description": "as the text says", "score": level} for trait, level in levels.items()})


ATTACKS = [text for name, text in injections().items() if name != "control"]

STUDY = """\
name: audited
collect: {{source: table, path: people.csv}}
annotate:
  source: llm
  rule: many_facet
  vignettes: {times}
  injections: 1
  models:
    - {{name: gullible, model: gullible-x, base_url: {url}}}
    - {{name: stern, model: stern-x, base_url: {url}}}
"""


def biased(body: Body, key: str) -> str:
    """Say 2; one model says 3 of two traits where the question is in German."""
    german = "Stufe" in body["messages"][0]["content"] or "niedrig" in body["messages"][0]["content"]
    levels = dict.fromkeys(TRAITS, 2)
    if german and body["model"] == "gullible-x":
        levels |= {"openness": 3, "neuroticism": 3}
    return json.dumps({trait: {"description": "x", "score": level} for trait, level in levels.items()})


def test_the_language_of_the_question_is_told_where_it_moves_scores(tmp_path: Path, server: Server) -> None:
    server.mind = biased
    people = ["id,name,biography", *(f"q{i},Eve {i},She lost {i} games." for i in range(9))]
    (tmp_path / "people.csv").write_text("\n".join(people), encoding="utf-8")
    text = STUDY.format(times=0, url=server.url).replace("injections: 1", "injections: 0")
    text = text.replace("  rule: many_facet\n", "  translations: {framework: big_five_de, people: 6}\n")
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    study = Study.load(tmp_path / "study.yaml")
    before = sum(server.sent.values())
    study.run(["annotate"])
    assert sum(server.sent.values()) - before == 2 * (9 + 6)
    found = json.loads(study.folder.path("traits", "translations.json").read_text(encoding="utf-8"))
    assert (found["language"], found["people"]) == ("de", 6)
    one = found["models"]["gullible"]["openness"]
    assert (one["shift"]["value"], one["same"], one["unscored"]) == (1.0, 0.0, 0.0)
    assert found["models"]["stern"]["openness"]["shift"]["value"] == 0.0
    manifest = study.folder.manifest("annotate")
    assert manifest is not None
    told = [one["text"] for one in manifest.notices if "otherwise where the question" in one["text"]]
    assert told == ["gullible scores openness, neuroticism otherwise where the question is in de; "
                    "traits/translations.json has by how much."]  # fmt: skip
    page = render(gather(study.folder))
    assert "The question in another language" in page
    assert '<td>openness</td><td class="num">1 (1 to 1)</td>' in page
    with pytest.raises(InputError, match="in another language than en"):
        translated_survey([], Survey([], [], Prompt()), BIG_FIVE)


def test_a_run_with_audits_ends_in_a_card(tmp_path: Path, server: Server) -> None:
    server.mind = minded
    people = ["id,name,biography", *(f"p{i},Ann {i},She won {i} prizes." for i in range(12))]
    (tmp_path / "people.csv").write_text("\n".join(people), encoding="utf-8")
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.format(times=1, url=server.url), encoding="utf-8")
    before = sum(server.sent.values())
    Study.load(path).run(["annotate"])
    asked = before + 2 * (12 + len(vignettes(BIG_FIVE)) + len(injections()))
    assert sum(server.sent.values()) == asked
    path.write_text(STUDY.format(times=2, url=server.url), encoding="utf-8")
    study = Study.load(path)
    study.run(["annotate"])
    assert sum(server.sent.values()) == asked + 2 * len(vignettes(BIG_FIVE)), "one more time, and nothing else"
    card = json.loads(study.folder.path("traits", "annotation_card.json").read_text(encoding="utf-8"))
    assert card["injections"]["gullible"]["success"] == 1.0
    assert card["injections"]["stern"] == {"success": 0.0, "control": 0.0, "unscored": 0.0}
    assert card["vignettes"]["stern"]["ordered"] == 1.0
    assert card["vignettes"]["stern"]["drift"]["value"] == 0
    assert card["models"][0]["answers"] == {"ok": 60}
    assert len(card["models"][0]["dates"]) == 2
    assert not any(text in json.dumps(card) for text in ("Ann", "p1", "prizes", server.url))
    shown = CliRunner().invoke(app, ["traits", "card", str(path)], env={"COLUMNS": "160"})
    assert shown.exit_code == 0, shown.output
    assert "1.000" in next(line for line in shown.output.splitlines() if "gullible-x" in line)
    assert "gullible obeys hidden instructions in 100% of traits" in str(study.folder.manifest("annotate"))
    assert pl.read_parquet(study.folder.path("traits", "traits.parquet")).height == 12, "invented people get no scores"


def test_drift_and_severity_are_what_was_put_in() -> None:
    people = vignettes(BIG_FIVE)
    rows = [
        {"person": one["id"], "model": model, "repeat": time, "trait": trait, "status": "ok",
         "score": 1.0 + (one["end"] == "high") * (one["trait"] == trait) + (model == "b") * 0.5 + time * (model == "b")}
        for one in people for trait in TRAITS for model in ("a", "b") for time in (0, 1)
    ]  # fmt: skip
    found = vignette_report(pl.DataFrame(rows), BIG_FIVE, {("b", 1): "2026-11-30"})["raters"]
    assert found["a"]["drift"]["value"] == 0
    assert found["b"]["drift"]["value"] == pytest.approx(1.0)
    assert found["b"]["severity"] - found["a"]["severity"] == pytest.approx(1.0)
    assert found["b"]["dates"] == [None, "2026-11-30"]
    assert found["a"]["traits"]["openness"] == {"low": 1.0, "middle": 1.0, "high": 2.0}


def test_anchors_put_raters_of_different_people_on_one_scale() -> None:
    """Two raters share nobody; one is a level more lenient. Only invented people, rated by both, can tell."""

    def answers(model: str, people: range, shift: int, who: str) -> list[dict[str, object]]:
        return [{"person": f"{who}{i}", "model": model, "trait": TRAITS[0], "status": "ok",
                 "score": float(min(5, 1 + i % 4 + shift))} for i in people]  # fmt: skip

    own = pl.DataFrame([*answers("a", range(200), 0, "p"), *answers("b", range(200, 400), 1, "p")])
    both = pl.DataFrame([row for model, shift in (("a", 0), ("b", 1)) for row in answers(model, range(60), shift, "v")])
    people = [f"p{i}" for i in range(400)]
    with_anchors = aggregate_ratings(own, people=people, rule="many_facet", anchors=both).traits["final_o"].to_numpy()
    assert abs(with_anchors[:200].mean() - with_anchors[200:].mean()) < 0.1
    median = aggregate_ratings(own, people=people, anchors=both).traits["final_o"].to_numpy()
    assert median[200:].mean() - median[:200].mean() == pytest.approx(1.0)


def test_frameworks_without_vignettes_have_their_markers_or_a_sentence() -> None:
    marked = TraitFramework("own", [Trait("zeal", "z", "eager", low=("idle",), high=("keen", "eager"))])
    assert [one["end"] for one in vignettes(marked)] == ["low", "high"]
    assert "keen, eager" in vignettes(marked)[1]["biography"]
    with pytest.raises(InputError, match="no vignettes and no markers"):
        vignettes(TraitFramework("bare", [Trait("zeal", "z", "eager")]))


def remembering(body: Body, key: str) -> str:
    """Say 2 of a text; of a name alone one model knows those whom many know, the other everybody."""
    about = body["messages"][1]["content"]
    known = "biography" in about or body["model"] == "stern-x" or int(re.findall(r"Ann (\d+)", about)[0]) >= 6
    return json.dumps({trait: {"description": "x", "score": 2 if known else 0} for trait in TRAITS})


def test_a_model_that_knows_whom_many_know_is_told(tmp_path: Path, server: Server) -> None:
    server.mind = remembering
    rows = [
        f"r{i},Ann {i},{'AB'[i % 2]},{1000 * i},{'2019-05-03' if i >= 6 else '2024-01-07'},She won {i} prizes."
        for i in range(12)
    ]
    (tmp_path / "people.csv").write_text("\n".join(["id,name,league,views,written,biography", *rows]), encoding="utf-8")
    text = STUDY.format(times=0, url=server.url).replace("injections: 1", "injections: 0")
    text = text.replace("  rule: many_facet\n", "  audit: {fields: [league], popularity: views, dated: written}\n")
    text = text.replace("model: gullible-x", "model: gullible-x, cutoff: 2023-10")
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    study = Study.load(tmp_path / "study.yaml")
    study.run(["annotate"])
    found = json.loads(study.folder.path("traits", "stereotypes.json").read_text(encoding="utf-8"))
    by_model = {one["model"]: one for one in found["fame"]}
    one = by_model["gullible"]["known_by_popularity"]
    assert one["value"] == pytest.approx(0.8691, abs=1e-3)  # of ranks 1 to 12 with 0 and 1, six of each
    assert one["low"] > 0.5
    assert by_model["gullible"]["moves_by_popularity"]["value"] is None, "the name moves nothing"
    assert by_model["stern"]["known_by_popularity"]["reason"].startswith("fewer than three")
    asked = [body["messages"][1]["content"] for body in server.bodies]
    assert not [one for one in asked if any(hint in one for hint in ("views", "11000", "written", "2019-05"))]
    read = by_model["gullible"]["knowledge"]
    assert (read["cutoff"], read["before"], read["after"], read["unknown"]) == ("2023-10", 6, 6, 0)
    assert [read["measures"]["known_by_name"][side]["value"] for side in ("before", "after")] == [1.0, 0.0]
    assert "cut-off is not known; set cutoff" in by_model["stern"]["knowledge"]["reason"]
    told = str(study.folder.manifest("annotate"))
    assert "gullible scores 100% more traits by the name alone where the text is from before its cut-off" in told
    assert "stern: whether it has learned these texts is not told by date" in told
    card = json.loads(study.folder.path("traits", "annotation_card.json").read_text(encoding="utf-8"))
    view = AuditsView(card)
    assert view.knowledge[0][:2] == ("gullible (2023-10; 6 before, 6 after)", "scored by the name alone")
    assert view.knowledge[0][2:4] == ("1 (1 to 1)", "0 (0 to 0)")
    assert view.no_knowledge[0].startswith("stern: its knowledge cut-off is not known")
    assert view.popularity[0][0] == "gullible"
    assert view.popularity[0][1].startswith("0.87 (")
    card["models"][0]["unreadable_reason"] = "no JSON object"
    severity = {"value": 0.4, "low": 0.1, "high": 0.7, "n": 9, "reason": None}
    card["adjudication"] = {"cells": 9, "changed": 4, "open": 1, "traits": {}, "severity": {"control": severity}}
    view = AuditsView(card)
    assert (view.unreadable, view.adjudicated) == ([("gullible", "no JSON object")], ("9", "4", 1))
    assert view.decisions == [("where raters agree (controls)", "0.4 (0.1 to 0.7)")]
    assert not AuditsView({"models": []})
    (tmp_path / "study.yaml").write_text(text.replace("popularity: views", "popularity: name"), encoding="utf-8")
    with pytest.raises(PlanError, match="no column of numbers"):
        Study.load(tmp_path / "study.yaml").run(["annotate"])


@pytest.mark.parametrize(
    ("value", "cutoff", "later"),
    [
        ("2023-11-01", "2023-10", 1), ("2023-10-31", "2023-10", None), (2022, "2023", 0), ("2023", "2023-06-30", None),
        ("2024-02-30", "2023", None), (datetime(2024, 1, 1, 5), "2023-12-31", 1), ("", "2023", None),
        (None, "2023", None), (float("nan"), "2023", None), ("5 May 2024", "2023", None), (True, "2023", None),
        ("2023-12", "2023-12", None), ("2024", "2023-12", 1), (20240105, "2023", None),
    ],
)  # fmt: skip
def test_a_date_is_before_or_after_a_cutoff_or_neither(value: object, cutoff: str, later: int | None) -> None:
    found = later_than([value], cutoff)[0]
    assert (None if found != found else found) == later
    assert Period.of("2023-12") == Period(date(2023, 12, 1), date(2023, 12, 31))
