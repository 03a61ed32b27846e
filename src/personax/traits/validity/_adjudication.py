"""Adjudication: whose scores are looked at again because raters disagree, and how a decision enters the scores.

A decision is one trait of one person, by somebody who has seen what raters were shown. It takes the place of the score
over raters. Some of those who are looked at again are drawn at random from the others (controls): only they tell
whether the adjudicator is more severe than the raters, or disagreement alone is judged otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.traits._aggregate import AggregatedScores
from personax.traits._flagged_scores import uneven_shares
from personax.traits.reliability import Bootstrap
from personax.traits.validity._human_ratings import RatingForm
from personax.traits.validity._rating_tables import escape_formula

__all__ = ["adjudication_report", "adjudication_table", "cells_to_adjudicate", "decisions", "disagreements"]

CONTROLS: Final = 0.2
"""Share of the cells that are drawn at random from all others that two raters scored."""


def disagreements(annotations: pl.DataFrame) -> pl.DataFrame:
    """Return a row a person and trait that two raters or more scored: ``person trait spread ratings``.

    ``spread``: the largest mean score of a rater less the smallest, a rater's repeats averaged first; ``ratings``: the
    means, in order, without who gave them.

    Examples
    --------
    >>> rows = {"person": ["a", "a"], "model": ["x", "y"], "trait": ["zeal"] * 2, "score": [3.0, 1.0]}
    >>> disagreements(pl.DataFrame(rows).with_columns(pl.lit("ok").alias("status"))).rows()
    [('a', 'zeal', 2.0, '1, 3')]
    """
    means = (
        annotations.filter(pl.col("status") == "ok").group_by("person", "trait", "model", maintain_order=True)
        .agg(pl.col("score").mean()).group_by("person", "trait", maintain_order=True)
        .agg(pl.col("score").sort(), pl.len().alias("raters")).filter(pl.col("raters") > 1)
    )  # fmt: skip
    written = pl.Series([", ".join(f"{one:.3g}" for one in row) for row in means["score"]], dtype=pl.String)
    spread = pl.col("score").list.max() - pl.col("score").list.min()
    return means.select("person", "trait", spread.alias("spread"), written.alias("ratings"))


def cells_to_adjudicate(
    found: pl.DataFrame, number: int, *, rng: np.random.Generator, sd: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return which to look at again, in random order: the widest disagreements, and controls (``why``).

    Parameters
    ----------
    found
        Of `disagreements`.
    number
        How many; a fifth are controls.
    rng
        Draws controls, and which of equal disagreements.
    sd
        ``person trait sd``: of equal disagreements the less certain score comes first.

    Raises
    ------
    InputError
        No two raters scored the same person, or none of them disagree.
    """
    if not found.height or not bool((found["spread"] > 0).any()):
        raise InputError("no two raters disagree about anybody: there is nothing to adjudicate")
    known = found.with_columns(pl.lit(0.0).alias("sd")) if sd is None else found.join(
        sd, on=["person", "trait"], how="left", maintain_order="left"
    )  # fmt: skip
    shuffled = known[rng.permutation(known.height)].with_columns(pl.col("sd").fill_null(0.0))
    apart = shuffled.filter(pl.col("spread") > 0).sort("spread", "sd", descending=True, maintain_order=True)
    chosen = apart.head(max(1, number - int(CONTROLS * number)))
    rest = shuffled.join(chosen, on=["person", "trait"], how="anti", maintain_order="left")
    both = pl.concat([
        chosen.with_columns(pl.lit("disagreement").alias("why")),
        rest.head(min(number - chosen.height, int(CONTROLS * number))).with_columns(pl.lit("control").alias("why")),
    ])  # fmt: skip
    return both[rng.permutation(both.height)].drop("sd")


