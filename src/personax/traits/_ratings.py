"""Scores of one trait as arrays: the ratings that raters gave, and the estimate that a rating model makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["MAX_LEVELS", "SILENCE", "Draw", "Floats", "Indices", "Ratings", "ScoreEstimate", "families_of", "nan_mean"]


Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SILENCE: Final = ("insufficient", "refused", "privacy", "filtered", "empty")
"""Statuses by which a rater chose to give no score; of others nobody knows what it would have said."""


@dataclass(frozen=True)
class Ratings:
    """Scored ratings of one trait, in long form.

    Parameters
    ----------
    rater, person, value
        Of each answer: index into ``raters``, index among ``n_people``, score; shape (answers,). Repeats of a rater are
        answers of their own.
    raters
        Names.
    n_people
        Those whom nobody rated included.
    silent_rater, silent_person
        Of each time that a rater was asked and chose to give no score: its index, and the person's.
    families
        Family of each rater, such as the maker of a model; every rater is its own where none are named.
    covariates
        What a rater's silence may depend on beside the person, shape (people, columns).
    """

    rater: Indices
    person: Indices
    value: Floats
    raters: tuple[str, ...]
    n_people: int
    silent_rater: Indices = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    silent_person: Indices = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    families: tuple[str, ...] = ()
    covariates: Floats | None = None

    @classmethod
    def from_annotations(
        cls,
        annotations: pl.DataFrame,
        trait: str,
        *,
        people: Sequence[str],
        raters: Sequence[str] | None = None,
        families: Mapping[str, str] | None = None,
        covariates: Floats | None = None,
    ) -> Ratings:
        """Read a trait's answers with status ``ok``; a rater without any stays among the raters.

        Parameters
        ----------
        annotations, trait, people, families, covariates
            See the class; rows of other traits are left out.
        raters
            Names, where rows of one trait alone may not have them all; those of the rows by default.
        """
        raters = tuple(annotations["model"].unique(maintain_order=True)) if raters is None else tuple(raters)
        own = annotations.filter(pl.col("trait") == trait)
        rows, silent = own.filter(pl.col("status") == "ok"), own.filter(pl.col("status").is_in(SILENCE))
        return cls(
            _places(rows["model"], raters), _places(rows["person"], people), rows["score"].cast(pl.Float64).to_numpy(),
            raters, len(people), _places(silent["model"], raters), _places(silent["person"], people),
            families_of(raters, families), covariates,
        )  # fmt: skip

    @cached_property
    def varying(self) -> Ratings:
        """The answers of raters that tell people apart; all of them where none does.

        A rater that gives everybody one score has a severity and nothing else: to a model it would seem to err least.
        """
        number = len(self.raters)
        low, high = np.full(number, np.inf), np.full(number, -np.inf)
        np.minimum.at(low, self.rater, self.value)
        np.maximum.at(high, self.rater, self.value)
        varies = high > low
        kept = varies[self.rater]
        if kept.all() or not kept.any():
            return self
        return replace(self, rater=self.rater[kept], person=self.person[kept], value=self.value[kept])

    @cached_property
    def silent(self) -> Floats:
        """Number of times that a rater was asked of a person and chose to give no score, shape (raters, people)."""
        place = self.silent_rater * self.n_people + self.silent_person
        counts = np.bincount(place, minlength=len(self.raters) * self.n_people)
        return counts.astype(float).reshape(len(self.raters), self.n_people)

    @cached_property
    def matrix(self) -> Floats:
        """Mean over a rater's repeats, shape (raters, people), NaN where there is none."""
        place = self.rater * self.n_people + self.person
        size = len(self.raters) * self.n_people
        number = np.bincount(place, minlength=size).astype(float)
        number[number == 0] = np.nan
        mean = np.bincount(place, self.value, minlength=size) / number
        return np.asarray(mean.reshape(len(self.raters), self.n_people))

    @cached_property
    def votes(self) -> Floats:
        """Number of times a rater gave a person a level, shape (raters, people, levels)."""
        shape = (len(self.raters), self.n_people, len(self.levels))
        place = (self.rater * shape[1] + self.person) * shape[2] + np.searchsorted(self.levels, self.value)
        return np.bincount(place, minlength=int(np.prod(shape))).astype(float).reshape(shape)

    @cached_property
    def counts(self) -> Indices:
        """Number of ratings of each person, shape (people,)."""
        return np.asarray(np.bincount(self.person, minlength=self.n_people))

    @cached_property
    def means(self) -> Floats:
        """Mean of each person's answers, shape (people,), NaN where there is none."""
        total = np.bincount(self.person, self.value, minlength=self.n_people)
        return np.asarray(np.where(self.counts > 0, total / np.maximum(self.counts, 1), np.nan))

    @cached_property
    def n_active_raters(self) -> int:
        """Number of raters with any score."""
        return len(np.unique(self.rater))

    @cached_property
    def levels(self) -> Floats:
        """The distinct scores, ascending."""
        return np.unique(self.value)


