"""Intraclass correlations: how reliable one rater is, and the mean of k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personax.traits.ratings import Floats

__all__ = ["Icc", "icc"]


@dataclass(frozen=True)
class Icc:
    """Two-way random effects, absolute agreement (2) and consistency (3), of one rater and of the mean of all.

    NaN where people or scores do not differ.
    """

    single: float
    average: float
    consistent_single: float
    consistent_average: float


def icc(scores: Floats) -> Icc:
    """Return ICC(2,1), ICC(2,k), ICC(3,1) and ICC(3,k) of complete scores, shape (raters, people).

    References
    ----------
    Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420.

    Examples
    --------
    >>> judges = np.array([[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7.0]])
    >>> round(icc(judges).single, 2), round(icc(judges).average, 2), round(icc(judges).consistent_average, 2)
    (0.29, 0.62, 0.91)
    """
    k, n = scores.shape
    if k < 2 or n < 2:
        return Icc(*[float("nan")] * 4)
    grand = scores.mean()
    people = k * np.square(scores.mean(axis=0) - grand).sum() / (n - 1)
    raters = n * np.square(scores.mean(axis=1) - grand).sum() / (k - 1)
    left = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + grand
    error = np.square(left).sum() / ((n - 1) * (k - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [
            (people - error) / (people + (k - 1) * error + k * (raters - error) / n),
            (people - error) / (people + (raters - error) / n),
            (people - error) / (people + (k - 1) * error),
            (people - error) / people,
        ]
    return Icc(*[float(value) if people > 1e-12 and np.isfinite(value) else float("nan") for value in found])
