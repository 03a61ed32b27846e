"""Sums of one curve a latent, fitted by expectation maximisation: where additive decoders begin.

The model is ``x = g_1(z_1) + ... + g_k(z_k) + e``, where each curve is a spline and latents lie on a grid, with any
joint distribution. Given the curves, what a person's latents may be is a sum over the grid's points, exact; given
that, the curves are a ridge regression. Both steps raise the likelihood, and each fit has a few hundred numbers to
learn. That the decoder is a sum tells latents apart as `personax.crl.methods.default._decoders` says; their
distribution is learned, not assumed independent, which would turn dependent latents into others.

What decides is the search: on real encoders' texts the true latents explain much more than what gradient steps from
random networks come to, and one search of sixteen starts in four finds them. So there are several searches, each with
people of its own; starts begin with much more noise than there is (deterministic annealing, which leads out of worse
optima); of three latents, one is kept and the other two are looked for in what its curve leaves.

A grid of k latents has G^k points, so this is for three latents a modality at most.

References
----------
Bishop, Svensen and Williams 1998, doi:10.1162/089976698300017953 (latent points on a grid, EM). Lachapelle et al. 2023,
arXiv:2307.02598 (additive decoders). Ueda and Nakano 1998, doi:10.1016/S0893-6080(97)00133-0 (annealing).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from typing import Final

import numpy as np
import torch
from scipy.interpolate import BSpline
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from personax.crl._device import CPU, normal, permutation
from personax.crl.methods.default._networks import in_chunks

__all__ = ["GRID", "CurveFits", "SumOfCurves", "fit_curves"]

GRID: Final = {1: 64, 2: 28, 3: 12}
"""Number of latents -> points of each on the grid."""

EDGE: Final = 2.0
"""The grid goes from minus to plus this; latents are found up to a map of each, so that the unit is arbitrary."""

FUNCTIONS: Final = 9
"""Cubic B-splines of a curve."""

ROUGHNESS: Final = 3.0
"""Penalty on squared second differences of a curve's coefficients, in people."""

RIDGE: Final = 1e-3
SMOOTH: Final = 1.5
"""Deviation, in points, of the kernel that smooths the distribution of latents."""

NOISE: Final = 1.5
"""Variance of the noise at first, in units of the error of what is read."""

LEAST_NOISE: Final = 0.3
COOLING: Final = (60.0, 10.0)
"""Times the noise at the first step of every other start: more leads out of worse optima, less comes nearer."""

COOL: Final = 0.6
"""Share of the steps over which that falls to one."""

SMALLEST: Final = 1e-280
"""Sum of factors below which it may have lost some of them."""

STEP: Final = 4.0
"""How far apart neighbours on the grid may lie at the median, in variances of the noise: less noise would put everybody
on a point."""

DIRECTIONS: Final = 600
"""Random linear functions of the leading components, of which the best are starts."""

LEADING: Final = 6
FADING: Final = 0.7
"""Weight of a component among starts, in those of the one before it: the first agree most."""

STARTS: Final = 16
FEWER_STARTS: Final = 8
"""Starts where there are three latents, or where latents are looked for anew."""

PARENTS: Final = 6
"""Starts whose latents are crossed; half as many starts as there are at first have latents of several parents."""

FINALISTS: Final = 6
ROUNDS: Final = 4
"""Times that latents are looked for anew in a search, at most; it ends where the best is not better by as much as"""

WORTH_A_ROUND: Final = 0.01
"""in the mean log likelihood of people held out."""

ANEW: Final = 2
"""Starts for each latent that is kept while the others are looked for anew."""

AS_GOOD: Final = 2.0
SAME: Final = 0.98
"""Correlation from which latents of two fits are the same."""

SEARCHES: Final = {1: 2, 2: 5, 3: 3}
"""Number of latents -> searches, each with starts and people of its own; of two latents, two thirds find the best."""

FEW: Final = 1000
"""People by whom starts are judged."""

SOME: Final = 3000
"""People from whom finalists learn."""

SHORT: Final = 0.5
"""Share of the steps below which half as many people are enough for both."""

STEPS: Final = (40, 60)
"""Steps of a start, and of a finalist."""

