"""The numerical benchmark: several modalities mixed nonlinearly from latents with a known causal graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from personax.simulate.cross_graph import Cycles, draw_graph, mixable
from personax.simulate.latent_data import LatentData
from personax.simulate.mechanisms import Mechanism, Mechanisms, Noise
from personax.simulate.mixing import Mixing

__all__ = ["numerical"]

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
    told = (
        "sparsity tells all latents of a modality apart"
        if not pairs
        else f"sparsity leaves {pairs} ordered pairs mixable"
    )
    loops = "" if cycles == "none" else f", cycles {cycles}"
    return f"Simulated numbers: {mechanism} mechanisms, {noise} noise{loops}; {links} links across modalities, {told}."
