"""Median, mean, majority, confidence-weighted mean; how uncertain they are is told by a measurement model.

The measurement model: score = rater's severity + person + error, people and errors normal. It tells how far a score of
few raters can be trusted, and weights raters by their error.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np

from personax.registry import register
from personax.traits._ratings import MAX_LEVELS, Floats, Ratings, ScoreEstimate

__all__ = ["MeasurementModel", "confidence", "fit_measurement_model", "majority", "mean", "median"]

MAX_ITERATIONS: Final = 2000
TOLERANCE: Final = 1e-8
MIN_ERROR_SHARE: Final = 0.1
"""A rater's error variance is at least this share of the mean rater's: of three raters one can seem to be without error
by chance."""


@dataclass(frozen=True)
class MeasurementModel:
    """A fitted measurement model.

    Parameters
    ----------
    severity
        Mean score that a rater would give to everybody, shape (raters,).
    error
        Variance of a rater's error, shape (raters,).
    between
        Variance of people.
    mean, sd
        Of each person given the raters' scores, on the scale of the average rater, shape (people,); NaN for whom nobody
        rated.
    """

    severity: Floats
    error: Floats
    between: float
    mean: Floats
    sd: Floats

    def draw(self, rng: np.random.Generator) -> Floats:
        """Draw everybody's score from its posterior."""
        return self.mean + self.sd * rng.standard_normal(len(self.mean))


def fit_measurement_model(matrix: Floats, *, equal: bool = True) -> MeasurementModel | None:
    """Fit by expectation maximisation; None where the variances of errors and people are not identified.

    Parameters
    ----------
    matrix
        Scores, shape (raters, people), NaN where there is none.
    equal
        Whether all raters have one error variance; with two raters they have in any case.

    References
    ----------
    Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x (section 4.5, variance components).
    """
    # x_ri = severity_r + theta_i + e_ri, theta ~ N(0, between), e_ri ~ N(0, error_r).
    # E step: theta_i given the scores is normal, see `_people`. M step: the expected complete log likelihood
    #   -1/2 sum_i [log between + E theta_i^2 / between] - 1/2 sum_ri [log error_r + E (x_ri - severity_r - theta_i)^2 /
    #   error_r]
    # is largest at severity_r = mean of (x_ri - E theta_i), between = mean of E theta_i^2 and error_r = mean of
    # E (x_ri - severity_r - theta_i)^2, where E theta^2 = mean^2 + var and the last square adds var too.
    seen = ~np.isnan(matrix)
    number = seen.sum(axis=0)
    if (number >= 2).sum() < 2:
        return None
    kept = seen.any(axis=1)
    x, w = np.where(seen, matrix, 0.0)[kept], seen[kept].astype(float)
    equal = equal or len(x) < 3
    answers = w.sum(axis=1)
    severity = x.sum(axis=1) / answers
    spread = float((w * np.square(x - severity[:, None])).sum() / w.sum())
    if spread == 0:
        return None
    between, error = spread / 2, np.full(len(x), spread / 2)
    for _ in range(MAX_ITERATIONS):
        before = np.concatenate([[between], error, severity])
        mean, var = _people(x, w, severity, error, between)
        severity = (w * (x - mean)).sum(axis=1) / answers
        rated = number > 0
        between = max(float((np.square(mean) + var)[rated].mean()), TOLERANCE * spread)
        squares = (w * (np.square(x - severity[:, None] - mean) + var)).sum(axis=1)
        error = np.full(len(x), squares.sum() / w.sum()) if equal else squares / answers
        error = np.maximum(error, max(MIN_ERROR_SHARE * float(error.mean()), TOLERANCE * spread))
        if np.abs(np.concatenate([[between], error, severity]) - before).max() < TOLERANCE * spread:
            break
    mean, var = _people(x, w, severity, error, between)
    nobody = number == 0
    centre = severity.mean()
    full_severity, full_error = np.full(len(matrix), np.nan), np.full(len(matrix), np.nan)
    full_severity[kept], full_error[kept] = severity, error
    return MeasurementModel(
        full_severity, full_error, between, np.where(nobody, np.nan, centre + mean),
        np.where(nobody, np.nan, np.sqrt(var)),
    )  # fmt: skip


