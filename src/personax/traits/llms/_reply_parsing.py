"""Parsing replies: a score a trait, or the reason why there is none. A reason never becomes a number.

Rules in this order; the first that holds decides. Of the whole reply: ``filtered`` (the provider withheld it),
``privacy`` and ``refused`` (it declines, and names privacy or does not), ``empty``, ``truncated`` (it stops in the
middle), ``malformed`` (no JSON object). Of each trait: ``malformed`` (no score), ``off_scale``, ``insufficient`` (the
answer for not knowing), ``privacy`` and ``refused`` (the same in its description), ``hesitation`` (a score beside words
that none can be given), ``contradictory`` (a low score described as high, or the reverse), ``ok``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Protocol

__all__ = ["Reply", "ResponseScale", "TraitRating", "is_withheld", "json_object", "read_reply", "repair_reason"]


PRIVACY: Final = re.compile(
    r"\b(privacy|private (individual|person|life|matters?)|personal (data|information)|without (their|his|her) consent"
    r"|gdpr|confidential)\b",
    re.IGNORECASE,
)
REFUSAL: Final = re.compile(
    r"\b(i('m| am) (sorry|unable)|i (can(no|')t|can not|won't|will not|must decline|do(n't| not) feel comfortable)"
    r"|as an ai\b|(against|violates?) (my|our|the) (guidelines|polic(y|ies))"
    r"|not (appropriate|ethical|possible for me) to (assess|judge|infer|rate))",
    re.IGNORECASE,
)
HESITATION: Final = re.compile(
    r"\b((can(no|')t|can not|could not|impossible to|hard to|difficult to) (be )?"
    r"(say|tell|determined?|assess(ed)?|judged?|inferr?(ed)?)"
    r"|(insufficient|not enough|no|little) (information|evidence|data|indication)|unclear|unknown)\b",
    re.IGNORECASE,
)
HIGH: Final = re.compile(r"\b((very )?high(ly)?)\b", re.IGNORECASE)
LOW: Final = re.compile(r"\b((very )?low)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from a provider.

    Parameters
    ----------
    content, refusal
        The text, and the field in which some providers put a refusal.
    finish
        Why the model stopped: ``stop``, ``length``, ``content_filter`` or a provider's own word.
    """

    content: str | None
    refusal: str | None = None
    finish: str | None = "stop"


@dataclass(frozen=True, slots=True)
class TraitRating:
    """One trait of one person, as one reply has it.

    Parameters
    ----------
    trait, status
        Of the framework, and of `personax.schema.STATUSES`.
    score
        From 1; None unless the status is ``ok``.
    text
        The description, or what there is in its place.
    """

    trait: str
    status: str
    score: float | None
    text: str


