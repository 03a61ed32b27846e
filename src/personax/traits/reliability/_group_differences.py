"""Whether raters are the same for all groups of people: agreement, silence and scores within groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from personax.traits._ratings import Floats
from personax.traits.reliability._agreement import alpha_interval
from personax.traits.reliability._rating_array import Bootstrap, RatingArray, rounded

__all__ = ["MAX_GROUPS", "MIN_GROUP_SIZE", "group_indicators", "group_labels", "group_statistics"]

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


def group_indicators(groups: Mapping[str, pl.Series], n: int) -> Floats:
    """Return a column of 0 and 1 for every group but the largest of each grouping, shape (people, columns).

    Groups of fewer than ten people, and people without a group, count with the largest.

    Examples
    --------
    >>> group_indicators({"league": pl.Series(["A"] * 20 + ["B"] * 10 + ["C"])}, 31).sum(axis=0)
    array([10.])
    """
    columns = []
    for values in groups.values():
        labels = np.array([name or "" for name in group_labels(values)])
        names, number = np.unique(labels[labels != ""], return_counts=True)
        order = np.argsort(-number, kind="stable")
        columns += [(labels == names[g]).astype(float) for g in order[1:] if number[g] >= MIN_GROUP_SIZE]
    return np.column_stack(columns) if columns else np.zeros((n, 0))


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
