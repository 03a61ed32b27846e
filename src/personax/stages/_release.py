"""release: what may leave, in a folder of its own, transformed under a key that stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from personax.config import Plan, ReleaseSection
from personax.data.columns import infer_columns
from personax.errors import InputError, StudyError
from personax.files import sha256
from personax.progress import Progress
from personax.release import (
    Keystore,
    ReleaseAudit,
    ReleaseInput,
    ReleaseKey,
    ReleaseOptions,
    ReleaseSettings,
    audit_release,
    build,
    load_key,
    protect,
)
from personax.release.audit import VersionLinkage, link_versions
from personax.release.keys import (
    archive_key,
    describe_risks,
    differencing_risks,
    install_key,
    load_or_make_key,
    new_key,
    release_record,
)
from personax.release.packaging import check_checksums
from personax.release.reading import open_folder
from personax.release.statistics import Ledger, PrivacySpending, now, publish
from personax.schema import Column, Notice
from personax.stages._base import Context, Reader, Stage, stage_rng
from personax.stages._reduced_vectors import reduced_vectors, without_noise
from personax.stages._release_input import contents_of
from personax.store import StudyFolder

__all__ = ["RELEASE", "audit_study", "key_of", "keys_of", "settings_of"]

_FOLDER, _STATISTICS = "release", "statistics"


def _external_files(plan: Plan) -> Sequence[str]:
    return [plan.release.removed] if plan.release is not None and plan.release.removed is not None else []


def _also_needs(plan: Plan) -> Sequence[str]:
    vectors = plan.release.vectors if plan.release is not None else None
    return ("crl",) if vectors is not None and vectors.keep == "latents" else ()


def _run(context: Context) -> None:
    """Build what may leave: no names, texts or images; the table protected, embeddings under a key; attacked."""
    _refuse_strangers(context.folder)
    data = contents_of(context)
    settings = settings_of(context)
    keys, place = keys_of(context.folder), context.out.root / _FOLDER
    left = data.drop_people(settings.removed)
    key = _key_for(context, left.people["id"])
    _spend_on_noise(context, settings)
    reduced = reduced_vectors(context, left, key, keys.root)
    context.notices.extend(
        build(data, place, key=key, keys=keys, settings=settings, study=context.folder.root, rng=context.rng,
              progress=context.progress, reduced=reduced)
    )  # fmt: skip
    _publish_statistics(context, left, settings)
    install_key(keys, key)
    made = release_record(settings.publisher.version, sha256(place / "SHA256SUMS"), key, now())
    Ledger(keys.root).record(made, left.people["id"])
    context.counts["people"] = left.people.height


def _key_for(context: Context, ids: pl.Series) -> ReleaseKey:
    """Return the key of the release that is about to be built; a new one where an earlier release would tell of people.

    It becomes the study's own when the release is there.
    """
    section = context.plan.release
    assert section is not None
    key, keys = key_of(context), keys_of(context.folder)
    ledger, last = Ledger(keys.root), context.folder.path(_FOLDER)
    risks = differencing_risks(ledger, key, ids, last)
    used = bool(risks) or any(one.key == key.fingerprint for one in ledger.releases())
    renew = used if section.rekey == "always" else bool(risks) and section.rekey == "after_removals"
    old = archive_key(keys, key) if renew else None
    context.notices.extend(Notice(text) for text in describe_risks(risks, rekeyed=renew, archived=old))
    return new_key(context.plan.name) if renew else key


def _spend_on_noise(context: Context, settings: ReleaseSettings) -> None:
    """Write down what the noise on the table spends: it is drawn anew in every build."""
    section, noise = context.plan.release, settings.noise
    assert section is not None
    if noise is None:
        return
    drawn = "anew in every build"
    spent = PrivacySpending(now(), "noise on the table", drawn, epsilon=noise.epsilon, delta=noise.delta, unit="values")
    Ledger(keys_of(context.folder).root).spend(spent, section.budget)


def _publish_statistics(context: Context, left: ReleaseInput, settings: ReleaseSettings) -> None:
    """Write the folder of noisy statistics, where some are asked for."""
    section = context.plan.release
    assert section is not None
    if section.statistics is None:
        return
    context.notices.extend(
        publish(left, context.out.root / _STATISTICS, section.statistics, budget=section.budget,
                keys=keys_of(context.folder).root, known=_may_leave(left, settings), allowed=settings.allowed,
                study=context.folder.root)
    )  # fmt: skip


def _may_leave(data: ReleaseInput, settings: ReleaseSettings) -> dict[str, Column]:
    """Return the features and targets that tables may be about: none that the study withholds or that names people.

    Bins coarsen as much as groups of people alike do, so quasi-identifiers are no fault here.
    """
    scored = infer_columns(data.traits.drop("id")) if data.traits is not None else []
    known = data.classified().columns
    plans = {name: one.leaves for name, one in settings.columns.items()}
    kept = {*settings.withheld, *(name for name, leaves in plans.items() if leaves == "withheld")}
    stay = ("direct", "sensitive", "unknown")
    restore_ids = {c.name for c in known if c.identity in stay and c.role != "target" and c.name not in plans}
    columns = {c.name: c for c in known if c.role in ("feature", "target") and c.name not in restore_ids}
    columns |= {c.name: c for c in scored}
    return {name: column for name, column in columns.items() if name not in kept}


def keys_of(folder: StudyFolder) -> Keystore:
    """Return where the key of a study lies."""
    return Keystore(folder.path("keys"))


def key_of(reader: Reader) -> ReleaseKey:
    """Return the key of a study; a new one where it has none."""
    folder = reader.folder
    return load_or_make_key(keys_of(folder).key_file, study=reader.plan.name, release=folder.path(_FOLDER))


def settings_of(reader: Reader) -> ReleaseSettings:
    """Return what the plan asks of the release."""
    section = reader.plan.release
    assert section is not None
    options = {name: getattr(section, name) for name in ReleaseOptions.model_fields}
    return ReleaseSettings(removed=_removed(reader, section), **options)


def _removed(reader: Reader, section: ReleaseSection) -> frozenset[str]:
    """Read the removal list: an id a line; empty lines and what follows a # say nothing."""
    if section.removed is None:
        return frozenset()
    path = reader.external_path(section.removed)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"the removal list {path} is missing; write one id a line, or an empty file") from None
    except UnicodeDecodeError:
        raise InputError(f"the removal list {path} is no text in UTF-8; write one id a line") from None
    return frozenset(line.partition("#")[0].strip() for line in lines) - {""}


