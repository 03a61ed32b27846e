"""Krippendorff's alpha of ordinal scores, in time and memory that grow with the scores and not with their squares.

The ordinal distance of two values is the squared difference of their mean ranks among all scores. Sums over pairs of
squared differences follow from a count, a sum and a sum of squares, so that no table of values by values is made, and
scores may be as many different numbers as they like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax.traits.ratings import Floats
from personax.traits.reliability.resampling import rounded

__all__ = ["alpha_interval", "krippendorff_alpha"]

NONE: Final = np.iinfo(np.int64).max
"""In the place of a score that is not there; sorted behind all others."""


@dataclass(frozen=True)
class _Patterns:
    """People with two scores or more, those with the same scores once.

    Parameters
    ----------
    number
        How many people have each pattern.
    pattern, value
        Of every score: whose it is, and which value it is, the least 0.
    """

    number: NDArray[np.intp]
    pattern: NDArray[np.intp]
    value: NDArray[np.intp]

    @property
    def values(self) -> int:
        """How many different values there are."""
        return int(self.value.max()) + 1 if len(self.value) else 0


def krippendorff_alpha(scores: Floats) -> float:
    """Return Krippendorff's alpha for ordinal scores; NaN where fewer than two of the scores that count differ.

    Parameters
    ----------
    scores
        Shape (raters, people), NaN where there is none; people with one score do not count.

    References
    ----------
    Krippendorff 2011, "Computing Krippendorff's alpha-reliability", University of Pennsylvania.

    Examples
    --------
    >>> krippendorff_alpha(np.array([[1.0, 2, 3], [1, 2, 3]]))
    1.0
    """
    patterns = _patterns(scores)
    return _alpha_of(patterns, patterns.number)


def _patterns(scores: Floats) -> _Patterns:
    kept = scores[:, (~np.isnan(scores)).sum(axis=0) >= 2]
    there = ~np.isnan(kept)
    codes = np.full(kept.shape, NONE)
    codes[there] = np.unique(kept[there], return_inverse=True)[1]
    # which rater gave which score does not matter
    rows, number = np.unique(np.sort(codes, axis=0).T, axis=0, return_counts=True)
    rows, number = rows[::-1], number[::-1]
    pattern, rater = np.nonzero(rows < NONE)
    return _Patterns(number, pattern, rows[pattern, rater])


def _alpha_of(of: _Patterns, number: NDArray[np.intp]) -> float:
    """Return alpha where so many people have each pattern."""
    if not len(number):
        return float("nan")
    totals = np.bincount(of.value, weights=number[of.pattern])
    # whole numbers, twice the ranks less their mean: sums of them are exact
    ranks = 2 * np.cumsum(totals) - totals - totals.sum()
    own = ranks[of.value]
    per, sums, squares = (np.bincount(of.pattern, weights=each) for each in (np.ones(len(own)), own, np.square(own)))
    observed = float((number * (per * squares - np.square(sums)) / (per - 1)).sum())
    n = totals.sum()
    expected = float((n * (totals @ np.square(ranks)) - np.square(totals @ ranks)) / (n - 1)) if n > 1 else 0.0
    return 1.0 - observed / expected if expected > 0 else float("nan")


def alpha_interval(scores: Floats, rng: np.random.Generator, bootstraps: int = 200) -> dict[str, Any]:
    """Return Krippendorff's alpha of scores of shape (raters, people) with an interval over people, or a reason."""
    patterns = _patterns(scores)
    people = int(patterns.number.sum())
    facts = {"n_people": people, "n_raters": int((~np.isnan(scores)).any(axis=1).sum())}
    reason = None
    if people < 2:
        reason = "fewer than two people have two scores"
    elif patterns.values < 2:
        reason = "every score is the same"
    if reason:
        return {"alpha": None, "alpha_low": None, "alpha_high": None, **facts, "reason": reason}
    # most people have the same few scores: a bootstrap draws how many have each pattern
    drawn = rng.multinomial(people, patterns.number / people, size=bootstraps)
    draws = np.array([_alpha_of(patterns, number) for number in drawn])
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [0.025, 0.975]) if len(draws) else (None, None)
    interval = {"alpha_low": rounded(low), "alpha_high": rounded(high)}
    return {"alpha": rounded(_alpha_of(patterns, patterns.number)), **interval, **facts, "reason": None}
