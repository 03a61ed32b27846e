"""What transforms cost and what they withstand; writes the sections of benchmarks/results/release.md.

python benchmarks/release.py [transform] [audit] [attacks] [cost] [--rows 100000] [--dim 1024] [--people 2000]

Sections that are not named stay as they are. ``attacks`` also draws docs/images/known-pairs.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personax.progress import Silent
from personax.release import PRESETS, AuditReport, Chain, ReleaseKey, audit_vectors
from personax.release.transforms import VERSION
from personax.simulate import numerical, simulate_population

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "release.md"
DATA = ROOT.parent / "shared" / "data"
KEY, OTHER = ReleaseKey(bytes(range(32)), "benchmark"), ReleaseKey(bytes(32), "benchmark")
ROWS = 8192
Vectors = NDArray[np.float32]


def transform(asked: argparse.Namespace) -> Iterator[str]:
    """Stream a file of vectors through each transform and through a plain matrix product, by turns; the least of each.

    Version 1 is the arithmetic of earlier releases, which still come out under it as they did.
    """
    rows, dim = asked.rows, asked.dim
    yield f"| {rows:,} x {dim:,} float32 | version | s | x matrix product | fit, s | largest error | memory, GB |"
    yield "|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory(dir=asked.scratch) as folder:
        x = np.memmap(Path(folder) / "x", np.float32, "w+", shape=(rows, dim))
        rng = np.random.default_rng(asked.seed)
        for start in range(0, rows, ROWS):
            x[start : start + ROWS] = rng.standard_normal((min(ROWS, rows - start), dim), dtype=np.float32)
        y = np.memmap(Path(folder) / "y", np.float32, "w+", shape=(rows, dim))
        matrix = np.linalg.qr(rng.standard_normal((dim, dim)))[0].astype(np.float32)
        for name in asked.transforms or PRESETS:
            for version in (1, VERSION):
                chain = Chain(name, dim, KEY, "a", version=version)
                fit = _seconds(lambda chain=chain: chain.fit(x))  # type: ignore[misc]
                plain, seconds = _by_turns(
                    asked.repeats,
                    lambda: _multiply(x, matrix, y),
                    lambda chain=chain: chain.transform(x, out=y),  # type: ignore[misc]
                )
                some = slice(0, min(rows, 4 * ROWS))
                error = float(np.abs(chain.inverse_transform(y[some]) - x[some]).max() / np.abs(x[some]).max())
                cells = f"{seconds:.2f} | {seconds / plain:.1f} | {fit:.1f} | {error:.1e} | {_memory():.2f}"
                yield f"| {name} | {version} | {cells} |"


def _by_turns(times: int, *works: Callable[[], object]) -> list[float]:
    """Return the least seconds of each work; by turns, so that a busy machine is busy for all."""
    rounds = [[_seconds(work) for work in works] for _ in range(times)]
    return [min(taken) for taken in zip(*rounds, strict=True)]


def _multiply(x: Vectors, matrix: Vectors, y: Vectors) -> None:
    for start in range(0, len(x), ROWS):
        y[start : start + ROWS] = x[start : start + ROWS] @ matrix


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _memory() -> float:
    """Return the memory of this process that is not a mapped file, in GB; all of its peak where that is not known."""
    status = Path("/proc/self/status")
    found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else None
    return int(found[1]) / 1e6 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


class Clock(Silent):
    """Notes how long each attack took: the seconds since the one before it ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def step(self, done: int, total: int, note: str = "") -> None:
        """Note the attack that has ended."""
        now = time.perf_counter()
        self.seconds[note], self._last = self.seconds.get(note, 0.0) + now - self._last, now


