"""How causes enter an effect, drawn at random: families of mechanisms and of noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from personax.strict import nearest

__all__ = ["MECHANISMS", "NOISES", "Mechanism", "MechanismName", "NoiseName", "draw_mechanism", "draw_noise"]

Array = NDArray[np.float64]

MechanismName = Literal["linear", "additive", "folded", "scale", "mlp"]
NoiseName = Literal["gaussian", "laplace", "uniform"]
MECHANISMS: Final[tuple[str, ...]] = get_args(MechanismName)
NOISES: Final[tuple[str, ...]] = get_args(NoiseName)

Mechanism = Callable[[Array, Array], Array]
"""(causes, shape (n, k); noise, shape (n,)) -> effect, shape (n,), before it is standardised."""


def draw_mechanism(name: str, causes: int, *, noise_scale: float, rng: np.random.Generator) -> Mechanism:
    """Draw a mechanism for an effect of some causes; without causes the effect is its noise.

    Parameters
    ----------
    name
        ``linear``; ``additive``: smooth monotone functions of each cause; ``folded``: sines, which fold; ``scale``:
        as additive, and the causes also stretch the noise; ``mlp``: a random smooth function of all causes together.
    causes
        Their number.
    noise_scale
        Standard deviation of the noise beside causes' sum of about one.
    rng
        Draws the mechanism.

    Raises
    ------
    ValueError
        When the name is none of `MECHANISMS`.
    """
    if name not in MECHANISMS:
        raise ValueError(f"there is no mechanism {name!r}; {nearest(name, list(MECHANISMS))}")
    if causes == 0:
        return lambda _, noise: noise
    sign = rng.choice([-1.0, 1.0], causes)
    size = rng.uniform(0.8, 1.2, causes)
    weight = sign * size / np.linalg.norm(size)
    centre, steep = rng.uniform(-0.5, 0.5, causes), rng.uniform(1.0, 2.0, causes)
    stretch = rng.choice([-1.0, 1.0], causes) * rng.uniform(0.6, 1.0, causes)
    inner, shift = rng.standard_normal((causes, 16)), rng.uniform(-1, 1, 16)
    outer = rng.standard_normal(16)

    def location(x: Array) -> Array:
        if name == "linear":
            return x @ weight
        if name == "folded":
            return 1.4 * np.sin(1.5 * x + centre) @ weight
        if name == "mlp":
            bent: Array = np.tanh(x @ inner + shift) @ outer / 2.5
            return bent
        return (1.2 * np.tanh(steep * (x - centre)) + 0.25 * x) @ weight

    def effect(x: Array, noise: Array) -> Array:
        spread = np.exp(0.7 * np.tanh(x @ stretch)) if name == "scale" else 1.0
        return location(x) + noise_scale * spread * noise

    return effect


def draw_noise(name: str, shape: tuple[int, ...], *, rng: np.random.Generator) -> Array:
    """Draw independent noise of mean 0 and variance 1.

    Raises
    ------
    ValueError
        When the name is none of `NOISES`.

    Examples
    --------
    >>> x = draw_noise("uniform", (10_000,), rng=np.random.default_rng(0))
    >>> bool(abs(x).max() < 3**0.5), round(float(x.std()), 1)
    (True, 1.0)
    """
    if name == "gaussian":
        return rng.standard_normal(shape)
    if name == "laplace":
        return rng.laplace(scale=0.5**0.5, size=shape)
    if name == "uniform":
        return rng.uniform(-(3**0.5), 3**0.5, shape)
    raise ValueError(f"there is no noise {name!r}; {nearest(name, list(NOISES))}")
