"""Dawid and Skene's model: every rater confuses levels in its own way; what most likely is behind the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from personax.registry import register
from personax.traits._ratings import MAX_LEVELS, Floats, Ratings, ScoreEstimate

__all__ = ["DawidSkeneFit", "dawid_skene", "fit_dawid_skene"]

MAX_ITERATIONS: Final = 500
TOLERANCE: Final = 1e-9
SMOOTHING: Final = 0.01
"""Answers added to every cell of a confusion matrix: no level is ever impossible because it was not seen."""


@dataclass(frozen=True)
class DawidSkeneFit:
    """A fitted model of Dawid and Skene.

    Parameters
    ----------
    posterior
        Of each person's level, shape (people, levels); the prior where nobody gave a score.
    prior
        Share of people at each level.
    confusion
        Rater -> true level -> answered level, shape (raters, levels, levels).
    loglik
        Of the answers, by round; it never falls but for the smoothing.
    """

    posterior: Floats
    prior: Floats
    confusion: Floats
    loglik: list[float]


def fit_dawid_skene(ratings: Ratings, *, smoothing: float = SMOOTHING) -> DawidSkeneFit:
    """Fit by expectation maximisation from the shares of answers.

    Every answer counts, repeats too; errors are taken to be independent given the level, which raters that share a
    training text are not: posteriors are then too sure.

    References
    ----------
    Dawid and Skene 1979, doi:10.2307/2346806.
    """
    # Person i has the level l with probability prior_l; rater r then answers m with probability confusion_rlm, each
    # answer on its own. With n_rim answers of rater r to level m:
    #   E step: posterior_il ~ prior_l prod_rm confusion_rlm^n_rim (in logs, less the largest);
    #   M step: prior_l = mean_i posterior_il, confusion_rlm ~ sum_i posterior_il n_rim (+ smoothing).
    votes = ratings.votes
    posterior = votes.sum(axis=0)
    active = ratings.counts > 0
    posterior[active] /= posterior[active].sum(axis=1, keepdims=True)
    loglik: list[float] = []
    for _ in range(MAX_ITERATIONS):
        prior = posterior[active].mean(axis=0)
        counts = (votes.transpose(0, 2, 1) @ posterior).transpose(0, 2, 1) + smoothing
        confusion = counts / counts.sum(axis=2, keepdims=True)
        log = np.log(np.maximum(prior, 1e-300)) + (votes @ np.log(confusion).transpose(0, 2, 1)).sum(axis=0)
        top = log.max(axis=1, keepdims=True)
        weight = np.exp(log - top)
        total = weight.sum(axis=1, keepdims=True)
        posterior = weight / total
        loglik.append(float((top + np.log(total))[active].sum()))
        if len(loglik) > 1 and abs(loglik[-1] - loglik[-2]) < TOLERANCE * abs(loglik[-1]):
            break
    return DawidSkeneFit(posterior, prior, confusion, loglik)


@register(
    "rating_models",
    "dawid_skene",
    title="Dawid-Skene",
    help="the most probable level, every rater confusing levels in its own way",
    order=40,
)
def dawid_skene(ratings: Ratings) -> ScoreEstimate:
    """Return the most probable level of every person, its posterior spread, and levels drawn from the posterior."""
    levels, nobody = ratings.levels, ratings.counts == 0
    if len(levels) > MAX_LEVELS:
        return ScoreEstimate.missing(ratings.n_people, f"{len(levels)} different scores; Dawid-Skene is for levels")
    if ratings.n_active_raters < 2:
        return ScoreEstimate.without_sd(ratings.means, "fewer than two raters: confusions cannot be told from people")
    model = fit_dawid_skene(ratings)
    centre = model.posterior @ levels
    sd = np.sqrt(np.maximum(model.posterior @ np.square(levels) - np.square(centre), 0))
    chances = model.posterior.cumsum(axis=1)

    def draw(rng: np.random.Generator) -> Floats:
        place = (rng.random(ratings.n_people)[:, None] > chances).sum(axis=1)
        return np.where(nobody, np.nan, levels[np.minimum(place, len(levels) - 1)])

    best = levels[model.posterior.argmax(axis=1)]
    return ScoreEstimate(np.where(nobody, np.nan, best), np.where(nobody, np.nan, sd), draw)
