"""An untrusted folder: listed without following links, read within bounds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from personax.errors import InputError

__all__ = ["MAX_BYTES", "UntrustedFolder", "open_folder", "single_file"]

MAX_BYTES = 16 * 2**30
"""Of one file."""
MAX_TEXT = 32 * 2**20
"""Of a JSON file or a text."""
MAX_FILES, MAX_DEPTH = 10_000, 8

PASSED_OVER = {".git", ".gitattributes", ".cache"}
"""At the top of a folder: what git and a hub's client add by themselves."""


@dataclass(frozen=True)
class UntrustedFolder:
    """What lies in a folder.

    Parameters
    ----------
    root
        The folder.
    files
        Path in the folder, with slashes -> the file; regular files only.
    odd
        One phrase for everything that is not looked into: links, devices, names with control characters.
    passed_over
        What git or a hub's client has put there.
    """

    root: Path
    files: Mapping[str, Path]
    odd: Sequence[str] = ()
    passed_over: Sequence[str] = ()

    def text(self, name: str) -> str:
        """Return a text file; InputError where it is missing or no text."""
        path = self._file(name)
        if path.stat().st_size > MAX_TEXT:
            raise InputError(f"{name} has more than {MAX_TEXT:,} bytes; a text of a release is shorter")
        try:
            return path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            raise InputError(f"{name} is no text in UTF-8; get the file again") from None

    def json(self, name: str) -> object:
        """Return the content of a JSON file; InputError where it is missing or no JSON."""
        try:
            return json.loads(self.text(name))
        except (ValueError, RecursionError):
            raise InputError(f"{name} is not JSON; get the file again") from None

    def _file(self, name: str) -> Path:
        if name not in self.files:
            raise InputError(f"{self.root} has no {name}; get the release again")
        return self.files[name]

    def under(self, start: str, ending: str = ".parquet") -> list[str]:
        """Return the files whose path starts and ends so, in order."""
        return sorted(name for name in self.files if name.startswith(start) and name.endswith(ending))


def open_folder(root: Path, *, store: Path | None = None) -> UntrustedFolder:
    """List a folder.

    Parameters
    ----------
    root
        The folder.
    store
        Where links may point to: a hub's cache keeps files apart and links to them.

    Raises
    ------
    InputError
        There is no such folder, or it holds more files than a release has.
    """
    if not root.is_dir():
        raise InputError(f"there is no folder {root}; check the path")
    files: dict[str, Path] = {}
    odd: list[str] = []
    passed = sorted(name for name in os.listdir(root) if name in PASSED_OVER)  # noqa: PTH208 - names, not paths
    for name, path in _walk(root, "", passed, odd, store):
        files[name] = path
        if len(files) > MAX_FILES:
            raise InputError(f"{root} holds more than {MAX_FILES:,} files; it is no release folder")
    return UntrustedFolder(root, dict(sorted(files.items())), tuple(odd), tuple(passed))


def single_file(path: Path) -> UntrustedFolder:
    """Return a file as a folder that holds nothing else.

    Raises
    ------
    InputError
        It is larger than a file of a release is.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path.name} has more than {MAX_BYTES:,} bytes; it is not read")
    return UntrustedFolder(path.parent, {path.name: path})


def _walk(
    folder: Path, start: str, passed: Sequence[str], odd: list[str], store: Path | None
) -> Iterator[tuple[str, Path]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        odd.append(f"{start or folder.name} cannot be listed")
        return
    for entry in entries:
        name, path = f"{start}{entry.name}", Path(entry.path)
        if not start and entry.name in passed:
            continue
        if not entry.name.isprintable() or "\\" in entry.name:
            odd.append(f"{name!a} is no name for a file")
        elif entry.is_symlink() and not (store and path.is_file() and path.resolve().is_relative_to(store.resolve())):
            odd.append(f"{name} is a link")
        elif entry.is_dir():
            if name.count("/") >= MAX_DEPTH:
                odd.append(f"{name} lies deeper than a release is")
            else:
                yield from _walk(path, f"{name}/", passed, odd, store)
        elif not entry.is_file():
            odd.append(f"{name} is neither a file nor a folder")
        elif path.stat().st_size > MAX_BYTES:
            odd.append(f"{name} has more than {MAX_BYTES:,} bytes")
        else:
            yield name, path
