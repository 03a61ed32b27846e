"""A keyed permutation of the coordinates with keyed signs: the cheapest orthogonal map, and the weakest."""

from __future__ import annotations

import numpy as np

from personax.registry import register
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms._properties import ORTHOGONAL
from personax.release.transforms._step import Floats, TransformStep

__all__ = ["Shuffle"]


@register(
    "transforms",
    "shuffle",
    title="Shuffle",
    help="coordinates in another order, some with the other sign",
    order=20,
    keeps={**ORTHOGONAL, "coordinates": "exactly", "level I": "exactly"},
)
class Shuffle(TransformStep):
    """Put coordinates in another order and turn half of them round; each keeps its own distribution up to its sign."""

    def __init__(self, dim: int, stream: RandomStream) -> None:
        super().__init__(dim, stream)
        self._order = stream.permutation("order", dim)
        self._signs = stream.signs("signs", dim)

    def transform(self, x: Floats) -> Floats:
        """Shuffle coordinates."""
        y: Floats = np.take(x, self._order, axis=1) * self._signs.astype(x.dtype)
        return y

    def inverse_transform(self, y: Floats) -> Floats:
        """Put them back."""
        x: Floats = np.take(y * self._signs.astype(y.dtype), np.argsort(self._order), axis=1)
        return x
