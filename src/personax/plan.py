"""study.yaml: the strict, validated plan of a study, one section a stage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from personax.embed.devices import Precision
from personax.errors import PlanError
from personax.release.transforms import Preset
from personax.sources.sections import (
    CollectCelebA,
    CollectNflPlayers,
    CollectOpenfootball,
    CollectSeveral,
    CollectTable,
)
from personax.strict import Strict, nearest
from personax.traits.rules import Rule

__all__ = ["FORMAT", "Plan", "read_background", "read_plan"]

FORMAT = 1
"""The study format that this personax writes, and the newest that it reads."""

Section = TypeVar("Section", bound=Strict)

Share = Annotated[float, Field(ge=0, le=1)]
Alpha = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
VectorLength = Annotated[int, Field(ge=8)]
"""Room for the latents and noises that a simulated vector mixes."""


class CollectSimulated(Strict):
    """Invented people whose causes are known."""

    source: Literal["simulate"]
    n: Count = 1000
    text_dim: VectorLength = 384
    image_dim: VectorLength = 512
    text_measurements: Annotated[int, Field(ge=1, le=26)] = 3
    image_measurements: Annotated[int, Field(ge=1, le=26)] = 1
    images: bool = True


class Rated(Strict):
    """What becomes of the scores of several raters.

    ``groups``: columns of people by which reliability is told apart; those with few values where nothing is named.
    """

    rule: Rule = "median"
    groups: list[str] | None = None


class AnnotateSimulated(Rated):
    """The noisy raters of the simulated people; with ``lexicon``, what their biographies say is one rater more."""

    source: Literal["simulate"]
    lexicon: bool = False


class AnnotateLexicon(Rated):
    """Published Big Five adjective markers found in the biographies; needs no network."""

    source: Literal["lexicon"]


class LLM(Strict):
    """A model, where it is asked, and how; see `personax.traits.llms.provider.Model`.

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


class Ask(Strict):
    """How models are asked; see `personax.traits.llms.prompting.Prompt`."""

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


class AnnotateLLM(Rated):
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


class AnnotateQuestionnaire(Strict):
    """Trait scores from the answers to questionnaire items."""

    source: Literal["questionnaire"]
    path: str
    id: str
    key: str
    low: int
    high: int
    min_answered: Count = 3
    missing: list[str] = [""]


class EmbedSimulated(Strict):
    """The embeddings of the simulated people."""

    source: Literal["simulate"]


class EmbedFiles(Strict):
    """Embeddings made elsewhere: modality -> measurement -> file."""

    source: Literal["files"]
    files: dict[str, dict[str, str]]


class EmbedOffline(Strict):
    """Small encoders that need no network: hashed n-grams for texts, colour and edges for images."""

    source: Literal["offline"]
    images: str | None = None
    text_dim: Count = 384
    image_dim: Count = 512


class Encoding(Strict):
    """How a measurement is encoded; what is excluded changes no vector but for rounding."""

    model: str = "offline"
    revision: str | None = None
    dim: Count | None = None
    precision: Precision = "auto"
    batch: Count = Field(default=32, exclude=True)
    device: str | None = Field(default=None, exclude=True)


class TextEncoding(Encoding):
    """A measurement of text: what is read, a biography or what a rater wrote of each trait, and by which model."""

    of: str = "biography"
    instruction: str = ""
    tokens: Count | None = None


class ImageEncoding(Encoding):
    """A measurement of images: a folder with one ``<id>.png`` or ``<id>.jpg`` a person, and a model."""

    of: str | None = None


class EmbedModels(Strict):
    """Texts and images by models: measurement -> how; see `personax.embed.presets`."""

    source: Literal["models"]
    text: dict[str, TextEncoding] = {}
    image: dict[str, ImageEncoding] = {}

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.text and not self.image:
            raise PydanticCustomError("nothing", "text and image are empty; name a measurement of one of them")
        return self


class ReleaseGate(Strict):
    """Limits that no attack may exceed, or nothing is released; see `personax.release.Gate`."""

    max_rank_1: Share | None = None
    min_pairs: Count | None = None
    max_attribute_gain: Share | None = None
    max_d_sys: Share | None = None
    max_singling_out: Share | None = None
    max_linkability: Share | None = None


class Release(Strict):
    """What may leave the study folder."""

    rare_below: Count = 5
    transform: Preset = "rotation"
    audit: bool = True
    gate: ReleaseGate = ReleaseGate()


TestName = Literal["auto", "kci", "rcit", "hsic", "chisq", "gsq", "usp", "gcm"]


