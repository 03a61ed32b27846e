"""How often a test rejects where there is nothing to find: the share of nulls, its interval, the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import betaincinv

from personax.errors import InputError, UntestableError
from personax.independence._registered import ArrayTest, battery, known
from personax.independence._scenarios import SCENARIOS, Draw

__all__ = ["RATES", "Rate", "Verdict", "binomial_interval", "calibrate_scenarios", "rejection_rate"]

Seed = int | Sequence[int]

Verdict = Literal["level kept", "rejects too often", "hardly ever rejects", "not run"]

RATES = {
    **dict.fromkeys(("rate_05", "low_05", "high_05", "rate_01", "low_01", "high_01"), pl.Float64),
    **dict.fromkeys(("asked", "rate_asked", "low_asked", "high_asked"), pl.Float64),
    **dict.fromkeys(("times", "failed"), pl.Int64),
    "verdict": pl.String,
}
"""The columns that tell of one cell."""


def binomial_interval(hits: int, times: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share (Clopper, Pearson 1934, doi:10.1093/biomet/26.4.404).

    Examples
    --------
    >>> [round(end, 4) for end in binomial_interval(50, 1000)]
    [0.0373, 0.0654]
    >>> binomial_interval(0, 0)
    (0.0, 1.0)
    """
    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, times - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, times - hits, 1 - tail)) if hits < times else 1.0
    return low, high


@dataclass(frozen=True)
class Rate:
    """What a test did on many samples in which the null hypothesis is true.

    Parameters
    ----------
    p_values
        One a sample, in the order of the draws; NaN where the test could not be run.
    """

    p_values: NDArray[np.float64]

    @property
    def failed(self) -> int:
        """Samples on which the test could not be run; they are counted nowhere else."""
        return int(np.isnan(self.p_values).sum())

    @property
    def times(self) -> int:
        """Samples on which it ran."""
        return len(self.p_values) - self.failed

    @property
    def rejected_05(self) -> int:
        """Samples with p at most .05."""
        return self.rejected(0.05)

    @property
    def rejected_01(self) -> int:
        """Samples with p at most .01."""
        return self.rejected(0.01)

    def rejected(self, alpha: float) -> int:
        """Return the number of samples with p at most alpha, which is what a level promises about."""
        return int((self.p_values <= alpha).sum())

    def interval(self, alpha: float = 0.05) -> tuple[float, float]:
        """Return the 95 % interval of the rejection rate."""
        return binomial_interval(self.rejected(alpha), self.times)

    def verdict(self, alpha: float = 0.05, asked: float | None = None) -> Verdict:
        """Say whether the test keeps its level, and a smaller one that is asked for, as far as so many samples tell."""
        low, high = self.interval(alpha)
        if self.times == 0:
            return "not run"
        if low > alpha or (asked is not None and self.interval(asked)[0] > asked):
            return "rejects too often"
        return "hardly ever rejects" if high < alpha / 2 else "level kept"

    def row(self, alpha: float = 0.05, asked: float | None = None) -> dict[str, Any]:
        """Return the columns `RATES`; without a single run there is no rate.

        ``asked`` is the level at which a correction looks; alpha where there is none.
        """
        level = alpha if asked is None else asked
        cells: dict[str, Any] = {"asked": level}
        for name, of in (("05", 0.05), ("01", 0.01), ("asked", level)):
            share = (self.rejected(of) / self.times, *self.interval(of)) if self.times else (None, None, None)
            cells |= dict(zip((f"rate_{name}", f"low_{name}", f"high_{name}"), share, strict=True))
        return cells | {"times": self.times, "failed": self.failed, "verdict": self.verdict(alpha, asked)}


def rejection_rate(draw: Draw, test: ArrayTest, *, times: int, seed: Seed) -> Rate:
    """Run a test on many samples in which the null hypothesis is true.

    Parameters
    ----------
    draw
        Random numbers -> x, y, z.
    test
        (x, y, z, random numbers) -> result.
    times
        Number of samples.
    seed
        Sample k and the test on it have random numbers of their own, the children of
        ``SeedSequence(seed, spawn_key=(k,))``: any sample can be made again without the others, tests with the same
        seed see the same samples, and whether a test needs random numbers changes no sample.

    Returns
    -------
    Rate
        A sample on which the test cannot run is neither a rejection nor the absence of one.

    Examples
    --------
    >>> from personax.independence import battery
    >>> from personax.independence._scenarios import SCENARIOS
    >>> rate = rejection_rate(SCENARIOS["3 levels"].of(100), battery()["chisq"].run, times=200, seed=0)
    >>> rate.times, rate.failed, rate.verdict()
    (200, 0, 'level kept')
    """
    if times < 1:
        raise InputError(f"times is {times}; at least one sample must be drawn")
    return Rate(np.array([_p_value(draw, test, seed, k) for k in range(times)]))


def _p_value(draw: Draw, test: ArrayTest, seed: Seed, k: int) -> float:
    children = np.random.SeedSequence(seed, spawn_key=(k,)).spawn(2)
    of_sample, of_test = (np.random.default_rng(child) for child in children)
    try:
        return test(*draw(of_sample), of_test).p_value
    except UntestableError:
        return float("nan")


def calibrate_scenarios(
    n: int,
    *,
    tests: Sequence[str],
    given: bool = False,
    times: int = 1000,
    rng: np.random.Generator,
    alpha: float = 0.05,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Calibrate tests on invented people, of whom there are as many as one has.

    Parameters
    ----------
    n
        Number of rows.
    tests
        Names from `battery`; a scenario that a test does not fit is left out.
    given
        The scenarios with z, or those without.
    times, rng, alpha
        Samples a cell, the seed, the level that the verdict is about.
    progress
        Called with (cells done, cells, what is next).

    Returns
    -------
    polars.DataFrame
        One row a scenario and test: scenario, test, n, and the columns `RATES`.

    Raises
    ------
    InputError
        When a test is unknown, or fits no scenario.
    """
    cells = list(_cells(known(tests), given=given))
    if not cells:
        raise InputError(f"{', '.join(tests)} cannot run {'with' if given else 'without'} z; choose other tests")
    root, tested = int(rng.integers(2**62)), battery()
    rows = []
    for done, (scenario, test) in enumerate(cells):
        if progress is not None:
            progress(done, len(cells), f"{scenario}, {test}")
        draw = SCENARIOS[scenario].of(n)
        seed = [root, list(SCENARIOS).index(scenario)]
        rate = rejection_rate(draw, tested[test].run, times=times, seed=seed)
        rows.append({"scenario": scenario, "test": test, "n": n} | rate.row(alpha))
    if progress is not None:
        progress(len(cells), len(cells), "")
    return pl.DataFrame(rows, schema={"scenario": pl.String, "test": pl.String, "n": pl.Int64} | RATES)


def _cells(tests: Sequence[str], *, given: bool) -> Iterator[tuple[str, str]]:
    tested = battery()
    for name, scenario in SCENARIOS.items():
        for test in tests:
            if scenario.given == given and tested[test].fits(given=given, categories=scenario.categories):
                yield name, test
