"""Beyond one machine, on a local Ray cluster of three nodes: equality, kills, overhead, memory, a projection.

    OMP_NUM_THREADS=1 python benchmarks/scale.py [--only equality kills memory overhead] [--rows 50000000]
        [--kills 10] [--write]

- equality: every room that runs on an engine gives the same bytes as one process.
- kills: SIGKILL of a worker, of a node and of the driver, each so often; nothing is lost or doubled, and ten seconds
  later no process of theirs is alive.
- memory: peak of Level I over a data set of 1e6 to 1e8 rows, one process each.
- overhead: Level I over a data set with one local worker process, and with one worker of the cluster, in turns; the
  least of three.
- projection: on paper, from the numbers above.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from personax.engine import ProcessEngine, RayEngine, ThreadEngine, parallel_config
from personax.independence import screen

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path(__file__).parent / "results" / "scale.md"
NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
PART = 1_000_000
GONE_SECONDS = 10
FEATURES, TARGETS = ["height", "team", "weight"], ["trait", "other"]


@contextmanager
def cluster(nodes: int) -> Iterator[Cluster]:
    """Begin a cluster whose workers find personax and the tests."""
    import ray
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # 15 is its default: on a busy machine its workers would wait for everything else
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - how Ray spells it
    made = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
    try:
        for _ in range(nodes - 1):
            made.add_node(**NODE)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def gone(pids: set[int]) -> bool:
    """Say whether no process is alive ten seconds later at the latest."""
    end = time.monotonic() + GONE_SECONDS
    while left := {pid for pid in pids if alive(pid)}:
        if time.monotonic() > end:
            print("alive:", left)
            return False
        time.sleep(0.1)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def equality() -> list[str]:
    from tests.engine.rooms import results

    expected = results(ThreadEngine(1))
    with cluster(3) as made:
        found = results(RayEngine(made.address))
    return [
        f"| {name} | {len(whole):,} bytes | {'equal' if found[name] == whole else 'DIFFERENT'} |"
        for name, whole in expected.items()
    ]


def marks(folder: Path) -> list[tuple[int, int]]:
    """Return (item, process) of every item that was begun."""
    return [(int(item), int(pid)) for item, _, pid in (mark.name.partition("-") for mark in folder.iterdir())]


def kill_workers(made: Cluster, times: int) -> str:
    """Kill workers in the middle of items, one after the other."""
    from tests.engine.units import slow

    with tempfile.TemporaryDirectory() as name:
        folder, killed = Path(name), set[int]()

        def kill() -> None:
            while len(killed) < times:
                for pid in {pid for _, pid in marks(folder)} - killed:
                    if len(killed) < times:
                        os.kill(pid, signal.SIGKILL)
                        killed.add(pid)
                        time.sleep(0.5)
                time.sleep(0.05)

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        items = 20 * times
        found = list(RayEngine(made.address).map(slow, range(items), shared=name))
        thread.join(timeout=60)
        begun = marks(folder)
        once = sorted(place for place, _ in found) == list(range(items)) and all(p == i for p, (i, _) in found)
        ended = gone({pid for _, pid in begun})
    return f"| worker | {len(killed)} | {items} items, {len(begun)} begun | {_said(once)} | {_said(ended)} |"


def kill_nodes(made: Cluster, times: int) -> str:
    """Kill a node in the middle of a loop, each time another one."""
    from tests.engine.units import drawn

    shared = {"x": np.random.default_rng(0).normal(size=(4000, 300))}
    expected = dict(ThreadEngine(1).map(drawn, np.random.default_rng(1).spawn(40), shared=shared))
    good, pids = 0, set[int]()
    for _ in range(times):
        node = made.add_node(**NODE)
        pids |= {process.process.pid for kind in node.all_processes.values() for process in kind}
        found: dict[int, bytes] = {}
        doubled, items = False, np.random.default_rng(1).spawn(40)
        for place, result in RayEngine(made.address, workers=4).map(drawn, items, shared=shared):
            doubled |= place in found
            found[place] = result
            if len(found) == 8:
                made.remove_node(node, allow_graceful=False)
        good += found == expected and not doubled
    same = f"bytes as of one process: {good} of {times}"
    return f"| node | {times} | {same} | {_said(good == times)} | {_said(gone(pids))} |"


DRIVER = """
import sys
from personax.engine import RayEngine
from tests.engine.units import slow
for place, (item, pid) in RayEngine(sys.argv[1]).map(slow, range(500), shared=sys.argv[2]):
    print(pid, flush=True)