class Independence(Strict):
    """Level I: which features depend on which traits."""

    features: list[str] | None = None
    targets: list[str] | None = None
    tests: list[TestName] = ["kci", "chisq", "gsq"]
    given: list[str] = []
    by: str | None = None
    alpha: Alpha = 0.05
    correction: Literal["fdr_bh", "fdr_by", "holm", "none"] = "fdr_bh"
    options: dict[TestName, dict[str, str | int | float | bool]] = {}
    per_model: bool = True
    imputations: int = Field(default=0, ge=0, le=20)
    figures: bool = True


CrlMethod = Literal[
    "default", "paper", "mmcrl", "multiview", "mcl", "betavae", "ivae", "causalvae", "autoencoder", "pca", "cca"
]
"""Level II methods that need no truth; see docs/crl.md."""


CausePair = Annotated[list[str], Field(min_length=2, max_length=2)]
"""[cause, effect]."""


class Beliefs(Strict):
    """What is known of causes between modalities; certain, or so many times as dear to go against."""

    tiers: list[list[str]] = []
    forbidden: list[CausePair] = []
    times: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None


class Crl(Strict):
    """Level II: the latent causes behind the embeddings."""

    latents: dict[str, Count]
    shared: Annotated[int, Field(ge=0)] = 0
    method: CrlMethod = "default"
    seeds: Count = 3
    choose: Literal["objective", "agreement", "exclusivity"] = "objective"
    epochs: Count = 60
    threads: Count = 1
    prior: Beliefs | None = None


class Modalities(Strict):
    """Which measurements belong to which modality; a file of its own beside embeddings."""

    measurements: dict[str, dict[str, str]]
    latents: dict[str, Count]
    shared: Annotated[int, Field(ge=0)] = 0
    prior: Beliefs | None = None


class Background(Strict):
    """What is known of causes before looking at the data; also a file of its own."""

    tiers: list[list[str]] | None = None
    forbidden: list[CausePair] = []
    required: list[CausePair] = []


class Discover(Strict):
    """PC or FCI over latents, traits and biography."""

    over: list[Literal["latents", "traits", "features"]] = ["latents"]
    algorithm: Literal["pc", "fci"] = "pc"
    test: Literal["fisherz", "kci", "chisq", "gsq"] = "fisherz"
    alpha: Alpha = 0.01
    bootstraps: Annotated[int, Field(ge=0)] = 0
    knowledge: Background | None = None


class Report(Strict):
    """The page."""

    title: str | None = None


class Plan(Strict):
    """Everything that one study asks for; the only thing a person edits.

    A stage whose section is absent is not part of the study. The report always is.
    """

    version: int = FORMAT
    name: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)] = 0
    collect: Annotated[
        CollectSimulated | CollectTable | CollectOpenfootball | CollectNflPlayers | CollectCelebA | CollectSeveral,
        Field(discriminator="source"),
    ]
    annotate: (
        Annotated[
            AnnotateSimulated | AnnotateLexicon | AnnotateQuestionnaire | AnnotateLLM, Field(discriminator="source")
        ]
        | None
    ) = None
    embed: Annotated[EmbedSimulated | EmbedFiles | EmbedOffline | EmbedModels, Field(discriminator="source")] | None = (
        None
    )
    release: Release | None = None
    independence: Independence | None = None
    crl: Crl | None = None
    discover: Discover | None = None
    report: Report = Report()