def timed_audit(asked: argparse.Namespace) -> Iterator[str]:
    """Run all attacks on as many people as the paper has athletes and celebrities' images of 1,024 numbers.

    What attacks share is worked out by the first that needs it, and counted there.
    """
    x = faces(asked.audited, asked.dim, asked.seed)
    told = {"group": np.where(x[:, 0] > np.median(x[:, 0]), "a", "b").tolist()}
    clocks: dict[str, Clock] = {}
    yield f"| all attacks, {asked.audited:,} x {asked.dim:,} | s | best without pairs | known pairs for half |"
    yield "|---|---|---|---|"
    for name in asked.transforms or ["chain"]:
        chain, other = (Chain(name, asked.dim, key, "a").fit(x) for key in (KEY, OTHER))
        y, z = chain.transform(x), other.transform(x)
        back = chain.inverse_transform(y)
        start, clocks[name] = time.perf_counter(), Clock()
        report = audit_vectors(x, y, renewed=z, inverted=back, attributes=told, progress=clocks[name],
                       rng=np.random.default_rng(asked.seed))  # fmt: skip
        yield f"| {name} | {time.perf_counter() - start:.0f} | {report.worst.value:.2f} | {report.broken_at} |"
    yield "\n| attack | " + " | ".join(f"{name}, s" for name in clocks) + " |"
    yield "|---" * (1 + len(clocks)) + "|"
    for attack in dict.fromkeys(attack for clock in clocks.values() for attack in clock.seconds):
        took = [clock.seconds.get(attack, 0.0) for clock in clocks.values()]
        if max(took) >= 0.05:  # known pairs are told twice, with the work and in the report
            yield f"| {attack} | " + " | ".join(f"{seconds:.1f}" for seconds in took) + " |"


def faces(n: int, dim: int, seed: int) -> Vectors:
    """Return image embeddings of simulated people."""
    world = simulate_population(n, rng=np.random.default_rng(seed), text_dim=8, image_dim=dim)
    found: Vectors = world.embeddings["image"]["image_a"].to_numpy()
    return found


def pictures(name: str, most: int) -> tuple[Vectors, list[str]] | None:
    """Return real pictures on their first 64 principal axes, and what they show; None where they are absent."""
    from personax.simulate import find_idx, read_idx

    if not (DATA / name).is_dir():
        return None
    images, labels = (read_idx(find_idx(DATA / name, kind))[:most] for kind in ("images", "labels"))
    x = images.reshape(len(images), -1).astype(np.float64) / 255
    _, _, axes = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return np.asarray((x - x.mean(axis=0)) @ axes[:64].T, dtype=np.float32), [str(label) for label in labels]


def attacks(asked: argparse.Namespace) -> Iterator[str]:
    """Attack every transform on simulated faces and real pictures."""
    n = asked.people
    world = simulate_population(n, rng=np.random.default_rng(asked.seed), text_dim=8, image_dim=128)
    sets = {"simulated faces, 128": (world.embeddings["image"]["image_a"].to_numpy(), world.people["gender"].to_list())}
    sets |= {f"{name}, 64": found for name in ("mnist", "fashion") if (found := pictures(name, n)) is not None}
    curves = {}
    for data, (x, label) in sets.items():
        yield f"\n**{data}**, {len(x):,} people; {asked.noise:g} is the noise of other pictures\n"
        yield (
            "| transform | same pictures: best attack | other pictures: best attack | pairs for half | linear map | "
            "network | label: guess, original, released | D_sys |"
        )
        yield "|---|---|---|---|---|---|---|---|"
        for name in asked.transforms or PRESETS:
            chain, other = (Chain(name, x.shape[1], key, data).fit(x) for key in (KEY, OTHER))
            y = chain.transform(x)
            report = audit_vectors(x, y, renewed=other.transform(x), attributes={"label": label}, noise=asked.noise,
                           rng=np.random.default_rng(asked.seed))  # fmt: skip
            curves[data, name] = report
            yield f"| {name} | {_row(report)} |"
    _draw(curves, ROOT / "docs" / "images" / "known-pairs.svg")


