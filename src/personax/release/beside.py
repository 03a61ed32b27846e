"""What lies beside the key and stays there: fitted parts of transforms, and categories by index."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from personax.errors import InputError

__all__ = ["KeyFolder", "write_secret"]


@dataclass(frozen=True)
class KeyFolder:
    """The folder of a study's key; nothing in it ever leaves.

    Parameters
    ----------
    root
        Where ``release.key`` is.
    """

    root: Path

    @property
    def key(self) -> Path:
        """The key file."""
        return self.root / "release.key"

    @property
    def fitted(self) -> Path:
        """What transforms have taken from the data."""
        return self.root / "fitted"

    @property
    def categories(self) -> Path:
        """Column -> categories by index."""
        return self.root / "categories.json"

    def keep_categories(self, mapping: Mapping[str, Sequence[str]]) -> None:
        """Write what shuffled indices stand for; nothing where there are none."""
        if mapping:
            write_secret(self.categories, json.dumps(mapping, indent=1, ensure_ascii=False).encode())

    def read_categories(self) -> dict[str, list[str]]:
        """Return what shuffled indices stand for; empty where none were kept.

        Raises
        ------
        InputError
            The file cannot be read.
        """
        if not self.categories.is_file():
            return {}
        try:
            found = json.loads(self.categories.read_text(encoding="utf-8"))
            return {str(name): [str(value) for value in values] for name, values in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            text = f"{self.categories} cannot be read; put the file back that was written with the release"
            raise InputError(text) from None


def write_secret(path: Path, content: bytes, *, only_new: bool = False) -> None:
    """Write a file that only its owner can read, whole or not at all, on the disk when this returns.

    With ``only_new`` a file that another process has written in the meantime stays, and this content is lost.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if only_new:
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        else:
            aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
