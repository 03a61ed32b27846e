"""Measure the extract of Wikidata: seconds an entity of a dump, and looking 10,000 names up among a million people.

Run it from the root of the project: ``PYTHONPATH=src:. python benchmarks/wikidata.py --dump 50000 --people 1000000``.
The people are invented. The extract for looking up is written as `extract_dump` would write it, without the dump. What
is measured runs in a process of its own, so that its memory is not that of inventing people.
"""

from __future__ import annotations

import argparse
import bz2
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tests.sources.wikidata.invented import amount, dump, human, item, said, to, when

from personax.data.frames import write_parquet
from personax.sources.wikidata import NameQuery, WikidataExtract, extract_dump
from personax.sources.wikidata._extract import ENTITIES, FORMAT, MANIFEST, NAME_FILES, VERSION
from personax.sources.wikidata._kept import ITEMS, NAMES, PEOPLE, name_key, number_of
from personax.sources.wikidata._occupations import GROUPS

RESULT = Path(__file__).parent / "results" / "wikidata.md"
OCCUPATIONS = [one for items in GROUPS.values() for one in items]
ASKED = 10_000
PORTION = 200_000


def syllables(rng: np.random.Generator, count: int) -> list[str]:
    parts = ["ka", "lo", "mi", "ren", "sto", "vi", "bar", "du", "el", "fan", "gor", "hu", "jo", "nil", "pe", "tar"]
    return ["".join(parts[i] for i in rng.integers(0, 16, size)).title() for size in rng.integers(2, 5, count)]


def names_of(n: int, rng: np.random.Generator) -> list[str]:
    """Return names of which some are borne by several people."""
    first, last = syllables(rng, 3000), syllables(rng, 60_000)
    chosen = zip(rng.integers(0, len(first), n), rng.integers(0, len(last), n), strict=True)
    return [f"{first[a]} {last[b]}" for a, b in chosen]


