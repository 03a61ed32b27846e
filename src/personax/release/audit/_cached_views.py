"""Rows as attacks look at them: each view is worked out once, however many attacks share it and however it is dealt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Vectors

__all__ = ["Rows", "View"]

View = Callable[[Vectors], Vectors]
"""What is made of all rows at once, one row for each; another order of the rows only gives another order of these."""


class Rows:
    """Vectors, one a person, in some order.

    Parameters
    ----------
    vectors
        Shape (n, d).

    Examples
    --------
    >>> rows = Rows(np.array([[1.0], [3.0]], dtype=np.float32))
    >>> rows.dealt(np.array([1, 0])).of(lambda x: x - x.mean(axis=0)).ravel().tolist()
    [1.0, -1.0]
    """

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._views: dict[View, Vectors] = {}
        self._order: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self._vectors) if self._order is None else len(self._order)

    @property
    def vectors(self) -> Vectors:
        """The vectors themselves."""
        return self._dealt(self._vectors)

    def of(self, view: View) -> Vectors:
        """Return a view, shape (n, ...)."""
        if view not in self._views:
            self._views[view] = view(self._vectors)
        return self._dealt(self._views[view])

    def dealt(self, order: NDArray[np.intp]) -> Self:
        """Return the same rows in another order; they share what was worked out, and what will be."""
        if self._order is None and len(order) != len(self._vectors):
            raise ValueError(f"an order of {len(order)} is none of {len(self._vectors)} rows")
        other = type(self)(self._vectors)
        other._views, other._order = self._views, order if self._order is None else self._order[order]
        return other

    def _dealt(self, rows: Vectors) -> Vectors:
        return rows if self._order is None else rows[self._order]
