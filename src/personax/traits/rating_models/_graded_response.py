"""Samejima's graded response model: a person's place on a line, raters that cut the line and differ in sharpness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from personax.traits._ratings import Floats, Ratings
from personax.traits.rating_models._score_estimate import MOST, ScoreEstimate

__all__ = ["GradedResponseFit", "fit_graded", "graded"]

NODES: Final = np.linspace(-5, 5, 61)
ROUNDS: Final = 300
CLOSE: Final = 1e-5
CENTRE, STEEP = 0.4, 0.5
"""Prior of a rater's log sharpness: normal, with this mean and standard deviation. A few dozen answers outweigh it; it
keeps sharpness finite when raters agree throughout."""


@dataclass(frozen=True)
class GradedResponseFit:
    """A fitted model.

    Parameters
    ----------
    sharpness
        Discrimination of each rater, shape (raters,); NaN for one without scores.
    cuts
        Where a rater's answer passes from a level to the next, in standard deviations of people, shape (raters,
        levels - 1).
    posterior
        Of each person's place, over `NODES`, shape (people, nodes).
    expected
        Score that the average rater gives to a person at each node, shape (nodes,).
    """

    sharpness: Floats
    cuts: Floats
    posterior: Floats
    expected: Floats


def fit_graded(ratings: Ratings) -> GradedResponseFit:
    """Fit by marginal likelihood: expectation maximisation with people integrated over a normal on fixed nodes.

    A rater with index r answers above level l with probability logistic(a_r (theta - b_rl)); repeats are answers of
    their own, taken to be independent given the person. With fewer than three raters one sharpness is shared, as it
    cannot be told apart.

    References
    ----------
    Samejima 1969, doi:10.1007/BF03372160; Bock and Aitkin 1981, doi:10.1007/BF02293801.
    """
    raters = len(ratings.raters)
    votes = ratings.votes
    prior = np.exp(-0.5 * np.square(NODES))
    prior /= prior.sum()
    heard = np.flatnonzero(np.bincount(ratings.rater, minlength=raters))
    sharp, cuts = np.full(raters, np.exp(CENTRE)), _starts(votes)
    posterior = np.tile(prior, (ratings.n_people, 1))
    for _ in range(ROUNDS):
        before = np.concatenate([sharp[heard], cuts[heard].ravel()])
        chance = np.stack([_levels(sharp[r], cuts[r]) for r in range(raters)])
        posterior = _posterior(votes, chance, prior)
        counts = votes.transpose(0, 2, 1) @ posterior
        if len(heard) < 3:
            both = _maximised(counts[heard], sharp[heard].mean(), cuts[heard])
            sharp[heard], cuts[heard] = both
        else:
            for r in heard:
                sharp[r : r + 1], cuts[r : r + 1] = _maximised(counts[r : r + 1], sharp[r], cuts[r : r + 1])
        if np.abs(np.concatenate([sharp[heard], cuts[heard].ravel()]) - before).max() < CLOSE:
            break
    chance = np.stack([_levels(sharp[r], cuts[r]) for r in heard])
    expected = np.einsum("rkq,k->q", chance, ratings.levels) / len(heard)
    silent = np.setdiff1d(np.arange(raters), heard)
    sharp[silent], cuts[silent] = np.nan, np.nan
    return GradedResponseFit(sharp, cuts, posterior, expected)


def _starts(votes: Floats) -> Floats:
    """Return cuts from the shares of each rater's levels, as if it were a single sharp one."""
    from scipy.special import ndtri

    counts = votes.sum(axis=1) + 0.5
    share = counts.cumsum(axis=1)[:, :-1] / counts.sum(axis=1, keepdims=True)
    return np.asarray(ndtri(share)) * 1.3


def _levels(sharp: float, cuts: Floats) -> Floats:
    """Return the chance of each level at each node, shape (levels, nodes)."""
    from scipy.special import expit

    above = expit(sharp * (NODES[None, :] - cuts[:, None]))
    edges = np.vstack([np.ones(len(NODES)), above, np.zeros(len(NODES))])
    return np.asarray(np.maximum(edges[:-1] - edges[1:], 1e-12))


def _posterior(votes: Floats, chance: Floats, prior: Floats) -> Floats:
    log = np.log(prior) + (votes @ np.log(chance)).sum(axis=0)
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _maximised(counts: Floats, sharp: float, cuts: Floats) -> tuple[float, Floats]:
    """Return the sharpness and cuts that make expected answers likeliest; raters in ``counts`` share the sharpness.

    The parameters are log sharpness, the first cut, and the logs of the steps between cuts, so that cuts stay in order.
    """
    from scipy.optimize import minimize

    r, m = cuts.shape
    start = [np.log(sharp)]
    for own in cuts:
        start += [own[0], *np.log(np.maximum(np.diff(own), 1e-4))]

    def unpacked(given: Floats) -> tuple[float, Floats]:
        rows = given[1:].reshape(r, m)
        steps = np.exp(np.clip(rows[:, 1:], -12, 4))
        return float(np.exp(np.clip(given[0], -4, 4))), np.cumsum(np.hstack([rows[:, :1], steps]), axis=1)

    def cost(given: Floats) -> float:
        a, b = unpacked(given)
        fit = sum(float((counts[i] * np.log(_levels(a, b[i]))).sum()) for i in range(r))
        weak = 0.5 * np.square((given[0] - CENTRE) / STEEP) + 0.5 * np.square(b / 5).sum()
        return -fit + float(weak)

    found = minimize(cost, np.asarray(start), method="L-BFGS-B", options={"maxiter": 50})
    return unpacked(found.x)


def graded(ratings: Ratings) -> ScoreEstimate:
    """Return the score that the average rater would give at each person's expected place, and plausible ones."""
    if len(ratings.levels) > MOST:
        return ScoreEstimate.nothing(
            ratings.n_people, f"{len(ratings.levels)} different scores; a graded model is for levels"
        )
    if len(ratings.levels) < 2 or not (ratings.number > 1).any():
        reason = "everybody has one answer, or all answers are the same: raters cannot be told from people"
        return ScoreEstimate.without_spread(ratings.means, reason)
    nobody = ratings.number == 0
    model = fit_graded(ratings)
    centre = model.posterior @ model.expected
    sd = np.sqrt(np.maximum(model.posterior @ np.square(model.expected) - np.square(centre), 0))
    chances = model.posterior.cumsum(axis=1)

    def draw(rng: np.random.Generator) -> Floats:
        place = (rng.random(ratings.n_people)[:, None] > chances).sum(axis=1)
        return np.where(nobody, np.nan, model.expected[np.minimum(place, len(NODES) - 1)])

    return ScoreEstimate(np.where(nobody, np.nan, centre), np.where(nobody, np.nan, sd), draw)
