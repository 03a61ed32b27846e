"""Level and power of the Level I tests; writes benchmarks/results/calibration.{md,json}, docs/images/calibration*.svg.

python benchmarks/calibration.py [--sizes 100,400,2000] [--times 1000] [--slow-times 400] [--jobs 2]
python benchmarks/calibration.py --only-draw      tables and figures again, from the numbers of the last run

Level: tests x scenarios x sizes, each the share of true nulls that a test rejects. Power: the same samples for our
tests and for causal-learn's, at one size, against the strength of a dependence of five forms, without z and with one.
Slow cells, named in `SLOW`, take --slow-times samples; what takes hours is left out (`TOO_SLOW`).
Needs the extras discovery and figures. For a fair count set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from causallearn.utils.KCI.KCI import KCI_CInd, KCI_UInd
from causallearn.utils.RCIT.RCIT import RCIT
from numpy.typing import NDArray

from personax.independence._calibration import binomial_interval, rejection_rate
from personax.independence._registered import BatteryTest, battery
from personax.independence._result import TestResult
from personax.independence._scenarios import SCENARIOS, Sample
from personax.plots import BLACK, GREY, defaults, save

Array = NDArray[np.float64]
ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "calibration.md"
IMAGES = ROOT / "docs" / "images"

Cell = dict[str, Any]
"""What is asked - part, scenario or form, given, strength, test, n, times, seed - and then hits_05, hits_01, failed."""


# The peer ------------------------------------------------------------------------------------------------------------


def _column(values: NDArray[Any]) -> Array:
    return values.astype(float).reshape(len(values), -1)


def _result(p: float, x: NDArray[Any], method: str) -> TestResult:
    return TestResult(float("nan"), float(p), float("nan"), len(x), method)


def peer_kci(x: NDArray[Any], y: NDArray[Any], z: NDArray[Any] | None, rng: np.random.Generator) -> TestResult:
    if z is None:
        return _result(KCI_UInd().compute_pvalue(_column(x), _column(y))[0], x, "gamma")
    return _result(KCI_CInd().compute_pvalue(_column(x), _column(y), _column(z))[0], x, "gamma")


def peer_rcit(x: NDArray[Any], y: NDArray[Any], z: NDArray[Any] | None, rng: np.random.Generator) -> TestResult:
    np.random.seed(int(rng.integers(2**32)))  # noqa: NPY002 - the only random numbers that causal-learn knows
    assert z is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _result(RCIT().compute_pvalue(_column(x), _column(y), _column(z))[0], x, "lpd4")


PEERS: Mapping[str, BatteryTest] = {
    "causal-learn KCI": BatteryTest(peer_kci),
    "causal-learn RCIT": BatteryTest(peer_rcit, "with"),
}

TESTS: Mapping[str, BatteryTest] = {**battery(), **PEERS}


# Level ---------------------------------------------------------------------------------------------------------------

SLOW: Mapping[str, int] = {"with z": 2000, "causal-learn KCI with z": 400}
"""From which n on cells take fewer samples."""

TOO_SLOW: Mapping[str, int] = {"kci-permutation": 2000, "kci-spectral": 2000, "causal-learn KCI": 2000}
"""Tests that are not run from some n on."""


def level_cells(asked: argparse.Namespace) -> Iterator[Cell]:
    for n in asked.sizes:
        for index, (name, scenario) in enumerate(SCENARIOS.items()):
            for test, entry in TESTS.items():
                fits = entry.fits(given=scenario.given, categories=scenario.categories)
                is_text = test in PEERS and name == "z nominal"  # causal-learn takes numbers only
                if fits and not is_text and n < TOO_SLOW.get(test, sys.maxsize) and wanted(test, asked):
                    times = min(asked.times, asked.slow_times) if slow(test, n, given=scenario.given) else asked.times
                    yield {"part": "level", "scenario": name, "test": test, "n": n, "times": times,
                           "seed": [asked.seed, n, index]}  # fmt: skip


def wanted(test: str, asked: argparse.Namespace) -> bool:
    return not asked.tests or test in asked.tests


def slow(test: str, n: int, *, given: bool) -> bool:
    return given and (n >= SLOW["with z"] or n >= SLOW.get(f"{test} with z", sys.maxsize))


# Power ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """A dependence: (x, noise, strength) -> y."""

    y: Callable[[Array, Array, float], Array]
    strengths: tuple[float, ...]
    says: str
    levels: bool = False


FORMS: Mapping[str, Form] = {
    "linear": Form(lambda x, e, s: s * x + e, (0, 0.1, 0.2, 0.3, 0.4), "y = s x + noise"),
    "quadratic": Form(lambda x, e, s: s * x**2 + e, (0, 0.1, 0.2, 0.3, 0.4), "y = s x² + noise"),
    "sine": Form(lambda x, e, s: s * np.sin(3 * x) + e, (0, 0.2, 0.4, 0.6, 0.8), "y = s sin 3x + noise"),
    "variance": Form(lambda x, e, s: (1 - s + s * x) * e, (0, 0.15, 0.3, 0.45, 0.6), "y = (1 - s + s x) noise"),
    "3-level group": Form(
        lambda x, e, s: s * (x == 1) + e, (0, 0.2, 0.4, 0.6, 0.8), "y = s in the second of three groups + noise", True
    ),
}

POWER_N = 200

RIVALS = {False: ("kci", "hsic", "rcit", "causal-learn KCI"),
          True: ("kci", "rcit", "gcm", "causal-learn KCI", "causal-learn RCIT")}  # fmt: skip


def dependent(rng: np.random.Generator, form: str, strength: float, *, given: bool) -> Sample:
    """Draw x and y; with z, z moves both besides."""
    shape = FORMS[form]
    x = rng.integers(0, 3, POWER_N).astype(float) if shape.levels else rng.normal(size=POWER_N)
    y = shape.y(x, rng.normal(size=POWER_N), strength)
    z = rng.normal(size=POWER_N)
    return (x + z, y + z, z) if given else (x, y, None)


def power_cells(asked: argparse.Namespace) -> Iterator[Cell]:
    for given, tests in RIVALS.items():
        for index, (form, shape) in enumerate(FORMS.items()):
            for step, strength in enumerate(shape.strengths):
                for test in filter(lambda test: wanted(test, asked), tests):
                    yield {"part": "power", "form": form, "given": given, "strength": strength, "test": test,
                           "n": POWER_N, "times": asked.power_times, "seed": [asked.seed, 1, index, step]}  # fmt: skip


# Running -------------------------------------------------------------------------------------------------------------


def measured(cell: Cell) -> Cell:
    """Run one cell; also in another process, which finds the test by its name."""
    start = time.perf_counter()
    if cell["part"] == "level":
        draw = SCENARIOS[cell["scenario"]].of(cell["n"])
    else:
        draw = partial(dependent, form=cell["form"], strength=cell["strength"], given=cell["given"])
    rate = rejection_rate(draw, TESTS[cell["test"]].run, times=cell["times"], seed=cell["seed"])
    found = {"hits_05": rate.rejected_05, "hits_01": rate.rejected_01, "failed": rate.failed}
    return cell | found | {"seconds": round(time.perf_counter() - start, 2)}


def run(cells: list[Cell], jobs: int) -> Iterator[Cell]:
    if jobs == 1:
        yield from map(measured, cells)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(measured, cells)


def run_all(cells: list[Cell], jobs: int) -> list[Cell]:
    done = []
    for cell in run(cells, jobs):
        done.append(cell)
        what = cell.get("scenario") or f"{cell['form']}{' given z' if cell['given'] else ''} {cell['strength']}"
        share = cell["hits_05"] / max(1, cell["times"] - cell["failed"])
        print(
            f"{len(done)}/{len(cells)} n={cell['n']} {what}, {cell['test']}: {share:.3f} {cell['seconds']} s",
            flush=True,
        )
    return done


# Tables --------------------------------------------------------------------------------------------------------------


def share(cell: Cell, level: str) -> tuple[float, float, float]:
    """Return the rate and its interval."""
    times = cell["times"] - cell["failed"]
    hits = cell[f"hits_{level}"]
    return hits / max(times, 1), *binomial_interval(hits, times)


def written(cell: Cell | None, level: str, usual: int) -> str:
    """Return a cell of a table: bold where the interval is above alpha, in italics where it is below half of it."""
    if cell is None or cell["times"] == cell["failed"]:
        return "–"
    alpha = float(f"0.{level}")
    rate, low, high = share(cell, level)
    text = f"{rate:.3f} [{low:.3f}, {high:.3f}]"
    text = f"**{text}**" if low > alpha else f"*{text}*" if high < alpha / 2 else text
    notes = [f"{cell['times']} samples"] * (cell["times"] != usual) + [f"{cell['failed']} not run"] * bool(
        cell["failed"]
    )
    return text + (f" ({', '.join(notes)})" if notes else "")


def level_table(cells: list[Cell], level: str) -> Iterator[str]:
    sizes = sorted({cell["n"] for cell in cells})
    usual = max(cell["times"] for cell in cells)
    found = {(cell["scenario"], cell["test"], cell["n"]): cell for cell in cells}
    yield "| scenario | test | " + " | ".join(f"n = {n:,}" for n in sizes) + " |"
    yield "|---" * (2 + len(sizes)) + "|"
    for scenario, test in dict.fromkeys((cell["scenario"], cell["test"]) for cell in sorted(cells, key=_order)):
        parts = [written(found.get((scenario, test, n)), level, usual) for n in sizes]
        yield f"| {scenario} | {test} | " + " | ".join(parts) + " |"


def _order(cell: Cell) -> tuple[int, int]:
    return list(SCENARIOS).index(cell["scenario"]), list(TESTS).index(cell["test"])


def power_table(cells: list[Cell]) -> Iterator[str]:
    for form, shape in FORMS.items():
        for given in (False, True):
            these = [cell for cell in cells if cell["form"] == form and cell["given"] == given]
            if not these:
                continue
            yield f"{form}{', given z' if given else ''}: {shape.says}"
            yield ""
            yield "| test | " + " | ".join(f"s = {s:g}" for s in shape.strengths) + " |"
            yield "|---" * (1 + len(shape.strengths)) + "|"
            for test in dict.fromkeys(cell["test"] for cell in these):
                rates = [share(cell, "05")[0] for cell in these if cell["test"] == test]
                yield f"| {test} | " + " | ".join(f"{rate:.2f}" for rate in rates) + " |"
            yield ""


def where() -> str:
    names = ("personax", "causal-learn", "numpy", "scipy")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    processor = f"{platform.machine()}, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}"
    return f"{date.today()}; {processor}; {platform.system()}; Python {platform.python_version()}; {packages}."


def page(report: Mapping[str, Any]) -> Iterable[str]:
    levels = [cell for cell in report["cells"] if cell["part"] == "level"]
    powers = [cell for cell in report["cells"] if cell["part"] == "power"]
    minutes = sum(cell["seconds"] for cell in report["cells"]) / 60
    yield f"# Level I, calibrated\n\n{report['where']}\n\n`{report['command']}` ({minutes:.0f} minutes of one core)\n"
    if levels:
        yield (
            f"Share of {max(c['times'] for c in levels):,} true nulls rejected, with its exact 95 % binomial interval. "
            "**Bold**: the interval is above the level, the test rejects too often. *Italics*: it is below half the "
            "level, the test hardly ever rejects. Of forty tests that keep their level exactly, one is bold by chance. "
            "Tests of one scenario and size see the same samples; a failed run counts in no rate.\n"
        )
        yield "\n".join(f"- {name}: {scenario.says}" for name, scenario in SCENARIOS.items()) + "\n"
        for level in ("05", "01"):
            yield f"## Level .{level}\n\n" + "\n".join(level_table(levels, level)) + "\n"
    if powers:
        times = max(cell["times"] for cell in powers)
        yield f"## Power at .05, n = {POWER_N}\n"
        yield f"{times} samples a cell, the same ones for every test; s = 0 is the level.\n"
        yield "\n".join(power_table(powers))


# Figures -------------------------------------------------------------------------------------------------------------

COLOURS = ("#e08214", "#5aae61", "#542788", "#2166ac", "#b2182b")
RIGHT = 0.25
"""Rates above are drawn at the edge and written."""


def level_figure(cells: list[Cell]) -> Any:
    from matplotlib.figure import Figure

    tests = [test for test in TESTS if any(cell["test"] == test for cell in cells)]
    sizes = sorted({cell["n"] for cell in cells})
    columns = 4
    rows = -(-len(tests) // columns)
    figure = Figure(figsize=(11, 2.6 * rows + 0.5), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, test in zip(panels, tests, strict=False):
        panel.set_title(test, fontsize=9, loc="left")
        panel.axvline(0.05, color=BLACK, linewidth=0.8)
        for cell in (cell for cell in cells if cell["test"] == test):
            _draw_rate(panel, cell, sizes)
        panel.tick_params(labelsize=7, labelbottom=True)
    panels[0].set(xlim=(0, RIGHT), xticks=[0, 0.05, 0.1, 0.15, 0.2, 0.25])
    panels[0].set_yticks(range(len(SCENARIOS)), list(SCENARIOS), fontsize=7)
    panels[0].set_ylim(len(SCENARIOS) - 0.5, -0.5)
    for panel in panels[len(tests) :]:
        panel.axis("off")
    figure.supxlabel("share of true nulls rejected at .05 (line), 95 % interval; beyond .25 written", fontsize=8)
    _key(figure, [f"n = {n:,}" for n in sizes])
    return figure


def _draw_rate(panel: Any, cell: Cell, sizes: list[int]) -> None:
    rate, low, high = share(cell, "05")
    place = sizes.index(cell["n"])
    y = list(SCENARIOS).index(cell["scenario"]) + 0.25 * (place - (len(sizes) - 1) / 2)
    colour = COLOURS[place]
    if rate > RIGHT:
        panel.plot(RIGHT * 0.985, y, ">", color=colour, markersize=3)
        panel.text(RIGHT * 0.96, y, f"{rate:.2f}", ha="right", va="center", fontsize=5.5, color=colour)
        return
    panel.plot([low, min(high, RIGHT)], [y, y], color=colour, linewidth=1.2)
    panel.plot(rate, y, "o", color=colour, markersize=2.2)


def power_figure(cells: list[Cell]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    panels = figure.subplots(2, len(FORMS), sharey=True)
    names = [test for test in TESTS if any(cell["test"] == test for cell in cells)]
    styles = {test: {"color": COLOURS[i % 5] if test in battery() else GREY,
                     "linestyle": "--" if test == "causal-learn KCI" else ":" if test in PEERS else "-"}
              for i, test in enumerate(names)}  # fmt: skip
    for row, given in enumerate((False, True)):
        for panel, form in zip(panels[row], FORMS, strict=True):
            for test in names:
                here = [c for c in cells if (c["form"], c["given"], c["test"]) == (form, given, test)]
                if here:
                    rates = [share(cell, "05")[0] for cell in here]
                    panel.plot([c["strength"] for c in here], rates, marker="o", markersize=2, **styles[test])
            panel.axhline(0.05, color=BLACK, linewidth=0.6)
            panel.set_title(f"{form}{', given z' if given else ''}", fontsize=9, loc="left")
            panel.tick_params(labelsize=7)
            panel.set_ylim(0, 1)
    figure.supylabel(f"share rejected at .05, n = {POWER_N}", fontsize=8)
    figure.supxlabel("strength s", fontsize=8)
    handles = [panels[0][0].plot([], [], label=name, **styles[name])[0] for name in names]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(names), fontsize=7, frameon=False)
    return figure


def _key(figure: Any, names: list[str]) -> None:
    axes = figure.axes[0]
    handles = [axes.plot([], [], "o-", color=COLOURS[i], markersize=3, label=name)[0] for i, name in enumerate(names)]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(names), fontsize=7, frameon=False)


# -------------------------------------------------------------------------------------------------------------------


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=numbers, default=[100, 400, 2000])
    parser.add_argument("--times", type=int, default=1000, help="samples a cell of the level")
    parser.add_argument("--slow-times", type=int, default=1000, help="samples of the slow cells")
    parser.add_argument("--power-times", type=int, default=300, help="samples a cell of the power; 0: none")
    parser.add_argument("--tests", type=lambda text: text.split(","), default=[], help="default: all")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--images", type=Path, default=IMAGES)
    parser.add_argument("--only-draw", action="store_true", help="from the numbers of the last run")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    store = asked.out.with_suffix(".json")
    if not asked.only_draw:
        cells = [*level_cells(asked), *(power_cells(asked) if asked.power_times else ())]
        command = " ".join(["python benchmarks/calibration.py", *sys.argv[1:]])
        report = {"where": where(), "command": command, "cells": run_all(cells, asked.jobs)}
        store.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(cell) for cell in report["cells"])
        head = json.dumps({key: report[key] for key in ("where", "command")})[:-1]
        store.write_text(f'{head}, "cells": [\n{lines}\n]}}\n', encoding="utf-8")
    report = json.loads(store.read_text(encoding="utf-8"))
    asked.out.write_text("\n".join(page(report)), encoding="utf-8")
    for part, draw, name in (
        ("level", level_figure, "calibration.svg"),
        ("power", power_figure, "calibration-power.svg"),
    ):
        if cells := [cell for cell in report["cells"] if cell["part"] == part]:
            with defaults():
                figure = draw(cells)
            save(figure, asked.images / name)


if __name__ == "__main__":
    main()
