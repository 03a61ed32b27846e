"""The graph among the latents, and their exogenous noise.

Every set of parents is scored on people who were not learned from; the acyclic graph of the best total score is sought
by single changes (add, remove, reverse) from several starts, once for all people and once for each of many bootstrap
samples of them: an edge is as sure as it is frequent.

The scores are log densities of every latent given any set of the others, learned all at once: one network a latent sees
the parents that a mask lets through, and the mask. Trained with masks at random, it answers for any parents without
being trained again. Every latent is, after a rising map of its own, a mixture of Gaussians, which depends on the mask
alone, moved and stretched by the parents. The map is the same whatever the parents: latents are found up to such maps,
and their scale must not decide which way an edge points. For location-scale noise a direction is identified from the
joint density except in special cases (Immer et al. 2023, arXiv:2210.09054); for one after a rising map likewise
(post-nonlinear: Zhang, Hyvarinen 2009, arXiv:1205.2599). As of decoders, the more restrictive class is taken where it
explains as much: noise that parents stretch is only believed where people held out say so, for a density that may be
stretched fits the wrong direction of an additive mechanism nearly as well as the right one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personax.crl._device import CPU, integers, permutation, uniform
from personax.crl._optimiser import minimise
from personax.crl.methods.default._networks import BatchedMLP

__all__ = ["MOST_PARENTS", "Conditionals", "Structure", "fit_conditionals", "fit_structure"]

MOST_PARENTS: Final = 4

HIDDEN: Final = 32
SHAPE_HIDDEN: Final = 16
MIXTURE: Final = 4
BENDS: Final = 4
"""Steps of each latent's own rising map."""

STEPS: Final = 2000
BATCH: Final = 256
RATE: Final = 5e-3
CLIP: Final = 10.0
LONGEST: Final = 5.0
"""Largest logarithm of a scale."""

HALF_LOG_TWO_PI: Final = 0.5 * math.log(2 * math.pi)


