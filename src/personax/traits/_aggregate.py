"""Many ratings -> one score a trait: what was refused or unknown is left out, never counted as a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.schema import TraitFramework
from personax.traits._frameworks import BIG_FIVE
from personax.traits._ratings import Floats, Ratings
from personax.traits.rating_models import ScoreEstimate, rating_model

__all__ = ["ANNOTATIONS", "AggregatedScores", "aggregate", "aggregate_ratings", "slug"]

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


def slug(model: str) -> str:
    """Return a model's name as the start of a column name.

    Examples
    --------
    >>> slug("ChatGPT-4o (latest)")
    'chatgpt_4o_latest'
    """
    return re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")


@dataclass(frozen=True)
class AggregatedScores:
    """Aggregated scores with their uncertainty.

    Parameters
    ----------
    traits
        ``id``, ``<model>_o`` ... for every model, ``final_o final_c final_e final_a final_n``.
    estimates
        Trait -> the score over models with its spread.
    framework
        Whose traits they are.
    """

    traits: pl.DataFrame
    estimates: dict[str, ScoreEstimate]
    framework: TraitFramework = BIG_FIVE

    def uncertainty(self) -> pl.DataFrame:
        """Return ``id`` and the standard deviation of every final score, columns ``sd_o`` ...; null where unknown."""
        columns = {
            f"sd_{self.framework.letters[trait]}": _nulls(estimate.sd) for trait, estimate in self.estimates.items()
        }
        return pl.DataFrame({"id": self.traits["id"], **columns})

    def reasons(self) -> dict[str, str]:
        """Return trait -> why its uncertainty is not known."""
        return {trait: estimate.reason for trait, estimate in self.estimates.items() if estimate.reason}

    def imputations(self, number: int, rng: np.random.Generator) -> pl.DataFrame:
        """Return plausible values of the final scores: ``draw``, ``id``, ``final_o`` ...; null where there is none.

        Draws do not know the features that Level I tests, so that a dependence in them is weaker than the true one,
        never stronger.
        """
        parts = []
        unknown = np.full(self.traits.height, np.nan)
        for draw in range(number):
            columns = {
                f"final_{self.framework.letters[trait]}": _nulls(estimate.draw(rng) if estimate.draw else unknown)
                for trait, estimate in self.estimates.items()
            }
            parts.append(pl.DataFrame({"draw": pl.Series([draw] * self.traits.height, dtype=pl.Int64),
                                       "id": self.traits["id"], **columns}))  # fmt: skip
        return pl.concat(parts)


def aggregate_ratings(
    annotations: pl.DataFrame, *, people: Sequence[str], rule: str = "median", framework: TraitFramework = BIG_FIVE
) -> AggregatedScores:
    """Aggregate raters, trait by trait, by a rating model; only ratings whose status is ``ok`` count.

    Parameters
    ----------
    annotations
        Rows as in `ANNOTATIONS`.
    people
        Ids, in the order of the result; people whom nobody rated stay in it.
    rule
        The rating model that puts raters together; see docs/traits.md.
    framework
        Whose traits were scored.

    Raises
    ------
    InputError
        A model called final, two models with one column name, a rated person who is not in ``people``, a score that is
        no number.
    """
    _check(annotations, people, framework)
    letters = framework.letters
    ratings = {trait: Ratings.from_annotations(annotations, trait, people=people) for trait in framework.names}
    estimates = {trait: rating_model(rule)(estimate) for trait, estimate in ratings.items()}
    columns = {
        f"{slug(model)}_{letters[trait]}": _nulls(ratings[trait].matrix[place])
        for place, model in enumerate(next(iter(ratings.values())).raters)
        for trait in framework.names
    }
    columns |= {f"final_{letters[trait]}": _nulls(estimate.score) for trait, estimate in estimates.items()}
    return AggregatedScores(
        pl.DataFrame({"id": list(people), **columns}, schema_overrides={"id": pl.String}), estimates, framework
    )


def aggregate(
    annotations: pl.DataFrame, *, people: Sequence[str], rule: str = "median", framework: TraitFramework = BIG_FIVE
) -> pl.DataFrame:
    """Return one row a person: each model's score of each trait, and the score over models.

    A shorter way to ``aggregate_ratings(...).traits``; see `aggregate_ratings`.

    Examples
    --------
    >>> rows = {"person": ["a", "a"], "model": ["x", "y"], "trait": ["openness"] * 2, "score": [1.0, 2.0]}
    >>> rated = pl.DataFrame(rows).with_columns(pl.lit("ok").alias("status"))
    >>> aggregate(rated, people=["a"]).select("x_o", "y_o", "final_o").rows()
    [(1.0, 2.0, 1.5)]
    """
    return aggregate_ratings(annotations, people=people, rule=rule, framework=framework).traits


def _nulls(values: Floats) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64).fill_nan(None)


def _check(annotations: pl.DataFrame, people: Sequence[str], framework: TraitFramework) -> None:
    models = annotations["model"].unique(maintain_order=True).to_list()
    slugs = [slug(model) for model in models]
    if "final" in slugs:
        raise InputError("a model is called final, the name of the score over models; give it another name")
    if len(set(slugs)) < len(slugs):
        raise InputError(f"two models have the same column name among {', '.join(slugs)}; give them other names")
    if len(set(people)) < len(people):
        raise InputError("an id stands twice among the people; give every person one row")
    strangers = annotations.filter(~pl.col("person").is_in(list(people)))["person"].n_unique()
    if strangers:
        raise InputError(f"{strangers} rated people are not in the people table; annotate this study's people")
    unknown = set(annotations["trait"]) - set(framework.names)
    if unknown:
        raise InputError(f"the trait {sorted(unknown)[0]} is not one of {', '.join(framework.names)}")
    scores = annotations.filter(pl.col("status") == "ok")["score"].cast(pl.Float64)
    if scores.null_count() or not bool(scores.is_finite().all()):
        raise InputError("an answer with status ok has no finite score; give it another status")
