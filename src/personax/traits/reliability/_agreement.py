"""Agreement of raters: Krippendorff's alpha, intraclass correlations, kappa, refusals and use of the scale.

The ordinal distance of two values is the squared difference of their mean ranks among all scores. Sums over pairs of
squared differences follow from a count, a sum and a sum of squares, so that no table of values by values is made, and
scores may be as many different numbers as they like.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.results import Result
from personax.schema import STATUSES, TraitFramework
from personax.traits._frameworks import BIG_FIVE
from personax.traits._ratings import Floats
from personax.traits.reliability._rating_array import rounded

__all__ = [
    "AgreementReport",
    "IntraclassCorrelation",
    "agreement",
    "alpha_interval",
    "icc",
    "krippendorff_alpha",
    "weighted_kappa",
]


MISSING_CODE: Final = np.iinfo(np.int64).max
"""In the place of a score that is not there; sorted behind all others."""


@dataclass(frozen=True)
class _Patterns:
    """People with two scores or more, those with the same scores once.

    Parameters
    ----------
    number
        How many people have each pattern.
    pattern, value
        Of every score: whose it is, and which value it is, the least 0.
    """

    number: NDArray[np.intp]
    pattern: NDArray[np.intp]
    value: NDArray[np.intp]

    @property
    def values(self) -> int:
        """How many different values there are."""
        return int(self.value.max()) + 1 if len(self.value) else 0


def krippendorff_alpha(scores: Floats) -> float:
    """Return Krippendorff's alpha for ordinal scores; NaN where fewer than two of the scores that count differ.

    Parameters
    ----------
    scores
        Shape (raters, people), NaN where there is none; people with one score do not count.

    References
    ----------
    Krippendorff 2011, "Computing Krippendorff's alpha-reliability", University of Pennsylvania.

    Examples
    --------
    >>> krippendorff_alpha(np.array([[1.0, 2, 3], [1, 2, 3]]))
    1.0
    """
    patterns = _patterns(scores)
    return _alpha(patterns, patterns.number)


def _patterns(scores: Floats) -> _Patterns:
    rated = scores[:, (~np.isnan(scores)).sum(axis=0) >= 2]
    there = ~np.isnan(rated)
    codes = np.full(rated.shape, MISSING_CODE)
    codes[there] = np.unique(rated[there], return_inverse=True)[1]
    # which rater gave which score does not matter
    rows, number = np.unique(np.sort(codes, axis=0).T, axis=0, return_counts=True)
    rows, number = rows[::-1], number[::-1]
    pattern, rater = np.nonzero(rows < MISSING_CODE)
    return _Patterns(number, pattern, rows[pattern, rater])


def _alpha(patterns: _Patterns, number: NDArray[np.intp]) -> float:
    """Return alpha where ``number`` people have each pattern of scores."""
    if not len(number):
        return float("nan")
    # alpha = 1 - D_o / D_e, the observed over the expected disagreement of pairs of scores. The ordinal distance of two
    # values is (r_a - r_b)^2, with r the mean rank of a value among all n scores. The m scores of one person make
    # m (m - 1) ordered pairs, weighted by 1 / (m - 1), and sum over ordered pairs (r_a - r_b)^2 = 2 (m sum r^2 - (sum
    # r)^2): n D_o = 2 sum over people (m sum r^2 - (sum r)^2) / (m - 1). Taking all n scores as one person's gives D_e.
    # The factors 2 and n, and any scale and shift of r, cancel.
    totals = np.bincount(patterns.value, weights=number[patterns.pattern])
    # twice the rank less its mean, a whole number: sums are exact
    ranks = 2 * np.cumsum(totals) - totals - totals.sum()
    own = ranks[patterns.value]
    per, sums, squares = (
        np.bincount(patterns.pattern, weights=each) for each in (np.ones(len(own)), own, np.square(own))
    )
    observed = float((number * (per * squares - np.square(sums)) / (per - 1)).sum())
    n = totals.sum()
    expected = float((n * (totals @ np.square(ranks)) - np.square(totals @ ranks)) / (n - 1)) if n > 1 else 0.0
    return 1.0 - observed / expected if expected > 0 else float("nan")


def alpha_interval(scores: Floats, rng: np.random.Generator, bootstraps: int = 200) -> dict[str, Any]:
    """Return Krippendorff's alpha of scores of shape (raters, people) with an interval over people, or a reason."""
    patterns = _patterns(scores)
    people = int(patterns.number.sum())
    facts = {"n_people": people, "n_raters": int((~np.isnan(scores)).any(axis=1).sum())}
    reason = None
    if people < 2:
        reason = "fewer than two people have two scores"
    elif patterns.values < 2:
        reason = "every score is the same"
    if reason:
        return {"alpha": None, "alpha_low": None, "alpha_high": None, **facts, "reason": reason}
    # most people have the same few scores: a bootstrap draws how many have each pattern
    drawn = rng.multinomial(people, patterns.number / people, size=bootstraps)
    draws = np.array([_alpha(patterns, number) for number in drawn])
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [0.025, 0.975]) if len(draws) else (None, None)
    interval = {"alpha_low": rounded(low), "alpha_high": rounded(high)}
    return {"alpha": rounded(_alpha(patterns, patterns.number)), **interval, **facts, "reason": None}


