"""Who is who in two sources of invented athletes with damage and relatives; writes benchmarks/results/linking.md.

python benchmarks/linking.py [--people 2000,10000,40000] [--damage 0.05,0.1,0.2] [--relatives 0.05,0.3]

Needs the extra sources.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np

from personax.sources.record_linkage import link

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "linking.md"
sys.path.insert(0, str(ROOT))

from tests.sources.record_linkage.world import world  # noqa: E402 - the tests' own world


def measured(people: int, damage: float, relatives: float) -> str:
    records, truth = world(people, rng=np.random.default_rng(people), rate=damage, relative=relatives)
    start = time.perf_counter()
    linkage = link(records)
    seconds = time.perf_counter() - start
    pairs = [(a, b) for group in linkage.groups for i, a in enumerate(group) for b in group[i + 1 :]]
    right = sum(truth[a] == truth[b] for a, b in pairs)
    both = sum(times == 2 for times in Counter(truth.values()).values())
    unsure = sum(pair.outcome == "ambiguous" for pair in linkage.pairs)
    numbers = f"{right / len(pairs):.4f} | {len(pairs) - right} | {right / both:.3f} | {unsure} | {seconds:.1f}"
    return f"| {people:,} | {len(records):,} | {damage:g} | {relatives:g} | {linkage.compared:,} | {numbers} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", default="2000,10000,40000")
    parser.add_argument("--damage", default="0.05,0.1,0.2")
    parser.add_argument("--relatives", default="0.05,0.3")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.people.split(",")]
    damages, shares = ([float(x) for x in text.split(",")] for text in (asked.damage, asked.relatives))
    cases = [(size, damages[min(1, len(damages) - 1)], shares[0]) for size in sizes]
    cases += [(sizes[0], *pair) for pair in product(damages, shares) if (sizes[0], *pair) not in cases]
    rows = [measured(*case) for case in cases]
    text = "\n".join(
        [
            "# One person across sources",
            "",
            f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}. "
            "Source b has, each with probability *damage*: a slip in the surname, the name turned round, no date, a "
            "year alone, day and month exchanged, an initial for the given name, another nationality. *relatives* is "
            "the share of people with a twin, a brother or a namesake of their sport and country.",
            "",
            "| people | records | damage | relatives | compared | precision | wrong | recall | ambiguous | seconds |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
