"""A decoded picture -> upright RGB of one size, without metadata; the same pixels give the same bytes."""

from __future__ import annotations

import io
from typing import Final, Literal

from PIL import Image, ImageCms, ImageOps

from personax.errors import InputError

__all__ = ["Box", "encode", "fitted", "upright_rgb"]

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

_LARGEST_PROFILE: Final = 2**21
_WHITE: Final = (255, 255, 255)


def upright_rgb(image: Image.Image) -> Image.Image:
    """Return the picture as a person sees it: turned as its EXIF says, in sRGB, on white where it is transparent.

    Notes
    -----
    An ICC profile is applied when it can be read and fits the mode, and dropped in any case. CMYK without one is
    converted by complement. 16-bit grey keeps its upper 8 bits. No EXIF, text, profile or thumbnail is left.
    """
    turned = _turned(image)
    profile = turned.info.get("icc_profile")
    plain = _eight_bits(turned)
    if "A" in plain.getbands() or "transparency" in plain.info:
        with_alpha = plain.convert("RGBA")
        plain = Image.new("RGBA", plain.size, (*_WHITE, 255))
        plain.alpha_composite(with_alpha)
        plain = plain.convert("RGB")
    rgb = _by_profile(plain, profile) if isinstance(profile, bytes) else plain.convert("RGB")
    return Image.frombytes("RGB", rgb.size, rgb.tobytes())


def fitted(image: Image.Image, size: tuple[int, int], *, box: Box | None = None) -> Image.Image:
    """Return the middle of a picture, or of a part of it, cut to the shape of a size and brought to it.

    Examples
    --------
    >>> fitted(Image.new("RGB", (300, 100)), (64, 64)).size
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


def _turned(image: Image.Image) -> Image.Image:
    """Turn as EXIF says; EXIF that cannot be read says nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except (ValueError, OSError, SyntaxError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in ("I", "F"):
        highest = image.convert("F").getextrema()[1]
        wide = isinstance(highest, float) and highest > 255
        return image.convert("I").point(lambda value: value / 256).convert("L") if wide else image.convert("L")
    return image


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    if len(profile) > _LARGEST_PROFILE or image.mode not in ("RGB", "CMYK", "L"):
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image.convert("RGB")
    return made if made is not None else image.convert("RGB")
