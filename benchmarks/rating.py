"""Whether raters' models keep their level: differential functioning, silence of a lenient rater; writes a table.

python benchmarks/rating.py [--times 200] [--seed 1]

Simulated people and three raters (severity 0, .5, 0; error .4, .6, .5 standard deviations of people; levels 1 to 3 cut
at -.6 and .6); nothing is chosen by the results. Writes benchmarks/results/rating.md.
"""

from __future__ import annotations

import argparse
import platform
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

from personax.independence import kci
from personax.schema import TRAITS
from personax.traits import aggregate_ratings
from personax.traits.reliability import differential_functioning

RESULTS = Path(__file__).parent / "results" / "rating.md"
SEVERITY, ERROR, CUTS = np.array([0.0, 0.5, 0.0]), np.array([0.4, 0.6, 0.5]), (-0.6, 0.6)
RULES = ("median", "mean", "majority", "confidence", "dawid_skene", "graded", "many_facet")
Levels = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Silence = Callable[[int, Levels, Levels], Levels]


def levels(
    rng: np.random.Generator, n: int, gap: float, *, shift: float = 0.0, skewed: bool = False, raters: int = 3
) -> tuple[Levels, Levels, Levels]:
    """Return scores (raters, people), the group of everybody (0, 1) and their true places."""
    group = rng.integers(2, size=n).astype(float)
    place = (rng.exponential(size=n) - 1 if skewed else rng.standard_normal(n)) + gap * group
    seen = place + SEVERITY[:raters, None] + ERROR[:raters, None] * rng.standard_normal((raters, n))
    seen[0] += shift * group
    return 1.0 + np.digitize(seen, CUTS), group, place


def functioning(times: int, seed: int) -> Iterator[list[object]]:
    """Share of tests flagged at .05, by case."""
    cases = [(n, gap, 0.0, False, 3) for n in (100, 300, 1000, 3000, 9444) for gap in (0.0, 0.5, 1.0)]
    cases += [(n, gap, 0.3, False, 3) for n in (300, 1000, 9444) for gap in (0.0, 0.5, 1.0)]
    cases += [(9444, gap, 0.0, True, 3) for gap in (0.0, 0.5, 1.0)] + [(1000, 1.0, 0.0, False, 2)]
    for n, gap, shift, skewed, raters in cases:
        rng = np.random.default_rng([seed, n, int(10 * gap), int(10 * shift), skewed, raters])
        p = []
        for _ in range(times):
            scores, group, _ = levels(rng, n, gap, shift=shift, skewed=skewed, raters=raters)
            scores[rng.random(scores.shape) < 0.08] = np.nan
            names = ["second" if one else "first" for one in group]
            p.append([row["p_value"] for row in differential_functioning(scores, "abc"[:raters], names)])
        low = np.array(p, dtype=float) < 0.05
        others = f"{low[:, 1:].mean():.3f}"
        yield [f"{n:,}", gap, shift, "skewed" if skewed else "normal", raters, f"{low[:, 0].mean():.3f}", others]


def answers(scores: Levels, silent: Levels) -> pl.DataFrame:
    """Return answers about one trait."""
    rater, person = (place.ravel() for place in np.indices(scores.shape))
    quiet = silent.ravel().astype(bool)
    score = pl.Series(np.where(quiet, np.nan, scores.ravel())).fill_nan(None)
    return pl.DataFrame({"person": [f"p{i}" for i in person], "model": [f"r{i}" for i in rater], "trait": TRAITS[0],
                         "score": score, "status": np.where(quiet, "insufficient", "ok")})  # fmt: skip


TESTS: dict[str, Callable[[Levels, Levels], float]] = {
    "mean": lambda x, g: float(stats.ttest_ind(x[g == 0], x[g == 1], equal_var=False).pvalue),
    "ranks": lambda x, g: float(stats.mannwhitneyu(x[g == 0], x[g == 1]).pvalue),
    "kci": lambda x, g: float(kci(x, np.array(["first", "second"])[g.astype(int)]).p_value or np.nan),
}


def silence(times: int, seed: int) -> Iterator[list[object]]:
    """Share of studies with a group difference at .05, by rule; no true difference, or a true one."""
    for gap, slope in ((0.0, 0.0), (0.0, 1.0), (0.3, 0.0)):
        found: dict[str, list[list[float]]] = {}
        for draw in range(times):
            rng = np.random.default_rng([seed, int(10 * gap), int(slope), draw])
            scores, group, place = levels(rng, 1000, gap)
            share = np.full(scores.shape, 0.05)
            odds = np.log(np.where(group == 1, 1.0, 0.05 / 0.95)) + slope * place
            share[1] = 1 / (1 + np.exp(-odds))
            rows = answers(scores, (rng.random(scores.shape) < share).astype(float))
            people, groups = [f"p{i}" for i in range(1000)], {"group": pl.Series(group.astype(int).astype(str))}
            for rule in RULES:
                made = aggregate_ratings(rows, people=people, rule=rule, groups=groups)
                for name, one in ((rule, made), (f"{rule}, plausible", made.plausible(rng))):
                    x = one.traits["final_o"].fill_null(np.nan).to_numpy()
                    known = ~np.isnan(x)
                    found.setdefault(name, []).append([test(x[known], group[known]) for test in TESTS.values()])
            found.setdefault("the true places", []).append([test(place, group) for test in TESTS.values()])
        for name, p in found.items():
            yield [gap, slope, name, *(f"{share:.3f}" for share in (np.array(p) < 0.05).mean(axis=0))]


def table(names: Sequence[str], rows: Iterator[list[object]]) -> list[str]:
    """Return a table in Markdown."""
    body = ["| " + " | ".join(str(value) for value in row) + " |" for row in rows]
    return ["| " + " | ".join(names) + " |", "|" + "---|" * len(names), *body, ""]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    first = table(["people", "true gap, SD", "shift of the first rater, SD", "people are", "raters",
                   "first rater flagged", "the others"], functioning(asked.times, asked.seed))  # fmt: skip
    second = table(["true gap", "slope", "score", *TESTS], silence(asked.times, asked.seed))
    lines = [
        "# Raters: differential functioning and silence", "",
        f"`python benchmarks/rating.py --times {asked.times} --seed {asked.seed}`, {date.today()}, "
        f"{platform.machine()}, {time.process_time():.0f} CPU s. Shares of {asked.times} draws with p < .05.",
        "", "## Differential functioning", "",
        "Wanted: at most .08 without a shift; at least .9 with one at 1,000 people.", "",
        *first,
        "## A lenient rater that is silent about half of one group (5 % of the other)", "",
        "1,000 people. Slope: log odds of its silence by a standard deviation of the person. Share of studies in which "
        "the score differs between groups, by means (Welch), ranks (Mann-Whitney) and kci; wanted where the gap is 0: "
        "at most .10. Plausible: `annotate: {scores: plausible}`.", "", *second,
    ]  # fmt: skip
    RESULTS.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
