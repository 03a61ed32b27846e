"""Bytes of anybody -> a decoded picture, or the reason why not: every check that is cheap comes before the decoding."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping

from PIL import Image, ImageFile, UnidentifiedImageError

from personax.errors import InputError

__all__ = ["LARGEST", "MOST_PIXELS", "SMALLEST_SIDE", "open_picture", "picture_format"]

LARGEST = 20 * 2**20
"""No picture has more bytes."""

MOST_PIXELS = 50_000_000
"""No picture has more pixels; told by its header, before any is decoded."""

SMALLEST_SIDE = 16
"""A side of fewer pixels shows nobody; 1 x 1 pictures count visitors."""

_MAGIC: Mapping[str, tuple[bytes, int, bytes]] = {
    "JPEG": (b"\xff\xd8\xff", 0, b""),
    "PNG": (b"\x89PNG\r\n\x1a\n", 12, b"IHDR"),
    "WEBP": (b"RIFF", 8, b"WEBP"),
}
"""Format -> its first bytes, and other bytes at a place; nothing else is opened, whatever its name says."""

_DAMAGED = (
    UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, KeyError, IndexError,
    TypeError, AttributeError, OverflowError, ZeroDivisionError, RuntimeError, MemoryError,
)  # fmt: skip
"""What Pillow's readers raise on damaged bytes."""


def picture_format(data: bytes) -> str:
    """Return JPEG, PNG or WEBP by the first bytes.

    Raises
    ------
    InputError
        When it is none of them.

    Examples
    --------
    >>> picture_format(b"GIF89a")
    Traceback (most recent call last):
        ...
    personax.errors.InputError: no JPEG, PNG or WebP picture by its first bytes; convert it to one
    """
    for name, (start, at, more) in _MAGIC.items():
        if data.startswith(start) and data[at : at + len(more)] == more:
            return name
    raise InputError("no JPEG, PNG or WebP picture by its first bytes; convert it to one")


def open_picture(data: bytes) -> Image.Image:
    """Decode a picture whose bytes nobody vouches for.

    Parameters
    ----------
    data
        A whole file.

    Returns
    -------
    PIL.Image.Image
        Loaded, as it is stored: not turned, with its own mode and its metadata.

    Raises
    ------
    InputError
        With the reason: empty, too many bytes or pixels, too small, another format, animated, also a zip archive, cut
        short or damaged.
    """
    if not data:
        raise InputError("the file is empty; fetch the picture again")
    if len(data) > LARGEST:
        raise InputError(f"{len(data):,} bytes, more than {LARGEST:,}; make the picture smaller")
    name = picture_format(data)
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise InputError("a picture that is a zip archive too; take the picture alone")
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise InputError("PIL.ImageFile.LOAD_TRUNCATED_IMAGES is on, so that cut files would pass; set it to False")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata, which is thrown away; pixels are counted below
            image = Image.open(io.BytesIO(data), formats=[name])
            _check_header(image)
            image.load()
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"more than {MOST_PIXELS:,} pixels; make the picture smaller") from None
    except _DAMAGED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:80]
        raise InputError(f"a {name} picture that is cut short or damaged ({reason}); fetch it again") from None
    return image


def _check_header(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise InputError(f"{width} x {height} pixels, more than {MOST_PIXELS:,}; make the picture smaller")
    if min(width, height) < SMALLEST_SIDE:
        raise InputError(f"{width} x {height} pixels; a side of fewer than {SMALLEST_SIDE} shows nobody")
    if getattr(image, "n_frames", 1) > 1:
        raise InputError("several pictures in one file, or an animated one; take one picture")
