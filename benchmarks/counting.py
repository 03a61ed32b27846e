"""Level I at scale, in CPU seconds: conditional KCI, RCIT and distinct numbers beside their peers, all pairs, states.

python benchmarks/counting.py [--sizes 1000,2000,5000] [--large 100000] [--distinct 10000000] [--columns 2000]

Needs the extra discovery (causal-learn); dcor is measured where it is installed. Set OMP_NUM_THREADS=1. Writes
benchmarks/results/counting.md. Effect sizes are left out on both sides; the peers have none.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from causallearn.utils.KCI.KCI import KCI_CInd
from causallearn.utils.RCIT.RCIT import RCIT, RIT
from numpy.typing import NDArray

from personax.discovery import pc
from personax.independence import dcor, hsic, kci, rcit, screen, screen_tables
from personax.stages._discover import ci_test

Array = NDArray[np.float64]
RESULTS = Path(__file__).parent / "results" / "counting.md"


def cpu(run: Callable[[], Any], repeats: int = 5) -> tuple[float, Any]:
    """Return the least of several CPU times, and the result."""
    times, result = list[float](), None
    for _ in range(repeats):
        start = time.process_time()
        result = run()
        times.append(time.process_time() - start)
    return min(times), result


def draw(n: int, columns: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return x and y that depend on the first column of z alone, all distinct."""
    z = rng.normal(size=(n, columns))
    return np.sin(z[:, 0]) + 0.7 * rng.normal(size=n), 0.3 * z[:, 0] ** 2 + 0.7 * rng.normal(size=n), z


