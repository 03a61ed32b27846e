"""Fit the model: standardise, train, stop by the validation objective, never look at a truth."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from personax.crl.images import Pixels
from personax.crl.loop import VALIDATION_SEED, Tensors, threads
from personax.crl.method import Arrays, Progress
from personax.crl.model import LatentModel, Layout
from personax.crl.objective import PAPER, Weights, terms
from personax.crl.standard import Standardiser, check
from personax.errors import ComputationError, InputError

__all__ = ["CRLResult", "FitConfig", "fit"]

GATE_RATE = 10.0
"""Gates learn so much faster than weights: a gate has a few units to go, and few steps to go them in."""


@dataclass(frozen=True)
class FitConfig:
    """How to train.

    Parameters
    ----------
    epochs, batch, rate
        Passes over the data, people a step, highest learning rate (Adam, cosine to zero).
    held_out
        Share of people kept for validation; the epoch with the best validation objective is kept.
    patience
        Epochs without improvement after which training stops.
    weights
        Of the objective's terms; `PAPER` is the paper's preset.
    hidden, eta
        Width of encoders and decoders; noise variables a measurement.
    threads
        Of the processor. One gives the same numbers on every machine, and small models are no slower for it.
    images
        Modality -> (channels, height, width) of its measurements, which are then read and given back by convolutions.
    """

    epochs: int = 60
    batch: int = 64
    rate: float = 2e-3
    held_out: float = 0.1
    patience: int = 20
    weights: Weights = PAPER
    hidden: int = 96
    eta: int = 1
    threads: int = 1
    images: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class CRLResult:
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
    layout, config, state
        The model: its sizes, how it was trained, its weights.
    scale
        Of the measurements.
    centre, spread
        Of the posterior means of the people fitted on, shape (d,); latents are given on this scale.
    """

    names: list[str]
    latents: NDArray[np.float64]
    adjacency: NDArray[np.float64]
    history: list[dict[str, float]]
    held_out: dict[str, float]
    layout: Layout
    config: FitConfig
    state: dict[str, torch.Tensor] = field(repr=False)
    scale: Standardiser = field(repr=False)
    centre: NDArray[np.float64] = field(repr=False)
    spread: NDArray[np.float64] = field(repr=False)

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
        tensors = _tensors(self.scale.apply(views))
        with threads(self.config.threads), torch.random.fork_rng(devices=[]):
            model = LatentModel(self.layout, generator=torch.Generator())
            model.load_state_dict(self.state)
            mean = model.infer(tensors).mean.double().numpy()
        encoded: NDArray[np.float64] = (mean - self.centre) / self.spread
        return encoded


