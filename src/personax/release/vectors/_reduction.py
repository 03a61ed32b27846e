"""Reduction of vectors: a few numbers a person in place of the embeddings, clipped, with Gaussian noise.

A keyed transform obfuscates the axes and releases every vector; this releases fewer numbers, with noise. What is left
out cannot be restored, not even by the owner.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from personax.errors import InputError
from personax.release._gaussian_mechanism import analytic_epsilon, noise_on_grid
from personax.release.keys._keystore import ReleaseKey
from personax.strict import Alpha, Count, Positive, Strict

__all__ = ["ReducedVectors", "Reduction", "ReductionMethod", "clip_norms", "project", "reduce"]

ReductionMethod = Literal["summary", "random", "latents"]
"""Principal components; random axes under the key; the latents of Level II."""

LARGE_EPSILON = 10.0

Floats = NDArray[np.float64]
Frames = Mapping[str, pl.DataFrame]


class Reduction(Strict):
    """Settings of a reduction: a few numbers in place of each vector, with noise.

    Parameters
    ----------
    keep, numbers
        Which axes, and how many numbers of each measurement.
    noise
        Standard deviation of the noise on every number, where the first principal component has 1.
    clip
        Norm to which a person's numbers are clipped; stated, not taken from the data.
    delta
        Of the statement.
    """

    keep: ReductionMethod = "summary"
    numbers: Count = 16
    noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    clip: Positive = 3.0
    delta: Alpha = 1e-6

    def sensitivity(self, measurements: int) -> float:
        """Return how far all numbers of a person can move when the person's vectors are replaced by any others."""
        return 2 * self.clip * math.sqrt(measurements)

    def epsilon(self, measurements: int) -> float:
        """Return the epsilon of all measurements together; infinite without noise."""
        if not self.noise:
            return math.inf
        return analytic_epsilon(self.sensitivity(measurements), self.noise, self.delta)

    def rho(self, measurements: int) -> float:
        """Return the rho of all measurements together."""
        return self.sensitivity(measurements) ** 2 / (2 * self.noise**2) if self.noise else math.inf


@dataclass(frozen=True)
class ReducedVectors:
    """The numbers that leave, and the same before the noise.

    Parameters
    ----------
    reduction, measurements
        The settings, and the number of measurements.
    clean, noisy
        Modality -> ``id`` and the numbers of each measurement, as vectors.
    """

    reduction: Reduction
    measurements: int
    clean: Frames
    noisy: Frames

    @property
    def sentence(self) -> str:
        """A sentence for the dataset card."""
        own = self.reduction
        axes = {"summary": "principal components", "random": "numbers on random axes of the key",
                "latents": "latents of Level II"}[own.keep]  # fmt: skip
        given = {"summary": " It is of the numbers given the axes, which were fitted to the same people.",
                 "latents": " It is of the latents given the model, which was fitted to the same people.",
                 "random": ""}[own.keep]  # fmt: skip
        text = f"In place of every vector at most {own.numbers} {axes} leave, cut to length {own.clip:g}"
        if not own.noise:
            return f"{text}, without noise: nothing is guaranteed of them."
        return (
            f"{text}, each with Gaussian noise of standard deviation {own.noise:g} "
            f"(the first component has 1): local differential privacy, epsilon = "
            f"{own.epsilon(self.measurements):.3g} at delta = {own.delta:g}, for one person's vectors "
            f"of all {self.measurements} measurements.{given}{self._large}"
        )

    @property
    def _large(self) -> str:
        """A warning where epsilon is too large to guarantee anything."""
        if self.reduction.epsilon(self.measurements) <= LARGE_EPSILON:
            return ""
        return f" An epsilon above {LARGE_EPSILON:g} promises hardly anything by itself: read what the attacks find."

    def to_dict(self) -> dict[str, Any]:
        """Return what protection.json holds."""
        epsilon = self.reduction.epsilon(self.measurements)
        return {"keep": self.reduction.keep, "numbers": self.reduction.numbers, "noise": self.reduction.noise,
                "clip": self.reduction.clip, "delta": self.reduction.delta,
                "epsilon": epsilon if math.isfinite(epsilon) else None,
                "given the axes": self.reduction.keep != "random"}  # fmt: skip