def adjudication_table(
    cells: pl.DataFrame, about: Mapping[str, str], form: RatingForm, *, show_ratings: bool = False
) -> pl.DataFrame:
    """Return the sheet: a row a cell, with the question and the answers that count, to fill in ``rater`` and ``score``.

    Parameters
    ----------
    cells
        ``task``, ``trait`` and, where they are shown, ``ratings``.
    about
        Task -> what raters were shown.
    form
        The questions and the scale.
    show_ratings
        Whether whoever decides sees what raters said; without it the decision is made without knowing.
    """
    answers = "; ".join(word if word.startswith(key) else f"{key} = {word}" for key, word in form.choices.items())
    empty = [""] * cells.height
    columns: dict[str, Sequence[str]] = {
        "task": cells["task"].to_list(),
        "about": [escape_formula(about[one]) for one in cells["task"]],
        "trait": cells["trait"].to_list(),
        "question": [form.questions[one] for one in cells["trait"]],
        "answers": [answers] * cells.height,
    }
    shown = {"ratings": cells["ratings"].to_list()} if show_ratings else {}
    return pl.DataFrame({**columns, **shown, "rater": empty, "score": empty})


def decisions(ratings: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return ``person trait score adjudicators``, and how many cells stay open because those who decided differ.

    Parameters
    ----------
    ratings
        Answers as `human_ratings` returns them; "insufficient information" decides that there is no score.
    """
    counted = ratings.filter(pl.col("status").is_in(["ok", "insufficient"]))
    each = counted.group_by("person", "trait", maintain_order=True).agg(
        pl.col("score").first(), pl.struct("score", "status").n_unique().alias("different"),
        pl.col("model").n_unique().alias("adjudicators"),
    )  # fmt: skip
    open_ = each.filter(pl.col("different") > 1).height
    return each.filter(pl.col("different") == 1).select("person", "trait", "score", "adjudicators"), open_


def adjudication_report(
    scores: AggregatedScores,
    decided: pl.DataFrame,
    cells: pl.DataFrame | None,
    *,
    groups: Mapping[str, pl.Series],
    open_: int,
    bootstrap: Bootstrap,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return every decision with its origin, and what decisions change.

    Parameters
    ----------
    scores
        Before decisions.
    decided
        Of `decisions`.
    cells
        ``person trait spread ratings why`` of the export; None where it is not known why a cell was looked at.
    groups
        Column -> values of the people, in the order of the scores.
    open_
        Cells about which those who decided differ.

    Returns
    -------
    tuple
        ``person trait score adjudicators before spread ratings why``; and ``cells``, ``changed``, ``open``, ``traits``
        (trait -> cells, changed), ``severity`` (``control``, ``disagreement``: mean decision less the score before,
        with an interval), ``groups`` (column -> share of scores decided in each group and a corrected p-value).
    """
    letters = scores.framework.letters
    before = pl.concat([
        scores.traits.select(pl.col("id").alias("person"), pl.lit(trait).alias("trait"),
                             pl.col(f"final_{letter}").alias("before")) for trait, letter in letters.items()
    ])  # fmt: skip
    keys = ["person", "trait"]
    told = decided.join(before, on=keys, how="left", maintain_order="left")
    origin = {"spread": pl.Float64, "ratings": pl.String, "why": pl.String}
    if cells is None:
        told = told.with_columns(pl.lit(None, kind).alias(name) for name, kind in origin.items())
    else:
        told = told.join(cells.select(*keys, *origin), on=keys, how="left", maintain_order="left")
    moved = ~told["score"].eq_missing(told["before"])
    each = told.with_columns(moved.alias("moved")).group_by("trait").agg(pl.len(), pl.col("moved").sum())
    traits = {trait: {"cells": cells_, "changed": changed} for trait, cells_, changed in each.sort("trait").iter_rows()}
    marked = before.join(decided.select(*keys, pl.lit(value=True).alias("decided")), on=keys, how="left")
    marked = marked.with_columns(pl.col("decided").fill_null(value=False).alias("doubted"))
    report = {
        "cells": told.height, "changed": int(moved.sum()), "open": open_, "traits": traits,
        "severity": {
            why: _severity(told.filter(pl.col("why") == why), bootstrap) for why in ("control", "disagreement")
        },
        "groups": uneven_shares(marked, scores.traits["id"], groups),
    }  # fmt: skip
    return told, report


def _severity(told: pl.DataFrame, bootstrap: Bootstrap) -> dict[str, Any]:
    gap = (told["score"] - told["before"]).drop_nulls().to_numpy()
    return bootstrap.interval(lambda index: float(gap[index].mean()), len(gap), reason="nobody of these was decided")
