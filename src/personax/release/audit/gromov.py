"""Gromov-Wasserstein matching: the correspondence under which distances within one set are those within the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["gromov"]

Array = NDArray[np.float64]


def gromov(a: Array, b: Array, start: Array, *, blunt: float = 0.05, steps: int = 30) -> NDArray[np.intp]:
    """Return for each row of `a` the row of `b` that it is matched with.

    Parameters
    ----------
    a, b
        Distances within each set, shape (n, n), of the same scale.
    start
        Shape (n, n), costs of matching each with each, that the first plan is made from; the problem has many optima.
    blunt
        Entropy of the first plan in units of the mean cost; it falls tenfold over the steps.

    Notes
    -----
    Entropic, by repeated linear problems with the square loss, each solved by Sinkhorn's iteration in logarithms, which
    goes on from the potentials of the one before.

    References
    ----------
    Peyre, Cuturi, Solomon 2016, proceedings.mlr.press/v48/peyre16.
    """
    potential = np.zeros((1, len(a)))
    plan, potential = _sinkhorn(start, blunt, potential, 50)
    own = np.square(a).mean(axis=1)[:, None] + np.square(b).mean(axis=1)[None, :]
    for entropy in np.geomspace(blunt, blunt / 10, steps):
        plan, potential = _sinkhorn(own - 2 * (a @ plan @ b), float(entropy), potential, 8)
    return np.asarray(plan.argmax(axis=1))


def _sinkhorn(cost: Array, entropy: float, g: Array, steps: int) -> tuple[Array, Array]:
    """Return the plan, rows and columns summing to about 1 / n, and the potential of the columns in units of cost."""
    cost = cost - cost.min()
    kernel, g = -cost / (entropy * cost.mean() + 1e-30), g / entropy
    for _ in range(steps):
        f = -_logsumexp(kernel + g, 1)
        g = -_logsumexp(kernel + f, 0)
    return np.exp(kernel + f + g) / len(cost), g * entropy


def _logsumexp(x: Array, axis: int) -> Array:
    top = x.max(axis=axis, keepdims=True)
    found: Array = top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))
    return found
