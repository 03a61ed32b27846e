"""Settings of a release: those of the section ``release`` of a study file, and what a build needs beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from personax.registry import part_name
from personax.release._column_policy import ColumnRule
from personax.release.audit import Gate
from personax.release.packaging import PublisherFacts
from personax.release.transforms import is_preset
from personax.strict import Count, Positive, Share, Strict

__all__ = ["AnonymityRequirements", "NoiseSettings", "Publisher", "ReleaseOptions", "ReleaseSettings"]


class AnonymityRequirements(Strict):
    """Requirements on k-anonymity, and on l-diversity where l is above 1.

    Parameters
    ----------
    k, l, suppress
        See `personax.release.disclosure.generalise`.
    quasi_identifiers
        Columns that an attacker may know of a person; every feature that leaves, where none is named.
    sensitive
        Columns that must not be disclosed by them; the aggregated traits, where none is named.
    groups
        Nominal column -> its categories' groups, such as country -> continent.
    weights
        Column -> weight of its information loss; 1 by default.
    """

    k: Count = 5
    l: Count = 1  # noqa: E741 - the field's own name
    suppress: Share = 0.01
    quasi_identifiers: Sequence[str] = ()
    sensitive: Sequence[str] = ()
    groups: Mapping[str, Mapping[str, str]] = {}
    weights: Mapping[str, Positive] = {}


class NoiseSettings(Strict):
    """Local differential privacy; see `personax.release.disclosure.calibrate_noise`.

    Parameters
    ----------
    epsilon, delta
        Privacy budget of a whole row.
    numbers, categories
        Column -> bounds of its values, or its categories, stated independently of the data.
    vectors
        Norm to which every vector is clipped before noise; None adds no noise to vectors.
    """

    epsilon: Positive
    delta: Annotated[float, Field(ge=0, lt=1)] = 0.0
    numbers: Mapping[str, Annotated[Sequence[float], Field(min_length=2, max_length=2)]] = {}
    categories: Mapping[str, Sequence[str]] = {}
    vectors: Positive | None = None


def _as_text(day: object) -> object:
    """Return a day as text: YAML reads 2026-11-25 as a date."""
    return day.isoformat() if isinstance(day, date) else day


class Publisher(PublisherFacts):
    """What only the publisher can say; the card, the datasheet and the licence page tell it.

    Parameters
    ----------
    description
        Of the data set.
    version, date
        Of the release; an ISO 8601 date.
    """

    description: str = ""
    version: str = "1.0.0"
    date: Annotated[str | None, BeforeValidator(_as_text)] = None


class ReleaseOptions(Strict):
    """What a study file and a build both say of a release.

    Parameters
    ----------
    columns
        Column name, or a pattern of names, -> its rule; see `ColumnRule`.
    withheld
        Columns that do not leave although the study tests them.
    rare_below
        Categories of fewer people leave as ``other``.
    birth_band
        The date of birth, or the year, leaves as the start of a band of so many years; 1 is the year itself; None
        leaves a date of birth behind and a feature of years as it is.
    categories
        Whether categories leave by name, or as shuffled numbers (``indices``).
    anonymity, noise
        k-anonymity and noise; by default k = 5 where columns are generalised, and no noise.
    allowed
        Values that look private and may leave.
    transform
        Of embeddings; see `personax.release.transforms.PRESETS`.
    audit, gate
        Whether to attack the release, and what no attack may exceed.
    publisher
        Facts that only the publisher knows.
    shard_mb
        Approximate size of a data file, in MiB.
    """

    columns: Mapping[str, ColumnRule] = {}
    withheld: Sequence[str] = ()
    rare_below: Count = 5
    birth_band: Count | None = None
    categories: Literal["names", "indices"] = "names"
    anonymity: AnonymityRequirements | None = None
    noise: NoiseSettings | None = None
    allowed: Sequence[str] = ()
    transform: Annotated[str, part_name("transforms", fits=is_preset)] = "rotation"
    audit: bool = True
    gate: Gate = Gate()
    publisher: Publisher = Publisher()
    shard_mb: Count = 256


class ReleaseSettings(ReleaseOptions):
    """All settings of a build.

    Parameters
    ----------
    removed
        Ids of people on the removal list.
    """

    removed: frozenset[str] = frozenset()
