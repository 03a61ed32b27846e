"""No worker outlives the process that began it, however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc"),
]

ROOT = Path(__file__).parents[2]
PATH = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"

THREAD = """
import sys, threading
from personax.engine import ProcessEngine
from tests.engine.units import slow

def work():
    list(ProcessEngine(2).map(slow, range(500), shared=sys.argv[1]))

if __name__ == "__main__":
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""


def children(pid: int) -> set[int]:
    """Return the processes that a process began and that are alive, all generations."""
    parents = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state != "Z":
                parents[int(path.name)] = int(parent)
    found, more = set[int](), {pid}
    while more:
        more = {child for child, parent in parents.items() if parent in more}
        found |= more
    return found


def until(what: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def alive(pids: set[int]) -> set[int]:
    """Return which processes are neither gone nor zombies that nobody has looked at."""
    found = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def workers(pid: int) -> set[int]:
    """Return the workers among the children: those that have imported numpy are beyond their first second."""
    return {child for child in children(pid) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{i}": rng.normal(size=3000) for i in range(6)})
    frame.write_csv(tmp_path / "people.csv")
    return tmp_path / "people.csv"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_command_that_is_ended_leaves_no_worker(people: Path, tmp_path: Path, sent: signal.Signals) -> None:
    command = [sys.executable, "-m", "personax", "discover", str(people), "--test", "kci", "--bootstraps", "1000",
               "--jobs", "2", "--out", str(tmp_path / "out")]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert until(lambda: len(workers(process.pid)) == 2, 60)
        time.sleep(2.0 if sent == signal.SIGKILL else 0.5)  # into the work, and before it
        left = children(process.pid)
        process.send_signal(sent)
        _, errors = process.communicate(timeout=30)
    assert until(lambda: not alive(left), 10), alive(left)
    if sent != signal.SIGKILL:
        assert process.returncode == 128 + sent, errors
        assert "Traceback" not in errors
        name = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}[sent]
        assert f"error: stopped by {name}: nothing was written" in errors


def test_workers_that_a_thread_began_end_too(tmp_path: Path) -> None:
    """The kernel's signal is not asked for there: it would come when the thread ends."""
    script = tmp_path / "script.py"
    script.write_text(THREAD)
    marks = tmp_path / "marks"
    marks.mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(marks)], cwd=ROOT, env=os.environ | {"PYTHONPATH": PATH}
    ) as process:
        assert until(lambda: len({mark.name.partition("-")[2] for mark in marks.iterdir()}) == 2, 60)
        left = children(process.pid)
        process.kill()
    assert until(lambda: not alive(left), 10), alive(left)
