"""The three terms: reconstruction, independence of the noise, sparsity of the graph; and no cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from personax.crl.flow import acyclicity
from personax.crl.model import LatentModel, Views

__all__ = ["PAPER", "Terms", "Weights", "terms"]


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the terms."""

    reconstruction: float
    independence: float
    sparsity: float
    acyclicity: float = 1.0


PAPER = Weights(reconstruction=1.0, independence=1e-1, sparsity=1e-2)
"""The paper's weights for its numerical data."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one batch, each a scalar.

    Parameters
    ----------
    reconstruction
        Squared error, summed over dimensions, averaged over people and measurements.
    independence
        KL from the encoder's belief about noise to the standard normal, in nats a person; the latents' belief is
        carried to noise by the flow, with its exact determinant.
    sparsity
        Expected number of open gates.
    cycles
        0 when the graph has no cycle.
    """

    reconstruction: Tensor
    independence: Tensor
    sparsity: Tensor
    cycles: Tensor

    def total(self, weights: Weights, *, cycles: float = 1.0) -> Tensor:
        """Return the objective; ``cycles`` raises the cost of cycles in the course of training."""
        return (
            weights.reconstruction * self.reconstruction
            + weights.independence * self.independence
            + weights.sparsity * self.sparsity
            + weights.acyclicity * cycles * self.cycles
        )


def terms(model: LatentModel, views: Views, generator: torch.Generator | None) -> Terms:
    """Compute the terms of a batch; without a generator at the means and the final gates."""
    inferred = model.infer(views)
    latents = _sample(inferred.mean, inferred.logvar, generator)
    mean, logvar = (torch.cat([belief[i] for belief in inferred.eta.values()], dim=1) for i in (0, 1))
    drawn = torch.split(_sample(mean, logvar, generator), model.layout.eta, dim=1)
    rebuilt = model.decode(latents, dict(zip(inferred.eta, drawn, strict=True)))
    errors = [(rebuilt[m, k] - x).square().sum(dim=1).mean() for m, by in views.items() for k, x in by.items()]
    noise, log_det = model.flow(latents, generator)
    entropy = 0.5 * (1 + math.log(2 * math.pi) + inferred.logvar).sum(dim=1)
    log_prior = -0.5 * (noise.square() + math.log(2 * math.pi)).sum(dim=1) + log_det
    of_noises = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(dim=1)
    kl = (of_noises - entropy - log_prior).mean()
    opened = model.flow.probabilities()
    return Terms(torch.stack(errors).mean(), kl, opened.sum(), acyclicity(opened.square()))


def _sample(mean: Tensor, logvar: Tensor, generator: torch.Generator | None) -> Tensor:
    if generator is None:
        return mean
    return mean + torch.exp(0.5 * logvar) * torch.randn(mean.shape, generator=generator)