FEWEST_STEPS: Final = 8
"""In fits that are shortened: fewer do not end the annealing."""


@dataclass(frozen=True)
class SumOfCurves:
    """A fitted sum of curves.

    Parameters
    ----------
    centre
        Of what is read, shape (1, q).
    weights
        Coefficients of all curves one below the other, shape (k * functions, q).
    noise
        Variance, shape (q,).
    log_prior
        Of the points of the grid, shape (points ** k,).
    points
        Points of a latent.
    mean, std
        Of the code of the people learned from, shape (1, k).
    """

    centre: Tensor = field(repr=False)
    weights: Tensor = field(repr=False)
    noise: Tensor = field(repr=False)
    log_prior: Tensor = field(repr=False)
    points: int
    mean: Tensor = field(repr=False)
    std: Tensor = field(repr=False)

    @property
    def latents(self) -> int:
        """Number of latents."""
        return self.mean.shape[1]

    def encode(self, content: Tensor) -> Tensor:
        """Return the expected latents of any people, shape (n, k), standardised."""
        grid = _grid(self.latents, self.points, content.device)

        def read(x: Tensor) -> Tensor:
            found = _posterior(x - self.centre, self.weights, self.noise, self.log_prior, grid)
            return (found.shares @ grid.places - self.mean) / self.std

        return in_chunks(read, content)

    def decode(self, code: Tensor) -> Tensor:
        """Return the content at a code, shape (n, q)."""
        places = (code * self.std + self.mean).clamp(-EDGE, EDGE).cpu().numpy()
        design = np.concatenate([_splines(np.asarray(z, dtype=np.float64)) for z in places.T], axis=1)
        return torch.from_numpy(design).to(self.weights) @ self.weights + self.centre


@dataclass(frozen=True)
class CurveFits:
    """What the searches came to, the best finalist first.

    Finalists have the same number of parameters, so that their likelihoods are compared on all people.

    Parameters
    ----------
    fits
        The finalists; the first is the one under which people are most likely.
    explained
        Of each finalist the share of the content's variance that it explains on people held out.
    likelihoods
        Of each finalist the mean log likelihood of a person.
    compete
        Finalists that may be right: the best two, and all under which people are as likely, within `AS_GOOD` standard
        errors of the difference.
    """

    fits: list[SumOfCurves]
    explained: list[float]
    likelihoods: list[float]
    compete: list[int]

    @property
    def best(self) -> SumOfCurves:
        """The finalist under which people are most likely."""
        return self.fits[0]


