"""Multimodal contrastive learning: what modalities have in common, whatever the mixing."""

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

__all__ = ["MCL"]


@dataclass(frozen=True)
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

    def build(self, layout: Layout, people: People) -> Learner:
        """Return the untrained encoders."""
        if len(layout.dims) < 2:
            raise InputError("mcl contrasts modalities and was given one; add a modality, or use multiview")
        return MCLNet(layout, self.temperature)


@final
class MCLNet(Learner):
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
