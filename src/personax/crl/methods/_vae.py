"""Autoencoders: plain, beta-VAE, identifiable VAE, CausalVAE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personax.crl._batches import Batches, Tensors
from personax.crl.methods._base import Network, TrainedMethod
from personax.crl.methods._layout import Layout
from personax.crl.methods._linear import principal
from personax.crl.methods._networks import Blocks, Decoders, divergence, draw, encoder, split_gaussian
from personax.crl.methods.paper._flow import acyclicity
from personax.errors import InputError
from personax.registry import register

__all__ = ["IVAE", "Autoencoder", "BetaVAE", "CausalVAE"]


@register("methods", "autoencoder", title="Autoencoder", order=4)
@dataclass
class Autoencoder(TrainedMethod):
    """A bottleneck a modality, from which each of its measurements is decoded; the loss is squared error.

    Shared latents are encoded from all modalities and help to decode every measurement.

    References
    ----------
    Hinton, Salakhutdinov 2006, doi:10.1126/science.1127647; several modalities: Ngiam et al. 2011, ICML.
    """

    name = "autoencoder"

    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the untrained autoencoder."""
        return AutoencoderNet(layout)


@final
class AutoencoderNet(Network):
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


@register("methods", "betavae", title="beta-VAE", order=5)
@dataclass
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

    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the untrained autoencoder."""
        return BetaVAENet(layout, self.beta)


@final
class BetaVAENet(Network):
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


NULL: Final = 1e-9
"""Share of the largest variance from which a component is more than rounding, which no one should learn from."""


@register("methods", "ivae", title="iVAE", order=6)
@dataclass
class IVAE(TrainedMethod):
    """A variational autoencoder whose prior of a modality's latents is N(mu(u), diag sigma(u)).

    The auxiliary variable u of a modality is the first principal components of the other modalities' measurements;
    encoder and prior see it. Given u the latents are taken to be independent, which edges within a modality break.
    Shared latents are encoded from all modalities under a standard normal prior and help to decode every measurement.

    Parameters
    ----------
    components
        Most principal components in u.

    Raises
    ------
    InputError
        When fit to one modality: nothing could serve as the auxiliary variable.

    References
    ----------
    Khemakhem, Kingma, Monti, Hyvärinen 2020, arXiv:1907.04809.
    """

    components: int = 10
    name = "ivae"
    needs = "another modality as the auxiliary variable"

    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the untrained autoencoder with the components of these people."""
        if len(layout.dims) < 2:
            raise InputError("ivae takes its auxiliary variable from other modalities and was given one modality")
        return IVAENet(layout, people, self.components)


@final
class IVAENet(Network):
    """Gaussian encoders, decoders and conditional priors."""

    def __init__(self, layout: Layout, people: Batches, components: int) -> None:
        super().__init__()
        self.layout = layout
        sizes: dict[str, int] = {}
        self.priors = nn.ModuleList()
        for i, m in enumerate(layout.dims):
            others = (_others(layout, views, m).double().numpy() for views in people.chunks())
            directions, variances = principal(others, len(people), components)
            directions, variances = (x[..., variances > NULL * variances[0]] for x in (directions, variances))
            scaled = directions / np.sqrt(variances)
            self.register_buffer(f"directions_{i}", torch.from_numpy(scaled.astype(np.float32)))
            sizes[m] = directions.shape[1]
            self.priors.append(encoder(sizes[m], layout.hidden, 2 * layout.latents[m]))
        self.encoders, self.decoders = Blocks(layout, values=2, extra=sizes), Decoders(layout)

    def auxiliary(self, views: Tensors) -> dict[str, Tensor]:
        """Return u of each modality, shape (batch, components), of unit variance."""
        return {
            m: _others(self.layout, views, m) @ self.get_buffer(f"directions_{i}")
            for i, m in enumerate(self.layout.dims)
        }

    def encode(self, views: Tensors) -> Tensor:
        """Return the posterior means."""
        return split_gaussian(self.encoders(views, self.auxiliary(views)))[0]

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return minus the evidence's lower bound."""
        u = self.auxiliary(views)
        mean, logvar = split_gaussian(self.encoders(views, u))
        prior = self.prior(u)
        error = self.decoders.error(draw(mean, logvar, generator), views)
        return 0.5 * error + divergence(mean, logvar, prior)

    def prior(self, u: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of all latents' prior, shape (batch, d); shared ones are standard normal."""
        first = next(iter(u.values()))
        found = [first.new_zeros(len(first), 2, self.layout.shared)]
        found += [net(x).unflatten(1, (2, -1)) for net, x in zip(self.priors, u.values(), strict=True)]
        return split_gaussian(torch.cat(found, dim=2))


def _others(layout: Layout, views: Tensors, modality: str) -> Tensor:
    return torch.cat([views[m][k] for m, by in layout.dims.items() if m != modality for k in by], dim=1)


@register("methods", "causalvae", title="CausalVAE", order=7)
@dataclass
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

    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the untrained autoencoder."""
        return CausalVAENet(layout, self.acyclic, self.mask)


@final
class CausalVAENet(Network):
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
