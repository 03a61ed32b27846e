"""Error rates and coverage of directions and effect sizes of Level I; writes benchmarks/results/direction.md.

python benchmarks/direction.py [--times 1000] [--seed 0]

Wrong directions: draws in which a direction is said of independent columns, and of columns whose truth is monotone the
share of turns, and of wrong signs. Coverage: how often 95 % intervals hold the truth, which is the estimate on
1,000,000 rows. Nothing here is chosen by these numbers' seeds; all seeds are reported.
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.independence import screen

RESULTS = Path(__file__).parent / "results" / "direction.md"
SIZES = (50, 200, 1000)
TRUTH_ROWS = 1_000_000

Draw = Callable[[np.random.Generator, int], tuple[NDArray[np.generic], NDArray[np.generic]]]


def _scale(values: NDArray[np.float64], levels: int) -> NDArray[np.float64]:
    return np.clip(np.round(values * levels / 5 + (levels + 1) / 2), 1, levels)


def _money(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.where(rng.random(n) < 0.9, 0.0, np.exp(2 * rng.normal(size=n)))


def _groups(rng: np.random.Generator, n: int, levels: int) -> NDArray[np.str_]:
    shares = 1 / np.arange(1, levels + 1)
    return np.array([f"level {k:02d}" for k in range(levels)])[rng.choice(levels, n, p=shares / shares.sum())]


INDEPENDENT: dict[str, Draw] = {
    "normal x normal": lambda rng, n: (rng.normal(size=n), rng.normal(size=n)),
    "Cauchy x Cauchy": lambda rng, n: (rng.standard_cauchy(n), rng.standard_cauchy(n)),
    "90 % zeros x 90 % zeros": lambda rng, n: (_money(rng, n), _money(rng, n)),
    "97 % one value x normal": lambda rng, n: ((rng.random(n) < 0.03).astype(float), rng.normal(size=n)),
    "1 to 5 x 1 to 7": lambda rng, n: (_scale(rng.normal(size=n), 5), _scale(rng.normal(size=n), 7)),
    "2 groups x normal": lambda rng, n: (_groups(rng, n, 2), rng.normal(size=n)),
    "12 uneven groups x 90 % zeros": lambda rng, n: (_groups(rng, n, 12), _money(rng, n)),
    "12 uneven groups x 1 to 5": lambda rng, n: (_groups(rng, n, 12), _scale(rng.normal(size=n), 5)),
    "2 groups x 2 groups": lambda rng, n: (_groups(rng, n, 2), _groups(rng, n, 2)),
    "12 x 5 uneven groups": lambda rng, n: (_groups(rng, n, 12), _groups(rng, n, 5)),
    "spread of y grows with x": lambda rng, n: ((x := rng.random(n)), x * rng.normal(size=n)),
    "2 groups, spread 1 and 4": lambda rng, n: (
        (g := _groups(rng, n, 2)), rng.normal(size=n) * np.where(g == "level 00", 1, 4)),
}  # fmt: skip
"""Of all these no direction is true: where there is a dependence, it is one of spread."""


def _line(r: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = rng.normal(size=n)
        return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=n)

    return draw


def _steps(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = rng.normal(size=n)
    return x, (x > 0) + rng.normal(size=n)


def _saturates(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = rng.normal(size=n)
    return x, np.minimum(x, 0) + rng.normal(size=n)


MONOTONE: dict[str, Draw] = {
    "line, r = .3": _line(0.3),
    "line, r = .8": _line(0.8),
    "a step": _steps,
    "rises, then stays": _saturates,
    "exp, lognormal": lambda rng, n: ((x := np.exp(rng.normal(size=n))), x * np.exp(rng.normal(size=n))),
}


def _arc(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = rng.normal(size=n)
    return x, x**2 + rng.normal(size=n)


def _shift(levels: int) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
        g = _groups(rng, n, levels)
        return g, 0.5 * (g == "level 01") + rng.normal(size=n)

    return draw


def _pair_table(rng: np.random.Generator, n: int) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    x = _groups(rng, n, 2)
    return x, np.where(rng.random(n) < np.where(x == "level 01", 0.5, 0.35), "yes", "no")


def _both_zero(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    some = rng.random(n) < 0.3
    return some.astype(np.float64), np.where(some | (rng.random(n) < 0.1), rng.lognormal(0, 1, n), 0.0)


def _joined(rng: np.random.Generator, n: int, a: int, b: int) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    x, y = _groups(rng, n, a), _groups(rng, n, b)
    return x, np.where((rng.random(n) < 0.35) & (x == "level 00"), "level 00", y)


def _rounded(draw: Draw, levels: int) -> Draw:
    def rounded(rng: np.random.Generator, n: int) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
        x, y = draw(rng, n)
        return _scale(x.astype(float), levels), _scale(y.astype(float), levels)

    return rounded


COVERED: dict[str, Draw] = {
    "independent numbers": _line(0.0),
    "r = .1": _line(0.1),
    "r = .3": _line(0.3),
    "r = .6": _line(0.6),
    "r = .9": _line(0.9),
    "r = .3, 1 to 5": _rounded(_line(0.3), 5),
    "x squared": _arc,
    "exp, lognormal": MONOTONE["exp, lognormal"],
    "2 groups, .5 apart": _shift(2),
    "6 groups, one .5 apart": _shift(6),
    "2 x 2, .50 against .35": _pair_table,
    "r = .99": _line(0.99),
    "sin 2x": lambda rng, n: ((x := rng.normal(size=n)), np.sin(2 * x) + 0.5 * rng.normal(size=n)),
    "spread grows with the size of x": lambda rng, n: ((x := rng.normal(size=n)), np.abs(x) * rng.normal(size=n)),
    "Cauchy, a line": lambda rng, n: ((x := rng.standard_cauchy(n)), x + rng.standard_cauchy(n)),
    "zeros where the other is": _both_zero,
    "12 uneven groups, one .4 apart": lambda rng, n: (
        (g := _groups(rng, n, 12)), 0.4 * (g == "level 00") + rng.normal(size=n)),
    "3 x 3 levels": lambda rng, n: _joined(rng, n, 3, 3),
    "12 x 5 levels": lambda rng, n: _joined(rng, n, 12, 5),
    "independent 12 x 5 levels": lambda rng, n: (_groups(rng, n, 12), _groups(rng, n, 5)),
    "independent, hsic": _line(0.0),
    "r = .3, hsic": _line(0.3),
}  # fmt: skip


def _frame(x: NDArray[np.generic], y: NDArray[np.generic]) -> pl.DataFrame:
    return pl.DataFrame({"x": x, "y": y})


def _row(draw: Draw, rng: np.random.Generator, n: int, test: str = "kci") -> dict[str, object]:
    frame = _frame(*draw(rng, n))
    return screen(frame, ["x"], ["y"], tests=[test], correction="none").row(0, named=True)


def _streams(seed: int, times: int) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, k]) for k in range(times)]


def _said(times: int, seed: int) -> list[str]:
    lines = ["| no direction is true of | n | anything said | a turn |", "|---|---|---|---|"]
    for name, draw in INDEPENDENT.items():
        for n in SIZES:
            found = [_row(draw, rng, n)["direction"] for rng in _streams(seed, times)]
            told, turned = np.mean([one is not None for one in found]), np.mean([one in ("U", "peak") for one in found])
            lines.append(f"| {name} | {n:,} | {told:.3f} | {turned:.3f} |")
    return lines


def _wrong(times: int, seed: int) -> list[str]:
    lines = ["| a rise is true | n | rises | falls | a turn |", "|---|---|---|---|---|"]
    for name, draw in MONOTONE.items():
        for n in SIZES:
            found = [str(_row(draw, rng, n)["direction"]) for rng in _streams(seed, times)]
            shares = [np.mean([one in shape for one in found]) for shape in (("rises",), ("falls",), ("U", "peak"))]
            lines.append(f"| {name} | {n:,} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")
    return lines


def _holds(row: dict[str, object], truth: dict[str, object], name: str) -> bool | None:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    value = truth["trend" if name == "trend" else "effect_size"]
    if low is None or high is None or value is None:
        return None
    sign = 1.0 if name != "trend" or row["level_high"] == truth["level_high"] or row["direction_kind"] else -1.0
    return bool(float(str(low)) - 1e-12 <= sign * float(str(value)) <= float(str(high)) + 1e-12)


def _covered(times: int, seed: int, sizes: Sequence[int] = SIZES) -> list[str]:
    lines = ["| truth | n | trend | effect size | truth of both |", "|---|---|---|---|---|"]
    for name, draw in COVERED.items():
        test = "hsic" if "hsic" in name else "chisq" if re.search(r"\d x \d", name) else "kci"
        truth = _row(draw, np.random.default_rng([seed, 99]), TRUTH_ROWS // (1 if test == "chisq" else 10), test)
        if name.startswith("independent"):
            truth |= {"effect_size": 0.0, "trend": 0.0}
        for n in sizes:
            shares = []
            rows = [_row(draw, rng, n, test) for rng in _streams(seed, times)]
            for row in rows:
                row["direction_kind"] = "groups" not in name
            for what in ("trend", "effect"):
                held = [one for one in (_holds(row, truth, what) for row in rows) if one is not None]
                shares.append(f"{np.mean(held):.3f}" if held else "-")
            known = f"{truth['trend'] or 0:.3f}, {truth['effect_size'] or 0:.3f}"
            lines.append(f"| {name} | {n:,} | {shares[0]} | {shares[1]} | {known} |")
    return lines


PARTS: dict[str, Callable[[int, int], list[str]]] = {
    "What is said where no direction is true (at .05)": _said,
    "What is said of a rise": _wrong,
    "Coverage of 95 % intervals": _covered,
    "Coverage of 95 % intervals of 50 people": partial(_covered, sizes=(50,)),
}


def main() -> None:
    """Run all or some of the tables; what was measured before and is not asked for stays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tables", default="0,1,2,3", help="which of the four")
    asked = parser.parse_args()
    kept = dict(part.split("\n", 1) for part in RESULTS.read_text(encoding="utf-8").split("\n## ")[1:])
    for place in map(int, asked.tables.split(",")):
        start, title = time.process_time(), list(PARTS)[place]
        table = PARTS[title](asked.times, asked.seed)
        head = (
            f"`python benchmarks/direction.py {' '.join(sys.argv[1:])}`, {date.today()}, {platform.machine()}, "
            f"{time.process_time() - start:.0f} CPU s. Shares of {asked.times:,} draws; no correction."
        )
        kept[title] = "\n".join(["", head, "", *table])
    page = [f"## {title}\n\n{kept[title].strip()}" for title in PARTS if title in kept]
    RESULTS.write_text("\n\n".join(["# Directions and intervals of Level I", *page]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
