"""Level I against causal-learn, side by side in one run; writes benchmarks/results/independence.md.

python benchmarks/independence.py [--peer 1000,2000,4181] [--conditional 500,1000] [--growth 1000,10000,100000,1000000]
    [--hyppo 500,1000,2000] [--file 10000000]

Needs the extra discovery (causal-learn); hyppo is measured where it is installed. For a fair count set
OMP_NUM_THREADS=1. causal-learn needs about
40 n^2 bytes: 0.7 GB at 4,181 people, 3.7 GB at 9,444.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from causallearn.utils.KCI.KCI import KCI_CInd, KCI_UInd
from numpy.typing import NDArray

from personax.independence import hsic, kci, screen
from personax.schema import Kind

Array = NDArray[np.float64]
RESULTS = Path(__file__).parent / "results" / "independence.md"


def people(n: int, *, distinct: bool, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return heights in centimetres and scores of three levels that depend on them a little; or both all distinct."""
    height = rng.normal(180, 9, n)
    score = np.digitize(0.01 * (height - 180) + rng.normal(size=n), [-1, 1]).astype(float)
    return (height, rng.normal(size=n) + 0.01 * (height - 180)) if distinct else (height.round(), score)


def timed(run: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Return the shortest of several wall-clock times, and the result; what is short is timed for 0.2 s."""
    best, result, spent, done = float("inf"), None, 0.0, 0
    while done < repeats or (repeats > 1 and spent < 0.2):
        start = time.perf_counter()
        result = run()
        took = time.perf_counter() - start
        best, spent, done = min(best, took), spent + took, done + 1
    return best, result


def column(values: Array) -> Array:
    return values.reshape(len(values), -1)


def row(what: str, n: int, slow: float, fast: float, theirs: str, ours: str) -> str:
    return f"| {what} | {n:,} | {slow:.3f} | {fast:.5f} | {slow / fast:,.0f} | {theirs} | {ours} |"


def against_peer(sizes: Iterable[int], rng: np.random.Generator) -> Iterable[str]:
    yield "| marginal KCI | n | causal-learn, s | personax, s | times faster | p, causal-learn | p, personax |"
    yield "|---|---|---|---|---|---|---|"
    for n in sizes:
        for distinct in (False, True):
            x, y = people(n, distinct=distinct, rng=rng)
            slow, (theirs, _) = timed(lambda: KCI_UInd().compute_pvalue(column(x), column(y)))
            fast, ours = timed(lambda: kci(x, y, null="gamma"))
            what = "all values distinct" if distinct else "heights x 3 levels"
            yield row(what, n, slow, fast, f"{theirs:.9g}", f"{ours.p_value:.9g}")


def conditional(sizes: Iterable[int], rng: np.random.Generator) -> Iterable[str]:
    yield "| conditional KCI | n | causal-learn, s | personax, s | times faster | p, causal-learn | p, personax |"
    yield "|---|---|---|---|---|---|---|"
    for n in sizes:
        z = rng.normal(size=n)
        x, y = z + rng.normal(size=n), z**2 + rng.normal(size=n)
        for what, v in (
            ("all values distinct", (x, y, z)),
            ("rounded to 0.5", tuple(np.round(2 * u) for u in (x, y, z))),
        ):
            slow, (theirs, _) = timed(lambda: KCI_CInd().compute_pvalue(*map(column, v)))
            fast, ours = timed(lambda: kci(*v, regression="ridge"))
            yield row(f"{what}, as causal-learn", n, slow, fast, f"{theirs:.6f}", f"{ours.p_value:.6f}")
            fast, ours = timed(lambda: kci(*v))
            yield row(f"{what}, our default", n, slow, fast, f"{theirs:.6f}", f"{ours.p_value:.6f}")


PERMUTATIONS = 1000


def permuted(sizes: Iterable[int], rng: np.random.Generator) -> Iterable[str]:
    """HSIC by permutations: the peer where it is installed, with fewer permutations and as many people as it can."""
    try:
        from hyppo.independence import Hsic
    except ImportError:
        Hsic = None
    yield f"| HSIC, {PERMUTATIONS:,} permutations | n | hyppo, s | personax, s | times faster |"
    yield "|---|---|---|---|---|"
    known = []
    if Hsic is not None:  # it compiles itself when it is first called
        Hsic().test(*(rng.normal(size=(50, 1)) for _ in range(2)), reps=10, auto=False)
    for n in (*sizes, 9444):
        x, y = people(n, distinct=False, rng=rng)
        fast, _ = timed(lambda: hsic(x, y, null="permutation", permutations=PERMUTATIONS, rng=np.random.default_rng(0)))
        if Hsic is None:
            yield f"| heights x 3 levels | {n:,} | not installed | {fast:.4f} | |"
            continue
        if n in sizes:
            few = PERMUTATIONS // 10
            slow = 10 * timed(lambda: Hsic().test(column(x), column(y), reps=few, auto=False), 1)[0]
            known.append((n, slow))
            what = f"{slow:.1f} (ten times {few} permutations)"
        else:
            logs = np.log(np.array(known))
            exponent, level = np.polyfit(logs[:, 0], logs[:, 1], 1)
            slow = float(np.exp(level) * n**exponent)
            what = f"{slow:,.0f} (extrapolated, exponent {exponent:.2f})"
        yield f"| heights x 3 levels | {n:,} | {what} | {fast:.4f} | {slow / fast:,.0f} |"


def from_file(n: int, rng: np.random.Generator) -> Iterable[str]:
    """All pairs of ten discrete columns by five tests, from a Parquet file; memory is that of a process of its own."""
    levels = (2, 3, 5, 12, 50) * 2
    with TemporaryDirectory() as folder:
        path = Path(folder) / "people.parquet"
        columns = {f"c{i}": rng.integers(0, k, n).astype(np.int16) for i, k in enumerate(levels)}
        pl.DataFrame(columns).write_parquet(path)
        del columns
        script = (
            "import sys, time; from personax.independence import screen\n"
            "names = [f'c{i}' for i in range(10)]; start = time.perf_counter()\n"
            "done = sum(screen(sys.argv[1], names[i + 1:], [names[i]], kinds=dict.fromkeys(names, 'ordinal'),"
            " tests=['kci', 'rcit', 'hsic', 'chisq', 'gsq'], jobs=2).height for i in range(9))\n"
            # what getrusage tells of a young process is the memory of its parent
            "peak = [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0]\n"
            "print(done, time.perf_counter() - start, int(peak) / 1024)"
        )
        command = [sys.executable, "-c", script, str(path)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        size = path.stat().st_size / 1e6
    tests, seconds, memory = int(told[0]), float(told[1]), float(told[2])
    yield "| from a Parquet file | tests | s | memory, MB |"
    yield "|---|---|---|---|"
    yield f"| {n:,} rows x 10 columns ({size:,.0f} MB), 45 pairs x 5 tests | {tests} | {seconds:.1f} | {memory:,.0f} |"


def growth(sizes: list[int], rng: np.random.Generator) -> Iterable[str]:
    """Time against n, and the exponent of the power law through the sizes from 10,000 rows on."""
    yield "| personax alone | " + " | ".join(f"{n:,}" for n in sizes) + " | exponent |"
    yield "|---" * (len(sizes) + 2) + "|"
    for distinct in (False, True):
        # factors of ten million distinct values would take 20 GB
        tried = [n for n in sizes if not distinct or n <= 1_000_000]
        seconds = [timed(lambda: kci(*people_))[0] for n in tried if (people_ := people(n, distinct=distinct, rng=rng))]
        large = [i for i, n in enumerate(tried) if n >= 10_000]
        fitted = large if len(large) > 1 else list(range(len(tried)))
        exponent = np.polyfit(np.log(np.array(tried)[fitted]), np.log(np.array(seconds)[fitted]), 1)[0]
        what = "all values distinct" if distinct else "heights x 3 levels"
        shown = [f"{s:.4f}" for s in seconds] + ["–"] * (len(sizes) - len(tried))
        yield f"| {what}, s | " + " | ".join(shown) + f" | {exponent:.2f} |"


def grids(rng: np.random.Generator) -> Iterable[str]:
    yield "| grid: KCI, RCIT, HSIC, chi-square, G-square where they apply | jobs | rows of the result | s |"
    yield "|---|---|---|---|"
    for n, features, targets, jobs in ((9444, 23, 5, 1), (9444, 23, 5, 2), (300, 10_000, 5, 1)):
        table, kinds = grid(n, features, targets, rng)
        names = table.columns
        tests = ["kci", "rcit", "hsic", "chisq", "gsq"]
        run = partial(screen, table, names[:features], names[features:], kinds=kinds, tests=tests, jobs=jobs)
        seconds, pvalues = timed(run, 1)
        what = f"{n:,} people, {features:,} features x {targets} traits"
        yield f"| {what} | {jobs} | {pvalues.height:,} | {seconds:.2f} |"


def grid(n: int, features: int, targets: int, rng: np.random.Generator) -> tuple[pl.DataFrame, dict[str, Kind]]:
    """Return features of which half are attributes (0, 1) and half measurements, and traits of three levels."""
    columns = {
        f"feature {i}": rng.integers(0, 2, n) if i % 2 else rng.normal(180, 9, n).round() for i in range(features)
    }
    columns |= {f"trait {i}": rng.integers(1, 4, n) for i in range(targets)}
    kinds: dict[str, Kind] = {name: "ordinal" for name in columns}
    kinds |= {f"feature {i}": "continuous" for i in range(0, features, 2)}
    return pl.DataFrame(columns), kinds


def where() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("personax", "causal-learn", "numpy", "scipy", "polars"))
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    processor = f"{platform.machine()}, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}"
    return f"{date.today()}; {processor}; {platform.system()}; Python {platform.python_version()}; {packages}."


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=numbers, default=[1000, 2000, 4181], help="sizes of the marginal comparison")
    parser.add_argument("--conditional", type=numbers, default=[500, 1000], help="sizes of the conditional comparison")
    parser.add_argument(
        "--growth", type=numbers, default=[1000, 10_000, 100_000, 1_000_000, 10_000_000], help="personax alone"
    )
    parser.add_argument("--hyppo", type=numbers, default=[500, 1000, 2000], help="sizes of the comparison of HSIC")
    parser.add_argument("--file", type=int, default=10_000_000, help="rows of the Parquet file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    parts = [
        [
            "# Level I, measured",
            "",
            where(),
            "",
            f"`{' '.join(['python benchmarks/independence.py', *sys.argv[1:]])}`",
            "",
            "Single tests: the shortest of three runs, or of all within 0.2 s, for both sides. Grids: one run.",
        ],
    ]
    sections = (
        grids,
        partial(against_peer, asked.peer),
        partial(conditional, asked.conditional),
        partial(permuted, asked.hyppo),
        partial(from_file, asked.file),
        partial(growth, asked.growth),
    )
    for section in sections:
        parts.append(list(section(np.random.default_rng(asked.seed))))
        print("\n".join(parts[-1]), flush=True)
        if section is grids:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            parts.append([f"Peak memory up to here, tables included: {peak:,.0f} MB."])
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text("\n\n".join("\n".join(part) for part in parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
