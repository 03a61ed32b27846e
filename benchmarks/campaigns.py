"""Campaigns against every transform, on simulated faces, real pictures and sentence vectors.

python benchmarks/campaigns.py [--people 600] [--data simulated,mnist,fashion,sentences] [--transforms rotation,chain]
                               [--vectors FILE.npy]: vectors of your own in place of these

Writes benchmarks/results/campaigns.md; what was run before for other data or transforms stays.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from personax.release import PRESETS, AuditReport, Chain, audit_vectors
from release import DATA, KEY, OTHER, Vectors, faces, pictures

RESULTS = Path(__file__).parent / "results" / "campaigns.md"
SENTENCES = DATA / "worlds" / "texts-2x2.npz"
SETS = ("simulated", "mnist", "fashion", "sentences")
HEAD = ("data", "transform", "originals", "other recordings", "one original", "strangers", "membership, AUC",
        "leaked pairs for half", "s")  # fmt: skip


def vectors(name: str, most: int) -> Vectors | None:
    """Return vectors of so many people; None where the data are absent."""
    if name == "simulated":
        return faces(most, 128, 0)
    if name == "sentences":
        return sentences(most)
    found = pictures(name, most)
    return None if found is None else found[0]


def sentences(most: int) -> Vectors | None:
    """Return vectors of different sentences by all-MiniLM-L6-v2."""
    if not SENTENCES.exists():
        return None
    with np.load(SENTENCES) as file:
        found = file["b_0"].astype(np.float32)
    return np.asarray(found[np.random.default_rng(0).permutation(len(found))[:most]])


def cells(report: AuditReport) -> list[str]:
    """Return the best rank-1 of each campaign, the membership and the pairs for half."""
    by = {campaign.name: campaign for campaign in report.campaigns}
    row = []
    for name in ("originals", "other_recordings", "one_original", "strangers"):
        worst = by[name].worst
        row.append("not run" if worst is None else f"{worst.value:.3f} ({worst.name})")
    areas = [attack.value or 0.0 for attack in by["strangers"].attacks if attack.measure == "AUC"]
    row.append(f"{max(areas):.3f}" if areas else "not run")
    row.append(str(report.broken_at or "not reached"))
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--data", type=lambda text: text.split(","), default=list(SETS))
    parser.add_argument("--vectors", type=Path, default=None)
    parser.add_argument("--transforms", type=lambda text: text.split(","), default=list(PRESETS))
    asked = parser.parse_args()
    store = RESULTS.with_suffix(".json")
    rows = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    for name in asked.data if asked.vectors is None else [asked.vectors.stem]:
        own = asked.vectors is not None
        x = np.load(asked.vectors)[: asked.people].astype(np.float32) if own else vectors(name, asked.people)
        if x is None:
            print(f"{name} is absent and was not run")
            continue
        for transform in asked.transforms:
            chain, other = (Chain(transform, x.shape[1], key, name).fit(x) for key in (KEY, OTHER))
            y, start = chain.transform(x), time.perf_counter()
            report = audit_vectors(x, y, renewed=other.transform(x), network=False, rng=np.random.default_rng(0))
            row = [
                f"{name}, {len(x):,} x {x.shape[1]}",
                transform,
                *cells(report),
                f"{time.perf_counter() - start:.0f}",
            ]
            print(" | ".join(row), flush=True)
            rows[f"{name} {len(x)} {transform}"] = row
            store.write_text(json.dumps(rows, indent=1), encoding="utf-8")
            write(rows)


def write(rows: dict[str, list[str]]) -> None:
    """Write the table."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("personax", "numpy", "scipy"))
    lines = [
        "# Campaigns against every transform\n",
        f"{date.today()}; {platform.machine()}, {os.cpu_count()} cores shared with other work, load "
        f"{os.getloadavg()[0]:.1f}; {packages}.\n",
        "`python benchmarks/campaigns.py`, and with `--vectors docstrings.npy --people 4000 "
        "--transforms rotation,flow,chain`;\n"
        "rank-1 of the best attack of each campaign, everybody scored.\n",
        "| " + " | ".join(HEAD) + " |",
        "|---" * len(HEAD) + "|",
        *("| " + " | ".join(row) + " |" for row in rows.values()),
    ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
