"""A request: what somebody else asks of the originals of a study. Nothing in it is trusted.

A request has no paths, no hosts, no sources and no options of tests: its sections have fewer keys than those of a
study, and an unknown key is refused as everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from personax.config._sections import CrlMethod, DiscoverQuery, IndependenceQuery, TestName
from personax.config._yaml import parse, read_text, validated
from personax.errors import PlanError
from personax.registry import parts
from personax.strict import Count, Strict

__all__ = ["AnswerRequest", "RequestCrl", "RequestDiscover", "RequestIndependence", "read_request"]

MAX_BYTES = 64 * 1024
"""Of a request; a whole plan of Level I and II has a few thousand."""

MAX_NESTED = 20
"""Blocks within blocks."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(min_length=1, max_length=1000)]


class RequestIndependence(IndependenceQuery):
    """Level I: which features depend on which targets; what a study may name without limit is bounded here."""

    features: Names | None = None
    targets: Names | None = None
    tests: Annotated[list[TestName], Field(min_length=1, max_length=8)] = ["kci", "chisq", "gsq"]
    given: Annotated[list[Name], Field(max_length=10)] = []
    by: Name | None = None


class RequestDiscover(DiscoverQuery):
    """A causal graph over features, traits, and the latents that the same request learns."""

    over: Annotated[list[Literal["latents", "traits", "features"]], Field(min_length=1, max_length=3)] = ["traits"]
    features: Names | None = None
    test: Literal["fisherz", "kci", "chisq", "gsq"] = "fisherz"


def _own(name: str) -> str:
    """Return the name of one of personax's methods: what other packages do with the originals, nobody has looked at."""
    if name not in {part.name for part in parts("methods") if part.package == "personax"}:
        text = "{name} is a method of another package; a request takes those of personax"
        raise PydanticCustomError("foreign_method", text, {"name": name})
    return name


class RequestCrl(Strict):
    """Level II: the latent causes behind the embeddings."""

    latents: Annotated[dict[Name, Count], Field(min_length=1, max_length=20)]
    shared: Annotated[int, Field(ge=0)] = 0
    method: Annotated[CrlMethod, AfterValidator(_own)] = "default"
    seeds: Count = 2
    choose: Literal["objective", "agreement", "exclusivity"] = "objective"
    epochs: Count = 30


class AnswerRequest(Strict):
    """What somebody asks, who they say they are, and what for."""

    request: Literal[1] = 1
    requester: Name
    purpose: Annotated[str, Field(max_length=2000)] = ""
    independence: RequestIndependence | None = None
    discover: RequestDiscover | None = None
    crl: RequestCrl | None = None


def read_request(path: Path) -> AnswerRequest:
    """Read and validate a request.

    Raises
    ------
    PlanError
        One sentence a fault; also for files that are too long, too deep, or that use anchors, aliases or tags of YAML.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "request.yaml"
    ...     _ = file.write_text("{requester: A. Reader, independence: {features: [height_cm]}}")
    ...     read_request(file).independence.features
    ['height_cm']
    """
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise PlanError(f"{path} has more than {MAX_BYTES:,} bytes; a request is shorter")
    text = read_text(path, "request", "it holds requester and independence, discover or crl; see docs/answering.md")
    _refuse_tricks(path, text)
    document = parse(path, text, "write for example `requester: A. Reader` and `independence: {}`")
    request = validated(AnswerRequest, document)
    if request.independence is None and request.discover is None and request.crl is None:
        raise PlanError(f"{path} asks for nothing; add a section independence, discover or crl")
    if request.discover is not None and "latents" in request.discover.over and request.crl is None:
        raise PlanError(f"{path}, discover.over: latents are those that the request learns; add a section crl")
    return request


def _refuse_tricks(path: Path, text: str) -> None:
    """Refuse what a request has no use for: anchors and aliases can blow up, tags can build objects."""
    depth = 0
    opening = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken,
               yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)  # fmt: skip
    closing = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
    try:
        for token in yaml.scan(text):
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken | yaml.DirectiveToken):
                line = token.start_mark.line + 1
                raise PlanError(f"{path}, line {line}: a request uses no anchors, aliases or tags; write it out")
            depth += isinstance(token, opening) - isinstance(token, closing)
            if depth > MAX_NESTED:
                raise PlanError(f"{path}: more than {MAX_NESTED} blocks within blocks; a request has a few")
    except yaml.YAMLError:
        return  # `parse` says what is wrong, and where
