"""A study walks through its stages, does what is left and no more, and survives being killed at any instant."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image
from tests.processes import start

import personax
from personax import registry
from personax.cli import main
from personax.data.columns import infer_columns
from personax.errors import InputError, PersonaxError, PlanError, StudyError
from personax.files import sha256
from personax.schema import Column, Trait, TraitFramework
from personax.study import Study

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.crl.methods._vae import BetaVAE

TINY = """\
name: tiny
seed: 5
collect: {source: simulate, n: 60, text_measurements: 2, text_dim: 24, image_dim: 16}
annotate: {source: simulate}
embed: {source: simulate}
release: {audit: false}
independence: {tests: [chisq, kci], figures: false}
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
    apart = ("manifests", "objects", ".staging", ".lock", ".lock.json", "run.log", "study.yaml", "keys")
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
    """In another process, folder, time zone, order of sets, and with twice the threads: docs/reproducibility.md.

    The key of a release is drawn by the system, so both runs are given the same one. Figures are drawn, too.
    """
    text = TINY.replace("figures: false", "figures: true")
    copy(whole, tmp_path / "here", text).run()
    folder = tmp_path / "elsewhere" / "again"
    write(folder, text)
    shutil.copytree(whole / "keys", folder / "keys")
    other = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    other |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "2")
    other |= {"OMP_WAIT_POLICY": "PASSIVE"}  # threads that wait sleep: both cores are at work on other tests
    command = [sys.executable, "-m", "personax", "run", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **other})
    assert done.returncode == 0, done.stderr
    assert data_files(folder) == data_files(tmp_path / "here")


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
    longest = 0.35 * (time.monotonic() - begun)  # so that a busy machine, too, comes to every stage
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
    assert Study.load(folder).results["collect"]["people"].height == 60, "the object is there"
    shutil.rmtree(folder / "objects")
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
crl: {latents: {text: 2, image: 2}, epochs: 1}
discover: {over: [traits, features], knowledge: {tiers: [[birth_yaer], [final_o]]}}
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
        "discover.knowledge.tiers: there is no column birth_yaer; did you mean birth_year?",
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


COLLECTED = "name: a\ncollect: {source: simulate, n: 20, images: false}\n"
ONE = COLLECTED + "embed: {source: offline}\n"
ASKED = "annotate: {source: llm, models: [{name: m, base_url: 'http://127.0.0.1:9/v1', model: x}]"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ONE + "crl: {latents: {text: 2}}", "crl.latents: default learns .* is given 1; name 2 or more"),
        (ONE + "crl: {method: cca, latents: {text: 2}}", "crl.latents: cca learns .* is given 1"),
        (ONE + "crl: {method: pca, half: true, latents: {text: 2}}", "crl.half: pca has no such steps"),
        (ONE + "crl: {method: pca, prior: {tiers: [[text]]}, latents: {text: 2}}", "crl.prior: pca learns no graph"),
        (ONE + "crl: {method: pca, latents: {text: 1}}\ndiscover: {over: [latents]}", "one latent makes no graph"),
        (COLLECTED + "embed: {source: files, files: {text: {a: gone.npz}}}", r"embed: there is no file .*gone\.npz"),
        (COLLECTED + "release: {removed: gone.txt}", r"release: there is no file .*gone\.txt"),
        (COLLECTED + ASKED + ", families: {n: y}}", "annotate.families: there is no rater n"),
        (
            COLLECTED + ASKED + "}\nembed: {source: models, text: {said: {of: n}}}",
            r"embed\.text\.said\.of: there is no rater n; choose from biography, m",
        ),
        (
            COLLECTED.replace("source: simulate, n: 20, images: false", "source: table, path: p.csv")
            + "annotate: {source: simulate}\nembed: {source: simulate}",
            "annotate.source: simulate needs simulated people.*\n.*embed.source: simulate needs simulated people",
        ),
    ],
)
def test_what_the_plan_alone_says_of_later_stages_is_refused_before_the_first(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "p.csv").write_text("id,height\na,1\nb,2\n")
    study = Study.load(write(tmp_path, text))
    with pytest.raises(PlanError, match=says):
        study.run()
    assert not study.results


TOY = """\
from personax.independence import TestResult
from personax.registry import register

@register("tests", "toy", title="Toy", help="Knows nothing.")
def toy(x, y, z=None, *, rng=None):
    return TestResult(0.0, 0.5, 0.0, len(x), "toy")
"""

WITH_TOY = """\
name: toys
collect: {source: simulate, n: 20, images: false}
annotate: {source: simulate}
independence: {tests: [toy], features: [height_cm], figures: false}
"""


