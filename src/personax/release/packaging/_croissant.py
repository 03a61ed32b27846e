"""croissant.json: the release in Croissant 1.1 with its responsible-AI part, checked by mlcroissant.

References
----------
Croissant RAI Specification 1.0, http://mlcommons.org/croissant/RAI/1.0. Where mlcroissant 1.1.1 spells a property in
another way (``dataCollectionTimeFrame``, ``dataDataManipulationProtocol``), the specification's name is used.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from personax.errors import InputError, require
from personax.release.packaging import _sentences as s
from personax.release.packaging._citation import authors, bibtex
from personax.release.packaging._facts import PEOPLE, AnnotatorFacts, ColumnFacts, ReleaseFacts
from personax.release.packaging._licences import licence_of
from personax.release.packaging._markdown import clean, counted, listing
from personax.release.packaging._sentences import contents
from personax.release.packaging._shards import Shard

__all__ = ["CONTEXT", "check_croissant", "croissant", "rai"]


_TYPES: Final = {
    "simulated": "Software Collection",
    "table": "Secondary Data analysis",
    "web": "Web Scraping",
    "dataset": "Secondary Data analysis",
}
"""Kind of a source -> the specification's word."""

_NONE: Final = "There are no annotations."


def rai(facts: ReleaseFacts) -> dict[str, Any]:
    """Return every property of RAI 1.0; the time frame is omitted where no source states a day."""
    who = facts.annotators
    values: dict[str, Any] = {
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
        values["dataCollectionTimeframe"] = list(facts.retrieved)
    return {f"rai:{name}": _cleaned(value) for name, value in values.items()}


def _cleaned(value: str | list[str]) -> str | list[str]:
    return clean(value) if isinstance(value, str) else [clean(one) for one in value]


def _missing(who: AnnotatorFacts | None) -> str:
    if who is None or not who.requests:
        return "Why a value is missing is not stated by the publisher."
    lacking = who.requests - who.endings["scored"]
    requests = counted(who.requests, "request")
    return f"Of {requests} for a score, {lacking:,} ended without one; none is turned into a number."


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


CONFORMS: Final = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]

_CR: Final = (
    "annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileObject fileProperty "
    "fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path readLines recordSet references "
    "regex repeated replace samplingRate sdVersion separator source subField transform unArchive value"
)

CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    **{name: f"cr:{name}" for name in _CR.split()},
}
"""Appendix 1 of the specification, and what mlcroissant 1.1.1 expects beside it."""

_DATA_TYPES: Final = {"string": "sc:Text", "bool": "sc:Boolean", "date32": "sc:Date"}
_MAX_BYTES: Final = 64 * 1024 * 1024


def croissant(facts: ReleaseFacts, shards: Mapping[str, Sequence[Shard]]) -> dict[str, Any]:
    """Return the release as JSON-LD.

    Parameters
    ----------
    facts
        Of the release.
    shards
        Configuration -> its files.

    References
    ----------
    Croissant Format Specification 1.1, http://mlcommons.org/croissant/1.1
    """
    licence = licence_of(facts)
    document: dict[str, Any] = {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": clean(facts.title),
        "description": clean(" ".join([facts.description, *contents(facts)])),
        "url": facts.publisher.homepage or "README.md",
        "license": licence.url if licence else "LICENSES.md",
        "usageInfo": "USAGE.md",
        "creator": [{"@type": "sc:Organization", "name": name} for name in authors(facts)],
        "citeAs": bibtex(facts),
        "version": facts.version,
        "inLanguage": list(facts.publisher.language),
        "keywords": ["behaviour traits", "causal discovery", "personax"],
    }
    if facts.date:
        document["datePublished"] = facts.date
    document |= rai(facts)
    document["distribution"] = [one for config in facts.configs for one in _files(config, shards[config])]
    document["recordSet"] = [_records(config, facts.columns_of(config), shards[config]) for config in facts.configs]
    return document


