"""What lies beside the key and stays there: fitted parts of transforms, and categories by index."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
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
        """Files of column -> categories by index, one a mapping."""
        return self.root / "categories"

    @property
    def one_for_all(self) -> Path:
        """The file of categories of releases that name none."""
        return self.root / "categories.json"

    def keep_categories(self, mapping: Mapping[str, Sequence[str]], tag: Callable[[bytes], str]) -> str | None:
        """Write what shuffled indices stand for and return its name, which may be public; None where there are none.

        The name is a keyed hash of the content (`Key.tag`), so that the file of another release is never written over,
        whether this one is finished or not.
        """
        if not mapping:
            return None
        content = json.dumps(mapping, indent=1, ensure_ascii=False).encode()
        name = tag(content)
        write_secret(self.categories / f"{name}.json", content)
        return name

    def read_categories(self, name: str | None = None) -> dict[str, list[str]]:
        """Return what shuffled indices stand for; ``name`` is what the release says, None of an earlier personax.

        Raises
        ------
        InputError
            The name is none, or the file is missing or cannot be read.
        """
        if name is not None and (len(name) != 16 or set(name) - set("0123456789abcdef")):
            raise InputError("the release names its categories by something that is no name; it has been altered")
        path = self.one_for_all if name is None else self.categories / f"{name}.json"
        if name is None and not path.is_file():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {str(column): [str(value) for value in values] for column, values in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            text = f"{path} cannot be read; put the file back that was written with the release"
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
