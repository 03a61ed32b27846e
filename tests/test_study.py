"""A study walks through its stages, does what is left and no more, and survives being killed at any instant."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image
from tests.processes import start

import personax
from personax.columns import infer_columns
from personax.errors import InputError, PersonaxError, PlanError, StudyError
from personax.files import sha256
from personax.study import Study

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.crl.methods._vae import BetaVAE

TINY = """\
name: tiny
seed: 5
collect: {source: simulate, n: 60, text_dim: 24, image_dim: 16}
annotate: {source: simulate}
embed: {source: simulate}
release: {audit: false}
independence: {tests: [chisq, kci]}
crl: {latents: {text: 2, image: 2}, shared: 1, epochs: 3, method: betavae}
discover: {over: [latents]}
"""
"""Of every stage a little; ``betavae`` because it trains in a tenth of the time of ``default``."""

STAGES = ["collect", "annotate", "embed", "release", "independence", "crl", "discover", "report"]


def write(folder: Path, text: str = TINY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def data_files(folder: Path) -> dict[str, str]:
    """Hash every file a stage wrote, except the manifests, which tell the time."""
    apart = ("manifests", ".staging", ".lock", "run.log", "study.yaml", "keys")
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in files
        if path.relative_to(folder).parts[0] not in apart
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study that ran through once."""
    folder = tmp_path_factory.mktemp("studies") / "whole"
    outcomes = Study.load(write(folder)).run()
    assert [outcome.stage for outcome in outcomes] == STAGES
    assert all(outcome.ran for outcome in outcomes)
    return folder


def copy(whole: Path, to: Path, text: str = TINY) -> Study:
    shutil.copytree(whole, to)
    return Study.load(write(to, text))


def ran(study: Study) -> list[str]:
    return [outcome.stage for outcome in study.run() if outcome.ran]


def test_seeds_of_latents_that_are_done_are_not_fitted_again_after_an_interrupt(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TINY.replace("epochs: 3", "epochs: 2, seeds: 3")
    straight, stopped = copy(whole, tmp_path / "straight", text), copy(whole, tmp_path / "stopped", text)
    straight.run(["crl"])

    class Stopped(BetaVAE):
        fits = 0

        def fit(self, *given: Any, **named: Any) -> Any:
            Stopped.fits += 1
            if Stopped.fits == 3:
                raise KeyboardInterrupt
            return super().fit(*given, **named)

    monkeypatch.setattr("personax.stages._fit_latents.method", lambda _: Stopped())
    with pytest.raises(KeyboardInterrupt):
        stopped.run(["crl"])
    stopped.run(["crl"])
    assert Stopped.fits == 4  # two, the one that was stopped, and that one again
    assert not list((tmp_path / "stopped" / ".staging").glob("*"))
    assert data_files(tmp_path / "stopped") == data_files(tmp_path / "straight")


def test_a_second_run_does_nothing_and_says_why(whole: Path) -> None:
    study = Study.load(whole)
    assert {state.state for state in study.status()} == {"done"}
    outcomes = study.run()
    assert not any(outcome.ran for outcome in outcomes)
    assert {outcome.why for outcome in outcomes} == {"settings, inputs and seed are the same"}


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("alpha: 0.05", "alpha: 0.05", []),
        ("tests: [chisq, kci]", "tests: [chisq]", ["independence", "report"]),
        ("epochs: 3", "epochs: 2", ["crl", "discover", "report"]),
        ("release: {audit: false}", "release: {audit: false, rare_below: 9}", ["release", "report"]),
        ("seed: 5", "seed: 6", STAGES),
        ("n: 60", "n: 61", STAGES),
        ("name: tiny", "name: renamed", ["release", "report"]),
    ],
)
def test_a_changed_setting_runs_that_stage_and_what_follows(
    whole: Path, tmp_path: Path, old: str, new: str, again: list[str]
) -> None:
    study = copy(whole, tmp_path / "copy", TINY.replace(old, new))
    stale = [state.stage for state in study.status() if state.state == "stale"]
    assert set(again[:1]) <= set(stale)
    assert ran(study) == again
    assert ran(study) == []


def test_an_edited_output_is_made_again(whole: Path, tmp_path: Path) -> None:
    study = copy(whole, tmp_path / "copy")
    before = data_files(tmp_path / "copy")
    (tmp_path / "copy" / "analysis" / "independence" / "graph.json").write_text("{}")
    assert ran(study) == ["independence"], "the same bytes again: the report need not follow"
    assert data_files(tmp_path / "copy") == before


def test_the_report_follows_settings_that_change_no_output(whole: Path, tmp_path: Path) -> None:
    study = copy(whole, tmp_path / "copy", TINY.replace("[chisq, kci]", "[chisq, kci], alpha: 0.0499"))
    assert ran(study) == ["independence", "report"]
    assert "0.0499" in study.report.read_text()


def test_embeddings_that_the_plan_no_longer_asks_for_are_not_used(whole: Path, tmp_path: Path) -> None:
    study = copy(whole, tmp_path / "copy", TINY.replace("embed: {source: simulate}\n", ""))
    with pytest.raises(PlanError, match="there is no modality text"):
        study.run()


