"""The three terms: reconstruction, independence of the noise, sparsity of the graph; and no cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from personax.crl._device import CPU, normal, uniform
from personax.crl.methods._layout import Layout
from personax.crl.methods.paper._flow import acyclicity
from personax.crl.methods.paper._model import LatentModel, Views

__all__ = ["PAPER", "Noise", "PaperObjective", "Terms", "Weights", "draw", "terms"]


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
        Expected number of open gates, each weighted by its edge's penalty.
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
    """The random numbers of a step; drawn outside of it, so that a compiled step is the true one.

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
    kind = model.edge_penalty.device.type
    with torch.autocast(kind, torch.bfloat16, enabled=half):
        inferred = model.infer(views)
    latents = _moved(inferred.mean, inferred.logvar, None if noise is None else noise.latents)
    mean, logvar = (torch.cat([belief[i] for belief in inferred.eta.values()], dim=1) for i in (0, 1))
    drawn = torch.split(_moved(mean, logvar, None if noise is None else noise.eta), model.layout.eta, dim=1)
    with torch.autocast(kind, torch.bfloat16, enabled=half):
        rebuilt = model.decode(latents, dict(zip(inferred.eta, drawn, strict=True)))
    errors = [(rebuilt[m, k] - x).square().sum(dim=1).mean() for m, by in views.items() for k, x in by.items()]
    eps, log_det = model.flow(latents, None if noise is None else noise.gates)
    # KL(q(z) || p(z)) = -H(q) - E_q log p(z). With z of Gaussian q, H = sum_i (1 + log 2 pi + logvar_i) / 2; p is the
    # standard normal of eps = flow(z) carried back: log p(z) = log N(eps; 0, I) + log |det d eps / d z|, at one draw.
    # Of the noises eta, whose prior is standard normal, the divergence is (mean^2 + var - 1 - logvar) / 2 each.
    entropy = 0.5 * (1 + math.log(2 * math.pi) + inferred.logvar).sum(dim=1)
    log_prior = -0.5 * (eps.square() + math.log(2 * math.pi)).sum(dim=1) + log_det
    of_noises = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(dim=1)
    kl = (of_noises - entropy - log_prior).mean()
    opened = model.flow.probabilities()
    return Terms(torch.stack(errors).mean(), kl, (opened * model.edge_penalty).sum(), acyclicity(opened.square()))


def _moved(mean: Tensor, logvar: Tensor, noise: Tensor | None) -> Tensor:
    return mean if noise is None else mean + torch.exp(0.5 * logvar) * noise


class PaperObjective:
    """The objective as the trainer takes it; the cost of cycles rises with the share of epochs done.

    Parameters
    ----------
    model
        On the device where it is trained.
    weights
        Of the terms.
    half
        Whether matrix products of training steps are in bfloat16; validation is always in 32 bits.
    """

    terms: tuple[str, ...] = ("reconstruction", "independence", "sparsity", "cycles")

    def __init__(self, model: LatentModel, weights: Weights, *, half: bool = False) -> None:
        self.model, self.weights, self.half = model, weights, half

    def noise(self, people: int, generator: torch.Generator) -> Noise:
        """Draw the noise of a batch."""
        return draw(self.model.layout, people, generator, self.model.edge_penalty.device)

    def loss(self, views: Views, noise: Noise, done: Tensor) -> tuple[Tensor, Tensor]:
        """Return the objective and its four terms, shape (4,)."""
        found = terms(self.model, views, noise, half=self.half)
        parts = torch.stack([found.reconstruction, found.independence, found.sparsity, found.cycles])
        return found.total(self.weights, cycles=done), parts.detach()

    def validate(self, views: Views, noise: Noise) -> dict[str, float]:
        """Return the whole objective and the error of reconstruction."""
        found = terms(self.model, views, noise)
        total = float(found.total(self.weights))
        return {"validation": total, "validation_reconstruction": float(found.reconstruction)}
