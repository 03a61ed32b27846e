"""Measure collecting: seven leagues on loopback with scripted trouble; nobody lost, limits as the servers count, time.

Run it from the root of the project with the tests importable: ``PYTHONPATH=src:. python benchmarks/collect.py``.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import polars as pl
import yaml
from tests.http.site import Asked, Reply, Site, serving
from tests.sources.leagues.shapes import SITES, person, pointed

from personax.stages import _collect_many as fetching
from personax.study import Study

RESULT: Final = Path(__file__).parent / "results" / "collect.md"

PEOPLE: Final = {
    "nba": 557, "nfl": 1500, "nhl": 800, "atp": 400, "pga": 300, "premier_league": 350, "bundesliga": 274,
}  # fmt: skip
"""4,181 athletes, as many as the paper has."""

PATIENT: Final = {"backoff": 0.05, "read_seconds": 2.0, "total_seconds": 20.0, "attempts": 5}
LIFTED: Final = {**PATIENT, "per_second": None, "concurrency": 16}
LIMITED: Final = {**PATIENT, "per_second": 40.0, "concurrency": 4}

TROUBLES: Final = {
    "403": Reply(b"no", 403),
    "429": Reply(b"slowly", 429, {"Retry-After": "1"}),
    "hang": Reply(delay=2.5),
    "cut": Reply(b"{" * 500, cut=40),
    "500": Reply(b"", 500),
}
"""What a page answers the first time: each for about one page of 400, and for the very first page of every site."""


@dataclass
class Run:
    """One collection."""

    seconds: float
    people: pl.DataFrame
    summary: list[dict[str, Any]]
    requests: int


def troubled(name: str, n: int, hit: dict[str, int]) -> Site:
    """Serve a league with trouble that passes."""
    answer, kinds = SITES[name](n), list(TROUBLES)

    def script(asked: Asked, times: int) -> Reply:
        drawn = crc32(f"{name} {asked.path} {asked.body!r}".encode()) % 400
        if times == 0 and drawn < len(kinds):
            hit[kinds[drawn]] += 1
            return TROUBLES[kinds[drawn]]
        found = answer(asked.path, asked.body)
        return Reply(b"", 404) if found is None else Reply(found[1], kind=found[0])

    return Site(script, robots="User-agent: *\nAllow: /\n")


def section(name: str, url: str) -> dict[str, Any]:
    """Return the lines of a study that point a league at a server."""
    return {"source": name, **pointed(name, url).model_dump(mode="json", exclude_defaults=True)}


def collected(folder: Path, sites: Mapping[str, Site], limits: Mapping[str, Any]) -> Run:
    """Collect from sites into a folder."""
    sources = [section(name, site.url) for name, site in sites.items()]
    collect = {"source": "several", "contact": "bench@example.org", "fetch": dict(limits), "sources": sources}
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump({"name": "athletes", "collect": collect}))
    before = sum(len(site.asked) for site in sites.values())
    began = time.perf_counter()
    Study.load(file).run(["collect"], force=True)
    seconds = time.perf_counter() - began
    summary = json.loads((folder / "people" / "sources.json").read_text())
    people = pl.read_parquet(folder / "people" / "people.parquet")
    return Run(seconds, people, summary, sum(len(site.asked) for site in sites.values()) - before)


@contextmanager
def seven(hit: dict[str, int]) -> Iterator[dict[str, Site]]:
    sites = {name: troubled(name, n, hit) for name, n in PEOPLE.items()}
    with serving(*sites.values()):
        yield sites


def lost(run: Run) -> dict[str, int]:
    """Return how many people of each league are not there, or without the birth date that was served."""
    found = {}
    for name, n in PEOPLE.items():
        mine = run.people.filter(pl.col("id").str.starts_with(f"{name}-"))
        served = {(f"{p.first} {p.last}", p.born) for p in map(person, range(1, n + 1))}
        found[name] = n - len(served & set(mine.select("name", "birth_date").iter_rows()))
    return found


def busiest(site: Site) -> int:
    """Return the most requests that arrived within any one second."""
    times = sorted(asked.time for asked in site.asked)
    return max(sum(t <= other < t + 1.0 for other in times[i : i + 500]) for i, t in enumerate(times))


def endless(target: str, body: bytes) -> tuple[str, bytes] | None:
    """Answer with a list of people whose every page names a next one, and each page is the same."""
    found = SITES["premier_league"](100)(target, body)
    assert found is not None
    page = json.loads(found[1])
    page["pagination"]["_next"] = "c0"
    return "application/json", json.dumps(page).encode()


def broken() -> dict[str, Site]:
    """Return sites whose trouble does not pass, and one that is well."""
    well = SITES["bundesliga"](50)

    def shape(asked: Asked, times: int) -> Reply:
        found = well(asked.path, asked.body)
        return Reply(b"", 404) if found is None else Reply(found[1], kind=found[0])

    def looped(asked: Asked, times: int) -> Reply:
        found = endless(asked.path, asked.body)
        return Reply(b"", 404) if found is None else Reply(found[1], kind=found[0])

    away = Reply(b"", 302, {"location": "http://169.254.169.254/latest/meta-data"})
    return {
        "bundesliga": Site(shape),
        "nba": Site(lambda asked, times: Reply(delay=60.0)),
        "nfl": Site(lambda asked, times: Reply(b"", 403)),
        "atp": Site(lambda asked, times: Reply(b'{"another": "shape"}')),
        "premier_league": Site(looped),
        "espn": Site(lambda asked, times: away),
        "nhl": Site(shape, robots="User-agent: *\nDisallow: /\n"),
        "pga": Site(lambda asked, times: Reply(b"<html>captcha", kind="text/html")),
    }


def main() -> None:
    fetching.REACHABLE = ("127.0.0.1",)
    os.environ["PERSONAX_PGA_KEY"] = "invented-for-the-benchmark"
    hit = dict.fromkeys(TROUBLES, 0)
    with tempfile.TemporaryDirectory() as root, seven(hit) as sites:
        lifted = collected(Path(root), sites, LIFTED)
        again = collected(Path(root), sites, LIFTED)
        assert again.people.equals(lifted.people)
        troubles = dict(hit)
    with tempfile.TemporaryDirectory() as root, seven(hit) as sites:
        limited = collected(Path(root), sites, LIMITED)
        counted = {name: (len(site.asked), site.most_at_once, busiest(site)) for name, site in sites.items()}
    sites = broken()
    with tempfile.TemporaryDirectory() as root, serving(*sites.values()):
        trouble = collected(Path(root), sites, {**PATIENT, "per_second": None, "attempts": 2, "read_seconds": 0.5})
    text = written(lifted, again, troubles, limited, counted, trouble, sites)
    RESULT.write_text(text, encoding="utf-8")
    print(text)


def written(
    lifted: Run, again: Run, troubles: dict[str, int], limited: Run, counted: dict[str, tuple[int, int, int]],
    trouble: Run, sites: Mapping[str, Site],
) -> str:  # fmt: skip
    gone, slow = lost(lifted), lost(limited)
    passing = ", ".join(f"{name} {number}" for name, number in troubles.items())
    lines = [
        "# Collecting, measured",
        "",
        "Seven servers on loopback in the same process answer in the leagues' shapes with invented people. Command:",
        "`PYTHONPATH=src:. python benchmarks/collect.py`, on 2 shared cores.",
        "",
        f"Trouble that passes, in the first run: {passing} (429 asks for a wait of 1 s, a hang ends after 2 s).",
        "",
        "| run | people | lost | requests | seconds |",
        "|---|---|---|---|---|",
        f"| limits lifted (16 at once) | {lifted.people.height:,} | {sum(gone.values())} | {lifted.requests:,} "
        f"| {lifted.seconds:.1f} |",
        f"| again, everything in the cache | {again.people.height:,} | {sum(lost(again).values())} | {again.requests} "
        f"| {again.seconds:.1f} |",
        f"| 40 a second, 4 at once | {limited.people.height:,} | {sum(slow.values())} | {limited.requests:,} "
        f"| {limited.seconds:.1f} |",
        "",
        "Lost: people who were served and are not in people.parquet with the name and birth date that were served.",
        "",
        "## Limits, as the servers count (40 a second, 4 at once)",
        "",
        "| league | people | requests | most at once | most in any second |",
        "|---|---|---|---|---|",
        *(f"| {name} | {PEOPLE[name]:,} | {n:,} | {most} | {rate} |" for name, (n, most, rate) in counted.items()),
        "",
        "## Trouble that does not pass",
        "",
        f"One study, {trouble.seconds:.1f} s in all.",
        "",
        "| source | people | requests | what the study says |",
        "|---|---|---|---|",
        *(
            f"| {one['source']} | {one['found']} | {len(sites[one['source']].asked)} | "
            f"{one['stopped'] or '; '.join(one['errors']) or 'well'} |"
            for one in trouble.summary
        ),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
