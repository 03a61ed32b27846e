"""The identifiable VAE: other modalities serve as the auxiliary variable that tells latents apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
import torch
from torch import Tensor, nn

from personax.crl.baselines.base import Learner, TrainedMethod
from personax.crl.baselines.gaussian import divergence, draw
from personax.crl.baselines.linear import principal
from personax.crl.baselines.nets import Blocks, Decoders, encoder, split_gaussian
from personax.crl.model import Layout
from personax.crl.people import People, Tensors
from personax.errors import InputError

__all__ = ["IVAE"]

NULL: Final = 1e-9
"""Share of the largest variance from which a component is more than rounding, which no one should learn from."""


@dataclass(frozen=True)
class IVAE(TrainedMethod):
    """A variational autoencoder whose prior of a modality's latents is N(mu(u), diag sigma(u)).

    The auxiliary variable u of a modality is the first principal components of the other modalities' measurements;
    encoder and prior see it. Given u the latents are taken to be independent, which edges within a modality break.
    Shared latents are encoded from all modalities under a standard normal prior and help to decode every measurement.

    Parameters
    ----------
    components
        Most principal components in u.

    Raises
    ------
    InputError
        When fit to one modality: nothing could serve as the auxiliary variable.

    References
    ----------
    Khemakhem, Kingma, Monti, Hyvärinen 2020, arXiv:1907.04809.
    """

    components: int = 10
    name = "ivae"
    needs = "another modality as the auxiliary variable"

    def build(self, layout: Layout, people: People) -> Learner:
        """Return the untrained autoencoder with the components of these people."""
        if len(layout.dims) < 2:
            raise InputError("ivae takes its auxiliary variable from other modalities and was given one modality")
        return IVAENet(layout, people, self.components)


@final
class IVAENet(Learner):
    """Gaussian encoders, decoders and conditional priors."""

    def __init__(self, layout: Layout, people: People, components: int) -> None:
        super().__init__()
        self.layout = layout
        sizes: dict[str, int] = {}
        self.priors = nn.ModuleList()
        for i, m in enumerate(layout.dims):
            others = (_others(layout, views, m).double().numpy() for views in people.chunks())
            directions, variances = principal(others, len(people), components)
            directions, variances = (x[..., variances > NULL * variances[0]] for x in (directions, variances))
            scaled = directions / np.sqrt(variances)
            self.register_buffer(f"directions_{i}", torch.from_numpy(scaled.astype(np.float32)))
            sizes[m] = directions.shape[1]
            self.priors.append(encoder(sizes[m], layout.hidden, 2 * layout.latents[m]))
        self.encoders, self.decoders = Blocks(layout, values=2, extra=sizes), Decoders(layout)

    def auxiliary(self, views: Tensors) -> dict[str, Tensor]:
        """Return u of each modality, shape (batch, components), of unit variance."""
        return {
            m: _others(self.layout, views, m) @ self.get_buffer(f"directions_{i}")
            for i, m in enumerate(self.layout.dims)
        }

    def encode(self, views: Tensors) -> Tensor:
        """Return the posterior means."""
        return split_gaussian(self.encoders(views, self.auxiliary(views)))[0]

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return minus the evidence's lower bound."""
        u = self.auxiliary(views)
        mean, logvar = split_gaussian(self.encoders(views, u))
        prior = self.prior(u)
        error = self.decoders.error(draw(mean, logvar, generator), views)
        return 0.5 * error + divergence(mean, logvar, prior)

    def prior(self, u: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of all latents' prior, shape (batch, d); shared ones are standard normal."""
        first = next(iter(u.values()))
        found = [first.new_zeros(len(first), 2, self.layout.shared)]
        found += [net(x).unflatten(1, (2, -1)) for net, x in zip(self.priors, u.values(), strict=True)]
        return split_gaussian(torch.cat(found, dim=2))


def _others(layout: Layout, views: Tensors, modality: str) -> Tensor:
    return torch.cat([views[m][k] for m, by in layout.dims.items() if m != modality for k in by], dim=1)
