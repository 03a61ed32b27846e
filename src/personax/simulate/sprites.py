"""Stand-ins for MNIST and Fashion-MNIST where those are not at hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from personax.errors import require

__all__ = ["drawn_shoes", "small_digits"]

Array = NDArray[np.float64]

_SOLES = ((0.05, 0.95, 0.86), (0.02, 0.98, 0.80), (0.08, 0.92, 0.90))
_TOPS = (0.15, 0.35, 0.5)
_SCALE = 8


def small_digits(size: int) -> Array:
    """Return scikit-learn's 1,797 digits of 8 x 8 pixels enlarged to size x size, in [0, 1]."""
    datasets = require("sklearn.datasets", extra="discovery")
    images = datasets.load_digits().images / 16
    enlarged = [np.asarray(Image.fromarray(i.astype(np.float32)).resize((size, size), 2)) for i in images]
    return np.clip(np.stack(enlarged).astype(np.float64), 0, 1)


def drawn_shoes(size: int) -> Array:
    """Return nine drawn shoes from low to high ones, size x size, in [0, 1]."""
    shoes = []
    for left, right, sole in _SOLES:
        for top in _TOPS:
            image = Image.new("L", (size * _SCALE, size * _SCALE))
            points = [(left, sole), (left, top), (left + 0.32, top), (left + 0.42, 0.58), (right, 0.7), (right, sole)]
            ImageDraw.Draw(image).polygon([(x * size * _SCALE, y * size * _SCALE) for x, y in points], fill=235)
            shoes.append(np.asarray(image.resize((size, size), Image.Resampling.BOX)) / 255)
    return np.stack(shoes)
