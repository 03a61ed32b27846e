"""What encoders read of a modality: leading principal components of all its measurements, in their own units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._estimator import Arrays
from personax.crl._scaler import Scaler, chunks

__all__ = ["Projection"]

MOST: Final = 96
"""Components at most."""

SHARE: Final = 0.999
"""Of the variance, which components stop at."""

SAMPLE: Final = 3000
"""People from whom directions are learned."""


@dataclass(frozen=True)
class Projection:
    """Centre, directions and size of each modality's measurements side by side.

    Parameters
    ----------
    scale
        Which dimensions vary, and around what.
    directions
        Modality -> shape (dims, k), orthonormal.
    std
        Modality -> standard deviations of the k components.
    """

    scale: Scaler
    directions: dict[str, NDArray[np.float64]]
    std: dict[str, NDArray[np.float64]]

    @classmethod
    def fit(cls, views: Arrays, *, rng: np.random.Generator) -> Projection:
        """Learn from these people."""
        scale = Scaler.fit(views)
        rows = rng.permutation(len(next(iter(next(iter(views.values())).values()))))[:SAMPLE]
        sample = {m: {k: x[rows] for k, x in by.items()} for m, by in views.items()}
        directions, std = {}, {}
        for modality, x in _side_by_side(scale, sample).items():
            _, sizes, across = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
            share = np.cumsum(sizes**2) / (sizes**2).sum()
            k = min(MOST, int(np.searchsorted(share, SHARE)) + 1, len(sizes))
            directions[modality], std[modality] = across[:k].T, sizes[:k] / np.sqrt(len(x))
        return cls(scale, directions, std)

    def apply(self, views: Arrays) -> list[Tensor]:
        """Return each modality's components, shape (n, k), of total variance about 1; NaN where one lacks."""
        self.scale.check_people(views, lacking=True)
        people = len(next(iter(next(iter(views.values())).values())))
        found = [np.empty((people, along.shape[1]), np.float32) for along in self.directions.values()]
        for rows in chunks(people):
            for all_of, part in zip(found, self._components(views, rows), strict=True):
                all_of[rows] = part
        return [torch.from_numpy(of) for of in found]

    def _components(self, views: Arrays, rows: slice) -> list[NDArray[np.float32]]:
        sides = _side_by_side(self.scale, {m: {k: x[rows] for k, x in by.items()} for m, by in views.items()})
        return [
            (sides[m] @ along / np.sqrt((self.std[m] ** 2).sum())).astype(np.float32)
            for m, along in self.directions.items()
        ]


def _side_by_side(scale: Scaler, views: Arrays) -> dict[str, NDArray[np.float64]]:
    """Return centred measurements in their own units: distances between images keep their meaning."""
    scaled = scale.apply(views, lacking=True)
    return {
        m: np.concatenate([x * scale.std[m][k][scale.std[m][k] > 0] for k, x in by.items()], axis=1)
        for m, by in scaled.items()
    }
