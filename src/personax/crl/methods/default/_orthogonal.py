"""Latents that edges across modalities do not determine: orthogonal to those that they do.

The assumption is that of independent mechanisms (Gresele et al. 2021, arXiv:2106.05200): latents move a measurement in
orthogonal directions. In the metric ``J J'`` that the mean measurement pulls back to the latents, the gradients of two
latents are then orthogonal. Given latents that are settled, a further one in one dimension is unique by that, up to an
invertible map of its own.
"""

from __future__ import annotations

from typing import Final, final

import torch
from torch import Tensor, nn

from personax.crl._device import CPU, integers
from personax.crl._optimiser import minimise
from personax.crl.methods.default._networks import Smooth, standardise

__all__ = ["OrthogonalLatent", "fit_orthogonal_latents", "inverse_metric"]

RIDGE: Final = 1e-3
"""Of the mean diagonal of the metric: a direction that moves nothing must not divide by zero."""

STEPS: Final = 1500
BATCH: Final = 512
RATE: Final = 5e-3
HIDDEN: Final = 32

REGRESSION: Final = (3000, 256, 3e-3, 96)
"""Steps, batch, rate and width of the regression of a measurement on latents."""


def inverse_metric(
    latents: Tensor, targets: Tensor, share: float, *, generator: torch.Generator, device: torch.device = CPU
) -> Tensor:
    """Return the inverse of the metric at each person, shape (n, d, d); its (i, j) is <grad i, grad j>."""
    full, batch, rate, hidden = REGRESSION
    steps = max(1, round(share * full))
    mean = Smooth(latents.shape[1], hidden, targets.shape[1], generator=generator).to(device)
    latents, targets = latents.to(device), targets.to(device)

    def loss(_: int) -> Tensor:
        rows = integers(len(latents), batch, generator=generator).to(device)
        error: Tensor = (mean(latents[rows]) - targets[rows]).square().sum(1).mean()
        return error

    minimise(mean.parameters(), loss, steps=steps, rate=rate)
    with torch.no_grad():
        parts = (mean.jacobian(v) for v in torch.split(latents, 2048))
        metric = torch.cat([j @ j.mT for j in parts])
        ridge = RIDGE * metric.diagonal(dim1=1, dim2=2).mean(0)
        inverse: Tensor = torch.linalg.inv(metric + torch.diag(ridge))
        return inverse


@final
class OrthogonalLatent(nn.Module):
    """A function of the latents of a block whose gradient is orthogonal to those of settled ones."""

    def __init__(self, at: int, settled: list[int], *, generator: torch.Generator) -> None:
        super().__init__()
        self.at, self.settled = at, settled
        self.bend = Smooth(1 + len(settled), HIDDEN, 1, generator=generator)
        with torch.no_grad():
            self.bend.straight.zero_()
            self.bend.straight[0, 0] = 1.0

    def forward(self, latents: Tensor) -> Tensor:
        """Return shape (n,) for latents of the block, shape (n, d)."""
        bent: Tensor = self.bend(latents[:, [self.at, *self.settled]])[:, 0]
        return bent

    def fit(self, latents: Tensor, inverse: Tensor, share: float, *, generator: torch.Generator) -> float:
        """Train, and return the mean squared cosine that is left."""
        steps = max(1, round(share * STEPS))

        def loss(_: int) -> Tensor:
            rows = integers(len(latents), BATCH, generator=generator).to(latents.device)
            return self._overlap(latents[rows], inverse[rows])

        minimise(self.bend.parameters(), loss, steps=steps, rate=RATE)
        with torch.no_grad():
            return float(self._overlap(latents, inverse))

    def _overlap(self, latents: Tensor, inverse: Tensor) -> Tensor:
        # cos^2 of the angle between the function's gradient g and each settled latent's, in the metric M^-1 that the
        # measurement induces: <g, e_j>^2 / (<g, g> <e_j, e_j>), with <a, b> = a' M^-1 b and e_j the gradient of v_j
        columns = [self.at, *self.settled]
        gradient = self.bend.jacobian(latents[:, columns])[:, :, 0]
        inner = inverse[:, columns][:, :, columns]
        against = torch.einsum("bi,bij->bj", gradient, inner)
        size = (against * gradient).sum(1, keepdim=True)
        others = inner.diagonal(dim1=1, dim2=2)[:, 1:]
        overlap: Tensor = (against[:, 1:].square() / (size * others)).sum(1).mean()
        return overlap


def fit_orthogonal_latents(
    latents: Tensor,
    targets: Tensor,
    free: dict[int, list[int]],
    *,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> list[OrthogonalLatent]:
    """Fit, for each undetermined latent, a function of it and of the determined ones that it may be mixed with.

    Parameters
    ----------
    latents, targets
        Of one modality, shape (n, d) and (n, p).
    free
        Latent -> settled latents.
    share
        Of the full number of steps.
    """
    inverse = inverse_metric(standardise(latents), targets, share, generator=generator, device=device)
    seen = standardise(latents).to(device)
    found = []
    for at, settled in free.items():
        function = OrthogonalLatent(at, settled, generator=generator).to(device)
        function.fit(seen, inverse, share, generator=generator)
        found.append(function.to(CPU))
    return found
