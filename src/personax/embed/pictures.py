"""Opening a picture without trusting it."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from personax.errors import InputError

__all__ = ["MAX_PIXELS", "open_picture"]

MAX_PIXELS = 50_000_000


def open_picture(path: Path, size: tuple[int, int] | None = None) -> Image.Image:
    """Return a picture in RGB: its size is looked at first, its pixels only when there are not too many.

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
                opened = image.convert("RGB")
                return opened if size is None else opened.resize(size, Image.Resampling.BILINEAR)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a picture ({error})") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"{path} unpacks to more than {MAX_PIXELS:,} pixels") from None
