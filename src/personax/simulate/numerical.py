"""Numbers with known latent causes: the cases of MMCRL, and harder ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from personax.simulate.latent_data import LatentData
from personax.simulate.mechanisms import MechanismName, NoiseName
from personax.simulate.structure import draw_latents

__all__ = ["CASES", "Case", "numerical", "random_graph"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """Sizes: modalities, latents and noises a modality, length of the vectors."""

    modalities: int
    latents: int
    eta: int
    dim: int


CASES: Final = {1: Case(2, 2, 1, 15), 2: Case(2, 3, 1, 20), 3: Case(4, 2, 1, 30)}
"""MMCRL's three cases (arXiv:2411.06518, D.1)."""

SLOPE: Final = 0.2
"""Of the leaky ReLU below zero."""

WITHIN: Final = 0.5
"""Chance that one latent of a modality causes the next."""


def numerical(
    case: Literal[1, 2, 3] = 1,
    *,
    n: int = 10_000,
    modalities: int | None = None,
    latents: int | None = None,
    eta: int | None = None,
    dim: int | None = None,
    shared: int = 0,
    measurements: int = 1,
    density: float = 0.0,
    within: float = WITHIN,
    cycles: Literal["none", "within", "across"] = "none",
    mechanism: MechanismName = "scale",
    noise: NoiseName = "gaussian",
    noise_scale: float = 1.0,
    layers: int = 4,
    rng: np.random.Generator,
) -> LatentData:
    """Draw latents along a random sparse graph and mix them, with noise of each measurement, by random networks.

    Parameters
    ----------
    case
        Of MMCRL: 1 is 2 modalities of 15 numbers with 2 latents, 2 is 2 of 20 with 3, 3 is 4 of 30 with 2; one noise
        each. What is given below replaces the case's own number.
    n
        People.
    modalities, latents, eta, dim
        Modalities; latents a modality; noises a measurement; length of a measurement.
    shared
        Latents that enter every modality's mixing and cause latents in all of them.
    measurements
        Measurements a modality: the same latents, another noise, another mixing.
    density, within
        See `random_graph`.
    cycles
        A pair of latents that cause one another, in one modality or across two.
    mechanism, noise, noise_scale
        See `personax.simulate.mechanisms`; at 1, causes and noise explain about as much as each other.
    layers
        Of the mixing; see `random_mixing`. MMCRL has three.
    rng
        Draws everything.

    Raises
    ------
    ValueError
        When a measurement has fewer numbers than causes.
    ComputationError
        When a graph with cycles does not settle.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518, appendix D.1: sizes and the form of the mixing. Graphs and mechanisms are this
    package's own.

    Examples
    --------
    >>> data = numerical(1, n=50, rng=np.random.default_rng(0))
    >>> data.names, data.views["m2"]["k1"].shape
    (['m1_1', 'm1_2', 'm2_1', 'm2_2'], (50, 15))
    """
    sizes = CASES[case]
    m, d = modalities or sizes.modalities, latents or sizes.latents
    e, length = sizes.eta if eta is None else eta, dim or sizes.dim
    if length < shared + d + e:
        raise ValueError(f"{shared + d + e} latents and noises do not fit into {length} numbers")
    graph_rng, latent_rng, mix_rng, eta_rng = rng.spawn(4)
    adjacency = random_graph(m, d, shared=shared, density=density, within=within, cycles=cycles, rng=graph_rng)
    z = draw_latents(adjacency, n, mechanism=mechanism, noise=noise, noise_scale=noise_scale, rng=latent_rng)
    modality_names = [f"m{i + 1}" for i in range(m)]
    views: dict[str, dict[str, NDArray[np.float32]]] = {name: {} for name in modality_names}
    noises: dict[str, dict[str, Array]] = {name: {} for name in modality_names}
    for i, name in enumerate(modality_names):
        own = z[:, shared + i * d : shared + (i + 1) * d]
        for k in range(measurements):
            noises[name][f"k{k + 1}"] = eta_rng.standard_normal((n, e))
            causes = np.column_stack([z[:, :shared], own, noises[name][f"k{k + 1}"]])
            views[name][f"k{k + 1}"] = random_mixing(causes, length, layers=layers, rng=mix_rng.spawn(1)[0])
    names = [f"shared_{i + 1}" for i in range(shared)] + [
        f"{name}_{j + 1}" for name in modality_names for j in range(d)
    ]
    said = f"Numbers: {m} modalities, {d} latents each, {shared} shared, mechanism {mechanism}, {noise} noise."
    return LatentData(views, z, names, adjacency, noises, {}, said)


def random_graph(
    modalities: int,
    latents: int,
    *,
    shared: int = 0,
    density: float = 0.0,
    within: float = WITHIN,
    cycles: Literal["none", "within", "across"] = "none",
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Draw a graph, shape (d, d), rows are children, in which every latent has a link across modalities.

    Each latent of a modality after the first has one cause in one earlier modality, a different one for each where
    there are enough; each latent of the first modality causes one of the second. Neighbours within a modality are
    linked with chance ``within``, and ``density`` is the share of the other forward pairs across modalities that are
    linked too. Each shared latent causes one latent of each modality.
    """
    d = shared + modalities * latents
    graph = np.zeros((d, d), bool)
    block = [np.arange(shared + m * latents, shared + (m + 1) * latents) for m in range(modalities)]
    for m, own in enumerate(block):
        for first, second in pairwise(own):
            graph[second, first] = rng.random() < within
        if m:
            source = block[int(rng.integers(m)) if m > 1 else 0]
            graph[own, rng.permutation(source)] = True
        for earlier in block[:m]:
            graph[np.ix_(own, earlier)] |= rng.random((latents, latents)) < density
    for s in range(shared):
        for own in block:
            graph[own[int(rng.integers(latents))], s] = True
    if cycles != "none":
        one, other = (block[0][0], block[0][-1]) if cycles == "within" else (block[0][0], block[1][0])
        if one == other:
            raise ValueError("a cycle within a modality needs two latents in it")
        graph[one, other] = graph[other, one] = True
    return graph


def random_mixing(causes: Array, dim: int, *, layers: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Mix causes through random layers with leaky ReLUs between, shape (n, dim); no layer loses anything.

    The first half of the layers warp the causes among themselves, the rest spread them over ``dim`` numbers. Were all
    layers wide, a plain linear readout would recover the causes with an R2 of .98; so it is .87 (20 seeds, case 1).
    """
    hidden = causes
    for layer in range(layers):
        width = hidden.shape[1] if layer < layers // 2 else dim
        q, _ = np.linalg.qr(rng.standard_normal((width, hidden.shape[1])))
        stretch = rng.uniform(0.5, 1.5, hidden.shape[1]) if layer else np.ones(hidden.shape[1])
        hidden = (hidden * stretch) @ q.T * np.sqrt(width / hidden.shape[1])
        if layer < layers - 1:
            hidden = hidden + 0.5 * rng.standard_normal(width)
            hidden = np.where(hidden > 0, hidden, SLOPE * hidden)
    return hidden.astype(np.float32)
