"""Names that can be those of files and folders, on any disk."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from personax.errors import InputError

__all__ = ["distinct_names", "safe_name"]

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


def distinct_names(names: Iterable[str], what: str) -> None:
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
