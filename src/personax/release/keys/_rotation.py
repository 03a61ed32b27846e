"""A new key where people have left: under one key, an old release minus a new one is exactly them.

Pseudonyms are the same in all releases under one key. Whoever has two of them reads off who is in the first and not in
the second, with all that the first says of them. Under a new key nobody is called as before.
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
"""Folder beside the key, one folder an old key, named by its fingerprint."""


@dataclass(frozen=True)
class DifferencingRisk:
    """How many people of an earlier release under the same key are gone: both releases together tell who they are.

    ``version`` and ``time`` are of the earlier one; empty where the ledger does not know it.
    """

    version: str
    time: str
    people: int

    @property
    def sentence(self) -> str:
        """What the publisher must know."""
        name = f"version {self.version} ({self.time[:10]})" if self.version else "the release that lies in release/"
        who = "1 person of {name} is" if self.people == 1 else f"{self.people} people of {{name}} are"
        return (
            f"{who.format(name=name)} not in this release: under one key, whoever has both knows which rows these are"
        )


def differencing_risks(ledger: Ledger, key: ReleaseKey, ids: pl.Series, release: Path) -> list[DifferencingRisk]:
    """Return the earlier releases under this key from which people are gone.

    Parameters
    ----------
    ledger, key
        Of the study.
    ids
        The people of the release that is about to be built.
    release
        The folder of the last one, which is looked at where the ledger knows none: it may be older than the ledger.
    """
    known = [one for one in ledger.releases() if one.key == key.fingerprint]
    if known:
        found = [DifferencingRisk(one.version, one.time, ledger.count_removed(one, ids)) for one in known]
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
    """Copy a key, and what its releases need to be inverted, into a folder of its own, and return that.

    Done before a release is built under another key.
    """
    place = keys.root / OLD_KEYS / key.fingerprint
    if not (place / keys.key_file.name).is_file():
        aside = place.with_name(f".{place.name}.partial")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True, mode=0o700)
        shutil.copy2(keys.key_file, aside / keys.key_file.name)
        aside.rename(place)
    # a build that did not end may have put the key aside before: releases under it have come since
    for kept in (*sorted(keys.fitted.glob("*.npz")), *sorted(keys.categories.glob("*.json")), keys.legacy_categories):
        copy = place / kept.relative_to(keys.root)
        if kept.is_file() and not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            shutil.copy2(kept, partial := copy.with_name(f".{copy.name}.partial"))
            partial.replace(copy)
    return place


def install_key(keys: Keystore, key: ReleaseKey) -> None:
    """Make a key the study's own; the old one was kept before."""
    write_key(keys.key_file, key)


def release_record(version: str, sums: str, key: ReleaseKey, time: str) -> PastRelease:
    """Return the entry of a release for the ledger; people are filled in there."""
    return PastRelease(time, version, sums, key.fingerprint, 0, "")


def describe_risks(told: Sequence[DifferencingRisk], *, rekeyed: bool, old: Path | None) -> list[str]:
    """Return what the publisher must know of earlier releases."""
    if not told:
        return []
    if rekeyed:
        most = max(told, key=lambda one: one.people)
        where = f" The old key is in keys/{OLD_KEYS}/{old.name}, to invert old releases with." if old else ""
        return [
            f"{most.sentence}. So this release was made under a new key, and pseudonyms no longer tell them; values "
            f"that leave unchanged in both still may.{where}"
        ]
    return [f"{one.sentence}; set release.rekey: after_removals, which is the default." for one in told]
