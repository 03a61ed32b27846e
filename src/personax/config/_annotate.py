"""Who scores the traits of people: invented raters, a lexicon, a questionnaire, LLMs."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from personax.registry import part_name
from personax.strict import Count, OutsidePath, Strict, by_source, nearest
from personax.traits.llms import Model, PromptSettings, content_hash

RatingModelName = Annotated[str, part_name("rating_models")]


DEFAULTS: dict[str, Any] = {
    "flagged": "keep", "families": {}, "scores": "expected", "vignettes": 0, "injections": 0,
}  # fmt: skip
"""Settings that came later: left out where they are what they were."""


class Framed(Strict):
    """What scores the traits of a registered framework."""

    framework: Annotated[str, part_name("trait_frameworks")] = "big_five"

    @model_serializer(mode="wrap")
    def _without_the_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what every study had before there was a choice: it makes no stage stale."""
        settings: dict[str, Any] = dump(self)
        if settings.get("framework") == "big_five":
            del settings["framework"]
        for name, default in DEFAULTS.items():
            if settings.get(name) == default:
                del settings[name]
        return settings


class Rated(Strict):
    """What becomes of the scores of several raters.

    ``groups``: columns of people by which reliability is told apart; those with few values where nothing is named.
    ``families``: rater -> family, such as the maker of a model; raters of one family err together. ``scores``: whether
    a final score is the best guess, or one plausible value, which spreads as people do whatever is known of them.
    """

    rule: RatingModelName = "median"
    groups: list[str] | None = None
    families: dict[str, str] = {}
    scores: Literal["expected", "plausible"] = "expected"


class AnnotateSimulated(Rated):
    """The noisy raters of the simulated people; with ``lexicon``, what their biographies say is one rater more."""

    source: Literal["simulate"]
    lexicon: bool = False


class AnnotateLexicon(Rated, Framed):
    """Adjective markers of the framework found in the biographies; needs no network."""

    source: Literal["lexicon"]


class StereotypeAudit(Strict):
    """Whether scores move when one field of the same person is changed; see docs/traits.md."""

    fields: Annotated[list[str], Field(min_length=1)]
    people: Annotated[int, Field(ge=2)] = 40
    values: Annotated[int, Field(ge=2, le=20)] = 4


class AnnotateLLM(Rated, Framed):
    """What several LLMs say of each person; a judge, where there is one, flags scores that words deny.

    ``flagged``: whether scores beside words of doubt count. The structured answer decides, so they do by default;
    ``drop`` leaves them out, which removes scores by the words that go with them. ``allow_missing``: share of requests
    that may be without a reply; beyond it the command line ends with 1. ``vignettes``: how many times every model has
    been asked about the invented people of the framework; one more asks again. ``injections``: about how many people
    every model is asked with instructions hidden in what is shown of them.
    """

    source: Literal["llm"]
    models: Annotated[list[Model], Field(min_length=1)]
    prompt: PromptSettings = PromptSettings()
    repeats: Count = 1
    judge: str | Model | None = None
    flagged: Literal["keep", "drop"] = "keep"
    allow_missing: float = Field(default=0.0, ge=0, le=1, exclude=True)
    audit: StereotypeAudit | None = None
    vignettes: int = Field(default=0, ge=0, le=100)
    injections: int = Field(default=0, ge=0)
    max_cost: float | None = Field(default=None, gt=0, exclude=True)

    @model_validator(mode="after")
    def _can_be_paid(self) -> Self:
        names = [model.name for model in self.models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("twice", "two models are called {name}", {"name": twice[0]})
        settings = [content_hash(model.settings()) for model in self.models]
        same = [
            (self.models[settings.index(one)].name, model.name)
            for one, model in zip(settings, self.models, strict=True)
        ]
        twin = next((pair for pair in same if pair[0] != pair[1]), None)
        if twin is not None:
            text = (
                "{one} and {other} are the same model asked in the same way; keep one, and use repeats to ask it again"
            )
            raise PydanticCustomError("twin", text, {"one": twin[0], "other": twin[1]})
        if isinstance(self.judge, str) and self.judge not in names:
            told = {"name": self.judge, "near": nearest(self.judge, names)}
            raise PydanticCustomError("no_judge", "judge: there is no model {name}; {near}", told)
        judges = [self.judge] if isinstance(self.judge, Model) else []
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
    path: OutsidePath
    id: str
    key: OutsidePath
    low: int
    high: int
    min_answered: Count = 3
    missing: list[str] = [""]


class AnnotateRelease(Framed):
    """The scores that a release holds; ``rule`` puts its models together where it has no score over models."""

    source: Literal["release"]
    rule: RatingModelName = "median"


_SOURCES: dict[str, type[Strict]] = {
    "simulate": AnnotateSimulated,
    "lexicon": AnnotateLexicon,
    "questionnaire": AnnotateQuestionnaire,
    "llm": AnnotateLLM,
    "release": AnnotateRelease,
}

Annotate = Annotated[
    SerializeAsAny[AnnotateSimulated | AnnotateLexicon | AnnotateQuestionnaire | AnnotateLLM | AnnotateRelease],
    by_source(lambda: _SOURCES),
]
