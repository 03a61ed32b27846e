"""Many ratings -> one score a trait: what was refused or unknown is left out, never counted as a number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.schema import TraitFramework
from personax.traits._frameworks import BIG_FIVE
from personax.traits._ratings import Floats, Ratings
from personax.traits.rating_models import ScoreEstimate, rating_model
from personax.traits.reliability import group_indicators

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


NEEDED = ("person", "model", "trait", "score", "status")
"""Columns that scores are made of."""


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

    def raters(self) -> dict[str, Mapping[str, Mapping[str, Any]]]:
        """Return trait -> rater -> what the rating model says of it (severity, sharpness, family spread)."""
        return {trait: one.raters for trait, one in self.estimates.items() if one.raters is not None}

    def uncertainty(self) -> pl.DataFrame:
        """Return ``id``, ``sd_o`` ... and ``expected_o`` ...: standard deviations of scores, and the best guesses.

        Null where unknown. A best guess is the final score, unless that is one of the `plausible` ones.
        """
        letters = self.framework.letters
        columns = {f"sd_{letters[trait]}": _nulls(estimate.sd) for trait, estimate in self.estimates.items()}
        columns |= {f"expected_{letters[trait]}": _nulls(estimate.score) for trait, estimate in self.estimates.items()}
        return pl.DataFrame({"id": self.traits["id"], **columns})

    def plausible(self, rng: np.random.Generator) -> AggregatedScores:
        """Return the same with a plausible value in place of every final score whose uncertainty is known.

        How best guesses spread depends on how much is known of a person: of people about whom raters are silent they
        lie nearer to the middle, and a test finds that group. Plausible values spread as people do.

        References
        ----------
        Mislevy, Beaton, Kaplan, Sheehan 1992, doi:10.1111/j.1745-3984.1992.tb00371.x.
        """
        drawn = self.imputations(1, rng)
        known = [f"final_{self.framework.letters[trait]}" for trait, one in self.estimates.items() if one.draw]
        return replace(self, traits=self.traits.with_columns(drawn[name] for name in known))

    def decided(self, decisions: pl.DataFrame) -> AggregatedScores:
        """Return the same with decisions (``person trait score``) in place of scores over raters.

        A decision counts as certain, in plausible values too; null decides that there is no score.
        """
        places = {person: at for at, person in enumerate(self.traits["id"])}
        estimates, columns = dict(self.estimates), dict[str, pl.Series]()
        for (trait,), rows in decisions.group_by("trait", maintain_order=True):
            where = np.array([places[person] for person in rows["person"]], dtype=np.intp)
            values = rows["score"].cast(pl.Float64).fill_null(np.nan).to_numpy()
            estimates[str(trait)] = self.estimates[str(trait)].decided(where, values)
            columns[f"final_{self.framework.letters[str(trait)]}"] = _nulls(estimates[str(trait)].score)
        return replace(self, traits=self.traits.with_columns(**columns), estimates=estimates)

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
    annotations: pl.DataFrame | pl.LazyFrame,
    *,
    people: Sequence[str],
    rule: str = "median",
    framework: TraitFramework = BIG_FIVE,
    families: Mapping[str, str] | None = None,
    groups: Mapping[str, pl.Series] | None = None,
    anchors: pl.DataFrame | None = None,
) -> AggregatedScores:
    """Aggregate raters, trait by trait, by a rating model; only ratings whose status is ``ok`` count.

    Parameters
    ----------
    annotations
        Rows as in `ANNOTATIONS`; of files that are not read yet (a LazyFrame) one trait is in memory at a time.
    people
        Ids, in the order of the result; people whom nobody rated stay in it.
    rule
        The rating model that puts raters together; see docs/traits.md.
    framework
        Whose traits were scored.
    families
        Rater -> family, such as the maker of a model; ``many_facet`` takes raters of one family to err together.
    groups
        Column -> values of the people, in their order: what the silence of raters may depend on in ``many_facet``.
    anchors
        Answers of the same raters about invented people (vignettes), who put raters on one scale where the rating model
        learns how raters differ; they get no scores.

    Raises
    ------
    InputError
        A model called final, two models with one column name, a rated person who is not in ``people``, a score that is
        no number.
    """
    lazy = annotations.lazy()
    models = _check(lazy, people, framework)
    letters = framework.letters
    invented = [] if anchors is None else anchors["person"].unique(maintain_order=True).to_list()
    answers = lazy if anchors is None else pl.concat([lazy, anchors.lazy()], how="diagonal_relaxed")
    if anchors is not None:
        models = list(dict.fromkeys([*models, *anchors["model"]]))
    indicators = group_indicators(groups, len(people)) if groups else None
    if indicators is not None:
        indicators = np.vstack([indicators, np.zeros((len(invented), indicators.shape[1]))])
    estimates, by_model = dict[str, ScoreEstimate](), dict[str, pl.Series]()
    for trait in framework.names:
        own = answers.filter(pl.col("trait") == trait).select(NEEDED).collect()
        ratings = Ratings.from_annotations(
            own, trait, people=[*people, *invented], raters=models, families=families, covariates=indicators
        )
        estimates[trait] = rating_model(rule)(ratings).first(len(people))
        for place, model in enumerate(ratings.raters):
            by_model[f"{slug(model)}_{letters[trait]}"] = _nulls(ratings.matrix[place, : len(people)])
    columns = {f"{slug(model)}_{letters[trait]}": by_model[f"{slug(model)}_{letters[trait]}"]
               for model in models for trait in framework.names}  # fmt: skip
    columns |= {f"final_{letters[trait]}": _nulls(estimate.score) for trait, estimate in estimates.items()}
    return AggregatedScores(
        pl.DataFrame({"id": list(people), **columns}, schema_overrides={"id": pl.String}),
        estimates,
        framework,
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


def _check(annotations: pl.LazyFrame, people: Sequence[str], framework: TraitFramework) -> list[str]:
    """Return the models, in the order in which they come."""

    def distinct(column: str) -> list[str]:
        return annotations.select(pl.col(column).unique(maintain_order=True)).collect()[column].to_list()

    models = distinct("model")
    slugs = [slug(model) for model in models]
    if "final" in slugs:
        raise InputError("a model is called final, the name of the score over models; give it another name")
    if len(set(slugs)) < len(slugs):
        raise InputError(f"two models have the same column name among {', '.join(slugs)}; give them other names")
    if len(set(people)) < len(people):
        raise InputError("an id stands twice among the people; give every person one row")
    known = pl.LazyFrame({"person": list(people)}, schema={"person": pl.String})
    strangers = annotations.select(pl.col("person").unique()).join(known, on="person", how="anti").collect().height
    if strangers:
        raise InputError(f"{strangers} rated people are not in the people table; annotate this study's people")
    unknown = set(distinct("trait")) - set(framework.names)
    if unknown:
        raise InputError(f"the trait {sorted(unknown)[0]} is not one of {', '.join(framework.names)}")
    score = pl.col("score").cast(pl.Float64)
    wrong = annotations.filter(pl.col("status") == "ok").select((score.is_null() | ~score.is_finite()).sum()).collect()
    if wrong.item():
        raise InputError("an answer with status ok has no finite score; give it another status")
    return models
