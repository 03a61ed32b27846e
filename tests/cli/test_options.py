"""Options that do not apply are an error with its own exit code, whatever the command; nothing is run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.cli.program import personax
from typer.main import get_command

from personax.cli import app
from personax.cli.lazy import COMMANDS, LazyCommands
from personax.stages import STAGES
from personax.store import StudyFolder

STUDY = "name: s\ncollect: {source: simulate, n: 40, images: false}\nannotate: {source: simulate}\n"
TABLE = "Height,final_o\n" + "".join(f"{150 + i % 50},{1 + i % 3}\n" for i in range(60))

WRONG = [
    ("independence study.yaml --features x --tests hsic", "--features and --tests do not apply to a study"),
    ("independence . --no-figures", "--no-figures does not apply to a study"),
    ("independence people.csv --force --folder x", "--folder and --force do not apply to a table"),
    ("independence people.csv --tests chisq --draws 3", "--draws does not apply to chisq; name one of"),
    ("discover study.yaml --algorithm fci", "--algorithm does not apply to a study"),
    ("discover study.yaml --out x", "--out does not apply to a study"),
    ("discover people.csv --force", "--force does not apply to a table"),
    ("calibrate people.csv --grids 3", "--grids does not apply to invented people"),
    ("collect study.yaml --probe", "--probe does not apply to collect.source: simulate"),
    ("report study.yaml --out page.html --force", "--force does not apply with --out"),
    ("report people.csv --out page.html", "--out does not apply to a table"),
    ("report study.yaml --targets x", "--targets does not apply to a study"),
    ("release build study.yaml --public", "--public does not apply without --push"),
    ("annotate study.yaml --part 1/2 --shard j --dry-run", "--dry-run does not apply to parts"),
    ("annotate study.yaml --dry-run --max-cost 1", "--max-cost does not apply with --dry-run"),
    ("traits select study.yaml --dry-run --out x", "--out does not apply with --dry-run"),
    ("traits calibrate study.yaml --dry-run --max-cost 1", "--max-cost does not apply with --dry-run"),
    ("traits validate export study.yaml --raters 3", "--raters does not apply to label-studio"),
    ("traits validate compare study.yaml people.csv --format argilla --id x", "--id does not apply to an export"),
    ("crl benchmark --out x --data numerical --world W0", "--world does not apply to --data numerical"),
    ("crl benchmark --out x --data worlds --case 2", "--case does not apply to --data worlds"),
    ("crl benchmark --out x --methods pca --half", "--half does not apply to pca"),
    ("analyse people.csv --revision main", "--revision does not apply to files that are here"),
    ("trust study.yaml --json --variable KEY", "--variable does not apply with --json"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("options")
    (made / "study.yaml").write_text(STUDY)
    (made / "people.csv").write_text(TABLE)
    return made


@pytest.mark.parametrize(("words", "says"), WRONG)
def test_an_option_that_does_not_apply_is_an_error(folder: Path, words: str, says: str) -> None:
    before = sorted(folder.rglob("*"))
    done = personax(*words.split(), cwd=folder)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert sorted(folder.rglob("*")) == before


def leaves(command: Any) -> list[Any]:
    inner = getattr(command, "commands", None)
    return [command] if inner is None else [one for each in inner.values() for one in leaves(each)]


def options_of(command: Any) -> set[str]:
    return {word for param in command.params for word in param.opts}


def test_the_listed_commands_are_those_that_are_there() -> None:
    """Names and help lines of the listing are those of the commands, which are imported late; no stage lacks one."""
    group = get_command(app)
    assert isinstance(group, LazyCommands)
    names = [name for commands in COMMANDS.values() for name in commands]
    assert {stage.name for stage in STAGES} <= set(names)
    for commands in COMMANDS.values():
        for name, text in commands.items():
            group.load(name)
            told = (group.commands[name].help or "").split("\n\n")[0]
            assert " ".join(told.split()).replace("``", "") == text, name
            assert [one.name for one in leaves(group.commands[name]) if "--json" not in options_of(one)] == [], name


def test_version_and_help_import_nothing_of_the_library() -> None:
    heavy = ["polars", "numpy", "torch", "scipy", "personax.stages", "personax.config", "personax.study"]
    script = f"""
