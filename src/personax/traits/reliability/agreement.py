"""How far raters agree, what they refused, how they use the scale. Agreement is not validity: all may err together."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from personax.schema import STATUSES, TRAITS
from personax.traits.ratings import Floats
from personax.traits.reliability.resampling import rounded

__all__ = ["agreement", "alpha_interval", "krippendorff_alpha", "weighted_kappa"]


def agreement(annotations: pl.DataFrame, *, rng: np.random.Generator, bootstraps: int = 200) -> dict[str, Any]:
    """Return agreement by trait, pairwise kappas and every rater's habits, as agreement.json holds them.

    Parameters
    ----------
    annotations
        Rows of annotations.parquet.
    rng
        For the bootstrap over people.
    bootstraps
        How many; the interval is the central 95 %.

    Returns
    -------
    dict
        ``traits``: Krippendorff's ordinal alpha with interval, or null with a reason; ``raters``: counts by status,
        mean score and histogram; ``pairs``: quadratically weighted kappa.
    """
    models = annotations["model"].unique(maintain_order=True).to_list()
    traits, pairs = {}, []
    for trait in TRAITS:
        scores = _matrix(annotations.filter(pl.col("trait") == trait), models)
        traits[trait] = alpha_interval(scores, rng, bootstraps)
        pairs += [
            _pair(trait, models[i], models[j], scores[i], scores[j]) for i, j in combinations(range(len(models)), 2)
        ]
    return {"traits": traits, "raters": {model: _habits(annotations, model) for model in models}, "pairs": pairs}


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
    counts = _counts(scores)
    return _alpha_of(counts, np.ones(len(counts)))


def _counts(scores: Floats) -> Floats:
    """Return how often each person with two scores or more was given each value, shape (people, values)."""
    kept = scores[:, (~np.isnan(scores)).sum(axis=0) >= 2]
    values = np.unique(kept[~np.isnan(kept)])
    return np.stack([(kept == value).sum(axis=0) for value in values], axis=1) if len(values) else np.empty((0, 0))


def _alpha_of(counts: Floats, weight: Floats) -> float:
    """Return alpha of people who count ``weight`` times each."""
    if len(counts) == 0:
        return float("nan")
    per = counts.sum(axis=1)
    scaled = counts * (weight / (per - 1))[:, None]
    coincidences = scaled.T @ counts - np.diag(scaled.sum(axis=0))
    total = coincidences.sum(axis=1)
    # the ordinal distance of two values: the values between them, and half of both, squared
    below = np.cumsum(total) - total / 2
    distance = np.square(below[:, None] - below[None, :])
    n = total.sum()
    expected = float(total @ distance @ total / (n - 1))
    return 1.0 - float((coincidences * distance).sum()) / expected if expected > 0 else float("nan")


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


def alpha_interval(scores: Floats, rng: np.random.Generator, bootstraps: int = 200) -> dict[str, Any]:
    """Return Krippendorff's alpha of scores of shape (raters, people) with an interval over people, or a reason."""
    counts = _counts(scores)
    facts = {"n_people": len(counts), "n_raters": int((~np.isnan(scores)).any(axis=1).sum())}
    reason = None
    if len(counts) < 2:
        reason = "fewer than two people have two scores"
    elif counts.shape[1] < 2:
        reason = "every score is the same"
    if reason:
        return {"alpha": None, "alpha_low": None, "alpha_high": None, **facts, "reason": reason}
    # most people have the same few scores: their patterns are counted, and a bootstrap draws counts
    patterns, number = np.unique(counts, axis=0, return_counts=True)
    share = number / number.sum()
    draws = np.array(
        [_alpha_of(patterns, drawn) for drawn in rng.multinomial(len(counts), share, size=bootstraps).astype(float)]
    )
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [0.025, 0.975]) if len(draws) else (None, None)
    interval = {"alpha_low": rounded(low), "alpha_high": rounded(high)}
    return {"alpha": rounded(_alpha_of(patterns, number.astype(float))), **interval, **facts, "reason": None}


def _pair(trait: str, a: str, b: str, first: Floats, second: Floats) -> dict[str, Any]:
    both = ~np.isnan(first) & ~np.isnan(second)
    kappa = weighted_kappa(first[both], second[both]) if both.sum() >= 2 else float("nan")
    return {"trait": trait, "a": a, "b": b, "kappa": rounded(kappa), "n": int(both.sum())}


def _habits(annotations: pl.DataFrame, model: str) -> dict[str, Any]:
    rows = annotations.filter(pl.col("model") == model)
    counts: dict[str, int] = dict(rows.group_by("status").len().iter_rows())
    scored = rows.filter(pl.col("status") == "ok")
    by_trait = {trait: scored.filter(pl.col("trait") == trait)["score"] for trait in TRAITS}
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
