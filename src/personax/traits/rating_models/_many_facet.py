"""A many-facet ordinal model: person, rater's severity and sharpness, family of raters, group, repeats, silence.

A person has a place theta on a line. A family of raters (models of one maker, say) sees it at theta + u, a rater of the
family at theta + u + v, which its repeats share; the rater cuts the line in its own places, as in Samejima's graded
response model. Whether it answers at all may depend on the place it sees and on the person's group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from personax.traits._ratings import Floats, Indices, Ratings

__all__ = ["NODES", "ManyFacetFit", "fit_many_facet"]

NODES: Final = np.linspace(-5, 5, 61)
MAX_ITERATIONS: Final = 200
TOLERANCE: Final = 1e-7
"""Gain of log likelihood, as a share of the number of people, at which fitting ends."""

LARGEST_STEP: Final = 1.0
SMALLEST_SPREAD: Final = 0.05
SHARPEST: Final = 12.0

PRIORS: Final = {
    "sharpness": (0.4, 0.5), "sharpness of few": (0.4, 1.0), "threshold": (0.0, 5.0), "step": (0.0, 1.5),
    "silence": (-2.0, 3.0), "silence slope": (0.0, 1.0),
    "silence group": (0.0, 1.5), "spread": (-1.0, 0.7), "mean": (0.0, 3.0), "scale": (0.0, 0.5),
    "shape": (0.0, 0.4), "shape of a group": (0.0, 0.2),
}  # fmt: skip
"""Mean and standard deviation of a parameter's normal prior; sharpness, steps, spreads and scales as logarithms. A few
dozen answers outweigh them; they keep estimates finite where raters agree throughout or a level is never given."""


@dataclass(frozen=True)
class AnswerPatterns:
    """People with the same answers, once each: of three raters and three levels there are 64 patterns at most.

    Parameters
    ----------
    votes
        Answers of each level, shape (raters, patterns, levels).
    silent
        Times that a rater was asked and gave no score, shape (raters, patterns).
    group
        Index of the group of each pattern.
    covariates
        What else silence may depend on, shape (patterns, columns).
    weight
        People of each pattern.
    place
        Pattern of each person.
    """

    votes: Floats
    silent: Floats
    group: Indices
    covariates: Floats
    weight: Floats
    place: Indices

    @classmethod
    def of(cls, ratings: Ratings, group: Indices, *, silence: bool) -> AnswerPatterns:
        """Count the patterns of ratings."""
        raters, n, levels = ratings.votes.shape
        silent = ratings.silent if silence else np.zeros((raters, n))
        known = silence and ratings.covariates is not None
        covariates = ratings.covariates if known and ratings.covariates is not None else np.zeros((n, 0))
        rows = np.column_stack([ratings.votes.transpose(1, 0, 2).reshape(n, -1), silent.T, group, covariates])
        found, place, weight = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
        ends = np.cumsum([raters * levels, raters, 1])
        votes = found[:, : ends[0]].reshape(-1, raters, levels).transpose(1, 0, 2)
        return cls(
            np.ascontiguousarray(votes), np.ascontiguousarray(found[:, ends[0] : ends[1]].T),
            found[:, ends[1]].astype(np.intp), found[:, ends[2] :], weight.astype(float), place.reshape(-1),
        )  # fmt: skip


class _Layout:
    """Which entries of the vector of parameters are what, with their priors and starting values."""

    def __init__(self) -> None:
        self.mean: list[float] = []
        self.sd: list[float] = []
        self.start: list[float] = []

    def add(self, kind: str, start: Sequence[float] | Floats) -> Indices:
        first = len(self.start)
        mean, sd = PRIORS[kind]
        self.start += list(start)
        self.mean += [mean] * len(start)
        self.sd += [sd] * len(start)
        return np.arange(first, len(self.start))


@dataclass(frozen=True)
class _RaterSlots:
    """Entries of one rater's parameters; empty where it has none of a kind."""

    rater: int
    sharpness: Indices
    thresholds: Indices
    silence: Indices
    covariates: Indices
    spread: Indices