def test_one_stage_brings_the_ones_it_needs(tmp_path: Path) -> None:
    study = Study.load(write(tmp_path))
    assert [outcome.stage for outcome in study.run(["embed"])] == ["collect", "embed"]
    states = {state.stage: state.state for state in study.status()}
    assert states["embed"] == "done"
    assert states["crl"] == "missing"


def test_a_stage_that_is_not_in_the_plan(tmp_path: Path) -> None:
    study = Study.load(write(tmp_path, "{name: a, collect: {source: simulate, n: 30, images: false}}"))
    assert {state.stage: state.state for state in study.status()}["crl"] == "unasked"
    with pytest.raises(PlanError, match="the plan has no section crl"):
        study.run(["crl"])
    with pytest.raises(PlanError, match=r"there is no stage clr; did you mean crl\?"):
        study.run(["clr"])


def test_the_same_seed_gives_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    write(folder)
    shutil.copytree(whole / "keys", folder / "keys")
    Study.load(folder).run()
    assert data_files(folder) == data_files(whole)


RUN = """
import sys
from personax.cli import main
sys.argv = ["personax", "run", sys.argv[1]]
main()
"""


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_twenty_kills_end_in_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    """``personax run`` is killed with -9 at random instants; running on ends where an unbroken run does."""
    text = TINY.replace("epochs: 3, method: betavae", "epochs: 1, seeds: 2")
    unbroken = copy(whole, tmp_path / "unbroken", text)
    begun = time.monotonic()
    unbroken.run()
    longest = 0.25 * (time.monotonic() - begun)  # so that a busy machine, too, comes to every stage
    folder = tmp_path / "killed"
    path = write(folder, text)
    shutil.copytree(whole / "keys", folder / "keys")
    draw = random.Random(20)
    kills = 0
    while kills < 20:
        process = start(RUN, path)
        process.join(draw.uniform(0, longest))
        if process.exitcode is not None:
            # it got through: begin a random part of the work anew, so that every kill meets a run at work
            assert process.exitcode == 0
            victim = draw.choice(STAGES)
            (folder / "manifests" / f"{victim}.json").unlink()
            continue
        process.kill()
        process.join()
        kills += 1
    Study.load(folder).run()
    assert data_files(folder) == data_files(tmp_path / "unbroken")
    assert list((folder / ".staging").glob("*")) == []


def test_a_table_with_biographies_and_pictures(tmp_path: Path) -> None:
    """The offline way from a table: lexicon, text and image vectors; a changed picture makes the vectors stale."""
    people = "".join(f"p{i},A {'bold and kind' if i % 2 else 'shy'} person.\n" for i in range(30))
    (tmp_path / "people.csv").write_text("id,biography\n" + people)
    for i in range(30):
        (tmp_path / "faces").mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / "faces" / f"p{i}.png")
    plan = """
name: offline
collect: {source: table, path: people.csv}
annotate: {source: lexicon}
embed: {source: offline, images: faces, text_dim: 16, image_dim: 16}
"""
    study = Study.load(write(tmp_path, plan))
    assert ran(study) == ["collect", "annotate", "embed", "report"]
    scores = pl.read_parquet(tmp_path / "traits" / "traits.parquet")
    assert scores["final_e"].to_list() == [1.0, 3.0] * 15
    assert scores["final_o"].null_count() == 30
    assert pl.read_parquet(tmp_path / "embeddings" / "image.parquet")["descriptors"].dtype == pl.Array(pl.Float32, 16)
    Image.new("RGB", (8, 8), (0, 99, 0)).save(tmp_path / "faces" / "p3.png")
    assert ran(study) == ["embed", "report"]
    (tmp_path / "faces" / "p4.png").unlink()
    assert ran(study) == ["embed", "report"]
    lacking = pl.read_parquet(tmp_path / "embeddings" / "image.parquet").filter(pl.col("descriptors").is_null())
    assert lacking["id"].to_list() == ["p4"]


@pytest.mark.parametrize("person", ["../outside", "/etc/x", "a/b"])
def test_an_id_cannot_point_out_of_the_picture_folder(tmp_path: Path, person: str) -> None:
    (tmp_path / "people.csv").write_text("id,biography\n" + "".join(f"{person}{i},bold.\n" for i in range(30)))
    (tmp_path / "faces").mkdir()
    for i in range(30):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / f"outside{i}.png")
    plan = "{name: a, collect: {source: table, path: people.csv}, embed: {source: offline, images: faces}}"
    with pytest.raises(PersonaxError, match="is no file name"):
        Study.load(write(tmp_path, plan)).run()


def test_errors_are_ours(tmp_path: Path) -> None:
    bad = "{name: a, collect: {source: table, path: nowhere.csv}}"
    with pytest.raises(PersonaxError, match=r"there is no .*nowhere.csv"):
        Study.load(write(tmp_path, bad)).run()
    study = Study.load(write(tmp_path / "b"))
    with study.folder.lock(), pytest.raises(StudyError, match="another personax works in"):
        Study.load(tmp_path / "b").run()


