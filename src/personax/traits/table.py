"""What the journal holds of the people asked, as rows of annotations: every trait has a score or a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from personax.schema import TRAITS
from personax.traits.aggregate import ANNOTATIONS
from personax.traits.asking import Asked, Request, repaired, requests_of
from personax.traits.journal import Entry, Journal
from personax.traits.provider import Model
from personax.traits.replies import Judgement, Reply, read_reply, repairable

__all__ = ["annotations_of"]

ROWS = 50_000
"""Rows that are held as Python objects at once."""

Row = tuple[Any, ...]


def annotations_of(asked: Asked, journal: Journal, *, stopped: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Return a row for every person, model, repeat and trait.

    Parameters
    ----------
    asked
        As it was asked.
    journal
        With the replies.
    stopped
        Model -> why it was given up; the reason of requests that were not sent.

    Returns
    -------
    polars.DataFrame
        Columns as in `ANNOTATIONS`; latency, tokens and cost are the reply's, which the traits of a person share (with
        those of the answer that was asked for once more, if there was one). ``failed``: no reply came, the text says
        why.
        ``not_asked``: the person has nothing in the prompt's fields.
    """
    parts, rows = [], []
    for row in _rows(asked, journal, stopped or {}):
        rows.append(row)
        if len(rows) == ROWS:
            parts.append(pl.DataFrame(rows, schema=ANNOTATIONS, orient="row"))
            rows = []
    return pl.concat([*parts, pl.DataFrame(rows, schema=ANNOTATIONS, orient="row")])


def _rows(asked: Asked, journal: Journal, stopped: Mapping[str, str]) -> Iterator[Row]:
    shown = [bool(asked.prompt.shown(person)) for person in asked.people]
    for model in asked.models:
        requests = requests_of(asked, model)
        for repeat in range(asked.repeats):
            for person, something in zip(asked.people, shown, strict=True):
                key = (str(person["id"]), model.name, asked.prompt.name, repeat)
                if something:
                    found, taken = _judged(next(requests), asked, model, journal, stopped)
                else:
                    found, taken = _same("not_asked", "nothing to show of this person"), (None, None, None)
                for one in found:
                    yield (*key, one.trait, one.score, one.text, one.status, *taken)


def _judged(
    request: Request, asked: Asked, model: Model, journal: Journal, stopped: Mapping[str, str]
) -> tuple[list[Judgement], Row]:
    """Return what the last reply to a request says, and latency, tokens and cost."""
    entry = journal.get(request.key)
    if entry is None:
        reason = journal.failed(request.key) or stopped.get(model.name) or "not asked yet"
        return _same("failed", reason), (None, None, None)
    found, entries = read_reply(_reply(entry), asked.prompt), [entry]
    problem = repairable(found)
    if problem is not None:
        again = journal.get(repaired(request, asked.prompt, entry.reply.get("content") or "", problem).key)
        if again is not None:
            found, entries = read_reply(_reply(again), asked.prompt), [entry, again]
    tokens = [number for one in entries for number in (one.tokens_in, one.tokens_out)]
    costs = [one.cost for one in entries]
    return found, (
        sum(one.latency for one in entries),
        None if None in tokens else sum(number or 0 for number in tokens),
        None if None in costs else sum(cost or 0.0 for cost in costs),
    )


def _same(status: str, text: str) -> list[Judgement]:
    return [Judgement(trait, status, None, text) for trait in TRAITS]


def _reply(entry: Entry) -> Reply:
    return Reply(*(entry.reply.get(name) for name in ("content", "refusal", "finish")))
