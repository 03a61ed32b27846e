"""Every attack of the audit by itself against every transform, on simulated faces; writes results/attacks.{md,json}.

python benchmarks/attacks.py [--people 400]
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
from typing import Any

import numpy as np
import polars as pl

from personax import registry, simulate_population
from personax.release import PRESETS, Chain, audit_table, audit_vectors
from release import KEY, OTHER, faces

RESULTS = Path(__file__).parent / "results" / "attacks.md"
GENERALISED = (("exact", 1), ("rounded to tens", 10), ("rounded to fifties", 50))
"""How the columns of numbers of a released table are: the width of their steps."""


def noted(attack: Any, against: str) -> dict[str, Any]:
    """Return an attack as a row."""
    names = ("name", "knows", "measure", "value", "low", "high", "baseline", "tries", "reason")
    return {"against": against} | {name: getattr(attack, name) for name in names}


def vectors(people: int) -> list[dict[str, Any]]:
    """Return what each attack on vectors finds against each transform."""
    x, rows = faces(people, 128, 0), []
    for transform in PRESETS:
        chain, other = (Chain(transform, x.shape[1], key, "simulated").fit(x) for key in (KEY, OTHER))
        found = audit_vectors(x, chain.transform(x), renewed=other.transform(x), rng=np.random.default_rng(0))
        rows += [noted(attack, transform) for attack in found.attacks]
    return rows


def tables(people: int) -> list[dict[str, Any]]:
    """Return what each attack on a table finds, the more the columns of numbers are rounded."""
    kept = ("height_cm", "birth_year", "birth_month", "gender", "occupation", "country")
    original = simulate_population(people, rng=np.random.default_rng(0)).people.select("id", *kept)
    rows = []
    for name, step in GENERALISED:
        numbers = pl.col("height_cm", "birth_year").cast(pl.Float64) / step
        released = original.with_columns(numbers.round(0) * step) if step > 1 else original
        rows += [noted(attack, name) for attack in audit_table(original, released, rng=np.random.default_rng(0))]
    return rows


def page(report: dict[str, Any]) -> str:
    """Return the table of a report: an attack a row, what it was tried against in columns."""
    lines = [
        "# Every attack by itself\n",
        f"{report['where']}\n",
        f"`{report['command']}`; {report['cpu']:.0f} CPU s\n",
    ]
    for kind, title in (("vectors", "Vectors: rank-1 or the measure named"), ("table", "Tables: risk beside controls")):
        rows = report[kind]
        against = list(dict.fromkeys(row["against"] for row in rows))
        found = {(row["name"], row["knows"], row["measure"], row["against"]): row for row in rows}
        lines += [f"## {title}\n", "| attack | knows | measure | " + " | ".join(against) + " |",
                  "|---" * (3 + len(against)) + "|"]  # fmt: skip
        for name, knows, measure in dict.fromkeys(key[:3] for key in found):
            cells = [cell(found.get((name, knows, measure, one))) for one in against]
            lines.append(f"| {name} | {knows} | {measure} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def cell(row: dict[str, Any] | None) -> str:
    """Return a value with its interval."""
    if row is None or row["value"] is None:
        return "–"
    between = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['value']:.3f}{between}"


def main() -> None:
    """Run all and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=400)
    asked = parser.parse_args()
    known = [part.title for part in registry.parts("attacks")]
    packages = ", ".join(f"{name} {version(name)}" for name in ("personax", "numpy", "scipy"))
    machine = f"{platform.machine()}, {os.cpu_count()} cores shared with other work, load {os.getloadavg()[0]:.1f}"
    where = f"{date.today()}; {machine}; {packages}."
    report: dict[str, Any] = {"where": where, "command": f"python benchmarks/attacks.py --people {asked.people}"}
    report |= {"vectors": vectors(asked.people), "table": tables(asked.people), "cpu": time.process_time()}
    silent = set(known) - {row["name"] for kind in ("vectors", "table") for row in report[kind]}
    print(f"not in the audit: {sorted(silent)}" if silent else "every registered attack was run")
    RESULTS.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    RESULTS.write_text(page(report), encoding="utf-8")


if __name__ == "__main__":
    main()
