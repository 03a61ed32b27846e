"""Gaussian kernels of many widths of one column of numbers, from one table of Chebyshev polynomials.

On the interval of the numbers, moved to [-1, 1], ``exp(-g (s - t)^2)`` is a sum ``sum_jk M_jk T_j(s) T_k(t)`` of few
polynomials, whatever the data: n enters only through the table of ``T_j`` at the distinct numbers, which all widths
share. Since ``2 T_j T_k = T_(j+k) + T_|j-k|``, even their sums of products need no product of matrices.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpstrf

__all__ = ["MOST_POLYNOMIALS", "LineKernels", "polynomials_needed"]

MOST_POLYNOMIALS = 160
"""More of them cost more than a factorisation on the values themselves; a few far values ask for them."""

_RADII = np.exp(np.linspace(0.05, 3.0, 100))
_HEIGHTS = np.square((_RADII - 1 / _RADII) / 2)


def polynomials_needed(sharpness: float, tolerance: float) -> int:
    """Return how many polynomials have exp(-sharpness (s - t)^2) on [-1, 1] to a tolerance.

    Examples
    --------
    >>> polynomials_needed(0.5, 1e-9), polynomials_needed(50.0, 1e-9)
    (15, 71)
    """
    # In the ellipse of radius r around [-1, 1] the imaginary part is (r - 1/r) / 2 at most, so that the function is at
    # most exp(sharpness ((r - 1/r) / 2)^2) there, and N polynomials err by 2 / (r - 1) r^-N times that at most
    # (Trefethen 2013, Approximation theory and approximation practice, theorem 8.2).
    needed = (sharpness * _HEIGHTS + np.log(2 / (_RADII - 1) / tolerance)) / np.log(_RADII)
    return int(np.ceil(needed.min())) + 1


@lru_cache(maxsize=256)
def _nodes(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Chebyshev points, and the matrix that turns values there into coefficients."""
    angles = (np.arange(size) + 0.5) * np.pi / size
    turned = 2 / size * np.cos(np.outer(np.arange(size), angles))
    turned[0] /= 2
    return np.cos(angles), turned


class LineKernels:
    """Distinct numbers on a line with how often each occurs, and what kernels of any width need of them.

    Parameters
    ----------
    values, counts
        Shape (a,).
    """

    def __init__(self, values: NDArray[np.float64], counts: NDArray[np.intp]) -> None:
        low, high = float(values.min()), float(values.max())
        self.half = (high - low) / 2
        self._at, self._counts = (values - low) / self.half - 1, counts
        self._table = np.empty((0, len(values)))  # of the largest size asked for so far

    def needed(self, width: float, tolerance: float) -> int:
        """Return how many polynomials a width needs."""
        return polynomials_needed((self.half / width) ** 2 / 2, tolerance)

    def table(self, size: int) -> NDArray[np.float64]:
        """Return T_0 ... T_(size - 1) at the values, shape (size, a)."""
        if len(self._table) < size:
            self._table = table = np.empty((max(size, 2), len(self._at)))
            table[0], table[1] = 1, self._at
            last = 1
            while last < size - 1:  # T_(m+k) = 2 T_m T_k - T_(m-k) for all k up to m at once
                more = min(last, size - 1 - last)
                new = table[last + 1 : last + more + 1]
                np.multiply(table[1 : more + 1], 2 * table[last], out=new)
                new -= table[last - more : last][::-1]
                last += more
        return self._table[:size]

    def gram(self, size: int) -> NDArray[np.float64]:
        """Return the covariances of the polynomials over all rows, times their number, shape (size, size)."""
        table = self.table(size)
        low = table @ self._counts.astype(float)
        high = 2 * (table @ (self._counts * table[-1])) - low[::-1]  # sums of T_(size - 1 + k)
        sums, place = np.concatenate([low, high[1:]]), np.arange(size)
        products = (sums[place[:, None] + place] + sums[np.abs(place[:, None] - place)]) / 2
        return np.asarray(products - np.outer(low, low) / self._counts.sum())

    def coefficients(self, width: float, tolerance: float) -> NDArray[np.float64]:
        """Return C such that the features table' C have the kernel of a width, shape (polynomials, features)."""
        size = self.needed(width, tolerance)
        points, turned = _nodes(size)
        kernel = np.exp(-0.5 * np.square((points[:, None] - points) * (self.half / width)))
        lower, order, kept, _ = dpstrf(turned @ kernel @ turned.T, tol=tolerance / 10, lower=1)
        rows = np.empty((size, int(kept)))
        rows[order - 1] = np.tril(lower)[:, :kept]
        return rows
