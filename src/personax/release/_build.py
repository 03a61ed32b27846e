"""Build a release: protect the table, obfuscate the vectors, write, audit, document, and scan all of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from personax.data.labels import split_trait
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

    Ids become pseudonyms under the key, and rows are sorted by pseudonym. People on the removal list are left out
    before anything is fitted or counted. Names, texts, images and all other private columns never leave.

    Parameters
    ----------
    data
        What the release is made of.
    out
        A new or empty folder.
    key, keys
        The study's secret key, and the folder that keeps it and all that inversion needs.
    settings
        Of the release.
    study
        The study's folder, whose path must not be in the release.
    rng
        Random numbers of the audit; no released data depend on them. Noise comes from the operating system.
    reduced
        Replaces the embeddings of the remaining people; attackers hold the numbers before the noise.

    Returns
    -------
    list of Notice
        For the publisher.

    Raises
    ------
    InputError
        The folder is not empty, private values would leave, an attack exceeds the gate, or a setting cannot be met.
    """
    settings, watch = settings or ReleaseSettings(), progress or Silent()
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty; a release is built into a new folder, so move what is there away")
    if settings.gate.limits_attacks and not settings.audit:
        raise InputError("release.gate has limits and release.audit is off; nothing would be measured, so turn it on")
    data = data.classified()
    private = data.private_values([name for name, one in settings.columns.items() if one.leaves == "exact"])
    remaining = data.drop_people(settings.removed)
    statement = _statement(remaining, settings)
    table = protect(remaining, settings, key, statement)
    settings.gate.check_k(_measured_k(table))
    refuse_private(table.frame.drop("id"), private, allowed=settings.allowed, rows=_rows(data, table.frame))
    to_write = remaining if reduced is None else replace(remaining, embeddings=reduced.noisy)
    if reduced is not None:
        table.sentences.append(reduced.sentence)
        table.report["vectors"] = reduced.to_dict()
        remaining = replace(remaining, embeddings=reduced.clean)
    columns, metadata = _write_data(to_write, table, out, key, keys, settings, statement, watch)
    audit = _audit(out, remaining, table, key, keys, settings, rng, watch) if settings.audit else None
    facts = _facts(data, remaining, table, columns, metadata, settings, audit)
    write_text(out / "protection.json", json.dumps(table.report, indent=1, ensure_ascii=False))
    write_all(out, facts)
    # the publisher's own contact is meant to be public
    stated = [*settings.allowed, settings.publisher.contact, settings.publisher.homepage, *settings.publisher.authors]
    secrets = [key.secret, key.secret.hex().encode()]
    refuse_folder(out, private, allowed=stated, study=study, secrets=secrets, house=boilerplate_texts(),
                  origin=data.locate)  # fmt: skip
    notices = [
        *_removal_notices(data, settings),
        *_missing_vector_notices(remaining),
        *table.notices,
        *_consent_notices(facts),
    ]
    return [*notices, Notice(audit.sentence)] if audit else notices


def _rows(data: ReleaseInput, frame: pl.DataFrame) -> list[int]:
    """Return the row of people/people.parquet of each row of a table, so that findings can be looked up there."""
    number = {person: row for row, person in enumerate(data.people["id"], start=1)}
    return [number[person] for person in frame["id"]]


def _missing_vector_notices(data: ReleaseInput) -> list[Notice]:
    lacking = {m: data.people.height - frame.height for m, frame in data.embeddings.items()}
    text = "The release has no {} vectors of people who lack one of their measurements; it has all else of them."
    return [Notice(text.format(modality), number) for modality, number in lacking.items() if number]


