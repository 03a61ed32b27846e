"""Files: their hash, safe names, and writing them so that nobody ever sees half of one."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from personax.errors import InputError

__all__ = [
    "cached_sha256",
    "distinct_names",
    "safe_name",
    "sha256",
    "sync_files",
    "sync_folder",
    "write_text",
    "written_aside",
]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's file names and their hashes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a"
    ...     _ = file.write_text("")
    ...     sha256(file)[:12]
    'e3b0c44298fc'
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listed = "".join(f"{file.relative_to(path).as_posix()} {cached_sha256(file)}\n" for file in files)
        return hashlib.sha256(listed.encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


_known: dict[tuple[int, int], tuple[tuple[int, ...], str]] = {}
"""Device and inode -> size and times of a file, and its hash then."""

_SETTLED_NS: Final = 2_000_000_000
"""A file that changed so lately may change again within one tick of the disk's clock; its hash is not kept."""


def cached_sha256(path: Path) -> str:
    """Return the SHA-256 of a file or folder; of a file whose size and times are those of an earlier call, that one's.

    The time of the last change of the inode is among them, which no program can set back.
    """
    if path.is_dir():
        return sha256(path)
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        key, mark = (before.st_dev, before.st_ino), _mark(before)
        known = _known.get(key)
        if known is not None and known[0] == mark:
            return known[1]
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        settled = time.time_ns() - max(before.st_mtime_ns, before.st_ctime_ns) > _SETTLED_NS
        if settled and _mark(os.fstat(stream.fileno())) == mark:
            _known[key] = mark, digest
        return digest


def _mark(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


_RESERVED: Final = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
"""Names of devices on Windows, with any ending."""

_SEPARATORS: Final = frozenset("/\\")
_MAX_NAME: Final = 255
"""Bytes of a file name on most disks."""


def safe_name(text: str, what: str = "a name") -> str:
    """Return a name that can be that of a file or folder on any disk, in Unicode's composed form (NFC).

    Parameters
    ----------
    text, what
        The name, and what it is of; the sentence says so.

    Raises
    ------
    InputError
        It is empty, ``.`` or ``..``, has a separator or control character, ends in a dot or a space, is that of a
        device, or has more than 255 bytes.

    Examples
    --------
    >>> safe_name("clip-large")
    'clip-large'
    >>> safe_name("../escaped", "a measurement")
    Traceback (most recent call last):
        ...
    personax.errors.InputError: '../escaped' cannot be a measurement: it has a slash or backslash; choose another name
    """
    name = unicodedata.normalize("NFC", text)
    fault = _name_fault(name)
    if fault:
        shown = name if len(name) <= 60 else f"{name[:60]} ..."
        raise InputError(f"{shown!r} cannot be {what}: {fault}; choose another name")
    return name


def _name_fault(name: str) -> str:
    if not name or name in (".", ".."):
        return "it is no name of a file"
    if _SEPARATORS.intersection(name):
        return "it has a slash or backslash"
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return "it has a control character"
    if name != name.strip() or name.endswith("."):
        return "it begins or ends with a space or ends with a dot"
    if name.split(".")[0].lower() in _RESERVED:
        return "it is the name of a device on Windows"
    if len(name.encode()) > _MAX_NAME:
        return f"it has more than {_MAX_NAME} bytes"
    return ""


def distinct_names(names: Collection[str], what: str) -> None:
    """Refuse names that would be one file on a disk that does not tell capitals apart.

    Raises
    ------
    InputError
        Two of them are.
    """
    seen: dict[str, str] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if folded in seen and seen[folded] != name:
            raise InputError(f"{what} {seen[folded]!r} and {name!r} would be one file on some disks; rename one")
        seen[folded] = name


def write_text(path: Path, text: str) -> None:
    """Write a file aside and rename it into place."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


@contextmanager
def written_aside(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a place beside a file to write to; it takes the file's place at the end, unless an error comes before.

    Parameters
    ----------
    path
        The file.
    durable
        Return when the file would be there after a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.{os.getpid()}.tmp")
    try:
        yield aside
        if durable:
            sync_files([aside])
        aside.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


_MANY: Final = 128
"""From so many files on, one flush of all disks takes less time than one a file."""


def sync_files(paths: Collection[Path]) -> None:
    """Return when the content of files is on disk."""
    if len(paths) > _MANY and hasattr(os, "sync"):
        os.sync()
        return
    for path in paths:
        _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Return when the names in a folder are on disk."""
    if stat.S_ISDIR(path.stat().st_mode):
        _sync(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):  # a disk that has no such thing
            raise
    finally:
        with suppress(OSError):
            os.close(handle)
