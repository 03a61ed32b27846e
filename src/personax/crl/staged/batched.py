"""Networks of many restarts side by side: small models cost more in overhead than in arithmetic, so they share it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import final

import torch
from torch import Tensor, nn

from personax.crl.device import normal
from personax.crl.standard import CHUNK

__all__ = ["BatchedMLP", "drawn", "in_pieces", "keep"]


def drawn(*shape: int, scale: float, generator: torch.Generator) -> nn.Parameter:
    """Return a parameter of Gaussian numbers."""
    return nn.Parameter(scale * normal(*shape, generator=generator))


def in_pieces(read: Callable[..., Tensor], *people: Tensor) -> Tensor:
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
        self.enter = drawn(r, inputs, hidden, scale=1 / math.sqrt(inputs), generator=g)
        self.enter_bias = drawn(r, 1, hidden, scale=0.5, generator=g)
        self.inner = drawn(r, hidden, hidden, scale=1 / math.sqrt(hidden), generator=g)
        self.inner_bias = drawn(r, 1, hidden, scale=0.1, generator=g)
        self.leave = drawn(r, hidden, outputs, scale=1 / math.sqrt(hidden), generator=g)
        self.straight = drawn(r, inputs, outputs, scale=1 / math.sqrt(inputs), generator=g)

    def forward(self, x: Tensor) -> Tensor:
        """Return shape (restarts, batch, outputs) for x of shape (batch, inputs) or (restarts, batch, inputs)."""
        hidden = nn.functional.silu(x @ self.enter + self.enter_bias)
        hidden = nn.functional.silu(hidden @ self.inner + self.inner_bias)
        return hidden @ self.leave + x @ self.straight

    def take(self, size: Tensor) -> None:
        """Take a scale of the inputs, shape (1, 1, inputs), into the weights; inputs of scale 0 are left out."""
        with torch.no_grad():
            used = size[0, 0] != 0
            self.enter = nn.Parameter((self.enter * size.mT)[:, used])
            self.straight = nn.Parameter((self.straight * size.mT)[:, used])


def keep(module: nn.Module, restarts: Sequence[int]) -> None:
    """Keep only some restarts of a module all of whose parameters have them as their first axis."""
    for parameter in module.parameters():
        parameter.data = parameter.data[list(restarts)].clone()
        parameter.grad = None
