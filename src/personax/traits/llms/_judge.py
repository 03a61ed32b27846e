"""A second opinion on replies: a model says what the rules may have missed, and can only take a score away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from personax.schema import TRAITS, Status
from personax.traits.llms._answers import Answered, answers_of
from personax.traits.llms._journal import Journal
from personax.traits.llms._prompt import Message, Prompt, content_hash, fenced, object_schema, template_hash
from personax.traits.llms._provider import Model
from personax.traits.llms._reply_parsing import Judgement, Reply, json_object, read_reply
from personax.traits.llms._requests import Asked

__all__ = ["VERDICTS", "Judging", "Verdicts", "overruled", "to_judge", "verdicts_of"]

VERDICTS: Final[Mapping[str, Status | None]] = {
    "fine": None, "hesitation": "hesitation", "refused": "refused", "privacy": "privacy",
    "contradictory": "contradictory",
}  # fmt: skip
"""What the judge says -> the status that a score loses to; ``fine`` takes nothing away."""

DOUBTED: Final = {"ok", "hesitation", "refused", "malformed"}
"""Statuses of the rules that words decide; the others have a plain cause."""

Verdicts = Mapping[str, Mapping[str, str]]
"""Hash of a reply -> trait -> verdict."""


@dataclass(frozen=True)
class Judging:
    """Asks what a reply says; a question like any other, in the same journal.

    Parameters
    ----------
    prompt
        What the reply answers: the judge is told its scale.
    """

    prompt: Prompt

    @property
    def name(self) -> str:
        """What the journal calls it."""
        return f"judge-{self.hash[:8]}"

    @cached_property
    def hash(self) -> str:
        """Of the wording and of the scale."""
        return content_hash([template_hash("judge.jinja", "person.jinja"), self._scale(), self.prompt.unknown])

    def _scale(self) -> list[str]:
        return [f"{answer} = level {level} of {self.prompt.levels}" for answer, level in self.prompt.answers.items()]

    def shown(self, person: Mapping[str, Any]) -> dict[str, str]:
        """Return the reply."""
        return {"reply": str(person["reply"])}

    def messages(self, shown: Mapping[str, str]) -> list[Message]:
        """Return what is sent."""
        return fenced("judge.jinja", shown, traits=TRAITS, scale=self._scale(), unknown=self.prompt.unknown)

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of an answer."""
        return object_schema({trait: {"type": "string", "enum": list(VERDICTS)} for trait in TRAITS})

    def problem(self, reply: Reply) -> str | None:
        """Return what was wrong with the judge's own answer."""
        found = json_object(reply.content or "") or {}
        return next((f"{trait} has none of the words" for trait in TRAITS if found.get(trait) not in VERDICTS), None)

    def repair(self, messages: Sequence[Message], reply: str, problem: str) -> list[Message]:
        """Return the messages that ask once more."""
        again = f"That was not what I asked for: {problem}. Answer with one JSON object, one of the words for each key."
        return [*messages, {"role": "assistant", "content": reply}, {"role": "user", "content": again}]


def to_judge(asked: Asked[Prompt], journal: Journal, judge: Model) -> Asked[Judging]:
    """Return what the judge is to be asked: each different reply that words decide, once.

    Parameters
    ----------
    asked
        What models were asked, and the journal has answers to.
    judge
        The model that judges them.
    """
    replies: dict[str, str] = {}
    for answered in answers_of(asked, journal):
        reply = answered.reply
        if reply is None or not (reply.content or "").strip():
            continue
        if DOUBTED & {one.status for one in read_reply(reply, asked.prompt)}:
            replies.setdefault(_key(reply), reply.content or "")
    items = [{"id": key, "reply": content} for key, content in replies.items()]
    return Asked(items, [judge], Judging(asked.prompt))


def verdicts_of(judged: Asked[Judging], journal: Journal) -> dict[str, dict[str, str]]:
    """Return the judge's verdicts; a reply without a readable one is not in them."""
    found = {}
    for answered in answers_of(judged, journal):
        if answered.reply is not None and judged.prompt.problem(answered.reply) is None:
            verdict = json_object(answered.reply.content or "") or {}
            found[str(answered.person["id"])] = {trait: str(verdict[trait]) for trait in TRAITS}
    return found


def overruled(
    answered: Answered, judgements: Iterable[Judgement], verdicts: Verdicts
) -> list[tuple[Judgement, str | None]]:
    """Return the rules' judgements and the judge's verdicts; a score stays only where both let it."""
    if not verdicts:
        return [(one, None) for one in judgements]
    said = verdicts.get(_key(answered.reply), {}) if answered.reply is not None else {}
    result = []
    for one in judgements:
        verdict = said.get(one.trait)
        worse = VERDICTS[verdict] if verdict is not None else None
        if one.status == "ok" and worse is not None:
            one = replace(one, status=worse, score=None)
        result.append((one, verdict))
    return result


def _key(reply: Reply) -> str:
    return content_hash(reply.content or "")
