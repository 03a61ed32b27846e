"""Level and power of the conditional tests given 1 to 20 columns of z; writes benchmarks/results/conditional.md.

python benchmarks/conditional.py [--sizes 50,200,1000] [--times 100] [--large-times 20] [--peer-times 20] [--add]

All tests see the same draws. Needs the extra discovery. For a fair count set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from causallearn.utils.cit import FisherZ
from causallearn.utils.KCI.KCI import KCI_CInd
from causallearn.utils.RCIT.RCIT import RCIT
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.independence import gcm, kci, rcit

Array = NDArray[np.float64]
RESULTS = Path(__file__).parent / "results" / "conditional.md"
COLUMNS = (1, 2, 5, 10, 20)
NOISE = 0.5
LARGE = 500
"""Rows above which only our default is run, with fewer draws."""

Triple = tuple[Array, Array, Array]


def linear(z: Array, e: Array, f: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    s = z.sum(axis=1) / np.sqrt(z.shape[1])
    return s + NOISE * e, s + NOISE * f


def nonlinear(z: Array, e: Array, f: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    if z.shape[1] == 1:
        first, second = np.sin(2 * z[:, 0]), np.cos(3 * z[:, 0])
    else:
        product = z[:, 2] * z[:, 3] if z.shape[1] > 3 else z[:, 0] * z[:, 1]
        first = second = np.tanh(2 * z[:, 0]) + z[:, 1] ** 2 / 2 + product
    return first / first.std() + NOISE * e, second / second.std() + NOISE * f


def thresholds(z: Array, e: Array, f: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    step = np.sign(z[:, 0]) + (np.sign(z[:, 1] - 0.5) if z.shape[1] > 1 else 0)
    return step / step.std() + NOISE * e, step / step.std() + NOISE * f


def heteroscedastic(z: Array, e: Array, f: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    s = z.sum(axis=1) / np.sqrt(z.shape[1])
    return s + np.exp(s) * e, s + np.exp(s) * f


def mixed(z: Array, e: Array, f: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    s = z.sum(axis=1) / np.sqrt(z.shape[1])
    return (2 * s + rng.logistic(size=len(s)) > 0).astype(float), rng.poisson(np.exp(s.clip(-3, 3))).astype(float)


def sawtooth(z: Array, e: Array, f: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    saw = 3 * z[:, 0] % 1
    return saw + 0.1 * e, saw + 0.1 * f


FORMS: dict[str, tuple[Callable[..., tuple[Array, Array]], str]] = {
    "linear": (linear, "x and y both the sum of the columns, and noise of half its spread"),
    "nonlinear": (nonlinear, "one column: sin 2z and cos 3z; more: tanh, a square and a product; noise of half"),
    "thresholds": (thresholds, "x and y both jump where the first column is 0 (and the second .5); noise of half"),
    "heteroscedastic": (heteroscedastic, "the sum s of the columns, and noise of spread e^s"),
    "mixed": (mixed, "x yes or no by a logistic curve, y a Poisson count"),
    "sawtooth": (sawtooth, "a tooth every third of a standard deviation of the first column; noise a tenth of a tooth"),
}


def drawn(form: str, columns: int, n: int, k: int, strength: float = 0.0) -> Triple:
    """Return draw k of a cell; with a strength, noise that x and y share."""
    rng = np.random.default_rng([k, n, columns, list(FORMS).index(form)])
    z, (e, f) = rng.normal(size=(n, columns)), rng.normal(size=(2, n))
    if strength and form == "mixed":
        x, y = mixed(z, e, f, rng)
        return x, y + rng.poisson(2 * strength * np.exp(z.sum(axis=1) / np.sqrt(columns)).clip(0, 20) * x), z
    return *FORMS[form][0](z, e, strength * e + np.sqrt(1 - strength**2) * f, rng), z


def _peer_rcit(x: Array, y: Array, z: Array, rng: np.random.Generator) -> float:
    np.random.seed(int(rng.integers(2**32)))  # noqa: NPY002 - the only random numbers that causal-learn knows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(RCIT().compute_pvalue(x[:, None], y[:, None], z)[0])


def _fisherz(x: Array, y: Array, z: Array, rng: np.random.Generator) -> float:
    return float(FisherZ(np.column_stack([x, y, z]))(0, 1, list(range(2, 2 + z.shape[1]))))


TESTS: dict[str, Callable[[Array, Array, Array, np.random.Generator], float]] = {
    "kci": lambda x, y, z, rng: kci(x, y, z).p_value,
    "rcit": lambda x, y, z, rng: rcit(x, y, z, rng=rng).p_value,
    "gcm": lambda x, y, z, rng: gcm(x, y, z).p_value,
    "Fisher z": _fisherz,
    "causal-learn RCIT": _peer_rcit,
    "causal-learn KCI": lambda x, y, z, rng: float(KCI_CInd().compute_pvalue(x[:, None], y[:, None], z)[0]),
}


def measured(test: str, form: str, columns: int, n: int, times: int, strength: float = 0.0) -> dict[str, Any]:
    """Return how often a test rejects and abstains."""
    start, p_values = time.process_time(), []
    for k in range(times):
        try:
            p_values.append(TESTS[test](*drawn(form, columns, n, k, strength), np.random.default_rng([1, k])))
        except UntestableError:
            p_values.append(np.nan)
    found = np.array(p_values)
    return {"test": test, "form": form, "columns": columns, "n": n, "times": times, "strength": strength,
            "hits": int((found <= 0.05).sum()), "none": int(np.isnan(found).sum()),
            "ms": round(1000 * (time.process_time() - start) / times, 1)}  # fmt: skip


def cells(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield our level, the level of the others, power, our level in large samples: a run that stops has the first."""
    grid = list(product(asked.forms, asked.columns))
    small = [n for n in asked.sizes if n <= LARGE]
    for n, (form, columns) in product(small if asked.times else [], grid):
        yield measured("kci", form, columns, n, asked.times)
    others = [name for name in TESTS if name != "kci"] if asked.peer_times else []
    for n, (form, columns), test in product(small, grid, others):
        yield measured(test, form, columns, n, asked.peer_times)
    for n, (form, columns), test in product(small if asked.power_times else [], grid, ("kci", "gcm", "Fisher z")):
        yield measured(test, form, columns, n, asked.power_times, 0.5)
    for n, (form, columns) in product([n for n in asked.sizes if n > LARGE], grid):
        yield measured("kci", form, columns, n, asked.large_times)


