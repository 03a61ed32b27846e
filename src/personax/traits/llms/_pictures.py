"""Pictures as part of what a model is shown: by the hash of their bytes in keys, as bytes in requests."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final, Self

from personax.errors import InputError
from personax.files import sha256

__all__ = ["PICTURE_TOKENS", "Picture"]

MAX_BYTES: Final = 5 * 10**6
"""Of a picture; Anthropic takes no larger ones."""

PICTURE_TOKENS: Final = 1600
"""Tokens that a picture is counted as; providers count 85 to 1,600, by its size."""

KINDS: Final = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


class Picture(str):
    """A picture of a person: as text the hash of its bytes, so that a request's key is made of what is seen."""

    path: Path

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the picture in a file.

        Raises
        ------
        InputError
            When the file is too large, or no PNG, JPEG, GIF or WebP.
        """
        with path.open("rb") as stream:
            head = stream.read(4)
        if not any(head.startswith(start) for start in KINDS):
            raise InputError(f"{path} is no PNG, JPEG, GIF or WebP; take it away, or convert it")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} has more than {MAX_BYTES:,} bytes; make it smaller")
        picture = cls(f"sha256 {sha256(path)}")
        picture.path = path
        return picture

    def part(self) -> dict[str, Any]:
        """Return it as a part of a message, as chat completions take it; other interfaces turn it into theirs."""
        data = self.path.read_bytes()
        kind = next(kind for start, kind in KINDS.items() if data.startswith(start))
        url = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
        return {"type": "image_url", "image_url": {"url": url}}
