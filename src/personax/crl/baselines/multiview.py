"""Multi-view contrastive learning: each set of views keeps what it has in common."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import final

import torch
from torch import Tensor, nn

from personax.crl.baselines.base import Learner, TrainedMethod
from personax.crl.baselines.contrast import info_nce
from personax.crl.baselines.nets import encoder
from personax.crl.model import Layout
from personax.crl.people import People, Tensors
from personax.errors import InputError

__all__ = ["Multiview"]


@dataclass(frozen=True)
class Multiview(TrainedMethod):
    """One encoder a measurement; what the measurements of a modality share is its block, by alignment and entropy.

    Alignment and entropy are the two parts of InfoNCE, which is summed over pairs of measurements of a modality (shared
    and own part) and, where there are shared latents, averaged over pairs of measurements of different modalities
    (shared part). A modality with one measurement is instead compared with a linear image of the other modalities'
    blocks, and keeps no more than touches them. Latents are averaged over the encoders that have them.

    Parameters
    ----------
    temperature
        Of the similarities.

    Raises
    ------
    InputError
        When fit to one modality with one measurement: there is no second view.

    References
    ----------
    Yao et al. 2024, arXiv:2311.04056.
    """

    temperature: float = 1.0
    name = "multiview"

    def build(self, layout: Layout, people: People) -> Learner:
        """Return the untrained encoders."""
        if len(layout.measurements) < 2:
            raise InputError("multiview compares measurements and was given one; add a measurement or a modality")
        return MultiviewNet(layout, self.temperature)


@final
class MultiviewNet(Learner):
    """One encoder a measurement, and a linear image of the others for every modality with one measurement."""

    def __init__(self, layout: Layout, temperature: float) -> None:
        super().__init__()
        self.layout, self.temperature = layout, temperature
        self.encoders = nn.ModuleList(
            encoder(dim, layout.hidden, layout.shared + layout.latents[m]) for m, dim in layout.measurements.values()
        )
        self.alone = [m for m, by in layout.dims.items() if len(by) == 1]
        total = sum(layout.latents[m] for m in layout.dims)
        self.images = nn.ModuleList(nn.Linear(total - layout.latents[m], layout.latents[m]) for m in self.alone)

    def encodings(self, views: Tensors) -> dict[str, list[Tensor]]:
        """Return each measurement's encoding, shape (batch, shared + own), by modality."""
        found: dict[str, list[Tensor]] = {m: [] for m in self.layout.dims}
        for net, (m, k) in zip(self.encoders, self.layout.measurements, strict=True):
            found[m].append(net(views[m][k]))
        return found

    def encode(self, views: Tensors) -> Tensor:
        """Return means over the measurements that have a latent."""
        found, split = self.encodings(views), self.layout.shared
        shared = torch.stack([x[:, :split] for several in found.values() for x in several]).mean(dim=0)
        return torch.cat([shared, *self._own(found).values()], dim=1)

    def _own(self, found: dict[str, list[Tensor]]) -> dict[str, Tensor]:
        split = self.layout.shared
        return {m: torch.stack([x[:, split:] for x in several]).mean(dim=0) for m, several in found.items()}

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return InfoNCE within modalities, across them, and for modalities with one measurement."""
        found, split = self.encodings(views), self.layout.shared
        losses = [self._compare(a, b) for several in found.values() for a, b in combinations(several, 2)]
        if split and len(found) > 1:
            across = [
                self._compare(a[:, :split], b[:, :split])
                for one, other in combinations(found.values(), 2)
                for a in one
                for b in other
            ]
            losses.append(torch.stack(across).mean())
        own = self._own(found)
        for m, image in zip(self.alone, self.images, strict=True):
            others = torch.cat([block for name, block in own.items() if name != m], dim=1)
            losses.append(self._compare(own[m], image(others)))
        return torch.stack(losses).sum()

    def _compare(self, a: Tensor, b: Tensor) -> Tensor:
        return info_nce(a, b, temperature=self.temperature)
