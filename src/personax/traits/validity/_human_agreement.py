"""How far humans agree with one another, and each LLM with them: a long table, every number with an interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from personax.schema import TraitFramework
from personax.traits._frameworks import BIG_FIVE
from personax.traits._ratings import Floats, Ratings, nan_mean
from personax.traits.reliability._agreement import alpha_interval, icc, weighted_kappa
from personax.traits.reliability._rating_array import Bootstrap
from personax.traits.validity._partial_correlation import partial_correlation

__all__ = [
    "AGGREGATE",
    "COLUMNS",
    "HUMANS",
    "LLMS",
    "NOT_VALIDITY",
    "ScorePairs",
    "TraitComparison",
    "compare_with_humans",
    "mean_reliability",
]


AGGREGATE = "aggregate"


class ScorePairs(NamedTuple):
    """Two scores of the same person, many times over; shape (pairs,)."""

    first: Floats
    second: Floats


@dataclass(frozen=True)
class TraitComparison:
    """Scores of one trait of people whom humans rated.

    Parameters
    ----------
    trait
        Its name.
    humans
        Shape (raters, people), NaN where there is none; the mean over a rater's repeats.
    raters
        LLM, or ``aggregate`` -> scores, shape (people,).
    """

    trait: str
    humans: Floats
    raters: Mapping[str, Floats]

    @classmethod
    def from_annotations(
        cls, trait: str, humans: pl.DataFrame, annotations: pl.DataFrame | None, traits: pl.DataFrame,
        people: Sequence[str], framework: TraitFramework = BIG_FIVE,
    ) -> TraitComparison:  # fmt: skip
        """Read annotations of humans and of LLMs, and the score over LLMs; people are those whom humans rated."""
        final = dict(traits.select("id", f"final_{framework.letters[trait]}").iter_rows())
        aggregate = np.array([np.nan if final.get(who) is None else final[who] for who in people], dtype=float)
        scores: dict[str, Floats] = {}
        if annotations is not None:
            rated = annotations.filter(pl.col("person").is_in(list(people)))
            ratings = Ratings.from_annotations(rated, trait, people=people)
            scores = {name: ratings.matrix[place] for place, name in enumerate(ratings.raters)}
        matrix = Ratings.from_annotations(humans, trait, people=people).matrix
        active = matrix[(~np.isnan(matrix)).any(axis=1)]
        return cls(trait, active, scores | {AGGREGATE: aggregate})

    def resampled(self, index: np.ndarray[tuple[int], np.dtype[np.intp]]) -> TraitComparison:
        """Return the same for some people, some of them more than once."""
        return TraitComparison(
            self.trait, self.humans[:, index], {name: own[index] for name, own in self.raters.items()}
        )

    @property
    def n(self) -> int:
        """Return the number of people."""
        return int(self.humans.shape[1])

    @cached_property
    def mean(self) -> Floats:
        """Mean over humans, shape (people,), NaN where nobody rated."""
        return nan_mean(self.humans, axis=0) if len(self.humans) else np.full(self.n, np.nan)

    @cached_property
    def leave_one_out_mean(self) -> Floats:
        """Mean over the other humans, shape (raters, people), NaN where that human or all others gave no score."""
        known = ~np.isnan(self.humans)
        left = known.sum(axis=0) - 1
        total = np.where(known, self.humans, 0.0).sum(axis=0) - self.humans
        return np.where(known & (left > 0), total / np.maximum(left, 1), np.nan)

    def pairs_with_humans(self, scores: Floats) -> ScorePairs:
        """Return a rater's score beside each single human's."""
        return _known(np.broadcast_to(scores, self.humans.shape), self.humans)

    def pairs_with_leave_one_out(self, scores: Floats) -> ScorePairs:
        """Return a rater's score beside the mean of the humans but one, each left out in turn."""
        return _known(np.broadcast_to(scores, self.leave_one_out_mean.shape), self.leave_one_out_mean)

    def human_pairs(self) -> ScorePairs:
        """Return each human's score beside each other human's, both ways round."""
        both = [(i, j) for i in range(len(self.humans)) for j in range(len(self.humans)) if i != j]
        if not both:
            return ScorePairs(np.empty(0), np.empty(0))
        first, second = zip(*both, strict=True)
        return _known(self.humans[list(first)], self.humans[list(second)])

    def leave_one_out_pairs(self) -> ScorePairs:
        """Return each human's score beside the mean of the others."""
        return _known(self.humans, self.leave_one_out_mean)


def _known(first: Floats, second: Floats) -> ScorePairs:
    both = ~np.isnan(first) & ~np.isnan(second)
    return ScorePairs(first[both], second[both])


