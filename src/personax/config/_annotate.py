"""Who scores the traits of people: invented raters, a lexicon, a questionnaire, LLMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from personax import registry
from personax.errors import InputError
from personax.registry import part_name
from personax.schema import TraitFramework
from personax.strict import Count, OutsidePath, Strict, by_source, nearest
from personax.traits import FrameworkDescription, domain_framework, trait_framework
from personax.traits.llms import Model, Prompt, PromptSettings, content_hash

RatingModelName = Annotated[str, part_name("rating_models")]


DEFAULTS: dict[str, Any] = {
    "flagged": "keep", "families": {}, "scores": "expected", "vignettes": 0, "injections": 0,
    "score_from": "level", "translations": None, "domains": False,
}  # fmt: skip
"""Settings that came later: left out where they are what they were."""


class Framed(Strict):
    """What scores the traits of a framework: a registered one, or one that is described, here or in a file beside.

    ``domains``: the study's scores are of the broader traits, means of their facets.
    """

    framework: Annotated[str, part_name("trait_frameworks")] | FrameworkDescription = "big_five"
    domains: bool = False

    def traits(self) -> TraitFramework:
        """Return the framework whose traits are asked about."""
        return trait_framework(self.framework) if isinstance(self.framework, str) else self.framework.framework()

    def scored(self) -> TraitFramework:
        """Return the framework of the scores: of the domains, where these are wanted."""
        return domain_framework(self.traits()) if self.domains else self.traits()

    @property
    def _is_known(self) -> bool:
        """Whether the framework is there; that of a package that is not installed is missed by whoever scores."""
        return not isinstance(self.framework, str) or self.framework in registry.names("trait_frameworks")

    @model_validator(mode="after")
    def _framework_can_be(self) -> Self:
        if self._is_known:
            try:
                self.scored()
            except InputError as error:
                raise PydanticCustomError("framework", "{text}", {"text": str(error)}) from None
        return self

    @model_serializer(mode="wrap")
    def _without_the_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what every study had before there was a choice: it makes no stage stale."""
        settings: dict[str, Any] = dump(self)
        if settings.get("framework") == "big_five":
            del settings["framework"]
        for name, default in DEFAULTS.items():
            if name in settings and settings[name] == default:
                del settings[name]
        return settings


class Rated(Strict):
    """What becomes of the scores of several raters.

    ``groups``: columns of people by which reliability is told apart; those with few values where nothing is named.
    ``families``: rater -> family, such as the maker of a model; raters of one family err together. ``scores``: whether
    a final score is the best guess, or one plausible value, which spreads as people do whatever is known of them.
    ``adjudication``: a filled sheet of `personax traits adjudicate`, whose decisions take the place of scores.
    """

    rule: RatingModelName = "median"
    groups: list[str] | None = None
    families: dict[str, str] = {}
    scores: Literal["expected", "plausible"] = "expected"
    adjudication: OutsidePath | None = Field(default=None, exclude=True)


class AnnotateSimulated(Rated):
    """The noisy raters of the simulated people; with ``lexicon``, what their biographies say is one rater more."""

    source: Literal["simulate"]
    lexicon: bool = False


class AnnotateLexicon(Rated, Framed):
    """Adjective markers of the framework found in the biographies; needs no network."""

    source: Literal["lexicon"]


class StereotypeAudit(Strict):
    """Whether scores move when one field of the same person is changed; see docs/traits.md.

    ``popularity``: a column of numbers, such as views of a page: are those whom many know scored by their name alone?
    ``dated``: a column that tells when a person's text is from: is what the name tells known of those alone whose texts
    are from before the model's ``cutoff``?
    """

    fields: Annotated[list[str], Field(min_length=1)]
    people: Annotated[int, Field(ge=2)] = 40
    values: Annotated[int, Field(ge=2, le=20)] = 4
    popularity: str | None = None
    dated: str | None = None

    @model_serializer(mode="wrap")
    def _without_the_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what came later where it is not asked for: it makes no stage stale."""
        settings: dict[str, Any] = dump(self)
        return {name: value for name, value in settings.items() if value is not None}


class TranslationAudit(Strict):
    """Whether scores depend on the language of the question; ``framework`` has the study's traits in another one."""

    framework: Annotated[str, part_name("trait_frameworks")]
    people: Annotated[int, Field(ge=2)] = 40


