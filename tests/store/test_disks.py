"""Disks and machines as they are: full, read-only, without links or locks, shared by a group, with a wrong clock."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest
from tests.processes import start
from tests.store.helpers import NEW, OLD, STUDY, check_whole, commit, readable, seen

from personax.errors import StudyError
from personax.files import cached_sha256, sha256
from personax.store import StudyFolder, examine_folder
from personax.study import Study


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 3 MB; mounting needs rights that not every machine gives."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip(f"no disk can be mounted here: {made.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes of a disk free."""
    free = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * max(free.f_bavail * free.f_frsize - left, 0))
    return ballast


def test_a_disk_that_fills_at_any_byte_of_a_commit(small_disk: Path) -> None:
    root = small_disk / "study"
    big = {name: text * 20_000 for name, text in NEW.items()}
    commit(StudyFolder(root), OLD)
    for left in range(0, 260_000, 20_000):
        ballast = fill(small_disk, left)
        try:
            commit(StudyFolder(root), big)
            done = True
        except StudyError as error:
            done = False
            told = str(error)
            assert "is full" in told
        ballast.unlink()
        assert seen(StudyFolder(root)) == (big if done else OLD)
        if done:
            break
    assert done
    assert left > 20_000
    commit(StudyFolder(root), NEW)
    assert check_whole(root) == NEW


@pytest.mark.slow
def test_a_disk_that_is_full_at_each_stage(small_disk: Path, finished: Path) -> None:
    """Every stage meets a disk with nothing free, and then one that fills while it writes; then the study goes on."""
    (small_disk / "study").mkdir()
    (small_disk / "study" / "study.yaml").write_text(STUDY)
    study = Study.load(small_disk / "study")
    for stage in ("collect", "annotate", "embed", "independence", "report"):
        for left in (0, 16_384):
            ballast = fill(small_disk, left)
            try:
                study.run([stage])
            except StudyError as error:
                told = str(error)
                assert "is full" in told
            else:
                assert left, stage
            ballast.unlink()
        study.run([stage])
    outputs = Study.load(finished).folder.claims()
    of_release = {name for name in outputs if name.startswith(("release/", "report/"))}  # under a key of their own
    assert {k: v for k, v in study.folder.claims().items() if k not in of_release} == {
        k: v for k, v in outputs.items() if k not in of_release
    }


def test_a_file_larger_than_the_process_may_write_is_one_sentence(tmp_path: Path) -> None:
    """Where nothing can be mounted: the system refuses what is beyond a limit."""
    commit(StudyFolder(tmp_path), OLD)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises((StudyError, OSError), match=r"too large|is full"):
            commit(StudyFolder(tmp_path), {"people/a": "x" * 20_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert check_whole(tmp_path) == OLD


# -- disks without hard links, or locks


def test_a_disk_without_hard_links_has_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    commit(StudyFolder(tmp_path), OLD)
    commit(StudyFolder(tmp_path), NEW)
    assert check_whole(tmp_path) == NEW
    assert (tmp_path / "people" / "a").stat().st_nlink == 1
    assert mode(tmp_path / "people" / "a") == 0o400


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOLCK, "No locks available"), r"cannot be locked \(No locks available\).*work on a local disk"),
        (OSError(errno.EIO, "Input/output error"), "cannot be locked"),
        (OSError(errno.ENOTSUP, "Operation not supported"), "cannot be locked"),
        (NotImplementedError("no flock"), r"cannot be locked \(no flock\)"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written"),
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be written"),
        (OSError(errno.ESTALE, "Stale file handle"), r"cannot be locked \(Stale file handle\)"),
    ],
)
def test_a_lock_that_cannot_be_had_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(StudyError, match=said) as caught, StudyFolder(tmp_path).lock():
        pass
    assert "\n" not in str(caught.value)


