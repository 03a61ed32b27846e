"""Seconds until a page of the explorer of many people is there: ``python benchmarks/explorer.py [--people 1000000]``.

The application is asked in this process, without a socket: a first request of each kind (files are opened, a filter is
looked for) and the median of later ones, by the clock and in CPU seconds, with the machine's load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

import httpx2
import numpy as np
import polars as pl

from personax.explorer import AccessGuard, ExploredStudy, make_application
from personax.store import Manifest, StudyFolder

TOKEN, HOST, AGAIN = "t" * 32, "127.0.0.1:8000", 7
RESULTS = Path(__file__).parent / "results" / "explorer.md"
ASKED = {
    "people, page 1": "/people",
    "people, page 10,000": "/people?page=9999",
    "people, the last page": "/people?page=99999999",
    "a filter on one column, page 1": "/people?column=height_cm&operator=at+least&value=180",
    "the same, page 500": "/people?column=height_cm&operator=at+least&value=180&page=499",
    "a filter on text and a score": "/people?column=job&operator=contains&value=act&column=final_o&operator=is&value=2",
    "one person": "/person?id=p765432",
}


def write_study(root: Path, people: int) -> StudyFolder:
    """Write a study of so many people: eleven features, the scores of five traits by three raters and over them."""
    rng, folder = np.random.default_rng(0), StudyFolder(root)
    ids = pl.Series("id", [f"p{i}" for i in range(people)])
    features = {f"x{i}": rng.normal(size=people).round(3) for i in range(9)}
    words = {"job": rng.choice(["actor", "pilot", "cook", "judge"], people), "gender": rng.choice(["f", "m"], people)}
    frame = pl.DataFrame([ids]).with_columns(height_cm=pl.Series(rng.normal(175, 9, people).round(1)), **{
        name: pl.Series(values) for name, values in (words | features).items()
    })  # fmt: skip
    names = [f"{rater}_{trait}" for rater in ("final", "oak", "elm", "ash") for trait in "ocean"]
    scores = pl.DataFrame([ids]).with_columns(
        **{name: pl.Series(rng.integers(1, 6, people).astype(np.int8)) for name in names}
    )
    columns = [{"name": name, "role": "feature", "kind": "nominal"} for name in frame.columns if name != "id"]
    with folder.lock(), folder.staging("collect") as staged:
        frame.write_parquet(staged.path("people", "people.parquet"))
        staged.path("people", "columns.json").write_text(pl.DataFrame(columns).write_json())
        staged.commit(Manifest("collect", 1, 0, {}, {}))
    with folder.lock(), folder.staging("annotate") as staged:
        scores.write_parquet(staged.path("traits", "traits.parquet"))
        staged.commit(Manifest("annotate", 1, 0, {}, {}))
    return folder


async def timed(folder: StudyFolder) -> dict[str, list[tuple[float, float]]]:
    """Return clock and CPU seconds of every request of a kind."""
    guard = AccessGuard(make_application(ExploredStudy(folder, title="A million")), token=TOKEN, hosts=[HOST])
    found: dict[str, list[tuple[float, float]]] = {}
    transport, cookies = httpx2.ASGITransport(guard), {"personax-explore": TOKEN}
    async with httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}", cookies=cookies) as client:
        for name, path in ASKED.items():
            for _ in range(1 + AGAIN):
                clock, cpu = time.perf_counter(), time.process_time()
                answer = await client.get(path)
                assert answer.status_code == 200, answer.text[:300]
                seconds = time.perf_counter() - clock, time.process_time() - cpu
                found.setdefault(name, []).append(seconds)
    return found


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = write_study(Path(place), asked.people)
        before = os.getloadavg()[0]
        found = asyncio.run(timed(folder))
    machine = f"{platform.machine()}, {os.cpu_count()} cores shared with other work, load {before:.1f}"
    lines = ["# The explorer on many people", "", f"`python benchmarks/explorer.py --people {asked.people}` on "
             f"{date.today()}; {machine}; polars {pl.__version__}. "
             "Wanted: a page in less than 200 ms.", "",
             "| page | first, ms | CPU ms | later, median ms | least ms | CPU ms |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name, times in found.items():
        clock, cpu = zip(*times[1:], strict=True)
        values = [*times[0], statistics.median(clock), min(clock), statistics.median(cpu)]
        lines.append(f"| {name} | " + " | ".join(f"{1000 * value:.0f}" for value in values) + " |")
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