def test_status_works_without_the_package_of_a_part_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site, info = tmp_path / "site", tmp_path / "site" / "toy_tests-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "toy_tests.py").write_text(TOY, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-tests\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[personax.tests]\ntoy = toy_tests:toy\n", encoding="utf-8")
    file = write(tmp_path / "study", WITH_TOY)
    with monkeypatch.context() as installed:
        installed.syspath_prepend(site)
        Study.load(file).run()
    registry.forget("tests", "toy")
    sys.modules.pop("toy_tests")
    installs = "the test toy came with the package toy-tests, which is not installed: pip install toy-tests"
    with pytest.raises(PlanError) as raised:
        Study.load(file)
    first, second = str(raised.value).splitlines()
    assert ", line 4, independence.tests[0]: 'toy' is not possible; choose from " in first
    assert second == installs
    study = Study.load(file, allow_missing=True)
    assert study.missing == [installs]
    assert {one.stage: one.state for one in study.status()}["independence"] == "done"
    with pytest.raises(PlanError, match="pip install toy-tests"):
        study.run()
    monkeypatch.setattr(sys, "argv", ["personax", "status", str(file)])
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    assert stopped.value.code == 1
    assert any(line.split()[:2] == ["independence", "done"] for line in told.out.splitlines())
    assert installs in told.err


def test_results_that_are_not_there_have_the_nearest_name(whole: Path) -> None:
    study = Study.load(whole)
    with pytest.raises(KeyError, match=r"^there is no stage independance; did you mean independence\?$"):
        study.results["independance"]
    with pytest.raises(StudyError, match=r"^the stage independence wrote no table pvalue; did you mean pvalues\?$"):
        study.results["independence"]["pvalue"]
    assert study.results.get("answers") is None
    assert "pvalue" not in study.results["independence"]


def test_studies_and_tables_show_themselves_in_a_line(whole: Path, tmp_path: Path) -> None:
    study = Study.load(whole)
    assert repr(study) == f"Study(tiny: 60 people, finished: {', '.join(STAGES)})"
    assert repr(Study.load(write(tmp_path))) == "Study(tiny: finished: nothing yet)"
    shown = repr(personax.collect(study))
    assert shown.startswith("Table(60 rows, 13 columns: id, name, birth_date, gender, ")
    assert shown.endswith(" ...)")
    assert "StageTables(independence: " in repr(study.results["independence"])


def test_a_fit_is_read_from_the_folder_that_holds_it(whole: Path, tmp_path: Path) -> None:
    assert personax.load_fit(whole) is not None
    assert personax.load_fit(str(whole / "analysis" / "crl")) is not None
    with pytest.raises(InputError, match=r"is a folder that holds no .safetensors file; give the file that save_fit"):
        personax.load_fit(tmp_path)
    with pytest.raises(InputError, match=r"there is no file .*; give the file that save_fit wrote"):
        personax.load_fit(tmp_path / "fit")
    for name in "ab":
        (tmp_path / f"{name}.safetensors").touch()
    with pytest.raises(InputError, match=r"holds 2 fits: a.safetensors, b.safetensors; give the file"):
        personax.load_fit(tmp_path)


def test_steps_on_a_table_take_other_traits() -> None:
    pair = TraitFramework("pair", [Trait("warmth", "w", "warm", low=("cold",), high=("warm",)),
                                   Trait("zeal", "z", "keen", low=("idle",), high=("keen",))])  # fmt: skip
    frame = pl.DataFrame({"id": ["a", "b"], "biography": ["A warm, keen person.", "A cold, idle person."]})
    scores = personax.annotate(personax.Table(frame, infer_columns(frame)), framework=pair)
    assert scores.frame.select("final_w", "lexicon_z").rows() == [(3.0, 3.0), (1.0, 1.0)]
    assert [column.name for column in scores.targets()] == ["lexicon_w", "lexicon_z", "final_w", "final_z"]
    people = pl.DataFrame({"height_cm": [float(150 + k) for k in range(40)], "one_w": [1.0, 2.0] * 20})
    columns = [Column("height_cm", "feature", "continuous"), Column("one_w", "target", "ordinal")]
    pvalues, _ = personax.analyse(personax.Table(people, columns), framework=pair, tests=["kci"])
    assert pvalues["group"].to_list() == ["one"]
    with pytest.raises(PersonaxError, match="there is no trait framework big_fiv; did you mean big_five"):
        personax.annotate(personax.Table(frame, infer_columns(frame)), framework="big_fiv")


def test_what_the_report_tells_of_people_at_the_ends_of_latents_holds_no_id_and_no_name(whole: Path) -> None:
    study = Study.load(whole)
    told = (whole / "analysis" / "crl" / "reading.json").read_text(encoding="utf-8")
    ends, people = study.results["crl"]["exemplars"], study.results["collect"]["people"]
    shown = json.loads(told)["people"]
    assert {one["code"] for both in shown.values() for end in both.values() for one in end} == set(ends["code"])
    page = (whole / "report" / "index.html").read_text(encoding="utf-8")
    assert "People at both ends" in page
    for private in (*people["id"], *people["name"]):
        assert private not in told
        assert private not in page
    assert study.results["crl"]["traversals"].is_empty(), "60 people are too few to say what moves"
