"""LLM as a judge of replies: it finds refusals and hesitation that the rules miss, and flags scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from personax.schema import Status
from personax.traits._frameworks import BIG_FIVE
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Message, Prompt, content_hash, fenced_messages, object_schema, template_hash
from personax.traits.llms._provider import Model
from personax.traits.llms._reply_parsing import Reply, TraitRating, json_object, read_reply
from personax.traits.llms._requests import Survey
from personax.traits.llms._responses import ModelResponse, model_responses

__all__ = ["VERDICT_STATUS", "JudgeQuestion", "Verdicts", "apply_verdicts", "judge_survey", "read_verdicts"]

VERDICT_STATUS: Final[Mapping[str, Status | None]] = {
    "fine": None, "hesitation": "hesitation", "refused": "refused", "privacy": "privacy",
    "contradictory": "contradictory",
}  # fmt: skip
"""What the judge says -> the flag of a score; ``fine`` takes a flag of the rules away."""

JUDGED_STATUSES: Final = {"ok", "refused", "malformed"}
"""Statuses of the rules that words decide; the others have a plain cause."""

Verdicts = Mapping[str, Mapping[str, str]]
"""Hash of a reply -> trait -> verdict."""


@dataclass(frozen=True)
class JudgeQuestion:
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
        own = [] if self.prompt.framework == BIG_FIVE else [list(self.prompt.traits)]
        return content_hash([template_hash("judge.jinja", "person.jinja"), self._scale(), self.prompt.unknown, *own])

    def _scale(self) -> list[str]:
        return [f"{answer} = level {level} of {self.prompt.levels}" for answer, level in self.prompt.answers.items()]

    def context(self, person: Mapping[str, Any]) -> dict[str, str]:
        """Return the reply."""
        return {"reply": str(person["reply"])}

    def messages(self, context: Mapping[str, str]) -> list[Message]:
        """Return what is sent."""
        return fenced_messages(
            "judge.jinja", context, traits=self.prompt.traits, scale=self._scale(), unknown=self.prompt.unknown
        )

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of an answer."""
        return object_schema({trait: {"type": "string", "enum": list(VERDICT_STATUS)} for trait in self.prompt.traits})

    def problem(self, reply: Reply) -> str | None:
        """Return what was wrong with the judge's own answer."""
        values = json_object(reply.content or "") or {}
        return next(
            (
                f"{trait} has none of the words"
                for trait in self.prompt.traits
                if str(values.get(trait)) not in VERDICT_STATUS
            ),
            None,
        )

    def repair(self, messages: Sequence[Message], reply: str, problem: str) -> list[Message]:
        """Return the messages that ask once more."""
        again = f"That was not what I asked for: {problem}. Answer with one JSON object, one of the words for each key."
        return [*messages, {"role": "assistant", "content": reply}, {"role": "user", "content": again}]


def judge_survey(survey: Survey[Prompt], journal: ReplyJournal, judge: Model) -> Survey[JudgeQuestion]:
    """Return what the judge is to be asked: each different reply that words decide, once.

    Parameters
    ----------
    survey
        What models were asked, and the journal has answers to.
    judge
        The model that judges them.
    """
    replies: dict[str, str] = {}
    for response in model_responses(survey, journal):
        reply = response.reply
        if reply is None or not (reply.content or "").strip():
            continue
        if JUDGED_STATUSES & {one.status for one in read_reply(reply, survey.prompt)}:
            replies.setdefault(_key(reply), reply.content or "")
    items = [{"id": key, "reply": content} for key, content in replies.items()]
    return Survey(items, [judge], JudgeQuestion(survey.prompt))


def read_verdicts(judged: Survey[JudgeQuestion], journal: ReplyJournal) -> dict[str, dict[str, str]]:
    """Return the judge's verdicts; a reply without a readable one is not in them."""
    verdicts = {}
    for response in model_responses(judged, journal):
        if response.reply is not None and judged.prompt.problem(response.reply) is None:
            verdict = json_object(response.reply.content or "") or {}
            verdicts[str(response.person["id"])] = {trait: str(verdict[trait]) for trait in judged.prompt.prompt.traits}
    return verdicts


def apply_verdicts(
    response: ModelResponse, ratings: Iterable[TraitRating], verdicts: Verdicts
) -> list[tuple[TraitRating, str | None]]:
    """Return the ratings and the judge's verdicts; its verdict on a score is the flag, in place of the rules'."""
    if not verdicts:
        return [(rating, None) for rating in ratings]
    by_trait = verdicts.get(_key(response.reply), {}) if response.reply is not None else {}
    result = []
    for rating in ratings:
        verdict = by_trait.get(rating.trait)
        if rating.status == "ok" and verdict is not None:
            rating = replace(rating, flag=VERDICT_STATUS[verdict])
        result.append((rating, verdict))
    return result


def _key(reply: Reply) -> str:
    return content_hash(reply.content or "")
