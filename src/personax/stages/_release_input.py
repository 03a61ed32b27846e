"""What a release is made of, as the study folder holds it: people, traits, vectors, and who made them."""

from __future__ import annotations

from importlib import metadata
from typing import Literal

import polars as pl

from personax.config import (
    AnnotateLLM,
    AnnotateQuestionnaire,
    AnnotateRelease,
    AnnotateSimulated,
    EmbedOffline,
    EmbedSimulated,
)
from personax.data.frames import read_parquet
from personax.release import ReleaseInput
from personax.release.packaging import AnnotatorFacts, EncoderFacts, SourceFacts
from personax.sources import CollectSeveral, WebSource
from personax.stages._base import Reader

__all__ = ["contents_of"]

SOFTWARE = ("personax", "numpy", "polars", "scipy")
OFFLINE = {"text": "hashed n-grams", "image": "colours and edges"}
"""The encoders of ``embed: {source: offline}``, as their cards are called."""


def contents_of(reader: Reader) -> ReleaseInput:
    """Read what a release of a study is made of."""
    plan, folder = reader.plan, reader.folder
    texts = folder.output("people", "texts.parquet")
    return ReleaseInput(
        name=plan.name,
        table=reader.people(),
        traits=reader.frame("traits", "traits.parquet") if plan.annotate else None,
        embeddings=reader.embeddings() if plan.embed else {},
        private_texts=read_parquet(texts)["biography"].drop_nulls().to_list() if texts is not None else (),
        encoders=_encoders(reader),
        sources=_sources(reader),
        annotators=_annotators(reader) if plan.annotate else None,
        seed=plan.seed,
        software={name: metadata.version(name) for name in SOFTWARE},
    )


def _encoders(reader: Reader) -> dict[str, EncoderFacts]:
    made_here: dict[str, str] = {}
    if isinstance(reader.plan.embed, EmbedSimulated):
        made_here = dict.fromkeys(reader.embeddings(), "simulate")
    elif isinstance(reader.plan.embed, EmbedOffline):
        made_here = OFFLINE
    if made_here:
        return {
            f"{modality}/{name}": EncoderFacts(made_here.get(modality, ""))
            for modality, frame in reader.embeddings().items()
            for name in frame.columns[1:]
        }
    cards = reader.json("embeddings", "encoders.json") or {}
    return {
        label: EncoderFacts(card.get("name", ""), card.get("revision", ""), card.get("licence", ""))
        for label, card in cards.items()
    }


def _sources(reader: Reader) -> list[SourceFacts]:
    collect = reader.plan.collect
    if not isinstance(collect, CollectSeveral):
        return [SourceFacts(*_called(collect.source))]
    days = _days(reader)
    return [
        SourceFacts(one.name, "web", days.get(name))
        if isinstance(one, WebSource)
        else SourceFacts(*_called(one.source))
        for name, one in collect.selected()
    ]


def _called(source: str) -> tuple[str, Literal["simulated", "table", "dataset"]]:
    if source == "simulate":
        return source, "simulated"
    names = {"nfl_players": "nflverse"}
    return names.get(source, source), "table" if source == "table" else "dataset"


def _days(reader: Reader) -> dict[str, tuple[str, str]]:
    """Return source -> the first and the last day on which something of it was fetched, where that is known."""
    origins = reader.folder.output("people", "origins.parquet")
    if origins is None:
        return {}
    found = read_parquet(origins, columns=["source", "time"]).drop_nulls()
    days = found.group_by("source").agg(
        pl.col("time").min().str.head(10).alias("first"), pl.col("time").max().str.head(10).alias("last")
    )
    return {source: (first, last) for source, first, last in days.sort("source").iter_rows() if len(first) == 10}


def _annotators(reader: Reader) -> AnnotatorFacts:
    annotate = reader.plan.annotate
    annotations = reader.frame("traits", "annotations.parquet") if _annotated(reader) else None
    kind: Literal["llm", "simulated", "raters", "questionnaire"] = "raters"
    if isinstance(annotate, AnnotateLLM):
        kind = "llm"
    elif isinstance(annotate, AnnotateQuestionnaire):
        kind = "questionnaire"
    elif isinstance(annotate, AnnotateSimulated):
        kind = "simulated"
    framework = reader.framework()
    title = framework.title or framework.name
    if isinstance(annotate, AnnotateRelease):
        published = f"as published; {annotate.rule} over models where it was not"
        return AnnotatorFacts(kind, (), aggregation=published, framework=title)
    if annotations is None:
        return AnnotatorFacts(kind, (), aggregation="mean of items", framework=title)
    traits = (reader.json("traits", "agreement.json") or {}).get("traits", {})
    statuses = dict(annotations["status"].value_counts().sort("status").iter_rows())
    repeats = int(annotations["repeat"].fill_null(0).max() or 0) + 1  # type: ignore[arg-type]
    return AnnotatorFacts(
        kind,
        tuple(annotations["model"].unique(maintain_order=True)),
        tuple(annotations["prompt"].drop_nulls().unique(maintain_order=True)),
        repeats,
        statuses,
        {trait: its["alpha"] for trait, its in traits.items() if its.get("alpha") is not None},
        str(getattr(annotate, "rule", "median")),
        reader.json("traits", "annotation_card.json") or {},
        title,
    )


def _annotated(reader: Reader) -> bool:
    return reader.folder.output("traits", "annotations.parquet") is not None
