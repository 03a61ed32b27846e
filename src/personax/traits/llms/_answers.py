"""What the journal holds for what was asked: the answer to every question, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from personax.traits.llms._journal import Entry, Journal
from personax.traits.llms._provider import Model
from personax.traits.llms._reply_parsing import Reply
from personax.traits.llms._requests import Asked, Q, Request, repaired, requests_of

__all__ = ["Answered", "answers_of", "reply_of"]


@dataclass(frozen=True, slots=True)
class Answered:
    """One question to one model about one person.

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
    entries: tuple[Entry, ...]
    reason: str | None = None
    asked: bool = True

    @property
    def reply(self) -> Reply | None:
        """The last answer."""
        return reply_of(self.entries[-1]) if self.entries else None

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


def answers_of(asked: Asked[Q], journal: Journal, stopped: Mapping[str, str] | None = None) -> Iterator[Answered]:
    """Go through all that was asked: models, then repeats, then people.

    Parameters
    ----------
    stopped
        Model -> why it was given up; the reason of requests that were not sent.
    """
    shown = [bool(asked.prompt.shown(person)) for person in asked.people]
    for model in asked.models:
        requests = requests_of(asked, model)
        for repeat in range(asked.repeats):
            for person, something in zip(asked.people, shown, strict=True):
                if something:
                    entries, reason = _found(next(requests), asked, model, journal, stopped or {})
                    yield Answered(person, model.name, repeat, entries, reason)
                else:
                    yield Answered(person, model.name, repeat, (), "nothing to show of this person", asked=False)


def reply_of(entry: Entry) -> Reply:
    """Return what came back, as the journal has it."""
    return Reply(*(entry.reply.get(name) for name in ("content", "refusal", "finish")))


def _found(
    request: Request, asked: Asked[Q], model: Model, journal: Journal, stopped: Mapping[str, str]
) -> tuple[tuple[Entry, ...], str | None]:
    entry = journal.get(request.key)
    if entry is None:
        return (), journal.failed(request.key) or stopped.get(model.name) or "not asked yet"
    problem = asked.prompt.problem(reply_of(entry))
    if problem is not None:
        again = journal.get(repaired(request, asked.prompt, entry.reply.get("content") or "", problem).key)
        if again is not None:
            return (entry, again), None
    return (entry,), None