def test_who_holds_the_lock_is_said(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    (tmp_path / "study.yaml").write_text("name: held\ncollect: {source: simulate, n: 20}\n", encoding="utf-8")
    with folder.lock():
        with pytest.raises(StudyError, match=rf"another personax works in .* \(process {os.getpid()} on "):
            StudyFolder(tmp_path).lock().__enter__()
        assert [one.kind for one in examine_folder(StudyFolder(tmp_path))] == ["lock"]
        with pytest.raises(StudyError, match="personax works in it"):
            examine_folder(StudyFolder(tmp_path), mend=True)
    assert not (tmp_path / ".lock.json").exists()


# -- who may read


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_people_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    root = tmp_path / "study"
    before = os.umask(mask)
    try:
        folder = StudyFolder(root)
        commit(folder, {"people/images/a.png": "x", "traits/t": "y"})
        commit(folder, {"release/data/r": "z"}, "release")
        assert os.umask(mask) == mask, "the umask is what it was"
    finally:
        os.umask(before)
    assert mode(root) == 0o700
    for path in (root / "people", root / "people/images", root / "traits", root / "manifests", root / "objects"):
        assert mode(path) == 0o700, path
    assert mode(root / "people/images/a.png") == mode(root / "traits/t") == 0o400
    assert mode(root / "manifests/collect.json") == mode(root / ".lock") == 0o600
    assert mode(root / "release/data") == 0o700 | (0o055 & ~mask), "a release is made to be handed on"
    assert mode(root / "release/data/r") == 0o400 | (0o044 & ~mask)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

ANOTHER = """
import os, sys
from pathlib import Path
import polars, personax.cli
from tests.store.helpers import NEW, OLD, commit, seen
from personax.errors import PersonaxError
from personax.store import StudyFolder, examine_folder
from personax.study import Study
root = Path(sys.argv[1])
{first}
os.setgroups([int(sys.argv[3])])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[2]))
os.umask(0o022)
"""


def as_another(code: str, root: Path, user: int, group: int, first: str = "") -> int | None:
    """Run code as somebody else; ``first`` is run before, and imports what that one may not read here."""
    process = start(ANOTHER.replace("{first}", first) + code, root, str(user), str(group))
    process.join()
    return process.exitcode


@pytest.fixture
def common() -> Iterator[Path]:
    """Give a folder that everybody comes to; pytest closes its own to others whenever a run of it begins."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        (Path(place) / "study").mkdir()
        yield Path(place) / "study"


@needs_root
def test_two_users_of_a_group_work_in_one_folder(common: Path) -> None:
    os.chown(common, 0, 4711)
    common.chmod(0o2770)
    assert as_another("commit(StudyFolder(root), OLD)", common, 1001, 4711) == 0
    assert as_another("assert seen(StudyFolder(root)) == OLD; commit(StudyFolder(root), NEW)", common, 1002, 4711) == 0
    assert as_another("commit(StudyFolder(root), OLD); commit(StudyFolder(root), NEW)", common, 1001, 4711) == 0
    assert check_whole(common) == NEW
    assert mode(common / "people") == 0o2770
    assert mode(common / "people" / "a") == 0o440
    assert as_another("os.listdir(root)", common, 1003, 4712) == 1, "nobody else comes in"


@needs_root
def test_a_kill_of_one_user_is_cleared_up_by_the_other(common: Path) -> None:
    os.chown(common, 0, 4711)
    common.chmod(0o2770)
    left = """
with StudyFolder(root).lock(), StudyFolder(root).staging("collect") as out:
    out.path("people", "deep", "a").write_text("half")
    os.mkdir(out.root / "own")
    (out.root / "own" / "b").write_text("half")
    os._exit(0)
"""
    assert as_another(left, common, 1001, 4711) == 0
    assert as_another("commit(StudyFolder(root), NEW)", common, 1002, 4711) == 0
    assert check_whole(common) == NEW


@needs_root
def test_a_finished_study_is_read_by_somebody_who_may_not_write(common: Path, finished: Path) -> None:
    shutil.copytree(finished, common, dirs_exist_ok=True)
    for path in (common, *common.rglob("*")):
        os.chown(path, 0, 4711)
        path.chmod(path.stat().st_mode | (0o550 if path.is_dir() else 0o440))
    read = """
study = Study.load(root)
assert {one.state for one in study.status()} <= {"done", "unasked"}
assert study.results["collect"]["people"].height == 40
assert "tiny" in study.page()
assert not any(one.ran for one in study.run())
assert [one.state for one in examine_folder(StudyFolder(root))].count("note") == 1
try:
    study.run(force=True)
except PersonaxError as error:
    assert "cannot be written" in str(error) and "report --out" in str(error), error
else:
    raise SystemExit("it wrote")
"""
    assert as_another(read, common, 1002, 4711, first="Study.load(root).page()") == 0


def test_a_folder_cannot_be_made_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "study"):
        with pytest.raises(StudyError, match="is a file; choose another folder"), StudyFolder(root).lock():
            pass


# -- clocks


def test_a_clock_that_jumps_changes_nothing_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StudyFolder(tmp_path)
    for years in (-40, 40, 0):
        shifted = time.time_ns() + years * 365 * 86_400 * 10**9
        monkeypatch.setattr(time, "time_ns", lambda now=shifted: now)
        monkeypatch.setattr(time, "time", lambda now=shifted: now / 1e9)
        for files in (OLD, NEW):
            commit(folder, files)
            for path in (*tmp_path.rglob("*"),):
                os.utime(path, ns=(shifted, shifted), follow_symlinks=False)
            assert seen(folder) == readable(tmp_path) == files
    assert check_whole(tmp_path) == NEW


def test_a_hash_is_not_remembered_of_a_file_that_may_still_change(tmp_path: Path) -> None:
    """Files written within one tick of the disk's clock have the same times and size."""
    path = tmp_path / "a"
    for turn in range(200):
        path.write_text(f"{turn:03}")
        assert cached_sha256(path) == sha256(path)


def test_times_that_were_set_back_hide_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    monkeypatch.setattr("personax.files._SETTLED_NS", -1)
    first, times = cached_sha256(path), path.stat()
    time.sleep(0.02)
    path.write_text("two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert cached_sha256(path) != first


def test_manifests_alone_tell_the_time(tmp_path: Path) -> None:
    commit(StudyFolder(tmp_path), OLD)
    raw = json.loads((tmp_path / "manifests" / "collect.json").read_text())
    assert list(raw)[:3] == ["format", "stage", "revision"]
