"""Centred kernels as thin factors.

The eigenvalues of a Gaussian kernel on a line fall fast, so that a pivoted Cholesky factor of rank 25 to 50 holds it to
rounding; the trace of the remainder bounds what is left out (Harbrecht, Peters, Schneider 2012,
doi:10.1016/j.apnum.2011.10.001). In many dimensions the rank grows towards the number of distinct values, and LAPACK's
blocked factorisation of the whole matrix takes over.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg.lapack import dpstrf

from personax.errors import UntestableError
from personax.independence.counts import MAX_CATEGORIES, Counted
from personax.independence.kernels import Bandwidth, Kernel, delta, gaussian, marginal_width, standardise

__all__ = ["Factor", "centred", "cross", "marginal_factor"]

TOLERANCE = 1e-13
"""Largest mean diagonal of the remainder; the diagonal of every kernel here is 1."""

THIN = 256
"""Rank up to which columns are computed one at a time."""

DENSE = 4000
"""Distinct values up to which a kernel of higher rank is computed whole (128 MB)."""

FLAT = 1e-9
"""A centred kernel whose mean diagonal is smaller tells no two values apart."""


@dataclass(frozen=True)
class Factor:
    """A kernel F F' on the distinct values of a variable, centred over the rows.

    Parameters
    ----------
    rows
        F, shape (a, r).
    codes
        Row -> distinct value, shape (n,).
    counts
        How often each distinct value occurs, shape (a,).
    groups
        Number of groups when the kernel is the projection on them, otherwise 0.
    """

    rows: NDArray[np.float64]
    codes: NDArray[np.intp]
    counts: NDArray[np.intp]
    groups: int = 0

    @cached_property
    def trace(self) -> float:
        """Trace of the n x n kernel."""
        return float(self.counts @ self.diagonal())

    @cached_property
    def square(self) -> float:
        """Sum of the squared entries of the n x n kernel."""
        return float(np.square(self.rows.T @ (self.counts[:, None] * self.rows)).sum())

    @cached_property
    def eigenvalues(self) -> NDArray[np.float64]:
        """The nonzero eigenvalues of the n x n kernel, largest first."""
        return np.asarray(np.linalg.eigvalsh(self.rows.T @ (self.counts[:, None] * self.rows))[::-1])

    @property
    def rank(self) -> int:
        """Number of features r."""
        return int(self.rows.shape[1])

    def diagonal(self) -> NDArray[np.float64]:
        """Return the kernel of each distinct value with itself, shape (a,)."""
        return np.asarray(np.square(self.rows).sum(axis=1))


def marginal_factor(variable: Counted, bandwidth: Bandwidth = "empirical") -> Factor:
    """Return the kernel of one variable: Gaussian on standardised numbers, equality on categories.

    Raises
    ------
    UntestableError
        More than `MAX_CATEGORIES` categories, or a kernel that tells no two values apart.
    """
    if variable.values is None:
        if variable.size > MAX_CATEGORIES:
            raise UntestableError(
                f"one variable has {variable.size:,} categories; more than {MAX_CATEGORIES:,} are names"
            )
        kernel = delta(np.arange(variable.size))
    else:
        values = standardise(variable)
        kernel = gaussian(values, marginal_width(values, variable.counts, bandwidth))
    return centred(kernel, variable.codes, variable.counts)


def centred(kernel: Kernel, codes: NDArray[np.intp], counts: NDArray[np.intp]) -> Factor:
    """Factor a kernel on distinct values and centre it over the rows."""
    share = counts / counts.sum()
    rows = _pivoted_cholesky(kernel, share)
    factor = Factor(rows - share @ rows, codes, counts)
    if factor.trace < FLAT * counts.sum():
        raise UntestableError("the kernel tells no two values apart; choose a smaller bandwidth")
    return factor


def cross(x: Factor, y: Factor) -> float:
    """Return sum_ij Kx_ij Ky_ij over all pairs of rows, which is |Fx' T Fy|^2 with the contingency table T."""
    if x.rank < y.rank:
        x, y = y, x
    return float(np.square(x.rows.T @ (_joint_counts(x, y) @ y.rows)).sum())


def _joint_counts(x: Factor, y: Factor) -> Any:  # noqa: ANN401 - dense or sparse, whichever is smaller
    shape = len(x.counts), len(y.counts)
    if shape[0] * shape[1] <= 4 * len(x.codes):
        flat = np.bincount(x.codes * shape[1] + y.codes, minlength=shape[0] * shape[1])
        return flat.reshape(shape).astype(float)
    return sparse.csr_array((np.ones(len(x.codes)), (x.codes, y.codes)), shape=shape)


def _pivoted_cholesky(kernel: Kernel, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return P with P P' = K on the distinct values, up to `TOLERANCE`."""
    size = len(share)
    columns = np.empty((32, size))
    left = np.ones(size)
    rank = 0
    while rank < size and share @ left > TOLERANCE:
        if rank >= THIN and size <= DENSE:
            return _whole_cholesky(kernel, size)
        if rank == len(columns):
            columns = np.vstack([columns, np.empty_like(columns)])
        pivot = int(np.argmax(left * share))
        columns[rank] = (kernel(pivot) - columns[:rank, pivot] @ columns[:rank]) / np.sqrt(left[pivot])
        left = np.maximum(left - np.square(columns[rank]), 0)
        left[pivot] = 0
        rank += 1
    return columns[:rank].T


def _whole_cholesky(kernel: Kernel, size: int) -> NDArray[np.float64]:
    """Do the same by LAPACK on the whole matrix."""
    matrix = np.array([kernel(i) for i in range(size)])
    lower, pivots, rank, _ = dpstrf(matrix, tol=TOLERANCE, lower=1, overwrite_a=1)
    rows = np.empty((size, int(rank)))
    rows[pivots - 1] = np.tril(lower)[:, : int(rank)]
    return rows
