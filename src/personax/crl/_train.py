"""The training loop of Level II: epochs, validation, early stopping, restarts after divergence, checkpoints.

`Trainer` goes through epochs, validates, keeps the best one and can go on from a checkpoint; `train` is the trainer for
a network with a loss of its own. Methods that take a fixed number of steps use `personax.crl._optimiser.minimise`.
"""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from torch import Tensor, nn

from personax.crl._batches import Batches, Tensors
from personax.crl._budget import Budget
from personax.crl._device import CPU, permutation
from personax.crl._estimator import Progress
from personax.crl._optimiser import DIVERGED, RESTARTS, VALIDATION_SEED, Optimiser, cosine, threads, validation_split
from personax.errors import ComputationError, InputError, require
from personax.files import written_aside

__all__ = ["Objective", "TrainLog", "Trainer", "train"]

CLIP: Final = 10.0
"""Largest norm of a gradient."""

CHECKPOINT_HEADER: Final = "personax_checkpoint"


class Objective(Protocol):
    """What a trainer minimises.

    Attributes
    ----------
    terms
        Names of what the history tells of the training people of an epoch.
    """

    terms: tuple[str, ...]

    def noise(self, people: int, generator: torch.Generator) -> Any:  # noqa: ANN401 - each objective has its own
        """Draw what is random in a step, outside of it: a compiled step then is the true one."""
        ...

    def loss(self, views: Tensors, noise: Any, done: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401 - what noise returns
        """Return the loss of a batch and its terms, shape (terms,); ``done`` is the share of epochs so far."""
        ...

    def validate(self, views: Tensors, noise: Any) -> dict[str, float]:  # noqa: ANN401 - what noise returns
        """Return means over validation people; the epoch with the least ``validation`` is kept."""
        ...


class Trainer:
    """Trains one model in place; it ends in the state of its best epoch.

    Parameters
    ----------
    model
        Not trained yet.
    objective
        Of the model.
    budget
        How to train.
    generator
        Of batches and noise.
    faster
        Parameters that learn at a multiple of the rate, and the multiple.
    equal_batches
        Whether batches of an epoch have nearly equal sizes; otherwise all but the last have the size of the budget,
        as a compiled step needs it.

    Attributes
    ----------
    history
        One row an epoch: terms on training people, and what the objective says of validation people.
    best
        The least validation loss.
    restarts
        How often training diverged and went on from its best epoch with a quarter of the rate.
    eager_reason
        Why steps were not compiled although that was asked for; None where they were.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        budget: Budget,
        generator: torch.Generator,
        *,
        faster: tuple[Sequence[nn.Parameter], float] = ((), 1.0),
        equal_batches: bool = False,
    ) -> None:
        self.model, self.objective, self.budget, self.generator = model, objective, budget, generator
        self.faster, self.equal_batches = faster, equal_batches
        self.history: list[dict[str, float]] = []
        self.restarts, self.since, self.best = 0, 0, math.inf
        self.best_state = copy.deepcopy(model.state_dict())
        self.eager_reason: str | None = None
        self.optimiser = self._optimiser()
        self.compiled: Callable[..., tuple[Tensor, Tensor]] | None = None

    def run(
        self,
        learn: Batches,
        held: Batches,
        *,
        checkpoint: Path | None = None,
        identity: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
        on_epoch: Callable[[Mapping[str, float]], None] | None = None,
    ) -> None:
        """Train to the end, from the checkpoint where there is one; it is written after every epoch and removed then.

        Parameters
        ----------
        learn, held
            Training and validation people.
        checkpoint
            A file for the state of training.
        identity
            What the checkpoint must be of: a name and its value each, as JSON can hold them.
        progress
            Called with (epoch, epochs, validation loss).
        on_epoch
            Called with the epoch's row of the history, while the model is in the state of that epoch.

        Raises
        ------
        InputError
            A checkpoint of something else, or a damaged one.
        ComputationError
            When training diverges three times.
        """
        budget = self.budget
        if checkpoint is not None and checkpoint.exists():
            self._restore(checkpoint, *_read_checkpoint(checkpoint, identity or {}))
        if budget.compiled:
            self._compile(learn.batch(torch.arange(min(budget.batch, len(learn)), device=CPU)), learn.device)
        while len(self.history) < budget.epochs and self.since < budget.patience:
            row = self._epoch(learn, held)
            if not all(math.isfinite(value) for value in row.values()):
                self._go_back()
                continue
            self._remember(row)
            if checkpoint is not None:
                _write_checkpoint(checkpoint, self._tensors(), self._facts(), identity or {})
            if on_epoch is not None:
                on_epoch(row)
            if progress is not None:
                progress(len(self.history), budget.epochs, row["validation"])
        self.model.load_state_dict(self.best_state)
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)

    def _compile(self, first: Tensors, device: torch.device) -> None:
        """Compile the step, or say why not; a batch of another size is computed as it is."""
        if _people_of(first) < self.budget.batch:
            self.eager_reason = "there are fewer people than a batch holds"
            return
        noise = self.objective.noise(self.budget.batch, torch.Generator())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what the compiler itself uses
                compiled = torch.compile(self.objective.loss, dynamic=False)
                compiled(first, noise, torch.ones((), device=device))[0].backward()
        except RuntimeError as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            self.eager_reason = f"steps could not be compiled ({lines[0]}); a C++ compiler is needed"
        else:
            self.compiled = compiled

    def _epoch(self, learn: Batches, held: Batches) -> dict[str, float]:
        budget, epoch = self.budget, len(self.history)
        rate = cosine(epoch, budget.epochs) * budget.rate / 4**self.restarts
        done = torch.tensor((epoch + 1) / budget.epochs, device=learn.device)
        sums = torch.zeros(len(self.objective.terms), device=learn.device)
        batches = self._batches(len(learn))
        for rows in batches:
            noise = self.objective.noise(len(rows), self.generator)
            whole = self.compiled is not None and len(rows) == budget.batch
            step = self.compiled if self.compiled is not None and whole else self.objective.loss
            loss, terms = step(learn.batch(rows), noise, done)
            self.optimiser.step(loss, rate)
            sums += terms.detach()
        means = [total / len(batches) for total in sums.tolist()]
        return {"epoch": epoch + 1, **dict(zip(self.objective.terms, means, strict=True)), **self._validate(held)}

    def _batches(self, people: int) -> Sequence[Tensor]:
        order = permutation(people, generator=self.generator)
        if self.equal_batches:
            return torch.tensor_split(order, math.ceil(people / self.budget.batch))
        return torch.split(order, self.budget.batch)

    @torch.no_grad()
    def _validate(self, held: Batches) -> dict[str, float]:
        # the same draws every epoch: means alone would leave the posterior's variance out of a divergence
        generator = torch.Generator().manual_seed(VALIDATION_SEED)
        sizes, rows = [], []
        for views in held.chunks():
            sizes.append(_people_of(views))
            rows.append(self.objective.validate(views, self.objective.noise(sizes[-1], generator)))
        return {name: _mean_over([row[name] for row in rows], sizes) for name in rows[0]}

    def _remember(self, row: dict[str, float]) -> None:
        self.history.append(row)
        if row["validation"] < self.best:
            self.best, self.since, self.best_state = row["validation"], 0, copy.deepcopy(self.model.state_dict())
        else:
            self.since += 1

    def _go_back(self) -> None:
        """Go back to the best epoch; moments of gradients that led away from it are forgotten."""
        self.restarts += 1
        if self.restarts > RESTARTS:
            raise ComputationError(DIVERGED)
        self.model.load_state_dict(self.best_state)
        self.optimiser = self._optimiser()

    def _optimiser(self) -> Optimiser:
        return Optimiser(self.model.parameters(), faster=self.faster, clip=CLIP)

    def _tensors(self) -> dict[str, Tensor]:
        state = self.optimiser.adam.state_dict()["state"]
        return (
            {f"model/{name}": x for name, x in self.model.state_dict().items()}
            | {f"best/{name}": x for name, x in self.best_state.items()}
            | {f"optimiser/{i}/{name}": x for i, by in state.items() for name, x in by.items()}
            | {"generator/state": self.generator.get_state()}
        )

    def _facts(self) -> dict[str, Any]:
        return {"history": self.history, "restarts": self.restarts, "since": self.since, "best": self.best}

    def _restore(self, path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        def group(name: str) -> dict[str, Tensor]:
            return {key.partition("/")[2]: x for key, x in tensors.items() if key.startswith(f"{name}/")}

        try:
            self.history, self.restarts = list(facts["history"]), int(facts["restarts"])
            self.since, self.best = int(facts["since"]), float(facts["best"])
            self.model.load_state_dict(group("model"))
            self.best_state = group("best")
            state: dict[int, dict[str, Tensor]] = {}
            for key, x in group("optimiser").items():
                at, _, name = key.partition("/")
                state.setdefault(int(at), {})[name] = x
            self.optimiser.adam.load_state_dict({**self.optimiser.adam.state_dict(), "state": state})
            self.generator.set_state(tensors["generator/state"])
        except (LookupError, ValueError, TypeError, RuntimeError) as error:
            first = str(error).splitlines()[0]
            raise InputError(f"{path} is a damaged checkpoint ({first}); remove it to begin anew") from None


@dataclass(frozen=True)
class TrainLog:
    """What happened in training.

    Parameters
    ----------
    objective
        The best validation loss; the model holds the state that reached it.
    history
        One row an epoch: epoch, training loss, validation loss.
    held
        The validation people.
    restarts
        How often training diverged and went on from its best epoch with a quarter of the rate.
    """

    objective: float
    history: list[dict[str, float]]
    held: Tensor = field(repr=False)
    restarts: int = 0


Loss = Callable[[Tensors, torch.Generator], Tensor]
"""People and a source of noise -> the mean loss a person, a scalar."""


class _PlainObjective:
    """A loss that draws its own noise and has no further terms."""

    terms: tuple[str, ...] = ("training",)

    def __init__(self, loss: Loss) -> None:
        self._loss = loss

    def noise(self, people: int, generator: torch.Generator) -> torch.Generator:
        return generator

    def loss(self, views: Tensors, noise: torch.Generator, done: Tensor) -> tuple[Tensor, Tensor]:
        value = self._loss(views, noise)
        return value, value.detach()[None]

    def validate(self, views: Tensors, noise: torch.Generator) -> dict[str, float]:
        return {"validation": float(self._loss(views, noise))}


def train(
    model: nn.Module,
    loss: Loss,
    people: Batches,
    budget: Budget,
    generator: torch.Generator,
    progress: Progress | None = None,
    on_epoch: Callable[[Mapping[str, float]], None] | None = None,
) -> TrainLog:
    """Train a network in place by its own loss.

    Parameters
    ----------
    model
        Whose parameters are trained, where batches of people go; it ends in the state of its best epoch.
    loss
        Of a batch of people, through the model.
    people
        Read a batch at a time; a share of them is held out for validation.
    budget
        How long and how fast.
    generator
        Draws the batches and the noise.
    progress
        Called with (epoch, epochs, validation loss).
    on_epoch
        Called with the epoch's row of the history; see `Trainer.run`.

    Raises
    ------
    ComputationError
        When training diverges three times; twice it goes on from its best epoch with a quarter of the rate.
    """
    held, learn = validation_split(len(people), budget.held_out)
    trainer = Trainer(model, _PlainObjective(loss), budget, generator, equal_batches=True)
    with threads(budget.threads):
        trainer.run(people.subset(learn), people.subset(held), progress=progress, on_epoch=on_epoch)
    return TrainLog(trainer.best, trainer.history, held, trainer.restarts)


def _people_of(views: Tensors) -> int:
    return len(next(iter(next(iter(views.values())).values())))


def _mean_over(values: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the mean over people of means over chunks of them."""
    if len(values) == 1:
        return values[0]
    return sum(n * x for n, x in zip(sizes, values, strict=True)) / sum(sizes)


def _write_checkpoint(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], identity: Mapping[str, Any]
) -> None:
    """Write a state as safetensors, so that nobody sees half of one, with what it is the state of in its header."""
    save_file = require("safetensors.torch", extra="crl").save_file
    with written_aside(path) as aside:
        text = json.dumps({"identity": identity, "facts": facts})
        save_file({name: x.contiguous() for name, x in tensors.items()}, aside, metadata={CHECKPOINT_HEADER: text})


def _read_checkpoint(path: Path, identity: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a state, or say that the file is no checkpoint, is damaged, or is one of something else."""
    safetensors = require("safetensors", extra="crl")
    try:
        with safetensors.safe_open(path, framework="pt") as archive:
            header = json.loads((archive.metadata() or {})[CHECKPOINT_HEADER])
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 - not a mapping
        there, facts = dict(header["identity"]), dict(header["facts"])
    except (safetensors.SafetensorError, OSError, LookupError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is not a checkpoint of personax ({error}); remove it to begin anew") from None
    here = json.loads(json.dumps(identity))
    other = [name for name in here if there.get(name) != here[name]]
    if other:
        what = " and ".join(other)
        raise InputError(f"{path} is a checkpoint of another {what}; give another path, or remove it to begin anew")
    return tensors, facts
