"""Study folders of versions 0.1 and 0.2, and kills of their commits: they open, and nothing is computed again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.store.helpers import NEW, OLD, check_whole, commit, readable, seen
from tests.store.test_hostile import ready

from personax.store import StudyFolder
from personax.study import Study


def as_of_version_0_2(root: Path) -> None:
    """Make a study folder what version 0.2 would have written: no objects, no modes, manifests without format."""
    shutil.rmtree(root / "objects")
    for path in root.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
        elif path.parent.name == "manifests":
            raw = json.loads(path.read_text())
            del raw["format"]
            path.write_text(json.dumps(raw, indent=1))
        else:
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content)


@pytest.fixture(scope="module")
def whole(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = shutil.copytree(finished, tmp_path_factory.mktemp("old") / "study")
    as_of_version_0_2(root)
    return root


def test_an_old_study_is_read_as_it_is(whole: Path) -> None:
    study = Study.load(whole)
    assert {state.state for state in study.status()} <= {"done", "unasked"}
    assert study.results["collect"]["people"].height == 40
    assert study.reader.people().height == 40
    assert "tiny" in study.page()
    assert not (whole / "objects").exists(), "reading writes nothing"


def test_an_old_study_migrates_without_computing(whole: Path, tmp_path: Path) -> None:
    root = shutil.copytree(whole, tmp_path / "study")
    study = Study.load(root)
    assert not any(run.ran for run in study.run())
    manifest = json.loads((root / "manifests" / "collect.json").read_text())
    assert manifest["format"] == 2
    assert all(study.folder.objects.path(digest).is_file() for digest in study.folder.claims().values())
    assert (root / "people").stat().st_mode & 0o777 == 0o700
    assert (root / "people" / "people.parquet").stat().st_mode & 0o777 == 0o400
    assert not any(run.ran for run in study.run())


def test_what_was_changed_in_an_old_study_is_made_again(whole: Path, tmp_path: Path) -> None:
    root = shutil.copytree(whole, tmp_path / "study")
    (root / "embeddings" / "text.parquet").write_bytes(b"mine")
    study = Study.load(root)
    assert {run.stage for run in study.run() if run.ran} == {"embed"}, "the same bytes again"
    assert study.reader.embeddings()["text"].height == 40


@pytest.mark.parametrize("moved", [[], ["people/a"], ["people/a", "people/b"], list(NEW)])
def test_a_killed_commit_of_an_old_version_is_completed(tmp_path: Path, moved: list[str]) -> None:
    root = tmp_path / "study"
    commit(StudyFolder(root), OLD)
    as_of_version_0_2(root)
    ready(root, "collect", NEW)
    (root / "people" / "gone").unlink()
    for name in moved:
        (root / ".staging" / "collect.ready" / name).replace(root / name)
    assert check_whole_after(root) == NEW


def check_whole_after(root: Path) -> dict[str, str]:
    with StudyFolder(root).lock():
        pass
    return check_whole(root)


def test_a_killed_commit_that_was_all_but_done_blocks_nothing(tmp_path: Path) -> None:
    commit(StudyFolder(tmp_path), OLD)
    (tmp_path / ".staging" / "collect.ready" / "people").mkdir(parents=True)
    with StudyFolder(tmp_path).lock():
        assert seen(StudyFolder(tmp_path)) == readable(tmp_path) == OLD
    assert list((tmp_path / ".staging").iterdir()) == []
