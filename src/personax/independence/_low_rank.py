"""Centred kernels as thin factors.

The eigenvalues of a Gaussian kernel on a line fall fast, so that a pivoted Cholesky factor of rank 25 to 50 holds it to
rounding; the trace of the remainder bounds what is left out (Harbrecht, Peters, Schneider 2012,
doi:10.1016/j.apnum.2011.10.001). Pivots are drawn as by Chen, Epperly, Tropp, Webber 2023, arXiv:2207.06503.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from personax.errors import UntestableError
from personax.independence._counts import Counted, table
from personax.independence._kernels import EVERY, Bandwidth, Kernel, kernel_of, marginal_width

__all__ = ["Factor", "centred", "cross", "joint_counts", "marginal_factor"]

TOLERANCE = 1e-13
"""Largest mean diagonal of the remainder; the diagonal of every kernel here is 1."""

DISTINCT = 1e-11
"""The same where most values occur once; p then moves by less than 1e-7."""

WHOLE = 256
"""Distinct values up to which the kernel is factored at once."""

STEP = 1e-4
"""Smallest pivot of a step, as a share of the largest."""

BLOCK = 128
"""Pivots of one step of the factorisation while the rank is low."""

FLAT = 1e-9
"""A centred kernel whose mean diagonal is smaller tells no two values apart."""


@dataclass(frozen=True)
class Factor:
    """A kernel F F' on the distinct values of a variable, centred over the rows.

    Parameters
    ----------
    rows
        F, shape (a, r).
    of
        The variable; its codes say which row of F belongs to which row of the data.
    groups
        Number of groups when the kernel is the projection on them, otherwise 0.
    """

    rows: NDArray[np.float64]
    of: Counted
    groups: int = 0

    @property
    def counts(self) -> NDArray[np.intp]:
        """How often each distinct value occurs, shape (a,)."""
        return self.of.counts

    @cached_property
    def trace(self) -> float:
        """Trace of the n x n kernel."""
        return float(self.counts @ self.diagonal())

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """F'F over the rows of the data, shape (r, r); it has the nonzero eigenvalues of the n x n kernel."""
        weighted = self.rows if self.of.size == self.of.n else self.counts[:, None] * self.rows
        return np.asarray(self.rows.T @ weighted)

    @cached_property
    def square(self) -> float:
        """Sum of the squared entries of the n x n kernel."""
        return float(np.square(self.gram).sum())

    @cached_property
    def quartic(self) -> float:
        """Sum of the squared diagonal entries of the n x n kernel."""
        return float(self.counts @ np.square(self.diagonal()))

    @cached_property
    def eigenvalues(self) -> NDArray[np.float64]:
        """The nonzero eigenvalues of the n x n kernel, largest first."""
        return np.asarray(np.linalg.eigvalsh(self.gram)[::-1])

    @property
    def rank(self) -> int:
        """Number of features r."""
        return int(self.rows.shape[1])

    def diagonal(self) -> NDArray[np.float64]:
        """Return the kernel of each distinct value with itself, shape (a,)."""
        return np.asarray(np.square(self.rows).sum(axis=1))


def marginal_factor(
    variable: Counted, bandwidth: Bandwidth = "empirical", *, tolerance: float | None = None, most: int | None = None
) -> Factor:
    """Return the kernel of one variable: Gaussian on standardised numbers, equality on categories.

    ``tolerance`` and ``most`` limit its rank; see `centred`.

    Raises
    ------
    UntestableError
        More than `MAX_CATEGORIES` categories, or a kernel that tells no two values apart.
    """
    kernel = kernel_of(variable, lambda values: marginal_width(values, variable.counts, bandwidth))
    if tolerance is None:
        tolerance = TOLERANCE if 2 * variable.size < variable.n else DISTINCT
    return centred(kernel, variable, tolerance, most=most)


