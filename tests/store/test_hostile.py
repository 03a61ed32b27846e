"""Study folders that somebody else made: manifests, links and names that lead elsewhere, outputs that were swapped."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.store.helpers import NEW, OLD, commit, readable, seen

from personax.data.frames import parquet_schema, read_csv, read_ipc, read_parquet, scan_parquet
from personax.errors import InputError, StudyError
from personax.files import sha256
from personax.store import Manifest, StageTables, StudyFolder, examine_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    commit(StudyFolder(tmp_path / "study"), OLD)
    (tmp_path / "outside").write_text("mine")
    return tmp_path / "study"


def write_manifest(root: Path, **changes: Any) -> None:
    path = root / "manifests" / "collect.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DIGEST = sha256(Path(__file__))
OUTPUTS: dict[str, dict[str, Any]] = {
    "above": {"../outside": DIGEST},
    "absolute": {"/etc/passwd": DIGEST},
    "through": {"people/../../outside": DIGEST},
    "backslash": {"..\\outside": DIGEST},
    "dot": {"./people/a": DIGEST},
    "control character": {"people/a\nb": DIGEST},
    "nul": {"people/a\0b": DIGEST},
    "manifests": {"manifests/annotate.json": DIGEST},
    "objects": {"objects/aa": DIGEST},
    "keys": {"keys/key.json": DIGEST},
    "study file": {"study.yaml": DIGEST},
    "lock": {".lock": DIGEST},
    "staging": {".staging/x": DIGEST},
    "one file": {"people/A": DIGEST, "people/a": DIGEST},
    "too long": {"people/" + "x" * 256: DIGEST},
    "no hash": {"people/a": "abc"},
    "path as hash": {"people/a": "../" * 20 + "outside"},
    "number as hash": {"people/a": 7},
    "empty": {"": DIGEST},
}


@pytest.mark.parametrize("outputs", OUTPUTS.values(), ids=OUTPUTS.keys())
def test_a_manifest_with_outputs_that_cannot_be_is_none(root: Path, outputs: dict[str, Any]) -> None:
    write_manifest(root, outputs=outputs)
    folder = StudyFolder(root)
    assert folder.manifest("collect") is None
    assert folder.manifest_fault("collect") == "it does not hold what a manifest holds"
    assert folder.claims() == {}
    commit(folder, NEW)
    assert seen(folder) == NEW
    assert (root.parent / "outside").read_text() == "mine"
    assert (root / ".lock").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"stage": "annotate"}, {"seed": "0"}, {"unknown": 1}, {"inputs": []}, {"plan": None}, {"notices": {"a": 1}},
        {"counts": {"a": "many"}}, {"format": "2"} | {"revision": None},
    ],
)  # fmt: skip
def test_a_manifest_of_another_shape_is_none(root: Path, changes: dict[str, Any]) -> None:
    write_manifest(root, **changes)
    assert StudyFolder(root).manifest("collect") is None


def test_a_manifest_of_a_newer_personax_is_one_sentence_and_is_kept(root: Path) -> None:
    write_manifest(root, format=3, outputs={"a new place": 1})
    folder = StudyFolder(root)
    with pytest.raises(StudyError, match="of format 3, written by a newer personax; this one reads up to 2: update it"):
        folder.manifest("collect")
    with pytest.raises(StudyError, match="newer personax"):
        commit(folder, NEW)
    assert json.loads((root / "manifests" / "collect.json").read_text())["format"] == 3


def test_manifests_of_stages_that_are_none_are_not_read(root: Path) -> None:
    shutil.copy(root / "manifests" / "collect.json", root / "manifests" / "zzz.json")
    assert StudyFolder(root).stages() == ["collect"]
    notes = examine_folder(StudyFolder(root))
    assert [one.text for one in notes if one.state == "note"] == ["manifests/zzz.json is of no stage and not read"]


def ready(root: Path, stage: str, files: dict[str, str], manifest: str | None = None) -> None:
    """Write what a killed commit of version 0.2 left."""
    mirror = root / ".staging" / f"{stage}.ready"
    for name, text in files.items():
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).write_text(text)
    outputs = {name: sha256(mirror / name) for name in files}
    text = json.dumps(asdict(Manifest(stage, 1, 0, {}, {}, outputs))) if manifest is None else manifest
    (mirror / "manifests").mkdir(parents=True)
    (mirror / "manifests" / f"{stage}.json").write_text(text)


@pytest.mark.parametrize("manifest", ["", "{half", "[]", '{"stage": "collect"}'])
def test_a_ready_mirror_whose_manifest_cannot_be_read_is_thrown_away(root: Path, manifest: str) -> None:
    ready(root, "collect", NEW, manifest)
    with StudyFolder(root).lock():
        assert seen(StudyFolder(root)) == OLD
    assert list((root / ".staging").iterdir()) == []


def test_a_ready_mirror_of_a_stage_that_is_none_is_not_taken_in(root: Path) -> None:
    ready(root, "zzz", {"traits/x": "planted"})
    with StudyFolder(root).lock():
        assert not (root / "traits").exists()
    assert list((root / ".staging").iterdir()) == []


@pytest.mark.parametrize("trick", ["another file", "another content", "a link", "a link above"])
def test_a_ready_mirror_that_is_not_what_its_manifest_says_is_not_taken_in(root: Path, trick: str) -> None:
    ready(root, "collect", NEW)
    mirror = root / ".staging" / "collect.ready"
    match trick:
        case "another file":
            (mirror / "planted").write_text("x")
        case "another content":
            (mirror / "people" / "a").write_text("x")
        case "a link":
            (mirror / "people" / "a").unlink()
            (mirror / "people" / "a").symlink_to(root.parent / "outside")
        case _:
            mirror.rename(root.parent / "elsewhere")
            mirror.symlink_to(root.parent / "elsewhere")
    with StudyFolder(root).lock():
        assert seen(StudyFolder(root)) == OLD
    assert not (root / "planted").exists()
    assert (root.parent / "outside").read_text() == "mine"


@pytest.mark.parametrize("name", ["people", "objects", "manifests", ".staging"])
def test_links_in_the_folder_are_not_followed(root: Path, name: str) -> None:
    elsewhere = root.parent / "elsewhere"
    (root / name).rename(elsewhere)
    before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
    (root / name).symlink_to(elsewhere)
    folder = StudyFolder(root)
    with pytest.raises(StudyError, match="is a link"):
        commit(folder, NEW)
    assert {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()} == before
    assert [one.kind for one in examine_folder(folder) if one.kind == "link"]


def test_a_link_in_the_place_of_an_output_is_replaced_and_not_written_through(root: Path) -> None:
    (root / "people" / "a").unlink()
    (root / "people" / "a").symlink_to(root.parent / "outside")
    folder = StudyFolder(root)
    manifest = folder.manifest("collect")
    assert manifest is not None
    assert folder.changed_output(manifest) == "its output people/a was changed by hand"
    commit(folder, NEW)
    assert readable(root) == NEW
    assert (root.parent / "outside").read_text() == "mine"


def test_a_marker_of_others_removes_nothing_outside(root: Path) -> None:
    (root / ".staging" / "collect.publish").write_text(
        json.dumps(["../outside", str(root.parent / "outside"), "people"])
    )
    with StudyFolder(root).lock():
        pass
    assert (root.parent / "outside").read_text() == "mine"
    assert seen(StudyFolder(root)) == OLD


def test_what_no_manifest_names_is_no_output(root: Path) -> None:
    (root / "people" / "planted").write_text("x")
    (root / "traits").mkdir()
    (root / "traits" / "traits.parquet").write_text("x")
    folder = StudyFolder(root)
    assert folder.output("people", "planted") is None
    assert folder.output("traits", "traits.parquet") is None
    assert seen(folder) == OLD


def swap(path: Path, text: str) -> None:
    """Put another file in the place of one, as somebody would who does not care for modes, with the same times."""
    times = path.stat()
    path.unlink()
    path.write_text(text)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_swapped_copy_is_never_read(root: Path) -> None:
    folder = StudyFolder(root)
    manifest = folder.manifest("collect")
    assert manifest is not None
    assert folder.changed_output(manifest) is None
    swap(root / "people" / "a", "odl")  # of the same size and times
    assert seen(folder) == OLD
    assert folder.changed_output(manifest) == "its output people/a was changed by hand"


def test_a_damaged_object_is_never_read(root: Path) -> None:
    folder = StudyFolder(root)
    path = folder.output("people", "a")
    assert path is not None
    swap(path, "odl")
    assert seen(folder) == OLD, "the copy is right"
    swap(root / "people" / "a", "odl")
    with pytest.raises(StudyError, match=r"people/a is missing or was changed; personax run makes it again"):
        folder.output("people", "a")
    commit(folder, OLD)
    assert seen(folder) == OLD, "a damaged object is written anew"


def test_two_stages_do_not_write_one_file(root: Path) -> None:
    with pytest.raises(StudyError, match="annotate writes people/a, which is an output of collect"):
        commit(StudyFolder(root), {"people/a": "mine"}, "annotate")
    assert seen(StudyFolder(root)) == OLD


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "a/../../b", "a\0b", "x" * 256])
def test_a_stage_writes_into_its_own_folder_alone(root: Path, name: str) -> None:
    folder = StudyFolder(root)
    with folder.lock(), folder.staging("collect") as out, pytest.raises(InputError, match="cannot be an output"):
        out.path("people", name)


@pytest.mark.parametrize(
    "name",
    ["s[1]", "p*", "a?b", "**", "a\nb", "e\u0301", "ö" * 127, "-rf", "%41", "$HOME", "~", "a b", "{x}", "#"],
)
def test_a_study_in_a_folder_of_any_name_is_itself(tmp_path: Path, name: str) -> None:
    """Beside folders that such a name matches as a pattern."""
    frames = {}
    for neighbour in ("s1", "pq", "axb", "other", name):
        folder = StudyFolder(tmp_path / neighbour, durable=False)
        frames[neighbour] = frame = pl.DataFrame({"id": [neighbour]})
        with folder.lock(), folder.staging("collect") as out:
            frame.write_parquet(out.path("people", "people.parquet"))
            frame.write_csv(out.path("people", "people.csv"))
            frame.write_ipc(out.path("people", "people.arrow"))
            made = out.commit(Manifest("collect", 1, 0, {}, {}))
    tables = StageTables(StudyFolder(tmp_path / name), made)
    assert len(tables) == 3
    assert all(table.equals(frames[name]) for table in tables.values())


def test_tables_are_read_from_exactly_the_named_file(tmp_path: Path) -> None:
    for name in ("a1", "a[1]", "b", "?"):
        frame = pl.DataFrame({"x": [name], name: [0]})
        frame.write_parquet(tmp_path / f"{name}.parquet")
        frame.write_csv(tmp_path / f"{name}.csv")
        frame.write_ipc(tmp_path / f"{name}.arrow")
    for name in ("a[1]", "?"):
        path = tmp_path / name
        assert read_parquet(path.with_suffix(".parquet"))["x"].to_list() == [name]
        assert scan_parquet(path.with_suffix(".parquet")).collect()["x"].to_list() == [name]
        assert read_csv(path.with_suffix(".csv"))["x"].to_list() == [name]
        assert read_ipc(path.with_suffix(".arrow"))["x"].to_list() == [name]
        assert list(parquet_schema(path.with_suffix(".parquet"))) == ["x", name]
    (tmp_path / "k=1").mkdir()
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "k=1" / "p.parquet")
    assert read_parquet(tmp_path / "k=1" / "p.parquet").columns == ["x"]


def test_a_manifest_that_is_replaced_is_read_anew(root: Path) -> None:
    folder = StudyFolder(root)
    old = folder.manifest("collect")
    assert old is not None
    (root / "manifests" / "collect.json").write_text(replace(old, seed=7).to_json())
    new = folder.manifest("collect")
    assert new is not None
    assert (old.seed, new.seed) == (0, 7)