import sys, personax.cli
from personax.cli.lazy import COMMANDS
for words in (["--version"], ["--help"], *([name, "--help"] for panel in COMMANDS.values() for name in panel)):
    sys.argv = ["personax", *words]
    try:
        personax.cli.main()
    except SystemExit as end:
        assert not end.code
print([name for name in {heavy!r} if name in sys.modules])
"""
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.splitlines()[-1] == "[]"


def test_help_is_short_and_quiet_is_quiet(folder: Path, tmp_path: Path) -> None:
    assert personax("independence", "-h").stdout == personax("independence", "--help").stdout
    (tmp_path / "study.yaml").write_text(STUDY)
    done = personax("collect", tmp_path, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert personax("-q", "collect", tmp_path, "--force").stderr == ""
    assert "collect" in personax("collect", tmp_path, "--force").stderr
    assert "there is no file gone.xlsx" in personax("report", "gone.xlsx").stderr
    failed = personax("run", folder / "gone.yaml", "-v")
    assert "Traceback" in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("error: ")


KEPT = [
    ("independence people.csv --targets final_o", "independence/graph.json"),
    ("discover people.csv", "discovery/graph.json"),
    ("calibrate people.csv --times 1", "independence/notes.txt"),
    ("crl benchmark --data numerical --methods pca --seeds 1 --out bench", "bench/scores.csv"),
    ("crl data e.npz --modalities m.yaml --out latents", "latents/seeds.parquet"),
    ("report study.yaml --out page.html", "page.html"),
    ("journal export study.yaml replies.jsonl", "replies.jsonl"),
    ("traits validate export study.yaml --out sheets", "sheets/mine.csv"),
]


@pytest.mark.parametrize(("words", "own"), KEPT)
def test_no_command_writes_where_a_users_own_files_are(tmp_path: Path, words: str, own: str) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "people.csv").write_text(TABLE)
    (tmp_path / "m.yaml").write_text("measurements: {text: {a: t}, image: {b: i}}\nlatents: {text: 1, image: 1}\n")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "e.npz", ids=np.array([f"p{i}" for i in range(60)]), t=rng.normal(size=(60, 3)),
             i=rng.normal(size=(60, 3)))  # fmt: skip
    (tmp_path / own).parent.mkdir(exist_ok=True)
    (tmp_path / own).write_text("mine")
    done = personax(*words.split(), cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (
        " give a new folder by --out" in done.stderr or " give another name" in done.stderr or "new file" in done.stderr
    )
    assert (tmp_path / own).read_text() == "mine"


def test_two_commands_on_a_table_keep_apart(tmp_path: Path) -> None:
    """Each has its own folder, keeps to it, and goes on in the one that it made."""
    (tmp_path / "people.csv").write_text(TABLE)
    words = ("independence", "people.csv", "--targets", "final_o", "--tests", "kci", "--no-figures")
    assert personax(*words, cwd=tmp_path).returncode == 0
    assert personax("discover", "people.csv", "--test", "fisherz", cwd=tmp_path).returncode == 0
    told = personax("discover", "people.csv", "--out", "independence", cwd=tmp_path).stderr
    assert "holds the results of independence; give discover another folder" in told
    mine = tmp_path / "independence" / "heatmap_kci.png"
    mine.write_text("mine")
    assert personax(*words, "--alpha", "0.1", cwd=tmp_path).returncode == 0, "no figure is drawn, so nothing is lost"
    assert "was not made by personax" in personax(*words[:-1], cwd=tmp_path).stderr
    assert mine.read_text() == "mine"
    found = json.loads(personax("discover", "people.csv", "--test", "fisherz", "--json", cwd=tmp_path).stdout)
    assert {"edges", "graph", "columns", "notices"} <= set(found)


def test_a_page_of_any_table(tmp_path: Path) -> None:
    """No YAML; what is found is on the page and in the JSON; columns are named; a user's own folder stays."""
    rows = [f"{i % 50},{1 + (i % 50) // 17},{'fm'[i % 2]}" for i in range(120)]
    (tmp_path / "my table.csv").write_text("Größe,mood,gender\n" + "\n".join(rows))
    told = personax("report", "my table.csv", cwd=tmp_path)
    assert (told.returncode, "--targets: Größe, mood, gender" in told.stderr) == (1, True), told.stderr
    assert "did you mean mood?" in personax("report", "my table.csv", "--targets", "mod", cwd=tmp_path).stderr
    done = personax("report", "my table.csv", "--targets", "mood", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stages = {one["stage"]: one for one in json.loads(done.stdout)["stages"]}
    p = {(row["feature"], row["target"]): row["p_value"] for row in stages["independence"]["found"]["pvalues"]}
    assert set(p) == {("Größe", "mood"), ("gender", "mood")}
    assert p["Größe", "mood"] < 1e-6 < p["gender", "mood"]
    page = tmp_path / "my table-report" / "report" / "index.html"
    assert "Größe" in page.read_text(encoding="utf-8")
    again = personax("report", "my table.csv", "--targets", "mood", cwd=tmp_path)
    assert "nothing to do" in again.stdout
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "study.yaml").write_text("name: mine\n")
    assert personax("report", "my table.csv", "--targets", "mood", "--folder", "own", cwd=tmp_path).returncode == 1
    assert (tmp_path / "own" / "study.yaml").read_text() == "name: mine\n"