def fit(
    views: Arrays,
    *,
    latents: Mapping[str, int],
    shared: int = 0,
    config: FitConfig | None = None,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> CRLResult:
    """Learn the latents behind several measurements of several modalities, and the graph among them.

    Parameters
    ----------
    views
        Modality -> measurement -> vectors, shape (n, dim); the same people in the same order everywhere.
    latents
        Modality -> number of latents.
    shared
        Number of latents that all modalities share.
    config
        How to train.
    rng
        The same generator state gives the same numbers, for one number of threads (one by default).
    progress
        Called with (epoch, epochs, validation objective).

    Raises
    ------
    InputError
        Unequal lengths, missing or infinite numbers, too few people, more latents than dimensions.
    ComputationError
        When training diverges three times, each time with a lower learning rate.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518; Li et al. 2026, arXiv:2509.11362.
    """
    config = config or FitConfig()
    check(views, latents, shared)
    scale = Standardiser.fit(views)
    standard = _tensors(scale.apply(views))
    images = _pixels(scale, config.images)
    layout = Layout(scale.dims, dict(latents), shared, config.eta, config.hidden, images)
    seed = int(rng.integers(2**31))
    with threads(config.threads):
        for attempt in range(3):
            try:
                trained = _train(standard, layout, config, seed, config.rate / 4**attempt, progress)
            except FloatingPointError:
                continue
            return _result(*trained, standard, layout, config, scale)
    text = "training diverged three times, each with a lower rate; check the embeddings for extreme values"
    raise ComputationError(text)


def _pixels(scale: Standardiser, images: Mapping[str, tuple[int, int, int]]) -> dict[str, dict[str, Pixels]]:
    """Return where the numbers that vary stand in the images.

    Raises
    ------
    InputError
        When a measurement is no image of the shape.
    """
    found: dict[str, dict[str, Pixels]] = {}
    for modality, shape in images.items():
        for name, spread in scale.spread.get(modality, {}).items():
            if len(spread) != np.prod(shape):
                text = f"{modality}/{name} has {len(spread)} numbers; an image of shape {shape} has {np.prod(shape)}"
                raise InputError(text)
            kept = tuple(int(at) for at in np.flatnonzero(spread > 0))
            found.setdefault(modality, {})[name] = Pixels(shape, kept)
    return found


def _tensors(views: Arrays) -> dict[str, dict[str, torch.Tensor]]:
    return {m: {k: torch.from_numpy(x.astype(np.float32)) for k, x in by.items()} for m, by in views.items()}


def _train(
    views: Tensors, layout: Layout, config: FitConfig, seed: int, rate: float, progress: Progress | None
) -> tuple[LatentModel, list[dict[str, float]], torch.Tensor]:
    """Train once and return the model of the best epoch, the history and the validation people."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):  # torch draws first weights from global state; they are drawn anew
        model = LatentModel(layout, generator=generator)
    n = len(next(iter(next(iter(views.values())).values())))
    order = torch.randperm(n, generator=torch.Generator().manual_seed(VALIDATION_SEED))
    cut = max(2, round(config.held_out * n))
    held, train = order[:cut], order[cut:]
    gates = [model.flow.gate_logits]
    others = [parameter for parameter in model.parameters() if parameter is not model.flow.gate_logits]
    optimiser = torch.optim.Adam(
        [{"params": others, "lr": rate}, {"params": gates, "lr": GATE_RATE * rate}], fused=True
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.epochs)
    history: list[dict[str, float]] = []
    best, since, kept = float("inf"), 0, copy.deepcopy(model.state_dict())
    for epoch in range(config.epochs):
        cycles = (epoch + 1) / config.epochs
        row = _epoch(model, _rows(views, train), optimiser, config, cycles, generator)
        schedule.step()
        objective = _validate(model, _rows(views, held), config, row)
        history.append({"epoch": epoch + 1, **row})
        if not np.isfinite(objective):
            raise FloatingPointError
        if objective < best:
            best, since, kept = objective, 0, copy.deepcopy(model.state_dict())
        else:
            since += 1
        if progress is not None:
            progress(epoch + 1, config.epochs, objective)
        if since >= config.patience:
            break
    model.load_state_dict(kept)
    return model, history, held


def _epoch(
    model: LatentModel,
    views: Tensors,
    optimiser: torch.optim.Optimizer,
    config: FitConfig,
    cycles: float,
    generator: torch.Generator,
) -> dict[str, float]:
    n = len(next(iter(next(iter(views.values())).values())))
    sums, steps = np.zeros(4), 0
    for batch in torch.split(torch.randperm(n, generator=generator), config.batch):
        found = terms(model, _rows(views, batch), generator)
        loss = found.total(config.weights, cycles=cycles)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        sums += [found.reconstruction.item(), found.independence.item(), found.sparsity.item(), found.cycles.item()]
        steps += 1
    names = ("reconstruction", "independence", "sparsity", "cycles")
    return dict(zip(names, (sums / steps).tolist(), strict=True))


@torch.no_grad()
def _validate(model: LatentModel, views: Tensors, config: FitConfig, row: dict[str, float]) -> float:
    # the same draws every epoch: means alone would leave the posterior's variance out of the divergence
    found = terms(model, views, torch.Generator().manual_seed(VALIDATION_SEED))
    objective = float(found.total(config.weights))
    row["validation"] = objective
    row["validation_reconstruction"] = float(found.reconstruction)
    return objective


def _rows(views: Tensors, rows: torch.Tensor) -> dict[str, dict[str, torch.Tensor]]:
    return {m: {k: x[rows] for k, x in by.items()} for m, by in views.items()}


@torch.no_grad()
def _result(
    model: LatentModel,
    history: list[dict[str, float]],
    held: torch.Tensor,
    views: Tensors,
    layout: Layout,
    config: FitConfig,
    scale: Standardiser,
) -> CRLResult:
    mean = model.infer(views).mean.double()
    spread = mean.std(dim=0)
    spread = torch.where(spread > 0, spread, 1.0)
    standard = (mean - mean.mean(dim=0)) / spread
    return CRLResult(
        names=layout.names,
        latents=standard.numpy(),
        adjacency=model.flow.probabilities().double().numpy(),
        history=history,
        held_out=_reconstructed(model, _rows(views, held)),
        layout=layout,
        config=config,
        state=model.state_dict(),
        scale=scale,
        centre=mean.mean(dim=0).numpy(),
        spread=spread.numpy(),
    )


def _reconstructed(model: LatentModel, views: Tensors) -> dict[str, float]:
    """Return the share of each measurement's variance that the decoders give back."""
    inferred = model.infer(views)
    rebuilt = model.decode(inferred.mean, {key: mean for key, (mean, _) in inferred.eta.items()})
    shares = {}
    for modality, measurements in views.items():
        for name, x in measurements.items():
            error = (rebuilt[modality, name] - x).square().sum()
            shares[f"{modality}/{name}"] = float(1 - error / (x - x.mean(dim=0)).square().sum())
    return shares
