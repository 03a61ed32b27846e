"""Files: their hash, and writing them so that nobody ever sees half of one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["parse_json", "sha256", "write_text", "written_aside"]


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return what JSON of somebody else says; every way in which it cannot be read is a ValueError.

    Nesting that Python cannot follow, integers of thousands of digits, bytes that are no text, and ``NaN``, which JSON
    does not have, are among them.

    Examples
    --------
    >>> parse_json('{"a": [1]}')
    {'a': [1]}
    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
        ...
    ValueError: not readable as JSON
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError, MemoryError):
        raise ValueError("not readable as JSON") from None


def _no_constant(word: str) -> float:
    raise ValueError(word)


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
        listed = "".join(f"{file.relative_to(path).as_posix()} {sha256(file)}\n" for file in files)
        return hashlib.sha256(listed.encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a file aside and rename it into place."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a place beside a file to write to; it takes the file's place at the end, unless an error comes before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