SPEED = ((1000, 1), (2000, 1), (1000, 3), (2000, 3), (100_000, 3))


def shortest(run: Callable[[], Any], times: int) -> float:
    """Return the least CPU time of several runs, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(1000 * (time.process_time() - start))
    return round(min(taken), 1)


def speed(n: int, columns: int) -> dict[str, Any]:
    """Time both on one draw in which smooth regressions are adequate: x = z + noise, y = z^2 + noise."""
    rng = np.random.default_rng(0)
    z, (e, f) = rng.normal(size=(n, columns)), rng.normal(size=(2, n))
    x, y = z[:, 0] + e, z[:, -1] ** 2 + f
    small = n <= max(SIZES_OF_PEER)
    return {
        "n": n, "columns": columns,
        "kci": shortest(lambda: kci(x, y, z, with_effect=False), 9 if small else 1),
        "peer_kci": shortest(lambda: TESTS["causal-learn KCI"](x, y, z, rng), 1) if small else None,
        "rcit": shortest(lambda: rcit(x, y, z, rng=0, with_effect=False), 9 if small else 1),
        "peer_rcit": shortest(lambda: TESTS["causal-learn RCIT"](x, y, z, rng), 3 if small else 1),
    }  # fmt: skip


SIZES_OF_PEER = (1000, 2000)
"""Larger ones would take causal-learn's KCI hours."""


def speed_table(found: list[dict[str, Any]]) -> Iterator[str]:
    yield "| n | columns of z | kci | causal-learn KCI | times faster | rcit | causal-learn RCIT |"
    yield "|---|---|---|---|---|---|---|"
    for one in found:
        peer, times = (
            ("–", "–") if one["peer_kci"] is None else (one["peer_kci"], f"{one['peer_kci'] / one['kci']:.0f}")
        )
        sizes = f"| {one['n']:,} | {one['columns']} "
        yield f"{sizes}| {one['kci']} | {peer} | {times} | {one['rcit']} | {one['peer_rcit']} |"


