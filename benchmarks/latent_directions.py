"""How often an arrow between latents is right where it is told; writes benchmarks/results/latent_directions.md.

python benchmarks/latent_directions.py [--people 500,1200,6000] [--populations 10] [--first 1000]

Four latents of two modalities, one edge within each and one across, known up to errors (a deviation of .15, and .05 of
the other latent of the modality), by every family of mechanisms; where they are linear and noise is normal, no data
tell a direction, so that half of the arrows told would be wrong by chance. An arrow is told as in
`personax.crl.to_graph`: nine tenths of the bootstrap samples that join a pair agree.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from personax.crl import to_graph
from personax.crl.methods.default._structure import fit_structure
from personax.crl.metrics._graph import DIRECTED
from personax.simulate._mechanisms import Mechanism, Mechanisms, Noise

RESULTS = Path(__file__).parent / "results" / "latent_directions.md"
EDGES = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]], dtype=bool)
NAMES = ["character_1", "character_2", "life_1", "life_2"]
CASES: list[tuple[Mechanism, Noise]] = [
    ("additive", "gaussian"), ("additive", "laplace"), ("folded", "gaussian"), ("scale", "gaussian"),
    ("mlp", "gaussian"), ("linear", "laplace"), ("linear", "gaussian"),
]  # fmt: skip

COLUMNS = (
    "mechanism", "noise", "people", "arrows told", "of them right", "without arrow", "pairs lost", "pairs invented",
    "CPU s a graph",
)  # fmt: skip


class Told(NamedTuple):
    """Edges of one graph: true arrows, arrows turned round, true pairs without arrow, pairs lost, pairs invented."""

    right: int
    turned: int
    undirected: int
    lost: int
    invented: int


def population(mechanism: Mechanism, noise: Noise, people: int, seed: int) -> NDArray[np.float64]:
    """Return latents with errors, standardised, shape (people, 4)."""
    rng = np.random.default_rng([77, seed])
    model = Mechanisms(EDGES, mechanism=mechanism, noise=noise, rng=rng)
    z = model.solve(model.draw(people, rng=rng))
    mixed = np.eye(4)
    for i, j in ((0, 1), (2, 3)):
        mixed[i, j], mixed[j, i] = 0.05 * rng.normal(size=2)
    v = z @ mixed.T + 0.15 * rng.normal(size=z.shape)
    found: NDArray[np.float64] = (v - v.mean(0)) / v.std(0)
    return found


def told(latents: NDArray[np.float64], seed: int) -> Told:
    """Return what the graph of some latents says of the edges that are."""
    v = torch.tensor(latents, dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    structure = fit_structure(v, torch.ones(4, 4) - torch.eye(4), share=0.25, generator=generator)
    graph = to_graph(structure.adjacency, NAMES, sure=DIRECTED)
    truth = {(NAMES[j], NAMES[i]) for i, j in np.argwhere(EDGES)}
    pairs = {frozenset(ends) for ends in truth}
    arrows = {(e.source, e.target) for e in graph.edges if e.kind == "directed"}
    joined = {frozenset((e.source, e.target)) for e in graph.edges}
    turned = len({(b, a) for a, b in arrows} & truth)
    right = len(arrows & truth)
    return Told(right, turned, len(joined & pairs) - right - turned, len(pairs - joined), len(joined - pairs))


def main() -> None:
    """Fit all populations and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", default="500,1200,6000")
    parser.add_argument("--populations", type=int, default=10)
    parser.add_argument("--first", type=int, default=1000)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    seeds = range(asked.first, asked.first + asked.populations)
    lines = [
        "# Directions between latents\n",
        f"`python benchmarks/latent_directions.py --people {asked.people} --populations {asked.populations} --first "
        f"{asked.first}` on {datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}, torch {torch.__version__}, one thread, load average {os.getloadavg()[0]:.0f}.\n",
        f"Populations {seeds[0]} to {seeds[-1]} of each row, three edges each; an arrow is told where {DIRECTED:.0%} "
        "of the samples that join a pair agree.\n",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    for people in map(int, asked.people.split(",")):
        for mechanism, noise in CASES:
            began = time.process_time()
            found = [told(population(mechanism, noise, people, seed), seed) for seed in seeds]
            spent = (time.process_time() - began) / len(found)
            right, turned, undirected, lost, invented = (sum(column) for column in zip(*found, strict=True))
            share = f"{right / (right + turned):.2f}" if right + turned else "-"
            row = [mechanism, noise, f"{people:,}", right + turned, share, undirected, lost, invented, f"{spent:.1f}"]
            lines.append("| " + " | ".join(map(str, row)) + " |")
            print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
