"""The responsible-AI part of croissant.json, filled from facts.

References
----------
Croissant RAI Specification 1.0, http://mlcommons.org/croissant/RAI/1.0. Where mlcroissant 1.1.1 spells a property in
another way (``dataCollectionTimeFrame``, ``dataDataManipulationProtocol``), the specification's name is used.
"""

from __future__ import annotations

from typing import Any, Final

from personax.release.packaging import sentences as s
from personax.release.packaging.facts import AnnotatorFacts, Facts
from personax.release.packaging.markdown import clean, counted, listing

__all__ = ["rai"]

_TYPES: Final = {
    "simulated": "Software Collection",
    "table": "Secondary Data analysis",
    "web": "Web Scraping",
    "dataset": "Secondary Data analysis",
}
"""Kind of a source -> the specification's word."""

_NONE: Final = "There are no annotations."


def rai(facts: Facts) -> dict[str, Any]:
    """Return every property of RAI 1.0; the time frame is left out where no source states a day."""
    who = facts.annotators
    told: dict[str, Any] = {
        "dataCollection": " ".join([*s.origin(facts), *s.traits(facts)]),
        "dataCollectionType": list(dict.fromkeys(_TYPES[source.kind] for source in facts.sources)) or ["Others"],
        "dataCollectionMissingData": "A missing value is null. " + _missing(who),
        "dataCollectionRawData": f"{' '.join(s.origin(facts))} The raw data are not part of the release.",
        "dataImputationProtocol": "Nothing is imputed.",
        "dataPreprocessingProtocol": s.preprocessing(facts),
        "dataManipulationProtocol": " ".join(facts.protections) or "Beyond pseudonyms, the table was not changed.",
        "dataAnnotationProtocol": " ".join(s.traits(facts)),
        "dataAnnotationPlatform": [_platform(who)],
        "dataAnnotationAnalysis": s.traits(facts)[1:] or [_NONE],
        "annotationsPerItem": _per_item(who),
        "annotatorDemographics": [_demographics(who)],
        "machineAnnotationTools": _tools(who),
        "dataBiases": s.biases(facts),
        "dataLimitations": s.limits(facts),
        "dataSocialImpact": s.IMPACT,
        "dataUseCases": [*s.USES, *(f"Not allowed: {use}" for use in s.FORBIDDEN)],
        "personalSensitiveInformation": s.sensitive(facts),
        "dataReleaseMaintenancePlan": " ".join(s.maintenance(facts)),
    }
    if facts.retrieved:
        told["dataCollectionTimeframe"] = list(facts.retrieved)
    return {f"rai:{name}": _cleaned(value) for name, value in told.items()}


def _cleaned(value: str | list[str]) -> str | list[str]:
    return clean(value) if isinstance(value, str) else [clean(one) for one in value]


def _missing(who: AnnotatorFacts | None) -> str:
    if who is None or not who.asked:
        return "Why a value is missing is not stated by the publisher."
    lacking = who.asked - who.endings["scored"]
    return (
        f"Of {counted(who.asked, 'request')} for a score, {lacking:,} ended without one; none is turned into a number."
    )


def _platform(who: AnnotatorFacts | None) -> str:
    if who is None:
        return _NONE
    return {
        "llm": "personax annotate: requests to the interfaces of language models",
        "simulated": "personax: simulated raters",
        "raters": "Not stated by the publisher: the ratings were given",
        "questionnaire": "A questionnaire",
    }[who.kind]


def _per_item(who: AnnotatorFacts | None) -> str:
    if who is None:
        return "0"
    number = len(who.models) * max(1, len(who.prompts)) * who.repeats
    return f"{number} a person and trait: {counted(len(who.models), 'rater')}, {_times(who)}"


def _times(who: AnnotatorFacts) -> str:
    return f"{counted(max(1, len(who.prompts)), 'prompt')}, {counted(who.repeats, 'repeat')}"


def _demographics(who: AnnotatorFacts | None) -> str:
    if who is None:
        return _NONE
    if who.kind in ("llm", "simulated"):
        return "None: the annotators are programs, not people."
    if who.kind == "questionnaire":
        return "The annotators are the people themselves; see the columns."
    return s.NOT_STATED


def _tools(who: AnnotatorFacts | None) -> list[str]:
    if who is None or who.kind in ("raters", "questionnaire"):
        return ["None."]
    prompts = f" (prompts: {listing(who.prompts)})" if who.prompts else ""
    return [f"{model}{prompts}" for model in who.models]
