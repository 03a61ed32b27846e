"""The methods ``paper`` and ``mmcrl``: one objective of three terms, trained end to end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from personax.crl._batches import Batches
from personax.crl._budget import STANDARD, Budget
from personax.crl._device import CPU, torch_device
from personax.crl._estimator import Arrays, Epoch, Estimator, FittedResult, OnEpoch, Problem
from personax.crl._optimiser import threads, validation_split
from personax.crl._prior import Prior
from personax.crl._scaler import Scaler, check
from personax.crl._train import Trainer
from personax.crl.methods._layout import Layout, Pixels
from personax.crl.methods.paper._model import LatentModel
from personax.crl.methods.paper._objective import PAPER, PaperObjective, Weights
from personax.errors import InputError
from personax.registry import register

__all__ = ["MMCRL", "PAPER_BUDGET", "FirstMeasurementFit", "Paper", "PaperFit"]

PAPER_BUDGET: Final = Budget(batch=64, rate=2e-3, patience=20)
"""What the method trains well with by itself; comparisons give every method the same `STANDARD`."""

GATE_RATE: Final = 10.0
"""Gates learn so much faster than weights: a gate has a few units to go, and few steps to go them in."""


@dataclass(frozen=True)
class PaperFit(FittedResult):
    """A fitted model and what it says.

    Parameters
    ----------
    names
        Latents: ``shared_1`` ..., then ``<modality>_1`` ...
    latents
        Shape (n, d), posterior means, standardised.
    adjacency
        Shape (d, d), rows are children: probability that the edge is open.
    history
        One row an epoch: the terms on training and validation people.
    held_out
        Measurement -> share of its variance that is reconstructed on validation people.
    layout, budget, weights, state
        The model: its sizes, how it was trained, by which objective, its parameters.
    scale
        Of the measurements.
    mean, std
        Of the posterior means of the people fitted on, shape (d,); latents are given on this scale.
    restarts
        How often training diverged and went on from its best epoch with a quarter of the rate.
    eager_reason
        Why steps were not compiled although that was asked for.
    """

    names: list[str]
    latents: NDArray[np.float64]
    adjacency: NDArray[np.float64]
    history: list[dict[str, float]]
    held_out: dict[str, float]
    layout: Layout
    budget: Budget
    weights: Weights
    state: dict[str, torch.Tensor] = field(repr=False)
    scale: Scaler = field(repr=False)
    mean: NDArray[np.float64] = field(repr=False)
    std: NDArray[np.float64] = field(repr=False)
    restarts: int = 0
    eager_reason: str | None = None

    @property
    def dropped(self) -> int:
        """Number of constant dimensions that were left out."""
        return self.scale.dropped

    @property
    def objective(self) -> float:
        """The best validation objective."""
        return min(row["validation"] for row in self.history)

    @torch.no_grad()
    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on.

        Raises
        ------
        InputError
            Other measurements or dimensions than were fitted on, missing or infinite numbers.
        """
        self.scale.check_people(views)
        with CPU, torch.random.fork_rng(devices=[]):
            model = LatentModel(self.layout, generator=torch.Generator())
        model.load_state_dict(self.state)
        with threads(self.budget.threads):
            mean = _means(model, Batches(views, self.scale)).numpy()
        encoded: NDArray[np.float64] = (mean - self.mean) / self.std
        return encoded


