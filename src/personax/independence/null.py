"""Null distributions of a kernel statistic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from personax.independence.factor import Factor, cross

__all__ = ["gamma", "permutation"]

SMALL_TABLE = 10_000
"""Cells up to which whole contingency tables are drawn; above, rows are shuffled."""

TIE = 1e-10
"""A permuted statistic within this share of the observed one counts as equal."""


def gamma(statistic: float, mean: float, variance: float) -> float:
    """Return the upper tail of the gamma distribution with this mean and variance; down to 1e-300."""
    return float(gammaincc(mean**2 / variance, statistic * mean / variance))


def permutation(x: Factor, y: Factor, statistic: float, times: int, rng: np.random.Generator) -> float:
    """Return (1 + permutations at least as extreme) / (1 + permutations).

    To permute rows is to draw a contingency table with the same margins; where the table is small it is drawn as such.

    References
    ----------
    Phipson, Smyth 2010, doi:10.2202/1544-6115.1585.
    """
    small = len(x.counts) * len(y.counts) <= SMALL_TABLE
    drawn = _tables(x, y, times, rng) if small else _shuffles(x, y, times, rng)
    extreme = int((drawn >= statistic * (1 - TIE)).sum())
    return (1 + extreme) / (1 + times)


def _tables(x: Factor, y: Factor, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    # scipy.stats takes half a second to import, which only those who permute should pay
    from scipy.stats import random_table

    law = random_table(x.counts, y.counts)
    batch = max(1, 1_000_000 // (len(x.counts) * len(y.counts)))
    drawn = []
    for start in range(0, times, batch):
        tables = law.rvs(size=min(batch, times - start), random_state=rng)
        drawn.append(np.square(x.rows.T @ tables @ y.rows).sum(axis=(1, 2)))
    return np.concatenate(drawn)


def _shuffles(x: Factor, y: Factor, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.array([cross(x, Factor(y.rows, rng.permutation(y.codes), y.counts)) for _ in range(times)])
