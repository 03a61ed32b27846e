"""One training loop for every method, so that they differ in what they learn and not in how they are trained."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from personax.crl.budget import Budget
from personax.crl.device import permutation
from personax.crl.method import Progress
from personax.crl.people import People, Tensors
from personax.errors import ComputationError

__all__ = ["VALIDATION_SEED", "Loss", "TrainLog", "mean_over", "threads", "train"]

Loss = Callable[[Tensors, torch.Generator], Tensor]
"""People and a source of noise -> the mean loss a person, a scalar."""

VALIDATION_SEED = 0
"""The same validation people for every seed, and the same noise on them every epoch: seeds and epochs then differ by
the model alone."""

ATTEMPTS = 3
CLIP = 10.0
"""Largest norm of a gradient."""


@dataclass(frozen=True)
class TrainLog:
    """What happened in training.

    Parameters
    ----------
    objective
        The best validation loss; the model holds the state that reached it.
    history
        One row an epoch of the attempt that succeeded: epoch, training loss, validation loss.
    held
        The validation people.
    restarts
        How often training diverged and began again from its best epoch.
    """

    objective: float
    history: list[dict[str, float]]
    held: Tensor = field(repr=False)
    restarts: int = 0


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Compute with so many threads of the processor, and afterwards with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(
    model: nn.Module,
    loss: Loss,
    people: People,
    budget: Budget,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> TrainLog:
    """Train a model in place: Adam, cosine to zero, early stopping by the loss on people held out.

    Parameters
    ----------
    model
        Whose parameters are trained, where batches of people go; it ends in the state of its best epoch.
    loss
        Of a batch of people, through the model.
    people
        Read a batch at a time.
    budget
        How long and how fast.
    generator
        Draws the batches and the noise.
    progress
        Called with (epoch, epochs, validation loss).

    Raises
    ------
    ComputationError
        When training diverges three times; twice it begins again, from its best epoch and with a quarter of the rate.
    """
    order = permutation(len(people), generator=torch.Generator().manual_seed(VALIDATION_SEED))
    cut = max(2, round(budget.held_out * len(people)))
    held, learn = people.part(order[:cut]), people.part(order[cut:])
    with threads(budget.threads):
        for attempt in range(ATTEMPTS):
            rate = budget.rate / 4**attempt
            try:
                best, history = _attempt(model, loss, learn, held, budget, rate, generator, progress)
            except FloatingPointError:
                continue
            return TrainLog(best, history, order[:cut], attempt)
    text = "training diverged three times, each with a lower rate; check the embeddings for extreme values"
    raise ComputationError(text)


def _attempt(
    model: nn.Module,
    loss: Loss,
    learn: People,
    held: People,
    budget: Budget,
    rate: float,
    generator: torch.Generator,
    progress: Progress | None,
) -> tuple[float, list[dict[str, float]]]:
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, budget.epochs)
    history: list[dict[str, float]] = []
    best, since, kept = math.inf, 0, copy.deepcopy(model.state_dict())
    for epoch in range(1, budget.epochs + 1):
        learned = _epoch(model, loss, learn, optimiser, budget.batch, generator)
        schedule.step()
        validation = _validate(loss, held)
        if not (math.isfinite(learned) and math.isfinite(validation)):
            model.load_state_dict(kept)  # the last good state, from which the next attempt goes on
            raise FloatingPointError
        history.append({"epoch": epoch, "training": learned, "validation": validation})
        if validation < best:
            best, since, kept = validation, 0, copy.deepcopy(model.state_dict())
        else:
            since += 1
        if progress is not None:
            progress(epoch, budget.epochs, validation)
        if since >= budget.patience:
            break
    model.load_state_dict(kept)
    return best, history


def _epoch(
    model: nn.Module,
    loss: Loss,
    learn: People,
    optimiser: torch.optim.Optimizer,
    batch: int,
    generator: torch.Generator,
) -> float:
    """Go once over the people in batches of nearly equal size, and return the mean loss."""
    total = torch.zeros((), device=learn.device)
    batches = torch.tensor_split(permutation(len(learn), generator=generator), math.ceil(len(learn) / batch))
    for rows in batches:
        value = loss(learn.batch(rows), generator)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        total += value.detach()
    return float(total) / len(batches)


@torch.no_grad()
def _validate(loss: Loss, held: People) -> float:
    """Return the mean loss of people held out, with the same noise every time."""
    generator = torch.Generator().manual_seed(VALIDATION_SEED)
    sizes, losses = [], []
    for views in held.chunks():
        sizes.append(len(next(iter(next(iter(views.values())).values()))))
        losses.append(float(loss(views, generator)))
    return mean_over(losses, sizes)


def mean_over(values: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the mean over people of means over chunks of them."""
    if len(values) == 1:
        return values[0]
    return sum(n * x for n, x in zip(sizes, values, strict=True)) / sum(sizes)