def _people(x: Floats, w: Floats, severity: Floats, error: Floats, between: float) -> tuple[Floats, Floats]:
    """Return mean and variance of each person's posterior."""
    # Product of the prior N(0, between) and one normal a score: precisions add, means weigh by precision.
    precision = 1 / between + (w / error[:, None]).sum(axis=0)
    pull = (w * (x - severity[:, None]) / error[:, None]).sum(axis=0)
    return pull / precision, 1 / precision


@register("rating_models", "median", title="Median", help="the median over raters", order=0)
def median(ratings: Ratings) -> ScoreEstimate:
    """Return the median over raters, a rater's repeats averaged first."""
    return _spread(_over_raters(np.nanmedian, ratings), ratings)


@register("rating_models", "mean", title="Mean", help="the mean over raters", order=10)
def mean(ratings: Ratings) -> ScoreEstimate:
    """Return the mean over raters, a rater's repeats averaged first."""
    return _spread(_over_raters(np.nanmean, ratings), ratings)


@register(
    "rating_models",
    "majority",
    title="Majority",
    help="the level that most raters gave; the mean of the levels on a tie",
    order=20,
)
def majority(ratings: Ratings) -> ScoreEstimate:
    """Return the level that most raters gave, the mean of the levels on a tie; a rater's repeats vote first."""
    levels = ratings.levels
    if len(levels) > MAX_LEVELS:
        return ScoreEstimate.missing(ratings.n_people, f"{len(levels)} different scores; a majority is of levels")
    if not len(levels):
        return ScoreEstimate.missing(ratings.n_people, "nobody gave a score")
    own = ratings.votes
    own = own / np.maximum(own.sum(axis=2, keepdims=True), 1)
    most = own.max(axis=2, keepdims=True)
    ballots = np.where((own == most) & (most > 0), 1.0, 0.0)
    ballots /= np.maximum(ballots.sum(axis=2, keepdims=True), 1)
    votes = ballots.sum(axis=0)
    won = (votes >= votes.max(axis=1, keepdims=True) - 1e-9) & (votes > 0)
    with np.errstate(invalid="ignore"):
        return _spread((won * levels).sum(axis=1) / won.sum(axis=1), ratings)


@register(
    "rating_models",
    "confidence",
    title="Confidence",
    help="the mean, weighted by how little a rater errs and how steadily it answers",
    order=30,
)
def confidence(ratings: Ratings) -> ScoreEstimate:
    """Return the mean over raters, weighted by how little a rater errs and how steadily it answers.

    The weight of rater r for person i is c(r, i) / s(r)^2: s(r)^2 is r's error variance in `fit_measurement_model` (one
    for all with fewer than three raters), c(r, i) the share of r's repeats that give r's most frequent level of i
    (1 when asked once). Both come from the answers alone.
    """
    model = fit_measurement_model(ratings.varying.matrix, equal=False)
    if model is None:
        return mean(ratings)
    weight = _steady(ratings) / np.where(np.isnan(model.error), np.inf, model.error)[:, None]
    x = np.where(np.isnan(ratings.matrix), 0.0, ratings.matrix)
    with np.errstate(invalid="ignore"):
        score = (weight * x).sum(axis=0) / weight.sum(axis=0)
    only_steady = (weight.sum(axis=0) == 0) & (ratings.counts > 0)
    return ScoreEstimate(np.where(only_steady, ratings.means, score), model.sd, model.draw)


def _steady(ratings: Ratings) -> Floats:
    """Return the share of a rater's repeats that agree, shape (raters, people), 0 where there is no score."""
    if len(ratings.levels) > MAX_LEVELS:  # no levels to agree on
        return (~np.isnan(ratings.matrix)).astype(float)
    votes = ratings.votes
    return np.asarray(votes.max(axis=2) / np.maximum(votes.sum(axis=2), 1))


def _over_raters(function: object, ratings: Ratings) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of people whom nobody rated: NaN is what is wanted
        return np.asarray(function(ratings.matrix, axis=0))  # type: ignore[operator]


def _spread(score: Floats, ratings: Ratings) -> ScoreEstimate:
    model = fit_measurement_model(ratings.varying.matrix)
    if model is None:
        return ScoreEstimate.without_sd(
            score, "fewer than two people have scores of two raters that vary, or all scores are the same"
        )
    return ScoreEstimate(score, model.sd, model.draw)
