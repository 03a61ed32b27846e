"""The tables: readable, of the same people, under ids that say nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import polars as pl

from personax.errors import InputError
from personax.release.checks.check import Check, Release, settle
from personax.release.folder import frame

__all__ = ["tables"]

_KEYED = re.compile(r"[0-9a-f]{12,64}")
_NAMES = re.compile(r"[A-Za-zÀ-ž]{2,}([ _.-][A-Za-zÀ-ž]{2,})*")


def tables(release: Release) -> Iterable[Check]:
    """Check what can be read, and the ids."""
    found = len(release.folder.under("")) + len(release.folder.under("", ".csv"))
    if not found:
        yield Check("tables", "fails", "there is no Parquet file; the data are missing")
    else:
        yield settle("tables", release.unread, f"{found} tables of numbers, texts and vectors")
    people = release.people
    if people is None or "id" not in people.columns:
        yield Check(
            "ids", "fails" if release.format else "cannot tell", "no table of people with a column id was found"
        )
        return
    ids = people["id"].cast(pl.String)
    yield _ids(release, ids)
    yield _pseudonyms(ids)
    if ids.is_sorted():
        yield Check("order", "holds", "rows are in the order of the ids, so their order says nothing else")
    else:
        yield Check("order", "fails", "rows are not in the order of the ids; their order may be that of the source")


def _ids(release: Release, ids: pl.Series) -> Check:
    faults = []
    if ids.null_count() or ids.n_unique() < len(ids):
        faults.append("ids of people are missing or doubled")
    for modality, names in release.vectors.items():
        try:
            other = frame([release.folder.files[name] for name in names], ["id"])["id"].cast(pl.String)
        except InputError as error:
            faults.append(str(error))
            continue
        if other.null_count() or other.n_unique() < len(other):
            faults.append(f"{modality} has ids that are missing or doubled")
        elif set(other) - set(ids):
            faults.append(f"{modality} has {len(set(other) - set(ids))} ids that the people have not")
        elif not other.is_sorted() and ids.is_sorted():
            faults.append(f"{modality} is not in the order of the ids")
    return settle("ids", faults, f"{len(ids):,} ids, each once, and the files join")


def _pseudonyms(ids: pl.Series) -> Check:
    name = "pseudonyms"
    values = ids.drop_nulls().to_list()
    numbers = {int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 10}
    if values and len(numbers) == len(values) and max(numbers) - min(numbers) < 2 * len(values):
        return Check(name, "fails", "ids are row numbers; whoever has the source has the people. Use a keyed pseudonym")
    if any(_NAMES.fullmatch(value) and not _KEYED.fullmatch(value) for value in values):
        return Check(name, "fails", "ids look like names; use a keyed pseudonym")
    if not values or not all(_KEYED.fullmatch(value) for value in values):
        return Check(name, "cannot tell", "ids are no row numbers and no hashes; what they are made of cannot be seen")
    if _hashes_of_rows(values):
        return Check(name, "fails", "ids are plain hashes of row numbers; anybody can make them. Use a keyed pseudonym")
    return Check(name, "holds", "ids look like keyed hashes; that a key made them cannot be seen from outside")


def _hashes_of_rows(values: list[str]) -> bool:
    """Say whether an id is a plain hash of a small number."""
    wanted, length = set(values), len(values[0])
    for row in range(len(values) + 1):
        for kind in (hashlib.md5, hashlib.sha1, hashlib.sha256):
            if kind(str(row).encode(), usedforsecurity=False).hexdigest()[:length] in wanted:
                return True
    return False
