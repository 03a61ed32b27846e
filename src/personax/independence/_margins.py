"""What the margins of a contingency table settle: expected counts, moments of X^2, tables that could have been."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["expected_counts", "pearson_moments", "random_tables", "williams"]

BATCH = 1_000_000
"""Cells drawn at a time."""

ROUNDING = 1e-13
"""A difference of two numbers that is smaller, as a share of the larger one, is nothing but rounding."""


def expected_counts(observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return row total times column total over n, the mean of every cell under independence, shape (a, b)."""
    rows, columns = observed.sum(axis=1), observed.sum(axis=0)
    return np.asarray(np.outer(rows, columns) / rows.sum())


def williams(observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor by which the mean of G exceeds its degrees of freedom, up to terms of order 1 / n^2.

    ``q = 1 + (n sum_i 1/n_i. - 1) (n sum_j 1/n_.j - 1) / (6 n (a - 1) (b - 1))``.

    Parameters
    ----------
    observed
        Tables, shape (..., a, b); rows and columns without people do not count.

    References
    ----------
    Williams 1976, doi:10.1093/biomet/63.1.33; Sokal, Rohlf, Biometry.

    Examples
    --------
    >>> float(williams(np.array([[10.0, 10.0], [10.0, 10.0]])))  # 1 + 3 * 3 / 240
    1.0375
    """
    n = observed.sum(axis=(-2, -1))
    (a, rows), (b, columns) = (_margin(observed, axis) for axis in (-1, -2))
    return np.asarray(1 + (n * rows - 1) * (n * columns - 1) / (6 * n * (a - 1) * (b - 1)))


def _margin(observed: NDArray[np.float64], axis: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return how many values of one margin occur, and the sum of 1 / total over them."""
    totals = observed.sum(axis=axis)
    inverse = np.divide(1.0, totals, out=np.zeros(totals.shape), where=totals > 0)
    return (totals > 0).sum(axis=-1), inverse.sum(axis=-1)


def pearson_moments(observed: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of X^2 over all permutations of the rows, which is to say given both margins.

    ``mean = n (a - 1) (b - 1) / (n - 1)`` and ``variance = 2n / (n - 3) (v - w) (v' - w') + n^2 / (n - 1) w w'``, where
    ``v = (a - 1) (n - a) / (n - 1)`` and ``w = (sum_i n / n_i - a^2) / (n - 2)`` are of the rows, v' and w' of the
    columns. The variance is exactly 0 where all permutations give one X^2.

    Parameters
    ----------
    observed
        Tables, shape (..., a, b), with people in at least two rows and two columns; those without do not count.

    References
    ----------
    Haldane 1940, doi:10.1093/biomet/31.3-4.346; Dawson 1954, Biometrika 41:280 (the short form); Lewis, Saunders,
    Westcott 1984, doi:10.1093/biomet/71.3.515 (corrections by moments).

    Examples
    --------
    >>> mean, variance = pearson_moments(np.array([[1.0, 1.0], [1.0, 0.0]]))  # 0.75 twice, 3 once
    >>> round(float(mean), 12), round(float(variance), 12)
    (1.5, 1.125)
    """
    n = np.asarray(observed.sum(axis=(-2, -1)), dtype=float)
    rows, columns = (_margin(observed, axis) for axis in (-1, -2))
    (even, uneven), (even_, uneven_) = (_spread(n, *margin) for margin in (rows, columns))
    mean = n * (rows[0] - 1) * (columns[0] - 1) / (n - 1)
    # of three rows v = w always, and the first term is 0 times 0 over 0; the second alone is the variance
    first = np.where(n > 3, 2 * n / np.where(n > 3, n - 3, 1) * even * even_, 0.0)
    # of two people there is one table, or the same with its columns swapped
    return mean, np.where(n > 2, first + n**2 / (n - 1) * uneven * uneven_, 0.0)


def _spread(
    n: NDArray[np.float64], values: NDArray[np.intp], inverse: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return v - w and w of one margin; v = w where it has two values and one of them is a single row."""
    v = (values - 1) * (n - values) / (n - 1)
    w = np.maximum(0.0, (n * inverse - values**2) / np.where(n > 2, n - 2, 1))
    return np.where(v - w > ROUNDING * v, v - w, 0.0), w


def random_tables(
    rows: NDArray[np.intp], columns: NDArray[np.intp], times: int, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Yield batches of tables with these margins, shape (batch, a, b), as permuting the rows would give them."""
    # scipy.stats takes half a second to import, which only those who permute should pay
    from scipy.stats import random_table

    law = random_table(rows, columns)
    batch = max(1, BATCH // (len(rows) * len(columns)))
    for start in range(0, times, batch):
        yield law.rvs(size=min(batch, times - start), random_state=rng).astype(np.intp, copy=False)
