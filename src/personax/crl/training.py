"""Fit the model: standardise, train, stop by the validation objective, never look at a truth."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from personax.crl.budget import Device
from personax.crl.course import Course
from personax.crl.device import CPU, permutation, placed
from personax.crl.images import Pixels
from personax.crl.loop import VALIDATION_SEED, threads
from personax.crl.method import Arrays, Progress
from personax.crl.model import LatentModel, Layout
from personax.crl.objective import PAPER, Weights
from personax.crl.people import People
from personax.crl.prior import Prior
from personax.crl.standard import Standardiser, check
from personax.errors import InputError

__all__ = ["CRLResult", "FitConfig", "fit"]


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
    compiled
        Compile the training step (`torch.compile`): faster once it is compiled, which takes seconds and a C++
        compiler. Where that fails the fit goes on without, and says why. Numbers differ in their last digits.
    half
        Products of matrices of encoders and decoders in bfloat16: faster on processors that know it.
    prior
        What is known of causes between modalities.
    device
        ``cpu``, ``cuda``, or ``auto``: a GPU where there is one.
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
    compiled: bool = False
    half: bool = False
    prior: Prior | None = None
    device: Device = "cpu"


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
    restarts
        How often training diverged and went on from its best epoch with a quarter of the rate.
    eager_because
        Why steps were not compiled although that was asked for.
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
    restarts: int = 0
    eager_because: str | None = None

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
        with threads(self.config.threads):
            mean = _means(model, People(views, self.scale)).numpy()
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
    checkpoint: Path | None = None,
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
    checkpoint
        A file that the state is kept in after every epoch (safetensors). Where it is there, training goes on from it to
        the same numbers as without a stop; it is removed at the end.

    Raises
    ------
    InputError
        Unequal lengths, missing or infinite numbers, too few people, more latents than dimensions; a checkpoint of
        another architecture, of other people or settings.
    ComputationError
        When training diverges three times; it goes on from its best epoch with a quarter of the rate twice.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518; Li et al. 2026, arXiv:2509.11362.
    """
    config = config or FitConfig()
    check(views, latents, shared)
    scale = Standardiser.fit(views)
    device = placed(config.device)
    everyone = People(views, scale, device)
    images = _pixels(scale, config.images)
    layout = Layout(scale.dims, dict(latents), shared, config.eta, config.hidden, images, config.prior)
    seed = int(rng.integers(2**31))
    order = permutation(len(everyone), generator=torch.Generator().manual_seed(VALIDATION_SEED))
    cut = max(2, round(config.held_out * len(everyone)))
    learn, held = everyone.part(order[cut:]), everyone.part(order[:cut])
    with threads(config.threads):
        generator = torch.Generator().manual_seed(seed)
        with CPU, torch.random.fork_rng(devices=[]):  # torch draws first weights from global state; drawn anew
            model = LatentModel(layout, generator=generator)
        course = Course(model.to(device), config, generator)
        of = _facts(layout, config, everyone, seed) if checkpoint is not None else None
        course.run(learn, held, checkpoint=checkpoint, of=of, progress=progress)
        return _result(course, held, everyone, config)


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


def _facts(layout: Layout, config: FitConfig, everyone: People, seed: int) -> dict[str, dict[str, Any] | str]:
    """Return what a checkpoint must be of: numbers are the same only where all of it is."""
    people = hashlib.sha256(str(len(everyone)).encode())
    for views in replace(everyone, device=CPU).chunks():
        for m, by in views.items():
            for k, x in by.items():
                people.update(f"{m}/{k} {x.shape[1]};".encode() + x.numpy().tobytes())
    return {
        "architecture": asdict(layout),
        "config": {**asdict(config), "device": everyone.device.type, "seed": seed},
        "group of people": people.hexdigest(),
        "version of torch": version("torch"),
    }


@torch.no_grad()
def _result(course: Course, held: People, everyone: People, config: FitConfig) -> CRLResult:
    model = course.model.to(CPU)
    mean = _means(model, replace(everyone, device=CPU))
    spread = mean.std(dim=0)
    spread = torch.where(spread > 0, spread, 1.0)
    standard = (mean - mean.mean(dim=0)) / spread
    return CRLResult(
        names=model.layout.names,
        latents=standard.numpy(),
        adjacency=model.flow.probabilities().double().numpy(),
        history=course.history,
        held_out=_reconstructed(model, replace(held, device=CPU)),
        layout=model.layout,
        config=config,
        state=model.state_dict(),
        scale=everyone.scale,
        centre=mean.mean(dim=0).numpy(),
        spread=spread.numpy(),
        restarts=course.restarts,
        eager_because=course.eager_because,
    )


def _means(model: LatentModel, people: People) -> torch.Tensor:
    """Return the posterior means of all people, shape (n, d)."""
    return torch.cat([model.infer(views).mean.double() for views in people.chunks()])


def _reconstructed(model: LatentModel, held: People) -> dict[str, float]:
    """Return the share of each measurement's variance that the decoders give back."""
    errors: dict[str, float] = {}
    spreads: dict[str, float] = {}
    centres = {key: torch.zeros(dim, device=CPU) for key, (_, dim) in model.layout.measurements.items()}
    for views in held.chunks():
        for (m, k), centre in centres.items():
            centre += views[m][k].sum(dim=0) / len(held)
    for views in held.chunks():
        inferred = model.infer(views)
        rebuilt = model.decode(inferred.mean, {key: mean for key, (mean, _) in inferred.eta.items()})
        for (m, k), centre in centres.items():
            name, x = f"{m}/{k}", views[m][k]
            errors[name] = errors.get(name, 0.0) + float((rebuilt[m, k] - x).square().sum())
            spreads[name] = spreads.get(name, 0.0) + float((x - centre).square().sum())
    return {name: 1 - error / spreads[name] for name, error in errors.items()}
