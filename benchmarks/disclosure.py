"""What k-anonymity, the scan and noise cost; writes the sections of benchmarks/results/disclosure.md.

python benchmarks/disclosure.py [recoding] [scan] [noise] [peers] [--people 1000 10000 40000] [--peers-python PATH]

``peers`` compares with pyCANON and ANJANA, which pin old versions: make an environment for them
(``pip install pycanon anjana``) and name its python. Sections that are not named stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from personax.data.table import Table
from personax.release.disclosure import Bounds, Sphere, add_noise, calibrate_noise, generalise, hierarchies, measure
from personax.release.pii import KnownValues, scan
from personax.schema import Column
from personax.simulate import simulate_population

RESULTS = Path(__file__).parent / "results" / "disclosure.md"
PEERS = Path(__file__).parent / "disclosure_peers.py"
SHARED = Path(__file__).parents[2] / "shared" / "data" / "athletes"
QUASI = ("gender", "occupation", "country", "birth_year", "height_cm", "weight_kg", "latitude", "longitude")


def people(n: int, seed: int) -> tuple[pl.DataFrame, dict[str, Column], list[str]]:
    """Return simulated people, their columns and their biographies."""
    world = simulate_population(n, rng=np.random.default_rng(seed), text_dim=8, image_dim=24)
    return world.people, {column.name: column for column in world.columns}, world.texts["biography"].to_list()


def recoding(asked: argparse.Namespace) -> Iterator[str]:
    """Recode for k, over people, columns and k."""
    yield "| people | quasi-identifiers | k | s | loss | withheld people | k before, after | optimal |"
    yield "|---|---|---|---|---|---|---|---|"
    for n in asked.people:
        frame, columns, _ = people(n, asked.seed)
        for width in (3, 5, 8):
            for k in (2, 5, 10, 50):
                start = time.perf_counter()
                made = generalise(frame, [columns[name] for name in QUASI[:width]], k=k)
                seconds = time.perf_counter() - start
                yield (f"| {n:,} | {width} | {k} | {seconds:.2f} | {made.loss:.3f} | {made.suppressed} "
                       f"| {made.before.k}, {made.after.k} | {'yes' if made.optimal else 'no'} |")  # fmt: skip
    made = generalise(frame, [columns[name] for name in QUASI], k=5)
    yield ""
    yield f"The levels, {n:,} people, {len(QUASI)} quasi-identifiers, k = 5; and where height counts ten times:"
    yield ""
    yield "| column | level | loss | where height counts ten times | loss |"
    yield "|---|---|---|---|---|"
    other = generalise(frame, [columns[name] for name in QUASI], k=5, weights={"height_cm": 10.0})
    for a, b in zip(made.steps, other.steps, strict=True):
        yield f"| {', '.join(a.columns)} | {a.says} | {a.loss:.3f} | {b.says} | {b.loss:.3f} |"


def scanning(asked: argparse.Namespace) -> Iterator[str]:
    """Look for many names and biographies in a table."""
    yield "| cells that leave | private values | s | CPU s |"
    yield "|---|---|---|---|"
    rng = np.random.default_rng(asked.seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(rng.choice(letters, 6)) for _ in range(5000)]
    names = [f"{a} {b}" for a, b in zip(rng.choice(words, 40_000), rng.choice(words, 40_000), strict=True)]
    biographies = [" ".join(rng.choice(words, 100)) for _ in range(40_000)]
    short = pl.DataFrame({f"c{n}": [f"club of {word} {n}" for word in rng.choice(words, 10_000)] for n in range(3)})
    long = pl.DataFrame({"remark": [" ".join(rng.choice(words, 30)) for _ in range(10_000)]})
    for what, frame in (("30,000 of 4 words", short), ("10,000 of 30 words", long)):
        for told, private in (("40,000 names", names), ("and 40,000 biographies", [*names, *biographies])):
            yield timed(frame, private, f"{what} | {told}")
    ours = [f"{a} {b}".title() for a, b in zip(rng.choice(words, 8000), rng.choice(words, 8000), strict=True)]
    born = [str(date(1950, 1, 1) + timedelta(int(day))) for day in rng.integers(0, 20_000, 8000)]
    common = np.array(["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(20_000)])
    share = 1 / np.arange(1, len(common) + 1)
    texts = [" ".join(rng.choice(common, 120, p=share / share.sum())).capitalize() + "." for _ in range(8000)]
    yield timed(pl.DataFrame({"text": texts}), [*ours, *born], "8,000 of 120 words | names and dates of 8,000 people")
    yield from real_names(asked)


def timed(frame: pl.DataFrame, private: list[str], what: str) -> str:
    start, used = time.perf_counter(), time.process_time()
    scan(frame, private)
    return f"| {what} | {time.perf_counter() - start:.1f} | {time.process_time() - used:.1f} |"


def real_names(asked: argparse.Namespace) -> Iterator[str]:
    """Look for real names in their short forms, and what is taken for names in colleges and birthplaces."""
    players, places = SHARED / "nfl-players.json", SHARED / "openfootball.tar.gz"
    if not players.exists() or not places.exists():
        return
    people = pl.DataFrame(list(json.loads(players.read_text(encoding="utf-8")).values()), infer_schema_length=None)
    known = KnownValues(people["full_name"].drop_nulls())
    short = people["gsis_name"].drop_nulls().unique(maintain_order=True).to_list()
    found = sum(map(bool, known.find_each(short, [1] * len(short))))
    taken = scan(people.select("college"), people["full_name"].drop_nulls())
    yield ""
    yield f"Of {len(short):,} short names of players (A.Nemo), {found:,} are found by {people.height:,} full names."
    yield f"Of {people['college'].n_unique():,} colleges, {taken.get('college', 0)} rows are taken for a player."
    pattern = re.compile(r"\s*([^,=#]+?),\s.*?b\. \d+ \w+ \d{4}(?: @ (.*))?$", re.MULTILINE)
    with tarfile.open(places) as files:
        read = [file.read().decode() for each in files if (file := files.extractfile(each)) is not None]
    rows = [match.groups() for text in read for match in pattern.finditer(text)]
    frame = pl.DataFrame(rows, schema=["name", "place"], orient="row").sample(8000, seed=asked.seed)
    taken = scan(frame.select("place"), frame["name"])
    yield f"Of the birthplaces of 8,000 footballers, those in {taken.get('place', 0)} rows are taken for one of them."


def noise(asked: argparse.Namespace) -> Iterator[str]:
    """Draw noise, and say what is left of a vector."""
    yield "| epsilon | dim | standard deviation, radius 1 | mean cosine | s for 200 people |"
    yield "|---|---|---|---|---|"
    rng = np.random.default_rng(asked.seed)
    for dim in (64, 1024):
        vectors = rng.standard_normal((200, dim))
        frame = pl.DataFrame({"v": pl.Series(vectors, dtype=pl.Array(pl.Float64, dim))})
        for epsilon in (1.0, 10.0, 100.0):
            made = calibrate_noise({"v": Sphere(1, dim)}, epsilon=epsilon, delta=1e-6)
            start = time.perf_counter()
            add_noise(frame, made)
            seconds = time.perf_counter() - start
            (only,) = made.mechanisms
            yield f"| {epsilon:g} | {dim:,} | {only.scale:.3f} | {only.cosine:.3f} | {seconds:.1f} |"
    (height,) = calibrate_noise({"h": Bounds(140, 220)}, epsilon=1.0).mechanisms
    yield ""
    yield f"A height between 140 and 220 cm at epsilon = 1: Laplace noise of scale {height.scale:.1f} cm."


def peers(asked: argparse.Namespace) -> Iterator[str]:
    """Compare measures with pyCANON, and the loss with ANJANA on the same hierarchies."""
    if asked.peers_python is None:
        raise SystemExit("peers needs --peers-python, of an environment with pycanon and anjana")
    frame, columns, _ = people(asked.peers_people, asked.seed)
    names = list(QUASI[:6])
    quasi = [columns[name] for name in names]
    rng = np.random.default_rng(asked.seed)
    frame = frame.select(names).with_columns(
        score=pl.Series(rng.integers(1, 6, frame.height)), club=pl.Series(rng.choice(list("abcd"), frame.height))
    )
    start = time.perf_counter()
    made = generalise(frame, quasi, k=5)
    seconds = time.perf_counter() - start
    built = hierarchies(Table(frame.select(names), quasi))
    levels = {h.columns[0]: [level.values[h.base].to_series().cast(pl.String).fill_null("*").to_list()
                             for level in h.levels] for h in built}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        seen = made.frame.select(pl.col(names).cast(pl.String).fill_null("*"), "score", "club")
        seen.write_csv(place / "recoded.csv")
        (place / "levels.json").write_text(json.dumps(levels))
        shown = subprocess.run([asked.peers_python, str(PEERS), folder], check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(shown.stdout.splitlines()[-1])
    sensitive = [Column("score", "target", "ordinal"), Column("club", "target", "nominal")]
    ours = measure(made.frame, names, sensitive)
    yield f"{frame.height:,} people, {len(names)} quasi-identifiers, recoded for k = 5; measures:"
    yield ""
    yield f"| | personax | pyCANON {told['pycanon']} |"
    yield "|---|---|---|"
    yield f"| k | {ours.k} | {told['k']} |"
    for found in ours.sensitive:
        theirs = told["measures"][found.column]
        yield f"| {found.column}: distinct l | {found.distinct} | {theirs['distinct']} |"
        yield f"| {found.column}: entropy l, rounded down | {int(found.entropy)} | {theirs['entropy']} |"
        yield f"| {found.column}: t | {found.closeness:.6f} | {theirs['closeness']:.6f} |"
    losses = {h.columns[0]: [level.loss for level in h.levels] for h in built}
    theirs = sum(losses[name][level] for name, level in told["levels"].items()) / len(names)
    yield ""
    yield "Recoding by the same hierarchies, at most 1 % of the people withheld:"
    yield ""
    yield "| | loss | withheld people | s |"
    yield "|---|---|---|---|"
    yield f"| personax | {made.loss:.3f} | {made.suppressed} | {seconds:.2f} |"
    yield f"| ANJANA {told['anjana']} | {theirs:.3f} | {told['withheld']} | {told['seconds']:.2f} |"


SECTIONS = {"recoding": recoding, "scan": scanning, "noise": noise, "peers": peers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], default=[])
    parser.add_argument("--people", type=int, nargs="+", default=[1000, 10_000, 40_000])
    parser.add_argument("--peers-people", type=int, default=2000)
    parser.add_argument("--peers-python")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    known = {}
    if RESULTS.exists():
        for part in RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]:
            title, body = part.split("\n", 1)
            known[title] = body.strip()
    # the place of another python is of this machine only
    words = ["PATH" if previous == "--peers-python" else word
             for previous, word in zip(["", *sys.argv[1:]], sys.argv[1:], strict=False)]  # fmt: skip
    for name in asked.sections or ["recoding", "scan", "noise"]:
        load = f"load {os.getloadavg()[0]:.1f} at the start"
        versions = ", ".join(f"{package} {version(package)}" for package in ("personax", "polars", "opendp"))
        head = f"{date.today()}; {platform.machine()}, {os.cpu_count()} cores, {load}; {versions}."
        told = f"`{' '.join(['python benchmarks/disclosure.py', *words])}`"
        lines = list(SECTIONS[name](asked))
        print("\n".join(lines), flush=True)
        known[name] = "\n".join([head, "", told, "", *lines])
        text = "".join(f"\n## {title}\n\n{known[title]}\n" for title in SECTIONS if title in known)
        RESULTS.write_text(f"# Disclosure, measured\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
