"""PC with our KCI against PC with causal-learn's, on the same people; writes benchmarks/results/discovery.md.

python benchmarks/discovery.py [--variables 12] [--rows 200,400,2000] [--peer 100,200,400]

Needs the extra discovery. causal-learn's time at the largest size is extrapolated from the sizes given, and said so.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import warnings
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from causallearn.search.ConstraintBased.PC import pc as peer_pc
from threadpoolctl import threadpool_limits

from personax.discovery import pc
from personax.schema import Kind
from personax.stages import ci_test

RESULTS = Path(__file__).parent / "results" / "discovery.md"
SHARE = 0.25
"""Of all earlier variables that are causes of a variable."""


def people(rows: int, variables: int, seed: int) -> tuple[pl.DataFrame, set[frozenset[str]]]:
    """Return people with bent causes, and the pairs that are joined."""
    graph, rng = np.random.default_rng(seed), np.random.default_rng([seed, rows])
    values = np.zeros((rows, variables))
    joined = set()
    for j in range(variables):
        values[:, j] = rng.normal(size=rows)
        for k in range(j):
            if graph.random() < SHARE:
                values[:, j] += np.tanh(2 * values[:, k]) if (k + j) % 2 else 0.5 * values[:, k] ** 2 - 0.5
                joined.add(frozenset((f"v{k}", f"v{j}")))
    return pl.DataFrame(values, schema=[f"v{j}" for j in range(variables)]), joined


def ours(frame: pl.DataFrame, truth: set[frozenset[str]]) -> tuple[float, str]:
    kinds: dict[str, Kind] = dict.fromkeys(frame.columns, "continuous")
    start = time.perf_counter()
    graph = pc(frame, alpha=0.01, test=ci_test("kci", kinds))
    seconds = time.perf_counter() - start
    found = {frozenset((edge.source, edge.target)) for edge in graph.edges}
    return seconds, f"{len(found & truth)} of {len(truth)} joined pairs, {len(found - truth)} more"


def theirs(frame: pl.DataFrame) -> float:
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer_pc(frame.to_numpy(), 0.01, "kci", show_progress=False)
    return time.perf_counter() - start


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variables", type=int, default=12)
    parser.add_argument("--rows", type=numbers, default=[200, 400, 2000])
    parser.add_argument("--peer", type=numbers, default=[100, 200, 400], help="sizes that causal-learn is timed at")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("personax", "causal-learn", "numpy", "scipy"))
    lines = [
        "# PC, measured",
        "",
        f"{date.today()}; {platform.machine()}, {os.cpu_count()} cores, one BLAS thread; {packages}.",
        "",
        f"`{' '.join(['python benchmarks/discovery.py', *sys.argv[1:]])}`",
        "",
        f"| PC, {asked.variables} variables, level .01, KCI | n | s | found |",
        "|---|---|---|---|",
    ]
    known = []
    with threadpool_limits(1, user_api="blas"):
        for rows in asked.peer:
            frame, _ = people(rows, asked.variables, asked.seed)
            known.append((rows, theirs(frame)))
            lines.append(f"| causal-learn | {rows:,} | {known[-1][1]:.1f} | |")
            print(lines[-1], flush=True)
        for rows in asked.rows:
            frame, truth = people(rows, asked.variables, asked.seed)
            seconds, found = ours(frame, truth)
            lines.append(f"| personax | {rows:,} | {seconds:.1f} | {found} |")
            print(lines[-1], flush=True)
    logs = np.log(np.array(known))
    exponent, level = np.polyfit(logs[:, 0], logs[:, 1], 1)
    ahead = float(np.exp(level) * max(asked.rows) ** exponent)
    lines.append(f"| causal-learn, extrapolated (exponent {exponent:.2f}) | {max(asked.rows):,} | {ahead:,.0f} | |")
    print(lines[-1])
    asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
