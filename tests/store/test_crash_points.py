"""Every system call of a commit: the process dies before it, or it fails. The stage is the old one or the new one."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.processes import start
from tests.store.helpers import NEW, OLD, check_whole, commit, seen

from personax.errors import StudyError
from personax.store import StudyFolder

CALLS = ("replace", "rename", "link", "unlink", "chmod", "mkdir", "rmdir", "fsync", "open")

DYING = """
import os, shutil, signal, sys
from pathlib import Path
from tests.store.helpers import NEW, commit
from personax.store import StudyFolder
before, n, ended = Path(sys.argv[1]), -1, 1
while ended:
    n += 1
    root = shutil.copytree(before, before.with_name(f"killed-{n}"), copy_function=os.link)
    child = os.fork()
    if child == 0:
        break
    ended = os.waitpid(child, 0)[1]
    assert ended in (0, signal.SIGKILL), ended
if ended == 0:
    sys.exit(0)
left = [n]
def counting(call):
    def counted(*given, **named):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **named)
    return counted
for name in {calls!r}:
    setattr(os, name, counting(getattr(os, name)))
write = Path.write_text
def half(path, text, **named):
    left[0] -= 1
    if left[0] < 0:
        write(path, text[: len(text) // 2], **named)
        os.kill(os.getpid(), signal.SIGKILL)
    return write(path, text, **named)
Path.write_text = half
commit(StudyFolder(root), NEW)
os._exit(0)
"""


@pytest.fixture
def before(tmp_path: Path) -> Path:
    commit(StudyFolder(tmp_path / "before"), OLD)
    return tmp_path / "before"


@pytest.mark.slow
def test_a_kill_before_any_system_call_of_a_commit(before: Path, tmp_path: Path) -> None:
    """Killed by SIGKILL before the n-th call, for every n; a file that is being written is left half."""
    process = start(DYING.replace("{calls!r}", repr(CALLS)), before)
    process.join()
    assert process.exitcode == 0
    roots = sorted(tmp_path.glob("killed-*"), key=lambda root: int(root.name.split("-")[1]))
    ends = [check_whole(root) for root in roots]
    assert len(ends) > 40
    changes = sum(one != two for one, two in pairwise(ends))
    assert changes == 1, "one call is the commit: before it all is old, after it all is new"
    assert (ends[0], ends[-1]) == (OLD, NEW)


def failing_at(n: int, code: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make the n-th call fail; return the calls that are left."""
    left = [n]

    def counting(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == -1:
                raise OSError(code, os.strerror(code))
            return call(*given, **named)

        return counted

    for name in CALLS:
        monkeypatch.setattr(os, name, counting(getattr(os, name)))
    return left


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_failure_of_any_system_call_of_a_commit(before: Path, tmp_path: Path, code: int) -> None:
    n, failed = 0, 0
    while True:
        root = shutil.copytree(before, tmp_path / f"failed-{n}", copy_function=os.link)
        with pytest.MonkeyPatch.context() as patched:
            left = failing_at(n, code, patched)
            try:
                commit(StudyFolder(root), NEW)
            except (StudyError, OSError) as error:
                failed += 1
                told = str(error)
                assert code != errno.ENOSPC or "is full" in told
        check_whole(root)
        commit(StudyFolder(root), NEW)
        assert check_whole(root) == NEW
        if left[0] > 0:
            break
        n += 1
    assert failed > 30


def test_a_reader_that_reads_all_the_time_sees_one_stage_or_the_other(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path, durable=False)
    commit(folder, OLD)
    script = """
        import sys
        from pathlib import Path
        from tests.store.helpers import NEW, OLD, commit
        from personax.store import StudyFolder
        for turn in range(12):
            commit(StudyFolder(Path(sys.argv[1]), durable=False), NEW if turn % 2 == 0 else OLD)
    """
    writer = start(script, tmp_path)
    looks: list[dict[str, str]] = []
    while writer.is_alive():
        try:
            looks.append(seen(StudyFolder(tmp_path)))
        except (StudyError, OSError):  # what it was about to read has just been replaced
            continue
    writer.join()
    assert writer.exitcode == 0
    assert all(look in (OLD, NEW) for look in looks)
    assert {str(look) for look in looks} == {str(OLD), str(NEW)}
