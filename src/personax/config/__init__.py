"""study.yaml: the strict, validated plan of a study, one section a stage and one file a section."""

from __future__ import annotations

from personax.config._annotate import (
    AnnotateLexicon,
    AnnotateLLM,
    AnnotateQuestionnaire,
    AnnotateRelease,
    AnnotateSimulated,
    Framed,
    Rated,
    StereotypeAudit,
    TranslationAudit,
)
from personax.config._embed import (
    EmbedFiles,
    EmbedModels,
    EmbedOffline,
    EmbedRelease,
    EmbedSimulated,
    Encoding,
    ImageEncoding,
    TextEncoding,
)
from personax.config._permissions import KEY_NAME, Permissions, access_marks, permissions
from personax.config._plan import FORMAT, SECTIONS, Plan
from personax.config._read import read_knowledge, read_modalities, read_plan
from personax.config._release import ReleaseSection
from personax.config._request import AnswerRequest, RequestIndependence, read_request
from personax.config._sections import (
    AnswerSection,
    CollectRelease,
    CollectSimulated,
    CrlMethod,
    CrlSection,
    DiscoverSection,
    IndependenceSection,
    Modalities,
    ReportSection,
    TestName,
    search_tests,
)

__all__ = [
    "FORMAT",
    "KEY_NAME",
    "SECTIONS",
    "AnnotateLLM",
    "AnnotateLexicon",
    "AnnotateQuestionnaire",
    "AnnotateRelease",
    "AnnotateSimulated",
    "AnswerRequest",
    "AnswerSection",
    "CollectRelease",
    "CollectSimulated",
    "CrlMethod",
    "CrlSection",
    "DiscoverSection",
    "EmbedFiles",
    "EmbedModels",
    "EmbedOffline",
    "EmbedRelease",
    "EmbedSimulated",
    "Encoding",
    "Framed",
    "ImageEncoding",
    "IndependenceSection",
    "Modalities",
    "Permissions",
    "Plan",
    "Rated",
    "ReleaseSection",
    "ReportSection",
    "RequestIndependence",
    "StereotypeAudit",
    "TestName",
    "TextEncoding",
    "TranslationAudit",
    "access_marks",
    "permissions",
    "read_knowledge",
    "read_modalities",
    "read_plan",
    "read_request",
    "search_tests",
]
