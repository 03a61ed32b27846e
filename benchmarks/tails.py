"""Levels far into the tail, family-wise errors and power of the marginal tests; writes benchmarks/results/tails.md.

python benchmarks/tails.py [--times 1000] [--sizes 50,200,1000] [--grids 40] [--power 100] [--parts levels,power]

Columns as people have them: zeros with a lognormal rest, lognormal, Cauchy, nearly one value, counts, clumped money.
causal-learn, hyppo and dcor stand beside where they are installed. For a fair count set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.independence import binomial_interval, find_test, hsic, kci, screen
from personax.independence._counts import Counted, count
from personax.independence._kernels import cross, marginal_factor, standardise
from personax.independence._normal_scores import scored
from personax.independence._permutations import permuted_crosses
from personax.independence._several_widths import closed_form, joined_test, joint_tails, kernels
from personax.schema import Kind

Array = NDArray[np.float64]
Random = np.random.Generator
PValue = Callable[[Array, Array, Random], tuple[float, str]]

RESULTS = Path(__file__).parent / "results" / "tails.md"
LEVELS = (0.05, 0.01, 0.001, 0.0001)


def zeros(rng: Random, n: int) -> Array:
    return np.where(rng.random(n) < 0.9, 0.0, rng.lognormal(0, 2, n))


def money(rng: Random, n: int) -> Array:
    values = rng.lognormal(10, 1.5, n)
    unit = 10 ** np.floor(np.log10(values))
    return np.asarray(np.round(values / unit) * unit)


COLUMNS: Mapping[str, Callable[[Random, int], Array]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "90 % zeros, else lognormal": zeros,
    "lognormal, sigma 2": lambda rng, n: rng.lognormal(0, 2, n),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "97 % one value": lambda rng, n: np.where(rng.random(n) < 0.97, 0.0, rng.integers(1, 4, n)),
    "counts": lambda rng, n: rng.poisson(rng.gamma(0.3, 5, n)).astype(float),
    "money, one digit": money,
}


def ours(test: Callable[..., Any], **options: Any) -> PValue:
    def run(x: Array, y: Array, rng: Random) -> tuple[float, str]:
        result = test(x, y, rng=rng, **options)
        return result.p_value, result.method

    return run


def ours_without_draws(name: str) -> PValue:
    function = find_test(name).function

    def run(x: Array, y: Array, rng: Random) -> tuple[float, str]:
        return function(x, y).p_value, ""

    return run


def tests() -> dict[str, PValue]:
    found = {
        "kci": ours(kci),
        "hsic": ours(hsic),
        "kci, one width": ours(kci, bandwidth="empirical"),
        "kci as causal-learn (gamma)": ours(kci, null="gamma", scores="never"),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found["dcor"] = ours_without_draws("dcor")
        except Exception:  # noqa: BLE001 - a version without it
            print("no test dcor")
        try:
            from hyppo.independence import Dcorr, Hsic

            found["hyppo Dcorr (chi-square)"] = lambda x, y, rng: (
                Dcorr().test(x[:, None], y[:, None], auto=True)[1],
                "",
            )
            found["hyppo Hsic (chi-square)"] = lambda x, y, rng: (Hsic().test(x[:, None], y[:, None], auto=True)[1], "")
        except ImportError:
            print("hyppo is not installed")
    return found


PEERS_TO = 200
"""People up to which peers run: they take n x n matrices."""


def levels(times: int, sizes: list[int], rng_seed: int = 11) -> Iterator[str]:
    yield "## Levels"
    yield f"\nShare of {times:,} true nulls rejected ({times // 2:,} at n = 1,000 and of hyppo). Both"
    yield "columns are of the kind named; samples in which one is constant are left out. **Bold**: the exact 95 %"
    yield f"interval lies above the level; of forty exact cells one does by chance. Peers run up to n = {PEERS_TO}.\n"
    yield "| columns | n | test | .05 | .01 | .001 | .0001 | least p | null | ms |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for index, (name, column) in enumerate(COLUMNS.items()):
        for n in sizes:
            for test, run in tests().items():
                peer = test.startswith(("hyppo", "kci as"))
                if peer and n > PEERS_TO:
                    continue
                many = times // 2 if n > PEERS_TO else times // 2 if test.startswith("hyppo") else times
                yield cell(name, n, test, run, column, many, [rng_seed, index, n])


def cell(
    name: str, n: int, test: str, run: PValue, column: Callable[[Random, int], Array], times: int, seed: list[int]
) -> str:
    p, methods, spent = [], Counter[str](), 0.0
    for k in range(times):
        rng = np.random.default_rng([*seed, k])
        x, y = column(rng, n), column(rng, n)
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            continue
        start = time.process_time()
        try:
            value, method = run(x, y, rng)
        except (UntestableError, ValueError):
            continue
        spent += time.process_time() - start
        p.append(value)
        methods[method] += 1
    shares = " | ".join(written(np.array(p), level) for level in LEVELS)
    null = ", ".join(f"{method} {count / len(p):.0%}" for method, count in methods.most_common() if method)
    print(name, n, test, shares, flush=True)
    return f"| {name} | {n:,} | {test} | {shares} | {min(p):.1e} | {null} | {1e3 * spent / len(p):.1f} |"


def written(p: Array, level: float) -> str:
    hits = int((p <= level).sum())
    low, _ = binomial_interval(hits, len(p))
    text = f"{hits / len(p):.4f}".rstrip("0").rstrip(".") if hits else "0"
    return f"**{text}**" if low > level else text


def families(grids: int) -> Iterator[str]:
    yield "## Family-wise error"
    yield ""
    yield f"Share of {grids} grids of 12 x 5 true nulls (n = 200) with a finding at .05, Holm's correction.\n"
    yield "| columns | test | error | 95 % interval | least corrected p |"
    yield "|---|---|---|---|---|"
    for index, name in enumerate(("90 % zeros, else lognormal", "lognormal, sigma 2", "97 % one value", "normal")):
        features, targets = [f"f{i}" for i in range(12)], [f"t{i}" for i in range(5)]
        least: dict[str, list[float]] = {"kci": [], "hsic": []}
        for k in range(grids):
            rng = np.random.default_rng([5, index, k])
            frame = pl.DataFrame({c: COLUMNS[name](rng, 200) for c in (*features, *targets)})
            kinds: dict[str, Kind] = dict.fromkeys(frame.columns, "continuous")
            found = screen(frame, features, targets, kinds=kinds, tests=list(least), correction="holm", seed=k)
            for test in least:
                least[test].append(min(found.filter(pl.col("test") == test)["p_corrected"].drop_nulls().to_list()))
        for test, values in least.items():
            errors = int((np.array(values) < 0.05).sum())
            low, high = binomial_interval(errors, grids)
            error = written(np.array(values), 0.05)
            print(name, test, errors, grids, flush=True)
            yield f"| {name} | {test} | {error} | [{low:.3f}, {high:.3f}] | {min(values):.1e} |"


def hsicagg(x: Array, y: Array, rng: Random) -> tuple[float, str]:
    """Return the p-value of HSICAgg: kernels of five widths each, joined by the rank of the least p-value.

    Schrab, Kim, Guedj, Gretton 2022, arXiv:2206.09194, with their collection (the median width times 1/4 to 4, uniform
    weights) and permutations for both quantiles; the biased statistic in place of the unbiased one.
    """
    widths = [2.0**k for k in range(-2, 3)]
    sides = []
    for variable in (count(x), count(y)):
        middle = median_width(variable)
        sides.append([marginal_factor(variable, middle * width, tolerance=1e-7) for width in widths])
    drawn = permuted_crosses(sides[0], sides[1], 2 * AGGREGATED, rng).reshape(2 * AGGREGATED, -1)
    own = np.array([cross(a, b) for a in sides[0] for b in sides[1]])
    known = np.sort(drawn[:AGGREGATED], axis=0)
    tested = np.vstack([own, drawn[AGGREGATED:]])
    beaten = np.stack([np.searchsorted(k, t) for k, t in zip(known.T, tested.T, strict=True)], axis=1).max(axis=1)
    return float((beaten >= beaten[0]).mean()), ""


AGGREGATED = 1000
"""Permutations for the quantiles of each kernel, and as many for their correction."""

AGGREGATED_TO = 60
"""People up to which it runs."""


def median_width(variable: Counted) -> float:
    """Return the median distance of different rows, in standard deviations."""
    values = standardise(variable)
    return float(np.median(np.abs(values - values.T)[~np.eye(len(values), dtype=bool)]))


def combination(permutations: int) -> Iterator[str]:
    yield "## The combination of widths"
    yield ""
    yield (
        f"Of fixed columns {permutations:,} permutations, a fifth each of five draws of them: the share with a joined "
        'p-value at most as large. The rule takes the closed form in all of these; permutations (`null="permutation"`, '
        '`"sequential"`, and the default where few rows carry the kernels) are exact by construction. **Bold**: more '
        "than a tenth above the level, and its 95 % interval too.\n"
    )
    yield "| columns | n | .05 | .01 | .001 | .0001 | CPU s |"
    yield "|---|---|---|---|---|---|---|"
    pairs = {f"{name} x {name}": (one, one) for name, one in COLUMNS.items()} | {
        "normal x 5 levels": (COLUMNS["normal"], lambda rng, n: rng.integers(0, 5, n).astype(float)),
        "uniform x uniform": (lambda rng, n: rng.random(n),) * 2,
    }
    for index, (name, columns) in enumerate(pairs.items()):
        for n in (60, 200):
            start, p = time.process_time(), []
            for k in range(5):
                rng = np.random.default_rng([13, index, n, k])
                drawn = [column(rng, n) for column in columns]
                if min(map(np.ptp, drawn)) == 0:
                    continue
                x, y = (kernels(scored(count(one))) for one in drawn)
                if joined_test(x, y, "auto").null == "moments":
                    p.append(closed_form(joint_tails(x, y, permutations // 5, rng)))
            if p:
                shares = " | ".join(above(np.concatenate(p), level) for level in LEVELS)
                spent = time.process_time() - start
                print(name, n, shares, f"{spent:.0f}", flush=True)
                yield f"| {name} | {n:,} | {shares} | {spent:.0f} |"


def above(p: Array, level: float) -> str:
    low, _ = binomial_interval(int((p <= level).sum()), len(p))
    text = f"{(p <= level).mean():.2g}"
    return f"**{text}**" if low > 1.1 * level else text


SIMULATIONS = (
    "linear", "exponential", "cubic", "joint_normal", "step", "quadratic", "w_shaped", "spiral",
    "uncorrelated_bernoulli", "logarithmic", "fourth_root", "sin_four_pi", "sin_sixteen_pi", "square", "two_parabolas",
    "circle", "ellipse", "diamond", "multiplicative_noise",
)  # fmt: skip


def power(times: int) -> Iterator[str]:
    try:
        simulated = importlib.import_module("hyppo.tools.indep_sim")
    except ImportError:
        return
    kept = {name: run for name, run in tests().items() if not name.startswith("hyppo Hsic")}
    kept["kci, exact combination"] = ours(kci, null="permutation", permutations=299)
    kept["HSICAgg"] = lambda x, y, rng: hsicagg(x, y, rng) if len(x) <= AGGREGATED_TO else (float("nan"), "")
    yield "## Power"
    yield f"\nMean power at .05 over hyppo's 19 simulations with their noise, {times} samples each.\n"
    yield "| n | more noise | " + " | ".join(kept) + " |"
    yield "|---" * (2 + len(kept)) + "|"
    for n, noise in ((60, 0.0), (200, 1.5)):
        shares: dict[str, list[float]] = {name: [] for name in kept}
        for simulation in SIMULATIONS:
            hits = dict.fromkeys(kept, 0)
            for k in range(times):
                np.random.seed(2000 + k)  # noqa: NPY002 - the only random numbers that hyppo knows
                options = {} if simulation == "multiplicative_noise" else {"noise": True}
                x, y = (v.ravel() for v in getattr(simulated, simulation)(n, 1, **options))
                y = y + noise * y.std() * np.random.normal(size=n)  # noqa: NPY002 - as above
                for name, run in kept.items():
                    hits[name] += run(x, y, np.random.default_rng(k))[0] <= 0.05
            for name in kept:
                shares[name].append(hits[name] / times)
        print(n, {name: round(float(np.mean(v)), 3) for name, v in shares.items()}, flush=True)
        extra = f"{noise:g} sd of y" if noise else "none"
        yield (
            f"| {n} | {extra} | "
            + " | ".join(
                "–" if name == "HSICAgg" and n > AGGREGATED_TO else f"{np.mean(shares[name]):.3f}" for name in kept
            )
            + " |"
        )


def columns(times: int) -> Iterator[str]:
    yield "## x of several columns"
    yield ""
    yield f"n = 200, {times} samples: share rejected at .05 where x explains half of y, and where y is shuffled.\n"
    yield "| columns of x | test | R² = .5 | independent |"
    yield "|---|---|---|---|"
    for d, rank in ((2, 2), (10, 10), (50, 50), (1024, 20)):
        for name, test in (("kci", kci), ("hsic", hsic)):
            hits = np.zeros(2)
            for k in range(times):
                rng = np.random.default_rng([9, d, k])
                x = rng.normal(size=(200, rank))
                x = x if rank == d else x @ rng.normal(size=(rank, d))
                y = x @ rng.normal(size=d)
                y = y / y.std() + rng.normal(size=200)
                hits += [test(x, y).p_value <= 0.05, test(x, rng.permutation(y)).p_value <= 0.05]
            what = f"{d:,}" if rank == d else f"{d:,} of rank {rank}"
            print(d, name, hits / times, flush=True)
            yield f"| {what} | {name} | {hits[0] / times:.2f} | {hits[1] / times:.3f} |"


def where() -> str:
    packages = []
    for name in ("personax", "hyppo", "causal-learn", "numpy", "scipy"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    processor = f"{platform.machine()}, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}"
    return (
        f"{date.today()}; {processor}; {platform.system()}; Python {platform.python_version()}; {', '.join(packages)}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--grids", type=int, default=40)
    parser.add_argument("--power", type=int, default=100)
    parser.add_argument("--permutations", type=int, default=100_000, help="of each cell of the combination")
    parser.add_argument("--sizes", default="50,200,1000")
    parser.add_argument("--parts", default="families,power,columns,combination,levels")
    asked = parser.parse_args()
    parts: Mapping[str, Callable[[], Iterable[str]]] = {
        "families": lambda: families(asked.grids),
        "power": lambda: power(asked.power),
        "columns": lambda: columns(asked.power),
        "combination": lambda: combination(asked.permutations),
        "levels": lambda: levels(asked.times, [int(n) for n in asked.sizes.split(",")]),
    }
    command = f"`python benchmarks/tails.py {' '.join(sys.argv[1:])}`; {where()}"
    for part in asked.parts.split(","):
        head, *rest = parts[part]()
        kept = sections(RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "")
        kept[head] = [*rest, "", command]
        text = "\n\n".join("\n".join([head, *lines]) for head, lines in kept.items())
        RESULTS.write_text(f"# Level I in the tail\n\n{text}\n", encoding="utf-8")  # what is done so far


def sections(page: str) -> dict[str, list[str]]:
    """Return the parts that were measured before, which another run leaves alone: head -> lines."""
    found: dict[str, list[str]] = {}
    for part in page.split("\n## ")[1:]:
        head, *lines = part.rstrip().split("\n")
        found[f"## {head}"] = lines
    return found


if __name__ == "__main__":
    main()
