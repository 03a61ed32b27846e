"""Prediction-powered estimates: LLMs alone, humans alone, and both together corrected by a small human sample.

Each takes x, y, the squares of y, and weights, and returns the estimate and every person's influence on it. Squares
come apart from y because a design-based pseudo-outcome has none of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from personax.results import DrawableResult
from personax.traits._ratings import Floats
from personax.traits.reliability._rating_array import rounded

__all__ = [
    "METHODS",
    "CorrectedEffects",
    "Estimand",
    "InfluenceEstimate",
    "LabelledSample",
    "corrected_effects",
    "correlation",
    "slope",
    "variance",
]


class InfluenceEstimate(NamedTuple):
    """An estimate and the influence of each person, shape (people,); their weighted mean is 0."""

    estimate: float
    influence: Floats


Estimand = Callable[[Floats, Floats, Floats, Floats], InfluenceEstimate]


def slope(x: Floats, y: Floats, squares: Floats, weights: Floats) -> InfluenceEstimate:
    """Return the least-squares slope of y on x; for x of 0 and 1 the difference of two means. NaN for a constant x.

    Examples
    --------
    >>> x = np.array([0.0, 0, 1, 1])
    >>> slope(x, np.array([1.0, 2, 4, 5]), x, np.ones(4)).estimate
    3.0
    """
    # slope = cov(x, y) / var(x). Influence: derivative of the functional towards a point mass at (x_i, y_i); with
    # residuals e_i = y_i - mean(y) - slope (x_i - mean(x)) it is (x_i - mean(x)) e_i / var(x).
    w = weights / weights.sum()
    centred = x - w @ x
    variance_x = float(w @ np.square(centred))
    if variance_x <= 1e-12:
        return InfluenceEstimate(float("nan"), np.full(len(x), np.nan))
    mean = float(w @ y)
    estimate = float(w @ (centred * (y - mean))) / variance_x
    return InfluenceEstimate(estimate, centred * (y - mean - estimate * centred) / variance_x)


def correlation(x: Floats, y: Floats, squares: Floats, weights: Floats) -> InfluenceEstimate:
    """Return Pearson's correlation; NaN where x or y does not vary.

    Examples
    --------
    >>> x = np.array([1.0, 2, 3])
    >>> round(correlation(x, -x, x**2, np.ones(3)).estimate, 6)
    -1.0
    """
    # r = c / sqrt(a b), c = cov(x, y), a = var(x), b = var(y). By the chain rule its influence is
    # IF(c) / sqrt(a b) - r / 2 (IF(a) / a + IF(b) / b), with IF(c) = xc yc - c, IF(a) = xc^2 - a, IF(b) = yc^2 - b;
    # the constants cancel. squares stands for y^2, so that yc^2 = squares - 2 mean(y) y + mean(y)^2.
    w = weights / weights.sum()
    centred, mean = x - w @ x, float(w @ y)
    variance_x, variance_y = float(w @ np.square(centred)), float(w @ squares) - mean**2
    if variance_x <= 1e-12 or variance_y <= 1e-12:
        return InfluenceEstimate(float("nan"), np.full(len(x), np.nan))
    estimate = float(w @ (centred * y)) / np.sqrt(variance_x * variance_y)
    around = squares - 2 * mean * y + mean**2
    influence = centred * (y - mean) / np.sqrt(variance_x * variance_y) - estimate / 2 * (
        np.square(centred) / variance_x + around / variance_y
    )
    return InfluenceEstimate(float(estimate), influence)


def variance(influence: Floats, weights: Floats) -> float:
    """Return the variance of an estimate from the influence of independent people.

    Examples
    --------
    >>> variance(np.array([-1.0, 1.0]), np.ones(2))
    1.0
    """
    # estimate - truth is about sum_i share_i influence_i, a sum of independent terms of mean 0.
    n = len(influence)
    share = weights / weights.sum()
    return float(n / (n - 1) * np.square(share * influence).sum())


METHODS: Final = ("llm", "humans", "ppi", "dsl")

MIN_PEOPLE: Final = 30
"""People with both scores below which intervals that rest on large samples are not given."""

N_FOLDS: Final = 5

EFFECT: Final = {
    "method": pl.String,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "n_humans": pl.Int64,
    "weight": pl.Float64,
    "reason": pl.String,
}

NORMAL_QUANTILE: Final = 1.959963984540054
"""Central 95 % of a normal distribution."""


@dataclass(frozen=True)
class LabelledSample:
    """People with an LLM's score and the feature; some of them labelled by humans.

    Parameters
    ----------
    x
        The feature; 0 and 1 for a difference of means.
    llm
        The LLMs' score.
    human
        The humans' score, NaN for those whom they did not rate.
    probability
        Of being rated by humans, known by design; a reason where it is not known.
    equal
        Whether the design gave everybody the same.
    """

    x: Floats
    llm: Floats
    human: Floats
    probability: Floats | str
    equal: bool = True

    @property
    def rated(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return who was rated."""
        return ~np.isnan(self.human)