def _files(config: str, shards: Sequence[Shard]) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject",
            "@id": shard.path,
            "name": Path(shard.path).name,
            "contentUrl": shard.path,
            "contentSize": f"{shard.bytes} B",
            "encodingFormat": "application/x-parquet",
            "sha256": shard.sha256,
        }
        for shard in shards
    ]
    if len(shards) > 1:
        files.append(
            {
                "@type": "cr:FileSet",
                "@id": f"{config}-files",
                "name": f"{config}-files",
                "encodingFormat": "application/x-parquet",
                "includes": f"data/{config}/*.parquet",
            }
        )
    return files


def _records(config: str, columns: Sequence[ColumnFacts], shards: Sequence[Shard]) -> dict[str, Any]:
    where = {"fileSet": {"@id": f"{config}-files"}} if len(shards) > 1 else {"fileObject": {"@id": shards[0].path}}
    what = "The people, one row each." if config == PEOPLE else f"Vectors of the modality {config}, one row a person."
    return {
        "@type": "cr:RecordSet",
        "@id": config,
        "name": config,
        "description": what,
        "key": {"@id": f"{config}/id"},
        "field": [_field(name, column, where) for name, column in _named(config, columns)],
    }


def _named(config: str, columns: Sequence[ColumnFacts]) -> list[tuple[str, ColumnFacts]]:
    """Give every column an id that is part of an address; its own name may be anything."""
    taken: set[str] = set()
    named = []
    for column in columns:
        plain = slug = re.sub(r"[^A-Za-z0-9_-]+", "_", column.name) or "_"
        number = 1
        while slug in taken:
            number += 1
            slug = f"{plain}_{number}"
        taken.add(slug)
        named.append((f"{config}/{slug}", column))
    return named


def _field(name: str, column: ColumnFacts, where: Mapping[str, Any]) -> dict[str, Any]:
    unit = f", in {column.unit}" if column.unit else ""
    described: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": name,
        "name": clean(column.name) or "_",
        "description": clean(f"{column.description}{unit} ({column.kind}; {column.protection})"),
        "dataType": _type(column.dtype),
        "source": {**where, "extract": {"column": column.name}},
    }
    if column.length is not None:
        described |= {"isArray": True, "arrayShape": str(column.length)}
    if column.name == "id" and column.config != PEOPLE:
        described["references"] = {"field": {"@id": f"{PEOPLE}/id"}}
    return described


def _type(dtype: str) -> str:
    if dtype.startswith("timestamp"):
        return "sc:DateTime"
    word = dtype.capitalize() if not dtype.startswith("u") else f"UInt{dtype.removeprefix('uint')}"
    return _DATA_TYPES.get(dtype, f"cr:{word}")


def check_croissant(folder: Path) -> list[str]:
    """Return what mlcroissant finds wrong with a release's croissant.json; nothing, where all is well.

    The file is not trusted: with another context than ours, which could name addresses to fetch, it is not read on.

    Raises
    ------
    InputError
        It is missing or no JSON.
    MissingExtraError
        mlcroissant is not installed.
    """
    mlcroissant = require("mlcroissant", extra="release")
    path = folder / "croissant.json"
    try:
        if path.is_symlink() or path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is a link or too large; get the release again")
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; get the release again") from None
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path} cannot be read; get the release again") from None
    if not isinstance(document, dict) or document.get("@context") != dict(CONTEXT) or _contexts(document) > 1:
        return ["its @context is not the one that personax writes, so it was not read further"]
    try:
        with warnings.catch_warnings():
            # rdflib warns of its own use of itself
            warnings.filterwarnings("ignore", "ConjunctiveGraph is deprecated", DeprecationWarning)
            found = mlcroissant.Dataset(jsonld=path).metadata.ctx.issues
    except mlcroissant.ValidationError as error:
        lines = [clean(line.strip().removeprefix("-")) for line in str(error).splitlines() if line.startswith("  -")]
        return lines or [clean(str(error))]
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError, RecursionError) as error:
        return [f"mlcroissant cannot read it ({type(error).__name__}: {clean(str(error))})"]
    return sorted(clean(str(issue)) for issue in [*found.errors, *found.warnings])


def _contexts(node: object) -> int:
    """Count contexts, also those inside, which may name addresses of their own."""
    left, number = [node], 0
    while left:
        one = left.pop()
        if isinstance(one, dict):
            number += "@context" in one
            left += one.values()
        elif isinstance(one, list):
            left += one
    return number
