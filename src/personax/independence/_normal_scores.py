"""Normal scores of numbers of which a few rows would carry the whole kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from personax.errors import UntestableError
from personax.independence._counts import Counted
from personax.independence._kernels import Factor
from personax.independence._result import TestResult

__all__ = ["HEAVY", "Scores", "check_scores", "kurtosis", "scored", "with_kernels"]

Scores = Literal["auto", "always", "never"]
"""Which numbers are replaced by their normal scores: those of a heavy tail, all, or none."""

HEAVY = 6.0
"""A kurtosis above twice that of the normal distribution is a heavy tail: fewer than n / 6 rows carry the variance."""


def check_scores(scores: str) -> None:
    """Refuse a rule that there is not."""
    if scores not in get_args(Scores):
        raise UntestableError(f"there is no rule {scores!r} for scores; choose from {', '.join(get_args(Scores))}")


def scored(variable: Counted, scores: Scores = "auto") -> Counted:
    """Return the variable with normal scores in the place of its numbers where their tails are heavy.

    The score of a value is the normal quantile of the middle of its ranks, ``(rank - 1/2) / n``: the order and the ties
    are kept, distances are not. Each column is looked at by itself. Points of a circle and categories stay.

    Examples
    --------
    >>> from personax.independence._counts import count
    >>> money = count([0.0] * 4 + [1.0, 2.0, 5.0, 1000.0])
    >>> kurtosis(money).round(1).tolist(), scored(money).values[:, 0].round(1).tolist()
    ([6.1], [-0.7, 0.2, 0.5, 0.9, 1.5])
    """
    if variable.values is None or variable.circle or scores == "never":
        return variable
    chosen = np.full(variable.values.shape[1], True) if scores == "always" else kurtosis(variable) > HEAVY
    if not chosen.any():
        return variable
    values = variable.values.copy()
    for column in np.flatnonzero(chosen):
        values[:, column] = _normal(values[:, column], variable.counts)
    return replace(variable, values=values)


def kurtosis(variable: Counted) -> NDArray[np.float64]:
    """Return the fourth moment of each column over its squared variance; n / kurtosis rows carry the variance."""
    assert variable.values is not None
    largest = np.abs(variable.values).max(axis=0)
    values = variable.values / np.where(largest > 0, largest, 1)  # fourth powers of very large numbers would overflow
    share = variable.counts / variable.n
    squared = np.square(values - share @ values)
    variance = share @ squared
    return np.asarray(share @ np.square(squared) / np.where(variance > 0, variance, 1) ** 2)


def _normal(column: NDArray[np.float64], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    values, codes = np.unique(column, return_inverse=True)
    people = np.bincount(codes, counts, minlength=len(values))
    return np.asarray(ndtri((np.cumsum(people) - people / 2) / people.sum())[codes])


def with_kernels(result: TestResult, *kernels: tuple[Counted, Sequence[Factor]]) -> TestResult:
    """Return a result that says of which numbers the kernels are: (variable as it came, kernels) of x and of y."""
    said = [f"{name}: {_said(variable, factors)}" for name, (variable, factors) in zip("xy", kernels, strict=True)]
    return replace(result, details={**result.details, "kernels": "; ".join(said)})


def _said(variable: Counted, factors: Sequence[Factor]) -> str:
    if variable.values is None:
        return "equality"
    several = f" of {len(factors)} widths" if len(factors) > 1 else ""
    if factors[0].of.values is variable.values:
        return f"Gaussian{several}"
    return f"Gaussian{several} in normal scores, for a kurtosis of {kurtosis(variable).max():.3g}"
