"""Build a release: protect, transform, write, attack, describe, and look through all of it before it may leave."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.files import write_text
from personax.progress import Progress, Silent
from personax.release._release_audit import ReleaseAudit, audit_release
from personax.release._release_input import ReleaseInput
from personax.release._settings import ReleaseSettings
from personax.release._table_protection import ProtectedTable, protect
from personax.release.disclosure import Bounds, Categories, PrivacyStatement, Sphere, calibrate_noise
from personax.release.keys._keystore import Keystore, ReleaseKey
from personax.release.packaging import (
    ColumnFacts,
    EncoderFacts,
    MeasurementFacts,
    ReleaseFacts,
    boilerplate_texts,
    describe,
    inherited,
    write_all,
    write_shards,
)
from personax.release.packaging._facts import NOT_ATTACKED
from personax.release.packaging._licences import BINDING
from personax.release.pii._folder_scan import refuse_folder
from personax.release.pii._table_scan import refuse_private
from personax.release.vectors._obfuscation import obfuscate
from personax.release.vectors._reduction import ReducedVectors
from personax.schema import Notice

__all__ = ["build"]


def build(
    data: ReleaseInput,
    out: Path,
    *,
    key: ReleaseKey,
    keys: Keystore,
    settings: ReleaseSettings | None = None,
    study: Path | None = None,
    rng: np.random.Generator,
    progress: Progress | None = None,
    reduced: ReducedVectors | None = None,
) -> list[Notice]:
    """Write the release folder.

    Ids become pseudonyms under the key and rows are put into the order of the pseudonyms. People on the removal list
    are left out before anything is fitted or counted. Names, texts, images and every other private column stay.

    Parameters
    ----------
    data
        What there is.
    out
        A new or empty folder.
    key, keys
        The study's secret, and the folder where it and all that going back needs stay.
    settings
        What is asked.
    study
        The study's folder, whose path must not leave.
    rng
        Of the attacks; nothing that leaves as data depends on it. Noise comes from the operating system.
    reduced
        What leaves in place of the embeddings, of the people who are left; attacks hold the numbers before the noise.

    Returns
    -------
    list of Notice
        What the publisher must know.

    Raises
    ------
    InputError
        The folder is not empty, something private would leave, an attack exceeds the gate, a setting cannot be met.
    """
    asked, watch = settings or ReleaseSettings(), progress or Silent()
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty; a release is built into a new folder, so move what is there away")
    if asked.gate.limits_attacks and not asked.audit:
        raise InputError("release.gate has limits and release.audit is off; nothing would be measured, so turn it on")
    data = data.classified()
    private = data.private_values([name for name, one in asked.columns.items() if one.leaves == "exact"])
    left = data.drop_people(asked.removed)
    statement = _statement(left, asked)
    table = protect(left, asked, key, statement)
    asked.gate.check_k(_alike(table))
    refuse_private(table.frame.drop("id"), private, allowed=asked.allowed, rows=_rows(data, table.frame))
    sent = left if reduced is None else replace(left, embeddings=reduced.noisy)
    if reduced is not None:
        table.sentences.append(reduced.sentence)
        table.report["vectors"] = reduced.to_dict()
        left = replace(left, embeddings=reduced.clean)
    columns, told = _write_data(sent, table, out, key, keys, asked, statement, watch)
    found = _attacked(out, left, table, key, keys, asked, rng, watch) if asked.audit else None
    facts = _facts(data, left, table, columns, told, asked, found)
    write_text(out / "protection.json", json.dumps(table.report, indent=1, ensure_ascii=False))
    write_all(out, facts)
    # what a publisher says of itself is meant to be read
    said = [*asked.allowed, asked.publisher.contact, asked.publisher.homepage, *asked.publisher.authors]
    secrets = [key.secret, key.secret.hex().encode()]
    refuse_folder(out, private, allowed=said, study=study, secrets=secrets, house=boilerplate_texts(),
                  origin=data.locate)  # fmt: skip
    told_of = [*_removed(data, asked), *_without_vectors(left), *table.notices, *_consent(facts)]
    return [*told_of, Notice(found.sentence)] if found else told_of


def _rows(data: ReleaseInput, frame: pl.DataFrame) -> list[int]:
    """Return which row of people/people.parquet each row of a table is, so that its owner can look there."""
    number = {person: row for row, person in enumerate(data.people["id"], start=1)}
    return [number[person] for person in frame["id"]]


def _without_vectors(data: ReleaseInput) -> list[Notice]:
    lacking = {m: data.people.height - frame.height for m, frame in data.embeddings.items()}
    text = "The release has no {} vectors of people who lack one of their measurements; it has all else of them."
    return [Notice(text.format(modality), number) for modality, number in lacking.items() if number]


def _statement(data: ReleaseInput, settings: ReleaseSettings) -> PrivacyStatement | None:
    """Return the noise that is asked for, calibrated; None where none is."""
    noise = settings.noise
    if noise is None:
        return None
    clips: dict[str, Bounds | Sphere | Categories] = {
        **{name: Bounds(low, high) for name, (low, high) in noise.numbers.items()},
        **{name: Categories(tuple(names)) for name, names in noise.categories.items()},
    }
    if noise.vectors is not None:
        for modality, frame in data.embeddings.items():
            for name, dtype in list(frame.schema.items())[1:]:
                if isinstance(dtype, pl.Array):
                    clips[f"{modality}/{name}"] = Sphere(noise.vectors, dtype.size)
    return calibrate_noise(clips, epsilon=noise.epsilon, delta=noise.delta)


def _write_data(
    data: ReleaseInput,
    table: ProtectedTable,
    out: Path,
    key: ReleaseKey,
    keys: Keystore,
    asked: ReleaseSettings,
    statement: PrivacyStatement | None,
    watch: Progress,
) -> tuple[tuple[ColumnFacts, ...], dict[str, dict[str, Any]]]:
    """Write data/ and transforms.json; return what the columns are and how vectors were transformed."""
    out.mkdir(parents=True, exist_ok=True)
    frame = _pseudonymous(table.frame, key)
    columns = describe("people", frame, table.columns, protections=table.treatments)
    write_shards(out, frame, columns, shard_bytes=asked.shard_mb * 2**20)
    metadata: dict[str, dict[str, Any]] = {}
    for modality, vectors in obfuscate(data.embeddings, key, asked.transform, fitted=keys.fitted, statement=statement,
                                  metadata=metadata, progress=watch):  # fmt: skip
        done = f"keyed transform {asked.transform}" + ("" if statement is None else ", after noise where it is stated")
        made = _pseudonymous(vectors, key)
        own = describe(modality, made, protections=dict.fromkeys(made.columns[1:], done))
        write_shards(out, made, own, shard_bytes=asked.shard_mb * 2**20)
        columns += own
    text = {"format": 2, "transform": asked.transform, "key": key.fingerprint,
            "categories": keys.save_categories(table.mapping, key.tag), "measurements": metadata}  # fmt: skip
    write_text(out / "transforms.json", json.dumps(text, indent=1))
    return columns, metadata


def _pseudonymous(frame: pl.DataFrame, key: ReleaseKey) -> pl.DataFrame:
    return frame.with_columns(frame["id"].map_elements(key.pseudonym, return_dtype=pl.String)).sort("id")


def _attacked(
    out: Path, data: ReleaseInput, table: ProtectedTable, key: ReleaseKey, keys: Keystore, asked: ReleaseSettings,
    rng: np.random.Generator, watch: Progress,
) -> ReleaseAudit:  # fmt: skip
    found = audit_release(out, data, table, key, transform=asked.transform, fitted=keys.fitted, gate=asked.gate,
                          rng=rng, progress=watch)  # fmt: skip
    write_text(out / "audit.json", json.dumps(found.to_dict(), indent=1))
    return found


def _alike(table: ProtectedTable) -> int | None:
    told = table.report.get("k_anonymity")
    return int(told["after"]["k"]) if told else None


def _facts(
    data: ReleaseInput,
    left: ReleaseInput,
    table: ProtectedTable,
    columns: tuple[ColumnFacts, ...],
    told: dict[str, dict[str, Any]],
    asked: ReleaseSettings,
    found: ReleaseAudit | None,
) -> ReleaseFacts:
    measurements = []
    for label, its in told.items():
        modality, _, name = label.partition("/")
        who = data.encoders.get(label, EncoderFacts())
        measurements.append(MeasurementFacts(modality, name, its["dim"], asked.transform, **asdict(who)))
    return ReleaseFacts(
        study=data.name,
        version=asked.publisher.version,
        people=left.people.height,
        columns=columns,
        description=asked.publisher.description,
        date=asked.publisher.date,
        removed=data.people.height - left.people.height,
        measurements=tuple(measurements),
        sources=tuple(data.sources),
        annotators=data.annotators,
        protections=tuple(table.sentences),
        audit=found.sentence if found else NOT_ATTACKED,
        gate={name: limit for name, limit in asked.gate.model_dump().items() if limit is not None},
        publisher=asked.publisher,
        seed=data.seed,
        software=data.software,
    )


def _consent(facts: ReleaseFacts) -> list[Notice]:
    """Say which sources let nobody pass rows on without asking."""
    return [
        Notice(f"{item.name}: {BINDING['consent']}; ask them before this release leaves.")
        for item in inherited(facts).with_clause("consent")
    ]


def _removed(data: ReleaseInput, asked: ReleaseSettings) -> list[Notice]:
    unknown = len(asked.removed - set(data.people["id"]))
    gone = len(asked.removed) - unknown
    notices = [Notice("People on the removal list were left out.", gone)] if gone else []
    if unknown:
        notices.append(Notice("Entries of the removal list that are nobody's id in this study.", unknown))
    return notices
