"""Contrastive methods: InfoNCE between modalities, and between views."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from personax.crl._batches import Batches, Tensors
from personax.crl.methods._base import Network, TrainedMethod
from personax.crl.methods._layout import Layout
from personax.crl.methods._networks import encoder
from personax.errors import InputError
from personax.registry import register

__all__ = ["MCL", "Multiview", "info_nce"]


def info_nce(a: Tensor, b: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return the symmetric InfoNCE loss of two encodings of the same people.

    Similarity is minus squared Euclidean distance over the temperature; every other person of the batch is a negative.

    Parameters
    ----------
    a, b
        Shape (batch, d).

    References
    ----------
    van den Oord, Li, Vinyals 2018, arXiv:1807.03748; its limit of alignment and entropy: Wang, Isola 2020,
    arXiv:2005.10242.
    """
    squared = a.square().sum(dim=1)[:, None] + b.square().sum(dim=1)[None, :] - 2 * a @ b.T
    similarity = -squared / temperature
    same = torch.arange(len(a), device=a.device)
    return 0.5 * (cross_entropy(similarity, same) + cross_entropy(similarity.T, same))


@register("methods", "mcl", title="MCL", order=8)
@dataclass
class MCL(TrainedMethod):
    """One encoder a modality, trained by InfoNCE between modalities, summed over pairs.

    A modality's encoder reads its measurements side by side. Where modalities have different numbers of latents, a
    linear layer brings them to the largest before they are compared. Shared latents are the first coordinates of all
    encoders, averaged over modalities. What touches no other modality is invisible to the loss.

    Parameters
    ----------
    temperature
        Of the similarities.

    Raises
    ------
    InputError
        When fit to one modality.

    References
    ----------
    Daunhawer et al. 2023, arXiv:2303.09166.
    """

    temperature: float = 1.0
    name = "mcl"

    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the untrained encoders."""
        if len(layout.dims) < 2:
            raise InputError("mcl contrasts modalities and was given one; add a modality, or use multiview")
        return MCLNet(layout, self.temperature)


@final
class MCLNet(Network):
    """One encoder a modality, and a head where sizes differ."""

    def __init__(self, layout: Layout, temperature: float) -> None:
        super().__init__()
        self.layout, self.temperature = layout, temperature
        sizes = [layout.latents[m] for m in layout.dims]
        self.encoders = nn.ModuleList(
            encoder(sum(by.values()), layout.hidden, layout.shared + layout.latents[m]) for m, by in layout.dims.items()
        )
        self.heads = nn.ModuleList(
            nn.Linear(size, max(sizes)) if len(set(sizes)) > 1 else nn.Identity() for size in sizes
        )

    def encodings(self, views: Tensors) -> list[Tensor]:
        """Return each modality's encoding, shape (batch, shared + own)."""
        return [
            net(torch.cat([views[m][k] for k in by], dim=1))
            for net, (m, by) in zip(self.encoders, self.layout.dims.items(), strict=True)
        ]

    def encode(self, views: Tensors) -> Tensor:
        """Return the mean of the shared parts, and the own ones."""
        found, split = self.encodings(views), self.layout.shared
        shared = torch.stack([x[:, :split] for x in found]).mean(dim=0)
        return torch.cat([shared, *(x[:, split:] for x in found)], dim=1)

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return InfoNCE, summed over pairs of modalities."""
        split = self.layout.shared
        compared = [
            torch.cat([x[:, :split], head(x[:, split:])], dim=1)
            for head, x in zip(self.heads, self.encodings(views), strict=True)
        ]
        pairs = [info_nce(a, b, temperature=self.temperature) for a, b in combinations(compared, 2)]
        return torch.stack(pairs).sum()


@register("methods", "multiview", title="Multi-view contrastive", order=9)
@dataclass
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

    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the untrained encoders."""
        if len(layout.measurements) < 2:
            raise InputError("multiview compares measurements and was given one; add a measurement or a modality")
        return MultiviewNet(layout, self.temperature)


@final
class MultiviewNet(Network):
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
