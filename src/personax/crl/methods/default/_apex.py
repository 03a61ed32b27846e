"""The apex of a measurement: the point where the rays meet along which one latent scales all that is shown.

Under ``x = c + u psi(s, eta)`` with u > 0 every person lies on a ray from the apex c, and people of one shape
``(x - c) / |x - c|`` differ by u alone. Three facts give c from the data:

1. *What is shown when nothing is.* Where most of a measurement is uncovered in some people (pixels behind a sprite),
   each coordinate at its lowest is c. Nothing says so of other data, so that this is a candidate only; 0 is another.
2. *Lines.* Of people with nearly one shape, ``x`` regressed on its distance ``r`` to c gives the ray's direction
   ``d_i``, whatever c is (an error e in c moves a neighbourhood's line by the part of e across it). The point nearest
   to all lines minimises ``sum_i w_i |(I - d_i d_i') (c - m_i)|^2``, m_i being the neighbours' mean and w_i the
   variance of r among them, by which a line's direction is known:

       (sum_i w_i (I - d_i d_i')) c = sum_i w_i (I - d_i d_i') m_i.

   Repeated from each candidate, this moves it to where the rays meet on the average: noise that is cut off at 0 lifts
   what is dark and not what is lit, so that rays do not meet exactly anywhere.
3. *Least information.* About the apex, shape tells the norm as little as the latents depend on one another; about any
   other point ``c + e`` the direction of ``c - e + u psi`` changes with u, so that shape and norm are functions of one
   another. Of all candidates that one is taken about which shape leaves most of the variance of ``log |x - c|`` untold,
   by leave-one-out. Shape is read with a little noise: without it, an error of a hundredth of the norm is
   already read off the shape, and the exact apex could not be told from a wrong one nearby by a smooth criterion.

A regression of few noisy people leaves much untold about every point. So the share is compared with the largest one
about some points one norm and a half away: `Apex.elsewhere`.

Rays must leave the apex into a half-space: about the mean of a normal cloud the radius is independent of the direction
too, but a scale that passes through zero is no scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from personax.crl._device import normal
from personax.crl.methods.default._scale_regression import FourierBasis

__all__ = ["Apex", "about", "blurred", "estimate_apex"]

Array = NDArray[np.float64]

PEOPLE: Final = 2000
"""By whom candidates are compared."""

FEATURES: Final = 250
NEIGHBOURS: Final = 12
ROUNDS: Final = 4
BLUR: Final = 0.05
"""Noise with which shape is read when candidates are compared, as a share of shape's own spread."""

ALIKE: Final = 0.02
"""Of the share untold, within which the first candidate is taken: points that are given may be exact."""

AWAY: Final = 1.5
"""Median norms between the apex and the points that it is compared with.

From nearer points, rays differ so little from those from the apex that noise of pixels hides it."""

POINTS: Final = 6
DRAWN: Final = 30
"""Of which so many are tried: most directions lead in among the people."""

BEHIND: Final = 0.01
"""Share of people who may lie behind the apex."""


@dataclass(frozen=True)
class Apex:
    """Where the rays of a measurement meet.

    Parameters
    ----------
    place
        Shape (q,), in the coordinates given.
    untold
        Share of the variance of the log norm about it that shape does not tell.
    found
        Which candidate it is; ``, lines`` follows the name of one that was moved to where lines meet.
    elsewhere
        The largest share untold about some points one norm and a half away.
    """

    place: Tensor
    untold: float
    found: str
    elsewhere: float = 0.0


def about(x: Tensor, apex: Tensor) -> tuple[Tensor, Tensor]:
    """Return log norms, shape (n,), and shapes, shape (n, q), about an apex."""
    apart = x - apex
    norm = apart.norm(dim=1, keepdim=True).clamp_min(1e-9)
    return norm[:, 0].log(), apart / norm


def blurred(shape: Tensor, generator: torch.Generator) -> Tensor:
    """Return centred shapes with a little noise."""
    spread = BLUR * shape.square().mean().sqrt()
    return shape + spread * normal(*shape.shape, generator=generator).to(shape)


