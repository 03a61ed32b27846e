"""The course of a training: epochs, the best of them, what happens when it diverges or is stopped."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from personax.crl.checkpoint import read_checkpoint, write_checkpoint
from personax.crl.device import CPU, permutation
from personax.crl.loop import VALIDATION_SEED, mean_over
from personax.crl.method import Progress
from personax.crl.model import LatentModel
from personax.crl.objective import Noise, Terms, Weights, draw, terms
from personax.crl.people import People, Tensors
from personax.errors import ComputationError, InputError

__all__ = ["Course", "Settings"]

GATE_RATE: Final = 10.0
"""Gates learn so much faster than weights: a gate has a few units to go, and few steps to go them in."""

RESTARTS: Final = 2
CLIP: Final = 10.0
"""Largest norm of a gradient."""

Step = Callable[[Tensors, Noise, Tensor], tuple[Tensor, Terms]]
"""Measurements, noise, the cost of cycles -> the objective and its terms."""


class Settings(Protocol):
    """What `FitConfig` says of training."""

    @property
    def epochs(self) -> int: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def rate(self) -> float: ...  # noqa: D102
    @property
    def patience(self) -> int: ...  # noqa: D102
    @property
    def weights(self) -> Weights: ...  # noqa: D102
    @property
    def compiled(self) -> bool: ...  # noqa: D102
    @property
    def half(self) -> bool: ...  # noqa: D102


class Course:
    """Trains one model in place; it ends in the state of its best epoch.

    Parameters
    ----------
    model
        Not trained yet.
    config
        How to train.
    generator
        Of batches and noise.

    Attributes
    ----------
    history
        One row an epoch: the terms on training and validation people.
    restarts
        How often training diverged and went on from its best epoch with a quarter of the rate.
    eager_because
        Why steps were not compiled although that was asked for; None where they were.
    """

    def __init__(self, model: LatentModel, config: Settings, generator: torch.Generator) -> None:
        self.model, self.config, self.generator = model, config, generator
        self.device = model.dearness.device
        self.history: list[dict[str, float]] = []
        self.restarts, self.since, self.best = 0, 0, math.inf
        self.kept = copy.deepcopy(model.state_dict())
        self.eager_because: str | None = None
        self.optimiser = self._optimiser()
        self.step: Step = self._objective

    def run(
        self,
        learn: People,
        held: People,
        *,
        checkpoint: Path | None = None,
        of: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Train to the end, from the checkpoint where there is one; it is written after every epoch and removed then.

        Raises
        ------
        InputError
            A checkpoint of something else.
        ComputationError
            When training diverges three times.
        """
        if checkpoint is not None and checkpoint.exists():
            self._take(checkpoint, *read_checkpoint(checkpoint, of or {}))
        if self.config.compiled:
            self._compile(learn.batch(torch.arange(min(self.config.batch, len(learn)), device=CPU)))
        while len(self.history) < self.config.epochs and self.since < self.config.patience:
            row = self._epoch(learn, held)
            if not all(math.isfinite(value) for value in row.values()):
                self._go_back()
                continue
            self._remember(row)
            if checkpoint is not None:
                write_checkpoint(checkpoint, self._tensors(), self._facts(), of or {})
            if progress is not None:
                progress(len(self.history), self.config.epochs, row["validation"])
        self.model.load_state_dict(self.kept)
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)

    def _objective(self, views: Tensors, noise: Noise, cycles: Tensor) -> tuple[Tensor, Terms]:
        found = terms(self.model, views, noise, half=self.config.half)
        return found.total(self.config.weights, cycles=cycles), found

    def _compile(self, first: Tensors) -> None:
        """Compile the step, or say why not; whatever has another size than a batch stays as it is."""
        if len(_any(first)) < self.config.batch:
            self.eager_because = "there are fewer people than a batch holds"
            return
        noise = draw(self.model.layout, self.config.batch, torch.Generator(), self.device)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what the compiler itself uses
                made: Step = torch.compile(self._objective, dynamic=False)
                made(first, noise, torch.ones((), device=self.device))[0].backward()  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            self.eager_because = f"steps could not be compiled ({lines[0]}); a C++ compiler is needed"
        else:
            self.step = made

    def _epoch(self, learn: People, held: People) -> dict[str, float]:
        c = self.config
        epoch = len(self.history)
        self._set_rate(0.5 * (1 + math.cos(math.pi * epoch / c.epochs)))
        cycles = torch.tensor((epoch + 1) / c.epochs, device=self.device)
        sums = torch.zeros(4, device=self.device)
        batches = torch.split(permutation(len(learn), generator=self.generator), c.batch)
        for rows in batches:
            noise = draw(self.model.layout, len(rows), self.generator, self.device)
            step = self.step if len(rows) == c.batch else self._objective
            loss, found = step(learn.batch(rows), noise, cycles)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
            self.optimiser.step()
            sums += torch.stack([found.reconstruction, found.independence, found.sparsity, found.cycles]).detach()
        names = ("reconstruction", "independence", "sparsity", "cycles")
        row = dict(zip(names, (sums / len(batches)).tolist(), strict=True))
        return {"epoch": epoch + 1, **row, **self._validate(held)}

    @torch.no_grad()
    def _validate(self, held: People) -> dict[str, float]:
        # the same draws every epoch: means alone would leave the posterior's variance out of the divergence
        generator = torch.Generator().manual_seed(VALIDATION_SEED)
        sizes, totals, rebuilt = [], [], []
        for views in held.chunks():
            sizes.append(len(_any(views)))
            noise = draw(self.model.layout, sizes[-1], generator, self.device)
            found = terms(self.model, views, noise)
            totals.append(float(found.total(self.config.weights)))
            rebuilt.append(float(found.reconstruction))
        return {"validation": mean_over(totals, sizes), "validation_reconstruction": mean_over(rebuilt, sizes)}

    def _remember(self, row: dict[str, float]) -> None:
        self.history.append(row)
        if row["validation"] < self.best:
            self.best, self.since, self.kept = row["validation"], 0, copy.deepcopy(self.model.state_dict())
        else:
            self.since += 1

    def _go_back(self) -> None:
        """Go back to the best epoch; moments of gradients that led away from it are forgotten."""
        self.restarts += 1
        if self.restarts > RESTARTS:
            text = "training diverged three times, each with a lower rate; check the embeddings for extreme values"
            raise ComputationError(text)
        self.model.load_state_dict(self.kept)
        self.optimiser = self._optimiser()

    def _optimiser(self) -> torch.optim.Optimizer:
        gates = [self.model.flow.gate_logits]
        others = [parameter for parameter in self.model.parameters() if parameter is not gates[0]]
        return torch.optim.Adam([{"params": others, "of": 1.0}, {"params": gates, "of": GATE_RATE}], fused=True)

    def _set_rate(self, share: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = group["of"] * share * self.config.rate / 4**self.restarts

    def _tensors(self) -> dict[str, Tensor]:
        state = self.optimiser.state_dict()["state"]
        return (
            {f"model/{name}": x for name, x in self.model.state_dict().items()}
            | {f"kept/{name}": x for name, x in self.kept.items()}
            | {f"optimiser/{i}/{name}": x for i, by in state.items() for name, x in by.items()}
            | {"generator/state": self.generator.get_state()}
        )

    def _facts(self) -> dict[str, Any]:
        return {"history": self.history, "restarts": self.restarts, "since": self.since, "best": self.best}

    def _take(self, path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        def part(name: str) -> dict[str, Tensor]:
            return {key.partition("/")[2]: x for key, x in tensors.items() if key.startswith(f"{name}/")}

        try:
            self.history, self.restarts = list(facts["history"]), int(facts["restarts"])
            self.since, self.best = int(facts["since"]), float(facts["best"])
            self.model.load_state_dict(part("model"))
            self.kept = part("kept")
            state: dict[int, dict[str, Tensor]] = {}
            for key, x in part("optimiser").items():
                at, _, name = key.partition("/")
                state.setdefault(int(at), {})[name] = x
            self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
            self.generator.set_state(tensors["generator/state"])
        except (LookupError, ValueError, TypeError, RuntimeError) as error:
            said = str(error).splitlines()[0]
            raise InputError(f"{path} is a damaged checkpoint ({said}); remove it to begin anew") from None


def _any(views: Tensors) -> Tensor:
    return next(iter(next(iter(views.values())).values()))
