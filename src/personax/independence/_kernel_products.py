"""Sums over all pairs of rows of a product of three kernels, Kx * Ky * Kz element by element, in time linear in n.

The statistic of conditional KCI is ``sum_ij S_ij`` with ``S = Kx * Ky * Kz``, its mean tr S and its variance
``2 sum_ij S_ij^2``. With features, ``Kx = F F'``, ``Ky = G G'`` and ``Kz = W W'``,

    sum_ij S_ij = sum_k |F' D_k G|^2,    D_k = diag(counts * W_k),

and since ``Kx_ij^2`` has the features ``F_a F_b``, the variance is the same sum over these. A Gaussian kernel of few
columns has few features, so this takes n r_x r_y r_z steps; where that is more than all pairs of rows take, they are
gone through in blocks; and where both are too many, S itself is factored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.spatial.distance import cdist

from personax.independence._kernels import pivoted_cholesky

__all__ = ["Products"]

BLOCK = 64
"""Rows of the n x n product that exist at one time."""

FEW = 4_000
"""Rows up to which S is taken block by block, and its eigenvalues from the whole of it."""

SINGLE = 500
"""Rows from which blocks are of single precision: their errors are of both signs, and p moves by less than 1e-7."""

MANY = 20_000
"""Rows from which it is not, whatever the features cost."""

PAIR, MULTIPLICATION = 1e-8, 1e-10
"""Seconds that a pair of rows takes in a block, and one multiplication in a product of matrices: their ratio counts."""

TOLERANCE, ROUGH = 1e-11, 1e-9
"""Mean diagonal that the features of the kernel of z leave out, and those of its square (for the variance only)."""

RANK = 512
"""Features of S at most, where it is factored itself; what they leave out enters the statistic by its mean."""

LEFT_OUT = 1e-7
"""Share of the trace that these features leave out at the least."""

CELLS = 4_000_000
"""Products of features of y and z that exist at one time."""

SAME, OTHER = 1.0, 0.5
"""The kernel of two rows whose categories in z are the same, and of two others."""


@dataclass(frozen=True)
class Products:
    """The matrix S = Kx * Ky * Kz on the distinct values of (x, y, z).

    Parameters
    ----------
    x, y
        Features of the rows, shape (a, r); blocks have their precision.
    z, labels
        Numbers of z over the width of their kernel, and categories, of the rows, where z has any.
    counts
        How often each row occurs.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64] | None
    labels: NDArray[np.intp] | None
    counts: NDArray[np.float64]

    def moments(self) -> tuple[float, float, float]:
        """Return the statistic, sum_ij S_ij, and its mean and variance under the null: tr S and 2 sum_ij S_ij^2."""
        if len(self.counts) <= FEW:
            return self._by_blocks()
        squares = _squared(self.x), _squared(self.y)
        a_row = MULTIPLICATION * squares[0].shape[1] * squares[1].shape[1]
        most = int(PAIR * min(len(self.counts), MANY) / 2 / a_row)
        features = self._features_of_z(1.0, most), self._features_of_z(2.0, most)
        if features[0] is not None and features[1] is not None:
            statistic = self._sum_of_all(self.x, self.y, features[0], OTHER)
            return statistic, self.trace, 2 * self._sum_of_all(*squares, features[1], OTHER**2)
        return self._by_blocks() if len(self.counts) <= MANY else self._by_factor()

    def spectrum(self) -> tuple[NDArray[np.float64], tuple[float, float]]:
        """Return the weights of the null distribution, and the sum and the sum of squares of those that are not listed.

        They are the eigenvalues of S over all rows.
        """
        people = len(self.counts)
        if self.z is None and self.labels is None and self.x.shape[1] * self.y.shape[1] <= people:
            both = (self.x[:, :, None] * self.y[:, None, :]).reshape(people, -1)
            return np.linalg.eigvalsh(both.T @ (self.counts[:, None] * both)).clip(0), (0.0, 0.0)
        if people <= FEW:
            root = np.sqrt(self.counts)
            return np.linalg.eigvalsh(self.block(slice(None), slice(None)) * np.outer(root, root)).clip(0), (0.0, 0.0)
        weights = np.linalg.eigvalsh(self._gram).clip(0)
        more, squares = self.trace - weights.sum(), self.moments()[2] / 2 - np.square(weights).sum()
        return weights, (float(max(0.0, more)), float(max(0.0, squares)))

    @property
    def trace(self) -> float:
        """Trace of S over all rows."""
        # every kernel of z is 1 of a row with itself
        return float(self.counts @ self._diagonal)

    @cached_property
    def _diagonal(self) -> NDArray[np.float64]:
        return np.asarray(_lengths(self.x) * _lengths(self.y))

    def block(self, rows: slice | NDArray[np.intp], columns: slice | NDArray[np.intp]) -> NDArray[np.float64]:
        """Return some rows and columns of S."""
        found = self.x[rows] @ self.x[columns].T
        found *= self.y[rows] @ self.y[columns].T
        if self.z is not None:
            found *= _gaussian(self.z[rows], self.z[columns], found.dtype)
        if self.labels is not None:
            found *= np.where(self.labels[rows][:, None] == self.labels[columns], SAME, OTHER)
        return np.asarray(found)

    def _by_blocks(self) -> tuple[float, float, float]:
        total = squares = 0.0
        of = self if len(self.counts) < SINGLE else replace(self, x=_single(self.x), y=_single(self.y))
        for start in range(0, len(self.counts), BLOCK):
            part = of.block(slice(start, start + BLOCK), slice(start, None))
            total += self._sum(part, start)
            squares += self._sum(np.square(part, out=part), start)
        return total, self.trace, 2 * squares

    def _sum(self, part: NDArray[np.float64], start: int) -> float:
        """Return the sum over a block of rows, and over the columns that it has in common with S symmetric."""
        here, later = self.counts[start : start + BLOCK], self.counts[start:]
        sums = (part @ later.astype(part.dtype)).astype(float)
        own = part[:, : len(here)]
        return float(2 * sums @ here - here @ own.astype(float) @ here)

    def _features_of_z(self, power: float, most: int) -> NDArray[np.float64] | None:
        """Return the features of a power of the kernel of z's numbers, or None where they are more than ``most``."""
        if self.z is None:
            return np.ones((len(self.counts), 1))
        z = np.sqrt(power) * self.z
        share, tolerance = self.counts / self.counts.sum(), TOLERANCE if power == 1 else ROUGH
        rows = pivoted_cholesky(lambda i, j: np.exp(-cdist(z[i], z[j], "sqeuclidean")), share, tolerance, most + 1)
        return None if rows.shape[1] > most else rows

    def _sum_of_all(
        self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], other: float
    ) -> float:
        """Return the sum over all pairs of rows of the product of three kernels, given by their features."""
        total = self._sum_within(x, y, z, np.arange(len(x)))
        if self.labels is None:
            return total
        order = np.argsort(self.labels, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(self.labels[order])) + 1)
        return other * total + (SAME - other) * sum(self._sum_within(x, y, z, rows) for rows in groups)

    def _sum_within(
        self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], rows: NDArray[np.intp]
    ) -> float:
        """Return the same sum over the pairs of some rows."""
        wide = y.shape[1] * z.shape[1]
        sums = np.zeros((x.shape[1], wide))
        step = max(1, CELLS // wide)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            both = (self.counts[part, None] * y[part])[:, :, None] * z[part][:, None, :]
            sums += x[part].T @ both.reshape(len(part), wide)
        return float(np.square(sums).sum())

    def _by_factor(self) -> tuple[float, float, float]:
        sums = self.counts @ self._factor
        # of rows that are independent given z, what is left out has its trace as the mean of its sum
        left = self.trace - float(np.trace(self._gram))
        return float(sums @ sums) + left, self.trace, 2 * float(np.square(self._gram).sum())

    @cached_property
    def _factor(self) -> NDArray[np.float64]:
        """The leading features of S itself."""
        share, scale = self.counts / self.counts.sum(), self.trace / self.counts.sum()
        rows = pivoted_cholesky(lambda i, j: self.block(i, j) / scale, share, LEFT_OUT, RANK, self._diagonal / scale)
        return np.asarray(np.sqrt(scale) * rows)

    @cached_property
    def _gram(self) -> NDArray[np.float64]:
        return np.asarray(self._factor.T @ (self.counts[:, None] * self._factor))


def _single(features: NDArray[np.float64]) -> NDArray[Any]:
    return features.astype(np.float32)


def _gaussian(one: NDArray[np.float64], other: NDArray[np.float64], dtype: DTypeLike) -> NDArray[Any]:
    """Return exp(-|a - b|^2) of the rows of both, of a precision."""
    if one.shape[1] == 1:
        found = np.square(one.astype(dtype) - other[:, 0].astype(dtype))
    else:
        found = cdist(one, other, "sqeuclidean").astype(dtype, copy=False)
    np.negative(found, out=found)
    return np.asarray(np.exp(found, out=found))


def _lengths(features: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("ij,ij->i", features, features))


def _squared(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return features of the squares of a kernel's entries: products of two features, those of different ones twice."""
    first, second = np.triu_indices(features.shape[1])
    return features[:, first] * features[:, second] * np.where(first == second, 1.0, np.sqrt(2))
