"""LLMs in a study: whom they are asked about, what came of it, and what a reader must know of that."""

from __future__ import annotations

from typing import Final

import polars as pl

from personax.errors import ComputationError, PlanError, StudyError
from personax.plan import AnnotateLLM
from personax.schema import Notice
from personax.stages.base import Context
from personax.store import StudyFolder
from personax.traits.asking import Asked, Estimate, estimate
from personax.traits.journal import Journal
from personax.traits.prompting import Prompt
from personax.traits.provider import Model
from personax.traits.runner import Outcome, annotate
from personax.traits.table import annotations_of

__all__ = ["ask", "asked_of", "estimated"]

JOURNAL: Final = ("traits", "journal.sqlite")
"""Beside the stage's output and no part of it: what was paid for outlives every run."""


def asked_of(folder: StudyFolder, section: AnnotateLLM) -> Asked:
    """Return what is to be asked about the study's people.

    Raises
    ------
    PlanError
        For a field that people do not have.
    StudyError
        When people have not been collected yet.
    """
    path = folder.path("people", "people.parquet")
    if not path.is_file():
        raise StudyError(f"{path} is missing; personax collect makes it")
    people, texts = pl.read_parquet(path), folder.path("people", "texts.parquet")
    if texts.is_file():
        people = people.join(pl.read_parquet(texts), on="id", how="left", maintain_order="left")
    prompt = Prompt(**{**dict(section.prompt), "fields": tuple(section.prompt.fields)})
    for name in prompt.fields:
        if name not in people.columns:
            known = ", ".join(column for column in people.columns if column != "id")
            raise PlanError(f"annotate.prompt.fields: people have no {name}; choose from {known}")
    wanted = ["id", *dict.fromkeys([*(["name"] if "name" in people.columns else []), *prompt.fields])]
    return Asked(
        people.select(wanted).to_dicts(), [Model(**dict(llm)) for llm in section.models], prompt, section.repeats
    )


def estimated(folder: StudyFolder, section: AnnotateLLM) -> list[Estimate]:
    """Say what is still to be asked and about what it costs; sends nothing and writes no answer."""
    asked = asked_of(folder, section)
    with Journal(folder.path(*JOURNAL)) as journal:
        return estimate(asked, journal)


def ask(context: Context, asked: Asked, max_cost: float | None) -> pl.DataFrame:
    """Ask what the journal does not hold, and return a row for every person, model, repeat and trait.

    Raises
    ------
    ComputationError
        When no model gave a single answer.
    """
    with Journal(context.folder.path(*JOURNAL)) as journal:
        outcomes = annotate(asked, journal, max_cost=max_cost, progress=context.progress)
        stopped = {one.model: one.stopped for one in outcomes if one.stopped}
        if stopped and not any(one.before + one.asked for one in outcomes):
            raise ComputationError("\n".join(stopped.values()))
        table = annotations_of(asked, journal, stopped=stopped)
    context.counts["asked_now"] = sum(one.asked for one in outcomes)
    where = ", ".join(dict.fromkeys(model.base_url for model in asked.models))
    context.notices.append(Notice(f"{', '.join(asked.prompt.fields)} of every person were sent to {where}."))
    context.notices.extend(_notices(outcomes, table))
    return table


def _notices(outcomes: list[Outcome], table: pl.DataFrame) -> list[Notice]:
    found = [Notice(f"{one.stopped}; the others went on.") for one in outcomes if one.stopped]
    replies = table.unique(["person", "model", "repeat"], maintain_order=True)
    for status, said in SAID.items():
        number = replies.filter(pl.col("status") == status).height
        if number:
            found.append(Notice(said, number))
    return found


SAID: Final = {
    "failed": "requests got no answer; `personax annotate STUDY --force` asks them again and nothing else.",
    "refused": "answers were refusals; the scores are missing.",
    "privacy": "answers declined for privacy; the scores are missing.",
    "malformed": "answers had no readable shape, even when asked for once more; the scores are missing.",
    "not_asked": "people have nothing in the prompt's fields; nobody was asked about them.",
}
"""By the status of a reply's first trait."""
