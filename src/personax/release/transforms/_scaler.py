"""Centre the rows and bring them to unit size: what follows then bends embeddings of any scale alike."""

from __future__ import annotations

import numpy as np

from personax.errors import InputError
from personax.registry import register
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms._step import Batches, Floats, State, TransformStep

__all__ = ["GlobalScaler"]


@register(
    "transforms",
    "standard",
    title="Standard",
    help="mean 0 and one scale: a step before others",
    order=70,
    preset=(),
    fitted=True,
)
class GlobalScaler(TransformStep):
    """Subtract the mean row and divide everything by one number; all distances change by the same factor."""

    def __init__(self, dim: int, stream: RandomStream) -> None:
        super().__init__(dim, stream)
        self._mean = np.zeros(dim)
        self._scale = np.ones(1)

    def fit_batches(self, batches: Batches) -> None:
        """Take mean and scale from the rows."""
        count, total = 0, np.zeros(self.dim)
        for x in batches():
            count, total = count + len(x), total + x.sum(axis=0, dtype=np.float64)
        self._mean = total / count
        squares = sum(float(np.square(x.astype(np.float64) - self._mean).sum()) for x in batches())
        if squares == 0:
            raise InputError("all rows of the embeddings are the same; there is nothing to transform")
        self._scale = np.array([np.sqrt(squares / (count * self.dim))])

    def state(self) -> State:
        """Return mean and scale."""
        return {"mean": self._mean, "scale": self._scale}

    def load(self, state: State) -> None:
        """Take mean and scale."""
        self._mean, self._scale = state["mean"], state["scale"]

    def transform(self, x: Floats) -> Floats:
        """Standardise rows."""
        return (x - self._mean.astype(x.dtype)) / self._scale.astype(x.dtype)

    def inverse_transform(self, y: Floats) -> Floats:
        """Undo it."""
        return y * self._scale.astype(y.dtype) + self._mean.astype(y.dtype)
