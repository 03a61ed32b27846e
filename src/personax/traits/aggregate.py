"""Many ratings -> one score a trait: what was refused or unknown is left out, never counted as a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import polars as pl

from personax.errors import InputError
from personax.schema import LETTERS, TRAITS

__all__ = ["ANNOTATIONS", "aggregate", "slug"]

ANNOTATIONS = {
    "person": pl.String,
    "model": pl.String,
    "prompt": pl.String,
    "repeat": pl.Int64,
    "trait": pl.String,
    "score": pl.Float64,
    "text": pl.String,
    "status": pl.String,
    "latency": pl.Float64,
    "tokens": pl.Int64,
    "cost": pl.Float64,
}
"""Columns of annotations.parquet."""

Rule = Literal["median", "mean"]


def slug(model: str) -> str:
    """Return a model's name as the start of a column name.

    Examples
    --------
    >>> slug("ChatGPT-4o (latest)")
    'chatgpt_4o_latest'
    """
    return re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")


def aggregate(annotations: pl.DataFrame, *, people: Sequence[str], rule: Rule = "median") -> pl.DataFrame:
    """Return one row a person: each model's score of each trait, and the score over models.

    Repeats of one model are averaged first, so that a model asked twice counts once. Then the median (the paper's rule)
    or the mean over models is taken. Only answers whose status is ``ok`` count; whoever has none has null.

    Parameters
    ----------
    annotations
        Rows as in `ANNOTATIONS`.
    people
        Ids, in the order of the result; people whom nobody rated stay in it.
    rule
        How models are put together.

    Returns
    -------
    polars.DataFrame
        ``id``, ``<model>_o`` ... for every model, ``final_o final_c final_e final_a final_n``.

    Raises
    ------
    InputError
        A model called final, two models with one column name, a rated person who is not in ``people``.

    Examples
    --------
    >>> rows = {"person": ["a", "a"], "model": ["x", "y"], "trait": ["openness"] * 2, "score": [1.0, 2.0]}
    >>> rated = pl.DataFrame(rows).with_columns(pl.lit("ok").alias("status"))
    >>> aggregate(rated, people=["a"]).select("x_o", "y_o", "final_o").rows()
    [(1.0, 2.0, 1.5)]
    """
    _check(annotations, people)
    models = annotations["model"].unique(maintain_order=True).to_list()
    scores = (
        annotations.filter(pl.col("status") == "ok")
        .group_by("person", "model", "trait", maintain_order=True)
        .agg(pl.col("score").mean())
    )
    over_models = pl.col("score").median() if rule == "median" else pl.col("score").mean()
    final = scores.group_by("person", "trait", maintain_order=True).agg(over_models)
    result = pl.DataFrame({"id": people}, schema={"id": pl.String})
    for name, part in [*((slug(m), scores.filter(pl.col("model") == m)) for m in models), ("final", final)]:
        for trait in TRAITS:
            column = part.filter(pl.col("trait") == trait).select(
                pl.col("person").alias("id"), pl.col("score").cast(pl.Float64).alias(f"{name}_{LETTERS[trait]}")
            )
            result = result.join(column, on="id", how="left", maintain_order="left")
    return result


def _check(annotations: pl.DataFrame, people: Sequence[str]) -> None:
    models = annotations["model"].unique(maintain_order=True).to_list()
    slugs = [slug(model) for model in models]
    if "final" in slugs:
        raise InputError("a model is called final, the name of the score over models; give it another name")
    if len(set(slugs)) < len(slugs):
        raise InputError(f"two models have the same column name among {', '.join(slugs)}; give them other names")
    strangers = annotations.filter(~pl.col("person").is_in(list(people)))["person"].n_unique()
    if strangers:
        raise InputError(f"{strangers} rated people are not in the people table; annotate this study's people")
    unknown = set(annotations["trait"]) - set(TRAITS)
    if unknown:
        raise InputError(f"the trait {sorted(unknown)[0]} is not one of {', '.join(TRAITS)}")
