"""Processes to kill, forked from a server that has imported personax once: a new Python would import for seconds."""

from __future__ import annotations

import multiprocessing
import textwrap
from multiprocessing.process import BaseProcess
from pathlib import Path

PRELOADED = [
    "matplotlib.figure",
    "httpx2",
    "scipy.stats",
    "torch._dynamo",
    "personax.cli",
    "personax.traits.llms._runner",
]
"""What is not installed is left out."""

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(PRELOADED)


def start(code: str, *words: str | Path) -> BaseProcess:
    """Start what ``python -c code words`` would; ``exitcode`` is -9 after ``kill``. For POSIX systems."""
    whole = f"import sys\nsys.argv = {['-c', *map(str, words)]!r}\n{textwrap.dedent(code)}"
    process = _server.Process(target=exec, args=(whole, {"__name__": "__main__"}))
    process.start()
    return process
