"""Processes to kill and to read, forked from one that has imported personax: a new Python would import for seconds."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).parents[1]
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
    """Start what ``python -c code words`` would here; ``exitcode`` is -9 after ``kill``. For POSIX systems."""
    whole = (
        f"import os, sys\nsys.path.append({str(ROOT)!r})\nsys.argv = {['-c', *map(str, words)]!r}\n"
        f"os.chdir({str(Path.cwd())!r})\nos.environ.clear()\nos.environ.update({dict(os.environ)!r})\n{textwrap.dedent(code)}"
    )
    process = _server.Process(target=exec, args=(whole, {"__name__": "__main__"}))
    process.start()
    return process


PROGRAM = """
for number, path in enumerate(sys.argv[1:3], 1):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
sys.argv = ["personax", *sys.argv[3:]]
from personax.cli import main
main()
"""


@dataclass
class Program:
    """The command line in a process of its own."""

    process: BaseProcess
    out: Path
    errors: Path

    def send(self, number: int) -> None:
        """Send a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self, seconds: float = 60) -> tuple[int | None, str, str]:
        """Return the exit code and what the program said on both streams."""
        self.process.join(seconds)
        return self.process.exitcode, self.out.read_text(encoding="utf-8"), self.errors.read_text(encoding="utf-8")


@contextmanager
def program(streams: Path, *words: str | Path) -> Iterator[Program]:
    """Start ``personax words``, whose streams are files of a folder; it is gone after the block."""
    streams.mkdir(parents=True, exist_ok=True)
    out, errors = streams / "out", streams / "errors"
    process = start(PROGRAM, out, errors, *words)
    try:
        yield Program(process, out, errors)
    finally:
        process.kill()
        process.join()


FORKING = """
import importlib, json, os, sys, traceback
for name in ("personax.cli", "personax.stages", "personax.study"):
    importlib.import_module(name)
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if not child:
        os.dup2(os.open(asked["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(1, 2)
        os.chdir(asked["cwd"])
        sys.path.insert(0, asked["cwd"])
        sys.argv = ["-c", *asked["words"]]
        code = 0
        try:
            exec(asked["code"], {"__name__": "__main__"})
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            code = 1
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Interpreter:
    """A Python that finds packages of other people from its beginning, and forks for every piece of code it runs."""

    def __init__(self, said: Path, paths: Sequence[Path]) -> None:
        found = os.pathsep.join([*map(str, paths), *sys.path])
        self.said = said
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": found, "COLUMNS": "300"},
        )  # fmt: skip

    def run(self, code: str, *words: str | Path, cwd: Path) -> str:
        """Return what code said; it has to end well."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"code": code, "words": [*map(str, words)], "cwd": str(cwd), "said": str(self.said)}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        code_of_child = self.process.stdout.readline().strip()
        said = self.said.read_text(encoding="utf-8")
        assert code_of_child == "0", said
        return said

    def close(self) -> None:
        """End it."""
        self.process.communicate(timeout=60)
