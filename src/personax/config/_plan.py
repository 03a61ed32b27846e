"""The whole plan: one section a stage."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from personax.config._annotate import Annotate
from personax.config._embed import Embed
from personax.config._release import ReleaseSection
from personax.config._sections import (
    AnswerSection,
    Collect,
    CrlSection,
    DiscoverSection,
    IndependenceSection,
    ReportSection,
)
from personax.engine import EngineName
from personax.strict import Strict

FORMAT = 1
"""The study format that this personax writes, and the newest that it reads."""


class Plan(Strict):
    """Everything that one study asks for; the only thing a person edits.

    A stage whose section is absent is not part of the study. The report always is. Where people come from a release,
    so do scores and vectors, unless ``annotate`` or ``embed`` says otherwise; ``annotate: null`` leaves them out.
    ``engine`` and ``jobs`` say where loops run, and change no result (`personax.engine.parallel_config`).
    """

    version: int = FORMAT
    name: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)] = 0
    engine: EngineName | None = None
    jobs: Annotated[int, Field(ge=1)] | None = None
    collect: Collect
    annotate: Annotate | None = None
    embed: Embed | None = None
    release: ReleaseSection | None = None
    independence: IndependenceSection | None = None
    crl: CrlSection | None = None
    discover: DiscoverSection | None = None
    answer: AnswerSection | None = None
    report: ReportSection = ReportSection()

    @model_validator(mode="before")
    @classmethod
    def _take_all_of_a_release(cls, raw: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        collect = raw.get("collect") if isinstance(raw, dict) else None
        if not isinstance(collect, dict) or collect.get("source") != "release":
            return raw
        return {"annotate": {"source": "release"}, "embed": {"source": "release"}} | raw


SECTIONS = tuple(
    name for name in Plan.model_fields if name not in ("version", "name", "seed", "engine", "jobs", "answer", "report")
)
"""The stages that a plan can ask for, in the order in which they run; the report comes after them."""
