"""One training loop for every method, so that they differ in what they learn and not in how they are trained."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from personax.crl.budget import Budget
from personax.crl.method import Progress
from personax.errors import ComputationError

__all__ = ["Budget", "Loss", "Tensors", "TrainLog", "threads", "train"]

Tensors = Mapping[str, Mapping[str, Tensor]]
"""Modality -> measurement -> (people, dim), standardised."""

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
    views: Tensors,
    budget: Budget,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> TrainLog:
    """Train a model in place: Adam, cosine to zero, early stopping by the loss on people held out.

    Parameters
    ----------
    model
        Whose parameters are trained; it ends in the state of its best epoch.
    loss
        Of a batch of people, through the model.
    views
        Standardised measurements; whatever else the loss needs of each person may stand among them.
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
    people, spec = _join(views)
    order = torch.randperm(len(people), generator=torch.Generator().manual_seed(VALIDATION_SEED))
    cut = max(2, round(budget.held_out * len(people)))
    held = _split(people[order[:cut]], spec)
    learn = people[order[cut:]]
    with threads(budget.threads):
        for attempt in range(ATTEMPTS):
            rate = budget.rate / 4**attempt
            try:
                best, history = _attempt(model, loss, (learn, held, spec), budget, rate, generator, progress)
            except FloatingPointError:
                continue
            return TrainLog(best, history, order[:cut], attempt)
    text = "training diverged three times, each with a lower rate; check the embeddings for extreme values"
    raise ComputationError(text)


Spec = list[tuple[str, str, int]]
"""(modality, measurement, length), in the order of the joined columns."""


def _join(views: Tensors) -> tuple[Tensor, Spec]:
    """Put all measurements side by side, so that a batch is one gather."""
    spec = [(m, k, x.shape[1]) for m, by in views.items() for k, x in by.items()]
    return torch.cat([x for by in views.values() for x in by.values()], dim=1), spec


def _split(people: Tensor, spec: Spec) -> dict[str, dict[str, Tensor]]:
    views: dict[str, dict[str, Tensor]] = {}
    for (modality, name, _), x in zip(spec, torch.split(people, [size for *_, size in spec], dim=1), strict=True):
        views.setdefault(modality, {})[name] = x
    return views


def _attempt(
    model: nn.Module,
    loss: Loss,
    data: tuple[Tensor, Tensors, Spec],
    budget: Budget,
    rate: float,
    generator: torch.Generator,
    progress: Progress | None,
) -> tuple[float, list[dict[str, float]]]:
    learn, held, spec = data
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, budget.epochs)
    history: list[dict[str, float]] = []
    best, since, kept = math.inf, 0, copy.deepcopy(model.state_dict())
    for epoch in range(1, budget.epochs + 1):
        learned = _epoch(model, loss, (learn, spec), optimiser, budget.batch, generator)
        schedule.step()
        with torch.no_grad():
            validation = float(loss(held, torch.Generator().manual_seed(VALIDATION_SEED)))
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
    data: tuple[Tensor, Spec],
    optimiser: torch.optim.Optimizer,
    batch: int,
    generator: torch.Generator,
) -> float:
    """Go once over the people in batches of nearly equal size, and return the mean loss."""
    learn, spec = data
    total = torch.zeros(())
    batches = torch.tensor_split(torch.randperm(len(learn), generator=generator), math.ceil(len(learn) / batch))
    for rows in batches:
        value = loss(_split(learn[rows], spec), generator)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        total += value.detach()
    return float(total) / len(batches)
