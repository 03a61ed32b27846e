"""The density of every latent given any set of the others, learned all at once with random masks.

One network a latent is asked with a mask: it sees the parents that the mask lets through, and the mask. Trained with
masks at random, it answers for any parents without being trained again. Every latent is, after a rising map of its own,
a mixture of Gaussians, which depends on the mask alone, moved and stretched by the parents. The map is the same
whatever the parents: latents are found up to such maps, and their scale must not decide which way an edge points. For
location-scale noise a direction is identified from the joint density except in special cases (Immer et al. 2023,
arXiv:2210.09054); for one after a rising map likewise (post-nonlinear: Zhang, Hyvarinen 2009, arXiv:1205.2599).
"""

from __future__ import annotations

import copy
import math
from typing import Final, final

import torch
from torch import Tensor, nn

from personax.crl._device import CPU, integers, uniform
from personax.crl._optimiser import minimise
from personax.crl.methods.default._networks import BatchedMLP, keep_restarts

__all__ = ["MOST_PARENTS", "Conditionals", "fit_conditionals"]

MOST_PARENTS: Final = 4

HIDDEN: Final = 32
SHAPE_HIDDEN: Final = 16
MIXTURE: Final = 4
BENDS: Final = 4
"""Steps of each latent's own rising map."""

STEPS: Final = 2000
BATCH: Final = 256
RATE: Final = 5e-3
CLIP: Final = 10.0
LONGEST: Final = 5.0
"""Largest logarithm of a scale."""

HALF_LOG_TWO_PI: Final = 0.5 * math.log(2 * math.pi)


@final
class Conditionals(nn.Module):
    """Densities of d latents given masked others, in independent copies.

    Parameters
    ----------
    copies
        Models side by side, each learned from people of its own.
    d
        Latents.
    generator
        Draws the first weights.
    """

    def __init__(self, copies: int, d: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.copies, self.d = copies, d
        self.move = BatchedMLP(copies * d, 2 * d, HIDDEN, 2, generator=generator)
        self.shape = BatchedMLP(copies * d, d, SHAPE_HIDDEN, 3 * MIXTURE, generator=generator)
        self.rise = nn.Parameter(torch.full((copies * d, 1, BENDS), -3.0, device=CPU))
        self.steepness = nn.Parameter(torch.zeros(copies * d, 1, BENDS, device=CPU))
        self.places = nn.Parameter(torch.linspace(-1.5, 1.5, BENDS, device=CPU).repeat(copies * d, 1, 1))

    def forward(self, v: Tensor, masks: Tensor) -> Tensor:
        """Return log densities, shape (copies, d, n).

        Parameters
        ----------
        v
            Latents, shape (copies, n, d).
        masks
            1 where a latent is given, shape (copies, d, n, d): whose density, person, given what.
        """
        mean, log_scale, centres, log_widths, log_weights = self._parts(v, masks)
        mapped, log_slope = self._map(v)
        noise = (mapped - mean) * torch.exp(-log_scale)
        apart = (noise.unsqueeze(-1) - centres) * torch.exp(-log_widths)
        each = log_weights - 0.5 * apart.square() - log_widths
        return torch.logsumexp(each, -1) - log_scale - HALF_LOG_TWO_PI + log_slope

    def noise(self, v: Tensor, masks: Tensor) -> Tensor:
        """Return each latent's rank given its parents as a standard normal number, shape (copies, d, n)."""
        mean, log_scale, centres, log_widths, log_weights = self._parts(v, masks)
        noise = (self._map(v)[0] - mean) * torch.exp(-log_scale)
        below = torch.special.ndtr(((noise.unsqueeze(-1) - centres) * torch.exp(-log_widths)).double())
        rank = (log_weights.double().exp() * below).sum(-1)
        normal: Tensor = torch.special.ndtri(rank.clamp(1e-12, 1 - 1e-12))
        return normal.float()

    def copy(self, which: list[int]) -> Conditionals:
        """Return some of the copies as a model of their own."""
        chosen = copy.deepcopy(self)
        chosen.copies = len(which)
        keep_restarts(chosen, [at * self.d + i for at in which for i in range(self.d)])
        return chosen

    def _map(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return each latent after its rising map, and the logarithm of the slope there, shape (copies, d, n)."""
        x = v.mT.reshape(self.copies * self.d, -1, 1)
        rise, steepness = nn.functional.softplus(self.rise), nn.functional.softplus(self.steepness)
        bent = torch.tanh(steepness * (x - self.places))
        slope = 1 + (rise * steepness * (1 - bent.square())).sum(-1)
        mapped = x[..., 0] + (rise * bent).sum(-1)
        return mapped.view(self.copies, self.d, -1), slope.log().view(self.copies, self.d, -1)

    def _parts(self, v: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        c, d, n, _ = masks.shape
        flat = masks.reshape(c * d, n, d)
        given = (v.unsqueeze(1) * masks).reshape(c * d, n, d)
        mean, log_scale = self.move(torch.cat([given, flat], -1)).view(c, d, n, 2).unbind(-1)
        # a network with nothing but the mask: without parents a marginal may be of any shape, given them it is noise
        parts = self.shape(flat).view(c, d, n, 3 * MIXTURE)
        centres, log_widths, weights = torch.split(parts, MIXTURE, dim=-1)
        centres = centres + torch.linspace(-1.5, 1.5, MIXTURE, device=v.device)
        log_scale = LONGEST * torch.tanh(log_scale / LONGEST)
        log_widths = LONGEST * torch.tanh(log_widths / LONGEST)
        return mean, log_scale, centres, log_widths, torch.log_softmax(weights, -1)


def fit_conditionals(
    v: Tensor,
    folds: list[Tensor],
    allowed: Tensor,
    *,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> Conditionals:
    """Fit one copy to the people of each fold, by likelihood under random masks; the model stays on the device.

    Parameters
    ----------
    v
        Latents, shape (n, d), of mean 0 and variance 1.
    folds
        Rows of each copy's people.
    allowed
        Which latents may be given, shape (d, d), rows are children.
    share
        Of the full number of steps.

    Raises
    ------
    FloatingPointError
        When training diverges.
    """
    d, copies = v.shape[1], len(folds)
    model, v = Conditionals(copies, d, generator=generator).to(device), v.to(device)
    steps = max(1, round(share * STEPS))
    may = allowed * (1 - torch.eye(d, device=CPU))

    def loss(_: int) -> Tensor:
        rows = torch.stack([fold[integers(len(fold), BATCH, generator=generator)] for fold in folds])
        # sets of all sizes equally often, so that small ones, which graphs are made of, are learned as well
        size = integers(min(d, MOST_PARENTS + 1), copies, d, BATCH, 1, generator=generator)
        order = uniform(copies, d, BATCH, d, generator=generator) * may[:, None, :]
        masks = (order.argsort(-1).argsort(-1) >= d - size).float() * may[:, None, :]
        negative: Tensor = -model(v[rows.to(device)], masks.to(device)).mean((0, 2)).sum()
        return negative

    minimise(model.parameters(), loss, steps=steps, rate=RATE, clip=CLIP)
    if not all(bool(p.isfinite().all()) for p in model.parameters()):
        raise FloatingPointError
    return model
