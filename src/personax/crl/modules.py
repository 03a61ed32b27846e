"""Encoders and decoders, one pair a measurement; those of the same sizes are computed side by side."""

from __future__ import annotations

import itertools
from typing import Final, final

import torch
from torch import Tensor, nn

__all__ = ["GaussianEncoder", "MLPs", "mlp"]

LOGVAR_RANGE: Final = (-8.0, 2.0)


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return inputs -> hidden -> hidden -> outputs with GELU between."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, outputs)
    )


@final
class MLPs(nn.Module):
    """Several networks like `mlp`, each with an input of its own, computed in one pass.

    Small networks cost more in calls than in arithmetic.

    Parameters
    ----------
    count
        Networks.
    sizes
        Length of the input, of the layers between, and of the output.
    """

    def __init__(self, count: int, *sizes: int) -> None:
        super().__init__()
        self.weights = nn.ParameterList(torch.empty(count, *pair) for pair in itertools.pairwise(sizes))
        self.biases = nn.ParameterList(torch.zeros(count, 1, size) for size in sizes[1:])

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights anew, as `draw_weights` does for other layers."""
        with torch.no_grad():
            for weight, bias in zip(self.weights, self.biases, strict=True):
                bound = weight.shape[1] ** -0.5
                weight.uniform_(-bound, bound, generator=generator)
                bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return shape (count, batch, outputs) for x of shape (count, batch, inputs)."""
        dtype = x.dtype
        *inner, last = zip(self.biases, self.weights, strict=True)
        for bias, weight in inner:
            x = nn.functional.gelu(torch.baddbmm(bias, x, weight))
        return torch.baddbmm(last[0], x, last[1]).to(dtype)


@final
class GaussianEncoder(nn.Module):
    """Vectors of measurements of the same sizes -> means and log-variances of their latents.

    Parameters
    ----------
    count
        Measurements.
    inputs, hidden, latents
        Sizes.
    """

    def __init__(self, count: int, inputs: int, hidden: int, latents: int) -> None:
        super().__init__()
        self.nets = MLPs(count, inputs, hidden, hidden, 2 * latents)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, shape (count, batch, latents), for x of shape (count, batch, inputs)."""
        mean, logvar = self.nets(x).chunk(2, dim=-1)
        return mean, torch.clamp(logvar, *LOGVAR_RANGE)
