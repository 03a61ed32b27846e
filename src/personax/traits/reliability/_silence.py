"""Silence: which raters give no score about people of one group more often than of another, and what that moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import chi2_contingency

from personax.statistics import holm
from personax.traits._ratings import SILENCE
from personax.traits.reliability._group_differences import MIN_GROUP_SIZE, group_labels

__all__ = ["silence_by_group"]


def silence_by_group(
    annotations: pl.DataFrame, people: Sequence[str], groups: Mapping[str, pl.Series]
) -> list[dict[str, Any]]:
    """Return for each rater and grouping whether its silence depends on the group.

    Parameters
    ----------
    annotations
        Rows of annotations.parquet. A rater is silent about a person where it was asked and chose to give no score
        for at least one trait; what failed or was not asked is no silence.
    people
        Ids, in the order of ``groups``.
    groups
        Column -> everybody's value.

    Returns
    -------
    list of dict
        ``by``, ``rater``, ``p_value`` (chi-square over people), ``p_corrected`` (Holm, over all), ``shares``: group of
        at least ten people -> share of them about whom the rater is silent.
    """
    asked = annotations.filter(pl.col("status").is_in(["ok", *SILENCE]))
    silent = asked.group_by("model", "person", maintain_order=True).agg(
        (pl.col("status") != "ok").any().alias("silent")
    )
    found = []
    for name, values in groups.items():
        group = pl.DataFrame(
            {"person": list(people), "group": group_labels(values)}, schema_overrides={"group": pl.String}
        )
        counts = (
            silent.join(group, on="person").drop_nulls("group").group_by("model", "group")
            .agg(pl.col("silent").sum().alias("silent"), pl.len().alias("people"))
            .filter(pl.col("people") >= MIN_GROUP_SIZE).sort("group")
        )  # fmt: skip
        for rater in annotations["model"].unique(maintain_order=True):
            own = counts.filter(pl.col("model") == rater)
            table = np.array([own["silent"], own["people"] - own["silent"]], dtype=float)
            if own.height > 1 and (table.sum(axis=1) > 0).all():
                p = float(chi2_contingency(table, correction=False).pvalue)
                shares = dict(zip(own["group"], own["silent"] / own["people"], strict=True))
                found.append({"by": name, "rater": rater, "p_value": p, "shares": shares})
    for one, corrected in zip(found, holm([one["p_value"] for one in found]), strict=True):
        one["p_corrected"] = corrected
    return found
