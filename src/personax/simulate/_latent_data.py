"""Measurements whose latent causes are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LatentData"]


@dataclass(frozen=True, slots=True)
class LatentData:
    """Measurements of several modalities with the truth behind them.

    Parameters
    ----------
    views
        Modality -> measurement -> vectors, shape (n, dim), float32; images are flattened row by row.
    latents
        Shape (n, d), float64: shared latents first, then modality by modality.
    names
        ``shared_1`` ..., then ``<modality>_1`` ...
    adjacency
        Shape (d, d), bool, rows are children.
    eta
        Modality -> measurement -> the measurement's own noise, shape (n, e); e is 0 where it has no coordinates.
    image
        Modality -> (channels, height, width) of its measurements where they are images.
    source
        In one sentence where the data come from, stand-ins named.
    """

    views: Mapping[str, Mapping[str, NDArray[np.float32]]]
    latents: NDArray[np.float64]
    names: list[str]
    adjacency: NDArray[np.bool_]
    eta: Mapping[str, Mapping[str, NDArray[np.float64]]]
    image: Mapping[str, tuple[int, int, int]]
    source: str

    @property
    def counts(self) -> dict[str, int]:
        """Modality -> number of its own latents."""
        return {m: sum(name.rpartition("_")[0] == m for name in self.names) for m in self.views}

    @property
    def shared(self) -> int:
        """Number of latents that all modalities share."""
        return sum(name.startswith("shared_") for name in self.names)

    def rows(self, rows: NDArray[np.intp]) -> LatentData:
        """Return the same data of some people."""
        views = {m: {k: x[rows] for k, x in by.items()} for m, by in self.views.items()}
        eta = {m: {k: x[rows] for k, x in by.items()} for m, by in self.eta.items()}
        return LatentData(views, self.latents[rows], self.names, self.adjacency, eta, self.image, self.source)