"""


def kill_drivers(made: Cluster, times: int) -> str:
    """Kill the process that began a loop; its workers must end, and another run must give all of it."""
    from tests.engine.units import slow

    ended = 0
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            command = [sys.executable, "-c", DRIVER, made.address, name]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                pids = {int(process.stdout.readline()) for _ in range(6)}
                process.kill()
            ended += gone(pids)
    with tempfile.TemporaryDirectory() as name:
        places = sorted(place for place, _ in RayEngine(made.address).map(slow, range(9), shared=name))
    whole = _said(places == list(range(9)))
    return f"| driver | {times} | workers gone: {ended} of {times} | {whole} | {_said(ended == times)} |"


def _said(good: bool) -> str:
    return "yes" if good else "NO"


def kills(times: int) -> list[str]:
    with cluster(3) as made:
        return [kill(made, times) for kill in (kill_workers, kill_nodes, kill_drivers)]


def write_part(folder: Path, number: int) -> Path:
    """Write a million invented people; every part is made of its own number alone."""
    rng = np.random.default_rng([7, number])
    trait = rng.integers(1, 6, PART).astype(np.int8)
    frame = pl.DataFrame({
        "trait": trait, "other": rng.integers(1, 10, PART).astype(np.int8),
        "height": (165.0 + 2 * trait.astype(float) + rng.normal(0, 9, PART)).round().astype(np.int16),
        "weight": rng.normal(70, 12, PART).round(0).astype(np.int16), "team": rng.integers(0, 30, PART).astype(np.int8),
    })  # fmt: skip
    path = folder / f"part-{number:04d}.parquet"
    frame.write_parquet(path, compression="zstd", statistics=False)
    return path


def level_one(files: list[Path]) -> pl.DataFrame:
    kinds = {"team": "nominal", "trait": "ordinal", "other": "ordinal", "height": "continuous", "weight": "continuous"}
    return screen(files, FEATURES, TARGETS, tests=["kci", "chisq"], kinds=kinds)  # type: ignore[arg-type]


ONE = """
import json, resource, sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
import scale
files = sorted(Path(sys.argv[1]).iterdir())
rows = int(sys.argv[2])
files = (files * (rows // (len(files) * scale.PART) + 1))[: rows // scale.PART]
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began, spent = time.perf_counter(), time.process_time()
found = scale.level_one(files)
print(json.dumps({{"rows": rows, "n": int(found["n"].max()), "seconds": time.perf_counter() - began,
    "cpu": time.process_time() - spent, "base": base / 1024,
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""


def memory(folder: Path, sizes: list[int]) -> list[dict[str, Any]]:
    """Measure one process a size. Above the parts that are there, they are read again: memory and time are the same."""
    script, told = ONE.format(here=str(Path(__file__).parent)), []
    for rows in sizes:
        command = [sys.executable, "-c", script, str(folder), str(rows)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        told.append(json.loads(done.stdout))
        print(told[-1], flush=True)
    return told


def overhead(folder: Path, rows: int) -> dict[str, Any]:
    """Measure one local worker process and one worker of the cluster, in turns."""
    files = sorted(folder.iterdir())[: rows // PART]
    seconds: dict[str, list[float]] = {"local": [], "ray": []}
    found: dict[str, pl.DataFrame] = {}
    with cluster(1) as made:
        engines: dict[str, Callable[[], Any]] = {
            "local": lambda: ProcessEngine(1),
            "ray": lambda: RayEngine(made.address, workers=1),
        }
        for _ in range(3):
            for name, engine in engines.items():
                began = time.perf_counter()
                with parallel_config(engine()):
                    found[name] = level_one(files)
                seconds[name].append(time.perf_counter() - began)
                print(name, f"{seconds[name][-1]:.1f} s", flush=True)
    least = {name: min(some) for name, some in seconds.items()}
    return {"rows": len(files) * PART, "seconds": least, "all": seconds, "equal": found["local"].equals(found["ray"]),
            "share": least["ray"] / least["local"] - 1}  # fmt: skip


def projection(cpu: float, merge: float) -> list[str]:
    """Say how long 64 nodes of 16 CPUs would take, on paper, from CPU seconds a row and of the driver a unit."""
    lines = [
        "## 64 nodes, on paper", "",
        f"{cpu * 1e9:.0f} CPU ns a row for six pairs, {merge * 1e3:.0f} ms of the driver a unit of 8,000,000 rows;",
        "30 s until all workers have begun. Assumed: storage that feeds every node (5 bytes a row), counts of a few",
        "thousand distinct rows a pair, no node lost (each costs the units in its hands).", "",
        "| rows | nodes of 16 CPUs | counting | merging in the driver | whole |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for rows in (10**9, 10**10, 10**11):
        for nodes in (1, 64):
            count, merging = rows * cpu / (16 * nodes), rows / 8e6 * merge
            whole = max(count, merging) + 30
            lines.append(f"| {rows:.0e} | {nodes} | {count:,.0f} s | {merging:,.0f} s | {whole:,.0f} s |")
    return [*lines, ""]


def merge_seconds() -> float:
    """Return how long the driver takes for the counts of one unit of all pairs."""
    rng = np.random.default_rng(0)
    frames = [pl.DataFrame({"a": rng.integers(0, 100, 3000), "b": rng.integers(0, 30, 3000), "n": 1}) for _ in range(6)]
    began = time.process_time()
    for frame in frames * 20:
        pl.concat([frame, frame]).group_by("a", "b").agg(pl.col("n").sum())
    return (time.process_time() - began) / 20


def memory_table(found: list[dict[str, Any]]) -> list[str]:
    header = ["| rows | s | CPU s | peak MB | of which before it begins |", "|---|---|---|---|---|"]
    rows = [
        f"| {one['rows']:.0e} | {one['seconds']:.1f} | {one['cpu']:.1f} | {one['peak']:.0f} | {one['base']:.0f} |"
        for one in found
    ]
    return ["## Memory of Level I over a data set, one process", "", "Six pairs, KCI and chi-square.", "",
            *header, *rows, ""]  # fmt: skip


def overhead_text(one: dict[str, Any]) -> list[str]:
    each = ", ".join(f"{name} {' '.join(f'{s:.1f}' for s in some)} s" for name, some in one["all"].items())
    least = f"least {one['seconds']['local']:.1f} s and {one['seconds']['ray']:.1f} s: {one['share']:+.1%}"
    text = f"{one['rows']:,} rows, p-values equal: {one['equal']}; {each}; {least}."
    return ["## One node against local", "", text, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", nargs="*", default=["equality", "kills", "memory", "overhead"])
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10**6, 10**7, 10**8])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/results/scale.md")
    asked = parser.parse_args()
    ray = version("ray")
    told = [f"# Beyond one machine: {date.today()}, {platform.machine()}, {os.cpu_count()} cores, Ray {ray}", ""]
    if "equality" in asked.only:
        told += ["## Equality on three nodes", "", "| room | size | |", "|---|---|---|", *equality(), ""]
    if "kills" in asked.only:
        header = ["| killed | times | | nothing lost or doubled | none alive 10 s later |", "|---|---|---|---|---|"]
        told += ["## SIGKILL", "", *header, *kills(asked.kills), ""]
        print("\n".join(told), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(asked.rows // PART if {"memory", "overhead"} & set(asked.only) else 0):
            write_part(folder, number)
        if "memory" in asked.only:
            found = memory(folder, asked.sizes)
            told += [*memory_table(found), *projection(found[-1]["cpu"] / found[-1]["rows"], merge_seconds())]
        if "overhead" in asked.only:
            told += overhead_text(overhead(folder, asked.rows))
    print("\n".join(told))
    if asked.write:
        RESULTS.write_text("\n".join(told), encoding="utf-8")


if __name__ == "__main__":
    main()
