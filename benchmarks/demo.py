"""Level II of the demo over populations: what of its truth is found, and what is called found.

    python benchmarks/demo.py [--seeds 0,1,2,3,4]

Each seed draws other people by the demo's own settings (`studies/demo.yaml`) and fits them as the study does: two seeds
of the method, of which validation chooses one. Printed of each modality: MCC with the truth, Pearson and Spearman, and
how many latents are called identified; then the edges of the fit between identified latents, right and wrong by the
model. Nothing is chosen with the truth.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from personax.config import CollectSimulated, Plan, read_plan
from personax.crl import match
from personax.progress import Silent
from personax.schema import Graph
from personax.simulate import Population, simulate_population
from personax.stages._fit_latents import LatentResults, learn


def plan() -> Plan:
    """Return the demo's plan."""
    return read_plan(Path(str(resources.files("personax").joinpath("studies", "demo.yaml"))))


def drawn(collect: CollectSimulated, seed: int) -> Population:
    """Return the demo's people, drawn with another seed."""
    options = collect.model_dump(exclude={"source", "n", "images"})
    return simulate_population(collect.n, rng=np.random.default_rng(seed), **options)


def named(found: LatentResults, people: Population) -> dict[str, str]:
    """Return learned latent -> the true one that it is matched with, within its modality."""
    names: dict[str, str] = {}
    for modality, true in people.truth()["groups"].items():
        own = [name for name in found.latents.columns if name.rpartition("_")[0] == modality]
        pairs = match(found.latents.select(own).to_numpy(), people.latents.select(true).to_numpy(), kind="spearman")
        names |= {own[i]: true[j] for i, j, _ in pairs.pairs}
    return names


def edges(found: LatentResults, people: Population, identified: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Return edges between identified latents that the model has, that it has not, and its edges that are missing."""
    assert found.graph is not None
    names = named(found, people)
    told = {(names[e.source], names[e.target]) for e in found.graph.edges if {e.source, e.target} <= set(identified)}
    known = {names[name] for name in identified}
    model = Graph.from_json(json.dumps(people.truth()["graph"]))
    true = {(e.source, e.target) for e in model.edges if {e.source, e.target} <= known}
    return tuple([f"{a} -> {b}" for a, b in sorted(some)] for some in (told & true, told - true, true - told))  # type: ignore[return-value]


def main() -> None:
    """Print a row a modality and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2,3,4")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    demo = plan()
    assert isinstance(demo.collect, CollectSimulated)
    assert demo.crl is not None
    print("seed | modality | MCC Pearson | Spearman | identified | CPU s")
    for seed in map(int, asked.seeds.split(",")):
        people = drawn(demo.collect, seed)
        views = {m: {k: frame[k].to_numpy() for k in frame.columns[1:]} for m, frame in people.embeddings.items()}
        began = time.process_time()
        found = learn(people.people["id"].to_list(), views, demo.crl, np.random.default_rng(seed), Silent())
        seconds = time.process_time() - began
        identified = [row.latent for row in found.identification if row.verdict == "identified"]
        for modality, true in people.truth()["groups"].items():
            own = [name for name in found.latents.columns if name.rpartition("_")[0] == modality]
            z, truth = found.latents.select(own).to_numpy(), people.latents.select(true).to_numpy()
            scores = [match(z, truth, kind=kind).mcc for kind in ("pearson", "spearman")]
            said = sum(name in identified for name in own)
            print(f"{seed} | {modality} | {scores[0]:.3f} | {scores[1]:.3f} | {said} of {len(own)} | {seconds:.0f}")
        right, wrong, missing = edges(found, people, identified)
        print(f"{seed} | edges: right {right}, wrong {wrong}, missing {missing}", flush=True)


if __name__ == "__main__":
    main()