def mean_reliability(humans: Floats) -> float:
    """Return how reliably the mean over humans ranks people, shape (raters, people); NaN where that is not known.

    ICC(3,k) where all humans rated everybody. Otherwise ICC(1,k), by a one-way analysis of variance with unequal
    numbers: whose severity differs adds to the error then, as it does to the means.

    References
    ----------
    Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420; Searle, Casella, McCulloch 1992,
    doi:10.1002/9780470316856, section 3.6.

    Examples
    --------
    >>> round(mean_reliability(np.array([[1.0, 2, 3, 4], [1, 2, 4, 3]])), 3)
    0.889
    """
    known = ~np.isnan(humans)
    if len(humans) < 2:
        return float("nan")
    rated = known.any(axis=0)
    if known[:, rated].all():
        return icc(humans[:, rated]).consistent_average
    # One-way layout x_ij = mu + person_i + e_ij with n_i scores of person i. E[within] = s_e and
    # E[between] = s_e + n_0 s_person, n_0 = (N - sum n_i^2 / N) / (people - 1). The mean of n_i scores has the
    # reliability s_person / (s_person + s_e / n_i); the mean of 1 / n_i over people stands for people of different n_i.
    number = known[:, rated].sum(axis=0)
    total, people = int(number.sum()), int(rated.sum())
    if people < 2 or total <= people:
        return float("nan")
    means = nan_mean(humans[:, rated], axis=0)
    grand = float((means * number).sum() / total)
    between = float((number * np.square(means - grand)).sum()) / (people - 1)
    within = float(np.nansum(np.square(humans[:, rated] - means))) / (total - people)
    spread = (between - within) / ((total - np.square(number).sum() / total) / (people - 1))
    if spread <= 0:
        return float("nan")
    return float(spread / (spread + within * (1 / number).mean()))


NOT_VALIDITY: Final = (
    "High agreement among LLMs is not validity: they learnt from the same texts and can be wrong together. "
    "Agreement with humans is agreement about an impression, not a diagnosis."
)

HUMANS, LLMS = "humans", "LLMs together"

COLUMNS: Final = {
    "trait": pl.String, "rater": pl.String, "measure": pl.String, "value": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "n": pl.Int64, "reason": pl.String,
}  # fmt: skip

MIN_PAIRS: Final = 3
"""Pairs of scores below which there is no correlation."""

Statistic = Callable[[TraitComparison], float]


