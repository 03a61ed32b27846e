"""Who scores the traits of people: invented raters, a lexicon, a questionnaire, LLMs."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from personax.config._sections import Count, part_name
from personax.strict import Strict, nearest

RatingModelName = Annotated[str, part_name("rating_models")]


class Framed(Strict):
    """What scores the traits of a registered framework."""

    framework: Annotated[str, part_name("trait_frameworks")] = "big_five"

    @model_serializer(mode="wrap")
    def _without_the_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the framework that every study had before others could be named: it makes no stage stale."""
        settings: dict[str, Any] = dump(self)
        if settings.get("framework") == "big_five":
            del settings["framework"]
        return settings


class LLM(Strict):
    """A model, where it is asked, and how; see `personax.traits.llms.Model`.

    What is excluded changes no answer, so that a stage is not stale when it changes.
    """

    name: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    base_url: str
    key: str | None = Field(default=None, exclude=True)
    structured: Literal["schema", "object", "json", "none"] = "schema"
    temperature: float | None = 0.0
    max_tokens: Count = 600
    concurrency: int = Field(default=8, ge=1, exclude=True)
    requests_per_minute: float | None = Field(default=None, gt=0, exclude=True)
    tokens_per_minute: float | None = Field(default=None, gt=0, exclude=True)
    timeout: float = Field(default=120.0, gt=0, exclude=True)
    input_price: float | None = Field(default=None, ge=0, exclude=True)
    output_price: float | None = Field(default=None, ge=0, exclude=True)
    batch: bool = Field(default=False, exclude=True)
    batch_discount: float = Field(default=0.5, ge=0, le=1, exclude=True)
    provider: Annotated[str, part_name("providers")] = "openai"

    @model_serializer(mode="wrap")
    def _without_the_usual_provider(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the provider that every study had before others could be named: it makes no stage stale."""
        told: dict[str, Any] = dump(self)
        if told.get("provider") == "openai":
            del told["provider"]
        return told

    @field_validator("key")
    @classmethod
    def _is_the_name_of_a_variable(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            # the value is not repeated: it may be the key itself
            raise PydanticCustomError(
                "not_a_name", "key is the name of an environment variable, such as OPENAI_API_KEY"
            )
        return name

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^\s@?#]+", url):
            raise PydanticCustomError("not_a_url", "base_url is an http(s) address without a password or key in it")
        return url


class Rated(Strict):
    """What becomes of the scores of several raters.

    ``groups``: columns of people by which reliability is told apart; those with few values where nothing is named.
    """

    rule: RatingModelName = "median"
    groups: list[str] | None = None


class AnnotateSimulated(Rated):
    """The noisy raters of the simulated people; with ``lexicon``, what their biographies say is one rater more."""

    source: Literal["simulate"]
    lexicon: bool = False


class AnnotateLexicon(Rated, Framed):
    """Adjective markers of the framework found in the biographies; needs no network."""

    source: Literal["lexicon"]


class Ask(Strict):
    """How models are asked; see `personax.traits.llms.Prompt`."""

    format: Literal["number", "text"] = "number"
    levels: Literal[3, 5] = 3
    order: Literal["increasing", "decreasing"] = "increasing"
    fields: list[str] = ["name", "biography"]
    hide_name: bool = False
    most: Count = 8000


class StereotypeAudit(Strict):
    """Whether scores move when one field of the same person is changed; see docs/traits.md."""

    fields: Annotated[list[str], Field(min_length=1)]
    people: Annotated[int, Field(ge=2)] = 40
    values: Annotated[int, Field(ge=2, le=20)] = 4


class AnnotateLLM(Rated, Framed):
    """What several LLMs say of each person; a judge, where there is one, takes away scores that words deny."""

    source: Literal["llm"]
    models: Annotated[list[LLM], Field(min_length=1)]
    prompt: Ask = Ask()
    repeats: Count = 1
    judge: str | LLM | None = None
    audit: StereotypeAudit | None = None
    max_cost: float | None = Field(default=None, gt=0, exclude=True)

    @model_validator(mode="after")
    def _can_be_paid(self) -> Self:
        names = [model.name for model in self.models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("twice", "two models are called {name}", {"name": twice[0]})
        if isinstance(self.judge, str) and self.judge not in names:
            told = {"name": self.judge, "near": nearest(self.judge, names)}
            raise PydanticCustomError("no_judge", "judge: there is no model {name}; {near}", told)
        judges = [self.judge] if isinstance(self.judge, LLM) else []
        unpriced = [
            model.name for model in [*self.models, *judges] if model.input_price is None or model.output_price is None
        ]
        if self.max_cost is not None and unpriced:
            text = "max_cost needs input_price and output_price of every model; {name} has none (your own server: 0)"
            raise PydanticCustomError("no_price", text, {"name": unpriced[0]})
        return self


class AnnotateQuestionnaire(Framed):
    """Trait scores from the answers to questionnaire items."""

    source: Literal["questionnaire"]
    path: str
    id: str
    key: str
    low: int
    high: int
    min_answered: Count = 3
    missing: list[str] = [""]


class AnnotateRelease(Strict):
    """The scores that a release holds; ``rule`` puts its models together where it has no score over models."""

    source: Literal["release"]
    rule: RatingModelName = "median"


Annotate = Annotated[
    AnnotateSimulated | AnnotateLexicon | AnnotateQuestionnaire | AnnotateLLM | AnnotateRelease,
    Field(discriminator="source"),
]