class CorrectedEffects(list[dict[str, Any]], DrawableResult):
    """An effect of a feature on a trait, a row a method."""

    plot_kind = "corrected_effects"

    def to_frame(self) -> pl.DataFrame:
        """Return one row a method: estimate, interval, people, weight of the LLMs, or the reason for none."""
        return pl.DataFrame(list(self), schema=EFFECT)


def corrected_effects(sampled: LabelledSample, effect: str, *, rng: np.random.Generator) -> CorrectedEffects:
    """Estimate an effect of a feature on a trait four ways.

    Parameters
    ----------
    sampled
        The data.
    effect
        ``slope`` or ``difference`` (of means, x of 0 and 1), or ``correlation``.
    rng
        For the folds of the fourth.

    Returns
    -------
    CorrectedEffects
        For each of ``llm`` (scores as if they were true: biased where their errors depend on the feature), ``humans``
        (the sample, weighted by its probabilities), ``ppi`` (prediction-powered, power-tuned) and ``dsl``
        (design-based supervised learning): ``method estimate low high n n_humans weight reason``. ``weight`` is what
        prediction-powered inference gives to the LLMs' scores, 0 to 1.

    Notes
    -----
    ``ppi``: the humans' estimate, plus ``weight`` times the difference of the LLM's estimates on those not rated and on
    those rated. It takes rated people to be a simple random sample. ``dsl``: a least-squares guess of the human score
    from LLM's score and feature, cross-fitted, corrected by what humans said over the probability of asking. Both hold
    however wrong the LLM is; a good LLM makes the interval shorter. Intervals are normal, central 95 %.

    References
    ----------
    Angelopoulos, Duchi, Zrnic 2023, arXiv:2311.01453; Egami, Hinck, Stewart, Wei 2023, arXiv:2306.04746.
    """
    estimand = correlation if effect == "correlation" else slope
    counts = {"n": len(sampled.x), "n_humans": int(sampled.rated.sum())}
    reason = _missing_reason(sampled, counts)
    rows = [_naive(sampled, estimand)]
    if reason:
        rows += [_missing_row(reason)] * 3
    else:
        rows += [_humans(sampled, estimand), _ppi(sampled, estimand), _dsl(sampled, estimand, rng)]
    return CorrectedEffects({"method": method, **row, **counts} for method, row in zip(METHODS, rows, strict=True))


def _missing_reason(sampled: LabelledSample, counts: Mapping[str, int]) -> str | None:
    if counts["n_humans"] < MIN_PEOPLE:
        return f"humans rated {counts['n_humans']} of these people; {MIN_PEOPLE} are needed"
    if isinstance(sampled.probability, str):
        return sampled.probability
    if (sampled.probability[sampled.rated] <= 0).any():
        return "somebody was rated whom the sample could not have drawn"
    return None


def _missing_row(reason: str) -> dict[str, Any]:
    return {"estimate": None, "low": None, "high": None, "weight": None, "reason": reason}


def _row(estimate: float, spread: float, weight: float | None = None) -> dict[str, Any]:
    if not np.isfinite(estimate) or not np.isfinite(spread):
        return _missing_row("the feature or the scores do not vary among these people")
    half = NORMAL_QUANTILE * float(np.sqrt(spread))
    ends = {"low": rounded(estimate - half), "high": rounded(estimate + half)}
    return {"estimate": rounded(estimate), **ends, "weight": rounded(weight), "reason": None}


def _estimate(
    estimand: Estimand, x: Floats, y: Floats, weights: Floats | None = None
) -> tuple[InfluenceEstimate, Floats]:
    weights = np.ones(len(x)) if weights is None else weights
    return estimand(x, y, np.square(y), weights), weights


