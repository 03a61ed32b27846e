"""How far raters agree, what they refused, how they use the scale. Agreement is not validity: all may err together."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from personax.schema import STATUSES, TRAITS
from personax.traits.ratings import Floats
from personax.traits.reliability.alpha import alpha_interval
from personax.traits.reliability.resampling import rounded

__all__ = ["agreement", "weighted_kappa"]


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
