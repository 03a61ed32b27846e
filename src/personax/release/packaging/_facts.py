"""The facts of a release: all that its texts are filled with, so that every text is a function of facts alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import field_validator
from pydantic_core import PydanticCustomError

from personax.errors import InputError
from personax.schema import ENDINGS, STATUSES, Kind, Role
from personax.strict import Strict

__all__ = [
    "NOT_ATTACKED",
    "PEOPLE",
    "AnnotatorFacts",
    "ColumnFacts",
    "EncoderFacts",
    "MeasurementFacts",
    "PublisherFacts",
    "ReleaseFacts",
    "SourceFacts",
]

PEOPLE: Final = "people"
"""The configuration of the people table; each modality is another."""

NOT_ATTACKED: Final = "This release was not attacked; treat it as pseudonymised, not anonymous."

_CONFIG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True)
class ColumnFacts:
    """A column of a released file.

    Parameters
    ----------
    config
        ``people`` or a modality: which files hold it.
    name, role, kind, unit
        As in `personax.schema.Column`; unit empty where there is none.
    dtype
        Of its values, in the words of `datasets`: ``string``, ``int64``, ``float32``, ``bool`` ...
    length
        Of a vector; None for a single value.
    period
        Length of one turn of a cyclic column.
    description, protection
        What it means, and what was done to it before it left; a phrase each.
    """

    config: str
    name: str
    role: Role
    kind: Kind
    dtype: str
    description: str
    protection: str = "as it is"
    unit: str = ""
    length: int | None = None
    period: float | None = None


@dataclass(frozen=True)
class MeasurementFacts:
    """One column of vectors, its encoder and its transform; empty where not stated."""

    modality: str
    name: str
    dim: int
    transform: str
    encoder: str = ""
    revision: str = ""
    licence: str = ""


@dataclass(frozen=True)
class EncoderFacts:
    """The encoder of a measurement; empty where not stated."""

    encoder: str = ""
    revision: str = ""
    licence: str = ""


@dataclass(frozen=True)
class SourceFacts:
    """Where people came from.

    Parameters
    ----------
    name
        As study.yaml calls it: ``simulate``, ``table``, ``wikidata``, ``celeba``, ``nba`` ...
    kind
        Invented by a program, a table of the publisher's own, pages of the web, or a published data set.
    retrieved
        First and last day, ``YYYY-MM-DD``.
    licence
        What the publisher says of a source that `personax.release.packaging._licences` does not know.
    """

    name: str
    kind: Literal["simulated", "table", "web", "dataset"]
    retrieved: tuple[str, str] | None = None
    licence: str = ""


@dataclass(frozen=True)
class AnnotatorFacts:
    """Who stated the traits.

    Parameters
    ----------
    kind
        Language models, simulated raters, ratings that were given, or a questionnaire.
    models, prompts, repeats
        Names of the raters and of the prompts, and how often each was asked.
    statuses
        How many requests ended how; see `personax.schema.Status`.
    agreement
        Trait -> Krippendorff's alpha.
    aggregation
        How scores of several raters became one.
    card
        The annotation card of the run, written beside the documents; empty where there is none.
    framework
        Whose traits they are.
    """

    kind: Literal["llm", "simulated", "raters", "questionnaire"]
    models: tuple[str, ...]
    prompts: tuple[str, ...] = ()
    repeats: int = 1
    statuses: Mapping[str, int] = field(default_factory=dict)
    agreement: Mapping[str, float] = field(default_factory=dict)
    aggregation: str = "median"
    card: Mapping[str, Any] = field(default_factory=dict)
    framework: str = "Big Five"

    def __post_init__(self) -> None:
        strange = sorted(set(self.statuses) - set(STATUSES))
        if strange:
            raise InputError(f"the annotations have a status {strange[0]!r}; statuses are {', '.join(STATUSES)}")

    @property
    def requests(self) -> int:
        """Requests for one score."""
        return sum(self.statuses.values())

    @property
    def endings(self) -> Mapping[str, int]:
        """The statuses in groups: scored, insufficient, declined, unreadable, no reply."""
        return {group: sum(self.statuses.get(one, 0) for one in own) for group, own in ENDINGS.items()}

    @property
    def share_declined(self) -> float | None:
        """Share of requests that a rater declined; None without requests."""
        return self.endings["declined"] / self.requests if self.requests else None


class PublisherFacts(Strict):
    """What only the publisher can say; empty is shown as not stated.

    Parameters
    ----------
    licence
        An id of `personax.release.packaging._licences.LICENCES`, or ``other``: the terms of LICENSES.md and USAGE.md.
    title
        Of the release; the study's name where empty.
    authors, contact, homepage
        Names; where to write; an address of the web.
    language
        ISO 639 codes of the texts in it.
    purpose, funding, ethics, consent
        Answers for the datasheet.
    """

    licence: str = "other"
    title: str = ""
    authors: Sequence[str] = ()
    contact: str = ""
    homepage: str = ""
    language: Sequence[str] = ("en",)
    purpose: str = ""
    funding: str = ""
    ethics: str = ""
    consent: str = ""

    @field_validator("language")
    @classmethod
    def _are_codes(cls, codes: Sequence[str]) -> Sequence[str]:
        for code in codes:
            if not _LANGUAGE.fullmatch(code):
                text = "language {code} is no code of ISO 639; write two or three letters, such as en"
                raise PydanticCustomError("not_a_language", text, {"code": repr(code)})
        return codes

    @field_validator("homepage")
    @classmethod
    def _is_an_address(cls, homepage: str) -> str:
        if homepage and not _is_address(homepage):
            text = "homepage {given} is no address; write https:// and the rest, without spaces"
            raise PydanticCustomError("not_an_address", text, {"given": repr(homepage)})
        return homepage


def _is_address(text: str) -> bool:
    if re.search(r"[\s<>\"'`|\\^{}]|[^\x21-\x7e]", text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@dataclass(frozen=True)
class ReleaseFacts:
    """All that the texts of a release say.

    Parameters
    ----------
    study, description
        The study's name, and what it is about.
    version
        Of the release, ``MAJOR.MINOR.PATCH``.
    date
        ``YYYY-MM-DD`` as the publisher gives it, never the clock; None where nothing is given.
    people, removed
        Released, and taken out at request before.
    columns, measurements, sources, annotators
        What there is; annotators None where no traits leave.
    protections
        Sentences: what was done to the table and what it cost.
    audit
        The verdict of the attacks, quoted word for word.
    gate
        Limits that no attack may exceed.
    publisher
        What only the publisher can say.
    seed
        Of the study.
    software
        Package -> version.

    Raises
    ------
    InputError
        A version, date, modality or column that cannot be.
    """

    study: str
    version: str
    people: int
    columns: tuple[ColumnFacts, ...]
    description: str = ""
    date: str | None = None
    removed: int = 0
    measurements: tuple[MeasurementFacts, ...] = ()
    sources: tuple[SourceFacts, ...] = ()
    annotators: AnnotatorFacts | None = None
    protections: tuple[str, ...] = ()
    audit: str = NOT_ATTACKED
    gate: Mapping[str, float] = field(default_factory=dict)
    publisher: PublisherFacts = field(default_factory=PublisherFacts)
    seed: int | None = None
    software: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.version):
            raise InputError(f"version {self.version!r} of the release is not MAJOR.MINOR.PATCH, such as 1.0.0")
        if self.date is not None:
            _check_date(self.date)
        for day in (day for source in self.sources for day in source.retrieved or ()):
            _check_date(day)
        for config in self.configs:
            if not _CONFIG.fullmatch(config):
                raise InputError(f"modality {config!r} cannot name files; use letters, digits, _ and - (64 at most)")
        if PEOPLE in {one.modality for one in self.measurements}:
            raise InputError(f"a modality is called {PEOPLE}, as the people table is; give it another name")
        for config in self.configs:
            names = [column.name for column in self.columns_of(config)]
            if names[:1] != ["id"] or len(set(names)) < len(names):
                raise InputError(f"the columns of {config} must start with id, and no name may come twice")
        vectors = {(c.config, c.name, c.length) for c in self.columns if c.length is not None}
        if vectors != {(m.modality, m.name, m.dim) for m in self.measurements}:
            raise InputError("the columns of vectors are not the measurements; name each one in both, of one length")

    @property
    def title(self) -> str:
        """Of the release."""
        return self.publisher.title or self.study

    @property
    def configs(self) -> Sequence[str]:
        """``people``, then the modalities in order."""
        own = [column.config for column in self.columns]
        return list(dict.fromkeys([PEOPLE, *own, *(one.modality for one in self.measurements)]))

    def columns_of(self, config: str) -> Sequence[ColumnFacts]:
        """Return the columns of the people table or of a modality."""
        return [column for column in self.columns if column.config == config]

    @property
    def simulated(self) -> bool:
        """Nobody in it is real."""
        return bool(self.sources) and all(source.kind == "simulated" for source in self.sources)

    @property
    def retrieved(self) -> tuple[str, str] | None:
        """First and last day on which a source was read, where the sources say so."""
        days = [day for source in self.sources for day in source.retrieved or ()]
        return (min(days), max(days)) if days else None

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain data for JSON."""
        publisher = self.publisher.model_dump(include=set(PublisherFacts.model_fields))
        return dict(json.loads(json.dumps(asdict(self) | {"publisher": publisher})))


def _check_date(day: str) -> None:
    try:
        if date.fromisoformat(day).isoformat() != day:
            raise ValueError
    except ValueError:
        raise InputError(f"{day!r} is no date; write YYYY-MM-DD") from None
