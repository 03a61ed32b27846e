"""The trait prompt: its settings, the messages about one person, the JSON schema of an answer.

The wording lies in ``prompts/*.jinja``. A prompt's hash is of the wording and of every setting: a reply is never
taken for one to another question.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, Final, Literal, Self

import jinja2
from pydantic import InstanceOf, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from personax.schema import TraitFramework
from personax.strict import Count, Strict
from personax.traits._frameworks import BIG_FIVE
from personax.traits.llms._name_masking import mask_name
from personax.traits.llms._pictures import Picture
from personax.traits.llms._reply_parsing import Reply, read_reply, repair_reason

__all__ = [
    "Format",
    "Message",
    "Order",
    "Prompt",
    "Wording",
    "content_hash",
    "fenced_messages",
    "object_schema",
    "render",
    "template_hash",
]

Format = Literal["number", "text"]
Wording = Literal["standard", "paraphrased"]
Order = Literal["increasing", "decreasing"]
Message = dict[str, Any]
"""``role`` and ``content``: a text, or parts where there is a picture."""

LEVEL_WORDS: Final[Mapping[int, Sequence[str]]] = {
    3: ("low", "medium", "high"),
    5: ("very low", "low", "medium", "high", "very high"),
}
UNKNOWN_ANSWERS: Final = {"number": "0", "text": "unknown"}
TRUNCATION_MARK: Final = " [cut here]"


@dataclass(frozen=True, slots=True)
class LanguageWords:
    """Words of a language in which prompts are written.

    Parameters
    ----------
    levels
        Number of levels -> what they are called, from the lowest.
    unknown
        What is answered in words when nothing can be said.
    level
        The k-th level of n, with places for both.
    """

    levels: Mapping[int, Sequence[str]]
    unknown: str
    level: str


WORDINGS: Final[Mapping[str, LanguageWords]] = {
    "en": LanguageWords(LEVEL_WORDS, UNKNOWN_ANSWERS["text"], "level {} of {}"),
    "de": LanguageWords(
        {
            3: ("niedrig", "mittel", "hoch"),
            5: ("sehr niedrig", "niedrig", "mittel", "hoch", "sehr hoch"),
        },
        "unbekannt",
        "Stufe {} von {}",
    ),
    "es": LanguageWords(
        {3: ("bajo", "medio", "alto"), 5: ("muy bajo", "bajo", "medio", "alto", "muy alto")},
        "desconocido",
        "nivel {} de {}",
    ),
    "fr": LanguageWords(
        {
            3: ("faible", "moyen", "fort"),
            5: ("très faible", "faible", "moyen", "fort", "très fort"),
        },
        "inconnu",
        "niveau {} sur {}",
    ),
}
"""Language -> words; the sentences lie in ``prompts/*.LANGUAGE.jinja``."""


@lru_cache
def _templates() -> jinja2.Environment:
    # what is rendered is plain text for a model, not a page: nothing is escaped, and no person's text is a template
    return jinja2.Environment(
        loader=jinja2.PackageLoader("personax.traits.llms", "prompts"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=False,
        autoescape=False,
    )


def render(template: str, **given: object) -> str:
    """Return one of the texts in ``prompts`` with what is given in its places."""
    return _templates().get_template(template).render(given)


def fenced_messages(system: str, context: Mapping[str, str], **given: object) -> list[Message]:
    """Return the messages of a template about a person, whose fields stand between two lines.

    The lines are made of the hash of what they enclose, so that nobody who writes a biography can close them.
    """
    return fenced(render(system, fence=FENCE, **given), context)


FENCE: Final = "=== data 0000000000000000 ==="
"""Stands in a rendered text where the fence of a person goes."""


def fenced(system: str, context: Mapping[str, str]) -> list[Message]:
    """Return the messages of a rendered text, in which `FENCE` becomes the fence of what is shown of a person."""
    fence = f"=== data {content_hash(dict(context))[:16]} ==="
    pictures = [value for value in context.values() if isinstance(value, Picture)]
    fields = [{"name": name, "value": value} for name, value in context.items() if not isinstance(value, Picture)]
    text = render("person.jinja", fence=fence, fields=fields)
    shown = [{"type": "text", "text": text}, *(picture.part() for picture in pictures)] if pictures else text
    return [{"role": "system", "content": system.replace(FENCE, fence)}, {"role": "user", "content": shown}]


def _texts(*names: str) -> dict[str, str]:
    folder = files("personax.traits.llms").joinpath("prompts")
    return {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}


def template_hash(*names: str) -> str:
    """Return the hash of some of the texts in ``prompts``."""
    return content_hash(_texts(*names))


def content_hash(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON.

    Examples
    --------
    >>> content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class PromptSettings(Strict):
    """How models are asked, as a study file says it; see docs/traits.md.

    Parameters
    ----------
    format
        Whether a level is answered as a number or in words.
    levels
        3 or 5; 0 (or "unknown") always means insufficient information.
    order
        In which the levels are listed: from low to high or from high to low. What a number means never changes.
    fields
        The columns of a person that the model is shown, in this order.
    hide_name
        Replace the person's name, wherever it stands in the fields, by ``[name hidden]``.
    most
        Characters of a field at most; what is cut is marked.
    ask
        For one rating a trait, or for every item of the framework's questionnaire, answered by the numbers of its
        anchors; a trait's score is then the mean of its items, reversed ones turned round.
    evidence
        Whether a passage of what is shown has to be quoted for every score; one that is not there flags the score.
    picture
        Whether the person's picture is shown, too, where there is one.

    Raises
    ------
    InputError
        For other levels, no fields, a hidden name that is itself a field, items in words or with evidence.
    """

    format: Format = "number"
    levels: Literal[3, 5] = 3
    order: Order = "increasing"
    fields: Sequence[str] = ("name", "biography")
    hide_name: bool = False
    most: Count = 8000
    ask: Literal["traits", "items"] = "traits"
    evidence: bool = False
    picture: bool = False

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what every study had before there was a choice: it makes no stage stale."""
        settings: dict[str, Any] = dump(self)
        usual = {"ask": "traits", "evidence": False, "picture": False}
        return {name: value for name, value in settings.items() if name not in usual or value != usual[name]}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        faults = []
        if self.ask == "items" and (self.format == "text" or self.evidence):
            faults.append(
                "ask: items is answered by the numbers of the anchors alone; leave format and evidence as they are"
            )
        if self.picture and "picture" in self.fields:
            faults.append("picture: prompt.fields names a column picture, too; rename it")
        if self.hide_name and "name" in self.fields:
            faults.append("hide_name: the name is one of prompt.fields; take it out there")
        if faults:
            raise PydanticCustomError("settings", "{text}", {"text": "; and ".join(faults)})
        return self

    @field_validator("fields")
    @classmethod
    def _are_some(cls, fields: Sequence[str]) -> Sequence[str]:
        if not fields:
            text = "a model that is shown nothing can say nothing; name a column or more"
            raise PydanticCustomError("no_fields", text)
        return tuple(fields)  # a prompt can be hashed


class Prompt(PromptSettings):
    """A way to ask.

    Parameters
    ----------
    format, levels, order, fields, hide_name, most, ask, evidence, picture
        See `PromptSettings`.
    wording
        The same question in other words, to see whether words move a model; English only.
    framework
        Whose traits are asked for, in its language.

    Raises
    ------
    InputError
        As `PromptSettings`; items of a framework without any, or a language that there is no wording in.
    """

    wording: Wording = "standard"
    framework: InstanceOf[TraitFramework] = BIG_FIVE

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        framework = self.framework
        if self.ask == "items" and not framework.items:
            text = "ask: items needs a framework with items; {name} has none"
            raise PydanticCustomError("no_items", text, {"name": framework.name})
        known = ["en"] if self.wording == "paraphrased" else sorted(WORDINGS)
        if framework.language not in known:
            told = {"name": framework.name, "language": framework.language, "known": ", ".join(known)}
            text = "{name} is in the language {language}, in which there is no wording; there are {known}"
            raise PydanticCustomError("no_wording", text, told)
        return self

    @property
    def traits(self) -> tuple[str, ...]:
        """Names of the traits asked for."""
        return self.framework.names

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of an answer: the traits, or the ids of the items in lower case."""
        return self.traits if self.ask == "traits" else tuple(item.id.lower() for item in self.framework.items)

    @property
    def points(self) -> int:
        """The highest answer: of a trait or an item, whichever is asked for."""
        return self.levels if self.ask == "traits" else len(self.framework.anchors)

    @property
    def unknown(self) -> str:
        """What a model answers when it cannot say."""
        return UNKNOWN_ANSWERS["number"] if self.format == "number" else self._words.unknown

    @property
    def _words(self) -> LanguageWords:
        return WORDINGS[self.framework.language]

    @cached_property
    def answers(self) -> dict[str, int]:
        """Answer -> level, 1 the lowest; in the order in which they are listed."""
        named = self._words.levels[self.levels] if self.ask == "traits" else self.framework.anchors
        words = list(enumerate(named, start=1))
        listed = words if self.order == "increasing" else words[::-1]
        return {str(level) if self.format == "number" else word: level for level, word in listed}

    @cached_property
    def level_by_answer(self) -> Mapping[str, int]:
        """What may be answered, in lower case, and its level."""
        return {answer.lower(): level for answer, level in self.answers.items()}

    @property
    def name(self) -> str:
        """A short name, such as ``number-3-increasing-1f0c2a9b``; the end is the hash's start."""
        asked = f"{self.format}-{self.levels}" if self.ask == "traits" else f"items-{self.points}"
        return f"{asked}-{self.order}-{self.hash[:8]}"

    @cached_property
    def hash(self) -> str:
        """Of the wording and of every setting."""
        wording = _texts(self._system, "person.jinja", self._repair)
        settings = [self.format, self.levels, self.order, list(self.fields), self.hide_name, self.most]
        asked: list[Any] = []  # nothing where all is as it was before there was a choice: replies stay known
        if self.ask == "items":
            asked += [[item.id, item.text] for item in self.framework.items] + [list(self.framework.anchors)]
        if self.evidence:
            asked += [_texts(self._in_language("evidence"))]
        if self.picture:
            asked += [_texts(self._in_language("picture"))]
        return content_hash([wording, settings, self.framework.meanings, *asked])

    @property
    def _system(self) -> str:
        if self.wording == "paraphrased":
            return "paraphrased.jinja"
        return self._in_language("system" if self.ask == "traits" else "items")

    @property
    def _repair(self) -> str:
        return self._in_language("repair" if self.ask == "traits" else "repair_items")

    def _in_language(self, text: str) -> str:
        language = self.framework.language
        return f"{text}.jinja" if language == "en" else f"{text}.{language}.jinja"

    def context(self, person: Mapping[str, Any]) -> dict[str, str]:
        """Return what the model is shown of a person: the fields that hold something, names hidden, long ones cut."""
        fields = {}
        for field in self.fields:
            value = person.get(field)
            if value is not None and str(value).strip():
                text = str(value)
                if self.hide_name:
                    text = mask_name(text, str(person.get("name") or ""))
                fields[field] = text if len(text) <= self.most else text[: self.most] + TRUNCATION_MARK
        picture = person.get("picture") if self.picture else None
        return {**fields, "picture": picture} if isinstance(picture, Picture) else fields

    def messages(self, context: Mapping[str, str]) -> list[Message]:
        """Return the messages for what is shown of a person."""
        return fenced(self._rendered, context)

    @cached_property
    def _rendered(self) -> str:
        """The system text, in which nothing but the fence is a person's."""
        scale = [{"answer": answer, "meaning": self._meaning(level)} for answer, level in self.answers.items()]
        written = render(
            self._system,
            fence=FENCE,
            format=self.format,
            scale=scale,
            unknown=self.unknown,
            traits=self._described_traits(),
            items=self.framework.items if self.ask == "items" else (),
        )
        more = [name for name, wanted in (("evidence", self.evidence), ("picture", self.picture)) if wanted]
        return "\n\n".join([written, *(render(self._in_language(name)) for name in more)])

    def repair(self, messages: Sequence[Message], reply: str, problem: str) -> list[Message]:
        """Return the messages that ask once more for what was not a JSON object of the right shape."""
        again = render(self._repair, problem=problem, traits=self._described_traits(), keys=self.keys)
        return [*messages, {"role": "assistant", "content": reply}, {"role": "user", "content": again}]

    def problem(self, reply: Reply) -> str | None:
        """Return what to tell a model whose reply had the wrong shape, or None."""
        return repair_reason(read_reply(reply, self))

    def schema(self) -> dict[str, Any]:  # type: ignore[override] # what pydantic had of this name is deprecated
        """Return the JSON schema of an answer."""
        listed = [self.unknown, *self.answers]
        score = (
            {"type": "integer", "enum": [int(answer) for answer in listed]}
            if self.format == "number"
            else {"type": "string", "enum": listed}
        )
        if self.ask == "items":
            return object_schema(dict.fromkeys(self.keys, score))
        quoted = {"evidence": {"type": "string"}} if self.evidence else {}
        one = object_schema({"description": {"type": "string"}, **quoted, "score": score})
        return object_schema(dict.fromkeys(self.traits, one))

    def _described_traits(self) -> list[dict[str, str]]:
        return [{"name": name, "meaning": meaning} for name, meaning in self.framework.meanings.items()]

    def _meaning(self, level: int) -> str:
        if self.ask == "items":
            return self.framework.anchors[level - 1]
        word = self._words.levels[self.levels][level - 1]
        return word if self.format == "number" else self._words.level.format(level, self.levels)


def object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the strict JSON schema of an object with these properties and no others."""
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip
