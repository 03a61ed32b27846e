"""Sections of study.yaml that are short: people, Level I, Level II, causal graphs, requests, the report."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from personax import registry
from personax.crl import Criterion, Prior, ReductionSetting, Training
from personax.crl.methods import is_usable
from personax.discovery import Knowledge
from personax.registry import part_name
from personax.sources import CollectSeveral, FileSource, source_classes
from personax.strict import Access, Alpha, Count, Measurement, NamedApart, SafeName, Strict, by_source


class AnswerSection(Strict):
    """The limits of `personax answer`; see docs/answering.md."""

    columns: list[str] | None = None
    withheld: list[str] = []
    modalities: list[str] | None = None
    least: Annotated[int, Field(ge=3)] = 10
    requests: Count = 20
    tests: Count = 2000
    subgroups: Count = 20
    bootstraps: Annotated[int, Field(ge=0)] = 100
    latents: Count = 32
    seeds: Count = 3
    epochs: Count = 60


VectorLength = Annotated[int, Field(ge=8)]
"""Room for the latents and noises that a simulated vector mixes."""


class CollectSimulated(Strict):
    """Invented people whose causes are known.

    ``encoded``: vectors as encoders give them, of texts, pictures and a survey, in place of random mixings of latents.
    """

    source: Literal["simulate"]
    n: Count = 1000
    text_dim: VectorLength = 384
    image_dim: VectorLength = 512
    text_measurements: Annotated[int, Field(ge=1, le=26)] = 3
    image_measurements: Annotated[int, Field(ge=1, le=26)] = 1
    images: bool = True
    encoded: bool = False

    @model_serializer(mode="wrap")
    def _without_default_encoding(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the encoding that nobody asked for: it makes no stage stale that ended before there was one."""
        return {name: value for name, value in dump(self).items() if (name, value) != ("encoded", False)}


class CollectRelease(Strict):
    """A published set: a folder, a file, or a data set of a hub; see docs/reading.md.

    ``from`` in study.yaml: a path, or ``user/name``. ``mapping``: column -> id, feature, target, embedding:<modality>
    or leave, for layouts that are not known. ``revision``: of a hub.
    """

    source: Literal["release"]
    place: Annotated[str, Access("hub")] = Field(alias="from", min_length=1)
    mapping: dict[str, str] = {}
    revision: str | None = None


def _collect_sources() -> dict[str, type[Strict]]:
    """Return name -> settings: ours, and those of other packages' files."""
    return {"simulate": CollectSimulated, "release": CollectRelease, **source_classes("file", "sources")}


Collect = Annotated[
    SerializeAsAny[CollectSimulated | FileSource | CollectSeveral | CollectRelease], by_source(_collect_sources)
]


CrlMethod = Annotated[str, part_name("methods", fits=is_usable)]
"""A method that needs no truth, of personax or of another package; see docs/crl.md."""


class CrlSection(Training):
    """Level II: the latent causes behind the embeddings."""

    latents: NamedApart[SafeName, Count]
    shared: Annotated[int, Field(ge=0)] = 0
    method: CrlMethod = "default"
    seeds: Count = 3
    choose: Criterion = "objective"
    prior: Prior | None = None
    reduce: ReductionSetting = "auto"
    halves: bool = False
    upto: Count | None = None
    """Choose each modality's number of latents, this at most; ``latents`` then are where the choice begins."""

    @model_serializer(mode="wrap")
    def _without_newer_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what nobody asked for: it makes no stage stale that ended before there was such an option."""
        newer = {"reduce": "auto", "halves": False, "upto": None}
        return {name: value for name, value in dump(self).items() if name not in newer or value != newer[name]}


class Modalities(Strict):
    """Which measurements belong to which modality; a file of its own beside embeddings."""

    measurements: NamedApart[SafeName, NamedApart[Measurement, str]]
    latents: NamedApart[SafeName, Count]
    shared: Annotated[int, Field(ge=0)] = 0
    prior: Prior | None = None


Correction = Literal["fdr_bh", "fdr_by", "holm", "bonferroni", "none"]

FISHERZ = "fisherz"
"""The test of linear dependence, beside the registered ones."""


def search_tests() -> list[str]:
    """Return the names of the tests that a search for causal graphs can ask."""
    return [part.name for part in registry.parts("tests") if not part.fault] + [FISHERZ]


SearchTest = Annotated[str, part_name("tests", FISHERZ)]
"""Fisher's z of partial correlations, or a registered test; what a test cannot be asked, kci or chisq is."""


class DiscoverQuery(Strict):
    """What a search for causal graphs is asked, by the owner of a study or by somebody else."""

    over: list[Literal["latents", "traits", "features"]] = ["latents"]
    algorithm: Literal["pc", "fci", "ges", "grasp", "boss", "lingam"] = "pc"
    test: SearchTest = FISHERZ
    alpha: Alpha = 0.01
    max_given: Annotated[int, Field(ge=0)] | None = None
    bootstraps: Annotated[int, Field(ge=0)] = 0
    knowledge: Knowledge | None = None

    @model_validator(mode="after")
    def _options_apply(self) -> Self:
        if self.algorithm not in ("pc", "fci"):
            unused = sorted({"test", "alpha", "max_given"} & self.model_fields_set)
            if unused:
                text = "{option} does not apply: {algorithm} scores whole graphs and tests no pair; leave it out"
                raise PydanticCustomError("unused", text, {"option": unused[0], "algorithm": self.algorithm})
        return self


class DiscoverSection(DiscoverQuery):
    """A causal graph over latents, traits and biography."""


TestName = Annotated[str, part_name("tests")]
"""A registered test of independence, ours or of another installed package."""


TestOptions = dict[TestName, dict[str, str | int | float | bool]]


def _check_test_options(options: TestOptions, info: ValidationInfo) -> TestOptions:
    """Refuse options that a test does not take, before people are collected or paid for."""
    from personax.independence import option_faults  # late: few studies set options

    given = bool(info.data["given"]) if "given" in info.data else None
    faults = [
        InitErrorDetails(
            type=PydanticCustomError("test_option", "{text}", {"text": text}), loc=(test, option), input=own[option]
        )
        for test, own in options.items()
        if test in registry.names("tests")  # else told already
        for option, text in option_faults(str(test), own, given=given)
    ]
    if faults:
        raise ValidationError.from_exception_data("options", faults)
    return options


class IndependenceQuery(Strict):
    """What Level I is asked, by the owner of a study or by somebody else."""

    features: list[str] | None = None
    targets: list[str] | None = None
    tests: list[TestName] = ["kci", "chisq", "gsq"]
    given: list[str] = []
    by: str | None = None
    alpha: Alpha = 0.05
    correction: Correction = "fdr_bh"


class IndependenceSection(IndependenceQuery):
    """Level I: which features depend on which traits."""

    cluster: str | None = None
    strata: str | None = None
    options: Annotated[TestOptions, AfterValidator(_check_test_options)] = {}
    per_model: bool = True
    imputations: int = Field(default=0, ge=0, le=20)
    figures: bool = True


class ReportSection(Strict):
    """The page."""

    title: str | None = None
