"""A journal that several studies share: what one has paid for, another need not ask, wherever the model is served.

Replies stand in it under a key without the endpoint's address. Only answers that could be used are given to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from personax.traits.llms._journal import JournalEntry, ReplyJournal
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import CHUNK_SIZE, ChatRequest, Question, Survey, iter_requests, was_cut_off
from personax.traits.llms._responses import stored_reply

__all__ = ["give_to_cache", "take_from_cache"]


def take_from_cache(survey: Survey[Question], journal: ReplyJournal, cache: ReplyJournal) -> int:
    """Copy the replies that a shared cache has into a study's journal, at no cost, and return how many.

    Parameters
    ----------
    survey
        What is to be asked.
    journal, cache
        The study's, and the shared one.
    """
    taken = 0
    for chunk in _chunks(survey):
        known = journal.answered([request.key for _, request, _ in chunk])
        wanted = [one for one in chunk if one[1].key not in known]
        there = cache.answered([shared for _, _, shared in wanted])
        found = [
            replace(
                entry, key=request.key, model=model.name, person=request.person, prompt=survey.prompt.name, cost=0.0
            )
            for model, request, shared in wanted
            if shared in there and (entry := cache.get(shared, messages=True)) is not None
        ]
        journal.add(found)
        taken += len(found)
    return taken


def give_to_cache(survey: Survey[Question], journal: ReplyJournal, cache: ReplyJournal) -> int:
    """Copy a study's first answers that can be used into a shared cache, and return how many are new there."""
    given = 0
    for chunk in _chunks(survey):
        known = cache.answered([shared for _, _, shared in chunk])
        entries = (
            replace(entry, key=shared)
            for _, request, shared in chunk
            if shared not in known
            and (entry := journal.get(request.key, messages=True)) is not None
            and _is_usable(survey, entry)
        )
        found = list(entries)
        cache.add(found)
        given += len(found)
    return given


def _is_usable(survey: Survey[Question], entry: JournalEntry) -> bool:
    reply = stored_reply(entry)
    return survey.prompt.problem(reply) is None and not was_cut_off(reply)


def _chunks(survey: Survey[Question]) -> Iterator[list[tuple[Model, ChatRequest, str]]]:
    """Yield models, requests and their keys in the cache, some at a time.

    Models that differ by their address alone are left out: they are raters of their own, and would become copies.
    """
    whole, nowhere = replace(survey, part=(1, 1)), [_without_address(model) for model in survey.models]
    for model, settings in zip(survey.models, nowhere, strict=True):
        if nowhere.count(settings) > 1:
            continue
        pairs = zip(iter_requests(whole, model), iter_requests(whole, model, settings), strict=True)
        while chunk := list(islice(pairs, CHUNK_SIZE)):
            yield [(model, request, shared.key) for request, shared in chunk]


def _without_address(model: Model) -> list[Any]:
    name, _, *others = model.settings()
    return [name, "at any address", *others]