@register("methods", "paper", title="Paper", order=11)
@dataclass
class Paper(Estimator):
    """The paper's method: reconstruction, independence of the noise, sparsity of the graph, in one objective.

    Training goes on from a checkpoint where one is there, to the same numbers as without a stop.

    Parameters
    ----------
    budget
        The same for all methods that are compared; `PAPER_BUDGET` suits it better by itself.
    weights
        Of the three terms and acyclicity.
    images
        Modality -> (channels, height, width) of its measurements, which are then read and decoded by convolutions.
    prior
        What is known of causes between modalities.
    eta
        Noise variables of a measurement.
    checkpoint
        A file that the state is kept in after every epoch (safetensors); it is removed at the end.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518; Li et al. 2026, arXiv:2509.11362.
    """

    budget: Budget = STANDARD
    weights: Weights = PAPER
    images: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    prior: Prior | None = None
    eta: int = 1
    checkpoint: Path | None = None
    name = "paper"
    accelerated = True

    def resuming(self, checkpoint: Path) -> Paper:
        """Return the same method, which goes on from a checkpoint where there is one."""
        return replace(self, checkpoint=checkpoint)

    def learn(self, problem: Problem) -> PaperFit:
        """Return the fitted method; the truth is not used.

        Raises
        ------
        InputError
            Measurements that nothing can be learned from; a checkpoint of another architecture, of other people or
            settings.
        ComputationError
            When training diverges three times; it goes on from its best epoch with a quarter of the rate twice.
        """
        budget = self.budget
        check(problem.views, problem.latents, problem.shared)
        scale = Scaler.fit(problem.views)
        device = torch_device(budget.device)
        everyone = Batches(problem.views, scale, device)
        layout = Layout(
            scale.dims, dict(problem.latents), problem.shared, self.eta, budget.hidden,
            _pixels(scale, self.images), self.prior,
        )  # fmt: skip
        seed = int(problem.rng.integers(2**31))
        held, learn = (everyone.subset(rows) for rows in validation_split(len(everyone), budget.held_out))
        with threads(budget.threads):
            generator = torch.Generator().manual_seed(seed)
            with CPU, torch.random.fork_rng(devices=[]):  # torch draws first weights from global state; drawn anew
                model = LatentModel(layout, generator=generator)
            objective = PaperObjective(model.to(device), self.weights, half=budget.half)
            trainer = Trainer(model, objective, budget, generator, faster=([model.flow.gate_logits], GATE_RATE))
            identity = self._identity(layout, everyone, seed) if self.checkpoint is not None else None
            trainer.run(
                learn, held, checkpoint=self.checkpoint, identity=identity, progress=problem.progress,
                on_epoch=_told(problem.on_epoch, model, everyone),
            )  # fmt: skip
            return _result(model, trainer, held, everyone, self.weights)

    def _identity(self, layout: Layout, everyone: Batches, seed: int) -> dict[str, dict[str, Any] | str]:
        """Return what a checkpoint must be of: numbers are the same only where all of it is."""
        people = hashlib.sha256(str(len(everyone)).encode())
        for views in replace(everyone, device=CPU).chunks():
            for m, by in views.items():
                for k, x in by.items():
                    people.update(f"{m}/{k} {x.shape[1]};".encode() + x.numpy().tobytes())
        config = self.budget.model_dump() | {"weights": asdict(self.weights), "device": everyone.device.type}
        return {
            "architecture": asdict(layout) | {"prior": layout.prior and layout.prior.model_dump(mode="json")},
            "config": config | {"seed": seed},
            "group of people": people.hexdigest(),
            "version of torch": version("torch"),
        }


@register("methods", "mmcrl", title="MMCRL", order=10)
@dataclass
class MMCRL(Estimator):
    """`Paper` with the first measurement of each modality; the others are not looked at.

    Parameters
    ----------
    budget, weights, images, prior
        As `Paper` takes them.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518.
    """

    budget: Budget = STANDARD
    weights: Weights = PAPER
    images: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    prior: Prior | None = None
    name = "mmcrl"
    accelerated = True

    def learn(self, problem: Problem) -> FirstMeasurementFit:
        """Return the fitted method; the truth is not used."""
        check(problem.views, problem.latents, problem.shared)
        chosen = {m: next(iter(by)) for m, by in problem.views.items()}
        paper = Paper(self.budget, self.weights, self.images, self.prior)
        told = problem.on_epoch and _of_first(problem.on_epoch, chosen)
        return FirstMeasurementFit(
            paper.learn(replace(problem, views=_first(problem.views, chosen), on_epoch=told)), chosen
        )