def centred(kernel: Kernel, variable: Counted, tolerance: float = TOLERANCE, *, most: int | None = None) -> Factor:
    """Factor a kernel on distinct values and centre it over the rows.

    It stops at rank ``most``, where the tolerance is not reached before: then the factor is a smaller kernel.
    """
    share = variable.counts / variable.n
    rows = _pivoted_cholesky(kernel, share, tolerance, variable.size if most is None else most)
    factor = Factor(rows - share @ rows, variable)
    if factor.trace < FLAT * variable.n:
        raise UntestableError("the kernel tells no two values apart; choose a smaller bandwidth")
    return factor


def cross(x: Factor, y: Factor) -> float:
    """Return sum_ij Kx_ij Ky_ij over all pairs of rows, which is |Fx' T Fy|^2 with the contingency table T."""
    if x.rank < y.rank:
        x, y = y, x
    return float(np.square(x.rows.T @ (joint_counts(x.of, y.of) @ y.rows)).sum())


def joint_counts(x: Counted, y: Counted) -> Any:  # noqa: ANN401 - dense or sparse, whichever is smaller
    """Return the contingency table, shape (a, b)."""
    rows = len(x.codes)
    if x.size * y.size <= 4 * rows:
        return table(x, y).astype(float)
    people = np.ones(rows) if x.weights is None else x.weights.astype(float)
    return sparse.csr_array((people, (x.codes, y.codes)), shape=(x.size, y.size))


def _pivoted_cholesky(kernel: Kernel, share: NDArray[np.float64], tolerance: float, most: int) -> NDArray[np.float64]:
    """Return P with P P' = K on the distinct values, up to a remainder of mean diagonal ``tolerance``.

    Pivots are drawn a block at a time, in proportion to what is left of their diagonal, so that nearly all work is
    products of matrices; pivots of one block that the others make superfluous are dropped.
    """
    size = len(share)
    if size <= WHOLE:
        return _whole_cholesky(kernel, size, tolerance)
    rng = np.random.default_rng(0)  # which pivots are drawn moves the result by less than the tolerance
    columns = np.empty((min(size, 512), size))  # the pages of an empty array cost nothing until they are written
    left = np.ones(size)
    rank = 0
    while rank < min(size, most) and share @ left > tolerance:
        pivots = _drawn(left * share, max(BLOCK, rank // 4), rng)
        if rank + len(pivots) > len(columns):
            columns = np.vstack([columns, np.empty_like(columns)])
        known = columns[:rank, pivots]
        # a pivot much smaller than what is left elsewhere would spread its rounding there
        least = max(tolerance / 10, STEP * left[pivots].max())
        lower, order, kept, _ = dpstrf(kernel(pivots, pivots) - known.T @ known, tol=least, lower=1)
        if kept == 0:
            break  # what is left is rounding
        chosen = order[:kept] - 1
        rows = kernel(pivots[chosen], EVERY) - known[:, chosen].T @ columns[:rank]
        new = solve_triangular(lower[:kept, :kept], rows, lower=True, overwrite_b=True, check_finite=False)
        columns[rank : rank + kept] = new
        left = np.maximum(left - np.square(new).sum(axis=0), 0)
        left[pivots[chosen]] = 0
        rank += int(kept)
    return columns[:rank].T


def _whole_cholesky(kernel: Kernel, size: int, tolerance: float) -> NDArray[np.float64]:
    """Do the same for few values, the largest pivot first."""
    everything = np.arange(size)
    lower, order, kept, _ = dpstrf(kernel(everything, everything), tol=tolerance / 10, lower=1)
    rows = np.empty((size, int(kept)))
    rows[order - 1] = np.tril(lower)[:, :kept]
    return rows


def _drawn(left: NDArray[np.float64], number: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return up to ``number`` different values, drawn in proportion to what is left of them."""
    cumulated = np.cumsum(left)
    return np.unique(np.searchsorted(cumulated, rng.uniform(0, cumulated[-1], number), side="right"))
