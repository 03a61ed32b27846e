"""A step of a keyed transform, with scikit-learn's protocol."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from personax.release.keys._random_stream import RandomStream

__all__ = ["Batches", "Floats", "Parameters", "State", "TransformStep"]

Floats = NDArray[np.floating[Any]]
Batches = Callable[[], Iterator[Floats]]
"""Gives the rows from the start, some at a time, whenever it is called."""
State = Mapping[str, NDArray[np.float64]]
State32 = Mapping[str, Floats]


class Parameters:
    """The part of scikit-learn's protocol that ``sklearn.base.clone`` relies on.

    A class keeps every argument of its ``__init__``, as it was given, in an attribute of that name.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments that the object was made with."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Make the object anew with other arguments; what was fitted is lost."""
        type(self).__init__(self, **(self.get_params() | params))
        return self


class TransformStep(Parameters, ABC):
    """An invertible map of rows of `dim` numbers.

    What is drawn under the key is fixed when a step is made; what is fitted on the data is its `state`, which is as
    secret as the key. A step computes in the precision of its input, or in float64 where float32 would lose too much.

    Parameters
    ----------
    dim
        Length of a row.
    stream
        Random numbers that the key and the step's place determine.
    """

    def __init__(self, dim: int, stream: RandomStream) -> None:
        self.dim = dim
        self.stream = stream
        self._cast: dict[np.dtype[Any], State32] = {}

    def constants(self) -> State:
        """Return the arrays that `cast` converts to another precision."""
        return {}

    def cast(self, dtype: np.dtype[Any]) -> State32:
        """Return the constants in a precision; cached, because rows come in batches."""
        if dtype not in self._cast:
            self._cast[dtype] = {name: value.astype(dtype) for name, value in self.constants().items()}
        return self._cast[dtype]

    def forget_cast(self) -> None:
        """Clear the cache of `cast`."""
        self._cast.clear()

    @abstractmethod
    def transform(self, x: Floats) -> Floats:
        """Map rows, shape (n, dim)."""

    @abstractmethod
    def inverse_transform(self, y: Floats) -> Floats:
        """Map rows back."""

    def fit(self, X: Floats, y: object = None) -> Self:
        """Fit on rows that are in memory."""
        self.fit_batches(lambda: iter([X]))
        return self

    def fit_batches(self, batches: Batches) -> None:
        """Fit on rows that come in batches, from the start whenever `batches` is called; most steps fit nothing."""

    def fit_transform(self, X: Floats, y: object = None) -> Floats:
        """Fit, and map the same rows."""
        return self.fit(X, y).transform(X)

    def state(self) -> State:
        """Return the fitted arrays."""
        return {}

    def load(self, state: State) -> None:
        """Restore fitted arrays."""