def _draw(reports: dict[tuple[str, str], AuditReport], path: Path) -> None:
    from personax.plots import breaking_curves, save

    panels: dict[str, dict[str, list[tuple[int, float, float, float]]]] = {}
    for (data, name), report in reports.items():
        panels.setdefault(data, {})[name] = report.best_by_pairs()
    caption = "People found first by the best attack with so many known pairs; shades are 95 % intervals."
    save(breaking_curves(panels, caption), path)


def _row(report: AuditReport) -> str:
    by: dict[str, list[str]] = {}
    for knows in ("the same embeddings", "embeddings of other pictures or texts"):
        found = [a for a in report.attacks if a.knows == knows and a.value is not None]
        best = max(found, key=lambda attack: attack.value or 0)
        by[knows] = [f"{best.value:.2f} ({best.low:.2f}-{best.high:.2f}), {best.name}"]
    cells = [cell[0] for cell in by.values()]
    cells.append(str(report.broken_at or "not reached"))
    for name in ("linear map", "network"):
        last = [point for point in report.curves if point.attack == name][-1:]
        cells += [f"{p.rank_1:.2f}, cosine {p.cosine:.2f} at {p.pairs}" for p in last] or ["not run"]
    label = next(a for a in report.attacks if a.measure == "accuracy")
    cells.append(f"{label.baseline:.2f}, {label.detail['original']:.2f}, {label.value:.2f}")
    cells.append(f"{max(a.value or 0 for a in report.attacks if a.measure == 'D_sys'):.2f}")
    return " | ".join(cells)


def cost(asked: argparse.Namespace) -> Iterator[str]:
    """Compare Level I and Level II before and after, on people whose latents are known."""
    from protection_cost import cost_of_protection

    data = numerical(1, n=asked.people, rng=np.random.default_rng(asked.seed))
    rng = np.random.default_rng(asked.seed)
    targets = {f"z{j}": z + 2.0 * rng.normal(size=asked.people) for j, z in enumerate(data.latents.T)}
    targets["noise"] = rng.normal(size=asked.people)
    table = cost_of_protection(data.views, targets, latents=data.counts, truth=data.latents, epochs=asked.epochs)
    yield f"{asked.people:,} people, numerical case 1; HSIC; Level II: paper, {asked.epochs} epochs, one seed\n"
    yield "| " + " | ".join(table.columns) + " |"
    yield "|---" * table.width + "|"
    for row in table.iter_rows():
        yield "| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row) + " |"


PARTS = {"transform": transform, "audit": timed_audit, "attacks": attacks, "cost": cost}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="part")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--audited", type=int, default=9444)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--noise", type=float, default=0.25)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--transforms", type=lambda text: text.split(","), default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scratch", type=Path, default=None, help="where the files to transform lie")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {min(unknown)}; choose from {', '.join(PARTS)}")
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    packages = ", ".join(f"{name} {version(name)}" for name in ("personax", "numpy", "scipy"))
    for part in asked.parts:
        lines = [f"{date.today()}; {machine}, load {os.getloadavg()[0]:.1f} at the start; {packages}.\n",
                 f"`{' '.join(['python benchmarks/release.py', *_shown(part)])}`\n"]  # fmt: skip
        for line in PARTS[part](asked):
            print(line, flush=True)
            lines.append(line)
        _keep(asked.out, part, "\n".join(lines))


def _shown(part: str) -> list[str]:
    options = [word for word in sys.argv[1:] if word not in PARTS]
    hidden = {place + step for place, word in enumerate(options) if word in ("--scratch", "--out") for step in (0, 1)}
    return [part, *(word for place, word in enumerate(options) if place not in hidden)]


def _keep(path: Path, part: str, text: str) -> None:
    """Put a section in the place of the one before it."""
    store = path.with_suffix(".json")
    sections = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    sections[part] = text
    store.write_text(json.dumps(sections, indent=1), encoding="utf-8")
    body = "\n\n".join(f"## {name}\n\n{sections[name]}" for name in PARTS if name in sections)
    path.write_text(f"# Release, measured\n\n{body}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
