"""The model: latents of each modality, latents that all modalities share, noise of each measurement.

Images come flattened and without their constant pixels, and may be read and decoded by convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import torch
from torch import Tensor, nn

from personax.crl.methods._layout import Layout, Pixels
from personax.crl.methods._networks import LOGVAR_RANGE, GaussianEncoder, MLPs, draw_weights
from personax.crl.methods.paper._flow import StructuralFlow

__all__ = ["ImageDecoder", "ImageEncoder", "Inferred", "LatentModel"]

CHANNELS: Final = (16, 32)
"""Of the two layers, each of which halves height and width."""


@final
class ImageEncoder(nn.Module):
    """An image -> mean and log-variance of its latents.

    Parameters
    ----------
    pixels
        Of the image.
    hidden, latents
        Sizes.
    """

    kept: Tensor

    def __init__(self, pixels: Pixels, hidden: int, latents: int) -> None:
        super().__init__()
        self.shape = pixels.shape
        self.register_buffer("kept", torch.tensor(pixels.kept))
        first, second = CHANNELS
        height, width = pixels.coarse
        self.net = nn.Sequential(
            nn.Conv2d(pixels.shape[0], first, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(second * height * width, hidden),
            nn.GELU(),
            nn.Linear(hidden, 2 * latents),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each of shape (1, batch, latents), for x of shape (1, batch, numbers kept)."""
        channels, height, width = self.shape
        flat = x.new_zeros(x.shape[1], channels * height * width).index_copy(1, self.kept, x[0])
        mean, logvar = self.net(flat.view(-1, *self.shape)).to(x.dtype).unsqueeze(0).chunk(2, dim=-1)
        return mean, torch.clamp(logvar, *LOGVAR_RANGE)


@final
class ImageDecoder(nn.Module):
    """Latents and noise -> an image's numbers.

    Parameters
    ----------
    inputs, hidden
        Sizes.
    pixels
        Of the image.
    """

    kept: Tensor

    def __init__(self, inputs: int, hidden: int, pixels: Pixels) -> None:
        super().__init__()
        self.shape = pixels.shape
        self.register_buffer("kept", torch.tensor(pixels.kept))
        first, second = CHANNELS
        height, width = pixels.coarse
        self.net = nn.Sequential(
            nn.Linear(inputs, hidden),
            nn.GELU(),
            nn.Linear(hidden, second * height * width),
            nn.GELU(),
            nn.Unflatten(1, (second, height, width)),
            nn.ConvTranspose2d(second, first, 4, stride=2, padding=1),
            nn.GELU(),
            nn.ConvTranspose2d(first, pixels.shape[0], 4, stride=2, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return shape (1, batch, numbers kept) for x of shape (1, batch, inputs)."""
        _, height, width = self.shape
        image: Tensor = self.net(x[0]).to(x.dtype)[:, :, :height, :width]
        return image.flatten(1)[:, self.kept].unsqueeze(0)


Views = Mapping[str, Mapping[str, Tensor]]
"""Modality -> measurement -> (batch, dim)."""

Belief = tuple[Tensor, Tensor]
"""Mean and log-variance."""


@dataclass(frozen=True)
class Inferred:
    """Posterior means and log-variances of a batch.

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

    edge_penalty: Tensor

    def __init__(self, layout: Layout, *, generator: torch.Generator) -> None:
        super().__init__()
        self.layout = layout
        self.groups = layout.groups_of_equal_size()
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
        self.register_buffer("edge_penalty", layout.edge_penalty(), persistent=False)
        self.flow = StructuralFlow(layout.allowed(), 16, generator=generator)
        draw_weights(self, generator)

    def infer(self, views: Views) -> Inferred:
        """Return the posteriors of latents and measurement noise."""
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
    """Return the posterior of some of the variables."""
    mean, logvar = belief
    return mean[:, start:stop], logvar[:, start:stop]


def _product(beliefs: list[Belief]) -> Belief:
    """Multiply Gaussian posteriors with the standard normal (product of experts); precisions add."""
    # prod_k N(z; m_k, s_k^2) N(z; 0, 1) is Gaussian: precision 1 + sum_k 1 / s_k^2, mean weighted by precisions
    precision = 1 + sum((torch.exp(-logvar) for _, logvar in beliefs), beliefs[0][0].new_zeros(()))
    mean = sum((mean * torch.exp(-logvar) for mean, logvar in beliefs), beliefs[0][0].new_zeros(())) / precision
    return mean, -torch.log(precision)