def test_the_tables_of_finished_stages_are_read_by_name(whole: Path, tmp_path: Path) -> None:
    study = Study.load(whole)
    assert list(study.results) == STAGES
    assert study.results["independence"]["pvalues"].equals(
        pl.read_parquet(whole / "analysis" / "independence" / "pvalues.parquet")
    )
    assert study.results["annotate"]["traits"].height == study.results["collect"]["people"].height == 60
    for tables in study.results.values():
        assert all(isinstance(tables[name], pl.DataFrame) for name in tables)
    files = [name for stage in STAGES for name in study.folder.manifest(stage).outputs]  # type: ignore[union-attr]
    written = [name for name in files if name.endswith((".parquet", ".csv", ".arrow"))]
    assert sum(len(tables) for tables in study.results.values()) == len(written), "no table hides another"
    assert Study.load(write(tmp_path)).results == {}
    with pytest.raises(KeyError):
        study.results["crl"]["pvalues"]


def test_a_table_that_is_gone_is_a_sentence(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "gone")
    (folder / "people" / "people.parquet").unlink()
    with pytest.raises(StudyError, match=r"people.parquet cannot be read .*; run the stage collect again"):
        Study.load(folder).results["collect"]["people"]


def test_a_study_shows_its_stages_and_escapes_its_name(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "shown")
    write(folder, TINY.replace("name: tiny", "name: a <script>"))
    shown = Study.load(folder)._repr_html_()
    assert "<script>" not in shown
    assert "a &lt;script&gt;" in shown
    assert "<td>independence</td><td>done</td>" in shown
    assert "pvalues" in shown


def test_the_steps_as_functions_give_what_the_stages_wrote(whole: Path) -> None:
    study = Study.load(whole)
    people, scores = personax.collect(study), personax.annotate(study)
    assert people.frame.equals(study.results["collect"]["people"])
    assert scores.frame.equals(study.results["annotate"]["traits"])
    assert set(personax.encode(study)) == {"image", "text"}
    assert personax.learn_latents(study).equals(study.results["crl"]["latents"])
    pvalues, graph = personax.analyse(study)
    assert pvalues.equals(study.results["independence"]["pvalues"])
    assert graph.nodes
    assert personax.discover(study).nodes
    assert personax.verify(personax.build_release(study)).checks
    assert personax.write_report(study) == whole / "report" / "index.html"
    assert not any(stage.ran for stage in study.run())


def test_steps_on_a_table_need_ids_and_texts() -> None:
    table = personax.Table(frame := pl.DataFrame({"id": ["a", "a"], "biography": ["x", "y"]}), infer_columns(frame))
    for step in (personax.annotate, personax.encode):
        with pytest.raises(InputError, match="an id is missing or stands twice"):
            step(table)
        with pytest.raises(InputError, match="the table has no column life"):
            step(table, text="life")
    with pytest.raises(InputError, match="settings of discover: unknown key tests; did you mean test"):
        personax.discover(table, tests=["kci"])


FAULTY = """\
name: faulty
collect: {source: simulate, n: 20, images: false}
annotate: {source: simulate, groups: [gendr]}
embed: {source: offline}
release: {columns: {heigth_cm: {leaves: withheld}}}
independence: {features: [height_cm, wieght_kg], targets: [final_z, final_o, another_e], given: [bith_year], by: gendr}
crl: {latents: {text: 2}, epochs: 1}
"""


def test_all_columns_that_people_do_not_have_are_named_before_anybody_is_asked(tmp_path: Path) -> None:
    study = Study.load(write(tmp_path, FAULTY))
    with pytest.raises(PlanError) as raised:
        study.run()
    assert str(raised.value).splitlines() == [
        "annotate.groups: people have no gendr; did you mean gender?",
        "release.columns names heigth_cm, which is no column that could leave; did you mean height_cm?",
        "independence.features: there is no column wieght_kg; did you mean weight_kg?",
        "independence.targets: there is no column final_z; choose from gender, occupation, country, latitude, "
        "longitude, height_cm, weight_kg, birth_year, birth_month, birth_day",
        "independence.given: there is no column bith_year; did you mean birth_year?",
        "independence.by: there is no column gendr; did you mean gender?",
    ]
    assert list(study.results) == ["collect"]
    assert [run.stage for run in study.run(["collect"])] == ["collect"]  # whose section is right


def test_what_a_plan_lacks_is_named_before_it_runs(tmp_path: Path) -> None:
    text = (
        "{name: a, collect: {source: simulate, n: 20, images: false}, embed: {source: offline}, "
        "crl: {latents: {txt: 2, image: 2}}, discover: {over: [latents, traits]}}"
    )
    study = Study.load(write(tmp_path, text))
    with pytest.raises(PlanError) as raised:
        study.run()
    assert str(raised.value).splitlines() == [
        "discover.over: traits need an annotate section in the plan",
        "crl.latents: there is no modality txt; did you mean text?",
    ]
    assert not study.results
