"""The study folder: commits are whole, kills at any point leave the old or the new output."""

from __future__ import annotations

import signal
import textwrap
from pathlib import Path

import pytest
from tests.processes import start

from personax.files import sha256, write_text
from personax.store import Manifest, StudyFolder

BLANK = Manifest("collect", 1, 0, {}, {})


def commit(folder: StudyFolder, files: dict[str, str]) -> Manifest:
    with folder.lock(), folder.staging("collect") as out:
        for name, text in files.items():
            out.path(*name.split("/")).write_text(text)
        return out.commit(BLANK)


def contents(root: Path) -> dict[str, str]:
    """Return the readable files."""
    apart = (".lock", ".lock.json", "manifests", "objects")
    files = (path for path in root.rglob("*") if path.is_file() and path.relative_to(root).parts[0] not in apart)
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def test_a_commit_replaces_the_whole_output(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    commit(folder, {"people/a": "old", "people/gone": "old"})
    manifest = commit(folder, {"people/a": "new", "people/b": "new"})
    assert contents(tmp_path) == {"people/a": "new", "people/b": "new"}
    assert manifest.outputs == {"people/a": sha256(tmp_path / "people/a"), "people/b": sha256(tmp_path / "people/b")}
    assert folder.manifest("collect") == manifest


def test_a_stage_that_fails_leaves_the_old_output_and_no_litter(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    commit(folder, {"people/a": "old"})
    with pytest.raises(ZeroDivisionError), folder.lock(), folder.staging("collect") as out:
        out.path("people", "a").write_text(str(1 / 0))
    assert contents(tmp_path) == {"people/a": "old"}
    assert list(tmp_path.glob(".staging/*")) == []


def test_what_an_interrupted_stage_keeps_lasts_until_it_commits_and_serves_its_own_run_alone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    write_text(folder.checkpoint_folder("collect", "run-1") / "half", "done")
    with pytest.raises(ZeroDivisionError), folder.lock(), folder.staging("collect"):
        assert 1 / 0
    assert (folder.checkpoint_folder("collect", "run-1") / "half").read_text() == "done"
    assert not any(folder.checkpoint_folder("collect", "run-2").iterdir())
    assert not (tmp_path / ".staging" / "collect.kept" / "run-1").exists()
    commit(folder, {"people/a": "new"})
    assert contents(tmp_path) == {"people/a": "new"}
    assert list(tmp_path.glob(".staging/*")) == []


def test_files_that_no_stage_wrote_are_left_alone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    commit(folder, {"people/a": "old"})
    write_text(tmp_path / "people" / "mine.txt", "mine")
    commit(folder, {"people/b": "new"})
    assert contents(tmp_path) == {"people/b": "new", "people/mine.txt": "mine"}


@pytest.mark.parametrize("moves", range(6))
def test_a_kill_after_any_move_of_the_install_ends_in_the_new_output(tmp_path: Path, moves: int) -> None:
    """The process is killed for real, after ``moves`` files of the new output are in place."""
    folder = StudyFolder(tmp_path)
    commit(folder, {"people/a": "old", "people/gone": "old"})
    script = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from personax.store import Manifest, StudyFolder
        place, left = StudyFolder._place, [{moves}]
        def placing(self, *given):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            place(self, *given)
        StudyFolder._place = placing
        folder = StudyFolder(Path({str(tmp_path)!r}))
        with folder.lock(), folder.staging("collect") as out:
            for name in "abcd":
                out.path("people", name).write_text("new")
            out.commit(Manifest("collect", 1, 0, {{}}, {{}}))
    """)
    killed = start(script)
    killed.join()
    assert killed.exitcode == (-signal.SIGKILL if moves < 4 else 0)
    with folder.lock():
        assert contents(tmp_path) == {f"people/{name}": "new" for name in "abcd"}
    manifest = folder.manifest("collect")
    assert manifest is not None
    assert folder.changed_output(manifest) is None


def test_a_kill_after_the_last_move_does_not_block_the_study(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    commit(folder, {"people/a": "new"})
    (tmp_path / ".staging" / "collect.ready" / "people").mkdir(parents=True)
    with folder.lock():
        assert contents(tmp_path) == {"people/a": "new"}
    assert list(tmp_path.glob(".staging/*")) == []


def test_a_kill_before_the_commit_leaves_the_old_output(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    commit(folder, {"people/a": "old"})
    partial = tmp_path / ".staging" / "collect.partial" / "people"
    partial.mkdir(parents=True)
    (partial / "a").write_text("half")
    with folder.lock():
        assert contents(tmp_path) == {"people/a": "old"}


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    script = f"""
import sys
from pathlib import Path
from personax.errors import StudyError
from personax.store import StudyFolder
try:
    StudyFolder(Path({str(tmp_path)!r})).lock().__enter__()
except StudyError as error:
    sys.exit("another personax works in" in str(error))
"""
    with folder.lock():
        other = start(script)
        other.join()
    assert other.exitcode == 1
    with folder.lock():
        pass


def test_an_edited_or_missing_output_is_noticed(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    manifest = commit(folder, {"people/a": "new"})
    (tmp_path / "people" / "a").write_text("edited")
    assert folder.changed_output(manifest) == "its output people/a was changed by hand"
    (tmp_path / "people" / "a").unlink()
    assert folder.changed_output(manifest) == "its output people/a is missing"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty or cut short"),
        ("{half", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("[]", "it does not hold what a manifest holds"),
        ('{"stage": 1, "from": "elsewhere"}', "it does not hold what a manifest holds"),
    ],
)
def test_a_broken_manifest_counts_as_missing_and_says_why(tmp_path: Path, text: str, why: str) -> None:
    folder = StudyFolder(tmp_path)
    commit(folder, {"people/a": "old"})
    write_text(tmp_path / "manifests" / "collect.json", text)
    assert folder.manifest("collect") is None
    assert folder.manifest_fault("collect") == why
    assert folder.output("people", "a") is None
    commit(folder, {"people/a": "new"})
    assert folder.manifest_fault("collect") is None
    assert contents(tmp_path) == {"people/a": "new"}


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (BLANK, None),
        (Manifest("collect", 2, 0, {}, {}), "this version of personax computes it differently"),
        (Manifest("collect", 1, 7, {}, {}), "the seed changed from 0 to 7"),
        (Manifest("collect", 1, 0, {"n": 3}, {}), "the setting n changed"),
        (Manifest("collect", 1, 0, {}, {"people.csv": "abc"}), "its input people.csv changed"),
    ],
)
def test_why_a_stage_must_run_again(now: Manifest, why: str | None) -> None:
    assert BLANK.differs(now) == why
