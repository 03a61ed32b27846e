"""How latents cause one another: families of mechanisms over any graph, feedback loops included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from personax.errors import ComputationError

__all__ = ["Mechanism", "Mechanisms", "Noise", "components", "draw_noise"]

Array = NDArray[np.float64]
Mechanism = Literal["additive", "folded", "scale", "linear", "mlp"]
Noise = Literal["gaussian", "laplace", "uniform"]

AUXILIARY = 50_000
"""People drawn only to learn each latent's mean and deviation, which then do not depend on who is asked for."""

CONTRACTION = 0.7
"""What one round of a feedback loop leaves, at most, of a disturbance."""

ROUNDS, TOLERANCE = 500, 1e-8


@dataclass(frozen=True, slots=True)
class Function:
    """A function of some parents, (n, parents) -> (n,), and a bound on its slope in each of them, shape (parents,)."""

    of: Callable[[Array], Array]
    slopes: Array


class Mechanisms:
    """A structural causal model of standardised latents with randomly drawn mechanisms.

    With p the parents, e independent noise of unit variance, and f scaled to unit variance, a latent is, up to its
    standardisation, ``f(p) + noise_scale * e``; without parents it is e. So at noise_scale 1 the parents explain half
    of its variance. The families of f:

    ========== ==================================================================================
    additive   sum of w (tanh(a (p - c)) + b p), each term strictly monotone
    folded     sum of w sin(1.5 p + c): different parents give the same child
    scale      additive, and the noise is multiplied by exp(0.5 tanh(g p)), scaled to mean square 1
    linear     sum of w p
    mlp        one hidden layer of eight tanh units over all parents together
    ========== ==================================================================================

    In a feedback loop, parents within the loop enter through a term of their own, weighted such that the equations are
    a contraction and have exactly one solution, found by fixed-point iteration. They do not enter the noise's scale,
    and parents then explain whatever share of the variance the contraction leaves them.

    Parameters
    ----------
    adjacency
        Shape (d, d), bool, rows are children; the diagonal is empty.
    mechanism, noise
        The family of all mechanisms and the law of all noises.
    noise_scale
        Positive; larger means that parents explain less.
    rng
        Draws the mechanisms.

    Raises
    ------
    ValueError
        When an argument is not one of the above.
    ComputationError
        When a feedback loop does not settle.

    Examples
    --------
    >>> chain = np.array([[False, False], [True, False]])
    >>> model = Mechanisms(chain, mechanism="linear", rng=np.random.default_rng(0))
    >>> model.solve(model.draw(3, rng=np.random.default_rng(1))).shape
    (3, 2)
    """

    def __init__(
        self,
        adjacency: NDArray[np.bool_],
        *,
        mechanism: Mechanism = "additive",
        noise: Noise = "gaussian",
        noise_scale: float = 1.0,
        rng: np.random.Generator,
    ) -> None:
        _check(adjacency, mechanism, noise, noise_scale)
        self.noise: Noise = noise
        self.noise_scale = noise_scale
        self.components = components(adjacency)
        count = len(adjacency)
        self.outer: dict[int, NDArray[np.intp]] = {}
        self.location: dict[int, Function] = {}
        self.log_scale: dict[int, Array] = {}
        self.feedback: dict[int, Function] = {}
        self.inner: dict[int, NDArray[np.intp]] = {}
        self.gain = np.ones(count)
        self.unit, self.rms = np.ones(count), np.ones(count)
        self.mean, self.deviation = np.zeros(count), np.ones(count)
        for component in self.components:
            self._draw_component(adjacency, component, mechanism, rng)
        self._calibrate(self.draw(AUXILIARY, rng=rng))

    def draw(self, n: int, *, rng: np.random.Generator) -> Array:
        """Draw the noises of n people, shape (n, d); the first people are the same whatever n."""
        return draw_noise((n, len(self.gain)), self.noise, rng=rng)

    def solve(self, noise: Array) -> Array:
        """Return the standardised latents that these noises cause, shape (n, d)."""
        values = np.zeros_like(noise)
        for component in self.components:
            raw = self._solve_component(component, values, noise)
            values[:, component] = (raw - self.mean[component]) / self.deviation[component]
        if self.residual(values, noise) > TOLERANCE:
            raise ComputationError("the latents do not solve their equations; choose other mechanisms or fewer loops")
        return values

    def residual(self, values: Array, noise: Array) -> float:
        """Return how far, at most, a latent is from what its equation makes of its parents and noise."""
        worst = 0.0
        for component in self.components:
            raw = values[:, component] * self.deviation[component] + self.mean[component]
            back = self._forced(component, values, noise) + self._fed_back(component, raw)
            worst = max(worst, float(np.abs((back - raw) / self.deviation[component]).max(initial=0)))
        return worst

    def _draw_component(
        self, adjacency: NDArray[np.bool_], component: NDArray[np.intp], mechanism: Mechanism, rng: np.random.Generator
    ) -> None:
        slopes = np.zeros((len(component), len(component)))
        for row, node in enumerate(component):
            parents = np.flatnonzero(adjacency[node])
            self.outer[node] = np.setdiff1d(parents, component)
            self.inner[node] = np.flatnonzero(adjacency[node, component])
            self.location[node] = _function(mechanism, len(self.outer[node]), rng)
            self.feedback[node] = _function(mechanism, len(self.inner[node]), rng)
            slopes[row, self.inner[node]] = self.feedback[node].slopes
            if mechanism == "scale":
                self.log_scale[node] = _signed(0.7, 1.5, len(self.outer[node]), rng)
        if len(component) > 1:
            # The spectral radius of the matrix of slopes bounds the contraction in some weighted maximum norm.
            self.gain[component] = CONTRACTION / np.abs(np.linalg.eigvals(slopes)).max()

    def _calibrate(self, noise: Array) -> None:
        values = np.zeros_like(noise)
        for component in self.components:
            for node in component:
                parents = values[:, self.outer[node]]
                if parents.shape[1]:
                    self.unit[node] = self.location[node].of(parents).std()
                    if node in self.log_scale:
                        self.rms[node] = np.sqrt((_spread(parents, self.log_scale[node]) ** 2).mean())
            raw = self._solve_component(component, values, noise)
            self.mean[component], self.deviation[component] = raw.mean(axis=0), raw.std(axis=0)
            values[:, component] = (raw - self.mean[component]) / self.deviation[component]

    def _solve_component(self, component: NDArray[np.intp], values: Array, noise: Array) -> Array:
        forced = self._forced(component, values, noise)
        if len(component) == 1:
            return forced
        raw = forced
        for _ in range(ROUNDS):
            following = forced + self._fed_back(component, raw)
            moved = float(np.abs(following - raw).max(initial=0))
            raw = following
            if moved < TOLERANCE / 100:
                return raw
        raise ComputationError(f"a feedback loop of {len(component)} latents does not settle in {ROUNDS} rounds")

    def _forced(self, component: NDArray[np.intp], values: Array, noise: Array) -> Array:
        """Return what comes from outside the loop, shape (n, nodes): other parents and noise."""
        return np.column_stack([self._forced_node(node, values, noise[:, node]) for node in component])

    def _forced_node(self, node: int, values: Array, noise: Array) -> Array:
        parents = values[:, self.outer[node]]
        own = self.noise_scale * noise if parents.shape[1] or len(self.inner[node]) else noise
        if not parents.shape[1]:
            return own
        if node in self.log_scale:
            own = own * _spread(parents, self.log_scale[node]) / self.rms[node]
        forced: Array = self.location[node].of(parents) / self.unit[node] + own
        return forced

    def _fed_back(self, component: NDArray[np.intp], raw: Array) -> Array:
        terms = [self.gain[node] * self.feedback[node].of(raw[:, self.inner[node]]) for node in component]
        return np.column_stack(terms)


