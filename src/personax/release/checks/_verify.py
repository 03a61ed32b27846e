"""Verification of an untrusted release: every check with its result, and never a traceback."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from personax.errors import InputError
from personax.release._layout import is_personax_layout
from personax.release._untrusted_folder import UntrustedFolder, open_folder
from personax.release.checks import CHECKS, Check, inspect_folder
from personax.release.checks._checksums import shape
from personax.release.statistics._read import FILE, read_statistics

__all__ = ["Verification", "verify", "verify_folder"]


@dataclass(frozen=True)
class Verification:
    """The results of all checks.

    Parameters
    ----------
    folder
        The release.
    checks
        In the order in which they were made.
    """

    folder: Path
    checks: Sequence[Check]

    @property
    def failed(self) -> list[Check]:
        """The checks that fail."""
        return [check for check in self.checks if check.outcome == "fails"]

    @property
    def holds(self) -> bool:
        """Whether no check fails; some may still be undecided."""
        return not self.failed

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"holds": self.holds, "checks": [asdict(check) for check in self.checks]}

    def __str__(self) -> str:
        return "\n".join(f"{check.outcome:<11}  {check.name}: {check.text}" for check in self.checks)


def verify(folder: str | os.PathLike[str]) -> Verification:
    """Run all checks of a release folder, whichever fail.

    Parameters
    ----------
    folder
        Of a release; nothing in it is trusted, followed or executed.

    Returns
    -------
    Verification
        One outcome a check: ``holds``, ``fails``, or ``cannot tell`` where this layout or this machine cannot say.

    Notes
    -----
    That nothing fails does not make a release safe: whether a key has transformed the vectors, whether names stand in a
    cell and whether attacks were run as told cannot be seen from outside.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as empty:
    ...     [check.name for check in verify(empty).failed]
    ['tables']
    """
    path = Path(folder)
    try:
        found = open_folder(path)
    except InputError as error:
        return Verification(path, [Check("folder", "fails", str(error))])
    return verify_folder(found)


def verify_folder(folder: UntrustedFolder) -> Verification:
    """Check a folder that was already listed, such as a snapshot in a hub's cache."""
    if FILE in folder.files and not is_personax_layout(folder):
        return Verification(folder.root, _of_statistics(folder))
    release = inspect_folder(folder)
    return Verification(folder.root, [check for group in CHECKS for check in group(release)])


def _of_statistics(folder: UntrustedFolder) -> list[Check]:
    """Check a folder of noisy statistics: its files, and that it holds tables and nothing else."""
    extra = sorted(set(folder.files) - {FILE, "README.md", "SHA256SUMS"})
    faults = [f"{name} belongs to no folder of noisy statistics" for name in extra]
    try:
        sentence = read_statistics(folder.json(FILE)).sentence
    except InputError as error:
        faults, sentence = [*faults, str(error)], ""
    outcome = Check("statistics", "fails", "; ".join(faults)) if faults else Check("statistics", "holds", sentence)
    return [*shape(inspect_folder(folder)), outcome]
