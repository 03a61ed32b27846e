"""What a stage computes is of what its manifest names: no swapped file, no input that changed meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.cli.program import personax

from personax.errors import StudyError
from personax.stages import stage_rng
from personax.store import StudyFolder
from personax.study import Study


def copy(finished: Path, to: Path) -> Study:
    shutil.copytree(finished, to, copy_function=shutil.copyfile)
    return Study.load(to)


def test_stages_read_what_the_manifest_names_whatever_lies_under_readable_names(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = copy(finished, tmp_path / "study")
    before = study.folder.claims()
    for top in ("people", "traits", "embeddings", "analysis"):
        for path in (tmp_path / "study" / top).rglob("*"):
            if path.is_file() and path.suffix != ".sqlite":
                path.write_bytes(b"planted")
    monkeypatch.setattr(StudyFolder, "changed_output", lambda *_: None)
    stages = ["annotate", "embed", "release", "independence", "report"]
    assert {run.stage for run in study.run(stages, force=True) if run.ran} == set(stages)
    assert study.folder.claims() == before


def test_people_that_were_swapped_between_stages_are_collected_again(finished: Path, tmp_path: Path) -> None:
    study = copy(finished, tmp_path / "study")
    people = tmp_path / "study" / "people" / "people.parquet"
    pl.read_parquet(people).head(20).write_parquet(people)
    assert {state.stage: state.why for state in study.status() if state.state == "stale"}["collect"] == (
        "its output people/people.parquet was changed by hand"
    )
    study.run(["independence"])
    assert pl.read_parquet(people).height == study.reader.people().height == 40


@pytest.mark.parametrize("what", ["of the owner", "of the study"])
def test_an_input_that_changes_while_a_stage_runs_is_not_certified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The owner's file is written anew, or the stage before is run by force in another process."""
    (tmp_path / "people.csv").write_text("id,height_cm\n" + "".join(f"p{i},{150 + i}\n" for i in range(40)))
    (tmp_path / "study.yaml").write_text("{name: a, collect: {source: table, path: people.csv}}")
    study = Study.load(tmp_path)
    stage = "collect" if what == "of the owner" else "report"
    if stage == "report":
        study.run(["collect"])
    draw = stage_rng

    def changing(seed: int, name: str) -> object:
        if name == stage == "collect":
            with (tmp_path / "people.csv").open("a") as stream:
                stream.write("p40,150\n")
        elif name == stage:
            path = tmp_path / "manifests" / "collect.json"
            path.write_text(path.read_text().replace('"counts": {', '"counts": {"more": 1, '))
        return draw(seed, name)

    monkeypatch.setattr("personax.study.stage_rng", changing)
    with pytest.raises(StudyError, match=rf"changed while {stage} ran, and nothing of it was kept; run it again"):
        study.run([stage])
    assert study.folder.manifest(stage) is None
    monkeypatch.setattr("personax.study.stage_rng", draw)
    study.run(["collect"])
    assert study.reader.people().height == (41 if stage == "collect" else 40)


def test_the_page_is_written_elsewhere(finished: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    assert personax("report", finished, "--out", tmp_path / "page.html").returncode == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before
