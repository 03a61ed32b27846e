"""Latent traversals: what an image looks like on average as one latent moves, a row a latent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.data.labels import shorten
from personax.errors import InputError
from personax.plots._style import GREY, defaults, finish, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["latent_traversals"]

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
    2
    """
    rows = {name: _checked(name, shown, people.get(name, ())) for name, shown in images.items()}
    if len({len(shown) for shown in rows.values()}) != 1:
        raise InputError("give the images of at least one latent, and as many of each")
    count = len(next(iter(rows.values())))
    with defaults():
        figure, every = panels(len(rows) * count, 0.72, 0.72, abreast=count, gap=(0.06, 0.2))
        for down, (name, shown) in enumerate(rows.items()):
            low, high = float(shown.min()), float(shown.max())
            scaled = (shown - low) / (high - low if high > low else 1.0)
            for axes, image, near in zip(every[down * count :], scaled, people[name], strict=False):
                grey: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1} if len(image) == 1 else {}
                axes.imshow(image[0] if grey else image.transpose(1, 2, 0), interpolation="nearest", **grey)
                axes.set(xticks=[], yticks=[])
                axes.set_xlabel(f"{near:,}", fontsize=7, color=GREY, labelpad=2)
            every[down * count].set_ylabel(shorten(name, NAME_LETTERS), rotation=0, ha="right", va="center")
        return finish(figure, title=title, caption=CAPTION)


def _checked(name: str, images: ArrayLike, people: Sequence[int]) -> Array:
    found = np.asarray(images, dtype=np.float64)
    if found.ndim != 4 or found.shape[1] not in (1, 3) or not found.size or not np.isfinite(found).all():
        raise InputError(
            f"the images of {name} have shape {found.shape}; give (k, 1 or 3, height, width), none missing"
        )
    if len(people) != len(found):
        raise InputError(f"{name} has {len(found)} images and counts of people for {len(people)}")
    return found