def draw_noise(shape: tuple[int, int], noise: Noise, *, rng: np.random.Generator) -> Array:
    """Draw independent noise of mean 0 and variance 1.

    Examples
    --------
    >>> bool(np.abs(draw_noise((500, 2), "uniform", rng=np.random.default_rng(0))).max() < 3**0.5)
    True
    """
    if noise == "gaussian":
        return rng.standard_normal(shape)
    if noise == "laplace":
        return rng.laplace(scale=np.sqrt(0.5), size=shape)
    return rng.uniform(-np.sqrt(3), np.sqrt(3), size=shape)


def components(adjacency: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the feedback loops and single nodes of a graph, causes first.

    Parameters
    ----------
    adjacency
        Shape (d, d), bool, rows are children.

    Examples
    --------
    >>> [c.tolist() for c in components(np.array([[0, 0, 1], [0, 0, 0], [1, 1, 0]], dtype=bool))]
    [[1], [0, 2]]
    """
    reach = adjacency | np.eye(len(adjacency), dtype=bool)
    for _ in range(len(adjacency).bit_length()):
        reach = (reach.astype(np.int64) @ reach.astype(np.int64)) > 0
    # A cause outside the loop has fewer ancestors than its effect; within a loop all have the same.
    loops = {tuple(np.flatnonzero(reach[i] & reach[:, i]).tolist()) for i in range(len(adjacency))}
    return [np.array(loop) for loop in sorted(loops, key=lambda loop: (reach[loop[0]].sum(), loop))]


def _check(adjacency: NDArray[np.bool_], mechanism: str, noise: str, noise_scale: float) -> None:
    if adjacency.ndim != 2 or adjacency.shape[0] != adjacency.shape[1] or adjacency.dtype != np.bool_:
        raise ValueError(f"adjacency must be a square matrix of bool, not {adjacency.shape} of {adjacency.dtype}")
    if adjacency.diagonal().any():
        raise ValueError("a latent cannot be its own parent: the diagonal of adjacency must be empty")
    if mechanism not in get_args(Mechanism):
        raise ValueError(f"mechanism must be one of {', '.join(get_args(Mechanism))}, not {mechanism!r}")
    if noise not in get_args(Noise):
        raise ValueError(f"noise must be one of {', '.join(get_args(Noise))}, not {noise!r}")
    if not 0 < noise_scale < np.inf:
        raise ValueError(f"noise_scale must be positive, not {noise_scale}")


def _function(mechanism: Mechanism, parents: int, rng: np.random.Generator) -> Function:
    if not parents:  # a network of none would still have its biases
        return Function(lambda p: np.zeros(len(p)), np.zeros(0))
    if mechanism == "mlp":
        return _network(parents, rng)
    weight = _signed(0.7, 1.3, parents, rng)
    if mechanism == "linear":
        return Function(lambda p: (weight * p).sum(axis=1), np.abs(weight))
    if mechanism == "folded":
        phase = rng.uniform(-0.5, 0.5, parents)
        return Function(lambda p: (weight * np.sin(1.5 * p + phase)).sum(axis=1), 1.5 * np.abs(weight))
    steep, straight = rng.uniform(0.8, 2.0, parents), rng.uniform(0.2, 0.6, parents)
    centre = rng.uniform(-0.5, 0.5, parents)
    bound = np.abs(weight) * (steep + straight)
    return Function(lambda p: (weight * (np.tanh(steep * (p - centre)) + straight * p)).sum(axis=1), bound)


def _network(parents: int, rng: np.random.Generator) -> Function:
    units = 8
    enter = rng.standard_normal((parents, units))
    enter *= 3 / np.linalg.norm(enter, axis=1, keepdims=True)  # so that no parent is nearly ignored
    bias, leave = rng.standard_normal(units), _signed(0.5, 1.5, units, rng)
    return Function(lambda p: np.tanh(p @ enter + bias) @ leave, np.abs(enter) @ np.abs(leave))


def _spread(parents: Array, weights: Array) -> Array:
    spread: Array = np.exp(0.5 * np.tanh((parents * weights).sum(axis=1)))
    return spread


def _signed(low: float, high: float, count: int, rng: np.random.Generator) -> Array:
    signed: Array = rng.uniform(low, high, count) * rng.choice([-1.0, 1.0], count)
    return signed
