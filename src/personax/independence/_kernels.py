"""Kernels of the distinct values: their widths, and thin centred factors of them by pivoted Cholesky."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf
from scipy.spatial.distance import cdist, pdist

from personax.errors import UntestableError
from personax.independence._counts import MAX_CATEGORIES, Counted, table
from personax.independence._line_kernels import MOST_POLYNOMIALS, LineKernels
from personax.independence._third_order import ThirdOrder, third_order

__all__ = [
    "EVERY",
    "Bandwidth",
    "Factor",
    "Kernel",
    "centred",
    "conditional_width",
    "cross",
    "delta",
    "gaussian",
    "joint_counts",
    "kernel_of",
    "line_of",
    "marginal_factor",
    "marginal_width",
    "pivoted_cholesky",
    "product",
    "standardise",
    "sums_within",
]

Bandwidth = str | float
"""``"empirical"`` (as causal-learn chooses it), ``"distance"`` (the median distance), ``"median"`` (sqrt(2)
times that), or the width itself in standard deviations; ``"auto"`` is ``"distance"`` where z is regressed out by
cross-validation and ``"empirical"`` elsewhere."""

Kernel = Callable[[NDArray[np.intp], NDArray[np.intp] | slice], NDArray[np.float64]]
"""Indices of k distinct values and of m others -> the kernel between them, shape (k, m); 1 of a value with itself."""

EVERY = slice(None)
"""All distinct values."""

MANY_COLUMNS = 16
"""Columns from which squared distances are taken by a product of matrices."""

MEDIAN_SAMPLE = 500
"""The median distance is taken over at most so many distinct values."""


def gaussian(values: NDArray[np.float64], width: float) -> Kernel:
    """Return exp(-|x - y|^2 / (2 width^2)) on the rows of ``values``, shape (a, d)."""
    scaled = values / (np.sqrt(2) * width)

    lengths = np.square(scaled).sum(axis=1)

    def kernel(i: NDArray[np.intp], j: NDArray[np.intp] | slice) -> NDArray[np.float64]:
        if scaled.shape[1] < MANY_COLUMNS:
            squared = cdist(scaled[i], scaled[j], "sqeuclidean")
        else:
            squared = np.maximum(lengths[i][:, None] + lengths[j] - 2 * scaled[i] @ scaled[j].T, 0)
            squared[i[:, None] == np.arange(len(scaled))[j]] = 0
        np.negative(squared, out=squared)
        return np.exp(squared, out=squared)

    return kernel


def delta(labels: NDArray[np.intp]) -> Kernel:
    """Return the kernel that is 1 for equal labels and 0 for different ones."""
    return lambda i, j: (labels[j] == labels[i][:, None]).astype(float)


def product(kernels: Sequence[Kernel]) -> Kernel:
    """Return the product of kernels."""
    return kernels[0] if len(kernels) == 1 else lambda i, j: np.prod([kernel(i, j) for kernel in kernels], axis=0)


def kernel_of(variable: Counted, width: Callable[[NDArray[np.float64]], float]) -> Kernel:
    """Return the kernel of a variable: Gaussian in its standardised numbers, equality in its categories."""
    if variable.values is None:
        if variable.size > MAX_CATEGORIES:
            text = f"one variable has {variable.size:,} categories; more than {MAX_CATEGORIES:,} are names"
            raise UntestableError(text)
        return delta(np.arange(variable.size))
    values = standardise(variable)
    numbers = gaussian(values, width(values))
    return numbers if variable.labels is None else product([numbers, delta(variable.labels)])


def standardise(variable: Counted) -> NDArray[np.float64]:
    """Return the distinct values of numbers with mean 0 and variance 1 over the rows, each column by itself.

    The two coordinates of a circle share one scale; otherwise the result would depend on where the circle starts.
    """
    assert variable.values is not None
    largest = np.abs(variable.values).max(axis=0)
    values = variable.values / np.where(largest > 0, largest, 1)  # squares of very large numbers would overflow
    if variable.circle:
        values = variable.values
    centred = values - variable.counts @ values / variable.n
    spread = np.sqrt(variable.counts @ np.square(centred) / (variable.n - 1))
    if variable.circle:
        spread = np.full_like(spread, np.sqrt(np.square(spread).mean()))
    return np.asarray(centred / np.where(spread > 0, spread, 1))


def marginal_width(values: NDArray[np.float64], counts: NDArray[np.intp], bandwidth: Bandwidth) -> float:
    """Return the width for a test of x against y.

    ``"empirical"`` is 0.8, 0.5 or 0.3 for fewer than 200, fewer than 1,200 or more rows, divided by sqrt(d).
    """
    n = int(counts.sum())
    empirical = (0.8 if n < 200 else 0.5 if n < 1200 else 0.3) / np.sqrt(values.shape[1])
    return _width(values, counts, bandwidth, float(empirical))


def auto_width(variable: Counted) -> Bandwidth:
    """Return what ``"auto"`` means in a test without z: ``"median"`` for several columns, else ``"empirical"``.

    Distances grow with sqrt(d) and the empirical width falls with it, so that a narrow kernel of several columns tells
    all rows apart and no two alike. The two columns of a circle are one number.
    """
    several = variable.values is not None and variable.values.shape[1] > 1 and not variable.circle
    return "median" if several else "empirical"


def conditional_width(values: NDArray[np.float64], counts: NDArray[np.intp], bandwidth: Bandwidth, dim: int) -> float:
    """Return the width for a test given z of ``dim`` columns.

    ``"empirical"`` is 1.2, 0.7 or 0.4 for fewer than 200, fewer than 1,200 or more rows, times sqrt(dim), for all three
    kernels.
    """
    n = int(counts.sum())
    empirical = (1.2 if n < 200 else 0.7 if n < 1200 else 0.4) * np.sqrt(dim)
    return _width(values, counts, bandwidth, float(empirical))


def _width(values: NDArray[np.float64], counts: NDArray[np.intp], bandwidth: Bandwidth, empirical: float) -> float:
    if bandwidth in ("empirical", "auto"):
        return empirical
    if bandwidth == "median":
        return float(np.sqrt(2)) * _median_distance(values, counts)
    if bandwidth == "distance":
        return _median_distance(values, counts)
    if isinstance(bandwidth, str):
        raise UntestableError(
            f"there is no bandwidth rule {bandwidth!r}; choose empirical, distance, median or a number"
        )
    if not (np.isfinite(bandwidth) and bandwidth > 0):
        raise UntestableError(f"the bandwidth must be positive, not {bandwidth}")
    return float(bandwidth)


def _median_distance(values: NDArray[np.float64], counts: NDArray[np.intp]) -> float:
    """Return the median distance of two rows that differ; of many distinct values every k-th stands for all."""
    step = -(-len(values) // MEDIAN_SAMPLE)
    values, counts = values[::step], counts[::step]
    if values.shape[1] == 1 and (counts == counts[0]).all():
        return _median_on_a_line(np.sort(values[:, 0]))
    distances = pdist(values)
    if (counts == counts[0]).all():
        middle = [(len(distances) - 1) // 2, len(distances) // 2]
        distances.partition(middle)
        return float(distances[middle].mean())
    i, j = np.triu_indices(len(values), 1)
    weights = (counts[i] * counts[j]).astype(float)
    order = np.argsort(distances)
    below = np.cumsum(weights[order])
    half = below[-1] / 2
    # the mean of the two middle pairs where they straddle two distances, as a median over rows has it
    lower, upper = np.searchsorted(below, half), np.searchsorted(below, half, side="right")
    return float((distances[order[lower]] + distances[order[min(upper, len(order) - 1)]]) / 2)


def _median_on_a_line(values: NDArray[np.float64]) -> float:
    """Return the median distance of sorted numbers, without the distances of all pairs.

    Pairs nearer than a distance are counted by a search in the sorted values. Halving brackets the median until few
    pairs are left between, and these are sorted.
    """
    size, places = len(values), np.arange(1, len(values) + 1)
    pairs = size * (size - 1) // 2
    first, last = (pairs - 1) // 2, pairs // 2  # the two in the middle
    low, high = -1.0, float(values[-1] - values[0])
    below, through = places, np.full(size, size)
    for _ in range(HALVINGS):
        if (through - below).sum() <= 4 * size:
            break
        middle = (max(low, 0.0) + high) / 2
        at = np.searchsorted(values, values + middle, side="right")
        if (at - places).sum() > last:
            high, through = middle, at
        elif (at - places).sum() <= first:
            low, below = middle, at
        else:
            break
    before, widths = int((below - places).sum()), through - below
    ends = np.repeat(below - np.cumsum(widths) + widths, widths) + np.arange(widths.sum())
    distances = values[ends] - np.repeat(values, widths)
    distances.partition([first - before, last - before])
    return float((distances[first - before] + distances[last - before]) / 2)


HALVINGS = 60
"""Of a range of distances, at most; then what is left between are equal ones."""

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

    @cached_property
    def third_order(self) -> ThirdOrder:
        """Sums of third order, from which the skewness under permutation follows."""
        return third_order(self.rows, self.counts, self.gram)

    @property
    def rank(self) -> int:
        """Number of features r."""
        return int(self.rows.shape[1])

    def diagonal(self) -> NDArray[np.float64]:
        """Return the kernel of each distinct value with itself, shape (a,)."""
        return np.asarray(np.einsum("ij,ij->i", self.rows, self.rows))


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
    if bandwidth == "auto":
        bandwidth = auto_width(variable)
    if tolerance is None:
        tolerance = TOLERANCE if 2 * variable.size < variable.n else DISTINCT
    line = line_of(variable)
    if line is not None:
        width = marginal_width(standardise(variable), variable.counts, bandwidth)
        if line.needed(width, tolerance) <= (MOST_POLYNOMIALS if most is None else most):
            made = line.coefficients(width, tolerance)
            return _about_mean(line.table(len(made)).T @ made, variable)
    kernel = kernel_of(variable, lambda values: marginal_width(values, variable.counts, bandwidth))
    return centred(kernel, variable, tolerance, most=most)


def line_of(variable: Counted) -> LineKernels | None:
    """Return what Gaussian kernels of one column of many numbers are made of; None for any other variable."""
    values = variable.values
    if values is None or variable.labels is not None or values.shape[1] > 1 or variable.size <= WHOLE:
        return None
    return LineKernels(standardise(variable)[:, 0], variable.counts)


def centred(kernel: Kernel, variable: Counted, tolerance: float = TOLERANCE, *, most: int | None = None) -> Factor:
    """Factor a kernel on distinct values and centre it over the rows.

    It stops at rank ``most``, where the tolerance is not reached before: then the factor is a smaller kernel.
    """
    share = variable.counts / variable.n
    return _about_mean(pivoted_cholesky(kernel, share, tolerance, variable.size if most is None else most), variable)


def _about_mean(rows: NDArray[np.float64], variable: Counted) -> Factor:
    factor = Factor(rows - variable.counts / variable.n @ rows, variable)
    if factor.trace < FLAT * variable.n:
        raise UntestableError("the kernel tells no two values apart; choose a smaller bandwidth")
    return factor


def cross(x: Factor, y: Factor) -> float:
    """Return sum_ij Kx_ij Ky_ij over all pairs of rows, which is |Fx' T Fy|^2 with the contingency table T."""
    if x.rank < y.rank:
        x, y = y, x
    return float(np.square(x.rows.T @ sums_within(x.of, y.of, y.rows)).sum())