def _recorded_outputs(folder: StudyFolder, place: Path) -> set[str]:
    """Return what lies there as the ledger recorded it, where the manifest is lost: its list of checksums is known."""
    sums = place / "SHA256SUMS"
    if sums.is_symlink() or not sums.is_file():
        return set()
    if sha256(sums) not in {one.sums for one in Ledger(keys_of(folder).root).releases()}:
        return set()
    checked = check_checksums(place)
    there = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    return {f"{_FOLDER}/{name}" for name in there - {*checked.changed, *checked.extra}}


def _refuse_strangers(folder: StudyFolder) -> None:
    """Refuse to build where files lie that this study did not write: they would leave with the release."""
    old, place = folder.manifest(_FOLDER), folder.path(_FOLDER)
    own = set(old.outputs) if old else _recorded_outputs(folder, place)
    found = [path.relative_to(folder.root).as_posix() for path in sorted(place.rglob("*")) if not path.is_dir()]
    strangers = [name for name in found if name not in own]
    if strangers:
        more = f" and {len(strangers) - 1} more files" if len(strangers) > 1 else ""
        raise StudyError(f"{place} holds {strangers[0]}{more}, which this study did not write; move them out of it")


def audit_study(reader: Reader, *, people: int, older: Path | None = None, progress: Progress) -> ReleaseAudit:
    """Run all campaigns against ``release/``.

    Parameters
    ----------
    people
        At most so many are looked for, at random; the attacker holds everybody.
    older
        The folder of an older version of the release, which the attacker holds, too.

    Raises
    ------
    StudyError
        The study has no release, or it is not of its present data.
    """
    if reader.folder.output(_FOLDER, "transforms.json") is None:
        raise StudyError(f"there is no release in {reader.folder.path(_FOLDER)}; personax release build makes it")
    place = reader.folder.readable_folder("release", _FOLDER)
    settings, keys = settings_of(reader), keys_of(reader.folder)
    key = load_key(keys.key_file)
    data = contents_of(reader).classified().drop_people(settings.removed)
    progress.stage("release audit")
    known = without_noise(reader, data, key)
    found = audit_release(
        place, known, protect(data, settings, key), key, transform=settings.transform, fitted=keys.fitted,
        gate=settings.gate, people=people, rng=stage_rng(reader.plan.seed, "release"), progress=progress,
    )  # fmt: skip
    return found if older is None else replace(found, older=_compared(older, place, key, settings.removed))


def _compared(older: Path, newer: Path, key: ReleaseKey, removed: frozenset[str]) -> VersionLinkage:
    """Compare two versions; under one key it is known who was truly taken out."""
    folder = open_folder(older)
    metadata = folder.json("transforms.json") if "transforms.json" in folder.files else None
    same = isinstance(metadata, dict) and metadata.get("key") == key.fingerprint
    return link_versions(older, newer, truth={key.pseudonym(person) for person in removed} if same else None)


RELEASE = Stage(
    _FOLDER,
    revision=8,
    needs=("collect", "annotate", "embed"),
    run=_run,
    names_study=True,
    external_files=_external_files,
    also_needs=_also_needs,
)
