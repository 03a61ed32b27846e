"""personax crl: what is no command is a study; the benchmark's files, its JSON, and one sentence for every mistake."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.cli.program import personax
from tests.processes import program
from typer.testing import CliRunner

from personax.cli import app
from personax.errors import InputError, PersonaxError, PlanError
from personax.study import Study

RUNNER = CliRunner()
SMALL = ["crl", "benchmark", "--n", "400", "--epochs", "1", "--methods", "pca,random", "--seeds", "1"]

STUDY = """\
name: tiny
seed: 1
collect: {source: simulate, n: 60, images: false}
"""


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_a_benchmark_writes_tables_and_figures(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    out = tmp_path / "bench"
    done = RUNNER.invoke(app, [*SMALL, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert files(out) == {"scores.parquet", "scores.csv", "summary.md", "run.json"}
    assert f"figures, SVG and PNG: {out / 'figures'}" in done.stdout
    assert files(out / "figures") == {
        f"{name}.{suffix}"
        for name in ("scores", "latents-pca-seed0", "latents-random-seed0")
        for suffix in ("svg", "png")
    }
    assert (out / "summary.md").read_text(encoding="utf-8").strip() in done.stdout
    facts = json.loads((out / "run.json").read_text())
    assert (facts["methods"], facts["seeds"], facts["n"]) == (["pca", "random"], [0], 400)
    table = pl.read_parquet(out / "scores.parquet")
    part = json.loads((out / "parts" / "0-pca.json").read_text())
    value = table.filter(pl.col("method") == "pca", pl.col("metric") == "r2")["value"].item()
    assert value == part["scores"]["r2"]

    again = RUNNER.invoke(app, [*SMALL, "--out", str(out), "--json", "--no-figures"])
    shown = json.loads(again.stdout)
    assert shown["scores"] == table.to_dicts()
    assert (shown["out"], shown["figures"], shown["notices"]) == (str(out), None, [])


def test_the_same_seed_gives_the_same_scores(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    tables = []
    for name in ("a", "b"):
        done = RUNNER.invoke(app, [*SMALL, "--out", str(tmp_path / name), "--json", "--no-figures"])
        assert not (tmp_path / name / "figures").exists()
        tables.append([row for row in json.loads(done.stdout)["scores"] if row["metric"] != "seconds"])
    assert tables[0] == tables[1]


def test_without_matplotlib_scores_are_there_and_one_line_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = RUNNER.invoke(app, [*SMALL, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert [line for line in done.stdout.splitlines() if "personax[figures]" in line] == [
        "No figures were drawn: they need matplotlib (pip install 'personax[figures]')."
    ]
    assert "scores.parquet" in files(tmp_path)
    assert not (tmp_path / "figures").exists()
    shown = json.loads(RUNNER.invoke(app, [*SMALL, "--out", str(tmp_path), "--json"]).stdout)
    assert shown["figures"] is None
    assert "personax[figures]" in shown["notices"][0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--data", "numericl"], "did you mean numerical?"),
        (["--methods", "pcaa"], "--methods: there is no pcaa; did you mean pca?"),
        (["--methods", "pca", "--n", "20"], "give at least 400"),
        (["--methods", "pca", "--seeds", "0"], "--seeds, --epochs and --runs are numbers from 1"),
        (["--methods", "pca", "--case", "7"], "numerical: "),
        (["--methods", "pca", "--mechanism", "sine"], "numerical: "),
        (["--methods", "pca", "--modalities", "1"], "a graph needs two modalities"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, options: list[str], says: str) -> None:
    done = RUNNER.invoke(app, ["crl", "benchmark", "--seeds", "1", *options, "--out", str(tmp_path)])
    assert isinstance(done.exception, PersonaxError), done.output
    assert says in str(done.exception)
    assert not (tmp_path / "scores.parquet").exists()


def test_no_traceback_reaches_a_person(tmp_path: Path) -> None:
    done = personax("crl", "benchmark", "--methods", "pcaa", "--out", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["error: --methods: there is no pcaa; did you mean pca?"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_says_how_to_go_on_and_the_folder_does(tmp_path: Path) -> None:
    command = ["crl", "benchmark", "--n", "400", "--epochs", "1", "--methods", "pca", "--seeds", "200", "--no-figures"]
    folder = tmp_path / "bench"
    with program(tmp_path / "streams", *command, "--out", folder) as running:
        end = time.monotonic() + 180
        while not (folder / "parts" / "0-pca.json").exists() and time.monotonic() < end:
            time.sleep(0.02)
        running.send(signal.SIGINT)
        code, out, errors = running.wait()
    assert code == 130, errors
    assert "Traceback" not in errors
    assert not out
    assert f"stopped by Ctrl-C: finished runs are in {folder / 'parts'}, and the same command goes on" in errors
    assert not (folder / "scores.parquet").exists()
    parts = sorted((folder / "parts").glob("*.json"))
    before = {path: path.stat().st_mtime_ns for path in parts if path.name != "arguments.json"}
    assert before
    assert len(before) < 200
    command[command.index("200")] = str(len(before))
    assert "pca" in personax(*command, "--out", folder).stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before


def refuse(*_: object, **__: object) -> Any:
    raise InputError("these data do not suit the method")


def test_a_failure_is_told_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.crl.methods._linear.CCA.learn", refuse)
    command = ["crl", "benchmark", "--n", "400", "--methods", "pca,cca", "--seeds", "1", "--out"]
    done = RUNNER.invoke(app, [*command, str(tmp_path / "some"), "--no-figures"])
    assert done.exit_code == 0, done.output
    assert "cca, seed 0: these data do not suit the method" in done.stdout
    monkeypatch.setattr("personax.crl.methods._linear.PCA.learn", refuse)
    done = RUNNER.invoke(app, [*command, str(tmp_path / "none")])
    assert str(done.exception) == "no method could be scored: these data do not suit the method"


@pytest.mark.parametrize("words", [["crl"], ["crl", "study"]])
def test_what_is_no_command_is_a_study(tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    asked: list[tuple[Path, list[str], bool, bool]] = []

    def noted(study: Study, stages: list[str], *, force: bool, as_json: bool, **_: object) -> None:
        asked.append((study.folder.root, stages, force, as_json))

    with monkeypatch.context() as patch:
        patch.setattr("personax.cli.crl.run_study", noted)
        done = RUNNER.invoke(app, [*words, str(tmp_path / "study.yaml"), "--force"])
    assert done.exit_code == 0, done.output
    assert asked == [(tmp_path, ["crl"], True, False)]
    done = RUNNER.invoke(app, [*words, str(tmp_path / "study.yaml")])
    assert isinstance(done.exception, PlanError), done.output


def test_a_study_that_is_not_there_is_missed_as_a_study(tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["crl", str(tmp_path / "gone.yaml")])
    assert isinstance(done.exception, PersonaxError)
    assert "gone.yaml" in str(done.exception)


def test_help_names_both_ways() -> None:
    shown = RUNNER.invoke(app, ["crl", "--help"]).stdout
    assert "benchmark" in shown
    assert "study" in shown
    assert "--methods" in RUNNER.invoke(app, ["crl", "benchmark", "--help"]).stdout
