"""The beta-VAE: independent latents, by the price of information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from personax.crl.baselines.base import Learner, TrainedMethod
from personax.crl.baselines.gaussian import divergence, draw
from personax.crl.baselines.nets import Blocks, Decoders, split_gaussian
from personax.crl.model import Layout
from personax.crl.people import People, Tensors

__all__ = ["BetaVAE"]


@dataclass(frozen=True)
class BetaVAE(TrainedMethod):
    """One variational autoencoder a modality; the loss is half the squared error plus beta times the divergence.

    Half the squared error is the negative log-likelihood under Gaussian noise of variance 1 of standardised
    dimensions. Shared latents are encoded from all modalities and help to decode every measurement.

    Parameters
    ----------
    beta
        Price of information; 1 is the variational autoencoder.

    References
    ----------
    Higgins et al. 2017, ICLR, openreview Sy2fzU9gl; Kingma, Welling 2014, arXiv:1312.6114.
    """

    beta: float = 4.0
    name = "betavae"

    def build(self, layout: Layout, people: People) -> Learner:
        """Return the untrained autoencoder."""
        return BetaVAENet(layout, self.beta)


@final
class BetaVAENet(Learner):
    """Gaussian encoders and decoders."""

    def __init__(self, layout: Layout, beta: float) -> None:
        super().__init__()
        self.encoders, self.decoders, self.beta = Blocks(layout, values=2), Decoders(layout), beta

    def encode(self, views: Tensors) -> Tensor:
        """Return the posterior means."""
        return split_gaussian(self.encoders(views))[0]

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return minus the evidence's lower bound, the divergence weighed by beta."""
        mean, logvar = split_gaussian(self.encoders(views))
        error = self.decoders.error(draw(mean, logvar, generator), views)
        return 0.5 * error + self.beta * divergence(mean, logvar)
