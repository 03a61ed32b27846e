"""The structural flow: latents -> exogenous noise, along a learned sparse graph.

Every latent is ``v_i = f_i(its open parents) + sigma_i eps_i``. A gate on each edge is open or shut at random in
training (hard concrete; Louizos, Welling, Kingma 2018, arXiv:1712.01312); a shut gate passes exactly nothing, so that
no rescaling of the next layer can bring the edge back. The expected number of open gates is what sparsity costs.
"""

from __future__ import annotations

import math
from typing import Final, final

import torch
from torch import Tensor, nn

from personax.crl._device import normal

__all__ = ["StructuralFlow", "acyclicity"]

LOW: Final = -0.1
HIGH: Final = 1.1
TEMPERATURE: Final = 0.66


def acyclicity(weights: Tensor) -> Tensor:
    """Return a number that is 0 exactly when the weighted graph has no cycle, for non-negative weights of shape (d, d).

    References
    ----------
    Yu, Chen, Gao, Yu 2019, arXiv:1904.10098.
    """
    # trace((I + W/d)^d) = sum_k binom(d, k) trace(W^k) / d^k; for W >= 0, trace(W^k) sums the weights of all closed
    # walks of length k, so that the sum over k >= 1 is 0 exactly where no cycle is.
    d = weights.shape[0]
    step = torch.eye(d, dtype=weights.dtype, device=weights.device) + weights / d
    cycles: Tensor = torch.linalg.matrix_power(step, d).trace() - d
    return cycles


@final
class StructuralFlow(nn.Module):
    """Map latents to exogenous noise; all conditioners at once.

    Parameters
    ----------
    allowed
        Which edges may be, shape (d, d), rows are children; the diagonal is never allowed.
    hidden
        Hidden units of each conditioner.
    generator
        Draws the first weights.
    """

    allowed: Tensor

    def __init__(self, allowed: Tensor, hidden: int, *, generator: torch.Generator) -> None:
        super().__init__()
        d = len(allowed)
        self.register_buffer("allowed", allowed.float() * (1 - torch.eye(d)))
        self.gate_logits = nn.Parameter(torch.zeros(d, d))
        self.inner = nn.Parameter(normal(d, d, hidden, generator=generator) / math.sqrt(d))
        self.bias = nn.Parameter(torch.zeros(d, hidden))
        self.outer = nn.Parameter(0.1 * normal(d, hidden, generator=generator) / math.sqrt(hidden))
        self.log_sigma = nn.Parameter(torch.zeros(d))

    def probabilities(self) -> Tensor:
        """Return the probability that each gate is open, shape (d, d), rows are children."""
        shift = TEMPERATURE * math.log(-LOW / HIGH)
        return torch.sigmoid(self.gate_logits - shift) * self.allowed

    def gates(self, uniform: Tensor | None) -> Tensor:
        """Return gates in [0, 1] for uniform noise, shape (d, d); without noise those used after training."""
        if uniform is None:
            open_share = torch.sigmoid(self.gate_logits)
        else:
            u = uniform.clamp(1e-6, 1 - 1e-6)
            open_share = torch.sigmoid((torch.logit(u) + self.gate_logits) / TEMPERATURE)
        return torch.clamp(open_share * (HIGH - LOW) + LOW, 0.0, 1.0) * self.allowed

    def forward(self, latents: Tensor, uniform: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the noise, shape (batch, d), and log |det d noise / d latents|, shape (batch,).

        The determinant is exact for any graph, also before training has removed all cycles.
        """
        # noise_i = (v_i - mean_i(v)) / sigma_i, mean_i = sum_h outer_ih tanh(sum_j weights_ijh v_j + bias_ih). So
        #   d noise_i / d v_j = (1[i = j] - slope_ij) / sigma_i,  slope_ij = sum_h outer_ih (1 - tanh^2) weights_ijh
        # and log |det| = log |det(I - slope)| - sum_i log sigma_i, whether the graph has cycles or not.
        weights = self.inner * self.gates(uniform).unsqueeze(-1)
        hidden = torch.tanh(torch.einsum("bj,ijh->bih", latents, weights) + self.bias)
        mean = torch.einsum("bih,ih->bi", hidden, self.outer)
        slope = torch.einsum("ih,bih,ijh->bij", self.outer, 1 - hidden.square(), weights)
        d = latents.shape[1]
        jacobian = torch.eye(d, dtype=latents.dtype, device=latents.device) - slope
        log_det = torch.linalg.slogdet(jacobian).logabsdet - self.log_sigma.sum()
        return (latents - mean) * torch.exp(-self.log_sigma), log_det
