"""What trained methods have in common: a network with a loss, the shared training loop, encodings of any people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personax.crl.budget import STANDARD, Budget
from personax.crl.device import CPU, placed
from personax.crl.loop import TrainLog, threads, train
from personax.crl.method import Arrays, Progress
from personax.crl.model import Layout, draw_weights
from personax.crl.people import People, Tensors
from personax.crl.standard import Standardiser, check
from personax.errors import InputError

__all__ = ["Learner", "Trained", "TrainedMethod"]


class Learner(nn.Module, ABC):
    """A network that encodes people and knows its own loss."""

    @abstractmethod
    def encode(self, views: Tensors) -> Tensor:
        """Return means of the latents, shape (batch, d), for standardised measurements."""

    @abstractmethod
    def loss(self, views: Tensors, generator: torch.Generator) -> Tensor:
        """Return the mean loss a person."""

    def adjacency(self, latents: Tensor) -> NDArray[np.float64] | None:
        """Return how sure each edge is, given the latents of the people fitted on; None where none is learned."""
        return None


@dataclass(frozen=True)
class Trained:
    """A fitted trained method.

    Parameters
    ----------
    names, adjacency, objective
        As `Fitted` says.
    learner, scale
        The network, and the scale of its measurements.
    centre, spread
        Of the means of the people fitted on, shape (d,).
    log
        What happened in training; None for the method that is not trained.
    """

    names: list[str]
    adjacency: NDArray[np.float64] | None
    objective: float
    learner: Learner = field(repr=False)
    scale: Standardiser = field(repr=False)
    centre: NDArray[np.float64] = field(repr=False)
    spread: NDArray[np.float64] = field(repr=False)
    log: TrainLog | None = field(repr=False)
    threads: int = 1

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on."""
        self.scale.check_people(views)
        with threads(self.threads):
            means = _means(self.learner, People(views, self.scale)).numpy()
        encoded: NDArray[np.float64] = (means - self.centre) / self.spread
        return encoded


@dataclass(frozen=True)
class TrainedMethod(ABC):
    """A method whose network is trained by the shared loop.

    Parameters
    ----------
    budget
        The same for all methods that are compared.
    """

    budget: Budget = STANDARD
    name = ""
    needs = ""

    @abstractmethod
    def build(self, layout: Layout, people: People) -> Learner:
        """Return the untrained network, on the processor; its linear layers are drawn anew from the method's generator.

        Raises
        ------
        InputError
            When the method does not apply to this layout.
        """

    def with_truth(self, people: People, truth: NDArray[np.float64] | None, layout: Layout) -> People:
        """Return what the loss sees of each person; methods other than the ceiling leave the truth out."""
        return people

    def train(
        self, learner: Learner, people: People, generator: torch.Generator, progress: Progress | None
    ) -> TrainLog | None:
        """Train the network in place."""
        return train(learner, learner.loss, people, self.budget, generator, progress)

    def fit(
        self,
        views: Arrays,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: NDArray[np.float64] | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> Trained:
        """Fit; see `Method`."""
        check(views, latents, shared)
        if min(latents.values()) < 1:
            raise InputError("every modality needs at least one latent of its own: give crl.latents numbers from 1")
        scale = Standardiser.fit(views)
        people, device = People(views, scale), placed(self.budget.device)
        layout = Layout(scale.dims, dict(latents), shared, eta=0, hidden=self.budget.hidden)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        with threads(self.budget.threads):
            with CPU, torch.random.fork_rng(devices=[]):  # torch draws first weights from global state; drawn anew
                learner = self.build(layout, people)
            draw_weights(learner, generator)
            seen = replace(self.with_truth(people, truth, layout), device=device)
            log = self.train(learner.to(device), seen, generator, progress)
            means = _means(learner.to(CPU), people)
            adjacency = learner.adjacency(means)
        spread = means.std(dim=0)
        return Trained(
            layout.names,
            adjacency,
            0.0 if log is None else log.objective,
            learner,
            scale,
            means.mean(dim=0).numpy(),
            torch.where(spread > 0, spread, 1.0).numpy(),
            log,
            self.budget.threads,
        )


@torch.no_grad()
def _means(learner: Learner, people: People) -> Tensor:
    return torch.cat([learner.encode(views).double() for views in people.chunks()])
