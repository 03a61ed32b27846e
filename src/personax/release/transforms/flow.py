"""A keyed coupling flow: half of the coordinates say how the other half is stretched and moved, several times over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.release.draws import Draws
from personax.release.transforms.step import Floats, Step

__all__ = ["Flow"]

LAYERS = 4
WIDTH = 128
STRETCH = 0.5
"""A coordinate is stretched at most by exp(0.5) in a layer, so that going back magnifies rounding little."""
MOVE = 1.0
STEEP = 1.5
"""Size of what enters the tanh, in units of the coordinates: 0 would be a linear map."""


class Flow(Step):
    """RealNVP with random weights: y = x exp(s(x')) + t(x'), the halves x and x' drawn anew in each layer.

    Coordinates should be about one in size. Stretch and move are bounded, so no row can overflow.

    References
    ----------
    Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803.
    """

    def __init__(self, dim: int, draws: Draws) -> None:
        super().__init__(dim, draws)
        self._layers = [_layer(dim, draws, number) for number in range(LAYERS)]

    def forward(self, x: Floats) -> Floats:
        """Send rows through all layers."""
        y = x.copy()
        for layer in self._layers:
            stretch, move = layer.says(y)
            y[:, layer.moved] = y[:, layer.moved] * np.exp(stretch) + move
        return y

    def inverse(self, y: Floats) -> Floats:
        """Send them back, last layer first."""
        x = y.copy()
        for layer in reversed(self._layers):
            stretch, move = layer.says(x)
            x[:, layer.moved] = (x[:, layer.moved] - move) * np.exp(-stretch)
        return x


@dataclass(frozen=True)
class _Layer:
    kept: NDArray[np.intp]
    moved: NDArray[np.intp]
    inner: NDArray[np.float64]
    shift: NDArray[np.float64]
    outer: NDArray[np.float64]
    _cast: dict[np.dtype[Any], tuple[Floats, Floats, Floats]] = field(default_factory=dict)

    def cast(self, dtype: np.dtype[Any]) -> tuple[Floats, Floats, Floats]:
        """Return the weights in a precision; made once, for the rows come some at a time."""
        if dtype not in self._cast:
            self._cast[dtype] = (self.inner.astype(dtype), self.shift.astype(dtype), self.outer.astype(dtype))
        return self._cast[dtype]

    def says(self, x: Floats) -> tuple[Floats, Floats]:
        """Return stretch and move of the other half."""
        inner, shift, outer = self.cast(x.dtype)
        hidden = np.tanh(x[:, self.kept] @ inner + shift)
        out = hidden @ outer
        half = len(self.moved)
        return STRETCH * np.tanh(out[:, :half]), MOVE * out[:, half:]


def _layer(dim: int, draws: Draws, number: int) -> _Layer:
    order = draws.permutation(f"order {number}", dim)
    kept, moved = np.sort(order[: dim // 2]), np.sort(order[dim // 2 :])
    inner = draws.normal(f"inner {number}", len(kept), WIDTH) * STEEP / np.sqrt(max(len(kept), 1))
    outer = draws.normal(f"outer {number}", WIDTH, 2 * len(moved)) / np.sqrt(WIDTH)
    return _Layer(kept, moved, inner, draws.normal(f"shift {number}", WIDTH), outer)
