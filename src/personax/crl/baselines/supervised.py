"""The ceiling: latents predicted by networks that were shown the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl.baselines.base import Learner, TrainedMethod
from personax.crl.baselines.nets import Blocks
from personax.crl.model import Layout
from personax.crl.people import People, Tensors
from personax.errors import InputError

__all__ = ["Supervised"]

TRUTH: Final = ""
"""Under what the truth stands among the measurements; no modality is called so."""


@dataclass(frozen=True)
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

    def build(self, layout: Layout, people: People) -> Learner:
        """Return the untrained encoders."""
        return SupervisedNet(layout)

    def with_truth(self, people: People, truth: NDArray[np.float64] | None, layout: Layout) -> People:
        """Put the standardised truth beside the measurements."""
        if truth is None:
            raise InputError("supervised is the ceiling and needs the true latents; give truth, or leave it out")
        shape = (len(people), len(layout.names))
        if truth.shape != shape or not np.isfinite(truth).all():
            raise InputError(f"the truth has shape {truth.shape}; finite numbers of shape {shape} are needed")
        spread = truth.std(axis=0)
        scaled = (truth - truth.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        return replace(people, beside={TRUTH: {"": scaled.astype(np.float32)}})


@final
class SupervisedNet(Learner):
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
