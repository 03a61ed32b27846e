"""A small simulated study, packaged: facts, data in shards, texts and checksums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from personax.release.packaging import (
    AnnotatorFacts,
    MeasurementFacts,
    PublisherFacts,
    ReleaseFacts,
    SourceFacts,
    describe,
    write_all,
    write_shards,
)
from personax.simulate import simulate_population
from personax.traits import aggregate

PEOPLE = 130
DIM = 24
ENCODERS = {"text": "hashed n-grams", "image": "colours and edges"}


class Packaged(NamedTuple):
    """A release, what was put into it, and its facts."""

    folder: Path
    frames: Mapping[str, pl.DataFrame]
    facts: ReleaseFacts


Package = Callable[..., Packaged]


def demo() -> tuple[dict[str, pl.DataFrame], ReleaseFacts]:
    """Return what the demo's study would release, without its transform, and the facts."""
    world = simulate_population(PEOPLE, rng=np.random.default_rng(5), text_dim=DIM, image_dim=DIM)
    kept = [c for c in world.columns if c.role in ("feature", "target") and c.name not in ("birth_month", "birth_day")]
    traits = aggregate(world.ratings, people=world.people["id"].to_list())
    people = world.people.select("id", *(column.name for column in kept)).join(
        traits, on="id", how="left", maintain_order="left"
    )
    frames = {"people": people.sort("id"), **{name: frame.sort("id") for name, frame in world.embeddings.items()}}
    measurements = [
        MeasurementFacts(modality, name, DIM, "rotation", ENCODERS[modality])
        for modality, frame in world.embeddings.items()
        for name in frame.columns[1:]
    ]
    columns = [
        column
        for config, frame in frames.items()
        for column in describe(
            config,
            frame,
            kept,
            protections={"country": "categories of fewer than 5 people are other"}
            | {one.name: f"transformed under the key ({one.transform})" for one in measurements},
        )
    ]
    ratings = world.ratings
    facts = ReleaseFacts(
        study="Demo of personax",
        description="An invented population whose causes are known, to show what a release looks like.",
        version="1.0.0",
        date="2026-01-31",
        people=PEOPLE,
        removed=2,
        columns=tuple(columns),
        measurements=tuple(measurements),
        sources=(SourceFacts("simulate", "simulated"),),
        annotators=AnnotatorFacts(
            "simulated",
            models=tuple(sorted(set(ratings["model"]))),
            prompts=("number-l3-inc",),
            statuses=dict(sorted(Counter(ratings["status"]).items())),
            agreement={"openness": 0.61, "neuroticism": 0.48},
        ),
        protections=("Categories of fewer than 5 people left as other.", "Month and day of birth stayed behind."),
        audit="Of 130 people, an attacker who holds the originals finds 100% by distance profiles on text/text_a: it "
        "is pseudonymised, not anonymous.",
        gate={"max_singling_out": 0.5},
        publisher=PublisherFacts(
            authors=("Ada Sample", "Bo Example"), contact="privacy@example.org", homepage="https://example.org/demo"
        ),
        seed=5,
        software={"personax": "0.1.0"},
    )
    return frames, facts


def _package(
    folder: Path, frames: Mapping[str, pl.DataFrame], facts: ReleaseFacts, *, shard_bytes: int = 10_000_000
) -> Packaged:
    """Write a release."""
    for config, frame in frames.items():
        write_shards(folder, frame, facts.columns_of(config), shard_bytes=shard_bytes)
    write_all(folder, facts)
    return Packaged(folder, frames, facts)


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """The demo, with people in one file and vectors in several."""
    frames, facts = demo()
    return _package(tmp_path_factory.mktemp("packaged"), frames, facts, shard_bytes=16_000)


@pytest.fixture(scope="session")
def package() -> Package:
    """Write a release: folder, frames, facts, and how large a shard may be."""
    return _package
