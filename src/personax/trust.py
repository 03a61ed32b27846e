"""Trust on first use: what a study file needs beyond its folder is asked once, and the answer is the user's own.

A study file may come from anybody. One that keeps to its folder asks nothing; one that needs hosts, environment
variables, files elsewhere or packages of others is listed (`personax.config.permissions`), and the SHA-256 of that list
is kept in the user's state folder, which no sender of a study can write. Another list is another question. A study
"comes from elsewhere" when this user has not seen its list yet; who wrote the file is not guessed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from personax.config import Permissions
from personax.errors import TrustError
from personax.files import write_text

__all__ = ["FOLDERS", "TRUSTED", "check_trust", "record_trust", "state_folder"]

TRUSTED: Final = "PERSONAX_TRUST"
"""Environment variable with digests that are trusted in this process; what `personax trust` prints, for a batch job."""

FOLDERS: Final = "PERSONAX_TRUSTED_FOLDERS"
"""Environment variable with folders, separated as in PATH, whose study files are the user's own."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def state_folder() -> Path:
    """Return where this user's answers are kept: ``personax/trust`` in XDG_STATE_HOME, else in ``~/.local/state``."""
    given = os.environ.get("XDG_STATE_HOME", "")
    root = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state"
    return root / "personax" / "trust"


def record_trust(needed: Permissions, *, variables: Collection[str] = ()) -> Path | None:
    """Write down that this user allows a list.

    Parameters
    ----------
    needed
        What was read and allowed.
    variables
        Environment variables that are allowed although their names are not those of keys for language models.

    Returns
    -------
    The file of the answer; None where nothing needs one.

    Raises
    ------
    TrustError
        For a variable of another name that is not among ``variables``, or a state folder that cannot be written.
    """
    if not needed.lines():
        return None
    unnamed = sorted(set(needed.unusual_variables) - set(variables))
    if unnamed:
        raise TrustError(
            f"the study reads the variable {unnamed[0]}, whose name is not that of a key for language models; if its "
            f"value may leave this machine, say so: personax trust STUDY --variable {unnamed[0]}"
        )
    path = state_folder() / needed.digest
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        write_text(path, json.dumps({"lines": needed.lines()}, indent=1, ensure_ascii=True))
    except OSError as error:
        raise TrustError(
            f"{path.parent} cannot be written ({error.strerror}); set XDG_STATE_HOME to a folder of yours, or {TRUSTED}"
        ) from None
    return path


def check_trust(needed: Permissions, study: Path) -> None:
    """Refuse a study that needs what this user has not allowed.

    Parameters
    ----------
    needed
        What it needs.
    study
        Its file, or its folder; for messages, and for the folders of one's own.

    Raises
    ------
    TrustError
        How many lines there are to read, and by which command.
    """
    lines = needed.lines()
    if not lines or needed.digest in _DIGEST.findall(os.environ.get(TRUSTED, "")):
        return
    if (state_folder() / needed.digest).is_file():
        return
    if not needed.unusual_variables and _is_own(study):
        return
    count = f"{len(lines)} things" if len(lines) > 1 else "1 thing"
    raise TrustError(
        f"{study} needs {count} beyond its folder (hosts, variables, files) that you have not allowed yet; "
        f"personax trust {study} lists them and asks; in Python, read Study.permissions and call Study.trust()"
    )


def _is_own(study: Path) -> bool:
    place = study.resolve()
    given = os.environ.get(FOLDERS, "").split(os.pathsep)
    return any(place.is_relative_to(Path(one).resolve()) for one in given if Path(one).is_absolute())
