"""Outputs under their hashes: written once, read-only, verified before anybody reads them."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Final

from personax.errors import StudyError
from personax.files import cached_sha256, sync_files, sync_folder

__all__ = ["Objects", "holds", "is_within", "place", "remove"]

_NO_LINKS: Final = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV, errno.ENOSYS}
"""What link() fails with where a disk has no hard links, a file has too many, or it is another's."""


def is_within(root: Path, path: Path) -> bool:
    """Say whether a path leads into a folder without following a link below it."""
    below = path.relative_to(root).parts
    return not any(root.joinpath(*below[: depth + 1]).is_symlink() for depth in range(len(below)))


def holds(root: Path, path: Path, digest: str) -> bool:
    """Say whether a path inside a folder is a plain file of this content."""
    try:
        return is_within(root, path) and stat.S_ISREG(path.lstat().st_mode) and cached_sha256(path) == digest
    except (FileNotFoundError, NotADirectoryError):
        return False


class Objects:
    """The folder ``objects`` of a study.

    Parameters
    ----------
    root
        The study folder.
    """

    def __init__(self, root: Path) -> None:
        self._root, self.folder = root, root / "objects"

    def path(self, digest: str) -> Path:
        """Return where an output is, or would be."""
        return self.folder / digest[:2] / digest

    def put(self, file: Path, digest: str, mode: int) -> None:
        """Move a file to its place under its hash; what lies there damaged is replaced."""
        target = self.path(digest)
        if not is_within(self._root, target):
            raise StudyError(f"{target.parent} is a link; a study keeps its outputs in its own folder: remove the link")
        if holds(self._root, target, digest):
            _widen(target, mode)
            file.unlink()
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        file.chmod(mode)
        file.replace(target)

    def sync(self, digests: Collection[str]) -> None:
        """Return when these outputs are on disk, and would be there after a power cut."""
        sync_files([self.path(digest) for digest in digests])
        for folder in sorted({self.path(digest).parent for digest in digests}):
            sync_folder(folder)
        sync_folder(self.folder)

    def stored(self) -> dict[str, Path]:
        """Return hash -> file of all that is there, whoever refers to it."""
        if not self.folder.is_dir() or self.folder.is_symlink():
            return {}
        return {file.name: file for file in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*"))}

    def collect(self, used: Collection[str]) -> list[Path]:
        """Remove what nobody refers to, and return it."""
        unused = [file for digest, file in self.stored().items() if digest not in used]
        for file in unused:
            file.unlink()
        for folder in {file.parent for file in unused}:
            if not any(folder.iterdir()):
                folder.rmdir()
        return unused


def _widen(file: Path, mode: int) -> None:
    """Give an output that is there more readers, where it is also handed on."""
    found = file.stat()
    wide = stat.S_IMODE(found.st_mode) | mode
    if wide != stat.S_IMODE(found.st_mode) and found.st_uid == os.geteuid():
        file.chmod(wide)


def place(root: Path, source: Path, target: Path, aside: Path) -> None:
    """Make an output appear under its readable name: a link where the disk has them, or else a copy.

    Parameters
    ----------
    root
        The study folder; nothing is written through a link below it.
    source, target
        The output, and its readable name.
    aside
        A name on the same disk that nobody else uses.

    Raises
    ------
    StudyError
        A folder or a link stands in the way.
    """
    if not is_within(root, target.parent):
        raise StudyError(f"{target.parent} is a link; a study keeps its outputs in its own folder: remove the link")
    if target.is_dir() and not target.is_symlink():
        raise StudyError(f"{target} is a folder, and the study writes a file of this name; move it away")
    if target.exists() and not target.is_symlink() and target.samefile(source):
        return
    aside.unlink(missing_ok=True)
    try:
        os.link(source, aside)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy(source, aside)
    aside.replace(target)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, sharing its blocks where the disk can."""
    with source.open("rb") as reading, target.open("wb") as writing:
        try:
            while hasattr(os, "copy_file_range") and os.copy_file_range(reading.fileno(), writing.fileno(), 1 << 30):
                pass
        except OSError:
            reading.seek(0)
            writing.seek(0)
        shutil.copyfileobj(reading, writing, 1 << 20)
        writing.truncate()
    target.chmod(stat.S_IMODE(source.stat().st_mode))


def remove(path: Path, *, quiet: bool = False) -> None:
    """Remove a file, a link or a folder with all that is in it; links are not followed."""
    try:
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)
    except OSError:
        if not quiet:
            raise
