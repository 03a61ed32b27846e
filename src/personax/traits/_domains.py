"""Facets -> domains: the broader traits that a framework's facets are part of, and their scores.

A rater's score of a domain is the mean of its scores of the facets, as scales of facets are scored (the BFI-2, the
HEXACO-PI-R); a trait that is part of nothing stays itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from string import ascii_lowercase
from typing import Any

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.schema import Notice, Trait, TraitFramework
from personax.traits._questionnaire import cronbach_alpha
from personax.traits._ratings import nan_mean

__all__ = [
    "consistency_notices",
    "domain_framework",
    "domain_ratings",
    "domain_scores",
    "facet_consistency",
    "facets_of",
]


def facets_of(framework: TraitFramework) -> dict[str, list[Trait]]:
    """Return domain -> its facets, in the order of the file; a trait that is part of nothing is its own.

    Raises
    ------
    InputError
        No trait is part of a broader one.
    """
    if not any(trait.part_of for trait in framework.traits):
        text = f"the framework {framework.name} has no facets: no trait says of which broader one it is part_of"
        raise InputError(f"{text}; leave domains out")
    found: dict[str, list[Trait]] = {}
    for trait in framework.traits:
        found.setdefault(trait.part_of or trait.name, []).append(trait)
    return found


def domain_framework(framework: TraitFramework) -> TraitFramework:
    """Return the framework of the domains, whose letters and meanings are those of the file where it has them.

    Examples
    --------
    >>> pair = [Trait("sincerity", "s", "frank", part_of="honesty"), Trait("modesty", "m", "modest", part_of="honesty")]
    >>> [(one.name, one.letter, one.meaning) for one in domain_framework(TraitFramework("h", pair)).traits]
    [('honesty', 'h', 'the mean of sincerity and modesty')]
    """
    told = {one.name: one for one in framework.domains}
    taken = {one.letter for one in framework.domains}
    traits = []
    for name, facets in facets_of(framework).items():
        known = told.get(name)
        if known is None:
            letter = next(one for one in (*name, *ascii_lowercase) if one in ascii_lowercase and one not in taken)
            known = facets[0] if facets[0].name == name else Trait(name, letter, _meaning(facets))
            known = replace(known, letter=letter)
        taken.add(known.letter)
        traits.append(known)
    title = f"{framework.title or framework.name}: domains"
    return replace(framework, name=f"{framework.name}_domains", traits=traits, title=title, items=(), domains=())


def _meaning(facets: list[Trait]) -> str:
    names = [facet.name.replace("_", " ") for facet in facets]
    return f"the mean of {', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"the same as {names[0]}"


def domain_ratings(annotations: pl.DataFrame, framework: TraitFramework) -> pl.DataFrame:
    """Return a row an answer and domain in place of those of its facets.

    The score is the mean of the facets' where at least half of them have one; else the row has the commonest status of
    the facets without. A flag of any facet's score is the domain's.
    """
    places = {facet.name: name for name, facets in facets_of(framework).items() for facet in facets}
    sizes = {name: len(facets) for name, facets in facets_of(framework).items()}
    keys = [name for name in ("person", "model", "prompt", "repeat") if name in annotations.columns]
    rest = [name for name in annotations.columns if name not in (*keys, "trait", "score", "status", "text")]
    scored, lacking = pl.col("status") == "ok", pl.col("status").filter(pl.col("status") != "ok")
    text = [pl.lit("").alias("text")] if "text" in annotations.columns else []
    each = (
        annotations.with_columns(pl.col("trait").replace_strict(places))
        .group_by(*keys, "trait", maintain_order=True)
        .agg(
            pl.col("score").filter(scored).mean(), scored.sum().alias("scored"),
            lacking.mode().sort().first().alias("lacking"),
            *(pl.col(name).drop_nulls().first() for name in rest),
        )
        .with_columns((2 * pl.col("scored") >= pl.col("trait").replace_strict(sizes)).alias("enough"), *text)
    )  # fmt: skip
    return each.with_columns(
        pl.when("enough").then("score").otherwise(None).alias("score"),
        pl.when("enough").then(pl.lit("ok")).otherwise("lacking").alias("status"),
    ).select(annotations.columns)


def domain_scores(scores: pl.DataFrame, framework: TraitFramework) -> pl.DataFrame:
    """Return ``id`` and ``final_<letter>`` of the domains: means of the facets' where at least half have one."""
    domains, columns = domain_framework(framework), {}
    for name, facets in facets_of(framework).items():
        values = _matrix(scores, facets)
        mean = np.where(2 * (~np.isnan(values)).sum(axis=1) >= len(facets), nan_mean(values, 1), np.nan)
        columns[f"final_{domains.letters[name]}"] = pl.Series(mean, dtype=pl.Float64).fill_nan(None)
    return scores.select("id").with_columns(**columns)


def facet_consistency(scores: pl.DataFrame, framework: TraitFramework) -> dict[str, dict[str, Any]]:
    """Return domain -> ``facets`` and Cronbach's ``alpha`` of their final scores, None where it is not known."""
    found = {}
    for name, facets in facets_of(framework).items():
        alpha = cronbach_alpha(_matrix(scores, facets))
        names = [facet.name for facet in facets]
        found[name] = {"facets": names, "alpha": None if np.isnan(alpha) else round(alpha, 6)}
    return found


def consistency_notices(found: dict[str, dict[str, Any]]) -> Iterator[Notice]:
    """Say how far the facets of each domain hang together."""
    for name, one in found.items():
        if one["alpha"] is not None:
            yield Notice(f"{name}: Cronbach's alpha of its {len(one['facets'])} facets is {one['alpha']:.2f}.")


def _matrix(scores: pl.DataFrame, facets: list[Trait]) -> np.ndarray[Any, np.dtype[np.float64]]:
    own = scores.select(pl.col(f"final_{facet.letter}").cast(pl.Float64).fill_null(np.nan) for facet in facets)
    return np.asarray(own.to_numpy(), dtype=float)
