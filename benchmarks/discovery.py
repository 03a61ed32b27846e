"""Causal graphs beside causal-learn, pgmpy and gcastle on the same people; writes benchmarks/results/discovery.md.

python benchmarks/discovery.py times [--variables 12] [--rows 200,400,2000] [--peer 100,200,400]
python benchmarks/discovery.py graphs [--draws 20] [--seed 1000] [--networks asia,alarm]
python benchmarks/discovery.py bent [--draws 5] [--seed 1000]

``times``: PC with our KCI against causal-learn's. ``graphs``: wrong marks against the true equivalence class, in two
orders of the columns, over networks of the literature and random graphs with linear causes. ``bent``: the same, causes
that act in bends, tests by kernels.

Needs the extra discovery; pgmpy and gcastle run beside it where they are installed. causal-learn's time at the largest
size is extrapolated from the sizes given, and said so.
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
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
from causallearn.search.ConstraintBased.PC import pc as peer_pc
from threadpoolctl import threadpool_limits

from networks import NETWORKS
from personax.discovery import CiTest, pc, score_search
from personax.discovery._ci_test import PValue
from personax.schema import Graph, Kind
from personax.stages import ci_test

RESULTS = Path(__file__).parent / "results" / "discovery.md"
MODULES = {"causal-learn": "causallearn", "gcastle": "castle"}
"""Packages whose modules are called otherwise."""

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


def from_matrix(matrix: np.ndarray, names: list[str]) -> Marks:
    """Return the marks of a matrix that is not 0 at [cause, effect], both ways for a line."""
    found: Marks = {}
    for i, j in combinations(range(len(names)), 2):
        here, there = bool(matrix[i, j]), bool(matrix[j, i])
        if here or there:
            kind = "undirected " if here and there else f"directed {names[j] if here else names[i]}"
            found[frozenset((names[i], names[j]))] = kind
    return found


def pgmpy_pc(frame: pl.DataFrame) -> Marks:
    search = import_module("pgmpy.causal_discovery").PC(
        variant="stable", ci_test="pearsonr", significance_level=0.01, n_jobs=1, show_progress=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = search.fit(frame.to_pandas()).causal_graph_
    names, matrix = frame.columns, np.zeros((frame.width, frame.width))
    for cause, effect in found.edges():
        matrix[names.index(cause), names.index(effect)] = 1
    return from_matrix(matrix, names)


def gcastle_pc(frame: pl.DataFrame) -> Marks:
    search = import_module("castle.algorithms").PC(variant="stable", alpha=0.01, ci_test="fisherz")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.learn(frame.to_numpy())
    return from_matrix(np.asarray(search.causal_matrix), frame.columns)


SEARCHES: dict[str, Callable[[pl.DataFrame], Marks]] = {
    "pc, causal-learn": peer,
    "pc, pgmpy": pgmpy_pc,
    "pc, gcastle": gcastle_pc,
    "pc": lambda frame: marks(pc(frame)),
    "ges": lambda frame: marks(score_search(frame, algorithm="ges")),
    "grasp": lambda frame: marks(score_search(frame, algorithm="grasp")),
    "boss": lambda frame: marks(score_search(frame, algorithm="boss")),
}


def graphs(asked: argparse.Namespace) -> list[str]:
    """Score every search on every network: wrong marks a graph, graphs that change with the order, CPU seconds."""
    rows = {"asia": 500, "sachs": 500, "child": 1000, "insurance": 1000, "alarm": 1000}
    makers: dict[str, tuple[int, Callable[[np.random.Generator], Weights]]] = {
        f"{name}, n = {n:,}": (n, partial(network, NETWORKS[name])) for name, n in rows.items()
    } | {
        "random, 8 variables, degree 2, n = 300": (300, lambda rng: random_network(8, 2, rng)),
        "random, 15 variables, degree 2, n = 500": (500, lambda rng: random_network(15, 2, rng)),
        "random, 15 variables, degree 3.5, n = 500": (500, lambda rng: random_network(15, 3.5, rng)),
        "random, 30 variables, degree 2, n = 1,000": (1000, lambda rng: random_network(30, 2, rng)),
    }
    makers = {
        title: made for title, made in makers.items() if not asked.networks or title.split(",")[0] in asked.networks
    }
    searches = ready(SEARCHES)
    lines = ["", f"| level .01, Fisher z; {asked.draws} draws | search | wrong marks a graph | other graph for reversed"
             " columns | CPU s |", "|---|---|---|---|---|"]  # fmt: skip
    for title, (rows_drawn, make) in makers.items():

        def draw(k: int, rows: int = rows_drawn, make: Callable[[np.random.Generator], Weights] = make) -> Drawn:
            rng = np.random.default_rng([asked.seed, k])
            names, weights = make(rng)
            noise = rng.normal(size=(rows, len(names)))
            frame = pl.DataFrame(noise @ np.linalg.inv(np.eye(len(names)) - weights), schema=names)
            return frame, truth(names, weights)

        lines += compared(title, searches, draw, asked.draws)
    return lines


def ready(searches: dict[str, Callable[[pl.DataFrame], Marks]]) -> dict[str, Callable[[pl.DataFrame], Marks]]:
    """Return those that are installed, imported: imports are no part of a search."""
    found = {}
    for name, search in searches.items():
        try:
            search(people(60, 3, 0)[0])
        except ImportError as error:
            print(f"{name} is left out: {error}", flush=True)
        else:
            found[name] = search
    return found


Drawn = tuple[pl.DataFrame, Marks]


def compared(
    title: str, searches: dict[str, Callable[[pl.DataFrame], Marks]], draw: Callable[[int], Drawn], draws: int
) -> list[str]:
    """Return a row a search."""
    wrong: dict[str, list[int]] = {name: [] for name in searches}
    changed, seconds = dict.fromkeys(searches, 0), dict.fromkeys(searches, 0.0)
    for k in range(draws):
        frame, true = draw(k)
        for name, search in searches.items():
            start = time.process_time()
            found = search(frame)
            seconds[name] += time.process_time() - start
            wrong[name].append(sum(true.get(pair) != found.get(pair) for pair in true.keys() | found.keys()))
            changed[name] += search(frame.select(frame.columns[::-1])) != found
    lines = []
    for name in searches:
        mean, error = np.mean(wrong[name]), np.std(wrong[name], ddof=1) / np.sqrt(draws)
        each = seconds[name] / draws
        lines.append(f"| {title} | {name} | {mean:.1f} ± {error:.1f} | {changed[name]} of {draws} | {each:.3f} |")
        print(lines[-1], flush=True)
    return lines


def bent_peer(frame: pl.DataFrame) -> Marks:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peer_marks(peer_pc(frame.to_numpy(), 0.01, "kci", show_progress=False).G.graph, frame.columns)


def bent(asked: argparse.Namespace) -> list[str]:
    """Score PC by kernels where causes act in bends."""
    kinds: dict[str, Kind] = {f"v{k}": "continuous" for k in range(20)}
    searches = ready({
        "pc kci, causal-learn": bent_peer,
        "pc kci": lambda frame: marks(pc(frame, alpha=0.01, test=ci_test("kci", kinds))),
        "pc rcit": lambda frame: marks(pc(frame, alpha=0.01, test=ci_test("rcit", kinds))),
        "pc fisherz": lambda frame: marks(pc(frame)),
        "pc, pgmpy (linear)": pgmpy_pc,
        "pc, gcastle (linear)": gcastle_pc,
    })  # fmt: skip
    lines = ["", f"| level .01; {asked.draws} draws | search | wrong marks a graph | other graph for reversed"
             " columns | CPU s |", "|---|---|---|---|---|"]  # fmt: skip
    for variables, rows in ((6, 200), (6, 400)):

        def draw(k: int, rows: int = rows, variables: int = variables) -> Drawn:
            frame, joined = people(rows, variables, asked.seed + k)
            weights = np.zeros((variables, variables))
            for pair in joined:
                cause, effect = sorted(int(name[1:]) for name in pair)
                weights[cause, effect] = 1
            return frame, truth(frame.columns, weights)

        lines += compared(f"bent, {variables} variables, n = {rows}", searches, draw, asked.draws)
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
    parser.add_argument("part", choices=["times", "graphs", "bent"])
    parser.add_argument("--variables", type=int, default=12)
    parser.add_argument("--rows", type=numbers, default=[200, 400, 2000])
    parser.add_argument("--peer", type=numbers, default=[100, 200, 400], help="sizes that causal-learn is timed at")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--networks", type=lambda text: text.split(","), default=[], help="of graphs, by name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    names = [
        name
        for name in ("personax", "causal-learn", "pgmpy", "gcastle", "numpy", "scipy")
        if find_spec(MODULES.get(name, name))
    ]
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    command = " ".join(["python benchmarks/discovery.py", *sys.argv[1:]])
    head = f"{date.today()}; {platform.machine()}, {os.cpu_count()} cores, one BLAS thread; {packages}. `{command}`"
    kept = _parts(asked.out.read_text(encoding="utf-8")) if asked.out.exists() else {}
    kept[asked.part] = "\n".join([head, *({"times": times, "graphs": graphs, "bent": bent}[asked.part](asked))])
    parts = [f"## {part}\n\n{text.strip()}" for part, text in sorted(kept.items())]
    asked.out.write_text("\n\n".join(["# Causal graphs, measured", *parts]) + "\n", encoding="utf-8")


def _parts(text: str) -> dict[str, str]:
    """Return the parts of an earlier page: a run replaces its own alone."""
    found = (part.partition("\n") for part in text.split("\n## ")[1:])
    return {title.strip(): body for title, _, body in found}


if __name__ == "__main__":
    main()
