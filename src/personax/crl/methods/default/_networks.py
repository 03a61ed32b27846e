"""Networks of many restarts side by side, and smooth networks with exact Jacobians."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import final

import torch
from torch import Tensor, nn

from personax.crl._device import normal
from personax.crl._scaler import CHUNK

__all__ = ["BatchedMLP", "Smooth", "gaussian_parameter", "in_chunks", "keep_restarts", "standardise"]


@final
class Smooth(nn.Module):
    """A network of two hidden layers of tanh beside a linear map, and its exact Jacobian.

    Parameters
    ----------
    inputs, hidden, outputs
        Sizes.
    generator
        Draws the first weights.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, *, generator: torch.Generator) -> None:
        super().__init__()
        g = generator
        self.enter = gaussian_parameter(inputs, hidden, scale=1 / math.sqrt(inputs), generator=g)
        self.enter_bias = gaussian_parameter(hidden, scale=1.0, generator=g)
        self.inner = gaussian_parameter(hidden, hidden, scale=1 / math.sqrt(hidden), generator=g)
        self.inner_bias = gaussian_parameter(hidden, scale=0.3, generator=g)
        self.leave = gaussian_parameter(hidden, outputs, scale=0.3 / math.sqrt(hidden), generator=g)
        self.leave_bias = nn.Parameter(torch.zeros(outputs, device=g.device))
        self.straight = gaussian_parameter(inputs, outputs, scale=0.1 / math.sqrt(inputs), generator=g)

    def forward(self, x: Tensor) -> Tensor:
        """Return shape (batch, outputs) for x of shape (batch, inputs)."""
        hidden = torch.tanh(torch.tanh(x @ self.enter + self.enter_bias) @ self.inner + self.inner_bias)
        return hidden @ self.leave + x @ self.straight + self.leave_bias

    def jacobian(self, x: Tensor) -> Tensor:
        """Return d output / d input, shape (batch, inputs, outputs)."""
        first = torch.tanh(x @ self.enter + self.enter_bias)
        second = torch.tanh(first @ self.inner + self.inner_bias)
        moved = (1 - first.square()).unsqueeze(1) * self.enter
        moved = (1 - second.square()).unsqueeze(1) * (moved @ self.inner)
        return moved @ self.leave + self.straight


def standardise(v: Tensor) -> Tensor:
    """Return columns of mean 0 and variance 1; a constant one stays 0."""
    return (v - v.mean(0)) / v.std(0).clamp_min(1e-8)


def gaussian_parameter(*shape: int, scale: float, generator: torch.Generator) -> nn.Parameter:
    """Return a parameter of Gaussian numbers."""
    return nn.Parameter(scale * normal(*shape, generator=generator))


def in_chunks(read: Callable[..., Tensor], *people: Tensor) -> Tensor:
    """Apply a function of single people to many, a chunk at a time: what it holds in between stays small."""
    parts = zip(*(torch.split(x, CHUNK) for x in people), strict=True)
    return torch.cat([read(*part) for part in parts])


@final
class BatchedMLP(nn.Module):
    """As many networks as restarts: two layers of SiLU beside a linear map.

    Parameters
    ----------
    restarts, inputs, hidden, outputs
        Sizes; the first axis of every parameter is the restart.
    generator
        Draws the first weights.
    """

    def __init__(self, restarts: int, inputs: int, hidden: int, outputs: int, *, generator: torch.Generator) -> None:
        super().__init__()
        g, r = generator, restarts
        self.enter = gaussian_parameter(r, inputs, hidden, scale=1 / math.sqrt(inputs), generator=g)
        self.enter_bias = gaussian_parameter(r, 1, hidden, scale=0.5, generator=g)
        self.inner = gaussian_parameter(r, hidden, hidden, scale=1 / math.sqrt(hidden), generator=g)
        self.inner_bias = gaussian_parameter(r, 1, hidden, scale=0.1, generator=g)
        self.leave = gaussian_parameter(r, hidden, outputs, scale=1 / math.sqrt(hidden), generator=g)
        self.straight = gaussian_parameter(r, inputs, outputs, scale=1 / math.sqrt(inputs), generator=g)

    def forward(self, x: Tensor) -> Tensor:
        """Return shape (restarts, batch, outputs) for x of shape (batch, inputs) or (restarts, batch, inputs)."""
        hidden = nn.functional.silu(x @ self.enter + self.enter_bias)
        hidden = nn.functional.silu(hidden @ self.inner + self.inner_bias)
        return hidden @ self.leave + x @ self.straight

    def absorb_scale(self, size: Tensor) -> None:
        """Take a scale of the inputs, shape (1, 1, inputs), into the weights; inputs of scale 0 are left out."""
        with torch.no_grad():
            used = size[0, 0] != 0
            self.enter = nn.Parameter((self.enter * size.mT)[:, used])
            self.straight = nn.Parameter((self.straight * size.mT)[:, used])


def keep_restarts(module: nn.Module, restarts: Sequence[int]) -> None:
    """Keep only some restarts of a module all of whose parameters have them as their first axis."""
    for parameter in module.parameters():
        parameter.data = parameter.data[list(restarts)].clone()
        parameter.grad = None
