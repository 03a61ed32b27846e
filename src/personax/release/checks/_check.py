"""The result of a check, and the release that all checks read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from personax.errors import InputError
from personax.release._layout import is_personax_layout, modality_files, table_files
from personax.release._untrusted_folder import UntrustedFolder
from personax.release._untrusted_tables import read_frame, read_schema

__all__ = ["Check", "CheckedRelease", "Outcome", "check_result", "entries", "inspect_folder", "mapping"]

Outcome = Literal["holds", "fails", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check, with a text for the reader that says what to do where it fails."""

    name: str
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class CheckedRelease:
    """A folder and what of it could be read.

    Parameters
    ----------
    folder
        What lies there.
    format
        2 and 1 are personax's own; 0 is somebody else's.
    people
        The table of the people without vectors, or None where it cannot be read or found.
    vectors
        Modality -> the files of its vectors.
    unread
        Sentences about what could not be read.
    """

    folder: UntrustedFolder
    format: int
    people: pl.DataFrame | None
    vectors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unread: Sequence[str] = ()

    def missing(self, check: str, file: str, why: str) -> Check:
        """Report a missing file: a failure where the layout requires it, else ``cannot tell``."""
        if self.format == 2 or (self.format == 1 and file in _FIRST):
            return Check(check, "fails", f"there is no {file}, {why}")
        return Check(check, "cannot tell", f"there is no {file}, {why}; this layout asks for none")


_FIRST = {"SHA256SUMS", "README.md", "USAGE.md", "transforms.json"}
"""Files of format 1 besides the data."""


def inspect_folder(folder: UntrustedFolder) -> CheckedRelease:
    """Read the people of a release once for all checks; what cannot be read is a sentence, no error."""
    unread = []
    people = None
    for name in folder.under(""):
        try:
            read_schema(folder.files[name])
        except InputError as error:
            unread.append(str(error))
    if is_personax_layout(folder):
        files, vectors = table_files(folder, "people"), modality_files(folder)
    else:
        files, vectors = _others(folder)
    try:
        paths = [folder.files[name] for name in files]
        if paths:
            flat = [name for name, kind in read_schema(paths[0]).items() if not kind.is_nested()]
            people = read_frame(paths, flat)
    except InputError as error:
        unread.append(str(error))
    return CheckedRelease(folder, _format(folder), people, vectors, tuple(dict.fromkeys(unread)))


def _format(folder: UntrustedFolder) -> int:
    marks = {"columns.json", "protection.json", "croissant.json", "DATASHEET.md"} & set(folder.files)
    if folder.under("data/people/") or len(marks) > 1:
        return 2
    return 1 if is_personax_layout(folder) or {"transforms.json", "SHA256SUMS"} & set(folder.files) else 0


def _others(folder: UntrustedFolder) -> tuple[list[str], dict[str, list[str]]]:
    """Return the largest plain table of a foreign folder, and the files that hold vectors, each on its own."""
    plain: dict[str, int] = {}
    vectors = {}
    for name in (*folder.under(""), *folder.under("", ".csv")):
        try:
            types = read_schema(folder.files[name])
        except InputError:
            continue
        plain[name] = sum(not kind.is_nested() for kind in types.values())
        if plain[name] < len(types):
            vectors[name] = [name]
    most = max(plain, key=lambda name: plain[name], default=None)
    return ([most] if most else []), vectors


def check_result(check: str, faults: Sequence[str], held: str) -> Check:
    """Return a check that fails with all its faults, or holds."""
    return Check(check, "fails", "; ".join(faults)) if faults else Check(check, "holds", held)


def mapping(value: object) -> dict[str, object]:
    """Return a JSON object, or an empty one where the value is something else."""
    return {str(key): its for key, its in value.items()} if isinstance(value, dict) else {}


def entries(value: object) -> list[object]:
    """Return a JSON list; a lone value is a list of one, nothing is an empty one."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]