def test_the_notebook_of_a_study_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cells are code that works, whatever the folder is called; a notebook that is there stays."""
    folder = tmp_path / "a [study]'s"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY + "independence: {tests: [chisq], figures: false}\n")
    assert personax("run", folder, "-q").returncode == 0
    done = personax("notebook", folder)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "a [study]'s.ipynb"
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    monkeypatch.chdir(tmp_path)
    for cell in cells:
        if cell["cell_type"] == "code" and "heatmap" not in cell["source"]:
            exec(compile(cell["source"], "cell", "exec"), names)
    assert {"people", "scores", "pvalues"} <= set(names)
    assert "is there already" in personax("notebook", folder).stderr


def test_names_of_every_script_stay_what_they_are_and_a_page_opens_while_a_run_goes_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    height = rng.normal(175, 9, 80)
    frame = pl.DataFrame(
        {
            "مزاج 😀": np.clip((height / 20).round() - 5, 1, 6),
            "גובה": height,
            "職業": ["歌手 🎤", "לוחם", "ملاكم", "x\u202ey"] * 20,
        }
    )
    frame.write_csv(tmp_path / "people.csv")
    place = tmp_path / "study"
    done = personax("report", tmp_path / "people.csv", "--targets", "مزاج 😀", "--folder", place)
    assert done.returncode == 0, done.stderr
    html = (place / "report" / "index.html").read_text(encoding="utf-8")
    for shown in ("مزاج 😀", "גובה", "職業", "歌手 🎤", "ملاكم"):
        assert shown in html, shown
    assert "\u202e" not in html, "a sign that turns what follows is written as its code"
    with StudyFolder(place).lock():  # as a run holds it
        during = personax("report", place, "--out", tmp_path / "during.html")
    assert during.returncode == 0, during.stderr
    assert (tmp_path / "during.html").read_text(encoding="utf-8") == html


def test_the_page_of_an_export_proposes_and_takes_no_private_or_empty_column(tmp_path: Path) -> None:
    rows = "".join(f"R_{i},2024-01-01,81.2.0.{i},IP Address,,{i % 5},{i * 7 % 11}\n" for i in range(40))
    (tmp_path / "q.csv").write_text("ResponseId,StartDate,IPAddress,Status,ExternalReference,Q1,Q2\n" + rows)
    assert personax("report", "q.csv", cwd=tmp_path).stderr.rstrip().endswith("by --targets: Q1, Q2")
    assert personax("report", "q.csv", "--targets", "Q1", cwd=tmp_path).returncode == 0
    plan = next(tmp_path.rglob("study.yaml")).read_text()
    assert "IPAddress:" in plan.replace("'", "")
    tested = next(tmp_path.rglob("pvalues.csv")).read_text()
    assert "Q2,Q1," in tested
    assert not any(name in tested for name in ("IPAddress", "StartDate", "ExternalReference"))
