"""annotate: what raters say of each person's traits, and one score a trait."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from personax.traits import annotate_lexicon

from personax.errors import PlanError
from personax.plan import AnnotateLexicon, AnnotateQuestionnaire, AnnotateSimulated, Plan
from personax.stages.base import Context

__all__ = ["ANNOTATE"]


def _reads(plan: Plan) -> Sequence[str]:
    section = plan.annotate
    return (section.path, section.key) if isinstance(section, AnnotateQuestionnaire) else ()


def _run(context: Context) -> None:
    section = context.plan.annotate
    people = context.frame("people", "people.parquet")["id"].to_list()
    match section:
        case AnnotateSimulated():
            ratings = context.folder.path("people", "simulation", "ratings.parquet")
            if not ratings.is_file():
                text = "annotate.source: simulate needs simulated people (collect.source: simulate)"
                raise PlanError(text)
            _vote(context, pl.read_parquet(ratings), people, section.rule)
        case AnnotateLexicon():
            texts = context.frame("people", "texts.parquet")
            said = annotate_lexicon(dict(texts.select("id", "biography").iter_rows()))
            _vote(context, said, people, section.rule)
        case AnnotateQuestionnaire():
            _score(context, section, people)
