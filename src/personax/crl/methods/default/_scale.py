"""The decoder class *scale times shape*: one latent multiplies all that a modality's measurements show.

Brightness of a picture, loudness, verbosity: ``x_k = c_k + u psi_k(s, eta_k)``, a decoder that is separable of rank one
in the scale latent u > 0. So ``log |x_k - c_k| = log u + log |psi_k|``, and the shape ``(x_k - c_k) / |x_k - c_k|``
knows of u only what the other latents s do. u is found by a regression with a random effect: the log norms y_k of a
person's measurements on their shapes, ``y_k = a + g_k(shape_k) + e_k``, in which what the measurements share beyond
their shapes, a, is the scale. Then

    u = mean_k(y_k - g_k(shape_k)) + E[mean_k g_k | s]:

what shape tells of the norm through the other latents stays (they may cause the scale or be caused by it; log u and
log |psi| are told apart by the convention that the mean of log |psi| does not change along s), and what it tells
through eta goes, which is independent of u given s.

The scale latent exists by its diagnostics or not at all; then the other latents are read from shapes alone, so that
none of the scale can be mixed into them (`fit_scale_coordinates`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._device import CPU
from personax.crl.methods.default._apex import Apex, about, blurred, estimate_apex
from personax.crl.methods.default._scale_regression import FourierBasis, FourierRidge

__all__ = ["MeasuredScale", "ScaleModel", "fit_scale"]

SAMPLE: Final = 2000
"""People from whom directions and the apex are learned."""

MOST: Final = 60
"""Components at most, of a measurement and of its shape."""

SHARE: Final = 0.999
"""Of the variance, which components stop at."""

FEATURES: Final = 800
HALF_FEATURES: Final = 300
REGRESSED: Final = 20_000
"""People on whom log norms are regressed at most."""

FEWEST: Final = 200
"""People below whom no scale is looked for: few leave open what shape tells of the norm."""

ROUNDS: Final = 3
"""Of backfitting the random effect and the regressions."""

ONE_LENGTH: Final = 1e-3
"""Standard deviation of the log norm below which vectors have one length."""

STANDS_OUT: Final = 1.3
"""Times as much that shape must leave untold about the apex as about points elsewhere, at most.

Of modalities looked at, 16 with a scale had 1.9 to 10 (noise of pixels before a background: 2.5 to 5), 31 of numbers
without one at most 1.25."""

STANDS_OUT_ALONE: Final = 1.45
"""The same of a modality with one measurement, which no other one confirms."""

LEAST_MOVED: Final = 0.02
"""Share of the variance of the measurements that a scale latent moves at least."""

LEAST_AGREED: Final = 0.3
"""Correlation between measurements, of what their shapes do not tell of their norms, from which a scale is shared."""

LOWEST: Final = 0.01
"""Quantile that stands for the lowest value of a coordinate: what is shown when nothing is."""

Measurements = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class MeasuredScale:
    """Norm and shape of one measurement about its apex.

    Parameters
    ----------
    mean, directions
        Shape (dim,) and (dim, q): the leading components that are not noise.
    apex
        Shape (q,), in these.
    shape_mean, axes, size
        Centre of the shapes, shape (q,), their leading components, shape (q, p), and the size of the first.
    log_mean
        Mean log norm.
    told
        What the shape tells of the log norm; standardised by ``log_std`` of the modality.
    """

    mean: Tensor = field(repr=False)
    directions: Tensor = field(repr=False)
    apex: Tensor = field(repr=False)
    shape_mean: Tensor = field(repr=False)
    axes: Tensor = field(repr=False)
    size: float
    log_mean: float
    told: FourierRidge | None = field(default=None, repr=False)

    def components(self, x: NDArray[Any]) -> Tensor:
        """Return the components of any people, shape (n, q)."""
        return (torch.from_numpy(np.asarray(x, dtype=np.float32)) - self.mean) @ self.directions

    def split(self, components: Tensor) -> tuple[Tensor, Tensor]:
        """Return centred log norms, shape (n,), and shapes, shape (n, p)."""
        logs, shape = about(components, self.apex)
        return logs - self.log_mean, (shape - self.shape_mean) @ self.axes / self.size


@dataclass(frozen=True)
class ScaleModel:
    """The scale of a modality's measurements.

    Parameters
    ----------
    measured
        By measurement.
    log_std
        Of the log norms.
    stands_out
        How many times as much shape leaves untold about the apexes as elsewhere.
    moved
        Share of the variance of the measurements that the scale latent moves.
    untold
        Share of the variance of the mean log norm that shapes do not tell.
    agreement
        Correlation of that between measurements; None where there is one.
    halves
        Rank correlation, on people held out, of the scales that either half of the people gives.
    apex
        By measurement, the candidate that was taken.
    """

    measured: dict[str, MeasuredScale] = field(repr=False)
    log_std: float
    stands_out: float
    moved: float
    untold: float
    agreement: float | None
    halves: float
    apex: dict[str, str]

    @property
    def exists(self) -> bool:
        """Whether the measurements have a scale latent."""
        return self.moved > LEAST_MOVED and (self.agreement is None or self.agreement > LEAST_AGREED)

    def split(self, by: Measurements) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Return standardised log norms, what shapes tell of them, shape (n, measurements) each, and the shapes."""
        logs, told, shapes = [], [], []
        for name, one in self.measured.items():
            assert one.told is not None
            norm, shape = one.split(one.components(by[name]))
            logs.append(norm / self.log_std)
            told.append(one.told(shape))
            shapes.append(shape)
        return torch.stack(logs, 1), torch.stack(told, 1), shapes


