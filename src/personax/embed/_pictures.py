"""Opening a picture without trusting it."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image, UnidentifiedImageError

from personax.errors import InputError

__all__ = ["MAX_PIXELS", "open_picture"]

MAX_PIXELS = 50_000_000


def open_picture(path: Path, size: tuple[int, int] | None = None) -> Image.Image:
    """Return a picture in RGB, upright: its size is looked at first, its pixels only when there are not too many.

    Cameras write how a picture is to be turned into its EXIF data; it is turned so, as whoever looks at it sees it.

    Parameters
    ----------
    path
        The file.
    size
        Width and height to bring it to; its own where left out.

    Raises
    ------
    InputError
        A file that is no picture, is cut short, or unpacks to more than 50 million pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise InputError(f"{path} has {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}")
                opened = _upright(image).convert("RGB")
                return opened if size is None else opened.resize(size, Image.Resampling.BILINEAR)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a picture ({error})") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"{path} unpacks to more than {MAX_PIXELS:,} pixels") from None


_TURNED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation of EXIF."""


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _TURNED.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error):
        # data beside the picture that cannot be read say nothing of how it stands
        return image
    return image if turn is None else image.transpose(turn)