class ResponseScale(Protocol):
    """What may be answered; a `personax.traits.llms.Prompt` is one."""

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits asked for."""

    @property
    def levels(self) -> int:
        """How many levels there are."""

    @property
    def level_by_answer(self) -> Mapping[str, int]:
        """What may be answered, in lower case, and its level."""

    @property
    def unknown(self) -> str:
        """What a model answers when it cannot say."""

    def __hash__(self) -> int: ...


def read_reply(reply: Reply, scale: ResponseScale) -> list[TraitRating]:
    """Return one judgement a trait.

    Examples
    --------
    >>> from personax.traits.llms import Prompt
    >>> read_reply(Reply("I'm sorry, I cannot judge a private individual."), Prompt())[0].status
    'privacy'
    """
    return list(_read(reply, scale))


@lru_cache(maxsize=8)  # whether to ask again, and what it says, are asked of the same reply one after the other
def _read(reply: Reply, scale: ResponseScale) -> tuple[TraitRating, ...]:
    status, values = _reply_object(reply)
    text = (reply.refusal or reply.content or "").strip()
    if values is None:
        return tuple(TraitRating(trait, status, None, text) for trait in scale.traits)
    by_name = {str(key).strip().lower(): value for key, value in values.items()}
    return tuple(_rate_trait(trait, by_name.get(trait), scale) for trait in scale.traits)


def is_withheld(reply: Reply) -> bool | None:
    """Say whether a reply keeps to itself what it was asked for, by the same rules; None for an empty one.

    Examples
    --------
    >>> is_withheld(Reply("That is a private matter.")), is_withheld(Reply("Bipolar disorder."))
    (True, False)
    """
    if reply.refusal or reply.finish == "content_filter":
        return True
    text = (reply.content or "").strip()
    if not text:
        return None
    return any(rule.search(text) for rule in (REFUSAL, PRIVACY, HESITATION))


def repair_reason(ratings: list[TraitRating]) -> str | None:
    """Return what to tell a model whose reply had the wrong shape; None where asking again would be pressing it."""
    first = ratings[0]
    if all(rating.status == first.status for rating in ratings) and first.status in ("empty", "malformed"):
        return "it was empty" if first.status == "empty" else "it was not one JSON object with all keys"
    for rating in ratings:
        if rating.status == "malformed":
            return f"{rating.trait} had no score"
        if rating.status == "off_scale":
            return f"the score of {rating.trait} is not one of those listed"
    return None


def _reply_object(reply: Reply) -> tuple[str, dict[str, Any] | None]:
    content = (reply.content or "").strip()
    if reply.finish == "content_filter":
        return "filtered", None
    if reply.refusal:
        return _refusal_status(reply.refusal) or "refused", None
    if not content:
        return ("truncated" if reply.finish == "length" else "empty"), None
    values = json_object(content)
    if values is not None:
        return "ok", values
    return _refusal_status(content) or ("truncated" if reply.finish == "length" else "malformed"), None


def _refusal_status(text: str) -> str | None:
    if not REFUSAL.search(text):
        return None
    return "privacy" if PRIVACY.search(text) else "refused"


_MAX_REPLY = 200_000
"""Characters of a reply that are read; what was asked for has a few thousand."""

_MAX_STARTS = 1000
"""Braces at which an object is looked for: blocks within blocks would be read once from each."""


def json_object(content: str) -> dict[str, Any] | None:
    """Return the first JSON object in a text, whatever stands around it."""
    decoder, content = json.JSONDecoder(), content[:_MAX_REPLY]
    for start in (match.start() for match in islice(re.finditer(r"\{", content), _MAX_STARTS)):
        try:
            value, _ = decoder.raw_decode(content, start)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def _rate_trait(trait: str, value: object, scale: ResponseScale) -> TraitRating:
    score, text = value, ""
    if isinstance(value, Mapping):
        score, text = value.get("score"), str(value.get("description") or "").strip()
    answer = _normalised_answer(score)
    if answer is None:
        return TraitRating(trait, "malformed", None, text)
    level = scale.level_by_answer.get(answer)
    if answer == scale.unknown:
        status = _refusal_status(text) or ("privacy" if PRIVACY.search(text) else "insufficient")
    elif level is None:
        status = "off_scale"
    else:
        status = _refusal_status(text) or ("hesitation" if HESITATION.search(text) else "ok")
        if status == "ok" and _contradicts(text, level, scale.levels):
            status = "contradictory"
    return TraitRating(trait, status, float(level) if level is not None and status == "ok" else None, text)


def _normalised_answer(score: object) -> str | None:
    """Return a score as it stands in the list of answers: 2, 2.0 and "2" are the same."""
    if isinstance(score, bool) or not isinstance(score, int | float | str):
        return None
    text = str(score).strip().lower()
    if re.fullmatch(r"-?\d+\.0+", text):
        text = text.split(".")[0]
    return text or None


def _contradicts(text: str, level: int, levels: int) -> bool:
    """Say whether a description calls low what was scored high, or the reverse; "not", or both words, say nothing."""
    middle = (levels + 1) / 2
    high, low = bool(HIGH.search(text)), bool(LOW.search(text))
    if high == low or re.search(r"\b(not|n't|never|rather than|neither)\b", text, re.IGNORECASE):
        return False
    return (high and level < middle) or (low and level > middle)
