"""Convolutional encoders and decoders of images, which come flattened and without their constant pixels."""

from __future__ import annotations

from typing import Final, final

import torch
from torch import Tensor, nn

from personax.crl.methods._layout import Pixels
from personax.crl.methods._networks import LOGVAR_RANGE

__all__ = ["ImageDecoder", "ImageEncoder"]

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
