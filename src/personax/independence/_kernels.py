"""Kernels on distinct values, and their widths."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from personax.errors import UntestableError
from personax.independence._counts import MAX_CATEGORIES, Counted

__all__ = [
    "EVERY",
    "Bandwidth",
    "Kernel",
    "conditional_width",
    "delta",
    "gaussian",
    "kernel_of",
    "marginal_width",
    "product",
    "standardise",
]

Bandwidth = str | float
"""``"empirical"`` (as causal-learn chooses it), ``"distance"`` (the median distance), ``"median"`` (sqrt(2)
times that), or the width itself in standard deviations; ``"auto"`` is ``"distance"`` where z is regressed out by
cross-validation and ``"empirical"`` elsewhere."""

Kernel = Callable[[NDArray[np.intp], NDArray[np.intp] | slice], NDArray[np.float64]]
"""Indices of k distinct values and of m others -> the kernel between them, shape (k, m); 1 of a value with itself."""

EVERY = slice(None)
"""All distinct values."""

MEDIAN_SAMPLE = 500
"""The median distance is taken over at most so many distinct values."""


def gaussian(values: NDArray[np.float64], width: float) -> Kernel:
    """Return exp(-|x - y|^2 / (2 width^2)) on the rows of ``values``, shape (a, d)."""
    scaled = values / (np.sqrt(2) * width)

    def kernel(i: NDArray[np.intp], j: NDArray[np.intp] | slice) -> NDArray[np.float64]:
        squared = cdist(scaled[i], scaled[j], "sqeuclidean")
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
    distances = pdist(values)
    if (counts == counts[0]).all():
        return float(np.median(distances))
    i, j = np.triu_indices(len(values), 1)
    weights = (counts[i] * counts[j]).astype(float)
    order = np.argsort(distances)
    below = np.cumsum(weights[order])
    half = below[-1] / 2
    # the mean of the two middle pairs where they straddle two distances, as a median over rows has it
    lower, upper = np.searchsorted(below, half), np.searchsorted(below, half, side="right")
    return float((distances[order[lower]] + distances[order[min(upper, len(order) - 1)]]) / 2)
