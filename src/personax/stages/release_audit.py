"""Run all campaigns against the release of a study as it lies in its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from personax.errors import StudyError
from personax.progress import Progress
from personax.release import ReleaseAudit, ReleaseKey, audit_release, load_key, protect
from personax.release.audit import VersionLinkage, link_versions
from personax.release.reading import open_folder
from personax.stages.base import Reader, stage_rng
from personax.stages.reduced_vectors import without_noise
from personax.stages.release import keys_of, settings_of
from personax.stages.release_input import contents_of

__all__ = ["attacked"]


def attacked(reader: Reader, *, people: int, older: Path | None = None, progress: Progress) -> ReleaseAudit:
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
    place = reader.folder.path("release")
    if not (place / "transforms.json").is_file():
        raise StudyError(f"there is no release in {place}; personax release build makes it")
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
    told = folder.json("transforms.json") if "transforms.json" in folder.files else None
    same = isinstance(told, dict) and told.get("key") == key.fingerprint
    return link_versions(older, newer, truth={key.pseudonym(person) for person in removed} if same else None)
