"""What the page knows of a study, in frozen values; read by `gather`, drawn by `page`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from personax.schema import Column, Edge, Graph, Notice, TraitFramework
from personax.traits import BIG_FIVE

__all__ = [
    "BadCells",
    "CrlResults",
    "Distribution",
    "Faces",
    "FileReadings",
    "IndependenceResults",
    "Modality",
    "PeopleSummary",
    "ReleaseSummary",
    "ReportData",
    "StageSummary",
    "TraitScores",
    "Truth",
    "Validity",
    "WaveChange",
]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How often each value, or range of values, of a column occurs.

    Parameters
    ----------
    labels, counts
        One bar each. A category of fewer people than `_distributions.MIN_CELL` is never named; it counts in ``rest``.
    rest, rest_values
        People in, and number of, the categories that are not named.
    summary
        Range and median of a column of numbers, empty for categories.
    edges
        Ends of the ranges, where ``labels`` are ranges.
    """

    column: Column
    present: int
    missing: int
    labels: Sequence[str]
    counts: Sequence[int]
    rest: int = 0
    rest_values: int = 0
    summary: str = ""
    edges: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class BadCells:
    """Cells of one column that could not be read for one reason."""

    column: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class WaveChange:
    """How many people came, went or have another value of a column in a wave."""

    wave: int
    change: str
    column: str
    people: int


@dataclass(frozen=True, slots=True)
class PeopleSummary:
    """Who is in the study; no value of a private column is here."""

    count: int
    columns: Sequence[tuple[Column, int]]
    """Every column with its number of missing cells."""
    distributions: Sequence[Distribution]
    bad_cells: Sequence[BadCells]
    texts: int
    simulated: bool
    places: Sequence[Mapping[str, Any]] = ()
    """People by areas of five degrees: longitude, latitude, people, place; areas of few people are left out."""
    waves: int = 1
    changes: Sequence[WaveChange] = ()


@dataclass(frozen=True, slots=True)
class FileReadings:
    """How a file was read, as people/reading.json tells: facts of the file, and each of its columns."""

    file: str
    format: str
    facts: Sequence[Mapping[str, Any]]
    columns: Sequence[Mapping[str, Any]]

    @property
    def open_points(self) -> int:
        """How many of them only a person can say."""
        return sum(one.get("status") == "question" for one in (*self.facts, *self.columns))


@dataclass(frozen=True, slots=True)
class Faces:
    """Drawn faces of invented people, in rows with a caption; each image is the bytes of a PNG file."""

    rows: Sequence[tuple[str, Sequence[bytes]]]


@dataclass(frozen=True, slots=True)
class Modality:
    """Embeddings of one modality: names of the measurements and their length."""

    name: str
    measurements: Sequence[str]
    length: int


@dataclass(frozen=True, slots=True)
class TraitScores:
    """Aggregated scores, and what is known of the raters: files as they are, empty when absent.

    ``card`` is annotation_card.json, ``usage`` a row a model of what its replies took: replies, tokens, cost, seconds.
    """

    distributions: Sequence[Distribution]
    agreement: Mapping[str, Any]
    reliability: Mapping[str, Any] = field(default_factory=dict)
    stereotypes: Mapping[str, Any] = field(default_factory=dict)
    framework: TraitFramework = BIG_FIVE
    card: Mapping[str, Any] = field(default_factory=dict)
    usage: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Validity:
    """What humans say beside what LLMs say: agreement.csv, effects.csv, alt_test.json and summary.json as they are."""

    agreement: pl.DataFrame
    effects: pl.DataFrame
    alt_test: Mapping[str, Any]
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IndependenceResults:
    """Level I: pvalues.parquet of the features shown, and the dependence graph."""

    table: pl.DataFrame
    features: Sequence[str]
    """The features shown, strongest first."""
    feature_count: int
    counts: Mapping[tuple[str, str], tuple[int, int, int]]
    """(group, test) -> pairs, p-values computed, hypotheses of independence rejected; over all features."""
    graph: Graph | None
    profiles: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """(feature, target) of the leading group -> aggregates of the pair, of the strongest pairs; see `pair_profile`."""
    subgroups: pl.DataFrame | None = None
    """Rows of the leading group that are about a subgroup of people, with the column ``subgroup``."""
    calibration: pl.DataFrame | None = None
    """Rates at which the tests reject true nulls on this table, where `personax calibrate` measured them."""

    @property
    def leading(self) -> tuple[str, str]:
        """The group and the test that the page shows first: the aggregate, and the test with most p-values."""
        groups = dict.fromkeys(group for group, _ in self.counts)
        group = "final" if "final" in groups else next(iter(groups))
        return max((pair for pair in self.counts if pair[0] == group), key=lambda pair: self.counts[pair][1])


@dataclass(frozen=True, slots=True)
class CrlResults:
    """Level II: the learned graph, the measures of the fit and its course, what is assumed, what latents may be.

    ``claim`` and ``identification`` are what may be claimed of latents; ``graph_check`` says where PC finds
    another graph of the same latents.
    """

    graph: Graph | None
    metrics: Mapping[str, Any]
    history: pl.DataFrame | None
    diagnostics: Sequence[Mapping[str, Any]] = ()
    reading: Mapping[str, Any] = field(default_factory=dict)
    claim: str = ""
    identification: Sequence[Mapping[str, Any]] = ()
    graph_check: str = ""
    other_edges: Sequence[Edge] | None = None
    """What PC finds on the same latents; None where it was not looked for."""
    seeds: pl.DataFrame | None = None
    without: Sequence[Mapping[str, Any]] = ()
    """Of each modality, what PC says of the other latents without it."""


@dataclass(frozen=True, slots=True)
class ReleaseSummary:
    """What left and how it was attacked: protection.json, columns.json, transforms.json and audit.json as they are."""

    protection: Mapping[str, Any]
    columns: Sequence[Mapping[str, Any]]
    transforms: Mapping[str, Any]
    audit: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of simulated people."""

    graph: Graph | None
    groups: Mapping[str, Sequence[str]]
    effects: Sequence[Mapping[str, Any]]
    note: str


@dataclass(frozen=True, slots=True)
class StageSummary:
    """What a stage did; of the clock only the day it began, so that the same study gives the same page."""

    stage: str
    seed: int | None
    versions: Mapping[str, str]
    counts: Mapping[str, int]
    notices: Sequence[Notice]
    plan: Mapping[str, Any]
    started: str = ""


@dataclass(frozen=True, slots=True)
class ReportData:
    """A study as the page shows it; a part that the study has not is None or empty.

    ``root`` is the study folder, for sections that other packages add.
    """

    title: str
    people: PeopleSummary | None = None
    faces: Faces | None = None
    modalities: Sequence[Modality] = ()
    traits: TraitScores | None = None
    validity: Validity | None = None
    independence: IndependenceResults | None = None
    crl: CrlResults | None = None
    discovery: Graph | None = None
    release: ReleaseSummary | None = None
    readings: Sequence[FileReadings] = ()
    truth: Truth | None = None
    manifests: Sequence[StageSummary] = ()
    root: Path | None = None
    drift: pl.DataFrame | None = None
    """How scores moved from wave to wave in the same people: the table of `personax waves`."""

    @property
    def trait_source(self) -> str:
        """What the plan says the traits come from, for example ``questionnaire``; empty when it does not say."""
        return next((str(m.plan.get("source", "")) for m in self.manifests if m.stage == "annotate"), "")
