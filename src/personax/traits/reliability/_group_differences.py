"""Whether raters are the same for all groups of people: agreement, silence, scores and differential functioning.

Differential functioning compares a rater with the other raters about the same people. A bias that all raters share is
not seen by it; the stereotype audit (`counterfactual_audit`) looks for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from personax.traits._ratings import Floats
from personax.traits.reliability._agreement import alpha_interval
from personax.traits.reliability._rating_array import Bootstrap, RatingArray, rounded

__all__ = ["MAX_GROUPS", "differential_functioning", "group_labels", "group_statistics"]

MAX_GROUPS: Final = 12
"""A column with more levels is no grouping."""

MIN_GROUP_SIZE: Final = 10
"""People in a group below which nothing is said of it."""

QUANTILE_GROUPS: Final = 4


def group_labels(column: pl.Series) -> list[str | None]:
    """Return everybody's group; numbers of many values become quarters of equal size, named by their ends.

    Examples
    --------
    >>> group_labels(pl.Series("year", list(range(1900, 2000))))[:1]
    ['1900 to 1924']
    """
    known = column.drop_nulls()
    if not column.dtype.is_numeric() or known.n_unique() <= MAX_GROUPS:
        return [None if value is None else str(value) for value in column]
    cuts = np.unique(np.quantile(known.to_numpy(), np.arange(1, QUANTILE_GROUPS) / QUANTILE_GROUPS))
    values = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    place = np.searchsorted(cuts, values, side="right")
    names = []
    for band in range(len(cuts) + 1):
        inside = values[(place == band) & ~np.isnan(values)]
        names.append(f"{inside.min():g} to {inside.max():g}" if len(inside) else "")
    return [None if np.isnan(value) else names[band] for value, band in zip(values, place, strict=True)]


def group_statistics(
    ratings: RatingArray, unscored: Floats, groups: Sequence[str | None], bootstrap: Bootstrap
) -> list[dict[str, Any]]:
    """Return for each group of at least ten people and each trait: alpha, share without a score, each rater's mean.

    Parameters
    ----------
    ratings, groups
        Scores, and everybody's group.
    unscored
        Share of the answers about a person without a score, shape (traits, people), NaN where nobody was asked.
    """
    rows = []
    labels = np.array([name or "" for name in groups])
    for group in sorted({name for name in groups if name}):
        inside = labels == group
        if inside.sum() < MIN_GROUP_SIZE:
            continue
        for place, trait in enumerate(ratings.traits):
            scores = ratings.trait(trait)[:, inside]
            share = unscored[place, inside]
            share = share[~np.isnan(share)]
            rows.append(
                {
                    "group": group,
                    "trait": trait,
                    "people": int(inside.sum()),
                    "alpha": alpha_interval(scores, bootstrap.rng, bootstrap.n_resamples),
                    "unscored": _share(share, bootstrap),
                    "means": {r: rounded(_mean(scores[i])) for i, r in enumerate(ratings.raters)},
                }
            )
    return rows


def _share(share: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    return bootstrap.interval(lambda kept: float(share[kept].mean()), len(share), reason="nobody was asked")


def _mean(scores: Floats) -> float:
    known = scores[~np.isnan(scores)]
    return float(known.mean()) if len(known) else float("nan")


def differential_functioning(
    scores: Floats, raters: Sequence[str], groups: Sequence[str | None]
) -> list[dict[str, Any]]:
    """Return for each rater whether it scores groups differently than the other raters do, by linear regression.

    A rater's score is regressed on the mean of the others and on the groups of at least ten people; the F test is of
    the groups (uniform differential functioning), the effect the R squared that they add, and ``shifts`` each group's
    adjusted score less the mean of all groups' adjusted scores.

    Parameters
    ----------
    scores
        One trait, shape (raters, people).

    References
    ----------
    Swaminathan and Rogers 1990, doi:10.1111/j.1745-3984.1990.tb00754.x (with a logistic, here a linear regression, as
    scores are means over repeats).
    """
    return [{"rater": rater, **_differs(scores, place, groups)} for place, rater in enumerate(raters)]


def _differs(scores: Floats, rater: int, groups: Sequence[str | None]) -> dict[str, Any]:
    others = np.delete(scores, rater, axis=0)
    labels = np.array([name or "" for name in groups])
    known = ~np.isnan(scores[rater]) & (~np.isnan(others)).any(axis=0) & (labels != "")
    names, place, number = np.unique(labels[known], return_inverse=True, return_counts=True)
    large = number >= MIN_GROUP_SIZE
    at = np.flatnonzero(known)[large[place]]
    names = names[large]
    if len(names) < 2:
        reason = f"fewer than two groups have {MIN_GROUP_SIZE} people scored by it and by another"
        return {"p_value": None, "effect": None, "shifts": {}, "n": len(at), "reason": reason}
    seen = ~np.isnan(others[:, at])
    rest = np.where(seen, others[:, at], 0.0).sum(axis=0) / seen.sum(axis=0)
    y, dummies = scores[rater, at], (labels[at][:, None] == names[None, :]).astype(float)
    small = np.column_stack([np.ones(len(at)), rest])
    large_x = np.column_stack([rest - rest.mean(), dummies])
    (_, before), (beta, after) = _fit(small, y), _fit(large_x, y)
    total, dof = float(np.square(y - y.mean()).sum()), len(at) - np.linalg.matrix_rank(large_x)
    if total < 1e-12 or dof < 1 or after < 1e-12:
        return {"p_value": None, "effect": None, "shifts": {}, "n": len(at), "reason": "its scores do not vary"}
    from scipy.special import fdtrc

    extra = len(names) - 1
    f = max(before - after, 0.0) / extra / (after / dof)
    level = beta[1:] - beta[1:].mean()
    return {
        "p_value": float(fdtrc(extra, dof, f)),
        "effect": rounded(max(before - after, 0.0) / total),
        "shifts": {str(name): rounded(value) for name, value in zip(names, level, strict=True)},
        "n": len(at),
        "reason": None,
    }


def _fit(x: Floats, y: Floats) -> tuple[Floats, float]:
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    return np.asarray(beta), float(np.square(y - x @ beta).sum())