def entities(n: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield people as well described as those of Wikidata are on average, each followed by four other items."""
    for number, name in enumerate(names_of(n, rng)):
        qid = f"Q{1_000_000 + number}"
        year = int(rng.integers(1900, 2005))
        labels = dict.fromkeys(("en", "mul", "de", "fr", "nl", "es", "it", "ast", "sv", "sl"), name)
        raw = human(
            qid, labels, P21=to("Q6581097"), P569=when(f"{year}-02-03"), P27=to(f"Q{100 + number % 200}"),
            P106=[to(OCCUPATIONS[number % len(OCCUPATIONS)]), to(OCCUPATIONS[number * 7 % len(OCCUPATIONS)])],
            P54=[said(to(f"Q{5000 + number % 997}"), P580=when("2010-01-01"), P582=when("2015-01-01"))],
            P2048=amount("+1.8", "Q11573"), P345=f"nm{number}",
        )  # fmt: skip
        yield raw | {"sitelinks": {f"{code}wiki": {"title": name} for code in ("en", "de", "fr")}}
        for other in range(4):
            yield item(f"Q{50_000_000 + 4 * number + other}", f"thing {other}", P31=to("Q13442814"))


def measured(task: str, folder: Path) -> dict[str, float]:
    """Run a task in a process of its own."""
    command = [sys.executable, __file__, "--task", task, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_task(task: str, folder: Path) -> None:
    """Do one task, and print what it took."""
    asked = [NameQuery(name, birth_year=1950, gender="male") for name in json.loads((folder / "asked").read_text())]
    cpu, wall, extract = time.process_time(), time.perf_counter(), None
    if task == "extract":
        number = extract_dump(folder / "all.json.bz2", folder / "made").people
    else:
        extract = WikidataExtract(folder / "large")
        match task:
            case "candidates":
                number = extract.candidates(asked).height
            case "resolve":
                number = sum(one.status != "none" for one in extract.resolve(asked))
            case _:
                number = sum(extract.candidates([one]).height for one in asked[:10])
    found = {"number": number, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    # not getrusage: its peak is that of the process before exec, where that was larger
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps({**found, "peak_mib": int(status["VmHWM"].split()[0]) / 1024}))


def invented_extract(folder: Path, n: int, rng: np.random.Generator) -> list[str]:
    """Write an extract of n people with three names each, and return the names to ask for.

    Names that nobody asks for have drawn keys in place of their hashes, and the entities, which decide by the rule of
    the live site, are those of who is asked for: both are as many, or as large, as they would be where it matters.
    """
    first, last = (pl.Series(syllables(rng, size)) for size in (3000, 60_000))
    asked = np.unique(rng.integers(0, len(first) * len(last), ASKED))
    names = first[asked // len(last)] + " " + last[asked % len(last)]
    keys = np.array([name_key(name) for name in names], dtype=np.uint64)
    (folder / "people").mkdir(parents=True)
    (folder / "names").mkdir()
    bearers: list[tuple[int, str]] = []
    named: list[pl.DataFrame] = []
    for part, start in enumerate(range(0, n, PORTION)):
        size = min(PORTION, n - start)
        chosen, numbers = rng.integers(0, len(first) * len(last), size), np.arange(start + 1, start + size + 1)
        chosen[: -(-ASKED * size // n)] = rng.choice(asked, -(-ASKED * size // n))
        labels = first[chosen // len(last)] + " " + last[chosen % len(last)]
        write_people(folder / "people" / f"{part:05}.parquet", numbers, labels, rng)
        drawn = [rng.integers(0, 2**63, size, dtype=np.uint64) * 2 + 1 for _ in range(3)]
        own = np.column_stack([drawn[0], drawn[0]])
        found = np.isin(chosen, asked)
        own[found] = keys[np.searchsorted(asked, chosen[found])]
        for key, exact, alias in ((own[:, 0], own[:, 1], False), *((each, each, True) for each in drawn[1:])):
            frame = {"key": key, "exact": exact, "alias": np.full(size, alias), "id": numbers}
            named.append(pl.DataFrame(frame).cast(dict(NAMES)))
        bearers += zip(numbers[found].tolist(), labels.filter(pl.Series(found)), strict=True)
    every = pl.concat(named)
    named.clear()
    bits = 64 - (NAME_FILES.bit_length() - 1)
    for number in range(NAME_FILES):
        mine = every.filter(every["key"] // (1 << bits) == number).sort("key")
        write_parquet(mine, folder / "names" / f"{number:02}.parquet", compression="zstd", row_group_size=20_000)
    write_parquet(pl.DataFrame(schema=ITEMS), folder / "items.parquet")
    database = sqlite3.connect(folder / ENTITIES)
    database.execute("CREATE TABLE entities (id INTEGER PRIMARY KEY, entity BLOB NOT NULL)")
    with database:
        database.executemany("INSERT INTO entities VALUES (?, ?)", (
            (number, zlib.compress(json.dumps(human(f"Q{number}", name, P106=to("Q33999"))).encode(), 1))
            for number, name in bearers
        ))  # fmt: skip
    database.close()
    facts = {"format": FORMAT, "version": VERSION, "dump": "invented", "day": "2026-11-30", "people": n}
    (folder / MANIFEST).write_text(json.dumps(facts))
    return names.to_list()


def write_people(path: Path, numbers: np.ndarray, labels: pl.Series, rng: np.random.Generator) -> None:
    """Write people with a label, a year of birth and two occupations each."""
    n = len(labels)
    occupations = np.array(list(map(number_of, OCCUPATIONS)))
    people = pl.DataFrame({"id": numbers, "label": labels}).with_columns(
        names=pl.concat_list("label"), gender=pl.lit("male"), birth_year=pl.Series(rng.integers(1900, 2005, n)),
        dead=pl.lit(value=False), sitelinks=pl.lit(3), occupation=pl.Series(rng.choice(occupations, (n, 2))),
        occupation_groups=pl.concat_list(pl.lit("actor")), imdb_id=pl.format("nm{}", "id"),
    )  # fmt: skip
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in PEOPLE.items() if name not in people.columns]
    people = people.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in PEOPLE.items())
    write_parquet(people, path, compression="zstd", row_group_size=50_000)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--dump", type=int, default=50_000)
    options.add_argument("--people", type=int, default=1_000_000)
    options.add_argument("--task")
    options.add_argument("--folder", type=Path)
    chosen = options.parse_args()
    if chosen.task:
        run_task(chosen.task, chosen.folder)
        return
    rng = np.random.default_rng(7)
    lines = [
        "# Wikidata: the extract", "",
        f"`PYTHONPATH=src:. python benchmarks/wikidata.py --dump {chosen.dump} --people {chosen.people}`,",
        f"{platform.machine()}, one process, polars with one thread, {time.strftime('%Y-%m-%d')}; the people are",
        "invented, and the machine had other work: CPU seconds count.", "",
        "| what | CPU s | wall s | peak MiB |", "|---|---|---|---|",
    ]  # fmt: skip

    def row(what: str, found: dict[str, float]) -> None:
        number = f"{int(found['number']):,}"
        numbers = f"| {found['cpu']:.1f} | {found['wall']:.1f} | {found['peak_mib']:,.0f} |"
        lines.append(f"| {what.replace('N', number, 1)} {numbers}")
        print(lines[-1], flush=True)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text = dump(*entities(chosen.dump, rng))
        (folder / "all.json.bz2").write_bytes(bz2.compress(text))
        size = len(text)
        del text
        (folder / "asked").write_text("[]")
        row(
            f"extract N people of {5 * chosen.dump:,} entities, {size / 1e6:,.0f} MB (bz2)", measured("extract", folder)
        )
        (folder / "asked").write_text(json.dumps(invented_extract(folder / "large", chosen.people, rng)))
        of = f"{ASKED:,} names among {chosen.people:,} people"
        row(f"{of}: N candidates with evidence", measured("candidates", folder))
        row(f"{of}: N decided by the rule of the live site", measured("resolve", folder))
        row("10 of these names one by one: N candidates", measured("one by one", folder))
        size = sum(path.stat().st_size for path in (folder / "large").rglob("*") if path.is_file())
        lines += ["", f"The extract of {chosen.people:,} people has {size / 1e6:,.0f} MB."]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
