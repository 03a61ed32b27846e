"""What every Level II method is, ours and the baselines: once fitted, it encodes the measurements of any people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Fitted", "Method", "Progress"]

Arrays = Mapping[str, Mapping[str, NDArray[Any]]]
"""Modality -> measurement -> vectors, shape (n, dim); the same people in the same order everywhere."""

Progress = Callable[[int, int, float], None]
"""Called with (done, total, validation objective)."""


class Fitted(Protocol):
    """A fitted method."""

    @property
    def names(self) -> list[str]:
        """Latents in the order of the columns: ``shared_1`` ..., then ``<modality>_1`` ..., modality by modality."""
        ...

    @property
    def adjacency(self) -> NDArray[np.float64] | None:
        """Shape (d, d), rows are children: how sure each edge is, in [0, 1]; None where no graph is learned."""
        ...

    @property
    def objective(self) -> float:
        """The method's own objective on its validation people, smaller is better; comparable between its seeds."""
        ...

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of people, also of such that were not fitted on, shape (n, d)."""
        ...


class Method(Protocol):
    """A way to learn latents.

    Attributes
    ----------
    name
        One word, as in tables.
    needs
        What it must be given beyond the measurements; empty for nothing.
    """

    name: str
    needs: str

    def fit(
        self,
        views: Arrays,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: NDArray[np.float64] | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> Fitted:
        """Learn from the measurements of the people to fit on; ``truth``, shape (n, d), is for the ceiling alone."""
        ...