def _statement(data: ReleaseInput, settings: ReleaseSettings) -> PrivacyStatement | None:
    """Return the calibrated noise; None where the settings have none."""
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
    settings: ReleaseSettings,
    statement: PrivacyStatement | None,
    watch: Progress,
) -> tuple[tuple[ColumnFacts, ...], dict[str, dict[str, Any]]]:
    """Write data/ and transforms.json; return the columns and the metadata of the transforms."""
    out.mkdir(parents=True, exist_ok=True)
    frame = _pseudonymous(table.frame, key)
    # scores that came with the people have no raters that are known
    stated = {} if data.annotators is not None else {
        c.name: f"{score[1]}, as the table of the people states it"
        for c in table.columns if c.role == "target" and (score := split_trait(c.name))
    }  # fmt: skip
    columns = describe("people", frame, table.columns, descriptions=stated, protections=table.treatments)
    write_shards(out, frame, columns, shard_bytes=settings.shard_mb * 2**20)
    metadata: dict[str, dict[str, Any]] = {}
    done = f"keyed transform {settings.transform}" + ("" if statement is None else ", after noise where it is stated")
    obfuscated = obfuscate(data.embeddings, key, settings.transform, fitted=keys.fitted, statement=statement,
                           metadata=metadata, progress=watch)  # fmt: skip
    for modality, vectors in obfuscated:
        made = _pseudonymous(vectors, key)
        own = describe(modality, made, protections=dict.fromkeys(made.columns[1:], done))
        write_shards(out, made, own, shard_bytes=settings.shard_mb * 2**20)
        columns += own
    text = {"format": 2, "transform": settings.transform, "key": key.fingerprint,
            "categories": keys.save_categories(table.mapping, key.tag), "measurements": metadata}  # fmt: skip
    write_text(out / "transforms.json", json.dumps(text, indent=1))
    return columns, metadata


def _pseudonymous(frame: pl.DataFrame, key: ReleaseKey) -> pl.DataFrame:
    return frame.with_columns(frame["id"].map_elements(key.pseudonym, return_dtype=pl.String)).sort("id")


def _audit(
    out: Path, data: ReleaseInput, table: ProtectedTable, key: ReleaseKey, keys: Keystore, settings: ReleaseSettings,
    rng: np.random.Generator, watch: Progress,
) -> ReleaseAudit:  # fmt: skip
    audit = audit_release(out, data, table, key, transform=settings.transform, fitted=keys.fitted, gate=settings.gate,
                          rng=rng, progress=watch)  # fmt: skip
    write_text(out / "audit.json", json.dumps(audit.to_dict(), indent=1))
    return audit


def _measured_k(table: ProtectedTable) -> int | None:
    metadata = table.report.get("k_anonymity")
    return int(metadata["after"]["k"]) if metadata else None


def _facts(
    data: ReleaseInput,
    remaining: ReleaseInput,
    table: ProtectedTable,
    columns: tuple[ColumnFacts, ...],
    metadata: dict[str, dict[str, Any]],
    settings: ReleaseSettings,
    audit: ReleaseAudit | None,
) -> ReleaseFacts:
    measurements = []
    for label, entry in metadata.items():
        modality, _, name = label.partition("/")
        encoder = data.encoders.get(label, EncoderFacts())
        measurements.append(MeasurementFacts(modality, name, entry["dim"], settings.transform, **asdict(encoder)))
    return ReleaseFacts(
        study=data.name,
        version=settings.publisher.version,
        people=remaining.people.height,
        columns=columns,
        description=settings.publisher.description,
        date=settings.publisher.date,
        removed=data.people.height - remaining.people.height,
        measurements=tuple(measurements),
        sources=tuple(data.sources),
        annotators=data.annotators,
        protections=tuple(table.sentences),
        audit=audit.sentence if audit else NOT_ATTACKED,
        gate={name: limit for name, limit in settings.gate.model_dump().items() if limit is not None},
        publisher=settings.publisher,
        seed=data.seed,
        software=data.software,
    )


def _consent_notices(facts: ReleaseFacts) -> list[Notice]:
    """Name the sources whose terms require consent before rows are passed on."""
    return [
        Notice(f"{item.name}: {BINDING['consent']}; ask them before this release leaves.")
        for item in inherited(facts).with_clause("consent")
    ]


def _removal_notices(data: ReleaseInput, settings: ReleaseSettings) -> list[Notice]:
    unknown = len(settings.removed - set(data.people["id"]))
    gone = len(settings.removed) - unknown
    notices = [Notice("People on the removal list were left out.", gone)] if gone else []
    if unknown:
        notices.append(Notice("Entries of the removal list that are nobody's id in this study.", unknown))
    return notices
