"""The floor (encoders that are never trained) and the ceiling (networks that are shown the truth)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._batches import Batches, Tensors
from personax.crl._estimator import Progress
from personax.crl._train import TrainLog
from personax.crl.methods._base import EpochRow, Network, TrainedMethod
from personax.crl.methods._layout import Layout
from personax.crl.methods._networks import Blocks
from personax.errors import InputError
from personax.registry import register

__all__ = ["Random", "Supervised"]


@register("methods", "random", title="Random encoders (floor)", order=1, benchmark_only=True)
@dataclass
class Random(TrainedMethod):
    """Encoders with random weights; a score that does not beat theirs says nothing of training.

    A modality's latents are read from its measurements, shared ones from all. The objective is 0 for every seed.

    References
    ----------
    Random encoders as floors: Rosenfeld, Tsotsos 2019, arXiv:1802.00844; Rahimi, Recht 2007, NIPS.
    """

    name = "random"

    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the encoders."""
        return RandomNet(layout)

    def train(
        self,
        network: Network,
        people: Batches,
        generator: torch.Generator,
        progress: Progress | None,
        on_epoch: EpochRow | None = None,
    ) -> TrainLog | None:
        """Leave the encoders as they are."""
        return None


@final
class RandomNet(Network):
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


TRUTH: Final = ""
"""Under what the truth stands among the measurements; no modality is called so."""


@register("methods", "supervised", title="Supervised (ceiling)", order=13, benchmark_only=True)
@dataclass
class Supervised(TrainedMethod):
    """Encoders trained by squared error to the true latents: how much the measurements hold, with this architecture.

    A modality's latents are predicted from its measurements, shared ones from all.

    Raises
    ------
    InputError
        When fit without the truth, or with one of another shape.

    References
    ----------
    Any regression by a multilayer perceptron; as a ceiling it bounds what unsupervised methods of this size can reach.
    """

    name = "supervised"
    needs = "the truth"

    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the untrained encoders."""
        return SupervisedNet(layout)

    def with_truth(self, people: Batches, truth: NDArray[np.float64] | None, layout: Layout) -> Batches:
        """Put the standardised truth beside the measurements."""
        if truth is None:
            raise InputError("supervised is the ceiling and needs the true latents; give truth, or leave it out")
        shape = (len(people), len(layout.names))
        if truth.shape != shape or not np.isfinite(truth).all():
            raise InputError(f"the truth has shape {truth.shape}; finite numbers of shape {shape} are needed")
        spread = truth.std(axis=0)
        scaled = (truth - truth.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        return replace(people, extra={TRUTH: {"": scaled.astype(np.float32)}})


@final
class SupervisedNet(Network):
    """Encoders only."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.encoders = Blocks(layout)

    def encode(self, views: Tensors) -> Tensor:
        """Return the predictions."""
        means: Tensor = self.encoders(views)[:, 0]
        return means

    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return the squared error, averaged over people and latents."""
        return (self.encode(views) - views[TRUTH][""]).square().mean()
