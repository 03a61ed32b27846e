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

from personax.cli.lazy import COMMANDS

TIMES = 3
BASE = ["-c", "import typer, rich.console"]
ONE = """import typer, pathlib
app = typer.Typer()
@app.command()
def one(path: pathlib.Path, number: int = typer.Option(1, help="n")) -> None: ...
app(["--help"])"""
SHOWN = {
    "python -c pass": ["-c", "pass"],
    "import typer, rich.console": BASE,
    "--help of a program of typer with one path and one number": ["-c", ONE],
    "personax --version": ["-m", "personax", "--version"],
    "personax --help": ["-m", "personax", "--help"],
}
SHOWN |= {
    f"personax {name} --help": ["-m", "personax", name, "--help"] for panel in COMMANDS.values() for name in panel
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
    for name, words in SHOWN.items():
        own = base if words == BASE else seconds(words)
        print(f"| {name} | {own:.3f} | {own / base:.1f} |")


if __name__ == "__main__":
    main()