@dataclass(frozen=True)
class IntraclassCorrelation:
    """Two-way random effects, absolute agreement (2) and consistency (3), of one rater and of the mean of all.

    NaN where people or scores do not differ.
    """

    single: float
    average: float
    consistent_single: float
    consistent_average: float


def icc(scores: Floats) -> IntraclassCorrelation:
    """Return ICC(2,1), ICC(2,k), ICC(3,1) and ICC(3,k) of complete scores, shape (raters, people).

    References
    ----------
    Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420.

    Examples
    --------
    >>> judges = np.array([[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7.0]])
    >>> round(icc(judges).single, 2), round(icc(judges).average, 2), round(icc(judges).consistent_average, 2)
    (0.29, 0.62, 0.91)
    """
    k, n = scores.shape
    if k < 2 or n < 2:
        return IntraclassCorrelation(*[float("nan")] * 4)
    # Mean squares of the two-way layout x_ri = mu + rater_r + person_i + e_ri:
    # E[people] = s_e + k s_person, E[raters] = s_e + n s_rater, E[error] = s_e. ICC(2,1) = s_person / (s_person +
    # s_rater + s_e) and its average over k raters put the mean squares in the place of their expectations; (3) leaves
    # s_rater out.
    grand = scores.mean()
    people = k * np.square(scores.mean(axis=0) - grand).sum() / (n - 1)
    raters = n * np.square(scores.mean(axis=1) - grand).sum() / (k - 1)
    left = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + grand
    error = np.square(left).sum() / ((n - 1) * (k - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        coefficients = [
            (people - error) / (people + (k - 1) * error + k * (raters - error) / n),
            (people - error) / (people + (raters - error) / n),
            (people - error) / (people + (k - 1) * error),
            (people - error) / people,
        ]
    return IntraclassCorrelation(
        *[float(value) if people > 1e-12 and np.isfinite(value) else float("nan") for value in coefficients]
    )


class AgreementReport(dict[str, Any], Result):
    """Agreement of raters, as agreement.json holds it; see `agreement`."""

    def to_frame(self) -> pl.DataFrame:
        """Return a row a trait: alpha with interval, numbers of people and raters, the reason where there is none."""
        numbers = dict.fromkeys(("alpha", "alpha_low", "alpha_high"), pl.Float64)
        counts = dict.fromkeys(("n_people", "n_raters"), pl.Int64)
        schema = {"trait": pl.String, **numbers, **counts, "reason": pl.String}
        return pl.DataFrame([{"trait": trait, **row} for trait, row in self["traits"].items()], schema=schema)


def agreement(
    annotations: pl.DataFrame, *, rng: np.random.Generator, bootstraps: int = 200, framework: TraitFramework = BIG_FIVE
) -> AgreementReport:
    """Return agreement by trait, pairwise kappas and every rater's use of statuses and scale.

    Parameters
    ----------
    annotations
        Rows of annotations.parquet.
    rng
        For the bootstrap over people.
    bootstraps
        How many; the interval is the central 95 %.
    framework
        Whose traits were scored.

    Returns
    -------
    AgreementReport
        ``traits``: Krippendorff's ordinal alpha with interval, or null with a reason; ``raters``: counts by status,
        mean score and histogram; ``pairs``: quadratically weighted kappa.
    """
    models = annotations["model"].unique(maintain_order=True).to_list()
    traits, pairs = {}, []
    for trait in framework.names:
        scores = _matrix(annotations.filter(pl.col("trait") == trait), models)
        traits[trait] = alpha_interval(scores, rng, bootstraps)
        pairs += [
            _pair(trait, models[i], models[j], scores[i], scores[j]) for i, j in combinations(range(len(models)), 2)
        ]
    raters = {model: _rater_summary(annotations, model, framework) for model in models}
    return AgreementReport(traits=traits, raters=raters, pairs=pairs)


def weighted_kappa(a: Floats, b: Floats) -> float:
    """Return Cohen's kappa with quadratic weights; NaN when both raters give one and the same score throughout.

    References
    ----------
    Cohen 1968, doi:10.1037/h0026256.

    Examples
    --------
    >>> weighted_kappa(np.array([1.0, 2, 3, 3]), np.array([1.0, 2, 3, 3]))
    1.0
    """
    expected = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    return 1.0 - float(np.square(a - b).mean() / expected) if expected > 0 else float("nan")


def _matrix(rows: pl.DataFrame, models: list[str]) -> Floats:
    """Return scores, shape (raters, people), the mean over repeats, NaN where there is none."""
    people = rows["person"].unique(maintain_order=True)
    place = {person: index for index, person in enumerate(people)}
    scores = np.full((len(models), len(people)), np.nan)
    means = rows.filter(pl.col("status") == "ok").group_by("person", "model").agg(pl.col("score").mean())
    for person, model, score in means.iter_rows():
        scores[models.index(model), place[person]] = score
    return scores


def _pair(trait: str, a: str, b: str, first: Floats, second: Floats) -> dict[str, Any]:
    both = ~np.isnan(first) & ~np.isnan(second)
    kappa = weighted_kappa(first[both], second[both]) if both.sum() >= 2 else float("nan")
    return {"trait": trait, "a": a, "b": b, "kappa": rounded(kappa), "n": int(both.sum())}


def _rater_summary(annotations: pl.DataFrame, model: str, framework: TraitFramework) -> dict[str, Any]:
    rows = annotations.filter(pl.col("model") == model)
    counts: dict[str, int] = dict(rows.group_by("status").len().iter_rows())
    scored = rows.filter(pl.col("status") == "ok")
    by_trait = {trait: scored.filter(pl.col("trait") == trait)["score"] for trait in framework.names}
    return {
        "n": rows.height,
        **{status: counts.get(status, 0) for status in STATUSES},
        "mean": _mean(scored["score"]),
        "trait_means": {trait: _mean(scores) for trait, scores in by_trait.items()},
        "histogram": {trait: _histogram(scores) for trait, scores in by_trait.items()},
    }


def _histogram(scores: pl.Series) -> dict[str, int]:
    counts = scores.value_counts().sort(scores.name)
    return {f"{score:g}": number for score, number in counts.iter_rows()}


def _mean(scores: pl.Series) -> float | None:
    mean = scores.cast(pl.Float64).mean()
    return rounded(mean) if isinstance(mean, float) else None
