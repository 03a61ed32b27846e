"""Centred kernels on distinct values, held as thin factors.

A Gaussian kernel needs only the distinct values. Its eigenvalues fall fast, so that a pivoted Cholesky factor of small
rank holds it to rounding; the trace of the remainder bounds what is left out (Harbrecht, Peters, Schneider 2012,
doi:10.1016/j.apnum.2011.10.001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from personax.errors import UntestableError
from personax.independence.counts import Counted

__all__ = ["Factor", "bandwidth_of", "factor"]

TOLERANCE = 1e-13
"""Largest mean diagonal of the remainder, as a share of the kernel's diagonal."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A centred kernel Kc = F F' on the distinct values of a variable.

    Parameters
    ----------
    rows
        F, shape (a, r).
    counts
        How often each distinct value occurs, shape (a,).
    """

    rows: NDArray[np.float64]
    counts: NDArray[np.intp]

    @property
    def trace(self) -> float:
        """Trace of the n x n centred kernel."""
        return float(self.counts @ np.square(self.rows).sum(axis=1))

    @property
    def square(self) -> float:
        """Sum of the squared entries of the n x n centred kernel."""
        return float(np.square(self.rows.T @ (self.counts[:, None] * self.rows)).sum())


def bandwidth_of(values: NDArray[np.float64], n: int, rule: str | float) -> float:
    """Return the width sigma of exp(-|x - y|^2 / (2 sigma^2)) for standardised values.

    Parameters
    ----------
    values
        Distinct standardised values, shape (a, d).
    n
        Rows.
    rule
        ``"empirical"``: .8, .5 or .3 for n below 200, below 1,200 or more, divided by sqrt(d), as causal-learn does;
        ``"median"``: sqrt(2) times the median distance between distinct values; or a number.
    """
    if isinstance(rule, (int, float)):
        if not rule > 0:
            raise UntestableError(f"the bandwidth must be positive, not {rule}")
        return float(rule)
    if rule == "median":
        sample = values[:: max(1, len(values) // 1000)]
        return float(np.sqrt(2) * np.median(pdist(sample)))
    if rule == "empirical":
        width = 0.8 if n < 200 else 0.5 if n < 1200 else 0.3
        return width / float(np.sqrt(values.shape[1]))
    raise UntestableError(f"there is no bandwidth rule {rule!r}; choose empirical, median or a number")


def factor(variable: Counted, *, bandwidth: str | float = "empirical") -> Factor:
    """Return the centred kernel of a variable: Gaussian on standardised numbers, equality on text."""
    n = variable.n
    share = variable.counts / n
    if variable.values is None:
        rows = np.eye(variable.size)
    else:
        values = _standardise(variable.values, variable.counts)
        rows = _cholesky(values, share, bandwidth_of(values, n, bandwidth))
    return Factor(rows - share @ rows, variable.counts)


def _standardise(values: NDArray[np.float64], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    n = int(counts.sum())
    centred = values - counts @ values / n
    spread = np.sqrt(counts @ np.square(centred) / (n - 1))
    return centred / np.where(spread > 0, spread, 1.0)


def _cholesky(values: NDArray[np.float64], share: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return P with P P' = K on the distinct values, up to `TOLERANCE`."""
    left = np.ones(len(values))
    capacity = np.empty((len(values), 32))
    rank = 0
    while share @ left > TOLERANCE and rank < len(values):
        pivot = int(np.argmax(left * share))
        if left[pivot] <= 0:
            break
        column = np.exp(-0.5 * np.square(values - values[pivot]).sum(axis=1) / width**2)
        column -= capacity[:, :rank] @ capacity[pivot, :rank]
        column /= np.sqrt(left[pivot])
        if rank == capacity.shape[1]:
            capacity = np.hstack([capacity, np.empty_like(capacity)])
        capacity[:, rank] = column
        left = np.maximum(left - np.square(column), 0)
        left[pivot] = 0
        rank += 1
    return capacity[:, :rank]
