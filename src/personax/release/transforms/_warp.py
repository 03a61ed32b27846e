"""A keyed, strictly increasing bend of every coordinate: order within a coordinate stays, distances do not."""

from __future__ import annotations

import numpy as np

from personax.registry import register
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms._properties import SMOOTH
from personax.release.transforms._step import Floats, TransformStep

__all__ = ["Warp"]

TAIL_RANGE = (0.6, 1.4)
MAX_SKEW = 0.8
"""Bounds of what the key draws: heavier or lighter tails, more or less lopsided."""


@register(
    "transforms",
    "warp",
    title="Warp",
    help="each coordinate bent by a keyed monotone map, then a rotation",
    order=40,
    preset=("standard", "warp", "rotation"),
    mixes=True,
    keeps=SMOOTH,
)
class Warp(TransformStep):
    """Apply sinh(b arsinh(x) + a) with a and b of its own to each coordinate; the inverse is of the same form.

    Coordinates should be about one in size; far smaller ones see a straight line.

    References
    ----------
    Jones, Pewsey 2009, doi:10.1093/biomet/asp053.
    """

    def __init__(self, dim: int, stream: RandomStream) -> None:
        super().__init__(dim, stream)
        self._tails = TAIL_RANGE[0] + (TAIL_RANGE[1] - TAIL_RANGE[0]) * stream.uniform("tails", dim)
        self._skew = MAX_SKEW * (2 * stream.uniform("skew", dim) - 1)

    def transform(self, x: Floats) -> Floats:
        """Bend coordinates."""
        # The slope b cosh(b arsinh(x) + a) / sqrt(1 + x^2) is positive: order stays. arsinh(y) = b arsinh(x) + a is
        # linear, which gives the inverse. Far out arsinh(x) is about log(2 x), so y grows as x^b exp(a): b bends the
        # tails, and a makes the two sides differ by exp(2 a). Near 0, y = sinh(a) + b cosh(a) x is a straight line.
        y: Floats = np.sinh(self._tails.astype(x.dtype) * np.arcsinh(x) + self._skew.astype(x.dtype))
        return y

    def inverse_transform(self, y: Floats) -> Floats:
        """Straighten them."""
        x: Floats = np.sinh((np.arcsinh(y) - self._skew.astype(y.dtype)) / self._tails.astype(y.dtype))
        return x
