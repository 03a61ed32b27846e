"""A keyed coupling flow: half of the coordinates say how the other half is stretched and moved, several times over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.registry import register
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms._properties import SMOOTH
from personax.release.transforms._step import Floats, TransformStep

__all__ = ["Flow"]

LAYERS = 4
HIDDEN_UNITS = 128
MAX_LOG_SCALE = 0.5
"""A coordinate is stretched at most by exp(0.5) in a layer, so that going back magnifies rounding little."""
MAX_SHIFT = 1.0
INPUT_GAIN = 1.5
"""Size of what enters the tanh, in units of the coordinates: 0 would be a linear map."""


@register(
    "transforms",
    "flow",
    title="Flow",
    help="a keyed coupling flow, then a rotation",
    order=50,
    preset=("standard", "flow", "rotation"),
    mixes=True,
    keeps=SMOOTH,
)
class Flow(TransformStep):
    """RealNVP with random weights: y = x exp(s(x')) + t(x'), the halves x and x' drawn anew in each layer.

    Coordinates should be about one in size. Stretch and move are bounded, so no row can overflow.

    References
    ----------
    Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803.
    """

    def __init__(self, dim: int, stream: RandomStream) -> None:
        super().__init__(dim, stream)
        self._layers = [_layer(dim, stream, number) for number in range(LAYERS)]
        self._there = _index_plan(self._layers, dim)
        self._back = _index_plan(self._layers[::-1], dim)

    def transform(self, x: Floats) -> Floats:
        """Send rows through all layers."""
        # y = (x', x exp(s(x')) + t(x')): x' comes through unchanged, so s and t are known on the way back and the
        # inverse is (y - t) exp(-s), whatever network they come from. |s| <= 0.5, so rounding grows by exp(0.5) a layer
        # at most; the matrix of derivatives is triangular with exp(s) on its diagonal, and so never singular.
        takes, last = self._there
        for layer, (kept, moved) in zip(self._layers, takes, strict=True):
            conditioner, half = np.take(x, kept, axis=1), np.take(x, moved, axis=1)
            log_scale, shift_by = layer.scale_and_shift(conditioner)
            half *= np.exp(log_scale, out=log_scale)
            half += shift_by
            x = np.concatenate([conditioner, half], axis=1)
        return np.take(x, last, axis=1)

    def inverse_transform(self, y: Floats) -> Floats:
        """Send them back, last layer first."""
        takes, last = self._back
        for layer, (kept, moved) in zip(self._layers[::-1], takes, strict=True):
            conditioner, half = np.take(y, kept, axis=1), np.take(y, moved, axis=1)
            log_scale, shift_by = layer.scale_and_shift(conditioner)
            half -= shift_by
            half *= np.exp(np.negative(log_scale, out=log_scale), out=log_scale)
            y = np.concatenate([conditioner, half], axis=1)
        return np.take(y, last, axis=1)


@dataclass(frozen=True)
class _Layer:
    kept: NDArray[np.intp]
    moved: NDArray[np.intp]
    inner: NDArray[np.float64]
    shift: NDArray[np.float64]
    outer: NDArray[np.float64]
    _cast: dict[np.dtype[Any], tuple[Floats, Floats, Floats]] = field(default_factory=dict)

    def cast(self, dtype: np.dtype[Any]) -> tuple[Floats, Floats, Floats]:
        """Return the weights in a precision; cached, because rows come in batches."""
        if dtype not in self._cast:
            self._cast[dtype] = (self.inner.astype(dtype), self.shift.astype(dtype), self.outer.astype(dtype))
        return self._cast[dtype]

    def scale_and_shift(self, conditioner: Floats) -> tuple[Floats, Floats]:
        """Return stretch and move of the other half; what is returned may be written into."""
        inner, shift, outer = self.cast(conditioner.dtype)
        hidden = conditioner @ inner
        hidden += shift
        out = np.tanh(hidden, out=hidden) @ outer
        half = len(self.moved)
        log_scale, shift_by = out[:, :half], out[:, half:]
        np.tanh(log_scale, out=log_scale)
        log_scale *= MAX_LOG_SCALE
        shift_by *= MAX_SHIFT
        return log_scale, shift_by


IndexPlan = tuple[list[tuple[NDArray[np.intp], NDArray[np.intp]]], NDArray[np.intp]]


def _index_plan(layers: Sequence[_Layer], dim: int) -> IndexPlan:
    """Return where each layer finds its halves in what the one before it leaves, and where all coordinates are at last.

    A layer leaves its two halves side by side: to put them back among each other costs more than its arithmetic.
    `numpy.take` keeps rows whole; indexing by a list of columns would turn the matrix, and slow what follows.
    """
    place = np.arange(dim)
    takes = []
    for layer in layers:
        takes.append((place[layer.kept], place[layer.moved]))
        place = np.empty(dim, dtype=np.intp)
        place[np.concatenate([layer.kept, layer.moved])] = np.arange(dim)
    return takes, place


def _layer(dim: int, stream: RandomStream, number: int) -> _Layer:
    order = stream.permutation(f"order {number}", dim)
    kept, moved = np.sort(order[: dim // 2]), np.sort(order[dim // 2 :])
    inner = stream.normal(f"inner {number}", len(kept), HIDDEN_UNITS) * INPUT_GAIN / np.sqrt(max(len(kept), 1))
    outer = stream.normal(f"outer {number}", HIDDEN_UNITS, 2 * len(moved)) / np.sqrt(HIDDEN_UNITS)
    return _Layer(kept, moved, inner, stream.normal(f"shift {number}", HIDDEN_UNITS), outer)
