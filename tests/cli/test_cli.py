"""The command line as a stranger meets it: help, exit codes, one sentence for every mistake, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
from tests.cli.program import one_sentence, personax
from typer.testing import CliRunner

from personax.cli import app

TINY = """\
name: tiny <script>alert(1)</script>
seed: 1
collect: {source: simulate, n: 40, images: false}
annotate: {source: simulate}
independence: {tests: [chisq], figures: false}
"""


def people(folder: Path) -> Path:
    path = folder / "people.csv"
    rows = "".join(f"{150 + i % 50},{1 + (i + i // 50) % 3},{'NA' if i % 2 else 'FR'}\n" for i in range(200))
    path.write_text("Height,final_o,country\n" + rows)
    return path


COMMANDS = [
    "demo",
    "init",
    "run",
    "status",
    "collect",
    "annotate",
    "embed",
    "release",
    "independence",
    "calibrate",
    "crl",
    "discover",
    "report",
    "doctor",
]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.stdout


def test_the_program_of_its_own_process_tells_in_one_sentence_what_is_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "personax", "run", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "study.yaml" in one_sentence(done)


def test_wrong_usage_exits_with_2() -> None:
    assert personax("runn").returncode == 2
    assert personax("run").returncode == 2
    assert personax("independence", "x.csv", "--alfa", "1").returncode == 2


def test_a_study_from_init_to_nothing_to_do(tmp_path: Path) -> None:
    begun = personax("init", tmp_path / "mine")
    assert begun.returncode == 0
    assert "personax run" in begun.stdout
    assert "exists already" in one_sentence(personax("init", tmp_path / "mine"))
    sketch = tmp_path / "mine" / "study.yaml"
    text = sketch.read_text(encoding="utf-8")
    assert text.count("\n  n: 500\n") == 1
    sketch.write_text(text.replace("  n: 500\n", "  n: 80\n", 1), encoding="utf-8")  # fewer people, all else as it is
    first = personax("run", tmp_path / "mine")
    assert first.returncode == 0, first.stderr
    report = tmp_path / "mine" / "report" / "index.html"
    assert first.stdout.splitlines()[-1] == str(report)
    assert report.is_file()
    second = personax("run", tmp_path / "mine" / "study.yaml")
    assert "nothing to do: settings, inputs and seed are the same" in second.stdout
    assert "\nnothing to do\n" in second.stdout


def test_status_and_json(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY)
    before = json.loads(personax("status", tmp_path, "--json").stdout)
    assert {state["stage"]: state["state"] for state in before}["collect"] == "missing"
    done = personax("run", tmp_path, "--json")
    summary = json.loads(done.stdout)
    assert summary["stages"][0]["counts"]["people"] == 40
    after = {state["stage"]: state["state"] for state in json.loads(personax("status", tmp_path, "--json").stdout)}
    assert after["independence"] == "done"
    assert after["crl"] == "unasked"
    page = (tmp_path / "report" / "index.html").read_text()
    assert "<script>alert(1)</script>" not in page
    assert "tiny &lt;script&gt;alert(1)" in page


def test_a_study_of_another_name_has_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(TINY)
    assert personax("collect", tmp_path / "other.yaml").returncode == 0
    assert (tmp_path / "other" / "people" / "people.parquet").is_file()
    assert personax("collect", tmp_path / "other.yaml", "--folder", tmp_path / "elsewhere").returncode == 0
    assert (tmp_path / "elsewhere" / "people" / "people.parquet").is_file()


def test_any_table_without_a_study(tmp_path: Path) -> None:
    table = people(tmp_path)
    out = tmp_path / "results"
    done = personax("independence", table, "--features", "Height,country", "--targets", "final_o", "--out", out)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir() if path.is_file()} >= {
        "pvalues.parquet",
        "pvalues_kci.csv",
        "graph.json",
    }
    pvalues = pl.read_parquet(out / "pvalues.parquet")
    assert set(pvalues["feature"]) == {"Height", "country"}
    assert pvalues.filter(feature="country", test="chisq")["n"][0] == 200, "NA is a country"
    machine = personax("independence", table, "--targets", "final_o", "--out", out, "--json", "--no-figures")
    assert json.loads(machine.stdout)["tests"] > 0


BAD_OPTIONS = [
    (["--targets", "final_x"], "no column final_x; did you mean final_o?"),
    (["--tests", "kcit"], "--tests"),
    (["--alpha", "2"], "--alpha"),
    (["--correction", "bonferoni"], "--correction"),
    (["--features", "final_o", "--targets", "final_o"], "every feature is also a target"),
]


@pytest.mark.parametrize(("options", "says"), BAD_OPTIONS)
def test_options_that_make_no_sense(tmp_path: Path, options: list[str], says: str) -> None:
    done = personax("independence", people(tmp_path), *options, "--out", tmp_path / "out")
    assert says in one_sentence(done)
    assert not (tmp_path / "out" / "pvalues.parquet").exists()


BAD_TABLES = [
    (b"", "is empty"),
    (b"id,a\n", "has a header and no rows"),
    (b"id,a\nx,\xff\n", "is not utf-8"),
    (b"id,a\nx,1\nx,2\n", "stand more than once"),
]


@pytest.mark.parametrize(("content", "says"), BAD_TABLES)
def test_tables_that_are_none(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    assert says in one_sentence(personax("independence", tmp_path / "p.csv", "--out", tmp_path / "out"))
    (tmp_path / "study.yaml").write_text("name: x\ncollect: {source: table, path: p.csv}\n")
    assert says in one_sentence(personax("run", tmp_path))
    assert not (tmp_path / "people").exists()


BAD_STUDIES = [
    ("name: [", "not readable as YAML"),
    ("\tname: x", "not readable as YAML"),
    ("", "holds no settings"),
    ("version: 2\nname: x\n", "upgrade personax"),
    ("name: x\ncolect: {}\n", "did you mean collect?"),
    ("name: x\ncollect: {source: table, path: gone.csv}\n", "there is no"),
    ("name: x\ncollect: {source: table, path: .}\n", "is a folder"),
    ("name: x\ncollect: {source: openfootball, path: study.yaml}\n", "cannot be read as a tar file"),
    ("name: x\ncollect: {source: simulate, text_dim: 3}\n", "must be greater than or equal to 8"),
    (TINY + "crl: {latents: {sound: 2}}\nembed: {source: simulate}\n", "there is no modality sound"),
    (TINY + "discover: {}\n", "latents need a crl section"),
    (TINY + "embed: {source: files, files: {text: {a: gone.npz}}}\n", "there is no file"),
    (TINY.replace("[chisq]", "[chisq], features: [tallness]"), "there is no column tallness"),
]


@pytest.mark.parametrize(("text", "says"), BAD_STUDIES)
def test_studies_that_cannot_run(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "study.yaml").write_text(text)
    assert says in one_sentence(personax("run", tmp_path / "study.yaml"))


def test_one_person_a_constant_and_an_empty_column_end_in_a_report(tmp_path: Path) -> None:
    plan = "name: x\ncollect: {source: table, path: p.csv}\nindependence: {targets: [final_o]}\n"
    (tmp_path / "study.yaml").write_text(plan)
    (tmp_path / "p.csv").write_text("id,flat,empty,h,final_o\nx,1,,3,2\n")
    assert personax("run", tmp_path).returncode == 0
    rows = "".join(f"p{i},1,,{i},{1 + i % 3}\n" for i in range(30))
    (tmp_path / "p.csv").write_text("id,flat,empty,h,final_o\n" + rows)
    done = personax("run", tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report" / "index.html").read_text()
    assert "flat is constant" in page
    assert "No person has a value in empty" in page


def test_a_name_that_is_a_script_stays_a_name(tmp_path: Path) -> None:
    rows = "".join(f'p{i},"<script>alert(1)</script>",<b>x{i % 2}</b>,{1 + i % 3}\n' for i in range(40))
    (tmp_path / "p.csv").write_text("id,name,<i>club</i>,final_o\n" + rows)
    (tmp_path / "study.yaml").write_text("name: x\ncollect: {source: table, path: p.csv}\nindependence: {}\n")
    assert personax("run", tmp_path).returncode == 0
    page = (tmp_path / "report" / "index.html").read_text()
    assert "alert(1)" not in page
    assert "<i>club" not in page
    assert "&lt;i&gt;club" in page
    assert "<b>x" not in page


def test_doctor() -> None:
    pieces = {piece["name"]: piece for piece in json.loads(personax("doctor", "--json").stdout)}
    assert pieces["torch"]["present"] == (find_spec("torch") is not None)
    assert pieces["python"]["present"]
    assert {"GPU", "browser", "causal-learn"} <= set(pieces)
    assert "torch" in personax("doctor").stdout


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    table = people(tmp_path)
    assert "is a file; choose another folder" in one_sentence(personax("independence", table, "--out", table))
    assert "is a file; choose another name" in one_sentence(personax("demo", "--out", table))


def test_a_manifest_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "collect.json").write_text("{half")
    assert "its manifest: it is no JSON" in personax("run", tmp_path).stdout
    assert "nothing to do" in personax("run", tmp_path).stdout


def test_what_the_system_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY)
    (tmp_path / "people").write_text("a file where the stage's folder should be")
    assert "people" in one_sentence(personax("run", tmp_path))
