"""What the journal holds of the people asked, as rows of annotations: every trait has a score or a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from personax.schema import TRAITS
from personax.traits._aggregate import ANNOTATIONS
from personax.traits.llms._answers import Answered, answers_of
from personax.traits.llms._journal import Journal
from personax.traits.llms._judge import Verdicts, overruled
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._reply_parsing import Judgement, read_reply
from personax.traits.llms._requests import Asked

__all__ = ["annotations_of", "judgements"]

ROWS = 50_000
"""Rows that are held as Python objects at once."""

Row = tuple[Any, ...]


def annotations_of(
    asked: Asked[Prompt],
    journal: Journal,
    *,
    stopped: Mapping[str, str] | None = None,
    verdicts: Verdicts | None = None,
) -> pl.DataFrame:
    """Return a row for every person, model, repeat and trait.

    Parameters
    ----------
    asked
        As it was asked.
    journal
        With the replies.
    stopped
        Model -> why it was given up; the reason of requests that were not sent.
    verdicts
        What a judge says of replies; a score that it doubts is taken away.

    Returns
    -------
    polars.DataFrame
        Columns as in `ANNOTATIONS`, and with verdicts ``ruled``, the status by the rules alone, and ``judged``, the
        judge's word, null where it was not asked; latency, tokens and cost are the reply's, which the traits of a
        person share (with those of the answer that was asked for once more, if there was one). ``failed``: no reply
        came, the text says why. ``not_asked``: the person has nothing in the prompt's fields.
    """
    schema = {**ANNOTATIONS, "ruled": pl.String, "judged": pl.String}
    parts, rows = [], []
    for row in _rows(asked, journal, stopped or {}, verdicts or {}):
        rows.append(row)
        if len(rows) == ROWS:
            parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
            rows = []
    table = pl.concat([*parts, pl.DataFrame(rows, schema=schema, orient="row")])
    return table if verdicts is not None else table.drop("ruled", "judged")


def _rows(asked: Asked[Prompt], journal: Journal, stopped: Mapping[str, str], verdicts: Verdicts) -> Iterator[Row]:
    for answered in answers_of(asked, journal, stopped):
        key = (str(answered.person["id"]), answered.model, asked.prompt.name, answered.repeat)
        taken = (answered.latency, answered.tokens, answered.cost)
        ruled = judgements(answered, asked.prompt)
        for before, (one, verdict) in zip(ruled, overruled(answered, ruled, verdicts), strict=True):
            yield (*key, one.trait, one.score, one.text, one.status, *taken, before.status, verdict)


def judgements(answered: Answered, prompt: Prompt) -> list[Judgement]:
    """Return one judgement a trait; where there is no reply, the reason as its text."""
    if answered.reply is not None:
        return read_reply(answered.reply, prompt)
    status = "failed" if answered.asked else "not_asked"
    return [Judgement(trait, status, None, answered.reason or "") for trait in TRAITS]
