"""Stage four: the graph among latents that are found, and their exogenous noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl.flow import StructuralFlow, acyclicity

__all__ = ["Structure", "fit_structure"]

STEPS: Final = 2500
BATCH: Final = 512
RATE: Final = 5e-3
GATE_RATE: Final = 5e-2
HIDDEN: Final = 16
ACROSS: Final = 0.01
WITHIN: Final = 0.005
"""Cost of an open gate in nats a person: at 10,000 people an edge has to be worth some hundred nats in all."""
CYCLES: Final = 10.0


@dataclass(frozen=True)
class Structure:
    """The fitted flow; ``adjacency`` has shape (d, d), rows are children: probability that the gate is open."""

    flow: StructuralFlow
    adjacency: NDArray[np.float64]

    def noise(self, latents: Tensor) -> Tensor:
        """Return the exogenous noise, shape (n, d)."""
        with torch.no_grad():
            noise: Tensor = self.flow(latents)[0]
            return noise


def fit_structure(
    latents: Tensor, block: list[int], allowed: Tensor, *, share: float = 1.0, generator: torch.Generator
) -> Structure:
    """Fit a structural flow with gated edges to latents, by likelihood, the fewest edges and no cycles.

    Parameters
    ----------
    latents
        Shape (n, d), of mean 0 and variance 1.
    block
        Of each latent the index of its modality.
    allowed
        Which edges may be, shape (d, d), rows are children.
    share
        Of the full number of steps.
    """
    steps = max(1, round(share * STEPS))
    flow = StructuralFlow(allowed, HIDDEN, stretch=True, generator=generator)
    with torch.no_grad():
        flow.gate_logits.fill_(2.0)
    of = torch.tensor(block)
    cost = torch.where(of[:, None] == of[None, :], WITHIN, ACROSS)
    others = [p for p in flow.parameters() if p is not flow.gate_logits]
    optimiser = torch.optim.Adam([{"params": others, "lr": RATE}, {"params": [flow.gate_logits], "lr": GATE_RATE}])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for at in range(steps):
        rows = torch.randint(len(latents), (BATCH,), generator=generator)
        noise, log_det = flow(latents[rows], generator)
        likelihood = (-0.5 * noise.square().sum(1) + log_det).mean()
        opened = flow.probabilities()
        full = min(1.0, 2 * at / steps)
        loss = -likelihood + full * ((cost * opened).sum() + CYCLES * acyclicity(opened.square()))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 10.0)
        optimiser.step()
        schedule.step()
    if not all(math.isfinite(float(p.detach().sum())) for p in flow.parameters()):
        raise FloatingPointError
    return Structure(flow, flow.probabilities().detach().double().numpy())
