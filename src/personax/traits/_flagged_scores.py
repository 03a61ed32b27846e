"""Scores beside words of doubt: how many there are, of whom, and what becomes of the result without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.stats import chi2_contingency

from personax.statistics import holm
from personax.traits._aggregate import AggregatedScores, aggregate_ratings

__all__ = ["flag_report", "uneven_shares", "without_flagged"]

MIN_GROUP: Final = 10
"""Answers of a group of people below which its share of flags is not compared."""


def without_flagged(annotations: pl.DataFrame) -> pl.DataFrame:
    """Return annotations in which a flagged score does not count: its status is its flag.

    Examples
    --------
    >>> rows = {"score": [1.0, 2.0], "status": ["ok", "ok"], "flag": [None, "hesitation"]}
    >>> without_flagged(pl.DataFrame(rows)).select("score", "status").rows()
    [(1.0, 'ok'), (None, 'hesitation')]
    """
    if "flag" not in annotations.columns:
        return annotations
    doubted = pl.col("flag").is_not_null() & (pl.col("status") == "ok")
    return annotations.with_columns(
        pl.when(doubted).then(None).otherwise("score").alias("score"),
        pl.when(doubted).then("flag").otherwise("status").alias("status"),
    )


def flag_report(
    annotations: pl.DataFrame,
    *,
    people: pl.DataFrame,
    groups: Mapping[str, pl.Series],
    scores: AggregatedScores,
    rule: str,
    families: Mapping[str, str] | None = None,
) -> dict[str, Any] | None:
    """Return the sensitivity of scores to flags: with them and without; None where there is no flag.

    Parameters
    ----------
    annotations
        Rows of a survey of LLMs, with ``flag``.
    people
        With ``id``, in the order of the scores.
    groups
        Column -> values of the people, in the same order.
    scores
        Aggregated with flagged scores.
    rule, families
        As `aggregate_ratings` had them.

    Returns
    -------
    dict
        ``flags``: flag -> number of scores; ``models``: model -> share of its scores; ``traits``: trait -> number of
        flagged scores, mean score of those flagged and of the others, final scores that change, the largest change,
        and the correlation of final scores with and without; ``groups``: column -> p-value (chi-square, corrected by
        Holm over the columns) of "flags are as frequent in every group", and the share of each.
    """
    scored = annotations.filter(pl.col("status") == "ok")
    if "flag" not in annotations.columns or not scored["flag"].count():
        return None
    ids = people["id"].to_list()
    without = aggregate_ratings(
        without_flagged(annotations),
        people=ids,
        rule=rule,
        framework=scores.framework,
        families=families,
        groups=groups,
    )
    flags = dict(scored["flag"].drop_nulls().value_counts().sort("flag").iter_rows())
    doubted = scored.with_columns(pl.col("flag").is_not_null().alias("doubted"))
    models = dict(doubted.group_by("model").agg(pl.col("doubted").mean()).sort("model").iter_rows())
    traits = {
        trait: _trait(doubted.filter(pl.col("trait") == trait), *(
            one.traits[f"final_{scores.framework.letters[trait]}"] for one in (scores, without)
        ))
        for trait in scores.framework.names
    }  # fmt: skip
    found = uneven_shares(doubted, people["id"], groups)
    return {"flags": flags, "models": models, "traits": traits, "groups": found}


def uneven_shares(doubted: pl.DataFrame, ids: pl.Series, groups: Mapping[str, pl.Series]) -> dict[str, Any]:
    """Return column -> share of scores that are ``doubted`` in each group, and whether shares differ.

    Parameters
    ----------
    doubted
        ``person``, and ``doubted``: true or false of each score.
    ids, groups
        Of the people, and column -> their values, in the same order.
    """
    found = {name: _shares(doubted, ids, values) for name, values in groups.items()}
    kept = {name: one for name, one in found.items() if one is not None}
    for one, p in zip(kept.values(), holm([one["p_value"] for one in kept.values()]), strict=True):
        one["p_corrected"] = p
    return kept


def _trait(rows: pl.DataFrame, final: pl.Series, without: pl.Series) -> dict[str, Any]:
    doubted = rows.filter("doubted")
    both = pl.DataFrame({"with": final, "without": without})
    moved = both.filter(pl.col("with").is_not_null() & ~pl.col("with").eq_missing(pl.col("without")))
    pair = both.drop_nulls()
    varies = pair.height > 2 and pair["with"].n_unique() > 1 and pair["without"].n_unique() > 1
    change = (pair["with"] - pair["without"]).abs().max()
    return {
        "flagged": doubted.height,
        "mean_flagged": doubted["score"].mean(),
        "mean_others": rows.filter(~pl.col("doubted"))["score"].mean(),
        "final_changed": moved.height,
        "final_lost": moved["without"].null_count(),
        "largest_change": change,
        "correlation": float(np.corrcoef(pair["with"], pair["without"])[0, 1]) if varies else None,
    }


def _shares(doubted: pl.DataFrame, ids: pl.Series, values: pl.Series) -> dict[str, Any] | None:
    group = pl.DataFrame({"person": ids.cast(pl.String), "group": values.cast(pl.String)})
    counts = (
        doubted.join(group, on="person", how="left").drop_nulls("group").group_by("group")
        .agg(pl.col("doubted").sum().alias("flagged"), pl.len().alias("scores")).filter(pl.col("scores") >= MIN_GROUP)
        .sort("group")
    )  # fmt: skip
    table = np.array([counts["flagged"], counts["scores"] - counts["flagged"]], dtype=float)
    if counts.height < 2 or not (table.sum(axis=1) > 0).all():
        return None
    shares = dict(zip(counts["group"], counts["flagged"] / counts["scores"], strict=True))
    return {"p_value": float(chi2_contingency(table, correction=False).pvalue), "shares": shares}
