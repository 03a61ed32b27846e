"""Rules without a model of the score itself: median (the paper's), mean, majority, confidence-weighted mean.

How uncertain their scores are is told by the normal model of `fit_measurement_model`.
"""

from __future__ import annotations

import warnings

import numpy as np

from personax.traits._ratings import Floats, Ratings
from personax.traits.rating_models._measurement_model import fit_measurement_model
from personax.traits.rating_models._score_estimate import MOST, ScoreEstimate

__all__ = ["confidence", "majority", "mean", "median"]


def median(ratings: Ratings) -> ScoreEstimate:
    """Return the median over raters, a rater's repeats averaged first."""
    return _spread(_over_raters(np.nanmedian, ratings), ratings)


def mean(ratings: Ratings) -> ScoreEstimate:
    """Return the mean over raters, a rater's repeats averaged first."""
    return _spread(_over_raters(np.nanmean, ratings), ratings)


def majority(ratings: Ratings) -> ScoreEstimate:
    """Return the level that most raters gave, the mean of the levels on a tie; a rater's repeats vote first."""
    levels = ratings.levels
    if len(levels) > MOST:
        return ScoreEstimate.nothing(ratings.n_people, f"{len(levels)} different scores; a majority is of levels")
    own = ratings.votes
    own = own / np.maximum(own.sum(axis=2, keepdims=True), 1)
    most = own.max(axis=2, keepdims=True)
    ballots = np.where((own == most) & (most > 0), 1.0, 0.0)
    ballots /= np.maximum(ballots.sum(axis=2, keepdims=True), 1)
    votes = ballots.sum(axis=0)
    won = (votes >= votes.max(axis=1, keepdims=True) - 1e-9) & (votes > 0)
    with np.errstate(invalid="ignore"):
        return _spread((won * levels).sum(axis=1) / won.sum(axis=1), ratings)


def confidence(ratings: Ratings) -> ScoreEstimate:
    """Return the mean over raters, weighted by how little a rater errs and how steadily it answers.

    The weight of rater r for person i is c(r, i) / s(r)^2: s(r)^2 is r's error variance in `fit_measurement_model` (one for all
    with fewer than three raters), c(r, i) the share of r's repeats that give r's most frequent level of i (1 when asked
    once). Both come from the answers alone.
    """
    model = fit_measurement_model(ratings.matrix, equal=False)
    if model is None:
        return mean(ratings)
    weight = _steady(ratings) / np.where(np.isnan(model.error), np.inf, model.error)[:, None]
    x = np.where(np.isnan(ratings.matrix), 0.0, ratings.matrix)
    with np.errstate(invalid="ignore"):
        score = (weight * x).sum(axis=0) / weight.sum(axis=0)
    return ScoreEstimate(score, model.sd, model.draw)


def _steady(ratings: Ratings) -> Floats:
    """Return the share of a rater's repeats that agree, shape (raters, people), 0 where there is no score."""
    if len(ratings.levels) > MOST:  # no levels to agree on
        return (~np.isnan(ratings.matrix)).astype(float)
    votes = ratings.votes
    return np.asarray(votes.max(axis=2) / np.maximum(votes.sum(axis=2), 1))


def _over_raters(function: object, ratings: Ratings) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of people whom nobody rated: NaN is what is wanted
        return np.asarray(function(ratings.matrix, axis=0))  # type: ignore[operator]


def _spread(score: Floats, ratings: Ratings) -> ScoreEstimate:
    model = fit_measurement_model(ratings.matrix)
    if model is None:
        return ScoreEstimate.without_spread(
            score, "fewer than two people have two raters' scores, or all scores are the same"
        )
    return ScoreEstimate(score, model.sd, model.draw)
