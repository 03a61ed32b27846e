"""Samejima's graded response model: a person's place on a line, raters that cut the line and differ in sharpness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from personax.registry import register
from personax.traits._ratings import MAX_LEVELS, Floats, Ratings, ScoreEstimate

__all__ = ["GradedResponseFit", "fit_graded", "graded"]

NODES: Final = np.linspace(-5, 5, 61)
MAX_ITERATIONS: Final = 300
TOLERANCE: Final = 1e-5
PRIOR_MEAN, PRIOR_SD = 0.4, 0.5
"""Prior of a rater's log sharpness: normal, with this mean and standard deviation. A few dozen answers outweigh it; it
keeps sharpness finite when raters agree throughout."""


@dataclass(frozen=True)
class GradedResponseFit:
    """A fitted graded response model.

    Parameters
    ----------
    discrimination
        Discrimination of each rater, shape (raters,); NaN for one without scores.
    thresholds
        Where a rater's answer passes from a level to the next, in standard deviations of people, shape (raters,
        levels - 1).
    posterior
        Of each person's place, over `NODES`, shape (people, nodes).
    expected
        Score that the average rater gives to a person at each node, shape (nodes,).
    """

    discrimination: Floats
    thresholds: Floats
    posterior: Floats
    expected: Floats


def fit_graded(ratings: Ratings) -> GradedResponseFit:
    """Fit by marginal likelihood: expectation maximisation with people integrated over a normal on fixed nodes.

    A rater with index r answers above level l with probability logistic(a_r (theta - b_rl)); repeats are answers of
    their own, taken to be independent given the person. With fewer than three raters they share one discrimination, as
    two are not identified.

    References
    ----------
    Samejima 1969, doi:10.1007/BF03372160; Bock and Aitkin 1981, doi:10.1007/BF02293801.
    """
    # Marginal likelihood: prod_i sum_q prior_q prod_rl P_rl(theta_q)^n_ril, with the levels' probabilities
    # P_rl(theta) = P(answer > l - 1) - P(answer > l). E step: posterior_iq of person i at node q. M step: with the
    # expected answers counts_rlq = sum_i n_ril posterior_iq, each rater maximises sum_lq counts_rlq log P_rl(theta_q)
    # on its own.
    raters = len(ratings.raters)
    votes = ratings.votes
    prior = np.exp(-0.5 * np.square(NODES))
    prior /= prior.sum()
    active = np.flatnonzero(np.bincount(ratings.rater, minlength=raters))
    discrimination, thresholds = np.full(raters, np.exp(PRIOR_MEAN)), _starting_thresholds(votes)
    posterior = np.tile(prior, (ratings.n_people, 1))
    for _ in range(MAX_ITERATIONS):
        before = np.concatenate([discrimination[active], thresholds[active].ravel()])
        chance = np.stack([_level_probabilities(discrimination[r], thresholds[r]) for r in range(raters)])
        posterior = _posterior(votes, chance, prior)
        counts = votes.transpose(0, 2, 1) @ posterior
        if len(active) < 3:
            both = _maximise(counts[active], discrimination[active].mean(), thresholds[active])
            discrimination[active], thresholds[active] = both
        else:
            for r in active:
                discrimination[r : r + 1], thresholds[r : r + 1] = _maximise(
                    counts[r : r + 1], discrimination[r], thresholds[r : r + 1]
                )
        if np.abs(np.concatenate([discrimination[active], thresholds[active].ravel()]) - before).max() < TOLERANCE:
            break
    chance = np.stack([_level_probabilities(discrimination[r], thresholds[r]) for r in active])
    expected = np.einsum("rkq,k->q", chance, ratings.levels) / len(active)
    unused = np.setdiff1d(np.arange(raters), active)
    discrimination[unused], thresholds[unused] = np.nan, np.nan
    return GradedResponseFit(discrimination, thresholds, posterior, expected)


def _starting_thresholds(votes: Floats) -> Floats:
    """Return starting thresholds from the shares of each rater's levels."""
    from scipy.special import ndtri

    counts = votes.sum(axis=1) + 0.5
    share = counts.cumsum(axis=1)[:, :-1] / counts.sum(axis=1, keepdims=True)
    # were the rater's latent answer standard normal, thresholds would be the quantiles; 1.3 allows for its error
    return np.asarray(ndtri(share)) * 1.3


def _level_probabilities(discrimination: float, thresholds: Floats) -> Floats:
    """Return the probability of each level at each node, shape (levels, nodes)."""
    from scipy.special import expit

    above = expit(discrimination * (NODES[None, :] - thresholds[:, None]))
    edges = np.vstack([np.ones(len(NODES)), above, np.zeros(len(NODES))])
    return np.asarray(np.maximum(edges[:-1] - edges[1:], 1e-12))


def _posterior(votes: Floats, chance: Floats, prior: Floats) -> Floats:
    log = np.log(prior) + (votes @ np.log(chance)).sum(axis=0)
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _maximise(counts: Floats, discrimination: float, thresholds: Floats) -> tuple[float, Floats]:
    """Maximise the expected log likelihood with weak normal priors; raters in ``counts`` share the discrimination.

    The parameters are its log, the first threshold, and the logs of the steps between them, which keeps order.
    """
    from scipy.optimize import minimize

    r, m = thresholds.shape
    start = [np.log(discrimination)]
    for row in thresholds:
        start += [row[0], *np.log(np.maximum(np.diff(row), 1e-4))]

    def unpacked(parameters: Floats) -> tuple[float, Floats]:
        rows = parameters[1:].reshape(r, m)
        steps = np.exp(np.clip(rows[:, 1:], -12, 4))
        return float(np.exp(np.clip(parameters[0], -4, 4))), np.cumsum(np.hstack([rows[:, :1], steps]), axis=1)

    def cost(parameters: Floats) -> float:
        a, b = unpacked(parameters)
        log_likelihood = sum(float((counts[i] * np.log(_level_probabilities(a, b[i]))).sum()) for i in range(r))
        penalty = 0.5 * np.square((parameters[0] - PRIOR_MEAN) / PRIOR_SD) + 0.5 * np.square(b / 5).sum()
        return -log_likelihood + float(penalty)

    optimum = minimize(cost, np.asarray(start), method="L-BFGS-B", options={"maxiter": 50})
    return unpacked(optimum.x)


@register(
    "rating_models",
    "graded",
    title="Graded response",
    help="the average rater's score at the person's place on a line that raters cut in their own places",
    order=50,
)
def graded(ratings: Ratings) -> ScoreEstimate:
    """Return the posterior mean of the average rater's score of everybody, and draws from the posterior."""
    if len(ratings.levels) > MAX_LEVELS:
        return ScoreEstimate.missing(
            ratings.n_people, f"{len(ratings.levels)} different scores; a graded model is for levels"
        )
    if len(ratings.levels) < 2 or not (ratings.counts > 1).any():
        reason = "everybody has one answer, or all answers are the same: raters cannot be told from people"
        return ScoreEstimate.without_sd(ratings.means, reason)
    nobody = ratings.counts == 0
    model = fit_graded(ratings)
    centre = model.posterior @ model.expected
    sd = np.sqrt(np.maximum(model.posterior @ np.square(model.expected) - np.square(centre), 0))
    chances = model.posterior.cumsum(axis=1)

    def draw(rng: np.random.Generator) -> Floats:
        place = (rng.random(ratings.n_people)[:, None] > chances).sum(axis=1)
        return np.where(nobody, np.nan, model.expected[np.minimum(place, len(NODES) - 1)])

    return ScoreEstimate(np.where(nobody, np.nan, centre), np.where(nobody, np.nan, sd), draw)
