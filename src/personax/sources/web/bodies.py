"""Reading a body piece by piece, with a bound on what it becomes when it is unpacked."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Iterator

from personax.errors import FetchError

__all__ = ["BrokenBodyError", "read_body"]

PIECE = 2**20
"""Bytes unpacked at a time: however far a body would expand, no more than this lies above the bound."""

_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class BrokenBodyError(Exception):
    """A body that ends too early or cannot be unpacked; another try may bring a whole one."""


class _Unpacker:
    def __init__(self, encoding: str) -> None:
        self._window = _WINDOW[encoding]
        self._inner = zlib.decompressobj(self._window)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inner.eof:  # gzip allows several members, one after the other
                self._inner = zlib.decompressobj(self._window)
            try:
                yield self._inner.decompress(data, PIECE)
            except zlib.error:
                raise BrokenBodyError("its body cannot be unpacked") from None
            data = self._inner.unconsumed_tail or self._inner.unused_data

    @property
    def whole(self) -> bool:
        return self._inner.eof


async def read_body(pieces: AsyncIterable[bytes], encoding: str, most: int) -> bytes:
    """Return a whole body, unpacked.

    Parameters
    ----------
    pieces
        As they came.
    encoding
        Of Content-Encoding: empty, identity, gzip or deflate.
    most
        Bytes of the unpacked body; the rest is neither unpacked nor kept.

    Raises
    ------
    FetchError
        When it is larger, or packed in a way that nobody asked for.
    BrokenBodyError
        When it is not whole.
    """
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", *_WINDOW):
        raise FetchError("its page is packed in a way that was not asked for")
    unpacker = _Unpacker(encoding) if encoding in _WINDOW else None
    body = bytearray()
    async for piece in pieces:
        for part in unpacker.feed(piece) if unpacker else (piece,):
            body += part
            if len(body) > most:
                raise FetchError(f"its page is larger than {most} bytes; see fetch.most_bytes")
    if unpacker is not None and not unpacker.whole:
        raise BrokenBodyError("its body was cut off")
    return bytes(body)
