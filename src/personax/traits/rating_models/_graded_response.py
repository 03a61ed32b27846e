"""Scores by the graded response model, with severity and sharpness of raters alone or with all facets."""

from __future__ import annotations

from typing import Any, Final

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


def _rater_parameters(fit: ManyFacetFit, ratings: Ratings) -> dict[str, dict[str, Any]]:
    """Return rater -> ``severity`` (value, low, high: 95 %), ``sharpness``, ``family_spread``, in deviations of people.

    Severity: how far its thresholds lie above those of all raters; ``family_spread``: standard deviation of what the
    raters of its family see alike and others do not. None where the answers do not tell.
    """
    value, error = fit.severities()
    families = ratings.families or ratings.raters
    return {
        name: {
            "severity": {"value": _rounded(value[r]), "low": _rounded(value[r] - WIDE * error[r]),
                         "high": _rounded(value[r] + WIDE * error[r])},
            "sharpness": _rounded(fit.discrimination[r]),
            "family_spread": _rounded(fit.family_spread.get(families[r], np.nan)),
        }
        for r, name in enumerate(ratings.raters)
    }  # fmt: skip


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


WIDE: Final = 1.959964
"""Standard errors on either side of a 95 % interval."""


def _unfit(ratings: Ratings) -> ScoreEstimate | None:
    """Return the estimate where a model of levels cannot be fitted, and why."""
    if len(ratings.levels) > MAX_LEVELS:
        reason = f"{len(ratings.levels)} different scores; a graded model is for levels"
        return ScoreEstimate.missing(ratings.n_people, reason)
    if len(ratings.varying.levels) < 2 or not (ratings.varying.counts > 1).any():
        reason = "everybody has one answer, or all answers are the same: raters cannot be told from people"
        return ScoreEstimate.without_sd(ratings.means, reason)
    return None


def _estimate(ratings: Ratings, silence: bool) -> ScoreEstimate:
    unfit = _unfit(ratings)
    if unfit is not None:
        return unfit
    return _of_fit(fit_many_facet(ratings.varying, silence=silence), ratings)


def _of_fit(model: ManyFacetFit, ratings: Ratings) -> ScoreEstimate:
    nobody = ratings.counts == 0
    centre = model.posterior @ model.expected
    sd = np.sqrt(np.maximum(model.posterior @ np.square(model.expected) - np.square(centre), 0))
    chances = model.posterior.cumsum(axis=1)

    def draw(rng: np.random.Generator) -> Floats:
        place = (rng.random(len(centre))[:, None] > chances).sum(axis=1)
        return np.where(nobody, np.nan, model.expected[np.minimum(place, len(NODES) - 1)])

    score, spread = np.where(nobody, np.nan, centre), np.where(nobody, np.nan, sd)
    return ScoreEstimate(score, spread, draw, raters=_rater_parameters(model, ratings))