def fit_scale(
    by: Measurements, people: tuple[Tensor, Tensor], *, generator: torch.Generator, device: torch.device = CPU
) -> tuple[ScaleModel, Tensor] | None:
    """Find the scale of a modality's measurements; whether it is a latent is what `ScaleModel.exists` says.

    Parameters
    ----------
    by
        Measurement -> vectors, shape (n, dim).
    people
        Rows held out, and rows to learn from.

    Returns
    -------
    tuple or None
        The model, and what the shapes of others tell of each person's log norms, shape (people learned from,
        measurements); None where there is nothing to scale: vectors of one length, people on all sides of any apex, or
        an apex that does not stand out.
    """
    held, learn = people[0], people[1][:REGRESSED]
    if len(learn) < FEWEST:
        return None
    some = learn[:SAMPLE].numpy()
    measured, kinds = {}, {}
    untold, elsewhere = 0.0, 0.0
    for name, x in by.items():
        found = _measured(np.asarray(x[some], dtype=np.float64), generator, device)
        if found is None:
            return None
        measured[name], kinds[name] = found[0], found[1].found
        untold, elsewhere = untold + found[1].untold, elsewhere + found[1].elsewhere
    if untold < (STANDS_OUT if len(by) > 1 else STANDS_OUT_ALONE) * elsewhere:
        return None
    rows = learn.numpy()
    parts = [one.split(one.components(by[name][rows])) for name, one in measured.items()]
    logs = torch.stack([part[0] for part in parts], 1)
    log_std = float(logs.std().clamp_min(1e-9))
    target, shapes = (logs / log_std).to(device), [part[1].to(device) for part in parts]
    regressions, left = _random_effect(target, shapes, generator)
    whole = {name: _with_regression(one, told) for (name, one), told in zip(measured.items(), regressions, strict=True)}
    effect = target - left
    model = ScaleModel(
        whole, log_std, untold / max(elsewhere, 1e-12),
        moved=_moved(effect, measured, by, rows, log_std),
        untold=float(effect.mean(1).var() / target.mean(1).var().clamp_min(1e-12)),
        agreement=_mean_correlation(effect) if len(by) > 1 else None,
        halves=_halves(target, shapes, whole, {m: by[m][held.numpy()] for m in by}, log_std, generator),
        apex=kinds,
    )  # fmt: skip
    return model, left.to(CPU)


def _with_regression(one: MeasuredScale, told: FourierRidge) -> MeasuredScale:
    moved = FourierRidge(*(getattr(told, name).to(CPU) for name in ("centre", "frequencies", "phases", "weights")))
    return MeasuredScale(
        one.mean, one.directions, one.apex, one.shape_mean, one.axes, one.size, one.log_mean, moved
    )  # fmt: skip


def _measured(
    x: NDArray[np.float64], generator: torch.Generator, device: torch.device
) -> tuple[MeasuredScale, Apex] | None:
    """Return norm and shape of a measurement of some people, or None where there is no apex."""
    norms = np.linalg.norm(x, axis=1)
    if np.log(norms.clip(1e-12)).std() < ONE_LENGTH:
        return None
    mean = x.mean(0)
    axes = _leading(torch.from_numpy(x - mean).to(device), above_noise=True).cpu()
    if axes.shape[1] < 2:  # on a line there are no rays to tell apart
        return None
    components = torch.from_numpy(x - mean) @ axes
    points = {"zero": np.zeros_like(mean), "lowest": np.quantile(x, LOWEST, axis=0)}
    candidates = {name: torch.from_numpy(point - mean) @ axes for name, point in points.items()}
    apex = estimate_apex(
        components.float().to(device), {n: c.float().to(device) for n, c in candidates.items()}, generator=generator
    )
    if apex is None:
        return None
    place = apex.place.to(CPU)
    logs, shape = about(components.float(), place)
    shape_mean = shape.mean(0)
    shape_axes = _leading((shape - shape_mean).double(), above_noise=False).float()
    size = float(((shape - shape_mean) @ shape_axes[:, 0]).std().clamp_min(1e-9))
    one = MeasuredScale(
        torch.from_numpy(mean).float(), axes.float(), place, shape_mean, shape_axes, size, float(logs.mean())
    )
    return one, apex


