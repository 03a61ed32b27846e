"""How fast CelebA's label files are read; writes benchmarks/results/celeba.md.

python benchmarks/celeba.py [--images 202599] [--identities 10177] [--repeat 5]

The files are made in CelebA's format and size about invented pictures; no line of CelebA is needed or used. Each
reading runs in a process of its own, so that its peak of memory is its own; the table has the median of the repeats.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np

from personax.sources.celeba import CollectCelebA, read_attributes, read_celeba

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "celeba.md"

TASKS = {
    "attributes": "attributes read and checked (asked for: 3 s)",
    "table": "one row an identity: attributes, identities, majority of the eleven stable attributes (asked for: 3 s)",
    "all": "the same for all forty attributes",
    "chosen": "the eleven, and a picture of each identity by landmarks and boxes",
}


def run(task: str, folder: Path) -> int:
    if task == "attributes":
        return read_attributes(folder / "list_attr_celeba.txt").height
    attributes: Literal["all", "stable"] = "all" if task == "all" else "stable"
    settings = CollectCelebA(path=str(folder), attributes=attributes, choose_images=task == "chosen")
    return read_celeba(settings).people.height


def peak() -> float:
    """Return the peak of this process alone, in MB; that of getrusage begins with the parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measured(task: str, folder: Path) -> dict[str, float]:
    """Run a task in a process of its own."""
    command = [sys.executable, __file__, "--task", task, "--folder", str(folder)]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    return answer


def report(folder: Path, images: int, identities: int, repeat: int) -> str:
    from tests.sources.celeba.made import write_celeba

    write_celeba(folder, images, identities, rng=np.random.default_rng(0))
    size = (folder / "list_attr_celeba.txt").stat().st_size / 2**20
    rows = []
    for task, what in TASKS.items():
        runs = [measured(task, folder) for _ in range(repeat)]
        seconds = [each["seconds"] for each in runs]
        spread = f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
        cpu = statistics.median(each["cpu"] for each in runs)
        most = max(each["peak"] for each in runs)
        rows.append(f"| {what} | {runs[0]['rows']:,} | {spread} | {cpu:.2f} s | {most:.0f} MB |")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return "\n".join(
        [
            "# CelebA's label files, measured",
            "",
            f"`python benchmarks/celeba.py` on {date.today()}; {machine}, polars {version('polars')}; "
            f"{images:,} invented pictures of {identities:,} identities, attributes of {size:.0f} MB; "
            f"median of {repeat} (least to most); the machine was shared "
            f"(load {os.getloadavg()[0]:.0f}), so the processor time tells more.",
            "",
            "| what | rows | time | processor time | peak memory |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=202_599)
    parser.add_argument("--identities", type=int, default=10_177)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--task", choices=list(TASKS))
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.task:
        began, busy = time.perf_counter(), time.process_time()
        rows = run(given.task, given.folder)
        seconds, cpu = time.perf_counter() - began, time.process_time() - busy
        print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "peak": peak()}))
        return
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        text = report(Path(folder), given.images, given.identities, given.repeat)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