@dataclass(frozen=True)
class _Kernel:
    """Probabilities of a place shifted by a normal of some spread, over `NODES`, and their derivative by its log."""

    chance: Floats
    slope: Floats

    @classmethod
    def of(cls, log_spread: float) -> _Kernel:
        spread = max(float(np.exp(log_spread)), SMALLEST_SPREAD)
        square = np.square((NODES[None, :] - NODES[:, None]) / spread)
        chance = np.exp(-0.5 * square)
        chance /= chance.sum(axis=1, keepdims=True)
        return cls(chance, chance * (square - (chance * square).sum(axis=1, keepdims=True)))

    def forward(self, log: Floats) -> tuple[Floats, Floats, Floats]:
        """Integrate the shift out: log likelihood at each place before it, and what `backward` needs."""
        top = log.max(axis=1, keepdims=True)
        inner = np.exp(log - top)
        outer = np.maximum(inner @ self.chance.T, 1e-300)
        return np.log(outer) + top, inner, outer

    def backward(self, weight: Floats, inner: Floats, outer: Floats) -> tuple[Floats, Floats]:
        """Return the posterior of the shifted place from that of the place, and each pattern's gradient."""
        ratio = weight / outer
        return (ratio @ self.chance) * inner, ((ratio @ self.slope) * inner).sum(axis=1)


