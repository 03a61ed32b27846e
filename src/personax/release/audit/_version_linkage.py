"""Two versions of a release against each other: who is in the older one and not in the newer one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from personax.errors import InputError
from personax.release._layout import modality_files, table_files
from personax.release._untrusted_folder import UntrustedFolder, open_folder
from personax.release._untrusted_tables import read_frame
from personax.release.audit._attack import Vectors
from personax.release.audit._cached_views import equal_rows
from personax.release.audit._learned_maps import predict
from personax.release.audit._nearest_neighbours import nearest, squared_distances, standardised
from personax.release.audit._seed_pairs import by_profiles
from personax.release.audit._self_training import MatchedPairs, mutual_nearest, reduced, self_train

__all__ = ["LinkageRoute", "VersionLinkage", "link_versions"]

ENOUGH: Final = 0.9
"""Share of the smaller version that must be found in the other before a missing person means a removed one."""
CLEAR: Final = 0.5
"""A nearest vector is the same person's where the second nearest is at least twice as far."""
ALIKE: Final = 0.75
"""Share of the columns in which a changed row still agrees with itself."""
LEFT: Final = 2000
"""Rows without an equal row are compared one by one up to so many."""


@dataclass(frozen=True)
class LinkageRoute:
    """One way to join two versions.

    Parameters
    ----------
    name
        ``pseudonyms``, ``table``, or ``vectors <modality>/<measurement>``.
    linked
        People of the older version who are found again in the newer one.
    removed
        Pseudonyms, in the older version, of people who can be told as removed; empty where too few rows are linked.
    reason
        Why this way tells nobody; None where it tells.
    right
        How many of `removed` were truly taken out; None where the truth is not given.
    """

    name: str
    linked: int
    removed: tuple[str, ...]
    reason: str | None = None
    right: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds: numbers, no pseudonym."""
        return {"name": self.name, "linked": self.linked, "told_as_removed": len(self.removed), "right": self.right,
                "reason": self.reason}  # fmt: skip


@dataclass(frozen=True)
class VersionLinkage:
    """What an older and a newer version tell together.

    Parameters
    ----------
    older, newer
        People in each.
    routes
        Every way that was tried.
    """

    older: int
    newer: int
    routes: tuple[LinkageRoute, ...]

    @property
    def best(self) -> LinkageRoute | None:
        """The way that tells most people as removed, rightly where the truth is given; None where none tells any."""
        telling = [route for route in self.routes if route.removed]
        return max(telling, key=lambda route: len(route.removed) if route.right is None else route.right, default=None)

    @property
    def removed_count(self) -> int:
        """How many people of the older version can be told as removed."""
        return len(self.best.removed) if self.best is not None else 0

    @property
    def sentence(self) -> str:
        """Say it in one sentence; a build prints it as a warning."""
        best = self.best
        if best is None:
            return (
                f"Nobody can be told as removed between the older version of {self.older:,} people and this one of "
                f"{self.newer:,} by pseudonyms, vectors or rows of the table; other ways were not tried."
            )
        return (
            f"Who holds the older version of {self.older:,} people and this one of {self.newer:,} can tell "
            f"{len(best.removed):,} {'person' if len(best.removed) == 1 else 'people'} as removed, by {best.name}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds: numbers, no pseudonym."""
        return {"older": self.older, "newer": self.newer, "told_as_removed": self.removed_count,
                "verdict": self.sentence, "routes": [route.to_dict() for route in self.routes]}  # fmt: skip


def link_versions(older: Path, newer: Path, *, truth: Collection[str] | None = None) -> VersionLinkage:
    """Attack two versions of a release with nothing else in hand.

    Parameters
    ----------
    older, newer
        Release folders; nothing in them is trusted, and no key is needed.
    truth
        Pseudonyms, in the older version, of those who were truly taken out, where the owner knows them.

    Raises
    ------
    InputError
        A folder is no release that personax lays out.

    Notes
    -----
    A person who is missing from the newer version can be told where nearly everybody else is found again: by the same
    pseudonym, by a vector that stayed (under the same key) or keeps its distances to the others (under another key), or
    by an equal row of the table. Rows of the table that changed in few columns count as found.
    """
    folders = [open_folder(place) for place in (older, newer)]
    for folder in folders:
        if not table_files(folder, "people"):
            raise InputError(f"{folder.root} has no data/people; give the folder of a release")
    routes = [_by_pseudonyms(*(_people(folder)["id"] for folder in folders)), _by_table(*map(_people, folders))]
    routes += _by_vectors(*folders)
    if truth is not None:
        gone = set(truth)
        routes = [LinkageRoute(r.name, r.linked, r.removed, r.reason, len(gone & set(r.removed))) for r in routes]
    old, new = (_people(folder).height for folder in folders)
    return VersionLinkage(old, new, tuple(routes))


def _people(folder: UntrustedFolder) -> pl.DataFrame:
    return read_frame([folder.files[name] for name in table_files(folder, "people")], None)


