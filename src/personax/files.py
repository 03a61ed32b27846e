"""Files: their hash, and writing them so that nobody ever sees half of one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["sha256", "write_text", "written_aside"]


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
