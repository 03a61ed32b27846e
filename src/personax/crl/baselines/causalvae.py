"""CausalVAE: a linear structural model between noise and latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personax.crl.baselines.base import Learner, TrainedMethod
from personax.crl.baselines.gaussian import divergence, draw
from personax.crl.baselines.nets import Blocks, Decoders, encoder, split_gaussian
from personax.crl.flow import acyclicity
from personax.crl.model import Layout
from personax.crl.people import People, Tensors

__all__ = ["CausalVAE"]


@dataclass(frozen=True)
class CausalVAE(TrainedMethod):
    """A variational autoencoder with a linear structural layer and a masking layer, without its labels.

    Noise is encoded modality by modality and becomes latents ``z = (I - A)^-1 eps`` (rows of A are children; the paper
    writes A transposed). The masking layer gives each latent back from its parents, ``g_i(A_i * z) + eps_i``, and
    decoders see that. The loss is minus the evidence's lower bound plus weighted acyclicity and the squared distance of
    the latents from ``g_i(A_i * z)``.

    The paper supervises: labels of the concepts enter the prior of z and a loss on A. There are none here, and both
    terms are left out, as MMCRL did when it compared. What then remains identifies neither latents nor graph.

    Edges are reported as standardised path coefficients, ``|A_ij| sd(z_j) / sd(z_i)`` cut at 1. Shared latents are
    encoded from all modalities, help to decode every measurement, and have no parents.

    Parameters
    ----------
    acyclic, mask
        Weights of the two further terms; 1 each in the paper.

    References
    ----------
    Yang et al. 2021, arXiv:2004.08697; unsupervised as a baseline: Sun et al. 2025, arXiv:2411.06518.
    """

    acyclic: float = 1.0
    mask: float = 1.0
    name = "causalvae"
    needs = "labels in its own paper; run without them"

    def build(self, layout: Layout, people: People) -> Learner:
        """Return the untrained autoencoder."""
        return CausalVAENet(layout, self.acyclic, self.mask)


@final
class CausalVAENet(Learner):
    """Gaussian encoders, the structural layer, the masking layer, decoders."""

    allowed: Tensor

    def __init__(self, layout: Layout, acyclic: float, mask: float) -> None:
        super().__init__()
        d = len(layout.names)
        self.acyclic, self.mask = acyclic, mask
        self.encoders, self.decoders = Blocks(layout, values=2), Decoders(layout)
        self.register_buffer("allowed", layout.allowed().float())
        # a small constant, because the masking layer's gradient vanishes where all edges are exactly zero
        self.edges = nn.Parameter(torch.full((d, d), 0.05))
        caused = layout.allowed().any(dim=1)
        self.caused: list[bool] = caused.tolist()
        self.mechanisms = nn.ModuleList(encoder(d, 16, 1) for _ in range(int(caused.sum())))

    def weights(self) -> Tensor:
        """Return A, shape (d, d), rows are children."""
        return self.edges * self.allowed

    def latents(self, eps: Tensor) -> Tensor:
        """Return ``(I - A)^-1 eps`` of each person, shape (batch, d)."""
        a = self.weights()
        solved: Tensor = torch.linalg.solve(torch.eye(len(a), device=a.device) - a, eps.T).T
        return solved

    def masked(self, z: Tensor, a: Tensor) -> Tensor:
        """Return each latent as its parents give it, shape (batch, d); 0 where nothing may cause it."""
        mechanisms = iter(self.mechanisms)
        nothing = z.new_zeros(len(z), 1)
        found = [next(mechanisms)(row * z) if caused else nothing for caused, row in zip(self.caused, a, strict=True)]
        return torch.cat(found, dim=1)

    def encode(self, views: Tensors) -> Tensor:
        """Return the latents at the posterior means of the noise."""
        return self.latents(split_gaussian(self.encoders(views))[0])

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return minus the evidence's lower bound and the two further terms."""
        mean, logvar = split_gaussian(self.encoders(views))
        eps = draw(mean, logvar, generator)
        z, a = self.latents(eps), self.weights()
        caused = self.masked(z, a)
        distance = (z - caused).square().sum(dim=1).mean()
        error = self.decoders.error(caused + eps, views)
        return 0.5 * error + divergence(mean, logvar) + self.acyclic * acyclicity(a.square()) + self.mask * distance

    @torch.no_grad()
    def adjacency(self, latents: Tensor) -> NDArray[np.float64]:
        """Return standardised path coefficients, cut at 1."""
        spread = latents.std(dim=0).clamp_min(1e-12)
        paths: NDArray[np.float64] = (self.weights().abs().double() * spread / spread[:, None]).clamp(max=1).numpy()
        return paths
