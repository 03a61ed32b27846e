"""Effects of Level I as estimates with influence values: a slope or a difference of means, and a correlation.

Each takes x, y, the squares of y, and weights, and returns the estimate and every person's influence on it. Squares
come apart from y because a design-based pseudo-outcome has none of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from personax.traits.ratings import Floats

__all__ = ["Estimand", "Found", "correlation", "slope", "variance"]


class Found(NamedTuple):
    """An estimate and the influence of each person, shape (people,); their weighted mean is 0."""

    estimate: float
    influence: Floats


Estimand = Callable[[Floats, Floats, Floats, Floats], Found]


def slope(x: Floats, y: Floats, squares: Floats, weights: Floats) -> Found:
    """Return the least-squares slope of y on x; for x of 0 and 1 the difference of two means. NaN for a constant x.

    Examples
    --------
    >>> x = np.array([0.0, 0, 1, 1])
    >>> slope(x, np.array([1.0, 2, 4, 5]), x, np.ones(4)).estimate
    3.0
    """
    w = weights / weights.sum()
    apart = x - w @ x
    spread = float(w @ np.square(apart))
    if spread <= 1e-12:
        return Found(float("nan"), np.full(len(x), np.nan))
    level = float(w @ y)
    found = float(w @ (apart * (y - level))) / spread
    return Found(found, apart * (y - level - found * apart) / spread)


def correlation(x: Floats, y: Floats, squares: Floats, weights: Floats) -> Found:
    """Return Pearson's correlation; NaN where x or y does not vary.

    Examples
    --------
    >>> x = np.array([1.0, 2, 3])
    >>> round(correlation(x, -x, x**2, np.ones(3)).estimate, 6)
    -1.0
    """
    w = weights / weights.sum()
    apart, level = x - w @ x, float(w @ y)
    wide, tall = float(w @ np.square(apart)), float(w @ squares) - level**2
    if wide <= 1e-12 or tall <= 1e-12:
        return Found(float("nan"), np.full(len(x), np.nan))
    found = float(w @ (apart * y)) / np.sqrt(wide * tall)
    around = squares - 2 * level * y + level**2
    influence = apart * (y - level) / np.sqrt(wide * tall) - found / 2 * (np.square(apart) / wide + around / tall)
    return Found(float(found), influence)


def variance(influence: Floats, weights: Floats) -> float:
    """Return the variance of an estimate from the influence of independent people.

    Examples
    --------
    >>> variance(np.array([-1.0, 1.0]), np.ones(2))
    1.0
    """
    n = len(influence)
    share = weights / weights.sum()
    return float(n / (n - 1) * np.square(share * influence).sum())
