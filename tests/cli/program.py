"""The program as a person meets it, without a new Python for every call: exit code and both streams of ``main``."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO
from unittest import mock

from personax.cli import main

__all__ = ["Run", "one_sentence", "personax", "printing_to"]

Done = subprocess.CompletedProcess[str]
Run = Callable[..., tuple[int, str, str]]
"""Words of a command -> exit code, what it printed, and its errors; see the fixture ``personax``."""


def personax(*words: str | Path, cwd: Path | None = None) -> Done:
    """Run the command line in this process; what no command catches is raised, so that a traceback is seen."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd or Path.cwd()):
        code = printing_to(out, errors, *words)
    return subprocess.CompletedProcess(["personax", *map(str, words)], code, out.getvalue(), errors.getvalue())


def printing_to(out: TextIO, errors: TextIO, *words: str | Path) -> int:
    """Run the command line in this process on these streams; return its exit code."""
    with (
        mock.patch.object(sys, "argv", ["personax", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        return _code_of_main()


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