def written(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "–"
    # of all draws: a test that abstains has not rejected
    rate = cell["hits"] / cell["times"]
    text = f"{rate:.2f}"
    bound = 0.05 + 3 * np.sqrt(0.05 * 0.95 / cell["times"])
    text = f"**{text}**" if rate > bound and not cell["strength"] else text
    return text + (f" ({cell['none'] / cell['times']:.2f})" if cell["none"] else "")


def table(found: list[dict[str, Any]], strength: float) -> Iterator[str]:
    these = [cell for cell in found if cell["strength"] == strength]
    names = [test for test in TESTS if any(cell["test"] == test for cell in these)]
    yield "| form | columns of z | n | " + " | ".join(names) + " |"
    yield "|---" * (3 + len(names)) + "|"
    by = {(c["form"], c["columns"], c["n"], c["test"]): c for c in these}
    for form, columns, n in sorted({key[:3] for key in by}, key=lambda key: (list(FORMS).index(key[0]), *key[1:])):
        row = " | ".join(written(by.get((form, columns, n, name))) for name in names)
        yield f"| {form} | {columns} | {n:,} | {row} |"


def page(report: dict[str, Any]) -> Iterator[str]:
    found = report["cells"]
    yield f"# Conditional tests given 1 to 20 columns\n\n{report['where']}\n\n`{report['command']}`\n"
    counts = ", ".join(
        f"{name} {sorted({c['times'] for c in found if c['test'] == name and not c['strength']})}" for name in TESTS
    )
    yield f"Draws a cell: {counts}. All tests see the same draws.\n"
    yield "\n".join(f"- {name}: {says}" for name, (_, says) in FORMS.items()) + "\n"
    yield "## Level at .05\n\nShare of true nulls rejected; in brackets the share in which the test abstains."
    yield "**Bold**: more than three standard errors above .05.\n"
    yield "\n".join(table(found, 0.0)) + "\n"
    kci_cells = [c for c in found if c["test"] == "kci" and not c["strength"]]
    over = [c for c in kci_cells if c["hits"] / c["times"] > 0.08]
    mean = np.mean([c["hits"] / c["times"] for c in kci_cells])
    yield f"`kci`: {len(kci_cells)} cells, {len(over)} above .08, mean {mean:.3f}.\n"
    if any(cell["strength"] for cell in found):
        yield "## Power at .05\n\nThe noise of x and y correlates by .5 (mixed: x raises the count of y).\n"
        yield "\n".join(table(found, 0.5)) + "\n"
    yield (
        "## CPU milliseconds a test, under the null\n\n| test | "
        + " | ".join(f"n = {n:,}, {d} columns" for n, d in ((200, 1), (200, 5), (200, 20)))
        + " |\n|---|---|---|---|"
    )
    for name in TESTS:
        parts = [
            np.mean(
                [c["ms"] for c in found if (c["test"], c["n"], c["columns"], c["strength"]) == (name, n, d, 0)]
                or [np.nan]
            )
            for n, d in ((200, 1), (200, 5), (200, 20))
        ]
        yield f"| {name} | " + " | ".join(f"{part:.0f}" for part in parts) + " |"
    yield ""
    if report.get("speed"):
        yield "## CPU milliseconds without effect size, all values distinct\n"
        yield "x = z + noise, y = z² + noise: smooth regressions are adequate. The least of nine runs.\n"
        yield "\n".join(speed_table(report["speed"])) + "\n"


def _key(cell: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(cell[name] for name in ("test", "form", "columns", "n", "strength"))


def where() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("personax", "causal-learn", "scikit-learn", "numpy"))
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}"
    return f"{date.today()}; {machine}; Python {platform.python_version()}; {packages}."


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=lambda text: [int(part) for part in text.split(",")], default=[50, 200, 1000])
    parser.add_argument("--columns", type=lambda text: [int(part) for part in text.split(",")], default=COLUMNS)
    parser.add_argument("--forms", type=lambda text: text.split(","), default=list(FORMS))
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--large-times", type=int, default=20, help="of kci above 500 rows")
    parser.add_argument("--peer-times", type=int, default=20, help="of the other tests")
    parser.add_argument("--power-times", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many, with what there is")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--speed", action="store_true", help="time kci and rcit beside causal-learn")
    parser.add_argument("--add", action="store_true", help="to the cells of the last run")
    parser.add_argument("--only-draw", action="store_true", help="from the numbers of the last run")
    return parser.parse_args()


def main() -> None:
    asked, start = arguments(), time.monotonic()
    found: list[dict[str, Any]] = []
    store = asked.out.with_suffix(".json")
    if not asked.only_draw:
        for cell in cells(asked):
            found.append(cell)
            print(cell, flush=True)
            if time.monotonic() - start > asked.seconds:
                break
        command = " ".join(["python benchmarks/conditional.py", *sys.argv[1:]])
        before: dict[str, Any] = {"command": "", "cells": []}
        if asked.add:
            before = json.loads(store.read_text(encoding="utf-8"))
        kept = [cell for cell in before["cells"] if _key(cell) not in {_key(one) for one in found}]
        commands = "; ".join(filter(None, [before["command"], command]))
        timed = [speed(*sizes) for sizes in SPEED] if asked.speed else before.get("speed", [])
        report = {"where": where(), "command": commands, "speed": timed, "cells": [*kept, *found]}
        store.write_text(json.dumps(report).replace("}, {", "},\n{") + "\n", encoding="utf-8")
    asked.out.write_text("\n".join(page(json.loads(store.read_text(encoding="utf-8")))), encoding="utf-8")


if __name__ == "__main__":
    main()
