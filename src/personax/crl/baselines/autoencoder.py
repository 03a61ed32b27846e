"""A plain autoencoder: what is needed to give the measurements back, in any coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from personax.crl.baselines.base import Learner, TrainedMethod
from personax.crl.baselines.nets import Blocks, Decoders
from personax.crl.model import Layout
from personax.crl.people import People, Tensors

__all__ = ["Autoencoder"]


@dataclass(frozen=True)
class Autoencoder(TrainedMethod):
    """A bottleneck a modality, from which each of its measurements is decoded; the loss is squared error.

    Shared latents are encoded from all modalities and help to decode every measurement.

    References
    ----------
    Hinton, Salakhutdinov 2006, doi:10.1126/science.1127647; several modalities: Ngiam et al. 2011, ICML.
    """

    name = "autoencoder"

    def build(self, layout: Layout, people: People) -> Learner:
        """Return the untrained autoencoder."""
        return AutoencoderNet(layout)


@final
class AutoencoderNet(Learner):
    """Encoders and decoders."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.encoders, self.decoders = Blocks(layout), Decoders(layout)

    def encode(self, views: Tensors) -> Tensor:
        """Return the bottlenecks."""
        means: Tensor = self.encoders(views)[:, 0]
        return means

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return the squared error of the reconstruction."""
        return self.decoders.error(self.encode(views), views)
