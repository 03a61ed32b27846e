"""How far raters agree, what they refused, how they use the scale. Agreement is not validity: all may err together."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import require
from personax.schema import STATUSES, TRAITS

__all__ = ["agreement", "krippendorff_alpha", "weighted_kappa"]

Scores = NDArray[np.float64]


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

    Raises
    ------
    MissingExtraError
        When the package krippendorff is not installed.
    """
    models = annotations["model"].unique(maintain_order=True).to_list()
    traits, pairs = {}, []
    for trait in TRAITS:
        scores = _matrix(annotations.filter(pl.col("trait") == trait), models)
        traits[trait] = _alpha(scores, rng, bootstraps)
        pairs += [
            _pair(trait, models[i], models[j], scores[i], scores[j]) for i, j in combinations(range(len(models)), 2)
        ]
    return {"traits": traits, "raters": {model: _habits(annotations, model) for model in models}, "pairs": pairs}


def krippendorff_alpha(scores: Scores) -> float:
    """Return Krippendorff's alpha for ordinal scores, shape (raters, people), NaN where there is none.

    References
    ----------
    Krippendorff 2011, "Computing Krippendorff's alpha-reliability", University of Pennsylvania.
    """
    values = np.unique(scores[~np.isnan(scores)])
    counts = np.stack([(scores == value).sum(axis=0) for value in values], axis=1)
    return float(
        require("krippendorff", extra="traits").alpha(
            value_counts=counts, value_domain=values.tolist(), level_of_measurement="ordinal"
        )
    )


def weighted_kappa(a: Scores, b: Scores) -> float:
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


def _matrix(rows: pl.DataFrame, models: list[str]) -> Scores:
    """Return scores, shape (raters, people), the mean over repeats, NaN where there is none."""
    people = rows["person"].unique(maintain_order=True)
    place = {person: index for index, person in enumerate(people)}
    scores = np.full((len(models), len(people)), np.nan)
    means = rows.filter(pl.col("status") == "ok").group_by("person", "model").agg(pl.col("score").mean())
    for person, model, score in means.iter_rows():
        scores[models.index(model), place[person]] = score
    return scores


def _alpha(scores: Scores, rng: np.random.Generator, bootstraps: int) -> dict[str, Any]:
    rated = scores[:, (~np.isnan(scores)).sum(axis=0) >= 2]
    facts = {"n_people": rated.shape[1], "n_raters": int((~np.isnan(scores)).any(axis=1).sum())}
    reason = None
    if rated.shape[1] < 2:
        reason = "fewer than two people have two scores"
    elif len(np.unique(rated[~np.isnan(rated)])) < 2:
        reason = "every score is the same"
    if reason:
        return {"alpha": None, "alpha_low": None, "alpha_high": None, **facts, "reason": reason}
    draws = []
    for _ in range(bootstraps):
        sample = rated[:, rng.integers(rated.shape[1], size=rated.shape[1])]
        if len(np.unique(sample[~np.isnan(sample)])) > 1:
            draws.append(krippendorff_alpha(sample))
    low, high = np.quantile(draws, [0.025, 0.975]) if draws else (None, None)
    interval = {"alpha_low": _rounded(low), "alpha_high": _rounded(high)}
    return {"alpha": _rounded(krippendorff_alpha(rated)), **interval, **facts, "reason": None}


def _pair(trait: str, a: str, b: str, first: Scores, second: Scores) -> dict[str, Any]:
    both = ~np.isnan(first) & ~np.isnan(second)
    kappa = weighted_kappa(first[both], second[both]) if both.sum() >= 2 else float("nan")
    return {"trait": trait, "a": a, "b": b, "kappa": _rounded(kappa), "n": int(both.sum())}


def _habits(annotations: pl.DataFrame, model: str) -> dict[str, Any]:
    rows = annotations.filter(pl.col("model") == model)
    counts: dict[str, int] = dict(rows.group_by("status").len().iter_rows())
    scored = rows.filter(pl.col("status") == "ok")
    by_trait = {trait: scored.filter(pl.col("trait") == trait)["score"] for trait in TRAITS}
    return {
        "n": rows.height,
        **{status: counts.get(status, 0) for status in STATUSES},
        "mean": _rounded(scored["score"].mean()),
        "trait_means": {trait: _rounded(scores.mean()) for trait, scores in by_trait.items()},
        "histogram": {trait: _histogram(scores) for trait, scores in by_trait.items()},
    }


def _histogram(scores: pl.Series) -> dict[str, int]:
    counts = scores.value_counts().sort(scores.name)
    return {f"{score:g}": number for score, number in counts.iter_rows()}


def _rounded(value: Any) -> float | None:  # noqa: ANN401 - polars' mean is typed as anything
    return None if value is None or np.isnan(value) else round(float(value), 6)
