"""The floor: the same encoders, never trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from personax.crl.baselines.base import Learner, TrainedMethod
from personax.crl.baselines.nets import Blocks
from personax.crl.loop import TrainLog
from personax.crl.method import Progress
from personax.crl.model import Layout
from personax.crl.people import People, Tensors

__all__ = ["Random"]


@dataclass(frozen=True)
class Random(TrainedMethod):
    """Encoders with random weights; a score that does not beat theirs says nothing of training.

    A modality's latents are read from its measurements, shared ones from all. The objective is 0 for every seed.

    References
    ----------
    Random encoders as floors: Rosenfeld, Tsotsos 2019, arXiv:1802.00844; Rahimi, Recht 2007, NIPS.
    """

    name = "random"

    def build(self, layout: Layout, people: People) -> Learner:
        """Return the encoders."""
        return RandomNet(layout)

    def train(
        self, learner: Learner, people: People, generator: torch.Generator, progress: Progress | None
    ) -> TrainLog | None:
        """Leave the encoders as they are."""
        return None


@final
class RandomNet(Learner):
    """Encoders only."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.encoders = Blocks(layout)

    def encode(self, views: Tensors) -> Tensor:
        """Return the encodings."""
        means: Tensor = self.encoders(views)[:, 0]
        return means

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return 0: there is nothing to learn."""
        return torch.zeros(())
