"""The log of a study: what it tells of every run, and that it never tells of people."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.cli.program import one_sentence, personax

from personax.errors import PersonaxError
from personax.progress import Silent
from personax.run_log import COUNTS, LOG_NAME, MAX_LOG_BYTES, Meter, RunLog, read_log
from personax.stages import STAGES
from personax.study import Study

CANARIES = {
    "id": "q-canary-id",
    "name": "Zebedee Canaryname",
    "place": "Canaryville",
    "text": "canarytext",
    "modality": "canarymodality",
    "study": "Canarystudy",
    "file": "canaryfile",
}


def write(folder: Path, text: str) -> Study:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return Study.load(folder)


def tiny(folder: Path, more: str = "") -> Study:
    return write(folder, f"{{name: a, seed: 1, collect: {{source: simulate, n: 20, images: false}}{more}}}")


def events(folder: Path) -> list[tuple[Any, ...]]:
    return [(record["event"], record.get("stage")) for record in read_log(folder)]


def test_a_run_tells_its_stages_with_time_memory_and_counts(tmp_path: Path) -> None:
    study = tiny(tmp_path)
    study.run()
    names = ["run_started", *(f"stage_{what}" for _ in range(2) for what in ("started", "done")), "run_done"]
    assert events(tmp_path) == list(zip(names, [None, "collect", "collect", "report", "report", None], strict=True))
    began, _, collected, *_, ended = read_log(tmp_path)
    assert set(began) == {"time", "level", "pid", "event", "personax", "python"}
    assert collected["counts"] == {"columns": 13, "people": 20}
    assert collected["files"] == len(study.folder.manifest("collect").outputs)  # type: ignore[union-attr]
    assert 10 < collected["peak_mb"] < 100_000
    assert 0 < collected["seconds"] <= ended["seconds"]
    assert collected["cpu_seconds"] > 0
    assert (ended["stages"], ended["ran"]) == (2, 2)
    study.run()
    assert events(tmp_path)[6:] == [("run_started", None), ("run_done", None)]
    study.run(["collect"], force=True)
    assert [record["state"] for record in read_log(tmp_path) if "state" in record] == ["missing", "missing", "done"]


def test_only_the_owner_reads_the_log(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        tiny(tmp_path).run(["collect"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / LOG_NAME).stat().st_mode) == 0o600


def test_no_value_of_a_person_or_of_the_study_file_is_logged(tmp_path: Path) -> None:
    """Names, ids, texts, places, and what the study file calls things, in runs that end well and in runs that fail."""
    rows = "".join(
        f"{CANARIES['id']}{i},{CANARIES['name']} {i},{CANARIES['place']},A {CANARIES['text']} kind person.\n"
        for i in range(30)
    )
    (tmp_path / f"{CANARIES['file']}.csv").write_text(f"id,name,country,biography\n{rows}")
    (tmp_path / CANARIES["file"]).mkdir()
    for i in range(30):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / CANARIES["file"] / f"{CANARIES['id']}{i}.png")
    plan = (
        f"name: {CANARIES['study']}\ncollect: {{source: table, path: {CANARIES['file']}.csv}}\n"
        f"annotate: {{source: lexicon}}\nembed: {{source: offline, images: {CANARIES['file']}}}\n"
        "release: {audit: false}\n"
    )
    write(tmp_path, plan).run()
    (tmp_path / CANARIES["file"] / f"{CANARIES['id']}3.png").write_bytes(b"no picture")
    with pytest.raises(PersonaxError):  # the sentence may name the file, and so the id
        Study.load(tmp_path).run()
    files = f"embed: {{source: files, files: {{{CANARIES['modality']}: {{m: {CANARIES['file']}.parquet}}}}}}\n"
    study = write(tmp_path, plan.replace(plan.splitlines()[3] + "\n", files))
    (tmp_path / f"{CANARIES['file']}.parquet").write_bytes(b"no table")
    with pytest.raises(PersonaxError):
        study.run()
    assert [event for event, _ in events(tmp_path)].count("run_failed") == 2
    logged = (tmp_path / LOG_NAME).read_text().lower()
    assert [name for name, canary in CANARIES.items() if canary.lower() in logged] == []


def test_counts_are_logged_under_names_of_ours_only(tmp_path: Path) -> None:
    sections = "embed: {source: simulate}, independence: {tests: [chisq], figures: false}, annotate: {source: simulate}"
    study = tiny(tmp_path, f", {sections}")
    study.run()
    told = {name for record in read_log(tmp_path) for name in record.get("counts", ())}
    in_manifests = {name for stage in STAGES for name in getattr(study.folder.manifest(stage.name), "counts", ())}
    assert told <= COUNTS
    assert in_manifests - told == {"text", "image"} & in_manifests, "modalities are named by a study file"


def test_an_error_is_logged_by_its_class_and_place(tmp_path: Path) -> None:
    study = write(tmp_path, "{name: a, collect: {source: table, path: nowhere.csv}}")
    with pytest.raises(PersonaxError):
        study.run()
    *_, failed, ended = read_log(tmp_path)
    assert (failed["event"], failed["level"], failed["error"]) == ("stage_failed", "error", "PlanError")
    module, line = failed["at"].split(":")
    assert module.startswith("personax.")
    assert int(line) > 0
    assert ended["event"] == "run_failed"
    assert study.costs() == {}


def test_an_interrupt_is_logged_as_one(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    with pytest.raises(KeyboardInterrupt), log.span("run"), log.span("stage", stage="crl"):
        raise KeyboardInterrupt
    assert events(tmp_path)[2:] == [("stage_stopped", "crl"), ("run_stopped", None)]
    assert {record["level"] for record in read_log(tmp_path)[2:]} == {"warning"}


def test_the_log_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / LOG_NAME
    for _ in range(3):
        path.write_text("x" * (MAX_LOG_BYTES + 1))
        with RunLog(tmp_path).span("run"):
            pass
    assert path.stat().st_size < 1_000
    assert sorted(each.name for each in tmp_path.iterdir()) == [LOG_NAME, f"{LOG_NAME}.1"]


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / LOG_NAME).symlink_to(tmp_path / "mine")
    told: list[str] = []
    log = RunLog(tmp_path / "study", tell=told.append)
    log.write("run_started")
    log.write("run_done")
    assert (tmp_path / "mine").read_text() == "mine"
    assert len(told) == 1
    assert "the run goes on without a log" in told[0]


def test_a_log_that_cannot_be_written_stops_no_run(tmp_path: Path) -> None:
    class Kept(Silent):
        told: list[str] = []

        def message(self, text: str) -> None:
            self.told.append(text)

    (tmp_path / LOG_NAME).mkdir()
    outcomes = tiny(tmp_path).run(progress=Kept())
    assert [outcome.stage for outcome in outcomes] == ["collect", "report"]
    assert len(Kept.told) == 1
    assert Kept.told[0].startswith(str(tmp_path / LOG_NAME))


def test_lines_that_a_full_disk_cut_are_passed_over(tmp_path: Path) -> None:
    RunLog(tmp_path).write("run_started")
    with (tmp_path / LOG_NAME).open("ab") as file:
        file.write(b'{"event": "run_do\n\xff\xfe\n[]\n3\n')
    RunLog(tmp_path).write("run_done")
    assert events(tmp_path) == [("run_started", None), ("run_done", None)]


def test_lines_of_other_shapes_and_a_huge_log_break_nothing(tmp_path: Path) -> None:
    odd = ['{"event": "run", "stage": ["a"]}', '{"event": {}}', '{"event": "run", "time": NaN}', "[" * 100_000]
    (tmp_path / LOG_NAME).write_text("\n".join(odd) + "\n" + "x" * 3 * MAX_LOG_BYTES + "\n", encoding="utf-8")
    assert read_log(tmp_path) == []
    with (tmp_path / LOG_NAME).open("a", encoding="utf-8") as file:
        file.write('{"event": "run_done"}\n')
    assert events(tmp_path) == [("run_done", None)]


def test_nobody_waits_for_a_pipe_in_place_of_the_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOG_NAME)
    told: list[str] = []
    RunLog(tmp_path, tell=told.append).write("run_started")
    assert read_log(tmp_path) == []
    assert len(told) == 1
    reader = os.open(tmp_path / LOG_NAME, os.O_RDONLY | os.O_NONBLOCK)
    RunLog(tmp_path, tell=told.append).write("run_started")
    assert os.read(reader, 100) == b""
    os.close(reader)
    assert "a pipe" in told[1]


def test_a_meter_counts_the_work_of_children() -> None:
    meter = Meter()
    subprocess.run([sys.executable, "-c", "sum(i * i for i in range(1_000_000))"], check=True)
    assert meter.read()["cpu_seconds"] > 0.02


def test_status_tells_times_sizes_versions_and_the_last_failure(tmp_path: Path) -> None:
    study = tiny(tmp_path)
    study.run()
    told = {one["stage"]: one for one in json.loads(personax("status", tmp_path, "--json").stdout)}
    collect = told["collect"]
    outputs = study.folder.manifest("collect").outputs  # type: ignore[union-attr]
    assert collect["bytes"] == sum((tmp_path / name).stat().st_size for name in outputs)
    assert collect["files"] == len(outputs)
    assert collect["seconds"] > 0
    assert collect["counts"]["people"] == 20
    assert collect["versions"]["personax"]
    assert collect["started"].endswith("+00:00")
    assert collect["last_event"]["event"] == "stage_done"
    assert "seconds" not in told["crl"], "it is not asked for"
    table = "{name: a, seed: 1, collect: {source: table, path: nowhere.csv}}"
    (tmp_path / "study.yaml").write_text(table)
    one_sentence(personax("run", tmp_path))
    told = {one["stage"]: one for one in json.loads(personax("status", tmp_path, "--json").stdout)}
    assert (told["collect"]["state"], told["collect"]["why"][:11]) == ("stale", "the setting")
    assert told["collect"]["last_event"]["error"] == "PlanError"
    shown = personax("status", tmp_path).stdout
    assert f"{collect['seconds']:,.1f}" in shown