class _UniqueKeys(yaml.SafeLoader):
    """YAML without the silence about a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_plan(path: Path) -> Plan:
    """Read and validate a study file.

    Parameters
    ----------
    path
        The study file, usually ``my-study/study.yaml``.

    Raises
    ------
    PlanError
        One sentence a fault: file, line, key, what is wrong, what was probably meant.
    """
    text = _read_text(path)
    raw, root = _parse(path, text)
    _check_version(path, raw)
    return _validated(Plan, path, raw, root)


def read_background(path: Path) -> Background:
    """Read a file of background knowledge: the keys ``tiers``, ``forbidden`` and ``required``.

    Raises
    ------
    PlanError
        As `read_plan`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "known.yaml"
    ...     _ = file.write_text("tiers: [[sex], [height]]")
    ...     read_background(file).tiers
    [['sex'], ['height']]
    """
    text = _read_text(path, "file of background knowledge", "it holds tiers, forbidden and required causes")
    raw, root = _parse(path, text, "write for example `tiers: [[sex], [height]]`")
    return _validated(Background, path, raw, root)


def read_modalities(path: Path) -> Modalities:
    """Read a file that says which measurements belong to which modality: ``measurements``, ``latents``, ``shared``.

    Raises
    ------
    PlanError
        As `read_plan`; also when a modality has no measurement or no number of latents.
    """
    text = _read_text(path, "file of modalities", "it holds measurements, latents and shared; see docs/crl.md")
    raw, root = _parse(path, text, "write for example `measurements: {image: {face: face}}` and `latents: {image: 2}`")
    found = _validated(Modalities, path, raw, root)
    for name in sorted({*found.latents} ^ {*found.measurements}):
        where = "measurements" if name in found.latents else "latents"
        raise PlanError(f"{path}: {name} stands not under {where}; give every modality both")
    for name, by in found.measurements.items():
        if not by:
            raise PlanError(f"{path}: measurements.{name} is empty; name its files, arrays or columns")
    return found


def _validated(model: type[Section], path: Path, raw: dict[str, Any], root: yaml.Node) -> Section:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        lines = [_sentence(path, root, dict(fault)) for fault in error.errors()]
        raise PlanError("\n".join(lines)) from None


def _read_text(path: Path, what: str = "study file", otherwise: str = "personax init FOLDER writes a new one") -> str:
    if path.is_dir():
        text = f"{path} is a folder; name the {what} in it, for example {path / 'study.yaml'}"
        raise PlanError(text)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        hint = nearest(path.name, near) if near else otherwise
        text = f"there is no {what} {path}; {hint}"
        raise PlanError(text) from None
    except UnicodeDecodeError as error:
        text = f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        raise PlanError(text) from None


def _parse(
    path: Path, text: str, example: str = "personax init FOLDER writes a commented study.yaml to start from"
) -> tuple[dict[str, Any], yaml.Node]:
    try:
        raw = yaml.load(text, Loader=_UniqueKeys)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        sentence = f"{path}, line {line}: not readable as YAML, {error.problem}; check indentation, colons and quotes"
        raise PlanError(sentence) from None
    except yaml.YAMLError as error:
        raise PlanError(f"{path}: not readable as YAML, {error}".replace("\n", " ")) from None
    if not isinstance(raw, dict) or root is None:
        sentence = f"{path} holds no settings; {example}"
        raise PlanError(sentence)
    return raw, root


def _check_version(path: Path, raw: dict[str, Any]) -> None:
    version = raw.get("version", FORMAT)
    if isinstance(version, int) and version > FORMAT:
        sentence = (
            f"{path} is written for study format {version} and this personax reads up to {FORMAT}; upgrade personax"
        )
        raise PlanError(sentence)


_WHOLE = {"unknown_key", "not_a_name", "not_a_url", "twice", "no_price", "no_source", "no_contact", "base_url"}
"""Faults whose message says all; what was given is not repeated, for it may be a key."""


def _sentence(path: Path, root: yaml.Node, fault: dict[str, Any]) -> str:
    """Say one fault of the plan with its file, line and key."""
    key, mark = _locate(root, [*fault["loc"], *([fault["ctx"]["key"]] if fault["type"] == "unknown_key" else [])])
    kind, given = fault["type"], fault.get("input")
    if kind == "missing":
        missing = fault["loc"][-1]
        what = f"the key {missing} is missing"
    elif kind == "literal_error":
        choices = [choice.strip("'") for choice in fault["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        what = f"{given!r} is not possible; {nearest(str(given), choices)}"
    elif kind == "union_tag_invalid":
        choices = [choice.strip("' ") for choice in fault["ctx"]["expected_tags"].split(",")]
        what = f"source {fault['ctx']['tag']!r} is not known; {nearest(fault['ctx']['tag'], choices)}"
    elif kind == "union_tag_not_found":
        what = "the key source is missing"
    elif kind in _WHOLE:
        what = fault["msg"]
    else:
        what = f"{_plain(fault['msg'])}, not {given!r}"
    return f"{path}, line {mark}, {key or 'top level'}: {what}"


def _plain(message: str) -> str:
    """Turn pydantic's sentence into ours: 'Input should be a valid integer' -> 'must be a valid integer'."""
    return message.replace("Input should be", "must be").replace("Input should have", "must have")


def _locate(root: yaml.Node, loc: list[Any]) -> tuple[str, int]:
    """Return the dotted key and the line that a fault's location points to.

    pydantic puts the tag of a union (``table``) into the location; what is not in the file is passed over.
    """
    node, line, names = root, root.start_mark.line, []
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            for key_node, value in node.value:
                if key_node.value == str(part):
                    node, line = value, key_node.start_mark.line
                    names.append(str(part))
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
            names.append(f"[{part}]")
    return ".".join(names).replace(".[", "["), line + 1
