"""Who may read a study folder: its owner alone, or the group that the folder was made for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from personax.files import is_shared

__all__ = ["GROUP", "HANDED_ON", "PRIVATE", "Modes", "modes_of", "using_umask"]

HANDED_ON: Final = frozenset({"release", "report", "statistics"})
"""Folders that are made for others; their modes follow the umask of whoever runs personax."""


@dataclass(frozen=True)
class Modes:
    """Modes of what personax writes: folders, files, read-only outputs; and the umask that makes others' files so."""

    folder: int
    file: int
    output: int
    umask: int

    def of_output(self, name: str, umask: int) -> int:
        """Return the mode of an output."""
        return self.output | (0o044 & ~umask) if name.split("/")[0] in HANDED_ON else self.output

    def of_folder(self, name: str, umask: int) -> int:
        """Return the mode of the folder of an output."""
        return self.folder | (0o055 & ~umask) if name.split("/")[0] in HANDED_ON else self.folder


PRIVATE: Final = Modes(0o700, 0o600, 0o400, 0o077)
GROUP: Final = Modes(0o2770, 0o660, 0o440, 0o007)


def modes_of(root: Path) -> Modes:
    """Return who may read: the group where the folder, or what it is made in, is set-group-ID and the group may write.

    ``chgrp TEAM FOLDER; chmod g+ws FOLDER`` makes it so.
    """
    there = next((one for one in (root, *root.absolute().parents) if one.is_dir()), None)
    return GROUP if there is not None and is_shared(there) else PRIVATE


@contextmanager
def using_umask(mask: int) -> Iterator[int]:
    """Make what this process writes meanwhile have these modes, journals and caches too; yield the umask before."""
    before = os.umask(mask)
    try:
        yield before
    finally:
        os.umask(before)
