"""A keyed permutation of the coordinates with keyed signs: the cheapest orthogonal map, and the weakest."""

from __future__ import annotations

from personax.release.draws import Draws
from personax.release.transforms.step import Floats, Step

__all__ = ["Shuffle"]


class Shuffle(Step):
    """Put coordinates in another order and turn half of them round; each keeps its own distribution up to its sign."""

    def __init__(self, dim: int, draws: Draws) -> None:
        super().__init__(dim, draws)
        self._order = draws.permutation("order", dim)
        self._signs = draws.signs("signs", dim)

    def forward(self, x: Floats) -> Floats:
        """Shuffle coordinates."""
        return x[:, self._order] * self._signs.astype(x.dtype)

    def inverse(self, y: Floats) -> Floats:
        """Put them back."""
        x = y * self._signs.astype(y.dtype)
        back = x.copy()
        back[:, self._order] = x
        return back
