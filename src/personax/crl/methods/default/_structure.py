"""The graph among the latents, and their exogenous noise.

Every set of parents is scored on people who were not learned from (`Regressions`: curves of the parents and noise,
after a rising map of the latent); the acyclic graph of the best total score is sought by single changes (add, remove,
reverse) from several starts, once for all people and once for each of many bootstrap samples of them, in which every
score is learned anew: an edge is as sure as it is frequent. Where scores are learned once and people alone are drawn
anew, the draws agree on whichever direction was fitted better by chance.

Latents are found up to rising maps, and their scale must not decide which way an edge points; so every density is one
after a rising map. As of decoders, the more restrictive class is taken where it explains as much: noise that parents
stretch is only believed where people held out say so, for a density that may be stretched fits the wrong direction of
an additive mechanism nearly as well as the right one.

What is left beside its causes, each latent's exogenous noise, is then read from networks (`Conditionals`), which are
fitted to the graph found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personax.crl._device import CPU, integers, permutation
from personax.crl._optimiser import minimise
from personax.crl.methods.default._networks import BatchedMLP
from personax.crl.methods.default._regressions import Columns, Graph, Parents, Regressions

__all__ = ["MOST_PARENTS", "Conditionals", "Structure", "fit_conditionals", "fit_structure"]

MOST_PARENTS: Final = 4

HIDDEN: Final = 32
SHAPE_HIDDEN: Final = 16
MIXTURE: Final = 4
BENDS: Final = 4
"""Steps of each latent's own rising map."""

STEPS: Final = 1000
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
    parents: Graph,
    *,
    stretches: bool = True,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> Conditionals:
    """Fit densities of latents given their parents, by likelihood; one copy, on the device.

    Parameters
    ----------
    v
        Latents, shape (n, d), of mean 0 and variance 1.
    parents
        Of each latent.
    stretches
        Whether parents may stretch noise.
    share
        Of the full number of steps.

    Raises
    ------
    FloatingPointError
        When training diverges.
    """
    d = v.shape[1]
    model, v = Conditionals(1, d, generator=generator, stretches=stretches).to(device), v.to(device)
    masks = _masks(parents, v).expand(-1, -1, BATCH, -1)

    def loss(_: int) -> Tensor:
        rows = integers(len(v), BATCH, generator=generator)
        negative: Tensor = -model(v[rows.to(device)][None], masks).mean((0, 2)).sum()
        return negative

    minimise(model.parameters(), loss, steps=max(1, round(share * STEPS)), rate=RATE, clip=CLIP)
    if not all(bool(p.isfinite().all()) for p in model.parameters()):
        raise FloatingPointError
    return model


def _masks(parents: Graph, v: Tensor) -> Tensor:
    """Return which latents are given of each, shape (1, d, 1, d)."""
    masks = v.new_zeros(1, len(parents), 1, len(parents))
    for i, causes in enumerate(parents):
        masks[0, i, 0, list(causes)] = 1.0
    return masks


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
BOOTSTRAPS: Final = 30
LEAST_BOOTSTRAPS: Final = 5
"""Of fits so short that nothing is claimed of them."""


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
        with torch.no_grad():
            masks = _masks(self.parents, latents).expand(-1, -1, len(latents), -1)
            return self.conditionals.noise(latents[None], masks)[0].T


def fit_structure(
    latents: Tensor,
    allowed: Tensor,
    *,
    share: float = 1.0,
    generator: torch.Generator,
    edge_penalty: Tensor | None = None,
    device: torch.device = CPU,
) -> Structure:
    """Seek the graph of all people and of samples of them, and fit the densities that it says.

    Once with noise that parents move, once with noise that they may stretch too, which must be worth more.
    Of very many people a sample is looked at.

    Parameters
    ----------
    latents
        Shape (n, d), of mean 0 and variance 1.
    allowed
        Which edges may be, shape (d, d), rows are children.
    share
        Of the full number of steps of the densities; below a quarter there are fewer samples of the people too.
    edge_penalty
        Factor on the cost of each edge, shape (d, d).
    """
    seen = latents[permutation(len(latents), generator=generator)[:PEOPLE]]
    rng = np.random.default_rng(int(integers(2**31, 1, generator=generator)))
    columns = Columns(seen.double().to(CPU).numpy(), rng=rng)
    search = _Search(allowed, edge_penalty, len(seen), rng)
    everyone = np.ones(len(seen))
    nothing: Graph = [()] * len(allowed)
    starts = [nothing, *(search.anywhere() for _ in range(STARTS - 1))]
    moved, stretched = (
        search.best(starts, Regressions(columns, everyone, stretches=stretches)) for stretches in (False, True)
    )
    stretches = stretched[1] - moved[1] > WORTH_STRETCHING
    parents, _ = stretched if stretches else moved
    found = np.zeros((len(parents), len(parents)))
    samples = max(LEAST_BOOTSTRAPS, round(BOOTSTRAPS * min(1.0, 4 * share)))
    for _ in range(samples):
        drawn = rng.multinomial(len(seen), everyone / len(seen)).astype(np.float64)
        again = search.best([parents, nothing], Regressions(columns, drawn, stretches=stretches))[0]
        for child, causes in enumerate(again):
            found[child, list(causes)] += 1
    fitted = fit_conditionals(seen, parents, stretches=stretches, share=share, generator=generator, device=device)
    return Structure(found / samples, parents, fitted.to(CPU))


class _Search:
    """Hill climbing over acyclic graphs, held as a tuple of parents a latent."""

    def __init__(self, allowed: Tensor, edge_penalty: Tensor | None, people: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.may = [[bool(allowed[i, j]) and i != j for j in range(len(allowed))] for i in range(len(allowed))]
        cost = max(0.5 * NUMBERS * math.log(people) / people, WORTH)
        self.costs = (
            cost * (torch.ones(len(allowed), len(allowed), device=CPU) if edge_penalty is None else edge_penalty)
        ).tolist()

    def best(self, starts: Sequence[Graph], scores: Regressions) -> tuple[Graph, float]:
        """Return the best graph from several starts, and its score in nats a person."""
        return max((self.climb(start, scores) for start in starts), key=lambda found: found[1])

    def anywhere(self) -> Graph:
        """Return a graph drawn at random: some order, and about one parent a latent."""
        d = len(self.may)
        order = self.rng.permutation(d).tolist()
        graph: Graph = [()] * d
        for at, child in enumerate(order):
            drawn = [j for j in order[:at] if self.may[child][j] and self.rng.random() < 2 / d]
            graph[child] = tuple(sorted(drawn[:MOST_PARENTS]))
        return graph

    def climb(self, start: Graph, scores: Regressions) -> tuple[Graph, float]:
        """Change single edges while that helps; return the graph and its score."""

        def score(child: int, parents: Parents) -> float:
            cost: float = sum(self.costs[child][j] for j in parents)
            return scores(child, parents) - cost

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
