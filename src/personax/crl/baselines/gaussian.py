"""Gaussian beliefs: draws and divergences."""

from __future__ import annotations

import torch
from torch import Tensor

from personax.crl.device import normal

__all__ = ["divergence", "draw"]


def draw(mean: Tensor, logvar: Tensor, generator: torch.Generator) -> Tensor:
    """Draw once from each belief, so that gradients pass (Kingma, Welling 2014, arXiv:1312.6114)."""
    return mean + torch.exp(0.5 * logvar) * normal(*mean.shape, generator=generator).to(mean.device)


def divergence(mean: Tensor, logvar: Tensor, prior: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Return KL(N(mean, e^logvar) || prior) in nats a person, summed over latents and averaged over people.

    Parameters
    ----------
    mean, logvar
        Shape (batch, d).
    prior
        Its mean and log-variance, of the same shape; the standard normal when left out.
    """
    if prior is None:
        return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(dim=1).mean()
    centre, spread = prior
    distance = ((mean - centre).square() + logvar.exp()) / spread.exp()
    return 0.5 * (distance - 1 + spread - logvar).sum(dim=1).mean()
