"""Level I from noisy tables: type I error, power beside the exact test, and the demo at epsilon 1, 3, 10.

    python benchmarks/noisy_statistics.py errors --repeats 1000
    python benchmarks/noisy_statistics.py power
    python benchmarks/noisy_statistics.py demo --study my-demo

Each prints a table in Markdown; the last one is in benchmarks/results/noisy_statistics.md. Noise of simulated tables
is seeded; that of the demo is OpenDP's and is drawn anew in every run.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.independence import NoisyTable, binomial_interval, noisy_chisq, screen_noisy
from personax.independence._contingency import of_tables, pearson
from personax.independence._noisy import discrete_gaussian
from personax.release.statistics import Bins, count_tables, draw_noise, rho_of, scale_of

DELTA = 1e-6
EPSILONS = (1.0, 3.0, 10.0)
PEOPLE = (200, 1_000, 10_000)
TABLES = 20
"""Tables of a release: the noise of each grows with their root."""
DRAWS = 399

Floats = NDArray[np.float64]


def shares(bins: int, kind: str) -> Floats:
    """Return margins: even, falling by .6 from bin to bin, or all but one of 1/50."""
    weights = {"even": np.ones(bins), "falling": 0.6 ** np.arange(bins), "rare": np.array([1.0] + [0.02] * (bins - 1))}
    return np.asarray(weights[kind] / weights[kind].sum())


SHAPES = {
    "2 x 5, even": (shares(2, "even"), shares(5, "even")),
    "5 x 5, falling": (shares(5, "falling"), shares(5, "falling")),
    "8 x 5, falling": (shares(8, "falling"), shares(5, "falling")),
    "5 x 5, rare": (shares(5, "rare"), shares(5, "rare")),
    "12 x 5, rare": (shares(12, "rare"), shares(5, "rare")),
}


def drawn(
    chances: Floats, n: int, scale: float, times: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats]]:
    """Yield tables without and with noise."""
    shape = chances.shape
    exact = rng.multinomial(n, chances.ravel(), size=times).reshape(times, *shape)
    yield from zip(exact, exact + discrete_gaussian(scale, (times, *shape), rng), strict=True)


def noisy_p(table: Floats, scale: float, n: float, rng: np.random.Generator) -> float | None:
    """Return the p-value, None where the test says that it cannot run."""
    try:
        return noisy_chisq(table, scale, n=n, draws=DRAWS, rng=rng).p_value
    except UntestableError:
        return None


def total_noise(scale: float, cells: int, rng: np.random.Generator) -> float:
    """Return the error of the number of people, which all tables of a release tell together."""
    return float(rng.normal(0, scale * np.sqrt(cells / TABLES)))


def errors(repeats: int) -> None:
    """Print the share of independent tables that are rejected; an asterisk where the interval misses the level."""
    rng = np.random.default_rng(0)
    print(f"{repeats} tables each, {TABLES} tables a release; * where the 99 % interval misses the level\n")
    print("| table | n | epsilon | scale | tested | at .05 | at .01 |\n|---|---|---|---|---|---|---|")
    for (name, (p, q)), n, epsilon in itertools.product(SHAPES.items(), PEOPLE, EPSILONS):
        scale = scale_of(rho_of(epsilon, DELTA), TABLES)
        found = [
            noisy_p(y, scale, max(n + total_noise(scale, y.size, rng), 1), rng)
            for _, y in drawn(np.outer(p, q), n, scale, repeats, rng)
        ]
        known = np.array([one for one in found if one is not None])
        print(f"| {name} | {n:,} | {epsilon:g} | {scale:.1f} | {len(known) / repeats:.0%} | "
              f"{_rate(known, 0.05)} | {_rate(known, 0.01)} |", flush=True)  # fmt: skip


def _rate(p: Floats, level: float) -> str:
    if len(p) < 50:
        return "-"
    hits = int((p <= level).sum())
    low, high = binomial_interval(hits, len(p), 0.99)
    return f"{hits / len(p):.3f}{'' if low <= level <= high else ' *'}"


def dependent(p: Floats, q: Floats, v: float) -> Floats:
    """Return chances with these margins and Cramér's V, by moving people along one smooth contrast."""
    a, b = (np.arange(len(one)) - (np.arange(len(one)) * one).sum() for one in (p, q))
    chances = np.outer(p, q)
    direction = chances * np.outer(a, b)
    phi = np.sqrt((direction**2 / chances).sum())
    step = min(v * np.sqrt(min(len(p), len(q)) - 1) / phi, 0.999 / np.abs(np.outer(a, b)).max())
    return np.asarray(chances + step * direction)


