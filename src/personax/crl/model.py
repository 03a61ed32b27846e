"""The model: latents of each modality, latents that all modalities share, noise of each measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor, nn

from personax.crl.flow import StructuralFlow
from personax.crl.images import ImageDecoder, ImageEncoder, Pixels
from personax.crl.modules import GaussianEncoder, MLPs
from personax.crl.prior import Prior

__all__ = ["Inferred", "LatentModel", "Layout", "draw_weights"]

Views = Mapping[str, Mapping[str, Tensor]]
"""Modality -> measurement -> (batch, dim)."""

Belief = tuple[Tensor, Tensor]
"""Mean and log-variance."""


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

    def alike(self) -> list[list[tuple[str, str]]]:
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

    def dearness(self) -> Tensor:
        """Return how many times as dear as others each edge is, shape (d, d)."""
        d = len(self.names)
        return torch.ones(d, d) if self.prior is None else torch.from_numpy(self.prior.dearness(self.names)).float()


@dataclass(frozen=True)
class Inferred:
    """What the encoders say of a batch.

    Parameters
    ----------
    mean, logvar
        Of the latents, shape (batch, d), in the order of ``Layout.names``.
    eta
        (modality, measurement) -> mean and log-variance of the measurement's own noise.
    """

    mean: Tensor
    logvar: Tensor
    eta: Mapping[tuple[str, str], tuple[Tensor, Tensor]]


@final
class LatentModel(nn.Module):
    """Encoders, decoders and the structural flow.

    Measurements of one modality infer the same latents, and all measurements the shared ones; their Gaussian beliefs
    are multiplied with the standard normal (product of experts; Wu, Goodman 2018, arXiv:1802.05335).
    """

    dearness: Tensor

    def __init__(self, layout: Layout, *, generator: torch.Generator) -> None:
        super().__init__()
        self.layout = layout
        self.groups = layout.alike()
        self.encoders, self.decoders = nn.ModuleList(), nn.ModuleList()
        for group in self.groups:
            modality, name = group[0]
            dim, size = layout.dims[modality][name], layout.size(modality)
            pixels = layout.images.get(modality, {}).get(name)
            if pixels is None:
                self.encoders.append(GaussianEncoder(len(group), dim, layout.hidden, size))
                self.decoders.append(MLPs(len(group), size, layout.hidden, layout.hidden, dim))
            else:
                self.encoders.append(ImageEncoder(pixels, layout.hidden, size))
                self.decoders.append(ImageDecoder(size, layout.hidden, pixels))
        self.register_buffer("dearness", layout.dearness(), persistent=False)
        self.flow = StructuralFlow(layout.allowed(), 16, generator=generator)
        draw_weights(self, generator)

    def infer(self, views: Views) -> Inferred:
        """Return beliefs about latents and measurement noise."""
        split = self.layout.shared
        beliefs: dict[tuple[str, str], Belief] = {}
        for encoder, group in zip(self.encoders, self.groups, strict=True):
            mean, logvar = encoder(torch.stack([views[m][k] for m, k in group]))
            beliefs.update(zip(group, zip(mean, logvar, strict=True), strict=True))
        together = [_product([_part(belief, 0, split) for belief in beliefs.values()])]
        eta: dict[tuple[str, str], Belief] = {}
        for modality, by in self.layout.dims.items():
            stop = split + self.layout.latents[modality]
            together.append(_product([_part(beliefs[modality, name], split, stop) for name in by]))
            eta |= {(modality, name): _part(beliefs[modality, name], stop, None) for name in by}
        mean, logvar = (torch.cat([pair[i] for pair in together], dim=1) for i in (0, 1))
        return Inferred(mean, logvar, eta)

    def decode(self, latents: Tensor, eta: Mapping[tuple[str, str], Tensor]) -> dict[tuple[str, str], Tensor]:
        """Return each measurement's reconstruction, shape (batch, dim)."""
        split = self.layout.shared
        sizes = [self.layout.latents[modality] for modality in self.layout.dims]
        own = dict(zip(self.layout.dims, torch.split(latents[:, split:], sizes, dim=1), strict=True))
        rebuilt: dict[tuple[str, str], Tensor] = {}
        for decoder, group in zip(self.decoders, self.groups, strict=True):
            seen = [torch.cat([latents[:, :split], own[m], eta[m, k]], dim=1) for m, k in group]
            rebuilt.update(zip(group, decoder(torch.stack(seen)), strict=True))
        return rebuilt


def _part(belief: Belief, start: int, stop: int | None) -> Belief:
    """Return the belief about some of the variables."""
    mean, logvar = belief
    return mean[:, start:stop], logvar[:, start:stop]


def _product(beliefs: list[Belief]) -> Belief:
    """Multiply Gaussian beliefs with the standard normal; precisions add."""
    precision = 1 + sum((torch.exp(-logvar) for _, logvar in beliefs), beliefs[0][0].new_zeros(()))
    mean = sum((mean * torch.exp(-logvar) for mean, logvar in beliefs), beliefs[0][0].new_zeros(())) / precision
    return mean, -torch.log(precision)


def draw_weights(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of all layers anew from the generator, so that nothing depends on global state."""
    for layer in module.modules():
        if isinstance(layer, MLPs):
            layer.draw(generator)
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            bound = layer.weight[0].numel() ** -0.5
            with torch.no_grad():
                layer.weight.uniform_(-bound, bound, generator=generator)
                if layer.bias is not None:
                    layer.bias.zero_()
