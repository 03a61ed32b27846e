"""Smooth networks with exact Jacobians, and latents that are standardised."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor, nn

from personax.crl.staged.batched import drawn

__all__ = ["Smooth", "standard"]


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
        self.enter = drawn(inputs, hidden, scale=1 / math.sqrt(inputs), generator=g)
        self.enter_bias = drawn(hidden, scale=1.0, generator=g)
        self.inner = drawn(hidden, hidden, scale=1 / math.sqrt(hidden), generator=g)
        self.inner_bias = drawn(hidden, scale=0.3, generator=g)
        self.leave = drawn(hidden, outputs, scale=0.3 / math.sqrt(hidden), generator=g)
        self.leave_bias = nn.Parameter(torch.zeros(outputs, device=g.device))
        self.straight = drawn(inputs, outputs, scale=0.1 / math.sqrt(inputs), generator=g)

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


def standard(v: Tensor) -> Tensor:
    """Return columns of mean 0 and variance 1; a constant one stays 0."""
    return (v - v.mean(0)) / v.std(0).clamp_min(1e-8)