class _Model:
    """Log likelihood of patterns and its gradient, pattern by pattern."""

    def __init__(self, patterns: AnswerPatterns, families: Sequence[str], n_groups: int) -> None:
        self.patterns = patterns
        raters = len(patterns.votes)
        asked = patterns.votes.sum(axis=2)
        self.active = [r for r in range(raters) if (asked[r] * patterns.weight).sum() > 0]
        members = {name: [r for r in self.active if families[r] == name] for name in dict.fromkeys(families)}
        self.families = [own for own in members.values() if own]
        layout, self.slots = _Layout(), dict[int, _RaterSlots]()
        # With fewer than three independent views of people, sharpness and spread cannot be told apart. One sharpness
        # is shared then; between groups that would make a sharper rater look like one that treats them differently,
        # so that there each has its own, and how little is known of it goes into the information.
        few = len(self.families) < 3
        alike, kind = few and n_groups == 1, "sharpness of few" if few and n_groups > 1 else "sharpness"
        start = PRIORS[kind][0]
        shared = layout.add("sharpness", [start] if alike else [])
        for r in self.active:
            own = _starting_thresholds((patterns.votes[r] * patterns.weight[:, None]).sum(axis=0))
            sharpness = shared if alike else layout.add(kind, [start])
            thresholds = np.concatenate(
                [layout.add("threshold", own[:1]), layout.add("step", np.log(np.maximum(np.diff(own), 1e-2)))]
            )
            silent = (patterns.silent[r] * patterns.weight).sum() > 0
            repeats = len(self.families) > 1 and (asked[r] > 1).any()
            self.slots[r] = _RaterSlots(
                r, sharpness, thresholds,
                np.append(layout.add("silence", [-2.0]), layout.add("silence slope", [0.0])) if silent else _NONE,
                layout.add("silence group", [0.0] * patterns.covariates.shape[1] if silent else []),
                layout.add("spread", [-1.0] if repeats else []),
            )  # fmt: skip
        together = [len(self.families) > 1 and ((asked[own] > 0).sum(axis=0) > 1).any() for own in self.families]
        self.family_spread = [layout.add("spread", [-1.0] if some else []) for some in together]
        self.group_mean = layout.add("mean", [0.0] * (n_groups - 1))
        self.group_scale = layout.add("scale", [0.0] * (n_groups - 1))
        self.shape = layout.add("shape", [0.0, 0.0])
        self.group_shape = layout.add("shape of a group", [0.0, 0.0] * (n_groups - 1)).reshape(-1, 2)
        self.start = np.asarray(layout.start)
        self.prior_mean, self.prior_sd = np.asarray(layout.mean), np.asarray(layout.sd)

    def penalty(self, x: Floats) -> float:
        return float(0.5 * np.square((x - self.prior_mean) / self.prior_sd).sum())

    def priors(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the distribution of people in each group over `NODES`, and the slopes of its log.

        Shapes (groups, nodes) and (4, groups, nodes): by mean, log scale, skewness and kurtosis of the shape.
        """
        # log density -z^2 / 2 + c3 t3(z) + c4 t4(z) + constant; t3 and t4 are z^3 / 6 and z^4 / 24 near 0 and grow as
        # z and z^2, so that tails stay integrable. Without a shape, skewed people in groups with different means look
        # like raters that treat groups differently.
        mean = np.concatenate([[0.0], x[self.group_mean]])[:, None]
        scale = np.exp(np.concatenate([[0.0], x[self.group_scale]]))[:, None]
        shape = x[self.shape] + np.concatenate([np.zeros((1, 2)), x[self.group_shape]])
        z = (NODES[None, :] - mean) / scale
        damped = 1 + np.square(z) / 9
        third, fourth = z**3 / (6 * damped), z**4 / (24 * damped)
        log = -0.5 * np.square(z) + shape[:, :1] * third + shape[:, 1:] * fourth
        chance = np.exp(log - log.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        by_third = (np.square(z) / 2 - third * z * 2 / 9) / damped
        by_fourth = (z**3 / 6 - fourth * z * 2 / 9) / damped
        by_z = -z + shape[:, :1] * by_third + shape[:, 1:] * by_fourth
        slopes = np.stack([-by_z / scale, -by_z * z, third, fourth])
        return chance, slopes - (chance * slopes).sum(axis=2, keepdims=True)

    def evaluate(self, x: Floats, *, shifts: bool = False) -> _Evaluation:
        """Return log likelihood, posterior and gradient of every pattern.

        With ``shifts``, also the gradient by a shift of the place that each rater sees (for differential functioning).
        """
        p = self.patterns
        tables = {r: _RaterTables.of(x, slots) for r, slots in self.slots.items()}
        log = np.zeros((len(p.weight), len(NODES)))
        kept_raters, kept_families = (
            dict[int, tuple[_Kernel, Floats, Floats]](),
            dict[int, tuple[_Kernel, Floats, Floats]](),
        )
        for place, members in enumerate(self.families):
            seen = np.zeros_like(log)
            for r in members:
                own = tables[r].log_likelihood(p)
                if len(self.slots[r].spread):
                    kernel = _Kernel.of(float(x[self.slots[r].spread[0]]))
                    own, inner, outer = kernel.forward(own)
                    kept_raters[r] = (kernel, inner, outer)
                seen += own
            if len(self.family_spread[place]):
                kernel = _Kernel.of(float(x[self.family_spread[place][0]]))
                seen, inner, outer = kernel.forward(seen)
                kept_families[place] = (kernel, inner, outer)
            log += seen
        prior, slopes = self.priors(x)
        log += np.log(np.maximum(prior, 1e-300))[p.group]
        top = log.max(axis=1, keepdims=True)
        posterior = np.exp(log - top)
        total = posterior.sum(axis=1, keepdims=True)
        posterior /= total
        loglik = (top + np.log(total))[:, 0]
        gradient = np.zeros((len(p.weight), len(x)))
        moved = np.zeros((len(p.weight), p.votes.shape[0])) if shifts else np.zeros((0, 0))
        for place, members in enumerate(self.families):
            place_posterior = posterior
            if place in kept_families:
                kernel, inner, outer = kept_families[place]
                place_posterior, slope = kernel.backward(posterior, inner, outer)
                gradient[:, self.family_spread[place][0]] = slope
            for r in members:
                own_posterior = place_posterior
                if r in kept_raters:
                    kernel, inner, outer = kept_raters[r]
                    own_posterior, slope = kernel.backward(place_posterior, inner, outer)
                    gradient[:, self.slots[r].spread[0]] = slope
                tables[r].add_gradient(gradient, p, own_posterior)
                if shifts:
                    moved[:, r] = tables[r].shift_gradient(p, own_posterior)
        for g in range(len(prior)):
            inside = p.group == g
            own = posterior[inside] @ slopes[:, g].T
            gradient[np.ix_(inside, self.shape)] = own[:, 2:]
            if g:
                at = np.array([self.group_mean[g - 1], self.group_scale[g - 1], *self.group_shape[g - 1]])
                gradient[np.ix_(inside, at)] = own
        return _Evaluation(loglik, posterior, gradient, moved)


_NONE: Final = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True)
class _Evaluation:
    """Of every pattern: log likelihood, posterior over `NODES`, gradient by the parameters, by raters' shifts."""

    loglik: Floats
    posterior: Floats
    gradient: Floats
    shifts: Floats


@dataclass(frozen=True)
class _RaterTables:
    """A rater's log probabilities at each node, and their derivatives.

    Parameters
    ----------
    slots
        Of its parameters.
    log
        Of each level, shape (levels, nodes).
    slopes
        By sharpness, first threshold, steps: shape (parameters, levels, nodes).
    by_place
        By the person's place, shape (levels, nodes).
    silence
        Intercept, slope and covariates of silence; empty where the rater is never silent.
    """

    slots: _RaterSlots
    log: Floats
    slopes: Floats
    by_place: Floats
    silence: Floats
    sharpness: float
    thresholds: Floats

    @classmethod
    def of(cls, x: Floats, slots: _RaterSlots) -> _RaterTables:
        sharpness, thresholds = _sharpness(float(x[slots.sharpness[0]])), _thresholds(x[slots.thresholds])
        above, bell = _curves(sharpness, thresholds)
        chance = np.maximum(above[:-1] - above[1:], 1e-12)
        # P(level l) = F_l - F_(l+1), F_l = logistic(a (x - b_l)), with the slope a F_l (1 - F_l) by x, less that by b_l
        distance = np.vstack([np.zeros(len(NODES)), NODES[None, :] - thresholds[:, None], np.zeros(len(NODES))])
        lifted = sharpness * (1 - sharpness / SHARPEST) * distance * bell  # by the parameter: see _sharpness
        by_threshold = np.zeros((len(thresholds), *chance.shape))
        for k in range(len(thresholds)):
            by_threshold[k, k] += sharpness * bell[k + 1]
            by_threshold[k, k + 1] -= sharpness * bell[k + 1]
        steps = np.exp(np.clip(x[slots.thresholds[1:]], -6, 4))
        first = by_threshold.sum(axis=0, keepdims=True)
        later = (
            np.stack([size * by_threshold[j + 1 :].sum(axis=0) for j, size in enumerate(steps)])
            if len(steps)
            else first[:0]
        )
        slopes = np.concatenate([(lifted[:-1] - lifted[1:])[None], first, later]) / chance
        by_place = sharpness * (bell[:-1] - bell[1:]) / chance
        silence = x[np.concatenate([slots.silence, slots.covariates])] if len(slots.silence) else np.zeros(0)
        return cls(slots, np.log(chance), slopes, by_place, silence, sharpness, thresholds)

    def silence_odds(self, p: AnswerPatterns) -> Floats:
        """Return the log odds of silence, shape (patterns or 1, nodes)."""
        by_place: Floats = self.silence[0] + self.silence[1] * NODES
        if not len(self.slots.covariates):
            return by_place[None, :]
        return np.asarray(by_place[None, :] + (p.covariates @ self.silence[2:])[:, None])

    def log_likelihood(self, p: AnswerPatterns) -> Floats:
        own: Floats = p.votes[self.slots.rater] @ self.log
        if len(self.silence):
            odds = self.silence_odds(p)
            answered, silent = p.votes[self.slots.rater].sum(axis=1), p.silent[self.slots.rater]
            own = own - silent[:, None] * np.logaddexp(0, -odds) - answered[:, None] * np.logaddexp(0, odds)
        return own

    def add_gradient(self, gradient: Floats, p: AnswerPatterns, posterior: Floats) -> None:
        votes = p.votes[self.slots.rater]
        number, levels, nodes = self.slopes.shape
        by_level = (posterior @ self.slopes.reshape(-1, nodes).T).reshape(-1, number, levels)
        columns = np.einsum("pjl,pl->pj", by_level, votes)
        gradient[:, self.slots.sharpness[0]] += columns[:, 0]
        gradient[:, self.slots.thresholds] += columns[:, 1:]
        if len(self.silence):
            from scipy.special import expit

            silent, asked = p.silent[self.slots.rater], p.silent[self.slots.rater] + votes.sum(axis=1)
            residual = posterior * (silent[:, None] - asked[:, None] * expit(self.silence_odds(p)))
            mean = residual.sum(axis=1)
            gradient[:, self.slots.silence[0]] += mean
            gradient[:, self.slots.silence[1]] += residual @ NODES
            if len(self.slots.covariates):
                gradient[:, self.slots.covariates] += mean[:, None] * p.covariates

    def shift_gradient(self, p: AnswerPatterns, posterior: Floats) -> Floats:
        return np.asarray(((posterior @ self.by_place.T) * p.votes[self.slots.rater]).sum(axis=1))


def _curves(sharpness: float, thresholds: Floats) -> tuple[Floats, Floats]:
    """Return P(answer at or above a level) and F (1 - F), shape (levels + 1, nodes), with 1 first and 0 last."""
    from scipy.special import expit

    middle = expit(sharpness * (NODES[None, :] - thresholds[:, None]))
    above = np.vstack([np.ones(len(NODES)), middle, np.zeros(len(NODES))])
    return above, above * (1 - above)


def _sharpness(x: float) -> float:
    """Return the sharpness of a parameter, its exponential where that is small."""
    # a = e^x / (1 + e^x / A) < A, da/dx = a (1 - a / A): sharper raters than nodes can tell apart make steps of a
    # likelihood that has to be smooth
    return float(1 / (np.exp(-np.clip(x, -6, 8)) + 1 / SHARPEST))


def _thresholds(x: Floats) -> Floats:
    """Return thresholds from the first and the logs of the steps between them, which keeps their order."""
    return np.asarray(np.cumsum(np.concatenate([x[:1], np.exp(np.clip(x[1:], -6, 4))])))


def _starting_thresholds(counts: Floats) -> Floats:
    """Return starting thresholds from the shares of a rater's levels."""
    from scipy.special import ndtri

    counts = counts + 0.5
    # were the rater's latent answer standard normal, thresholds would be the quantiles; 1.3 allows for its error
    return np.asarray(ndtri((counts.cumsum() / counts.sum())[:-1])) * 1.3


@dataclass(frozen=True)
class ManyFacetFit:
    """A fitted many-facet model.

    Parameters
    ----------
    discrimination
        Of each rater, shape (raters,); NaN for one without scores.
    thresholds
        Where a rater's answer passes from a level to the next, in standard deviations of people, shape (raters,
        levels - 1).
    posterior
        Of each person's place, over `NODES`, shape (people, nodes).
    expected
        Score that the average rater gives to a person at each node, shape (nodes,).
    family_spread, rater_spread
        Family -> standard deviation of what its members see alike and others do not; rater -> of what it says again
        when asked again. Only where the answers tell them.
    silence
        Rater -> intercept, slope and covariates of the log odds of its silence.
    group_means, group_scales
        Mean and standard deviation of people in each group, 0 and 1 in the first.
    unit
        The first group's standard deviation, in units of `NODES`.
    loglik
        Marginal, of all people.
    """

    discrimination: Floats
    thresholds: Floats
    posterior: Floats
    expected: Floats
    family_spread: dict[str, float]
    rater_spread: dict[str, float]
    silence: dict[str, Floats]
    group_means: Floats
    group_scales: Floats
    unit: float
    loglik: float
    _model: _Model
    _parameters: Floats

    @cached_property
    def evaluation(self) -> _Evaluation:
        """Log likelihood and gradients at the maximum, pattern by pattern, raters' shifts included."""
        return self._model.evaluate(self._parameters, shifts=True)

    @property
    def patterns(self) -> AnswerPatterns:
        """The patterns that were fitted."""
        return self._model.patterns

    def expected_slope(self, rater: int, levels: Floats) -> Floats:
        """Return by how many points a rater's expected score rises with the person's place, at each node."""
        tables = _RaterTables.of(self._parameters, self._model.slots[rater])
        return np.asarray(levels @ (np.exp(tables.log) * tables.by_place))

    def severities(self) -> tuple[Floats, Floats]:
        """Return by how much each rater's thresholds lie above those of all, and the standard error, shape (raters,).

        In standard deviations of people: above 0, a rater gives lower scores to the same people. NaN for one without
        scores. Errors are of the thresholds alone (delta method), the unit taken as known.
        """
        # the mean of k thresholds b_1, b_1 + s_1, b_1 + s_1 + s_2 ... is b_1 + sum_j s_j (k - j) / k, s_j = exp(x_j)
        active = list(self._model.slots)
        by = np.zeros((len(self.discrimination), len(self._parameters)))
        for r, slots in self._model.slots.items():
            k = len(slots.thresholds)
            steps = np.exp(np.clip(self._parameters[slots.thresholds[1:]], -6, 4))
            by[r, slots.thresholds] = np.append(1.0, steps * (k - np.arange(1, k)) / k)
        by[active] -= by[active].mean(axis=0)
        variance = np.einsum("ri,ij,rj->r", by, np.linalg.inv(self.information), by)
        value = self.thresholds.mean(axis=1)
        error = np.where(np.isnan(value), np.nan, np.sqrt(np.maximum(variance, 0)) / self.unit)
        return value - np.nanmean(value), error

    @property
    def slope(self) -> Floats:
        """What is left of the gradient of the penalised likelihood at the maximum."""
        slope = self.patterns.weight @ self.evaluation.gradient
        return np.asarray(slope - (self._parameters - self._model.prior_mean) / self._model.prior_sd**2)

    @property
    def information(self) -> Floats:
        """Observed information of the parameters, from the outer products of people's gradients and the priors."""
        gradient = self.evaluation.gradient
        return np.asarray((gradient * self.patterns.weight[:, None]).T @ gradient + np.diag(self._model.prior_sd**-2.0))


def fit_many_facet(
    ratings: Ratings, *, silence: bool = False, group: Indices | None = None, n_groups: int = 1
) -> ManyFacetFit:
    """Fit by marginal likelihood: people, families and raters' own views are integrated out over fixed nodes.

    Parameters
    ----------
    ratings
        One trait's.
    silence
        Model whether a rater answers as well: by the place it sees and by `Ratings.covariates`.
    group, n_groups
        Group of each person, 0 to ``n_groups - 1``; groups differ in mean and spread, and nothing else. Without it no
        score rests on a person's group.

    References
    ----------
    Samejima 1969, doi:10.1007/BF03372160; Linacre 1989, Many-facet Rasch measurement; Bock and Aitkin 1981,
    doi:10.1007/BF02293801; Berndt, Hall, Hall, Hausman 1974 (steps by the outer products of gradients).
    """
    place = np.zeros(ratings.n_people, dtype=np.intp) if group is None else group
    patterns = AnswerPatterns.of(ratings, place, silence=silence)
    model = _Model(patterns, ratings.families or ratings.raters, n_groups)
    x, found = _maximise(model)
    return _fit_of(model, ratings, x, found)


def _maximise(model: _Model) -> tuple[Floats, _Evaluation]:
    """Climb the penalised likelihood; each step is damped until it gains."""
    # BHHH: with the gradient g_i of each person, sum_i g_i g_i' is near the information at the maximum and positive
    # definite everywhere, so that every step climbs once it is short enough.
    weight, precision = model.patterns.weight, model.prior_sd**-2.0
    x, damping = model.start.copy(), 1e-2
    found = model.evaluate(x)
    value = float(weight @ found.loglik) - model.penalty(x)
    for _ in range(MAX_ITERATIONS):
        slope = weight @ found.gradient - (x - model.prior_mean) * precision
        information = (found.gradient * weight[:, None]).T @ found.gradient + np.diag(precision)
        while True:
            step = np.linalg.solve(information + damping * np.diag(np.diag(information)), slope)
            step *= min(1.0, LARGEST_STEP / np.abs(step).max())
            tried = model.evaluate(x + step)
            gained = float(weight @ tried.loglik) - model.penalty(x + step) - value
            if gained >= 0 or damping > 1e6:
                break
            damping *= 4
        if gained < 0:
            break
        x, found, value, damping = x + step, tried, value + gained, max(damping / 3, 1e-6)
        if gained < TOLERANCE * weight.sum():
            break
    return x, found


def _fit_of(model: _Model, ratings: Ratings, x: Floats, found: _Evaluation) -> ManyFacetFit:
    raters, _, levels = model.patterns.votes.shape
    discrimination, thresholds = np.full(raters, np.nan), np.full((raters, levels - 1), np.nan)
    expected = np.zeros(len(NODES))
    silence = dict[str, Floats]()
    chance, _ = model.priors(x)
    means = chance @ NODES
    scales = np.sqrt(chance @ np.square(NODES) - np.square(means))
    for r, slots in model.slots.items():
        tables = _RaterTables.of(x, slots)
        discrimination[r], thresholds[r] = tables.sharpness * scales[0], (tables.thresholds - means[0]) / scales[0]
        expected += ratings.levels @ np.exp(tables.log) / len(model.slots)
        if len(slots.silence):
            silence[ratings.raters[r]] = tables.silence
    names = ratings.families or ratings.raters
    families = {names[own[0]]: at for own, at in zip(model.families, model.family_spread, strict=True) if len(at)}
    repeated = {ratings.raters[r]: slots.spread for r, slots in model.slots.items() if len(slots.spread)}
    family_spread, rater_spread = (
        {name: float(np.exp(x[at[0]]) / scales[0]) for name, at in own.items()} for own in (families, repeated)
    )
    return ManyFacetFit(
        discrimination, thresholds, found.posterior[model.patterns.place], expected, family_spread, rater_spread,
        silence, (means - means[0]) / scales[0], scales / scales[0], float(scales[0]),
        float(model.patterns.weight @ found.loglik), model, x,
    )  # fmt: skip
