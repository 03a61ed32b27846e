"""What the tests cost: CPU seconds (children too) by folder, and the slowest tests.

    OMP_NUM_THREADS=1 python benchmarks/suite.py [--out FILE] [pytest's arguments]

CPU seconds rather than seconds, so that what else the machine does changes little. One process, no workers.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SLOWEST = 30


def cpu() -> float:
    """Return CPU seconds of this process and of its children, those that ended and those that fork for the tests."""
    own = os.times()
    alive = [Path(f"/proc/{child}/stat") for child in multiprocessing_children()]
    ticks = sum(int(n) for stat in alive for n in stat.read_text().rpartition(")")[2].split()[11:15])
    return own.user + own.system + own.children_user + own.children_system + ticks / os.sysconf("SC_CLK_TCK")


def multiprocessing_children() -> list[str]:
    """Return the children that live through many tests: the server that `tests.processes` forks from. Linux only."""
    with contextlib.suppress(OSError):
        return Path("/proc/thread-self/children").read_text().split()
    return []


class Clock:
    """A pytest plugin: CPU seconds of each test, its fixtures included."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Time one test from the first fixture to the last."""
        begin = cpu()
        try:
            return (yield)  # a wrapper's result
        finally:
            self.seconds[item.nodeid] = cpu() - begin


def folder(test: str) -> str:
    """Return the room of a test: tests/<room>, or the file where it lies in tests itself."""
    parts = test.split("::")[0].split("/")
    return "/".join(parts[:2]) if parts[0] == "tests" else parts[0]


def table(seconds: dict[str, float]) -> str:
    """Return Markdown: seconds by folder, then the slowest tests."""
    rooms: dict[str, list[float]] = collections.defaultdict(list)
    for test, spent in seconds.items():
        rooms[folder(test)].append(spent)
    lines = ["| folder | tests | CPU s |", "|---|---|---|"]
    lines += [f"| {name} | {len(rooms[name])} | {sum(rooms[name]):.1f} |" for name in sorted(rooms)]
    lines += [f"| all | {len(seconds)} | {sum(seconds.values()):.1f} |", "", "| slowest | CPU s |", "|---|---|"]
    slowest = sorted(seconds, key=lambda test: -seconds[test])[:SLOWEST]
    lines += [f"| {test.removeprefix('tests/')} | {seconds[test]:.1f} |" for test in slowest]
    share = sum(seconds[test] for test in slowest) / max(sum(seconds.values()), 1e-9)
    return "\n".join([*lines, f"| share of these {len(slowest)} | {share:.0%} |"])


def main() -> int:
    """Run pytest and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="JSON of seconds by test; what it holds of other tests stays")
    wanted, arguments = parser.parse_known_args()
    clock = Clock()
    code = pytest.main(["-q", "-p", "no:xdist", *arguments], plugins=[clock])
    seconds = clock.seconds
    if wanted.out:
        with contextlib.suppress(FileNotFoundError):
            seconds = json.loads(wanted.out.read_text(encoding="utf-8")) | seconds
        wanted.out.write_text(json.dumps(seconds, indent=0), encoding="utf-8")
    print(table(seconds))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
