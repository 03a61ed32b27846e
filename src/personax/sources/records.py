"""What a source says of one person, and where each value comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["BadValue", "Failure", "Origin", "Record"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from.

    Parameters
    ----------
    source
        Its name in study.yaml: nba, wikidata ...
    url
        The page, or the file's name.
    time
        When it was fetched, ISO 8601 in UTC; of a file, empty.
    sha256
        Of the page's or the file's bytes.
    """

    source: str
    url: str
    time: str
    sha256: str


@dataclass(frozen=True, slots=True)
class BadValue:
    """A value that could not be read and is missing."""

    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One person in one source.

    Parameters
    ----------
    source, ref
        Which source, and its own id of the person; together they are unique.
    values
        Column -> value, already in the study's units: ``name``, ``birth_date`` (a date), ``birth_year`` (where no more
        is known), ``birth_precision`` (day, month or year), ``height_cm``, ``weight_kg``, ``gender``, ``league``,
        ``team``, ``position``, ``occupation``, ``nationality``, ``birthplace``, ``birth_country`` (as the source writes
        them), ``headshot_url``. What is not known is left out.
    origins
        Column -> where it comes from; every column of ``values`` has one.
    bad
        What the source says but cannot be read.
    """

    source: str
    ref: str
    values: Mapping[str, object]
    origins: Mapping[str, Origin]
    bad: Sequence[BadValue] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Failure:
    """Somebody, or a page of a list, that could not be read; the walk goes on.

    Parameters
    ----------
    source
        Its name.
    ref
        The person's id; None for a page or a row of a list.
    url
        Of the page.
    reason
        One sentence.
    changed
        The page came, in another shape than this version reads.
    sample
        The page's bytes then.
    listed
        What the list said of the person.
    """

    source: str
    ref: str | None
    url: str
    reason: str
    changed: bool = False
    sample: bytes | None = field(default=None, repr=False)
    listed: Record | None = field(default=None, repr=False)
