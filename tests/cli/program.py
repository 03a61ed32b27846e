"""The program as a person meets it, without a new Python for every call: exit code and both streams of ``main``."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from personax.cli import main

__all__ = ["Run", "one_sentence", "personax"]

Done = subprocess.CompletedProcess[str]
Run = Callable[..., tuple[int, str, str]]
"""Words of a command -> exit code, what it printed, and its errors; see the fixture ``personax``."""


def personax(*words: str | Path, cwd: Path | None = None) -> Done:
    """Run the command line in this process; what no command catches is raised, so that a traceback is seen."""
    out, errors = io.StringIO(), io.StringIO()
    command = ["personax", *map(str, words)]
    with (
        mock.patch.object(sys, "argv", command),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
        contextlib.chdir(cwd or Path.cwd()),
    ):
        code = _code_of_main()
    return subprocess.CompletedProcess(command, code, out.getvalue(), errors.getvalue())


def _code_of_main() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def one_sentence(done: Done) -> str:
    """Return the error of a command that stopped as it should."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    return errors[0]
