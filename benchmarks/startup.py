"""CPU time until the command line answers, beside what it stands on: ``python benchmarks/startup.py``.

Each line is the least of several processes, user and system time together, and as a multiple of importing typer and
rich.console, which any such program pays.
"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import time

TIMES = 7
BASE = ["-c", "import typer, rich.console"]
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import typer, rich.console": BASE,
    "personax --version": ["-m", "personax", "--version"],
    "personax --help": ["-m", "personax", "--help"],
    "personax run --help": ["-m", "personax", "run", "--help"],
    "personax independence --help": ["-m", "personax", "independence", "--help"],
}


def seconds(words: list[str]) -> float:
    """Return the least CPU time of a child over several runs."""
    found = []
    for _ in range(TIMES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def main() -> None:
    """Print a table."""
    base = seconds(BASE)
    print(f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {platform.machine()}\n")
    print("| command | CPU s | times the base |\n|---|---|---|")
    for name, words in COMMANDS.items():
        own = base if words == BASE else seconds(words)
        print(f"| {name} | {own:.3f} | {own / base:.1f} |")


if __name__ == "__main__":
    main()
