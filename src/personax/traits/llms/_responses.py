"""Responses to a survey, read from the journal: the reply to every request, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from personax.traits.llms._journal import JournalEntry, ReplyJournal
from personax.traits.llms._provider import Model
from personax.traits.llms._reply_parsing import Reply
from personax.traits.llms._requests import (
    ChatRequest,
    Q,
    Survey,
    iter_requests,
    longer_request,
    repair_request,
    was_cut_off,
)

__all__ = ["ModelResponse", "model_responses", "stored_reply"]


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """The response of one model about one person, one repeat.

    Parameters
    ----------
    person, model, repeat
        Of what was asked.
    entries
        The answer, and the one that was asked for once more; empty without any.
    reason
        Why there is none; ``nothing to show`` where nobody was asked.
    """

    person: Mapping[str, Any]
    model: str
    repeat: int
    entries: tuple[JournalEntry, ...]
    reason: str | None = None
    was_asked: bool = True

    @property
    def reply(self) -> Reply | None:
        """The last answer."""
        return stored_reply(self.entries[-1]) if self.entries else None

    @property
    def latency(self) -> float | None:
        """Seconds, of all its answers."""
        return sum(one.latency for one in self.entries) if self.entries else None

    @property
    def tokens(self) -> int | None:
        """Of all its answers; None where the provider did not say."""
        known = [number for one in self.entries for number in (one.tokens_in, one.tokens_out)]
        return None if not known or None in known else sum(number or 0 for number in known)

    @property
    def cost(self) -> float | None:
        """Of all its answers; None where no price is known."""
        known = [one.cost for one in self.entries]
        return None if not known or None in known else sum(cost or 0.0 for cost in known)


def model_responses(
    survey: Survey[Q], journal: ReplyJournal, stopped: Mapping[str, str] | None = None
) -> Iterator[ModelResponse]:
    """Iterate over a survey's responses: models, then repeats, then people.

    Parameters
    ----------
    stopped
        Model -> why it was given up; the reason of requests that were not sent.
    """
    contexts = [bool(survey.prompt.context(person)) for person in survey.people]
    for model in survey.models:
        requests = iter_requests(survey, model)
        for repeat in range(survey.repeats):
            for person, has_context in zip(survey.people, contexts, strict=True):
                if has_context:
                    entries, reason = _lookup(next(requests), survey, model, journal, stopped or {})
                    yield ModelResponse(person, model.name, repeat, entries, reason)
                else:
                    yield ModelResponse(
                        person, model.name, repeat, (), "nothing to show of this person", was_asked=False
                    )


def stored_reply(entry: JournalEntry) -> Reply:
    """Return what came back, as the journal has it."""
    return Reply(*(entry.reply.get(name) for name in ("content", "refusal", "finish")))


def _lookup(
    request: ChatRequest, survey: Survey[Q], model: Model, journal: ReplyJournal, stopped: Mapping[str, str]
) -> tuple[tuple[JournalEntry, ...], str | None]:
    entry = journal.get(request.key)
    if entry is None:
        return (), journal.failed(request.key) or stopped.get(model.name) or "not asked yet"
    if survey.prompt.schema() is not None and was_cut_off(stored_reply(entry)):
        longer = journal.get(longer_request(request).key)
        return ((entry,) if longer is None else (entry, longer)), None
    problem = survey.prompt.problem(stored_reply(entry))
    if problem is not None:
        again = journal.get(repair_request(request, survey.prompt, entry.reply.get("content") or "", problem).key)
        if again is not None:
            return (entry, again), None
    return (entry,), None
