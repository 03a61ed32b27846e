"""Sums of third order of a centred kernel, from which the skewness of a statistic under permutation follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ThirdOrder", "third_order"]

Array = NDArray[np.float64]

LEADING = 1e-2
"""Share of the trace that the last features may hold when they are left out of the entries off the diagonal."""

FEW_VALUES = 256
"""Distinct values up to which all features are kept."""

MOST_VALUES = 6_000
"""Distinct values up to which all pairs of them are looked at."""

BLOCK = 65_536
"""Distinct values whose products of features exist at one time."""


@dataclass(frozen=True, slots=True)
class ThirdOrder:
    """Sums over the entries K_ij of a centred kernel whose mean eigenvalue has been taken off, so that its trace is 0.

    Parameters
    ----------
    cubes
        ``sum_i K_ii^3``.
    pairs
        ``sum_ij K_ij^3``; NaN where it is too much work.
    across
        ``sum_ij K_ii K_ij K_jj``.
    along
        ``sum_i K_ii (K^2)_ii``.
    triangles
        ``tr K^3``.
    """

    cubes: float
    pairs: float
    across: float
    along: float
    triangles: float

    def vector(self) -> Array:
        """Return the five sums in this order."""
        return np.array([self.cubes, self.pairs, self.across, self.along, self.triangles])


def third_order(rows: Array, counts: NDArray[np.intp], gram: Array) -> ThirdOrder:
    """Return the sums of the kernel F F'.

    Parameters
    ----------
    rows
        F of the distinct values, centred over the people, shape (a, r).
    counts
        How often each distinct value occurs, shape (a,).
    gram
        F'F over the people, shape (r, r).
    """
    # With C = I - 11'/n the kernel is K' = K - m C, m = tr K / (n - 1): all directions lose their mean eigenvalue.
    # K'_ii = K_ii - m (1 - 1/n), K'_ij = K_ij + m/n, and (K'^2)_ii = (K^2)_ii - 2 m K_ii + m^2 (1 - 1/n).
    n, count = float(counts.sum()), counts.astype(float)
    diagonal = np.square(rows).sum(axis=1)
    mean = float(count @ diagonal) / (n - 1)
    own = diagonal - mean * (1 - 1 / n)
    squared = ((rows @ gram) * rows).sum(axis=1) - 2 * mean * diagonal + mean**2 * (1 - 1 / n)
    towards = rows.T @ (count * own)
    cubes = float(count @ own**3)
    values = np.linalg.eigvalsh(gram)
    triangles = float(((values - mean) ** 3).sum()) - (n - 1 - len(values)) * mean**3
    across = float(towards @ towards) - mean * float(count @ np.square(own))
    # off the diagonal: sum (K_ij + m/n)^3, term by term
    step, square = mean / n, float(np.square(gram).sum()) - float(count @ np.square(diagonal))
    pairs = _off_diagonal(rows, count, gram) + 3 * step * square - 3 * step**2 * mean * (n - 1)
    pairs += n * (n - 1) * step**3 + cubes
    return ThirdOrder(cubes, pairs, across, float(count @ (own * squared)), triangles)


def _off_diagonal(rows: Array, count: Array, gram: Array) -> float:
    """Return the sum of K_ij^3 over all pairs of different people."""
    if len(rows) > FEW_VALUES:
        values, directions = np.linalg.eigh(gram)
        held = np.cumsum(values)  # from the smallest on
        rows = rows @ directions[:, held > LEADING * held[-1]]
    size, rank = rows.shape
    own = float(count @ np.square(rows).sum(axis=1) ** 3)
    if size > FEW_VALUES and rank**2 < 3 * size:
        return _by_features(rows, count) - own
    if size > MOST_VALUES:
        return float("nan")
    kernel = rows @ rows.T
    return float(count @ (kernel * kernel * kernel) @ count) - own


def _by_features(rows: Array, count: Array) -> float:
    """Return sum_ij (sum_p F_ip F_jp)^3 = sum_pqr (sum_i F_ip F_iq F_ir)^2, which is linear in the values."""
    total = 0.0
    rows, count = rows.astype(np.float32), count.astype(np.float32)  # a skewness needs no more digits
    for first in range(rows.shape[1]):
        products = np.zeros((rows.shape[1] - first,) * 2)
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK, first:]
            products += ((count[start : start + BLOCK] * part[:, 0])[:, None] * part).T @ part
        # a set of three features has as many orders as it has; q, r > p come in both orders of the two already
        rest = float(np.square(products[1:, 1:]).sum() + np.square(products[0, 1:]).sum())
        total += 3 * rest + float(products[0, 0] ** 2)
    return total