def sums_within(x: Counted, y: Counted, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return T F, the sums of the features of y over the rows that share a value of x, shape (a, r)."""
    if x.weights is None and x.size == len(x.codes):  # each row has a value of its own
        sums = np.empty((x.size, rows.shape[1]))
        sums[x.codes] = rows[y.codes]
        return sums
    return np.asarray(joint_counts(x, y) @ rows)


def joint_counts(x: Counted, y: Counted) -> Any:  # noqa: ANN401 - dense or sparse, whichever is smaller
    """Return the contingency table, shape (a, b)."""
    rows = len(x.codes)
    if x.size * y.size <= 4 * rows:
        return table(x, y).astype(float)
    people = np.ones(rows) if x.weights is None else x.weights.astype(float)
    return sparse.csr_array((people, (x.codes, y.codes)), shape=(x.size, y.size))


def pivoted_cholesky(
    kernel: Kernel,
    share: NDArray[np.float64],
    tolerance: float,
    most: int,
    diagonal: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return P with P P' = K on the distinct values, up to a remainder of mean diagonal ``tolerance``.

    The kernel of a value with itself is 1, or the ``diagonal``. Pivots are drawn a block at a time, in proportion to
    what is left of their diagonal, so that nearly all work is products of matrices; pivots of one block that the others
    make superfluous are dropped.
    """
    size = len(share)
    if size <= WHOLE and diagonal is None:
        return _whole_cholesky(kernel, size, tolerance)
    rng = np.random.default_rng(0)  # which pivots are drawn moves the result by less than the tolerance
    columns = np.empty((min(size, 512), size))  # the pages of an empty array cost nothing until they are written
    left = np.ones(size) if diagonal is None else diagonal
    rank = 0
    while rank < min(size, most) and share @ left > tolerance:
        pivots = _drawn(left * share, max(BLOCK, rank // 4), rng)
        if rank + len(pivots) > len(columns):
            columns = np.vstack([columns, np.empty((max(len(columns), len(pivots)), size))])
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
