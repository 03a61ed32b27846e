"""How fast LLMs are asked, and what the journal costs; writes benchmarks/results/annotate.md.

python benchmarks/annotate.py [--people 12000] [--flat 100000] [--delay 0.2] [--together 64] [--written 2000]

A server of our own on loopback, in another process, answers each request after ``--delay`` seconds; with ``--together``
requests under way, no client can get more than together / delay a second. ``--flat`` people are then asked about with
256 under way and no delay, for peak memory, and their journal is read again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path

from personax.schema import TRAITS
from personax.traits import aggregate_ratings
from personax.traits.llms import Model, Prompt, ReplyJournal, Survey, annotate, annotation_table, write_annotations
from personax.traits.llms._journal import JournalEntry
from personax.traits.llms._requests import ChatRequest, iter_requests

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "annotate.md"


@contextmanager
def server(delay: float) -> Iterator[str]:
    """Start the tests' server in a process of its own and give its address."""
    command = [sys.executable, "-m", "tests.traits.llms.llm_server", str(delay)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def people(n: int) -> list[dict[str, str]]:
    text = "She trained as a nurse, ran for the city council and is said to be patient, bold and hard to hurry. " * 8
    return [{"id": f"p{i}", "name": f"Person {i}", "biography": f"{text} Number {i}."} for i in range(n)]


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def throughput(n: int, delay: float, together: int, path: Path) -> list[str]:
    with server(delay) as url, ReplyJournal(path) as journal:
        asked = Survey(people(n), [Model(name="m", model="m", base_url=url, concurrency=together)], Prompt())
        annotate(Survey(asked.people[:together], asked.models, asked.prompt), journal)  # connections are opened
        began, cpu = time.perf_counter(), time.process_time()
        (outcome,) = annotate(asked, journal)
        seconds, busy = time.perf_counter() - began, time.process_time() - cpu
    rate, possible = outcome.completed / seconds, together / delay
    return [
        f"| {n:,} requests, {together} at once, {1000 * delay:.0f} ms each | {rate:.0f} requests/s, "
        f"{100 * rate / possible:.1f} % of the possible {possible:.0f} (asked for: 95 %) |",
        f"| our processor time a request | {1000 * busy / outcome.completed:.2f} ms |",
    ]


def memory(n: int, path: Path) -> list[str]:
    with server(0.0) as url, ReplyJournal(path) as journal:
        everybody = people(n)
        asked = Survey(everybody, [Model(name="m", model="m", base_url=url, concurrency=64)], Prompt())
        before = peak()
        began = time.perf_counter()
        (outcome,) = annotate(asked, journal)
        seconds = time.perf_counter() - began
        after = peak()
        assert outcome.completed == n
        began = time.perf_counter()
        annotate(asked, journal)
        again = time.perf_counter() - began
        began = time.perf_counter()
        rows = annotation_table(asked, journal).height
        table = time.perf_counter() - began
    return [
        f"| {n:,} requests without delay | {n / seconds:.0f} requests/s; peak memory {after:.0f} MB, "
        f"{before:.0f} MB of it before the first request (asked for: 400 MB) |",
        f"| a second run over {n:,} answered requests | {again:.1f} s (asked for: 5 s) |",
        f"| the journal's {n:,} replies as {rows:,} rows | {table:.1f} s; peak memory {peak():.0f} MB |",
        *size(path, n),
    ]


def size(path: Path, n: int) -> list[str]:
    """Say how many bytes a reply takes, and what a million people, three models and five repeats would."""
    each = path.stat().st_size / n
    return [f"| size of the journal, and of one with 15 million such replies | {each:.0f} bytes a reply, "
            f"{each * 15e6 / 1e9:.1f} GB (asked for: 8 GB) |"]  # fmt: skip


BIOGRAPHY_WORDS = 150


def written_out(n: int, words: int, path: Path) -> list[str]:
    """Write 15 replies a person whose descriptions have so many words, with what was asked, and score them.

    Words are drawn at random from docs/traits.md, which deflate worse than sentences.
    """
    rng, known = random.Random(0), (ROOT / "docs" / "traits.md").read_text(encoding="utf-8").split()
    everybody = [
        {"id": f"p{i}", "name": f"Person {i}", "biography": " ".join(rng.choices(known, k=BIOGRAPHY_WORDS))}
        for i in range(n)
    ]
    models = [Model(name=m, model=m, base_url="http://127.0.0.1:9/v1") for m in ("gpt", "claude", "gemini")]
    asked = Survey(everybody, models, Prompt(fields=["biography"]), 5)
    began = time.process_time()
    with ReplyJournal(path) as journal:
        for model in models:
            entries = (entry(one, model, asked, said(rng, known, words), rng) for one in iter_requests(asked, model))
            while chunk := list(islice(entries, 500)):
                journal.add(chunk)
        journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    seconds = time.process_time() - began
    (line,) = size(path, 15 * n)
    scored = [] if words != 12 else aggregated(asked, path)
    told = [line.replace("such replies", f"replies of {words} words a trait, prompts of {BIOGRAPHY_WORDS} words")]
    return [*told, f"| writing them | {1000 * seconds / (15 * n):.2f} ms of processor time a reply |", *scored]


def aggregated(asked: Survey[Prompt], path: Path) -> list[str]:
    """Score a journal's replies part by part, and say what that took."""
    began, before = time.process_time(), peak()
    with ReplyJournal(path) as journal, tempfile.TemporaryDirectory() as folder:
        rows = write_annotations(asked, journal, Path(folder))
        read = time.process_time() - began
        ids = [one["id"] for one in asked.people]
        aggregate_ratings(rows, people=ids)
    seconds, n = time.process_time() - began, len(asked.people)
    return [f"| scoring {15 * n:,} replies of {n:,} people, people in memory | {seconds:.0f} CPU s ({read:.0f} of it "
            f"reading); peak memory {peak():.0f} MB, {before:.0f} MB of it before |"]  # fmt: skip


def entry(
    one: ChatRequest, model: Model, asked: Survey[Prompt], reply: dict[str, object], rng: random.Random
) -> JournalEntry:
    cost = rng.random() / 100
    return JournalEntry(one.key, model.name, asked.prompt.name, one.person, one.repeat, 0, reply, rng.random(), 900,
                        180, cost, one.messages)  # fmt: skip


def said(rng: random.Random, known: list[str], words: int) -> dict[str, object]:
    texts = [" ".join(rng.choices(known, k=words)) for _ in TRAITS]
    answer = {t: {"description": text, "score": rng.randrange(4)} for t, text in zip(TRAITS, texts, strict=True)}
    upstream = {"model": "gpt-4o-2024-11-20", "id": f"chatcmpl-{rng.getrandbits(112):028x}", "choices": 1}
    return {"content": json.dumps(answer), "refusal": None, "finish": "stop", "upstream": upstream}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=12_000)
    parser.add_argument("--flat", type=int, default=100_000)
    parser.add_argument("--delay", type=float, default=0.2)
    parser.add_argument("--written", type=int, default=2000)
    parser.add_argument("--together", type=int, default=64)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = throughput(asked.people, asked.delay, asked.together, Path(folder) / "a.sqlite")
        lines += memory(asked.flat, Path(folder) / "b.sqlite") if asked.flat else []
        for words in (8, 12, 20):
            lines += written_out(asked.written, words, Path(folder) / f"{words}.sqlite")
    command = " ".join(["python benchmarks/annotate.py", *sys.argv[1:]])
    load = f"load {os.getloadavg()[1]:.0f}"  # above the cores, requests a second say nothing; processor time does
    machine = f"{os.cpu_count()} cores, {load}, {platform.machine()}, Python {platform.python_version()}"
    text = (
        f"# Asking LLMs, measured\n\n`{command}` on {date.today().isoformat()}; {machine}; "
        "the server runs on the same machine.\n\n| what | measured |\n|---|---|\n" + "\n".join(lines) + "\n"
    )
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
