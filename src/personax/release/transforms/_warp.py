"""A keyed, strictly increasing bend of every coordinate: order within a coordinate stays, distances do not."""

from __future__ import annotations

import numpy as np

from personax.registry import register
from personax.release._random_stream import Draws
from personax.release.transforms._properties import BENT
from personax.release.transforms._step import Floats, Step

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
    keeps=BENT,
)
class Warp(Step):
    """Apply sinh(b arsinh(x) + a) with a and b of its own to each coordinate; the inverse is of the same form.

    Coordinates should be about one in size; far smaller ones see a straight line.

    References
    ----------
    Jones, Pewsey 2009, doi:10.1093/biomet/asp053.
    """

    def __init__(self, dim: int, draws: Draws) -> None:
        super().__init__(dim, draws)
        self._tails = TAIL_RANGE[0] + (TAIL_RANGE[1] - TAIL_RANGE[0]) * draws.uniform("tails", dim)
        self._skew = MAX_SKEW * (2 * draws.uniform("skew", dim) - 1)

    def forward(self, x: Floats) -> Floats:
        """Bend coordinates."""
        y: Floats = np.sinh(self._tails.astype(x.dtype) * np.arcsinh(x) + self._skew.astype(x.dtype))
        return y

    def inverse(self, y: Floats) -> Floats:
        """Straighten them."""
        x: Floats = np.sinh((np.arcsinh(y) - self._skew.astype(y.dtype)) / self._tails.astype(y.dtype))
        return x
