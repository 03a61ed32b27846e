"""Key rotation against disclosure by differencing: under one key, an old release minus a new one is who left.

Pseudonyms are the same in all releases under one key. Whoever has two releases sees who is in the first and not in the
second, with all that the first holds of them. Under a new key nobody keeps their pseudonym.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from personax.release._layout import table_files
from personax.release._untrusted_folder import open_folder
from personax.release._untrusted_tables import read_frame
from personax.release.keys._keystore import Keystore, ReleaseKey, write_key
from personax.release.statistics._privacy_budget import Ledger, PastRelease

__all__ = ["OLD_KEYS", "DifferencingRisk", "archive_key", "differencing_risks", "install_key"]

OLD_KEYS = "old"
"""Folder of the keystore with archived keys, one folder a key, named by its fingerprint."""


@dataclass(frozen=True)
class DifferencingRisk:
    """The people of an earlier release under the same key who are gone: both releases together disclose them.

    ``version`` and ``time`` are of the earlier release; empty where the ledger does not have it.
    """

    version: str
    time: str
    people: int

    @property
    def sentence(self) -> str:
        """A sentence for the publisher."""
        name = f"version {self.version} ({self.time[:10]})" if self.version else "the release that lies in release/"
        who = "1 person of {name} is" if self.people == 1 else f"{self.people} people of {{name}} are"
        return (
            f"{who.format(name=name)} not in this release: under one key, whoever has both knows which rows these are"
        )


def differencing_risks(ledger: Ledger, key: ReleaseKey, ids: pl.Series, release: Path) -> list[DifferencingRisk]:
    """Return the earlier releases under this key from which people are missing now.

    Parameters
    ----------
    ledger, key
        Of the study.
    ids
        The people of the release that is about to be built.
    release
        The folder of the last release, which is compared where the ledger has none: it may be older than the ledger.
    """
    releases = [one for one in ledger.releases() if one.key == key.fingerprint]
    if releases:
        found = [DifferencingRisk(one.version, one.time, ledger.count_removed(one, ids)) for one in releases]
    else:
        found = [DifferencingRisk("", "", len(_pseudonyms(release) - {key.pseudonym(one) for one in ids}))]
    return [one for one in found if one.people]


def _pseudonyms(release: Path) -> set[str]:
    if not release.is_dir():
        return set()
    folder = open_folder(release)
    files = [folder.files[name] for name in table_files(folder, "people")]
    return set(read_frame(files, ["id"])["id"].cast(pl.String)) if files else set()


def archive_key(keys: Keystore, key: ReleaseKey) -> Path:
    """Copy a key, and what its releases need to be inverted, into an archive folder, and return the folder.

    Called before a release is built under another key.
    """
    place = keys.root / OLD_KEYS / key.fingerprint
    if not (place / keys.key_file.name).is_file():
        aside = place.with_name(f".{place.name}.partial")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True, mode=0o700)
        shutil.copy2(keys.key_file, aside / keys.key_file.name)
        aside.rename(place)
    # an interrupted build may have archived the key before; releases under it have been made since
    for kept in (*sorted(keys.fitted.glob("*.npz")), *sorted(keys.categories.glob("*.json")), keys.legacy_categories):
        copy = place / kept.relative_to(keys.root)
        if kept.is_file() and not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            shutil.copy2(kept, partial := copy.with_name(f".{copy.name}.partial"))
            partial.replace(copy)
    return place


def install_key(keys: Keystore, key: ReleaseKey) -> None:
    """Make a key the study's own; the former one was archived before."""
    write_key(keys.key_file, key)


def release_record(version: str, sums: str, key: ReleaseKey, time: str) -> PastRelease:
    """Return the ledger's record of a release; `Ledger.record` fills the people in."""
    return PastRelease(time, version, sums, key.fingerprint, 0, "")


def describe_risks(risks: Sequence[DifferencingRisk], *, rekeyed: bool, archived: Path | None) -> list[str]:
    """Return sentences for the publisher on earlier releases."""
    if not risks:
        return []
    if rekeyed:
        most = max(risks, key=lambda one: one.people)
        where = f" The old key is in keys/{OLD_KEYS}/{archived.name}, to invert old releases with." if archived else ""
        return [
            f"{most.sentence}. So this release was made under a new key, and pseudonyms no longer tell them; values "
            f"that leave unchanged in both still may.{where}"
        ]
    return [f"{one.sentence}; set release.rekey: after_removals, which is the default." for one in risks]
