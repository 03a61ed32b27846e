"""Encoders and decoders, one pair a measurement."""

from __future__ import annotations

from typing import Final, final

import torch
from torch import Tensor, nn

__all__ = ["GaussianEncoder", "mlp"]

LOGVAR_RANGE: Final = (-8.0, 2.0)


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return inputs -> hidden -> hidden -> outputs with GELU between."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, outputs)
    )


@final
class GaussianEncoder(nn.Module):
    """A vector -> mean and log-variance of its latents.

    Parameters
    ----------
    inputs, hidden, latents
        Sizes.
    """

    def __init__(self, inputs: int, hidden: int, latents: int) -> None:
        super().__init__()
        self.net = mlp(inputs, hidden, 2 * latents)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each of shape (batch, latents), for x of shape (batch, inputs)."""
        mean, logvar = self.net(x).chunk(2, dim=-1)
        return mean, torch.clamp(logvar, *LOGVAR_RANGE)
