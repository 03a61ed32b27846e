"""Settings of a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from personax.release._column_policy import ColumnRule
from personax.release.audit import Gate
from personax.release.packaging import SHARD_BYTES, PublisherFacts
from personax.release.transforms import Preset

__all__ = ["AnonymityRequirements", "NoiseSettings", "ReleaseSettings"]


@dataclass(frozen=True)
class AnonymityRequirements:
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

    k: int = 5
    l: int = 1  # noqa: E741 - the field's own name
    suppress: float = 0.01
    quasi_identifiers: Sequence[str] = ()
    sensitive: Sequence[str] = ()
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class NoiseSettings:
    """Local differential privacy; see `personax.release.disclosure.calibrate_noise`.

    Parameters
    ----------
    epsilon, delta
        Privacy budget of a whole row.
    numbers, categories
        Column -> bounds of its values, or its categories, stated independently of the data.
    radius
        Norm to which every vector is clipped before noise; None adds no noise to vectors.
    """

    epsilon: float
    delta: float = 0.0
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    radius: float | None = None


@dataclass(frozen=True)
class ReleaseSettings:
    """All settings of a release.

    Parameters
    ----------
    removed
        Ids of people on the removal list.
    columns
        Column name, or a pattern of names, -> its rule; see `ColumnRule`.
    withheld
        Columns that do not leave although the study tests them.
    rare_below
        Categories of fewer people leave as ``other``.
    birth_band
        The date of birth, or the year, leaves as the start of a band of so many years; 1 is the year itself; None
        leaves a date of birth behind and a feature of years as it is.
    indices
        Whether categories leave as shuffled numbers.
    anonymity, noise
        k-anonymity and noise; by default k = 5 where columns are generalised, and no noise.
    allowed
        Values that look private and may leave.
    transform
        Of embeddings; see `personax.release.transforms.PRESETS`.
    attack, gate
        Whether to attack the release, and what no attack may exceed.
    publisher, description, version, date
        Facts that only the publisher knows.
    shard_bytes
        Approximate size of a data file.
    """

    removed: frozenset[str] = frozenset()
    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    withheld: Sequence[str] = ()
    rare_below: int = 5
    birth_band: int | None = None
    indices: bool = False
    anonymity: AnonymityRequirements | None = None
    noise: NoiseSettings | None = None
    allowed: Sequence[str] = ()
    transform: Preset = "rotation"
    attack: bool = True
    gate: Gate = field(default_factory=Gate)
    publisher: PublisherFacts = field(default_factory=PublisherFacts)
    description: str = ""
    version: str = "1.0.0"
    date: str | None = None
    shard_bytes: int = SHARD_BYTES