def _leading(x: Tensor, *, above_noise: bool) -> Tensor:
    """Return the leading principal directions of centred rows, shape (dim, q).

    Singular values of noise alone lie below a multiple of their median, which depends on the ratio of rows to columns
    (Gavish, Donoho 2014, arXiv:1305.5870, equation 5).
    """
    n, dims = x.shape
    if dims <= n:
        values, axes = torch.linalg.eigh(x.T @ x)
    else:
        values, left = torch.linalg.eigh(x @ x.T)
        axes = (x.T @ left) / values.clamp_min(1e-30).sqrt()
    values, axes = values.flip(0).clamp_min(0), axes.flip(1)
    cumulative = values.cumsum(0) / values.sum().clamp_min(1e-30)
    count = min(MOST, int((cumulative < SHARE).sum()) + 1)
    if above_noise:
        dims = int((x.square().sum(0) > 0).sum())  # numbers that never vary have no noise either
        ratio = min(n, dims) / max(n, dims)
        bound = 0.56 * ratio**3 - 0.95 * ratio**2 + 1.82 * ratio + 1.43
        sizes = values[: min(n, dims)].sqrt()
        count = min(count, max(2, int((sizes > bound * sizes.median()).sum())))
    kept: Tensor = axes[:, : min(count, dims)]
    return kept


def _random_effect(
    target: Tensor, shapes: Sequence[Tensor], generator: torch.Generator, features: int = FEATURES
) -> tuple[list[FourierRidge], Tensor]:
    """Return the regressions of ``y_k = a + g_k + e_k``, and their predictions of each person by the others.

    The effect a that a person's measurements share is what the mean residual says of it: of K residuals of covariance v
    between measurements and variance v + w each, the best linear prediction of a is ``v / (v + w / K)`` of their mean.
    """
    people, several = target.shape
    bases = [FourierBasis(blurred(shape, generator), features=features, generator=generator) for shape in shapes]
    effect = target.new_zeros(people)
    for _ in range(ROUNDS if several > 1 else 1):
        fits = [basis.fit(target[:, k] - effect) for k, basis in enumerate(bases)]
        left = torch.stack([found[1] for found in fits], 1)
        rest = target - left
        if several > 1:
            centred = rest - rest.mean(0)
            covariance = centred.T @ centred / people
            shared = float((covariance.sum() - covariance.trace()) / (several * (several - 1)))
            own = float(covariance.diagonal().mean()) - shared
            shared, own = max(shared, 1e-6), max(own, 1e-6)
            effect = rest.mean(1) * shared / (shared + own / several)
    return [found[0] for found in fits], left


def _moved(
    effect: Tensor, measured: Mapping[str, MeasuredScale], by: Measurements, rows: NDArray[np.intp], log_std: float
) -> float:
    """Return the share of the variance of components that the scale moves: to first order dx = (x - c) d log u."""
    squared, total = 0.0, 0.0
    for name, one in measured.items():
        components = one.components(by[name][rows[:SAMPLE]])
        squared += float((components - one.apex).square().sum(1).mean())
        total += float(components.var(0).sum())
    return squared * (float(effect.mean(1).std()) * log_std) ** 2 / max(total, 1e-30)


def _mean_correlation(x: Tensor) -> float:
    found = torch.corrcoef(x.T)
    return float(torch.stack([found[i, j] for i, j in combinations(range(len(found)), 2)]).mean())


def _halves(
    target: Tensor,
    shapes: Sequence[Tensor],
    measured: Mapping[str, MeasuredScale],
    held: Measurements,
    log_std: float,
    generator: torch.Generator,
) -> float:
    """Return the rank correlation of the scales of people held out that the two halves of the others give."""
    half = len(target) // 2
    parts = [one.split(one.components(held[name])) for name, one in measured.items()]
    scales = []
    for rows in (slice(0, half), slice(half, 2 * half)):
        fits, _ = _random_effect(target[rows], [shape[rows] for shape in shapes], generator, HALF_FEATURES)
        each = [y / log_std - fit(s.to(target.device)).to(CPU) for (y, s), fit in zip(parts, fits, strict=True)]
        scales.append(torch.stack(each, 1).mean(1))
    ranks = [scale.argsort().argsort().double() for scale in scales]
    return float(torch.corrcoef(torch.stack(ranks))[0, 1])
