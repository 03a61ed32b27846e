"""croissant.json: the release in Croissant 1.1, written by hand and checked by mlcroissant."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from personax.errors import InputError, require
from personax.release.packaging.citation import authors, bibtex
from personax.release.packaging.facts import PEOPLE, ColumnFacts, Facts
from personax.release.packaging.licences import licence_of
from personax.release.packaging.markdown import clean
from personax.release.packaging.rai import rai
from personax.release.packaging.sentences import contents
from personax.release.packaging.shards import Shard

__all__ = ["CONTEXT", "check_croissant", "croissant"]

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

_TYPES: Final = {"string": "sc:Text", "bool": "sc:Boolean", "date32": "sc:Date"}
_MOST: Final = 64 * 1024 * 1024


def croissant(facts: Facts, shards: Mapping[str, Sequence[Shard]]) -> dict[str, Any]:
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
    told: dict[str, Any] = {
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
        told["datePublished"] = facts.date
    told |= rai(facts)
    told["distribution"] = [one for config in facts.configs for one in _files(config, shards[config])]
    told["recordSet"] = [_records(config, facts.of(config), shards[config]) for config in facts.configs]
    return told


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
        plain = slug = re.sub(r"[^A-Za-z0-9_.-]+", "_", column.name) or "_"
        number = 1
        while slug in taken:
            number += 1
            slug = f"{plain}_{number}"
        taken.add(slug)
        named.append((f"{config}/{slug}", column))
    return named


def _field(name: str, column: ColumnFacts, where: Mapping[str, Any]) -> dict[str, Any]:
    unit = f", in {column.unit}" if column.unit else ""
    told: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": name,
        "name": clean(column.name) or "_",
        "description": clean(f"{column.description}{unit} ({column.kind}; {column.protection})"),
        "dataType": _type(column.dtype),
        "source": {**where, "extract": {"column": column.name}},
    }
    if column.length is not None:
        told |= {"isArray": True, "arrayShape": str(column.length)}
    if column.name == "id" and column.config != PEOPLE:
        told["references"] = {"field": {"@id": f"{PEOPLE}/id"}}
    return told


def _type(dtype: str) -> str:
    if dtype.startswith("timestamp"):
        return "sc:DateTime"
    word = dtype.capitalize() if not dtype.startswith("u") else f"UInt{dtype.removeprefix('uint')}"
    return _TYPES.get(dtype, f"cr:{word}")


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
        if path.is_symlink() or path.stat().st_size > _MOST:
            raise InputError(f"{path} is a link or too large; get the release again")
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; get the release again") from None
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path} cannot be read; get the release again") from None
    if not isinstance(told, dict) or told.get("@context") != dict(CONTEXT) or _contexts(told) > 1:
        return ["its @context is not the one that personax writes, so it was not read further"]
    try:
        found = mlcroissant.Dataset(jsonld=path).metadata.ctx.issues
    except mlcroissant.ValidationError as error:
        lines = [clean(line.strip().removeprefix("-")) for line in str(error).splitlines() if line.startswith("  -")]
        return lines or [clean(str(error))]
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError, RecursionError) as error:
        return [f"mlcroissant cannot read it ({type(error).__name__}: {clean(str(error))})"]
    return sorted(clean(str(issue)) for issue in [*found.errors, *found.warnings])


def _contexts(told: object) -> int:
    """Count contexts, also those inside, which may name addresses of their own."""
    left, number = [told], 0
    while left:
        one = left.pop()
        if isinstance(one, dict):
            number += "@context" in one
            left += one.values()
        elif isinstance(one, list):
            left += one
    return number
