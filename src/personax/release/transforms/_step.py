"""What every step of a transform can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.release.keys._random_stream import RandomStream

__all__ = ["Batches", "Floats", "State", "TransformStep"]

Floats = NDArray[np.floating[Any]]
Batches = Callable[[], Iterator[Floats]]
"""Gives the rows from the start, some at a time, whenever it is called."""
State = Mapping[str, NDArray[np.float64]]
State32 = Mapping[str, Floats]


class TransformStep(ABC):
    """One invertible map of rows of `dim` numbers.

    What the key draws is fixed when a step is made; what is fitted on the data is its `state`, which is as secret as
    the key. A step computes in the precision of what it is given, or in float64 where float32 would lose too much.
    """

    def __init__(self, dim: int, draws: RandomStream) -> None:
        self.dim = dim
        self._cast: dict[np.dtype[Any], State32] = {}

    def constants(self) -> State:
        """Return the arrays that `cast` gives in another precision."""
        return {}

    def cast(self, dtype: np.dtype[Any]) -> State32:
        """Return the constants in a precision; made once, for the rows come some at a time."""
        if dtype not in self._cast:
            self._cast[dtype] = {name: value.astype(dtype) for name, value in self.constants().items()}
        return self._cast[dtype]

    def forget_cast(self) -> None:
        """Make the constants anew, because they have changed."""
        self._cast.clear()

    @abstractmethod
    def forward(self, x: Floats) -> Floats:
        """Map rows, shape (n, dim)."""

    @abstractmethod
    def inverse(self, y: Floats) -> Floats:
        """Map rows back."""

    def fit(self, batches: Batches) -> None:  # noqa: B027
        """Learn what is taken from the data; most steps take nothing."""

    def state(self) -> State:
        """Return what was fitted."""
        return {}

    def load(self, state: State) -> None:  # noqa: B027
        """Take what was fitted before."""
