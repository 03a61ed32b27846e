"""The three terms: reconstruction, independence of the noise, sparsity of the graph; and no cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from personax.crl.device import CPU, normal, uniform
from personax.crl.flow import acyclicity
from personax.crl.model import LatentModel, Layout, Views

__all__ = ["PAPER", "Noise", "Terms", "Weights", "draw", "terms"]


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
        Expected number of open gates, each as often as its edge is dear.
    cycles
        0 when the graph has no cycle.
    """

    reconstruction: Tensor
    independence: Tensor
    sparsity: Tensor
    cycles: Tensor

    def total(self, weights: Weights, *, cycles: float | Tensor = 1.0) -> Tensor:
        """Return the objective; ``cycles`` raises the cost of cycles in the course of training."""
        return (
            weights.reconstruction * self.reconstruction
            + weights.independence * self.independence
            + weights.sparsity * self.sparsity
            + weights.acyclicity * cycles * self.cycles
        )


@dataclass(frozen=True, slots=True)
class Noise:
    """All that is random in a step; drawn outside of it, so that a compiled step is the true one.

    Parameters
    ----------
    latents, eta
        Standard normal, shape (batch, d) and (batch, noise variables of all measurements).
    gates
        Uniform, shape (d, d).
    """

    latents: Tensor
    eta: Tensor
    gates: Tensor


def draw(layout: Layout, people: int, generator: torch.Generator, device: torch.device = CPU) -> Noise:
    """Draw the noise of a batch, and put it on a device."""
    d, measurements = len(layout.names), len(layout.measurements)
    return Noise(
        normal(people, d, generator=generator).to(device),
        normal(people, measurements * layout.eta, generator=generator).to(device),
        uniform(d, d, generator=generator).to(device),
    )


def terms(model: LatentModel, views: Views, noise: Noise | None, *, half: bool = False) -> Terms:
    """Compute the terms of a batch; without noise at the means and the final gates.

    With ``half``, products of matrices in encoders and decoders are of bfloat16 numbers; all else is of 32 bits.
    """
    kind = model.dearness.device.type
    with torch.autocast(kind, torch.bfloat16, enabled=half):
        inferred = model.infer(views)
    latents = _moved(inferred.mean, inferred.logvar, None if noise is None else noise.latents)
    mean, logvar = (torch.cat([belief[i] for belief in inferred.eta.values()], dim=1) for i in (0, 1))
    drawn = torch.split(_moved(mean, logvar, None if noise is None else noise.eta), model.layout.eta, dim=1)
    with torch.autocast(kind, torch.bfloat16, enabled=half):
        rebuilt = model.decode(latents, dict(zip(inferred.eta, drawn, strict=True)))
    errors = [(rebuilt[m, k] - x).square().sum(dim=1).mean() for m, by in views.items() for k, x in by.items()]
    eps, log_det = model.flow(latents, None if noise is None else noise.gates)
    entropy = 0.5 * (1 + math.log(2 * math.pi) + inferred.logvar).sum(dim=1)
    log_prior = -0.5 * (eps.square() + math.log(2 * math.pi)).sum(dim=1) + log_det
    of_noises = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(dim=1)
    kl = (of_noises - entropy - log_prior).mean()
    opened = model.flow.probabilities()
    return Terms(torch.stack(errors).mean(), kl, (opened * model.dearness).sum(), acyclicity(opened.square()))


def _moved(mean: Tensor, logvar: Tensor, noise: Tensor | None) -> Tensor:
    return mean if noise is None else mean + torch.exp(0.5 * logvar) * noise
