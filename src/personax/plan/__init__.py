"""study.yaml: the strict, validated plan of a study, one section a stage and one file a section."""

from __future__ import annotations

from personax.plan.annotate import (
    AnnotateLexicon,
    AnnotateLLM,
    AnnotateQuestionnaire,
    AnnotateRelease,
    AnnotateSimulated,
    Ask,
    Rated,
    StereotypeAudit,
)
from personax.plan.answer import Answer
from personax.plan.causes import Background, Beliefs, CausePair
from personax.plan.collect import CollectRelease, CollectSimulated
from personax.plan.crl import Crl, CrlMethod, Modalities
from personax.plan.discover import Discover
from personax.plan.embed import (
    EmbedFiles,
    EmbedModels,
    EmbedOffline,
    EmbedRelease,
    EmbedSimulated,
    Encoding,
    ImageEncoding,
    TextEncoding,
)
from personax.plan.independence import Independence, TestName
from personax.plan.models import LLM
from personax.plan.reading import read_background, read_modalities, read_plan
from personax.plan.release import (
    Release,
    ReleaseAnonymity,
    ReleaseBudget,
    ReleaseGate,
    ReleaseNoise,
    ReleasePublisher,
    ReleaseStatistics,
    ReleaseVectors,
)
from personax.plan.report import Report
from personax.plan.request import Request, read_request
from personax.plan.whole import FORMAT, SECTIONS, Plan

__all__ = [
    "FORMAT",
    "LLM",
    "SECTIONS",
    "AnnotateLLM",
    "AnnotateLexicon",
    "AnnotateQuestionnaire",
    "AnnotateRelease",
    "AnnotateSimulated",
    "Answer",
    "Ask",
    "Background",
    "Beliefs",
    "CausePair",
    "CollectRelease",
    "CollectSimulated",
    "Crl",
    "CrlMethod",
    "Discover",
    "EmbedFiles",
    "EmbedModels",
    "EmbedOffline",
    "EmbedRelease",
    "EmbedSimulated",
    "Encoding",
    "ImageEncoding",
    "Independence",
    "Modalities",
    "Plan",
    "Rated",
    "Release",
    "ReleaseAnonymity",
    "ReleaseBudget",
    "ReleaseGate",
    "ReleaseNoise",
    "ReleasePublisher",
    "ReleaseStatistics",
    "ReleaseVectors",
    "Report",
    "Request",
    "StereotypeAudit",
    "TestName",
    "TextEncoding",
    "read_background",
    "read_modalities",
    "read_plan",
    "read_request",
]