def families_of(raters: Sequence[str], families: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the family of each rater, its own name where none is given."""
    return tuple((families or {}).get(rater, rater) for rater in raters)


def _places(names: pl.Series, known: Sequence[str]) -> Indices:
    table = pl.DataFrame({"name": list(known)}, schema={"name": pl.String}).with_row_index("place")
    places = names.to_frame("name").join(table, on="name", how="left", maintain_order="left")["place"]
    return np.asarray(places.to_numpy(), dtype=np.intp)


def nan_mean(values: Floats, axis: int) -> Floats:
    """Return the mean along an axis, NaN left out; NaN where all are."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.asarray(np.where(known.any(axis=axis), total / np.maximum(known.sum(axis=axis), 1), np.nan))


MAX_LEVELS: Final = 11
"""Distinct scores that still are levels."""

Draw = Callable[[np.random.Generator], Floats]
"""Random numbers -> a plausible score of everybody, shape (people,), NaN where nobody gave a score."""


@dataclass(frozen=True)
class ScoreEstimate:
    """Everybody's score of one trait, by a rating model.

    Parameters
    ----------
    score
        Shape (people,), NaN where there is none.
    sd
        Standard deviation of the score as the measurement model has it, given what raters said; NaN where unknown.
    draw
        Makes plausible values; None where ``reason`` says why not.
    reason
        Why the uncertainty, or even the score, is not known.
    raters
        What the model says of each rater, where it says something.
    """

    score: Floats
    sd: Floats
    draw: Draw | None = None
    reason: str | None = None
    raters: Mapping[str, Mapping[str, Any]] | None = None

    def first(self, n_people: int) -> ScoreEstimate:
        """Return the estimate of the first people alone."""
        if len(self.score) == n_people:
            return self
        draw = self.draw
        drawn: Draw | None = None if draw is None else lambda rng: draw(rng)[:n_people]
        return replace(self, score=self.score[:n_people], sd=self.sd[:n_people], draw=drawn)

    def decided(self, where: Indices, values: Floats) -> ScoreEstimate:
        """Return the estimate with decisions in place of some people's scores: certain, NaN where there is none."""
        score, sd, draw = self.score.copy(), self.sd.copy(), self.draw
        score[where], sd[where] = values, np.where(np.isnan(values), np.nan, 0.0)

        def drawn(rng: np.random.Generator) -> Floats:
            assert draw is not None
            found = draw(rng).copy()
            found[where] = values
            return found

        return replace(self, score=score, sd=sd, draw=None if draw is None else drawn)

    @classmethod
    def missing(cls, n_people: int, reason: str) -> ScoreEstimate:
        """Return an estimate without scores, for a reason."""
        return cls.without_sd(np.full(n_people, np.nan), reason)

    @classmethod
    def without_sd(cls, score: Floats, reason: str) -> ScoreEstimate:
        """Return scores whose uncertainty is not identified, for a reason."""
        return cls(score, np.full(len(score), np.nan), None, reason)
