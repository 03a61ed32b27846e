"""Many secrets from one: HKDF with SHA-256, by the standard library alone."""

from __future__ import annotations

import hashlib
import hmac

from personax.errors import InputError

__all__ = ["expand", "extract", "hkdf"]

SIZE = 32
"""Bytes of a SHA-256."""


def hkdf(secret: bytes, info: bytes, *, salt: bytes = b"", length: int = SIZE) -> bytes:
    """Derive bytes from a secret; another `info` gives bytes that tell nothing of these.

    Parameters
    ----------
    secret
        Input keying material.
    info
        What the bytes are for.
    salt
        Not secret; empty stands for 32 zeros.
    length
        At most 8,160.

    Raises
    ------
    InputError
        More bytes are asked for than HKDF can give.

    References
    ----------
    Krawczyk, Eronen 2010, RFC 5869.

    Examples
    --------
    >>> hkdf(bytes(32), b"a", length=4) == hkdf(bytes(32), b"b", length=4)
    False
    """
    return expand(extract(secret, salt), info, length)


def extract(secret: bytes, salt: bytes = b"") -> bytes:
    """Return the pseudorandom key of RFC 5869, section 2.2."""
    return hmac.new(salt or bytes(SIZE), secret, hashlib.sha256).digest()


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """Return the output keying material of RFC 5869, section 2.3."""
    if not 0 < length <= 255 * SIZE:
        raise InputError(f"HKDF gives 1 to {255 * SIZE} bytes, not {length}; derive a seed and stretch that")
    block = made = b""
    for count in range(1, -(-length // SIZE) + 1):
        block = hmac.new(key, block + info + bytes([count]), hashlib.sha256).digest()
        made += block
    return made[:length]
