"""A whole study at the paper's size, stage by stage: seconds, CPU seconds, peak memory, hashing, and their growth.

    OMP_NUM_THREADS=2 python benchmarks/paper_size.py [--people 1000 9444] [--stages embed release crl] [--write]

Invented people with three text measurements of 3,584 numbers and an image measurement of 1,024, which lie in files of
vectors as an encoder elsewhere would leave them: of full rank, with a spectrum that falls, a nonlinear part of which
are the latents. Every stage runs in a process of its own, so that its peak is its own. Growth is the exponent b of
seconds ~ people^b between the smallest and the largest number of people.

``--write`` puts the tables into benchmarks/results/paper_size.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

RESULTS = Path(__file__).parent / "results" / "paper_size.md"
STAGES = (
    "collect",
    "annotate",
    "vectors",
    "embed",
    "release",
    "independence",
    "crl",
    "report",
    "read",
    "verify",
    "again",
)
"""``vectors`` makes the files and is no stage of a study; ``read`` and ``verify`` take the release as a reader would;
``again`` is a run of a finished study, which hashes everything and does nothing else."""

PLAN = """
version: 1
name: Paper size
seed: 7
collect: {{source: simulate, n: {people}, text_dim: 16, image_dim: 16, images: false}}
annotate: {{source: simulate, lexicon: true}}
embed:
  source: files
  files:
    text: {{a: text_a.npz, b: text_b.parquet, c: text_c.parquet}}
    image: {{a: image_a.parquet}}
release:
  audit: {audit}
  rare_below: 5
  withheld: [latitude, longitude]
  anonymity: {{k: 5, quasi_identifiers: [gender, country, birth_year, occupation], suppress: 0.05}}
  columns:
    height_cm: {{leaves: exact, risk: "Nobody here is real."}}
    weight_kg: {{leaves: exact, risk: "Nobody here is real."}}
