"""Measure reading tables of a million people: processor time and memory, each form in a process of its own.

Run it from the root of the project: ``PYTHONPATH=src python benchmarks/tables.py``.
"""

from __future__ import annotations

import gzip
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

RESULT: Final = Path(__file__).parent / "results" / "tables.md"
PEOPLE: Final = 1_000_000
FORMS: Final = ("plain.csv", "german.csv", "plain.csv.gz", "plain.parquet")


def write(folder: Path) -> None:
    """Write the same people in every form; the German one has decimal commas, NA and dates with the day first."""
    rng = np.random.default_rng(0)
    born = pl.Series(rng.integers(0, 15_000, PEOPLE)).cast(pl.Int32).cast(pl.Date)
    people = pl.DataFrame(
        {
            "id": np.arange(PEOPLE), "name": [f"Person {i}" for i in range(PEOPLE)],
            "height_cm": np.round(rng.normal(175, 8, PEOPLE), 1), "weight_kg": np.round(rng.normal(75, 9, PEOPLE), 1),
            "league": rng.choice(["nba", "nfl", "nhl"], PEOPLE), "birth_date": born,
            "final_o": rng.integers(1, 6, PEOPLE),
        }
    )  # fmt: skip
    people.write_csv(folder / "plain.csv")
    (folder / "plain.csv.gz").write_bytes(gzip.compress((folder / "plain.csv").read_bytes(), 1))
    people.write_parquet(folder / "plain.parquet")
    comma = [pl.col(name).cast(pl.String).str.replace(".", ",", literal=True) for name in ("height_cm", "weight_kg")]
    german = people.with_columns(*comma, pl.col("birth_date").dt.to_string("%d.%m.%Y"))
    some = pl.int_range(pl.len()) % 300 > 0
    german = german.with_columns(weight_kg=pl.when(some).then("weight_kg").otherwise(pl.lit("NA")))
    german.write_csv(folder / "german.csv", separator=";")


def read(path: Path) -> None:
    """Read a table and print what it cost beyond the imports, and the most memory of the process."""
    from personax.sources import read_table

    began = time.process_time()
    table = read_table(path)
    used = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    facts = {"seconds": used, "mib": memory, "people": table.people.height, "questions": len(table.ledger.questions())}
    sys.stdout.write(json.dumps(facts))


def main() -> None:
    """Measure every form and write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        for form in FORMS:
            words = [sys.executable, __file__, str(Path(folder) / form)]
            found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            size = (Path(folder) / form).stat().st_size / 2**20
            rows.append(f"| {form} | {size:.0f} | {found['seconds']:.1f} | {found['mib']:.0f} | {found['questions']} |")
    text = "\n".join(
        [
            "# Reading tables, measured", "",
            f"{PEOPLE:,} people of seven columns, read with roles, kinds, identity classes and the reading ledger. "
            f"{date.today()}, {platform.machine()}, Python {platform.python_version()}, polars {pl.__version__}.",
            "Command:",
            "`POLARS_MAX_THREADS=1 PYTHONPATH=src python benchmarks/tables.py`.", "",
            "| form | MiB | CPU s | most memory, MiB | questions |", "|---|---|---|---|---|", *rows, "",
        ]
    )  # fmt: skip
    RESULT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    read(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
