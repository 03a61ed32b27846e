"""Random causal graphs over the latents of several modalities, sparse between modalities."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cycles", "draw_graph", "mixable"]

Cycles = Literal["none", "within", "across"]

TRIES = 500


def draw_graph(
    modalities: int,
    per_modality: int,
    *,
    shared: int = 0,
    density: float = 0.0,
    cycles: Cycles = "none",
    identified: bool = True,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Draw a graph in which every latent touches another modality and few links do so.

    In a random causal order, every latent gets one parent of another modality, from those with the fewest children
    there, unless none stands before it; one left without any link gets a child. Neighbours within a modality are linked
    in a chain, each with probability 1/2. A shared latent has one child in every modality.

    Parameters
    ----------
    modalities
        At least 2.
    per_modality
        Latents of each; at least 2 for cycles within.
    shared
        Latents of no modality, which come first.
    density
        Share of the further possible links between modalities that are added, 0 to 1.
    cycles
        ``within``: the first two latents of every modality cause each other; ``across``: a quarter of the links between
        modalities, at least one, go in both directions.
    identified
        Leave out links within a modality that make latents `mixable`, and repeat the drawing, up to 500 times, until
        none are.

    Returns
    -------
    numpy.ndarray
        Shape (d, d), bool, rows are children.

    Raises
    ------
    ValueError
        When a number is outside its range.

    Examples
    --------
    >>> draw_graph(2, 1, rng=np.random.default_rng(0)).sum()
    np.int64(1)
    """
    if modalities < 2 or per_modality < 1 or shared < 0 or not 0 <= density <= 1:
        raise ValueError("a graph needs two modalities, one latent in each, shared >= 0 and density between 0 and 1")
    if cycles not in ("none", "within", "across"):
        raise ValueError(f"cycles must be none, within or across, not {cycles!r}")
    if cycles == "within" and per_modality < 2:
        raise ValueError("cycles within a modality need two latents in it")
    owner = np.r_[np.full(shared, -1), np.repeat(np.arange(modalities), per_modality)]
    for _ in range(TRIES):
        graph = _draw(owner, density, cycles, identified, rng)
        if not (identified and mixable(graph, owner)):
            break
    return graph


def mixable(adjacency: NDArray[np.bool_], owner: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Return the pairs (i, j) of one modality for which adding j to i makes the graph no denser.

    Let z_i be replaced by z_i + c z_j. Every child of i gets j as a parent. If j is a parent of i, only c is added to
    its effect. If it is not, the noise of j would enter i, so that j becomes a parent, unless noises happen to mix into
    independent ones (Gaussian ones do); then i inherits j's parents. So sparsity cannot tell z_i from the mixture when
    the children of i are children of j and either j is a parent of i, or j's parents in other modalities are i's as
    well. Where there is no such pair, it can (arXiv 2411.06518 has a like condition).

    Parameters
    ----------
    adjacency
        Shape (d, d), bool, rows are children.
    owner
        Shape (d,), the modality of each latent.

    Examples
    --------
    >>> link = np.zeros((3, 3), dtype=bool)
    >>> link[2, 0] = True
    >>> mixable(link, np.array([0, 0, 1]))  # only z_0 causes the other modality: any z_0 may be put into z_1
    [(1, 0)]
    """
    across = adjacency & (owner[:, None] != owner[None, :])
    pairs = [(i, j) for i in range(len(owner)) for j in range(len(owner)) if i != j and owner[i] == owner[j]]
    return [
        (i, j)
        for i, j in pairs
        if (adjacency[i, j] and not _new_children(adjacency, i, j).any())
        or (not _new_children(across, i, j).any() and (across[j] <= across[i]).all())
    ]


def _new_children(links: NDArray[np.bool_], i: int | np.intp, j: int | np.intp) -> NDArray[np.bool_]:
    """Return the children of i, other than j, that are no children of j."""
    new: NDArray[np.bool_] = links[:, i] & ~links[:, j]
    new[j] = False
    return new


def _draw(
    owner: NDArray[np.intp], density: float, cycles: Cycles, identified: bool, rng: np.random.Generator
) -> NDArray[np.bool_]:
    order = _order(owner, rng)
    graph = _across(owner, order, density, rng)
    own = np.flatnonzero(owner >= 0)
    for first, second in pairwise(own):
        if owner[first] != owner[second] or rng.random() < 0.5:
            continue
        if not identified or _new_children(graph, second, first).any():
            graph[second, first] = True
    for one in np.flatnonzero(owner < 0):
        for modality in range(owner.max() + 1):
            graph[rng.choice(np.flatnonzero(owner == modality)), one] = True
    if cycles == "within":
        for modality in range(owner.max() + 1):
            first, second = np.flatnonzero(owner == modality)[:2]
            graph[first, second] = graph[second, first] = True
    if cycles == "across":
        links = np.argwhere(graph & (owner[:, None] != owner) & (owner >= 0))
        for child, parent in rng.permutation(links)[: max(1, len(links) // 4)]:
            graph[parent, child] = True
    return graph


def _order(owner: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the latents of all modalities shuffled, those of one modality among themselves in their order."""
    turns = rng.permutation(owner[owner >= 0])
    order = np.empty(len(turns), dtype=np.intp)
    for modality in np.unique(turns):
        order[turns == modality] = np.flatnonzero(owner == modality)
    return order


def _across(
    owner: NDArray[np.intp], order: NDArray[np.intp], density: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    graph = np.zeros((len(owner), len(owner)), dtype=bool)
    possible = [
        (child, parent) for at, child in enumerate(order) for parent in order[:at] if owner[child] != owner[parent]
    ]
    for child in order:
        parents = np.array([parent for one, parent in possible if one == child], dtype=np.intp)
        if len(parents):
            busy = graph[:, parents].sum(axis=0)
            graph[child, rng.choice(parents[busy == busy.min()])] = True
    for parent in order:
        if not graph[parent].any() and not graph[:, parent].any():
            graph[rng.choice([child for child, one in possible if one == parent]), parent] = True
    further = [link for link in possible if not graph[link]]
    for place in rng.permutation(len(further))[: round(density * len(further))]:
        graph[further[place]] = True
    return graph