@final
class Conditionals(nn.Module):
    """Densities of d latents given masked others, in independent copies.

    Parameters
    ----------
    copies
        Models side by side, each learned from people of its own.
    d
        Latents.
    generator
        Draws the first weights.
    stretches
        Whether parents may stretch the noise of a latent, or move it alone.
    """

    stretches: bool = True  # of fits that earlier versions saved

    def __init__(self, copies: int, d: int, *, generator: torch.Generator, stretches: bool = True) -> None:
        super().__init__()
        self.copies, self.d, self.stretches = copies, d, stretches
        self.move = BatchedMLP(copies * d, 2 * d, HIDDEN, 2, generator=generator)
        self.shape = BatchedMLP(copies * d, d, SHAPE_HIDDEN, 3 * MIXTURE, generator=generator)
        self.rise = nn.Parameter(torch.full((copies * d, 1, BENDS), -3.0, device=CPU))
        self.steepness = nn.Parameter(torch.zeros(copies * d, 1, BENDS, device=CPU))
        self.places = nn.Parameter(torch.linspace(-1.5, 1.5, BENDS, device=CPU).repeat(copies * d, 1, 1))

    def forward(self, v: Tensor, masks: Tensor) -> Tensor:
        """Return log densities, shape (copies, d, n).

        Parameters
        ----------
        v
            Latents, shape (copies, n, d).
        masks
            1 where a latent is given, shape (copies, d, n, d): whose density, person, given what.
        """
        mean, log_scale, centres, log_widths, log_weights = self._parts(v, masks)
        mapped, log_slope = self._map(v)
        noise = (mapped - mean) * torch.exp(-log_scale)
        apart = (noise.unsqueeze(-2) - centres) * torch.exp(-log_widths)
        each = log_weights - 0.5 * apart.square() - log_widths
        return torch.logsumexp(each, -2) - log_scale - HALF_LOG_TWO_PI + log_slope

    def noise(self, v: Tensor, masks: Tensor) -> Tensor:
        """Return each latent's rank given its parents as a standard normal number, shape (copies, d, n)."""
        mean, log_scale, centres, log_widths, log_weights = self._parts(v, masks)
        noise = (self._map(v)[0] - mean) * torch.exp(-log_scale)
        below = torch.special.ndtr(((noise.unsqueeze(-2) - centres) * torch.exp(-log_widths)).double())
        rank = (log_weights.double().exp() * below).sum(-2)
        normal: Tensor = torch.special.ndtri(rank.clamp(1e-12, 1 - 1e-12))
        return normal.float()

    def _map(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return each latent after its rising map, and the logarithm of the slope there, shape (copies, d, n)."""
        x = v.mT.reshape(self.copies * self.d, -1, 1)
        rise, steepness = nn.functional.softplus(self.rise), nn.functional.softplus(self.steepness)
        bent = torch.tanh(steepness * (x - self.places))
        slope = 1 + (rise * steepness * (1 - bent.square())).sum(-1)
        mapped = x[..., 0] + (rise * bent).sum(-1)
        return mapped.view(self.copies, self.d, -1), slope.log().view(self.copies, self.d, -1)

    def _parts(self, v: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        c, d, n, _ = masks.shape
        flat = masks.reshape(c * d, n, d)
        given = (v.unsqueeze(1) * masks).reshape(c * d, n, d)
        mean, log_scale = self.move(torch.cat([given, flat], -1)).view(c, d, n, 2).unbind(-1)
        # a network with nothing but the mask: without parents a marginal may be of any shape, given them it is noise
        # people are the last axis, along which memory runs: sums over four parts are many times as fast
        parts = self.shape(flat).mT.contiguous().view(c, d, 3 * MIXTURE, n)
        centres, log_widths, weights = torch.split(parts, MIXTURE, dim=-2)
        centres = centres + torch.linspace(-1.5, 1.5, MIXTURE, device=v.device)[:, None]
        log_scale = LONGEST * torch.tanh(log_scale / LONGEST) if self.stretches else torch.zeros_like(log_scale)
        log_widths = LONGEST * torch.tanh(log_widths / LONGEST)
        return mean, log_scale, centres, log_widths, torch.log_softmax(weights, -2)


def fit_conditionals(
    v: Tensor,
    folds: list[Tensor],
    allowed: Tensor,
    *,
    stretches: bool = True,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> Conditionals:
    """Fit one copy to the people of each fold, by likelihood under random masks; the model stays on the device.

    Parameters
    ----------
    v
        Latents, shape (n, d), of mean 0 and variance 1.
    folds
        Rows of each copy's people.
    allowed
        Which latents may be given, shape (d, d), rows are children.
    stretches
        Whether parents may stretch noise.
    share
        Of the full number of steps.

    Raises
    ------
    FloatingPointError
        When training diverges.
    """
    d, copies = v.shape[1], len(folds)
    model, v = Conditionals(copies, d, generator=generator, stretches=stretches).to(device), v.to(device)
    steps = max(1, round(share * STEPS))
    may = allowed * (1 - torch.eye(d, device=CPU))

    def loss(_: int) -> Tensor:
        rows = torch.stack([fold[integers(len(fold), BATCH, generator=generator)] for fold in folds])
        # sets of all sizes equally often, so that small ones, which graphs are made of, are learned as well
        size = integers(min(d, MOST_PARENTS + 1), copies, d, BATCH, 1, generator=generator)
        order = uniform(copies, d, BATCH, d, generator=generator) * may[:, None, :]
        least = order.sort(-1).values.gather(-1, (d - size).clamp_max(d - 1))
        masks = ((order >= least) & (size > 0)).float() * may[:, None, :]
        negative: Tensor = -model(v[rows.to(device)], masks.to(device)).mean((0, 2)).sum()
        return negative

    minimise(model.parameters(), loss, steps=steps, rate=RATE, clip=CLIP)
    if not all(bool(p.isfinite().all()) for p in model.parameters()):
        raise FloatingPointError
    return model


NUMBERS: Final = 16
"""Free numbers that an edge counts for, in Schwarz's criterion."""

WORTH: Final = 0.02
"""Nats a person that an edge must be worth, which is a partial correlation of .2: latents are known up to errors, and
what one has of another by error carries about as much.
"""

WORTH_STRETCHING: Final = 0.01
"""Nats a person by which graphs whose noise is stretched by parents must be better, in all.

Noise that is only moved is the more restrictive class: it tells directions that are lost where a wrong direction may
stretch noise until it fits nearly as well.
"""

PEOPLE: Final = 20_000
"""Who are looked at, at most; an edge must be worth 400 nats among so many, so that more would not tell it better."""

STARTS: Final = 8
BOOTSTRAPS: Final = 50

Parents = tuple[int, ...]
Graph = list[Parents]


@dataclass(frozen=True)
class Structure:
    """The graph found.

    Parameters
    ----------
    adjacency
        Share of bootstrap samples in which each edge is there, shape (d, d), rows are children.
    parents
        Of each latent in the graph of all people.
    conditionals
        Fitted to all people, one copy.
    """

    adjacency: NDArray[np.float64]
    parents: list[Parents]
    conditionals: Conditionals = field(repr=False)

    def noise(self, latents: Tensor) -> Tensor:
        """Return the exogenous noise, shape (n, d): standard normal and independent where the graph is right."""
        d = len(self.parents)
        masks = latents.new_zeros(1, d, 1, d)
        for i, parents in enumerate(self.parents):
            masks[0, i, 0, list(parents)] = 1.0
        with torch.no_grad():
            return self.conditionals.noise(latents[None], masks.expand(-1, -1, len(latents), -1))[0].T


def fit_structure(
    latents: Tensor,
    allowed: Tensor,
    *,
    share: float = 1.0,
    generator: torch.Generator,
    edge_penalty: Tensor | None = None,
    device: torch.device = CPU,
) -> Structure:
    """Fit conditionals to halves of the people, score each half by what the other says, and search.

    Once with noise that parents move, once with noise that they may stretch too, which must be worth more.
    Of very many people a sample is looked at: what is held of each of them, for every set of parents, is then bounded.

    Parameters
    ----------
    latents
        Shape (n, d), of mean 0 and variance 1.
    allowed
        Which edges may be, shape (d, d), rows are children.
    share
        Of the full number of steps.
    edge_penalty
        Factor on the cost of each edge, shape (d, d).
    """
    order = permutation(len(latents), generator=generator)[:PEOPLE]
    half = len(order) // 2
    first, second = order[:half], order[half : 2 * half]
    held = latents[torch.stack([second, first])].to(device)
    fitted = partial(fit_conditionals, latents, allowed=allowed, share=share, generator=generator, device=device)
    tried: list[tuple[_Search, Graph, float]] = []
    for stretches in (False, True):
        model = fitted([first, second], stretches=stretches)
        rng = np.random.default_rng(int(integers(2**31, 1, generator=generator)))
        search = _Search(_Scores(model, held), allowed, edge_penalty, rng)
        tried.append((search, *search.best()))
    moved, stretched = tried
    stretches = stretched[2] - moved[2] > WORTH_STRETCHING * 2 * half
    search, best, _ = stretched if stretches else moved
    return Structure(search.frequencies(best), best, fitted([order], stretches=stretches).to(CPU))


class _Scores:
    """Log density of every person's latent given a set of others; computed once for each set."""

    def __init__(self, model: Conditionals, held: Tensor) -> None:
        self.model, self.held = model, held
        self.people = held.shape[0] * held.shape[1]
        self.known: dict[Parents, NDArray[np.float64]] = {}

    def __call__(self, child: int, parents: Parents) -> NDArray[np.float64]:
        if parents not in self.known:
            copies, n, d = self.held.shape
            mask = self.held.new_zeros(d)
            mask[list(parents)] = 1.0
            with torch.no_grad():
                found = self.model(self.held, mask.expand(copies, d, n, d))
            self.known[parents] = found.transpose(0, 1).reshape(d, -1).double().to(CPU).numpy()
        each: NDArray[np.float64] = self.known[parents][child]
        return each


class _Search:
    """Hill climbing over acyclic graphs, held as a tuple of parents a latent."""

    def __init__(self, scores: _Scores, allowed: Tensor, edge_penalty: Tensor | None, rng: np.random.Generator) -> None:
        self.scores, self.rng = scores, rng
        self.may = [[bool(allowed[i, j]) and i != j for j in range(len(allowed))] for i in range(len(allowed))]
        cost = max(0.5 * NUMBERS * math.log(scores.people), WORTH * scores.people)
        self.costs = (
            cost * (torch.ones(len(allowed), len(allowed), device=CPU) if edge_penalty is None else edge_penalty)
        ).tolist()

    def best(self) -> tuple[Graph, float]:
        """Return the best graph of all people from several starts, and its score."""
        everyone = np.ones(self.scores.people)
        nothing: Graph = [()] * len(self.may)
        starts = [nothing, *(self.anywhere() for _ in range(STARTS - 1))]
        return max((self.climb(start, everyone) for start in starts), key=lambda found: found[1])

    def frequencies(self, graph: Graph) -> NDArray[np.float64]:
        """Return the share of bootstrap samples in whose best graph each edge is, sought from a graph on."""
        n = self.scores.people
        found = np.zeros((len(graph), len(graph)))
        for _ in range(BOOTSTRAPS):
            drawn = self.rng.multinomial(n, np.full(n, 1 / n)).astype(np.float64)
            for child, parents in enumerate(self.climb(graph, drawn)[0]):
                found[child, list(parents)] += 1
        return found / BOOTSTRAPS

    def anywhere(self) -> Graph:
        """Return a graph drawn at random: some order, and about one parent a latent."""
        d = len(self.may)
        order = self.rng.permutation(d).tolist()
        graph: Graph = [()] * d
        for at, child in enumerate(order):
            drawn = [j for j in order[:at] if self.may[child][j] and self.rng.random() < 2 / d]
            graph[child] = tuple(sorted(drawn[:MOST_PARENTS]))
        return graph

    def climb(self, start: Graph, weights: NDArray[np.float64]) -> tuple[Graph, float]:
        """Change single edges while that helps; return the graph and its score for people of these weights."""
        known: dict[tuple[int, Parents], float] = {}

        def score(child: int, parents: Parents) -> float:
            key = (child, parents)
            if key not in known:
                known[key] = float(weights @ self.scores(child, parents)) - sum(self.costs[child][j] for j in parents)
            return known[key]

        graph = list(start)
        while True:
            best, gain = None, 0.0
            for change in self._changes(graph):
                better = sum(score(i, parents) - score(i, graph[i]) for i, parents in change.items())
                if better > gain + 1e-9:
                    best, gain = change, better
            if best is None:
                return graph, sum(score(i, parents) for i, parents in enumerate(graph))
            for i, parents in best.items():
                graph[i] = parents

    def _changes(self, graph: Graph) -> Iterator[dict[int, Parents]]:
        """Go through all acyclic graphs that differ in one edge, as the latents whose parents change."""
        d = len(graph)
        for i in range(d):
            for j in range(d):
                if j in graph[i]:
                    fewer = tuple(k for k in graph[i] if k != j)
                    yield {i: fewer}
                    if self.may[j][i] and len(graph[j]) < MOST_PARENTS and not _leads(graph, i, j, leaving_out=(i, j)):
                        yield {i: fewer, j: tuple(sorted((*graph[j], i)))}
                elif self.may[i][j] and len(graph[i]) < MOST_PARENTS and not _leads(graph, j, i):
                    yield {i: tuple(sorted((*graph[i], j)))}


def _leads(graph: Graph, child: int, ancestor: int, *, leaving_out: tuple[int, int] | None = None) -> bool:
    """Return whether a path leads from ancestor to child, one (child, parent) edge left out."""
    reached, open_to = {child}, [child]
    while open_to:
        at = open_to.pop()
        for parent in graph[at]:
            if (at, parent) != leaving_out and parent not in reached:
                reached.add(parent)
                open_to.append(parent)
    return ancestor in reached
