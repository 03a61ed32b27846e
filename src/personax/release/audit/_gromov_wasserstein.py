"""Gromov-Wasserstein matching: the correspondence under which distances within one set are those within the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["gromov_wasserstein"]

Array = NDArray[np.floating[Any]]

TINY = 1e-30
SMALLEST = 1e-20
"""Least sum of a column whose greatest numbers are kept by float32, beside rows that sum to one."""

BLUNT, STEPS = 0.05, 30
"""Entropy of the first plan in units of the mean cost, and the steps over which it falls tenfold."""


def gromov_wasserstein(a: Array, b: Array, start: Array) -> Array:
    """Return the plan: how far each row of `a` is matched with each row of `b`.

    Parameters
    ----------
    a, b
        Distances, or how near rows are to one another, within each set, shape (n, n), of the same scale.
    start
        Shape (n, n), costs of matching each with each, that the first plan is made from; the problem has many optima.

    Notes
    -----
    Entropic, by repeated linear problems with the square loss, each solved by Sinkhorn's iteration in logarithms, which
    goes on from the potentials of the one before.

    References
    ----------
    Peyre, Cuturi, Solomon 2016, proceedings.mlr.press/v48/peyre16.
    """
    a, b, start = (z.astype(np.float32) for z in (a, b, start))
    potential = np.zeros((1, len(a)), dtype=np.float32)
    plan, potential = _sinkhorn(start, BLUNT, potential, 50)
    own = np.square(a).mean(axis=1)[:, None] + np.square(b).mean(axis=1)[None, :]
    for entropy in np.geomspace(BLUNT, BLUNT / 10, STEPS):
        plan, potential = _sinkhorn(own - 2 * (a @ plan @ b), float(entropy), potential, 8)
    return plan


def _sinkhorn(cost: Array, entropy: float, g: Array, steps: int) -> tuple[Array, Array]:
    """Return the plan, rows and columns summing to about 1 / n, and the potential of the columns in units of cost.

    The first steps are on sums of logarithms; then every row and column of what is scaled has a number near one, so
    that none underflows. What is left below 1e-30 is made zero: processors compute with numbers that float32 holds as
    subnormal (below 1e-38) several times slower.
    """
    cost = cost - cost.min()
    kernel, g = -cost / (entropy * cost.mean() + 1e-30), g / entropy
    plan = kernel + g
    plan -= plan.max(axis=1, keepdims=True)
    np.exp(plan, out=plan)
    plan /= plan.sum(axis=1, keepdims=True)
    sums = plan.sum(axis=0, keepdims=True)
    if sums.min() > SMALLEST:
        plan /= sums
        g = g - np.log(sums)
    else:  # a column that is far from every row: all its numbers have underflowed, so the same in logarithms
        f = -_logsumexp(kernel + g, 1)
        g = -_logsumexp(kernel + f, 0)
        plan = np.exp(kernel + f + g)
    plan[plan < TINY] = 0
    across, down = np.ones((len(cost), 1), plan.dtype), np.ones((1, cost.shape[1]), plan.dtype)
    for _ in range(steps):
        across = 1 / np.maximum(plan @ down.T, TINY)
        down = 1 / np.maximum(across.T @ plan, TINY)
    plan *= across
    plan *= down / len(cost)
    plan[plan < TINY] = 0
    return plan, (g + np.log(down)) * entropy


def _logsumexp(x: Array, axis: int) -> Array:
    top = x.max(axis=axis, keepdims=True)
    found: Array = top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))
    return found
