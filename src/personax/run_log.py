"""The log of a study: ``run.log`` in its folder, one JSON object a line, about runs and stages and never about people.

Every value is of a closed kind: a number, a time, the name of a stage or of an exception, a place in the code, a count
under one of `COUNTS`. Messages, file names, settings and reasons are left out, since they may quote what people or
study files say; the terminal and the manifests have them.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeGuard, get_args

from personax.files import parse_json, private_mode
from personax.schema import Status

__all__ = ["COUNTS", "LOG_NAME", "MAX_LOG_BYTES", "Meter", "RunLog", "logged_counts", "read_log"]

LOG_NAME = "run.log"
MAX_LOG_BYTES = 1_000_000
"""A run that finds a longer log keeps it as ``run.log.1``, in place of the one before."""

COUNTS = frozenset({
    "asked_now", "bad_cells", "bootstraps",
    "bootstraps_failed", "bytes", "columns", "edges", "judged_now", "latents", "not_run", "people", "people_placed",
    "people_scored", "people_with_country", "pictures", "rejected", "rejected_with_uncertain_scores",
    "scores_flagged", "seeds", "tests", "tests_nothing_varies", "variables",
} | {f"answers_{status}" for status in get_args(Status)})  # fmt: skip
"""Counts of a manifest that are logged; others may be named by what a study file says (a modality, a source)."""

Level = Literal["info", "warning", "error"]


class Meter:
    """Wall time, processor time and memory of this process and of its children that ended, since it was made.

    Examples
    --------
    >>> sorted(Meter().read())[:3]
    ['children_peak_mb', 'cpu_seconds', 'peak_mb']
    """

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu_seconds()

    @property
    def seconds(self) -> float:
        """Wall time so far."""
        return time.perf_counter() - self._wall

    def read(self) -> dict[str, float]:
        """Return ``seconds``, ``cpu_seconds``, and the highest resident memory in MB (1e6 bytes).

        The operating system keeps one high-water mark a process, from its beginning: ``peak_mb`` grows from stage to
        stage, and the stage with which it grows is the one that needed more. ``children_peak_mb`` is that of the
        largest child that has ended.
        """
        return {
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(_cpu_seconds() - self._cpu, 3),
            **_peak_memory(),
        }


def _cpu_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak_memory() -> dict[str, float]:
    try:
        import resource
    except ImportError:  # not a POSIX system
        return {}
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024  # bytes there, KiB elsewhere
    kinds = {"peak_mb": resource.RUSAGE_SELF, "children_peak_mb": resource.RUSAGE_CHILDREN}
    return {name: round(resource.getrusage(kind).ru_maxrss / unit, 1) for name, kind in kinds.items()}


class RunLog:
    """Appends to the log of one study; the file is readable by its owner only, and never followed through a link.

    A log that cannot be written (a full disk, a finished study on a read-only medium) is told once and stops no run.

    Parameters
    ----------
    folder
        The study folder.
    tell
        Receives the sentence that says why there is no log.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with RunLog(Path(folder)).span("run"):
    ...         pass
    ...     [record["event"] for record in read_log(Path(folder))]
    ['run_started', 'run_done']
    """

    def __init__(self, folder: Path, *, tell: Callable[[str], None] = lambda text: None) -> None:
        self._path, self._tell, self._usable = folder / LOG_NAME, tell, True
        with contextlib.suppress(OSError):
            if self._path.lstat().st_size > MAX_LOG_BYTES:
                self._path.replace(self._path.with_name(f"{LOG_NAME}.1"))

    @contextlib.contextmanager
    def span(self, kind: str, *, stage: str | None = None, **facts: object) -> Iterator[dict[str, Any]]:
        """Log ``<kind>_started``, and at the end of the block ``<kind>_done``, ``_failed`` or ``_stopped`` with costs.

        Yields what the last line says further, to be filled by the block. An exception is logged by its class and the
        line of personax that it came through, without its text, and goes on.
        """
        self.write(f"{kind}_started", facts, stage=stage)
        meter = Meter()
        ended: dict[str, Any] = {}
        try:
            yield ended
        except Exception as error:
            self.write(f"{kind}_failed", _describe(error) | meter.read(), level="error", stage=stage)
            raise
        except BaseException as error:  # Ctrl-C, a signal, an exit
            self.write(f"{kind}_stopped", _describe(error) | meter.read(), level="warning", stage=stage)
            raise
        self.write(f"{kind}_done", ended | meter.read(), stage=stage)

    def write(
        self, event: str, facts: Mapping[str, object] = {}, *, level: Level = "info", stage: str | None = None
    ) -> None:
        """Append one line, in one call to the operating system."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {"time": now, "level": level, "pid": os.getpid(), "event": event, "stage": stage, **facts}
        line = json.dumps({key: value for key, value in record.items() if value is not None}, allow_nan=False)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            with _opened(self._path, flags, private_mode(self._path.parent)) as file:
                os.write(file, f"{line}\n".encode())
        except OSError as error:
            if self._usable:
                self._usable = False
                self._tell(f"{self._path} cannot be written ({error.strerror}); the run goes on without a log")


def logged_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of a stage that may be logged: those under a name of ours."""
    return {name: counts[name] for name in sorted(COUNTS & counts.keys())}


def _describe(error: BaseException) -> dict[str, object]:
    """Return the class of an error and the innermost line of personax that it came through."""
    frames = [(frame.f_globals.get("__name__", ""), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [f"{module}:{line}" for module, line in frames if module.split(".")[0] == "personax" and module != __name__]
    return {"error": type(error).__name__, "at": ours[-1]} if ours else {"error": type(error).__name__}


@contextlib.contextmanager
def _opened(path: Path, flags: int, mode: int = 0) -> Iterator[int]:
    """Open a file that is one: a link is not followed, and for a pipe nobody waits."""
    file = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), mode)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "it is a folder, a pipe or a device")
        yield file
    finally:
        os.close(file)


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the records of a study's log, the oldest first; lines that are not records are passed over.

    Of a log longer than twice `MAX_LOG_BYTES` its end is read.
    """
    try:
        with _opened(folder / LOG_NAME, os.O_RDONLY) as file:
            begin = max(0, os.fstat(file).st_size - 2 * MAX_LOG_BYTES)
            lines = os.pread(file, 2 * MAX_LOG_BYTES, begin).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [record for line in lines if _is_record(record := _parsed(line))]


def _parsed(line: str) -> Any:  # noqa: ANN401 - whatever somebody wrote there
    with contextlib.suppress(ValueError):
        return parse_json(line)
    return None


def _is_record(record: object) -> TypeGuard[dict[str, Any]]:
    """Say whether it has the shape of what `RunLog` writes: an event, and a stage that is a name if there is one."""
    return (
        isinstance(record, dict)
        and isinstance(record.get("event"), str)
        and isinstance(record.get("stage", ""), str)
        and isinstance(record.get("time", ""), str)
    )
