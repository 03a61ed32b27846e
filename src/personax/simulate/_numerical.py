"""The numerical benchmark: random causal graphs over latents of several modalities, mixed nonlinearly."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from personax.simulate._latent_data import LatentData
from personax.simulate._mechanisms import Mechanism, Mechanisms, Noise
from personax.simulate._mixing import Mixing

__all__ = ["Cycles", "draw_graph", "mixable", "numerical"]


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


CASES = {1: (2, 2, 1, 15), 2: (2, 3, 1, 20), 3: (4, 2, 1, 30)}
"""Case -> modalities, latents of each, measurement noises of each, numbers a measurement has (arXiv 2411.06518)."""


def numerical(
    case: int = 1,
    *,
    n: int = 10_000,
    modalities: int | None = None,
    per_modality: int | None = None,
    eta: int | None = None,
    dim: int | None = None,
    shared: int = 0,
    measurements: int = 1,
    mechanism: Mechanism = "scale",
    noise: Noise = "gaussian",
    noise_scale: float = 1.0,
    density: float = 0.0,
    cycles: Cycles = "none",
    identified: bool = True,
    mixing_layers: int = 3,
    rng: np.random.Generator,
) -> LatentData:
    """Draw people whose measurements are random injective mixtures of causally linked latents.

    A measurement of modality m is g_m(z_m, s, eta): one mixing a modality, of its latents, the shared latents and the
    measurement's own standard normal eta. Latents have mean 0 and deviation 1 up to the error of the 50,000 people from
    whom their scale is learnt. From generators in the same state, the first people are the same whatever n.

    Parameters
    ----------
    case
        1: 2 modalities of 2 latents, 15 numbers; 2: 2 of 3, 20 numbers; 3: 4 of 2, 30 numbers; all with one eta.
    n
        People.
    modalities, per_modality, eta, dim
        In place of the case's modalities, latents of each, measurement noises of each, numbers a measurement has.
    shared
        Latents that enter every modality's mixing and cause one latent in each.
    measurements
        Of every modality; they share the mixing and the latents and differ in eta.
    mechanism, noise, noise_scale
        See `Mechanisms`; at 1.0, parents explain half of a latent's variance.
    density, cycles, identified
        See `draw_graph`. Feedback loops need additive noise within the loop and are solved by fixed-point iteration.
    mixing_layers
        Layers of the mixing; 1 is linear.
    rng
        Draws everything, by generators that it spawns.

    Returns
    -------
    LatentData
        Modalities ``m1`` ..., measurements ``k1`` ..., latents ``shared_1`` ..., ``m1_1`` ... The source says whether
        sparsity suffices to tell the latents of a modality apart.

    Raises
    ------
    ValueError
        When an argument is outside its range.
    ComputationError
        When a feedback loop does not settle.

    References
    ----------
    Sun et al. 2025, Causal Representation Learning from Multimodal Biomedical Observations, arXiv 2411.06518, D.1.

    Examples
    --------
    >>> data = numerical(1, n=100, rng=np.random.default_rng(0))
    >>> data.names, data.views["m2"]["k1"].shape
    (['m1_1', 'm1_2', 'm2_1', 'm2_2'], (100, 15))
    """
    if case not in CASES:
        raise ValueError(f"case must be 1, 2 or 3, not {case}")
    if n < 1 or measurements < 1:
        raise ValueError("numerical data need at least one person and one measurement")
    given = (modalities, per_modality, eta, dim)
    count, each, noises, length = (
        usual if value is None else value for value, usual in zip(given, CASES[case], strict=True)
    )
    if noises < 0:
        raise ValueError(f"eta must not be negative, not {noises}")
    graph_rng, model_rng, people_rng, mixing_rng, eta_rng = rng.spawn(5)
    adjacency = draw_graph(
        count, each, shared=shared, density=density, cycles=cycles, identified=identified, rng=graph_rng
    )
    model = Mechanisms(adjacency, mechanism=mechanism, noise=noise, noise_scale=noise_scale, rng=model_rng)
    latents = model.solve(model.draw(n, rng=people_rng))
    names, owner = _names(count, each, shared)
    views: dict[str, dict[str, NDArray[np.float32]]] = {}
    etas: dict[str, dict[str, NDArray[np.float64]]] = {}
    for m in range(count):
        causes = latents[:, (owner == m) | (owner == -1)]
        mixing = Mixing.draw(causes.shape[1] + noises, length, layers=mixing_layers, rng=mixing_rng)
        own = {f"k{k + 1}": eta_rng.spawn(1)[0].standard_normal((n, noises)) for k in range(measurements)}
        etas[f"m{m + 1}"] = own
        views[f"m{m + 1}"] = {k: mixing(np.column_stack([causes, e])).astype(np.float32) for k, e in own.items()}
    source = _source(adjacency, owner, mechanism, noise, cycles)
    return LatentData(views, latents, names, adjacency, etas, {}, source)


def _names(count: int, each: int, shared: int) -> tuple[list[str], NDArray[np.intp]]:
    names = [f"shared_{i + 1}" for i in range(shared)]
    names += [f"m{m + 1}_{i + 1}" for m in range(count) for i in range(each)]
    return names, np.r_[np.full(shared, -1), np.repeat(np.arange(count), each)]


def _source(adjacency: NDArray[np.bool_], owner: NDArray[np.intp], mechanism: str, noise: str, cycles: str) -> str:
    links = int((adjacency & (owner[:, None] != owner)).sum())
    pairs = len(mixable(adjacency, owner))
    mixed = (
        "sparsity tells all latents of a modality apart"
        if not pairs
        else f"sparsity leaves {pairs} ordered pairs mixable"
    )
    loops = "" if cycles == "none" else f", cycles {cycles}"
    return f"Simulated numbers: {mechanism} mechanisms, {noise} noise{loops}; {links} links across modalities, {mixed}."