def conditional(sizes: Sequence[int], large: int, rng: np.random.Generator) -> Iterator[str]:
    yield "| KCI given z, all distinct | n | causal-learn, ms | personax, ms | ridge, ms | times (default / ridge) |"
    yield "|---|---|---|---|---|---|"
    for n, columns in [(n, columns) for n in sizes if n <= 2000 for columns in (1, 3)]:
        x, y, z = draw(n, columns, rng)
        theirs = cpu(lambda: KCI_CInd().compute_pvalue(x[:, None], y[:, None], z), 1)[0]
        ours = cpu(lambda: kci(x, y, z, with_effect=False))[0]
        ridge = cpu(lambda: kci(x, y, z, regression="ridge", with_effect=False))[0]
        times = f"{theirs / ours:.0f} / {theirs / ridge:.0f}"
        yield f"| {columns} of z | {n:,} | {1e3 * theirs:,.0f} | {1e3 * ours:.1f} | {1e3 * ridge:.1f} | {times} |"
    for n, columns in ((large // 10, 1), (large, 1), (large, 3)):
        x, y, z = draw(n, columns, rng)
        ours, found = cpu(lambda: kci(x, y, z, with_effect=False), 1)
        yield f"| {columns} of z, p = {found.p_value:.2f} | {n:,} | – | {1e3 * ours:,.0f} | – | – |"


def random_features(sizes: Sequence[int], rng: np.random.Generator) -> Iterator[str]:
    yield "| RCIT | n | causal-learn, ms | personax, ms | as published (`fourier`), ms |"
    yield "|---|---|---|---|---|"
    for n in sizes:
        x, y, z = draw(n, 1, rng)
        theirs = cpu(lambda: RIT().compute_pvalue(x[:, None], y[:, None]))[0]
        ours = cpu(lambda: rcit(x, y, rng=0, with_effect=False))[0]
        yield f"| x, y | {n:,} | {1e3 * theirs:.1f} | {1e3 * ours:.1f} | – |"
        theirs = cpu(lambda: RCIT().compute_pvalue(x[:, None], y[:, None], z))[0]
        ours = cpu(lambda: rcit(x, y, z, rng=0, with_effect=False))[0]
        published = cpu(lambda: rcit(x, y, z, rng=0, with_effect=False, given="fourier"))[0]
        yield f"| x, y given z | {n:,} | {1e3 * theirs:.1f} | {1e3 * ours:.1f} | {1e3 * published:.1f} |"


def distinct(sizes: Sequence[int], rng: np.random.Generator) -> Iterator[str]:
    try:
        peer = import_module("dcor.independence").distance_correlation_t_test
    except ImportError:
        peer = None
    yield "| all distinct | n | dcor's t-test, ms | our dcor, ms | hsic, ms | kci (3 widths), ms | one width, ms |"
    yield "|---|---|---|---|---|---|---|"
    for n in sizes:
        x, y, _ = draw(n, 1, rng)
        theirs = "–" if peer is None else f"{1e3 * cpu(lambda: peer(x, y))[0]:.1f}"
        tests: list[Callable[[], Any]] = [
            lambda: dcor(x, y),
            lambda: hsic(x, y),
            lambda: kci(x, y, with_effect=False),
            lambda: kci(x, y, null="gamma", with_effect=False),
        ]
        yield f"| | {n:,} | {theirs} | " + " | ".join(f"{1e3 * cpu(test)[0]:.1f}" for test in tests) + " |"


def states(rows: int, columns: int, rng: np.random.Generator) -> Iterator[str]:
    yield "| counting | CPU s | peak of the process so far, MB |"
    yield "|---|---|---|"
    with TemporaryDirectory() as folder:
        codes = rng.integers(0, 3, (300, 2 * columns)).astype(np.int8)
        frame = pl.DataFrame({f"c{k}": codes[:, k] for k in range(2 * columns)})
        names = frame.columns
        run = partial(screen_tables, frame, names[:columns], names[columns:], f"{folder}/p.parquet")
        yield _told(f"chi-square of {columns:,} x {columns:,} columns of 3 levels, 300 people", cpu(run, 1)[0])
    table = pl.DataFrame({name: rng.integers(0, 2 + k % 3, 1_000_000) for k, name in enumerate("abcdef")})
    for test in ("chisq", "kci"):
        ready = ci_test(test, dict.fromkeys(table.columns, "ordinal"))
        yield _told(f"PC by {test}, 1,000,000 rows x 6 columns", cpu(lambda: pc(table, test=ready), 3)[0])
    x = rng.normal(size=rows)
    wide = pl.DataFrame({"x": x, "y": 0.0005 * x + rng.normal(size=rows)}).lazy()
    del x
    seconds, found = cpu(lambda: screen(wide, ["x"], ["y"], tests=["kci"]), 1)
    yield _told(f"kci of {rows:,} distinct numbers, p = {found['p_value'][0]:.3f}", seconds)


def _told(what: str, seconds: float) -> str:
    return f"| {what} | {seconds:.2f} | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} |"


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=numbers, default=[1000, 2000, 5000])
    parser.add_argument("--large", type=int, default=100_000, help="rows of conditional KCI alone")
    parser.add_argument("--distinct", type=int, default=10_000_000, help="rows of distinct numbers")
    parser.add_argument("--columns", type=int, default=2000, help="on each side, all pairs")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    place = f"{date.today()}; {platform.machine()}, Python {platform.python_version()}, OMP_NUM_THREADS=1; CPU time"
    command = " ".join(["python benchmarks/counting.py", *sys.argv[1:]])
    parts = [["# Level I at scale, measured", "", f"{place}.", "", f"`{command}`"]]
    sections: list[Callable[[np.random.Generator], Iterator[str]]] = [
        lambda rng: conditional(asked.sizes, asked.large, rng),
        lambda rng: random_features(asked.sizes, rng),
        lambda rng: distinct(asked.sizes, rng),
        lambda rng: states(asked.distinct, asked.columns, rng),
    ]
    for section in sections:
        parts.append(list(section(np.random.default_rng(0))))
        print("\n".join(parts[-1]), flush=True)
        asked.out.write_text("\n\n".join("\n".join(part) for part in parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
