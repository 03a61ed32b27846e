"""The secret of a release: 32 bytes that stay in the study folder, and what is derived from them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personax.errors import InputError

__all__ = ["Key", "load_or_make_key"]

VERSION = 1


@dataclass(frozen=True, slots=True)
class Key:
    """A secret; its bytes are never shown."""

    secret: bytes

    def __repr__(self) -> str:
        return "Key(...)"

    def rng(self, context: str) -> np.random.Generator:
        """Return a stream of random numbers that only this key and this context give.

        Examples
        --------
        >>> bool(Key(bytes(32)).rng("a").integers(9) == Key(bytes(32)).rng("a").integers(9))
        True
        """
        digest = hmac.new(self.secret, f"personax {VERSION} {context}".encode(), hashlib.sha256).digest()
        return np.random.Generator(np.random.Philox(key=np.frombuffer(digest[:16], dtype=np.uint64)))

    def pseudonym(self, identifier: str) -> str:
        """Return the name under which a person leaves; without the key it cannot be computed."""
        return hmac.new(self.secret, f"id {identifier}".encode(), hashlib.sha256).hexdigest()[:16]


def load_or_make_key(path: Path) -> Key:
    """Read the key of a study, or draw one from the operating system and keep it, readable by its owner only.

    Raises
    ------
    InputError
        When the file is no key of this version.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"personax_key": VERSION, "secret": secrets.token_hex(32)})
        aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)
        aside.replace(path)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["personax_key"] != VERSION:
            raise InputError(f"{path} is a key of version {raw['personax_key']}; this personax reads {VERSION}")
        secret = bytes.fromhex(raw["secret"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is not a release key; put the study's own key back, or move this file away") from None
    if len(secret) != 32:
        raise InputError(f"{path} holds a secret of {len(secret)} bytes, not 32; put the study's own key back")
    return Key(secret)