def _naive(sampled: LabelledSample, estimand: Estimand) -> dict[str, Any]:
    if len(sampled.x) < MIN_PEOPLE:
        return _missing_row(f"{len(sampled.x)} people have a score and the feature; {MIN_PEOPLE} are needed")
    estimated, weights = _estimate(estimand, sampled.x, sampled.llm)
    return _row(estimated.estimate, variance(estimated.influence, weights))


def _humans(sampled: LabelledSample, estimand: Estimand) -> dict[str, Any]:
    assert not isinstance(sampled.probability, str)
    rated = sampled.rated
    estimated, weights = _estimate(estimand, sampled.x[rated], sampled.human[rated], 1 / sampled.probability[rated])
    return _row(estimated.estimate, variance(estimated.influence, weights))


def _ppi(sampled: LabelledSample, estimand: Estimand) -> dict[str, Any]:
    if not sampled.equal:
        return _missing_row("people were not all equally likely to be rated; the method dsl allows for that")
    rated = sampled.rated
    if (~rated).sum() < MIN_PEOPLE:
        return _missing_row(f"humans rated all but {(~rated).sum()} people; there is nothing to add to what they say")
    human, _ = _estimate(estimand, sampled.x[rated], sampled.human[rated])
    inside, _ = _estimate(estimand, sampled.x[rated], sampled.llm[rated])
    outside, _ = _estimate(estimand, sampled.x[~rated], sampled.llm[~rated])
    if not np.isfinite([human.estimate, inside.estimate, outside.estimate]).all():
        return _missing_row("the feature or the scores do not vary among the people rated, or among the others")
    # theta(w) = theta_h + w (theta_out - theta_in): humans on the n rated, the LLM on the N others and on the same n.
    # The two sets of people are independent, so that its variance is
    #   Var(IF_h - w IF_in) / n + w^2 Var(IF_out) / N, smallest at w = Cov(IF_h, IF_in) / ((1 + n / N) Var(IF_llm)).
    n, n_others = int(rated.sum()), int((~rated).sum())
    variance_llm = float(np.concatenate([inside.influence, outside.influence]).var(ddof=1))
    covariance = float((human.influence * inside.influence).mean())
    weight = float(np.clip(covariance / ((1 + n / n_others) * variance_llm), 0, 1)) if variance_llm > 0 else 0.0
    estimate = human.estimate + weight * (outside.estimate - inside.estimate)
    spread = variance(human.influence - weight * inside.influence, np.ones(n))
    spread += weight**2 * variance(outside.influence, np.ones(n_others))
    return _row(estimate, spread, weight)


def _dsl(sampled: LabelledSample, estimand: Estimand, rng: np.random.Generator) -> dict[str, Any]:
    assert not isinstance(sampled.probability, str)
    prediction = _predicted(sampled, rng)
    # E[R / probability] = 1 given everything else, R = 1 for who was rated: prediction + R / probability (human -
    # prediction) has the expectation of the human score whatever the prediction; the same for its square.
    rated = sampled.rated
    share = np.where(rated, 1 / sampled.probability, 0.0)
    known = np.where(rated, sampled.human, 0.0)
    outcome = prediction + share * (known - np.where(rated, prediction, 0.0))
    squares = np.square(prediction) + share * (np.square(known) - np.where(rated, np.square(prediction), 0.0))
    estimated = estimand(sampled.x, outcome, squares, np.ones(len(prediction)))
    return _row(estimated.estimate, variance(estimated.influence, np.ones(len(prediction))))


def _predicted(sampled: LabelledSample, rng: np.random.Generator) -> Floats:
    """Return cross-fitted predictions of the human score: weighted least squares on the LLM's score and the feature."""
    assert not isinstance(sampled.probability, str)
    rated = sampled.rated
    fold = np.empty(len(rated), dtype=int)
    for some in (rated, ~rated):  # each fold has its share of those rated
        fold[some] = rng.permutation(np.arange(some.sum()) % N_FOLDS)
    design = np.column_stack([np.ones(len(rated)), sampled.llm, sampled.x])
    prediction = np.empty(len(rated))
    for own in range(N_FOLDS):
        learn = rated & (fold != own)
        root = np.sqrt(1 / sampled.probability[learn])[:, None]
        target = sampled.human[learn][:, None]
        fit = np.linalg.lstsq(root * design[learn], root * target, rcond=None)[0]
        prediction[fold == own] = (design[fold == own] @ fit)[:, 0]
    return prediction
