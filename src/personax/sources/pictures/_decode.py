"""Untrusted bytes -> a decoded picture in upright RGB of one size, or the reason why not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Final, Literal

from PIL import Image, ImageCms, ImageOps

from personax.data.pictures import decode_picture, upright
from personax.errors import InputError

__all__ = [
    "MAX_BYTES",
    "MIN_SIDE",
    "Box",
    "crop_and_resize",
    "encode",
    "open_picture",
    "picture_format",
    "upright_rgb",
]


Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

_MAX_PROFILE_BYTES: Final = 2**21
_WHITE: Final = (255, 255, 255)


def upright_rgb(image: Image.Image) -> Image.Image:
    """Return the picture as a person sees it: turned as its EXIF says, in sRGB, on white where it is transparent.

    Notes
    -----
    An ICC profile is applied when it can be read and fits the mode, and dropped in any case. CMYK without one is
    converted by complement. 16-bit grey keeps its upper 8 bits. No EXIF, text, profile or thumbnail is left.
    """
    turned = upright(image)
    profile = turned.info.get("icc_profile")
    plain = _eight_bits(turned)
    if "A" in plain.getbands() or "transparency" in plain.info:
        with_alpha = plain.convert("RGBA")
        plain = Image.new("RGBA", plain.size, (*_WHITE, 255))
        plain.alpha_composite(with_alpha)
        plain = plain.convert("RGB")
    rgb = _by_profile(plain, profile) if isinstance(profile, bytes) else plain.convert("RGB")
    return Image.frombytes("RGB", rgb.size, rgb.tobytes())


def crop_and_resize(image: Image.Image, size: tuple[int, int], *, box: Box | None = None) -> Image.Image:
    """Return the middle of a picture, or of a part of it, cut to the shape of a size and brought to it.

    Examples
    --------
    >>> crop_and_resize(Image.new("RGB", (300, 100)), (64, 64)).size
    (64, 64)
    """
    if min(size) < 1 or max(size) > 4096:
        raise InputError(f"pictures of {size[0]} x {size[1]} pixels cannot be made; give sides of 1 to 4096")
    return ImageOps.fit(image.crop(box) if box else image, size, Image.Resampling.LANCZOS)


def encode(image: Image.Image, form: Literal["png", "jpeg"] = "png") -> bytes:
    """Return the bytes of a file: PNG without chunks of text, or JPEG of quality 95 with full colour."""
    stream = io.BytesIO()
    if form == "png":
        image.save(stream, "PNG", optimize=False, compress_level=6)
    else:
        image.save(stream, "JPEG", quality=95, subsampling=0, optimize=False, progressive=False)
    return stream.getvalue()


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in ("I", "F"):
        highest = image.convert("F").getextrema()[1]
        wide = isinstance(highest, float) and highest > 255
        return image.convert("I").point(lambda value: value / 256).convert("L") if wide else image.convert("L")
    return image


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    if len(profile) > _MAX_PROFILE_BYTES or image.mode not in ("RGB", "CMYK", "L"):
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image.convert("RGB")
    return made if made is not None else image.convert("RGB")


MAX_BYTES = 20 * 2**20
"""Bound on the bytes of a picture."""

MIN_SIDE = 16
"""Bound on the pixels of a side; pictures of 1 x 1 are tracking pixels."""

_MAGIC: Mapping[str, tuple[bytes, int, bytes]] = {
    "JPEG": (b"\xff\xd8\xff", 0, b""),
    "PNG": (b"\x89PNG\r\n\x1a\n", 12, b"IHDR"),
    "WEBP": (b"RIFF", 8, b"WEBP"),
}
"""Format -> its first bytes, and other bytes at a place; nothing else is opened, whatever its name says."""


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
    """Decode a portrait from untrusted bytes; stricter than `decode_picture`.

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
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data):,} bytes, more than {MAX_BYTES:,}; make the picture smaller")
    name = picture_format(data)
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise InputError("a picture that is a zip archive too; take the picture alone")
    return decode_picture(data, formats=(name,), check=_check_header)


def _check_header(image: Image.Image) -> None:
    if min(image.size) < MIN_SIDE:
        raise InputError(f"{image.width} x {image.height} pixels; a side of fewer than {MIN_SIDE} shows nobody")
    if getattr(image, "n_frames", 1) > 1:
        raise InputError("several pictures in one file, or an animated one; take one picture")
