"""Latent traversals: what an image looks like on average as one latent moves, a row a latent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.data.labels import shorten
from personax.errors import InputError
from personax.figures._canvas import CAPTION_LINE, GREY, MARGIN, TEXT_SIZE, Canvas, defaults, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["latent_traversals"]

SIDE, GAP, BELOW = 0.72, 0.06, 0.17
"""Side of an image, gap between images, room for the count below."""

NAME_LETTERS = 28

CAPTION = (
    "Mean image as one latent moves through its quantiles, the others at their medians. Below: people who stand near; "
    "without any, the image is an extrapolation."
)

Array = NDArray[np.float64]


def latent_traversals(
    images: Mapping[str, ArrayLike],
    people: Mapping[str, Sequence[int]],
    *,
    title: str = "",
) -> Figure:
    """Draw the mean image of each latent's traversal.

    Parameters
    ----------
    images
        Latent -> shape (k, channels, height, width), one or three channels; the same k for all latents.
    people
        Latent -> who stand near each place.
    title
        Stands over the figure.

    Raises
    ------
    InputError
        No image, other shapes, missing or infinite numbers.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> figure = latent_traversals({"face_1": np.zeros((2, 1, 4, 4))}, {"face_1": [3, 0]})
    >>> len(figure.axes)
    3
    """
    rows = {name: _checked(name, shown, people.get(name, ())) for name, shown in images.items()}
    if len({len(shown) for shown in rows.values()}) != 1:
        raise InputError("give the images of at least one latent, and as many of each")
    count = len(next(iter(rows.values())))
    labels = {name: shorten(name, NAME_LETTERS) for name in rows}
    left = MARGIN + max(text_width(label, TEXT_SIZE) for label in labels.values()) + 0.08
    top = MARGIN + (0.26 if title else 0.0)
    width = max(left + (SIDE + GAP) * count, 3.6, MARGIN + text_width(title, 9)) + MARGIN
    caption = wrapped(CAPTION, width - 2 * MARGIN, TEXT_SIZE)
    bottom = top + (SIDE + BELOW) * len(rows)
    with defaults():
        canvas = Canvas(width, bottom + 0.1 + CAPTION_LINE * len(caption) + MARGIN)
        canvas.text(MARGIN, MARGIN + 0.08, title, 9, va="center_baseline")
        for down, (name, shown) in enumerate(rows.items()):
            y = top + (SIDE + BELOW) * down
            canvas.text(left - 0.06, y + SIDE / 2, labels[name], TEXT_SIZE, ha="right", va="center_baseline")
            low, high = float(shown.min()), float(shown.max())
            for at, image in enumerate(shown):
                x = left + (SIDE + GAP) * at
                axes = canvas.panel(x, y, SIDE, SIDE)
                scaled = (image - low) / (high - low if high > low else 1.0)
                grey: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1} if len(scaled) == 1 else {}
                axes.imshow(scaled[0] if grey else scaled.transpose(1, 2, 0), interpolation="nearest", **grey)
                near = f"{people[name][at]:,}"
                canvas.text(x + SIDE / 2, y + SIDE + 0.08, near, 7, ha="center", va="center_baseline", color=GREY)
        canvas.caption(MARGIN, bottom + 0.1, caption)
    return canvas.figure


def _checked(name: str, images: ArrayLike, people: Sequence[int]) -> Array:
    found = np.asarray(images, dtype=np.float64)
    if found.ndim != 4 or found.shape[1] not in (1, 3) or not found.size or not np.isfinite(found).all():
        raise InputError(
            f"the images of {name} have shape {found.shape}; give (k, 1 or 3, height, width), none missing"
        )
    if len(people) != len(found):
        raise InputError(f"{name} has {len(found)} images and counts of people for {len(people)}")
    return found