def estimate_apex(x: Tensor, candidates: dict[str, Tensor], *, generator: torch.Generator) -> Apex | None:
    """Return the apex, or None where people lie on both sides of every candidate.

    Parameters
    ----------
    x
        Measurements, shape (n, q), in coordinates whose noise is small.
    candidates
        Points to begin from, shape (q,) each.
    generator
        Draws the features of regressions, the same for every candidate.
    """
    x = x[:PEOPLE]
    tried = dict(candidates)
    for name, start in candidates.items():
        place = start
        for _ in range(ROUNDS):
            place = _nearest_to_lines(x, place)
        tried[f"{name}, lines"] = place
    state = generator.get_state()
    found = []
    for name, place in tried.items():
        generator.set_state(state)
        if bool(place.isfinite().all()) and _behind(x, place) <= BEHIND:
            found.append(Apex(place, _untold(x, place, generator), name))
    most = max((apex.untold for apex in found), default=0.0)
    best = next((apex for apex in found if apex.untold >= most - ALIKE), None)
    return None if best is None else replace(best, elsewhere=_elsewhere(x, best.place, generator))


def _elsewhere(x: Tensor, apex: Tensor, generator: torch.Generator) -> float:
    """Return the largest share untold about points one median norm and a half from the apex, in front of all people.

    What a regression cannot tell about any point (noise, too few people) is not told about these either; what it cannot
    tell about the apex alone is the scale. Infinite where no such point is in front of all people.
    """
    radius = AWAY * about(x, apex)[0].median().exp()
    spread = x.std(0)
    largest, looked = 0.0, 0
    for _ in range(DRAWN):
        step = spread * normal(len(apex), generator=generator).to(x)
        place = apex + radius * step / step.norm().clamp_min(1e-12)
        if looked < POINTS and _behind(x, place) <= BEHIND:
            largest, looked = max(largest, _untold(x, place, generator)), looked + 1
    return largest if looked else math.inf


def _nearest_to_lines(x: Tensor, apex: Tensor) -> Tensor:
    """Return the point nearest to the lines through people who are alike in shape about an apex."""
    logs, shape = about(x, apex)
    points, norms = x.double().cpu().numpy(), logs.exp().double().cpu().numpy()
    several = min(NEIGHBOURS + 1, len(points))
    near = cKDTree(shape.double().cpu().numpy()).query(shape.double().cpu().numpy(), several)[1]
    mean = points[near].mean(1)
    apart = norms[near] - norms[near].mean(1, keepdims=True)
    lines: Array = np.einsum("nk,nkq->nq", apart, points[near] - mean[:, None])
    lines /= np.linalg.norm(lines, axis=1, keepdims=True).clip(1e-12)
    weights = np.square(apart).mean(1)
    weights /= weights.mean() + 1e-12
    across = np.eye(points.shape[1]) * weights.sum() - np.einsum("n,nq,nr->qr", weights, lines, lines)
    right = (weights[:, None] * (mean - lines * (lines * mean).sum(1, keepdims=True))).sum(0)
    found = np.linalg.lstsq(across, right, rcond=1e-9)[0]
    return torch.from_numpy(found).to(x)


def _behind(x: Tensor, apex: Tensor) -> float:
    """Return the share of people on the other side of the apex than the rest.

    By the better of two planes through it: across the mean shape, and the one whose distances vary least.
    """
    apart = (x - apex).double().cpu()
    even = torch.linalg.lstsq(apart, apart.new_ones(len(apart), 1)).solution[:, 0]
    planes = torch.stack([even, about(x, apex)[1].mean(0).double().cpu()], 1)
    return float((apart @ planes <= 0).double().mean(0).min())


def _untold(x: Tensor, apex: Tensor, generator: torch.Generator) -> float:
    """Return the share of the variance of the log norm that a blurred shape does not tell."""
    logs, shape = about(x, apex)
    shape = shape - shape.mean(0)
    shape = shape / shape.square().sum(1).mean().sqrt().clamp_min(1e-12)
    target = (logs - logs.mean()) / logs.std().clamp_min(1e-12)
    told = FourierBasis(blurred(shape, generator), features=FEATURES, generator=generator).fit(target)[1]
    return float((target - told).square().mean())
