"""What trained methods have in common: a network with a loss, the shared training loop, encodings of any people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personax.crl._batches import Batches, Tensors
from personax.crl._budget import STANDARD, Budget
from personax.crl._device import CPU, torch_device
from personax.crl._estimator import Arrays, Epoch, Estimator, FittedResult, OnEpoch, Problem, Progress
from personax.crl._optimiser import threads
from personax.crl._scaler import Scaler, check
from personax.crl._train import TrainLog, train
from personax.crl.methods._layout import Layout
from personax.crl.methods._networks import draw_weights
from personax.errors import InputError

__all__ = ["EpochRow", "Network", "TrainedFit", "TrainedMethod"]


EpochRow = Callable[[Mapping[str, float]], None]
"""Called with an epoch's row of the history."""


class Network(nn.Module, ABC):
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
class TrainedFit(FittedResult):
    """A fitted trained method.

    Parameters
    ----------
    names, adjacency, objective
        As `Fitted` says.
    network, scale
        The network, and the scale of its measurements.
    mean, std
        Of the means of the people fitted on, shape (d,).
    log
        What happened in training; None for the method that is not trained.
    """

    names: list[str]
    adjacency: NDArray[np.float64] | None
    objective: float
    network: Network = field(repr=False)
    scale: Scaler = field(repr=False)
    mean: NDArray[np.float64] = field(repr=False)
    std: NDArray[np.float64] = field(repr=False)
    log: TrainLog | None = field(repr=False)
    threads: int = 1

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on."""
        self.scale.check_people(views)
        with threads(self.threads):
            means = _means(self.network, Batches(views, self.scale)).numpy()
        encoded: NDArray[np.float64] = (means - self.mean) / self.std
        return encoded


@dataclass
class TrainedMethod(Estimator):
    """A method whose network is trained by the shared loop.

    Parameters
    ----------
    budget
        The same for all methods that are compared.
    """

    budget: Budget = STANDARD

    @abstractmethod
    def build(self, layout: Layout, people: Batches) -> Network:
        """Return the untrained network, on the processor; its linear layers are drawn anew from the method's generator.

        Raises
        ------
        InputError
            When the method does not apply to this layout.
        """

    def with_truth(self, people: Batches, truth: NDArray[np.float64] | None, layout: Layout) -> Batches:
        """Return what the loss sees of each person; methods other than the ceiling leave the truth out."""
        return people

    def train(
        self,
        network: Network,
        people: Batches,
        generator: torch.Generator,
        progress: Progress | None,
        on_epoch: EpochRow | None = None,
    ) -> TrainLog | None:
        """Train the network in place."""
        return train(network, network.loss, people, self.budget, generator, progress, on_epoch)

    def learn(self, problem: Problem) -> TrainedFit:
        """Build, train, and encode the people fitted on."""
        check(problem.views, problem.latents, problem.shared)
        if min(problem.latents.values()) < 1:
            raise InputError("every modality needs at least one latent of its own: give crl.latents numbers from 1")
        scale = Scaler.fit(problem.views)
        people, device = Batches(problem.views, scale), torch_device(self.budget.device)
        layout = Layout(scale.dims, dict(problem.latents), problem.shared, eta=0, hidden=self.budget.hidden)
        generator = torch.Generator().manual_seed(int(problem.rng.integers(2**31)))
        with threads(self.budget.threads):
            with CPU, torch.random.fork_rng(devices=[]):  # torch draws first weights from global state; drawn anew
                network = self.build(layout, people)
            draw_weights(network, generator)
            seen = replace(self.with_truth(people, problem.truth, layout), device=device)
            told = _told(problem.on_epoch, network, scale, device)
            log = self.train(network.to(device), seen, generator, problem.progress, told)
            means = _means(network.to(CPU), people)
            adjacency = network.adjacency(means)
        std = means.std(dim=0)
        return TrainedFit(
            names=layout.names,
            adjacency=adjacency,
            objective=0.0 if log is None else log.objective,
            network=network,
            scale=scale,
            mean=means.mean(dim=0).numpy(),
            std=torch.where(std > 0, std, 1.0).numpy(),
            log=log,
            threads=self.budget.threads,
        )


def _told(on_epoch: OnEpoch | None, network: Network, scale: Scaler, device: torch.device) -> EpochRow | None:
    """Return what tells of an epoch by encoding people with the network as it is then."""
    if on_epoch is None:
        return None

    def encode(views: Arrays) -> NDArray[np.float64]:
        scale.check_people(views)
        return _means(network, Batches(views, scale, device)).cpu().numpy()

    return lambda row: on_epoch(Epoch(int(row["epoch"]), row["validation"], encode))


@torch.no_grad()
def _means(network: Network, people: Batches) -> Tensor:
    return torch.cat([network.encode(views).double() for views in people.chunks()])
