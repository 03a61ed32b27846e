"""Replies in the journal as rows of annotations: every trait has a score or a status that says why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from personax.data.frames import scan_parquet, write_parquet
from personax.traits._aggregate import ANNOTATIONS
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._judge import Verdicts, apply_verdicts
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._prompt_ratings import prompt_ratings
from personax.traits.llms._reply_parsing import TraitRating
from personax.traits.llms._requests import Survey
from personax.traits.llms._responses import ModelResponse, model_responses

__all__ = ["annotation_table", "trait_ratings", "write_annotations"]

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
    return pl.concat(_parts(survey, journal, stopped or {}, verdicts))


def write_annotations(
    survey: Survey[Prompt],
    journal: ReplyJournal,
    folder: Path,
    *,
    stopped: Mapping[str, str] | None = None,
    verdicts: Verdicts | None = None,
) -> pl.LazyFrame:
    """Write the rows of `annotation_table` into Parquet files, some at a time, and return them unread.

    A million people, three models and five repeats are 75 million rows: more than memory holds. What is returned can be
    given to `personax.traits.aggregate_ratings`, which reads one trait after the other.

    Parameters
    ----------
    survey, journal, stopped, verdicts
        See `annotation_table`.
    folder
        An empty one.
    """
    files = []
    for number, part in enumerate(_parts(survey, journal, stopped or {}, verdicts)):
        files.append(folder / f"annotations-{number:05d}.parquet")
        write_parquet(part, files[-1])
    return pl.concat(map(scan_parquet, files))


def _parts(
    survey: Survey[Prompt], journal: ReplyJournal, stopped: Mapping[str, str], verdicts: Verdicts | None
) -> Iterator[pl.DataFrame]:
    """Yield tables of `CHUNK_ROWS` rows; at least one."""
    schema = {**ANNOTATIONS, "flag": pl.String, "ruled": pl.String, "judged": pl.String, "evidence": pl.String,
              "expected": pl.Float64}  # fmt: skip
    left_out = [] if verdicts is not None else ["ruled", "judged"]
    left_out += [] if survey.prompt.evidence else ["evidence"]
    left_out += [] if any(model.logprobs for model in survey.models) else ["expected"]
    rows = _rows(survey, journal, stopped, verdicts or {})
    first = True
    while (chunk := list(islice(rows, CHUNK_ROWS))) or first:
        yield pl.DataFrame(chunk, schema=schema, orient="row").drop(left_out)
        first = False


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
