"""The sizes of a model: measurements, latents, noise variables, and where an image's pixels stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from personax.crl._prior import Prior

__all__ = ["Layout", "Pixels"]


@dataclass(frozen=True)
class Pixels:
    """Positions of a measurement's numbers in its image.

    Parameters
    ----------
    shape
        Channels, height, width.
    kept
        Positions of the numbers in the flattened image; the others are constant.
    """

    shape: tuple[int, int, int]
    kept: tuple[int, ...]

    @property
    def coarse(self) -> tuple[int, int]:
        """Height and width after both layers."""
        _, height, width = self.shape
        return (height + 3) // 4, (width + 3) // 4


@dataclass(frozen=True)
class Layout:
    """The sizes of a model.

    Parameters
    ----------
    dims
        Modality -> measurement -> length of its vectors.
    latents
        Modality -> number of its latents.
    shared
        Number of latents that all modalities share.
    eta
        Number of noise variables of each measurement.
    hidden
        Width of encoders and decoders.
    images
        Modality -> measurement -> its pixels, for those that are read and given back by convolutions.
    prior
        What is known of causes between modalities.
    """

    dims: Mapping[str, Mapping[str, int]]
    latents: Mapping[str, int]
    shared: int
    eta: int = 1
    hidden: int = 96
    images: Mapping[str, Mapping[str, Pixels]] = field(default_factory=dict)
    prior: Prior | None = None

    @property
    def measurements(self) -> dict[tuple[str, str], tuple[str, int]]:
        """(modality, measurement) -> (modality, length), in the order of the encoders."""
        return {(m, name): (m, dim) for m, by in self.dims.items() for name, dim in by.items()}

    @property
    def names(self) -> list[str]:
        """Latent names: shared ones first, then modality by modality."""
        shared = [f"shared_{i}" for i in range(1, self.shared + 1)]
        return shared + [f"{m}_{i}" for m in self.dims for i in range(1, self.latents[m] + 1)]

    def groups_of_equal_size(self) -> list[list[tuple[str, str]]]:
        """Return measurements in groups whose networks have the same sizes; an image is a group of its own."""
        groups: dict[object, list[tuple[str, str]]] = {}
        for (modality, name), (_, dim) in self.measurements.items():
            image = name in self.images.get(modality, {})
            groups.setdefault((modality, name) if image else (dim, self.size(modality)), []).append((modality, name))
        return list(groups.values())

    def size(self, modality: str) -> int:
        """Return how many latents and noise variables a measurement of a modality shows."""
        return self.latents[modality] + self.shared + self.eta

    def allowed(self) -> Tensor:
        """Return which edges may be, shape (d, d), rows are children: nothing causes a shared latent."""
        names = self.names
        may = torch.tensor([[child != parent and child >= self.shared for parent in range(len(names))]
                            for child in range(len(names))])  # fmt: skip
        return may if self.prior is None else may & torch.from_numpy(self.prior.allowed(names))

    def edge_penalty(self) -> Tensor:
        """Return the factor on the cost of each edge, shape (d, d), rows are children."""
        d = len(self.names)
        return torch.ones(d, d) if self.prior is None else torch.from_numpy(self.prior.edge_penalty(self.names)).float()
