"""What a publisher asks of a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from personax.release._column_policy import Leave
from personax.release.audit import Gate
from personax.release.packaging import SHARD_BYTES, PublisherFacts
from personax.release.transforms import Preset

__all__ = ["Alike", "Noise", "Settings"]


@dataclass(frozen=True)
class Alike:
    """k-anonymity, and l-diversity where l is above 1.

    Parameters
    ----------
    k, l, suppress
        See `personax.release.disclosure.generalise`.
    quasi_identifiers
        Columns that somebody may know of a person; every feature that leaves, where none is named.
    sensitive
        Columns that nobody should learn from them; the aggregated traits, where none is named.
    groups
        Nominal column -> its categories' groups, such as country -> continent.
    weights
        Column -> how much its loss counts; 1 where it is not named.
    """

    k: int = 5
    l: int = 1  # noqa: E741 - the field's own name
    suppress: float = 0.01
    quasi_identifiers: Sequence[str] = ()
    sensitive: Sequence[str] = ()
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Noise:
    """Local differential privacy; see `personax.release.disclosure.noise`.

    Parameters
    ----------
    epsilon, delta
        Of a whole row.
    numbers, categories
        Column -> what its values can be, stated without a look at the data.
    radius
        Length to which every vector is cut before noise; None leaves vectors without.
    """

    epsilon: float
    delta: float = 0.0
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    radius: float | None = None


@dataclass(frozen=True)
class Settings:
    """All that is asked.

    Parameters
    ----------
    removed
        Ids of people who are left out at request.
    columns
        Column, or a pattern of names, -> what the study file says of it; see `personax.release.decide`.
    withheld
        Columns that stay behind although the study tests them.
    rare_below
        Categories of fewer people leave as ``other``.
    birth_band
        The date of birth, or the year, leaves as the start of a band of so many years; 1 is the year itself; None
        leaves a date of birth behind and a feature of years as it is.
    indices
        Categories leave as shuffled numbers.
    alike, noise
        k-anonymity and noise; None asks for no noise, and for k = 5 where columns are to be made coarser.
    allowed
        Values that look private and may leave.
    transform
        Of embeddings; see `personax.release.transforms.PRESETS`.
    attack, gate
        Whether to attack the release, and what no attack may exceed.
    publisher, description, version, date
        What only the publisher can say.
    shard_bytes
        Of a data file, about.
    """

    removed: frozenset[str] = frozenset()
    columns: Mapping[str, Leave] = field(default_factory=dict)
    withheld: Sequence[str] = ()
    rare_below: int = 5
    birth_band: int | None = None
    indices: bool = False
    alike: Alike | None = None
    noise: Noise | None = None
    allowed: Sequence[str] = ()
    transform: Preset = "rotation"
    attack: bool = True
    gate: Gate = field(default_factory=Gate)
    publisher: PublisherFacts = field(default_factory=PublisherFacts)
    description: str = ""
    version: str = "1.0.0"
    date: str | None = None
    shard_bytes: int = SHARD_BYTES