class AnnotateLLM(Rated, Framed):
    """What several LLMs say of each person; a judge, where there is one, flags scores that words deny.

    ``flagged``: whether scores beside words of doubt count. The structured answer decides, so they do by default;
    ``drop`` leaves them out, which removes scores by the words that go with them. ``allow_missing``: share of requests
    that may be without a reply; beyond it the command line ends with 1. ``vignettes``: how many times every model has
    been asked about the invented people of the framework; one more asks again. ``injections``: about how many people
    every model is asked with instructions hidden in what is shown of them. ``score_from``: the level that was answered,
    or what the probabilities of tokens expect where models with ``logprobs`` gave them. ``cache``: a journal that
    several studies share, wherever a model is served.
    """

    source: Literal["llm"]
    models: Annotated[list[Model], Field(min_length=1)]
    prompt: PromptSettings = PromptSettings()
    repeats: Count = 1
    judge: str | Model | None = None
    flagged: Literal["keep", "drop"] = "keep"
    score_from: Literal["level", "tokens"] = "level"
    cache: OutsidePath | None = Field(default=None, exclude=True)
    allow_missing: float = Field(default=0.0, ge=0, le=1, exclude=True)
    audit: StereotypeAudit | None = None
    translations: TranslationAudit | None = None
    vignettes: int = Field(default=0, ge=0, le=100)
    injections: int = Field(default=0, ge=0)
    max_cost: float | None = Field(default=None, gt=0, exclude=True)

    @model_validator(mode="after")
    def _can_be_asked_and_paid(self) -> Self:
        faults = [*self._model_faults(), *self._prompt_faults()]
        if self.score_from == "tokens" and not any(model.logprobs for model in self.models):
            faults.append(
                "score_from: tokens needs probabilities of tokens; set logprobs: true for the models that give them"
            )
        if faults:
            raise PydanticCustomError("settings", "{text}", {"text": "; and ".join(faults)})
        return self

    def _model_faults(self) -> Iterator[str]:
        names = [model.name for model in self.models]
        yield from (f"two models are called {name}" for name in sorted({one for one in names if names.count(one) > 1}))
        first: dict[str, str] = {}
        for model in self.models:
            one = first.setdefault(content_hash(model.settings()), model.name)
            if one != model.name:
                text = "are the same model asked in the same way; keep one, and use repeats to ask it again"
                yield f"{one} and {model.name} {text}"
        if isinstance(self.judge, str) and self.judge not in names:
            yield f"judge: there is no model {self.judge}; {nearest(self.judge, names)}"
        judges = [self.judge] if isinstance(self.judge, Model) else []
        unpriced = [one.name for one in [*self.models, *judges] if None in (one.input_price, one.output_price)]
        if self.max_cost is not None and unpriced:
            text = "max_cost needs input_price and output_price of every model"
            yield f"{text}; {', '.join(unpriced)} has none (your own server: 0)"

    def _prompt_faults(self) -> Iterator[str]:
        """Yield what the framework has no items or no wording for, and a judge of bare numbers."""
        if self.judge is not None and self.prompt.ask == "items":
            yield "prompt.ask: items gives no words that a judge could read; leave judge out"
        if self._is_known:
            try:
                Prompt(**dict(self.prompt), framework=self.traits())
            except InputError as error:
                yield str(error).removeprefix("Prompt: ")


class AnnotateQuestionnaire(Framed):
    """Trait scores from the answers to questionnaire items.

    ``key``: a key file; without one the framework's own items are columns. ``low``, ``high``: ends of the answer scale,
    those of the framework's anchors where they are not given.
    """

    source: Literal["questionnaire"]
    path: OutsidePath
    id: str
    key: OutsidePath | None = None
    low: int = 1
    high: int | None = None
    min_answered: Count = 3
    missing: list[str] = [""]

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.key is None and self._is_known and not self.traits().items:
            text = "the framework {name} has no items of its own; name a key file under key"
            raise PydanticCustomError("no_key", text, {"name": self.traits().name})
        return self


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
