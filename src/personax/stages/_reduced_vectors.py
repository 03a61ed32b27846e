"""A few numbers in place of the vectors of a release: drawn once, kept beside the key, paid for once."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from personax.data.frames import read_parquet
from personax.errors import PlanError
from personax.release import ReleaseInput, ReleaseKey
from personax.release.keys import write_secret
from personax.release.statistics import Ledger, PrivacyBudget, PrivacySpending, now
from personax.release.vectors import ReducedVectors, Reduction, reduce
from personax.stages._base import Reader

__all__ = ["reduced_vectors", "sources", "without_noise"]

LATENTS = "latents"

Frames = Mapping[str, pl.DataFrame]


def sources(reader: Reader, left: ReleaseInput, reduction: Reduction) -> Frames:
    """Return what the numbers are taken from: the embeddings, or the latents of Level II.

    Raises
    ------
    PlanError
        Latents are asked for, and the study learns none.
    """
    if reduction.keep != LATENTS:
        return left.embeddings
    if reader.plan.crl is None:
        raise PlanError("release.vectors.keep: latents need a crl section in the plan; add one, or keep summary")
    table = reader.frame("analysis", "crl", "latents.parquet")
    kept = left.people.select("id").join(table.drop_nulls(), on="id", how="inner", maintain_order="left")
    names = [name for name in kept.columns if name != "id"]
    vectors = pl.Series(LATENTS, kept.select(names).to_numpy(), dtype=pl.Array(pl.Float64, len(names)))
    return {LATENTS: kept.select("id").with_columns(vectors)}


def without_noise(reader: Reader, left: ReleaseInput, key: ReleaseKey) -> ReleaseInput:
    """Return what is left, with the numbers before the noise in place of vectors where the plan asks for less."""
    section = reader.plan.release
    if section is None or section.vectors is None:
        return left
    reduction = section.vectors.replaced(noise=0.0)
    return replace(left, embeddings=reduce(sources(reader, left, reduction), reduction, key).clean)


def reduced_vectors(reader: Reader, left: ReleaseInput, key: ReleaseKey, keys: Path) -> ReducedVectors | None:
    """Return the numbers that leave in place of vectors; None where the plan asks for none.

    Raises
    ------
    InputError
        More numbers than there are, or a privacy budget that is spent.
    """
    section = reader.plan.release
    if section is None or section.vectors is None:
        return None
    reduction = section.vectors
    clean = without_noise(reader, left, key).embeddings
    place = keys / "vectors" / _digest(clean, reduction)
    files = {modality: place / f"{modality}.parquet" for modality in clean}
    if reduction.noise and not all(file.is_file() for file in files.values()):
        count = sum(frame.width - 1 for frame in clean.values())
        what = f"{reduction.numbers} numbers of {count} measurements"
        spent = PrivacySpending(now(), what, place.name, rho=reduction.rho(count), unit="values")
        ledger = Ledger(keys)
        ledger.spend(spent, section.budget or _own_budget(ledger, reduction, spent, count))
        made = reduce(sources(reader, left, reduction), reduction, key)
        for modality, frame in made.noisy.items():
            stream = io.BytesIO()
            frame.write_parquet(stream)
            write_secret(files[modality], stream.getvalue())
    noisy = {modality: read_parquet(file) for modality, file in files.items()} if reduction.noise else clean
    return ReducedVectors(reduction, sum(frame.width - 1 for frame in clean.values()), clean, noisy)


def _own_budget(ledger: Ledger, reduction: Reduction, spent: PrivacySpending, count: int) -> PrivacyBudget | None:
    """Return the budget of a study that states none: what the first draw spends, beside what was spent before it."""
    epsilon = reduction.epsilon(count) if _drawn_before(ledger) else ledger.total(reduction.delta, [spent])
    return PrivacyBudget(epsilon=epsilon, delta=reduction.delta) if math.isfinite(epsilon) else None


def _drawn_before(ledger: Ledger) -> bool:
    return any(one.unit == "values" for one in ledger.spendings())


def _digest(clean: Frames, reduction: Reduction) -> str:
    """Return a name of all that a draw depends on: who, which numbers, how much noise."""
    content = hashlib.sha256(json.dumps(reduction.model_dump()).encode())
    for modality, frame in clean.items():
        content.update(json.dumps([modality, frame.columns, frame["id"].to_list()]).encode())
        for name in frame.columns[1:]:
            content.update(frame[name].to_numpy().tobytes())
    return content.hexdigest()[:16]
