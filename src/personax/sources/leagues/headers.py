"""Headers that a study names: their values may be secrets, so that none is ever written.

``${NAME}`` in a value stands for an environment variable of that name, and is put in when a request is sent. A manifest
holds a fingerprint in the place of each value: enough to see that one was changed, too short to find one by guessing.
What an environment variable holds is no part of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import PlainSerializer

from personax.errors import SourceError

__all__ = ["Headers", "filled", "from_environment", "is_secret"]

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PRIVATE: Final = re.compile(r"auth|cookie|key|token|secret|session|password|credential", re.IGNORECASE)
_DIGITS: Final = 4
"""Of a fingerprint: one of 65,536 changes goes unseen, and one of as many guesses seems right."""


def _fingerprints(headers: Mapping[str, str]) -> dict[str, str]:
    digests = {name: hashlib.sha256(f"{name.lower()}: {value}".encode()) for name, value in headers.items()}
    return {name: f"fingerprint {digest.hexdigest()[:_DIGITS]}" for name, digest in digests.items()}


Headers = Annotated[dict[str, str], PlainSerializer(_fingerprints, when_used="json")]
"""Name -> value, as a study file has them."""


def is_secret(name: str, value: str) -> bool:
    """Say whether a header is kept from other hosts, from the key of the cache, and from every message.

    Examples
    --------
    >>> is_secret("Cookie", "a=b"), is_secret("X-Mine", "${MINE}"), is_secret("Accept-Language", "de")
    (True, True, False)
    """
    return bool(_PRIVATE.search(name) or _VARIABLE.search(value))


def filled(source: str, value: str) -> str:
    """Return a value with the environment's in its places.

    Raises
    ------
    SourceError
        A variable is not set, or holds what no header can; without saying what.
    """
    return _VARIABLE.sub(lambda found: from_environment(source, found[1]), value)


def from_environment(source: str, variable: str) -> str:
    """Return what a variable holds, without the blanks around it.

    Raises
    ------
    SourceError
        As in `filled`.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        text = f"{source}: the environment variable {variable} is not set; export it with what the site wants"
        raise SourceError(text)
    if not re.fullmatch(r"[!-~]+( [!-~]+)*", value):
        raise SourceError(f"{source}: what the environment variable {variable} holds cannot be sent: control signs")
    return value