@dataclass(frozen=True)
class FirstMeasurementFit(FittedResult):
    """A result that reads one measurement of each modality.

    Parameters
    ----------
    result
        Of `Paper`.
    chosen
        Modality -> measurement.
    """

    result: PaperFit = field(repr=False)
    chosen: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """Latents in the order of the columns."""
        return self.result.names

    @property
    def adjacency(self) -> NDArray[np.float64]:
        """Probability that each edge is open, rows are children."""
        return self.result.adjacency

    @property
    def objective(self) -> float:
        """The best validation objective."""
        return self.result.objective

    @property
    def eager_reason(self) -> str | None:
        """Why steps were not compiled although that was asked for."""
        return self.result.eager_reason

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d)."""
        return self.result.encode(_first(views, self.chosen))


def _of_first(on_epoch: OnEpoch, chosen: Mapping[str, str]) -> OnEpoch:
    """Return what takes all measurements of people and passes on the chosen ones."""
    return lambda epoch: on_epoch(replace(epoch, encode=lambda views: epoch.encode(_first(views, chosen))))


def _first(views: Arrays, chosen: Mapping[str, str]) -> Arrays:
    return {m: {k: x for k, x in views[m].items() if k == name} for m, name in chosen.items() if m in views}


def _pixels(scale: Scaler, images: Mapping[str, tuple[int, int, int]]) -> dict[str, dict[str, Pixels]]:
    """Return the positions, in the images, of the numbers that vary.

    Raises
    ------
    InputError
        When a measurement is no image of the shape.
    """
    found: dict[str, dict[str, Pixels]] = {}
    for modality, shape in images.items():
        for name, std in scale.std.get(modality, {}).items():
            if len(std) != np.prod(shape):
                text = f"{modality}/{name} has {len(std)} numbers; an image of shape {shape} has {np.prod(shape)}"
                raise InputError(text)
            kept = tuple(int(at) for at in np.flatnonzero(std > 0))
            found.setdefault(modality, {})[name] = Pixels(shape, kept)
    return found


@torch.no_grad()
def _result(model: LatentModel, trainer: Trainer, held: Batches, everyone: Batches, weights: Weights) -> PaperFit:
    model = model.to(CPU)
    means = _means(model, replace(everyone, device=CPU))
    std = means.std(dim=0)
    std = torch.where(std > 0, std, 1.0)
    return PaperFit(
        names=model.layout.names,
        latents=((means - means.mean(dim=0)) / std).numpy(),
        adjacency=model.flow.probabilities().double().numpy(),
        history=trainer.history,
        held_out=_reconstructed(model, replace(held, device=CPU)),
        layout=model.layout,
        budget=trainer.budget,
        weights=weights,
        state=model.state_dict(),
        scale=everyone.scale,
        mean=means.mean(dim=0).numpy(),
        std=std.numpy(),
        restarts=trainer.restarts,
        eager_reason=trainer.eager_reason,
    )


def _told(
    on_epoch: OnEpoch | None, model: LatentModel, everyone: Batches
) -> Callable[[Mapping[str, float]], None] | None:
    """Return what tells of an epoch by encoding people with the model as it is then."""
    if on_epoch is None:
        return None

    @torch.no_grad()
    def encode(views: Arrays) -> NDArray[np.float64]:
        everyone.scale.check_people(views)
        return _means(model, Batches(views, everyone.scale, everyone.device)).cpu().numpy()

    return lambda row: on_epoch(Epoch(int(row["epoch"]), row["validation"], encode))


def _means(model: LatentModel, people: Batches) -> torch.Tensor:
    """Return the posterior means of all people, shape (n, d)."""
    return torch.cat([model.infer(views).mean.double() for views in people.chunks()])


def _reconstructed(model: LatentModel, held: Batches) -> dict[str, float]:
    """Return the share of each measurement's variance that the decoders give back."""
    errors: dict[str, float] = {}
    variances: dict[str, float] = {}
    means = {key: torch.zeros(dim, device=CPU) for key, (_, dim) in model.layout.measurements.items()}
    for views in held.chunks():
        for (m, k), mean in means.items():
            mean += views[m][k].sum(dim=0) / len(held)
    for views in held.chunks():
        inferred = model.infer(views)
        rebuilt = model.decode(inferred.mean, {key: belief[0] for key, belief in inferred.eta.items()})
        for (m, k), mean in means.items():
            name, x = f"{m}/{k}", views[m][k]
            errors[name] = errors.get(name, 0.0) + float((rebuilt[m, k] - x).square().sum())
            variances[name] = variances.get(name, 0.0) + float((x - mean).square().sum())
    return {name: 1 - error / variances[name] for name, error in errors.items()}
