"""How each rater rates: how severe, how steady, how much of the scale it uses, whether the order of levels moves it."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from personax.traits._ratings import Floats, nan_mean
from personax.traits.reliability._agreement import icc
from personax.traits.reliability._rating_array import Bootstrap, RatingArray, rounded

__all__ = ["missing_rates", "position_effect", "rater_effects", "retest_reliability", "scale_use", "severity"]


def severity(scores: Floats, rater: int, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return how far a rater lies above the mean of the others about the same people; shape (raters, people)."""
    others = np.delete(scores, rater, axis=0)
    both = ~np.isnan(scores[rater]) & (~np.isnan(others)).any(axis=0)
    gap = scores[rater, both] - nan_mean(others[:, both], axis=0)
    return bootstrap.interval(
        lambda index: float(gap[index].mean()), int(both.sum()), reason="nobody was scored by it and by another"
    )


def retest_reliability(scores: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return ICC(2,1) over repeats of one rater, shape (people, repeats), and the share of pairs that are the same."""
    complete = scores[~np.isnan(scores).any(axis=1)] if scores.shape[1] else scores
    if scores.shape[1] < 2:
        return bootstrap.interval(lambda index: float("nan"), 0, reason="it was asked once") | {"same": None}
    pairs = list(combinations(range(scores.shape[1]), 2))
    same = np.mean([complete[:, i] == complete[:, j] for i, j in pairs]) if len(complete) else np.nan
    estimate = bootstrap.interval(
        lambda index: icc(complete[index].T).single,
        len(complete),
        reason="its scores do not differ between people",
    )
    return estimate | {"same": rounded(float(same))}


def scale_use(scores: Floats, levels: Floats) -> dict[str, Any]:
    """Return the share of each level, of the two ends, and the evenness (entropy over its largest) of a rater's scores.

    Parameters
    ----------
    scores
        Any shape; NaN is passed over.
    levels
        The levels that anybody used.
    """
    known = scores[~np.isnan(scores)]
    if not len(known) or len(levels) < 2:
        return {"levels": {}, "ends": None, "evenness": None}
    nearest = np.abs(known[:, None] - levels[None, :]).argmin(axis=1)
    share = np.bincount(nearest, minlength=len(levels)) / len(known)
    some = share[share > 0]
    return {
        "levels": {f"{level:g}": rounded(value) for level, value in zip(levels, share, strict=True)},
        "ends": rounded(share[0] + share[-1]),
        "evenness": rounded(float(-(some * np.log(some)).sum() / np.log(len(levels)))),
    }


def missing_rates(annotations: pl.DataFrame, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the share of answers "insufficient information" and of all answers without a score, of one rater.

    Intervals are over people.
    """
    requested = annotations.filter(~pl.col("status").is_in(["failed", "not_asked"]))
    by_person = requested.group_by("person", maintain_order=True).agg(
        pl.len().alias("n"),
        (pl.col("status") == "insufficient").sum().alias("zeros"),
        (pl.col("status") != "ok").sum().alias("unscored"),
    )
    zeros, unscored, number = (by_person[name].to_numpy().astype(float) for name in ("zeros", "unscored", "n"))
    rates = bootstrap.intervals(
        lambda index: [zeros[index].sum() / number[index].sum(), unscored[index].sum() / number[index].sum()],
        len(number),
        reason="it gave no answer",
    )
    return {"zeros": rates[0], "unscored": rates[-1]}


def position_effect(annotations: pl.DataFrame, bootstrap: Bootstrap) -> dict[str, dict[str, Any]]:
    """Return, by rater, the mean score when levels are listed upwards less that when listed downwards.

    Only people asked in both ways count, by prompts of one format.
    """
    ways = annotations.filter(pl.col("status") == "ok").with_columns(
        pl.col("prompt").str.extract(r"-(increasing|decreasing)").alias("order"),
        pl.col("prompt").str.extract(r"^(.*)-(?:increasing|decreasing)").alias("format"),
    )
    keys = ["model", "person", "trait", "format"]
    mean = ways.group_by([*keys, "order"]).agg(pl.col("score").mean())
    up, down = (mean.filter(pl.col("order") == order).drop("order") for order in ("increasing", "decreasing"))
    both = up.join(down, on=keys, suffix="_down").sort(keys)
    gaps = both.group_by("model", "person", maintain_order=True).agg((pl.col("score") - pl.col("score_down")).mean())
    by_model = {
        model: gaps.filter(pl.col("model") == model)["score"].to_numpy() for model in annotations["model"].unique()
    }
    return {model: _mean_gap(gap, bootstrap) for model, gap in by_model.items()}


def _mean_gap(gap: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    reason = "levels were listed in one order only"
    return bootstrap.interval(lambda index: float(gap[index].mean()), len(gap), reason=reason)


def rater_effects(ratings: RatingArray, annotations: pl.DataFrame, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return severity, test-retest, use of the scale, silence and position effect of every rater."""
    known = np.unique(ratings.scores[~np.isnan(ratings.scores)])
    levels = known[known == np.round(known)]
    order = position_effect(annotations, bootstrap) if "prompt" in annotations.columns else {}
    effects = {}
    for place, rater in enumerate(ratings.raters):
        own = annotations.filter(pl.col("model") == rater)
        effects[rater] = {
            "severity": {t: severity(ratings.trait(t), place, bootstrap) for t in ratings.traits},
            "retest": {
                t: retest_reliability(ratings.scores[place, i], bootstrap) for i, t in enumerate(ratings.traits)
            },
            "scale": {t: scale_use(ratings.scores[place, i], levels) for i, t in enumerate(ratings.traits)},
            **missing_rates(own, bootstrap),
            "position": order.get(rater),
        }
    return effects