def project(x: Floats, reduction: Reduction, key: ReleaseKey, label: str) -> Floats:
    """Project vectors on few axes, before clipping and noise, shape (n, numbers).

    Parameters
    ----------
    x
        Vectors of a measurement, shape (n, d).
    reduction, key, label
        Which axes; the key and the measurement's name make random ones.

    Notes
    -----
    ``summary``: scores on the leading principal axes, divided by the standard deviation of the first. ``random``:
    vectors of length ``clip`` on orthonormal axes, times sqrt(d / numbers), so that lengths stay about the same
    (Johnson, Lindenstrauss 1984); nothing is taken from the data. ``latents``: each to mean 0 and deviation 1.
    """
    n, d = x.shape
    if reduction.numbers > min(n, d) and reduction.keep != "latents":
        raise InputError(f"release.vectors.numbers is {reduction.numbers} and {label} has {min(n, d)}; ask for fewer")
    if reduction.keep == "random":
        lengths = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
        axes, _ = np.linalg.qr(key.random_stream("reduction", label).normal("axes", d, reduction.numbers))
        return np.asarray(reduction.clip * math.sqrt(d / reduction.numbers) * (x / lengths) @ axes)
    centred = x - x.mean(axis=0)
    if reduction.keep == "latents":
        deviation = centred.std(axis=0)
        return np.asarray((centred / np.where(deviation > 0, deviation, 1.0))[:, : reduction.numbers])
    _, axes = np.linalg.eigh(centred.T @ centred / n)
    axes = axes[:, ::-1][:, : reduction.numbers]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    made = centred @ axes
    first = float(made[:, 0].std())
    return np.asarray(made / first) if first > 0 else made


def clip_norms(values: Floats, clip: float) -> Floats:
    """Clip rows to a norm, slightly inside, so that rounding cannot exceed it."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values * np.minimum(1, clip * (1 - 1e-9) / np.maximum(lengths, 1e-300)))


def reduce(embeddings: Frames, reduction: Reduction, key: ReleaseKey) -> ReducedVectors:
    """Reduce embeddings to few numbers, with noise.

    Parameters
    ----------
    embeddings
        Modality -> ``id`` and vectors; of ``latents`` one modality with one measurement.
    reduction, key
        Settings; the key determines random axes.

    Raises
    ------
    InputError
        More numbers than a measurement has.
    MissingExtraError
        Noise needs OpenDP.

    Notes
    -----
    Noise is drawn anew at every call and cannot be seeded; whoever builds a release keeps it.
    """
    count = sum(frame.width - 1 for frame in embeddings.values())
    clean: dict[str, pl.DataFrame] = {}
    noisy: dict[str, pl.DataFrame] = {}
    for modality, frame in embeddings.items():
        clean[modality], noisy[modality] = frame.select("id"), frame.select("id")
        for name in frame.columns[1:]:
            x = np.asarray(frame[name].to_numpy(), dtype=np.float64)
            if not np.isfinite(x).all():
                raise InputError(f"{modality}/{name} has numbers that are missing or not finite; embed them again")
            made = clip_norms(project(x, reduction, key, f"{modality}/{name}"), reduction.clip)
            clean[modality] = clean[modality].with_columns(_vectors(name, made))
            if reduction.noise:
                gap = 2 * reduction.clip
                made = noise_on_grid(made, reduction.noise, sensitivity=gap, rho=gap**2 / (2 * reduction.noise**2))
            noisy[modality] = noisy[modality].with_columns(_vectors(name, made))
    return ReducedVectors(reduction, count, clean, noisy)


def _vectors(name: str, rows: Floats) -> pl.Series:
    return pl.Series(name, rows.astype(np.float32), dtype=pl.Array(pl.Float32, rows.shape[1]))
