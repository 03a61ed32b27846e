"""Fisher's z test of a partial correlation, from one correlation matrix."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from personax.discovery._ci_test import Undecided
from personax.errors import ComputationError

__all__ = ["FisherZ"]

DETERMINED = 1e-8
"""Share of a column's variance beyond the given columns below which it is rounding, not data."""


class FisherZ:
    """Partial correlations of the columns of a matrix, and their p-values.

    Parameters
    ----------
    values
        (n, columns), finite, no column constant.
    collinear
        Whether some columns determine one another; they are given as what they span.

    Notes
    -----
    Given k columns, ``atanh(r) sqrt(n - k - 3)`` is standard normal under independence, for normal columns.

    References
    ----------
    Fisher 1924, "The distribution of the partial correlation coefficient", Metron 3.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 100))
    >>> test = FisherZ(np.column_stack([x, y, x + y]))
    >>> test(0, 1, ()) > 0.05, round(test.effect(0, 2, ()), 1)
    (True, 0.7)
    """

    def __init__(self, values: NDArray[np.float64], *, collinear: bool = False) -> None:
        self._solve = _least_squares if collinear else np.linalg.solve
        self._rows = len(values)
        self._correlations: NDArray[np.float64] = np.atleast_2d(np.corrcoef(values, rowvar=False))

    def __call__(self, x: int, y: int, z: tuple[int, ...]) -> float:
        """Return the p-value of "x and y are independent given z"."""
        freedom = self._rows - len(z) - 3
        if freedom <= 0:
            raise ComputationError(
                f"{self._rows} rows do not suffice to test a pair given {len(z)} columns; set max_given"
            )
        r = self.effect(x, y, z)
        if abs(r) >= 1:
            return 0.0
        return math.erfc(abs(math.atanh(r)) * math.sqrt(freedom / 2))

    def effect(self, x: int, y: int, z: tuple[int, ...]) -> float:
        """Return the partial correlation of x and y given z.

        Raises
        ------
        Undecided
            When z determines x or y: what is left of it is rounding.
        """
        c = self._correlations
        if not z:
            return float(c[x, y])
        ends = [x, y]
        shared = c[np.ix_(ends, z)]
        weights = self._solve(c[np.ix_(z, z)], shared.T)
        left = c[np.ix_(ends, ends)] - shared @ weights
        if min(left[0, 0], left[1, 1]) < DETERMINED:
            raise Undecided
        return float(np.clip(left[0, 1] / math.sqrt(left[0, 0] * left[1, 1]), -1, 1))


def _least_squares(matrix: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=1e-10)[0], np.float64)
