"""Decoding of untrusted pictures: the header is checked before a pixel is decoded."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from personax.errors import InputError

__all__ = ["MAX_PIXELS", "decode_picture", "read_rgb", "upright"]

MAX_PIXELS = 50_000_000
"""Bound on the pixels that the header declares (decompression bombs)."""

_DAMAGED: Final = (
    UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, KeyError, IndexError,
    TypeError, AttributeError, OverflowError, ZeroDivisionError, RuntimeError, MemoryError,
)  # fmt: skip
"""What Pillow's readers raise on damaged bytes."""


def decode_picture(
    source: bytes | Path,
    *,
    formats: tuple[str, ...] | None = None,
    check: Callable[[Image.Image], None] | None = None,
) -> Image.Image:
    """Decode a picture.

    Parameters
    ----------
    source
        The bytes of a file, or its path.
    formats
        Pillow's names of the formats that are tried; all by default.
    check
        Called with the picture before its pixels are decoded; an InputError of it refuses the picture.

    Returns
    -------
    PIL.Image.Image
        Loaded, as it is stored: not turned, with its own mode and its metadata.

    Raises
    ------
    InputError
        With the reason: more than `MAX_PIXELS`, another format, cut short or damaged.
    """
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise InputError("PIL.ImageFile.LOAD_TRUNCATED_IMAGES is on, so that cut files would pass; set it to False")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata and of Pillow's own bound on pixels, which is larger
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=formats) as image:
                _check_pixels(image)
                if check is not None:
                    check(image)
                image.load()
                return image
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"more than {MAX_PIXELS:,} pixels; make the picture smaller") from None
    except _DAMAGED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:80]
        raise InputError(f"cut short, damaged or in another format ({reason}); fetch the picture again") from None


def _check_pixels(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        text = f"{image.width} x {image.height} pixels, more than {MAX_PIXELS:,}; make the picture smaller"
        raise InputError(text)


def upright(image: Image.Image) -> Image.Image:
    """Return a picture turned as its EXIF data say; EXIF data that cannot be read say nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGED:
        return image


def read_rgb(path: Path, size: tuple[int, int] | None = None) -> Image.Image:
    """Return the picture of a file in RGB, upright.

    Parameters
    ----------
    path
        The file.
    size
        Width and height to bring it to by bilinear interpolation; its own by default.

    Raises
    ------
    InputError
        See `decode_picture`; names the file.
    """
    try:
        image = upright(decode_picture(path)).convert("RGB")
    except InputError as error:
        raise InputError(f"{path} cannot be read as a picture ({error})") from None
    return image if size is None else image.resize(size, Image.Resampling.BILINEAR)