def _route(name: str, ids: pl.Series, linked: NDArray[np.bool_], newer: int) -> LinkageRoute:
    """Return who is told: everybody who is not linked, where enough others are."""
    count = int(linked.sum())
    if count < ENOUGH * min(len(ids), newer):
        share = count / max(1, min(len(ids), newer))
        reason = f"only {share:.0%} of the people are found again; a missing one means nothing"
        return LinkageRoute(name, count, (), reason)
    removed = tuple(ids.filter(pl.Series(~linked)).to_list())
    return LinkageRoute(name, count, removed, None if removed else "everybody of the older version is found again")


def _by_pseudonyms(older: pl.Series, newer: pl.Series) -> LinkageRoute:
    return _route("pseudonyms", older, older.is_in(newer.implode()).to_numpy(), len(newer))


def _by_table(older: pl.DataFrame, newer: pl.DataFrame) -> LinkageRoute:
    names = [c for c in older.columns if c != "id" and c in newer.columns and not older[c].dtype.is_nested()]
    if not names:
        return LinkageRoute("table", 0, (), "the versions have no column in common")
    a, b = (_codes(table, names) for table in (older, newer))
    linked = a["row"].is_in(b["row"].implode()).to_numpy().copy()
    rest = np.flatnonzero(~linked)
    new = np.flatnonzero(~b["row"].is_in(a["row"].implode()).to_numpy())
    if 0 < len(rest) <= LEFT and 0 < len(new) <= LEFT:
        linked[rest[_changed(a[rest].select(names), b[new].select(names))]] = True
    return _route("table", older["id"], linked, newer.height)


def _codes(table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Return values as text, and a row as one text that no other row gives."""
    text = table.select(pl.col(name).cast(pl.String).fill_null("").alias(name) for name in names)
    return text.with_columns(pl.struct(names).struct.json_encode().alias("row"))


def _changed(a: pl.DataFrame, b: pl.DataFrame) -> NDArray[np.intp]:
    """Return the rows of `a` that are rows of `b` but for few columns, one of `b` for each."""
    agree = np.zeros((a.height, b.height), dtype=np.float32)
    for name in a.columns:
        agree += a[name].to_numpy()[:, None] == b[name].to_numpy()[None, :]
    rows, columns = linear_sum_assignment(-agree)
    return np.asarray(rows[agree[rows, columns] >= ALIKE * len(a.columns)], dtype=np.intp)


def _by_vectors(older: UntrustedFolder, newer: UntrustedFolder) -> Iterator[LinkageRoute]:
    for modality in sorted({*modality_files(older)} & {*modality_files(newer)}):
        tables = [
            read_frame([folder.files[name] for name in table_files(folder, modality)], None)
            for folder in (older, newer)
        ]
        kinds = [{name: kind for name, kind in table.schema.items() if isinstance(kind, pl.Array)} for table in tables]
        for name in (name for name, kind in kinds[0].items() if kinds[1].get(name) == kind):
            a, b = (table[name].to_numpy().astype(np.float32) for table in tables)
            # equal vectors are found together: which of them belongs to whom no vector tells
            one, other = equal_rows(a), equal_rows(b)
            linked = _linked(a[one.first], b[other.first])[one.label]
            yield _route(f"vectors {modality}/{name}", tables[0]["id"], linked, len(b))


def _linked(a: Vectors, b: Vectors) -> NDArray[np.bool_]:
    """Say which rows of `a` have themselves among those of `b`: as they are, or after a map that is learnt."""
    if min(len(a), len(b)) < 3:
        return np.zeros(len(a), dtype=bool)
    plain = _clear(standardised(a), standardised(b))
    if plain.sum() >= ENOUGH * min(len(a), len(b)):
        return plain
    u, v = reduced(a), reduced(b)
    rng = np.random.default_rng(0)
    starts = (_as_they_are(u, v), by_profiles(u, v))
    found = max((self_train(u, v, start, rng=rng) for start in starts), key=lambda each: each.agreed)
    moved = predict(u, v, np.arange(len(a)), found.guess, ["linear"]).all
    learnt = _clear(moved, v)
    return learnt if learnt.sum() > plain.sum() else plain


def _as_they_are(u: Vectors, v: Vectors) -> MatchedPairs:
    """Return those who are nearest to each other as they are: under one key a refitted step moves vectors little."""
    return mutual_nearest(nearest(u, v), nearest(v, u))


def _clear(a: Vectors, b: Vectors) -> NDArray[np.bool_]:
    """Say which rows of `a` and their nearest of `b` chose each other, nobody else being nearly as near."""
    forth, back = np.zeros(len(a), dtype=np.intp), np.zeros(len(b), dtype=np.intp)
    sure = np.zeros(len(a), dtype=bool)
    for rows, found in squared_distances(a, b):
        two = np.partition(found, 1, axis=1)[:, :2]
        forth[rows], sure[rows] = found.argmin(axis=1), two[:, 0] <= CLEAR**2 * two[:, 1]
    for rows, found in squared_distances(b, a):
        back[rows] = found.argmin(axis=1)
    return np.asarray(sure & (back[forth] == np.arange(len(a))))
