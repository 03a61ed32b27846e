"""What may leave the study folder, in which form, and what no attack on it may reach."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from personax.config._sections import Count, Share, part_name
from personax.release import ColumnTreatment
from personax.release.transforms import is_preset
from personax.release.vectors import ReductionMethod
from personax.strict import Strict

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _as_text(day: object) -> object:
    """Return a day as text: YAML reads 2026-11-25 as a date."""
    return day.isoformat() if isinstance(day, date) else day


class ReleaseGate(Strict):
    """Limits that a release must keep, or nothing is released; see `personax.release.Gate`."""

    max_rank_1: Share | dict[str, Share] | None = None
    min_pairs: Count | None = None
    max_attribute_gain: Share | None = None
    max_d_sys: Share | None = None
    max_singling_out: Share | None = None
    max_linkability: Share | None = None
    min_k: Count | None = None


class ReleaseColumn(Strict):
    """How a column leaves, and the risk of that in words; see `personax.release.decide.ColumnRule`."""

    leaves: ColumnTreatment
    risk: str = ""


class ReleaseAnonymity(Strict):
    """k-anonymity and l-diversity; see `personax.release.AnonymityRequirements`."""

    k: Count = 5
    l: Count = 1  # noqa: E741 - the field's own name
    suppress: Share = 0.01
    quasi_identifiers: list[str] = []
    sensitive: list[str] = []
    groups: dict[str, dict[str, str]] = {}
    weights: dict[str, Positive] = {}


class ReleaseNoise(Strict):
    """Local differential privacy; see `personax.release.NoiseSettings`."""

    epsilon: Positive
    delta: Annotated[float, Field(ge=0, lt=1)] = 0.0
    numbers: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]] = {}
    categories: dict[str, list[str]] = {}
    vectors: Positive | None = None


class ReleasePublisher(Strict):
    """What only the publisher can say; the card, the datasheet and the licence page tell it."""

    title: str = ""
    description: str = ""
    version: str = "1.0.0"
    date: Annotated[str | None, BeforeValidator(_as_text)] = None
    licence: str = "other"
    authors: list[str] = []
    contact: str = ""
    homepage: str = ""
    language: list[str] = ["en"]
    purpose: str = ""
    funding: str = ""
    ethics: str = ""
    consent: str = ""


class ReleaseBudget(Strict):
    """What all releases of the study may spend together; see `personax.release.statistics.PrivacyBudget`."""

    epsilon: Positive
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-6


class ReleaseStatistics(Strict):
    """Contingency tables under central differential privacy; see `personax.release.statistics.StatisticsRequest`."""

    epsilon: Positive
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-6
    columns: Annotated[dict[str, list[float] | list[str]], Field(min_length=2)]
    tables: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []


class ReleaseVectors(Strict):
    """A few numbers in place of each vector, with noise; see `personax.release.vectors._reduction.Reduction`."""

    keep: ReductionMethod = "summary"
    numbers: Count = 16
    noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    clip: Positive = 3.0
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-6


class ReleaseSection(Strict):
    """What may leave the study folder."""

    removed: str | None = None
    columns: dict[str, ReleaseColumn] = {}
    withheld: list[str] = []
    rare_below: Count = 5
    birth_band: Count | None = None
    categories: Literal["names", "indices"] = "names"
    anonymity: ReleaseAnonymity | None = None
    noise: ReleaseNoise | None = None
    vectors: ReleaseVectors | None = None
    statistics: ReleaseStatistics | None = None
    budget: ReleaseBudget | None = None
    rekey: Literal["after_removals", "always", "never"] = "after_removals"
    allowed: list[str] = []
    transform: Annotated[str, part_name("transforms", fits=is_preset)] = "rotation"
    audit: bool = True
    gate: ReleaseGate = ReleaseGate()
    publisher: ReleasePublisher = ReleasePublisher()
    shard_mb: Count = 256