independence: {{tests: [kci, chisq, gsq]}}
crl: {{latents: {{text: 3, image: 3}}, shared: 2, seeds: {seeds}, epochs: {epochs}}}
discover: {{over: [latents]}}
"""

NUISANCE = 768
"""Axes of a falling spectrum, beside what the latents tell; what is below is noise of every number."""


def lay(folder: Path, people: int, text: int, image: int, *, seeds: int, epochs: int, audit: bool) -> None:
    """Write the study file."""
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(
        PLAN.format(people=people, seeds=seeds, epochs=epochs, audit=str(audit).lower()), encoding="utf-8"
    )
    (folder / "dims.json").write_text(json.dumps({"text": text, "image": image}), encoding="utf-8")


def write_vectors(folder: Path) -> None:
    """Write the embeddings of the people whom the study has collected."""
    dims = json.loads((folder / "dims.json").read_text(encoding="utf-8"))
    latents = pl.read_parquet(folder / "people" / "simulation" / "latents.parquet")
    truth = json.loads((folder / "people" / "simulation" / "truth.json").read_text(encoding="utf-8"))
    for place, name in enumerate(("text_a", "text_b", "text_c", "image_a")):
        modality = name.partition("_")[0]
        names = [*truth["groups"][modality], *truth["groups"].get("shared", [])]
        rows = vectors(latents.select(names).to_numpy(), dims[modality], np.random.default_rng([11, place]))
        if name == "text_a":
            np.savez(folder / f"{name}.npz", id=np.array(latents["id"].to_list()), vectors=rows)
        else:
            column = pl.Series("vectors", rows, dtype=pl.Array(pl.Float32, rows.shape[1]))
            pl.DataFrame({"id": latents["id"], "vectors": column}).write_parquet(folder / f"{name}.parquet")


def vectors(latents: np.ndarray, dim: int, rng: np.random.Generator) -> np.ndarray:
    """Return vectors of unit length: two bent layers of the latents, nuisance of a falling spectrum, and noise."""
    z = (latents - latents.mean(axis=0)) / latents.std(axis=0)
    hidden = np.tanh(z @ rng.normal(size=(z.shape[1], 64)) * 0.6 + rng.normal(size=64) * 0.3)
    hidden = np.tanh(hidden @ rng.normal(size=(64, 64)) / 5)
    kept = min(NUISANCE, dim)
    sizes = 1.5 * np.arange(1, kept + 1) ** -0.6
    out = np.empty((len(z), dim), np.float32)
    show, axes = rng.normal(size=(64, dim)) / 8, rng.normal(size=(kept, dim)) / math.sqrt(kept)
    for start in range(0, len(z), 2048):
        rows = slice(start, start + 2048)
        some = hidden[rows] @ show + (rng.normal(size=(len(hidden[rows]), kept)) * sizes) @ axes
        some += 0.05 * rng.normal(size=some.shape) + 0.5
        out[rows] = some / np.linalg.norm(some, axis=1, keepdims=True)
    return out


def step(folder: Path, name: str) -> dict[str, Any]:
    """Run one stage in this process and return what it took."""
    from personax import study

    hashing = [0.0]
    plain = hashlib.file_digest

    def timed(*asked: Any, **how: Any) -> Any:
        begin = time.process_time()
        try:
            return plain(*asked, **how)
        finally:
            hashing[0] += time.process_time() - begin

    hashlib.file_digest = timed  # every hash of a file is made by it
    wall, cpu = time.perf_counter(), os.times()
    if name == "vectors":
        write_vectors(folder)
    elif name == "read":
        from personax.release import load_release

        load_release(folder / "release")
    elif name == "verify":
        from personax.release import verify

        found = verify(folder / "release")
        print(f"{len(found.checks) - len(found.failed)} of {len(found.checks)} checks", file=sys.stderr)
    else:
        own = study.Study.load(folder)
        own.run([name] if name != "again" else ["embed", "release"])
    now = os.times()
    spent = now.user + now.system + now.children_user + now.children_system
    spent -= cpu.user + cpu.system + cpu.children_user + cpu.children_system
    return {"wall": time.perf_counter() - wall, "cpu": spent, "hashing": hashing[0],
            "own": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}  # fmt: skip


def tree_rss(pid: int) -> float:
    """Return MiB of a process and of all that it started."""
    total, left = 0, [pid]
    while left:
        one = left.pop()
        try:
            status = Path(f"/proc/{one}/status").read_text(encoding="ascii")
            left += [int(x) for t in Path(f"/proc/{one}/task").iterdir() for x in (t / "children").read_text().split()]
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return total / 1024


def measured(folder: Path, name: str) -> dict[str, Any]:
    """Run one stage in a process of its own, and watch its memory."""
    asked = [sys.executable, __file__, "--step", name, "--folder", str(folder)]
    peak = 0.0
    with tempfile.TemporaryFile("w+") as out, subprocess.Popen(asked, stdout=out) as child:
        while child.poll() is None:
            peak = max(peak, tree_rss(child.pid))
            time.sleep(0.05)
        if child.returncode:
            raise SystemExit(f"{name} ended with {child.returncode}")
        out.seek(0)
        found: dict[str, Any] = json.loads(out.read().splitlines()[-1])
    return found | {"peak": max(peak, found.pop("own"))}


def run(asked: argparse.Namespace, people: int) -> dict[str, dict[str, Any]]:
    """Run the stages at one size."""
    folder = asked.folder / str(people)
    if not asked.keep:
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        lay(folder, people, *asked.dims, seeds=asked.seeds, epochs=asked.epochs, audit=not asked.no_audit)
    found = {}
    for name in asked.stages:
        found[name] = measured(folder, name)
        print(f"{people:>8,}  {name:<12}", json.dumps({k: round(v, 2) for k, v in found[name].items()}), flush=True)
    page = folder / "report" / "index.html"
    if page.is_file():
        found["report"]["MB"] = page.stat().st_size / 1e6
    return found


def tables(asked: argparse.Namespace, found: dict[int, dict[str, dict[str, Any]]]) -> str:
    """Return Markdown: a table a size, and the growth."""
    lines = []
    text, image = asked.dims
    for people, rows in found.items():
        size = people * (3 * text + image) * 4 / 1e6
        lines += [f"### {people:,} people x (3 x {text:,} + {image:,}), {size:,.0f} MB of vectors", "",
                  "| stage | wall s | CPU s | of it hashing CPU s | peak MiB |", "|---|---|---|---|---|"]  # fmt: skip
        for name, row in rows.items():
            cells = f"{row['wall']:.1f} | {row['cpu']:.1f} | {row['hashing']:.1f} | {row['peak']:,.0f}"
            lines.append(f"| {name} | {cells} |")
        if "MB" in rows.get("report", {}):
            lines += ["", f"The report is {rows['report']['MB']:.2f} MB."]
        lines.append("")
    if len(found) > 1:
        low, high = min(found), max(found)
        lines += [f"Growth from {low:,} to {high:,} people (exponent; 1 is linear):", "",
                  "| stage | CPU s | peak memory |", "|---|---|---|"]  # fmt: skip
        for name in [name for name in found[low] if name in found[high]]:
            grown = (math.log(max(found[high][name][k], 1e-3) / max(found[low][name][k], 1e-3)) / math.log(high / low)
                     for k in ("cpu", "peak"))  # fmt: skip
            lines.append(f"| {name} | " + " | ".join(f"{one:.2f}" for one in grown) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run what is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[1000, 9444])
    parser.add_argument("--dims", type=int, nargs=2, default=[3584, 1024], metavar=("TEXT", "IMAGE"))
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "personax-paper-size")
    parser.add_argument("--no-audit", action="store_true", help="the release is not attacked")
    parser.add_argument("--keep", action="store_true", help="go on with the studies that are in the folder")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--step", choices=STAGES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(step(asked.folder, asked.step)))
        return
    found = {people: run(asked, people) for people in asked.people}
    text = tables(asked, found)
    print(text)
    if asked.write:
        head = (
            "# A study at the paper's size, measured\n\n"
            f"`python benchmarks/paper_size.py {' '.join(sys.argv[1:])}` on {date.today()}; {platform.machine()}, "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, OMP_NUM_THREADS="
            f"{os.environ.get('OMP_NUM_THREADS', 'unset')}; Python {platform.python_version()}, "
            + ", ".join(f"{name} {version(name)}" for name in ("numpy", "polars", "torch"))
            + ".\n\n"
        )
        RESULTS.write_text(head + text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
