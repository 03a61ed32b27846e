"""Latents drawn along a graph with random mechanisms, acyclic or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from personax.errors import ComputationError
from personax.simulate.mechanisms import Mechanism, MechanismName, NoiseName, draw_mechanism, draw_noise

__all__ = ["causal_order", "draw_latents"]

Array = NDArray[np.float64]

CALIBRATION = 50_000
"""People drawn to standardise each latent by, so that nobody's values depend on who else was drawn."""

ROUNDS = 2_000
CONTRACTION = 0.6
"""Of a cyclic model: how far causes' sum is scaled down, so that solving it over and over converges."""


def causal_order(adjacency: NDArray[np.bool_]) -> list[int] | None:
    """Return an order in which causes stand before effects, or None when there is a cycle; rows are children.

    Examples
    --------
    >>> causal_order(np.array([[False, True], [False, False]])), causal_order(np.ones((2, 2), bool))
    ([1, 0], None)
    """
    order: list[int] = []
    left = list(range(len(adjacency)))
    while left:
        ready = [i for i in left if not adjacency[i, left].any()]
        if not ready:
            return None
        order.extend(ready)
        left = [i for i in left if i not in ready]
    return order


def draw_latents(
    adjacency: NDArray[np.bool_],
    n: int,
    *,
    mechanism: MechanismName,
    noise: NoiseName,
    noise_scale: float,
    rng: np.random.Generator,
) -> Array:
    """Draw n people's latents, shape (n, d), each of mean 0 and variance 1 up to an error of 1/sqrt(50,000).

    A graph with cycles is solved to its fixed point: mechanisms are scaled down until a round contracts.

    Raises
    ------
    ComputationError
        When a graph with cycles has no fixed point that rounds converge to.
    """
    draw, calibrate, people = rng.spawn(3)
    d = len(adjacency)
    mechanisms = [draw_mechanism(mechanism, int(row.sum()), noise_scale=noise_scale, rng=draw) for row in adjacency]
    noises = [draw_noise(noise, (m, d), rng=generator) for m, generator in ((CALIBRATION, calibrate), (n, people))]
    order = causal_order(adjacency)
    if order is not None:
        return _solve(adjacency, mechanisms, noises, order)
    return _settle(adjacency, mechanisms, noises)


def _solve(
    adjacency: NDArray[np.bool_], mechanisms: Sequence[Mechanism], noises: Sequence[Array], order: Sequence[int]
) -> Array:
    reference, values = (np.zeros_like(x) for x in noises)
    for i in order:
        both = [mechanisms[i](v[:, adjacency[i]], e[:, i]) for v, e in zip((reference, values), noises, strict=True)]
        mean, spread = both[0].mean(), both[0].std()
        reference[:, i], values[:, i] = ((x - mean) / spread for x in both)
    return values


def _settle(adjacency: NDArray[np.bool_], mechanisms: Sequence[Mechanism], noises: Sequence[Array]) -> Array:
    settled = [np.zeros_like(x) for x in noises]
    for at, noise in enumerate(noises):
        values = settled[at]
        for _ in range(ROUNDS):
            new = np.column_stack([
                CONTRACTION * mechanisms[i](values[:, adjacency[i]], 0 * noise[:, i]) + noise[:, i]
                if adjacency[i].any() else noise[:, i]
                for i in range(len(adjacency))
            ])  # fmt: skip
            moved = float(np.abs(new - values).max())
            values = new
            if moved < 1e-10:
                break
        else:
            raise ComputationError("a graph with cycles did not settle; draw another, or a mechanism of smaller slope")
        settled[at] = values
    mean, spread = settled[0].mean(axis=0), settled[0].std(axis=0)
    standard: Array = (settled[1] - mean) / spread
    return standard