def power(repeats: int) -> None:
    """Print how often a dependence is found at .05, without and with noise."""
    rng = np.random.default_rng(1)
    print(f"{repeats} tables each, {TABLES} tables a release\n\n| table | n | V | exact | "
          + " | ".join(f"epsilon {e:g}" for e in EPSILONS) + " |\n|---|---|---|---|---|---|---|")  # fmt: skip
    p = q = shares(5, "even")
    for n, v in itertools.product((500, 1_500, 10_000), (0.05, 0.1, 0.2)):
        chances = dependent(p, q, v)
        cells = []
        for epsilon in EPSILONS:
            scale = scale_of(rho_of(epsilon, DELTA), TABLES)
            found = [noisy_p(y, scale, n, rng) for _, y in drawn(chances, n, scale, repeats, rng)]
            tested = [one for one in found if one is not None]
            cells.append(f"{np.mean([one <= 0.05 for one in tested]):.2f}" if tested else "not tested")
        exact = np.mean(
            [of_tables([x.astype(np.intp)], pearson).p_value <= 0.05 for x, _ in drawn(chances, n, 0, repeats, rng)]
        )
        print(f"| 5 x 5, even | {n:,} | {v:g} | {exact:.2f} | {' | '.join(cells)} |", flush=True)


LEVELS = [2.0, 3.0, 4.0]
Stated = Sequence[float] | Sequence[str]
COLUMNS: dict[str, Stated] = {
    "gender": ["female", "male"],
    "height_cm": [165.0, 175.0, 185.0],
    "weight_kg": [60.0, 70.0, 80.0, 90.0],
    "birth_year": [1970.0, 1980.0, 1990.0],
}


def demo(study: Path) -> None:
    """Print Level I of the demo's people from exact tables and from noisy ones, pair by pair."""
    people = pl.read_parquet(study / "people/people.parquet").join(
        pl.read_parquet(study / "traits/traits.parquet"), on="id"
    )
    traits = [f"final_{letter}" for letter in "ocean"]
    stated: dict[str, Stated] = {**COLUMNS, **{trait: LEVELS for trait in traits}}
    bins = {name: Bins.parse(name, said) for name, said in stated.items()}
    pairs = [(feature, trait) for feature in COLUMNS for trait in traits]
    exact = count_tables(people, bins, pairs)
    columns = {"exact": [of_tables([table], pearson).p_value for table in exact]}
    for epsilon in EPSILONS:
        noisy, scale = draw_noise(exact, rho_of(epsilon, DELTA))
        tables = [NoisyTable(*pair, table) for pair, table in zip(pairs, noisy, strict=True)]
        found = screen_noisy(tables, scale, correction="none")
        columns[f"epsilon {epsilon:g} (scale {scale:.1f})"] = found["p_value"].to_list()
    print("| feature | trait | " + " | ".join(columns) + " |\n|---|---|" + "---|" * len(columns))
    for place, (feature, trait) in enumerate(pairs):
        cells = (_shown(values[place]) for values in columns.values())
        print(f"| {feature} | {trait} | {' | '.join(cells)} |")
    decided = {name: [p is not None and p < 0.05 for p in values] for name, values in columns.items()}
    same = {name: sum(a == b for a, b in zip(found, decided["exact"], strict=True)) for name, found in decided.items()}
    print(f"\nDecisions at .05 that are those of the exact tables, of {len(pairs)}: {same}")


def _shown(p: float | None) -> str:
    return "not tested" if p is None else "< .0001" if p < 1e-4 else f"{p:.4f}"


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["errors", "power", "demo"])
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--study", type=Path)
    asked = parser.parse_args()
    if asked.what == "demo":
        demo(asked.study)
    else:
        {"errors": errors, "power": power}[asked.what](asked.repeats)


if __name__ == "__main__":
    main()