def compare_with_humans(
    comparison: TraitComparison, bootstrap: Bootstrap, *, same_scale: bool, controls: Floats | None = None,
    reliability: float | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Compare humans with each other, and each LLM and the score over LLMs with them, in one trait.

    Parameters
    ----------
    comparison
        The scores.
    bootstrap
        Draws people; intervals are the central 95 %.
    same_scale
        Whether humans and LLMs used one scale; otherwise kappa and differences are missing.
    controls
        Shape (people, columns), for partial correlations.
    reliability
        Of the humans' mean, where it is known from elsewhere; estimated from them where not.

    Returns
    -------
    polars.DataFrame
        ``trait rater measure value low high n reason``; see docs/validity.md for every measure.
    """
    rows = _humans(comparison, bootstrap, reliability)
    for name in comparison.raters:
        rows += _rater(comparison, name, bootstrap, same_scale, controls, reliability)
    rows.append(_row(comparison, LLMS, "alpha", _alpha(_llms(comparison), bootstrap)))
    return pl.DataFrame(rows, schema=COLUMNS)


def _llms(comparison: TraitComparison) -> Floats:
    scores_by_llm = [scores for name, scores in comparison.raters.items() if name != AGGREGATE]
    return np.stack(scores_by_llm) if scores_by_llm else np.full((1, comparison.n), np.nan)


def _row(comparison: TraitComparison, rater: str, measure: str, estimate: dict[str, Any]) -> dict[str, Any]:
    return {"trait": comparison.trait, "rater": rater, "measure": measure, **estimate}


def _alpha(scores: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    alpha = alpha_interval(scores, bootstrap.rng, bootstrap.n_resamples)
    ends = {"value": alpha["alpha"], "low": alpha["alpha_low"], "high": alpha["alpha_high"]}
    return ends | {"n": alpha["n_people"], "reason": alpha["reason"]}


def _interval(
    comparison: TraitComparison, bootstrap: Bootstrap, statistic: Statistic, n: int, reason: str
) -> dict[str, Any]:
    estimate = bootstrap.interval(lambda index: statistic(comparison.resampled(index)), comparison.n, reason=reason)
    return estimate | {"n": n}


def _humans(comparison: TraitComparison, bootstrap: Bootstrap, reliability: float | None) -> list[dict[str, Any]]:
    complete = comparison.humans[:, ~np.isnan(comparison.humans).any(axis=0)]
    n_rated_twice = int(((~np.isnan(comparison.humans)).sum(axis=0) >= 2).sum())
    reason = "fewer than two humans rated the same people, or all alike"
    given_reliability = {"value": reliability, "low": None, "high": None, "n": comparison.n, "reason": None}
    statistics: dict[str, tuple[Statistic, int]] = {
        "kappa": (lambda drawn: _kappa(drawn.human_pairs()), n_rated_twice),
        "left_out": (lambda drawn: pearson(*drawn.leave_one_out_pairs()), n_rated_twice),
    }
    estimates = {"alpha": _alpha(comparison.humans, bootstrap)}
    for measure, kind in (("icc_single", "single"), ("icc_average", "average")):
        estimates[measure] = bootstrap.interval(
            lambda index, kind=kind: float(getattr(icc(complete[:, index]), kind)),  # type: ignore[misc]
            complete.shape[1],
            reason="fewer than two humans, or too few people whom all of them rated differently",
        )
    estimates |= {name: _interval(comparison, bootstrap, do, n, reason) for name, (do, n) in statistics.items()}
    estimates["reliability"] = (
        given_reliability
        if reliability
        else _interval(comparison, bootstrap, lambda drawn: mean_reliability(drawn.humans), n_rated_twice, reason)
    )
    return [_row(comparison, HUMANS, measure, values) for measure, values in estimates.items()]


def _rater(
    comparison: TraitComparison, name: str, bootstrap: Bootstrap, same_scale: bool, controls: Floats | None,
    reliability: float | None,
) -> list[dict[str, Any]]:  # fmt: skip
    n_both = int((~np.isnan(comparison.mean) & ~np.isnan(comparison.raters[name])).sum())
    too_few = f"fewer than {MIN_PAIRS} people have both scores, or all have the same"
    scale = "humans and LLMs did not use the same scale"
    statistics: dict[str, tuple[Statistic, str]] = {
        "pearson": (lambda drawn: pearson(drawn.raters[name], drawn.mean), too_few),
        "spearman": (lambda drawn: spearman(drawn.raters[name], drawn.mean), too_few),
        "left_out": (
            lambda drawn: pearson(*drawn.pairs_with_leave_one_out(drawn.raters[name])),
            "no two humans rated the same people, or all alike",
        ),
        "corrected": (
            lambda drawn: _corrected(drawn, name, reliability),
            "the reliability of the humans' mean is not known; see the row humans, reliability",
        ),
        "slope": (lambda drawn: _line(drawn, name)[0], too_few),
        "intercept": (lambda drawn: _line(drawn, name)[1], too_few),
    }
    numbers: dict[str, tuple[Statistic, str]] = {
        "kappa": (lambda drawn: _kappa(drawn.pairs_with_humans(drawn.raters[name])), too_few),
        "difference": (lambda drawn: _difference(drawn, name), too_few),
    }
    estimates = {}
    for measure, (statistic, reason) in (statistics | numbers).items():
        if measure in numbers and not same_scale:
            estimates[measure] = {"value": None, "low": None, "high": None, "n": n_both, "reason": scale}
        else:
            estimates[measure] = _interval(comparison, bootstrap, statistic, n_both, reason)
    if controls is not None:
        estimates["partial"] = bootstrap.interval(
            lambda index: partial_correlation(comparison.raters[name][index], comparison.mean[index], controls[index]),
            comparison.n,
            reason="too few people have both scores and all controls",
        ) | {"n": int((~np.isnan(comparison.mean + comparison.raters[name]) & ~np.isnan(controls).any(axis=1)).sum())}
    return [_row(comparison, name, measure, values) for measure, values in estimates.items()]


def pearson(a: Floats, b: Floats) -> float:
    """Return Pearson's correlation of what is known of both; NaN for fewer than three pairs or no variance.

    Examples
    --------
    >>> round(pearson(np.array([1.0, 2, 3, np.nan]), np.array([2.0, 4, 6, 1])), 6)
    1.0
    """
    index = ~np.isnan(a) & ~np.isnan(b)
    if index.sum() < MIN_PAIRS:
        return float("nan")
    x, y = a[index] - a[index].mean(), b[index] - b[index].mean()
    size = float(np.sqrt(np.square(x).sum() * np.square(y).sum()))
    return float(x @ y / size) if size > 1e-12 else float("nan")


def spearman(a: Floats, b: Floats) -> float:
    """Return Spearman's rank correlation, ties sharing their mean rank; NaN as in `pearson`."""
    from scipy.stats import rankdata

    index = ~np.isnan(a) & ~np.isnan(b)
    return pearson(rankdata(a[index]), rankdata(b[index]))


def _kappa(pairs: ScorePairs) -> float:
    return weighted_kappa(*pairs) if len(pairs.first) >= MIN_PAIRS else float("nan")


def _difference(comparison: TraitComparison, name: str) -> float:
    gap = comparison.raters[name] - comparison.mean
    known = gap[~np.isnan(gap)]
    return float(known.mean()) if len(known) else float("nan")


def _line(comparison: TraitComparison, name: str) -> tuple[float, float]:
    """Return slope and intercept of the humans' mean on a rater's score."""
    x, y = comparison.raters[name], comparison.mean
    index = ~np.isnan(x) & ~np.isnan(y)
    if index.sum() < MIN_PAIRS or np.ptp(x[index]) == 0:
        return float("nan"), float("nan")
    slope = float(np.cov(x[index], y[index])[0, 1] / x[index].var(ddof=1))
    return slope, float(y[index].mean() - slope * x[index].mean())


def _corrected(comparison: TraitComparison, name: str, reliability: float | None) -> float:
    """Return the correlation with the humans' mean over the root of that mean's reliability (Spearman 1904)."""
    known = reliability if reliability is not None else mean_reliability(comparison.humans)
    return pearson(comparison.raters[name], comparison.mean) / float(np.sqrt(known)) if known > 0 else float("nan")
