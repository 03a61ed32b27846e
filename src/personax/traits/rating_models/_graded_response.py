"""Scores by the graded response model, with severity and sharpness of raters alone or with all facets."""

from __future__ import annotations

import numpy as np

from personax.registry import register
from personax.traits._ratings import MAX_LEVELS, Floats, Ratings, ScoreEstimate
from personax.traits.rating_models._many_facet import NODES, ManyFacetFit, fit_many_facet

__all__ = ["graded", "many_facet"]


@register(
    "rating_models",
    "graded",
    title="Graded response",
    help="the average rater's score at the person's place on a line that raters cut in their own places",
    order=50,
)
def graded(ratings: Ratings) -> ScoreEstimate:
    """Return the posterior mean of the average rater's score of everybody, and draws from the posterior.

    Silence says nothing, and every rater sees a person by itself.
    """
    return _estimate(Ratings(ratings.rater, ratings.person, ratings.value, ratings.raters, ratings.n_people), False)


@register(
    "rating_models",
    "many_facet",
    title="Many facets",
    help="as graded; raters of one family err together, repeats are no new raters, silence may say something",
    order=60,
)
def many_facet(ratings: Ratings) -> ScoreEstimate:
    """Return the same from the whole many-facet model: families, repeats, and silence by place and group."""
    return _estimate(ratings, True)


def _estimate(ratings: Ratings, silence: bool) -> ScoreEstimate:
    if len(ratings.levels) > MAX_LEVELS:
        return ScoreEstimate.missing(
            ratings.n_people, f"{len(ratings.levels)} different scores; a graded model is for levels"
        )
    if len(ratings.levels) < 2 or not (ratings.counts > 1).any():
        reason = "everybody has one answer, or all answers are the same: raters cannot be told from people"
        return ScoreEstimate.without_sd(ratings.means, reason)
    return _of_fit(fit_many_facet(ratings, silence=silence), ratings.counts == 0)


def _of_fit(model: ManyFacetFit, nobody: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ScoreEstimate:
    centre = model.posterior @ model.expected
    sd = np.sqrt(np.maximum(model.posterior @ np.square(model.expected) - np.square(centre), 0))
    chances = model.posterior.cumsum(axis=1)

    def draw(rng: np.random.Generator) -> Floats:
        place = (rng.random(len(centre))[:, None] > chances).sum(axis=1)
        return np.where(nobody, np.nan, model.expected[np.minimum(place, len(NODES) - 1)])

    return ScoreEstimate(np.where(nobody, np.nan, centre), np.where(nobody, np.nan, sd), draw)
