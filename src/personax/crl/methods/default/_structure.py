"""The graph among the latents, and their exogenous noise.

Every set of parents is scored on people who were not learned from; the acyclic graph of the best total score is sought
by single changes (add, remove, reverse) from several starts, once for all people and once for each of many bootstrap
samples of them: an edge is as sure as it is frequent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._device import CPU, integers, permutation
from personax.crl.methods.default._conditionals import MOST_PARENTS, Conditionals, fit_conditionals

__all__ = ["Structure", "fit_structure"]

NUMBERS: Final = 16
"""Free numbers that an edge counts for, in Schwarz's criterion."""

WORTH: Final = 0.02
"""Nats a person that an edge must be worth, which is a partial correlation of .2: latents are known up to errors, and
what one has of another by error carries about as much.
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
    d, half = latents.shape[1], len(order) // 2
    first, second = order[:half], order[half : 2 * half]
    model = fit_conditionals(latents, [first, second, order], allowed, share=share, generator=generator, device=device)
    scores = _Scores(model.copy([0, 1]), latents[torch.stack([second, first])].to(device))
    search = _Search(scores, allowed, edge_penalty, np.random.default_rng(int(integers(2**31, 1, generator=generator))))
    everyone = np.ones(2 * half)
    nothing: Graph = [()] * d
    starts = [nothing, *(search.anywhere() for _ in range(STARTS - 1))]
    best, _ = max((search.climb(start, everyone) for start in starts), key=lambda found: found[1])
    adjacency = np.zeros((d, d))
    for _ in range(BOOTSTRAPS):
        drawn = search.rng.multinomial(2 * half, np.full(2 * half, 0.5 / half)).astype(np.float64)
        for child, parents in enumerate(search.climb(best, drawn)[0]):
            adjacency[child, list(parents)] += 1
    return Structure(adjacency / BOOTSTRAPS, best, model.copy([2]).to(CPU))


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