def fit_curves(
    content: Tensor,
    latents: int,
    held: Tensor,
    learn: Tensor,
    share: float = 1.0,
    *,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> CurveFits:
    """Fit sums of curves by several searches of many starts; likelihood chooses, of people held out among the starts.

    A search draws its own starts and its own people: what two of them find is not an accident of one.

    Parameters
    ----------
    content
        Shape (n, q), in units of its error, what is surest first.
    latents
        At most three.
    held, learn
        Rows of validation and of training people.
    share
        Of the steps, and of the searches, of which there are two at least.
    generator
        Draws starts, and the people that they learn from.

    Raises
    ------
    FloatingPointError
        When no start has a finite likelihood.
    """
    centre = content[learn].mean(0, keepdim=True)
    x = (content - centre).to(device)
    unseen = x[held]
    few, many = (count if share >= SHORT else count // 2 for count in (FEW, SOME))
    pool: list[_Found] = []
    for number in range(max(2, round(SEARCHES[latents] * share))):
        order = learn[permutation(len(learn), generator=generator)]
        pool += _search(number, latents, x[order[:few]], unseen, share, generator)
    some = x[learn[permutation(len(learn), generator=generator)[:many]]]
    last = max(FEWEST_STEPS, round(share * STEPS[1]))
    everybody = x[torch.cat([held, learn])]
    finalists = []
    for fitted in _different(pool, unseen):
        for step in range(last):
            fitted.step(some, learn_noise=step > last // 2)
        finalists.append((in_chunks(fitted.likelihood, everybody), fitted))
    finalists.sort(key=lambda one: -float(one[0].mean()))
    if not finalists:
        raise FloatingPointError
    behind = [finalists[0][0] - likelihood for likelihood, _ in finalists]
    error = [AS_GOOD * float(one.std()) / math.sqrt(len(one)) for one in behind]
    compete = [at for at, one in enumerate(behind) if at < 2 or float(one.mean()) <= error[at]]
    fits = [fitted.finish(centre, some) for _, fitted in finalists]
    seen = content[held]
    total = (seen - centre).square().sum(1).mean().clamp_min(1e-30)
    explained = [1 - float((one.decode(one.encode(seen)) - seen).square().sum(1).mean() / total) for one in fits]
    return CurveFits(fits, explained, [float(likelihood.mean()) for likelihood, _ in finalists], compete)


@dataclass(frozen=True)
class _Found:
    """What a search came to: its number, the likelihood of people held out, and the fit."""

    search: int
    likelihood: float
    fit: _Fit


def _search(
    number: int, latents: int, few: Tensor, unseen: Tensor, share: float, generator: torch.Generator
) -> list[_Found]:
    """Return what starts came to, the best first, and what crossing their latents and looking anew for some did."""
    grid = _grid(latents, GRID[latents], few.device)
    steps = max(FEWEST_STEPS, round(share * STEPS[0]))
    count = STARTS if latents < 3 else FEWER_STARTS

    def ranked(fits: list[_Fit]) -> list[_Found]:
        told = [_Found(number, float(fitted.likelihood(unseen).mean()), fitted) for fitted in fits]
        return sorted((one for one in told if math.isfinite(one.likelihood)), key=lambda one: -one.likelihood)

    starts = ranked(_started(_starts(few, latents, grid, share, generator, count), few, grid, steps))
    codes = [_nearest(one.fit.code(few), len(grid.basis)) for one in starts[:PARENTS]]
    found = ranked(
        [one.fit for one in starts[:FINALISTS]] + _started(_crossed(codes, few, grid, count // 2), few, grid, steps)
    )
    for _ in range(max(1, round(share * ROUNDS)) if latents > 2 and found else 0):
        before = found[0].likelihood
        anew = _anew(found[0].fit, few, unseen, steps, share, generator)
        found = ranked([one.fit for one in found[:FINALISTS]] + _started(anew, few, grid, steps))
        if found[0].likelihood - before < WORTH_A_ROUND:
            break
    return found[:FINALISTS]


def _started(codes: list[Tensor], x: Tensor, grid: _Grid, steps: int) -> list[_Fit]:
    """Return fits from these codes, the noise falling at first."""
    fits = [_Fit(grid, x, code) for code in codes]
    for at, fitted in enumerate(fits):
        for step in range(steps):
            fitted.step(x, warmth=COOLING[at % 2] ** max(0.0, 1 - step / (COOL * steps)))
    return fits


def _anew(
    best: _Fit, few: Tensor, unseen: Tensor, steps: int, share: float, generator: torch.Generator
) -> list[Tensor]:
    """Return starts that keep one latent of a fit each, the others looked for in what its curve leaves.

    Of three latents a fit often has one right, and the others mixed.
    """
    latents, points = best.grid.latents, len(best.grid.basis)
    code = best.code(few)
    found = []
    grid = _grid(latents - 1, GRID[latents - 1], few.device)
    for kept in range(latents):
        left, left_unseen = few - best.curve(few, kept), unseen - best.curve(unseen, kept)
        starts = _starts(left, latents - 1, grid, share, generator, FEWER_STARTS)
        fits = _started(starts, left, grid, steps)
        fits.sort(key=lambda fitted: -float(fitted.likelihood(left_unseen).mean()))
        own = _nearest(code[:, [kept]], points)
        found += [torch.cat([own, _nearest(fitted.code(left), points)], 1) for fitted in fits[:ANEW]]
    return found


def _different(pool: list[_Found], people: Tensor) -> list[_Fit]:
    """Return fits with different latents, the best first; of each of the best, what a second search came to as well."""
    taken: list[tuple[_Found, Tensor]] = []
    for one in sorted(pool, key=lambda one: -one.likelihood):
        code = one.fit.code(people)
        alike = [other for other, theirs in taken if _same(code, theirs)]
        if len(alike) < 2 and one.search not in [other.search for other in alike]:
            taken.append((one, code))
    return [one.fit for one, _ in taken[:FINALISTS]]


def _same(a: Tensor, b: Tensor) -> bool:
    """Return whether the latents of two fits are the same, but for their order and sign."""
    k = a.shape[1]
    correlation = np.abs(np.corrcoef(a.cpu().numpy().T, b.cpu().numpy().T)[:k, k:])
    return bool(correlation[linear_sum_assignment(-correlation)].min() > SAME)


@dataclass(frozen=True)
class _Grid:
    """Points at which latents may lie.

    Parameters
    ----------
    latents
        Their number, k.
    places
        Points of a latent, shape (points,).
    basis
        Splines at the points of a latent, shape (points, functions).
    design
        Splines of all latents at each point of the joint grid, shape (points ** k, k * functions).
    penalty
        Shape (k * functions, k * functions).
    kernel
        Smooths along a latent, shape (points, points).
    """

    latents: int
    places: Tensor
    basis: Tensor
    design: Tensor
    penalty: Tensor
    kernel: Tensor


def _splines(z: np.ndarray) -> np.ndarray:
    """Return the values of the splines, shape (n, functions)."""
    inner = np.linspace(-EDGE, EDGE, FUNCTIONS - 2)
    knots = np.concatenate([[-EDGE] * 3, inner, [EDGE] * 3])
    return np.asarray(BSpline.design_matrix(z, knots, 3).toarray())


@lru_cache(maxsize=8)
def _grid(latents: int, points: int, device: torch.device) -> _Grid:
    places = np.linspace(-EDGE, EDGE, points)
    basis = _splines(places)
    index = np.stack(np.meshgrid(*[np.arange(points)] * latents, indexing="ij"), axis=-1).reshape(-1, latents)
    bends = np.diff(np.eye(FUNCTIONS), 2, axis=0)
    penalty = ROUGHNESS * np.kron(np.eye(latents), bends.T @ bends)
    near = np.exp(-np.square(np.subtract.outer(np.arange(points), np.arange(points)) / SMOOTH) / 2)
    design = np.concatenate([basis[column] for column in index.T], axis=1)
    parts = (places, basis, design, penalty + RIDGE * np.eye(len(penalty)), near / near.sum(axis=0))
    return _Grid(latents, *(torch.from_numpy(part).float().to(device) for part in parts))


@dataclass(frozen=True)
class _Posterior:
    """Where people's latents may be, given curves.

    Parameters
    ----------
    shares
        Of each person and latent over its points, shape (n, k, points).
    number
        People at each point of the joint grid, shape (points ** k,).
    log_density
        Of each person, but for what does not depend on curves, shape (n,).
    """

    shares: Tensor
    number: Tensor
    log_density: Tensor


def _posterior(x: Tensor, weights: Tensor, noise: Tensor, log_prior: Tensor, grid: _Grid) -> _Posterior:
    """Return where centred people may be: sums over the joint grid, without a number a person and point of it.

    Squares of a sum of curves are those of each curve and of pairs, so that with u_j = g_j(z_j)

        log p(x, z) = sum_j (x . u_j - u_j . u_j / 2) + (log p(z) - sum_{j<l} u_j . u_l),

    products by the noise's inverse variance. The first part is a factor a latent, of a person; the second a table that
    everybody shares. Sums over all points are then products of matrices; of n G^k exponentials n k G + G^k are left.
    All terms are positive, so that sums of factors in double precision are as exact as those of logarithms, but where
    everything is too small to be a number: those people are summed by logarithms.
    """
    k, points = len(weights) // grid.basis.shape[1], len(grid.basis)
    curves = grid.basis @ weights.reshape(k, -1, weights.shape[1])
    weighted = curves / noise
    own = (x @ weighted.reshape(k * points, -1).T).view(-1, k, points) - (weighted * curves).sum(-1) / 2
    table = log_prior.view([points] * k)
    for j, other in combinations(range(k), 2):
        shape = [points if axis in (j, other) else 1 for axis in range(k)]
        table = table - (weighted[j] @ curves[other].T).view(shape)
    table = table.reshape(-1, points)
    top, peak = own.amax(-1, keepdim=True), table.max()
    factors, shared = (own - top).double().exp(), (table - peak).double().exp()
    others = _products(factors[:, :-1], torch.mul)
    joint = others * (factors[:, -1] @ shared.T)
    total = joint.sum(1)
    last = factors[:, -1] * (others @ shared)
    number = shared * ((others / total.clamp_min(SMALLEST)[:, None]).T @ factors[:, -1])
    log_density = (total.log() + top.sum((1, 2)) + peak).float()
    tiny = total <= SMALLEST
    if bool(tiny.any()):
        number = number - shared * ((others[tiny] / SMALLEST).T @ factors[tiny, -1])
        logs = _products(own[tiny, :-1], torch.add)[:, :, None] + own[tiny, -1][:, None] + table
        log_density[tiny] = logs.logsumexp((1, 2))
        each = (logs - log_density[tiny][:, None, None]).exp()
        joint[tiny], last[tiny], total[tiny] = each.sum(2).double(), each.sum(1).double(), 1.0
        number = number + each.sum(0)
    joint, last = joint / total[:, None], last / total[:, None]
    spread = joint.view(-1, *[points] * (k - 1))
    shares = [spread.sum([axis + 1 for axis in range(k - 1) if axis != own_axis]) if k > 2 else spread
              for own_axis in range(k - 1)]  # fmt: skip
    return _Posterior(torch.stack([*shares, last], 1).float(), number.reshape(-1).float(), log_density)


def _products(parts: Tensor, of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return products or sums of one number of each latent, in all ways, shape (n, points ** latents)."""
    whole = parts.new_full((len(parts), 1), 1.0 if of is torch.mul else 0.0)
    for latent in range(parts.shape[1]):
        whole = of(whole[:, :, None], parts[:, latent][:, None]).flatten(1)
    return whole


def _solve(left: Tensor, right: Tensor) -> Tensor:
    found: Tensor = torch.linalg.solve(left.double(), right.double())
    return found.float()


def _starts(x: Tensor, latents: int, grid: _Grid, share: float, generator: torch.Generator, count: int) -> list[Tensor]:
    """Return linear functions of the leading components of which curves explain most, as points of the grid."""
    leading = x[:, :LEADING] / x[:, :LEADING].std(0).clamp_min(1e-12)
    fading = FADING ** torch.arange(leading.shape[1], dtype=torch.float32)
    found = []
    for _ in range(max(STARTS, round(share * DIRECTIONS))):
        z = leading @ (fading[:, None] * normal(len(fading), latents, generator=generator)).to(x.device)
        code = _nearest(z / z.std(0).clamp_min(1e-12), len(grid.basis))
        found.append((_explained(code, x, grid), code))
    return [code for _, code in sorted(found, key=lambda one: -one[0])[:count]]


def _crossed(parents: list[Tensor], x: Tensor, grid: _Grid, count: int) -> list[Tensor]:
    """Return latents of different parents together of which curves explain most.

    A start that ends beside the best often has some latents right, and another one the others. Products of all latents'
    splines are taken once; each choice of latents is a part of them.
    """
    latents = grid.latents
    every = combinations(range(len(parents) * latents), latents)
    taken = [choice for choice in every if len({at // latents for at in choice}) > 1]
    if not taken:
        return []
    codes, choices = torch.cat(parents, 1), torch.tensor(taken, device=x.device)
    design, functions = _design(codes, grid), grid.basis.shape[1]
    at = (choices[:, :, None] * functions + torch.arange(functions, device=x.device)).flatten(1)
    right = (design.T @ x)[at]
    left = (design.T @ design)[at[:, :, None], at[:, None]] + grid.penalty
    explained = (right * _solve(left, right)).sum((1, 2))
    best = explained.argsort(descending=True, stable=True)[:count]
    return [codes[:, choices[one]] for one in best]


def _explained(code: Tensor, x: Tensor, grid: _Grid) -> float:
    """Return the sum of squares that curves of a code explain, without their residuals."""
    design = _design(code, grid)
    right = design.T @ x
    return float((right * _solve(design.T @ design + grid.penalty, right)).sum())


def _nearest(z: Tensor, points: int) -> Tensor:
    return ((z.clamp(-EDGE, EDGE) + EDGE) / (2 * EDGE) * (points - 1)).round().long()


def _design(code: Tensor, grid: _Grid) -> Tensor:
    return torch.cat([grid.basis[column] for column in code.T], 1)


class _Fit:
    """A sum of curves in fitting."""

    def __init__(self, grid: _Grid, x: Tensor, code: Tensor) -> None:
        self.grid = grid
        design = _design(code, grid)
        self.weights = _solve(design.T @ design + grid.penalty, design.T @ x)
        self.noise = torch.full((x.shape[1],), NOISE, device=x.device)
        self.log_prior = torch.full((len(grid.design),), -math.log(len(grid.design)), device=x.device)

    def step(self, x: Tensor, *, warmth: float = 1.0, learn_noise: bool = False) -> None:
        """Take an expectation and a maximisation step on some people."""
        grid = self.grid
        found = _posterior(x, self.weights, warmth * self.noise, self.log_prior, grid)
        sums = (grid.basis.T @ (found.shares.flatten(1).T @ x).view(*found.shares.shape[1:], -1)).flatten(0, 1)
        self.weights = _solve(grid.design.T @ (found.number[:, None] * grid.design) + grid.penalty, sums)
        self.log_prior = self._smoothed(found.number)
        if learn_noise:
            means = grid.design @ self.weights
            left = (x.square().sum(0) - 2 * (self.weights * sums).sum(0) + found.number @ means.square()) / len(x)
            self.noise = left.clamp_min(LEAST_NOISE) * self._least(left.clamp_min(LEAST_NOISE))

    def posterior(self, x: Tensor) -> _Posterior:
        """Return where people's latents may be."""
        return _posterior(x, self.weights, self.noise, self.log_prior, self.grid)

    def code(self, x: Tensor) -> Tensor:
        """Return expected latents, shape (n, k)."""
        return self.posterior(x).shares @ self.grid.places

    def curve(self, x: Tensor, latent: int) -> Tensor:
        """Return what one latent's curve is expected to be, shape (n, q)."""
        functions = self.grid.basis.shape[1]
        own = slice(latent * functions, (latent + 1) * functions)
        return self.posterior(x).shares[:, latent] @ self.grid.basis @ self.weights[own]

    def likelihood(self, x: Tensor) -> Tensor:
        """Return the log likelihood of each person but for a constant, shape (n,)."""
        return self.posterior(x).log_density - (x.square() / self.noise).sum(1) / 2 - self.noise.log().sum() / 2

    def finish(self, centre: Tensor, x: Tensor) -> SumOfCurves:
        """Return the fit, its latents standardised among some people."""
        k = self.grid.latents
        found = SumOfCurves(
            centre.cpu(), self.weights.cpu(), self.noise.cpu(), self.log_prior.cpu(), len(self.grid.basis),
            torch.zeros(1, k), torch.ones(1, k),
        )  # fmt: skip
        code = found.encode(x.cpu() + found.centre)
        mean, std = code.mean(0, keepdim=True), code.std(0, keepdim=True).clamp_min(1e-6)
        return replace(found, mean=mean, std=std)

    def _smoothed(self, number: Tensor) -> Tensor:
        points, k = len(self.grid.basis), self.grid.latents
        prior = number.reshape([points] * k)
        for axis in range(k):
            prior = torch.tensordot(self.grid.kernel, prior, dims=([1], [axis])).movedim(0, axis)
        prior = prior.reshape(-1) + 1e-3 * number.sum() / len(number)
        return (prior / prior.sum()).log()

    def _least(self, noise: Tensor) -> Tensor:
        """Return by how much the noise must be enlarged, so that more than one point of the grid is likely."""
        k, functions = self.grid.latents, self.grid.basis.shape[1]
        curves = self.grid.basis @ self.weights.reshape(k, functions, -1)
        apart = (curves.diff(dim=1).square() / noise).sum(-1)
        return (apart.median() / STEP).clamp_min(1.0)
