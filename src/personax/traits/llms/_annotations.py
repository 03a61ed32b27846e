"""Replies in the journal as rows of annotations: every trait has a score or a status that says why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from personax.traits._aggregate import ANNOTATIONS
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._judge import Verdicts, apply_verdicts
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._prompt_ratings import prompt_ratings
from personax.traits.llms._reply_parsing import TraitRating
from personax.traits.llms._requests import Survey
from personax.traits.llms._responses import ModelResponse, model_responses

__all__ = ["annotation_table", "trait_ratings"]

CHUNK_ROWS = 50_000
"""Rows that are held as Python objects at once."""

Row = tuple[Any, ...]


def annotation_table(
    survey: Survey[Prompt],
    journal: ReplyJournal,
    *,
    stopped: Mapping[str, str] | None = None,
    verdicts: Verdicts | None = None,
) -> pl.DataFrame:
    """Return a row for every person, model, repeat and trait.

    Parameters
    ----------
    survey
        As it was asked.
    journal
        With the replies.
    stopped
        Model -> why it was given up; the reason of requests that were not sent.
    verdicts
        What a judge says of replies; its verdict on a score is the flag, in place of the rules'.

    Returns
    -------
    polars.DataFrame
        Columns as in `ANNOTATIONS` and ``flag``, what casts doubt on a score that counts; with verdicts ``ruled``, the
        flag by the rules alone, and ``judged``, the judge's word, null where it was not asked; where the prompt asks
        for it ``evidence``, the passage quoted for a score; where a model is asked for probabilities of tokens
        ``expected``, its mean score; latency, tokens and cost are the reply's, which the traits
        of a person share (with those of the answer that was asked for once more, if there was one). ``failed``: no
        reply came, the text says why. ``not_asked``: the person has nothing in the
        prompt's fields.
    """
    schema = {**ANNOTATIONS, "flag": pl.String, "ruled": pl.String, "judged": pl.String, "evidence": pl.String,
              "expected": pl.Float64}  # fmt: skip
    parts, rows = [], []
    for row in _rows(survey, journal, stopped or {}, verdicts or {}):
        rows.append(row)
        if len(rows) == CHUNK_ROWS:
            parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
            rows = []
    table = pl.concat([*parts, pl.DataFrame(rows, schema=schema, orient="row")])
    left_out = [] if verdicts is not None else ["ruled", "judged"]
    left_out += [] if survey.prompt.evidence else ["evidence"]
    left_out += [] if any(model.logprobs for model in survey.models) else ["expected"]
    return table.drop(left_out)


def _rows(
    survey: Survey[Prompt], journal: ReplyJournal, stopped: Mapping[str, str], verdicts: Verdicts
) -> Iterator[Row]:
    for response in model_responses(survey, journal, stopped):
        key = (str(response.person["id"]), response.model, survey.prompt.name, response.repeat)
        usage = (response.latency, response.tokens, response.cost)
        by_rules = trait_ratings(response, survey.prompt)
        for before, (rating, verdict) in zip(by_rules, apply_verdicts(response, by_rules, verdicts), strict=True):
            yield (
                *key,
                rating.trait,
                rating.score,
                rating.text,
                rating.status,
                *usage,
                rating.flag,
                before.flag,
                verdict,
                rating.evidence,
                rating.expected,
            )


def trait_ratings(response: ModelResponse, prompt: Prompt) -> list[TraitRating]:
    """Return one judgement a trait; where there is no reply, the reason as its text."""
    if response.reply is not None:
        upstream = response.entries[-1].reply.get("upstream")
        expected = upstream.get("expected") if isinstance(upstream, dict) else None
        return prompt_ratings(response.reply, prompt, response.person, expected)
    status = "failed" if response.was_asked else "not_asked"
    return [TraitRating(trait, status, None, response.reason or "") for trait in prompt.traits]
