"""SHA256SUMS: the hash of every file of a folder, written last and checked first."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from personax.errors import InputError
from personax.files import sha256, write_text

__all__ = ["SUMS", "Checked", "check_checksums", "write_checksums"]

SUMS: Final = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_MAX_BYTES: Final = 64 * 1024 * 1024
"""Bytes of a list of checksums that is read."""

_HUB: Final = {".cache", ".git", ".gitattributes"}
"""What hubs add to a folder that they store or fetch; nothing of it is read."""


@dataclass(frozen=True)
class Checked:
    """Names of files that are missing, have changed, or are in no list."""

    missing: Sequence[str]
    changed: Sequence[str]
    extra: Sequence[str]

    @property
    def ok(self) -> bool:
        """All is as it was written."""
        return not (self.missing or self.changed or self.extra)

    @property
    def sentences(self) -> list[str]:
        """One sentence a kind of trouble."""
        found = {"missing": self.missing, "changed": self.changed, "in no list": self.extra}
        return [
            f"{len(names)} {'file is' if len(names) == 1 else 'files are'} {how}: {', '.join(names)}."
            for how, names in found.items()
            if names
        ]


def write_checksums(folder: Path) -> Path:
    """Write SHA256SUMS of every other file, in the order of their names.

    Raises
    ------
    InputError
        A link, or a name that the list cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     _ = (Path(name) / "a").write_text("")
    ...     _ = write_checksums(Path(name))
    ...     check_checksums(Path(name)).ok
    True
    """
    names = _files(folder)
    for name in names:
        if not name.isprintable() or "\\" in name:
            raise InputError(f"the file name {name!r} in {folder} has characters that {SUMS} cannot hold; rename it")
    text = "".join(f"{sha256(folder / name)}  {name}\n" for name in names)
    write_text(folder / SUMS, text)
    return folder / SUMS


def check_checksums(folder: Path) -> Checked:
    """Compare a folder with its SHA256SUMS; nothing in it is trusted, and nothing outside it is read.

    Raises
    ------
    InputError
        No list, a line that is none, a name that leads out of the folder, a link in the folder.
    """
    listed = _listed(folder)
    here = set(_files(folder))
    return Checked(
        missing=sorted(listed.keys() - here),
        changed=sorted(name for name in listed.keys() & here if sha256(folder / name) != listed[name]),
        extra=sorted(here - listed.keys()),
    )


def _listed(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} is missing, so nothing can be checked; get the release again")
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path} is larger than any list of checksums; get the release again")
    listed: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text; get the release again") from None
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None or found[2] in listed:
            raise InputError(f"{path}, line {number}, is no new checksum; get the release again")
        _refuse_ways_out(path, number, found[2])
        listed[found[2]] = found[1]
    return listed


def _refuse_ways_out(path: Path, number: int, name: str) -> None:
    pure = PurePosixPath(name)
    plain = pure.as_posix() == name and not pure.is_absolute() and ".." not in pure.parts and name != "."
    if not plain or not name.isprintable() or "\\" in name or ":" in name:
        raise InputError(f"{path}, line {number}, names a file that would lie outside the release; do not use it")


def _files(folder: Path) -> list[str]:
    """Return all files below a folder but the list itself; a link or a device is refused, not followed."""
    names = []
    for home, folders, files in os.walk(folder):
        top = Path(home) == folder
        if top:
            folders[:] = [name for name in folders if name not in _HUB]
        for name in [*folders, *files]:
            path = Path(home) / name
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise InputError(f"{path} is a link or no plain file; a release holds plain files only")
        names += [
            (Path(home) / name).relative_to(folder).as_posix()
            for name in files
            if not (top and (name == SUMS or name in _HUB))
        ]
    return sorted(names)
