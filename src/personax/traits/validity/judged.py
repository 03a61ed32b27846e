"""One trait's scores as arrays: humans, LLMs, the score over LLMs, and how reliable the humans' mean is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from personax.schema import LETTERS
from personax.traits.ratings import Floats, Ratings, known_mean
from personax.traits.reliability.icc import icc

__all__ = ["AGGREGATE", "Judged", "Pairs", "mean_reliability"]

AGGREGATE = "aggregate"


class Pairs(NamedTuple):
    """Two scores of the same person, many times over; shape (pairs,)."""

    first: Floats
    second: Floats


@dataclass(frozen=True)
class Judged:
    """Scores of one trait of people whom humans rated.

    Parameters
    ----------
    trait
        Its name.
    humans
        Shape (raters, people), NaN where there is none; the mean over a rater's repeats.
    raters
        LLM, or ``aggregate`` -> scores, shape (people,).
    """

    trait: str
    humans: Floats
    raters: Mapping[str, Floats]

    @classmethod
    def of(
        cls, trait: str, humans: pl.DataFrame, annotations: pl.DataFrame | None, traits: pl.DataFrame,
        people: Sequence[str],
    ) -> Judged:  # fmt: skip
        """Read annotations of humans and of LLMs, and the score over LLMs; people are those whom humans rated."""
        final = dict(traits.select("id", f"final_{LETTERS[trait]}").iter_rows())
        over = np.array([np.nan if final.get(who) is None else final[who] for who in people], dtype=float)
        own: dict[str, Floats] = {}
        if annotations is not None:
            mine = annotations.filter(pl.col("person").is_in(list(people)))
            found = Ratings.of(mine, trait, people=people)
            own = {name: found.matrix[place] for place, name in enumerate(found.raters)}
        matrix = Ratings.of(humans, trait, people=people).matrix
        heard = matrix[(~np.isnan(matrix)).any(axis=1)]
        return cls(trait, heard, own | {AGGREGATE: over})

    def of_people(self, kept: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Judged:
        """Return the same for some people, some of them more than once."""
        return Judged(self.trait, self.humans[:, kept], {name: own[kept] for name, own in self.raters.items()})

    @property
    def n(self) -> int:
        """Return the number of people."""
        return int(self.humans.shape[1])

    @cached_property
    def mean(self) -> Floats:
        """Mean over humans, shape (people,), NaN where nobody rated."""
        return known_mean(self.humans, axis=0) if len(self.humans) else np.full(self.n, np.nan)

    @cached_property
    def others(self) -> Floats:
        """Mean over the other humans, shape (raters, people), NaN where that human or all others gave no score."""
        known = ~np.isnan(self.humans)
        left = known.sum(axis=0) - 1
        total = np.where(known, self.humans, 0.0).sum(axis=0) - self.humans
        return np.where(known & (left > 0), total / np.maximum(left, 1), np.nan)

    def with_humans(self, scores: Floats) -> Pairs:
        """Return a rater's score beside each single human's."""
        return _known(np.broadcast_to(scores, self.humans.shape), self.humans)

    def with_others(self, scores: Floats) -> Pairs:
        """Return a rater's score beside the mean of the humans but one, each left out in turn."""
        return _known(np.broadcast_to(scores, self.others.shape), self.others)

    def among_humans(self) -> Pairs:
        """Return each human's score beside each other human's, both ways round."""
        both = [(i, j) for i in range(len(self.humans)) for j in range(len(self.humans)) if i != j]
        if not both:
            return Pairs(np.empty(0), np.empty(0))
        first, second = zip(*both, strict=True)
        return _known(self.humans[list(first)], self.humans[list(second)])

    def left_out(self) -> Pairs:
        """Return each human's score beside the mean of the others."""
        return _known(self.humans, self.others)


def _known(first: Floats, second: Floats) -> Pairs:
    both = ~np.isnan(first) & ~np.isnan(second)
    return Pairs(first[both], second[both])


def mean_reliability(humans: Floats) -> float:
    """Return how reliably the mean over humans ranks people, shape (raters, people); NaN where that is not known.

    ICC(3,k) where all humans rated everybody. Otherwise ICC(1,k), by a one-way analysis of variance with unequal
    numbers: whose severity differs adds to the error then, as it does to the means.

    References
    ----------
    Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420; Searle, Casella, McCulloch 1992,
    doi:10.1002/9780470316856, section 3.6.

    Examples
    --------
    >>> round(mean_reliability(np.array([[1.0, 2, 3, 4], [1, 2, 4, 3]])), 3)
    0.889
    """
    known = ~np.isnan(humans)
    if len(humans) < 2:
        return float("nan")
    rated = known.any(axis=0)
    if known[:, rated].all():
        return icc(humans[:, rated]).consistent_average
    number = known[:, rated].sum(axis=0)
    total, people = int(number.sum()), int(rated.sum())
    if people < 2 or total <= people:
        return float("nan")
    means = known_mean(humans[:, rated], axis=0)
    grand = float((means * number).sum() / total)
    between = float((number * np.square(means - grand)).sum()) / (people - 1)
    within = float(np.nansum(np.square(humans[:, rated] - means))) / (total - people)
    spread = (between - within) / ((total - np.square(number).sum() / total) / (people - 1))
    if spread <= 0:
        return float("nan")
    return float(spread / (spread + within * (1 / number).mean()))
