"""Causal graphs beside causal-learn on the same people; writes benchmarks/results/discovery.md.

python benchmarks/discovery.py times [--variables 12] [--rows 200,400,2000] [--peer 100,200,400]
python benchmarks/discovery.py graphs [--draws 20] [--seed 1000]

``times``: PC with our KCI against causal-learn's. ``graphs``: wrong marks against the true equivalence class, in two
orders of the columns, over networks of the literature and random graphs with linear causes.

Needs the extra discovery. causal-learn's time at the largest size is extrapolated from the sizes given, and said so.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
from causallearn.search.ConstraintBased.PC import pc as peer_pc
from threadpoolctl import threadpool_limits

from personax.discovery import CiTest, pc, score_search
from personax.discovery._ci_test import PValue
from personax.schema import Graph, Kind
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


ASIA = "asia>tub tub>either smoke>lung smoke>bronc lung>either either>xray either>dysp bronc>dysp"
SACHS = (
    "PKC>Mek PKC>Raf PKC>Jnk PKC>P38 PKC>PKA PKA>Raf PKA>Mek PKA>Erk PKA>Akt PKA>Jnk PKA>P38 Raf>Mek Mek>Erk Erk>Akt "
    "Plcg>PIP3 Plcg>PIP2 PIP3>PIP2"
)
"""Lauritzen and Spiegelhalter 1988; Sachs et al. 2005 as in the R package bnlearn. Structures only: data are linear."""

Weights = tuple[list[str], np.ndarray]
Marks = dict[frozenset[str], str]


def network(text: str, rng: np.random.Generator) -> Weights:
    """Return the names and a weight for every edge, at [cause, effect]."""
    pairs = [pair.split(">") for pair in text.split()]
    names = sorted({name for pair in pairs for name in pair})
    weights = np.zeros((len(names), len(names)))
    for cause, effect in pairs:
        weights[names.index(cause), names.index(effect)] = rng.uniform(0.3, 1) * rng.choice([-1, 1])
    return names, weights


def random_network(variables: int, degree: float, rng: np.random.Generator) -> Weights:
    order, weights = rng.permutation(variables), np.zeros((variables, variables))
    for late in range(variables):
        for early in range(late):
            if rng.random() < degree / (variables - 1):
                weights[order[early], order[late]] = rng.uniform(0.3, 1) * rng.choice([-1, 1])
    return [f"v{place:02d}" for place in range(variables)], weights


def truth(names: list[str], weights: np.ndarray) -> Marks:
    """Return the marks that all graphs with these independences share: PC told them by separation."""
    graph = nx.DiGraph([(names[i], names[j]) for i, j in np.argwhere(weights)])
    graph.add_nodes_from(names)
    filler = pl.DataFrame({name: np.random.default_rng(k).normal(size=12) for k, name in enumerate(names)})

    def prepare(frame: pl.DataFrame) -> PValue:
        known = frame.columns
        return lambda x, y, z: float(nx.is_d_separator(graph, {known[x]}, {known[y]}, {known[one] for one in z}))

    return marks(pc(filler, test=CiTest("separation", prepare)))


def marks(graph: Graph) -> Marks:
    kinds = {frozenset((e.source, e.target)): (e.kind, e.target * (e.kind == "directed")) for e in graph.edges}
    return {pair: " ".join(kind) for pair, kind in kinds.items()}


def peer_marks(ends: np.ndarray, names: list[str]) -> Marks:
    found: Marks = {}
    for i, j in combinations(range(len(names)), 2):
        here, there = int(ends[i, j]), int(ends[j, i])
        if here or there:
            kind = {(-1, -1): "undirected ", (1, 1): "bidirected "}.get((here, there))
            found[frozenset((names[i], names[j]))] = kind or f"directed {names[j] if there == 1 else names[i]}"
    return found


def peer(frame: pl.DataFrame) -> Marks:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peer_marks(peer_pc(frame.to_numpy(), 0.01, "fisherz", show_progress=False).G.graph, frame.columns)


SEARCHES: dict[str, Callable[[pl.DataFrame], Marks]] = {
    "pc, causal-learn": peer,
    "pc": lambda frame: marks(pc(frame)),
    "ges": lambda frame: marks(score_search(frame, algorithm="ges")),
    "grasp": lambda frame: marks(score_search(frame, algorithm="grasp")),
    "boss": lambda frame: marks(score_search(frame, algorithm="boss")),
}


def graphs(asked: argparse.Namespace) -> list[str]:
    """Score every search on every network: wrong marks a graph, graphs that change with the order, CPU seconds."""
    makers: dict[str, tuple[int, Callable[[np.random.Generator], Weights]]] = {
        "asia, n = 500": (500, lambda rng: network(ASIA, rng)),
        "sachs, n = 500": (500, lambda rng: network(SACHS, rng)),
        "random, 8 variables, degree 2, n = 300": (300, lambda rng: random_network(8, 2, rng)),
        "random, 15 variables, degree 2, n = 500": (500, lambda rng: random_network(15, 2, rng)),
        "random, 15 variables, degree 3.5, n = 500": (500, lambda rng: random_network(15, 3.5, rng)),
        "random, 30 variables, degree 2, n = 1,000": (1000, lambda rng: random_network(30, 2, rng)),
    }
    for name, search in SEARCHES.items():  # imports are no part of a search
        search(people(50, 3, 0)[0])
        print("ready:", name, flush=True)
    lines = ["", f"| level .01, Fisher z; {asked.draws} draws | search | wrong marks a graph | other graph for reversed"
             " columns | CPU s |", "|---|---|---|---|---|"]  # fmt: skip
    for title, (rows, make) in makers.items():
        wrong: dict[str, list[int]] = {name: [] for name in SEARCHES}
        changed, seconds = dict.fromkeys(SEARCHES, 0), dict.fromkeys(SEARCHES, 0.0)
        for draw in range(asked.draws):
            rng = np.random.default_rng([asked.seed, draw])
            names, weights = make(rng)
            true = truth(names, weights)
            noise = rng.normal(size=(rows, len(names)))
            frame = pl.DataFrame(noise @ np.linalg.inv(np.eye(len(names)) - weights), schema=names)
            for name, search in SEARCHES.items():
                start = time.process_time()
                found = search(frame)
                seconds[name] += time.process_time() - start
                wrong[name].append(sum(true.get(pair) != found.get(pair) for pair in true.keys() | found.keys()))
                changed[name] += search(frame.select(names[::-1])) != found
        for name in SEARCHES:
            mean, error = np.mean(wrong[name]), np.std(wrong[name], ddof=1) / np.sqrt(asked.draws)
            each = seconds[name] / asked.draws
            lines.append(
                f"| {title} | {name} | {mean:.1f} ± {error:.1f} | {changed[name]} of {asked.draws} | {each:.3f} |"
            )
            print(lines[-1], flush=True)
    return lines


def times(asked: argparse.Namespace) -> list[str]:
    """Time PC with kernels, causal-learn's at the largest size extrapolated."""
    lines = ["", f"| PC, {asked.variables} variables, level .01, KCI | n | s | found |", "|---|---|---|---|"]
    known = []
    with threadpool_limits(1, user_api="blas"):
        for rows in asked.peer:
            frame, _ = people(rows, asked.variables, asked.seed)
            known.append((rows, theirs(frame)))
            lines.append(f"| causal-learn | {rows:,} | {known[-1][1]:.1f} | |")
            print(lines[-1], flush=True)
        for rows in asked.rows:
            frame, joined = people(rows, asked.variables, asked.seed)
            seconds, found = ours(frame, joined)
            lines.append(f"| personax | {rows:,} | {seconds:.1f} | {found} |")
            print(lines[-1], flush=True)
    logs = np.log(np.array(known))
    exponent, level = np.polyfit(logs[:, 0], logs[:, 1], 1)
    ahead = float(np.exp(level) * max(asked.rows) ** exponent)
    lines.append(f"| causal-learn, extrapolated (exponent {exponent:.2f}) | {max(asked.rows):,} | {ahead:,.0f} | |")
    print(lines[-1])
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["times", "graphs"])
    parser.add_argument("--variables", type=int, default=12)
    parser.add_argument("--rows", type=numbers, default=[200, 400, 2000])
    parser.add_argument("--peer", type=numbers, default=[100, 200, 400], help="sizes that causal-learn is timed at")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("personax", "causal-learn", "numpy", "scipy"))
    command = " ".join(["python benchmarks/discovery.py", *sys.argv[1:]])
    head = f"{date.today()}; {platform.machine()}, {os.cpu_count()} cores, one BLAS thread; {packages}. `{command}`"
    kept = _parts(asked.out.read_text(encoding="utf-8")) if asked.out.exists() else {}
    kept[asked.part] = "\n".join([head, *({"times": times, "graphs": graphs}[asked.part](asked))])
    parts = [f"## {part}\n\n{text.strip()}" for part, text in sorted(kept.items())]
    asked.out.write_text("\n\n".join(["# Causal graphs, measured", *parts]) + "\n", encoding="utf-8")


def _parts(text: str) -> dict[str, str]:
    """Return the parts of an earlier page: a run replaces its own alone."""
    found = (part.partition("\n") for part in text.split("\n## ")[1:])
    return {title.strip(): body for title, _, body in found}


if __name__ == "__main__":
    main()
